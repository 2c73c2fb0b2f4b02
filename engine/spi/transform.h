/* transform.h: discrete Fourier transforms of volumes, zero-padded (or cut) to n³: F(s) = Σ ρ(x) exp (−2πi s·x) at
 * s = k / (n voxel), the origin of x in the volume's middle voxel.
 *
 * In single precision on the CPU, by one thread. Thread: one. */
#pragma once

#include <complex.h>

#include "engine/spi/volume.h"

typedef struct FlTransform FlTransform;

struct FlTransform
{
  guint n;             /* even, a product of 2, 3 and 5 */
  float complex *grid; /* [n][n][n], x fastest; along an axis k = 0 … n/2 − 1, −n/2 … −1 */
  struct FlkDevice *device;
  struct FlkFft *fft;
};

/* The smallest that holds n_least³. Its grid is not zeroed. FL_ERROR_UNSUPPORTED: over 640; _FAILED: no kernels. */
FlTransform *fl_transform_new (guint n_least, GError **error);
void fl_transform_free (FlTransform *transform);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlTransform, fl_transform_free)

static inline gsize
fl_transform_points (const FlTransform *transform)
{
  return (gsize) transform->n * transform->n * transform->n;
}

/* k of index i along an axis; and the index of the opposite k. */
static inline int
fl_transform_k (const FlTransform *transform, guint i)
{
  return (int) i - (i < transform->n / 2 ? 0 : (int) transform->n);
}

static inline guint
fl_transform_opposite (const FlTransform *transform, guint i)
{
  return i == 0 ? 0 : transform->n - i;
}

/* Index of k, each −n/2 … n/2 − 1: or of a voxel so far from the origin. */
static inline gsize
fl_transform_at (const FlTransform *transform, int x, int y, int z)
{
  const int n = (int) transform->n;
  return (gsize) (((z < 0 ? z + n : z) * n + (y < 0 ? y + n : y)) * n + (x < 0 ? x + n : x));
}

/* Into the grid, the one as real part, the other as imaginary part (NULL: 0). What does not fit is cut off. */
void fl_transform_put (FlTransform *transform, const FlVolume *real, const FlVolume *imaginary);
/* Out of the grid, times `scale`. Either may be NULL. */
void fl_transform_take (const FlTransform *transform, float scale, FlVolume *real, FlVolume *imaginary);
/* In place, not scaled: there and back multiplies by n³. `inverse`: exp (+2πi s·x). */
void fl_transform_run (FlTransform *transform, gboolean inverse);
