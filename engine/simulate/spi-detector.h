/* spi-detector.h: the detectors of single particles: one square panel about the beam, or a geometry's.
 * Thread: one (HDF5). */
#pragma once

#include "engine/simulate/bragg-spots.h"
#include "engine/simulate/detector-layout.h"

/* From the simulate_spi parameters. Pixels: photons (U16) or counts (I16). */
FlDetectorLayout *fl_spi_layout_new (const FlParams *params, GError **error);

/* Polarisation times solid angle (sr) of a pixel whose middle is at `place` (mm); `area`: fs × ss, mm². */
double fl_spi_pixel_factor (FlVec3 place, FlVec3 area, FlPolarisation polarisation);

/* Dragonfly's detector file (HDF5) for frames of layout->detector->n_pixels: qx, qy, qz (voxels: s = q / (ewald_rad
 * · λ)), corr (polarisation × solid angle), mask (0 good, 2 bad), detd (pixels), ewald_rad (voxels: detd, so that a
 * voxel is a pixel near the beam); and `wavelength`, Å. */
gboolean fl_spi_detector_write (const FlDetectorLayout *layout, double wavelength,
                                FlPolarisation polarisation, const char *path, GError **error);
