#include "engine/simulate/noise.h"

/* Where the lowest layer's tail begins, and the area of every layer, for 256 layers. */
#define TAIL 3.6541528853610088
#define AREA 0.00492867323399

double fl_ziggurat_x[FL_ZIGGURAT_LAYERS + 1];

static inline double
density (double x)
{
  return exp (-0.5 * x * x);
}

__attribute__ ((constructor)) static void
fill (void)
{
  fl_ziggurat_x[0] = AREA / density (TAIL);
  fl_ziggurat_x[1] = TAIL;
  for (int i = 2; i < FL_ZIGGURAT_LAYERS; i++)
    fl_ziggurat_x[i] = sqrt (-2 * log (AREA / fl_ziggurat_x[i - 1] + density (fl_ziggurat_x[i - 1])));
  fl_ziggurat_x[FL_ZIGGURAT_LAYERS] = 0;
}

static double
tail (FlRandom *r, double sign)
{
  double x, y;
  do
    {
      x = -log (1 - fl_random_unit (r)) / TAIL;
      y = -log (1 - fl_random_unit (r));
    }
  while (2 * y < x * x);
  return copysign (TAIL + x, sign);
}

double
fl_ziggurat_rare (FlRandom *r, unsigned layer, double x)
{
  if (layer == 0)
    return tail (r, x);
  double top = density (fl_ziggurat_x[layer + 1]), bottom = density (fl_ziggurat_x[layer]);
  return bottom + fl_random_unit (r) * (top - bottom) < density (x) ? x : fl_random_normal_fast (r);
}
