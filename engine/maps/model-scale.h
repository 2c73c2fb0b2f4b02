/* model-scale.h: what makes a model's structure factors comparable with measured amplitudes.
 *
 * |F_model| = exp(ln_k − qᵀ B q / 4) · |F_calc + k_sol exp(−B_sol s²) F_mask|, q = h a* + k b* + l c*, s² = q²/4; B is a tensor in the
 * crystal frame (cell.h) that obeys the point group (flat solvent and overall anisotropic scale: Afonine, Grosse-Kunstleve and
 * Adams, Acta Cryst. D61, 850, 2005). Fitted to the amplitudes by least squares (Levenberg and Marquardt), the free set left out.
 * Thread: any. */
#pragma once

#include "engine/maps/reflections.h"

typedef struct
{
  double ln_k;
  double b[6];           /* Å²: xx, yy, zz, xy, xz, yz */
  double k_sol, b_sol;   /* e/Å³, Å²; 0 without solvent */
  double r_work, r_free; /* Σ|F − |F_model|| / ΣF; r_free NaN without a free set */
  guint n_work, n_free;
} FlModelScale;

typedef struct
{
  gboolean anisotropic, solvent;
} FlModelScaleOptions;

/* `calc`, `mask` [n]: e, and as fl_structure_factors_solvent() gives it (NULL: none). */
FlModelScale fl_model_scale_fit (const FlReflections *reflections, const double complex *calc,
                                 const double complex *mask, FlModelScaleOptions options);
/* exp(ln_k − …): what multiplies the model's electrons. */
double fl_model_scale_factor (const FlModelScale *scale, const FlMat3 *star, FlMiller hkl);
/* F_calc + k_sol exp(−B_sol s²) F_mask in electrons, [n]. Free with g_free. */
double complex *fl_model_scale_total (const FlModelScale *scale, const FlReflections *reflections,
                                      const double complex *calc, const double complex *mask);
/* Divides all amplitudes by the factor: they are in electrons then. */
void fl_model_scale_apply (const FlModelScale *scale, FlReflections *reflections);
/* Tensors that the point group leaves as they are, an orthonormal basis of 1 to 6 (isotropic: the first alone). */
guint fl_model_scale_tensors (const FlCell *cell, const FlSymmetry *symmetry, double tensors[6][6]);
