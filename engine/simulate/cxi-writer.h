/* cxi-writer.h: one CXI file of shots, laid out as LCLS' processing writes it:
 *
 *   /cxi_version 160
 *   /entry_1/data_1/data            [shots][height][width] i16 or u16, a chunk an image
 *   /entry_1/data_1/mask            [height][width] u8, 1 = bad
 *   /entry_1/instrument_1/detector_1/{data (link), distance m, x_pixel_size m, y_pixel_size m, description}
 *   /LCLS/{photon_energy_eV, machineTime s, machineTimeNanoSeconds, eventNumber, fiducial}  [shots]
 *   /LCLS/detector_1/EncoderValue   [shots] camera length, mm
 *
 * Written under PATH.inprogress and renamed when closed, so that a file of the final name is whole.
 * Thread: one (HDF5). */
#pragma once

#include "engine/shots/chunk-encode.h"
#include "engine/simulate/detector-layout.h"

typedef struct FlCxiWriter FlCxiWriter;

FlCxiWriter *fl_cxi_writer_new (const char *path, const FlDetectorLayout *layout, FlCompression compression,
                                GError **error);
/* `pixels`: width × height of the layout's type; `energy`: eV; `time`: ns UTC. */
gboolean fl_cxi_writer_append (FlCxiWriter *writer, const guint8 *pixels, guint number, double energy,
                               guint64 time, GError **error);
/* Frames `first` … are to be lost when a compressed file is closed, as when a disk loses blocks: the second half of their
 * stored bytes becomes zeros. They cannot be read any more, the others can. */
void fl_cxi_writer_lose (FlCxiWriter *writer, guint first, guint n_frames);
/* Closes and renames. The writer is gone afterwards, whatever the answer. */
gboolean fl_cxi_writer_finish (FlCxiWriter *writer, GError **error);
/* Gives up: removes the unfinished file. */
void fl_cxi_writer_abandon (FlCxiWriter *writer);
