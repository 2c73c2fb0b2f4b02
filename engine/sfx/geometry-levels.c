#include "engine/sfx/geometry-levels.h"

#include "engine/base/units.h"

/* How far a level's members are expected to be from where they should: px (of the first panel) and degrees. */
static const double usual_shift[FL_GEOMETRY_LEVELS + 1] = { 100, 10, 3, 1 }, usual_turn[] = { 1, 1, 0.5 };

static FlVec3
centre_of (const FlPanel *panel)
{
  return fl_panel_position (panel, 0.5 * panel->n_fs, 0.5 * panel->n_ss);
}

static void
set_centres (FlGeometryLevels *levels, const FlDetector *detector)
{
  g_autofree guint *count = g_new0 (guint, levels->n_groups);
  for (guint i = 0; i < levels->n_panels; i++)
    {
      FlVec3 centre = levels->panel_centre[i] = centre_of (&detector->panels[i]);
      FlVec3 *group = &levels->group_centre[levels->group[i]];
      *group = fl_vec3_add (*group, centre);
      count[levels->group[i]]++;
      levels->whole_centre =
          fl_vec3_add (levels->whole_centre, fl_vec3_scale (centre, 1.0 / levels->n_panels));
    }
  for (guint i = 0; i < levels->n_groups; i++)
    levels->group_centre[i] = fl_vec3_scale (levels->group_centre[i], 1.0 / MAX (count[i], 1));
}

static gboolean
is_free (const FlGeometryFreedom *freedom, FlGeometryLevel level, guint axis)
{
  if (level > freedom->level)
    return FALSE;
  if (axis < 2)
    return TRUE;
  if (level != FL_GEOMETRY_WHOLE)
    return axis == 5 || freedom->out_of_plane;
  return axis == 2 ? freedom->distance : axis < 5 && freedom->tilt;
}

static void
add_parameter (FlGeometryLevels *levels, FlGeometryLevel level, guint member, guint axis, double pixel)
{
  double sigma = axis < 3 ? usual_shift[level] * pixel : fl_radians (usual_turn[level]);
  levels->parameters[levels->n++] = (FlGeometryParameter){ level, member, axis, sigma };
}

/* Spots of a level's members. */
static void
count_spots (const FlGeometryLevels *levels, FlGeometryLevel level, const guint *spots, guint *count)
{
  for (guint i = 0; i < levels->n_panels; i++)
    count[level == FL_GEOMETRY_WHOLE    ? 0
          : level == FL_GEOMETRY_GROUPS ? levels->group[i]
                                        : i] += spots != NULL ? spots[i] : G_MAXUINT / levels->n_panels;
}

/* A member that is all of the level above it moves with that. */
static void
add_level (FlGeometryLevels *levels, const FlGeometryFreedom *freedom, FlGeometryLevel level, double pixel,
           const guint *spots, guint least)
{
  const guint members[FL_GEOMETRY_LEVELS] = { 1, levels->n_groups, levels->n_panels };
  g_autofree guint *count = g_new0 (guint, members[level]), *of_group = g_new0 (guint, levels->n_groups);
  count_spots (levels, level, spots, count);
  for (guint i = 0; i < levels->n_panels; i++)
    of_group[levels->group[i]]++;
  if (level == FL_GEOMETRY_GROUPS && levels->n_groups == 1)
    return;
  for (guint member = 0; member < members[level]; member++)
    for (guint axis = 0; axis < FL_GEOMETRY_AXES; axis++)
      if (is_free (freedom, level, axis) && (level == FL_GEOMETRY_WHOLE || count[member] >= least)
          && (level != FL_GEOMETRY_PANELS || of_group[levels->group[member]] > 1))
        add_parameter (levels, level, member, axis, pixel);
}

static void
add_parameters (FlGeometryLevels *levels, const FlGeometryFreedom *freedom, double pixel, const guint *spots,
                guint least)
{
  guint most = FL_GEOMETRY_AXES * (1 + levels->n_groups + levels->n_panels) + 3 * freedom->n_windows;
  levels->parameters = g_new (FlGeometryParameter, most);
  levels->n_windows = freedom->n_windows;
  for (FlGeometryLevel level = FL_GEOMETRY_WHOLE; level <= freedom->level; level++)
    add_level (levels, freedom, level, pixel, spots, least);
  for (guint window = 0; window < freedom->n_windows; window++)
    for (guint axis = 0; axis < (freedom->distance ? 3 : 2); axis++)
      add_parameter (levels, FL_GEOMETRY_WINDOWS, window, axis, pixel);
}

FlGeometryLevels *
fl_geometry_levels_new (const FlDetector *detector, const guint *group, const FlGeometryFreedom *freedom,
                        const guint *spots, guint least)
{
  FlGeometryLevels *levels = g_new0 (FlGeometryLevels, 1);
  levels->n_panels = detector->n_panels;
  levels->group = g_new (guint, levels->n_panels);
  for (guint i = 0; i < levels->n_panels; i++)
    {
      levels->group[i] = group[i];
      levels->n_groups = MAX (levels->n_groups, group[i] + 1);
    }
  levels->group_centre = g_new0 (FlVec3, levels->n_groups);
  levels->panel_centre = g_new0 (FlVec3, levels->n_panels);
  set_centres (levels, detector);
  if (freedom != NULL)
    add_parameters (levels, freedom, fl_vec3_norm (detector->panels[0].fs), spots, least);
  return levels;
}

void
fl_geometry_levels_free (FlGeometryLevels *levels)
{
  g_free (levels->group);
  g_free (levels->group_centre);
  g_free (levels->panel_centre);
  g_free (levels->parameters);
  g_free (levels);
}

static gboolean
is_of (const FlGeometryLevels *levels, const FlGeometryParameter *parameter, guint panel)
{
  if (parameter->level == FL_GEOMETRY_WINDOWS)
    return FALSE;
  return parameter->level == FL_GEOMETRY_WHOLE
         || parameter->member == (parameter->level == FL_GEOMETRY_GROUPS ? levels->group[panel] : panel);
}

static FlVec3
pivot_of (const FlGeometryLevels *levels, FlGeometryLevel level, guint panel)
{
  return level == FL_GEOMETRY_WHOLE    ? levels->whole_centre
         : level == FL_GEOMETRY_GROUPS ? levels->group_centre[levels->group[panel]]
                                       : levels->panel_centre[panel];
}

static FlVec3
axis_of (guint axis)
{
  return fl_vec3 (axis % 3 == 0, axis % 3 == 1, axis % 3 == 2);
}

gboolean
fl_geometry_levels_motion (const FlGeometryLevels *levels, guint i, guint panel,
                           double motion[FL_GEOMETRY_AXES])
{
  const FlGeometryParameter *parameter = &levels->parameters[i];
  if (!is_of (levels, parameter, panel))
    return FALSE;
  FlVec3 axis = axis_of (parameter->axis), none = fl_vec3 (0, 0, 0);
  FlVec3 arm = fl_vec3_sub (levels->panel_centre[panel], pivot_of (levels, parameter->level, panel));
  FlVec3 turn = parameter->axis < 3 ? none : axis,
         shift = parameter->axis < 3 ? axis : fl_vec3_cross (axis, arm);
  const double all[FL_GEOMETRY_AXES] = { shift.x, shift.y, shift.z, turn.x, turn.y, turn.z };
  for (guint k = 0; k < FL_GEOMETRY_AXES; k++)
    motion[k] = all[k];
  return TRUE;
}

/* Moves one panel as one level's member is moved. */
static void
move (FlPanel *panel, FlVec3 pivot, FlVec3 shift, FlVec3 turn)
{
  FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (turn), fl_vec3_norm (turn));
  FlVec3 arm = fl_mat3_apply (&rotation, fl_vec3_sub (panel->origin, pivot));
  panel->origin = fl_vec3_add (fl_vec3_add (pivot, shift), arm);
  panel->fs = fl_mat3_apply (&rotation, panel->fs);
  panel->ss = fl_mat3_apply (&rotation, panel->ss);
}

static void
copy_panel (FlPanel *to, const FlPanel *from)
{
  g_free (to->name);
  to->name = g_strdup (from->name);
  to->n_fs = from->n_fs;
  to->n_ss = from->n_ss;
  to->offset = from->offset;
  to->stride = from->stride;
  to->origin = from->origin;
  to->fs = from->fs;
  to->ss = from->ss;
  to->pixel_size = from->pixel_size;
  to->gain = from->gain;
}

FlDetector *
fl_geometry_moved (const FlGeometryLevels *levels, const FlDetector *from, const double *step)
{
  FlDetector *detector = fl_detector_new (from->n_panels, 0);
  detector->placed = from->placed;
  detector->wavelength = from->wavelength;
  for (guint i = 0; i < from->n_panels; i++)
    copy_panel (&detector->panels[i], &from->panels[i]);
  if (step == NULL)
    return detector;
  for (guint i = 0; i < from->n_panels; i++)
    {
      FlVec3 shift[FL_GEOMETRY_LEVELS] = { 0 }, turn[FL_GEOMETRY_LEVELS] = { 0 };
      for (guint k = 0; k < levels->n; k++)
        {
          const FlGeometryParameter *p = &levels->parameters[k];
          if (!is_of (levels, p, i))
            continue;
          FlVec3 *of = p->axis < 3 ? &shift[p->level] : &turn[p->level];
          *of = fl_vec3_add (*of, fl_vec3_scale (axis_of (p->axis), step[k]));
        }
      for (guint level = FL_GEOMETRY_LEVELS; level-- > 0;)
        move (&detector->panels[i], pivot_of (levels, (FlGeometryLevel) level, i), shift[level], turn[level]);
    }
  return detector;
}
