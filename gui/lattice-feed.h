/* lattice-feed.h: the lattices and the proposed cells of some jobs, as they arrive.
 *
 * Asks the store's thread, in portions, whenever the counts of a job have moved. Signal "arrived" (FlgLatticeNews *): the
 * listener may steal blocks. Thread: main. */
#pragma once

#include "engine/base/batch.h"
#include "gui/cell-tally.h"
#include "gui/experiment.h"

typedef struct
{
  gint64 job, attempt;
  FlCellRow row;
} FlgProposedCell;

/* Shots that an attempt other than its job's first has processed. */
typedef struct
{
  gint64 job, attempt;
  guint n;
  guint64 *shots;
} FlgRedone;

typedef struct
{
  GPtrArray *blocks; /* FlgLatticeBlock */
  GArray *cells;     /* FlgProposedCell, in the order of arrival */
  GPtrArray *redone; /* FlgRedone */
} FlgLatticeNews;

void flg_redone_free (FlgRedone *redone);

#define FLG_TYPE_LATTICE_FEED (flg_lattice_feed_get_type ())
G_DECLARE_FINAL_TYPE (FlgLatticeFeed, flg_lattice_feed, FLG, LATTICE_FEED, GObject)

FlgLatticeFeed *flg_lattice_feed_new (FlgExperiment *experiment);
/* Another job to follow; again does no harm. */
void flg_lattice_feed_add (FlgLatticeFeed *self, gint64 job);
/* No more signals; then unref. */
void flg_lattice_feed_stop (FlgLatticeFeed *self);
gboolean flg_lattice_feed_is_idle (FlgLatticeFeed *self);
