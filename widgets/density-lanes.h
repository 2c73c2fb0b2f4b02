/* density-lanes.h: a scene made ready for rays: each map in its own grid's coordinates, samples counted from the front.
 * Not for pages.
 *
 * A ray's samples lie at depths front − k·step, k whole, the same for all maps and both renderers; a surface is crossed
 * between samples k and k + 1 when their values lie on either side of a level, and the place is refined from there. A
 * brick's skip number n says that no level is in the aligned cube of 2^(n−1) bricks that holds it (0: one is in the
 * brick): rays leap over that cube, and since a brick's range takes in the cells around it, nothing is missed.
 * FLW_DENSITY_DENSE + n: at least half of the bricks of that cube hold a level; it is sampled without looking at each. */
#pragma once

#include "widgets/density-scene.h"

G_BEGIN_DECLS

enum
{
  FLW_DENSITY_DENSE = 128 /* the least of the skip numbers that forbid to skip */
};

typedef struct
{
  const FlwDensityVolume *volume; /* NULL: nothing to show */
  const FlwDensityStore *store;
  gboolean periodic;
  guint n_levels;
  float level[FLW_DENSITY_LEVELS];
  float rgb[FLW_DENSITY_LEVELS][3]; /* 0–1 */
  float origin[3];                  /* in grid cells: sample 0 of the ray through the centre */
  float right[3], up[3];            /* cells an Å on the screen */
  float away[3];                    /* cells a sample */
  float pace[3];                    /* samples a cell along that axis; 0: it never comes to the next one */
  float slope[3][3];                /* slope[a]: gradient of grid coordinate a, in the camera's axes, 1/Å */
  float mean, sigma;
  const guint8 *skip; /* of each brick */
} FlwDensityLane;

typedef struct
{
  guint8 *skip;
  gsize n;
  FlwDensityVolume *volume; /* reference */
  guint n_levels;
  float level[FLW_DENSITY_LEVELS];
  guint serial; /* raised with every change */
} FlwDensitySkip;

/* Zero it before the first use. One thread at a time. */
typedef struct
{
  FlwDensityLane lanes[2][FLW_DENSITY_MAPS]; /* left and right of the split */
  FlwDensitySkip skips[2][FLW_DENSITY_MAPS];
  float step;      /* Å */
  int refinements; /* of a crossing, by regula falsi */
  float front, back, radius;
  float fog;         /* Å from the centre where it is 0 (toward the viewer) and full (away) */
  float slice[3];    /* the plane's normal in the camera's axes; 0 0 0: none */
  float slice_range; /* σ */
  float mesh;        /* grid cells between lines */
  float line;        /* their width, pixels */
} FlwDensityLanes;

/* `pixel`: Å. */
void flw_density_lanes_prepare (FlwDensityLanes *lanes, const FlwDensityScene *scene,
                                const FlwDensityCamera *camera, double pixel);
void flw_density_lanes_clear (FlwDensityLanes *lanes);

G_END_DECLS
