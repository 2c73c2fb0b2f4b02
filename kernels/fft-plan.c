/* fft-plan.c: the host's side of the transform: tables, and the three passes of a volume. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fft.h"

struct FlkFft
{
  FlkDevice *device;
  FlkPrecision precision;
  FlkFftLine lines[3];
};

uint32_t
flk_fft_teams (FlkPrecision precision, uint32_t lines, uint32_t groups)
{
  uint32_t lanes = precision == FLK_F32 ? FLK_FFT_LANES_F32 : FLK_FFT_LANES_F64;
  return (lines + lanes - 1) / lanes * groups;
}

/* Radices, the fours first; 0 when there is another prime in it. */
static uint32_t
factorise (uint32_t n, uint32_t factors[FLK_FFT_FACTORS])
{
  static const uint32_t radices[] = { 4, 2, 3, 5 };
  uint32_t count = 0;
  if (n == 0 || n > FLK_FFT_MAX)
    return 0;
  for (uint32_t i = 0; i < 4; i++)
    for (; n % radices[i] == 0; n /= radices[i])
      factors[count++] = radices[i];
  return n == 1 ? count : 0;
}

uint32_t
flk_fft_good_size (uint32_t n)
{
  uint32_t factors[FLK_FFT_FACTORS];
  for (n += n % 2; n <= FLK_FFT_MAX; n += 2)
    if (factorise (n, factors))
      return n;
  return 0;
}

bool
flk_fft_line_init (FlkDevice *device, FlkFftLine *line, uint32_t n, FlkPrecision precision)
{
  double turn[2 * FLK_FFT_MAX];
  float turn_f32[2 * FLK_FFT_MAX];
  uint16_t place[FLK_FFT_MAX];
  line->n = n;
  line->n_factors = factorise (n, line->factors);
  if (line->n_factors == 0)
    return false;
  for (uint32_t k = 0; k < n; k++)
    {
      double angle = 2 * acos (-1) * k / n;
      turn[k] = cos (angle);
      turn[n + k] = -sin (angle);
      uint32_t rest = k, length = n, at = 0;
      for (uint32_t f = 0; f < line->n_factors; f++)
        {
          length /= line->factors[f];
          at += rest % line->factors[f] * length;
          rest /= line->factors[f];
        }
      place[k] = (uint16_t) at;
    }
  for (uint32_t i = 0; i < 2 * n; i++)
    turn_f32[i] = (float) turn[i];
  size_t size = 2 * n * (precision == FLK_F32 ? sizeof (float) : sizeof (double));
  return flk_buffer_need (device, &line->turn, size)
         && flk_buffer_need (device, &line->place, n * sizeof *place)
         && flk_upload (device, line->turn.memory, precision == FLK_F32 ? (void *) turn_f32 : (void *) turn,
                        size)
         && flk_upload (device, line->place.memory, place, n * sizeof *place) && flk_sync (device);
}

void
flk_fft_line_clear (FlkDevice *device, FlkFftLine *line)
{
  flk_buffer_clear (device, &line->turn);
  flk_buffer_clear (device, &line->place);
}

bool
flk_fft_pass (FlkDevice *device, const FlkFftLine *line, FlkPrecision precision, const FlkFftSide *in,
              const FlkFftSide *out, uint32_t lines, uint32_t groups, bool inverse)
{
  FlkFftArgs args = { .in = *in,
                      .out = *out,
                      .turn = line->turn.memory,
                      .place = line->place.memory,
                      .n = line->n,
                      .n_factors = line->n_factors,
                      .lines = lines,
                      .inverse = inverse };
  memcpy (args.factors, line->factors, sizeof args.factors);
  return flk_launch (device, precision == FLK_F32 ? "fft_f32" : "fft_f64",
                     flk_fft_teams (precision, lines, groups), 0, &args, sizeof args);
}

FlkFft *
flk_fft_new (FlkDevice *device, const uint32_t n[3], FlkPrecision precision)
{
  FlkFft *fft = calloc (1, sizeof *fft);
  if (!fft)
    return NULL;
  fft->device = device;
  fft->precision = precision;
  for (int axis = 0; axis < 3; axis++)
    if (!flk_fft_line_init (device, &fft->lines[axis], n[axis], precision))
      {
        flk_fft_free (fft);
        return NULL;
      }
  return fft;
}

void
flk_fft_free (FlkFft *fft)
{
  if (!fft)
    return;
  for (int axis = 0; axis < 3; axis++)
    flk_fft_line_clear (fft->device, &fft->lines[axis]);
  free (fft);
}

bool
flk_fft_run (FlkFft *fft, void *data, bool inverse)
{
  uint32_t nx = fft->lines[0].n, ny = fft->lines[1].n, nz = fft->lines[2].n;
  FlkFftSide x = { .data = data, .stride = 1, .step = nx };
  FlkFftSide y = { .data = data, .stride = nx, .step = 1, .group = (uint64_t) nx * ny };
  FlkFftSide z = { .data = data, .stride = (uint64_t) nx * ny, .step = 1 };
  return flk_fft_pass (fft->device, &fft->lines[0], fft->precision, &x, &x, ny * nz, 1, inverse)
         && flk_fft_pass (fft->device, &fft->lines[1], fft->precision, &y, &y, nx, nz, inverse)
         && flk_fft_pass (fft->device, &fft->lines[2], fft->precision, &z, &z, nx * ny, 1, inverse);
}
