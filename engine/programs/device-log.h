/* device-log.h: what a rank's device did, as batches of the journal (FL_KIND_DEVICE): one every second or two of work, of a row
 * for all kernels together and one for each. Thread: the device's. */
#pragma once

#include "engine/base/batch.h"
#include "kernels/device.h"

typedef struct FlDeviceLog FlDeviceLog;

/* The device must outlive it. */
FlDeviceLog *fl_device_log_new (FlkDevice *device);
void fl_device_log_free (FlDeviceLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDeviceLog, fl_device_log_free)

/* `shots` more have been worked on. The batch since the last one when it is time for it, or `now`; the caller's. NULL: not yet,
 * or nothing was done. */
FlBatch *fl_device_log_take (FlDeviceLog *log, guint shots, gboolean now);
