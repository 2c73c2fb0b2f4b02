#include "widgets/density-camera.h"

#include <math.h>
#include <string.h>

void
flw_density_camera_init (FlwDensityCamera *camera, const double centre[3], double radius)
{
  static const double straight[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };

  memcpy (camera->centre, centre, sizeof camera->centre);
  memcpy (camera->axes, straight, sizeof straight);
  camera->span = 2.1 * radius;
  camera->front = camera->back = camera->radius = radius;
}

/* Both axes turn in their plane. */
static void
turn_pair (double p[3], double q[3], double angle)
{
  double c = cos (angle), s = sin (angle);

  for (int x = 0; x < 3; x++)
    {
      double old = p[x];
      p[x] = c * old - s * q[x];
      q[x] = s * old + c * q[x];
    }
}

static double
dot (const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

void
flw_density_camera_turn (FlwDensityCamera *camera, double right, double up, double roll)
{
  double (*axes)[3] = camera->axes;
  double length;

  turn_pair (axes[0], axes[2], -right);
  turn_pair (axes[1], axes[2], -up);
  turn_pair (axes[1], axes[0], -roll);
  /* Thousands of turns must not shear. */
  length = sqrt (dot (axes[0], axes[0]));
  for (int x = 0; x < 3; x++)
    axes[0][x] /= length;
  length = dot (axes[0], axes[1]);
  for (int x = 0; x < 3; x++)
    axes[1][x] -= length * axes[0][x];
  length = sqrt (dot (axes[1], axes[1]));
  for (int x = 0; x < 3; x++)
    axes[1][x] /= length;
  for (int x = 0; x < 3; x++)
    axes[2][x] = axes[0][(x + 1) % 3] * axes[1][(x + 2) % 3] - axes[0][(x + 2) % 3] * axes[1][(x + 1) % 3];
}

void
flw_density_camera_pan (FlwDensityCamera *camera, double right, double up)
{
  for (int x = 0; x < 3; x++)
    camera->centre[x] -= right * camera->axes[0][x] + up * camera->axes[1][x];
}

double
flw_density_camera_scale (const FlwDensityCamera *camera, double width, double height)
{
  return camera->span / fmax (fmin (width, height), 1);
}

void
flw_density_camera_project (const FlwDensityCamera *camera, double width, double height,
                            const double place[3], double *x, double *y, double *depth)
{
  double scale = flw_density_camera_scale (camera, width, height), from[3];

  for (int i = 0; i < 3; i++)
    from[i] = place[i] - camera->centre[i];
  *x = width / 2 + dot (from, camera->axes[0]) / scale;
  *y = height / 2 - dot (from, camera->axes[1]) / scale;
  *depth = dot (from, camera->axes[2]);
}
