#include "engine/crystal/reindexing.h"

#include <stdlib.h>
#include <string.h>

#include "engine/crystal/lattice-private.h"

#define SCALE 12 /* all entries are whole in twelfths */

/* From the pure translations; 'P' for any that are not of the Tables. */
static char
centring_of (const FlSymmetry *symmetry)
{
  guint n = 0;
  int t[3] = { 0 };
  for (guint i = 0; i < symmetry->n; i++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[i];
      gboolean pure = TRUE;
      for (int j = 0; j < 9; j++)
        pure = pure && op->r[j / 3][j % 3] == (j % 4 == 0);
      if (!pure)
        continue;
      for (int j = 0; j < 3 && i > 0; j++)
        t[j] = (int) lrint (op->t[j] * 2);
      n++;
    }
  if (n == 2)
    return t[0] && t[1] && t[2] ? 'I' : !t[0] ? 'A' : !t[1] ? 'B' : 'C';
  return n == 3 ? 'R' : n == 4 ? 'F' : 'P';
}

static FlIntMat3
times (const FlIntMat3 *a, const FlIntMat3 *b)
{
  FlIntMat3 c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      c.m[i][j] = (a->m[i][0] * b->m[0][j] + a->m[i][1] * b->m[1][j] + a->m[i][2] * b->m[2][j]) / SCALE;
  return c;
}

static gboolean
contains (const FlIntMat3 *list, guint n, const FlIntMat3 *r)
{
  for (guint i = 0; i < n; i++)
    if (memcmp (&list[i], r, sizeof *r) == 0)
      return TRUE;
  return FALSE;
}

/* The Laue group's rotations, in twelfths; mirrors as the rotations that they are with an inversion. */
static guint
list_laue_rotations (const FlSymmetry *symmetry, FlIntMat3 *list)
{
  guint n = 0;
  for (guint i = 0; i < symmetry->n; i++)
    {
      FlIntMat3 r;
      memcpy (r.m, symmetry->ops[i].r, sizeof r.m);
      int scale = fl_int_mat3_determinant (&r) * SCALE;
      for (int j = 0; j < 9; j++)
        r.m[j / 3][j % 3] *= scale;
      if (n < FL_LATTICE_MOST_ROTATIONS && !contains (list, n, &r))
        list[n++] = r;
    }
  return n;
}

/* The lattice's rotations on Miller indices of `conventional`, in twelfths. */
static guint
list_lattice_rotations (const FlMat3 *conventional, FlMat3 primitive, double length_tolerance,
                        double angle_tolerance, FlIntMat3 *list)
{
  FlLatticeRotations rotations;
  if (!fl_lattice_rotations (&primitive, length_tolerance, angle_tolerance, &rotations))
    return 0;
  /* With conventional = T · primitive, h r becomes h T⁻ᵀ r Tᵀ. */
  FlMat3 inverse = fl_mat3_inverse (&primitive), t = fl_mat3_multiply (conventional, &inverse);
  t = fl_mat3_transpose (&t);
  FlMat3 t_inverse = fl_mat3_inverse (&t);
  for (guint i = 0; i < rotations.n; i++)
    {
      FlMat3 r;
      for (int j = 0; j < 9; j++)
        r.m[j / 3][j % 3] = rotations.r[i].m[j / 3][j % 3];
      r = fl_mat3_multiply (&t_inverse, &r);
      r = fl_mat3_multiply (&r, &t);
      for (int j = 0; j < 9; j++)
        list[i].m[j / 3][j % 3] = (int) lrint (r.m[j / 3][j % 3] * SCALE);
    }
  return rotations.n;
}

/* Small numbers and few signs are easier to read; then any order, so that the choice is fixed. */
static gboolean
simpler (const FlIntMat3 *a, const FlIntMat3 *b)
{
  int size[2] = { 0 }, negative[2] = { 0 };
  const FlIntMat3 *both[2] = { a, b };
  for (int n = 0; n < 2; n++)
    for (int j = 0; j < 9; j++)
      {
        size[n] += abs (both[n]->m[j / 3][j % 3]);
        negative[n] += both[n]->m[j / 3][j % 3] < 0;
      }
  if (size[0] != size[1])
    return size[0] < size[1];
  if (negative[0] != negative[1])
    return negative[0] < negative[1];
  return memcmp (a, b, sizeof *a) > 0;
}

static FlReindexing
reduced (const FlIntMat3 *r)
{
  int divisor = SCALE;
  for (int j = 0; j < 9; j++)
    {
      int x = divisor, y = abs (r->m[j / 3][j % 3]);
      while (y != 0)
        {
          int rest = x % y;
          x = y;
          y = rest;
        }
      divisor = x;
    }
  FlReindexing result = { .divisor = SCALE / divisor };
  for (int j = 0; j < 9; j++)
    result.r[j / 3][j % 3] = r->m[j / 3][j % 3] / divisor;
  return result;
}

FlReindexing *
fl_reindexing_ambiguities (const FlCell *cell, const FlSymmetry *symmetry, double length_tolerance,
                           double angle_tolerance, guint *n)
{
  FlIntMat3 laue[FL_LATTICE_MOST_ROTATIONS], all[FL_LATTICE_MOST_ROTATIONS], seen[FL_LATTICE_MOST_ROTATIONS];
  FlMat3 conventional = fl_cell_basis (cell), star = fl_lattice_star (&conventional);
  star = fl_lattice_primitive (&star, centring_of (symmetry));
  guint n_laue = list_laue_rotations (symmetry, laue), n_seen = 0;
  guint n_all =
      list_lattice_rotations (&conventional, fl_lattice_real (&star), length_tolerance, angle_tolerance, all);
  FlReindexing *list = g_new (FlReindexing, MAX (n_all, 1));
  *n = 0;
  for (guint i = 0; i < n_all; i++)
    {
      FlIntMat3 best = all[i];
      if (contains (laue, n_laue, &all[i]) || contains (seen, n_seen, &all[i]))
        continue;
      for (guint j = 0; j < n_laue; j++)
        {
          FlIntMat3 other = times (&all[i], &laue[j]);
          if (simpler (&other, &best))
            best = other;
          if (n_seen < G_N_ELEMENTS (seen) && !contains (seen, n_seen, &other))
            seen[n_seen++] = other;
        }
      list[(*n)++] = reduced (&best);
    }
  return list;
}

/* As q = Σ h a* stays where it is, the new a is Σ r a / divisor, summed over columns of r. */
FlCell
fl_reindexing_cell (const FlReindexing *r, const FlCell *cell)
{
  FlMat3 basis = fl_cell_basis (cell), factors;
  for (int j = 0; j < 9; j++)
    factors.m[j % 3][j / 3] = (double) r->r[j / 3][j % 3] / r->divisor;
  basis = fl_mat3_multiply (&factors, &basis);
  FlMat3 star = fl_lattice_star (&basis);
  return fl_lattice_cell (&star);
}

char *
fl_reindexing_words (const FlReindexing *r)
{
  g_autoptr (GString) words = g_string_new (NULL);
  for (guint j = 0; j < 3; j++)
    {
      g_autoptr (GString) one = g_string_new (NULL);
      for (guint i = 0; i < 3; i++)
        {
          int factor = r->r[i][j];
          if (factor == 0)
            continue;
          g_string_append (one, factor < 0 ? "-" : one->len > 0 ? "+" : "");
          if (ABS (factor) != 1)
            g_string_append_printf (one, "%d", ABS (factor));
          g_string_append_c (one, "hkl"[i]);
        }
      g_string_append (words, j > 0 ? "," : "");
      if (r->divisor != 1)
        g_string_append_printf (words, "(%s)/%d", one->str, r->divisor);
      else
        g_string_append (words, one->str);
    }
  return g_strdup (words->str);
}
