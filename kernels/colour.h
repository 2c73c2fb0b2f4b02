/* colour.h: numbers to colours. Kernel "colour": teams = flk_colour_teams (n); or, without a device,
 * flk_colour_map() below (link kernels_dep).
 *
 * Output is cairo's ARGB32 (a native-endian word 0xAARRGGBB, premultiplied; BGRA in memory on little-endian machines =
 * GDK_MEMORY_B8G8R8A8_PREMULTIPLIED). NaN (no panel there) gives `none`, -INFINITY (a bad pixel) gives `bad`. */
#pragma once

#include <stdint.h>

typedef enum
{
  FLK_SCALE_LINEAR,
  FLK_SCALE_SQRT,
  FLK_SCALE_LOG /* log (1 + 999 t), t linear in the range: three decades */
} FlkScale;

typedef enum
{
  FLK_PALETTE_VIRIDIS,
  FLK_PALETTE_CIVIDIS,
  FLK_PALETTE_GREY,
  FLK_PALETTE_GREY_INVERTED,
  FLK_PALETTE_LAST
} FlkPalette;

typedef struct
{
  const float *values; /* n */
  uint32_t *out;       /* n */
  uint64_t n;
  float low, high;    /* values that get the first and the last colour; high <= low: all get the first */
  int32_t scale;      /* FlkScale */
  uint32_t none, bad; /* ARGB32 premultiplied */
  uint32_t lut[256];  /* flk_palette_lut() */
} FlkColourArgs;

enum
{
  FLK_COLOUR_CHUNK = 4096 /* pixels a team */
};

static inline uint32_t
flk_colour_teams (uint64_t n)
{
  return (uint32_t) ((n + FLK_COLOUR_CHUNK - 1) / FLK_COLOUR_CHUNK);
}

/* Fills 256 opaque ARGB32 colours. */
void flk_palette_lut (FlkPalette palette, uint32_t lut[256]);
const char *flk_palette_name (FlkPalette palette);

/* The kernel as a plain function on host pointers, one thread; any thread. */
void flk_colour_map (const FlkColourArgs *args);

/* Where in the palette a value lies, 0–255 (for colour bars). */
uint32_t flk_colour_index (float value, float low, float high, FlkScale scale);
