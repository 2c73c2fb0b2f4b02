#include "engine/shots/nxmx-geometry.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

void
fl_h5_self_clear (FlH5Self *self)
{
  g_clear_pointer (&self->geom, fl_geom_free);
  g_clear_pointer (&self->moves, g_array_unref);
  g_clear_pointer (&self->beam, g_free);
  g_clear_pointer (&self->wavelengths, g_free);
  g_clear_pointer (&self->times, g_free);
}

/* A module as a panel: a rectangle of the detector's array, and its place. */
typedef struct
{
  char *name;
  guint64 from[3], n[3]; /* in the array's last dimensions; n_dims of them */
  guint n_dims;
  gboolean with_frames; /* the array's first dimension is not among them */
  gboolean channels; /* its second one is not either: thresholds of a counter, of which the first is read */
  FlVec3 origin, fs, ss; /* mm */
  double gain;
  char *masks[FL_GEOM_MASKS]; /* datasets */
} Module;

static void
module_clear (gpointer data)
{
  Module *module = data;
  g_free (module->name);
  for (guint i = 0; i < FL_GEOM_MASKS; i++)
    g_free (module->masks[i]);
}

typedef struct
{
  hid_t file;
  const char *path; /* of the file, for messages */
  const FlNxmxParts *parts;
  FlH5Self *self;
  GArray *modules;         /* of Module, of the detector at work */
  GString *text;           /* of the geometry */
  GPtrArray *names, *data; /* of all panels so far; owned by modules and parts */
  GArray *all;             /* of Module */
  GPtrArray *notes;
} Builder;

static char *
below (const char *group, const char *name)
{
  return g_strdup_printf ("%s/%s", group, name);
}

static double
number (hid_t file, const char *group, const char *name)
{
  g_autofree char *path = below (group, name);
  return fl_h5_read_number (file, path, NAN);
}

static double
length (hid_t file, const char *group, const char *name)
{
  g_autofree char *path = below (group, name);
  return fl_h5_read_length (file, path);
}

/* The first of these names, NULL at the end, that has a number. */
static double
first_number (hid_t file, const char *group, gboolean lengths, const char *const *names)
{
  for (; *names != NULL; names++)
    {
      double v = lengths ? length (file, group, *names) : number (file, group, *names);
      if (!isnan (v))
        return v;
    }
  return NAN;
}

/* --- which pixels --- */

/* Up to three whole numbers; 0 when they are not there. */
static guint
read_indices (hid_t file, const char *module, const char *name, guint64 values[3])
{
  g_autofree char *path = below (module, name);
  gsize n = 0;
  g_autofree double *numbers = fl_h5_read_numbers (file, "", path, 3, &n, NULL);
  for (gsize i = 0; numbers != NULL && i < n; i++)
    {
      if (!(numbers[i] >= 0 && numbers[i] < 1 << 30))
        return 0;
      values[i] = (guint64) numbers[i];
    }
  return numbers != NULL ? (guint) n : 0;
}

/* NXmx leaves the frames' dimension out, some writers do not: then all modules begin at frame 0 there. */
static gboolean
origins_count_frames (Builder *b, const FlNxmxDetector *d)
{
  if (d->rank != 3)
    return FALSE;
  for (char **module = d->modules; *module != NULL; module++)
    {
      guint64 from[3] = { 0 }, n[3] = { 0 };
      if (read_indices (b->file, *module, "data_origin", from) != 3 || from[0] != 0
          || (read_indices (b->file, *module, "data_size", n) == 3 && n[0] > 1 && n[0] != d->dims[0]))
        return FALSE;
    }
  return d->modules[0] != NULL && d->modules[1] == NULL;
}

/* Counters with several thresholds: an image a threshold, told by NXdetector_channel groups. */
static gboolean
has_channels (Builder *b, const FlNxmxDetector *d)
{
  g_auto (GStrv) channels = fl_h5_children (b->file, d->group, "NXdetector_channel");
  return d->rank == 4 && channels[0] != NULL;
}

static gboolean
place_in_array (Builder *b, const FlNxmxDetector *d, const char *group, Module *module, GError **error)
{
  guint64 from[3] = { 0 }, n[3] = { 0 }, stride[3] = { 1, 1, 1 };
  guint n_from = read_indices (b->file, group, "data_origin", from),
        n_size = read_indices (b->file, group, "data_size", n);
  gboolean frames = origins_count_frames (b, d);
  if (frames)
    {
      memmove (from, from + 1, 2 * sizeof *from);
      memmove (n, n + 1, 2 * sizeof *n);
      n_from--;
      n_size -= n_size == 3;
    }
  guint m = n_size >= 2 ? n_size : n_from >= 2 ? n_from : 2;
  module->n_dims = m;
  module->with_frames = d->rank > m;
  module->channels = m == 2 && has_channels (b, d);
  const hsize_t *dims = d->dims + (d->rank - MIN (m, d->rank));
  if (d->rank < m || d->rank > m + 1 + module->channels)
    return fl_h5_fail (error, FL_ERROR_INPUT, b->path, "%s has %u dimensions, but its modules lie in %u",
                       d->data, d->rank, m);
  read_indices (b->file, group, "data_stride", stride);
  if (stride[0] > 1 || stride[1] > 1 || stride[2] > 1)
    return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, b->path, "%s/data_stride leaves out pixels, expected 1",
                       group);
  gboolean alone = d->modules[0] == NULL || d->modules[1] == NULL;
  /* Masters of Eiger wrote the sizes in the other order. */
  if (m == 2 && alone && n[0] == dims[1] && n[1] == dims[0])
    {
      n[0] = dims[0];
      n[1] = dims[1];
    }
  for (guint i = 0; i < m; i++)
    {
      gboolean fits = n_size >= 2 && n[i] > 0 && from[i] + n[i] <= dims[i];
      if (!fits && !alone)
        return fl_h5_fail (error, FL_ERROR_INPUT, b->path,
                           "%s lies at %" G_GUINT64_FORMAT " + %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                           " in dimension %u of %s, expected it inside",
                           group, from[i], n[i], (guint64) dims[i], i, d->data);
      module->from[i] = fits ? from[i] : 0;
      module->n[i] = fits ? n[i] : dims[i];
      if (!fits && n_size >= 2)
        g_ptr_array_add (b->notes,
                         g_strdup_printf ("%s does not fit %s: the whole array is taken", group, d->data));
    }
  if (m == 3 && module->n[0] != 1)
    return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, b->path, "%s spans several planes of %s, expected one",
                       group, d->data);
  return TRUE;
}

/* --- where they are --- */

/* The axis that a module's pixel direction hangs on; by rights its own attribute, else the module's or the detector's. */
static char *
hanging_axis (hid_t file, const char *detector, const char *module, const char *direction)
{
  g_autofree char *depends_on = fl_h5_attribute_text (file, direction, "depends_on");
  if (depends_on != NULL && *depends_on != '\0')
    return fl_nxmx_resolve (module, depends_on);
  g_autofree char *offset = below (module, "module_offset");
  if (fl_h5_exists (file, offset))
    return g_steal_pointer (&offset);
  g_autofree char *own = below (detector, "depends_on");
  g_autofree char *text = fl_h5_read_text (file, own);
  return fl_nxmx_resolve (detector, text);
}

static gboolean
same_moves (const GArray *a, const GArray *b)
{
  gboolean same = a->len == b->len;
  for (guint i = 0; same && i < a->len; i++)
    {
      const FlNxmxMove *x = &g_array_index (a, FlNxmxMove, i), *y = &g_array_index (b, FlNxmxMove, i);
      same = strcmp (x->path, y->path) == 0 && fl_vec3_norm (fl_vec3_sub (x->step, y->step)) < 1e-9;
    }
  return same;
}

/* The step of one pixel, and where the direction's own offset puts the corner. FALSE, no error: no such direction. */
static gboolean
read_direction (Builder *b, const FlNxmxDetector *d, const char *module, gboolean fast, FlVec3 *step,
                FlVec3 *corner, GError **error)
{
  double vector[3], offset[3] = { 0 };
  g_autofree char *path = below (module, fast ? "fast_pixel_direction" : "slow_pixel_direction");
  if (!fl_h5_attribute_numbers (b->file, path, "vector", 3, vector))
    return FALSE;
  double size = fl_h5_read_length (b->file, path);
  if (!(size > 0))
    size = length (b->file, d->group, fast ? "x_pixel_size" : "y_pixel_size");
  if (!(size > 0))
    return fl_h5_fail (error, FL_ERROR_INPUT, b->path, "%s has no size, expected that of a pixel", path);
  g_autofree char *axis = hanging_axis (b->file, d->group, module, path);
  g_autofree char *unit = fl_h5_attribute_text (b->file, path, "units");
  g_autofree char *offset_unit = fl_h5_attribute_text (b->file, path, "offset_units");
  g_auto (FlNxmxFrame) frame = { 0 };
  if (!fl_nxmx_chain (b->file, b->path, axis, &frame, error))
    return FALSE;
  fl_h5_attribute_numbers (b->file, path, "offset", 3, offset);
  double factor = fl_h5_length_unit (offset_unit, fl_h5_length_unit (unit, 1e3));
  FlVec3 own = fl_vec3_scale (fl_vec3 (offset[0], offset[1], offset[2]), isnan (factor) ? 1e3 : factor);
  FlVec3 along = fl_mat3_apply (&frame.turn, fl_vec3_unit (fl_vec3 (vector[0], vector[1], vector[2])));
  *step = fl_vec3_scale (along, size);
  *corner = fl_vec3_add (frame.place, fl_mat3_apply (&frame.turn, own));
  if (!fast)
    return TRUE;
  if (b->self->moves == NULL)
    b->self->moves = g_array_ref (frame.moves);
  else if (!same_moves (b->self->moves, frame.moves))
    return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, b->path,
                       "modules move apart from frame to frame, expected the detector to move as one");
  return TRUE;
}

static gboolean
place_by_chain (Builder *b, const FlNxmxDetector *d, const char *group, Module *module, GError **error)
{
  FlVec3 unused;
  GError *local = NULL;
  if (!read_direction (b, d, group, TRUE, &module->fs, &module->origin, &local)
      || !read_direction (b, d, group, FALSE, &module->ss, &unused, &local))
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return FALSE;
    }
  double size = fl_vec3_norm (module->fs) * fl_vec3_norm (module->ss);
  if (!(fl_vec3_norm (fl_vec3_cross (module->fs, module->ss)) > 0.5 * size))
    return fl_h5_fail (error, FL_ERROR_INPUT, b->path, "%s: its pixel directions are nearly parallel", group);
  return TRUE;
}

typedef struct
{
  double pixel_x, pixel_y, distance; /* mm */
  double centre_x, centre_y;         /* px */
} Facts;

/* Lengths without a unit are m, unless that cannot be: then they were meant in mm. */
static double
sensible (double mm, double most)
{
  return mm > most ? mm * 1e-3 : mm;
}

static Facts
find_facts (hid_t file, const char *detector)
{
  static const char *const distances[] = { "detector_distance", "distance", NULL };
  g_autofree char *information = below (detector, "detector_information"); /* ESRF */
  const char *group = fl_h5_exists (file, information) ? information : detector;
  return (Facts){ sensible (length (file, group, "x_pixel_size"), 10),
                  sensible (length (file, group, "y_pixel_size"), 10),
                  sensible (first_number (file, group, TRUE, distances), 1e5),
                  number (file, group, "beam_center_x"), number (file, group, "beam_center_y") };
}

/* `n` numbers; FALSE: not there or all zero. */
static gboolean
read_row (hid_t file, const char *group, const char *name, gsize n, double *values)
{
  g_autofree char *path = below (group, name);
  gsize got = 0;
  g_autofree double *numbers = fl_h5_read_numbers (file, "", path, n, &got, NULL);
  if (numbers == NULL || got != n)
    return FALSE;
  memcpy (values, numbers, n * sizeof *values);
  for (gsize i = 0; i < n; i++)
    if (values[i] != 0)
      return TRUE;
  return FALSE;
}

/* The image as the synchrotrons' beam centres mean it: seen from the sample fs runs to the right and ss down, which is
 * −x and −y in our frame (x points to the left of who looks along the beam with y up). Masters of the first Eiger tell
 * orientation and translation as well, in a frame whose z is against the beam. */
static gboolean
place_by_centre (Builder *b, const FlNxmxDetector *d, Module *module)
{
  Facts facts = find_facts (b->file, d->group);
  double o[6], t[3];
  FlVec3 fs = fl_vec3 (-1, 0, 0), ss = fl_vec3 (0, -1, 0);
  if (!(facts.pixel_x > 0) || !(facts.pixel_y > 0))
    return FALSE;
  gboolean centre = facts.distance > 0 && isfinite (facts.centre_x) && isfinite (facts.centre_y);
  gboolean oriented = read_row (b->file, d->group, "geometry/orientation/value", 6, o);
  gboolean moved = read_row (b->file, d->group, "geometry/translation/distances", 3, t) && t[2] != 0;
  if (oriented)
    {
      fs = fl_vec3_unit (fl_vec3 (o[0], o[1], -o[2]));
      ss = fl_vec3_unit (fl_vec3 (o[3], o[4], -o[5]));
      if (!(fabs (fl_vec3_dot (fs, ss)) < 0.1 && fl_vec3_norm (fs) > 0.9 && fl_vec3_norm (ss) > 0.9))
        return FALSE;
    }
  if (!centre && !(moved && oriented))
    return FALSE;
  module->fs = fl_vec3_scale (fs, facts.pixel_x);
  module->ss = fl_vec3_scale (ss, facts.pixel_y);
  if (moved && oriented)
    module->origin = fl_vec3 (t[0] * 1e3, t[1] * 1e3, -t[2] * 1e3);
  else
    {
      FlVec3 normal = fl_vec3_cross (fs, ss);
      double away = normal.z < 0 ? -facts.distance : facts.distance;
      module->origin = fl_vec3_sub (fl_vec3_scale (normal, away),
                                    fl_vec3_add (fl_vec3_scale (module->fs, facts.centre_x),
                                                 fl_vec3_scale (module->ss, facts.centre_y)));
    }
  return TRUE;
}

/* Chains that leave out what the beam centre says, or that put a lone panel before the sample, are as some beamlines
 * write them; DIALS mends both as well. */
static void
mend_place (Builder *b, const FlNxmxDetector *d, Module *module)
{
  Facts facts = find_facts (b->file, d->group);
  FlVec3 normal = fl_vec3_unit (fl_vec3_cross (module->fs, module->ss));
  if (module->origin.x == 0 && module->origin.y == 0 && isfinite (facts.centre_x)
      && isfinite (facts.centre_y))
    {
      module->origin = fl_vec3_sub (module->origin, fl_vec3_add (fl_vec3_scale (module->fs, facts.centre_x),
                                                                 fl_vec3_scale (module->ss, facts.centre_y)));
      g_ptr_array_add (b->notes,
                       g_strdup ("the chain ends in the beam: beam_center_x and _y place the panel"));
    }
  if (module->origin.z == 0 && facts.distance > 0 && fabs (normal.z) > 0.99)
    {
      module->origin.z = facts.distance;
      g_ptr_array_add (b->notes, g_strdup ("the chain has no distance: the detector's is taken"));
    }
  if (module->origin.z < 0 && fabs (normal.z) > 0.99)
    {
      module->origin.z = -module->origin.z;
      g_ptr_array_add (b->notes,
                       g_strdup ("the chain puts the panel before the sample: taken to be behind it"));
    }
}

/* --- a detector --- */

/* A number for all pixels and frames; NAN: none such. */
static double
lone_number (hid_t file, const char *beside, const char *name)
{
  if (beside == NULL) /* metadata without frames */
    return NAN;
  g_autofree char *group = g_path_get_dirname (beside), *path = below (group, name);
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
  return factor > 0 ? 1 / factor : number (file, d->group, "detector_information/adus_per_photon");
}

static gboolean
add_module (Builder *b, const FlNxmxDetector *d, const char *group, gsize index, gboolean *placed,
            GError **error)
{
  g_autofree char *gains_path = below (d->group, "detectorSpecific/counts_per_photon");
  gsize n_gains = 0;
  g_autofree double *gains = fl_h5_read_numbers (b->file, "", gains_path, 1 << 20, &n_gains, NULL);
  double gain = gains != NULL && index < n_gains ? gains[index] : find_gain (b->file, d);
  Module module = { .gain = gain > 0 && isfinite (gain) ? gain : 1 };
  gboolean alone = b->parts->detectors->len == 1 && (d->modules[0] == NULL || d->modules[1] == NULL);
  GError *local = NULL;
  if (!place_in_array (b, d, group, &module, error))
    return FALSE;
  gboolean chained = place_by_chain (b, d, group, &module, &local);
  if (chained && alone)
    mend_place (b, d, &module);
  *placed = chained || (alone && place_by_centre (b, d, &module));
  if (!*placed && local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (local != NULL)
    g_ptr_array_add (b->notes, g_strdup_printf ("placed by beam centre and distance: %s", local->message));
  g_clear_error (&local);
  module.name = d->modules[0] == NULL ? g_strdup ("p0") : g_path_get_basename (group);
  g_array_append_val (b->all, module);
  g_ptr_array_add (b->data, d->data);
  return TRUE;
}

/* Has as many values as the images have pixels (or frames of them), in rows as long: an array of planes and one of rows
 * below each other are the same. */
static gboolean
fits_as_mask (hid_t file, const char *path, const FlNxmxDetector *d, const Module *module)
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
find_masks (Builder *b, const FlNxmxDetector *d, const Module *module, char *masks[FL_GEOM_MASKS])
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
      g_autofree char *path = below (d->group, names[i]);
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
describe_panel (Builder *b, guint i, const Module *module)
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
add_detector (Builder *b, const FlNxmxDetector *d, gboolean *placed, GError **error)
{
  guint first = b->all->len;
  for (gsize i = 0; i == 0 || d->modules[i] != NULL; i++)
    if (!add_module (b, d, d->modules[0] != NULL ? d->modules[i] : d->group, i, placed, error))
      return FALSE;
    else if (d->modules[0] == NULL)
      break;
  char *masks[FL_GEOM_MASKS] = { NULL };
  find_masks (b, d, &g_array_index (b->all, Module, first), masks);
  if (g_array_index (b->all, Module, first).channels && d->dims[1] > 1)
    g_ptr_array_add (b->notes, g_strdup_printf ("%s has %u channels (thresholds): the first is read", d->data,
                                                (guint) d->dims[1]));
  for (guint i = first; i < b->all->len; i++)
    {
      Module *module = &g_array_index (b->all, Module, i);
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
fill_panels (Builder *b, gboolean placed)
{
  for (guint i = 0; i < b->all->len; i++)
    {
      const Module *module = &g_array_index (b->all, Module, i);
      FlGeomPanel *panel = &g_array_index (b->self->geom->panels, FlGeomPanel, i);
      double step = placed ? fl_vec3_norm (module->fs) : 1;
      g_free (panel->name);
      panel->name = g_strdup (module->name);
      g_free (panel->data);
      panel->data = g_strdup (b->data->pdata[i]);
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
  gboolean counter = dectris || !isnan (number (file, d->group, "bit_depth_readout"))
                     || !isnan (number (file, d->group, "bit_depth_image"));
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
find_limits (Builder *b, const FlNxmxDetector *d, gboolean dectris)
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
  double high = first_number (b->file, d->group, FALSE, cutoffs),
         low = first_number (b->file, d->group, FALSE, lowest);
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
  g_autofree char *path = below (d->group, "start_time");
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
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Module));
  g_autoptr (GPtrArray) data = g_ptr_array_new (), notes = g_ptr_array_new_with_free_func (g_free);
  g_array_set_clear_func (all, module_clear);
  Builder b = { .file = file,
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
    {
      gboolean placed = FALSE;
      if (!add_detector (&b, &g_array_index (parts->detectors, FlNxmxDetector, i), &placed, error))
        return FALSE;
      self->placed &= placed;
    }
  if (!self->placed && all->len > 1)
    return fl_h5_fail (error, FL_ERROR_INPUT, path,
                       "%u modules without directions, expected a geometry (--geometry) that places them",
                       all->len);
  self->geom = fl_geom_parse (path, text->str, text->len, error);
  if (self->geom == NULL)
    return FALSE;
  fill_panels (&b, self->placed);
  find_limits (&b, first, strcmp (self->format, "NXmx") != 0 && strcmp (self->format, "HDF5") != 0);
  find_times (file, first, self);
  g_autofree char *data_group = first->data != NULL ? g_path_get_dirname (first->data) : NULL,
                  *offset = data_group != NULL ? below (data_group, "data_offset") : NULL;
  if (offset != NULL && fl_h5_exists (file, offset) && lone_number (file, first->data, "data_offset") != 0)
    g_ptr_array_add (notes, g_strdup_printf ("%s is not added to the data", offset));
  Facts facts = find_facts (file, first->group);
  if (!self->placed && facts.distance > 0)
    g_ptr_array_add (notes, g_strdup_printf ("detector distance %.6g mm, but no %s", facts.distance,
                                             facts.pixel_x > 0 ? "beam centre" : "pixel size"));
  for (guint i = 0; i < parts->notes->len; i++)
    g_ptr_array_add (self->geom->notes, g_strdup (parts->notes->pdata[i]));
  for (guint i = 0; i < notes->len; i++)
    g_ptr_array_add (self->geom->notes, g_strdup (notes->pdata[i]));
  return fl_nxmx_beam (file, path, parts, self, error);
}
