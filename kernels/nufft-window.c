/* nufft-window.c: width, shape, polynomials and transform of the window. */
#include "kernels/nufft-window.h"

#include <math.h>

#define PI 3.14159265358979323846

static double
window_value (const NufftWindow *window, double z)
{
  return fabs (z) > 1 ? 0 : exp (window->beta * (sqrt (1 - z * z) - 1));
}

/* The window at its i-th cell, t from −1 to 1 within the cell: the first cell is 1 − fraction from the window's start. */
static double
window_cell (const NufftWindow *window, uint32_t i, double t)
{
  return window_value (window, 2 * (i + 0.5 * (1 - t)) / window->width - 1);
}

/* Chebyshev interpolation of degree `degree`, as powers of t. */
static void
fit (NufftWindow *window, uint32_t i, uint32_t degree)
{
  double power[FLK_NUFFT_DEGREE + 1] = { 0 }, now[FLK_NUFFT_DEGREE + 1] = { 1 },
                                  before[FLK_NUFFT_DEGREE + 1] = { 0 };
  uint32_t nodes = degree + 1;
  for (uint32_t k = 0; k <= degree; k++)
    {
      double sum = 0;
      for (uint32_t j = 0; j < nodes; j++)
        sum += window_cell (window, i, cos (PI * (j + 0.5) / nodes)) * cos (PI * k * (j + 0.5) / nodes);
      sum *= (k == 0 ? 1.0 : 2.0) / nodes;
      for (uint32_t d = 0; d <= k; d++)
        power[d] += sum * now[d];
      /* T(k + 1) = 2 t T(k) − T(k − 1), and T(1) = t. */
      double next[FLK_NUFFT_DEGREE + 1];
      for (uint32_t d = 0; d <= degree; d++)
        {
          next[d] = (k == 0 ? 1 : 2) * (d > 0 ? now[d - 1] : 0) - before[d];
          before[d] = now[d];
        }
      for (uint32_t d = 0; d <= degree; d++)
        now[d] = next[d];
    }
  for (uint32_t d = 0; d <= degree; d++)
    window->coefficient[d][i] = power[d];
}

/* Largest difference of the polynomials from the window. */
static double
fit_error (const NufftWindow *window, uint32_t degree)
{
  double worst = 0;
  for (uint32_t i = 0; i < window->width; i++)
    for (int s = -20; s <= 20; s++)
      {
        double t = s / 20.0, value = 0;
        for (uint32_t d = degree + 1; d-- > 0;)
          value = value * t + window->coefficient[d][i];
        worst = fmax (worst, fabs (value - window_cell (window, i, t)));
      }
  return worst;
}

bool
nufft_window_init (NufftWindow *window, double tolerance, double upsampling)
{
  static const double shape[] = { 0, 0, 2.20, 2.26, 2.38 };
  *window = (NufftWindow){ 0 };
  double width;
  if (upsampling == 2)
    width = ceil (log10 (10 / tolerance) - 1e-9);
  else
    width =
        1
        + ceil (log (1 / tolerance) / (PI * sqrt (1 - 1 / upsampling)) - 1e-9); /* one for three dimensions */
  if (!(width <= FLK_NUFFT_WIDTH))
    return false;
  window->width = width < 2 ? 2 : (uint32_t) width;
  if (upsampling == 2)
    window->beta = (window->width < 5 ? shape[window->width] : 2.30) * window->width;
  else
    window->beta = 0.97 * PI * window->width * (1 - 1 / (2 * upsampling));
  for (window->degree = 3; window->degree <= FLK_NUFFT_DEGREE; window->degree++)
    {
      for (uint32_t i = 0; i < window->width; i++)
        fit (window, i, window->degree);
      if (fit_error (window, window->degree) < 0.1 * tolerance)
        return true;
    }
  window->degree = FLK_NUFFT_DEGREE;
  return fit_error (window, FLK_NUFFT_DEGREE) < tolerance;
}

double
nufft_window_factor (const NufftWindow *window, int k, uint32_t n)
{
  enum
  {
    NODES = 400
  };
  /* ∫ φ(z) cos (ξ z) dz with z = sin θ, whose integrand ends as gently as the window is small there. */
  double xi = PI * window->width * k / n, sum = 0;
  for (int j = 0; j < NODES; j++)
    {
      double z = sin (PI * ((j + 0.5) / NODES - 0.5));
      sum += window_value (window, z) * cos (xi * z) * sqrt (1 - z * z);
    }
  return 2 / (window->width * sum * PI / NODES);
}
