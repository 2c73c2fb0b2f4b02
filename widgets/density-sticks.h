/* density-sticks.h: bonds and atoms as capsules on the picture. Not for pages.
 *
 * Prepared once a frame; then any thread may draw them into its own rows. Pixels and depths as in density-cast.h, lengths
 * in pixels, y downward. */
#pragma once

#include "widgets/density-scene.h"

typedef struct
{
  float from[3], to[3]; /* x, y, depth: pixels */
  float radius;
  float rgb[2][3]; /* of either half, 0–1 */
} FlwDensityStick;

/* What is within the camera's ball and slab. Array of FlwDensityStick; free with g_array_unref. */
GArray *flw_density_sticks_find (const FlwDensityScene *scene, const FlwDensityCamera *camera, guint width,
                                 guint height);
/* Of the stick at a point; FALSE: it is not there. Normal in the camera's axes. */
gboolean flw_density_stick_hit (const FlwDensityStick *stick, float x, float y, float *depth, float normal[3],
                                const float **rgb);
