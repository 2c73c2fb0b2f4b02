/* density-scene.h: what is to be drawn of densities and a model: the one description that both renderers follow.
 *
 * Light, fog and line widths are the constants below, in the shaders too (resources/shaders/density.glsl begins with
 * them); a test holds the two pictures against each other. Plain data, references not owned. */
#pragma once

#include "widgets/density-camera.h"
#include "widgets/density-model.h"
#include "widgets/density-volume.h"

enum
{
  FLW_DENSITY_MAPS = 2,  /* at once */
  FLW_DENSITY_LEVELS = 2 /* of a map */
};

typedef enum
{
  FLW_DENSITY_MESH,  /* lines where grid planes cut the surface */
  FLW_DENSITY_GLASS, /* what is seen face on is clear */
  FLW_DENSITY_SOLID
} FlwDensityStyle;

typedef enum
{
  FLW_DENSITY_SLICE_NONE,
  FLW_DENSITY_SLICE_SCREEN, /* through the centre, facing the viewer */
  FLW_DENSITY_SLICE_A,      /* through the centre, along the grid's other two axes */
  FLW_DENSITY_SLICE_B,
  FLW_DENSITY_SLICE_C,
  FLW_DENSITY_SLICE_LAST
} FlwDensitySlice;

typedef struct
{
  const FlwDensityVolume *volume; /* NULL: none */
  const FlwDensityVolume *other;  /* shown right of the split; NULL: the same */
  guint n_levels;                 /* 0: hidden */
  double level[FLW_DENSITY_LEVELS];
  gboolean absolute; /* levels in the volume's unit, else in its σ from its mean */
  guint32 rgb[FLW_DENSITY_LEVELS];
} FlwDensityMap;

typedef struct
{
  FlwDensityMap maps[FLW_DENSITY_MAPS];
  FlwDensityStyle style;
  FlwDensitySlice slice; /* of the first map */
  double slice_range;    /* σ from the mean at either end of the slice's colours */
  double split;          /* 0–1 of the width; 1: no `other` is shown */
  const FlwDensityModel *model;
  double stick_radius; /* Å; 0: lines */
  guint32 ground;      /* behind all, and the fog's colour */
  double step;         /* samples are at most so many grid cells apart along any axis */
  double dots;         /* pixels of the picture along a logical pixel: how wide lines are */
} FlwDensityScene;

/* The value a level stands for in that volume. */
static inline double
flw_density_map_value (const FlwDensityMap *map, const FlwDensityVolume *volume, guint level)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (volume);
  return map->absolute ? map->level[level] : grid->mean + map->level[level] * grid->sigma;
}

/* Light. */
#define FLW_DENSITY_AMBIENT   0.30f
#define FLW_DENSITY_SPECULAR  0.25f
#define FLW_DENSITY_FOG       0.65f /* of the ground's colour at the back */
#define FLW_DENSITY_MESH_LINE 1.1f  /* logical pixels, at least FLW_DENSITY_THIN of the picture's */
#define FLW_DENSITY_LINE                                                                                     \
  1.1f /* logical pixels: half the width of a model's lines, the least half width of sticks */
#define FLW_DENSITY_THIN 0.6f
#define FLW_DENSITY_STEP 0.8 /* grid cells between samples, in a picture that is to be kept */
#define FLW_DENSITY_LONG_STEP                                                                                \
  1.0 /* in one that is overtaken at once, its surfaces refined less; the longest that misses no brick */
