#include "engine/shots/hdf5-virtual.h"

#include <string.h>

#include "engine/base/error.h"

/* Source files and datasets that are kept open between frames. */
#define MAX_OPEN  64
#define MAX_PARTS 512
#define MAX_DEPTH 4
/* No index comes near; products of two stay whole. */
#define LARGE ((hsize_t) 1 << 31)

/* A regular selection: in each dimension `count` blocks of `block` indices, `stride` apart. */
typedef struct
{
  guint rank;
  hsize_t start[FL_GEOM_DIMS], stride[FL_GEOM_DIMS], count[FL_GEOM_DIMS], block[FL_GEOM_DIMS];
  hsize_t n[FL_GEOM_DIMS]; /* indices selected: count × block */
} Selection;

typedef struct
{
  char *file, *dataset;
  Selection at, from;
  gboolean settled; /* `from` and `match` are known: a whole dataset's shape is seen only when it is opened */
  int match[FL_GEOM_DIMS]; /* the source's dimension that goes with one of the virtual; −1: none, one index */
} Mapping;

/* A source dataset as it is needed for one box. */
typedef struct
{
  char *file, *dataset;
  FlGeomSlab *layout;
  FlH5Slab *slab;
} Part;

struct FlH5Virtual
{
  char *file_path;
  guint depth;
  GArray *mappings;  /* of Mapping */
  GHashTable *files; /* path → hid_t */
  GPtrArray *parts;  /* of Part */
};

static void
mapping_clear (gpointer data)
{
  Mapping *mapping = data;
  g_free (mapping->file);
  g_free (mapping->dataset);
}

static void
part_free (gpointer data)
{
  Part *part = data;
  fl_h5_slab_close (part->slab);
  g_free (part->file);
  g_free (part->dataset);
  g_free (part->layout);
  g_free (part);
}

static void
close_file (gpointer data)
{
  hid_t file = *(hid_t *) data;
  H5Fclose (file);
  g_free (data);
}

/* --- mappings --- */

static gboolean
is_small (const hsize_t *values, guint n)
{
  for (guint i = 0; i < n; i++)
    if (values[i] >= LARGE && values[i] != H5S_UNLIMITED)
      return FALSE;
  return TRUE;
}

static void
select_all (Selection *selection, guint rank, const hsize_t *dims)
{
  *selection = (Selection){ .rank = rank };
  for (guint i = 0; i < rank; i++)
    {
      selection->stride[i] = MAX (dims[i], 1);
      selection->block[i] = selection->n[i] = dims[i];
      selection->count[i] = 1;
    }
}

/* `dims`: of the virtual dataset, where unlimited selections end; NULL for a source, whose end is seen later. */
static gboolean
read_selection (hid_t space, const hsize_t *dims, Selection *selection)
{
  int rank = H5Sget_simple_extent_ndims (space);
  if (rank < 1 || rank > FL_GEOM_DIMS)
    return FALSE;
  selection->rank = (guint) rank;
  if (H5Sget_select_type (space) == H5S_SEL_ALL && dims != NULL)
    {
      select_all (selection, selection->rank, dims);
      return is_small (dims, selection->rank);
    }
  if (H5Sget_select_type (space) != H5S_SEL_HYPERSLABS || H5Sis_regular_hyperslab (space) <= 0
      || H5Sget_regular_hyperslab (space, selection->start, selection->stride, selection->count,
                                   selection->block)
             < 0
      || !is_small (selection->start, selection->rank) || !is_small (selection->stride, selection->rank)
      || !is_small (selection->count, selection->rank) || !is_small (selection->block, selection->rank))
    return FALSE;
  for (int i = 0; i < rank; i++)
    {
      hsize_t end = dims != NULL ? dims[i] : LARGE, start = selection->start[i],
              left = end > start ? end - start : 0;
      if (selection->block[i] == H5S_UNLIMITED)
        selection->block[i] = left;
      /* The stride of a single block means nothing. */
      if (selection->stride[i] < MAX (selection->block[i], 1) || selection->stride[i] == H5S_UNLIMITED)
        selection->stride[i] = MAX (selection->block[i], 1);
      if (selection->count[i] == H5S_UNLIMITED)
        selection->count[i] = left / selection->stride[i] + 1;
      selection->n[i] = selection->count[i] * selection->block[i];
    }
  return TRUE;
}

/* Elements go over in order, so dimensions of more than one index go with each other, first with first. */
static gboolean
match_dimensions (Mapping *mapping)
{
  guint k = 0;
  for (guint i = 0; i < mapping->at.rank; i++)
    {
      mapping->match[i] = -1;
      if (mapping->at.n[i] == 1)
        continue;
      while (k < mapping->from.rank && mapping->from.n[k] == 1)
        k++;
      if (k == mapping->from.rank
          || (mapping->from.n[k] != mapping->at.n[i] && mapping->from.n[k] < LARGE / 2))
        return FALSE;
      mapping->match[i] = (int) k++;
    }
  while (k < mapping->from.rank && mapping->from.n[k] == 1)
    k++;
  return k == mapping->from.rank;
}

static char *
get_name (hid_t create_list, size_t i, ssize_t (*get) (hid_t, size_t, char *, size_t))
{
  ssize_t n = get (create_list, i, NULL, 0);
  if (n < 1 || n > 1 << 16)
    return NULL;
  char *name = g_malloc0 ((gsize) n + 1);
  get (create_list, i, name, (size_t) n + 1);
  return name;
}

static gboolean
read_mapping (hid_t create_list, size_t i, const hsize_t *dims, Mapping *mapping)
{
  g_auto (FlHid) at = H5Pget_virtual_vspace (create_list, i);
  g_auto (FlHid) from = H5Pget_virtual_srcspace (create_list, i);
  mapping->file = get_name (create_list, i, H5Pget_virtual_filename);
  mapping->dataset = get_name (create_list, i, H5Pget_virtual_dsetname);
  /* A % stands for a block's number. */
  mapping->settled = from < 0 || H5Sget_select_type (from) != H5S_SEL_ALL;
  return mapping->file != NULL && mapping->dataset != NULL && strchr (mapping->file, '%') == NULL
         && strchr (mapping->dataset, '%') == NULL && at >= 0 && from >= 0
         && read_selection (at, dims, &mapping->at)
         && (!mapping->settled
             || (read_selection (from, NULL, &mapping->from) && match_dimensions (mapping)));
}

/* The file that holds the dataset, which links may have led to. */
static char *
name_file (hid_t dataset)
{
  ssize_t n = H5Fget_name (dataset, NULL, 0);
  char *name = g_malloc0 ((gsize) MAX (n, 0) + 1);
  if (n > 0)
    H5Fget_name (dataset, name, (size_t) n + 1);
  return name;
}

FlH5Virtual *
fl_h5_virtual_new (hid_t dataset, guint depth, GError **error)
{
  hsize_t dims[H5S_MAX_RANK];
  size_t n = 0;
  g_auto (FlHid) create_list = H5Dget_create_plist (dataset);
  g_auto (FlHid) space = H5Dget_space (dataset);
  if (H5Pget_layout (create_list) != H5D_VIRTUAL || H5Sget_simple_extent_dims (space, dims, NULL) < 0
      || H5Pget_virtual_count (create_list, &n) < 0)
    return NULL;
  FlH5Virtual *virtual = g_new0 (FlH5Virtual, 1);
  virtual->file_path = name_file (dataset);
  virtual->depth = depth;
  virtual->mappings = g_array_new (FALSE, TRUE, sizeof (Mapping));
  g_array_set_clear_func (virtual->mappings, mapping_clear);
  virtual->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, close_file);
  virtual->parts = g_ptr_array_new_with_free_func (part_free);
  gboolean known = depth < MAX_DEPTH, own = FALSE;
  for (size_t i = 0; known && i < n; i++)
    {
      Mapping mapping = { 0 };
      known = read_mapping (create_list, i, dims, &mapping);
      own |= g_strcmp0 (mapping.file, ".") == 0;
      g_array_append_val (virtual->mappings, mapping);
    }
  H5Eclear2 (H5E_DEFAULT);
  if (known)
    return virtual;
  /* HDF5 follows datasets that stand for themselves until its stack ends. */
  if (own || depth >= MAX_DEPTH)
    fl_h5_fail (error, FL_ERROR_UNSUPPORTED, virtual->file_path, "%s",
                own ? "a virtual dataset takes irregular parts of its own file, expected regular ones"
                    : "virtual datasets stand for each other, expected one with pixels behind them");
  fl_h5_virtual_free (virtual);
  return NULL;
}

void
fl_h5_virtual_free (FlH5Virtual *virtual)
{
  if (virtual == NULL)
    return;
  g_ptr_array_unref (virtual->parts);
  g_hash_table_unref (virtual->files);
  g_array_unref (virtual->mappings);
  g_free (virtual->file_path);
  g_free (virtual);
}

/* --- source files --- */

/* As HDF5 looks for them: beside the file, then where we are; "." is the file itself. */
static char *
find_file (const FlH5Virtual *virtual, const char *name)
{
  if (strcmp (name, ".") == 0)
    return g_strdup (virtual->file_path);
  g_autofree char *folder = g_path_get_dirname (virtual->file_path);
  if (g_path_is_absolute (name))
    {
      /* Files that moved together with the one that names them. */
      g_autofree char *last = g_path_get_basename (name);
      g_autofree char *beside = g_build_filename (folder, last, NULL);
      return g_file_test (name, G_FILE_TEST_EXISTS) || !g_file_test (beside, G_FILE_TEST_EXISTS)
                 ? g_strdup (name)
                 : g_steal_pointer (&beside);
    }
  g_autofree char *beside = g_build_filename (folder, name, NULL);
  return g_file_test (beside, G_FILE_TEST_EXISTS) || !g_file_test (name, G_FILE_TEST_EXISTS)
             ? g_steal_pointer (&beside)
             : g_strdup (name);
}

char *
fl_h5_virtual_missing (const FlH5Virtual *virtual)
{
  const char *last = NULL;
  for (guint i = 0; i < virtual->mappings->len; i++)
    {
      const char *name = g_array_index (virtual->mappings, Mapping, i).file;
      g_autofree char *path = last == NULL || strcmp (name, last) != 0 ? find_file (virtual, name) : NULL;
      if (path != NULL && !g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
      last = name;
    }
  return NULL;
}

/* The file at `path`, open; negative: *error says why not. */
static hid_t
open_file (FlH5Virtual *virtual, const char *path, GError **error)
{
  hid_t *kept = g_hash_table_lookup (virtual->files, path);
  if (kept != NULL)
    return *kept;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      fl_h5_fail (error, FL_ERROR_MISSING, virtual->file_path,
                  "frames are in the file %s, which is not there, expected it beside this one", path);
      return -1;
    }
  hid_t file = fl_h5_open (path, error);
  if (file < 0)
    return file;
  if (g_hash_table_size (virtual->files) >= MAX_OPEN)
    {
      g_ptr_array_set_size (virtual->parts, 0);
      g_hash_table_remove_all (virtual->files);
    }
  kept = g_new (hid_t, 1);
  *kept = file;
  g_hash_table_insert (virtual->files, g_strdup (path), kept);
  return file;
}

gboolean
fl_h5_virtual_type (FlH5Virtual *virtual, FlPixelType *type)
{
  gboolean any = FALSE;
  for (guint i = 0; i < virtual->mappings->len; i++)
    {
      const Mapping *mapping = &g_array_index (virtual->mappings, Mapping, i);
      FlPixelType own;
      g_autofree char *path = find_file (virtual, mapping->file);
      hid_t file = open_file (virtual, path, NULL);
      g_auto (FlHid) dataset = file >= 0 && fl_h5_exists (file, mapping->dataset)
                                   ? H5Dopen2 (file, mapping->dataset, H5P_DEFAULT)
                                   : -1;
      g_auto (FlHid) file_type = dataset >= 0 ? H5Dget_type (dataset) : -1;
      if (file_type < 0)
        continue;
      if (!fl_h5_pixel_type (file_type, &own) || (any && own != *type))
        return FALSE;
      *type = own;
      any = TRUE;
    }
  H5Eclear2 (H5E_DEFAULT);
  return any;
}

static gboolean
settle (FlH5Virtual *virtual, Mapping *mapping, GError **error)
{
  if (mapping->settled)
    return TRUE;
  hsize_t dims[H5S_MAX_RANK];
  g_autofree char *path = find_file (virtual, mapping->file);
  hid_t file = open_file (virtual, path, error);
  if (file < 0)
    return FALSE;
  g_auto (FlHid) dataset =
      fl_h5_exists (file, mapping->dataset) ? H5Dopen2 (file, mapping->dataset, H5P_DEFAULT) : -1;
  g_auto (FlHid) space = dataset >= 0 ? H5Dget_space (dataset) : -1;
  int rank = space >= 0 ? H5Sget_simple_extent_ndims (space) : -1;
  gboolean ok = rank >= 1 && rank <= FL_GEOM_DIMS && H5Sget_simple_extent_dims (space, dims, NULL) == rank
                && is_small (dims, (guint) rank);
  if (ok)
    select_all (&mapping->from, (guint) rank, dims);
  mapping->settled = ok && match_dimensions (mapping);
  return mapping->settled
         || fl_h5_fail (error, dataset < 0 ? FL_ERROR_MISSING : FL_ERROR_INPUT, path,
                        "%s %s, expected what %s takes from it", mapping->dataset,
                        dataset < 0 ? "is not there" : "has another shape", virtual->file_path);
}

static FlH5Slab *
open_part (FlH5Virtual *virtual, const Mapping *mapping, const FlGeomSlab *layout, FlPixelType type,
           GError **error)
{
  g_autofree char *path = find_file (virtual, mapping->file);
  for (guint i = 0; i < virtual->parts->len; i++)
    {
      const Part *part = virtual->parts->pdata[i];
      if (strcmp (part->file, path) == 0 && strcmp (part->dataset, mapping->dataset) == 0
          && memcmp (part->layout, layout, sizeof *layout) == 0)
        return part->slab;
    }
  hid_t file = open_file (virtual, path, error);
  if (file < 0)
    return NULL;
  if (virtual->parts->len >= MAX_PARTS)
    g_ptr_array_set_size (virtual->parts, 0);
  Part *part = g_new0 (Part, 1);
  part->file = g_steal_pointer (&path);
  part->dataset = g_strdup (mapping->dataset);
  part->layout = g_new (FlGeomSlab, 1);
  memcpy (part->layout, layout, sizeof *layout);
  part->slab =
      fl_h5_slab_open_source (file, part->file, part->dataset, part->layout, virtual->depth + 1, error);
  if (part->slab == NULL)
    {
      part_free (part);
      return NULL;
    }
  fl_h5_slab_deliver (part->slab, type);
  g_ptr_array_add (virtual->parts, part);
  return part->slab;
}

/* --- boxes --- */

/* Which of a dimension's selected indices lie in [low, low + count): the first of them, how many (one run). */
static gboolean
intersect (const Selection *s, guint i, hsize_t low, hsize_t count, hsize_t *first, hsize_t *n)
{
  hsize_t end = low + count, start = s->start[i];
  if (count == 1)
    {
      if (low < start)
        return FALSE;
      hsize_t block = (low - start) / s->stride[i], within = (low - start) % s->stride[i];
      *first = block * s->block[i] + within;
      *n = 1;
      return block < s->count[i] && within < s->block[i];
    }
  /* Runs only: the caller asks for boxes of pixels of selections that have no holes. */
  hsize_t from = MAX (low, start), to = MIN (end, start + s->n[i]);
  *first = from - start;
  *n = to > from ? to - from : 0;
  return to > from;
}

static gboolean
has_holes (const Selection *s, guint i)
{
  return s->count[i] > 1 && s->stride[i] != s->block[i];
}

/* The index in the source of the k-th that is selected there. */
static hsize_t
source_index (const Selection *s, guint i, hsize_t k)
{
  return s->start[i] + k / s->block[i] * s->stride[i] + k % s->block[i];
}

/* What a mapping gives to the box: the layout in its source, where in the box (px) and which frame there. */
typedef struct
{
  FlGeomSlab layout;
  hsize_t frame_index[FL_GEOM_DIMS];
  gsize offset;
} Piece;

/* How much of the box a mapping gives; 0: nothing. */
static gsize
count_pixels (const Mapping *mapping, const FlGeomSlab *box, const hsize_t *frame_index)
{
  gsize n_pixels = 1;
  for (guint i = 0; i < box->n_dims; i++)
    {
      gboolean is_frame = box->dims[i] == FL_GEOM_DIM_FRAME;
      hsize_t first, n;
      if (!intersect (&mapping->at, i, is_frame ? frame_index[i] : box->low[i], is_frame ? 1 : box->count[i],
                      &first, &n))
        return 0;
      n_pixels *= n;
    }
  return n_pixels;
}

/* For a mapping that is settled and gives something. */
static gboolean
find_piece (const Mapping *mapping, const FlH5Slab *slab, const hsize_t *frame_index, Piece *piece,
            GError **error)
{
  const FlGeomSlab *box = slab->layout;
  FlGeomSlab *layout = &piece->layout;
  memset (piece, 0, sizeof *piece);
  layout->n_pixels = 1;
  layout->n_dims = mapping->from.rank;
  for (guint k = 0; k < mapping->from.rank; k++)
    {
      layout->low[k] = mapping->from.start[k];
      layout->count[k] = 1;
    }
  for (guint i = 0; i < box->n_dims; i++)
    {
      gboolean is_frame = box->dims[i] == FL_GEOM_DIM_FRAME;
      hsize_t first = 0, n = 0, low = is_frame ? frame_index[i] : box->low[i];
      int k = mapping->match[i];
      intersect (&mapping->at, i, low, is_frame ? 1 : box->count[i], &first, &n);
      if (n > 1 && (has_holes (&mapping->at, i) || (k >= 0 && has_holes (&mapping->from, (guint) k))))
        return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, slab->file_path,
                           "%s takes every so manieth pixel of another dataset, expected whole runs",
                           slab->path);
      if (!is_frame)
        piece->offset += (MAX (mapping->at.start[i], low) - low) * box->stride[i];
      layout->n_pixels *= n;
      if (k < 0)
        continue;
      hsize_t index = source_index (&mapping->from, (guint) k, first);
      layout->dims[k] = is_frame ? FL_GEOM_DIM_FRAME : FL_GEOM_DIM_SS;
      if (is_frame)
        {
          piece->frame_index[k] = index;
          layout->low[k] = 0;
          continue;
        }
      layout->low[k] = index;
      layout->count[k] = n;
      layout->stride[k] = box->stride[i];
    }
  return TRUE;
}

static void
fill (const FlH5Slab *slab, guint8 *pixels)
{
  gsize size = fl_pixel_size (slab->type);
  for (gsize i = 0; i < slab->layout->n_pixels; i++)
    memcpy (pixels + i * size, slab->fill, size);
}

gboolean
fl_h5_virtual_read (FlH5Virtual *virtual, const FlH5Slab *slab, const hsize_t *frame_index, void *pixels,
                    guint64 *t_decode, GError **error)
{
  gsize covered = 0, size = fl_pixel_size (slab->type);
  for (guint i = 0; i < virtual->mappings->len; i++)
    covered += count_pixels (&g_array_index (virtual->mappings, Mapping, i), slab->layout, frame_index);
  if (covered < slab->layout->n_pixels)
    fill (slab, pixels);
  for (guint i = 0; i < virtual->mappings->len; i++)
    {
      Mapping *mapping = &g_array_index (virtual->mappings, Mapping, i);
      Piece piece;
      if (count_pixels (mapping, slab->layout, frame_index) == 0)
        continue;
      if (!settle (virtual, mapping, error) || !find_piece (mapping, slab, frame_index, &piece, error))
        return FALSE;
      FlH5Slab *part = open_part (virtual, mapping, &piece.layout, slab->type, error);
      if (part == NULL
          || !fl_h5_slab_read_at (part, piece.frame_index, (guint8 *) pixels + piece.offset * size, t_decode,
                                  error))
        return FALSE;
    }
  return TRUE;
}
