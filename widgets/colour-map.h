/* colour-map.h: from values to colours: palette, scale and range, shared by an image view and its colour
 * bar.
 *
 * Whoever shares one FlwColourMap is bound to it both ways. Signal "changed" () after any change. Thread:
 * main, except flw_colour_map_table(), whose result is plain data for a worker. */
#pragma once

#include <glib-object.h>

#include "kernels/colour.h"
#include "widgets/palette.h"

G_BEGIN_DECLS

typedef enum
{
  FLW_SCALE_LINEAR,
  FLW_SCALE_SQRT,
  FLW_SCALE_LOG
} FlwScale;

#define FLW_TYPE_COLOUR_MAP (flw_colour_map_get_type ())
G_DECLARE_FINAL_TYPE (FlwColourMap, flw_colour_map, FLW, COLOUR_MAP, GObject)

FlwColourMap *flw_colour_map_new (void);
FlwPalette flw_colour_map_get_palette (FlwColourMap *map);
void flw_colour_map_set_palette (FlwColourMap *map, FlwPalette palette);
FlwScale flw_colour_map_get_scale (FlwColourMap *map);
void flw_colour_map_set_scale (FlwColourMap *map, FlwScale scale);
/* Setting a range by hand ends the automatic range. */
void flw_colour_map_set_range (FlwColourMap *map, double lower, double upper);
double flw_colour_map_get_lower (FlwColourMap *map);
double flw_colour_map_get_upper (FlwColourMap *map);
/* While automatic (the default), the range is what was last suggested, e.g. by an image's percentiles. */
void flw_colour_map_set_automatic (FlwColourMap *map, gboolean automatic);
gboolean flw_colour_map_get_automatic (FlwColourMap *map);
void flw_colour_map_suggest_range (FlwColourMap *map, double lower, double upper);

/* Where in the palette a value lies, 0–1 (clamped), and the inverse. */
double flw_colour_map_position (FlwColourMap *map, double value);
double flw_colour_map_value (FlwColourMap *map, double position);

/* Fills everything but values, out and n of the colour kernel's arguments: plain data for a worker. */
void flw_colour_map_args (FlwColourMap *map, FlkColourArgs *args);

G_END_DECLS
