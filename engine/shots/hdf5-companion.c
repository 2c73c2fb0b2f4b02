#include "engine/shots/hdf5-slab.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/source-private.h"

/* A companion may have as many values as HDF5 has pixels a frame in any detector. */
#define MAX_VALUES ((gsize) 1 << 30)

typedef struct
{
  hid_t file;
  const char *file_path, *path;
  hid_t dataset;
  guint rank;
  hsize_t dims[H5S_MAX_RANK];
} Companion;

static void
companion_clear (Companion *c)
{
  fl_hid_close (&c->dataset);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Companion, companion_clear)

static gboolean
open_companion (Companion *c, GError **error)
{
  c->dataset = fl_h5_exists (c->file, c->path) ? H5Dopen2 (c->file, c->path, H5P_DEFAULT) : -1;
  if (c->dataset < 0)
    return fl_h5_fail (error, FL_ERROR_MISSING, c->file_path, "no dataset %s, expected a mask or map there",
                       c->path);
  g_auto (FlHid) space = H5Dget_space (c->dataset);
  c->rank = (guint) MAX (H5Sget_simple_extent_dims (space, c->dims, NULL), 0);
  return TRUE;
}

/* HDF5 cannot undo detectors' filters without plug-ins, and does not follow virtual datasets as we do. */
static gboolean
needs_our_reader (hid_t dataset)
{
  g_auto (FlHid) create_list = H5Dget_create_plist (dataset);
  gboolean ours = H5Pget_layout (create_list) == H5D_VIRTUAL;
  for (int i = 0; i < H5Pget_nfilters (create_list); i++)
    {
      unsigned flags, config;
      size_t n = 0;
      ours |= H5Pget_filter2 (create_list, (unsigned) i, &flags, &n, NULL, 0, NULL, &config)
              >= H5Z_FILTER_RESERVED;
    }
  return ours;
}

static gboolean
read_by_slab (const Companion *c, const FlGeomSlab *box, guint64 frame, gboolean reals, FlH5Companion *out,
              GError **error)
{
  FlH5Slab *slab = fl_h5_slab_open (c->file, c->file_path, c->path, box, error);
  if (slab == NULL)
    return FALSE;
  g_auto (FlShot) shot = { 0 };
  guint64 unused = 0;
  fl_shot_reserve (&shot, slab->type, box->n_pixels);
  gboolean ok = fl_h5_slab_read (slab, frame, shot.pixels, &unused, error);
  fl_h5_slab_close (slab);
  out->bytes = !reals && shot.type == FL_PIXEL_U8;
  out->values = g_malloc0 (box->n_pixels * (out->bytes ? 1 : 8));
  if (ok && out->bytes)
    memcpy (out->values, shot.pixels, box->n_pixels);
  else
    for (gsize i = 0; ok && i < box->n_pixels; i++)
      if (reals)
        ((double *) out->values)[i] = fl_shot_value (&shot, i);
      else
        ((gint64 *) out->values)[i] = (gint64) fl_shot_value (&shot, i);
  return ok;
}

static gboolean
read_by_hdf5 (const Companion *c, const FlGeomSlab *box, guint64 frame, gboolean reals, FlH5Companion *out,
              GError **error)
{
  hsize_t frame_index[FL_GEOM_DIMS];
  g_auto (FlHid) space = H5Dget_space (c->dataset);
  g_auto (FlHid) type = H5Dget_type (c->dataset);
  fl_h5_frame_indices (box, c->dims, frame, frame_index);
  out->bytes = !reals && H5Tequal (type, H5T_NATIVE_UINT8) > 0;
  out->values = g_malloc (box->n_pixels * (out->bytes ? 1 : 8));
  g_auto (FlHid) memory = fl_h5_select_box (space, box, frame_index);
  hid_t to = reals ? H5T_NATIVE_DOUBLE : out->bytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_INT64;
  return H5Dread (c->dataset, to, memory, space, H5P_DEFAULT, out->values) >= 0
         || fl_h5_fail (error, FL_ERROR_INPUT, c->file_path, "%s cannot be read", c->path);
}

static gboolean
read_box (const Companion *c, const FlGeomSlab *box, guint64 frame, gboolean reals, FlH5Companion *out,
          GError **error)
{
  return needs_our_reader (c->dataset) ? read_by_slab (c, box, frame, reals, out, error)
                                       : read_by_hdf5 (c, box, frame, reals, out, error);
}

/* --- the data's dimensions --- */

/* One index of the dimension is read, of every frame (a threshold, a module). */
static gboolean
is_fixed (const FlGeomSlab *layout, guint i)
{
  return layout->dims[i] == 0 && layout->count[i] == 1;
}

/* The data's box without or with its frame dimensions and its fixed ones; its pixels as they lie in the shot. */
static gboolean
make_box (const Companion *c, const FlGeomSlab *layout, gboolean with_frames, gboolean with_fixed,
          FlGeomSlab *box, guint64 *n_frames, GError **error)
{
  *box = (FlGeomSlab){ .n_pixels = layout->n_pixels };
  *n_frames = 1;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      gboolean is_frame = layout->dims[i] == FL_GEOM_DIM_FRAME;
      if ((is_frame && !with_frames) || (!with_fixed && is_fixed (layout, i)))
        continue;
      guint d = box->n_dims++;
      box->dims[d] = layout->dims[i];
      box->low[d] = layout->low[i];
      box->count[d] = layout->count[i];
      box->stride[d] = layout->stride[i];
      if (is_frame)
        *n_frames *= c->dims[d];
      else if (layout->low[i] + layout->count[i] > c->dims[d])
        return fl_h5_fail (error, FL_ERROR_INPUT, c->file_path,
                           "dimension %u of %s has %" G_GUINT64_FORMAT " elements, expected the data's", d,
                           c->path, (guint64) c->dims[d]);
    }
  return TRUE;
}

/* --- the same rows in other planes --- */

/* The companion has one value for each pixel of a frame, in rows of the data's length. */
static gboolean
has_same_rows (const Companion *c, const FlGeomSlab *layout, const hsize_t *dims)
{
  guint64 own = 1, pixels = 1;
  hsize_t last = 0;
  if (dims == NULL)
    return FALSE;
  for (guint i = 0; i < layout->n_dims; i++)
    if (layout->dims[i] != FL_GEOM_DIM_FRAME)
      {
        last = dims[i];
        pixels *= MIN (dims[i], MAX_VALUES);
        if (pixels > MAX_VALUES)
          return FALSE;
      }
  for (guint i = 0; i < c->rank; i++)
    {
      own *= MIN (c->dims[i], MAX_VALUES);
      if (own > MAX_VALUES)
        return FALSE;
    }
  return c->rank > 0 && c->rank <= FL_GEOM_DIMS && own == pixels && c->dims[c->rank - 1] == last;
}

/* Reads all, and takes the box out of it. */
static gboolean
read_same_rows (const Companion *c, const FlGeomSlab *layout, const hsize_t *dims, gboolean reals,
                FlH5Companion *out, GError **error)
{
  FlGeomSlab all = { .n_dims = c->rank, .n_pixels = 1 };
  for (guint i = c->rank; i-- > 0;)
    {
      all.count[i] = c->dims[i];
      all.stride[i] = all.n_pixels;
      all.n_pixels *= c->dims[i];
    }
  FlH5Companion whole = { 0 };
  gboolean ok = read_box (c, &all, 0, reals, &whole, error);
  gsize size = whole.bytes ? 1 : 8;
  out->bytes = whole.bytes;
  out->values = g_malloc (layout->n_pixels * size);
  for (gsize p = 0; ok && p < layout->n_pixels; p++)
    {
      gsize at = 0, rest = p;
      for (guint i = 0; i < layout->n_dims; i++)
        if (layout->dims[i] != FL_GEOM_DIM_FRAME)
          {
            at = at * dims[i] + layout->low[i] + rest / layout->stride[i];
            rest %= layout->stride[i];
          }
      memcpy ((guint8 *) out->values + p * size, (const guint8 *) whole.values + at * size, size);
    }
  g_free (whole.values);
  return ok;
}

gboolean
fl_h5_companion_read (hid_t file, const char *file_path, const char *path, const FlGeomSlab *layout,
                      const hsize_t *dims, guint64 frame, gboolean reals, FlH5Companion *companion,
                      GError **error)
{
  g_auto (Companion) c = { file, file_path, path, -1, 0, { 0 } };
  if (!open_companion (&c, error))
    return FALSE;
  guint n_frame_dims = 0, n_fixed = 0;
  for (guint i = 0; i < layout->n_dims; i++)
    {
      n_frame_dims += layout->dims[i] == FL_GEOM_DIM_FRAME;
      n_fixed += is_fixed (layout, i);
    }
  gboolean with_frames = n_frame_dims > 0 && c.rank == layout->n_dims;
  gboolean plain = n_fixed > 0 && c.rank == layout->n_dims - n_frame_dims - n_fixed;
  if (!with_frames && !plain && c.rank != layout->n_dims - n_frame_dims)
    {
      if (has_same_rows (&c, layout, dims))
        return read_same_rows (&c, layout, dims, reals, companion, error);
      return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "%s has %u dimensions, expected %u as the data%s",
                         path, c.rank, layout->n_dims,
                         n_frame_dims > 0 ? ", or those without the frame's" : "");
    }
  FlGeomSlab box;
  guint64 n_frames;
  if (!make_box (&c, layout, with_frames, !plain, &box, &n_frames, error))
    return with_frames && has_same_rows (&c, layout, dims)
               ? (g_clear_error (error), read_same_rows (&c, layout, dims, reals, companion, error))
               : FALSE;
  companion->per_frame = with_frames && n_frames > 1;
  if (companion->per_frame && frame >= n_frames)
    return fl_h5_fail (error, FL_ERROR_INPUT, file_path,
                       "%s has %" G_GUINT64_FORMAT " frames, expected as many as the data", path, n_frames);
  return read_box (&c, &box, companion->per_frame ? frame : 0, reals, companion, error);
}
