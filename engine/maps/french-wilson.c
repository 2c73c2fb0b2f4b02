#include "engine/maps/french-wilson.h"

#include <math.h>

#include "engine/base/units.h"
#include "engine/maps/shells.h"

#define REJECTED   -4.0 /* sigmas */
#define PER_SHELL  200
#define STEPS      400 /* of the integral over √J */
#define TABLE_FROM -12.0
#define TABLE_TO   12.0
#define TABLE_PER  20  /* entries a unit of h */
#define TABLE_N    481 /* entries */

/* Over y = √J the centric singularity is gone: dJ J^p = 2 y^(2p+1) dy. */
void
fl_french_wilson_moments (double h, gboolean centric, double *f, double *j)
{
  double most = sqrt (MAX (h, 0) + 8), sums[3] = { 0 };
  double peak = h > 0 ? 0 : h * h / 2; /* of the exponent, taken out */
  for (int i = 0; i <= STEPS; i++)
    {
      double y = most * i / STEPS, d = y * y - h;
      double weight = (i == 0 || i == STEPS ? 0.5 : 1) * exp (peak - d * d / 2) * (centric ? 1 : y);
      sums[0] += weight;
      sums[1] += weight * y;
      sums[2] += weight * y * y;
    }
  *f = sums[1] / sums[0];
  *j = sums[2] / sums[0];
}

typedef struct
{
  double f[TABLE_N], j[TABLE_N];
} Table;

static void
fill (Table *table, gboolean centric)
{
  for (int i = 0; i < TABLE_N; i++)
    fl_french_wilson_moments (TABLE_FROM + (double) i / TABLE_PER, centric, &table->f[i], &table->j[i]);
}

/* Far above the noise J is normal about h, and √J follows by its series; far below only the prior is left, an exponential (a
 * gamma) distribution of rate −h. */
static void
look_up (const Table *table, gboolean centric, double h, double *f, double *variance)
{
  double x = (h - TABLE_FROM) * TABLE_PER, j;
  int i = (int) x;
  if (h >= TABLE_TO)
    {
      *f = sqrt (h) * (1 - 1 / (8 * h * h));
      *variance = 1 / (4 * h);
      return;
    }
  if (h <= TABLE_FROM)
    {
      *f = centric ? 1 / sqrt (FL_PI * -h) : sqrt (FL_PI / -h) / 2;
      *variance = (centric ? 0.5 : 1) / -h - *f * *f;
      return;
    }
  i = MIN (i, TABLE_N - 2);
  *f = table->f[i] + (x - i) * (table->f[i + 1] - table->f[i]);
  j = table->j[i] + (x - i) * (table->j[i + 1] - table->j[i]);
  *variance = MAX (j - *f * *f, 1e-6);
}

/* ln of the mean of I/ε in each shell; a shell without positive mean gets a small one. */
static void
wilson_line (const FlFrenchWilsonInput *in, guint n, const FlShells *shells, double *line)
{
  double sums[FL_SHELLS_MOST] = { 0 }, noise[FL_SHELLS_MOST] = { 0 };
  for (guint i = 0; i < n; i++)
    {
      guint s = fl_shells_find (shells, in[i].inverse_d2);
      sums[s] += in[i].intensity / in[i].epsilon;
      noise[s] += in[i].sigma / in[i].epsilon;
    }
  for (guint s = 0; s < shells->n; s++)
    {
      double least = 0.02 * noise[s];
      line[s] = log (MAX (MAX (sums[s], least), G_MINDOUBLE) / MAX (shells->count[s], 1));
    }
}

guint
fl_french_wilson (const FlFrenchWilsonInput *in, guint n, double *f, double *sigma)
{
  double line[FL_SHELLS_MOST];
  Table tables[2];
  guint rejected = 0;
  g_autofree double *d2 = g_new (double, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    d2[i] = in[i].inverse_d2;
  FlShells shells = fl_shells_new (d2, n, PER_SHELL);
  wilson_line (in, n, &shells, line);
  fill (&tables[0], FALSE);
  fill (&tables[1], TRUE);
  for (guint i = 0; i < n; i++)
    {
      double level = in[i].epsilon * exp (fl_shells_at (&shells, line, d2[i])), s = in[i].sigma, variance;
      double h = in[i].intensity / s - s / (in[i].centric ? 2 * level : level);
      f[i] = sigma[i] = NAN;
      if (in[i].intensity < REJECTED * s)
        {
          rejected++;
          continue;
        }
      look_up (&tables[in[i].centric], in[i].centric, h, &f[i], &variance);
      f[i] *= sqrt (s);
      sigma[i] = sqrt (variance * s);
    }
  return rejected;
}
