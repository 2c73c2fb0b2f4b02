#include "engine/merge/simplex.h"

#include <math.h>
#include <string.h>

typedef struct
{
  double x[FL_SIMPLEX_MOST], value;
} Corner;

typedef struct
{
  FlSimplexFunc function;
  gpointer data;
  guint n, evaluations;
  Corner corners[FL_SIMPLEX_MOST + 1]; /* best first */
} Simplex;

static void
evaluate (Simplex *s, Corner *corner)
{
  corner->value = s->function (corner->x, s->data);
  s->evaluations++;
}

static void
sort (Simplex *s)
{
  for (guint i = 1; i <= s->n; i++)
    {
      Corner moved = s->corners[i];
      guint j = i;
      for (; j > 0 && s->corners[j - 1].value > moved.value; j--)
        s->corners[j] = s->corners[j - 1];
      s->corners[j] = moved;
    }
}

/* The worst corner moved along its line through the middle of the others: −1 mirrors it. */
static Corner
move (Simplex *s, double factor)
{
  Corner corner;
  for (guint i = 0; i < s->n; i++)
    {
      double middle = 0;
      for (guint j = 0; j < s->n; j++)
        middle += s->corners[j].x[i] / s->n;
      corner.x[i] = middle + factor * (s->corners[s->n].x[i] - middle);
    }
  evaluate (s, &corner);
  return corner;
}

static void
step (Simplex *s)
{
  Corner *worst = &s->corners[s->n], corner = move (s, -1);
  if (corner.value < s->corners[0].value)
    {
      Corner farther = move (s, -2);
      *worst = farther.value < corner.value ? farther : corner;
      return;
    }
  if (!(corner.value < s->corners[s->n - 1].value))
    corner = move (s, corner.value < worst->value ? -0.5 : 0.5);
  if (corner.value < worst->value)
    {
      *worst = corner;
      return;
    }
  for (guint j = 1; j <= s->n; j++)
    {
      for (guint i = 0; i < s->n; i++)
        s->corners[j].x[i] = (s->corners[j].x[i] + s->corners[0].x[i]) / 2;
      evaluate (s, &s->corners[j]);
    }
}

double
fl_simplex_minimise (FlSimplexFunc function, gpointer data, guint n, double *x, const double *steps,
                     double tolerance, guint most)
{
  Simplex s = { .function = function, .data = data, .n = n };
  g_return_val_if_fail (n <= FL_SIMPLEX_MOST, NAN);
  for (guint j = 0; j <= n; j++)
    {
      memcpy (s.corners[j].x, x, n * sizeof *x);
      if (j > 0)
        s.corners[j].x[j - 1] += steps[j - 1];
      evaluate (&s, &s.corners[j]);
    }
  for (sort (&s); s.evaluations < most; sort (&s))
    {
      double best = s.corners[0].value, worst = s.corners[n].value;
      if (fabs (worst - best) <= tolerance * (fabs (best) + fabs (worst)))
        break;
      step (&s);
    }
  memcpy (x, s.corners[0].x, n * sizeof *x);
  return s.corners[0].value;
}
