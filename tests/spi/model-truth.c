#include "tests/spi/model-truth.h"

#include <math.h>

#include "engine/base/hash.h"
#include "engine/simulate/spi-particle.h"
#include "engine/spi/transform.h"

FlModel *
model_truth_read (const char *path)
{
  g_autoptr (GError) error = NULL;
  FlModel *model = fl_pdb_read_atoms (path, &error);
  if (model == NULL)
    g_printerr ("%s\n", error->message);
  return model;
}

double
model_truth_diameter (const FlModel *model)
{
  FlVec3 low = model->atoms[0].position, high = low;
  double most = 0;
  for (guint i = 0; i < model->n_atoms; i++)
    {
      FlVec3 r = model->atoms[i].position;
      low = fl_vec3 (fmin (low.x, r.x), fmin (low.y, r.y), fmin (low.z, r.z));
      high = fl_vec3 (fmax (high.x, r.x), fmax (high.y, r.y), fmax (high.z, r.z));
    }
  FlVec3 middle = fl_vec3_scale (fl_vec3_add (low, high), 0.5);
  for (guint i = 0; i < model->n_atoms; i++)
    most = fmax (most, fl_vec3_norm (fl_vec3_sub (model->atoms[i].position, middle)));
  return 2 * most;
}

/* F at the grid's points up to s_edge. */
static FlTransform *
amplitudes (const FlModel *model, guint n_least, double voxel, double s_edge)
{
  static const FlMat3 identity = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  g_autoptr (GError) error = NULL;
  FlTransform *t = fl_transform_new (n_least, &error);
  g_assert_no_error (error);
  g_autoptr (FlSpiParticle) particle = fl_spi_particle_new (model, (FlHydration){ 0, 0 }, s_edge, &error);
  g_assert_no_error (error);
  g_autofree FlVec3 *s = g_new (FlVec3, fl_transform_points (t));
  double step = 1 / (t->n * voxel);
  for (gsize i = 0; i < fl_transform_points (t); i++)
    s[i] = fl_vec3 (step * fl_transform_k (t, (guint) (i % t->n)),
                    step * fl_transform_k (t, (guint) (i / t->n % t->n)),
                    step * fl_transform_k (t, (guint) (i / t->n / t->n)));
  fl_spi_particle_amplitudes (particle, &identity, s, fl_transform_points (t), t->grid);
  return t;
}

FlVolume *
model_truth_density (const FlModel *model, guint m, double voxel, double s_edge)
{
  g_autoptr (FlTransform) t = amplitudes (model, m, voxel, s_edge);
  FlVolume *volume = fl_volume_new (m, voxel);
  fl_transform_run (t, FALSE); /* F is the sum of exp (+2πi s·r) */
  fl_transform_take (t, 1 / (float) fl_transform_points (t), volume, NULL);
  return volume;
}

FlVolume *
model_truth_autocorrelation (const FlModel *model, guint m, double voxel, double s_low, double s_edge,
                             double noise, guint64 seed)
{
  g_autoptr (FlTransform) t = amplitudes (model, m, voxel, s_edge);
  FlVolume *volume = fl_volume_new (m, voxel);
  FlRandom random = fl_random (seed);
  for (gsize i = 0; i < fl_transform_points (t); i++)
    {
      guint x = (guint) (i % t->n), y = (guint) (i / t->n % t->n), z = (guint) (i / t->n / t->n);
      gsize opposite =
          fl_transform_at (t, -fl_transform_k (t, x), -fl_transform_k (t, y), -fl_transform_k (t, z));
      if (x == t->n / 2 || y == t->n / 2 || z == t->n / 2)
        t->grid[i] = 0;
      else if (opposite >= i)
        {
          double k = sqrt (pow (fl_transform_k (t, x), 2) + pow (fl_transform_k (t, y), 2)
                           + pow (fl_transform_k (t, z), 2));
          float intensity = crealf (t->grid[i] * conjf (t->grid[i]));
          intensity *= (float) (1 + noise * fl_random_normal (&random));
          t->grid[i] = t->grid[opposite] = k / (t->n * voxel) < s_low ? 0 : intensity;
        }
    }
  fl_transform_run (t, TRUE);
  fl_transform_take (t, 1 / (float) fl_transform_points (t), volume, NULL);
  return volume;
}

FlModel *
model_truth_random (guint n_atoms, double diameter, guint64 seed)
{
  FlModel *model = g_new0 (FlModel, 1);
  FlRandom random = fl_random (seed);
  FlVec3 centre = { 0, 0, 0 };
  model->n_atoms = n_atoms;
  model->atoms = g_new0 (FlAtom, n_atoms);
  for (guint i = 0; i < n_atoms; i++)
    {
      if (i % 25 == 0)
        do
          centre = fl_vec3 (2 * fl_random_unit (&random) - 1, 2 * fl_random_unit (&random) - 1,
                            2 * fl_random_unit (&random) - 1);
        while (fl_vec3_norm (centre) > 1);
      FlVec3 spread =
          fl_vec3 (fl_random_normal (&random), fl_random_normal (&random), fl_random_normal (&random));
      model->atoms[i] = (FlAtom){ .position = fl_vec3_add (fl_vec3_scale (centre, 0.42 * diameter),
                                                           fl_vec3_scale (spread, 0.03 * diameter)),
                                  .occupancy = 1,
                                  .factor = fl_form_factor ("C") };
    }
  return model;
}
