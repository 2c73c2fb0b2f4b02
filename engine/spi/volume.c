#include "engine/spi/volume.h"

#include <string.h>

FlVolume *
fl_volume_new (guint m, double voxel)
{
  FlVolume *volume = g_new (FlVolume, 1);
  *volume = (FlVolume){ .m = m, .voxel = voxel };
  volume->data = g_new0 (float, fl_volume_points (volume));
  return volume;
}

FlVolume *
fl_volume_copy (const FlVolume *volume)
{
  FlVolume *copy = fl_volume_new (volume->m, volume->voxel);
  memcpy (copy->data, volume->data, fl_volume_points (volume) * sizeof *copy->data);
  return copy;
}

void
fl_volume_free (FlVolume *volume)
{
  if (volume == NULL)
    return;
  g_free (volume->data);
  g_free (volume);
}
