/* test-merging.c: means against naive double sums; the Toeplitz operator against slices and their adjoint. */
#include <math.h>

#include "kernels/means.h"
#include "kernels/slices.h"
#include "kernels/toeplitz.h"
#include "tests/kernels/on-devices.h"

enum
{
  BLOCK = FLK_ORIENT_BLOCK,
  PATTERNS = 90,
  PIXELS = 77,
  ROTATIONS = 100,
  BLOCKS = 2,
  SIZE = 9,
  VOXELS = SIZE * SIZE * SIZE,
  WIDE = 2 * SIZE - 1
};

typedef struct
{
  float probability[BLOCKS * PATTERNS * BLOCK], scale[PATTERNS];
  guint32 start[PATTERNS + 1];
  FlkLit lit[PATTERNS * PIXELS];
  double means[ROTATIONS][PIXELS], weight[ROTATIONS];
} Problem;

/* Some patterns for no rotation of a block, some for a few, some for all. */
static Problem *
problem_new (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (8);
  Problem *p = g_new0 (Problem, 1);
  guint n = 0;
  for (guint d = 0; d < PATTERNS; d++)
    {
      p->scale[d] = (float) g_rand_double_range (random, 0.5, 2);
      p->start[d] = n;
      for (guint t = 0; t < PIXELS; t++)
        if (g_rand_int_range (random, 0, 3) == 0)
          p->lit[n++] = (FlkLit){ t, (float) g_rand_int_range (random, 1, 4) };
      p->start[d + 1] = n;
      for (guint r = 0; r < ROTATIONS; r++)
        {
          gboolean seen = (d + r / BLOCK) % 3 == 0 || ((d + r / BLOCK) % 3 == 1 && r % 20 == d % 20);
          float value = seen ? (float) g_rand_double (random) : 0;
          p->probability[(r / BLOCK * PATTERNS + d) * BLOCK + r % BLOCK] = value;
          p->weight[r] += (double) value * p->scale[d];
          for (guint i = p->start[d]; i < n; i++)
            p->means[r][p->lit[i].pixel] += (double) value * p->lit[i].count;
        }
    }
  return p;
}

typedef struct
{
  float means[BLOCKS * PIXELS * BLOCK], weight[BLOCKS * BLOCK];
} Means;

/* Twice: anew, then added to that. */
static Means *
means_of (FlkDevice *device, const Problem *p)
{
  FlkBuffer b[6] = { { 0 } };
  Means *result = g_new (Means, 1);
  FlkMeansArgs args = { .probability = flk_stage (device, &b[0], p->probability, sizeof p->probability),
                        .n_rotations = ROTATIONS,
                        .n_pixels = PIXELS,
                        .n_patterns = PATTERNS,
                        .start = flk_stage (device, &b[1], p->start, sizeof p->start),
                        .lit = flk_stage (device, &b[2], p->lit, sizeof p->lit),
                        .scale = flk_stage (device, &b[3], p->scale, sizeof p->scale),
                        .means = flk_buffer_need (device, &b[4], sizeof result->means),
                        .weight = flk_buffer_need (device, &b[5], sizeof result->weight) };
  for (guint i = 0; i < 2; i++)
    {
      args.add = i == 1;
      launch (device, "means", BLOCKS, &args, sizeof args);
    }
  g_autofree gpointer means = fetched (device, args.means, sizeof result->means),
                      weight = fetched (device, args.weight, sizeof result->weight);
  memcpy (result->means, means, sizeof result->means);
  memcpy (result->weight, weight, sizeof result->weight);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  return result;
}

static void
test_means (FlkDevice *device)
{
  g_autofree Problem *p = problem_new ();
  g_autofree Means *got = means_of (device, p);
  for (guint r = 0; r < BLOCKS * BLOCK; r++)
    {
      g_assert_cmpfloat (fabs (got->weight[r] - (r < ROTATIONS ? 2 * p->weight[r] : 0)), <, 1e-4);
      for (guint t = 0; t < PIXELS; t++)
        g_assert_cmpfloat (fabs (got->means[(r / BLOCK * PIXELS + t) * BLOCK + r % BLOCK]
                                 - (r < ROTATIONS ? 2 * p->means[r][t] : 0)),
                           <, 1e-4);
    }
  FlkDevice *plain = flk_device_open ("cpu", 0, 3, NULL, 0);
  if (plain)
    {
      g_autofree Means *there = means_of (plain, p);
      assert_same (got, sizeof *got, there, sizeof *there);
      flk_device_close (plain);
    }
}

/* Rotations about z, pixels in a cone, weights of both. */
static void
test_toeplitz (FlkDevice *device)
{
  enum
  {
    N = 12
  };
  g_autoptr (GRand) random = g_rand_new_with_seed (4);
  float rotation[N * 9] = { 0 }, s[3 * PIXELS], volume[VOXELS], of_rotation[N], of_pixel[PIXELS];
  for (guint r = 0; r < N; r++)
    {
      double c = cos (r), d = sin (r);
      const double m[9] = { c, -d, 0, d, c, 0, 0, 0, 1 };
      for (guint i = 0; i < 9; i++)
        rotation[9 * r + i] = (float) m[i];
      of_rotation[r] = (float) g_rand_double (random);
    }
  for (guint i = 0; i < 3 * PIXELS; i++)
    s[i] = (float) g_rand_double_range (random, -0.28, 0.28);
  for (guint t = 0; t < PIXELS; t++)
    of_pixel[t] = (float) g_rand_double (random);
  /* Even, as autocorrelations are. */
  for (guint i = 0; i <= VOXELS / 2; i++)
    volume[i] = volume[VOXELS - 1 - i] = (float) g_rand_double_range (random, -1, 1);
  char message[256];
  FlkSlices *slices = flk_slices_new (device, SIZE, 1e-6, 2, message, sizeof message),
            *wide =
                flk_slices_new (device, flk_toeplitz_kernel_size (SIZE), 1e-6, 2, message, sizeof message);
  FlkToeplitz *toeplitz = flk_toeplitz_new (device, SIZE, message, sizeof message);
  FlkBuffer b[7] = { { 0 } };
  const float *on_device = flk_stage (device, &b[0], rotation, sizeof rotation),
              *weight_r = flk_stage (device, &b[1], of_rotation, sizeof of_rotation),
              *weight_t = flk_stage (device, &b[2], of_pixel, sizeof of_pixel),
              *x = flk_stage (device, &b[3], volume, sizeof volume);
  float *values = flk_buffer_need (device, &b[4], PIXELS * BLOCK * 4),
        *kernel = flk_buffer_need (device, &b[5], WIDE * WIDE * WIDE * 4),
        *y = flk_buffer_need (device, &b[6], VOXELS * 4);
  FlkSlicesOut out = { .scale = 1, .values = values };
  g_assert_true (flk_slices_pixels (slices, s, PIXELS) && flk_slices_pixels (wide, s, PIXELS));
  g_assert_true (
      flk_slices_model (slices, x) && flk_slices_run (slices, on_device, N, &out) && flk_slices_begin (slices)
      && flk_slices_add (slices, on_device, N, values, weight_r, weight_t) && flk_slices_end (slices, y));
  g_autofree float *direct = fetched (device, y, VOXELS * 4);
  g_assert_true (flk_slices_begin (wide) && flk_slices_add (wide, on_device, N, NULL, weight_r, weight_t)
                 && flk_slices_end (wide, kernel));
  g_assert_true (flk_toeplitz_kernel (toeplitz, kernel) && flk_toeplitz_apply (toeplitz, x, y));
  g_autofree float *got = fetched (device, y, VOXELS * 4);
  double error = 0, norm = 0;
  for (guint i = 0; i < VOXELS; i++)
    {
      error += pow (got[i] - direct[i], 2);
      norm += pow (direct[i], 2);
    }
  g_assert_cmpfloat (sqrt (error / norm), <, 1e-5);
  flk_toeplitz_free (toeplitz);
  flk_slices_free (wide);
  flk_slices_free (slices);
  for (guint i = 0; i < G_N_ELEMENTS (b); i++)
    flk_buffer_clear (device, &b[i]);
  g_assert_null (flk_toeplitz_new (device, 0, message, sizeof message));
  g_assert_null (flk_toeplitz_new (device, 321, message, sizeof message));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/means", test_means);
  on_devices ("/toeplitz", test_toeplitz);
  on_devices_launched ("means toeplitz_multiply");
  return g_test_run ();
}
