/* nxmx-writer.h: shots as NXmx (NeXus' application definition for macromolecular crystallography), one file:
 *
 *   /entry                        definition NXmx, start_time, end_time
 *   /entry/data/data              [shots][height][width], a chunk a frame (chunk-encode.h)
 *   /entry/instrument/beam        incident_wavelength (Å), one, or one a shot where they differ
 *   /entry/instrument/detector    pixel_mask, saturation_value, underload_value, distance, sensor, a module a panel;
 *                                 transformations: module_offset → detector_z (→ detector_x → detector_y where shots
 *                                 were shifted), one value, or one a shot; start_time (s after /entry/start_time)
 *   …/detectorSpecific            counts_per_photon, a value a module (ours; NXmx has no place for it)
 *
 * NeXus' laboratory frame is ours (detector.h). Panels that are as wide as the shot's rows stay where they are in the
 * data, others are stacked: DIALS 3.12 cuts no others out of a mask. Pixels that are bad in one shot alone, or by a rule of their panel, get a value outside of the trusted range
 * (the type's largest, for signed types its smallest, for reals NaN), which is how NXmx can say it. Written under
 * PATH.inprogress and renamed when closed. Errors: FL_ERROR_FAILED, one line. Thread: one (HDF5). */
#pragma once

#include "engine/shots/chunk-encode.h"
#include "engine/shots/source.h"

typedef struct
{
  FlCompression compression;
  const char *detector;    /* its description; NULL: none */
  const char *sample;      /* NULL: "unknown" */
  const char *material;    /* of the sensor; NULL: "Si" */
  double sensor_thickness; /* mm; 0: not known: a nanometre is written, and readers correct no parallax */
} FlNxmxOptions;

typedef struct FlNxmxWriter FlNxmxWriter;

/* `detector` is kept by reference; its pixels are those of every shot. `type`: of the shots. */
FlNxmxWriter *fl_nxmx_writer_new (const char *path, FlDetector *detector, FlPixelType type,
                                  const FlNxmxOptions *options, GError **error);
gboolean fl_nxmx_writer_append (FlNxmxWriter *writer, const FlShot *shot, GError **error);
/* Closes and renames. The writer is gone afterwards, whatever the answer. A file without shots is a geometry. */
gboolean fl_nxmx_writer_finish (FlNxmxWriter *writer, GError **error);
/* Gives up: removes the unfinished file. */
void fl_nxmx_writer_abandon (FlNxmxWriter *writer);
