#include "engine/sfx/shot-geometry.h"

#include <string.h>

#define FARTHEST_SHIFT 3.0 /* mm */
#define GRID           128 /* cells a side */
#define EDGE_SAMPLES   32  /* an edge of a panel */
#define WIDEST         2.5 /* rad of 2θ; panels that reach farther back are in every cell */

/* Directions are laid on a plane by stereographic projection, u = tan (2θ/2): conformal, and finite but straight back. */
struct FlPanelFinder
{
  double u0, v0, per_u, per_v; /* cells per unit */
  guint32 *first;              /* [GRID² + 1]: where a cell's panels begin in `panels` */
  guint16 *panels;             /* rising in a cell: ties go to the first, as in fl_detector_intersect() */
  guint16 *everywhere;         /* panels that the grid does not bound; for directions off the grid */
  guint n_everywhere;
};

typedef struct
{
  double u0, u1, v0, v1;
} Bounds;

static gboolean
project (FlVec3 s1, double *u, double *v)
{
  double scale = s1.z + fl_vec3_norm (s1);
  *u = s1.x / scale;
  *v = s1.y / scale;
  return scale > 0;
}

/* Makes room for one point of a panel's border under all shifts; FALSE where that cannot be bounded. */
static gboolean
include_point (Bounds *bounds, FlVec3 position)
{
  double distance = fl_vec3_norm (position), u, v;
  if (distance < 2 * FARTHEST_SHIFT)
    return FALSE;
  double turn = asin (sqrt (3) * FARTHEST_SHIFT / distance), farthest = fl_two_theta (position) + turn;
  if (farthest > WIDEST || !project (position, &u, &v))
    return FALSE;
  double margin = turn / (2 * pow (cos (farthest / 2), 2));
  bounds->u0 = MIN (bounds->u0, u - margin);
  bounds->u1 = MAX (bounds->u1, u + margin);
  bounds->v0 = MIN (bounds->v0, v - margin);
  bounds->v1 = MAX (bounds->v1, v + margin);
  return TRUE;
}

static gboolean
panel_bounds (const FlPanel *panel, Bounds *bounds)
{
  *bounds = (Bounds){ INFINITY, -INFINITY, INFINITY, -INFINITY };
  for (guint edge = 0; edge < 4; edge++)
    for (guint i = 0; i < EDGE_SAMPLES; i++)
      {
        double along = i / (double) EDGE_SAMPLES, across = edge / 2;
        double fs = panel->n_fs * (edge % 2 ? across : along), ss = panel->n_ss * (edge % 2 ? along : across);
        if (!include_point (bounds, fl_panel_position (panel, fs, ss)))
          return FALSE;
      }
  if (!include_point (bounds, fl_panel_position (panel, panel->n_fs, panel->n_ss)))
    return FALSE;
  /* Edges are arcs and may bulge between the samples: less than one step. */
  double du = (bounds->u1 - bounds->u0) / EDGE_SAMPLES, dv = (bounds->v1 - bounds->v0) / EDGE_SAMPLES;
  *bounds = (Bounds){ bounds->u0 - du, bounds->u1 + du, bounds->v0 - dv, bounds->v1 + dv };
  return TRUE;
}

typedef struct
{
  guint x0, x1, y0, y1; /* cells, the last included */
} Box;

static Box
box_of (const FlPanelFinder *finder, const Bounds *b)
{
  const double last = GRID - 1;
  return (Box){ (guint) CLAMP ((b->u0 - finder->u0) * finder->per_u, 0, last),
                (guint) CLAMP ((b->u1 - finder->u0) * finder->per_u, 0, last),
                (guint) CLAMP ((b->v0 - finder->v0) * finder->per_v, 0, last),
                (guint) CLAMP ((b->v1 - finder->v0) * finder->per_v, 0, last) };
}

/* Lists the panels of each cell. */
static void
fill_cells (FlPanelFinder *finder, const Box *boxes, guint n)
{
  finder->first = g_new0 (guint32, GRID * GRID + 1);
  for (guint i = 0; i < n; i++)
    for (guint y = boxes[i].y0; y <= boxes[i].y1; y++)
      for (guint x = boxes[i].x0; x <= boxes[i].x1; x++)
        finder->first[y * GRID + x + 1]++;
  for (guint cell = 0; cell < GRID * GRID; cell++)
    finder->first[cell + 1] += finder->first[cell];
  finder->panels = g_new (guint16, finder->first[GRID * GRID] + 1);
  guint32 *next = g_new (guint32, GRID * GRID);
  memcpy (next, finder->first, GRID * GRID * sizeof *next);
  for (guint i = 0; i < n; i++)
    for (guint y = boxes[i].y0; y <= boxes[i].y1; y++)
      for (guint x = boxes[i].x0; x <= boxes[i].x1; x++)
        finder->panels[next[y * GRID + x]++] = (guint16) i;
  g_free (next);
}

FlPanelFinder *
fl_panel_finder_new (const FlDetector *detector)
{
  FlPanelFinder *finder = g_new0 (FlPanelFinder, 1);
  guint n = detector->n_panels;
  Bounds *bounds = g_new (Bounds, n + 1), all = { INFINITY, -INFINITY, INFINITY, -INFINITY };
  Box *boxes = g_new (Box, n + 1);
  finder->everywhere = g_new (guint16, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const Bounds *b = &bounds[i];
      if (panel_bounds (&detector->panels[i], &bounds[i]))
        all = (Bounds){ MIN (all.u0, b->u0), MAX (all.u1, b->u1), MIN (all.v0, b->v0), MAX (all.v1, b->v1) };
      else
        {
          bounds[i] = (Bounds){ -INFINITY, INFINITY, -INFINITY, INFINITY };
          finder->everywhere[finder->n_everywhere++] = (guint16) i;
        }
    }
  if (finder->n_everywhere == n)
    all = (Bounds){ -1, 1, -1, 1 };
  finder->u0 = all.u0;
  finder->v0 = all.v0;
  finder->per_u = GRID / (all.u1 - all.u0);
  finder->per_v = GRID / (all.v1 - all.v0);
  for (guint i = 0; i < n; i++)
    boxes[i] = box_of (finder, &bounds[i]);
  fill_cells (finder, boxes, n);
  g_free (bounds);
  g_free (boxes);
  return finder;
}

void
fl_panel_finder_free (FlPanelFinder *finder)
{
  if (finder == NULL)
    return;
  g_free (finder->first);
  g_free (finder->panels);
  g_free (finder->everywhere);
  g_free (finder);
}

/* The panels that the direction may meet. */
static const guint16 *
candidates (const FlPanelFinder *finder, FlVec3 s1, guint *n)
{
  double u, v;
  gboolean ahead = project (s1, &u, &v);
  double x = (u - finder->u0) * finder->per_u, y = (v - finder->v0) * finder->per_v;
  if (!ahead || !(x >= 0 && x < GRID && y >= 0 && y < GRID))
    {
      *n = finder->n_everywhere;
      return finder->everywhere;
    }
  guint cell = (guint) y * GRID + (guint) x;
  *n = finder->first[cell + 1] - finder->first[cell];
  return finder->panels + finder->first[cell];
}

FlVec3
fl_shot_geometry_q (const FlShotGeometry *geometry, guint panel, double fs, double ss)
{
  FlVec3 position =
      fl_vec3_add (fl_panel_position (&geometry->detector->panels[panel], fs, ss), geometry->shift);
  FlVec3 s1 = fl_vec3_unit (position);
  return fl_vec3_scale (fl_vec3 (s1.x, s1.y, s1.z - 1), 1 / geometry->wavelength);
}

/* As fl_detector_intersect() does it, of one shifted panel; TRUE when nearer than *nearest, which it then becomes. */
static gboolean
meet_panel (const FlPanel *panel, FlVec3 shift, FlVec3 s1, double *fs, double *ss, double *nearest)
{
  FlVec3 origin = fl_vec3_add (panel->origin, shift), normal = fl_vec3_cross (panel->fs, panel->ss);
  double along = fl_vec3_dot (s1, normal);
  if (along == 0)
    return FALSE;
  double t = fl_vec3_dot (origin, normal) / along;
  if (!(t > 0 && t < *nearest))
    return FALSE;
  FlVec3 in_plane = fl_vec3_sub (fl_vec3_scale (s1, t), origin);
  double area = fl_vec3_dot (normal, normal);
  double f = fl_vec3_dot (fl_vec3_cross (in_plane, panel->ss), normal) / area;
  if (!(f >= 0 && f < panel->n_fs))
    return FALSE;
  double s = fl_vec3_dot (fl_vec3_cross (panel->fs, in_plane), normal) / area;
  if (!(s >= 0 && s < panel->n_ss))
    return FALSE;
  *fs = f;
  *ss = s;
  *nearest = t;
  return TRUE;
}

gboolean
fl_shot_geometry_meet (const FlShotGeometry *geometry, FlVec3 s1, guint *panel, double *fs, double *ss)
{
  const FlPanel *panels = geometry->detector->panels;
  double nearest = INFINITY;
  if (geometry->finder != NULL && fabs (geometry->shift.x) <= FARTHEST_SHIFT
      && fabs (geometry->shift.y) <= FARTHEST_SHIFT && fabs (geometry->shift.z) <= FARTHEST_SHIFT)
    {
      guint n;
      const guint16 *some = candidates (geometry->finder, s1, &n);
      for (guint i = 0; i < n; i++)
        if (meet_panel (&panels[some[i]], geometry->shift, s1, fs, ss, &nearest))
          *panel = some[i];
    }
  else
    for (guint i = 0; i < geometry->detector->n_panels; i++)
      if (meet_panel (&panels[i], geometry->shift, s1, fs, ss, &nearest))
        *panel = i;
  return nearest < INFINITY;
}

double
fl_shot_geometry_d_min (const FlShotGeometry *geometry)
{
  double farthest = 0;
  for (guint i = 0; i < geometry->detector->n_panels; i++)
    {
      const FlPanel *panel = &geometry->detector->panels[i];
      /* In front of the sample the farthest point of a flat panel is one of its four corners; behind, it may be any. */
      guint step_fs = MAX (panel->n_fs, 1), step_ss = MAX (panel->n_ss, 1);
      for (guint corner = 0; corner < 4; corner++)
        if (fl_panel_position (panel, corner % 2 * panel->n_fs, corner / 2 * panel->n_ss).z
                + geometry->shift.z
            < 0)
          step_fs = step_ss = 1;
      for (guint ss = 0; ss <= panel->n_ss; ss += step_ss)
        for (guint fs = 0; fs <= panel->n_fs; fs += step_fs)
          farthest = MAX (farthest, fl_vec3_norm (fl_shot_geometry_q (geometry, i, fs, ss)));
    }
  return 1 / farthest;
}
