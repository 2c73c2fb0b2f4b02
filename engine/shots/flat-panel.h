/* flat-panel.h: the detector of most files of one image: one flat panel across the beam (private to the room). Thread: any. */
#pragma once

#include "engine/shots/detector.h"

typedef struct
{
  guint n_fs, n_ss;          /* px */
  double pixel_fs, pixel_ss; /* mm */
  double distance;           /* mm */
  double beam_fs, beam_ss;   /* mm from the corner to where the beam would hit it without two_theta */
  double two_theta;          /* degrees, about the horizontal axis that dxtbx calls +x */
} FlFlatPanel;

/* One panel, "Panel", of all pixels. Seen from the sample fs runs right and ss down (−x and −y of our frame). What is not
 * finite or not positive of distances leaves it not placed. */
FlDetector *fl_flat_detector (const FlFlatPanel *panel);

/* What the comment header of DECTRIS' detectors ("# Pixel_size 172e-6 m x 172e-6 m", …; miniCBF and Pilatus' TIFF) says of
 * n_fs × n_ss pixels, wavelength included; one detector that is not flat (Diamond's P12M) is known by its number. */
FlDetector *fl_dectris_detector (const char *header, guint n_fs, guint n_ss);
/* Å; 0: it does not tell. */
double fl_dectris_wavelength (const char *header);
