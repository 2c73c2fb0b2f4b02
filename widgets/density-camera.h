/* density-camera.h: from where a density is looked at. Parallel rays, so that lengths on the screen are lengths.
 *
 * The camera stands around a centre. Its own axes: x to the right, y up, z toward the viewer; Å, the origin at the
 * centre. Plain data. */
#pragma once

#include <glib.h>

typedef struct
{
  double centre[3];  /* Å */
  double axes[3][3]; /* rows: right, up, toward the viewer; orthonormal, right-handed */
  double span;       /* Å along the shorter side of the picture */
  double front;      /* Å: what is nearer to the viewer than this, from the centre, is cut away … */
  double back;       /* … and what is further away than this */
  double radius;     /* Å: density is shown in a ball of this size around the centre */
} FlwDensityCamera;

/* Looks along −z at a ball of that radius. */
void flw_density_camera_init (FlwDensityCamera *camera, const double centre[3], double radius);
/* Turns what is seen about the screen's axes, rad: `right` moves its front to the right, `up` upward, `roll` anticlockwise. */
void flw_density_camera_turn (FlwDensityCamera *camera, double right, double up, double roll);
/* Moves what is seen, Å on the screen. */
void flw_density_camera_pan (FlwDensityCamera *camera, double right, double up);
/* Å a pixel, in a picture of that size. */
double flw_density_camera_scale (const FlwDensityCamera *camera, double width, double height);
/* Pixels from the picture's top left corner, and in `depth` Å toward the viewer. */
void flw_density_camera_project (const FlwDensityCamera *camera, double width, double height,
                                 const double place[3], double *x, double *y, double *depth);
