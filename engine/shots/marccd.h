/* marccd.h: the frame header that MarCCD and Rayonix detectors put 1024 bytes into their TIFF files (.mccd, .rxN, .tif), and the
 * detector that it describes (private to the room). All are 32-bit integers in the file's byte order: lengths in µm, the pixel
 * in nm, the beam's centre in 1/1000 px, angles in 1/1000°, the wavelength in 1e-5 Å. Thread: any. */
#pragma once

#include "engine/shots/detector.h"

typedef struct
{
  guint n_fs, n_ss, depth; /* of the TIFF's own header: px and bytes a pixel */
  gboolean big;            /* byte order */
} FlMarccdFrame;

/* NULL: there is no such header. *bias: counts that every pixel has too many; trusted range and saturation are of values
 * without it. Beamlines leave out what they do not know: then the detector is not placed. */
FlDetector *fl_marccd_detector (const guint8 *bytes, gsize length, const FlMarccdFrame *frame, double *bias);
