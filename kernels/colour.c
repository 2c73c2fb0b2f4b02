/* colour.c: numbers to colours, 4096 a team. */
#include "kernels/colour.h"

#include "kernels/colour-index.h"

DEVICE_FN void
colour_body (Team t, ColourShared *sh, const FlkColourArgs *a)
{
  uint64_t first = (uint64_t) t.index * FLK_COLOUR_CHUNK;
  int n = (int) (a->n - first < FLK_COLOUR_CHUNK ? a->n - first : FLK_COLOUR_CHUNK);
  colour_pixels (t, sh, a, first, n);
}

KERNEL (colour, FlkColourArgs, ColourShared, 256)
