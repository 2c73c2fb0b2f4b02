#include "engine/crystal/symmetry.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/crystal/space-group.h"

#define MAX_OPERATORS FL_SYMMETRY_MOST

/* Twelfths make all translations of the 230 groups (sixths and quarters) whole. */
static int
twelfths (double t)
{
  int n = (int) lrint (t * 12) % 12;
  return n < 0 ? n + 12 : n;
}

static gboolean
same_operator (const FlSymmetryOperator *a, const FlSymmetryOperator *b)
{
  if (memcmp (a->r, b->r, sizeof a->r) != 0)
    return FALSE;
  for (int i = 0; i < 3; i++)
    if (twelfths (a->t[i]) != twelfths (b->t[i]))
      return FALSE;
  return TRUE;
}

static FlSymmetryOperator
product (const FlSymmetryOperator *a, const FlSymmetryOperator *b)
{
  FlSymmetryOperator c = { 0 };
  for (int i = 0; i < 3; i++)
    {
      double t = a->t[i];
      for (int j = 0; j < 3; j++)
        {
          t += a->r[i][j] * b->t[j];
          for (int k = 0; k < 3; k++)
            c.r[i][j] += a->r[i][k] * b->r[k][j];
        }
      c.t[i] = twelfths (t) / 12.0;
    }
  return c;
}

static gboolean
contains (const GArray *ops, const FlSymmetryOperator *op)
{
  for (guint i = 0; i < ops->len; i++)
    if (same_operator (&g_array_index (ops, FlSymmetryOperator, i), op))
      return TRUE;
  return FALSE;
}

/* Of determinant ±1 and without the large numbers that no group has. */
static gboolean
is_sane (const FlSymmetryOperator *op)
{
  const int (*r)[3] = op->r;
  for (int i = 0; i < 9; i++)
    if (r[i / 3][i % 3] < -9 || r[i / 3][i % 3] > 9)
      return FALSE;
  int determinant = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1])
                    - r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0])
                    + r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
  return determinant == 1 || determinant == -1;
}

/* All products, until nothing new comes. */
static gboolean
close_group (GArray *ops)
{
  for (guint i = 0; i < ops->len; i++)
    if (!is_sane (&g_array_index (ops, FlSymmetryOperator, i)))
      return FALSE;
  for (guint i = 0; i < ops->len; i++)
    for (guint j = 0; j < ops->len; j++)
      {
        FlSymmetryOperator c = product (&g_array_index (ops, FlSymmetryOperator, i),
                                        &g_array_index (ops, FlSymmetryOperator, j));
        if (contains (ops, &c))
          continue;
        if (ops->len >= MAX_OPERATORS || !is_sane (&c))
          return FALSE;
        g_array_append_val (ops, c);
      }
  return TRUE;
}

/* One term of "x-y+1/2" at *p: a signed letter or a signed fraction. */
static gboolean
parse_term (const char **p, int row[3], double *t)
{
  double sign = 1;
  if (**p == '+' || **p == '-')
    sign = *(*p)++ == '-' ? -1 : 1;
  char letter = g_ascii_tolower (**p);
  if (letter >= 'x' && letter <= 'z')
    {
      row[letter - 'x'] += (int) sign;
      (*p)++;
      return TRUE;
    }
  char *end;
  double value = g_ascii_strtod (*p, &end);
  if (end == *p)
    return FALSE;
  *p = end;
  if (**p == '/')
    {
      double divisor = g_ascii_strtod (*p + 1, &end);
      if (end == *p + 1 || divisor == 0)
        return FALSE;
      value /= divisor;
      *p = end;
    }
  *t += sign * value;
  return TRUE;
}

static gboolean
parse_operator (const char *text, FlSymmetryOperator *op)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  if (g_strv_length (parts) != 3)
    return FALSE;
  memset (op, 0, sizeof *op);
  for (int i = 0; i < 3; i++)
    {
      const char *p = g_strstrip (parts[i]);
      if (*p == '\0')
        return FALSE;
      while (*p != '\0')
        if (!parse_term (&p, op->r[i], &op->t[i]))
          return FALSE;
      if (!isfinite (op->t[i]) || fabs (op->t[i]) > 100)
        return FALSE;
      op->t[i] = twelfths (op->t[i]) / 12.0;
    }
  return TRUE;
}

/* Takes over `ops`, the identity first. */
static FlSymmetry *
symmetry_of_operators (GArray *ops)
{
  if (ops->len > MAX_OPERATORS || !close_group (ops))
    {
      g_array_free (ops, TRUE);
      return NULL;
    }
  FlSymmetry *symmetry = g_new (FlSymmetry, 1);
  symmetry->n = ops->len;
  symmetry->ops = (FlSymmetryOperator *) (void *) g_array_free (ops, FALSE);
  symmetry->hall = fl_space_group_of_operators (symmetry);
  return symmetry;
}

static GArray *
identity_alone (void)
{
  FlSymmetryOperator identity = { .r = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  GArray *ops = g_array_new (FALSE, FALSE, sizeof identity);
  return g_array_append_val (ops, identity);
}

FlSymmetry *
fl_symmetry_from_words (const char *const *words, GError **error)
{
  g_autoptr (GArray) ops = identity_alone ();
  for (const char *const *word = words; *word != NULL; word++)
    {
      FlSymmetryOperator op;
      if (!parse_operator (*word, &op))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "'%s' is not a symmetry operator, expected one like '-Y+1/2,X+1/2,Z+3/4'", *word);
          return NULL;
        }
      if (!contains (ops, &op))
        g_array_append_val (ops, op);
    }
  FlSymmetry *symmetry = symmetry_of_operators (g_steal_pointer (&ops));
  if (symmetry == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the symmetry operators make no group of %d or fewer",
                 MAX_OPERATORS);
  return symmetry;
}

void
fl_symmetry_free (FlSymmetry *symmetry)
{
  if (symmetry == NULL)
    return;
  g_free (symmetry->ops);
  g_free (symmetry);
}

static gboolean
precedes (FlMiller a, FlMiller b)
{
  if (a.l != b.l)
    return a.l > b.l;
  if (a.k != b.k)
    return a.k > b.k;
  return a.h > b.h;
}

FlReflectionClass
fl_symmetry_classify (const FlSymmetry *symmetry, FlMiller m)
{
  FlReflectionClass c = { .representative = m };
  for (guint i = 0; i < symmetry->n; i++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[i];
      FlMiller e = fl_miller_transform (m, op);
      FlMiller friedel = { -e.h, -e.k, -e.l };
      if (e.h == m.h && e.k == m.k && e.l == m.l)
        {
          c.epsilon++;
          c.absent |= twelfths (m.h * op->t[0] + m.k * op->t[1] + m.l * op->t[2]) != 0;
        }
      c.centric |= friedel.h == m.h && friedel.k == m.k && friedel.l == m.l;
      if (precedes (e, c.representative))
        c.representative = e;
      if (precedes (friedel, c.representative))
        c.representative = friedel;
    }
  return c;
}
