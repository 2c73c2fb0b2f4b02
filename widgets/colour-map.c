#include "widgets/colour-map.h"

#include <math.h>

struct _FlwColourMap
{
  GObject parent_instance;
  FlwPalette palette;
  FlwScale scale;
  double lower, upper;
  double suggested_lower, suggested_upper;
  gboolean automatic;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwColourMap, flw_colour_map, G_TYPE_OBJECT)

static void
flw_colour_map_class_init (FlwColourMapClass *klass)
{
  (void) klass;
  signals[CHANGED] =
      g_signal_new ("changed", FLW_TYPE_COLOUR_MAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flw_colour_map_init (FlwColourMap *map)
{
  map->upper = map->suggested_upper = 1;
  map->automatic = TRUE;
}

FlwColourMap *
flw_colour_map_new (void)
{
  return g_object_new (FLW_TYPE_COLOUR_MAP, NULL);
}

static void
changed (FlwColourMap *map)
{
  g_signal_emit (map, signals[CHANGED], 0);
}

FlwPalette
flw_colour_map_get_palette (FlwColourMap *map)
{
  return map->palette;
}

void
flw_colour_map_set_palette (FlwColourMap *map, FlwPalette palette)
{
  if (map->palette == palette)
    return;
  map->palette = palette;
  changed (map);
}

FlwScale
flw_colour_map_get_scale (FlwColourMap *map)
{
  return map->scale;
}

void
flw_colour_map_set_scale (FlwColourMap *map, FlwScale scale)
{
  if (map->scale == scale)
    return;
  map->scale = scale;
  changed (map);
}

static void
take_range (FlwColourMap *map, double lower, double upper)
{
  if (!isfinite (lower) || !isfinite (upper))
    return;
  if (!(upper > lower)) /* an empty range would be all one colour without saying so */
    upper = lower + fmax (fabs (lower) * 1e-6, 1e-6);
  if (map->lower == lower && map->upper == upper)
    return;
  map->lower = lower;
  map->upper = upper;
  changed (map);
}

void
flw_colour_map_set_range (FlwColourMap *map, double lower, double upper)
{
  map->automatic = FALSE;
  take_range (map, lower, upper);
}

double
flw_colour_map_get_lower (FlwColourMap *map)
{
  return map->lower;
}

double
flw_colour_map_get_upper (FlwColourMap *map)
{
  return map->upper;
}

void
flw_colour_map_set_automatic (FlwColourMap *map, gboolean automatic)
{
  if (map->automatic == !!automatic)
    return;
  map->automatic = !!automatic;
  if (automatic)
    take_range (map, map->suggested_lower, map->suggested_upper);
  changed (map);
}

gboolean
flw_colour_map_get_automatic (FlwColourMap *map)
{
  return map->automatic;
}

void
flw_colour_map_suggest_range (FlwColourMap *map, double lower, double upper)
{
  if (!isfinite (lower) || !isfinite (upper))
    return;
  map->suggested_lower = lower;
  map->suggested_upper = upper;
  if (map->automatic)
    take_range (map, lower, upper);
}

/* The colour kernel's scales; see kernels/colour.h. */
double
flw_colour_map_position (FlwColourMap *map, double value)
{
  double t = (value - map->lower) / (map->upper - map->lower);

  t = t > 0 ? fmin (t, 1) : 0;
  if (map->scale == FLW_SCALE_SQRT)
    return sqrt (t);
  return map->scale == FLW_SCALE_LOG ? log1p (999 * t) / log (1000) : t;
}

double
flw_colour_map_value (FlwColourMap *map, double position)
{
  double t = CLAMP (position, 0, 1);

  if (map->scale == FLW_SCALE_SQRT)
    t = t * t;
  else if (map->scale == FLW_SCALE_LOG)
    t = expm1 (t * log (1000)) / 999;
  return map->lower + t * (map->upper - map->lower);
}

void
flw_colour_map_args (FlwColourMap *map, FlkColourArgs *args)
{
  args->low = (float) map->lower;
  args->high = (float) map->upper;
  args->scale = (int32_t) map->scale; /* FlwScale and FlkScale name the same three */
  args->none = 0;
  args->bad = 0xff5a2a1cu; /* dull red-brown: no palette has it */
  flw_palette_lut (map->palette, args->lut);
}
