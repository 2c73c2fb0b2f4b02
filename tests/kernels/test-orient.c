/* test-orient.c: matching against naive double sums: scores, best, sums of exponentials, probabilities; batches and ranges. */
#include <math.h>
#include <string.h>

#include "kernels/orient.h"
#include "tests/kernels/on-devices.h"

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  PATTERNS = 101,
  PIXELS = 301,
  ROTATIONS = 170, /* a third block that is not full */
  BATCHES = 2,
  ALL = ROTATIONS + 2 * BLOCK,
  BEST = 7
};

typedef struct
{
  float model[5 * PIXELS * BLOCK], offset[ALL], prior[ALL];
  float dense[PATTERNS * PIXELS], total[PATTERNS];
  guint32 start[PATTERNS + 1];
  FlkLit lit[PATTERNS * PIXELS];
  double score[PATTERNS][ALL], size[PATTERNS][ALL];
} Problem;

/* Batches: two blocks, then three of which the last is not full. Pattern 3 is dark, pattern 4 all lit. */
static Problem *
problem_new (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  Problem *p = g_new0 (Problem, 1);
  for (guint i = 0; i < G_N_ELEMENTS (p->model); i++)
    p->model[i] = (float) g_rand_double_range (random, -4, 1);
  for (guint r = 0; r < ALL; r++)
    {
      p->offset[r] = (float) g_rand_double_range (random, 2, 3);
      p->prior[r] = (float) g_rand_double_range (random, -1, 0);
    }
  guint n = 0;
  for (guint d = 0; d < PATTERNS; d++)
    {
      p->start[d] = n;
      for (guint t = 0; t < PIXELS; t++)
        if (d == 4 || (d != 3 && g_rand_int_range (random, 0, 5) == 0))
          {
            float count = (float) g_rand_int_range (random, 1, 4);
            p->lit[n++] = (FlkLit){ t, count };
            p->dense[d * PIXELS + t] = count;
            p->total[d] += count;
          }
    }
  p->start[PATTERNS] = n;
  for (guint d = 0; d < PATTERNS; d++)
    for (guint r = 0; r < ALL; r++)
      {
        double sum = 0, size = fabs (p->total[d] * p->offset[r]) + 1;
        for (guint t = 0; t < PIXELS; t++)
          {
            double term =
                (double) p->dense[d * PIXELS + t] * p->model[(r / BLOCK * PIXELS + t) * BLOCK + r % BLOCK];
            sum += term;
            size += fabs (term);
          }
        p->score[d][r] = sum - (double) p->total[d] * p->offset[r] + p->prior[r];
        p->size[d][r] = size;
      }
  return p;
}

typedef struct
{
  FlkDevice *device;
  FlkBuffer buffer[8], scores, best_score, best, log_sum;
  const float *model, *offset, *prior;
  FlkOrientArgs args;
} Matching;

static void
matching_init (Matching *m, FlkDevice *device, const Problem *p)
{
  *m = (Matching){ .device = device };
  m->model = flk_stage (device, &m->buffer[0], p->model, sizeof p->model);
  m->offset = flk_stage (device, &m->buffer[1], p->offset, sizeof p->offset);
  m->prior = flk_stage (device, &m->buffer[2], p->prior, sizeof p->prior);
  m->args = (FlkOrientArgs){
    .n_pixels = PIXELS, .n_patterns = PATTERNS, .n_best = BEST, .beta = 0.125f, .threshold = 1e-3f
  };
  m->args.start = flk_stage (device, &m->buffer[3], p->start, sizeof p->start);
  m->args.lit = flk_stage (device, &m->buffer[4], p->lit, sizeof p->lit);
  m->args.dense = flk_stage (device, &m->buffer[5], p->dense, sizeof p->dense);
  m->args.total = flk_stage (device, &m->buffer[6], p->total, sizeof p->total);
  flk_buffer_need (device, &m->scores, 3 * PATTERNS * BLOCK * sizeof (float));
  m->args.best_score = flk_buffer_need (device, &m->best_score, PATTERNS * BEST * sizeof (float));
  m->args.best = flk_buffer_need (device, &m->best, PATTERNS * BEST * sizeof (guint32));
  m->args.log_sum = flk_buffer_need (device, &m->log_sum, PATTERNS * sizeof (FlkLogSum));
}

static void
matching_clear (Matching *m)
{
  FlkBuffer *others[] = { &m->scores, &m->best_score, &m->best, &m->log_sum };
  for (guint i = 0; i < G_N_ELEMENTS (m->buffer); i++)
    flk_buffer_clear (m->device, &m->buffer[i]);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    flk_buffer_clear (m->device, others[i]);
}

/* Batch 0: rotations 0 … 127, batch 1: the others. Gives the scores, [blocks][PATTERNS][BLOCK]. */
static float *
run_batch (Matching *m, const char *kernel, guint batch, gboolean scores)
{
  guint first = batch * 2 * BLOCK;
  FlkOrientArgs args = m->args;
  args.model = m->model + (gsize) first * PIXELS;
  args.offset = m->offset + first;
  args.prior = m->prior + first;
  args.first = first;
  args.n_rotations = batch == 0 ? 2 * BLOCK : ROTATIONS;
  args.start_over = batch == 0;
  args.scores = scores ? m->scores.memory : NULL;
  launch (m->device, kernel, flk_orient_teams (PATTERNS), &args, sizeof args);
  return scores ? fetched (m->device, m->scores.memory,
                           flk_orient_blocks (args.n_rotations) * PATTERNS * BLOCK * sizeof (float))
                : NULL;
}

static gboolean
is_best (const float *score, guint rotation, float least)
{
  return score[rotation] > least;
}

/* The same sums on every device that fuses: only x86-64's baseline has no such instruction. */
static void
check_fused (FlkDevice *device, const float *got)
{
  static float *first;
  if (g_str_equal (flk_device_kind (device), "cpu") && strstr (flk_device_description (device), "-v") == NULL)
    return;
  if (first == NULL)
    first = g_memdup2 (got, PATTERNS * ALL * sizeof *got);
  assert_same (first, PATTERNS * ALL * sizeof *got, got, PATTERNS * ALL * sizeof *got);
}

/* The best and the sums, of the scores that the device gave itself; those against the naive ones. */
static void
check_kernel (FlkDevice *device, const Problem *p, const char *kernel)
{
  Matching m;
  matching_init (&m, device, p);
  g_autofree float *got = g_new (float, PATTERNS *ALL);
  for (guint batch = 0; batch < BATCHES; batch++)
    {
      g_autofree float *scores = run_batch (&m, kernel, batch, TRUE);
      for (guint r = batch * 2 * BLOCK; r < (batch == 0 ? 2 * BLOCK : ALL); r++)
        for (guint d = 0; d < PATTERNS; d++)
          {
            guint in = r - batch * 2 * BLOCK;
            float s = scores[(in / BLOCK * PATTERNS + d) * BLOCK + in % BLOCK];
            g_assert_cmpfloat (fabs (s - p->score[d][r]), <=, ldexp (p->size[d][r], -21));
            got[d * ALL + r] = s;
          }
    }
  if (g_str_equal (kernel, "orient_dense"))
    check_fused (device, got);
  g_autofree float *best_score = fetched (device, m.args.best_score, PATTERNS * BEST * sizeof (float));
  g_autofree guint32 *best = fetched (device, m.args.best, PATTERNS * BEST * sizeof (guint32));
  g_autofree FlkLogSum *log_sum = fetched (device, m.args.log_sum, PATTERNS * sizeof (FlkLogSum));
  double whole[PATTERNS];
  for (guint d = 0; d < PATTERNS; d++)
    {
      const float *score = got + d * ALL;
      whole[d] = 0;
      guint better = 0;
      for (guint r = 0; r < ALL; r++)
        {
          better += is_best (score, r, best_score[d * BEST + BEST - 1]);
          whole[d] += exp (0.125 * (score[r] - score[best[d * BEST]]));
        }
      g_assert_cmpuint (better, <, BEST);
      for (guint k = 0; k < BEST; k++)
        {
          g_assert_cmpfloat (score[best[d * BEST + k]], ==, best_score[d * BEST + k]);
          if (k > 0)
            g_assert_true (best_score[d * BEST + k - 1] > best_score[d * BEST + k]
                           || (best_score[d * BEST + k - 1] == best_score[d * BEST + k]
                               && best[d * BEST + k - 1] < best[d * BEST + k]));
        }
      g_assert_cmpfloat (log_sum[d].most, ==, 0.125f * best_score[d * BEST]);
      g_assert_cmpfloat (fabs (log_sum[d].rest / whole[d] - 1), <, 1e-5);
    }
  m.args.probabilities = true;
  double left = 0;
  for (guint batch = 0; batch < BATCHES; batch++)
    {
      g_autofree float *probability = run_batch (&m, kernel, batch, TRUE);
      for (guint r = batch * 2 * BLOCK; r < (batch == 0 ? 2 * BLOCK : ALL); r++)
        for (guint d = 0; d < PATTERNS; d++)
          {
            guint in = r - batch * 2 * BLOCK;
            float found = probability[(in / BLOCK * PATTERNS + d) * BLOCK + in % BLOCK];
            double expected = exp (0.125 * (got[d * ALL + r] - best_score[d * BEST])) / whole[d];
            if (fabs (expected - 1e-3) > 1e-6)
              g_assert_cmpfloat (fabs (found - (expected < 1e-3 ? 0 : expected)), <, 1e-5 * expected + 1e-9);
            left += found;
          }
      for (guint in = ROTATIONS; batch == 1 && in < 3 * BLOCK; in++)
        for (guint d = 0; d < PATTERNS; d++)
          g_assert_cmpfloat (probability[(in / BLOCK * PATTERNS + d) * BLOCK + in % BLOCK], ==, 0);
    }
  g_assert_cmpfloat (fabs (left / PATTERNS - 1), <, 0.1);
  matching_clear (&m);
}

static void
test_sparse (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  check_kernel (device, p, "orient_sparse");
}

static void
test_dense (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  check_kernel (device, p, "orient_dense");
}

/* What the sparse one leaves, of one device: best scores, numbers and sums. */
static gpointer
sparse_state (FlkDevice *device, const Problem *p, gsize *size)
{
  Matching m;
  matching_init (&m, device, p);
  for (guint batch = 0; batch < BATCHES; batch++)
    run_batch (&m, "orient_sparse", batch, FALSE);
  gsize bests = PATTERNS * BEST * 4, sums = PATTERNS * sizeof (FlkLogSum);
  g_autofree gpointer a = fetched (device, m.args.best_score, bests),
                      b = fetched (device, m.args.best, bests), c = fetched (device, m.args.log_sum, sums);
  *size = 2 * bests + sums;
  guint8 *all = g_malloc (*size);
  memcpy (all, a, bests);
  memcpy (all + bests, b, bests);
  memcpy (all + 2 * bests, c, sums);
  matching_clear (&m);
  return all;
}

static void
test_bits (FlkDevice *device)
{
  FlkDevice *plain = flk_device_open ("cpu", 0, 3, NULL, 0);
  if (!plain)
    {
      g_test_skip ("no CPU module to compare with");
      return;
    }
  g_autofree Problem *p = problem_new ();
  gsize size_a, size_b;
  g_autofree gpointer a = sparse_state (device, p, &size_a), b = sparse_state (plain, p, &size_b);
  assert_same (a, size_a, b, size_b);
  flk_device_close (plain);
}

/* Blocks of its own for each pattern: none, one or two. */
static void
test_ranges (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  Matching m;
  matching_init (&m, device, p);
  guint32 range[PATTERNS + 1];
  for (guint d = 0; d <= PATTERNS; d++)
    range[d] = d < 2 ? d : d < 40 ? 1 : d == 40 ? 3 : 5;
  m.args.range = flk_stage (device, &m.buffer[7], range, sizeof range);
  FlkOrientArgs args = m.args;
  args.model = m.model;
  args.offset = m.offset;
  args.prior = m.prior;
  args.n_rotations = ALL;
  args.start_over = true;
  launch (device, "orient_sparse", flk_orient_teams (PATTERNS), &args, sizeof args);
  g_autofree float *best_score = fetched (device, args.best_score, PATTERNS * BEST * sizeof (float));
  g_autofree guint32 *best = fetched (device, args.best, PATTERNS * BEST * sizeof (guint32));
  for (guint d = 0; d < PATTERNS; d++)
    {
      double most = -1e30;
      for (guint r = range[d] * BLOCK; r < MIN (range[d + 1] * BLOCK, (guint) ALL); r++)
        most = MAX (most, p->score[d][r]);
      g_assert_cmpfloat (fabs (best_score[d * BEST] - most), <=, most > -1e30 ? 1e-3 : 1e23);
      if (most > -1e30)
        g_assert_cmpfloat (fabs (p->score[d][best[d * BEST]] - most), <=, 1e-3);
    }
  matching_clear (&m);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/orient/sparse", test_sparse);
  on_devices ("/orient/dense", test_dense);
  on_devices ("/orient/bits", test_bits);
  on_devices ("/orient/ranges", test_ranges);
  on_devices_launched ("orient_sparse orient_dense");
  return g_test_run ();
}
