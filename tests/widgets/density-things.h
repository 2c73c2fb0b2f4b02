/* density-things.h: volumes and a model with known shapes, for tests and the gallery of the density view. */
#pragma once

#include "widgets/density-model.h"
#include "widgets/density-volume.h"

/* Grid points n³ of a ball: value = radius − distance from the grid's middle, Å, `step` Å apart along axes of which the
 * second leans over the first by `lean` and the third over both. Does not repeat. */
FlwDensityVolume *things_ball (guint n, double step, double lean, double radius);
/* Gaussians of that many atoms, each of 1 Å spread, strewn over an oblique cell of n × n+2 × n+5 points that repeats, 0.5 Å
 * apart; deterministic. */
FlwDensityVolume *things_crystal (guint n, guint n_atoms, double lean);
/* A particle that fills most of a grid of n³ points 1 Å apart, which does not repeat: n² / 16 Gaussians of 2 Å spread in two balls. */
FlwDensityVolume *things_particle (guint n);
/* A helix of residues (N, CA, C, O, CB) through `centre`, and its density, e/Å³-like, on a grid of n³ points that repeats;
 * with `without` ≥ 0 that residue's side chain is missing from the density. */
FlwDensityModel *things_helix (guint n_residues, const double centre[3]);
FlwDensityVolume *things_density_of (const FlwDensityModel *model, guint n, double step, double spread,
                                     int without);
/* What is missing at that residue's CB, and as much too much at the O of the residue five before. */
FlwDensityVolume *things_difference (const FlwDensityModel *model, guint n, double step, double spread,
                                     int residue);
