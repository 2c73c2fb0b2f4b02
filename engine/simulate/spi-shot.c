/* What a shot of single particles shows: its kind, its molecules, its pulse. */
#include "engine/simulate/sfx.h"
#include "engine/simulate/spi-private.h"

#define MOST_SIGMA     3.0 /* jitters are cut there, so that no shot is absurd */
#define DROPLET_SPREAD 0.3 /* standard deviation of the logarithm of diameters */

static double
jitter (FlRandom *random)
{
  return CLAMP (fl_random_normal (random), -MOST_SIGMA, MOST_SIGMA);
}

/* Gamma variate of unit scale (Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 363, 2000). */
static double
random_gamma (FlRandom *random, double shape)
{
  if (shape < 1)
    return random_gamma (random, shape + 1) * pow (1 - fl_random_unit (random), 1 / shape);
  double d = shape - 1.0 / 3, c = 1 / sqrt (9 * d);
  for (;;)
    {
      double x = fl_random_normal (random), v = 1 + c * x, u = 1 - fl_random_unit (random);
      v = v * v * v;
      if (v > 0 && log (u) < 0.5 * x * x + d - d * v + d * log (v))
        return d * v;
    }
}

/* Mean 1, the asked standard deviation. */
static double
draw_fluence (const FlSpiSimulator *s, FlRandom *random)
{
  double spread = s->fluence_spread;
  if (s->fluence == FL_FLUENCE_CONSTANT || spread == 0)
    return 1;
  if (s->fluence == FL_FLUENCE_GAMMA)
    return random_gamma (random, 1 / (spread * spread)) * spread * spread;
  double variance = log (1 + spread * spread);
  return exp (sqrt (variance) * fl_random_normal (random) - 0.5 * variance);
}

static FlSpiKind
draw_kind (const FlSpiSimulator *s, FlRandom *random)
{
  double u = fl_random_unit (random);
  if (u < s->blanks)
    return FL_SPI_BLANK;
  if (u < s->blanks + s->droplets)
    return FL_SPI_DROPLET;
  return u < s->blanks + s->droplets + s->several ? FL_SPI_SEVERAL : FL_SPI_SINGLE;
}

static void
draw_particle (const FlSpiSimulator *s, FlRandom *random, FlSpiPlaced *placed)
{
  double u = fl_random_unit (random);
  placed->model = 0;
  while (placed->model + 1 < s->n_models && u >= s->weights[placed->model])
    u -= s->weights[placed->model++];
  placed->orientation = fl_random_orientation (random);
  double x = jitter (random), y = jitter (random), z = jitter (random);
  placed->position = fl_vec3_scale (fl_vec3 (x, y, z), s->position_jitter);
  double r = hypot (placed->position.x, placed->position.y) / s->beam_sigma;
  placed->focus = exp (-0.5 * r * r);
}

static void
draw_pulse (const FlSpiSimulator *s, FlRandom *random, FlSpiShot *shot, FlSpiPulse *pulse)
{
  double middle = s->energy * (1 + s->energy_jitter * jitter (random)), sum = 0, mean = 0;
  for (guint i = 0; i < s->spectrum.n; i++)
    {
      /* One mode of chaotic light: its power is exponentially distributed. */
      double power = s->spectrum.n > 1 ? -log (1 - fl_random_unit (random)) : 1;
      pulse->weight[i] = s->spectrum.weight[i] * power;
      sum += pulse->weight[i];
    }
  for (guint i = 0; i < s->spectrum.n; i++)
    {
      pulse->weight[i] /= sum;
      mean += pulse->weight[i] * s->spectrum.energy[i];
    }
  shot->energy = middle * mean;
}

void
fl_spi_describe (const FlSpiSimulator *s, FlRandom *random, FlSpiShot *shot, FlSpiPulse *pulse)
{
  shot->kind = draw_kind (s, random);
  draw_pulse (s, random, shot, pulse);
  shot->fluence = draw_fluence (s, random);
  double x = jitter (random), y = jitter (random);
  shot->centre[0] = s->centre_jitter * x;
  shot->centre[1] = s->centre_jitter * y;
  shot->background = s->background * exp (s->background_jitter * jitter (random));
  draw_particle (s, random, &shot->particles[0]);
  shot->n_particles = shot->kind == FL_SPI_SINGLE || shot->kind == FL_SPI_SEVERAL;
  if (shot->kind == FL_SPI_DROPLET)
    shot->diameter = s->droplet_size * exp (DROPLET_SPREAD * jitter (random));
  if (shot->kind != FL_SPI_SEVERAL)
    return;
  do
    draw_particle (s, random, &shot->particles[shot->n_particles++]);
  while (shot->n_particles < FL_SPI_PARTICLES && fl_random_unit (random) < s->several);
}
