/* spi-private.h: what the files of the simulator of single particles share. Private to the room. */
#pragma once

#include "engine/base/hash.h"
#include "engine/simulate/spi.h"

typedef enum
{
  FL_FLUENCE_CONSTANT,
  FL_FLUENCE_GAMMA,
  FL_FLUENCE_LOGNORMAL
} FlFluence;

typedef enum
{
  FL_READOUT_PHOTONS,
  FL_READOUT_COUNTS,
  FL_READOUT_AUTO_RANGING
} FlReadout;

struct FlSpiSimulator
{
  FlDetectorLayout *layout;
  guint n_models;
  FlSpiParticle **models;
  double *weights; /* [n_models], sum 1 */
  guint64 seed;
  double energy, energy_jitter, norm; /* eV; photons a pixel = norm · |F|² · fl_spi_pixel_factor() */
  FlSpectrum spectrum;
  FlPolarisation polarisation;
  FlFluence fluence;
  FlReadout readout;
  double fluence_spread, centre_jitter, background, background_slope, background_jitter;
  double slope[2]; /* unit vector */
  double blanks, several, droplets, droplet_size, water;
  double beam_sigma, position_jitter; /* Å */
  gsize n_good;                       /* pixels */
  guint32 *good;                      /* [n_good] index of each */
  guint8 *panel;                      /* [n_good] */
  FlVec3 *place;                      /* [n_good] mm */
  FlVec3 *s;                          /* [n_good] of the shot being drawn */
  double *factor;
  float *mean;
  float complex *f[FL_SPI_PARTICLES];
  guint32 *photons; /* [n_pixels] */
  guint8 *pixels;
};

/* A pulse's spectrum: samples as those of the simulator, their weights its own; sum 1. */
typedef struct
{
  double weight[FL_SPECTRUM_MAX];
} FlSpiPulse;

/* Everything of the shot but its photons. */
void fl_spi_describe (const FlSpiSimulator *simulator, FlRandom *random, FlSpiShot *shot, FlSpiPulse *pulse);
/* simulator->mean of good pixels, and shot->expected. */
void fl_spi_expect (FlSpiSimulator *simulator, const FlSpiPulse *pulse, FlSpiShot *shot);
/* simulator->photons to simulator->pixels. */
void fl_spi_read_out (FlSpiSimulator *simulator, const FlSpiShot *shot, FlRandom *random);
