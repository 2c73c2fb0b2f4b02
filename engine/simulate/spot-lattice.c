/* The squared shape transform of one perfect block, fringes and all, sampled within each pixel. */

#include "engine/base/units.h"
#include "engine/simulate/spot-shapes.h"

#define SAMPLES     4  /* a pixel's width and height */
#define FRINGES     10 /* side maxima that are drawn; the next have 10⁻³ of the peak together */
#define TABLE_STEPS 64 /* table entries a fringe */
#define FEWEST      1e-3

double
fl_spot_lattice_reach (const FlBraggModel *model, const FlCrystal *crystal, double q_max)
{
  const double lengths[3] = { model->intensities->cell.a, model->intensities->cell.b,
                              model->intensities->cell.c };
  double shortest = INFINITY;
  for (int i = 0; i < 3; i++)
    shortest = MIN (shortest, lengths[i] * crystal->cells[i]);
  return (FRINGES + 1) / shortest + 2.5 * q_max * model->spectrum.sigma;
}

void
fl_spot_lattice_prepare (const FlCrystal *crystal, FlSpotScratch *scratch)
{
  FlMat3 inverse = fl_mat3_inverse (&crystal->a_star);
  scratch->real_axes = fl_mat3_transpose (&inverse);
  for (int i = 0; i < 3; i++)
    {
      int n = crystal->cells[i], steps = (n * TABLE_STEPS + 1) / 2;
      scratch->table[i] = g_new (float, steps + 2);
      scratch->table_scale[i] = 2.0 * steps;
      for (int j = 0; j < steps + 2; j++)
        {
          double x = j / (2.0 * steps), below = sin (FL_PI * x), above = sin (FL_PI * n * x);
          scratch->table[i][j] = (float) (j == 0 ? (double) n * n : above * above / (below * below));
        }
    }
}

/* |S|² at fractional distances (≤ 1/2) from the reflection. */
static inline double
shape (const FlSpotScratch *scratch, const double distance[3])
{
  double product = 1;
  for (int i = 0; i < 3; i++)
    {
      double at = fabs (distance[i]) * scratch->table_scale[i];
      if (at > 0.5 * scratch->table_scale[i])
        return 0; /* nearer to another reflection */
      int j = (int) at;
      const float *t = scratch->table[i] + j;
      product *= (double) t[0] + (at - j) * (double) (t[1] - t[0]);
    }
  return product;
}

static double
sample_pixel (const FlReflection *r, const FlSpotScratch *scratch, int fs, int ss)
{
  const FlSpectrum *spectrum = &r->model->spectrum;
  const double (*axes)[3] = scratch->real_axes.m;
  const int hkl[3] = { r->hkl.h, r->hkl.k, r->hkl.l };
  double sum = 0;
  for (int i = 0; i < SAMPLES * SAMPLES; i++)
    {
      FlVec3 p =
          fl_reflection_position (r, fs + (i % SAMPLES + 0.5) / SAMPLES, ss + (i / SAMPLES + 0.5) / SAMPLES);
      FlVec3 q = fl_vec3_scale (fl_vec3_sub (fl_vec3_unit (p), fl_vec3 (0, 0, 1)), r->k);
      double index[3];
      for (int j = 0; j < 3; j++)
        index[j] = axes[j][0] * q.x + axes[j][1] * q.y + axes[j][2] * q.z;
      for (guint e = 0; e < spectrum->n; e++)
        {
          double distance[3];
          for (int j = 0; j < 3; j++)
            distance[j] = index[j] * spectrum->energy[e] - hkl[j];
          sum += spectrum->weight[e] * shape (scratch, distance);
        }
    }
  return sum / (SAMPLES * SAMPLES);
}

gboolean
fl_spot_lattice (const FlReflection *r, FlSpotScratch *scratch, FlPatch *patch)
{
  double reach = fl_spot_lattice_reach (r->model, r->crystal, sqrt (fl_vec3_dot (r->q, r->q)));
  double pixels =
      reach * fl_vec3_norm (fl_reflection_position (r, r->fs, r->ss)) / (r->k * r->panel->pixel_size);
  int half = (int) ceil (pixels);
  /* The whole intensity on one pixel would still be too little. */
  double most = r->strength;
  for (int i = 0; i < 3; i++)
    most *= (double) r->crystal->cells[i] * r->crystal->cells[i];
  if (most < FEWEST || !fl_patch_place (r, r->fs, r->ss, half, half, scratch, patch))
    return FALSE;
  float *mean = (float *) (void *) scratch->mean->data;
  for (int y = 0; y < patch->height; y++)
    for (int x = 0; x < patch->width; x++)
      {
        double photons = r->strength * sample_pixel (r, scratch, patch->fs0 + x, patch->ss0 + y);
        mean[y * patch->width + x] = (float) photons;
        patch->photons += photons;
      }
  return patch->photons > FEWEST;
}
