/* density-volume.h: numbers on a grid in space: an electron-density map, a reconstructed particle.
 *
 * The grid may be oblique (a crystal's cell) and periodic (the cell repeats: any place has a value). With the values go
 * what rays need to cross empty space quickly: the least and the greatest value of every brick of 4³ grid cells and the
 * cells around it. Lengths in Å. Immutable and reference-counted: any thread may read it. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  guint n[3];         /* grid points along a, b, c */
  double step[3][3];  /* step[axis]: Å from a point to the next one along that axis, as x y z */
  double origin[3];   /* Å: of the first point */
  gboolean periodic;  /* the point after the last along an axis is the first */
  double mean, sigma; /* sigma 0: both are found from the values */
  const char *unit;   /* of the values, e.g. "e/Å³"; NULL: none */
} FlwDensityGrid;

typedef struct _FlwDensityVolume FlwDensityVolume;

enum
{
  FLW_DENSITY_BRICK = 4,  /* grid cells along an edge */
  FLW_DENSITY_BINS = 256, /* of the histogram */
  FLW_DENSITY_MAX_POINTS = 1 << 29
};

/* `values`: n[2] × n[1] × n[0] floats, the first index (a) fastest; taken (g_free), also on error. Values that are not
 * finite count as the mean. G_IO_ERROR_INVALID_DATA: fewer than 2 points along an axis, more than FLW_DENSITY_MAX_POINTS, a
 * grid without a volume, no finite value. */
FlwDensityVolume *flw_density_volume_new (const FlwDensityGrid *grid, float *values, GError **error);
FlwDensityVolume *flw_density_volume_ref (FlwDensityVolume *volume);
void flw_density_volume_unref (FlwDensityVolume *volume);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlwDensityVolume, flw_density_volume_unref)

const FlwDensityGrid *flw_density_volume_grid (const FlwDensityVolume *volume); /* mean and sigma as used */
void flw_density_volume_range (const FlwDensityVolume *volume, double *lowest, double *highest);
/* FLW_DENSITY_BINS counts between the lowest and the highest value. */
const guint32 *flw_density_volume_histogram (const FlwDensityVolume *volume);
/* Inverse of `step`: grid = to_grid · (place − origin). */
void flw_density_volume_to_grid (const FlwDensityVolume *volume, double to_grid[3][3]);
/* Trilinear; NaN outside a grid that does not repeat. */
double flw_density_volume_at (const FlwDensityVolume *volume, const double place[3]);
/* A value that a fraction `upper` of the grid is above: a first level of a map without solvent noise. */
double flw_density_volume_quantile (const FlwDensityVolume *volume, double upper);
/* A first level of a reconstructed particle: of the two kinds of points that the histogram tells apart best, nothing and particle
 * (Otsu, IEEE Trans. SMC 9, 62, 1979), a third of the way from the one's mean to the other's, so that thin parts are inside. */
double flw_density_volume_threshold (const FlwDensityVolume *volume);
/* Middle of the grid, and the radius of the sphere around it. */
void flw_density_volume_bounds (const FlwDensityVolume *volume, double centre[3], double *radius);

/* The middle of the grid points above `level`, and their root mean square distance from it, Å; 0: there are none. */
double flw_density_volume_spread (const FlwDensityVolume *volume, double level, double centre[3]);

/* For renderers: what is stored. A periodic grid is stored with its first planes again behind the last, so that a
 * cell's corners are always neighbours: cells = points − 1 along each axis. */
typedef struct
{
  const float *values;
  int points[3], cells[3], bricks[3];
  const float *lowest, *highest; /* of each brick and one cell around it; a brick's index as a point's */
} FlwDensityStore;
const FlwDensityStore *flw_density_volume_store (const FlwDensityVolume *volume);

G_END_DECLS
