#include "engine/sfx/prediction.h"

#include <stdlib.h>

typedef struct
{
  double low, high;
} Interval;

/* Of x: |u + x v|² ≤ square; FALSE: never. */
static gboolean
within_sphere (FlVec3 u, FlVec3 v, double square, Interval *x)
{
  double vv = fl_vec3_dot (v, v), middle = -fl_vec3_dot (u, v) / vv;
  double discriminant = middle * middle - (fl_vec3_dot (u, u) - square) / vv;
  if (!(discriminant >= 0))
    return FALSE;
  double half = sqrt (discriminant);
  *x = (Interval){ middle - half, middle + half };
  return TRUE;
}

typedef struct
{
  const FlShotGeometry *geometry;
  const FlMosaic *mosaic;
  FlVec3 star[3];
  char centring;
  double k, q_max, reach; /* 1/Å; reach: the largest excitation error */
  double widths;
  GArray *rows;
} Walk;

static void
add_reflection (const Walk *walk, const int hkl[3])
{
  if (fl_centring_absent (walk->centring, hkl[0], hkl[1], hkl[2])
      || (hkl[0] == 0 && hkl[1] == 0 && hkl[2] == 0))
    return;
  FlVec3 q = fl_vec3 (0, 0, 0);
  for (int i = 0; i < 3; i++)
    q = fl_vec3_add (q, fl_vec3_scale (walk->star[i], hkl[i]));
  double length = fl_vec3_norm (q), fs, ss;
  FlVec3 s1 = fl_vec3 (q.x, q.y, q.z + walk->k);
  double excitation = fl_vec3_norm (s1) - walk->k;
  guint panel;
  if (length > walk->q_max || fabs (excitation) > walk->widths * fl_mosaic_half_width (walk->mosaic, length)
      || !fl_shot_geometry_meet (walk->geometry, s1, &panel, &fs, &ss))
    return;
  FlReflectionRow row = {
    .h = (gint16) hkl[0], .k = (gint16) hkl[1], .l = (gint16) hkl[2], .panel = (guint16) panel
  };
  row.fs = (float) fs;
  row.ss = (float) ss;
  row.sigma = -1;
  row.excitation = (float) excitation;
  row.partiality = (float) fl_mosaic_partiality (walk->mosaic, length, excitation);
  row.d = (float) (1 / length);
  g_array_append_val (walk->rows, row);
}

/* Integers in the interval, a little widened against rounding: each is judged by itself. */
static void
add_interval (const Walk *walk, int hkl[3], int axis, Interval x)
{
  int last = (int) floor (x.high + 1e-6);
  for (hkl[axis] = (int) ceil (x.low - 1e-6); hkl[axis] <= last; hkl[axis]++)
    add_reflection (walk, hkl);
}

/* One line of lattice points, base + x·star[axis]: where it is within the resolution, within the outer sphere of
 * radius k + reach about −s0, and not within the inner one. */
static void
walk_line (const Walk *walk, int hkl[3], int axis, FlVec3 base)
{
  FlVec3 v = walk->star[axis], from_centre = fl_vec3 (base.x, base.y, base.z + walk->k);
  double outer = walk->k + walk->reach, inner = walk->k - walk->reach;
  Interval ball, shell, hole;
  if (!within_sphere (base, v, walk->q_max * walk->q_max, &ball)
      || !within_sphere (from_centre, v, outer * outer, &shell))
    return;
  Interval x = { MAX (ball.low, shell.low), MIN (ball.high, shell.high) };
  if (inner > 0 && within_sphere (from_centre, v, inner * inner, &hole))
    {
      int before = (int) floor (MIN (x.high, hole.low) + 1e-6);
      add_interval (walk, hkl, axis, (Interval){ x.low, MIN (x.high, hole.low) });
      add_interval (walk, hkl, axis, (Interval){ MAX (MAX (x.low, hole.high), before + 0.5), x.high });
    }
  else
    add_interval (walk, hkl, axis, x);
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const FlReflectionRow *x = a, *y = b;
  if (x->h != y->h)
    return x->h - y->h;
  return x->k != y->k ? x->k - y->k : x->l - y->l;
}

/* All lines of lattice points that meet the ball of resolution. */
static void
walk_lattice (const Walk *walk, int axis)
{
  int i = (axis + 1) % 3, j = (axis + 2) % 3, hkl[3];
  /* Seen along the lines the ball is a disc and the lines are the points of a plane lattice. */
  FlVec3 along = fl_vec3_unit (walk->star[axis]), cross[2];
  cross[0] = fl_vec3_sub (walk->star[i], fl_vec3_scale (along, fl_vec3_dot (walk->star[i], along)));
  cross[1] = fl_vec3_sub (walk->star[j], fl_vec3_scale (along, fl_vec3_dot (walk->star[j], along)));
  double jj = fl_vec3_dot (cross[1], cross[1]), ij = fl_vec3_dot (cross[0], cross[1]) / jj;
  FlVec3 apart = fl_vec3_sub (cross[0], fl_vec3_scale (cross[1], ij));
  int most = (int) (walk->q_max / fl_vec3_norm (apart) + 1e-6);
  for (hkl[i] = -most; hkl[i] <= most; hkl[i]++)
    {
      double rest = walk->q_max * walk->q_max - hkl[i] * hkl[i] * fl_vec3_dot (apart, apart);
      double half = sqrt (MAX (rest, 0) / jj);
      int last = (int) floor (half - hkl[i] * ij + 1e-6);
      FlVec3 row = fl_vec3_scale (walk->star[i], hkl[i]);
      for (hkl[j] = (int) ceil (-half - hkl[i] * ij - 1e-6); hkl[j] <= last; hkl[j]++)
        walk_line (walk, hkl, axis, fl_vec3_add (row, fl_vec3_scale (walk->star[j], hkl[j])));
    }
}

void
fl_predict (const FlShotGeometry *geometry, const FlMat3 *star, char centring, const FlMosaic *mosaic,
            double d_min, GArray *rows)
{
  Walk walk = { .geometry = geometry, .mosaic = mosaic, .centring = centring, .rows = rows };
  walk.k = 1 / geometry->wavelength;
  walk.q_max =
      MIN (1 / d_min, 2 * walk.k + fl_mosaic_most (mosaic, 4 * walk.k)); /* backscattering and a bit */
  walk.widths = mosaic->widths > 0 ? mosaic->widths : 1;
  walk.reach = walk.widths * fl_mosaic_most (mosaic, walk.q_max);
  int axis = 0;
  for (int i = 0; i < 3; i++)
    {
      walk.star[i] = fl_vec3 (star->m[i][0], star->m[i][1], star->m[i][2]);
      if (fl_vec3_norm (walk.star[i]) < fl_vec3_norm (walk.star[axis]))
        axis = i; /* the densest lines are the fewest */
    }
  guint first = rows->len;
  walk_lattice (&walk, axis);
  if (rows->len > first)
    qsort (&g_array_index (rows, FlReflectionRow, first), rows->len - first, sizeof (FlReflectionRow),
           compare_rows);
}
