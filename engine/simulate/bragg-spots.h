/* bragg-spots.h: expected photons of one crystal's Bragg spots, drawn spot by spot.
 *
 * Kinematic scattering: photons in a pixel = J r² |F|² |S(q)|² P ΔΩ with J the photons per area, r the electron's
 * classical radius, P polarisation, ΔΩ the pixel's solid angle (obliquity included), S the lattice sum about the
 * nearest reciprocal point. Reflections are found by walking the lattice along the Ewald sphere.
 *
 * Gaussian shape: |S|² = N/V · G(q − q_hkl), N cells of volume V, with covariance
 *   (0.399/D)² I  +  (|q| η)² (I − q̂q̂ᵀ)  +  (|q| σ)² q̂q̂ᵀ
 * for blocks of edge D (a Gaussian with the peak and integral of the block's own transform), mosaic spread η and
 * relative bandwidth σ; the Ewald sphere is a plane over one spot, so the spot is a closed 2-D Gaussian, integrated
 * over each pixel.
 * Lattice shape: |S|² = Π sin²(πNᵢhᵢ)/sin²(πhᵢ) of one block of N₁ × N₂ × N₃ cells, sampled at 4 × 4 points a pixel and
 * the spectrum's samples. Thread: a model may be read by many. */
#pragma once

#include "engine/crystal/intensities.h"
#include "engine/shots/detector.h"

#define FL_SPECTRUM_MAX 32

typedef enum
{
  FL_POLARISATION_HORIZONTAL,
  FL_POLARISATION_VERTICAL,
  FL_POLARISATION_NONE
} FlPolarisation;

/* How much of an unpolarised-looking electron's scattering is left along the unit vector `direction`. */
double fl_polarisation_factor (FlVec3 direction, FlPolarisation polarisation);

typedef struct
{
  guint n;
  double energy[FL_SPECTRUM_MAX]; /* relative to the pulse's mean */
  double weight[FL_SPECTRUM_MAX]; /* sum 1 */
  double sigma;                   /* relative standard deviation */
} FlSpectrum;

/* `width` is the relative full width at half maximum (Gaussian) or the full width (top hat). */
FlSpectrum fl_spectrum_gaussian (double width, guint n_samples);
FlSpectrum fl_spectrum_tophat (double width, guint n_samples);

typedef struct
{
  const FlDetector *detector;
  const FlIntensities *intensities;
  FlSpectrum spectrum;
  FlPolarisation polarisation;
  double wavelength; /* Å, of the pulse's mean energy */
} FlBraggModel;

typedef enum
{
  FL_SHAPE_GAUSSIAN,
  FL_SHAPE_LATTICE
} FlCrystalShape;

typedef struct
{
  FlCrystalShape shape;
  FlQuat orientation; /* crystal frame → laboratory */
  FlMat3 a_star;      /* rows a*, b*, c*, 1/Å, laboratory frame */
  FlVec3 position;    /* mm, from the interaction point */
  double fluence;     /* photons per Å², what the crystal sees */
  double n_cells;     /* Gaussian: unit cells in the crystal */
  double domain;      /* Gaussian: Å */
  double mosaic;      /* Gaussian: rad */
  int cells[3];       /* lattice: cells along a, b, c */
} FlCrystal;

/* One spot on one panel. Valid during the call. */
typedef struct
{
  int h, k, l;
  guint panel;
  double fs, ss;  /* px, where the spot is centred (Gaussian), or the reflection's ray meets the panel */
  double photons; /* sum of `mean` */
  int fs0, ss0;   /* first pixel; inside the panel, as is the last */
  int width, height;
  const float *mean; /* [height][width] expected photons */
} FlPatch;

typedef void (*FlPatchFunc) (const FlPatch *patch, gpointer data);

void fl_bragg_spots (const FlBraggModel *model, const FlCrystal *crystal, FlPatchFunc func, gpointer data);
