/* volume.h: a real volume on an M³ grid, M odd, its origin in the middle voxel: densities and autocorrelations. Thread: one. */
#pragma once

#include <glib.h>

typedef struct
{
  guint m;      /* points a side, odd */
  double voxel; /* Å */
  float *data;  /* [m][m][m], x fastest; position of voxel i along an axis: (i − (m − 1)/2) · voxel */
} FlVolume;

FlVolume *fl_volume_new (guint m, double voxel); /* zeroes */
FlVolume *fl_volume_copy (const FlVolume *volume);
void fl_volume_free (FlVolume *volume);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlVolume, fl_volume_free)

static inline gsize
fl_volume_points (const FlVolume *volume)
{
  return (gsize) volume->m * volume->m * volume->m;
}
