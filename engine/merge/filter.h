/* filter.h: lattices that do not belong, each rejected for the first reason that applies. A cell belongs that does in one of the
 * settings that it may have been indexed in. */
#pragma once

#include "engine/crystal/lattice.h"
#include "engine/crystal/reindexing.h"
#include "engine/merge/merge.h"

/* Zeros: nothing is rejected. */
typedef struct
{
  guint min_reflections;
  double d_min; /* Å: what a lattice has to reach; one whose resolution was not measured passes */
  double min_confidence;
  char centring;                /* 0: any */
  const FlReindexing *settings; /* as of fl_reindexing_ambiguities() */
  guint n_settings;
  const FlCell *cell;                                           /* NULL: any */
  double length_tolerance, angle_tolerance;                     /* relative; rad */
  gboolean (*in_cluster) (const double cell[6], gpointer data); /* Å, degrees; NULL: any */
  gpointer data;
} FlMergeFilter;

/* Å and rad, in `setting` (FlMergeLattice.setting). */
void fl_merge_lattice_cell (const FlMergeLattice *lattice, const FlReindexing *settings, guint setting,
                            float cell[6]);
/* Lattices that are rejected already keep their reason. */
void fl_merge_filter (FlMergeSet *set, const FlMergeFilter *filter);
/* Collective: lattices of all ranks by reason. */
void fl_merge_count_reasons (const FlMergeSet *set, guint64 counts[FL_MERGE_REASON_LAST]);
