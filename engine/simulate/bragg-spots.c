#include "engine/simulate/bragg-spots.h"

#include "engine/base/units.h"
#include "engine/simulate/spot-shapes.h"

double
fl_polarisation_factor (FlVec3 direction, FlPolarisation polarisation)
{
  switch (polarisation)
    {
    case FL_POLARISATION_HORIZONTAL:
      return 1 - direction.x * direction.x;
    case FL_POLARISATION_VERTICAL:
      return 1 - direction.y * direction.y;
    case FL_POLARISATION_NONE:
    default:
      return 1;
    }
}

/* Samples of equal weight, evenly spread over ±half. */
static FlSpectrum
even_samples (double half, guint n)
{
  FlSpectrum s = { .n = CLAMP (n, 1, FL_SPECTRUM_MAX) };
  for (guint i = 0; i < s.n; i++)
    {
      s.energy[i] = 1 + half * ((2 * i + 1.0) / s.n - 1);
      s.weight[i] = 1.0 / s.n;
    }
  return s;
}

FlSpectrum
fl_spectrum_tophat (double width, guint n_samples)
{
  FlSpectrum s = even_samples (width / 2, n_samples);
  s.sigma = width / sqrt (12);
  return s;
}

FlSpectrum
fl_spectrum_gaussian (double width, guint n_samples)
{
  double sigma = width / (2 * sqrt (2 * log (2))), sum = 0;
  FlSpectrum s = even_samples (2.5 * sigma, n_samples);
  s.sigma = sigma;
  for (guint i = 0; i < s.n; i++)
    {
      double x = sigma > 0 ? (s.energy[i] - 1) / sigma : 0;
      sum += s.weight[i] = exp (-0.5 * x * x);
    }
  for (guint i = 0; i < s.n; i++)
    s.weight[i] /= sum;
  return s;
}

gboolean
fl_patch_place (const FlReflection *r, double fs, double ss, int half_width, int half_height,
                FlSpotScratch *scratch, FlPatch *patch)
{
  int fs0 = MAX ((int) floor (fs) - half_width, 0),
      fs1 = MIN ((int) floor (fs) + half_width, (int) r->panel->n_fs - 1);
  int ss0 = MAX ((int) floor (ss) - half_height, 0),
      ss1 = MIN ((int) floor (ss) + half_height, (int) r->panel->n_ss - 1);
  if (fs1 < fs0 || ss1 < ss0)
    return FALSE;
  *patch = (FlPatch){ .h = r->hkl.h,
                      .k = r->hkl.k,
                      .l = r->hkl.l,
                      .panel = r->panel_index,
                      .fs = fs,
                      .ss = ss,
                      .fs0 = fs0,
                      .ss0 = ss0,
                      .width = fs1 - fs0 + 1,
                      .height = ss1 - ss0 + 1 };
  g_array_set_size (scratch->mean, (guint) (patch->width * patch->height));
  patch->mean = (const float *) (void *) scratch->mean->data;
  return TRUE;
}

typedef struct
{
  const FlBraggModel *model;
  const FlCrystal *crystal;
  FlPatchFunc func;
  gpointer data;
  FlSpotScratch scratch;
  double k, q_max, reach;
} FlWalk;

static void
visit (FlWalk *walk, FlMiller hkl, FlVec3 q)
{
  float f2 = fl_intensities_get (walk->model->intensities, hkl.h, hkl.k, hkl.l);
  double q2 = fl_vec3_dot (q, q);
  if (!(f2 > 0) || q2 > walk->q_max * walk->q_max || q2 == 0)
    return;
  FlVec3 direction = fl_vec3_unit (fl_vec3_add (q, fl_vec3 (0, 0, walk->k)));
  FlReflection r = { .model = walk->model, .crystal = walk->crystal, .hkl = hkl, .q = q, .k = walk->k };
  /* The crystal's place shifts the ray; panels are far enough that the panel it meets is that of the shifted point. */
  const FlDetector *detector = walk->model->detector;
  if (!fl_detector_intersect (detector, direction, &r.panel_index, &r.fs, &r.ss))
    return;
  r.panel = &detector->panels[r.panel_index];
  FlVec3 area = fl_vec3_cross (r.panel->fs, r.panel->ss);
  FlVec3 seen = fl_reflection_position (&r, r.fs, r.ss);
  double t = fl_vec3_dot (seen, area) / fl_vec3_dot (direction, area);
  FlVec3 hit = fl_vec3_sub (fl_vec3_scale (direction, t), seen);
  double n2 = fl_vec3_dot (area, area);
  r.fs += fl_vec3_dot (fl_vec3_cross (hit, r.panel->ss), area) / n2;
  r.ss += fl_vec3_dot (fl_vec3_cross (r.panel->fs, hit), area) / n2;
  double solid_angle = fabs (fl_vec3_dot (area, direction)) / (t * t);
  r.strength = walk->crystal->fluence * FL_ELECTRON_RADIUS * FL_ELECTRON_RADIUS * (double) f2 * solid_angle
               * fl_polarisation_factor (direction, walk->model->polarisation);
  FlPatch patch;
  gboolean drawn = walk->crystal->shape == FL_SHAPE_GAUSSIAN ? fl_spot_gaussian (&r, &walk->scratch, &patch)
                                                             : fl_spot_lattice (&r, &walk->scratch, &patch);
  if (drawn)
    walk->func (&patch, walk->data);
}

static void
visit_range (FlWalk *walk, int h, int k, FlVec3 base, double from, double to)
{
  int limit = walk->model->intensities->limits[2];
  int first = (int) ceil (MAX (from, -limit)), last = (int) floor (MIN (to, limit));
  FlVec3 c_star =
      fl_vec3 (walk->crystal->a_star.m[2][0], walk->crystal->a_star.m[2][1], walk->crystal->a_star.m[2][2]);
  for (int l = first; l <= last; l++)
    visit (walk, (FlMiller){ h, k, l }, fl_vec3_add (base, fl_vec3_scale (c_star, l)));
}

/* Where along a row of the lattice |q + k|² − k² is within ±2k·reach: one parabola in l, cut at two heights. */
static void
walk_row (FlWalk *walk, int h, int k)
{
  const double (*m)[3] = walk->crystal->a_star.m;
  FlVec3 base = fl_vec3 (h * m[0][0] + k * m[1][0], h * m[0][1] + k * m[1][1], h * m[0][2] + k * m[1][2]);
  FlVec3 c_star = fl_vec3 (m[2][0], m[2][1], m[2][2]);
  double a = fl_vec3_dot (c_star, c_star), b = fl_vec3_dot (base, c_star) + walk->k * c_star.z;
  double c = fl_vec3_dot (base, base) + 2 * walk->k * base.z, height = 2 * walk->k * walk->reach;
  double outer = b * b - a * (c - height), inner = b * b - a * (c + height);
  if (outer < 0)
    return;
  double x0 = (-b - sqrt (outer)) / a, x3 = (-b + sqrt (outer)) / a;
  if (inner <= 0)
    {
      visit_range (walk, h, k, base, x0, x3);
      return;
    }
  double x1 = (-b - sqrt (inner)) / a, x2 = (-b + sqrt (inner)) / a;
  visit_range (walk, h, k, base, x0, x1);
  visit_range (walk, h, k, base, x2, x3);
}

void
fl_bragg_spots (const FlBraggModel *model, const FlCrystal *crystal, FlPatchFunc func, gpointer data)
{
  FlWalk walk = { .model = model,
                  .crystal = crystal,
                  .func = func,
                  .data = data,
                  .k = 1 / model->wavelength,
                  .q_max = 1 / model->intensities->d_min };
  gboolean gaussian = crystal->shape == FL_SHAPE_GAUSSIAN;
  walk.reach = (gaussian ? fl_spot_gaussian_reach : fl_spot_lattice_reach) (model, crystal, walk.q_max);
  walk.scratch.mean = g_array_new (FALSE, FALSE, sizeof (float));
  if (!gaussian)
    fl_spot_lattice_prepare (crystal, &walk.scratch);
  const int *limits = model->intensities->limits;
  for (int h = -limits[0]; h <= limits[0]; h++)
    for (int k = -limits[1]; k <= limits[1]; k++)
      walk_row (&walk, h, k);
  g_array_free (walk.scratch.mean, TRUE);
  for (int i = 0; i < 3; i++)
    g_free (walk.scratch.table[i]);
}
