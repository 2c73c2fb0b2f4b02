/* sfx.h: the simulator of serial crystallography: shots of a detector, each by its number.
 *
 * A shot is drawn from (seed, run, number) alone: what it shows does not depend on the shots before it.
 * Thread: one simulator a thread. */
#pragma once

#include "engine/base/hash.h"
#include "engine/simulate/bragg-spots.h"
#include "engine/simulate/detector-layout.h"

#define FL_SFX_CRYSTALS 2

typedef struct
{
  guint run, number;
  guint n_crystals; /* 0: a blank */
  FlCrystal crystals[FL_SFX_CRYSTALS];
  double photons[FL_SFX_CRYSTALS]; /* Bragg photons of each on the detector, as drawn */
  double energy;                   /* eV, mean of the pulse */
  double background;               /* scale of this shot's background */
  guint8 *pixels; /* width × height of the layout's type; the simulator's, valid until the next shot */
} FlSfxShot;

/* Uniform over all rotations (Shoemake 1992). */
FlQuat fl_random_orientation (FlRandom *random);

typedef struct FlSfxSimulator FlSfxSimulator;

/* Reads the model, sums structure factors: may take seconds. */
FlSfxSimulator *fl_sfx_simulator_new (const FlParams *params, GError **error);
void fl_sfx_simulator_free (FlSfxSimulator *simulator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSfxSimulator, fl_sfx_simulator_free)

const FlDetectorLayout *fl_sfx_simulator_layout (const FlSfxSimulator *simulator);
const FlIntensities *fl_sfx_simulator_intensities (const FlSfxSimulator *simulator);
void fl_sfx_simulator_draw (FlSfxSimulator *simulator, guint run, guint number, FlSfxShot *shot);
