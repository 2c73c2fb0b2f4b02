/* indexing-pairs.c: all pairs among the lowest spots, cheapest first. */
#include "engine/sfx/indexing-pairs.h"

#include <stdlib.h>

#define ABSOLUTE 0.0012 /* 1/Å: how far a spot may lie from its lattice point */
#define RELATIVE 0.006  /* of |q|: cell and distance are not known better */

enum
{
  LOWEST = 12,
  MOST_POINTS = 20000, /* lattice points looked at */
  MOST_GUESSES = 3000
};

typedef struct
{
  FlVec3 g; /* 1/Å, crystal frame */
  double norm;
  gboolean first; /* stands for all that the lattice's rotations make of it */
} Point;

typedef struct
{
  FlVec3 q;
  double norm;
  guint begin, end; /* points of about its length */
} Low;

typedef struct
{
  const FlIndexCell *cell;
  const FlIndexSpot *spots;
  guint n;
  GArray *points; /* of Point, by length */
  Low low[LOWEST];
  guint n_low, guesses;
  FlOrientation *best;
  guint n_best, most;
} Match;

static int
compare_points (gconstpointer a, gconstpointer b)
{
  const Point *x = a, *y = b;
  return (x->norm > y->norm) - (x->norm < y->norm);
}

static int
compare_lows (gconstpointer a, gconstpointer b)
{
  const Low *x = a, *y = b;
  return (x->norm > y->norm) - (x->norm < y->norm);
}

static int
compare_best (gconstpointer a, gconstpointer b)
{
  const FlOrientation *x = a, *y = b;
  return (x->score < y->score) - (x->score > y->score);
}

static double
tolerance (double norm)
{
  return ABSOLUTE + RELATIVE * norm;
}

/* Is hkl the largest of its equivalents? */
static gboolean
is_first (const FlIndexCell *cell, const int hkl[3])
{
  for (guint n = 0; n < cell->n_rotations; n++)
    for (guint i = 0; i < 3; i++)
      {
        const int *r = cell->rotations[n][i];
        int turned = r[0] * hkl[0] + r[1] * hkl[1] + r[2] * hkl[2];
        if (turned > hkl[i])
          return FALSE;
        if (turned < hkl[i])
          break;
      }
  return TRUE;
}

static void
list_points (Match *m, double q_max)
{
  int limit[3];
  double volume = 1;
  for (guint i = 0; i < 3; i++)
    {
      limit[i] = (int) (m->cell->length[i] * q_max);
      volume *= 2 * limit[i] + 1;
    }
  if (volume > 8 * MOST_POINTS)
    return;
  FlMat3 columns = fl_mat3_transpose (&m->cell->star);
  for (int h = -limit[0]; h <= limit[0]; h++)
    for (int k = -limit[1]; k <= limit[1]; k++)
      for (int l = -limit[2]; l <= limit[2]; l++)
        {
          Point p = { .g = fl_mat3_apply (&columns, fl_vec3 (h, k, l)) };
          p.norm = fl_vec3_norm (p.g);
          p.first = is_first (m->cell, (const int[]){ h, k, l });
          if (p.norm > 0 && p.norm <= q_max)
            g_array_append_val (m->points, p);
        }
  g_array_sort (m->points, compare_points);
}

static void
find_lows (Match *m)
{
  g_autofree Low *all = g_new0 (Low, m->n);
  for (guint i = 0; i < m->n; i++)
    {
      all[i].q = m->spots[i].q;
      all[i].norm = fl_vec3_norm (m->spots[i].q);
    }
  qsort (all, m->n, sizeof *all, compare_lows);
  m->n_low = MIN (m->n, LOWEST);
  for (guint i = 0; i < m->n_low; i++)
    m->low[i] = all[i];
}

static void
find_ranges (Match *m)
{
  for (guint i = 0; i < m->n_low; i++)
    {
      Low *low = &m->low[i];
      double t = tolerance (low->norm);
      const Point *p = (const Point *) (gpointer) m->points->data;
      while (low->begin < m->points->len && p[low->begin].norm < low->norm - t)
        low->begin++;
      for (low->end = low->begin; low->end < m->points->len && p[low->end].norm < low->norm + t;)
        low->end++;
    }
}

/* Unit vectors along a, along what of b is across a, and the third. */
static FlMat3
frame (FlVec3 a, FlVec3 b)
{
  FlVec3 x = fl_vec3_unit (a), z = fl_vec3_unit (fl_vec3_cross (a, b)), y = fl_vec3_cross (z, x);
  return (FlMat3){ { { x.x, x.y, x.z }, { y.x, y.y, y.z }, { z.x, z.y, z.z } } };
}

static void
keep (Match *m, const FlMat3 *real, double score)
{
  guint at = m->n_best;
  if (at < m->most)
    m->n_best++;
  else
    {
      at = 0;
      for (guint i = 1; i < m->most; i++)
        if (m->best[i].score < m->best[at].score)
          at = i;
      if (m->best[at].score >= score)
        return;
    }
  m->best[at] = (FlOrientation){ *real, score };
}

static void
guess (Match *m, const Low *a, const Low *b, const Point *ga, const Point *gb)
{
  FlMat3 lab = frame (a->q, b->q), crystal = frame (ga->g, gb->g);
  FlMat3 to_crystal = fl_mat3_transpose (&crystal), turn = fl_mat3_multiply (&to_crystal, &lab);
  FlMat3 real = fl_mat3_multiply (&m->cell->real, &turn), star = fl_mat3_multiply (&m->cell->star, &turn);
  double score = 0;
  for (guint i = 0; i < m->n; i++)
    {
      FlVec3 h = fl_mat3_apply (&real, m->spots[i].q),
             off = fl_vec3 (h.x - rint (h.x), h.y - rint (h.y), h.z - rint (h.z));
      FlVec3 d = fl_vec3_add (fl_vec3_scale (fl_mat3_row (&star, 0), off.x),
                              fl_vec3_add (fl_vec3_scale (fl_mat3_row (&star, 1), off.y),
                                           fl_vec3_scale (fl_mat3_row (&star, 2), off.z)));
      double t = MIN (2 * tolerance (fl_vec3_norm (m->spots[i].q)), 0.35 * m->cell->shortest_star);
      score += m->spots[i].weight * MAX (0, 1 - fl_vec3_dot (d, d) / (t * t));
    }
  m->guesses++;
  keep (m, &real, score);
}

static void
match_pair (Match *m, const Low *a, const Low *b)
{
  const Point *p = (const Point *) (gpointer) m->points->data;
  if (fl_vec3_norm (fl_vec3_cross (a->q, b->q)) < 0.2 * a->norm * b->norm)
    return;
  double across = fl_vec3_norm (fl_vec3_sub (a->q, b->q)), t = tolerance (across) + 0.5 * tolerance (a->norm);
  for (guint i = a->begin; i < a->end; i++)
    for (guint j = b->begin; p[i].first && j < b->end; j++)
      if (fabs (fl_vec3_norm (fl_vec3_sub (p[i].g, p[j].g)) - across) < t)
        {
          guess (m, a, b, &p[i], &p[j]);
          if (m->guesses >= MOST_GUESSES)
            return;
        }
}

guint
fl_index_pairs (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlOrientation *best, guint most)
{
  Match m = { .cell = cell, .spots = spots, .n = n, .best = best, .most = most };
  if (n < 2)
    return 0;
  m.points = g_array_new (FALSE, FALSE, sizeof (Point));
  find_lows (&m);
  list_points (&m, m.low[m.n_low - 1].norm + tolerance (m.low[m.n_low - 1].norm));
  find_ranges (&m);
  for (guint sum = 1; sum < 2 * m.n_low && m.guesses < MOST_GUESSES; sum++)
    for (guint i = 0; i < m.n_low && i < sum; i++)
      if (sum - i < m.n_low && i < sum - i)
        match_pair (&m, &m.low[i], &m.low[sum - i]);
  g_array_unref (m.points);
  qsort (best, m.n_best, sizeof *best, compare_best);
  return m.n_best;
}
