/* Maps of simulated crystals: what is missing or moved shows where it is; the pieces against closed forms and known truth. */
#include "engine/crystal/fourier.h"
#include "engine/crystal/reindexing.h"
#include "engine/maps/coefficients.h"
#include "engine/maps/difference.h"
#include "engine/maps/french-wilson.h"
#include "engine/maps/origin.h"
#include "engine/maps/peaks.h"
#include "engine/maps/synthesis.h"
#include "tests/maps/simulated.h"

#define D_MIN 1.8

static const double cell[6] = { 40, 44, 50, 90, 90, 90 };
static const FlSolvent solvent = { 0.35, 50 };

/* --- pieces --- */

static void
test_moments (void)
{
  double f, j;
  fl_french_wilson_moments (0, FALSE, &f, &j);
  g_assert_cmpfloat (fabs (f - pow (2, 0.25) * tgamma (0.75) / tgamma (0.5)), <, 1e-4);
  g_assert_cmpfloat (fabs (j - sqrt (2 / FL_PI)), <, 1e-4);
  fl_french_wilson_moments (0, TRUE, &f, &j);
  g_assert_cmpfloat (fabs (f - pow (2, 0.25) * tgamma (0.5) / tgamma (0.25)), <, 1e-4);
  g_assert_cmpfloat (fabs (j - sqrt (2) * tgamma (0.75) / tgamma (0.25)), <, 1e-4);
  fl_french_wilson_moments (30, FALSE, &f, &j);
  g_assert_cmpfloat (fabs (j - 30), <, 0.01);
  g_assert_cmpfloat (fabs (f * f + 1.0 / 120 - j), <, 0.01); /* variance of √J is 1/4h */
}

/* Intensities by Wilson with as much noise as signal: F² + σ² keeps the mean, roots of what is not negative do not. */
static void
test_french_wilson (void)
{
  enum
  {
    N = 20000
  };
  FlRandom r = fl_random (11);
  g_autofree FlFrenchWilsonInput *in = g_new (FlFrenchWilsonInput, N);
  g_autofree double *f = g_new (double, N), *sigma = g_new (double, N);
  double sums[3] = { 0 };
  for (guint i = 0; i < N; i++)
    {
      double normal = fl_random_normal (&r), level = 100 * exp (-2.0 * i / N), truth;
      truth = i % 4 == 0 ? level * normal * normal : -level * log (1 - fl_random_unit (&r));
      in[i] =
          (FlFrenchWilsonInput){ 0.02 + 0.1 * i / N, truth + 60 * fl_random_normal (&r), 60, 1, i % 4 == 0 };
      sums[0] += truth;
    }
  guint rejected = fl_french_wilson (in, N, f, sigma);
  for (guint i = 0; i < N; i++)
    {
      sums[1] += isfinite (f[i]) ? f[i] * f[i] + sigma[i] * sigma[i] : 0;
      sums[2] += MAX (in[i].intensity, 0);
      g_assert_true (!(f[i] < 0) && !(sigma[i] <= 0));
    }
  g_test_message ("%u rejected; mean of F² + σ² over the truth's %.4f, of positive intensities %.4f",
                  rejected, sums[1] / sums[0], sums[2] / sums[0]);
  g_assert_cmpuint (rejected, <, N / 1000);
  g_assert_cmpfloat (fabs (sums[1] / sums[0] - 1), <, 0.03);
}

static void
test_sigma_a (void)
{
  enum
  {
    N = 20000
  };
  static const double truths[] = { 0.2, 0.6, 0.9, 0.98 };
  double eo[N], ec[N];
  guint8 centric[N];
  FlRandom r = fl_random (5);
  for (guint t = 0; t < G_N_ELEMENTS (truths); t++)
    for (guint kind = 0; kind < 2; kind++)
      {
        double s = truths[t], rest = sqrt (1 - s * s);
        for (guint i = 0; i < N; i++)
          {
            double a[4];
            for (guint k = 0; k < 4; k++)
              a[k] = fl_random_normal (&r) / (kind == 0 ? sqrt (2) : 1);
            centric[i] = (guint8) kind;
            ec[i] = kind == 0 ? hypot (a[0], a[1]) : fabs (a[0]);
            eo[i] = kind == 0 ? hypot (s * a[0] + rest * a[2], s * a[1] + rest * a[3])
                              : fabs (s * a[0] + rest * a[2]);
          }
        double found = fl_sigma_a_of_pairs (eo, ec, centric, N);
        g_test_message ("%s: true %.3f, found %.3f", kind == 0 ? "acentric" : "centric", s, found);
        g_assert_cmpfloat (fabs (found - s), <, s < 0.5 ? 0.08 : 0.02);
      }
}

/* --- origins and settings --- */

static void
check_origin (const char *group, const double shift[3])
{
  g_autoptr (FlModel) model = simulated_model (cell, group, 200, 9), there = simulated_copy (model);
  g_autoptr (FlObservations) data = simulated_data (model, 3, solvent, 1, 0, 0, 0);
  for (guint a = 0; a < there->n_atoms; a++)
    there->atoms[a].position = fl_vec3_add (
        there->atoms[a].position, fl_vec3 (shift[0] * cell[0], shift[1] * cell[1], shift[2] * cell[2]));
  g_auto (Simulated) s = simulated_compare (model, data, 3), t = simulated_compare (there, data, 3);
  s.reflections->phased = g_steal_pointer (&t.calc);
  FlOriginChoice choice = fl_origin_find (s.reflections, s.calc);
  g_test_message ("%s: %.4f %.4f %.4f, agreement %.3f, without %.3f", group, choice.shift[0], choice.shift[1],
                  choice.shift[2], choice.agreement, choice.agreement_here);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat (fabs (choice.shift[i] - shift[i]), <, 0.003);
  g_assert_cmpfloat (choice.agreement, >, 0.98);
  g_assert_cmpfloat (choice.agreement_here, <, 0.3);
}

static void
test_origin (void)
{
  check_origin ("P 21 21 21", (const double[]){ 0.5, 0, 0.5 });
  check_origin ("P 1 21 1", (const double[]){ 0.5, 0.137, 0 });
  check_origin ("C 2 2 21", (const double[]){ 0, 0, 0.5 });
}

/* In P 3 the lattice has other ways to be indexed; the model says which. */
static void
test_setting (void)
{
  static const double hexagonal[6] = { 50, 50, 40, 90, 90, 120 };
  guint n;
  g_autoptr (FlModel) model = simulated_model (hexagonal, "P 31", 200, 4);
  g_autoptr (FlObservations) data = simulated_data (model, 3, solvent, 1, 0, 0.05, 0);
  g_autoptr (FlStructureFactors) f = fl_structure_factors_new (model, 3, (FlSolvent){ 0, 0 });
  g_auto (Simulated) right = simulated_compare (model, data, 3);
  double good = fl_origin_agreement (right.reflections, right.calc);
  g_autofree FlReindexing *others = fl_reindexing_ambiguities (&model->cell, model->symmetry, 0.02, 0.03, &n);
  g_assert_cmpuint (n, ==, 3);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (FlReflections) wrong =
          fl_reflections_new (f, &model->cell, model->symmetry, data, &others[i], FALSE, 3, 0);
      g_assert_cmpfloat (fl_origin_agreement (wrong, right.calc), <, good - 0.3);
    }
}

/* --- maps --- */

/* Amplitudes in electrons, and the model's F. */
static double complex *
fit (Simulated *s)
{
  FlModelScale scale =
      fl_model_scale_fit (s->reflections, s->calc, s->mask, (FlModelScaleOptions){ TRUE, TRUE });
  fl_model_scale_apply (&scale, s->reflections);
  return fl_model_scale_total (&scale, s->reflections, s->calc, s->mask);
}

static void
test_synthesis (void)
{
  g_autoptr (FlModel) model = simulated_model (cell, "P 21 21 21", 60, 2);
  g_autoptr (FlObservations) data = simulated_data (model, 4, (FlSolvent){ 0, 0 }, 1, 0, 0, 0);
  g_auto (Simulated) s = simulated_compare (model, data, 4);
  FlRandom r = fl_random (3);
  int sampling[3];
  fl_synthesis_grid (&model->cell, model->symmetry, 4, 3, sampling);
  g_assert_true (fl_map_grid_obeys (model->symmetry, sampling));
  g_autoptr (FlMap) map = fl_synthesis_new (s.reflections, s.calc, sampling);
  for (guint trial = 0; trial < 20; trial++)
    {
      int at[3];
      double sum = 0;
      for (int i = 0; i < 3; i++)
        at[i] = (int) (fl_random_unit (&r) * sampling[i]);
      for (guint i = 0; i < s.reflections->n; i++)
        {
          const FlReflection *reflection = &s.reflections->all[i];
          /* The orbit: operators visit each of its members ε times, and with the mates it is twice as large where not centric. */
          for (guint o = 0; o < model->symmetry->n; o++)
            {
              const FlSymmetryOperator *op = &model->symmetry->ops[o];
              FlMiller m = reflection->hkl, e = fl_miller_transform (m, op);
              double turn =
                  -2 * FL_PI
                  * (m.h * op->t[0] + m.k * op->t[1] + m.l * op->t[2] + (double) e.h * at[0] / sampling[0]
                     + (double) e.k * at[1] / sampling[1] + (double) e.l * at[2] / sampling[2]);
              sum +=
                  creal (s.calc[i] * cexp (I * turn)) * (reflection->centric ? 1 : 2) / reflection->epsilon;
            }
        }
      sum /= fl_cell_volume (&model->cell);
      g_assert_cmpfloat (fabs ((double) *fl_map_at (map, at[0], at[1], at[2]) - sum), <, 1e-4 * map->sigma);
    }
  g_assert_cmpfloat (fabs (map->mean), <, 1e-5 * map->sigma);
  g_assert_cmpfloat (map->skewness, >, 0.5);
}

/* Sizes that are odd, and coefficients as far out as they may be: the naive sum. */
static void
test_odd_sizes (void)
{
  const int n[3] = { 9, 15, 5 }, limits[3] = { 4, 7, 2 };
  g_autofree double complex *half = g_new0 (double complex, 5 * 15 * 5);
  g_autofree float *map = g_new (float, 9 * 15 * 5);
  FlRandom r = fl_random (2);
  for (int l = -2; l <= 2; l++)
    for (int k = -7; k <= 7; k++)
      for (int h = 0; h <= 4; h++)
        {
          double complex f = fl_random_normal (&r) + I * fl_random_normal (&r),
                         *at = &half[((l + 2) * 15 + k + 7) * 5 + h];
          if (h > 0 || *at == 0)
            *at = h == 0 && k == 0 && l == 0 ? creal (f) : f;
          if (h == 0)
            half[((2 - l) * 15 + 7 - k) * 5] = conj (*at);
        }
  fl_fourier_synthesis (half, limits, n, map);
  for (int z = 0; z < 5; z++)
    for (int y = 0; y < 15; y++)
      for (int x = 0; x < 9; x++)
        {
          double sum = 0;
          for (int l = -2; l <= 2; l++)
            for (int k = -7; k <= 7; k++)
              for (int h = 0; h <= 4; h++)
                {
                  double turn = -2 * FL_PI * (h * x / 9.0 + k * y / 15.0 + l * z / 5.0);
                  sum += (h == 0 ? 1 : 2) * creal (half[((l + 2) * 15 + k + 7) * 5 + h] * cexp (I * turn));
                }
          g_assert_cmpfloat (fabs (sum - (double) map[(z * 15 + y) * 9 + x]), <, 1e-4);
        }
}

/* A model without one of its sulphurs: the difference map's highest peak is that atom, and its density about right. */
static void
test_omitted (void)
{
  static const char *const groups[] = { "P 21 21 21", "P 1 21 1", "I 2 2 2" };
  for (guint g = 0; g < G_N_ELEMENTS (groups); g++)
    {
      g_autoptr (FlModel) model = simulated_model (cell, groups[g], 300, 21 + g),
                          part = simulated_copy (model);
      g_autoptr (FlObservations) data = simulated_data (model, D_MIN, solvent, 2.5, 8, 0.05, 15);
      const FlAtom gone = part->atoms[8 + 9 * 12];
      int sampling[3];
      part->atoms[8 + 9 * 12] = part->atoms[--part->n_atoms];
      g_auto (Simulated) s = simulated_compare (part, data, D_MIN);
      g_autofree double complex *f = fit (&s);
      FlSigmaA sigma_a = fl_sigma_a_fit (s.reflections, f, FALSE);
      g_autoptr (FlCoefficients) c = fl_coefficients_new (s.reflections, f, &sigma_a, FALSE);
      fl_synthesis_grid (&model->cell, model->symmetry, D_MIN, 3, sampling);
      g_autoptr (FlMap) map = fl_synthesis_new (s.reflections, c->difference, sampling);
      g_autoptr (GArray) peaks = fl_peaks_find (map, model, 4, 10);
      g_assert_cmpuint (peaks->len, >, 0);
      const FlPeak *peak = &g_array_index (peaks, FlPeak, 0);
      double next = peaks->len > 1 ? fabs (g_array_index (peaks, FlPeak, 1).sigmas) : 4;
      double away = fl_vec3_norm (fl_vec3_sub (peak->position, gone.position));
      g_test_message ("%s: %.1f σ, %.3f Å away, next %.1f σ", groups[g], peak->sigmas, away, next);
      g_assert_cmpfloat (peak->sigmas, >, 10);
      g_assert_cmpfloat (peak->sigmas, >, 1.5 * next);
      g_assert_cmpfloat (away, <, 0.15);
      g_assert_cmpint (peak->atom, ==, 8 + 9 * 12);
      /* All equivalents are one peak. */
      for (guint i = 1; i < peaks->len; i++)
        g_assert_cmpfloat (
            fl_vec3_norm (fl_vec3_sub (g_array_index (peaks, FlPeak, i).position, peak->position)), >, 0.5);
    }
}

/* A sulphur that moved by 0.7 Å between two data sets on other scales: a peak beside where it is now, a hole beside where it was. */
static void
test_moved (void)
{
  g_autoptr (FlModel) before = simulated_model (cell, "P 21 21 21", 300, 31), after = simulated_copy (before);
  guint which = 8 + 9 * 20;
  int sampling[3];
  FlVec3 step = fl_vec3 (0.5, -0.3, 0.4);
  after->atoms[which].position = fl_vec3_add (before->atoms[which].position, step);
  g_autoptr (FlObservations) dark = simulated_data (before, D_MIN, solvent, 1, 5, 0.01, 0),
                             light = simulated_data (after, D_MIN, solvent, 3, 9, 0.01, 0);
  g_auto (Simulated) d = simulated_compare (before, dark, D_MIN),
                     l = simulated_compare (before, light, D_MIN);
  g_autofree double complex *f = fit (&d);
  fl_difference_scale (l.reflections, d.reflections);
  for (guint weight = 0; weight < 2; weight++)
    {
      g_autoptr (FlDifference) difference = fl_difference_new (l.reflections, d.reflections, f, weight);
      fl_synthesis_grid (&before->cell, before->symmetry, D_MIN, 3, sampling);
      g_autoptr (FlMap) map = fl_synthesis_new (d.reflections, difference->coefficients, sampling);
      g_autoptr (GArray) peaks = fl_peaks_find (map, before, 4, 10);
      g_assert_cmpuint (peaks->len, >=, 2);
      const FlPeak *a = &g_array_index (peaks, FlPeak, 0), *b = &g_array_index (peaks, FlPeak, 1);
      const FlPeak *up = a->sigmas > 0 ? a : b, *down = a->sigmas > 0 ? b : a;
      g_test_message ("%+.1f and %+.1f σ, R of the sets %.4f, weight %.3f", up->sigmas, down->sigmas,
                      difference->r_iso, difference->mean_weight);
      g_assert_true (up->sigmas > 8 && down->sigmas < -8);
      g_assert_cmpint (down->atom, ==, which);
      FlVec3 way = fl_vec3_sub (up->position, down->position);
      g_assert_cmpfloat (fl_vec3_dot (fl_vec3_unit (way), fl_vec3_unit (step)), >, 0.95);
      g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (up->position, after->atoms[which].position)), <, 0.6);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/maps/moments", test_moments);
  g_test_add_func ("/maps/french-wilson", test_french_wilson);
  g_test_add_func ("/maps/sigma-a", test_sigma_a);
  g_test_add_func ("/maps/origin", test_origin);
  g_test_add_func ("/maps/setting", test_setting);
  g_test_add_func ("/maps/synthesis", test_synthesis);
  g_test_add_func ("/maps/odd-sizes", test_odd_sizes);
  g_test_add_func ("/maps/omitted", test_omitted);
  g_test_add_func ("/maps/moved", test_moved);
  return g_test_run ();
}
