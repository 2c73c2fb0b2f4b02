/* device-track.h: what computed for the ranks of a weather plot, and how busily: a strip under it, on its time axis.
 *
 * The area is the share of time for which devices were busy, the mean over the ranks that tell of it; the line is the memory
 * that all of them together had, of the devices'. Pointing at it reads both, and what was moved. Times are binned by the second,
 * more coarsely beyond 18 hours. Property "summary" (string, read-only). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/weather-plot.h"

G_BEGIN_DECLS

/* A rank's device over some time. */
typedef struct
{
  gint64 start;    /* ns UTC */
  double duration; /* s */
  guint32 rank;
  const char *device; /* its name */
  const char *
      kernel; /* "": all together; else `busy` and `launches` of this one, which count for the whole time only */
  double busy;                                 /* s */
  guint64 launches, shots, moved, used, total; /* moved, used, total: bytes */
} FlwDeviceUse;

#define FLW_TYPE_DEVICE_TRACK (flw_device_track_get_type ())
G_DECLARE_FINAL_TYPE (FlwDeviceTrack, flw_device_track, FLW, DEVICE_TRACK, GtkWidget)

/* Hidden until there is anything. */
GtkWidget *flw_device_track_new (FlwWeatherPlot *above);
/* Copies. */
void flw_device_track_append (FlwDeviceTrack *track, guint n, const FlwDeviceUse *uses);
void flw_device_track_clear (FlwDeviceTrack *track);

G_END_DECLS
