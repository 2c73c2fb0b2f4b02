/* test-phasing.c: projections, supports, blurring, turning and shells against naive forms; the same bits everywhere. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/fft.h"
#include "kernels/phasing.h"
#include "tests/kernels/on-devices.h"

enum
{
  N = 24,
  POINTS = N * N * N,
  NUMBERS = 2 * POINTS,
  M = 11
};

static float *
random_numbers (gsize n, guint32 seed, double low, double high)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  float *numbers = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) g_rand_double_range (random, low, high);
  return numbers;
}

static guint
opposite (guint i)
{
  guint x = i % N, y = i / N % N, z = i / (N * N);
  return ((N - z) % N * N + (N - y) % N) * N + (N - x) % N;
}

static double
total (const double *sums, guint teams, guint k)
{
  double sum = 0;
  for (guint i = 0; i < teams; i++)
    sum += sums[2 * i + k];
  return sum;
}

/* What a device made, beside what a CPU makes where there is one (ThreadSanitizer's builds have none). */
static void
same_on_cpu (FlkDevice *device, gpointer (*make) (FlkDevice *device, gsize *size))
{
  gsize size_a, size_b;
  g_autofree gpointer a = make (device, &size_a);
  FlkDevice *plain = flk_device_open ("cpu", 0, 3, NULL, 0);
  if (!plain)
    return;
  g_autofree gpointer b = make (plain, &size_b);
  assert_same (a, size_a, b, size_b);
  flk_device_close (plain);
}

static gpointer
amplitudes (FlkDevice *device, gsize *size)
{
  g_autofree float *grid = random_numbers (NUMBERS, 1, -1, 1);
  g_autofree FlkModulus *moduli = g_new (FlkModulus, POINTS);
  guint n = 0;
  for (guint i = 0; i < POINTS; i++)
    if (i < opposite (i) && i % 5)
      {
        moduli[n] = (FlkModulus){ i, opposite (i), (float) (i % 17) / 7 };
        n++;
      }
  double error[2] = { 0, 0 };
  for (guint i = 0; i < n; i++)
    {
      guint at = moduli[i].at, back = moduli[i].opposite;
      complex double f = grid[2 * at] + I * grid[2 * at + 1], g = grid[2 * back] - I * grid[2 * back + 1];
      error[0] += fabs (cabs (f + g) / 2 - moduli[i].amplitude);
      error[1] += fabs (cabs (f - g) / 2 - moduli[i].amplitude);
    }
  FlkBuffer b[3] = { { 0 } };
  guint teams = flk_phasing_teams (n);
  FlkAmplitudesArgs args = { .moduli = flk_stage (device, &b[0], moduli, n * sizeof *moduli),
                             .n_moduli = n,
                             .grid = flk_buffer_need (device, &b[1], NUMBERS * 4),
                             .sums = flk_buffer_need (device, &b[2], teams * 2 * sizeof (double)) };
  flk_upload (device, args.grid, grid, NUMBERS * 4);
  launch (device, "phasing_amplitudes", teams, &args, sizeof args);
  g_autofree double *sums = fetched (device, args.sums, teams * 2 * sizeof (double));
  for (guint k = 0; k < 2; k++)
    g_assert_cmpfloat (fabs (total (sums, teams, k) / error[k] - 1), <, 1e-6);
  float *got = fetched (device, args.grid, NUMBERS * 4);
  for (guint i = 0; i < n; i++)
    {
      guint at = moduli[i].at, back = moduli[i].opposite;
      complex double f = got[2 * at] + I * got[2 * at + 1], g = got[2 * back] - I * got[2 * back + 1];
      complex double f0 = grid[2 * at] + I * grid[2 * at + 1], g0 = grid[2 * back] - I * grid[2 * back + 1];
      double a = moduli[i].amplitude;
      g_assert_cmpfloat (cabs ((f + g) / 2 - a * (f0 + g0) / cabs (f0 + g0)), <, 1e-5);
      g_assert_cmpfloat (cabs ((f - g) / 2 - a * (f0 - g0) / cabs (f0 - g0)), <, 1e-5);
    }
  for (guint i = 0; i < POINTS; i++)
    if (i == opposite (i) || MIN (i, opposite (i)) % 5 == 0)
      g_assert_true (got[2 * i] == grid[2 * i] && got[2 * i + 1] == grid[2 * i + 1]);
  /* Only the sums: now they are nothing. */
  args.keep = true;
  launch (device, "phasing_amplitudes", teams, &args, sizeof args);
  g_autofree double *left = fetched (device, args.sums, teams * 2 * sizeof (double));
  g_assert_cmpfloat (total (left, teams, 0) / n, <, 1e-6);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  *size = NUMBERS * 4;
  return got;
}

static void
test_amplitudes (FlkDevice *device)
{
  same_on_cpu (device, amplitudes);
}

/* By the definitions, in double precision. */
static double
update (int step, double old, double p, double other, double mask)
{
  const double beta = 0.75, g1 = -1.25, g2 = 1.5;
  double q;
  switch (step)
    {
    case FLK_PHASING_ER:
      return mask > 0 && p > 0 ? p : 0;
    case FLK_PHASING_HIO:
      return mask > 0 && p > 0 ? p : old - beta * p;
    case FLK_PHASING_RAAR:
      /* β/2 (R_S R_M + 1) + (1 − β) P_M. */
      q = 2 * p - old;
      return beta / 2 * (2 * (mask > 0 && q > 0 ? q : 0) - q + old) + (1 - beta) * p;
    case FLK_PHASING_DM_ESTIMATE:
      return (1 + g1) * (mask > 0 && old > 0 ? old : 0) - g1 * old;
    default:
      q = (1 + g2) * p - g2 * old;
      return old + beta * ((mask > 0 && q > 0 ? q : 0) - other);
    }
}

static gpointer
updates (FlkDevice *device, gsize *size)
{
  guint n = NUMBERS - 6, teams = flk_phasing_teams (n);
  g_autofree float *old = random_numbers (n, 2, -1, 1), *projected = random_numbers (n, 3, -8, 8),
                   *other = random_numbers (n, 4, -8, 8), *mask = random_numbers (n, 5, 0, 1);
  for (guint i = 0; i < n; i++)
    mask[i] = mask[i] > 0.4f;
  FlkBuffer b[6] = { { 0 } };
  FlkUpdateArgs args = { .old = flk_stage (device, &b[0], old, n * 4),
                         .now = flk_buffer_need (device, &b[1], n * 4),
                         .projected = flk_stage (device, &b[2], projected, n * 4),
                         .other = flk_stage (device, &b[3], other, n * 4),
                         .mask = flk_stage (device, &b[4], mask, n * 4),
                         .n = n,
                         .scale = 0.125f,
                         .beta = 0.75f,
                         .gamma1 = -1.25f,
                         .gamma2 = 1.5f,
                         .sums = flk_buffer_need (device, &b[5], teams * 2 * sizeof (double)) };
  gsize one = n * 4 + teams * 2 * sizeof (double);
  guint8 *all = g_malloc (*size = 5 * one);
  for (int step = FLK_PHASING_ER; step <= FLK_PHASING_DM; step++)
    {
      args.step = step;
      launch (device, "phasing_update", teams, &args, sizeof args);
      g_autofree float *now = fetched (device, args.now, n * 4);
      g_autofree double *sums = fetched (device, args.sums, teams * 2 * sizeof (double));
      double change[2] = { 0, 0 };
      for (guint i = 0; i < n; i++)
        {
          double expected = update (step, old[i], 0.125 * projected[i], 0.125 * other[i], mask[i]);
          g_assert_cmpfloat (fabs (now[i] - expected), <, 2e-6);
          change[i % 2] += pow (expected - old[i], 2);
        }
      for (guint k = 0; k < 2; k++)
        g_assert_cmpfloat (fabs (total (sums, teams, k) / change[k] - 1), <, 1e-5);
      memcpy (all + (gsize) step * one, now, n * 4);
      memcpy (all + (gsize) step * one + n * 4, sums, teams * 2 * sizeof (double));
    }
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  return all;
}

static void
test_updates (FlkDevice *device)
{
  same_on_cpu (device, updates);
}

static int
descending (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return x < y ? 1 : x > y ? -1 : 0;
}

static void
test_supports (FlkDevice *device)
{
  g_autofree float *values = random_numbers (NUMBERS, 6, -1, 1);
  for (guint i = 0; i < NUMBERS; i++)
    values[i] = i % 2 && i % 3 == 0 ? 0.5f : values[i]; /* equal ones */
  FlkBuffer b[3] = { { 0 } };
  const float *on_device = flk_stage (device, &b[0], values, NUMBERS * 4);
  float *mask = flk_buffer_need (device, &b[1], NUMBERS * 4);
  static const struct
  {
    double part;
    guint64 most[2];
  } asked[] = { { 0, { 1000, 1000 } },
                { 0.75, { POINTS, POINTS } },
                { 0.2, { 1, 4000 } },
                { 0.9999, { 0, 5 } },
                { 0, { POINTS, POINTS } } };
  for (guint c = 0; c < G_N_ELEMENTS (asked); c++)
    {
      guint64 filled[2];
      g_assert_true (
          flk_support_draw (device, &b[2], on_device, POINTS, asked[c].part, asked[c].most, mask, filled));
      g_autofree float *got = fetched (device, mask, NUMBERS * 4);
      for (guint k = 0; k < 2; k++)
        {
          g_autofree float *sorted = g_new (float, POINTS);
          for (guint i = 0; i < POINTS; i++)
            sorted[i] = values[2 * i + k];
          qsort (sorted, POINTS, sizeof *sorted, descending);
          guint64 n = 0, expected = 0;
          while (expected < POINTS && sorted[expected] > 0
                 && sorted[expected] >= (float) (asked[c].part * sorted[0]))
            expected++;
          if (expected > asked[c].most[k])
            for (expected = asked[c].most[k];
                 expected > 0 && sorted[expected - 1] == sorted[asked[c].most[k]];)
              expected--;
          for (guint i = 0; i < POINTS; i++)
            {
              gboolean in = expected > 0 && values[2 * i + k] >= sorted[expected - 1];
              g_assert_cmpfloat (got[2 * i + k], ==, in ? 1 : 0);
              n += in;
            }
          g_assert_cmpuint (filled[k], ==, n);
          g_assert_cmpuint (n, ==, expected);
        }
    }
  /* Nothing is positive. */
  guint64 filled[2];
  g_autofree float *none = random_numbers (NUMBERS, 7, -1, 0);
  on_device = flk_stage (device, &b[0], none, NUMBERS * 4);
  g_assert_true (flk_support_draw (device, &b[2], on_device, POINTS, 0.1, asked[0].most, mask, filled));
  g_assert_true (filled[0] == 0 && filled[1] == 0);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
}

/* A point of either density becomes a Gaussian of weight 1, over the edges. */
static void
test_blur (FlkDevice *device)
{
  const double sigma = 1.5;
  float factor[N];
  g_autofree float *grid = g_new0 (float, NUMBERS);
  grid[2 * ((3 * N + 4) * N + 1)] = 1;
  grid[2 * ((10 * N + 0) * N + 23) + 1] = 2;
  flk_phasing_gaussian (factor, N, sigma);
  FlkBuffer b[2] = { { 0 } };
  FlkBlurArgs args = { flk_buffer_need (device, &b[0], NUMBERS * 4),
                       flk_stage (device, &b[1], factor, sizeof factor), N };
  flk_upload (device, args.grid, grid, NUMBERS * 4);
  FlkFft *fft = flk_fft_new (device, (const guint32[3]){ N, N, N }, FLK_F32);
  g_assert_true (flk_fft_run (fft, args.grid, FALSE));
  launch (device, "phasing_blur", flk_phasing_teams (POINTS), &args, sizeof args);
  g_assert_true (flk_fft_run (fft, args.grid, TRUE));
  g_autofree float *got = fetched (device, args.grid, NUMBERS * 4);
  static const int centre[2][3] = { { 1, 4, 3 }, { 23, 0, 10 } };
  for (int i = 0; i < POINTS; i++)
    for (int k = 0; k < 2; k++)
      {
        int x[3] = { i % N, i / N % N, i / (N * N) };
        double expected = k + 1;
        for (int d = 0; d < 3; d++)
          {
            double along = 0;
            for (int turn = -1; turn <= 1; turn++)
              along += exp (-pow (x[d] - centre[k][d] + turn * N, 2) / (2 * sigma * sigma));
            expected *= along / (sigma * sqrt (2 * G_PI));
          }
        g_assert_cmpfloat (fabs (got[2 * i + k] - expected), <, 1e-5);
      }
  flk_fft_free (fft);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
}

/* Linear and quadratic functions are turned without error; a quarter turn moves voxels as they are. */
static gpointer
turned (FlkDevice *device, gsize *size)
{
  enum
  {
    VOXELS = M * M * M
  };
  const double c = cos (0.4), s = sin (0.4);
  float volume[VOXELS];
  FlkBuffer b[2] = { { 0 } };
  float *all = g_new (float, 2 * VOXELS);
  for (int cubic = 0; cubic < 2; cubic++)
    {
      for (int i = 0; i < VOXELS; i++)
        {
          double x = i % M - M / 2, y = i / M % M - M / 2, z = i / (M * M) - M / 2;
          volume[i] = (float) (x + 2 * y - 3 * z + cubic * 0.1 * (x * x + y * z));
        }
      FlkTurnArgs args = { .from = flk_stage (device, &b[0], volume, sizeof volume),
                           .to = flk_buffer_need (device, &b[1], sizeof volume),
                           .m = M,
                           .inverse = { (float) c, (float) s, 0, (float) -s, (float) c, 0, 0, 0, 1 },
                           .shift = { 0.25f, -0.5f, 0.75f },
                           .cubic = cubic };
      launch (device, "volume_turn", M, &args, sizeof args);
      g_autofree float *got = fetched (device, args.to, sizeof volume);
      guint compared = 0;
      for (int i = 0; i < VOXELS; i++)
        {
          double x = i % M - M / 2 - 0.25, y = i / M % M - M / 2 + 0.5, z = i / (M * M) - M / 2 - 0.75;
          double u = c * x + s * y, v = -s * x + c * y;
          if (fabs (u) < M / 2 - 1 && fabs (v) < M / 2 - 1 && fabs (z) < M / 2 - 1)
            {
              g_assert_cmpfloat (fabs (got[i] - (u + 2 * v - 3 * z + cubic * 0.1 * (u * u + v * z))), <,
                                 1e-4);
              compared++;
            }
          else if (fabs (u) > M / 2 + 0.01 || fabs (v) > M / 2 + 0.01 || fabs (z) > M / 2 + 0.01)
            g_assert_cmpfloat (got[i], ==, 0);
        }
      g_assert_cmpuint (compared, >, 200);
      memcpy (all + cubic * VOXELS, got, sizeof volume);
      args.inverse[0] = args.inverse[4] = 0;
      args.inverse[1] = 1;
      args.inverse[3] = -1;
      memset (args.shift, 0, sizeof args.shift);
      launch (device, "volume_turn", M, &args, sizeof args);
      g_autofree float *quarter = fetched (device, args.to, sizeof volume);
      for (int i = 0; i < VOXELS; i++)
        {
          int x = i % M, y = i / M % M, z = i / (M * M);
          g_assert_cmpfloat (quarter[i], ==, volume[(z * M + (M - 1 - x)) * M + y]);
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  *size = 2 * VOXELS * 4;
  return all;
}

static void
test_turn (FlkDevice *device)
{
  same_on_cpu (device, turned);
}

static gpointer
shells (FlkDevice *device, gsize *size)
{
  enum
  {
    SHELLS = N / 2 + 6
  };
  g_autofree float *a = random_numbers (NUMBERS, 8, -1, 1), *c = random_numbers (NUMBERS, 9, -1, 1);
  double expected[SHELLS][3] = { { 0 } };
  for (int i = 0; i < POINTS; i++)
    {
      int x = i % N, y = i / N % N, z = i / (N * N);
      x -= x < N / 2 ? 0 : N;
      y -= y < N / 2 ? 0 : N;
      z -= z < N / 2 ? 0 : N;
      int shell = (int) floor (sqrt (x * x + y * y + z * z) + 0.5);
      if (shell >= SHELLS)
        continue;
      complex double f = a[2 * i] + I * a[2 * i + 1], g = c[2 * i] + I * c[2 * i + 1];
      expected[shell][0] += creal (f * conj (g));
      expected[shell][1] += pow (cabs (f), 2);
      expected[shell][2] += pow (cabs (g), 2);
    }
  FlkBuffer b[3] = { { 0 } };
  *size = N * SHELLS * 3 * sizeof (double);
  FlkShellsArgs args = { flk_stage (device, &b[0], a, NUMBERS * 4), flk_stage (device, &b[1], c, NUMBERS * 4),
                         N, SHELLS, flk_buffer_need (device, &b[2], *size) };
  launch (device, "shell_sums", N, &args, sizeof args);
  double (*sums)[SHELLS][3] = fetched (device, args.sums, *size);
  for (guint s = 0; s < SHELLS; s++)
    for (guint k = 0; k < 3; k++)
      {
        double sum = 0;
        for (guint z = 0; z < N; z++)
          sum += sums[z][s][k];
        g_assert_cmpfloat (fabs (sum - expected[s][k]), <, 1e-9 * (1 + expected[s][1]));
      }
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  return sums;
}

static void
test_shells (FlkDevice *device)
{
  same_on_cpu (device, shells);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/phasing/amplitudes", test_amplitudes);
  on_devices ("/phasing/updates", test_updates);
  on_devices ("/phasing/supports", test_supports);
  on_devices ("/phasing/blur", test_blur);
  on_devices ("/phasing/turn", test_turn);
  on_devices ("/phasing/shells", test_shells);
  on_devices_launched (
      "phasing_amplitudes phasing_update phasing_blur support_count support_draw volume_turn shell_sums");
  return g_test_run ();
}
