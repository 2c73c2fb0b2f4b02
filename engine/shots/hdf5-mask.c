#include "engine/shots/source-hdf5.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

static const FlGeomPanel *
geom_panel (const FlH5Source *self, guint panel)
{
  return &g_array_index (self->geom->panels, FlGeomPanel, self->layout->geom_panel[panel]);
}

static const FlGeomSlab *
slab_of (const FlH5Source *self, guint panel)
{
  return &g_array_index (self->layout->slabs, FlGeomSlab, self->layout->panel_slab[panel]);
}

/* The dimensions of the dataset behind a slab; those of the event that is open. */
static const hsize_t *
data_dims (const FlH5Source *self, const FlGeomSlab *slab)
{
  const FlH5Slab *open = self->slabs->pdata[slab - &g_array_index (self->layout->slabs, FlGeomSlab, 0)];
  return open->dims;
}

/* Mask files are named relative to the geometry's folder; CrystFEL's users run where the files are, so here as well. */
static char *
find_mask_file (const FlH5Source *self, const char *name)
{
  if (name == NULL || g_path_is_absolute (name))
    return g_strdup (name != NULL ? name : self->source.path);
  g_autofree char *folder = g_path_get_dirname (self->geom->path);
  char *beside = g_build_filename (folder, name, NULL);
  if (g_file_test (beside, G_FILE_TEST_EXISTS) || !g_file_test (name, G_FILE_TEST_EXISTS))
    return beside;
  g_free (beside);
  return g_strdup (name);
}

/* A companion dataset as read last: panels that follow each other share one. */
typedef struct
{
  char *file, *path;
  const FlGeomSlab *slab;
  FlH5Companion data;
} Loaded;

static void
loaded_clear (Loaded *loaded)
{
  g_free (loaded->file);
  g_free (loaded->path);
  g_free (loaded->data.values);
  *loaded = (Loaded){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loaded, loaded_clear)

static gboolean
load (FlH5Source *self, Loaded *loaded, const char *file_name, const char *dataset, const FlGeomSlab *slab,
      const FlH5Event *event, guint32 frame, gboolean reals, GError **error)
{
  g_autofree char *path = fl_h5_fill_path (dataset, event);
  g_autofree char *file = find_mask_file (self, file_name);
  if (loaded->slab == slab && strcmp (loaded->file, file) == 0 && strcmp (loaded->path, path) == 0)
    return TRUE;
  loaded_clear (loaded);
  gboolean own = file_name == NULL;
  g_auto (FlHid) other = own ? 0 : fl_h5_open (file, error);
  if (other < 0
      || !fl_h5_companion_read (own ? self->file : other, file, path, slab, data_dims (self, slab), frame,
                                reals, &loaded->data, error))
    return FALSE;
  loaded->data.per_frame |= strchr (dataset, '%') != NULL;
  loaded->file = g_steal_pointer (&file);
  loaded->path = g_steal_pointer (&path);
  loaded->slab = slab;
  return TRUE;
}

static void
apply_mask (const FlPanel *panel, const FlGeomSlab *slab, const FlGeomMask *mask, const FlH5Companion *data,
            guint8 *bad)
{
  for (guint ss = 0; ss < panel->n_ss; ss++)
    {
      gsize row = panel->offset + ss * panel->stride;
      for (guint fs = 0; fs < panel->n_fs; fs++)
        {
          guint64 v = fl_h5_companion_bits (data, row + fs - slab->offset);
          bad[row + fs] |= (v & mask->good_bits) != mask->good_bits || (v & mask->bad_bits) != 0;
        }
    }
}

/* Applies mask number `n` of every panel; when `per_frame` is given, those that differ by frame are left, and told. */
static gboolean
apply_masks (FlH5Source *self, guint n, const FlH5Event *event, guint32 frame, guint8 *bad,
             gboolean *per_frame, GError **error)
{
  g_auto (Loaded) loaded = { 0 };
  for (guint i = 0; i < self->layout->n_panels; i++)
    {
      const FlGeomMask *mask = &geom_panel (self, i)->masks[n];
      if (mask->data == NULL)
        continue;
      const FlGeomSlab *slab = slab_of (self, i);
      if (!load (self, &loaded, mask->file, mask->data, slab, event, frame, FALSE, error))
        return FALSE;
      if (per_frame != NULL && loaded.data.per_frame)
        *per_frame = TRUE;
      else
        apply_mask (&self->source.detector->panels[i], slab, mask, &loaded.data, bad);
    }
  return TRUE;
}

static gboolean
read_saturation_maps (FlH5Source *self, GError **error)
{
  FlDetector *detector = self->source.detector;
  g_auto (Loaded) loaded = { 0 };
  const FlH5Event *event = &g_array_index (self->events, FlH5Event, 0);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlGeomPanel *from = geom_panel (self, i);
      const FlGeomSlab *slab = slab_of (self, i);
      const FlPanel *panel = &detector->panels[i];
      if (from->saturation_map == NULL)
        continue;
      if (!load (self, &loaded, from->saturation_map_file, from->saturation_map, slab, event, 0, TRUE, error))
        return FALSE;
      if (detector->saturation == NULL)
        {
          detector->saturation = g_new (float, detector->n_pixels);
          for (gsize k = 0; k < detector->n_pixels; k++)
            detector->saturation[k] = INFINITY;
        }
      const double *values = loaded.data.values;
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize at = panel->offset + ss * panel->stride + fs;
            detector->saturation[at] = (float) values[at - slab->offset];
          }
    }
  return TRUE;
}

/* --- the mask that the user names --- */

static char *
find_mask_dataset (hid_t file)
{
  static const char *const usual[] = {
    "/mask",       "/entry_1/data_1/mask", "/entry/instrument/detector/pixel_mask",
    "/pixel_mask", "/data/data",           "/data"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (usual); i++)
    if (fl_h5_exists (file, usual[i]))
      {
        g_auto (FlHid) object = H5Oopen (file, usual[i], H5P_DEFAULT);
        if (object > 0 && H5Iget_type (object) == H5I_DATASET)
          return g_strdup (usual[i]);
      }
  return NULL;
}

/* Splits FILE:/dataset and opens the file. */
static hid_t
open_mask (const char *option, char **file_name, char **dataset, GError **error)
{
  const char *colon = strstr (option, ":/");
  gboolean split = colon != NULL && !g_file_test (option, G_FILE_TEST_EXISTS);
  *file_name = split ? g_strndup (option, (gsize) (colon - option)) : g_strdup (option);
  hid_t file = fl_h5_open (*file_name, error);
  *dataset = file < 0 ? NULL : split ? g_strdup (colon + 1) : find_mask_dataset (file);
  if (file >= 0 && *dataset == NULL)
    {
      fl_h5_fail (error, FL_ERROR_MISSING, *file_name, "no dataset /mask, expected one or FILE:/dataset");
      H5Fclose (file);
      return -1;
    }
  return file;
}

gboolean
fl_mask_read_file (const char *option, guint8 *mask, gsize n_pixels, GError **error)
{
  g_autofree char *file_name = NULL, *dataset = NULL;
  g_auto (FlHid) file = open_mask (option, &file_name, &dataset, error);
  gsize n = 0;
  if (file < 0)
    return FALSE;
  g_autofree double *values = fl_h5_read_numbers (file, file_name, dataset, (gsize) 1 << 30, &n, error);
  if (values == NULL)
    return FALSE;
  if (n != n_pixels)
    return fl_h5_fail (error, FL_ERROR_INPUT, file_name,
                       "%s has %" G_GSIZE_FORMAT " values, expected the detector's %" G_GSIZE_FORMAT
                       " pixels",
                       dataset, n, n_pixels);
  for (gsize i = 0; i < n; i++)
    mask[i] |= values[i] != 0;
  return TRUE;
}

/* Has the data's shape when all panels come from one dataset; else one value a pixel in our order. */
static gboolean
read_mask_option (FlH5Source *self, const char *option, GError **error)
{
  FlDetector *detector = self->source.detector;
  if (self->layout->slabs->len != 1)
    return fl_mask_read_file (option, detector->mask, detector->n_pixels, error);
  g_autofree char *file_name = NULL, *dataset = NULL;
  g_auto (FlHid) file = open_mask (option, &file_name, &dataset, error);
  if (file < 0)
    return FALSE;
  FlH5Companion own = { 0 };
  const FlGeomSlab *slab = slab_of (self, 0);
  gboolean ok =
      fl_h5_companion_read (file, file_name, dataset, slab, data_dims (self, slab), 0, FALSE, &own, error);
  for (gsize i = 0; ok && i < detector->n_pixels; i++)
    detector->mask[i] |= fl_h5_companion_bits (&own, i) != 0;
  g_free (own.values);
  return ok;
}

gboolean
fl_h5_masks_read (FlH5Source *self, const char *option, GError **error)
{
  const FlH5Event *event = &g_array_index (self->events, FlH5Event, 0);
  for (guint n = 0; n < FL_GEOM_MASKS; n++)
    {
      gboolean per_frame = FALSE;
      if (!apply_masks (self, n, event, 0, self->source.detector->mask, &per_frame, error))
        return FALSE;
      if (per_frame)
        g_array_append_val (self->frame_masks, n);
    }
  return read_saturation_maps (self, error) && (option == NULL || read_mask_option (self, option, error));
}

gboolean
fl_h5_masks_read_frame (FlH5Source *self, const FlH5Event *event, guint32 frame, guint8 *mask, GError **error)
{
  for (guint i = 0; i < self->frame_masks->len; i++)
    if (!apply_masks (self, g_array_index (self->frame_masks, guint, i), event, frame, mask, NULL, error))
      return FALSE;
  return TRUE;
}

gboolean
fl_h5_data_shape (FlSource *source, FlDataShape *shape)
{
  const FlH5Source *self = (const FlH5Source *) source;
  if (self->layout->slabs->len != 1)
    return FALSE;
  const FlGeomSlab *slab = slab_of (self, 0);
  const FlH5Slab *open = self->slabs->len == 1 ? self->slabs->pdata[0] : NULL;
  *shape = (FlDataShape){ .offset = slab->offset };
  for (guint i = 0; i < slab->n_dims; i++)
    {
      guint d = shape->n_dims;
      if (slab->dims[i] == FL_GEOM_DIM_FRAME)
        continue;
      shape->low[d] = slab->low[i];
      shape->count[d] = slab->count[i];
      shape->stride[d] = slab->stride[i];
      shape->dims[d] = open != NULL ? open->dims[i] : slab->low[i] + slab->count[i];
      shape->n_dims++;
    }
  return shape->n_dims > 0;
}
