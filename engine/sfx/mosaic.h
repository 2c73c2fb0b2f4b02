/* mosaic.h: how thick the reciprocal points of a crystal are: domain size and mosaicity from the excitation errors of its
 * spots, by maximum likelihood (Sauter et al. 2014, Acta Cryst. D70, 3299), in the closed form
 *   P = (1 + cosh ν) / (2ψ [cosh ν + cosh (ν Δψ/ψ)])
 * (a top hat with soft edges) with ψ the half-width in angle, d/D + η/2 (rad), and Δψ ≈ excitation error × d.
 * Bandwidth and divergence of the beam are given and taken out. Thread: any. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/refinement.h"

typedef struct
{
  double domain_size; /* Å */
  double mosaicity;   /* rad, full width */
  double bandwidth;   /* relative, standard deviation of the pulse's energy */
  double divergence;  /* rad, full width */
  double wavelength;  /* Å; 0: bandwidth and the beam's obliquity count for nothing */
  double widths;      /* reflections are predicted so many half-widths off the sphere; 0: 1 */
} FlMosaic;

/* Half-width (1/Å) in excitation error of a reciprocal point at |q| (1/Å): 1/D + η|q|/2, and in quadrature, by their
 * variances, the beam's bandwidth (λq²/2 times it) and divergence (q cos θ times it). */
double fl_mosaic_half_width (const FlMosaic *mosaic, double q);
/* No half-width up to q is above this. */
double fl_mosaic_most (const FlMosaic *mosaic, double q);
/* 0–1: the part of a reflection at excitation error `excitation` that is recorded, against one on the sphere: a Gaussian
 * of the top hat's variance, so 0.22 at the half-width. (Intensities fall off softly where spots' places are still well
 * told by P: so do Gaussian crystals, and small ones with side maxima.) */
double fl_mosaic_partiality (const FlMosaic *mosaic, double q, double excitation);

/* From the pairs of one refined lattice, each weighing by its intensity. `prior` (may be NULL): what a learning pass found; it steadies lattices with few
 * spots. Always gives something usable. */
void fl_mosaic_fit (const FlParams *params, const FlShotGeometry *geometry, const FlSpotRow *spots,
                    const FlPair *pairs, guint n_spots, const FlMosaic *prior, FlMosaic *mosaic);
/* What the lattices of a learning pass have in common: medians of domain size and mosaicity; n at least 1. */
FlMosaic fl_mosaic_middle (const FlMosaic *mosaics, guint n);
