/* Photons to counts. */
#include <string.h>

#include "engine/simulate/noise.h"
#include "engine/simulate/spi-private.h"

#define RANGES 3

/* As a JUNGFRAU has them: where it changes to the next range, how much smaller the gain is there, how well it is
   known. */
static const struct
{
  double until, noise, error; /* keV; relative to the highest gain's; of a pixel's gain */
} ranges[RANGES] = { { 40 * 8, 1, 0.01 }, { 1500 * 8, 40, 0.015 }, { INFINITY, 400, 0.02 } };

#define SWITCH_SPREAD 0.02 /* of a pixel's switching point */

/* What a pixel of a detector that is calibrated as well as it can be shows: its range's noise, and its error of
   gain, always the same. */
static double
auto_ranging (const FlSpiSimulator *s, gsize i, double kev, FlRandom *random)
{
  guint64 pixel = i;
  FlRandom own = fl_random (fl_hash64 (&pixel, sizeof pixel, s->seed));
  double shift = 1 + SWITCH_SPREAD * (2 * fl_random_unit (&own) - 1), gain = 1;
  guint range = 0;
  while (kev >= ranges[range].until * shift)
    range++;
  for (guint r = 0; r <= range; r++)
    gain = 1 + ranges[r].error * CLAMP (fl_random_normal (&own), -3, 3);
  return gain * s->layout->gain * s->photons[i]
         + ranges[range].noise * s->layout->readout_noise * fl_random_normal_fast (random);
}

void
fl_spi_read_out (FlSpiSimulator *s, const FlSpiShot *shot, FlRandom *random)
{
  const FlDetectorLayout *layout = s->layout;
  guint16 *photons = (guint16 *) (void *) s->pixels;
  gint16 *counts = (gint16 *) (void *) s->pixels;
  for (gsize i = 0; i < layout->detector->n_pixels; i++)
    if (s->readout == FL_READOUT_PHOTONS)
      photons[i] = (guint16) MIN (s->photons[i], G_MAXUINT16);
    else if (layout->state[i] == FL_PIXEL_GAP || layout->state[i] == FL_PIXEL_DEAD)
      counts[i] = 0;
    else
      {
        double value =
            s->readout == FL_READOUT_COUNTS
                ? layout->gain * s->photons[i] + layout->readout_noise * fl_random_normal_fast (random)
                : auto_ranging (s, i, 1e-3 * shot->energy * s->photons[i], random);
        counts[i] = (gint16) lrint (CLAMP (value, G_MININT16, layout->saturation));
      }
}
