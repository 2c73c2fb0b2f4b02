#include "widgets/palette.h"

#include <glib/gi18n.h>

#include "kernels/colour.h"

guint32
flw_class_colour (FlwClass klass)
{
  static const guint32 colours[FLW_CLASS_LAST] = { 0x8a8a8a, 0x56b4e9, 0xf0e442, 0xd55e00 };
  return colours[MIN (klass, FLW_CLASS_FAILED)];
}

const char *
flw_class_name (FlwClass klass)
{
  switch (klass)
    {
    case FLW_CLASS_MISS:
      return _ ("miss");
    case FLW_CLASS_INDEXED:
      return _ ("indexed");
    case FLW_CLASS_HIT:
      return _ ("hit, not indexed");
    default:
      return _ ("failed");
    }
}

guint32
flw_stage_colour (guint stage)
{
  /* From dark to light with depth, so that the order is legible without the hue. */
  static const guint32 colours[] = { 0x3a3f47, 0x5b6b8c, 0x3f9bb5, 0x56b4e9, 0xa8d08d, 0xf0e442 };
  return colours[MIN (stage, G_N_ELEMENTS (colours) - 1)];
}

const char *
flw_stage_name (guint stage)
{
  const char *names[] = { _ ("idle"), _ ("read"), _ ("find"), _ ("index"), _ ("refine"), _ ("integrate") };
  return names[MIN (stage, G_N_ELEMENTS (names) - 1)];
}

guint32
flw_tone_colour (FlwTone tone)
{
  switch (tone)
    {
    case FLW_TONE_ACTIVE:
      return 0x56b4e9;
    case FLW_TONE_GOOD:
      return 0x7fd1ae;
    case FLW_TONE_WARNING:
      return 0xf0e442;
    case FLW_TONE_BAD:
      return 0xff7a3c;
    default:
      return 0xa7aeb8;
    }
}

const char *
flw_palette_name (FlwPalette palette)
{
  const char *names[] = { _ ("Viridis"), _ ("Cividis"), _ ("Grey"), _ ("Inverted grey") };
  return names[MIN (palette, FLW_PALETTE_LAST - 1)];
}

void
flw_palette_lut (FlwPalette palette, guint32 lut[256])
{
  /* FlwPalette and FlkPalette name the same four. */
  flk_palette_lut ((FlkPalette) palette, lut);
}

GdkRGBA
flw_rgba (guint32 rgb, double alpha)
{
  return (GdkRGBA){ (float) ((rgb >> 16) & 0xff) / 255.f, (float) ((rgb >> 8) & 0xff) / 255.f,
                    (float) (rgb & 0xff) / 255.f, (float) alpha };
}

void
flw_set_source (cairo_t *cr, guint32 rgb, double alpha)
{
  cairo_set_source_rgba (cr, ((rgb >> 16) & 0xff) / 255., ((rgb >> 8) & 0xff) / 255., (rgb & 0xff) / 255.,
                         alpha);
}
