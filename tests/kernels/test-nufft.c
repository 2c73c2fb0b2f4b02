/* test-nufft.c: non-uniform transforms against direct sums, each the other's adjoint, the same bits on every device. */
#include <complex.h>
#include <math.h>

#include "kernels/nufft.h"
#include "tests/kernels/on-devices.h"

enum
{
  N_POINTS = 700,
  MAX_MODES = 14 * 15 * 16
};

static const guint32 shapes[][3] = { { 12, 9, 10 }, { 1, 2, 3 }, { 14, 15, 16 } };

typedef struct
{
  guint32 modes[3], n_modes;
  double x[3 * N_POINTS];
  complex double mode[MAX_MODES], value[N_POINTS];
} Problem;

/* Numbers that are exact in single precision. Points: half of them in a clump, some beyond a period, some at its ends. */
static Problem *
problem_new (const guint32 modes[3], guint32 seed)
{
  static const double ends[] = { 0, -0.5, 0.5, 1, -1, -1e-12, 0.49999997, -3 };
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  Problem *p = g_new0 (Problem, 1);
  p->n_modes = modes[0] * modes[1] * modes[2];
  for (guint d = 0; d < 3; d++)
    {
      p->modes[d] = modes[d];
      for (guint i = 0; i < N_POINTS; i++)
        p->x[d * N_POINTS + i] = (double) (float) (i < 50  ? ends[g_rand_int (random) % G_N_ELEMENTS (ends)]
                                                   : i % 2 ? g_rand_double_range (random, -0.03, 0.03)
                                                           : g_rand_double_range (random, -1.5, 1.5));
    }
  for (guint i = 0; i < p->n_modes; i++)
    p->mode[i] =
        (float) g_rand_double_range (random, -1, 1) + I * (float) g_rand_double_range (random, -1, 1);
  for (guint i = 0; i < N_POINTS; i++)
    p->value[i] =
        (float) g_rand_double_range (random, -1, 1) + I * (float) g_rand_double_range (random, -1, 1);
  return p;
}

/* exp (±2πi k·x) of a mode and a point. */
static complex double
wave (const Problem *p, guint mode, guint point, gboolean inverse)
{
  const guint32 *m = p->modes;
  int k[3] = { (int) (mode % m[0]) - (int) (m[0] / 2), (int) (mode / m[0] % m[1]) - (int) (m[1] / 2),
               (int) (mode / (m[0] * m[1])) - (int) (m[2] / 2) };
  double turns = 0;
  for (guint d = 0; d < 3; d++)
    turns += k[d] * p->x[d * N_POINTS + point];
  return cexp (I * (inverse ? 2 : -2) * G_PI * (turns - floor (turns)));
}

static complex double *
sums (const Problem *p, guint type, gboolean inverse)
{
  complex double *result = g_new0 (complex double, type == 1 ? p->n_modes : N_POINTS);
  for (guint k = 0; k < p->n_modes; k++)
    for (guint j = 0; j < N_POINTS; j++)
      if (type == 1)
        result[k] += p->value[j] * wave (p, k, j, inverse);
      else
        result[j] += p->mode[k] * wave (p, k, j, inverse);
  return result;
}

/* Real numbers, every `step`-th of `from`, in a precision. */
static gpointer
packed (const double *from, gsize step, gsize n, FlkPrecision precision)
{
  float *narrow = g_new (float, n);
  double *wide = g_new (double, n);
  for (gsize i = 0; i < n; i++)
    narrow[i] = (float) (wide[i] = from[i * step]);
  g_free (precision == FLK_F32 ? (gpointer) wide : narrow);
  return precision == FLK_F32 ? (gpointer) narrow : wide;
}

static complex double *
transformed (FlkDevice *device, const Problem *p, const FlkNufftOptions *options, guint type,
             gboolean inverse)
{
  gsize parts = options->real ? 1 : 2, one = options->precision == FLK_F32 ? sizeof (float) : sizeof (double);
  gsize n_in = parts * (type == 1 ? N_POINTS : p->n_modes),
        n_out = parts * (type == 1 ? p->n_modes : N_POINTS);
  g_autofree gpointer x = packed (p->x, 1, 3 * N_POINTS, options->precision);
  g_autofree gpointer in =
      packed ((const double *) (type == 1 ? p->value : p->mode), 3 - parts, n_in, options->precision);
  char message[256] = "";
  FlkNufft *nufft = flk_nufft_new (device, options, message, sizeof message);
  g_assert_cmpstr (message, ==, "");
  g_assert_true (flk_nufft_points (nufft, x, N_POINTS, message, sizeof message));
  gpointer from = flk_alloc (device, n_in * one), to = flk_alloc (device, n_out * one);
  flk_upload (device, from, in, n_in * one);
  if (type == 1)
    g_assert_true (flk_nufft_type1 (nufft, from, to, inverse));
  else
    g_assert_true (flk_nufft_type2 (nufft, from, to, inverse));
  g_autofree gpointer got = fetched (device, to, n_out * one);
  flk_free (device, from);
  flk_free (device, to);
  flk_nufft_free (nufft);
  complex double *result = g_new0 (complex double, n_out / parts);
  for (gsize i = 0; i < n_out; i++)
    ((double *) result)[i * (3 - parts)] =
        one == sizeof (float) ? (double) ((float *) got)[i] : ((double *) got)[i];
  return result;
}

static double
relative_error (const complex double *a, const complex double *b, gsize n)
{
  double off = 0, all = 0;
  for (gsize i = 0; i < n; i++)
    {
      off += pow (cabs (a[i] - b[i]), 2);
      all += pow (cabs (b[i]), 2);
    }
  return sqrt (off / all);
}

static const struct
{
  FlkPrecision precision;
  double tolerance, upsampling;
} asked[] = { { FLK_F32, 1e-1, 2 },    { FLK_F32, 1e-2, 2 },    { FLK_F32, 1e-3, 2 },   { FLK_F32, 1e-4, 2 },
              { FLK_F32, 1e-6, 2 },    { FLK_F64, 1e-5, 2 },    { FLK_F64, 1e-7, 2 },   { FLK_F64, 1e-9, 2 },
              { FLK_F32, 1e-3, 1.25 }, { FLK_F32, 1e-4, 1.25 }, { FLK_F64, 1e-5, 1.25 } };

static void
test_sums (FlkDevice *device)
{
  for (guint s = 0; s < G_N_ELEMENTS (shapes); s++)
    {
      g_autofree Problem *p = problem_new (shapes[s], s);
      for (guint type = 1; type <= 2; type++)
        {
          gboolean inverse = (s + type) % 2;
          g_autofree complex double *direct = sums (p, type, inverse);
          for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
            {
              FlkNufftOptions options = { { shapes[s][0], shapes[s][1], shapes[s][2] },
                                          asked[i].tolerance,
                                          asked[i].upsampling,
                                          asked[i].precision,
                                          FALSE };
              g_autofree complex double *fast = transformed (device, p, &options, type, inverse);
              double error = relative_error (fast, direct, type == 1 ? p->n_modes : N_POINTS);
              g_test_message ("type %u, %u x %u x %u, f%d, %g upsampled %g: %g", type, shapes[s][0],
                              shapes[s][1], shapes[s][2], asked[i].precision == FLK_F32 ? 32 : 64,
                              asked[i].tolerance, asked[i].upsampling, error);
              g_assert_cmpfloat (error, <, 4 * asked[i].tolerance);
            }
        }
    }
}

/* Real numbers: the real parts of the sums of real parts. */
static void
test_real (FlkDevice *device)
{
  g_autofree Problem *p = problem_new (shapes[2], 3);
  for (guint i = 0; i < p->n_modes; i++)
    p->mode[i] = creal (p->mode[i]);
  for (guint i = 0; i < N_POINTS; i++)
    p->value[i] = creal (p->value[i]);
  for (guint type = 1; type <= 2; type++)
    {
      gsize n = type == 1 ? p->n_modes : N_POINTS;
      g_autofree complex double *direct = sums (p, type, FALSE);
      for (gsize i = 0; i < n; i++)
        direct[i] = creal (direct[i]);
      for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
        {
          FlkNufftOptions options = {
            { 14, 15, 16 }, asked[i].tolerance, asked[i].upsampling, asked[i].precision, TRUE
          };
          g_autofree complex double *fast = transformed (device, p, &options, type, FALSE);
          double error = relative_error (fast, direct, n);
          g_test_message ("real, type %u, %g upsampled %g: %g", type, asked[i].tolerance, asked[i].upsampling,
                          error);
          g_assert_cmpfloat (error, <, 4 * asked[i].tolerance);
        }
    }
}

/* <type 1 of the values, modes> = <values, type 2 of the modes>. */
static void
test_adjoint (FlkDevice *device)
{
  g_autofree Problem *p = problem_new (shapes[2], 7);
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
    {
      FlkNufftOptions options = {
        { 14, 15, 16 }, asked[i].tolerance, asked[i].upsampling, asked[i].precision
      };
      g_autofree complex double *modes = transformed (device, p, &options, 1, TRUE);
      g_autofree complex double *values = transformed (device, p, &options, 2, FALSE);
      complex double left = 0, right = 0;
      double size = 0;
      for (guint k = 0; k < p->n_modes; k++)
        left += conj (modes[k]) * p->mode[k];
      for (guint j = 0; j < N_POINTS; j++)
        {
          right += conj (p->value[j]) * values[j];
          size += cabs (p->value[j]) * cabs (values[j]);
        }
      /* Rounding errors of the outer modes grow with less upsampling. */
      double rounding = (options.precision == FLK_F32 ? 1e-6 : 1e-14) * (options.upsampling == 2 ? 1 : 10);
      g_test_message ("%g upsampled %g: %g", options.tolerance, options.upsampling,
                      cabs (left - right) / size);
      g_assert_cmpfloat (cabs (left - right), <, size * rounding);
    }
}

static void
same_on (FlkDevice *device, const char *other, guint threads)
{
  FlkDevice *plain = flk_device_open (other, 0, threads, NULL, 0);
  if (plain == NULL)
    {
      g_test_skip ("no CPU module to compare with");
      return;
    }
  g_autofree Problem *p = problem_new (shapes[2], 11);
  for (guint i = 0; i < 4 * G_N_ELEMENTS (asked); i++)
    {
      guint k = i / 4, type = 1 + i % 2;
      FlkNufftOptions options = {
        { 14, 15, 16 }, asked[k].tolerance, asked[k].upsampling, asked[k].precision, i % 4 / 2
      };
      g_autofree complex double *here = transformed (device, p, &options, type, FALSE),
                                *there = transformed (plain, p, &options, type, FALSE);
      gsize size = (type == 1 ? p->n_modes : N_POINTS) * sizeof *here;
      assert_same (here, size, there, size);
    }
  flk_device_close (plain);
}

static void
test_bits (FlkDevice *device)
{
  same_on (device, "cpu", 1);
  same_on (device, "cpu", 5);
}

static void
test_refusals (FlkDevice *device)
{
  const FlkNufftOptions bad[] = {
    { { 8, 8, 8 }, 1e-7, 2, FLK_F32, FALSE },    { { 8, 8, 8 }, NAN, 2, FLK_F64, FALSE },
    { { 8, 8, 8 }, 1e-6, 1.25, FLK_F64, FALSE }, { { 8, 8, 8 }, 5e-5, 1.25, FLK_F32, FALSE },
    { { 8, 8, 8 }, 1e-3, 3, FLK_F32, FALSE },    { { 8, 400, 8 }, 1e-3, 2, FLK_F32, FALSE },
    { { 8, 8, 0 }, 1e-3, 2, FLK_F32, FALSE },    { { G_MAXUINT32, 8, 8 }, 1e-3, 2, FLK_F32, FALSE }
  };
  char message[256];
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      message[0] = 0;
      g_assert_null (flk_nufft_new (device, &bad[i], message, sizeof message));
      g_assert_cmpstr (message, !=, "");
    }
  const FlkNufftOptions good = { { 8, 8, 8 }, 1e-3, 2, FLK_F32, FALSE };
  FlkNufft *nufft = flk_nufft_new (device, &good, message, sizeof message);
  const float points[][3] = { { 0, NAN, 0 }, { INFINITY, 0, 0 }, { 0, 0, 2e6f } };
  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    g_assert_false (flk_nufft_points (nufft, points[i], 1, message, sizeof message));
  g_assert_cmpstr (message, ==, "a point is not finite or beyond 2^20 turns");
  /* No points: the sums are empty. */
  g_assert_true (flk_nufft_points (nufft, points, 0, message, sizeof message));
  gpointer modes = flk_alloc (device, 512 * 8);
  g_assert_true (flk_nufft_type1 (nufft, NULL, modes, FALSE));
  g_assert_true (flk_nufft_type2 (nufft, modes, NULL, FALSE));
  g_autofree float *got = fetched (device, modes, 512 * 8);
  for (guint i = 0; i < 1024; i++)
    g_assert_cmpfloat (got[i], ==, 0);
  flk_free (device, modes);
  flk_nufft_free (nufft);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/nufft/sums", test_sums);
  on_devices ("/nufft/real", test_real);
  on_devices ("/nufft/adjoint", test_adjoint);
  on_devices ("/nufft/bits", test_bits);
  on_devices ("/nufft/refusals", test_refusals);
  on_devices_launched ("nufft_c32_gather nufft_c32_spread nufft_c64_gather nufft_c64_spread nufft_r32_gather "
                       "nufft_r32_spread nufft_r64_gather nufft_r64_spread");
  return g_test_run ();
}
