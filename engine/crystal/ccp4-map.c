#include "engine/crystal/ccp4-map.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

static FlSymmetry *
copy_symmetry (const FlSymmetry *symmetry)
{
  if (symmetry == NULL)
    return fl_symmetry_from_hall (1);
  FlSymmetry *copy = g_new (FlSymmetry, 1);
  *copy = *symmetry;
  copy->ops = g_new (FlSymmetryOperator, symmetry->n);
  memcpy (copy->ops, symmetry->ops, symmetry->n * sizeof *symmetry->ops);
  return copy;
}

FlMap *
fl_map_new (const FlCell *cell, const FlSymmetry *symmetry, const int sampling[3], const int start[3],
            const int n[3])
{
  FlMap *map = g_new0 (FlMap, 1);
  map->cell = *cell;
  map->symmetry = copy_symmetry (symmetry);
  for (int i = 0; i < 3; i++)
    {
      map->sampling[i] = sampling[i];
      map->start[i] = start != NULL ? start[i] : 0;
      map->n[i] = start != NULL ? n[i] : sampling[i];
    }
  map->data = g_new0 (float, fl_map_points (map));
  return map;
}

void
fl_map_free (FlMap *map)
{
  if (map == NULL)
    return;
  fl_symmetry_free (map->symmetry);
  g_free (map->data);
  g_free (map);
}

void
fl_map_measure (FlMap *map)
{
  gsize n = fl_map_points (map);
  double sum = 0, second = 0, third = 0;
  map->min = INFINITY;
  map->max = -INFINITY;
  for (gsize i = 0; i < n; i++)
    {
      double value = (double) map->data[i];
      sum += value;
      map->min = MIN (map->min, value);
      map->max = MAX (map->max, value);
    }
  map->mean = sum / (double) n;
  for (gsize i = 0; i < n; i++)
    {
      double d = (double) map->data[i] - map->mean;
      second += d * d;
      third += d * d * d;
    }
  map->sigma = sqrt (second / (double) n);
  map->skewness = map->sigma > 0 ? third / (double) n / pow (map->sigma, 3) : 0;
}

static inline int
wrap (gint64 i, int n)
{
  int rest = (int) (i % n);
  return rest < 0 ? rest + n : rest;
}

double
fl_map_value (const FlMap *map, const double fractional[3])
{
  int at[3][2];
  double part[3], sum = 0;
  for (int i = 0; i < 3; i++)
    {
      double x = (fractional[i] - floor (fractional[i])) * map->n[i];
      part[i] = x - floor (x);
      at[i][0] = wrap ((gint64) floor (x) - map->start[i], map->n[i]);
      at[i][1] = wrap (at[i][0] + 1, map->n[i]);
    }
  for (int c = 0; c < 8; c++)
    {
      int u = c & 1, v = c >> 1 & 1, w = c >> 2;
      double weight = (u ? part[0] : 1 - part[0]) * (v ? part[1] : 1 - part[1]) * (w ? part[2] : 1 - part[2]);
      sum += weight * (double) *fl_map_at (map, at[0][u], at[1][v], at[2][w]);
    }
  return sum;
}

FlMap *
fl_map_cut (const FlMap *whole, const int start[3], const int n[3])
{
  FlMap *brick = fl_map_new (&whole->cell, whole->symmetry, whole->sampling, start, n);
  const int *s = whole->start, *m = whole->n;
  for (int k = 0; k < n[2]; k++)
    for (int j = 0; j < n[1]; j++)
      {
        int y = wrap (start[1] + j - s[1], m[1]), z = wrap (start[2] + k - s[2], m[2]);
        for (int i = 0; i < n[0]; i++)
          *fl_map_at (brick, i, j, k) = *fl_map_at (whole, wrap (start[0] + i - s[0], m[0]), y, z);
      }
  fl_map_measure (brick);
  return brick;
}

gboolean
fl_map_grid_obeys (const FlSymmetry *symmetry, const int sampling[3])
{
  for (guint o = 0; o < symmetry->n; o++)
    for (int i = 0; i < 3; i++)
      {
        double t = symmetry->ops[o].t[i] * sampling[i];
        if (fabs (t - rint (t)) > 1e-6)
          return FALSE;
        for (int j = 0; j < 3; j++)
          if (symmetry->ops[o].r[i][j] != 0 && sampling[i] != sampling[j])
            return FALSE;
      }
  return TRUE;
}

/* Copies a brick's points to where one operator takes them; how many were new. */
static gsize
spread (const FlMap *brick, const FlSymmetryOperator *op, FlMap *whole, guint8 *known)
{
  gsize found = 0;
  int t[3];
  for (int i = 0; i < 3; i++)
    t[i] = (int) lrint (op->t[i] * whole->n[i]);
  for (int k = 0; k < brick->n[2]; k++)
    for (int j = 0; j < brick->n[1]; j++)
      for (int i = 0; i < brick->n[0]; i++)
        {
          const int x[3] = { brick->start[0] + i, brick->start[1] + j, brick->start[2] + k };
          int y[3];
          for (int a = 0; a < 3; a++)
            y[a] = wrap ((gint64) op->r[a][0] * x[0] + (gint64) op->r[a][1] * x[1]
                             + (gint64) op->r[a][2] * x[2] + t[a],
                         whole->n[a]);
          float *to = fl_map_at (whole, y[0], y[1], y[2]);
          if (known[to - whole->data])
            continue;
          known[to - whole->data] = 1;
          *to = *fl_map_at (brick, i, j, k);
          found++;
        }
  return found;
}

FlMap *
fl_map_complete (const FlMap *brick, GError **error)
{
  if (!fl_map_grid_obeys (brick->symmetry, brick->sampling))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a grid of %d × %d × %d does not obey the map's symmetry, expected one that does",
                   brick->sampling[0], brick->sampling[1], brick->sampling[2]);
      return NULL;
    }
  g_autoptr (FlMap) whole = fl_map_new (&brick->cell, brick->symmetry, brick->sampling, NULL, NULL);
  g_autofree guint8 *known = g_new0 (guint8, fl_map_points (whole));
  gsize found = 0;
  for (guint o = 0; o < brick->symmetry->n && found < fl_map_points (whole); o++)
    found += spread (brick, &brick->symmetry->ops[o], whole, known);
  if (found < fl_map_points (whole))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "the map holds %.0f %% of what makes a whole cell, expected an asymmetric unit",
                   100 * (double) found / (double) fl_map_points (whole));
      return NULL;
    }
  fl_map_measure (whole);
  return g_steal_pointer (&whole);
}
