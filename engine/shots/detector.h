/* detector.h: where the pixels are.
 *
 * A detector is a list of flat panels. A shot's pixels are one array in the file's native type; a panel is a rectangle
 * in it: pixel (fs, ss) of a panel lies at index `offset + ss * stride + fs`. Laboratory frame: z along the beam, y up,
 * sample at the origin (CrystFEL's frame); other programs' frames are turned into it on reading. Lengths in mm.
 * Pixel coordinates count from the panel's corner: pixel 0 spans 0–1, its centre is 0.5.
 * Ownership: a detector is immutable once read and shared by reference count. Thread: any. */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"

typedef struct
{
  char *name;
  guint n_fs, n_ss;     /* px */
  gsize offset, stride; /* in the shot's pixel array */
  FlVec3
      origin; /* mm, outer corner of pixel (0, 0); z includes the camera length of the file's header, or the
                             geometry's; FlShot.shift is added to it */
  FlVec3 fs, ss;     /* mm a pixel step (so |fs| is the pixel size, tilts included) */
  double pixel_size; /* mm */
  double gain;       /* counts per photon (adu_per_photon, or adu_per_eV × energy when > 0 is given below) */
  double counts_per_ev; /* > 0: gain is this times the photon energy */
  double saturation;    /* counts; pixels at or above it are saturated; INFINITY = not known */
  double trusted_min; /* counts; pixels at or below it are bad (imgCIF's undefined value); -INFINITY = none */
  double trusted_max; /* counts; pixels at or above it are bad; INFINITY = none */
  guint n_bad_values; /* values that are bad by themselves (flag_equal); usually 0 */
  double *bad_values;
  char *dataset; /* HDF5 only; NULL else */
} FlPanel;

typedef struct
{
  guint n_panels;
  FlPanel *panels;
  gsize n_pixels; /* length of a shot's pixel array */
  guint8 *mask;   /* n_pixels: 0 good, 1 bad; what the geometry, mask files, bad regions and gaps between the
                             panels say; never NULL. A shot may bring its own (FlShot.mask) */
  float *
      saturation; /* n_pixels, counts, where a saturation map was given (then instead of the panels'); else NULL */
  double wavelength; /* Å, from the header or geometry; 0 when every shot has its own or nobody says */
  gboolean
      placed; /* FALSE: the file does not tell where its pixels are; its one panel then lies at the origin
                             with 1 mm a pixel, and resolutions mean nothing */
  int ref_count;
} FlDetector;

FlDetector *fl_detector_new (guint n_panels, gsize n_pixels); /* panels named "", gain 1; mask all good */
FlDetector *fl_detector_ref (FlDetector *detector);
void fl_detector_unref (FlDetector *detector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDetector, fl_detector_unref)

/* Laboratory position, mm, of a panel coordinate (px from the corner). */
static inline FlVec3
fl_panel_position (const FlPanel *panel, double fs, double ss)
{
  return fl_vec3_add (panel->origin,
                      fl_vec3_add (fl_vec3_scale (panel->fs, fs), fl_vec3_scale (panel->ss, ss)));
}

/* Scattering angle 2θ (rad) and resolution d = λ / (2 sin θ) (Å; INFINITY in the beam) of a laboratory position. */
double fl_two_theta (FlVec3 position);
double fl_resolution (FlVec3 position, double wavelength);

/* The panel and coordinate (px from the corner) that the ray from the sample along `direction` meets, the nearest to the
 * sample where panels overlap; FALSE when it meets none. */
gboolean fl_detector_intersect (const FlDetector *detector, FlVec3 direction, guint *panel, double *fs,
                                double *ss);
