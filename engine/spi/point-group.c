#include "engine/spi/point-group.h"

#include <math.h>

#include "engine/base/error.h"
#include "engine/spi/alignment-private.h"
#include "engine/spi/rotations.h"
#include "engine/spi/speckles.h"

#define MOST_FOLD       60
#define MOST_ROTATIONS  (2 * MOST_FOLD)
#define COARSE_SPECKLES 6.0
#define POINTS          1500
#define FINENESS        5
#define LEAST_TURN      0.01

static FlQuat
axis_fold (double x, double y, double z, guint fold)
{
  double half = G_PI / fold, sine = sin (half) / sqrt (x * x + y * y + z * z);
  return (FlQuat){ cos (half), x * sine, y * sine, z * sine };
}

static gboolean
parse (const char *name, FlPointGroup *group)
{
  char kind = g_ascii_toupper (name[0]);
  char *end = NULL;
  guint64 fold =
      g_ascii_isdigit (name[0] != '\0' ? name[1] : '\0') ? g_ascii_strtoull (name + 1, &end, 10) : 0;
  FlQuat *g = group->generators;
  if (kind == 'C' || kind == 'D')
    {
      if (fold < 1 || fold > MOST_FOLD || *end != '\0')
        return FALSE;
      g[group->n_generators++] = axis_fold (0, 0, 1, (guint) fold);
      if (kind == 'D')
        g[group->n_generators++] = axis_fold (1, 0, 0, 2);
      return TRUE;
    }
  if (name[0] == '\0' || name[1] != '\0' || (kind != 'T' && kind != 'O' && kind != 'I'))
    return FALSE;
  g[group->n_generators++] = axis_fold (1, 1, 1, 3);
  g[group->n_generators++] = axis_fold (0, 0, 1, kind == 'O' ? 4 : 2);
  if (kind == 'I')
    g[group->n_generators++] = axis_fold (0, 1, (1 + sqrt (5)) / 2, 5);
  return TRUE;
}

static gboolean
has (const FlPointGroup *group, FlQuat q)
{
  for (guint i = 0; i < group->n; i++)
    if (fabs (fl_quat_dot (group->rotations[i], q)) > 1 - 1e-6)
      return TRUE;
  return FALSE;
}

FlPointGroup *
fl_point_group_new (const char *name, GError **error)
{
  g_autoptr (FlPointGroup) group = g_new0 (FlPointGroup, 1);
  if (!parse (name, group))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "no point group \"%s\", expected C1 … C%d, D1 … D%d, T, O or I", name, MOST_FOLD,
                   MOST_FOLD);
      return NULL;
    }
  group->rotations = g_new (FlQuat, MOST_ROTATIONS);
  group->rotations[group->n++] = (FlQuat){ 1, 0, 0, 0 };
  for (guint i = 0; i < group->n; i++)
    for (guint k = 0; k < group->n_generators; k++)
      {
        FlQuat q = fl_quat_multiply (group->generators[k], group->rotations[i]);
        if (!has (group, q))
          group->rotations[group->n++] = q;
      }
  return g_steal_pointer (&group);
}

void
fl_point_group_free (FlPointGroup *group)
{
  if (group == NULL)
    return;
  g_free (group->rotations);
  g_free (group);
}

static FlQuat
in_frame (FlQuat rotation, FlQuat frame)
{
  return fl_quat_multiply (fl_quat_multiply (frame, rotation), fl_quat_conjugate (frame));
}

typedef struct
{
  const FlPointGroup *group;
  FlComparison comparison;
} Search;

/* The least of the generators' correlations. */
static double
score (FlQuat frame, gpointer data)
{
  Search *search = data;
  double least = 1;
  for (guint i = 0; i < search->group->n_generators; i++)
    least = MIN (least,
                 fl_comparison_score (in_frame (search->group->generators[i], frame), &search->comparison));
  return least;
}

gboolean
fl_point_group_find (const FlPointGroup *group, const FlVolume *autocorrelation,
                     const FlAlignmentRange *range, FlQuat *frame, double *correlation, GError **error)
{
  FlSpeckles speckles;
  FlCandidate best = { { 1, 0, 0, 0 }, -2 };
  if (!fl_speckles_init (&speckles, autocorrelation, FALSE, error))
    return FALSE;
  Search search = { .group = group };
  double s_coarse = MIN (range->s_high, COARSE_SPECKLES / range->diameter),
         apart = fl_rotations_spacing (FINENESS);
  fl_comparison_init (&search.comparison, &speckles, &speckles, range->s_low, s_coarse, POINTS);
  g_autoptr (FlRotations) rotations = fl_rotations_new (FINENESS);
  for (guint i = 0; i < rotations->n; i++)
    {
      FlCandidate one = { rotations->rotations[i], score (rotations->rotations[i], &search) };
      best = one.score > best.score ? one : best;
    }
  fl_alignment_climb (&best, apart / 2, LEAST_TURN / (s_coarse * range->diameter), score, &search);
  fl_comparison_clear (&search.comparison);
  fl_comparison_init (&search.comparison, &speckles, &speckles, range->s_low, range->s_high, G_MAXINT);
  fl_alignment_climb (&best, apart / 8, LEAST_TURN / (range->s_high * range->diameter), score, &search);
  fl_comparison_clear (&search.comparison);
  g_free (speckles.data);
  *frame = best.rotation;
  *correlation = best.score;
  return TRUE;
}

FlVolume *
fl_point_group_mean (const FlPointGroup *group, FlQuat frame, const FlVolume *volume, GError **error)
{
  g_autoptr (FlResampler) resampler = fl_resampler_new (volume, error);
  if (resampler == NULL)
    return NULL;
  FlVolume *mean = fl_volume_new (volume->m, volume->voxel);
  g_autoptr (FlVolume) moved = fl_volume_new (volume->m, volume->voxel);
  for (guint i = 0; i < group->n; i++)
    {
      FlMotion motion = { .rotation = in_frame (group->rotations[i], frame) };
      fl_resampler_move (resampler, &motion, moved);
      for (gsize k = 0; k < fl_volume_points (mean); k++)
        mean->data[k] += moved->data[k] / (float) group->n;
    }
  return mean;
}

double
fl_point_group_angle (const FlPointGroup *group, FlQuat frame, FlQuat a, FlQuat b)
{
  double least = G_PI;
  for (guint i = 0; i < group->n; i++)
    least = MIN (least, fl_quat_angle (fl_quat_multiply (a, in_frame (group->rotations[i], frame)), b));
  return least;
}
