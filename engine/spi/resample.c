#include "engine/spi/resample.h"

#include "engine/spi/transform.h"

#define FINER 2

struct FlResampler
{
  int n;      /* points a side, the origin at n / 2 */
  double per; /* points an Å */
  float *data;
};

static void
copy_inside (const FlTransform *from, FlTransform *to)
{
  int half = (int) from->n / 2;
  for (gsize i = 0; i < fl_transform_points (to); i++)
    to->grid[i] = 0;
  for (int z = 1 - half; z < half; z++)
    for (int y = 1 - half; y < half; y++)
      for (int x = 1 - half; x < half; x++)
        if (x * x + y * y + z * z < half * half)
          to->grid[fl_transform_at (to, x, y, z)] = from->grid[fl_transform_at (from, x, y, z)];
}

FlResampler *
fl_resampler_new (const FlVolume *volume, GError **error)
{
  g_autoptr (FlTransform) coarse = fl_transform_new (volume->m, error);
  if (coarse == NULL)
    return NULL;
  g_autoptr (FlTransform) fine = fl_transform_new (FINER * coarse->n, error);
  if (fine == NULL)
    return NULL;
  fl_transform_put (coarse, volume, NULL);
  fl_transform_run (coarse, FALSE);
  copy_inside (coarse, fine);
  fl_transform_run (fine, TRUE);
  FlResampler *r = g_new (FlResampler, 1);
  int n = (int) fine->n;
  *r = (FlResampler){ .n = n, .per = n / (coarse->n * volume->voxel) };
  r->data = g_new (float, fl_transform_points (fine));
  float scale = 1 / (float) fl_transform_points (coarse);
  for (int z = 0; z < n; z++)
    for (int y = 0; y < n; y++)
      for (int x = 0; x < n; x++)
        r->data[((gsize) z * (gsize) n + (gsize) y) * (gsize) n + (gsize) x] =
            scale * crealf (fine->grid[fl_transform_at (fine, x - n / 2, y - n / 2, z - n / 2)]);
  return r;
}

void
fl_resampler_free (FlResampler *r)
{
  if (r == NULL)
    return;
  g_free (r->data);
  g_free (r);
}

static inline void
cubic (float t, float w[4])
{
  w[0] = 0.5f * t * (-1 + t * (2 - t));
  w[1] = 1 + 0.5f * t * t * (-5 + 3 * t);
  w[2] = 0.5f * t * (1 + t * (4 - 3 * t));
  w[3] = 0.5f * t * t * (t - 1);
}

static float
value_at (const FlResampler *r, FlVec3 at)
{
  double middle = r->n / 2;
  FlVec3 u = fl_vec3_add (fl_vec3_scale (at, r->per), fl_vec3 (middle, middle, middle));
  int x = (int) floor (u.x), y = (int) floor (u.y), z = (int) floor (u.z), most = r->n - 3;
  float wx[4], wy[4], wz[4], sum = 0;
  if (x < 1 || y < 1 || z < 1 || x > most || y > most || z > most)
    return 0;
  cubic ((float) (u.x - x), wx);
  cubic ((float) (u.y - y), wy);
  cubic ((float) (u.z - z), wz);
  for (int k = 0; k < 4; k++)
    for (int j = 0; j < 4; j++)
      {
        const float *row =
            r->data + ((gsize) (z + k - 1) * (gsize) r->n + (gsize) (y + j - 1)) * (gsize) r->n + x - 1;
        sum += wz[k] * wy[j] * (wx[0] * row[0] + wx[1] * row[1] + wx[2] * row[2] + wx[3] * row[3]);
      }
  return sum;
}

void
fl_resampler_move (const FlResampler *r, const FlMotion *motion, FlVolume *moved)
{
  FlMat3 rotation = fl_mat3_from_quat (motion->rotation), back = fl_mat3_transpose (&rotation);
  double h = motion->hand ? -moved->voxel : moved->voxel, middle = (moved->m - 1) / 2.0;
  FlVec3 shift = fl_vec3_scale (motion->shift, 1 / moved->voxel);
  float *value = moved->data;
  for (guint z = 0; z < moved->m; z++)
    for (guint y = 0; y < moved->m; y++)
      for (guint x = 0; x < moved->m; x++)
        {
          FlVec3 at = fl_vec3_sub (fl_vec3 (x - middle, y - middle, z - middle), shift);
          *value++ = value_at (r, fl_vec3_scale (fl_mat3_apply (&back, at), h));
        }
}
