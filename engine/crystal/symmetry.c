#include "engine/crystal/symmetry.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define MAX_OPERATORS 192 /* Fm-3m has the most */

/* Generators of the groups that proteins crystallise in (International Tables A), beyond x,y,z. */
static const struct
{
  const char *symbol, *generators;
} groups[] = {
  { "P1", "" },
  { "P2", "-x,y,-z" },
  { "P21", "-x,y+1/2,-z" },
  { "C2", "x+1/2,y+1/2,z;-x,y,-z" },
  { "I2", "x+1/2,y+1/2,z+1/2;-x,y,-z" },
  { "P222", "-x,-y,z;-x,y,-z" },
  { "P2221", "-x,-y,z+1/2;-x,y,-z+1/2" },
  { "P21212", "-x,-y,z;-x+1/2,y+1/2,-z" },
  { "P212121", "-x+1/2,-y,z+1/2;-x,y+1/2,-z+1/2" },
  { "C2221", "x+1/2,y+1/2,z;-x,-y,z+1/2;-x,y,-z+1/2" },
  { "C222", "x+1/2,y+1/2,z;-x,-y,z;-x,y,-z" },
  { "F222", "x,y+1/2,z+1/2;x+1/2,y,z+1/2;-x,-y,z;-x,y,-z" },
  { "I222", "x+1/2,y+1/2,z+1/2;-x,-y,z;-x,y,-z" },
  { "I212121", "x+1/2,y+1/2,z+1/2;-x+1/2,-y,z+1/2;-x,y+1/2,-z+1/2" },
  { "P4", "-y,x,z" },
  { "P41", "-y,x,z+1/4" },
  { "P42", "-y,x,z+1/2" },
  { "P43", "-y,x,z+3/4" },
  { "I4", "x+1/2,y+1/2,z+1/2;-y,x,z" },
  { "I41", "x+1/2,y+1/2,z+1/2;-y,x+1/2,z+1/4" },
  { "P422", "-y,x,z;-x,y,-z" },
  { "P4212", "-y+1/2,x+1/2,z;-x+1/2,y+1/2,-z" },
  { "P4122", "-y,x,z+1/4;-x,y,-z" },
  { "P41212", "-y+1/2,x+1/2,z+1/4;-x+1/2,y+1/2,-z+1/4" },
  { "P4222", "-y,x,z+1/2;-x,y,-z" },
  { "P42212", "-y+1/2,x+1/2,z+1/2;-x+1/2,y+1/2,-z+1/2" },
  { "P4322", "-y,x,z+3/4;-x,y,-z" },
  { "P43212", "-y+1/2,x+1/2,z+3/4;-x+1/2,y+1/2,-z+3/4" },
  { "I422", "x+1/2,y+1/2,z+1/2;-y,x,z;-x,y,-z" },
  { "I4122", "x+1/2,y+1/2,z+1/2;-y,x+1/2,z+1/4;-x+1/2,y,-z+3/4" },
  { "P3", "-y,x-y,z" },
  { "P31", "-y,x-y,z+1/3" },
  { "P32", "-y,x-y,z+2/3" },
  { "H3", "x+2/3,y+1/3,z+1/3;-y,x-y,z" },
  { "P312", "-y,x-y,z;-y,-x,-z" },
  { "P321", "-y,x-y,z;y,x,-z" },
  { "P3112", "-y,x-y,z+1/3;-y,-x,-z+2/3" },
  { "P3121", "-y,x-y,z+1/3;y,x,-z" },
  { "P3212", "-y,x-y,z+2/3;-y,-x,-z+1/3" },
  { "P3221", "-y,x-y,z+2/3;y,x,-z" },
  { "H32", "x+2/3,y+1/3,z+1/3;-y,x-y,z;y,x,-z" },
  { "P6", "x-y,x,z" },
  { "P61", "x-y,x,z+1/6" },
  { "P65", "x-y,x,z+5/6" },
  { "P62", "x-y,x,z+1/3" },
  { "P64", "x-y,x,z+2/3" },
  { "P63", "x-y,x,z+1/2" },
  { "P622", "x-y,x,z;y,x,-z" },
  { "P6122", "x-y,x,z+1/6;y,x,-z+1/3" },
  { "P6522", "x-y,x,z+5/6;y,x,-z+2/3" },
  { "P6222", "x-y,x,z+1/3;y,x,-z+2/3" },
  { "P6422", "x-y,x,z+2/3;y,x,-z+1/3" },
  { "P6322", "x-y,x,z+1/2;y,x,-z" },
  { "P23", "z,x,y;-x,-y,z" },
  { "F23", "x,y+1/2,z+1/2;x+1/2,y,z+1/2;z,x,y;-x,-y,z" },
  { "I23", "x+1/2,y+1/2,z+1/2;z,x,y;-x,-y,z" },
  { "P213", "z,x,y;-x+1/2,-y,z+1/2" },
  { "I213", "x+1/2,y+1/2,z+1/2;z,x,y;-x+1/2,-y,z+1/2" },
  { "P432", "z,x,y;-x,-y,z;y,x,-z" },
  { "P4232", "z,x,y;-x,-y,z;y+1/2,x+1/2,-z+1/2" },
  { "F432", "x,y+1/2,z+1/2;x+1/2,y,z+1/2;z,x,y;-x,-y,z;y,x,-z" },
  { "F4132", "x,y+1/2,z+1/2;x+1/2,y,z+1/2;z,x,y;-x,-y+1/2,z+1/2;y+3/4,x+1/4,-z+3/4" },
  { "I432", "x+1/2,y+1/2,z+1/2;z,x,y;-x,-y,z;y,x,-z" },
  { "P4332", "z,x,y;-x+1/2,-y,z+1/2;y+1/4,x+3/4,-z+3/4" },
  { "P4132", "z,x,y;-x+1/2,-y,z+1/2;y+3/4,x+1/4,-z+1/4" },
  { "I4132", "x+1/2,y+1/2,z+1/2;z,x,y;-x+1/2,-y,z+1/2;y+3/4,x+1/4,-z+1/4" },
};

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

/* All products, until nothing new comes. */
static gboolean
close_group (GArray *ops)
{
  for (guint i = 0; i < ops->len; i++)
    for (guint j = 0; j < ops->len; j++)
      {
        FlSymmetryOperator c = product (&g_array_index (ops, FlSymmetryOperator, i),
                                        &g_array_index (ops, FlSymmetryOperator, j));
        if (contains (ops, &c))
          continue;
        if (ops->len >= MAX_OPERATORS)
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

FlSymmetry *
fl_symmetry_from_words (const char *const *words, GError **error)
{
  g_autoptr (GArray) ops = g_array_new (FALSE, FALSE, sizeof (FlSymmetryOperator));
  FlSymmetryOperator identity = { .r = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  g_array_append_val (ops, identity);
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
  if (ops->len > MAX_OPERATORS || !close_group (ops))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the symmetry operators make no group of %d or fewer",
                   MAX_OPERATORS);
      return NULL;
    }
  FlSymmetry *symmetry = g_new (FlSymmetry, 1);
  symmetry->n = ops->len;
  symmetry->ops = (FlSymmetryOperator *) (void *) g_array_free (g_steal_pointer (&ops), FALSE);
  return symmetry;
}

/* As in the table: "P 1 21 1" is P21, "R 3 :H" is H3. */
static char *
group_name (const char *symbol)
{
  g_auto (GStrv) parts = g_strsplit_set (symbol, " :_", -1);
  const char *words[8] = { "", "", "", "", "", "", "", "" };
  guint n = 0;
  for (char **part = parts; *part != NULL && n < G_N_ELEMENTS (words); part++)
    if (**part != '\0')
      words[n++] = *part;
  GString *name = g_string_new (NULL);
  gboolean b_unique = n == 4 && strcmp (words[1], "1") == 0 && strcmp (words[3], "1") == 0;
  for (guint i = 0; i < n; i++)
    if (!(b_unique && (i == 1 || i == 3)) && !(i > 0 && g_ascii_strcasecmp (words[i], "H") == 0))
      g_string_append (name, words[i]);
  if (g_ascii_toupper (name->str[0]) == 'R')
    name->str[0] = 'H';
  return g_string_free (name, FALSE);
}

FlSymmetry *
fl_symmetry_from_symbol (const char *symbol, GError **error)
{
  g_autofree char *name = group_name (symbol);
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    if (g_ascii_strcasecmp (name, groups[i].symbol) == 0)
      {
        g_auto (GStrv) generators = g_strsplit (groups[i].generators, ";", -1);
        return fl_symmetry_from_words ((const char *const *) generators, error);
      }
  g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
               "space group '%s' is not known, expected one of the 65 without mirrors, such as P43212",
               symbol);
  return NULL;
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
