#include "engine/shots/nxmx-chain.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

/* Longer chains lead back to where they were. */
#define MAX_AXES 64

static void
move_clear (gpointer data)
{
  g_free (((FlNxmxMove *) data)->path);
}

void
fl_nxmx_frame_clear (FlNxmxFrame *frame)
{
  g_clear_pointer (&frame->moves, g_array_unref);
}

char *
fl_nxmx_resolve (const char *group, const char *depends_on)
{
  if (depends_on == NULL || *depends_on == '\0' || strcmp (depends_on, ".") == 0)
    return NULL;
  if (*depends_on == '/')
    return g_strdup (depends_on);
  g_auto (GStrv) parts = g_strsplit (depends_on, "/", -1);
  GString *path = g_string_new (group);
  for (char **part = parts; *part != NULL; part++)
    if (strcmp (*part, "..") == 0)
      g_string_truncate (path, (gsize) (MAX (strrchr (path->str, '/'), path->str) - path->str));
    else if (**part != '\0' && strcmp (*part, ".") != 0)
      g_string_append_printf (path, "/%s", *part);
  return g_string_free (path, FALSE);
}

static char *
next_axis (hid_t file, const char *path)
{
  g_autofree char *depends_on = fl_h5_attribute_text (file, path, "depends_on");
  g_autofree char *group = g_path_get_dirname (path);
  return fl_nxmx_resolve (group, depends_on);
}

/* One axis as it stands at the first frame. */
typedef struct
{
  gboolean rotation, varies;
  FlVec3 vector, offset; /* unit, mm */
  double value, factor;  /* in the file's unit; to mm or rad */
} Axis;

static gboolean
read_axis (hid_t file, const char *file_path, const char *path, Axis *axis, GError **error)
{
  double vector[3] = { 0 }, offset[3] = { 0 };
  g_autofree char *type = fl_h5_attribute_text (file, path, "transformation_type");
  g_autofree char *unit = fl_h5_attribute_text (file, path, "units");
  g_autofree char *offset_unit = fl_h5_attribute_text (file, path, "offset_units");
  gsize n = 0;
  g_autofree double *values = fl_h5_read_numbers (file, file_path, path, (gsize) 1 << 26, &n, error);
  if (values == NULL)
    return FALSE;
  axis->rotation = g_strcmp0 (type, "rotation") == 0;
  axis->value = values[0];
  axis->varies = FALSE;
  for (gsize i = 1; i < n; i++)
    axis->varies |= fabs (values[i] - values[0]) > 1e-9 * (1 + fabs (values[0]));
  axis->factor = axis->rotation ? fl_h5_angle_unit (unit, FL_PI / 180) : fl_h5_length_unit (unit, 1e3);
  if (!fl_h5_attribute_numbers (file, path, "vector", 3, vector) && axis->value != 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "axis %s has no vector, expected three numbers",
                       path);
  fl_h5_attribute_numbers (file, path, "offset", 3, offset);
  /* Offsets without a unit are in the axis' own (so does Diamond write them), or else in m. */
  double own = fl_h5_length_unit (unit, 1e3),
         scale = fl_h5_length_unit (offset_unit, axis->rotation || isnan (own) ? 1e3 : own);
  axis->vector = fl_vec3_unit (fl_vec3 (vector[0], vector[1], vector[2]));
  axis->offset = fl_vec3_scale (fl_vec3 (offset[0], offset[1], offset[2]), isnan (scale) ? 1e3 : scale);
  if (axis->value == 0 && !axis->varies && isnan (axis->factor))
    axis->factor = 0;
  if (!isfinite (axis->value * axis->factor) || !isfinite (fl_vec3_norm (axis->offset))
      || !isfinite (fl_vec3_norm (axis->vector)))
    return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "axis %s: value %g in '%s', expected %s", path,
                       axis->value, unit != NULL ? unit : "", axis->rotation ? "an angle" : "a length");
  if (axis->rotation && axis->varies)
    return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, file_path,
                       "axis %s turns the detector from frame to frame, expected one that stays", path);
  return TRUE;
}

static void
apply (FlNxmxFrame *frame, const Axis *axis, const char *path)
{
  FlVec3 along = axis->offset;
  if (axis->rotation)
    {
      FlMat3 turn = fl_mat3_rotation (axis->vector, axis->value * axis->factor);
      frame->turn = fl_mat3_multiply (&turn, &frame->turn);
      frame->place = fl_mat3_apply (&turn, frame->place);
      for (guint i = 0; i < frame->moves->len; i++)
        {
          FlNxmxMove *move = &g_array_index (frame->moves, FlNxmxMove, i);
          move->step = fl_mat3_apply (&turn, move->step);
        }
    }
  else
    along = fl_vec3_add (along, fl_vec3_scale (axis->vector, axis->value * axis->factor));
  frame->place = fl_vec3_add (frame->place, along);
  if (axis->varies)
    {
      FlNxmxMove move = { g_strdup (path), fl_vec3_scale (axis->vector, axis->factor), axis->value };
      g_array_append_val (frame->moves, move);
    }
}

gboolean
fl_nxmx_chain (hid_t file, const char *file_path, const char *path, FlNxmxFrame *frame, GError **error)
{
  g_autofree char *at = fl_nxmx_resolve ("", path);
  *frame = (FlNxmxFrame){ { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } },
                          { 0, 0, 0 },
                          g_array_new (FALSE, FALSE, sizeof (FlNxmxMove)) };
  g_array_set_clear_func (frame->moves, move_clear);
  for (guint i = 0; at != NULL; i++)
    {
      Axis axis = { 0 };
      if (i == MAX_AXES)
        return fl_h5_fail (error, FL_ERROR_INPUT, file_path, "the axes behind %s depend on each other", path);
      if (!read_axis (file, file_path, at, &axis, error))
        return FALSE;
      apply (frame, &axis, at);
      char *next = next_axis (file, at);
      g_free (at);
      at = next;
    }
  return TRUE;
}
