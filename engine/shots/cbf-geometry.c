#include "engine/shots/cbf-geometry.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/flat-panel.h"

typedef struct
{
  const FlCbf *cbf;
  const char *path;
  FlDetector *detector;
  GError **error;
} Builder;

static gboolean G_GNUC_PRINTF (2, 3) fail (Builder *builder, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  /* Names from the file may hold anything; a message is one line. */
  g_autofree char *message = g_strdelimit (g_strdup_vprintf (format, args), "\n\r\t", ' ');
  va_end (args);
  g_set_error (builder->error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", builder->path, message);
  return FALSE;
}

static FlVec3
to_our_frame (FlVec3 v)
{
  return fl_vec3 (-v.x, v.y, -v.z);
}

/* --- axes --- */

static FlVec3
axis_vector (const FlCbf *cbf, guint row, const char *what)
{
  double v[3];
  for (int i = 0; i < 3; i++)
    {
      g_autofree char *column = g_strdup_printf ("axis.%s[%d]", what, i + 1);
      v[i] = fl_cbf_number (cbf, column, row, 0);
    }
  return fl_vec3 (v[0], v[1], v[2]);
}

/* Degrees or mm; a frame's own value goes before the scan's. */
static double
axis_setting (const FlCbf *cbf, const char *id, gboolean rotation)
{
  int row = fl_cbf_find (cbf, "diffrn_scan_frame_axis.axis_id", id, 0);
  double v = row < 0
                 ? NAN
                 : fl_cbf_number (
                     cbf, rotation ? "diffrn_scan_frame_axis.angle" : "diffrn_scan_frame_axis.displacement",
                     (guint) row, NAN);
  if (!isnan (v))
    return v;
  row = fl_cbf_find (cbf, "diffrn_scan_axis.axis_id", id, 0);
  return row < 0 ? 0
                 : fl_cbf_number (
                     cbf, rotation ? "diffrn_scan_axis.angle_start" : "diffrn_scan_axis.displacement_start",
                     (guint) row, 0);
}

/* Carries a position and two directions, given in the frame of axis `id`, up to the laboratory. */
static gboolean
follow_axes (Builder *builder, const char *id, FlVec3 *position, FlVec3 *fast, FlVec3 *slow)
{
  const FlCbf *cbf = builder->cbf;
  guint n_axes = fl_cbf_n_rows (cbf, "axis.id");
  for (guint depth = 0; id != NULL; depth++)
    {
      int row = fl_cbf_find (cbf, "axis.id", id, 0);
      if (row < 0)
        return fail (builder, "axis %s is not described, expected it in the axis table", id);
      if (depth > n_axes)
        return fail (builder, "axis %s depends on itself", id);
      const char *type = fl_cbf_text (cbf, "axis.type", (guint) row);
      gboolean rotation = g_strcmp0 (type, "rotation") == 0;
      if (!rotation && g_strcmp0 (type, "translation") != 0)
        return fail (builder, "axis %s is of type %s, expected rotation or translation", id,
                     type != NULL ? type : ".");
      FlVec3 axis = fl_vec3_unit (axis_vector (cbf, (guint) row, "vector"));
      FlVec3 offset = axis_vector (cbf, (guint) row, "offset");
      double setting = axis_setting (cbf, id, rotation);
      if (rotation)
        {
          FlMat3 turn = fl_mat3_rotation (axis, fl_radians (setting));
          *position = fl_mat3_apply (&turn, *position);
          *fast = fl_mat3_apply (&turn, *fast);
          *slow = fl_mat3_apply (&turn, *slow);
        }
      else
        *position = fl_vec3_add (*position, fl_vec3_scale (axis, setting));
      *position = fl_vec3_add (*position, offset);
      id = fl_cbf_text (cbf, "axis.depends_on", (guint) row);
    }
  return TRUE;
}

/* --- panels --- */

/* The array_structure_list row of a section's (or, without sections, an array's) direction; precedence 1 is fast. */
static int
find_direction (const FlCbf *cbf, const char *name_column, const char *name, int precedence)
{
  for (int row = fl_cbf_find (cbf, name_column, name, 0); row >= 0;
       row = fl_cbf_find (cbf, name_column, name, (guint) row + 1))
    if (fl_cbf_number (cbf, "array_structure_list.precedence", (guint) row, 0) == precedence)
      return row;
  return -1;
}

typedef struct
{
  const char *axis;   /* id */
  double first, step; /* mm along the axis: of the first pixel, and to the next, which may be backwards */
  guint size;         /* px */
  guint index;        /* dimension of the array, from 1 */
} Direction;

static gboolean
read_direction (Builder *builder, const char *name_column, const char *name, int precedence,
                Direction *direction)
{
  const FlCbf *cbf = builder->cbf;
  int row = find_direction (cbf, name_column, name, precedence);
  if (row < 0)
    return fail (builder, "panel %s has no direction of precedence %d in array_structure_list", name,
                 precedence);
  const char *way = fl_cbf_text (cbf, "array_structure_list.direction", (guint) row);
  if (way != NULL && strcmp (way, "increasing") != 0)
    return fail (builder, "panel %s has a direction that is %s, expected increasing", name, way);
  const char *set = fl_cbf_text (cbf, "array_structure_list.axis_set_id", (guint) row);
  double size = fl_cbf_number (cbf, "array_structure_list.dimension", (guint) row, 0);
  double index = fl_cbf_number (cbf, "array_structure_list.index", (guint) row, 0);
  if (set == NULL || !(size >= 1 && size < 1 << 20) || !(index >= 1 && index <= 3))
    return fail (builder, "panel %s has no complete row in array_structure_list", name);
  int axis_row = fl_cbf_find (cbf, "array_structure_list_axis.axis_set_id", set, 0);
  if (axis_row < 0)
    return fail (builder, "axis set %s of panel %s is missing in array_structure_list_axis", set, name);
  direction->axis = fl_cbf_text (cbf, "array_structure_list_axis.axis_id", (guint) axis_row);
  direction->first = fl_cbf_number (cbf, "array_structure_list_axis.displacement", (guint) axis_row, 0);
  direction->step =
      fl_cbf_number (cbf, "array_structure_list_axis.displacement_increment", (guint) axis_row, 0);
  direction->size = (guint) size;
  direction->index = (guint) index;
  if (direction->axis == NULL || !(fabs (direction->step) > 0))
    return fail (builder, "panel %s has no pixel size in array_structure_list_axis", name);
  return TRUE;
}

/* By the dictionary the displacement is that of the first pixel's centre; the writers of XFEL files leave it 0 and put
 * the axis' offset at the corner. */
static double
corner_shift (const Direction *direction)
{
  return direction->first == 0 ? 0 : direction->first - 0.5 * direction->step;
}

static gboolean
place_panel (Builder *builder, FlPanel *panel, const Direction *fast, const Direction *slow)
{
  const FlCbf *cbf = builder->cbf;
  int fast_row = fl_cbf_find (cbf, "axis.id", fast->axis, 0),
      slow_row = fl_cbf_find (cbf, "axis.id", slow->axis, 0);
  if (fast_row < 0 || slow_row < 0)
    return fail (builder, "axis %s is not described, expected it in the axis table",
                 fast_row < 0 ? fast->axis : slow->axis);
  FlVec3 f = fl_vec3_unit (axis_vector (cbf, (guint) fast_row, "vector"));
  FlVec3 s = fl_vec3_unit (axis_vector (cbf, (guint) slow_row, "vector"));
  FlVec3 corner =
      fl_vec3_add (fl_vec3_scale (f, corner_shift (fast)), fl_vec3_scale (s, corner_shift (slow)));
  if (!follow_axes (builder, fast->axis, &corner, &f, &s))
    return FALSE;
  if (!(fl_vec3_norm (fl_vec3_cross (f, s)) > 1e-6))
    return fail (builder, "panel %s has no two directions, its axes are parallel", panel->name);
  panel->n_fs = fast->size;
  panel->n_ss = slow->size;
  panel->pixel_size = fabs (fast->step);
  panel->fs = to_our_frame (fl_vec3_scale (f, fast->step));
  panel->ss = to_our_frame (fl_vec3_scale (s, slow->step));
  panel->origin = to_our_frame (corner);
  return TRUE;
}

/* First pixel of a section in each dimension of its array, from 0. */
static gboolean
section_start (Builder *builder, const char *name, gsize start[3])
{
  const FlCbf *cbf = builder->cbf;
  static const char column[] = "array_structure_list_section.id";
  start[0] = start[1] = start[2] = 0;
  for (int row = fl_cbf_find (cbf, column, name, 0); row >= 0;
       row = fl_cbf_find (cbf, column, name, (guint) row + 1))
    {
      double index = fl_cbf_number (cbf, "array_structure_list_section.index", (guint) row, 0);
      double first = fl_cbf_number (cbf, "array_structure_list_section.start", (guint) row, 1);
      if (!(index >= 1 && index <= 3) || !(first >= 1 && first < 1 << 30))
        return fail (builder, "section %s has no index and start that make sense", name);
      start[(int) index - 1] = (gsize) first - 1;
    }
  return TRUE;
}

/* The binary section of an array, and where it begins in the shot's pixels. */
static const FlCbfSection *
find_array (const FlCbf *cbf, const char *array, gsize *offset)
{
  int row = fl_cbf_find (cbf, "array_data.array_id", array, 0);
  guint number = row >= 0 ? (guint) row : cbf->sections->len == 1 ? 0 : G_MAXUINT;
  if (number >= cbf->sections->len)
    return NULL;
  *offset = 0;
  for (guint i = 0; i < number; i++)
    *offset += g_array_index (cbf->sections, FlCbfSection, i).n_elements;
  return &g_array_index (cbf->sections, FlCbfSection, number);
}

static gboolean
locate_panel (Builder *builder, FlPanel *panel, const char *array, gboolean has_sections,
              const Direction *fast, const Direction *slow)
{
  gsize start[3] = { 0 }, offset = 0;
  const FlCbfSection *section = find_array (builder->cbf, array, &offset);
  if (section == NULL)
    return fail (builder, "array %s has no binary section", array != NULL ? array : ".");
  if (has_sections && !section_start (builder, panel->name, start))
    return FALSE;
  const gsize *dims = section->coding.dims;
  guint third = 6 - fast->index - slow->index;
  if (fast->index != 1 || slow->index == 1)
    return fail (builder, "panel %s has fast index %u and slow index %u, expected 1 and another", panel->name,
                 fast->index, slow->index);
  if (start[0] + fast->size > dims[0] || start[slow->index - 1] + slow->size > dims[slow->index - 1]
      || start[third - 1] >= dims[third - 1])
    return fail (builder,
                 "panel %s lies outside its array of %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                 " x %" G_GSIZE_FORMAT,
                 panel->name, dims[0], dims[1], dims[2]);
  gsize strides[3] = { 1, dims[0], dims[0] * dims[1] };
  panel->offset = offset + start[0] + start[1] * strides[1] + start[2] * strides[2];
  panel->stride = strides[slow->index - 1];
  return TRUE;
}

static void
read_intensities (Builder *builder, FlPanel *panel, const char *array)
{
  const FlCbf *cbf = builder->cbf;
  int row = fl_cbf_find (cbf, "array_intensities.array_id", array, 0);
  if (row < 0)
    return;
  double gain = fl_cbf_number (cbf, "array_intensities.gain", (guint) row, 1);
  double overload = fl_cbf_number (cbf, "array_intensities.overload", (guint) row, INFINITY);
  double undefined = fl_cbf_number (cbf, "array_intensities.undefined_value", (guint) row, -INFINITY);
  panel->gain = gain > 0 ? gain : 1;
  if (overload > undefined)
    {
      panel->saturation = panel->trusted_max = overload;
      panel->trusted_min = undefined;
    }
}

static gboolean
read_panel (Builder *builder, FlPanel *panel, const char *name_column, const char *name,
            gboolean has_sections)
{
  Direction fast, slow;
  g_free (panel->name);
  panel->name = g_strdup (name);
  if (!read_direction (builder, name_column, name, 1, &fast)
      || !read_direction (builder, name_column, name, 2, &slow)
      || !place_panel (builder, panel, &fast, &slow))
    return FALSE;
  const char *array = fl_cbf_text (builder->cbf, "array_structure_list.array_id",
                                   (guint) find_direction (builder->cbf, name_column, name, 1));
  if (!locate_panel (builder, panel, array, has_sections, &fast, &slow))
    return FALSE;
  read_intensities (builder, panel, array);
  return TRUE;
}

/* Pixels between the panels are bad. */
static void
mask_gaps (FlDetector *detector)
{
  memset (detector->mask, 1, detector->n_pixels);
  for (guint i = 0; i < detector->n_panels; i++)
    for (guint ss = 0; ss < detector->panels[i].n_ss; ss++)
      memset (detector->mask + detector->panels[i].offset + ss * detector->panels[i].stride, 0,
              detector->panels[i].n_fs);
}

static gboolean
read_panels (Builder *builder, gsize n_pixels)
{
  const FlCbf *cbf = builder->cbf;
  gboolean has_sections = fl_cbf_n_rows (cbf, "array_structure_list_section.id") > 0
                          && fl_cbf_n_rows (cbf, "array_structure_list.array_section_id") > 0;
  const char *name_column =
      has_sections ? "array_structure_list.array_section_id" : "array_structure_list.array_id";
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint row = 0; row < fl_cbf_n_rows (cbf, name_column); row++)
    {
      const char *name = fl_cbf_text (cbf, name_column, row);
      if (name != NULL && fl_cbf_find (cbf, name_column, name, 0) == (int) row)
        g_ptr_array_add (names, (char *) name);
    }
  if (names->len == 0)
    return fail (builder, "the header describes no panel, expected array_structure_list");
  builder->detector = fl_detector_new (names->len, n_pixels);
  for (guint i = 0; i < names->len; i++)
    if (!read_panel (builder, &builder->detector->panels[i], name_column, names->pdata[i], has_sections))
      return FALSE;
  mask_gaps (builder->detector);
  builder->detector->placed = TRUE;
  return TRUE;
}

/* --- all --- */

double
fl_cbf_wavelength (const FlCbf *cbf)
{
  const char *header = fl_cbf_text (cbf, "array_data.header_contents", 0);
  double v = fl_cbf_number (cbf, "diffrn_radiation_wavelength.wavelength", 0, 0);
  if (!(v > 0) && header != NULL)
    v = fl_dectris_wavelength (header);
  return v > 0 && isfinite (v) ? v : 0;
}

FlDetector *
fl_cbf_detector (const FlCbf *cbf, const char *path, GError **error)
{
  Builder builder = { .cbf = cbf, .path = path, .error = error };
  const char *header = fl_cbf_text (cbf, "array_data.header_contents", 0);
  const FlCbfSection *first = &g_array_index (cbf->sections, FlCbfSection, 0);
  gsize n_pixels = 0;
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < cbf->sections->len; i++)
    {
      const FlCbfSection *section = &g_array_index (cbf->sections, FlCbfSection, i);
      n_pixels += section->n_elements;
      if (section->type != first->type)
        ok = fail (&builder, "binary sections have different element types, expected one");
    }
  if (ok && cbf->sections->len == 1 && fl_cbf_n_rows (cbf, "axis.id") == 0)
    builder.detector = fl_dectris_detector (header != NULL ? header : "", (guint) first->coding.dims[0],
                                            (guint) (first->coding.dims[1] * first->coding.dims[2]));
  else
    ok = ok && read_panels (&builder, n_pixels);
  if (!ok)
    {
      fl_detector_unref (builder.detector);
      return NULL;
    }
  builder.detector->wavelength = fl_cbf_wavelength (cbf);
  return builder.detector;
}
