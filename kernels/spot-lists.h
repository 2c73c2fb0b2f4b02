/* spot-lists.h: for kernels that go by the lists of strong pixels that "spots" leaves. */
#pragma once

#include "kernels/kernel.h"
#include "kernels/spots.h"

/* The first entry in [begin, n) of the sorted list that is not before `pixel`; n: none. */
DEVICE_FN uint32_t
first_not_before (const uint32_t *list, uint32_t begin, uint32_t n, uint32_t pixel)
{
  uint32_t low = begin, high = n;
  while (low < high)
    {
      uint32_t middle = low + (high - low) / 2;
      if (list[middle] < pixel)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Index of `pixel` in the sorted list, or n. */
DEVICE_FN uint32_t
find_pixel (const uint32_t *list, uint32_t begin, uint32_t n, uint32_t pixel)
{
  uint32_t at = first_not_before (list, begin, n, pixel);
  return at < n && list[at] == pixel ? at : n;
}

DEVICE_FN uint64_t
pixel_index (const FlkPanel *panel, uint32_t fs, uint32_t ss)
{
  return panel->offset + (uint64_t) ss * panel->stride + fs;
}
