/* colour-lut.c: palettes, and the colour kernel as a plain function. */
#include "kernels/colour.h"

#include "kernels/colour-index.h"

enum
{
  POINTS = 52
};

/* Every fifth of the published 256 colours; straight lines between them stay within 4/255 of those. */

/* S. van der Walt and N. Smith, 2015, CC0. */
static const uint32_t viridis[POINTS] = {
  0x440154, 0x46085c, 0x471063, 0x481769, 0x481d6f, 0x482475, 0x472a7a, 0x46307e, 0x453781,
  0x433d84, 0x414287, 0x3f4889, 0x3d4e8a, 0x3a538b, 0x38598c, 0x355e8d, 0x33638d, 0x31688e,
  0x2e6d8e, 0x2c718e, 0x2a768e, 0x297b8e, 0x27808e, 0x25848e, 0x23898e, 0x218e8d, 0x20928c,
  0x1f978b, 0x1e9c89, 0x1fa188, 0x21a585, 0x24aa83, 0x28ae80, 0x2eb37c, 0x35b779, 0x3dbc74,
  0x46c06f, 0x50c46a, 0x5ac864, 0x65cb5e, 0x70cf57, 0x7cd250, 0x89d548, 0x95d840, 0xa2da37,
  0xb0dd2f, 0xbddf26, 0xcae11f, 0xd8e219, 0xe5e419, 0xf1e51d, 0xfde725,
};

/* J. Nuñez, C. Anderton and R. Renslow 2018, PLoS ONE 13, e0199239. */
static const uint32_t cividis[POINTS] = {
  0x00224e, 0x002656, 0x002a5f, 0x002d68, 0x003070, 0x083370, 0x163770, 0x203a6f, 0x273e6e,
  0x2e416d, 0x34456c, 0x3a486c, 0x3f4c6c, 0x444f6c, 0x49536c, 0x4e566c, 0x535a6d, 0x575d6d,
  0x5c616e, 0x60646f, 0x656870, 0x696b71, 0x6d6f72, 0x727274, 0x767676, 0x7a7a78, 0x7e7d78,
  0x838179, 0x888578, 0x8d8878, 0x928c78, 0x969077, 0x9b9476, 0xa09875, 0xa59c74, 0xaaa073,
  0xafa471, 0xb5a86f, 0xbaac6d, 0xbfb06b, 0xc4b468, 0xc9b965, 0xcfbd62, 0xd4c15f, 0xdac65b,
  0xdfca57, 0xe5cf52, 0xead34c, 0xf0d846, 0xf6dd3f, 0xfce236, 0xfee838,
};

static uint32_t
mix (uint32_t a, uint32_t b, float t)
{
  uint32_t colour = 0xff000000u;
  for (int shift = 0; shift < 24; shift += 8)
    {
      float from = (float) (a >> shift & 0xff), to = (float) (b >> shift & 0xff);
      colour |= (uint32_t) (from + (to - from) * t + 0.5f) << shift;
    }
  return colour;
}

void
flk_palette_lut (FlkPalette palette, uint32_t lut[256])
{
  const uint32_t *points = palette == FLK_PALETTE_CIVIDIS ? cividis : viridis;
  for (uint32_t i = 0; i < 256; i++)
    {
      float x = (float) i / 255.0f * (POINTS - 1);
      int at = (int) x < POINTS - 2 ? (int) x : POINTS - 2;
      if (palette == FLK_PALETTE_GREY)
        lut[i] = 0xff000000u | i * 0x010101u;
      else if (palette == FLK_PALETTE_GREY_INVERTED)
        lut[i] = 0xff000000u | (255 - i) * 0x010101u;
      else
        lut[i] = mix (points[at], points[at + 1], x - (float) at);
    }
}

const char *
flk_palette_name (FlkPalette palette)
{
  static const char *const names[] = { "viridis", "cividis", "grey", "inverted grey" };
  return (unsigned) palette < FLK_PALETTE_LAST ? names[palette] : "?";
}

void
flk_colour_map (const FlkColourArgs *args)
{
  Team alone = { 0, 0, 1 };
  ColourShared shared;
  for (uint64_t first = 0; first < args->n; first += FLK_COLOUR_CHUNK)
    {
      uint64_t rest = args->n - first;
      colour_pixels (alone, &shared, args, first, (int) (rest < FLK_COLOUR_CHUNK ? rest : FLK_COLOUR_CHUNK));
    }
}

uint32_t
flk_colour_index (float value, float low, float high, FlkScale scale)
{
  return (uint32_t) (colour_curve (colour_position (value, low, colour_per_unit (low, high)), (int32_t) scale)
                         * 255.0f
                     + 0.5f);
}
