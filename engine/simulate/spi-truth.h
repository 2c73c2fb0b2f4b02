/* spi-truth.h: what the simulator knows about its shots of single particles, as an HDF5 file.
 *
 * One row a shot: /orientations (N, 1, 4: w x y z, molecule → laboratory, so that the shot shows F(R⁻¹ s); the first
 * molecule's, NaN where there is none), /conformation (its model, −1: none), /kind (0 blank, 1 single, 2 several, 3
 * droplet), /n_particles, /fluences (of the pulse, mean 1), /beam_offsets (N, 2: px), /photon_energy (eV),
 * /background (photons a pixel), /droplet_diameter (Å), /expected (photons on good pixels from the sample), /photons
 * (drawn there, all). One row a molecule: /particles/{shot, conformation, orientation (w x y z), position (Å), focus
 * (share of the pulse's fluence)}. Numbers: /wavelength (Å), /photons_per_um2 (at fluence 1), /s_corner (Å⁻¹).
 * Thread: one (HDF5). */
#pragma once

#include "engine/simulate/spi.h"

typedef struct FlSpiTruth FlSpiTruth;

FlSpiTruth *fl_spi_truth_new (void);
void fl_spi_truth_free (FlSpiTruth *truth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSpiTruth, fl_spi_truth_free)

/* The next shot. */
void fl_spi_truth_add (FlSpiTruth *truth, const FlSpiShot *shot);
gboolean fl_spi_truth_write (const FlSpiTruth *truth, const FlSpiSimulator *simulator, const char *path,
                             GError **error);
