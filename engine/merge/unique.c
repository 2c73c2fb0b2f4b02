#include "engine/merge/unique.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/merge/merge.h"

#define MINUS    (1u << 31) /* in the table: this index is a Friedel mate */
#define NOTHING  G_MAXUINT32
#define MOST     (1ull << 30)
#define D_LEEWAY 1e-9 /* of 1/d²: a reflection at the very limit is in */

struct FlUniqueList
{
  FlCell cell;
  FlSymmetry *symmetry;
  GArray *reflections; /* FlUnique */
  int limits[3];
  guint32 *
      table; /* [h 0 … H][k −K … K][l −L … L]: number and MINUS; what has h < 0 is the mate of one that is here */
};

static gsize
place (const int limits[3], FlMiller m)
{
  return ((gsize) m.h * (gsize) (2 * limits[1] + 1) + (gsize) (m.k + limits[1])) * (gsize) (2 * limits[2] + 1)
         + (gsize) (m.l + limits[2]);
}

static gboolean
inside (const int limits[3], FlMiller m)
{
  return ABS (m.h) <= limits[0] && ABS (m.k) <= limits[1] && ABS (m.l) <= limits[2];
}

/* Enters all of the indices that are equivalent to number `n`; the mates of an acentric one marked. */
static void
enter (FlUniqueList *self, guint32 n)
{
  const FlUnique *u = &g_array_index (self->reflections, FlUnique, n);
  for (guint i = 0; i < self->symmetry->n; i++)
    {
      FlMiller m = fl_miller_transform (u->hkl, &self->symmetry->ops[i]);
      guint32 mate = u->centric ? 0 : MINUS;
      if (m.h >= 0 && inside (self->limits, m))
        self->table[place (self->limits, m)] = n;
      if (m.h <= 0 && inside (self->limits, m))
        self->table[place (self->limits, (FlMiller){ -m.h, -m.k, -m.l })] = n | mate;
    }
}

static FlSymmetry *
copy_symmetry (const FlSymmetry *symmetry)
{
  FlSymmetry *copy = g_new (FlSymmetry, 1);
  *copy = (FlSymmetry){ symmetry->n, g_new (FlSymmetryOperator, symmetry->n), symmetry->hall };
  memcpy (copy->ops, symmetry->ops, symmetry->n * sizeof *copy->ops);
  return copy;
}

static void
enumerate (FlUniqueList *self, double d_min, double d_max)
{
  FlMat3 metric = fl_cell_reciprocal_metric (&self->cell);
  double most = (1 + D_LEEWAY) / (d_min * d_min), least = d_max > 0 ? (1 - D_LEEWAY) / (d_max * d_max) : 0;
  const int *m = self->limits;
  for (int h = -m[0]; h <= m[0]; h++)
    for (int k = -m[1]; k <= m[1]; k++)
      for (int l = 0; l <= m[2]; l++) /* no representative has l < 0 */
        {
          double d2 = fl_inverse_d_squared (&metric, h, k, l);
          FlMiller hkl = { h, k, l };
          if (d2 > most || d2 < least || d2 <= 0 || fl_unique_list_find (self, hkl, NULL) != NOTHING)
            continue;
          FlReflectionClass class = fl_symmetry_classify (self->symmetry, hkl);
          FlMiller r = class.representative;
          if (class.absent || r.h != h || r.k != k || r.l != l)
            continue;
          FlUnique u = { hkl, (float) (1 / sqrt (d2)), (guint16) class.epsilon, class.centric ? 1 : 0 };
          g_array_append_val (self->reflections, u);
          enter (self, self->reflections->len - 1);
        }
}

FlUniqueList *
fl_unique_list_new (const FlCell *cell, const FlSymmetry *symmetry, double d_min, double d_max,
                    GError **error)
{
  double indices = 1, lengths[3] = { cell->a, cell->b, cell->c };
  for (int i = 0; i < 3; i++)
    indices *= 2 * floor (lengths[i] / d_min) + 1;
  if (!(d_min > 0 && indices <= (double) MOST))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a cell of %.1f × %.1f × %.1f Å has too many reflections to %g Å, at most 2^30 indices "
                   "can be merged",
                   cell->a, cell->b, cell->c, d_min);
      return NULL;
    }
  FlUniqueList *self = g_new0 (FlUniqueList, 1);
  self->cell = *cell;
  self->symmetry = copy_symmetry (symmetry);
  self->reflections = g_array_new (FALSE, FALSE, sizeof (FlUnique));
  fl_cell_limits (cell, d_min, self->limits);
  gsize n =
      (gsize) (self->limits[0] + 1) * (gsize) (2 * self->limits[1] + 1) * (gsize) (2 * self->limits[2] + 1);
  self->table = g_new (guint32, n);
  memset (self->table, 0xff, n * sizeof *self->table);
  enumerate (self, d_min, d_max);
  return self;
}

void
fl_unique_list_free (FlUniqueList *list)
{
  if (list == NULL)
    return;
  fl_symmetry_free (list->symmetry);
  g_array_unref (list->reflections);
  g_free (list->table);
  g_free (list);
}

guint
fl_unique_list_n (const FlUniqueList *list)
{
  return list->reflections->len;
}

const FlUnique *
fl_unique_list_at (const FlUniqueList *list, guint number)
{
  return &g_array_index (list->reflections, FlUnique, number);
}

const FlCell *
fl_unique_list_cell (const FlUniqueList *list)
{
  return &list->cell;
}

guint32
fl_unique_list_find (const FlUniqueList *list, FlMiller hkl, gboolean *minus)
{
  if (!inside (list->limits, hkl))
    return FL_UNIQUE_NONE;
  gboolean turned = hkl.h < 0;
  FlMiller m = turned ? (FlMiller){ -hkl.h, -hkl.k, -hkl.l } : hkl;
  guint32 entry = list->table[place (list->limits, m)];
  if (entry == NOTHING)
    return FL_UNIQUE_NONE;
  guint32 number = entry & ~MINUS;
  if (minus != NULL)
    *minus = (entry & MINUS) ? !turned : turned && !fl_unique_list_at (list, number)->centric;
  return number;
}
