#include "engine/shots/hdf5-slab.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/hdf5-virtual.h"
#include "engine/shots/source-private.h"

/* Decoded chunks of several frames are kept up to this, and HDF5's own cache is made as large. */
#define MAX_CACHE ((gsize) 256 << 20)
/* A frame in more chunks than this is left to HDF5. */
#define MAX_CHUNKS ((gsize) 1 << 18)

typedef struct
{
  hsize_t first[FL_GEOM_DIMS]; /* index of its first element */
  gsize at, length;            /* in `raw`; length 0: never written, the fill value holds */
  guint32 skipped;
  guint8 *kept;   /* decoded, from an earlier frame or for the next; NULL: not kept */
  gboolean valid; /* `kept` is filled */
} Chunk;

static void
chunk_clear (gpointer data)
{
  g_free (((Chunk *) data)->kept);
}

/* --- opening --- */

gboolean
fl_h5_slab_fits (const FlH5Slab *slab, GError **error)
{
  const FlGeomSlab *layout = slab->layout;
  for (guint i = 0; i < layout->n_dims; i++)
    if (layout->dims[i] != FL_GEOM_DIM_FRAME && layout->low[i] + layout->count[i] > slab->dims[i])
      return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                         "dimension %u of %s has %" G_GUINT64_FORMAT
                         " elements, but the geometry needs %" G_GUINT64_FORMAT,
                         i, slab->path, (guint64) slab->dims[i], layout->low[i] + layout->count[i]);
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
          return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                             "%s has 2^32 frames or more, expected fewer", slab->path);
      }
  return TRUE;
}

/* The box' pixels follow each other in the shot's array. */
static gboolean
is_one_run (const FlGeomSlab *layout)
{
  gsize expected = 1;
  for (guint i = layout->n_dims; i-- > 0;)
    {
      if (layout->count[i] > 1 && layout->stride[i] != expected)
        return FALSE;
      expected *= layout->count[i];
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
  return !slab->convert && !slab->keep && !slab->strewn;
}

static gsize
n_chunks (const FlH5Slab *slab)
{
  gsize n = 1;
  for (guint i = 0; i < slab->layout->n_dims; i++)
    if (slab->layout->dims[i] != FL_GEOM_DIM_FRAME)
      n *= (slab->layout->low[i] + slab->layout->count[i] - 1) / slab->chunk[i]
           - slab->layout->low[i] / slab->chunk[i] + 1;
  return n;
}

static gboolean
can_go_direct (FlH5Slab *slab, hid_t create_list)
{
  const FlGeomSlab *layout = slab->layout;
  slab->chunk_pixels = 1;
  slab->keep = FALSE;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      slab->keep |= layout->dims[i] == FL_GEOM_DIM_FRAME && slab->chunk[i] != 1;
      slab->chunk_pixels *= slab->chunk[i];
      if (slab->chunk_pixels > (gsize) 1 << 28)
        return FALSE;
    }
  gsize bytes = slab->chunk_pixels * H5Tget_size (slab->file_type);
  return fl_chunk_codec_init (&slab->codec, create_list, bytes) && n_chunks (slab) <= MAX_CHUNKS
         && (!slab->keep || n_chunks (slab) * slab->chunk_pixels * 8 <= MAX_CACHE);
}

void
fl_h5_slab_deliver (FlH5Slab *slab, FlPixelType type)
{
  slab->type = type;
  slab->convert = H5Tequal (slab->file_type, fl_h5_memory_type (type)) <= 0;
  g_clear_pointer (&slab->decoded, g_free);
  if (slab->direct)
    {
      slab->dense = chunk_is_dense (slab);
      g_array_set_size (slab->chunks, 0);
    }
  g_auto (FlHid) create_list = H5Dget_create_plist (slab->dataset);
  if (H5Pget_fill_value (create_list, fl_h5_memory_type (type), slab->fill) < 0)
    memset (slab->fill, 0, sizeof slab->fill);
}

/* Opens the dataset again with a chunk cache that holds what one frame touches. */
static void
enlarge_cache (FlH5Slab *slab, hid_t file)
{
  gsize bytes = H5Tget_size (slab->file_type), n = n_chunks (slab);
  for (guint i = 0; i < slab->layout->n_dims && bytes < MAX_CACHE; i++)
    bytes *= slab->chunk[i];
  bytes = MIN (bytes, MAX_CACHE);
  g_auto (FlHid) access = H5Pcreate (H5P_DATASET_ACCESS);
  H5Pset_chunk_cache (access, MIN (n, 10000) * 10 + 1, MIN (n, MAX_CACHE / bytes) * bytes, 1);
  hid_t again = H5Dopen2 (file, slab->path, access);
  if (again >= 0)
    {
      H5Dclose (slab->dataset);
      slab->dataset = again;
    }
}

/* Some masters declare integers of 64 bits over pixels of 16: these are delivered, where they can hold the fill value. */
static FlPixelType
type_behind (const FlH5Slab *slab, hid_t create_list, FlPixelType type)
{
  FlPixelType behind;
  gint64 fill = 0;
  if (slab->virtual == NULL || type != FL_PIXEL_F64 || H5Tget_class (slab->file_type) != H5T_INTEGER
      || H5Pget_fill_value (create_list, H5T_NATIVE_INT64, &fill) < 0 || fill < 0 || fill > G_MAXINT8)
    return type;
  return fl_h5_virtual_type (slab->virtual, &behind) ? behind : type;
}

static gboolean
prepare (FlH5Slab *slab, hid_t file, guint depth, GError **error)
{
  GError *local = NULL;
  FlPixelType type;
  g_auto (FlHid) create_list = H5Dget_create_plist (slab->dataset);
  slab->file_type = H5Dget_type (slab->dataset);
  slab->space = H5Dget_space (slab->dataset);
  int rank = H5Sget_simple_extent_ndims (slab->space);
  if (!fl_h5_pixel_type (slab->file_type, &type))
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s holds no numbers, expected pixels",
                       slab->path);
  if (rank != (int) slab->layout->n_dims)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                       "%s has %d dimensions, but the geometry describes %u (dim0 … dim%u)", slab->path, rank,
                       slab->layout->n_dims, slab->layout->n_dims - 1);
  H5Sget_simple_extent_dims (slab->space, slab->dims, NULL);
  if (!count_frames (slab, error))
    return FALSE;
  slab->filtered = H5Pget_nfilters (create_list) > 0;
  slab->strewn = !is_one_run (slab->layout);
  slab->virtual = fl_h5_virtual_new (slab->dataset, depth, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (H5Pget_layout (create_list) == H5D_CHUNKED)
    {
      gboolean ok = H5Pget_chunk (create_list, rank, slab->chunk) == rank;
      for (int i = 0; i < rank; i++)
        ok = ok && slab->chunk[i] > 0;
      if (!ok)
        return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                           "%s has chunks of no or another shape than the data", slab->path);
      slab->direct = can_go_direct (slab, create_list);
      if (slab->direct)
        {
          slab->chunks = g_array_new (FALSE, TRUE, sizeof (Chunk));
          g_array_set_clear_func (slab->chunks, chunk_clear);
        }
      else
        enlarge_cache (slab, file);
    }
  fl_h5_slab_deliver (slab, type_behind (slab, create_list, type));
  return TRUE;
}

/* Says which file is missing when that is why. */
static gboolean
no_dataset (hid_t file, const char *file_path, const char *path, GError **error)
{
  g_autofree char *missing = fl_h5_external_file (file, path, TRUE);
  if (missing != NULL)
    return fl_h5_fail (error, FL_ERROR_MISSING, file_path,
                       "%s is in the file %s, which is not there, expected it beside this one", path,
                       missing);
  return fl_h5_fail (error, FL_ERROR_MISSING, file_path, "no dataset %s, expected pixels there", path);
}

FlH5Slab *
fl_h5_slab_open (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                 GError **error)
{
  return fl_h5_slab_open_source (file, file_path, path, layout, 0, error);
}

FlH5Slab *
fl_h5_slab_open_source (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                        guint depth, GError **error)
{
  FlH5Slab *slab = g_new0 (FlH5Slab, 1);
  slab->layout = layout;
  slab->file_path = file_path;
  slab->path = g_strdup (path);
  slab->dataset = fl_h5_exists (file, path) ? H5Dopen2 (file, path, H5P_DEFAULT) : -1;
  gboolean ok =
      slab->dataset >= 0 ? prepare (slab, file, depth, error) : no_dataset (file, file_path, path, error);
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
  if (slab->file_type > 0)
    H5Tclose (slab->file_type);
  if (slab->dataset > 0)
    H5Dclose (slab->dataset);
  fl_chunk_codec_clear (&slab->codec);
  fl_h5_virtual_free (slab->virtual);
  if (slab->chunks != NULL)
    g_array_unref (slab->chunks);
  g_free (slab->raw);
  g_free (slab->decoded);
  g_free (slab->path);
  g_free (slab);
}

/* --- raw chunks --- */

void
fl_h5_frame_indices (const FlGeomSlab *layout, const hsize_t *dims, guint64 frame, hsize_t *index)
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

/* Reads the stored bytes of the chunk at `first` into `raw`, unless it is kept from an earlier frame. */
static gboolean
fetch_chunk (FlH5Slab *slab, Chunk *chunk, const hsize_t *first, gsize *used, GError **error)
{
  hsize_t length = 0;
  if (chunk->valid && memcmp (chunk->first, first, sizeof chunk->first) == 0)
    return TRUE;
  memcpy (chunk->first, first, sizeof chunk->first);
  chunk->valid = FALSE;
  chunk->at = *used;
  if (H5Dget_chunk_storage_size (slab->dataset, first, &length) < 0)
    {
      /* So says HDF5 of a chunk that was never written, too; what is wrong shows on reading. */
      H5Eclear2 (H5E_DEFAULT);
      length = 0;
    }
  /* No filter here makes data more than a little longer. */
  if (length > 2 * slab->codec.size + 4096)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                       "a chunk of %s claims %" G_GUINT64_FORMAT
                       " bytes, expected at most about %" G_GSIZE_FORMAT,
                       slab->path, (guint64) length, slab->codec.size);
  if (*used + length > slab->raw_allocated)
    {
      slab->raw_allocated = MAX (*used + length, 2 * slab->raw_allocated);
      slab->raw = g_realloc (slab->raw, slab->raw_allocated);
    }
  if (length > 0 && H5Dread_chunk (slab->dataset, H5P_DEFAULT, first, &chunk->skipped, slab->raw + *used) < 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "a chunk of %s cannot be read", slab->path);
  chunk->length = (gsize) length;
  *used += chunk->length;
  return TRUE;
}

/* All chunks that the frame's box touches, in the dataset's order. */
static gboolean
fetch_chunks (FlH5Slab *slab, const hsize_t *frame_index, GError **error)
{
  const FlGeomSlab *layout = slab->layout;
  hsize_t begin[FL_GEOM_DIMS] = { 0 }, first[FL_GEOM_DIMS] = { 0 };
  gsize used = 0;
  g_array_set_size (slab->chunks, (guint) n_chunks (slab));
  for (guint i = 0; i < layout->n_dims; i++)
    {
      guint64 low = layout->dims[i] == FL_GEOM_DIM_FRAME ? frame_index[i] : layout->low[i];
      first[i] = begin[i] = low / slab->chunk[i] * slab->chunk[i];
    }
  for (guint n = 0; n < slab->chunks->len; n++)
    {
      if (!fetch_chunk (slab, &g_array_index (slab->chunks, Chunk, n), first, &used, error))
        return FALSE;
      for (guint i = layout->n_dims; i-- > 0;)
        {
          if (layout->dims[i] == FL_GEOM_DIM_FRAME)
            continue;
          first[i] += slab->chunk[i];
          if (first[i] < layout->low[i] + layout->count[i])
            break;
          first[i] = begin[i];
        }
    }
  return TRUE;
}

/* Copies what a decoded chunk (NULL: the fill value) shares with the frame's box, row by row. */
static void
scatter (const FlH5Slab *slab, const Chunk *chunk, const hsize_t *frame_index, const guint8 *decoded,
         guint8 *pixels)
{
  const FlGeomSlab *layout = slab->layout;
  guint last = layout->n_dims - 1;
  gsize size = fl_pixel_size (slab->type), from = 0, to = 0;
  gsize count[FL_GEOM_DIMS], at[FL_GEOM_DIMS] = { 0 }, chunk_stride[FL_GEOM_DIMS], stride = 1;
  for (guint i = layout->n_dims; i-- > 0;)
    {
      gboolean is_frame = layout->dims[i] == FL_GEOM_DIM_FRAME;
      guint64 low = is_frame ? frame_index[i] : MAX (layout->low[i], chunk->first[i]);
      guint64 end =
          is_frame ? low + 1 : MIN (layout->low[i] + layout->count[i], chunk->first[i] + slab->chunk[i]);
      count[i] = end - low;
      chunk_stride[i] = stride;
      stride *= slab->chunk[i];
      from += (low - chunk->first[i]) * chunk_stride[i];
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
run_of_chunk (const FlH5Slab *slab, const Chunk *chunk)
{
  const FlGeomSlab *layout = slab->layout;
  gsize to = 0;
  if (!slab->dense)
    return G_MAXSIZE;
  for (guint i = 0; i < layout->n_dims; i++)
    if (layout->dims[i] != FL_GEOM_DIM_FRAME)
      {
        if (chunk->first[i] < layout->low[i]
            || chunk->first[i] + slab->chunk[i] > layout->low[i] + layout->count[i])
          return G_MAXSIZE;
        to += (chunk->first[i] - layout->low[i]) * layout->stride[i];
      }
  return to;
}

/* Room for a decoded chunk in the file's type and in the delivered one. */
static guint8 *
decode_buffer (FlH5Slab *slab, Chunk *chunk)
{
  guint8 **buffer = slab->keep ? &chunk->kept : &slab->decoded;
  if (*buffer == NULL)
    *buffer = g_malloc (MAX (slab->codec.size, slab->chunk_pixels * fl_pixel_size (slab->type)));
  return *buffer;
}

static gboolean
decode_chunk (FlH5Slab *slab, Chunk *chunk, const hsize_t *frame_index, guint8 *pixels, GError **error)
{
  if (chunk->valid || chunk->length == 0)
    {
      scatter (slab, chunk, frame_index, chunk->valid ? chunk->kept : NULL, pixels);
      return TRUE;
    }
  gsize run = run_of_chunk (slab, chunk);
  guint8 *to = run == G_MAXSIZE ? decode_buffer (slab, chunk) : pixels + run * fl_pixel_size (slab->type);
  const char *wrong =
      fl_chunk_decode (&slab->codec, chunk->skipped, slab->raw + chunk->at, chunk->length, to);
  if (wrong != NULL)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s in %s", wrong, slab->path);
  if (slab->convert
      && H5Tconvert (slab->file_type, fl_h5_memory_type (slab->type), slab->chunk_pixels, to, NULL,
                     H5P_DEFAULT)
             < 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s has a type that cannot be converted",
                       slab->path);
  if (run == G_MAXSIZE)
    scatter (slab, chunk, frame_index, to, pixels);
  chunk->valid = slab->keep;
  return TRUE;
}

/* --- reading --- */

hid_t
fl_h5_select_box (hid_t space, const FlGeomSlab *layout, const hsize_t *frame_index)
{
  hsize_t start[FL_GEOM_DIMS] = { 0 }, count[FL_GEOM_DIMS] = { 0 };
  int n = 0;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      gboolean is_frame = layout->dims[i] == FL_GEOM_DIM_FRAME;
      start[n] = is_frame ? frame_index[i] : layout->low[i];
      count[n++] = is_frame ? 1 : layout->count[i];
    }
  H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL);
  return H5Screate_simple (n, count, NULL);
}

static gboolean
read_chunks (FlH5Slab *slab, const hsize_t *frame_index, guint8 *pixels, guint64 *t_decode, GError **error)
{
  if (!fetch_chunks (slab, frame_index, error))
    return FALSE;
  gboolean ok = TRUE;
  guint64 start = fl_shots_cpu_ns ();
  for (guint i = 0; ok && i < slab->chunks->len; i++)
    ok = decode_chunk (slab, &g_array_index (slab->chunks, Chunk, i), frame_index, pixels, error);
  *t_decode += fl_shots_cpu_ns () - start;
  return ok;
}

/* Copies a box whose pixels follow each other to where they lie in the shot's array. */
static void
strew (const FlGeomSlab *layout, const guint8 *from, gsize size, guint8 *pixels)
{
  gsize at[FL_GEOM_DIMS] = { 0 }, to = 0;
  guint last = layout->n_dims - 1;
  while (TRUE)
    {
      memcpy (pixels + to * size, from, layout->count[last] * size);
      from += layout->count[last] * size;
      guint i = last;
      while (i-- > 0)
        {
          to += layout->stride[i];
          if (++at[i] < layout->count[i])
            break;
          to -= layout->count[i] * layout->stride[i];
          at[i] = 0;
        }
      if (i == G_MAXUINT)
        return;
    }
}

/* One read by HDF5. */
static gboolean
read_whole (FlH5Slab *slab, const hsize_t *frame_index, guint8 *pixels, guint64 *t_decode, GError **error)
{
  g_auto (FlHid) memory = fl_h5_select_box (slab->space, slab->layout, frame_index);
  gsize size = fl_pixel_size (slab->type);
  if (slab->strewn && slab->decoded == NULL)
    slab->decoded = g_malloc (slab->layout->n_pixels * size);
  guint64 start = fl_shots_cpu_ns ();
  herr_t status = H5Dread (slab->dataset, fl_h5_memory_type (slab->type), memory, slab->space, H5P_DEFAULT,
                           slab->strewn ? slab->decoded : pixels);
  if (slab->strewn && status >= 0)
    strew (slab->layout, slab->decoded, size, pixels);
  if (slab->filtered || slab->convert)
    *t_decode += fl_shots_cpu_ns () - start;
  return status >= 0 || fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path, "%s cannot be read", slab->path);
}

gboolean
fl_h5_slab_read_at (FlH5Slab *slab, const hsize_t *frame_index, void *pixels, guint64 *t_decode,
                    GError **error)
{
  if (!fl_h5_slab_fits (slab, error))
    return FALSE;
  for (guint i = 0; i < slab->layout->n_dims; i++)
    if (slab->layout->dims[i] == FL_GEOM_DIM_FRAME && frame_index[i] >= slab->dims[i])
      return fl_h5_fail (error, FL_ERROR_INPUT, slab->file_path,
                         "%s has %" G_GUINT64_FORMAT " frames, expected number %" G_GUINT64_FORMAT
                         " among them",
                         slab->path, (guint64) slab->dims[i], (guint64) frame_index[i]);
  H5Eclear2 (H5E_DEFAULT);
  if (slab->virtual != NULL)
    return fl_h5_virtual_read (slab->virtual, slab, frame_index, pixels, t_decode, error);
  return slab->direct ? read_chunks (slab, frame_index, pixels, t_decode, error)
                      : read_whole (slab, frame_index, pixels, t_decode, error);
}

gboolean
fl_h5_slab_read (FlH5Slab *slab, guint64 frame, void *pixels, guint64 *t_decode, GError **error)
{
  hsize_t frame_index[FL_GEOM_DIMS];
  fl_h5_frame_indices (slab->layout, slab->dims, frame, frame_index);
  return fl_h5_slab_read_at (slab, frame_index, pixels, t_decode, error);
}
