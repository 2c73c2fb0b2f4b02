/* detector-layout.h: the detectors that the simulator knows, with their flaws.
 *
 * JUNGFRAU: modules of 512 × 1024 pixels of 75 µm stacked along ss in one slab, integrating (signed counts, readout
 * noise), one or two columns around the beam with gaps between and slightly turned, as in life. EIGER: one panel,
 * counting, with dead gaps between its modules that read 65535. Or any that a geometry describes, integrating, its
 * panels one below the other in the data. Laboratory frame as in shots/detector.h, lengths in mm.
 * Thread: any, once made. */
#pragma once

#include "engine/base/params.h"
#include "engine/shots/source.h"

typedef enum
{
  FL_PIXEL_GOOD = 0,
  FL_PIXEL_DEAD,  /* always 0 */
  FL_PIXEL_HOT,   /* far too much, never the same */
  FL_PIXEL_GAP,   /* no sensor: 65535 */
  FL_PIXEL_SHADOW /* behind the beam stop: no scattering, but readout noise */
} FlPixelState;

typedef struct
{
  char *name;           /* "jungfrau-1m", or the geometry file's */
  char *groups;         /* lines of a geometry that name groups of panels; NULL: none */
  FlDetector *detector; /* one slab of `height` rows of `width`; all but good pixels in its mask */
  guint8 *state;        /* FlPixelState, width × height */
  guint width, height;
  FlPixelType type;     /* FL_PIXEL_I16 or FL_PIXEL_U16 */
  double camera_length; /* mm */
  double gain;          /* counts a photon */
  double readout_noise; /* counts */
  double saturation;    /* counts */
} FlDetectorLayout;

/* From simulate.detector or simulate.geometry, camera_length, gain, readout_noise, saturation, bad_fraction, beam_stop and seed. */
FlDetectorLayout *fl_detector_layout_new (const FlParams *params, GError **error);
/* Panels, state, size, name and groups from a geometry (private to the room). camera_length 0: the geometry's. */
gboolean fl_detector_layout_read (FlDetectorLayout *layout, const char *path, double camera_length,
                                  GError **error);
void fl_detector_layout_free (FlDetectorLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDetectorLayout, fl_detector_layout_free)

/* Writes the CrystFEL geometry for files of cxi-writer.h: photon energy by HDF5 path, the mask inside each file. */
gboolean fl_detector_layout_write_geometry (const FlDetectorLayout *layout, const char *path, GError **error);
