/* input.h: lattices and observations out of jobs' folders, CrystFEL's streams and DIALS' files.
 *
 * What is dealt to ranks is dealt by content, in blocks of frames, so that each lattice is on one rank whatever their number.
 * Reflections that were not integrated are left out. Thread: one a rank. */
#pragma once

#include "engine/crystal/reindexing.h"
#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef struct
{
  const char *spool_dir; /* where observations go that memory does not hold; NULL: they stay in memory */
  guint64 memory;        /* bytes of observations on a rank that may be held in memory; 0 = 1 GiB */
} FlMergeInputOptions;

/* Collective. `inputs`: NULL-ended; a job's folder, NAME.stream, or NAME.expt with its .refl. The first error of any rank is the
 * error of all; that one is asked to stop is one, FL_ERROR_STOPPED. A lattice without integrated reflections has FL_MERGE_NO_REFLECTIONS. */
FlMergeSet *fl_merge_input_read (FlParallel *parallel, const char *const *inputs,
                                 const FlMergeInputOptions *options, GError **error);
/* `parallel` is kept. For sets made by hand: lattices are appended with their observations (`first` and `n` are filled), then the
 * set is finished (collective): sorted, numbered. `ordinal` tells lattices of the same key apart. */
FlMergeSet *fl_merge_set_new (FlParallel *parallel, const FlMergeInputOptions *options);
gboolean fl_merge_set_append (FlMergeSet *set, const FlMergeLattice *lattice, guint64 ordinal,
                              const FlObservation *observations, guint32 n, GError **error);
void fl_merge_set_finish (FlMergeSet *set);
void fl_merge_set_free (FlMergeSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMergeSet, fl_merge_set_free)

static inline FlMergeLattice *
fl_merge_set_lattice (const FlMergeSet *set, guint i)
{
  return &g_array_index (set->lattices, FlMergeLattice, i);
}

/* Number of h k l in the unique list when the lattice is taken in `setting`; settings as of fl_reindexing_ambiguities(). */
guint32 fl_merge_find (const FlUniqueList *list, const FlReindexing *settings, guint setting, FlMiller hkl,
                       gboolean *minus);
/* Fills `unique` and FL_OBSERVATION_MINUS of all observations of the lattices from `setting`. */
void fl_merge_set_index (FlMergeSet *set, const FlUniqueList *list, const FlReindexing *settings);
