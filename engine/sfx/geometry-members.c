/* How the members of the levels have moved, as sums over the panels' motions. */
#include "engine/sfx/geometry-private.h"

#define AXES FL_GEOMETRY_AXES

/* Adds the mean shift and the turn of some panels about their middle: `group` G_MAXUINT: all. */
static void
add_body (const FlGeometryLevels *levels, guint group, double sign, double *rows)
{
  guint width = AXES * levels->n_panels, n = 0;
  FlVec3 middle = group == G_MAXUINT ? levels->whole_centre : levels->group_centre[group];
  double square[3] = { 0 };
  for (guint i = 0; i < levels->n_panels; i++)
    if (group == G_MAXUINT || levels->group[i] == group)
      {
        FlVec3 arm = fl_vec3_sub (levels->panel_centre[i], middle);
        const double all[3] = { arm.y * arm.y + arm.z * arm.z, arm.x * arm.x + arm.z * arm.z,
                                arm.x * arm.x + arm.y * arm.y };
        for (guint k = 0; k < 3; k++)
          square[k] += all[k];
        n++;
      }
  for (guint i = 0; i < levels->n_panels; i++)
    if (group == G_MAXUINT || levels->group[i] == group)
      {
        FlVec3 arm = fl_vec3_sub (levels->panel_centre[i], middle);
        /* arm × shift, by shift */
        const double turn[3][3] = { { 0, -arm.z, arm.y }, { arm.z, 0, -arm.x }, { -arm.y, arm.x, 0 } };
        for (guint k = 0; k < 3; k++)
          {
            rows[k * width + AXES * i + k] += sign / n;
            if (n == 1)
              rows[(3 + k) * width + AXES * i + 3 + k] += sign;
            for (guint c = 0; n > 1 && c < 3; c++)
              rows[(3 + k) * width + AXES * i + c] += sign * turn[k][c] / MAX (square[k], 1e-6);
          }
      }
}

double *
fl_geometry_member_weights (const FlGeometryLevels *levels)
{
  guint width = AXES * levels->n_panels, members = 1 + levels->n_groups + levels->n_panels;
  double *weights = g_new0 (double, (gsize) AXES *members *width);
  add_body (levels, G_MAXUINT, 1, weights);
  for (guint group = 0; group < levels->n_groups; group++)
    {
      double *rows = weights + (gsize) AXES * (1 + group) * width;
      add_body (levels, group, 1, rows);
      add_body (levels, G_MAXUINT, -1, rows);
    }
  for (guint i = 0; i < levels->n_panels; i++)
    for (guint k = 0; k < AXES; k++)
      weights[((gsize) AXES * (1 + levels->n_groups + i) + k) * width + AXES * i + k] = 1;
  return weights;
}

/* Shift of a panel's centre and its turn, which is small. */
static void
panel_motion (const FlPanel *a, const FlPanel *b, double *moved)
{
  FlVec3 shift = fl_vec3_sub (fl_panel_position (b, b->n_fs / 2.0, b->n_ss / 2.0),
                              fl_panel_position (a, a->n_fs / 2.0, a->n_ss / 2.0));
  FlVec3 normal_a = fl_vec3_unit (fl_vec3_cross (a->fs, a->ss)),
         normal_b = fl_vec3_unit (fl_vec3_cross (b->fs, b->ss));
  FlVec3 fs_a = fl_vec3_unit (a->fs), fs_b = fl_vec3_unit (b->fs);
  /* Half the sum of eᵢ × eᵢ′ over an orthogonal frame. */
  FlVec3 turn = fl_vec3_add (
      fl_vec3_cross (fs_a, fs_b),
      fl_vec3_add (fl_vec3_cross (normal_a, normal_b),
                   fl_vec3_cross (fl_vec3_cross (normal_a, fs_a), fl_vec3_cross (normal_b, fs_b))));
  const double all[AXES] = { shift.x, shift.y, shift.z, turn.x / 2, turn.y / 2, turn.z / 2 };
  for (guint k = 0; k < AXES; k++)
    moved[k] = all[k];
}

double *
fl_geometry_members_moved (const FlGeometryLevels *levels, const double *weights, const FlDetector *from,
                           const FlDetector *to)
{
  guint width = AXES * levels->n_panels, members = 1 + levels->n_groups + levels->n_panels;
  g_autofree double *panels = g_new (double, width);
  double *moved = g_new0 (double, AXES *members);
  for (guint i = 0; i < levels->n_panels; i++)
    panel_motion (&from->panels[i], &to->panels[i], panels + AXES * i);
  for (guint i = 0; i < AXES * members; i++)
    for (guint k = 0; k < width; k++)
      moved[i] += weights[(gsize) i * width + k] * panels[k];
  return moved;
}
