#include "engine/spi/alignment-private.h"

#include <math.h>
#include <string.h>

#include "engine/spi/rotations.h"
#include "engine/spi/speckles.h"

#define COARSE_SPECKLES 6.0  /* |s| · diameter of the first search */
#define COARSE_POINTS   1500 /* more only cost time */
#define FINE_POINTS     20000
#define LEAST_TURN      0.01 /* of the angle that moves the particle's rim by the resolution */

void
fl_alignment_climb (FlCandidate *candidate, double step, double least, FlScoreFunc score, gpointer data)
{
  candidate->score = score (candidate->rotation, data);
  while (step > least)
    {
      FlCandidate best = *candidate;
      for (int k = 0; k < 6; k++)
        {
          double sine = (k % 2 ? -1 : 1) * sin (step / 2);
          FlQuat turn = { cos (step / 2), k / 2 == 0 ? sine : 0, k / 2 == 1 ? sine : 0,
                          k / 2 == 2 ? sine : 0 };
          FlCandidate other = { fl_quat_multiply (turn, candidate->rotation), 0 };
          other.score = score (other.rotation, data);
          if (other.score > best.score)
            best = other;
        }
      if (best.score > candidate->score)
        *candidate = best;
      else
        step /= 2;
    }
}

/* Keeps the best ones that are farther than `apart` from each other, best first. */
static guint
insert (FlCandidate *list, guint n, FlCandidate one, double apart)
{
  guint at = 0;
  for (; at < n && list[at].score >= one.score; at++)
    if (fl_quat_angle (list[at].rotation, one.rotation) < apart)
      return n;
  if (at == FL_ALIGNMENT_CANDIDATES)
    return n;
  FlCandidate rest[FL_ALIGNMENT_CANDIDATES];
  guint n_rest = n - at, kept = at;
  memcpy (rest, list + at, n_rest * sizeof *list);
  list[kept++] = one;
  for (guint i = 0; i < n_rest && kept < FL_ALIGNMENT_CANDIDATES; i++)
    if (fl_quat_angle (rest[i].rotation, one.rotation) >= apart)
      list[kept++] = rest[i];
  return kept;
}

static guint
search (const FlSpeckles speckles[2], const FlAlignmentRange *range, FlCandidate *candidates)
{
  double s_coarse = MIN (range->s_high, COARSE_SPECKLES / range->diameter);
  guint fineness = (guint) CLAMP (ceil (s_coarse * range->diameter), 4, COARSE_SPECKLES), n = 0, n_fine = 0;
  double apart = fl_rotations_spacing (fineness), least = LEAST_TURN / (s_coarse * range->diameter);
  FlComparison coarse, fine;
  FlCandidate climbed[FL_ALIGNMENT_CANDIDATES];
  fl_comparison_init (&coarse, &speckles[0], &speckles[1], range->s_low, s_coarse, COARSE_POINTS);
  fl_comparison_init (&fine, &speckles[0], &speckles[1], range->s_low, range->s_high, FINE_POINTS);
  g_autoptr (FlRotations) rotations = fl_rotations_new (fineness);
  for (guint i = 0; i < rotations->n; i++)
    {
      FlQuat rotation = rotations->rotations[i];
      n = insert (candidates, n, (FlCandidate){ rotation, fl_comparison_score (rotation, &coarse) },
                  1.5 * apart);
    }
  for (guint i = 0; i < n; i++)
    {
      fl_alignment_climb (&candidates[i], apart / 2, least, fl_comparison_score, &coarse);
      fl_alignment_climb (&candidates[i], apart / 4, LEAST_TURN / (range->s_high * range->diameter),
                          fl_comparison_score, &fine);
      n_fine = insert (climbed, n_fine, candidates[i], apart / 2);
    }
  memcpy (candidates, climbed, n_fine * sizeof *climbed);
  fl_comparison_clear (&coarse);
  fl_comparison_clear (&fine);
  return n_fine;
}

guint
fl_alignment_candidates (const FlVolume *a, const FlVolume *b, gboolean density,
                         const FlAlignmentRange *range, FlCandidate candidates[FL_ALIGNMENT_CANDIDATES],
                         GError **error)
{
  g_return_val_if_fail (a->m == b->m && range->diameter > 0 && range->s_high > range->s_low, 0);
  FlSpeckles speckles[2] = { 0 };
  guint n = 0;
  if (fl_speckles_init (&speckles[0], a, density, error)
      && fl_speckles_init (&speckles[1], b, density, error))
    n = search (speckles, range, candidates);
  g_free (speckles[0].data);
  g_free (speckles[1].data);
  return n;
}

gboolean
fl_align_autocorrelations (const FlVolume *a, const FlVolume *b, const FlAlignmentRange *range,
                           FlAlignment *alignment, GError **error)
{
  FlCandidate candidates[FL_ALIGNMENT_CANDIDATES];
  if (fl_alignment_candidates (a, b, FALSE, range, candidates, error) == 0)
    return FALSE;
  *alignment =
      (FlAlignment){ .motion = { .rotation = candidates[0].rotation }, .correlation = candidates[0].score };
  return TRUE;
}
