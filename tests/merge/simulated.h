/* simulated.h: sets of lattices with known truth, the same however many ranks share them. */
#pragma once

#include <math.h>

#include "engine/base/hash.h"
#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef struct
{
  const FlUniqueList *list;
  guint lattices, each; /* so many observations of a lattice, of reflections drawn at random */
  guint64 seed;
  double sigma;     /* by counting: standard deviation that is written down, and … */
  double sfac;      /* … times this, that is true, besides … */
  double add[3];    /* … √(a0² exp(−a1 CC) + a2²) of the intensity */
  gboolean poisson; /* instead of all that: counts of a mean of the intensity */
} Simulation;

/* Its true intensity: Wilson's, acentric or centric. */
static inline double
simulated_truth (const Simulation *s, guint unique)
{
  FlRandom r = fl_random (fl_hash64 (&unique, sizeof unique, s->seed));
  double normal = fl_random_normal (&r), e = -log (1 - fl_random_unit (&r));
  const FlUnique *u = fl_unique_list_at (s->list, unique);
  return 100 * u->epsilon * (u->centric ? normal * normal : e);
}

static inline void
simulated_observation (const Simulation *s, const FlMergeLattice *lattice, FlRandom *r, FlObservation *o)
{
  guint unique = (guint) (fl_random_u64 (r) % fl_unique_list_n (s->list));
  FlMiller m = fl_unique_list_at (s->list, unique)->hkl;
  double truth = simulated_truth (s, unique), cc = (double) lattice->correlation;
  double add2 = s->add[0] * s->add[0] * exp (-s->add[1] * cc) + s->add[2] * s->add[2];
  double sigma = s->sigma * (0.5 + fl_random_unit (r));
  double spread = s->sfac * sqrt (sigma * sigma + add2 * truth * truth);
  gboolean minus = !fl_unique_list_at (s->list, unique)->centric && (fl_random_u64 (r) & 1) != 0;
  *o = (FlObservation){ .unique = unique,
                        .h = (gint16) m.h,
                        .k = (gint16) m.k,
                        .l = (gint16) m.l,
                        .flags = minus ? FL_OBSERVATION_MINUS : 0,
                        .intensity = (float) (s->poisson ? fl_random_poisson (r, truth)
                                                         : truth + spread * fl_random_normal (r)),
                        .sigma = (float) (s->poisson ? sqrt (truth) : sigma) };
}

/* This rank's share: every so-manieth lattice. */
static inline FlMergeSet
simulated_set (const Simulation *s, FlParallel *parallel)
{
  FlMergeSet set = { .parallel = parallel,
                     .lattices = g_array_new (FALSE, TRUE, sizeof (FlMergeLattice)),
                     .observations = g_new (FlObservation, (gsize) s->lattices * s->each),
                     .n_lattices = s->lattices };
  for (guint i = fl_parallel_rank (parallel); i < s->lattices; i += fl_parallel_ranks (parallel))
    {
      FlRandom r = fl_random (fl_hash64 (&i, sizeof i, s->seed + 1));
      FlMergeLattice lattice = { .key = fl_random_u64 (&r),
                                 .number = i,
                                 .scale = 1,
                                 .correlation = (float) fl_random_unit (&r),
                                 .first = set.n_observations,
                                 .n = s->each };
      for (guint j = 0; j < s->each; j++)
        simulated_observation (s, &lattice, &r, &set.observations[set.n_observations++]);
      g_array_append_val (set.lattices, lattice);
    }
  return set;
}

static inline void
simulated_clear (FlMergeSet *set)
{
  g_array_unref (set->lattices);
  g_free (set->observations);
}

static inline FlUniqueList *
simulated_list (const char *group, double edge, double d_min)
{
  FlCell cell;
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (group, NULL);
  g_assert_true (fl_cell_from_degrees ((double[]){ edge, edge, edge * 1.3, 90, 90, 90 }, &cell, NULL));
  FlUniqueList *list = fl_unique_list_new (&cell, symmetry, d_min, 0, NULL);
  g_assert_nonnull (list);
  return list;
}
