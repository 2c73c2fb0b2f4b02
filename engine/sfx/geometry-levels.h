/* geometry-levels.h: how a detector may move: as a whole, by groups of panels, by panels.
 *
 * A member of a level (the whole, a group, a panel) is a rigid body: a shift (mm) along the laboratory's x, y, z and a turn
 * (rad) about them through its centre. What levels share (all panels of a group moved alike) is settled by restraints: each
 * motion is expected to be about `sigma` from where the detector started, and the larger the level the wider that is, so
 * that what panels have in common goes to their group. Members with too few spots have no motion of their own. The turn of
 * the whole about the beam is never free: no crystal can tell it from its own orientation.
 * Beside the levels, windows (runs, or spans of them) may each have a shift of the whole (x, y, with the distance also z).
 * Thread: any; immutable once made. */
#pragma once

#include "engine/shots/detector.h"

#define FL_GEOMETRY_AXES 6 /* x, y, z (mm), turns about x, y, z (rad) */

typedef enum
{
  FL_GEOMETRY_WHOLE,
  FL_GEOMETRY_GROUPS,
  FL_GEOMETRY_PANELS,
  FL_GEOMETRY_LEVELS,                      /* how many */
  FL_GEOMETRY_WINDOWS = FL_GEOMETRY_LEVELS /* of parameters: the shift of a window */
} FlGeometryLevel;

typedef struct
{
  FlGeometryLevel level; /* the finest that moves */
  gboolean distance;     /* the whole's z */
  gboolean tilt;         /* the whole's turns about x and y */
  gboolean out_of_plane; /* groups' and panels' z and turns about x and y */
  guint n_windows;       /* 0: the detector stays where it is */
} FlGeometryFreedom;

/* One number that is refined. */
typedef struct
{
  FlGeometryLevel level;
  guint member, axis;
  double sigma; /* mm or rad, of the restraint */
} FlGeometryParameter;

typedef struct
{
  guint n_panels, n_groups, n_windows, n;
  guint *group;                                      /* n_panels */
  FlVec3 whole_centre, *group_centre, *panel_centre; /* mm */
  FlGeometryParameter *parameters;                   /* n */
} FlGeometryLevels;

/* `group` (n_panels numbers from 0; copied) says which group a panel belongs to. freedom NULL: nothing moves. Panels and groups
 * with fewer than `least` of `spots` (n_panels; NULL: all have enough) do not move by themselves. */
FlGeometryLevels *fl_geometry_levels_new (const FlDetector *detector, const guint *group,
                                          const FlGeometryFreedom *freedom, const guint *spots, guint least);
void fl_geometry_levels_free (FlGeometryLevels *levels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGeometryLevels, fl_geometry_levels_free)

/* Does parameter i move that panel? Then `motion`: its shift and turn about its own centre, per unit of the parameter. */
gboolean fl_geometry_levels_motion (const FlGeometryLevels *levels, guint i, guint panel,
                                    double motion[FL_GEOMETRY_AXES]);
/* A detector whose panels lie as in `from`, moved by `step` (n numbers; NULL: not). Mask, gains and files' matters are left
 * behind. */
FlDetector *fl_geometry_moved (const FlGeometryLevels *levels, const FlDetector *from, const double *step);
