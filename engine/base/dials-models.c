#include "engine/base/dials-models.h"

#include <math.h>

#define MAX_DEPTH 32 /* of groups in groups */

typedef struct
{
  FlMat3 axes; /* columns: fast, slow, normal */
  FlVec3 origin;
} Frame;

typedef struct
{
  const json_t *models;
  GArray *panels; /* of FlDialsPanel */
  GArray *groups; /* may be NULL */
  gboolean *placed;
} Reading;

gboolean
fl_dials_numbers (const json_t *array, double *values, guint n)
{
  if (!json_is_array (array) || json_array_size (array) != n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      values[i] = json_number_value (json_array_get (array, i));
      if (!json_is_number (json_array_get (array, i)) || !isfinite (values[i]))
        return FALSE;
    }
  return TRUE;
}

const json_t *
fl_dials_model (const json_t *root, const json_t *experiment, const char *name)
{
  const json_t *index = json_object_get (experiment, name);
  json_int_t at = json_is_integer (index) ? json_integer_value (index) : -1;
  return at >= 0 ? json_array_get (json_object_get (root, name), (size_t) at) : NULL;
}

gboolean
fl_dials_turn (const json_t *beam, FlMat3 *turn)
{
  static const FlMat3 half_turn = { { { -1, 0, 0 }, { 0, 1, 0 }, { 0, 0, -1 } } };
  double d[3];
  if (!fl_dials_numbers (json_object_get (beam, "direction"), d, 3))
    return FALSE;
  FlVec3 travels =
      fl_vec3_unit (fl_vec3 (d[0], -d[1], d[2])); /* minus the direction to the source, half-turned */
  FlVec3 axis = fl_vec3_cross (travels, fl_vec3 (0, 0, 1));
  double sine = fl_vec3_norm (axis);
  FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (axis), atan2 (sine, travels.z));
  if (sine < 1e-12)
    {
      if (travels.z <= 0)
        return FALSE;
      rotation = (FlMat3){ { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
    }
  *turn = fl_mat3_multiply (&rotation, &half_turn);
  return TRUE;
}

/* --- panels --- */

/* As it stands where it is of length one but for its last digits, so that it is written again as it was. */
static FlVec3
direction (const double v[3])
{
  FlVec3 d = fl_vec3 (v[0], v[1], v[2]);
  return fabs (fl_vec3_norm (d) - 1) < 1e-9 ? d : fl_vec3_unit (d);
}

/* The frame of a panel or group that stands in another. A group without one stands as that does. */
static gboolean
read_frame (const json_t *model, const Frame *in, gboolean needed, Frame *frame)
{
  double fast[3], slow[3], origin[3];
  if (!needed && json_object_get (model, "fast_axis") == NULL)
    {
      *frame = *in;
      return TRUE;
    }
  if (!fl_dials_numbers (json_object_get (model, "fast_axis"), fast, 3)
      || !fl_dials_numbers (json_object_get (model, "slow_axis"), slow, 3)
      || !fl_dials_numbers (json_object_get (model, "origin"), origin, 3))
    return FALSE;
  FlVec3 f = direction (fast), s = direction (slow), n = fl_vec3_cross (f, s);
  const FlMat3 local = { { { f.x, s.x, n.x }, { f.y, s.y, n.y }, { f.z, s.z, n.z } } };
  frame->axes = fl_mat3_multiply (&in->axes, &local);
  frame->origin =
      fl_vec3_add (in->origin, fl_mat3_apply (&in->axes, fl_vec3 (origin[0], origin[1], origin[2])));
  return fl_vec3_norm (n) > 1e-6;
}

static gboolean
read_panel (Reading *reading, gsize index, const Frame *in)
{
  const json_t *model = json_array_get (reading->models, index);
  const char *name = json_string_value (json_object_get (model, "name"));
  double pixel[2], size[2], range[2] = { -INFINITY, INFINITY }, first[2] = { 0, 0 };
  Frame frame;
  if (model == NULL || reading->placed[index] || !read_frame (model, in, TRUE, &frame)
      || !fl_dials_numbers (json_object_get (model, "pixel_size"), pixel, 2)
      || !fl_dials_numbers (json_object_get (model, "image_size"), size, 2) || !(pixel[0] > 0 && pixel[1] > 0)
      || !(size[0] >= 1 && size[1] >= 1 && size[0] < 1e6 && size[1] < 1e6))
    return FALSE;
  if (!fl_dials_numbers (json_object_get (model, "trusted_range"), range, 2))
    range[0] = -(range[1] = INFINITY);
  if (!fl_dials_numbers (json_object_get (model, "raw_image_offset"), first, 2)
      || !(first[0] >= 0 && first[1] >= 0 && first[0] < 1e6 && first[1] < 1e6))
    first[0] = first[1] = 0;
  const FlMat3 *a = &frame.axes;
  double gain = json_number_value (json_object_get (model, "gain"));
  FlDialsPanel *panel = &g_array_index (reading->panels, FlDialsPanel, index);
  *panel = (FlDialsPanel){ .name = g_strdup (name != NULL ? name : ""),
                           .n_fs = (guint) size[0],
                           .n_ss = (guint) size[1],
                           .origin = frame.origin,
                           .fs = fl_vec3_scale (fl_vec3 (a->m[0][0], a->m[1][0], a->m[2][0]), pixel[0]),
                           .ss = fl_vec3_scale (fl_vec3 (a->m[0][1], a->m[1][1], a->m[2][1]), pixel[1]),
                           .low = range[0],
                           .high = range[1],
                           .gain = gain > 0 && isfinite (gain) ? gain : 1,
                           .first_fs = (guint) first[0],
                           .first_ss = (guint) first[1],
                           .mask = json_object_get (model, "mask") };
  reading->placed[index] = TRUE;
  return TRUE;
}

/* `below` gets the numbers of the panels. */
static gboolean
read_group (Reading *reading, const json_t *group, const Frame *in, guint depth, GArray *below)
{
  const json_t *children = json_object_get (group, "children");
  const char *name = json_string_value (json_object_get (group, "name"));
  Frame frame;
  if (depth > MAX_DEPTH || !read_frame (group, in, FALSE, &frame))
    return FALSE;
  guint first = below->len;
  for (gsize i = 0; i < json_array_size (children); i++)
    {
      const json_t *child = json_array_get (children, i), *number = json_object_get (child, "panel");
      json_int_t at = json_is_integer (number) ? json_integer_value (number) : -1;
      guint index = (guint) at;
      if (number == NULL
              ? !read_group (reading, child, &frame, depth + 1, below)
              : at < 0 || (gsize) at >= reading->panels->len || !read_panel (reading, (gsize) at, &frame))
        return FALSE;
      if (number != NULL)
        g_array_append_val (below, index);
    }
  guint n = below->len - first;
  if (reading->groups == NULL || n < 2 || n == reading->panels->len)
    return TRUE;
  FlDialsGroup new = { g_strdup (name != NULL ? name : ""), g_array_new (FALSE, FALSE, sizeof (guint)) };
  g_array_append_vals (new.panels, &g_array_index (below, guint, first), n);
  g_array_append_val (reading->groups, new);
  return TRUE;
}

static void
panel_clear (gpointer data)
{
  g_free (((FlDialsPanel *) data)->name);
}

static void
group_clear (gpointer data)
{
  g_free (((FlDialsGroup *) data)->name);
  g_array_unref (((FlDialsGroup *) data)->panels);
}

GArray *
fl_dials_groups_new (void)
{
  GArray *groups = g_array_new (FALSE, FALSE, sizeof (FlDialsGroup));
  g_array_set_clear_func (groups, group_clear);
  return groups;
}

GArray *
fl_dials_panels (const json_t *detector, const FlMat3 *turn, GArray *groups)
{
  const json_t *models = json_object_get (detector, "panels"),
               *hierarchy = json_object_get (detector, "hierarchy");
  const Frame laboratory = { .axes = *turn };
  gsize n = json_array_size (models);
  if (n == 0 || n > G_MAXUINT16)
    return NULL;
  g_autoptr (GArray) panels = g_array_new (FALSE, TRUE, sizeof (FlDialsPanel));
  g_autoptr (GArray) below = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree gboolean *placed = g_new0 (gboolean, n);
  Reading reading = { models, panels, groups, placed };
  g_array_set_clear_func (panels, panel_clear);
  g_array_set_size (panels, (guint) n);
  if (hierarchy != NULL && !read_group (&reading, hierarchy, &laboratory, 0, below))
    return NULL;
  for (gsize i = 0; i < n; i++)
    if (!placed[i] && (hierarchy != NULL || !read_panel (&reading, i, &laboratory)))
      return NULL;
  return g_steal_pointer (&panels);
}
