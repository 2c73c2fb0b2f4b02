/* filter.h: lattices that do not belong, each rejected for the first reason that applies. */
#pragma once

#include "engine/crystal/lattice.h"
#include "engine/merge/merge.h"

/* Zeros: nothing is rejected. */
typedef struct
{
  guint min_reflections;
  double d_min; /* Å: what a lattice has to reach; one whose resolution was not measured passes */
  double min_confidence;
  char centring;                                                /* 0: any */
  const FlCell *cell;                                           /* NULL: any */
  double length_tolerance, angle_tolerance;                     /* relative; rad */
  gboolean (*in_cluster) (const double cell[6], gpointer data); /* Å, degrees; NULL: any */
  gpointer data;
} FlMergeFilter;

/* Lattices that are rejected already keep their reason. */
void fl_merge_filter (FlMergeSet *set, const FlMergeFilter *filter);
/* Collective: lattices of all ranks by reason. */
void fl_merge_count_reasons (const FlMergeSet *set, guint64 counts[FL_MERGE_REASON_LAST]);
