/* fitting.h: the autocorrelation that explains what patterns show in given orientations, by least squares.
 *
 * Minimises Σ_r,t weight(t) g(r) factor(t) (I(R_r⁻¹ s_t) − B(r, t) / (g(r) factor(t)))² + Σ_s (I(s) − radial(s))² / radial(s)²
 * over real, even autocorrelations inside the stage's ball, by conjugate gradients on the normal equations; the first
 * sum's operator is a convolution, whose cost does not know how many patterns there are. The second sum, over as many s
 * as the ball leaves independent, is what is known of speckles beforehand (Wilson, Acta Cryst. 2, 318, 1949: their
 * variance is their mean's square), so that where photons say little a model is smooth, not noisy. Thread: one. */
#pragma once

#include "engine/parallel/parallel.h"
#include "engine/spi/stage.h"
#include "engine/spi/volume.h"
#include "kernels/device.h"

typedef struct FlFitting FlFitting;

/* `stage` and `device` must stay. */
FlFitting *fl_fitting_new (FlkDevice *device, const FlSpiStage *stage, const FlRadial *radial,
                           GError **error);
void fl_fitting_free (FlFitting *fitting);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlFitting, fl_fitting_free)

/* The plan that slices of a model are made with; between a begin and its end it is in use. */
struct FlkSlices *fl_fitting_slices (FlFitting *fitting);

gboolean fl_fitting_begin (FlFitting *fitting, GError **error);
/* n rotations, device memory: matrices [n][9], means in blocks (orient.h), scale [n] g(r), patterns [n] Σ P (for the
 * background). */
gboolean fl_fitting_add (FlFitting *fitting, guint n, const float *matrices, const float *means,
                         const float *scale, const float *patterns, GError **error);
/* Collective: with what all ranks have added. `model`: where to start from, and the answer; of the stage's m. */
gboolean fl_fitting_end (FlFitting *fitting, FlParallel *parallel, FlVolume *model, GError **error);

/* A model on this stage's grid from one of another stage that reached to s_known (Å⁻¹); beyond it goes on as the radial mean. */
FlVolume *fl_fitting_regrid (const FlSpiStage *stage, const FlRadial *radial, const FlVolume *model,
                             double s_known, GError **error);
/* A model that no pattern has been seen by: the radial mean with speckles, of so much contrast, of a random particle of the
 * stage's size. */
FlVolume *fl_fitting_start (const FlSpiStage *stage, const FlRadial *radial, guint64 seed, double contrast,
                            GError **error);
