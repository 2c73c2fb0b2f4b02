/* integration.h: intensities of predicted reflections.
 *
 * Summation over a peak region about the predicted place, background a plane fitted to the pixels round it with outliers
 * rejected; or fitted with a profile learned from strong reflections (of a learning pass). Pixels of other predictions are
 * left out of backgrounds; overlaps, gaps, edges, saturation are flagged. σ² counts photons (gain), background and the
 * uncertainty of the fitted plane. Thread: an integrator belongs to one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/shots/source.h"
#include "engine/sfx/shot-geometry.h"

typedef struct FlIntegrator FlIntegrator;

/* Parameters of the stage "integrate". */
FlIntegrator *fl_integrator_new (const FlParams *params, GError **error);
void fl_integrator_free (FlIntegrator *integrator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIntegrator, fl_integrator_free)

/* Fills intensity, sigma, background, peak and flags of `rows` (FlReflectionRow of all lattices of the shot together).
 * `gain`: counts a photon. */
void fl_integrator_shot (FlIntegrator *integrator, const FlShot *shot, const FlDetector *detector, double gain,
                         FlReflectionRow *rows, guint n);

/* Å where ⟨I/σ⟩ in shells of equal volume falls below `limit`; 0 = too few reflections. `means` (may be NULL): n_shells. */
double fl_integration_resolution (const FlReflectionRow *rows, guint n, double limit, guint n_shells, double *means);
