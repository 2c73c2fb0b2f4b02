#include "engine/merge/statistics.h"

#include <math.h>
#include <string.h>

#include "engine/crystal/wilson.h"
#include "engine/merge/partiality.h"
#include "engine/merge/twinning.h"

#define CC_LEAST       3   /* pairs, for a correlation */
#define WILSON_D       4.5 /* Å: below, the Wilson plot is straight */
#define WILSON_SHELLS  3
#define L_TEST_I_SIGMA 3 /* mean of a shell from which it takes part */

typedef struct
{
  double n, x, y, xx, yy, xy;
} Pearson;

/* Of one shell. */
typedef struct
{
  Pearson half, reference, ano;
  guint possible_ano, unique_ano;
  double intensity, i_sigma, split, split_sum;
  double scale_xy, scale_yy;         /* Σ w o c, Σ w c² against the reference */
  double iso, iso_sum;               /* Σ|o − k c|, Σ|o| */
  double wilson_intensity, wilson_f; /* ΣI/ε, ΣΣF² */
} Sums;

typedef struct
{
  const FlMergeResult *result;
  const FlUniqueList *list;
  const FlMergeReference *reference;
  double volume; /* Å³ of the cell */
} Material;

static void
pearson_add (Pearson *p, double x, double y)
{
  p->n++;
  p->x += x;
  p->y += y;
  p->xx += x * x;
  p->yy += y * y;
  p->xy += x * y;
}

static double
pearson (const Pearson *p)
{
  double xx = p->n * p->xx - p->x * p->x, yy = p->n * p->yy - p->y * p->y;
  if (p->n < CC_LEAST || !(xx > 0 && yy > 0))
    return NAN;
  return CLAMP ((p->n * p->xy - p->x * p->y) / sqrt (xx * yy), -1, 1);
}

/* --- shells --- */

static double
inverse_cube (double d)
{
  return 1 / (d * d * d);
}

GArray *
fl_merge_shells_new (const FlUniqueList *list, guint n_shells)
{
  guint n = fl_unique_list_n (list);
  double low = n > 0 ? 0 : NAN, high = n > 0 ? INFINITY : NAN;
  for (guint i = 0; i < n; i++)
    {
      low = MAX (low, (double) fl_unique_list_at (list, i)->d);
      high = MIN (high, (double) fl_unique_list_at (list, i)->d);
    }
  GArray *shells = g_array_new (FALSE, TRUE, sizeof (FlShellRow));
  g_array_set_size (shells, n_shells + 1);
  double first = inverse_cube (low), width = (inverse_cube (high) - first) / n_shells;
  for (guint i = 0; i <= n_shells; i++)
    {
      FlShellRow *row = &g_array_index (shells, FlShellRow, i);
      row->number = (guint16) i;
      row->d_max = (float) (i <= 1 ? low : 1 / cbrt (first + width * (i - 1)));
      row->d_min = (float) (i == 0 || i == n_shells ? high : 1 / cbrt (first + width * i));
    }
  for (guint i = 0; i < n; i++)
    {
      g_array_index (shells, FlShellRow, fl_merge_shell_of (shells, (double) fl_unique_list_at (list, i)->d))
          .possible++;
      g_array_index (shells, FlShellRow, 0).possible++;
    }
  return shells;
}

guint
fl_merge_shell_of (const GArray *shells, double d)
{
  const FlShellRow *all = &g_array_index (shells, FlShellRow, 0);
  guint n = shells->len - 1;
  double first = inverse_cube ((double) all->d_max), last = inverse_cube ((double) all->d_min);
  double place = n * (inverse_cube (d) - first) / (last - first);
  return place > 0 ? (guint) MIN (place, n - 1) + 1 : 1;
}

/* --- sums --- */

static void
add_mates (const FlMergeResult *r, guint i, gboolean centric, Sums *s)
{
  if (r->mate[0] == NULL || centric)
    return;
  s->possible_ano++;
  s->unique_ano += r->mate[0][i].n > 0 && r->mate[1][i].n > 0;
  const FlMerged *a[2] = { &r->half_mate[0][0][i], &r->half_mate[0][1][i] };
  const FlMerged *b[2] = { &r->half_mate[1][0][i], &r->half_mate[1][1][i] };
  if (a[0]->n > 0 && a[1]->n > 0 && b[0]->n > 0 && b[1]->n > 0)
    pearson_add (&s->ano, (double) a[0]->intensity - (double) a[1]->intensity,
                 (double) b[0]->intensity - (double) b[1]->intensity);
}

static void
add_reflection (const Material *m, guint i, FlShellRow *row, Sums *s)
{
  const FlUnique *u = fl_unique_list_at (m->list, i);
  const FlMerged *all = &m->result->all[i], *a = &m->result->half[0][i], *b = &m->result->half[1][i];
  double intensity = (double) all->intensity, sigma = (double) all->sigma;
  add_mates (m->result, i, u->centric, s);
  if (all->n == 0)
    return;
  row->unique++;
  row->observations += all->n;
  s->intensity += intensity;
  s->i_sigma += intensity / sigma;
  s->wilson_intensity += intensity / u->epsilon;
  s->wilson_f += fl_wilson_level (m->volume, 1 / ((double) u->d * (double) u->d), 0);
  if (a->n > 0 && b->n > 0)
    {
      row->pairs++;
      pearson_add (&s->half, (double) a->intensity, (double) b->intensity);
      s->split += fabs ((double) a->intensity - (double) b->intensity);
      s->split_sum += (double) a->intensity + (double) b->intensity;
    }
  if (m->reference == NULL || !isfinite (m->reference->intensity[i]))
    return;
  double c = (double) m->reference->intensity[i], w = 1 / (sigma * sigma);
  pearson_add (&s->reference, intensity, c);
  s->scale_xy += w * intensity * c;
  s->scale_yy += w * c * c;
}

/* Once the scale is known. */
static void
add_difference (const Material *m, guint i, Sums *s)
{
  if (m->result->all[i].n == 0 || m->reference == NULL || !isfinite (m->reference->intensity[i]))
    return;
  double o = (double) m->result->all[i].intensity;
  s->iso += fabs (o - s->scale_xy / s->scale_yy * (double) m->reference->intensity[i]);
  s->iso_sum += fabs (o);
}

static double
ratio (double a, double b)
{
  return b != 0 ? a / b : NAN;
}

static void
fill_row (FlShellRow *row, const Sums *s, gboolean mates, double twin)
{
  double cc = pearson (&s->half);
  row->completeness = (float) ratio (row->unique, row->possible);
  row->multiplicity = (float) ratio ((double) row->observations, row->unique);
  row->intensity = (float) ratio (s->intensity, row->unique);
  row->i_sigma = (float) ratio (s->i_sigma, row->unique);
  row->cc_half = (float) cc;
  row->cc_star = (float) (cc >= 0 ? sqrt (2 * cc / (1 + cc)) : NAN);
  row->r_split = (float) ratio (G_SQRT2 * s->split, s->split_sum);
  row->cc_iso = (float) pearson (&s->reference);
  row->r_iso = (float) ratio (s->iso, s->iso_sum);
  row->cc_ano = (float) pearson (&s->ano);
  row->completeness_ano = (float) (mates ? ratio (s->unique_ano, s->possible_ano) : NAN);
  row->twin = (float) twin;
  row->wilson = (float) (s->wilson_intensity > 0 ? log (s->wilson_intensity / s->wilson_f) : NAN);
}

void
fl_merge_statistics (const FlMergeResult *result, const FlUniqueList *list, const FlMergeReference *reference,
                     GArray *shells)
{
  Material m = { result, list, reference, fl_cell_volume (fl_unique_list_cell (list)) };
  g_autofree Sums *sums = g_new0 (Sums, shells->len);
  FlShellRow *rows = &g_array_index (shells, FlShellRow, 0);
  for (guint i = 0; i < result->n; i++)
    {
      guint shell = fl_merge_shell_of (shells, (double) fl_unique_list_at (list, i)->d);
      add_reflection (&m, i, &rows[shell], &sums[shell]);
      add_reflection (&m, i, &rows[0], &sums[0]);
    }
  for (guint i = 0; i < result->n; i++)
    {
      add_difference (&m, i, &sums[fl_merge_shell_of (shells, (double) fl_unique_list_at (list, i)->d)]);
      add_difference (&m, i, &sums[0]);
    }
  for (guint i = 0; i < shells->len; i++)
    {
      FlLTest l = fl_l_test (result->all, list, (double) rows[i].d_max, (double) rows[i].d_min);
      fill_row (&rows[i], &sums[i], result->mate[0] != NULL, l.abs);
    }
}

void
fl_merge_statistics_lattices (const FlMergeSet *set, const FlUniqueList *list, GArray *shells)
{
  g_autofree guint64 *counts = g_new0 (guint64, shells->len);
  g_autofree guint8 *seen = g_new (guint8, shells->len);
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = &g_array_index (set->lattices, FlMergeLattice, i);
      memset (seen, 0, shells->len);
      for (guint64 j = lattice->first; j < lattice->first + lattice->n; j++)
        {
          guint32 unique = set->observations[j].unique;
          double d = unique != FL_UNIQUE_NONE ? (double) fl_unique_list_at (list, unique)->d : NAN;
          FlContribution c;
          if (fl_merge_contribution (lattice, &set->observations[j], d, &c))
            seen[0] = seen[fl_merge_shell_of (shells, d)] = 1;
        }
      for (guint s = 0; s < shells->len; s++)
        counts[s] += seen[s];
    }
  fl_parallel_sum_u64 (set->parallel, counts, shells->len);
  for (guint s = 0; s < shells->len; s++)
    g_array_index (shells, FlShellRow, s).lattices = (guint32) counts[s];
}

/* --- the row of the merge --- */

/* ln (⟨I⟩/ΣF²) = ln k − B/2d², a line through the shells beyond 4.5 Å; through all of them where those are too few. */
static void
fit_wilson (const FlMergeResult *result, const FlUniqueList *list, const GArray *shells, double d_limit,
            FlMergeRow *row)
{
  double w = 0, x = 0, y = 0, xx = 0, xy = 0;
  g_autofree double *d2 = g_new0 (double, shells->len); /* Σ1/d² */
  guint used = 0;
  for (guint i = 0; i < result->n; i++)
    {
      double d = (double) fl_unique_list_at (list, i)->d;
      d2[fl_merge_shell_of (shells, d)] += result->all[i].n > 0 ? 1 / (d * d) : 0;
    }
  for (guint s = 1; s < shells->len; s++)
    {
      const FlShellRow *shell = &g_array_index (shells, FlShellRow, s);
      if ((double) shell->d_max > d_limit || !isfinite (shell->wilson))
        continue;
      double n = shell->unique, at = d2[s] / n, value = (double) shell->wilson;
      used++;
      w += n;
      x += n * at;
      y += n * value;
      xx += n * at * at;
      xy += n * at * value;
    }
  if (used < WILSON_SHELLS && isfinite (d_limit))
    {
      fit_wilson (result, list, shells, INFINITY, row);
      return;
    }
  double slope = used > 1 ? ratio (w * xy - x * y, w * xx - x * x) : NAN;
  row->wilson_b = (float) (-2 * slope);
  row->wilson_scale = (float) ((y - slope * x) / w);
}

void
fl_merge_statistics_row (const FlMergeResult *result, const FlUniqueList *list, const GArray *shells,
                         const FlErrorModel *error_model, FlMergeRow *row)
{
  const FlShellRow *all = &g_array_index (shells, FlShellRow, 0);
  double d_good = (double) all->d_max; /* to where intensities are well measured */
  row->observations = all->observations;
  row->unique = all->unique;
  row->possible = all->possible;
  row->d_max = all->d_max;
  row->d_min = all->d_min;
  row->completeness = all->completeness;
  row->multiplicity = all->multiplicity;
  row->i_sigma = all->i_sigma;
  row->cc_half = all->cc_half;
  row->cc_star = all->cc_star;
  row->r_split = all->r_split;
  row->cc_iso = all->cc_iso;
  row->cc_ano = all->cc_ano;
  for (guint s = 1; s < shells->len && g_array_index (shells, FlShellRow, s).i_sigma >= L_TEST_I_SIGMA; s++)
    d_good = (double) g_array_index (shells, FlShellRow, s).d_min;
  FlLTest l = fl_l_test (result->all, list, (double) all->d_max, d_good);
  row->l_abs = (float) l.abs;
  row->l_square = (float) l.square;
  fit_wilson (result, list, shells, WILSON_D, row);
  row->error_model = fl_error_model_name (error_model->kind);
  row->sfac = (float) error_model->sfac;
  for (guint i = 0; i < G_N_ELEMENTS (row->sadd); i++)
    row->sadd[i] = (float) error_model->sadd[i];
  row->sb = (float) error_model->sb;
}
