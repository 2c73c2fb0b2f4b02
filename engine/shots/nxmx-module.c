#include "engine/shots/nxmx-module.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

void
fl_nxmx_module_clear (gpointer data)
{
  FlNxmxModule *module = data;
  g_free (module->name);
  for (guint i = 0; i < FL_GEOM_MASKS; i++)
    g_free (module->masks[i]);
}

char *
fl_nxmx_below (const char *group, const char *name)
{
  return g_strdup_printf ("%s/%s", group, name);
}

double
fl_nxmx_number (hid_t file, const char *group, const char *name)
{
  g_autofree char *path = fl_nxmx_below (group, name);
  return fl_h5_read_number (file, path, NAN);
}

static double
length (hid_t file, const char *group, const char *name)
{
  g_autofree char *path = fl_nxmx_below (group, name);
  return fl_h5_read_length (file, path);
}

double
fl_nxmx_first_number (hid_t file, const char *group, gboolean lengths, const char *const *names)
{
  for (; *names != NULL; names++)
    {
      double v = lengths ? length (file, group, *names) : fl_nxmx_number (file, group, *names);
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
  g_autofree char *path = fl_nxmx_below (module, name);
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
origins_count_frames (FlNxmxBuild *b, const FlNxmxDetector *d)
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
has_channels (FlNxmxBuild *b, const FlNxmxDetector *d)
{
  g_auto (GStrv) channels = fl_h5_children (b->file, d->group, "NXdetector_channel");
  return d->rank == 4 && channels[0] != NULL;
}

static gboolean
place_in_array (FlNxmxBuild *b, const FlNxmxDetector *d, const char *group, FlNxmxModule *module,
                GError **error)
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
  g_autofree char *offset = fl_nxmx_below (module, "module_offset");
  if (fl_h5_exists (file, offset))
    return g_steal_pointer (&offset);
  g_autofree char *own = fl_nxmx_below (detector, "depends_on");
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
read_direction (FlNxmxBuild *b, const FlNxmxDetector *d, const char *module, gboolean fast, FlVec3 *step,
                FlVec3 *corner, GError **error)
{
  double vector[3], offset[3] = { 0 };
  g_autofree char *path = fl_nxmx_below (module, fast ? "fast_pixel_direction" : "slow_pixel_direction");
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
place_by_chain (FlNxmxBuild *b, const FlNxmxDetector *d, const char *group, FlNxmxModule *module,
                GError **error)
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

/* Lengths without a unit are m, unless that cannot be: then they were meant in mm. */
static double
sensible (double mm, double most)
{
  return mm > most ? mm * 1e-3 : mm;
}

FlNxmxFacts
fl_nxmx_facts (hid_t file, const char *detector)
{
  static const char *const distances[] = { "detector_distance", "distance", NULL };
  g_autofree char *information = fl_nxmx_below (detector, "detector_information"); /* ESRF */
  const char *group = fl_h5_exists (file, information) ? information : detector;
  return (FlNxmxFacts){ sensible (length (file, group, "x_pixel_size"), 10),
                        sensible (length (file, group, "y_pixel_size"), 10),
                        sensible (fl_nxmx_first_number (file, group, TRUE, distances), 1e5),
                        fl_nxmx_number (file, group, "beam_center_x"),
                        fl_nxmx_number (file, group, "beam_center_y") };
}

/* `n` numbers; FALSE: not there or all zero. */
static gboolean
read_row (hid_t file, const char *group, const char *name, gsize n, double *values)
{
  g_autofree char *path = fl_nxmx_below (group, name);
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
place_by_centre (FlNxmxBuild *b, const FlNxmxDetector *d, FlNxmxModule *module)
{
  FlNxmxFacts facts = fl_nxmx_facts (b->file, d->group);
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
mend_place (FlNxmxBuild *b, const FlNxmxDetector *d, FlNxmxModule *module)
{
  FlNxmxFacts facts = fl_nxmx_facts (b->file, d->group);
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

/* --- both --- */

gboolean
fl_nxmx_module_place (FlNxmxBuild *b, const FlNxmxDetector *d, const char *group, gboolean alone,
                      FlNxmxModule *module, gboolean *placed, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!place_in_array (b, d, group, module, error))
    return FALSE;
  gboolean chained = place_by_chain (b, d, group, module, &local);
  if (chained && alone)
    mend_place (b, d, module);
  *placed = chained || (alone && place_by_centre (b, d, module));
  if (!*placed && local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (local != NULL)
    g_ptr_array_add (b->notes, g_strdup_printf ("placed by beam centre and distance: %s", local->message));
  return TRUE;
}
