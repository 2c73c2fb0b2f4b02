#include "engine/shots/nxmx-geometry.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/geom-check.h"
#include "engine/shots/nxmx-module.h"

void
fl_h5_self_clear (FlH5Self *self)
{
  g_clear_pointer (&self->geom, fl_geom_free);
  g_clear_pointer (&self->moves, g_array_unref);
  g_clear_pointer (&self->beam, g_free);
  g_clear_pointer (&self->wavelengths, g_free);
  g_clear_pointer (&self->times, g_free);
}

/* --- a detector --- */

/* A number for all pixels and frames; NAN: none such. */
static double
lone_number (hid_t file, const char *beside, const char *name)
{
  if (beside == NULL) /* metadata without frames */
    return NAN;
  g_autofree char *group = g_path_get_dirname (beside), *path = fl_nxmx_below (group, name);
  gsize n = 0;
  g_autofree double *values = fl_h5_read_numbers (file, "", path, 1, &n, NULL);
  return values != NULL ? values[0] : NAN;
}

/* Counts a photon, where a factor that makes photons of the data is told. */
static double
find_gain (hid_t file, const FlNxmxDetector *d)
{
  double factor = lone_number (file, d->data, "data_scaling_factor");
  if (isnan (factor))
    factor = lone_number (file, d->data, "data_scale_factor"); /* SACLA's */
  return factor > 0 ? 1 / factor : fl_nxmx_number (file, d->group, "detector_information/adus_per_photon");
}

static gboolean
add_module (FlNxmxBuild *b, const FlNxmxDetector *d, const char *group, gsize index, gboolean *placed,
            GError **error)
{
  g_autofree char *gains_path = fl_nxmx_below (d->group, "detectorSpecific/counts_per_photon");
  gsize n_gains = 0;
  g_autofree double *gains = fl_h5_read_numbers (b->file, "", gains_path, 1 << 20, &n_gains, NULL);
  double gain = gains != NULL && index < n_gains ? gains[index] : find_gain (b->file, d);
  FlNxmxModule module = { .gain = gain > 0 && isfinite (gain) ? gain : 1 };
  gboolean alone = b->parts->detectors->len == 1 && (d->modules[0] == NULL || d->modules[1] == NULL);
  gboolean found = FALSE;
  if (!fl_nxmx_module_place (b, d, group, alone, &module, &found, error))
    return FALSE;
  *placed &= found;
  module.name = d->modules[0] == NULL ? g_strdup ("p0") : g_path_get_basename (group);
  g_array_append_val (b->all, module);
  g_ptr_array_add (b->data, d->data);
  return TRUE;
}

/* Has as many values as the images have pixels (or frames of them), in rows as long: an array of planes and one of rows
 * below each other are the same. */
static gboolean
fits_as_mask (hid_t file, const char *path, const FlNxmxDetector *d, const FlNxmxModule *module)
{
  guint rank;
  hsize_t dims[H5S_MAX_RANK];
  FlPixelType type;
  guint64 n = 1, pixels = 1, frames = module->with_frames ? d->dims[0] : 1;
  if (!fl_h5_image_shape (file, path, &rank, dims, &type) || type == FL_PIXEL_F32)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    n *= dims[i];
  for (guint i = d->rank - module->n_dims; i < d->rank; i++)
    pixels *= d->dims[i];
  return dims[rank - 1] == d->dims[d->rank - 1] && (n == pixels || (n == frames * pixels && rank == d->rank));
}

/* pixel_mask and pixel_mask_N, the master's own else. Any bit is a reason: DIALS takes none of these pixels either. */
static void
find_masks (FlNxmxBuild *b, const FlNxmxDetector *d, const FlNxmxModule *module, char *masks[FL_GEOM_MASKS])
{
  static const char *const names[] = { "pixel_mask",
                                       "pixel_mask_1",
                                       "pixel_mask_2",
                                       "pixel_mask_3",
                                       "pixel_mask_4",
                                       "pixel_mask_5",
                                       "detectorSpecific/pixel_mask",
                                       "threshold_1_channel/pixel_mask",
                                       "threshold_2_channel/pixel_mask",
                                       "difference_channel/pixel_mask",
                                       "detector_information/pixel_mask" };
  guint n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = fl_nxmx_below (d->group, names[i]);
      g_autofree char *missing = fl_h5_external_file (b->file, path, TRUE);
      if (n > 0 && strchr (names[i], '/') != NULL)
        continue;
      if (missing != NULL)
        g_ptr_array_add (b->notes,
                         g_strdup_printf ("%s is in the file %s, which is not there", path, missing));
      else if (!fl_h5_exists (b->file, path))
        continue;
      else if (fits_as_mask (b->file, path, d, module))
        masks[n++] = g_steal_pointer (&path);
      else
        g_ptr_array_add (b->notes, g_strdup_printf ("%s has another shape than the images: not used", path));
    }
}

static void
describe_panel (FlNxmxBuild *b, guint i, const FlNxmxModule *module)
{
  guint dim = 0, last = module->n_dims;
  g_string_append_printf (
      b->text, "p%u/data = /x\np%u/res = 1\np%u/fs = x\np%u/ss = y\np%u/corner_x = 0\np%u/corner_y = 0\n", i,
      i, i, i, i, i);
  if (module->with_frames)
    g_string_append_printf (b->text, "p%u/dim%u = %%\n", i, dim++);
  if (module->channels)
    g_string_append_printf (b->text, "p%u/dim%u = 0\n", i, dim++);
  if (last == 3)
    g_string_append_printf (b->text, "p%u/dim%u = %u\n", i, dim++, (guint) module->from[0]);
  const guint64 *from = module->from + last - 2, *n = module->n + last - 2;
  g_string_append_printf (b->text, "p%u/dim%u = ss\np%u/dim%u = fs\n", i, dim, i, dim + 1);
  g_string_append_printf (b->text, "p%u/min_ss = %u\np%u/max_ss = %u\np%u/min_fs = %u\np%u/max_fs = %u\n", i,
                          (guint) from[0], i, (guint) (from[0] + n[0] - 1), i, (guint) from[1], i,
                          (guint) (from[1] + n[1] - 1));
}

static gboolean
add_detector (FlNxmxBuild *b, const FlNxmxDetector *d, gboolean *placed, GError **error)
{
  guint first = b->all->len;
  for (gsize i = 0; i == 0 || d->modules[i] != NULL; i++)
    if (!add_module (b, d, d->modules[0] != NULL ? d->modules[i] : d->group, i, placed, error))
      return FALSE;
    else if (d->modules[0] == NULL)
      break;
  char *masks[FL_GEOM_MASKS] = { NULL };
  find_masks (b, d, &g_array_index (b->all, FlNxmxModule, first), masks);
  if (g_array_index (b->all, FlNxmxModule, first).channels && d->dims[1] > 1)
    g_ptr_array_add (b->notes, g_strdup_printf ("%s has %u channels (thresholds): the first is read", d->data,
                                                (guint) d->dims[1]));
  for (guint i = first; i < b->all->len; i++)
    {
      FlNxmxModule *module = &g_array_index (b->all, FlNxmxModule, i);
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        module->masks[k] = g_strdup (masks[k]);
      describe_panel (b, i, module);
    }
  for (guint k = 0; k < FL_GEOM_MASKS; k++)
    g_free (masks[k]);
  return TRUE;
}

/* Text holds no numbers of full precision and no names of every kind: these go in directly. */
static void
fill_panels (FlNxmxBuild *b, gboolean placed)
{
  for (guint i = 0; i < b->all->len; i++)
    {
      const FlNxmxModule *module = &g_array_index (b->all, FlNxmxModule, i);
      FlGeomPanel *panel = &g_array_index (b->self->geom->panels, FlGeomPanel, i);
      double step = placed ? fl_vec3_norm (module->fs) : 1;
      g_free (panel->name);
      panel->name = g_strdup (module->name);
      g_free (panel->data);
      panel->data = g_strdup (b->data->pdata[i]);
      panel->line = 0;
      panel->res = 1e3 / step;
      panel->adu_per_photon = module->gain;
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        panel->masks[k] = (FlGeomMask){ .data = g_strdup (module->masks[k]), .bad_bits = G_MAXUINT64 };
      if (!placed)
        continue;
      panel->corner_x = module->origin.x / step;
      panel->corner_y = module->origin.y / step;
      panel->coffset = module->origin.z * 1e-3;
      const double fs[3] = { module->fs.x, module->fs.y, module->fs.z };
      const double ss[3] = { module->ss.x, module->ss.y, module->ss.z };
      for (guint k = 0; k < 3; k++)
        {
          panel->fs[k] = fs[k] / step;
          panel->ss[k] = ss[k] / step;
        }
    }
}

/* --- values --- */

/* Counters put their largest values where a pixel has none. */
static double
marker_limit (hid_t file, const FlNxmxDetector *d, gboolean dectris)
{
  gboolean counter = dectris || !isnan (fl_nxmx_number (file, d->group, "bit_depth_readout"))
                     || !isnan (fl_nxmx_number (file, d->group, "bit_depth_image"));
  if (!counter)
    return INFINITY;
  return d->type == FL_PIXEL_U8    ? 253
         : d->type == FL_PIXEL_U16 ? 65533
         : d->type == FL_PIXEL_U32 ? 4294967293.0
         : d->type == FL_PIXEL_I16 ? G_MAXINT16 - 1
         : d->type == FL_PIXEL_I32 ? 2147483646.0
                                   : INFINITY;
}

/* What is signed has its smallest value there (PSI's detectors). */
static double
lowest_marker (const FlNxmxDetector *d)
{
  return d->type == FL_PIXEL_I16 ? G_MININT16 + 1 : d->type == FL_PIXEL_I32 ? -2147483647.0 : -INFINITY;
}

static void
find_limits (FlNxmxBuild *b, const FlNxmxDetector *d, gboolean dectris)
{
  static const char *const cutoffs[] = {
    "saturation_value",
    "detectorSpecific/saturation_value",
    "detectorSpecific/countrate_correction_count_cutoff",
    "detectorSpecific/detectorModule_000/countrate_correction_count_cutoff",
    "detector_information/saturation_value",
    NULL
  };
  static const char *const lowest[] = { "underload_value", "detector_information/underload_value", NULL };
  double high = fl_nxmx_first_number (b->file, d->group, FALSE, cutoffs),
         low = fl_nxmx_first_number (b->file, d->group, FALSE, lowest);
  b->self->low = MAX (isfinite (low) ? low : -INFINITY, lowest_marker (d));
  /* What fills the bits is saturated or marks a pixel without a value. */
  if (high == G_MAXUINT8 || high == G_MAXUINT16 || high == G_MAXUINT32)
    high -= 1;
  b->self->high = MIN (high > 1 ? high : INFINITY, marker_limit (b->file, d, dectris));
  if (!(b->self->low < b->self->high))
    b->self->low = -INFINITY;
}

static const char *
name_format (hid_t file, const FlNxmxParts *parts, const FlNxmxDetector *d)
{
  if (parts->is_nxmx)
    return "NXmx";
  if (parts->numbered)
    return "Dectris master file";
  gboolean dectris = H5Aexists_by_name (file, d->data, "image_nr_low", H5P_DEFAULT) > 0;
  return dectris ? "Dectris data file" : "HDF5";
}

static void
find_times (hid_t file, const FlNxmxDetector *d, FlH5Self *self)
{
  g_autofree char *path = fl_nxmx_below (d->group, "start_time");
  g_autofree char *start = fl_h5_attribute_text (file, path, "start");
  g_autoptr (GDateTime) t = start != NULL ? g_date_time_new_from_iso8601 (start, NULL) : NULL;
  gint64 seconds = t != NULL ? g_date_time_to_unix (t) : 0;
  if (seconds <= 0)
    return;
  /* GDateTime holds microseconds. */
  const char *point = strchr (start, '.');
  double fraction = point != NULL ? g_ascii_strtod (point, NULL) : 0;
  self->start = (guint64) seconds * FL_NS_PER_S + (guint64) llround (fraction * 1e9);
  self->times = g_steal_pointer (&path);
}

gboolean
fl_nxmx_geometry (hid_t file, const char *path, const FlNxmxParts *parts, FlH5Self *self, GError **error)
{
  const FlNxmxDetector *first = &g_array_index (parts->detectors, FlNxmxDetector, 0);
  g_autoptr (GString) text = g_string_new ("adu_per_photon = 1\nclen = 0\n");
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlNxmxModule));
  g_autoptr (GPtrArray) data = g_ptr_array_new (), notes = g_ptr_array_new_with_free_func (g_free);
  g_array_set_clear_func (all, fl_nxmx_module_clear);
  FlNxmxBuild b = { .file = file,
                    .path = path,
                    .parts = parts,
                    .self = self,
                    .text = text,
                    .data = data,
                    .all = all,
                    .notes = notes };
  self->placed = TRUE;
  self->format = name_format (file, parts, first);
  for (guint i = 0; i < parts->detectors->len; i++)
    if (!add_detector (&b, &g_array_index (parts->detectors, FlNxmxDetector, i), &self->placed, error))
      return FALSE;
  if (!self->placed && all->len > 1)
    return fl_h5_fail (error, FL_ERROR_INPUT, path,
                       "%u modules without directions, expected a geometry (--geometry) that places them",
                       all->len);
  self->geom = fl_geom_parse (path, text->str, text->len, error);
  if (self->geom == NULL)
    return FALSE;
  fill_panels (&b, self->placed);
  if (self->placed && !fl_geom_check_reach (self->geom, error))
    return FALSE;
  find_limits (&b, first, strcmp (self->format, "NXmx") != 0 && strcmp (self->format, "HDF5") != 0);
  find_times (file, first, self);
  g_autofree char *data_group = first->data != NULL ? g_path_get_dirname (first->data) : NULL,
                  *offset = data_group != NULL ? fl_nxmx_below (data_group, "data_offset") : NULL;
  if (offset != NULL && fl_h5_exists (file, offset) && lone_number (file, first->data, "data_offset") != 0)
    g_ptr_array_add (notes, g_strdup_printf ("%s is not added to the data", offset));
  FlNxmxFacts facts = fl_nxmx_facts (file, first->group);
  if (!self->placed && facts.distance > 0)
    g_ptr_array_add (notes, g_strdup_printf ("detector distance %.6g mm, but no %s", facts.distance,
                                             facts.pixel_x > 0 ? "beam centre" : "pixel size"));
  for (guint i = 0; i < parts->notes->len; i++)
    g_ptr_array_add (self->geom->notes, g_strdup (parts->notes->pdata[i]));
  for (guint i = 0; i < notes->len; i++)
    g_ptr_array_add (self->geom->notes, g_strdup (notes->pdata[i]));
  return fl_nxmx_beam (file, path, parts, self, error);
}
