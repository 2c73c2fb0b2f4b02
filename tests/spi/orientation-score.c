#include "tests/spi/orientation-score.h"

#include <math.h>

#include "engine/base/hash.h"
#include "engine/spi/rotations.h"

#define TRIALS 200
#define NEAR   0.3 /* rad: what counts for a gauge */
#define ROUNDS 20

static const FlQuat half_turn = { 0, 0, 0, 1 };

typedef struct
{
  const FlPointGroup *group;
  FlQuat *in_frame; /* [group->n] */
  const FlQuat *truth, *estimate;
  guint n;
} Problem;

/* The gauge that pattern i says, of all of its own that nearest to `like`. Returns the angle between them. */
static double
nearest (const Problem *p, guint i, FlQuat like, gboolean partner, FlQuat *gauge)
{
  double most = -1;
  FlQuat estimate = partner ? fl_quat_multiply (half_turn, p->estimate[i]) : p->estimate[i],
         seen = fl_quat_multiply (fl_quat_conjugate (p->truth[i]), estimate);
  for (guint k = 0; k < p->group->n; k++)
    {
      FlQuat q = fl_quat_multiply (p->in_frame[k], seen);
      double dot = fl_quat_dot (q, like);
      if (fabs (dot) <= most)
        continue;
      most = fabs (dot);
      *gauge = dot < 0 ? (FlQuat){ -q.w, -q.x, -q.y, -q.z } : q;
    }
  return 2 * acos (fmin (most, 1));
}

static double
nearest_of_both (const Problem *p, guint i, FlQuat like, FlQuat *gauge, gboolean *partner)
{
  FlQuat other;
  double one = nearest (p, i, like, FALSE, gauge), two = nearest (p, i, like, TRUE, &other);
  *partner = two < one;
  if (*partner)
    *gauge = other;
  return fmin (one, two);
}

/* Σ over patterns of how near they are; what is beyond NEAR counts nothing. `mean`: of the near ones. */
static double
support (const Problem *p, FlQuat gauge, FlQuat *mean)
{
  double sum = 0;
  FlQuat total = { 0, 0, 0, 0 };
  for (guint i = 0; i < p->n; i++)
    {
      FlQuat seen;
      gboolean partner;
      double angle = nearest_of_both (p, i, gauge, &seen, &partner), weight = fmax (0, 1 - angle / NEAR);
      sum += weight;
      total = (FlQuat){ total.w + weight * seen.w, total.x + weight * seen.x, total.y + weight * seen.y,
                        total.z + weight * seen.z };
    }
  double norm = sqrt (fl_quat_dot (total, total));
  *mean = norm > 0 ? (FlQuat){ total.w / norm, total.x / norm, total.y / norm, total.z / norm } : gauge;
  return sum;
}

static FlQuat
find_gauge (const Problem *p)
{
  FlRandom random = fl_random (1);
  FlQuat best = { 1, 0, 0, 0 }, mean;
  double most = -1;
  for (guint trial = 0; trial < MIN (TRIALS, 2 * p->n); trial++)
    {
      guint i = (guint) (fl_random_unit (&random) * p->n);
      FlQuat gauge = fl_quat_multiply (fl_quat_conjugate (p->truth[i]), p->estimate[i]);
      double value = support (p, gauge, &mean);
      if (value <= most)
        continue;
      most = value;
      best = gauge;
    }
  for (guint round = 0; round < ROUNDS; round++)
    {
      support (p, best, &mean);
      best = mean;
    }
  return best;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare_doubles);
  return n > 0 ? values[n / 2] : NAN;
}

OrientationScore
orientation_score (const FlPointGroup *group, FlQuat frame, const FlQuat *truth, const FlQuat *estimate,
                   guint n, double spacing)
{
  g_autofree FlQuat *in_frame = g_new (FlQuat, group->n);
  g_autofree double *direct = g_new (double, n + 1), *both = g_new (double, n + 1);
  OrientationScore score = { .n = n };
  for (guint k = 0; k < group->n; k++)
    in_frame[k] = fl_quat_multiply (fl_quat_multiply (frame, group->rotations[k]), fl_quat_conjugate (frame));
  Problem p = { group, in_frame, truth, estimate, n };
  score.gauge = find_gauge (&p);
  for (guint i = 0; i < n; i++)
    {
      FlQuat seen;
      gboolean partner;
      direct[i] = nearest (&p, i, score.gauge, FALSE, &seen);
      both[i] = nearest_of_both (&p, i, score.gauge, &seen, &partner);
      score.within += (both[i] < spacing) / (double) n;
      score.partner += partner / (double) n;
    }
  score.median_direct = median (direct, n);
  score.median = median (both, n);
  return score;
}
