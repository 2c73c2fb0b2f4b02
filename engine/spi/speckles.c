#include "engine/spi/speckles.h"

#include <math.h>

#include "engine/spi/transform.h"

#define FINER 2 /* than the volume's Fourier voxels */

static void
scale_shells (FlSpeckles *sp, int n_shells)
{
  g_autofree double *sum = g_new0 (double, n_shells), *square = g_new0 (double, n_shells),
                    *count = g_new0 (double, n_shells);
  int n = sp->n, h = n / 2;
  for (int pass = 0; pass < 2; pass++)
    {
      float *value = sp->data;
      for (int z = -h; z < h; z++)
        for (int y = -h; y < h; y++)
          for (int x = -h; x < h; x++, value++)
            {
              double s = sqrt (x * x + y * y + z * z);
              int shell = (int) (s + 0.5);
              if (shell >= n_shells)
                *value = 0;
              else if (pass == 0)
                {
                  count[shell]++;
                  sum[shell] += *value;
                  square[shell] += (double) *value * *value;
                }
              else
                *value = (float) ((*value - sum[shell]) / square[shell]);
            }
      for (int i = 0; i < n_shells && pass == 0; i++)
        {
          sum[i] /= count[i];
          square[i] = sqrt (MAX (square[i] / count[i] - sum[i] * sum[i], 0)) + 1e-30;
        }
    }
}

gboolean
fl_speckles_init (FlSpeckles *sp, const FlVolume *volume, gboolean density, GError **error)
{
  g_autoptr (FlTransform) t = fl_transform_new (FINER * volume->m, error);
  if (t == NULL)
    return FALSE;
  int n = (int) t->n, h = n / 2;
  fl_transform_put (t, volume, NULL);
  fl_transform_run (t, FALSE);
  *sp = (FlSpeckles){ .n = n, .per = n * volume->voxel, .data = g_new (float, fl_transform_points (t)) };
  float *value = sp->data;
  for (int z = -h; z < h; z++)
    for (int y = -h; y < h; y++)
      for (int x = -h; x < h; x++)
        {
          float complex f = t->grid[fl_transform_at (t, x, y, z)];
          *value++ = density ? crealf (f * conjf (f)) : crealf (f);
        }
  scale_shells (sp, h);
  return TRUE;
}

static inline float
speckle_at (const FlSpeckles *sp, FlVec3 s)
{
  double h = sp->n / 2;
  double ux = s.x * sp->per + h, uy = s.y * sp->per + h, uz = s.z * sp->per + h;
  int x = (int) ux, y = (int) uy, z = (int) uz;
  float fx = (float) (ux - x), fy = (float) (uy - y), fz = (float) (uz - z);
  const float *p = sp->data + (z * sp->n + y) * sp->n + x, *q = p + sp->n, *r = p + sp->n * sp->n,
              *t = r + sp->n;
  float a = p[0] + fx * (p[1] - p[0]), b = q[0] + fx * (q[1] - q[0]), c = r[0] + fx * (r[1] - r[0]),
        d = t[0] + fx * (t[1] - t[0]);
  a += fy * (b - a);
  c += fy * (d - c);
  return a + fz * (c - a);
}

double
fl_comparison_score (FlQuat rotation, gpointer data)
{
  const FlComparison *c = data;
  FlMat3 turn = fl_mat3_from_quat (rotation), back = fl_mat3_transpose (&turn);
  double both = 0, one = 0, other = 0;
  for (guint i = 0; i < c->n; i++)
    {
      float value = speckle_at (c->speckles, fl_mat3_apply (&back, c->s[i]));
      both += value * c->value[i];
      one += value * value;
      other += c->value[i] * c->value[i];
    }
  return one > 0 && other > 0 ? both / sqrt (one * other) : 0;
}

void
fl_comparison_init (FlComparison *c, const FlSpeckles *sp, const FlSpeckles *other, double s_low,
                    double s_high, guint most)
{
  int h = sp->n / 2, limit = MIN ((int) (s_high * sp->per), h - 2) / FINER * FINER;
  double inside = 2 * G_PI / 3 * pow ((double) limit / FINER, 3);
  guint stride = MAX (1, (guint) (inside / most)), i = 0;
  g_autoptr (GArray) s = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));
  for (int z = 0; z <= limit; z += FINER)
    for (int y = -limit; y <= limit; y += FINER)
      for (int x = -limit; x <= limit; x += FINER)
        {
          FlVec3 at = fl_vec3_scale (fl_vec3 (x, y, z), 1 / sp->per);
          double norm = fl_vec3_norm (at);
          if (norm < s_low || norm > limit / sp->per || i++ % stride != 0)
            continue;
          g_array_append_val (s, at);
          g_array_append_val (values, sp->data[((z + h) * sp->n + y + h) * sp->n + x + h]);
        }
  *c = (FlComparison){ .speckles = other, .n = s->len };
  c->s = (FlVec3 *) (void *) g_array_free (g_steal_pointer (&s), FALSE);
  c->value = (float *) (void *) g_array_free (g_steal_pointer (&values), FALSE);
}

void
fl_comparison_clear (FlComparison *c)
{
  g_free (c->s);
  g_free (c->value);
}
