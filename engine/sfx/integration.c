#include "engine/sfx/integration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/integration-fit.h"

#define SAMPLE       64 /* rings that tell the read-out noise */
#define NOISE_ROUNDS 8
#define MIN_MEAN     10.0 /* I/σ of a shot's mean intensity that rocking curves are learned from */
#define MIN_COVERAGE 0.6  /* of the profile, on pixels that can be used */
#define OWN_FLAGS                                                                                            \
  (FL_REFLECTION_SATURATED | FL_REFLECTION_OVERLAP | FL_REFLECTION_EDGE | FL_REFLECTION_BACKGROUND           \
   | FL_REFLECTION_PROFILE)

struct FlIntegrator
{
  FlBox box;
  double cutoff;
  guint min_background;
  gboolean fit;                        /* profiles are wanted … */
  FlProfiles *profiles;                /* … and known */
  float *tables;                       /* n_zones × side² */
  double learn_limit, summation_limit; /* I/σ */
  float *profile;                      /* of the peak's pixels, scratch */
  float *radial, *tangential;
  guint8 *claims; /* a pixel: peaks that it is in; zeros between shots */
  gsize n_claims;
};

FlIntegrator *
fl_integrator_new (const FlParams *params, GError **error)
{
  double radius = fl_params_real (params, "integration.radius");
  double inner = fl_params_real (params, "integration.background_inner");
  double outer = fl_params_real (params, "integration.background_outer");
  if (inner < radius || outer <= inner)
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          "integration: radii %g, %g, %g px, expected peak radius <= background from < background to", radius,
          inner, outer);
      return NULL;
    }
  FlIntegrator *self = g_new0 (FlIntegrator, 1);
  fl_box_init (&self->box, radius, inner, outer);
  self->cutoff = fl_params_real (params, "integration.background_cutoff");
  self->min_background = (guint) fl_params_int (params, "integration.background_pixels");
  self->fit = fl_params_choice (params, "integration.method") == 1;
  self->learn_limit = fl_params_real (params, "integration.learn_above");
  self->summation_limit = fl_params_real (params, "integration.summation_above");
  self->profile = g_new (float, self->box.room);
  self->radial = g_new (float, self->box.room);
  self->tangential = g_new (float, self->box.room);
  return self;
}

void
fl_integrator_free (FlIntegrator *self)
{
  if (self == NULL)
    return;
  fl_integrator_set_profiles (self, NULL);
  fl_box_clear (&self->box);
  g_free (self->profile);
  g_free (self->radial);
  g_free (self->tangential);
  g_free (self->claims);
  g_free (self);
}

void
fl_integrator_set_profiles (FlIntegrator *self, const FlProfiles *profiles)
{
  g_clear_pointer (&self->profiles, fl_profiles_free);
  g_clear_pointer (&self->tables, g_free);
  if (profiles == NULL || !self->fit)
    return;
  gsize n = (gsize) profiles->side * profiles->side;
  self->tables = g_new (float, profiles->n_zones *n);
  gboolean good = TRUE;
  for (guint zone = 0; zone < profiles->n_zones; zone++)
    good = fl_profiles_table (profiles, zone, self->tables + zone * n) && good;
  if (good)
    self->profiles = fl_profiles_copy (profiles);
}

/* --- a shot --- */

static double
panel_gain (const FlPanel *panel, const FlShot *shot, double gain)
{
  if (gain <= 0)
    gain = panel->counts_per_ev > 0 && shot->energy > 0 ? panel->counts_per_ev * shot->energy : panel->gain;
  return gain > 0 ? gain : 1;
}

/* Marks the pixels of all peaks, or takes the marks away. */
static void
claim_all (FlIntegrator *self, const FlDetector *detector, const FlReflectionRow *rows, guint n, guint step)
{
  if (self->n_claims < detector->n_pixels)
    {
      g_free (self->claims);
      self->claims = g_new0 (guint8, self->n_claims = detector->n_pixels);
    }
  for (guint i = 0; i < n; i++)
    if (rows[i].panel < detector->n_panels)
      fl_box_claim (&self->box, &detector->panels[rows[i].panel], rows[i].fs, rows[i].ss, step, self->claims);
}

static gboolean
gather (FlIntegrator *self, const FlShot *shot, const FlDetector *detector, const FlReflectionRow *row)
{
  return fl_box_gather (&self->box, shot, detector, row->panel, row->fs, row->ss, self->claims);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Variance of pixels beyond that of photons, when pixels are rejected by `noise`: the median over rings. */
static double
excess_variance (FlIntegrator *self, const FlShot *shot, const FlDetector *detector, double gain,
                 FlNoise noise, const FlReflectionRow *rows, guint n)
{
  double excess[SAMPLE];
  guint n_excess = 0, step = MAX (1, (n + SAMPLE - 1) / SAMPLE);
  for (guint i = 0; i < n; i += step)
    {
      FlPlane plane;
      if (!gather (self, shot, detector, &rows[i]))
        continue;
      noise.gain = panel_gain (&detector->panels[rows[i].panel], shot, gain);
      if (fl_plane_fit (&self->box.ring, &noise, self->min_background, &plane))
        excess[n_excess++] = plane.scatter - noise.gain * plane.moments[0] / plane.n;
    }
  if (n_excess == 0)
    return 0;
  qsort (excess, n_excess, sizeof *excess, compare_doubles);
  return MAX (excess[n_excess / 2], 0);
}

/* Read-out noise: first with all pixels, then without those that it makes outliers of, until it stays. */
static double
read_out_noise (FlIntegrator *self, const FlShot *shot, const FlDetector *detector, double gain,
                const FlReflectionRow *rows, guint n)
{
  FlNoise noise = { .cutoff = INFINITY };
  for (guint round = 0; round < NOISE_ROUNDS; round++)
    {
      double before = noise.read_out;
      noise.read_out = excess_variance (self, shot, detector, gain, noise, rows, n);
      if (noise.read_out == 0 || (round > 0 && noise.read_out > 0.9 * before))
        break;
      noise.cutoff = self->cutoff;
    }
  return noise.read_out;
}

/* Σ over the disc, and its variance: half a photon is added, so that few are not taken for too sure. */
static void
sum_peak (const FlBoxPixels *peak, const FlPlane *plane, const FlNoise *noise, FlReflectionRow *row)
{
  double s[3] = { 0 }, counts = 0, square = 0, weight_square = 0, highest = -INFINITY;
  for (guint i = 0; i < peak->n; i++)
    {
      double w = peak->w[i], v = peak->v[i], wv = w * v;
      s[0] += w;
      s[1] += w * peak->x[i];
      s[2] += w * peak->y[i];
      counts += wv;
      square += w * wv;
      weight_square += w * w;
      highest = MAX (highest, v - fl_plane_at (plane, peak->x[i], peak->y[i]));
    }
  const double *c = plane->covariance;
  double under = s[0] * plane->b[0] + s[1] * plane->b[1] + s[2] * plane->b[2];
  double spread = c[0] * s[0] * s[0] + c[3] * s[1] * s[1] + c[5] * s[2] * s[2]
                  + 2 * (c[1] * s[0] * s[1] + c[2] * s[0] * s[2] + c[4] * s[1] * s[2]);
  double variance = noise->gain * MAX (square, 0) + 0.5 * noise->gain * noise->gain
                    + noise->read_out * weight_square + plane->variance * spread;
  row->intensity = (float) (counts - under);
  row->sigma = (float) sqrt (variance);
  row->background = (float) plane->b[0];
  row->peak = (float) highest;
}

/* Offsets of the peak's pixels along and across the direction away from the beam. Returns the zone. */
static guint
turn_offsets (FlIntegrator *self, const FlShot *shot, const FlPanel *panel, const FlReflectionRow *row)
{
  FlVec3 at = fl_vec3_add (fl_panel_position (panel, row->fs, row->ss), shot->shift);
  double rho = MAX (hypot (at.x, at.y), 1e-9), scale = 1 / panel->pixel_size;
  FlVec3 radial = fl_vec3 (at.x / rho, at.y / rho, 0), tangential = fl_vec3 (-at.y / rho, at.x / rho, 0);
  float rx = (float) (scale * fl_vec3_dot (panel->fs, radial)),
        ry = (float) (scale * fl_vec3_dot (panel->ss, radial));
  float tx = (float) (scale * fl_vec3_dot (panel->fs, tangential));
  float ty = (float) (scale * fl_vec3_dot (panel->ss, tangential));
  const FlBoxPixels *peak = &self->box.peak;
  for (guint i = 0; i < peak->n; i++)
    {
      self->radial[i] = rx * peak->x[i] + ry * peak->y[i];
      self->tangential[i] = tx * peak->x[i] + ty * peak->y[i];
    }
  return fl_profiles_zone (fl_two_theta (at));
}

/* Replaces the summation's result where the fit is the better. */
static void
fit_peak (FlIntegrator *self, const FlShot *shot, const FlPanel *panel, const FlPlane *plane,
          const FlNoise *noise, FlReflectionRow *row)
{
  if (row->sigma > 0 && row->intensity > self->summation_limit * row->sigma)
    return;
  FlBox *box = &self->box;
  guint side = self->profiles->side;
  const float *table = self->tables + (gsize) turn_offsets (self, shot, panel, row) * side * side;
  double covered = 0;
  for (guint i = 0; i < box->peak.n; i++)
    {
      self->profile[i] = fl_profiles_at (table, side, self->radial[i], self->tangential[i]);
      covered += box->claimed[i] ? 0 : self->profile[i];
    }
  FlProfileFit fit;
  if (covered < MIN_COVERAGE
      || !fl_profile_fit (&box->peak, self->profile, box->claimed, plane, noise, MAX (row->intensity, 0),
                          &fit))
    return;
  row->intensity = (float) fit.intensity;
  row->sigma = (float) fit.sigma;
  row->background = (float) fit.background;
  row->flags = (guint8) ((row->flags | FL_REFLECTION_PROFILE) & ~FL_REFLECTION_EDGE);
}

static void
integrate (FlIntegrator *self, const FlShot *shot, const FlDetector *detector, const FlNoise *noise,
           FlReflectionRow *row)
{
  FlBox *box = &self->box;
  FlPlane plane;
  guint flags = row->flags & ~(guint) OWN_FLAGS;
  row->intensity = row->background = row->peak = 0;
  row->sigma = -1;
  if (!gather (self, shot, detector, row))
    {
      row->flags = (guint8) (flags | FL_REFLECTION_EDGE);
      return;
    }
  if (box->cut)
    flags |= FL_REFLECTION_EDGE;
  if (box->shared)
    flags |= FL_REFLECTION_OVERLAP;
  if (box->saturated)
    flags |= FL_REFLECTION_SATURATED;
  gboolean good = fl_plane_fit (&box->ring, noise, self->min_background, &plane);
  row->flags = (guint8) (flags | (good ? 0 : FL_REFLECTION_BACKGROUND));
  if (!good)
    return;
  if (!box->cut)
    sum_peak (&box->peak, &plane, noise, row);
  if (self->profiles != NULL)
    fit_peak (self, shot, &detector->panels[row->panel], &plane, noise, row);
}

void
fl_integrator_shot (FlIntegrator *self, const FlShot *shot, const FlDetector *detector, double gain,
                    FlReflectionRow *rows, guint n)
{
  claim_all (self, detector, rows, n, 1);
  FlNoise noise = { .read_out = read_out_noise (self, shot, detector, gain, rows, n),
                    .cutoff = self->cutoff };
  for (guint i = 0; i < n; i++)
    {
      if (rows[i].panel < detector->n_panels)
        noise.gain = panel_gain (&detector->panels[rows[i].panel], shot, gain);
      integrate (self, shot, detector, &noise, &rows[i]);
    }
  claim_all (self, detector, rows, n, 0);
}

/* Relative intensities against excitation, of a shot whose mean is well known. */
static void
learn_rocking (const FlReflectionRow *rows, guint n, FlProfiles *profiles)
{
  double sum = 0, variance = 0;
  guint used = 0;
  for (guint i = 0; i < n; i++)
    if (rows[i].sigma > 0)
      {
        sum += rows[i].intensity;
        variance += rows[i].sigma * rows[i].sigma;
        used++;
      }
  if (sum * sum < MIN_MEAN * MIN_MEAN * variance || sum <= 0)
    return;
  for (guint i = 0; i < n; i++)
    if (rows[i].sigma > 0)
      fl_profiles_add_rocking (profiles, rows[i].excitation, (double) rows[i].intensity * used / sum);
}

void
fl_integrator_learn (FlIntegrator *self, const FlShot *shot, const FlDetector *detector, double gain,
                     const FlReflectionRow *rows, guint n, FlProfiles *profiles)
{
  learn_rocking (rows, n, profiles);
  claim_all (self, detector, rows, n, 1);
  for (guint i = 0; i < n; i++)
    {
      const FlReflectionRow *row = &rows[i];
      if (!(row->sigma > 0) || row->intensity < self->learn_limit * row->sigma
          || (row->flags & OWN_FLAGS) != 0 || !gather (self, shot, detector, row))
        continue;
      const FlPanel *panel = &detector->panels[row->panel];
      const FlBoxPixels *peak = &self->box.peak;
      for (guint j = 0; j < peak->n; j++)
        self->profile[j] = (peak->v[j] - row->background) / row->intensity;
      fl_profiles_add (profiles, turn_offsets (self, shot, panel, row), peak->n, self->radial,
                       self->tangential, self->profile, row->intensity / panel_gain (panel, shot, gain));
    }
  claim_all (self, detector, rows, n, 0);
}
