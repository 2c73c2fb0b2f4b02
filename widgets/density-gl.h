/* density-gl.h: pictures of a scene by the GPU: the rays of density-cast.h in a fragment shader. Not for pages.
 *
 * GL 3.3 or GLES 3.0 by libepoxy, shaders in resources/shaders. The volumes' values are textures, kept while a scene shows
 * them. Every call needs the context to be current in which it was made. Thread: that context's. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/density-lanes.h"

G_BEGIN_DECLS

typedef struct _FlwDensityGl FlwDensityGl;

/* Errors: G_IO_ERROR_NOT_SUPPORTED, with what the driver said. */
FlwDensityGl *flw_density_gl_new (GError **error);
void flw_density_gl_free (FlwDensityGl *gl);
/* Draws over the whole of the bound framebuffer of that size, `oversample` × as many rays along either side. FALSE: a volume
 * does not fit into a texture here. */
gboolean flw_density_gl_draw (FlwDensityGl *gl, const FlwDensityScene *scene, const FlwDensityCamera *camera,
                              guint width, guint height, guint oversample);
/* Whether what draws is a program (llvmpipe, softpipe, swrast), which the CPU's own path beats. */
gboolean flw_density_gl_is_software (const char *renderer);

G_END_DECLS
