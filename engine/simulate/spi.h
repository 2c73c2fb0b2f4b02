/* spi.h: the simulator of single particles: shots of a detector, each by its number.
 *
 * J, the fluence, is that in the middle of a round gaussian focus: N / (2πσ²) = 0.883 N / w², w its full width at half
 * maximum (simulate_spi.beam_size). Other programs' N / (π w² / 4), a disc evenly lit, is 1.44 times that, and N / w², a
 * square, 1.13 times: figures for "a focus of radius 0.5 µm" (skopi's: a disc of w = 1 µm) are to be compared so.
 *
 * Expected photons of a pixel = J r_e² |F(s)|² · polarisation · solid angle · (the pulse's spectrum), plus
 * background; then Poisson. F is the sum of the molecules' amplitudes, each turned and moved; what a pixel averages
 * of their interference is left out. A shot is drawn from (seed, number) alone. Thread: one simulator a thread. */
#pragma once

#include "engine/simulate/spi-detector.h"
#include "engine/simulate/spi-particle.h"

#define FL_SPI_PARTICLES 4

typedef enum
{
  FL_SPI_BLANK,
  FL_SPI_SINGLE,
  FL_SPI_SEVERAL,
  FL_SPI_DROPLET
} FlSpiKind;

typedef struct
{
  guint model;        /* which of the models */
  FlQuat orientation; /* molecule's frame → laboratory */
  FlVec3 position;    /* Å, of its middle, from the focus */
  double focus;       /* share of the fluence there */
} FlSpiPlaced;

typedef struct
{
  guint number;
  FlSpiKind kind;
  guint n_particles; /* of blanks and droplets 0 */
  FlSpiPlaced particles[FL_SPI_PARTICLES];
  double fluence;         /* of the pulse, relative to the mean */
  double energy;          /* eV, mean of the pulse */
  double centre[2];       /* px, where the beam meets the detector, from where the geometry says */
  double background;      /* photons a pixel at the centre */
  double diameter;        /* Å, of the droplet; else 0 */
  double expected;        /* photons from the sample on good pixels */
  guint64 total;          /* photons drawn on good pixels */
  const guint32 *photons; /* [n_pixels]; the simulator's, valid until the next shot; bad pixels: 0 */
  const guint8 *pixels;   /* of the layout's type, as read out */
} FlSpiShot;

typedef struct FlSpiSimulator FlSpiSimulator;

/* Reads the models, sums structure factors: may take seconds. */
FlSpiSimulator *fl_spi_simulator_new (const FlParams *params, GError **error);
void fl_spi_simulator_free (FlSpiSimulator *simulator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSpiSimulator, fl_spi_simulator_free)

const FlDetectorLayout *fl_spi_simulator_layout (const FlSpiSimulator *simulator);
guint fl_spi_simulator_models (const FlSpiSimulator *simulator);
/* Å, of the mean energy. */
double fl_spi_simulator_wavelength (const FlSpiSimulator *simulator);
FlPolarisation fl_spi_simulator_polarisation (const FlSpiSimulator *simulator);
/* Photons per µm² of a pulse of fluence 1. */
double fl_spi_simulator_fluence (const FlSpiSimulator *simulator);
/* Å⁻¹, the corner of the detector. */
double fl_spi_simulator_corner (const FlSpiSimulator *simulator);
void fl_spi_simulator_draw (FlSpiSimulator *simulator, guint number, FlSpiShot *shot);
/* The same without Poisson: expected[n_pixels], background and all. */
void fl_spi_simulator_expect (FlSpiSimulator *simulator, guint number, FlSpiShot *shot, float *expected);
