/* state.h: what a merge has learned of its lattices, as a file: a later version of the dataset, or the next attempt, starts there.
 *
 * Little-endian: FlMergeStateHeader, then `n_lattices` of FlMergeStateLattice by key, then `n_reflections` of
 * FlMergeStateReflection in the unique list's order. Nothing in it depends on the number of ranks. Thread: one a rank. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef struct
{
  char magic[8]; /* "FLMERGE3" */
  guint64 check; /* XXH64 of all that follows */
  guint64 n_lattices, n_reflections;
  guint64 lattice_sum; /* of the keys of all lattices that came in */
  guint64 params_sum;  /* of the parameters that decide about the result, and of the cell */
  /* Of those parameters and of the settings that lattices can be in, whatever the cell: what is known of a lattice means something
   * in these terms only. */
  guint64 terms_sum;
  guint64 parent_sum; /* lattice_sum of the state that this one started from; 0: none */
  guint32 cycles;     /* done */
  guint32
      complete; /* 0: saved when the program was asked to stop; reflections are the last cycle's, if it had any */
} FlMergeStateHeader;

typedef struct
{
  guint64 key;
  guint32 common;
  guint8 reason, setting;
  guint16 zero;
  float scale, b, width, width_slope, rotation[3], correlation;
} FlMergeStateLattice;

typedef struct
{
  gint32 h, k, l;
  guint32 count;
  float intensity, sigma, weight;
} FlMergeStateReflection;

typedef struct
{
  FlMergeStateHeader header;
  GArray *lattices;    /* FlMergeStateLattice */
  GArray *reflections; /* FlMergeStateReflection */
} FlMergeState;

/* Collective: every lattice of all ranks, at rank 0; elsewhere none. lattice_sum is filled on every rank. */
FlMergeState *fl_merge_state_of (const FlMergeSet *set);
/* Intensities of the list that are known. */
void fl_merge_state_keep (FlMergeState *state, const FlUniqueList *list, const FlMergeReference *reference);
void fl_merge_state_free (FlMergeState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMergeState, fl_merge_state_free)

/* The file appears whole or not at all; fills `check` and the numbers. */
gboolean fl_merge_state_write (FlMergeState *state, const char *path, GError **error);
/* FL_ERROR_INPUT when it is damaged. */
FlMergeState *fl_merge_state_read (const char *path, GError **error);
/* The set's lattices become what the state says of them, rejected too where their fit was the reason; those that it does not know
 * stay. Returns how many of this rank it knew. */
guint64 fl_merge_state_apply (const FlMergeState *state, FlMergeSet *set);
/* NULL when the state has no reflection of the list. */
FlMergeReference *fl_merge_state_reference (const FlMergeState *state, const FlUniqueList *list);
