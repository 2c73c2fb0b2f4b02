/* Phases found again from true intensities of molecules: band-limited, without their centre, with noise. The argument: how
 * many seeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/hash.h"
#include "engine/spi/alignment.h"
#include "engine/spi/fsc.h"
#include "engine/spi/phasing.h"
#include "kernels/device.h"
#include "engine/spi/support.h"
#include "tests/spi/model-truth.h"

#define MISSING 0.4 /* speckles */
#define NOISE   0.05

static guint n_seeds = 2;

typedef struct
{
  const char *file; /* NULL: heaps of atoms */
  double diameter, resolution;
} Case;

/* Å⁻¹ where the density laid upon the true one first falls below FSC 0.5; s_edge when it does not. */
static double
judge (const FlVolume *truth, const FlVolume *density, double diameter, double s_low, double s_edge)
{
  FlAlignmentRange range = { s_low, s_edge, diameter };
  FlAlignment found;
  g_autoptr (GError) error = NULL;
  fl_align_densities (truth, density, &range, &found, &error);
  g_assert_no_error (error);
  g_autoptr (FlResampler) resampler = fl_resampler_new (density, &error);
  g_assert_no_error (error);
  g_autoptr (FlVolume) moved = fl_volume_new (density->m, density->voxel);
  fl_resampler_move (resampler, &found.motion, moved);
  g_autoptr (FlFsc) fsc = fl_fsc_new (truth, moved, FL_FSC_DENSITY, diameter, &error);
  g_assert_no_error (error);
  FlFscCrossing crossing = fl_fsc_crossing (fsc, 0.5, 0);
  return MIN (crossing.s, s_edge);
}

static void
test_molecule (gconstpointer data)
{
  const Case *c = data;
  const char *folder = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *path = g_build_filename (folder != NULL ? folder : "", "pdb", c->file, NULL);
  if (c->file != NULL && !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip_printf ("no %s", path);
      return;
    }
  gboolean sanitized = g_getenv ("FIRSTLIGHT_SANITIZED") != NULL;
  guint good = 0, tried = sanitized || c->file == NULL ? 1 : n_seeds;
  double s_edge = 1 / c->resolution, s_low = MISSING / c->diameter, voxel = 0.97 * c->resolution / 2;
  guint m = (guint) ceil (2.3 * c->diameter / voxel) | 1;
  for (guint seed = 1; seed <= tried; seed++)
    {
      g_autoptr (FlModel) model =
          c->file != NULL ? model_truth_read (path) : model_truth_random (600, c->diameter, seed);
      g_assert_nonnull (model);
      g_autoptr (FlVolume) truth = model_truth_density (model, m, voxel, s_edge);
      g_autoptr (FlVolume) a = model_truth_autocorrelation (model, m, voxel, s_low, s_edge, NOISE, seed);
      FlPhasingOptions options = FL_PHASING_OPTIONS;
      options.diameter = c->diameter;
      options.s_low = s_low;
      options.s_edge = s_edge;
      options.seed = seed;
      options.starts =
          n_seeds < 10 ? options.starts / 2 : options.starts; /* the short test is the harder one */
      g_autoptr (GError) error = NULL;
      clock_t began = clock ();
      g_autoptr (FlPhased) phased = fl_phase (a, &options, &error);
      double seconds = (double) (clock () - began) / CLOCKS_PER_SEC;
      g_assert_no_error (error);
      double s = judge (truth, phased->density, c->diameter, s_low, s_edge);
      /* To within the shell at the edge, which is only in part inside. */
      good += s > s_edge - 1 / (m * voxel);
      g_test_message (
          "seed %u: FSC 0.5 at %.2f Å of %.2f, PRTF 1/e at %.2f Å, %u of %u starts kept, %.1f CPU-s", seed,
          1 / s, c->resolution, 1 / phased->prtf_s, phased->n_kept, phased->n_starts, seconds);
      g_assert_true (sanitized || seconds < 15);
    }
  g_assert_cmpuint (10 * good, >=, 9 * tried);
}

/* The same bits, whichever pairs ran before; other bits for another seed. */
static void
test_determined (void)
{
  g_autoptr (FlModel) model = model_truth_random (300, 60, 3);
  g_autoptr (FlVolume) a = model_truth_autocorrelation (model, 33, 4, 0.01, 0.12, 0, 1);
  FlPhasingOptions options = FL_PHASING_OPTIONS;
  options.diameter = 60;
  options.iterations = 60;
  FlPhasingStart starts[4][2] = { 0 };
  g_autoptr (GError) error = NULL;
  FlkDevice *teams = flk_device_open ("teams", 0, 1, NULL, 0);
  g_assert_nonnull (teams);
  for (guint k = 0; k < 4; k++)
    {
      options.seed = k == 2 ? 2 : 1;
      options.device = k == 3 ? teams : NULL;
      g_autoptr (FlPhasing) phasing = fl_phasing_new (a, &options, &error);
      g_assert_no_error (error);
      if (k == 0)
        {
          g_assert_true (fl_phasing_run (phasing, 0, starts[0], &error));
          for (guint i = 0; i < 2; i++)
            fl_phasing_start_clear (&starts[0][i]);
        }
      g_assert_true (fl_phasing_run (phasing, 1, starts[k], &error));
    }
  gsize size = fl_volume_points (a) * sizeof *a->data;
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpint (memcmp (starts[0][i].density->data, starts[1][i].density->data, size), ==, 0);
      g_assert_cmpint (memcmp (starts[0][i].density->data, starts[2][i].density->data, size), !=, 0);
      g_assert_cmpint (memcmp (starts[0][i].density->data, starts[3][i].density->data, size), ==, 0);
      g_assert_cmpfloat (starts[0][i].error, ==, starts[1][i].error);
    }
  g_assert_cmpint (memcmp (starts[0][0].density->data, starts[0][1].density->data, size), !=, 0);
  for (guint k = 0; k < 8; k++)
    fl_phasing_start_clear (&starts[k / 2][k % 2]);
  flk_device_close (teams);
}

/* Random volumes: no common phases. Mirrored and shifted copies of one: all of them, and PRTF 1. */
static void
test_average (void)
{
  g_autoptr (FlModel) model = model_truth_random (300, 60, 4);
  g_autoptr (FlVolume) a = model_truth_autocorrelation (model, 33, 4, 0, 0.12, 0, 1);
  g_autoptr (FlVolume) truth = model_truth_density (model, 33, 4, 0.12);
  FlPhasingOptions options = FL_PHASING_OPTIONS;
  options.diameter = 60;
  options.s_edge = 0.12;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlPhasing) phasing = fl_phasing_new (a, &options, &error);
  g_autoptr (FlResampler) resampler = fl_resampler_new (truth, &error);
  g_assert_no_error (error);
  FlPhasingStart starts[6] = { 0 };
  FlRandom random = fl_random (5);
  for (guint i = 0; i < 6; i++)
    {
      FlMotion motion = { { 1, 0, 0, 0 }, { 4.4 * i, -2.1 * i, i }, (gboolean) (i % 2) };
      starts[i] = (FlPhasingStart){ .density = fl_volume_new (33, 4), .error = 0.2 };
      fl_resampler_move (resampler, &motion, starts[i].density);
    }
  g_autoptr (FlPhased) same = fl_phasing_average (phasing, 6, starts);
  g_assert_cmpuint (same->n_kept, ==, 6);
  for (guint i = 0; i < same->n_shells; i++)
    g_assert_cmpfloat (same->prtf[i], >, 0.97);
  g_assert_false (same->prtf_fell);
  g_assert_cmpfloat (judge (truth, same->density, 60, 0.01, 0.12), >, 0.115);

  starts[3].error = 0.3;
  for (gsize i = 0; i < fl_volume_points (truth); i++)
    starts[5].density->data[i] = (float) fl_random_normal (&random);
  g_autoptr (FlPhased) some = fl_phasing_average (phasing, 6, starts);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpint (some->kept[i], ==, i != 3 && i != 5);

  for (guint k = 0; k < 6; k++)
    for (gsize i = 0; i < fl_volume_points (truth); i++)
      starts[k].density->data[i] = (float) fl_random_normal (&random);
  g_autoptr (FlPhased) none = fl_phasing_average (phasing, 6, starts);
  for (guint i = 5; i < none->n_shells; i++)
    g_assert_cmpfloat (none->prtf[i], <, none->n_kept == 1 ? 1.01 : 1.3 / sqrt (none->n_kept));
  for (guint k = 0; k < 6; k++)
    fl_phasing_start_clear (&starts[k]);
}

static void
test_nothing (void)
{
  g_autoptr (FlVolume) a = fl_volume_new (21, 5);
  FlPhasingOptions options = FL_PHASING_OPTIONS;
  options.diameter = 40;
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_phasing_new (a, &options, &error));
  g_assert_nonnull (error);
}

/* A Gaussian of the blurring's own width; thresholds by part and by number. */
static void
test_support (void)
{
  enum
  {
    N = 24,
    POINTS = N * N * N
  };
  g_autofree float *value = g_new0 (float, POINTS);
  g_autofree float *work = g_new (float, POINTS);
  g_autofree float *mask = g_new (float, POINTS);
  value[0] = 1;
  fl_support_blur (value, work, N, 2);
  double sum = 0, square = 0;
  for (int i = 0; i < POINTS; i++)
    {
      int x = (i % N + N / 2) % N - N / 2;
      sum += value[i];
      square += (double) value[i] * x * x;
    }
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-5);
  g_assert_cmpfloat_with_epsilon (square, 3.65, 0.2); /* 4 but for the ends that are cut off */
  g_assert_cmpfloat_with_epsilon (value[1], value[N * N * (N - 1)], 1e-9);
  gsize half = fl_support_draw (value, POINTS, 0.5, POINTS, mask), n = 0;
  for (int i = 0; i < POINTS; i++)
    {
      g_assert_cmpint (mask[i] > 0, ==, value[i] >= 0.5f * value[0]);
      n += mask[i] > 0;
    }
  g_assert_cmpuint (half, ==, n);
  for (int i = 0; i < POINTS; i++)
    value[i] = (float) (i + 1);
  n = fl_support_draw (value, POINTS, 0.01, 1000, mask);
  g_assert_cmpuint (n, <=, 1000);
  g_assert_cmpuint (n, >, 995);
  g_assert_true (mask[POINTS - 1] > 0);
}

int
main (int argc, char **argv)
{
  static const Case groel = { "groel14_T.pdb.gz", 180, 24 }, kinase = { "4ake.pdb", 66, 7.5 },
                    heaps = { NULL, 100, 12.5 };
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    n_seeds = (guint) strtoul (argv[1], NULL, 10);
  g_test_add_func ("/spi/phasing/support", test_support);
  g_test_add_func ("/spi/phasing/average", test_average);
  g_test_add_func ("/spi/phasing/determined", test_determined);
  g_test_add_func ("/spi/phasing/nothing", test_nothing);
  g_test_add_data_func ("/spi/phasing/heaps", &heaps, test_molecule);
  g_test_add_data_func ("/spi/phasing/4ake", &kinase, test_molecule);
  g_test_add_data_func ("/spi/phasing/groel", &groel, test_molecule);
  return g_test_run ();
}
