/* density-ray.h: one ray through a scene. Not for pages; what it computes is said in density-cast.h. Any thread. */
#pragma once

#include "widgets/density-lanes.h"

G_BEGIN_DECLS

typedef struct
{
  const FlwDensityLanes *lanes;
  FlwDensityStyle style;
  float pixel;     /* Å from ray to ray */
  float ground[3]; /* 0–1 */
} FlwDensityLight;

/* What light does not pass. */
typedef struct
{
  float depth; /* Å toward the viewer; −INFINITY: nothing */
  float rgb[3];
} FlwDensityWall;

/* The colour of a place with that normal (in the camera's axes) and depth. */
void flw_density_shade (const FlwDensityLight *light, const float normal[3], float depth, const float rgb[3],
                        float out[3]);
/* Puts the slice into the wall where it is nearer. (x, y): Å on the screen from the centre. */
void flw_density_find_slice (const FlwDensityLight *light, const FlwDensityLane *lane, float x, float y,
                             FlwDensityWall *wall);
/* `lanes`: of one side of the split. Colour, 0–1 and somewhat more, and depth of what is seen first, −INFINITY: nothing. */
void flw_density_cast_ray (const FlwDensityLight *light, const FlwDensityLane *lanes, float x, float y,
                           const FlwDensityWall *wall, float out[3], float *depth);

G_END_DECLS
