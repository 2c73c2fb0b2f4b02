#include "engine/simulate/ice.h"

#include <math.h>

#include "engine/base/units.h"

#define PHOTONS 150.0 /* mean of a spot */
#define SIGMA   0.7   /* px */
#define HALF    3     /* px of its patch on either side */

static const struct
{
  double d, weight; /* Å; of 100 */
} rings[] = { { 3.90, 30 }, { 3.67, 16 }, { 3.44, 23 }, { 2.67, 6 }, { 2.25, 10 },
              { 2.07, 8 },  { 1.95, 2 },  { 1.92, 4 },  { 1.88, 1 } };

static double
draw_ring (FlRandom *random)
{
  double at = 100 * fl_random_unit (random);
  guint i = 0;
  while (i + 1 < G_N_ELEMENTS (rings) && (at -= rings[i].weight) >= 0)
    i++;
  return rings[i].d;
}

static void
draw_spot (const FlDetector *detector, guint panel, double fs, double ss, double photons, FlPatchFunc draw,
           gpointer data)
{
  const FlPanel *on = &detector->panels[panel];
  float mean[(2 * HALF + 1) * (2 * HALF + 1)];
  FlPatch patch = { .panel = panel, .fs = fs, .ss = ss, .photons = photons, .mean = mean };
  int fs1 = MIN ((int) fs + HALF, (int) on->n_fs - 1), ss1 = MIN ((int) ss + HALF, (int) on->n_ss - 1);
  patch.fs0 = MAX ((int) fs - HALF, 0);
  patch.ss0 = MAX ((int) ss - HALF, 0);
  patch.width = fs1 - patch.fs0 + 1;
  patch.height = ss1 - patch.ss0 + 1;
  for (int y = 0; y < patch.height; y++)
    for (int x = 0; x < patch.width; x++)
      {
        double dx = (patch.fs0 + x + 0.5 - fs) / SIGMA, dy = (patch.ss0 + y + 0.5 - ss) / SIGMA;
        mean[y * patch.width + x] =
            (float) (photons / (2 * FL_PI * SIGMA * SIGMA) * exp (-0.5 * (dx * dx + dy * dy)));
      }
  draw (&patch, data);
}

void
fl_ice_spots (const FlDetector *detector, double wavelength, double mean, FlRandom *random, FlPatchFunc draw,
              gpointer data)
{
  for (guint32 left = fl_random_poisson (random, mean); left > 0; left--)
    {
      double theta = asin (wavelength / (2 * draw_ring (random))), phi = 2 * FL_PI * fl_random_unit (random);
      double photons = -PHOTONS * log (1 - fl_random_unit (random)), fs, ss;
      FlVec3 direction = fl_vec3 (sin (2 * theta) * cos (phi), sin (2 * theta) * sin (phi), cos (2 * theta));
      guint panel;
      if (fl_detector_intersect (detector, direction, &panel, &fs, &ss))
        draw_spot (detector, panel, fs, ss, photons, draw, data);
    }
}
