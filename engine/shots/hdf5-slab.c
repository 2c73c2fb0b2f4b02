#include "engine/shots/hdf5-slab.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/source-private.h"

/* A frame's chunks may fill HDF5's cache up to this. */
#define MAX_CACHE ((gsize) 256 << 20)

typedef struct
{
  hsize_t first[FL_GEOM_DIMS]; /* index of its first element */
  gsize at, length;            /* in `raw`; length 0: never written, the fill value holds */
  guint32 skipped;
} Stored;

/* --- opening --- */

gboolean
fl_h5_slab_fits (const FlH5Slab *slab, GError **error)
{
  const FlGeomSlab *layout = slab->layout;
  for (guint i = 0; i < layout->n_dims; i++)
    if (layout->dims[i] != FL_GEOM_DIM_FRAME && layout->low[i] + layout->count[i] > slab->dims[i])
      return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                         "dimension %u of %s has %" G_GUINT64_FORMAT " elements, but the geometry needs %"
                         G_GUINT64_FORMAT, i, slab->path, (guint64) slab->dims[i], layout->low[i] + layout->count[i]);
  return TRUE;
}

static gboolean
count_frames (FlH5Slab *slab, GError **error)
{
  slab->n_frames = 1;
  for (guint i = 0; i < slab->layout->n_dims; i++)
    if (slab->layout->dims[i] == FL_GEOM_DIM_FRAME)
      {
        slab->n_frames *= slab->dims[i];
        if (slab->dims[i] > G_MAXUINT32 || slab->n_frames > G_MAXUINT32)
          return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s has 2^32 frames or more, expected fewer",
                             slab->path);
      }
  return TRUE;
}

/* A chunk that lies within the box is one run of the shot's array when it spans the box in all dimensions but one, and
 * before that one has extent 1. */
static gboolean
chunk_is_dense (const FlH5Slab *slab)
{
  const FlGeomSlab *layout = slab->layout;
  guint i = layout->n_dims;
  while (i > 0 && slab->chunk[i - 1] == layout->count[i - 1])
    i--;
  for (guint before = 0; i > 0 && before < i - 1; before++)
    if (slab->chunk[before] != 1)
      return FALSE;
  return TRUE;
}

static gboolean
can_go_direct (FlH5Slab *slab, hid_t create_list, hid_t file_type)
{
  const FlGeomSlab *layout = slab->layout;
  slab->chunk_pixels = 1;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      if (layout->dims[i] == FL_GEOM_DIM_FRAME && slab->chunk[i] != 1)
        return FALSE;
      slab->chunk_pixels *= slab->chunk[i];
      if (slab->chunk_pixels > (gsize) 1 << 28)
        return FALSE;
    }
  return H5Tequal (file_type, fl_h5_memory_type (slab->type)) > 0
         && fl_chunk_codec_init (&slab->codec, create_list, slab->chunk_pixels * fl_pixel_size (slab->type));
}

/* Opens the dataset again with a chunk cache that holds what one frame touches. */
static void
enlarge_cache (FlH5Slab *slab, hid_t file)
{
  const FlGeomSlab *layout = slab->layout;
  gsize bytes = fl_pixel_size (slab->type), n_chunks = 1;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      gsize n = layout->dims[i] == FL_GEOM_DIM_FRAME ? 1 : (layout->count[i] + slab->chunk[i] - 1) / slab->chunk[i] + 1;
      n_chunks *= n;
      bytes *= slab->chunk[i];
    }
  g_auto (FlHid) access = H5Pcreate (H5P_DATASET_ACCESS);
  H5Pset_chunk_cache (access, MIN (n_chunks * 10 + 1, 100003), MIN (n_chunks * bytes, MAX_CACHE), 1);
  hid_t again = H5Dopen2 (file, slab->path, access);
  if (again >= 0)
    {
      H5Dclose (slab->dataset);
      slab->dataset = again;
    }
}

static gboolean
prepare (FlH5Slab *slab, hid_t file, GError **error)
{
  g_auto (FlHid) type = H5Dget_type (slab->dataset);
  g_auto (FlHid) create_list = H5Dget_create_plist (slab->dataset);
  slab->space = H5Dget_space (slab->dataset);
  int rank = H5Sget_simple_extent_ndims (slab->space);
  if (!fl_h5_pixel_type (type, &slab->type))
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s holds no numbers, expected pixels", slab->path);
  if (rank != (int) slab->layout->n_dims)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                       "%s has %d dimensions, but the geometry describes %u (dim0 … dim%u)", slab->path, rank,
                       slab->layout->n_dims, slab->layout->n_dims - 1);
  H5Sget_simple_extent_dims (slab->space, slab->dims, NULL);
  if (!count_frames (slab, error))
    return FALSE;
  slab->filtered = H5Pget_nfilters (create_list) > 0;
  if (H5Pget_layout (create_list) != H5D_CHUNKED)
    return TRUE;
  H5Pget_chunk (create_list, rank, slab->chunk);
  slab->direct = can_go_direct (slab, create_list, type);
  if (!slab->direct)
    {
      enlarge_cache (slab, file);
      return TRUE;
    }
  slab->dense = chunk_is_dense (slab);
  slab->stored = g_array_new (FALSE, FALSE, sizeof (Stored));
  slab->fill = g_malloc0 (8);
  H5Pget_fill_value (create_list, fl_h5_memory_type (slab->type), slab->fill);
  return TRUE;
}

FlH5Slab *
fl_h5_slab_open (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout, GError **error)
{
  FlH5Slab *slab = g_new0 (FlH5Slab, 1);
  slab->layout = layout;
  slab->file_path = file_path;
  slab->path = g_strdup (path);
  slab->dataset = fl_h5_exists (file, path) ? H5Dopen2 (file, path, H5P_DEFAULT) : -1;
  gboolean ok = slab->dataset >= 0
                    ? prepare (slab, file, error)
                    : fl_h5_fail (error, FL_ERROR_MISSING, file_path, "no dataset %s, expected pixels there", path);
  if (ok)
    return slab;
  fl_h5_slab_close (slab);
  return NULL;
}

void
fl_h5_slab_close (FlH5Slab *slab)
{
  if (slab == NULL)
    return;
  if (slab->space > 0)
    H5Sclose (slab->space);
  if (slab->dataset > 0)
    H5Dclose (slab->dataset);
  fl_chunk_codec_clear (&slab->codec);
  if (slab->stored != NULL)
    g_array_unref (slab->stored);
  g_free (slab->raw);
  g_free (slab->decoded);
  g_free (slab->fill);
  g_free (slab->path);
  g_free (slab);
}

/* --- raw chunks --- */

static void
frame_indices (const FlGeomSlab *layout, const hsize_t *dims, guint64 frame, hsize_t *index)
{
  for (guint i = layout->n_dims; i-- > 0;)
    {
      index[i] = 0;
      if (layout->dims[i] == FL_GEOM_DIM_FRAME)
        {
          index[i] = frame % dims[i];
          frame /= dims[i];
        }
    }
}

static gboolean
fetch_chunk (FlH5Slab *slab, const hsize_t *first, gsize *used, GError **error)
{
  Stored stored = { .at = *used };
  hsize_t length = 0;
  memcpy (stored.first, first, sizeof stored.first);
  if (H5Dget_chunk_storage_size (slab->dataset, first, &length) < 0)
    {
      /* So says HDF5 of a chunk that was never written, too; what is wrong shows on reading. */
      H5Eclear2 (H5E_DEFAULT);
      length = 0;
    }
  /* No filter here makes data more than a little longer. */
  if (length > 2 * slab->codec.size + 4096)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "a chunk of %s claims %" G_GUINT64_FORMAT
                       " bytes, expected at most about %" G_GSIZE_FORMAT, slab->path, (guint64) length,
                       slab->codec.size);
  if (*used + length > slab->raw_allocated)
    {
      slab->raw_allocated = MAX (*used + length, 2 * slab->raw_allocated);
      slab->raw = g_realloc (slab->raw, slab->raw_allocated);
    }
  if (length > 0 && H5Dread_chunk (slab->dataset, H5P_DEFAULT, first, &stored.skipped, slab->raw + *used) < 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "a chunk of %s cannot be read", slab->path);
  stored.length = (gsize) length;
  *used += stored.length;
  g_array_append_val (slab->stored, stored);
  return TRUE;
}

static gboolean
fetch_chunks (FlH5Slab *slab, const hsize_t *frame_index, GError **error)
{
  const FlGeomSlab *layout = slab->layout;
  hsize_t begin[FL_GEOM_DIMS] = { 0 }, first[FL_GEOM_DIMS] = { 0 };
  gsize used = 0;
  g_array_set_size (slab->stored, 0);
  for (guint i = 0; i < layout->n_dims; i++)
    first[i] = begin[i] = layout->dims[i] == FL_GEOM_DIM_FRAME ? frame_index[i]
                                                               : layout->low[i] / slab->chunk[i] * slab->chunk[i];
  while (TRUE)
    {
      if (!fetch_chunk (slab, first, &used, error))
        return FALSE;
      guint i = layout->n_dims;
      while (i-- > 0)
        {
          if (layout->dims[i] == FL_GEOM_DIM_FRAME)
            continue;
          first[i] += slab->chunk[i];
          if (first[i] < layout->low[i] + layout->count[i])
            break;
          first[i] = begin[i];
        }
      if (i == G_MAXUINT)
        return TRUE;
    }
}

/* Copies what a decoded chunk (NULL: the fill value) shares with the box, row by row. */
static void
scatter (const FlH5Slab *slab, const Stored *stored, const guint8 *decoded, guint8 *pixels)
{
  const FlGeomSlab *layout = slab->layout;
  guint last = layout->n_dims - 1;
  gsize size = fl_pixel_size (slab->type), from = 0, to = 0;
  gsize count[FL_GEOM_DIMS], at[FL_GEOM_DIMS] = { 0 }, chunk_stride[FL_GEOM_DIMS], stride = 1;
  for (guint i = layout->n_dims; i-- > 0;)
    {
      gboolean is_frame = layout->dims[i] == FL_GEOM_DIM_FRAME;
      guint64 low = is_frame ? stored->first[i] : MAX (layout->low[i], stored->first[i]);
      guint64 end = is_frame ? low + 1 : MIN (layout->low[i] + layout->count[i], stored->first[i] + slab->chunk[i]);
      count[i] = end - low;
      chunk_stride[i] = stride;
      stride *= slab->chunk[i];
      from += (low - stored->first[i]) * chunk_stride[i];
      to += is_frame ? 0 : (low - layout->low[i]) * layout->stride[i];
    }
  while (TRUE)
    {
      if (decoded != NULL)
        memcpy (pixels + to * size, decoded + from * size, count[last] * size);
      else
        for (gsize i = 0; i < count[last]; i++)
          memcpy (pixels + (to + i) * size, slab->fill, size);
      guint i = last;
      while (i-- > 0)
        {
          from += chunk_stride[i];
          to += layout->stride[i];
          if (++at[i] < count[i])
            break;
          from -= count[i] * chunk_stride[i];
          to -= count[i] * layout->stride[i];
          at[i] = 0;
        }
      if (i == G_MAXUINT)
        return;
    }
}

/* Where a chunk begins in the shot's array, when it lies there in one run; G_MAXSIZE else. */
static gsize
run_of_chunk (const FlH5Slab *slab, const Stored *stored)
{
  const FlGeomSlab *layout = slab->layout;
  gsize to = 0;
  if (!slab->dense)
    return G_MAXSIZE;
  for (guint i = 0; i < layout->n_dims; i++)
    if (layout->dims[i] != FL_GEOM_DIM_FRAME)
      {
        if (stored->first[i] < layout->low[i]
            || stored->first[i] + slab->chunk[i] > layout->low[i] + layout->count[i])
          return G_MAXSIZE;
        to += (stored->first[i] - layout->low[i]) * layout->stride[i];
      }
  return to;
}

static gboolean
decode_chunks (FlH5Slab *slab, guint8 *pixels, GError **error)
{
  gsize size = fl_pixel_size (slab->type);
  for (guint i = 0; i < slab->stored->len; i++)
    {
      const Stored *stored = &g_array_index (slab->stored, Stored, i);
      if (stored->length == 0)
        {
          scatter (slab, stored, NULL, pixels);
          continue;
        }
      gsize run = run_of_chunk (slab, stored);
      if (run == G_MAXSIZE && slab->decoded == NULL)
        slab->decoded = g_malloc (slab->codec.size);
      guint8 *to = run == G_MAXSIZE ? slab->decoded : pixels + run * size;
      const char *wrong = fl_chunk_decode (&slab->codec, stored->skipped, slab->raw + stored->at, stored->length, to);
      if (wrong != NULL)
        return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s in %s", wrong, slab->path);
      if (run == G_MAXSIZE)
        scatter (slab, stored, slab->decoded, pixels);
    }
  return TRUE;
}

/* --- reading --- */

static void
select_box (hid_t space, const FlGeomSlab *layout, const hsize_t *frame_index, gboolean with_frames)
{
  hsize_t start[FL_GEOM_DIMS] = { 0 }, count[FL_GEOM_DIMS] = { 0 };
  guint n = 0;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      gboolean is_frame = layout->dims[i] == FL_GEOM_DIM_FRAME;
      if (is_frame && !with_frames)
        continue;
      start[n] = is_frame ? frame_index[i] : layout->low[i];
      count[n++] = is_frame ? 1 : layout->count[i];
    }
  H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL);
}

gboolean
fl_h5_slab_read (FlH5Slab *slab, guint64 frame, FlPixelType type, void *pixels, guint64 *t_decode, GError **error)
{
  hsize_t frame_index[FL_GEOM_DIMS];
  frame_indices (slab->layout, slab->dims, frame, frame_index);
  H5Eclear2 (H5E_DEFAULT);
  if (slab->direct && type == slab->type)
    {
      if (!fetch_chunks (slab, frame_index, error))
        return FALSE;
      guint64 start = fl_shots_cpu_ns ();
      gboolean ok = decode_chunks (slab, pixels, error);
      *t_decode += fl_shots_cpu_ns () - start;
      return ok;
    }
  hsize_t n = slab->layout->n_pixels;
  g_auto (FlHid) memory = H5Screate_simple (1, &n, NULL);
  select_box (slab->space, slab->layout, frame_index, TRUE);
  guint64 start = fl_shots_cpu_ns ();
  herr_t status = H5Dread (slab->dataset, fl_h5_memory_type (type), memory, slab->space, H5P_DEFAULT, pixels);
  if (slab->filtered)
    *t_decode += fl_shots_cpu_ns () - start;
  return status >= 0 || fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s cannot be read", slab->path);
}

/* --- companions --- */

gboolean
fl_h5_companion_read (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout, guint64 frame,
                      hid_t memory_type, void *values, gboolean *per_frame, GError **error)
{
  hsize_t dims[H5S_MAX_RANK], frame_index[FL_GEOM_DIMS] = { 0 }, n = layout->n_pixels;
  g_auto (FlHid) dataset = fl_h5_exists (file, path) ? H5Dopen2 (file, path, H5P_DEFAULT) : -1;
  if (dataset < 0)
    return fl_h5_fail (error, FL_ERROR_MISSING, file_path, "no dataset %s, expected a mask or map there", path);
  g_auto (FlHid) space = H5Dget_space (dataset);
  g_auto (FlHid) memory = H5Screate_simple (1, &n, NULL);
  int rank = H5Sget_simple_extent_dims (space, dims, NULL);
  guint n_frame_dims = 0, d = 0;
  for (guint i = 0; i < layout->n_dims; i++)
    n_frame_dims += layout->dims[i] == FL_GEOM_DIM_FRAME;
  gboolean with_frames = n_frame_dims > 0 && rank == (int) layout->n_dims;
  if (!with_frames && rank != (int) (layout->n_dims - n_frame_dims))
    return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "%s has %d dimensions, expected %u as the data%s", path, rank,
                       layout->n_dims, n_frame_dims > 0 ? ", or those without the frame's" : "");
  guint64 n_frames = 1;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      gboolean is_frame = layout->dims[i] == FL_GEOM_DIM_FRAME;
      if (is_frame && !with_frames)
        continue;
      if (is_frame)
        n_frames *= dims[d];
      else if (layout->low[i] + layout->count[i] > dims[d])
        return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "dimension %u of %s has %" G_GUINT64_FORMAT
                           " elements, expected the data's", d, path, (guint64) dims[d]);
      d++;
    }
  if (with_frames && n_frames > 1)
    {
      if (frame >= n_frames)
        return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "%s has %" G_GUINT64_FORMAT
                           " frames, expected as many as the data", path, n_frames);
      frame_indices (layout, dims, frame, frame_index);
    }
  if (per_frame != NULL)
    *per_frame = with_frames && n_frames > 1;
  select_box (space, layout, frame_index, with_frames);
  return H5Dread (dataset, memory_type, memory, space, H5P_DEFAULT, values) >= 0
         || fl_h5_fail (error, FL_ERROR_INPUT, file_path, "%s cannot be read", path);
}
