/* first-model.c: models that a stage begins with: of the stage before, or of nothing. */
#include <complex.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/spi/fitting.h"
#include "engine/spi/transform.h"

/* Out of the transform's grid, inside the stage's ball. */
static FlVolume *
take_ball (const FlTransform *transform, const FlSpiStage *stage)
{
  FlVolume *model = fl_volume_new (stage->m, stage->voxel);
  int h = (int) (stage->m - 1) / 2;
  float *at = model->data;
  for (int z = -h; z <= h; z++)
    for (int y = -h; y <= h; y++)
      for (int x = -h; x <= h; x++, at++)
        if (sqrt (x * x + y * y + z * z) * stage->voxel <= stage->radius)
          *at = crealf (transform->grid[fl_transform_at (transform, x, y, z)]);
  return model;
}

/* turns[k][i] = exp (−2πi s_k x_i), s_k of the new transform, x_i of the model's voxels. */
static float complex *
new_turns (const FlTransform *transform, double step, const FlVolume *model)
{
  float complex *turns = g_new (float complex, (gsize) transform->n * model->m);
  for (guint k = 0; k < transform->n; k++)
    for (guint i = 0; i < model->m; i++)
      {
        double turn = -2 * G_PI * fl_transform_k (transform, k) * step * ((double) i - (model->m - 1) / 2.0)
                      * model->voxel;
        turns[(gsize) k * model->m + i] = (float) cos (turn) + (float) sin (turn) * I;
      }
  return turns;
}

/* The model's transform at every point of the new grid, an axis after the other. */
static void
transform_directly (FlTransform *transform, double step, const FlVolume *model)
{
  guint n = transform->n, m = model->m;
  g_autofree float complex *turns = new_turns (transform, step, model);
  g_autofree float complex *by_x = g_new (float complex, (gsize) m *m *n),
                           *by_y = g_new (float complex, (gsize) m *n *n);
  for (gsize row = 0; row < (gsize) m * m; row++)
    for (guint k = 0; k < n; k++)
      {
        float complex sum = 0;
        for (guint i = 0; i < m; i++)
          sum += model->data[row * m + i] * turns[(gsize) k * m + i];
        by_x[row * n + k] = sum;
      }
  for (guint z = 0; z < m; z++)
    for (guint ky = 0; ky < n; ky++)
      for (guint kx = 0; kx < n; kx++)
        {
          float complex sum = 0;
          for (guint i = 0; i < m; i++)
            sum += by_x[((gsize) z * m + i) * n + kx] * turns[(gsize) ky * m + i];
          by_y[((gsize) z * n + ky) * n + kx] = sum;
        }
  for (guint kz = 0; kz < n; kz++)
    for (gsize point = 0; point < (gsize) n * n; point++)
      {
        float complex sum = 0;
        for (guint i = 0; i < m; i++)
          sum += by_y[(gsize) i * n * n + point] * turns[(gsize) kz * m + i];
        transform->grid[(gsize) kz * n * n + point] = sum;
      }
}

typedef double (*Intensity) (gpointer data, double s, double there);

/* grid ← value (|s|, grid) / points, transformed back. */
static void
shape (FlTransform *transform, double step, Intensity value, gpointer data)
{
  const guint n = transform->n;
  float complex *at = transform->grid;
  for (guint z = 0; z < n; z++)
    for (guint y = 0; y < n; y++)
      for (guint x = 0; x < n; x++, at++)
        {
          double kx = fl_transform_k (transform, x), ky = fl_transform_k (transform, y),
                 kz = fl_transform_k (transform, z);
          double s = step * sqrt (kx * kx + ky * ky + kz * kz);
          *at = (float) (value (data, s, crealf (*at)) / (double) fl_transform_points (transform));
        }
  fl_transform_run (transform, TRUE);
}

typedef struct
{
  const FlSpiStage *stage;
  const FlRadial *radial;
  double s_known, mean, contrast;
} Shape;

static double
known_or_mean (gpointer data, double s, double there)
{
  const Shape *shape_of = data;
  return s <= shape_of->s_known               ? there
         : s <= 1.05 * shape_of->stage->s_max ? fl_radial_at (shape_of->radial, s)
                                              : 0;
}

FlVolume *
fl_fitting_regrid (const FlSpiStage *stage, const FlRadial *radial, const FlVolume *model, double s_known,
                   GError **error)
{
  g_autoptr (FlTransform) transform = fl_transform_new (2 * stage->m, error);
  if (transform == NULL)
    return NULL;
  double step = 1 / (transform->n * stage->voxel);
  Shape of = { stage, radial, s_known, 0, 0 };
  transform_directly (transform, step, model);
  shape (transform, step, known_or_mean, &of);
  return take_ball (transform, stage);
}

static double
with_speckles (gpointer data, double s, double there)
{
  const Shape *of = data;
  return s <= 1.05 * of->stage->s_max
             ? fl_radial_at (of->radial, s) * (1 + of->contrast * (there / of->mean - 1))
             : 0;
}

FlVolume *
fl_fitting_start (const FlSpiStage *stage, const FlRadial *radial, guint64 seed, double contrast,
                  GError **error)
{
  g_autoptr (FlTransform) transform = fl_transform_new (2 * stage->m, error);
  if (transform == NULL)
    return NULL;
  FlRandom random = fl_random (seed);
  double radius = stage->radius / 2 / stage->voxel;
  int h = (int) ceil (radius);
  gsize n = fl_transform_points (transform);
  memset (transform->grid, 0, n * sizeof *transform->grid);
  for (int z = -h; z <= h; z++)
    for (int y = -h; y <= h; y++)
      for (int x = -h; x <= h; x++)
        {
          double value = fl_random_normal (&random);
          if (sqrt (x * x + y * y + z * z) <= radius)
            transform->grid[fl_transform_at (transform, x, y, z)] = (float) value;
        }
  fl_transform_run (transform, FALSE);
  double mean = 0;
  for (gsize i = 0; i < n; i++)
    {
      float complex f = transform->grid[i];
      transform->grid[i] = crealf (f) * crealf (f) + cimagf (f) * cimagf (f);
      mean += (double) crealf (transform->grid[i]) / (double) n;
    }
  Shape of = { stage, radial, 0, mean, contrast };
  shape (transform, 1 / (transform->n * stage->voxel), with_speckles, &of);
  return take_ball (transform, stage);
}
