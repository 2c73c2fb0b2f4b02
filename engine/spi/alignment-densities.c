#include "engine/spi/alignment-private.h"
#include "engine/spi/shift.h"

#define FIRST_TURN 0.25 /* rad · |s| · diameter */
#define LEAST_TURN 0.02

typedef struct
{
  FlTransform *transform;
  FlResampler *resampler; /* of b */
  FlVolume *moved;
  double low, high;         /* of the range, Fourier voxels */
  float complex *a, *other; /* whitened transforms: a's, and b's as last turned */
  FlShift shift;            /* of that */
} Work;

/* The whitened transform of `volume`, copied. */
static void
transform_whitened (Work *w, const FlVolume *volume, float complex *to)
{
  fl_transform_put (w->transform, volume, NULL);
  fl_transform_run (w->transform, FALSE);
  fl_shift_whiten (w->transform, w->low, w->high);
  for (gsize i = 0; i < fl_transform_points (w->transform); i++)
    to[i] = w->transform->grid[i];
}

/* Correlation at the best shift and hand. */
static double
score (FlQuat rotation, gpointer data)
{
  Work *w = data;
  FlMotion motion = { .rotation = rotation };
  fl_resampler_move (w->resampler, &motion, w->moved);
  transform_whitened (w, w->moved, w->other);
  w->shift = fl_shift_find (w->transform, w->a, w->other);
  fl_shift_refine (w->transform, w->a, w->other, &w->shift);
  return w->shift.correlation;
}

static FlAlignment
climb (Work *w, const FlCandidate *candidates, guint n, double angle)
{
  FlCandidate best = { candidates[0].rotation, -2 };
  for (guint i = 0; i < n; i++)
    {
      double value = score (candidates[i].rotation, w);
      if (value > best.score)
        best = (FlCandidate){ candidates[i].rotation, value };
    }
  fl_alignment_climb (&best, FIRST_TURN * angle, LEAST_TURN * angle, score, w);
  score (best.rotation, w);
  FlMotion motion = { best.rotation, fl_vec3_scale (w->shift.by, w->moved->voxel), w->shift.hand };
  return (FlAlignment){ motion, w->shift.correlation };
}

gboolean
fl_align_densities (const FlVolume *a, const FlVolume *b, const FlAlignmentRange *range,
                    FlAlignment *alignment, GError **error)
{
  FlCandidate candidates[FL_ALIGNMENT_CANDIDATES];
  guint n = fl_alignment_candidates (a, b, TRUE, range, candidates, error);
  if (n == 0)
    return FALSE;
  g_autoptr (FlTransform) transform = fl_transform_new (a->m, error);
  g_autoptr (FlResampler) resampler = transform != NULL ? fl_resampler_new (b, error) : NULL;
  if (resampler == NULL)
    return FALSE;
  g_autoptr (FlVolume) moved = fl_volume_new (b->m, b->voxel);
  g_autofree float complex *f = g_new (float complex, fl_transform_points (transform));
  g_autofree float complex *g = g_new (float complex, fl_transform_points (transform));
  double box = transform->n * a->voxel;
  Work w = { transform, resampler, moved, range->s_low * box, range->s_high * box, f, g, { .hand = FALSE } };
  transform_whitened (&w, a, w.a);
  *alignment = climb (&w, candidates, n, 1 / (range->s_high * range->diameter));
  return TRUE;
}
