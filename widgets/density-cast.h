/* density-cast.h: pictures of a scene by casting rays on the CPU, in several threads.
 *
 * Isosurfaces by first-order marching through trilinear cells, the crossing refined by regula falsi, normals
 * by central differences (M. Levoy, IEEE Comput. Graph. Appl. 8(3), 29, 1988); empty space is leapt over by bricks. */
#pragma once

#include "widgets/density-lanes.h"

G_BEGIN_DECLS

typedef struct _FlwDensityCaster FlwDensityCaster;

/* `threads` 0: as many as there are processors. */
FlwDensityCaster *flw_density_caster_new (guint threads);
void flw_density_caster_free (FlwDensityCaster *caster);
guint flw_density_caster_threads (const FlwDensityCaster *caster);

/* Fills width × height opaque cairo words (0xffRRGGBB), rows `stride` words apart, and, unless NULL, as many depths: Å
 * toward the viewer from the centre of what is seen first, −INFINITY where nothing is. `oversample` × as many rays along either side are averaged
 * into a pixel (1: one ray). FALSE as soon as *cancel is set (may be NULL): the picture is then incomplete.
 * One thread at a time may use a caster. */
gboolean flw_density_cast (FlwDensityCaster *caster, const FlwDensityScene *scene,
                           const FlwDensityCamera *camera, guint width, guint height, guint stride,
                           guint32 *pixels, float *depths, guint oversample, const gint *cancel);

G_END_DECLS
