/* integration.h: intensities of predicted reflections.
 *
 * Summation over a disc about the predicted place (pixels on its rim count in part, so that the disc moves with fractions
 * of a pixel), background a plane fitted by least squares to the ring round it, outliers rejected; or a fit of a learned
 * profile (profiles.h), where that is the better of the two. Pixels of other predictions' peaks are left out of
 * backgrounds; overlaps, gaps, edges and saturation are flagged. σ² counts the photons of the peak, the noise of the
 * read-out (found from the rings of the shot) and the uncertainty of the fitted plane (Leslie 1999, Acta Cryst. D55,
 * 1696, with the covariance of the plane instead of the number of pixels). Thread: an integrator belongs to one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/sfx/profiles.h"
#include "engine/shots/source.h"

typedef struct FlIntegrator FlIntegrator;

/* Parameters of the stage "integrate". FL_ERROR_INPUT: radii that do not go together. */
FlIntegrator *fl_integrator_new (const FlParams *params, GError **error);
void fl_integrator_free (FlIntegrator *integrator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIntegrator, fl_integrator_free)

/* Profiles to fit; copied; NULL: none, all by summation. Ignored unless integration.method is profile. */
void fl_integrator_set_profiles (FlIntegrator *integrator, const FlProfiles *profiles);

/* Fills intensity, sigma, background, peak and flags (other than STRONG, which is kept) of `rows` (FlReflectionRow of all
 * lattices of the shot together, in any order; the result does not depend on it). `gain`: counts a photon; 0: what the
 * detector says. Rows of `rows` whose place is on no pixel get EDGE. */
void fl_integrator_shot (FlIntegrator *integrator, const FlShot *shot, const FlDetector *detector,
                         double gain, FlReflectionRow *rows, guint n);

/* Adds the strong, clean reflections among `rows` (as fl_integrator_shot left them, by summation) to the profiles, and all
 * that were integrated to the rocking curve. */
void fl_integrator_learn (FlIntegrator *integrator, const FlShot *shot, const FlDetector *detector,
                          double gain, const FlReflectionRow *rows, guint n, FlProfiles *profiles);

/* Å where ⟨I/σ⟩ in shells of equal volume falls below `limit`, between the shells' middles; the finest d when it never
 * does; 0: too few reflections (fewer than 3 a shell), or the first shell is below. `means` (may be NULL): n_shells, from
 * low resolution; NAN for an empty shell. */
double fl_integration_resolution (const FlReflectionRow *rows, guint n, double limit, guint n_shells,
                                  double *means);
