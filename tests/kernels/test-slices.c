/* test-slices.c: slices against direct sums and the general transform, the adjoint's identity, the same bits everywhere. */
#include <math.h>

#include "kernels/slices.h"
#include "tests/kernels/on-devices.h"

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  SIZE = 11,
  VOXELS = SIZE * SIZE * SIZE,
  PIXELS = 135, /* a second chunk that is not full */
  ROTATIONS = 67,
  BLOCKS = 2
};

static const struct
{
  double tolerance, upsampling;
} asked[] = { { 1e-2, 2 }, { 1e-3, 2 }, { 1e-5, 2 }, { 1e-3, 1.25 } };

typedef struct
{
  float volume[VOXELS], s[PIXELS * 3], rotation[ROTATIONS * 9];
  float values[BLOCKS * PIXELS * BLOCK], factor[PIXELS], background[PIXELS], counted[PIXELS],
      of_rotation[ROTATIONS];
  double slice[ROTATIONS][PIXELS];
} Problem;

static void
random_rotation (GRand *random, float m[9])
{
  double q[4], size = 0;
  for (guint i = 0; i < 4; i++)
    {
      q[i] = g_rand_double_range (random, -1, 1);
      size += q[i] * q[i];
    }
  size = 2 / size;
  double w = q[0], x = q[1], y = q[2], z = q[3];
  const double full[9] = {
    1 - size * (y * y + z * z), size * (x * y - w * z),     size * (x * z + w * y),
    size * (x * y + w * z),     1 - size * (x * x + z * z), size * (y * z - w * x),
    size * (x * z - w * y),     size * (y * z + w * x),     1 - size * (x * x + y * y)
  };
  for (guint i = 0; i < 9; i++)
    m[i] = (float) full[i];
}

/* R⁻¹ s of a rotation and a pixel. */
static void
place (const Problem *p, guint r, guint t, double x[3])
{
  for (guint d = 0; d < 3; d++)
    {
      x[d] = 0;
      for (guint k = 0; k < 3; k++)
        x[d] += (double) p->rotation[9 * r + 3 * k + d] * p->s[3 * t + k];
    }
}

static double
wave (guint voxel, const double x[3])
{
  double turns = 0;
  for (guint d = 0; d < 3; d++, voxel /= SIZE)
    turns += ((int) (voxel % SIZE) - SIZE / 2) * x[d];
  return cos (2 * G_PI * turns);
}

/* Pixels up to the edge of the band, one in its middle, some beyond it. */
static Problem *
problem_new (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  Problem *p = g_new0 (Problem, 1);
  for (guint i = 0; i < VOXELS; i++)
    p->volume[i] = (float) g_rand_double_range (random, -0.2, 1);
  for (guint i = 3; i < 3 * PIXELS; i++)
    p->s[i] = (float) g_rand_double_range (random, -0.35, 0.35);
  for (guint r = 0; r < ROTATIONS; r++)
    {
      random_rotation (random, p->rotation + 9 * r);
      p->of_rotation[r] = r % 5 ? (float) g_rand_double_range (random, 0, 2) : 0;
    }
  for (guint t = 0; t < PIXELS; t++)
    {
      p->factor[t] = (float) g_rand_double_range (random, 0.5, 1);
      p->background[t] = (float) g_rand_double_range (random, 0, 1);
      p->counted[t] = t % 4 != 0;
    }
  for (guint i = 0; i < G_N_ELEMENTS (p->values); i++)
    p->values[i] = i % 7 ? (float) g_rand_double_range (random, -1, 1) : 0;
  for (guint r = 0; r < ROTATIONS; r++)
    for (guint t = 0; t < PIXELS; t++)
      {
        double x[3];
        place (p, r, t, x);
        for (guint i = 0; i < VOXELS; i++)
          p->slice[r][t] += (double) p->volume[i] * wave (i, x);
      }
  return p;
}

static gsize
in_blocks (guint r, guint t)
{
  return ((gsize) r / BLOCK * PIXELS + t) * BLOCK + r % BLOCK;
}

typedef struct
{
  FlkDevice *device;
  FlkSlices *slices;
  FlkBuffer buffer[9], out[5];
  const float *volume, *rotation, *values, *of_rotation, *factor;
  FlkSlicesOut ask;
} Work;

static void
work_init (Work *w, FlkDevice *device, const Problem *p, guint which)
{
  char message[256] = "";
  *w = (Work){ .device = device };
  w->slices =
      flk_slices_new (device, SIZE, asked[which].tolerance, asked[which].upsampling, message, sizeof message);
  g_assert_cmpstr (message, ==, "");
  g_assert_true (flk_slices_pixels (w->slices, p->s, PIXELS));
  w->volume = flk_stage (device, &w->buffer[0], p->volume, sizeof p->volume);
  w->rotation = flk_stage (device, &w->buffer[1], p->rotation, sizeof p->rotation);
  w->values = flk_stage (device, &w->buffer[2], p->values, sizeof p->values);
  w->of_rotation = flk_stage (device, &w->buffer[3], p->of_rotation, sizeof p->of_rotation);
  w->factor = flk_stage (device, &w->buffer[4], p->factor, sizeof p->factor);
  gsize size = sizeof p->values;
  w->ask =
      (FlkSlicesOut){ .scale = 0.5f,
                      .floor = 0.25f,
                      .factor = w->factor,
                      .background = flk_stage (device, &w->buffer[5], p->background, sizeof p->background),
                      .counted = flk_stage (device, &w->buffer[6], p->counted, sizeof p->counted),
                      .values = flk_buffer_need (device, &w->out[0], size),
                      .model = flk_buffer_need (device, &w->out[1], size),
                      .log_model = flk_buffer_need (device, &w->out[2], size),
                      .sum = flk_buffer_need (device, &w->out[3], ROTATIONS * 4),
                      .log_sum = flk_buffer_need (device, &w->out[4], ROTATIONS * 4) };
}

static void
work_clear (Work *w)
{
  for (guint i = 0; i < G_N_ELEMENTS (w->buffer); i++)
    flk_buffer_clear (w->device, &w->buffer[i]);
  for (guint i = 0; i < G_N_ELEMENTS (w->out); i++)
    flk_buffer_clear (w->device, &w->out[i]);
  flk_slices_free (w->slices);
}

static float *
gathered (Work *w)
{
  g_assert_true (flk_slices_model (w->slices, w->volume));
  g_assert_true (flk_slices_run (w->slices, w->rotation, ROTATIONS, &w->ask));
  return fetched (w->device, w->ask.values, BLOCKS * PIXELS * BLOCK * sizeof (float));
}

static float *
spread (Work *w, gboolean weights)
{
  FlkBuffer volume = { 0 };
  gpointer to = flk_buffer_need (w->device, &volume, VOXELS * 4);
  g_assert_true (flk_slices_begin (w->slices));
  /* Two batches. */
  for (guint first = 0; first < ROTATIONS; first += BLOCK)
    g_assert_true (flk_slices_add (w->slices, w->rotation + 9 * first, MIN ((guint) BLOCK, ROTATIONS - first),
                                   w->values + (gsize) first * PIXELS,
                                   weights ? w->of_rotation + first : NULL, weights ? w->factor : NULL));
  g_assert_true (flk_slices_end (w->slices, to));
  float *result = fetched (w->device, to, VOXELS * 4);
  flk_buffer_clear (w->device, &volume);
  return result;
}

static void
test_sums (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
    {
      Work w;
      work_init (&w, device, p, i);
      g_autofree float *values = gathered (&w);
      gsize size = sizeof p->values;
      g_autofree float *model = fetched (device, w.ask.model, size),
                       *log_model = fetched (device, w.ask.log_model, size),
                       *sum = fetched (device, w.ask.sum, ROTATIONS * 4),
                       *log_sum = fetched (device, w.ask.log_sum, ROTATIONS * 4);
      double error = 0, norm = 0;
      for (guint r = 0; r < ROTATIONS; r++)
        {
          double whole = 0;
          for (guint t = 0; t < PIXELS; t++)
            {
              gsize at = in_blocks (r, t);
              error += pow (values[at] - p->slice[r][t], 2);
              norm += pow (p->slice[r][t], 2);
              double expected = MAX (0.5 * p->factor[t] * values[at] + p->background[t], 0.25);
              g_assert_cmpfloat (fabs (model[at] - expected), <, 1e-6 * (1 + expected));
              g_assert_cmpfloat (fabs (log_model[at] - log (model[at])), <,
                                 1e-6 * (1 + fabs (log (model[at]))));
              whole += p->counted[t] * (double) model[at];
            }
          g_assert_cmpfloat (fabs (sum[r] / whole - 1), <, 1e-5);
          g_assert_cmpfloat (fabs (log_sum[r] - log (whole)), <, 1e-5);
        }
      g_test_message ("%g upsampled %g: error %.1e", asked[i].tolerance, asked[i].upsampling,
                      sqrt (error / norm));
      g_assert_cmpfloat (sqrt (error / norm), <, 4 * asked[i].tolerance);
      for (guint t = 0; t < PIXELS; t++)
        for (guint lane = ROTATIONS - BLOCK; lane < BLOCK; lane++)
          g_assert_cmpfloat (values[(PIXELS + t) * BLOCK + lane], ==, 0);
      work_clear (&w);
    }
}

static void
test_adjoint (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  for (guint i = 1; i < G_N_ELEMENTS (asked); i += 2)
    {
      Work w;
      work_init (&w, device, p, i);
      g_autofree float *values = gathered (&w), *plain = spread (&w, FALSE), *weighted = spread (&w, TRUE);
      double left[2] = { 0, 0 }, right[2] = { 0, 0 }, size = 0, error = 0, norm = 0;
      for (guint v = 0; v < VOXELS; v++)
        {
          right[0] += (double) plain[v] * p->volume[v];
          right[1] += (double) weighted[v] * p->volume[v];
        }
      for (guint r = 0; r < ROTATIONS; r++)
        for (guint t = 0; t < PIXELS; t++)
          {
            double term = (double) values[in_blocks (r, t)] * p->values[in_blocks (r, t)];
            left[0] += term;
            left[1] += term * p->of_rotation[r] * p->factor[t];
            size += fabs (term);
          }
      for (guint k = 0; k < 2; k++)
        g_assert_cmpfloat (fabs (left[k] - right[k]), <, 1e-6 * size);
      /* And a column of voxels by the direct sum. */
      for (guint v = 5 * SIZE; v < 6 * SIZE; v++)
        {
          double sum = 0, x[3];
          for (guint r = 0; r < ROTATIONS; r++)
            for (guint t = 0; t < PIXELS; t++)
              {
                place (p, r, t, x);
                sum += (double) p->values[in_blocks (r, t)] * wave (v, x);
              }
          error += pow (plain[v] - sum, 2);
          norm += sum * sum;
        }
      g_assert_cmpfloat (sqrt (error / norm), <, 4 * asked[i].tolerance);
      work_clear (&w);
    }
}

static void
same_on (FlkDevice *device, const char *other, guint threads)
{
  FlkDevice *plain = flk_device_open (other, 0, threads, NULL, 0);
  if (!plain)
    {
      g_test_skip ("no CPU module to compare with");
      return;
    }
  g_autofree Problem *p = problem_new ();
  for (guint i = 0; i < G_N_ELEMENTS (asked); i += 2)
    {
      Work a, b;
      work_init (&a, device, p, i);
      work_init (&b, plain, p, i);
      g_autofree float *va = gathered (&a), *vb = gathered (&b);
      assert_same (va, sizeof p->values, vb, sizeof p->values);
      g_autofree float *la = fetched (device, a.ask.log_sum, ROTATIONS * 4),
                       *lb = fetched (plain, b.ask.log_sum, ROTATIONS * 4);
      assert_same (la, ROTATIONS * 4, lb, ROTATIONS * 4);
      g_autofree float *sa = spread (&a, TRUE), *sb = spread (&b, TRUE);
      assert_same (sa, VOXELS * 4, sb, VOXELS * 4);
      work_clear (&a);
      work_clear (&b);
    }
  flk_device_close (plain);
}

static void
test_bits (FlkDevice *device)
{
  /* Slabs of several threads, and one for all. */
  same_on (device, "cpu", 5);
  if (flk_device_threads (device) > 0)
    same_on (device, "cpu", 1);
}

/* The general transform, which sorts its points. */
static void
test_general (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  Work w;
  work_init (&w, device, p, 2);
  g_autofree float *values = gathered (&w);
  g_autofree float *x = g_new (float, 3 * ROTATIONS * PIXELS);
  for (guint j = 0; j < ROTATIONS * PIXELS; j++)
    {
      double at[3];
      place (p, j / PIXELS, j % PIXELS, at);
      for (guint d = 0; d < 3; d++)
        x[d * ROTATIONS * PIXELS + j] = (float) at[d];
    }
  FlkNufftOptions options = { { SIZE, SIZE, SIZE }, 1e-5, 2, FLK_F32, TRUE };
  char message[256];
  FlkNufft *nufft = flk_nufft_new (device, &options, message, sizeof message);
  FlkBuffer out = { 0 };
  gpointer general = flk_buffer_need (device, &out, ROTATIONS * PIXELS * 4);
  g_assert_true (flk_nufft_points (nufft, x, ROTATIONS * PIXELS, message, sizeof message));
  g_assert_true (flk_nufft_type2 (nufft, w.volume, general, FALSE));
  g_autofree float *other = fetched (device, general, ROTATIONS * PIXELS * 4);
  double error = 0, norm = 0;
  for (guint j = 0; j < ROTATIONS * PIXELS; j++)
    {
      error += pow (other[j] - values[in_blocks (j / PIXELS, j % PIXELS)], 2);
      norm += other[j] * other[j];
    }
  g_assert_cmpfloat (sqrt (error / norm), <, 2e-5);
  flk_buffer_clear (device, &out);
  flk_nufft_free (nufft);
  work_clear (&w);
}

static void
test_refusals (FlkDevice *device)
{
  static const struct
  {
    guint32 size;
    double tolerance, upsampling;
  } bad[] = { { 0, 1e-3, 2 }, { 400, 1e-3, 2 },  { 9, 1e-7, 2 },
              { 9, NAN, 2 },  { 9, 1e-5, 1.25 }, { 9, 1e-3, 3 } };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      char message[256] = "";
      g_assert_null (
          flk_slices_new (device, bad[i].size, bad[i].tolerance, bad[i].upsampling, message, sizeof message));
      g_assert_cmpstr (message, !=, "");
    }
  /* A rotation that is no number does not reach beyond the grid. */
  g_autofree Problem *p = problem_new ();
  Work w;
  p->rotation[0] = NAN;
  p->rotation[9] = INFINITY;
  p->rotation[18] = 1e30f;
  work_init (&w, device, p, 1);
  g_autofree float *values = gathered (&w), *volume = spread (&w, FALSE);
  g_assert_true (isfinite (values[in_blocks (3, 0)]));
  work_clear (&w);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/slices/sums", test_sums);
  on_devices ("/slices/adjoint", test_adjoint);
  on_devices ("/slices/bits", test_bits);
  on_devices ("/slices/general", test_general);
  on_devices ("/slices/refusals", test_refusals);
  on_devices_launched ("slices_gather slices_total slices_spread");
  return g_test_run ();
}
