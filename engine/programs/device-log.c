#include "engine/programs/device-log.h"

#include "engine/base/units.h"

#define EVERY (2 * FL_NS_PER_S)

struct FlDeviceLog
{
  FlkDevice *device;
  guint64 start, tick; /* of what is not yet told: ns UTC, and by the clock that never jumps */
  guint32 shots;
};

FlDeviceLog *
fl_device_log_new (FlkDevice *device)
{
  FlDeviceLog *log = g_new0 (FlDeviceLog, 1);
  log->device = device;
  log->start = fl_now_ns ();
  log->tick = fl_tick_ns ();
  return log;
}

void
fl_device_log_free (FlDeviceLog *log)
{
  g_free (log);
}

FlBatch *
fl_device_log_take (FlDeviceLog *log, guint shots, gboolean now)
{
  guint64 tick = fl_tick_ns ();
  FlkUse use;
  log->shots += shots;
  if ((!now && tick - log->tick < EVERY) || !flk_device_use (log->device, &use) || use.launches == 0)
    return NULL;
  FlBatch *batch = fl_batch_new (FL_KIND_DEVICE);
  FlDeviceRow row = { .start = log->start,
                      .duration = (tick - log->tick) / 1000,
                      .device = flk_device_description (log->device),
                      .kernel = "",
                      .launches = (guint32) MIN (use.launches, G_MAXUINT32),
                      .busy = use.ns / 1000,
                      .shots = log->shots,
                      .uploaded = use.uploaded,
                      .downloaded = use.downloaded,
                      .used = use.most,
                      .left = use.left,
                      .total = use.total };
  fl_batch_append (batch, &row);
  for (guint i = 0; i < use.n_kernels; i++)
    {
      const FlkKernelUse *kernel = &use.kernels[i];
      FlDeviceRow of_one = { .start = row.start,
                             .duration = row.duration,
                             .device = row.device,
                             .kernel = kernel->name,
                             .launches = (guint32) MIN (kernel->launches, G_MAXUINT32),
                             .busy = kernel->ns / 1000 };
      fl_batch_append (batch, &of_one);
    }
  log->start = fl_now_ns ();
  log->tick = tick;
  log->shots = 0;
  return batch;
}
