/* The expected photons of a shot of single particles. */
#include <string.h>

#include "engine/base/units.h"
#include "engine/simulate/spi-private.h"

#define DROPLET_AXES                                                                                         \
  {                                                                                                          \
    1, 0.95, 1.08                                                                                            \
  } /* as they wobble */

static double
sinc (double x)
{
  return fabs (x) < 1e-6 ? 1 : sin (x) / x;
}

/* s (Å⁻¹) of good pixels at an energy, and their factors, seen from where the beam meets the detector. */
static void
place_pixels (FlSpiSimulator *s, const FlSpiShot *shot, double energy)
{
  const FlDetector *detector = s->layout->detector;
  double k = energy / FL_EV_ANGSTROM, pixel = detector->panels[0].pixel_size;
  FlVec3 shift = fl_vec3 (shot->centre[0] * pixel, shot->centre[1] * pixel, 0);
  for (gsize i = 0; i < s->n_good; i++)
    {
      const FlPanel *panel = &detector->panels[s->panel[i]];
      FlVec3 r = fl_vec3_sub (s->place[i], shift), u = fl_vec3_unit (r);
      s->factor[i] = fl_spi_pixel_factor (r, fl_vec3_cross (panel->fs, panel->ss), s->polarisation);
      s->s[i] = fl_vec3_scale (fl_vec3_sub (u, fl_vec3 (0, 0, 1)), k);
    }
}

/* The cross term of two molecules, averaged over the pixel, whose fringes may be finer than it. */
static double
interference (const FlSpiSimulator *s, gsize i, FlVec3 apart, double k)
{
  const FlPanel *panel = &s->layout->detector->panels[s->panel[i]];
  FlVec3 u = fl_vec3_unit (s->place[i]);
  double along = fl_vec3_dot (u, apart), scale = FL_PI * k / fl_vec3_norm (s->place[i]);
  double fs = scale * (fl_vec3_dot (panel->fs, apart) - along * fl_vec3_dot (panel->fs, u)),
         ss = scale * (fl_vec3_dot (panel->ss, apart) - along * fl_vec3_dot (panel->ss, u));
  return sinc (fs) * sinc (ss);
}

static void
add_pairs (FlSpiSimulator *s, const FlSpiShot *shot, guint a, guint b, double weight, double k)
{
  FlVec3 apart = fl_vec3_sub (shot->particles[a].position, shot->particles[b].position);
  double both = sqrt (shot->particles[a].focus * shot->particles[b].focus);
  for (gsize i = 0; i < s->n_good; i++)
    {
      double phase = 2 * FL_PI * fl_vec3_dot (s->s[i], apart);
      double complex product = (double complex) (s->f[a][i] * conjf (s->f[b][i])) * cexp (I * phase);
      s->mean[i] +=
          (float) (2 * both * weight * s->factor[i] * creal (product) * interference (s, i, apart, k));
    }
}

static void
add_molecules (FlSpiSimulator *s, const FlSpiShot *shot, double weight, double k)
{
  for (guint a = 0; a < shot->n_particles; a++)
    {
      const FlSpiPlaced *placed = &shot->particles[a];
      FlMat3 rotation = fl_mat3_from_quat (placed->orientation);
      fl_spi_particle_amplitudes (s->models[placed->model], &rotation, s->s, s->n_good, s->f[a]);
      for (gsize i = 0; i < s->n_good; i++)
        {
          double re = crealf (s->f[a][i]), im = cimagf (s->f[a][i]);
          s->mean[i] += (float) (weight * placed->focus * s->factor[i] * (re * re + im * im));
        }
      for (guint b = 0; b < a; b++)
        add_pairs (s, shot, a, b, weight, k);
    }
}

/* An ellipsoid of water: 3 (sin x − x cos x) / x³ of its electrons. */
static void
add_droplet (FlSpiSimulator *s, const FlSpiShot *shot, double weight)
{
  static const double axes[3] = DROPLET_AXES;
  FlMat3 rotation = fl_mat3_from_quat (shot->particles[0].orientation), back = fl_mat3_transpose (&rotation);
  double radius = shot->diameter / 2,
         electrons = s->water * 4 / 3 * FL_PI * pow (radius, 3) * axes[0] * axes[1] * axes[2];
  for (gsize i = 0; i < s->n_good; i++)
    {
      FlVec3 v = fl_mat3_apply (&back, s->s[i]);
      double x = 2 * FL_PI * radius * fl_vec3_norm (fl_vec3 (axes[0] * v.x, axes[1] * v.y, axes[2] * v.z));
      double f = electrons * (x < 1e-2 ? 1 - x * x / 10 : 3 * (sin (x) - x * cos (x)) / (x * x * x));
      s->mean[i] += (float) (weight * s->factor[i] * f * f);
    }
}

static void
add_background (FlSpiSimulator *s, const FlSpiShot *shot)
{
  double rim = 0;
  for (gsize i = 0; i < s->n_good; i++)
    rim = MAX (rim, hypot (s->place[i].x, s->place[i].y));
  for (gsize i = 0; i < s->n_good; i++)
    {
      double across = (s->slope[0] * s->place[i].x + s->slope[1] * s->place[i].y) / rim;
      s->mean[i] += (float) (shot->background * (1 + s->background_slope * across));
    }
}

void
fl_spi_expect (FlSpiSimulator *s, const FlSpiPulse *pulse, FlSpiShot *shot)
{
  double mean = 0;
  for (guint i = 0; i < s->spectrum.n; i++)
    mean += pulse->weight[i] * s->spectrum.energy[i];
  memset (s->mean, 0, s->n_good * sizeof *s->mean);
  for (guint i = 0; i < s->spectrum.n && shot->kind != FL_SPI_BLANK; i++)
    {
      double energy = shot->energy / mean * s->spectrum.energy[i];
      double weight = s->norm * shot->fluence * pulse->weight[i];
      place_pixels (s, shot, energy);
      if (shot->kind == FL_SPI_DROPLET)
        add_droplet (s, shot, weight);
      else
        add_molecules (s, shot, weight, energy / FL_EV_ANGSTROM);
    }
  shot->expected = 0;
  for (gsize i = 0; i < s->n_good; i++)
    {
      s->mean[i] = MAX (s->mean[i], 0);
      shot->expected += s->mean[i];
    }
  if (shot->background > 0)
    add_background (s, shot);
}
