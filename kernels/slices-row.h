/* slices-row.h: a point's windows and sum with rows in registers, for one width of rows. Included by slices.c with ROW and S
 * (name). The order of the additions is that of the plain loops. */

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
  ROW sum = { 0 };
  for (uint32_t z = 0; z < a->width; z++)
    for (uint32_t y = 0; y < a->width; y++)
      sum += window[LANES + y] * window[2 * LANES + z] * *(const ROW *) (from + (z * n + y) * n);
  sum *= *(const ROW *) window;
  float total[LANES];
  memcpy (total, &sum, sizeof total);
  for (int half = LANES / 2; half >= 1; half /= 2)
    for (int l = 0; l < half; l++)
      total[l] += total[l + half];
  return total[0];
}
