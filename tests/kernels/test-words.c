/* test-words.c: the shim's words on every back end: team sums and scans, atomics, polynomials. */
#include <math.h>

#include "kernels/words.h"
#include "tests/kernels/on-devices.h"

enum
{
  N = 10007,
  CHUNK = 1000,
  TEAMS = (N + CHUNK - 1) / CHUNK
};

static void
check_polynomials (const float *in, const FlkWords *words)
{
  for (int i = 0; i < N; i++)
    {
      double x = in[i];
      g_assert_true (words[i].rounded == rint (x));
      g_assert_cmpfloat_with_epsilon (words[i].sine, sin (M_PI * (x - 2 * rint (x / 2))), 3e-7);
      g_assert_cmpfloat_with_epsilon (words[i].cosine, cos (M_PI * (x - 2 * rint (x / 2))), 3e-7);
      g_assert_cmpfloat_with_epsilon (words[i].power / exp2 (x / 16), 1, 3e-7);
      double log_x = log2 (1 + fabs (x)); /* of the float sum, as the kernel makes it */
      log_x = log2 ((double) (1 + fabsf (in[i])));
      g_assert_cmpfloat_with_epsilon (words[i].logarithm, log_x, 4e-7 + 1e-7 * log_x);
      g_assert_cmpfloat_with_epsilon (words[i].modulus, 1, 1e-6);
      g_assert_cmpfloat_with_epsilon (words[i].argument, 0, 1e-6);
    }
}

static void
test_words (FlkDevice *device)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  g_autofree float *in = g_new (float, N);
  for (int i = 0; i < N; i++)
    in[i] = (float) g_rand_double_range (random, -999, 999);
  in[0] = 0.5f, in[1] = 1.5f, in[2] = -0.5f, in[3] = 0, in[4] = -2.5f; /* halves go to even */

  FlkBuffer staged = { 0 }, words = { 0 }, teams = { 0 }, totals = { 0 };
  FlkWordsArgs args = { .in = flk_stage (device, &staged, in, N * sizeof *in),
                        .words = flk_buffer_need (device, &words, N * sizeof (FlkWords)),
                        .teams = flk_buffer_need (device, &teams, TEAMS * sizeof (FlkWordsTeam)),
                        .totals = flk_buffer_need (device, &totals, sizeof (FlkWordsTotals)),
                        .n = N,
                        .chunk = CHUNK };
  flk_zero (device, args.totals, sizeof (FlkWordsTotals));
  launch (device, "words", TEAMS, &args, sizeof args);
  g_autofree FlkWords *got = fetched (device, args.words, N * sizeof *got);
  g_autofree FlkWordsTeam *got_teams = fetched (device, args.teams, TEAMS * sizeof *got_teams);
  g_autofree FlkWordsTotals *total = fetched (device, args.totals, sizeof *total);
  check_polynomials (in, got);

  double all = 0;
  gint64 whole_all = 0;
  for (guint t = 0; t < TEAMS; t++)
    {
      guint n = MIN (CHUNK, N - t * CHUNK);
      double sum = 0, size = 0;
      gint64 whole = 0;
      for (guint i = t * CHUNK; i < t * CHUNK + n; i++)
        {
          sum += (double) in[i];
          size += fabs ((double) in[i]);
          whole += (gint64) in[i];
        }
      g_assert_cmpuint (got_teams[t].scan_end, ==, n);
      g_assert_cmpuint (got_teams[t].scan_total, ==, n);
      g_assert_cmpuint (got_teams[t].sum_u32, ==, n);
      g_assert_cmpuint (got_teams[t].count, ==, n);
      g_assert_cmpint (got_teams[t].sum_i64, ==, whole);
      g_assert_cmpfloat_with_epsilon (got_teams[t].sum_f64, sum, 1e-12 * size);
      g_assert_cmpfloat_with_epsilon (got_teams[t].sum_f32, sum, 1e-5 * size);
      all += sum;
      whole_all += whole;
    }
  g_assert_cmpint (total->i64, ==, whole_all);
  g_assert_cmpuint (total->u64, ==, N);
  g_assert_cmpuint (total->max_u32, ==, N - 1);
  g_assert_cmpuint (total->cas_u32, ==, 3 * TEAMS);
  g_assert_cmpfloat_with_epsilon (total->f64, all, 1e-7);
  g_assert_cmpfloat_with_epsilon (total->f32, all, 100);

  FlkBuffer *buffers[] = { &staged, &words, &teams, &totals };
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    flk_buffer_clear (device, buffers[i]);
}

/* A body is right for every team size. */
static void
test_team_sizes (FlkDevice *device)
{
  static const guint32 sizes[] = { 1, 2, 3, 7, 32 };
  g_autofree float *in = g_new0 (float, N);
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      FlkBuffer staged = { 0 }, words = { 0 }, teams = { 0 }, totals = { 0 };
      FlkWordsArgs args = { .in = flk_stage (device, &staged, in, N * sizeof *in),
                            .words = flk_buffer_need (device, &words, N * sizeof (FlkWords)),
                            .teams = flk_buffer_need (device, &teams, TEAMS * sizeof (FlkWordsTeam)),
                            .totals = flk_buffer_need (device, &totals, sizeof (FlkWordsTotals)),
                            .n = N,
                            .chunk = CHUNK };
      flk_zero (device, args.totals, sizeof (FlkWordsTotals));
      g_assert_true (flk_launch (device, "words", TEAMS, sizes[s], &args, sizeof args));
      g_autofree FlkWordsTeam *got = fetched (device, args.teams, TEAMS * sizeof *got);
      for (guint t = 0; t < TEAMS; t++)
        {
          guint n = MIN (CHUNK, N - t * CHUNK);
          g_assert_true (got[t].scan_end == n && got[t].scan_total == n && got[t].sum_u32 == n
                         && got[t].count == n);
        }
      flk_buffer_clear (device, &staged);
      flk_buffer_clear (device, &words);
      flk_buffer_clear (device, &teams);
      flk_buffer_clear (device, &totals);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/words/all", test_words);
  on_devices ("/words/team-sizes", test_team_sizes);
  on_devices_launched ("words");
  return g_test_run ();
}
