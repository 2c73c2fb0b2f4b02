/* source-private.h: what the kinds of sources have in common (private to the room). */
#pragma once

#include "engine/shots/calibration.h"
#include "engine/shots/source.h"

/* Where a shot's pixels lie in the file's array of one frame: pixel offset + Σ i[d]·stride[d] at index low[d] + i[d], i[d]
 * below count[d]. */
typedef struct
{
  guint n_dims;
  guint64 dims[16], low[16], count[16];
  gsize stride[16], offset;
} FlDataShape;

typedef struct
{
  gboolean (*read) (FlSource *source, guint32 frame, FlShot *shot, GError **error);
  char *(*event) (FlSource *source, guint32 frame);
  char *(*describe) (FlSource *source);
  void (*free) (FlSource *source);                          /* what the kind added; `source` itself too */
  gboolean (*shape) (FlSource *source, FlDataShape *shape); /* NULL, FALSE: the order of the shot's array */
  /* AGIPD's second values (n_pixels) and memory cell of a frame; NULL: this kind has none. */
  gboolean (*cell) (FlSource *source, guint32 frame, const FlCellNames *names, guint16 *gain, guint *cell,
                    GError **error);
} FlSourceOps;

struct FlSource
{
  const FlSourceOps *ops;
  char *path;
  const char *format;
  guint32 n_frames;
  FlDetector *detector;
  FlCalibration *calibration; /* NULL: pixels are left as they are */
};

FlSource *fl_source_cbf_open (const char *path, const FlSourceOptions *options, GError **error);
FlSource *fl_source_emc_open (const char *path, const FlSourceOptions *options, GError **error);
FlSource *fl_source_smv_open (const char *path, const FlSourceOptions *options, GError **error);
FlSource *fl_source_tiff_open (const char *path, const FlSourceOptions *options, GError **error);
FlSource *fl_source_stream2_open (const char *path, const FlSourceOptions *options, GError **error);
FlSource *fl_source_xtc2_open (const char *path, const FlSourceOptions *options, GError **error);
FlSource *fl_source_hdf5_open (const char *path, const FlSourceOptions *options, GError **error);

/* Makes room for n_pixels of `type`; a shot's buffers only grow. */
void fl_shot_reserve (FlShot *shot, FlPixelType type, gsize n_pixels);

/* CPU time of this thread, ns. */
guint64 fl_shots_cpu_ns (void);

/* Marks in `mask` (n_pixels) what the dataset of `option` ("FILE" or "FILE:/dataset") has non-zero; its values must be
 * as many as the pixels, in the shot's order. */
gboolean fl_mask_read_file (const char *option, guint8 *mask, gsize n_pixels, GError **error);
