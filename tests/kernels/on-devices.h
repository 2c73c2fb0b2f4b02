/* on-devices.h: what the kernels' tests share: running on every module that opens, and a made-up shot. */
#pragma once

#include <glib.h>

#include "kernels/device.h"
#include "kernels/pixels.h"

/* Adds test PATH/DEVICE for each of cpu-baseline, cpu-v3, cpu-v4, teams, cuda and hip (or those that FIRSTLIGHT_TEST_DEVICES
 * names); it is skipped with the reason where the device does not open. */
void on_devices (const char *path, void (*test) (FlkDevice *device));

/* The kernels that this program tests, names separated by spaces: after all others, tests that each of them was launched by
 * on_devices() on every device that opened. kernel-list.py sees to it that some program names each kernel there is. */
void on_devices_launched (const char *kernels);

/* A shot of a few panels of odd sizes in one array with gaps, of any pixel type: background, spots, bad pixels, numbers
 * that are not, limits that bite. */
typedef struct
{
  FlkPanel panels[5];
  guint32 n_panels;
  gsize n_pixels, pixel_size;
  FlkPixelType type;
  guint8 *data, *mask; /* data: n_pixels of `type` */
  float *pedestal, *factor, *gain;
  float pedestal_all, factor_all;
  gboolean calibrated; /* pedestal and factor are used */
} Shot;

Shot *shot_new (FlkPixelType type, gboolean calibrated, guint32 seed);
void shot_free (Shot *shot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Shot, shot_free)

/* The naive reading of one pixel: good or not, and its value. */
gboolean shot_pixel (const Shot *shot, guint32 panel, gsize index, float *value);

/* The shot on a device. */
typedef struct
{
  FlkDevice *device;
  FlkBuffer buffers[6];
  FlkPixels pixels;
  const FlkPanel *panels;
  const float *gain;
  guint32 tile_ss, teams;
} Staged;

void staged_init (Staged *staged, FlkDevice *device, Shot *shot, guint32 tile_ss);
void staged_clear (Staged *staged);

/* Launches and fails the test on an error. */
void launch (FlkDevice *device, const char *kernel, guint32 teams, gconstpointer args, gsize args_size);
/* Copies `size` bytes from the device. */
gpointer fetched (FlkDevice *device, gconstpointer memory, gsize size);

/* Fails unless both pieces of memory have the same size and contents. */
void assert_same (gconstpointer a, gsize size_a, gconstpointer b, gsize size_b);
