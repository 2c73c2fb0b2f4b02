/* slices-row.h: a point's windows, sum and addition with rows in registers, for one width of rows. Included by slices.c with
 * ROW, ACROSS (rows and planes; what is beyond the window has weight 0) and S (name). The order of the additions is that of
 * the plain loops. */

DEVICE_FN void
S (window) (const FlkSlicesArgs *a, float t, float *window)
{
  ROW w = *(const ROW *) a->window[a->degree];
  for (int k = (int) a->degree - 1; k >= 0; k--)
    w = w * t + *(const ROW *) a->window[k];
  *(ROW *) window = w;
}

DEVICE_FN float
S (sum) (const FlkSlicesArgs *a, const float *window, const float *from)
{
  enum
  {
    LANES = sizeof (ROW) / sizeof (float)
  };
  size_t n = a->n;
  ROW sum = { 0 }, wy = *(const ROW *) (window + LANES);
#pragma GCC unroll 8
  for (int z = 0; z < ACROSS; z++)
    {
      ROW by = wy * window[2 * LANES + z];
#pragma GCC unroll 8
      for (int y = 0; y < ACROSS; y++)
        sum += by[y] * *(const ROW *) (from + (size_t) y * n);
      from += n * n;
    }
  sum *= *(const ROW *) window;
  float total[LANES];
  memcpy (total, &sum, sizeof total);
  for (int half = LANES / 2; half >= 1; half /= 2)
    for (int l = 0; l < half; l++)
      total[l] += total[l + half];
  return total[0];
}

DEVICE_FN void
S (add) (const FlkSlicesArgs *a, const float *window, float value, float *to)
{
  enum
  {
    LANES = sizeof (ROW) / sizeof (float)
  };
  size_t n = a->n;
  ROW wx = *(const ROW *) window, wy = *(const ROW *) (window + LANES);
#pragma GCC unroll 8
  for (int z = 0; z < ACROSS; z++)
    {
      ROW by = value * window[2 * LANES + z] * wy;
#pragma GCC unroll 8
      for (int y = 0; y < ACROSS; y++)
        *(ROW *) (to + (size_t) y * n) += by[y] * wx;
      to += n * n;
    }
}
