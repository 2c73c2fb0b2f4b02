/* palette.h: the colours that carry meaning, and the continuous colour scales.
 *
 * Four classes keep apart for normal, deutan, protan and tritan sight on the dark ground; a fifth hue does
 * not, so anything more is said by a shape. A class's number is its rank in "rare beats frequent": where
 * several events share a pixel, the highest class is seen. Thread: any; all functions are pure. */
#pragma once

#include <gtk/gtk.h>

typedef enum
{
  FLW_CLASS_MISS = 0,    /* grey */
  FLW_CLASS_INDEXED = 1, /* sky blue */
  FLW_CLASS_HIT = 2,     /* yellow: a hit that is not indexed (yet) */
  FLW_CLASS_FAILED = 3,  /* vermillion */
  FLW_CLASS_LAST
} FlwClass;

typedef enum
{
  FLW_PALETTE_VIRIDIS,
  FLW_PALETTE_CIVIDIS,
  FLW_PALETTE_GREY,
  FLW_PALETTE_INVERTED_GREY,
  FLW_PALETTE_LAST
} FlwPalette;

/* How sure a reader may be that a thing needs them: for chips, banners, readouts. Never shown by colour
 * alone. */
typedef enum
{
  FLW_TONE_NEUTRAL,
  FLW_TONE_ACTIVE,
  FLW_TONE_GOOD,
  FLW_TONE_WARNING,
  FLW_TONE_BAD
} FlwTone;

/* 0xRRGGBB. */
guint32 flw_class_colour (FlwClass klass);
const char *flw_class_name (FlwClass klass); /* translated: "miss", "indexed", "hit, not indexed", "failed" */
/* Colour of processing stage 0–5 (idle, read, find, index, refine, integrate), and its name. */
guint32 flw_stage_colour (guint stage);
const char *flw_stage_name (guint stage);
guint32 flw_tone_colour (FlwTone tone);
const char *flw_palette_name (FlwPalette palette);
/* 256 colours, 0xffRRGGBB. */
void flw_palette_lut (FlwPalette palette, guint32 lut[256]);
/* As GTK and cairo want it. */
GdkRGBA flw_rgba (guint32 rgb, double alpha);
void flw_set_source (cairo_t *cr, guint32 rgb, double alpha);
