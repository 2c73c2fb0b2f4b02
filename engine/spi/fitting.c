#include "engine/spi/fitting.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/parallel/arrays.h"
#include "engine/spi/transform.h"
#include "kernels/slices.h"
#include "kernels/toeplitz.h"

#define TOLERANCE  1e-3
#define STEPS      60
#define LEAST      8    /* steps: generations would stop where the solver thinks that it has nothing to do */
#define SMALL_REST 1e-4 /* of the right side, in the preconditioner's norm */

struct FlFitting
{
  FlkDevice *device;
  const FlSpiStage *stage;
  const FlRadial *radial;
  FlkSlices *slices, *kernel_slices;
  FlkToeplitz *normal, *inverse;
  float *of_means, *of_kernel, *of_background; /* [cells], device; weights of what is added */
  float *right, *kernel;                       /* device: m³, (2m − 1)³ */
  float *x, *y;                                /* device: m³, for the operators */
  float *ball;                                 /* [m³] 1 and 0 */
  FlTransform *transform;
  double scale; /* Σ g of what has been added here */
};

static gboolean
fail (FlFitting *fitting, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "fitting of the model: %s", flk_error (fitting->device));
  return FALSE;
}

static gsize
points (guint m)
{
  return (gsize) m * m * m;
}

static float *
new_ball (const FlSpiStage *stage)
{
  float *ball = g_new (float, points (stage->m)), *at = ball;
  int h = (int) (stage->m - 1) / 2;
  for (int z = -h; z <= h; z++)
    for (int y = -h; y <= h; y++)
      for (int x = -h; x <= h; x++)
        *at++ = sqrt (x * x + y * y + z * z) * stage->voxel <= stage->radius ? 1 : 0;
  return ball;
}

/* A cell's weight in the right side (of counts), in the kernel (of scales) and of its background. */
static gboolean
upload_weights (FlFitting *fitting)
{
  const FlBinning *binning = fitting->stage->binning;
  const float *weight = fitting->stage->weight;
  gsize size = binning->n * sizeof (float);
  g_autofree float *kernel = g_new (float, binning->n), *background = g_new0 (float, binning->n);
  for (guint i = 0; i < binning->n; i++)
    {
      kernel[i] = weight[i] * binning->factor[i];
      background[i] = binning->background != NULL ? weight[i] * binning->background[i] : 0;
    }
  fitting->of_means = flk_alloc (fitting->device, size);
  fitting->of_kernel = flk_alloc (fitting->device, size);
  fitting->of_background = flk_alloc (fitting->device, size);
  return fitting->of_means != NULL && fitting->of_kernel != NULL && fitting->of_background != NULL
         && flk_upload (fitting->device, fitting->of_means, weight, size)
         && flk_upload (fitting->device, fitting->of_kernel, kernel, size)
         && flk_upload (fitting->device, fitting->of_background, background, size)
         && flk_sync (fitting->device);
}

FlFitting *
fl_fitting_new (FlkDevice *device, const FlSpiStage *stage, const FlRadial *radial, GError **error)
{
  char message[256] = "";
  guint m = stage->m;
  FlFitting *fitting = g_new0 (FlFitting, 1);
  fitting->device = device;
  fitting->stage = stage;
  fitting->radial = radial;
  fitting->ball = new_ball (stage);
  fitting->slices = flk_slices_new (device, m, TOLERANCE, 2, message, sizeof message);
  fitting->kernel_slices = flk_slices_new (device, 2 * m - 1, TOLERANCE, 1.25, message, sizeof message);
  fitting->normal = flk_toeplitz_new (device, m, message, sizeof message);
  fitting->inverse = flk_toeplitz_new (device, m, message, sizeof message);
  fitting->transform = fl_transform_new (2 * m, error);
  fitting->right = flk_alloc (device, points (m) * sizeof (float));
  fitting->kernel = flk_alloc (device, points (2 * m - 1) * sizeof (float));
  fitting->x = flk_alloc (device, points (m) * sizeof (float));
  fitting->y = flk_alloc (device, points (m) * sizeof (float));
  if (fitting->transform == NULL)
    ;
  else if (fitting->slices == NULL || fitting->kernel_slices == NULL || fitting->normal == NULL
           || fitting->inverse == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "a model of %u points a side cannot be fitted: %s, expected a smaller reconstruct.diameter "
                 "or a coarser "
                 "reconstruct.resolution",
                 m, message);
  else if (fitting->right == NULL || fitting->kernel == NULL || fitting->x == NULL || fitting->y == NULL
           || !flk_slices_pixels (fitting->slices, stage->x, stage->binning->n)
           || !flk_slices_pixels (fitting->kernel_slices, stage->x, stage->binning->n)
           || !upload_weights (fitting))
    fail (fitting, error);
  else
    return fitting;
  fl_fitting_free (fitting);
  return NULL;
}

void
fl_fitting_free (FlFitting *fitting)
{
  if (fitting == NULL)
    return;
  void *const device[] = { fitting->of_means, fitting->of_kernel, fitting->of_background,
                           fitting->right,    fitting->kernel,    fitting->x,
                           fitting->y };
  for (guint i = 0; i < G_N_ELEMENTS (device); i++)
    flk_free (fitting->device, device[i]);
  flk_slices_free (fitting->slices);
  flk_slices_free (fitting->kernel_slices);
  flk_toeplitz_free (fitting->normal);
  flk_toeplitz_free (fitting->inverse);
  fl_transform_free (fitting->transform);
  g_free (fitting->ball);
  g_free (fitting);
}

struct FlkSlices *
fl_fitting_slices (FlFitting *fitting)
{
  return fitting->slices;
}

gboolean
fl_fitting_begin (FlFitting *fitting, GError **error)
{
  fitting->scale = 0;
  return (flk_slices_begin (fitting->slices) && flk_slices_begin (fitting->kernel_slices))
         || fail (fitting, error);
}

gboolean
fl_fitting_add (FlFitting *fitting, guint n, const float *matrices, const float *means, const float *scale,
                const float *patterns, GError **error)
{
  g_autofree float *own = g_new (float, n), *less = g_new (float, n);
  const float *host = flk_fetch (fitting->device, own, scale, n * sizeof *own);
  if (host == NULL)
    return fail (fitting, error);
  for (guint r = 0; r < n; r++)
    fitting->scale += host[r];
  if (!flk_slices_add (fitting->slices, matrices, n, means, NULL, fitting->of_means)
      || !flk_slices_add (fitting->kernel_slices, matrices, n, NULL, scale, fitting->of_kernel))
    return fail (fitting, error);
  if (fitting->stage->binning->background == NULL)
    return TRUE;
  host = flk_fetch (fitting->device, own, patterns, n * sizeof *own);
  if (host == NULL)
    return fail (fitting, error);
  for (guint r = 0; r < n; r++)
    less[r] = -host[r];
  FlkBuffer buffer = { 0 };
  const float *device = flk_stage (fitting->device, &buffer, less, n * sizeof *less);
  gboolean ok = device != NULL
                && flk_slices_add (fitting->slices, matrices, n, NULL, device, fitting->of_background)
                && flk_sync (fitting->device);
  flk_buffer_clear (fitting->device, &buffer);
  return ok || fail (fitting, error);
}

/* --- solving --- */

/* What is known beforehand of the intensity at s, as a weight of its squared misfit: as many independent values as the ball
 * leaves, each with the variance of speckles. Turns³ a voxel³. */
static double
prior_weight (const FlSpiStage *stage, const FlRadial *radial, double s)
{
  double mean = fl_radial_at (radial, fmin (s, stage->s_max));
  return 4.0 / 3 * G_PI * pow (stage->radius / stage->voxel, 3) / (mean * mean);
}

static double
prior_mean (const FlSpiStage *stage, const FlRadial *radial, double s)
{
  return s <= 1.05 * stage->s_max ? fl_radial_at (radial, s) : 0;
}

/* Weight of all that was added in shells of the transform's step, a voxel³. */
static double *
density_of_weight (const FlFitting *fitting, double scale, double step, guint n)
{
  const FlSpiStage *stage = fitting->stage;
  double *density = g_new0 (double, n);
  for (guint i = 0; i < stage->binning->n; i++)
    {
      guint shell = (guint) (stage->binning->size[i] / step);
      double a = shell * step, b = a + step;
      if (shell < n)
        density[shell] += scale * stage->weight[i] * stage->binning->factor[i]
                          / (4.0 / 3 * G_PI * (b * b * b - a * a * a) * pow (stage->voxel, 3));
    }
  return density;
}

typedef double (*OfSize) (gpointer data, double s);

/* transform->grid: values by |s|, transformed back: convolution kernels and right sides. */
static void
transform_of_sizes (FlTransform *transform, double voxel, OfSize value, gpointer data)
{
  const int n = (int) transform->n;
  double step = 1 / (n * voxel);
  gsize at = 0;
  for (int z = 0; z < n; z++)
    for (int y = 0; y < n; y++)
      for (int x = 0; x < n; x++)
        {
          int kx = fl_transform_k (transform, (guint) x), ky = fl_transform_k (transform, (guint) y),
              kz = fl_transform_k (transform, (guint) z);
          transform->grid[at++] = (float) (value (data, step * sqrt (kx * kx + ky * ky + kz * kz))
                                           / (double) fl_transform_points (transform));
        }
  fl_transform_run (transform, TRUE);
}

typedef struct
{
  const FlSpiStage *stage;
  const FlRadial *radial;
  const double *density;
  double step;
  guint n;
} Sizes;

static double
of_prior (gpointer data, double s)
{
  const Sizes *sizes = data;
  return prior_weight (sizes->stage, sizes->radial, s);
}

static double
of_prior_right (gpointer data, double s)
{
  const Sizes *sizes = data;
  return prior_weight (sizes->stage, sizes->radial, s) * prior_mean (sizes->stage, sizes->radial, s);
}

static double
of_inverse (gpointer data, double s)
{
  const Sizes *sizes = data;
  guint shell = (guint) (s / sizes->step);
  return 1 / (prior_weight (sizes->stage, sizes->radial, s) + (shell < sizes->n ? sizes->density[shell] : 0));
}

/* Adds (or writes) the middle `size`³ of the transform's real part to a host volume. */
static void
take_middle (const FlTransform *transform, guint size, gboolean add, float *volume)
{
  int h = (int) (size - 1) / 2;
  for (int z = -h; z <= h; z++)
    for (int y = -h; y <= h; y++)
      for (int x = -h; x <= h; x++, volume++)
        *volume = (add ? *volume : 0) + crealf (transform->grid[fl_transform_at (transform, x, y, z)]);
}

/* y = ball · operator (x), host to host. */
static gboolean
apply (FlFitting *fitting, FlkToeplitz *operator, const float * x, float *y, GError **error)
{
  gsize n = points (fitting->stage->m), size = n * sizeof *x;
  const float *result = NULL;
  if (flk_upload (fitting->device, fitting->x, x, size)
      && flk_toeplitz_apply (operator, fitting->x, fitting->y))
    result = flk_fetch (fitting->device, y, fitting->y, size);
  if (result == NULL)
    return fail (fitting, error);
  for (gsize i = 0; i < n; i++)
    y[i] = result[i] * fitting->ball[i];
  return TRUE;
}

static double
dot (const float *a, const float *b, gsize n)
{
  double sum = 0;
  for (gsize i = 0; i < n; i++)
    sum += (double) a[i] * b[i];
  return sum;
}

/* Preconditioned conjugate gradients (Hestenes and Stiefel 1952) from x on. */
static gboolean
solve (FlFitting *fitting, const float *right, float *x, GError **error)
{
  gsize n = points (fitting->stage->m);
  g_autofree float *r = g_new (float, n), *z = g_new (float, n), *p = g_new (float, n), *q = g_new (float, n);
  if (!apply (fitting, fitting->inverse, right, z, error) || !apply (fitting, fitting->normal, x, q, error))
    return FALSE;
  double least = SMALL_REST * SMALL_REST * dot (right, z, n);
  for (gsize i = 0; i < n; i++)
    r[i] = right[i] - q[i];
  if (!apply (fitting, fitting->inverse, r, z, error))
    return FALSE;
  memcpy (p, z, n * sizeof *p);
  double rz = dot (r, z, n);
  for (guint step = 0; step < STEPS && rz > 0 && (step < LEAST || rz > least); step++)
    {
      if (!apply (fitting, fitting->normal, p, q, error))
        return FALSE;
      double curvature = dot (p, q, n);
      if (!(curvature > 0))
        break; /* rounding has the last word */
      double length = rz / curvature;
      for (gsize i = 0; i < n; i++)
        {
          x[i] += (float) (length * p[i]);
          r[i] -= (float) (length * q[i]);
        }
      if (!apply (fitting, fitting->inverse, r, z, error))
        return FALSE;
      double next = dot (r, z, n);
      for (gsize i = 0; i < n; i++)
        p[i] = z[i] + (float) (next / rz) * p[i];
      rz = next;
    }
  return TRUE;
}

/* A volume of reals is even: of rounding errors that are not. */
static void
make_even (float *volume, gsize n)
{
  for (gsize i = 0; i < n / 2; i++)
    volume[i] = volume[n - 1 - i] = (volume[i] + volume[n - 1 - i]) / 2;
}

gboolean
fl_fitting_end (FlFitting *fitting, FlParallel *parallel, FlVolume *model, GError **error)
{
  const FlSpiStage *stage = fitting->stage;
  guint m = stage->m;
  gsize n = points (m), n_kernel = points (2 * m - 1);
  FlTransform *transform = fitting->transform;
  g_autofree float *right = g_new (float, n), *kernel = g_new (float, n_kernel);
  if (!flk_slices_end (fitting->slices, fitting->right)
      || !flk_slices_end (fitting->kernel_slices, fitting->kernel)
      || !flk_download (fitting->device, right, fitting->right, n * sizeof *right)
      || !flk_download (fitting->device, kernel, fitting->kernel, n_kernel * sizeof *kernel)
      || !flk_sync (fitting->device))
    return fail (fitting, error);
  fl_parallel_sum_f32 (parallel, right, n);
  fl_parallel_sum_f32 (parallel, kernel, n_kernel);
  fl_parallel_sum_f64 (parallel, &fitting->scale, 1);
  double step = 1 / (transform->n * stage->voxel);
  g_autofree double *density = density_of_weight (fitting, fitting->scale, step, transform->n);
  Sizes sizes = { stage, fitting->radial, density, step, transform->n };
  transform_of_sizes (transform, stage->voxel, of_prior_right, &sizes);
  take_middle (transform, m, TRUE, right);
  transform_of_sizes (transform, stage->voxel, of_prior, &sizes);
  take_middle (transform, 2 * m - 1, TRUE, kernel);
  make_even (kernel, n_kernel);
  if (!flk_upload (fitting->device, fitting->kernel, kernel, n_kernel * sizeof *kernel)
      || !flk_toeplitz_kernel (fitting->normal, fitting->kernel) || !flk_sync (fitting->device))
    return fail (fitting, error);
  transform_of_sizes (transform, stage->voxel, of_inverse, &sizes);
  take_middle (transform, 2 * m - 1, FALSE, kernel);
  make_even (kernel, n_kernel);
  if (!flk_upload (fitting->device, fitting->kernel, kernel, n_kernel * sizeof *kernel)
      || !flk_toeplitz_kernel (fitting->inverse, fitting->kernel) || !flk_sync (fitting->device))
    return fail (fitting, error);
  for (gsize i = 0; i < n; i++)
    right[i] *= fitting->ball[i];
  make_even (right, n);
  if (!solve (fitting, right, model->data, error))
    return FALSE;
  make_even (model->data, n);
  return TRUE;
}
