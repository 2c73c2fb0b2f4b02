/* contrast.h: what makes of a model's slices contrasts against a radially symmetric particle, which patterns are judged by.
 *
 * w(t) = max (shape(t) I + background(t), FL_CONTRAST_FLOOR), counted(t) times in sums: shape is 1 / radial, counted factor ·
 * radial. Poisson's likelihood with a pattern's scale maximised out is then one against the radial mean:
 *   L = Σ_t k ln w − K (ln Σ_t counted w − log_sum)
 * Thread: one. */
#pragma once

#include "engine/spi/stage.h"
#include "kernels/device.h"
#include "kernels/slices.h"

#define FL_CONTRAST_FLOOR 0.05f /* models are not positive everywhere */

typedef struct
{
  FlkDevice *device;
  float *shape, *background, *counted; /* device memory: [cells] */
  double log_sum;                      /* ln Σ_t counted (1 + background) */
} FlContrast;

/* NULL: flk_error() tells why. */
FlContrast *fl_contrast_new (FlkDevice *device, const FlSpiStage *stage);
void fl_contrast_free (FlContrast *contrast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlContrast, fl_contrast_free)

/* What slices of that are asked: ln w and ln Σ_t counted w. */
FlkSlicesOut fl_contrast_slices (const FlContrast *contrast, float *log_model, float *log_sum);
