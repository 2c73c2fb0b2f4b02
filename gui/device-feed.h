/* device-feed.h: what the devices of some jobs did (FL_KIND_DEVICE), read from the store into a track. Thread: main. */
#pragma once

#include "gui/experiment.h"
#include "widgets/device-track.h"

typedef struct FlgDeviceFeed FlgDeviceFeed;

FlgDeviceFeed *flg_device_feed_new (FlgExperiment *experiment, FlwDeviceTrack *track);
void flg_device_feed_free (FlgDeviceFeed *self);
/* Other jobs (GArray of gint64): asks at once, and draws them from nothing. */
void flg_device_feed_watch (FlgDeviceFeed *self, GArray *jobs);
/* Asks for what is new. */
void flg_device_feed_refresh (FlgDeviceFeed *self);
gboolean flg_device_feed_is_idle (FlgDeviceFeed *self);
