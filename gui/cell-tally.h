/* cell-tally.h: counts of lattices' cells in six linked histograms and three planes, and their clusters, kept up to date as lattices come.
 *
 * A lattice counts once by (job, shot): where a later attempt has done a shot again, only its lattices count. Ranges are
 * robust (a fraction of the lattices may lie outside and is told) and keep still until there are twice as many lattices.
 * New lattices are added to what has been counted; another selection counts anew (10⁶ lattices: some 50 ms). Thread: one
 * at a time, any; the blocks are immutable and shared. */
#pragma once

#include "widgets/density-plot.h"
#include "widgets/histogram.h"

/* Centrings are told apart by colour: P, I, F, A/B/C, R. */
#define FLG_CELL_SERIES FLW_HISTOGRAM_SERIES

#define FLG_CELL_PLANES 3
/* Which two parameters are a plane's x and y: a–b, b–c, a–c. */
extern const guint8 flg_cell_planes[FLG_CELL_PLANES][2];
#define FLG_CELL_MOST_CLUSTERS 4

/* The lattices of one slice. */
typedef struct
{
  gint64 job, attempt, run;
  guint n;
  guint64 *shot;
  float (*cell)[6]; /* Å and degrees */
  guint8 *series;
  guint16 *group; /* space group, 0 = not known */
} FlgLatticeBlock;

void flg_lattice_block_free (FlgLatticeBlock *block);

/* What to count. */
typedef struct
{
  double from[6], to[6]; /* only lattices inside; equal: all */
  guint ranges;          /* when this number changes, ranges are chosen anew … */
  gboolean zoomed;       /* … from the selected lattices alone */
} FlgCellQuestion;

typedef struct
{
  FlwHistogramCounts counts; /* arrays owned by the answer */
  double median, spread;     /* of the selected, robust: interquartile range/1.349; NaN: none */
  gboolean has_fit;
  FlwHistogramFit fit;
} FlgCellHistogram;

typedef struct
{
  guint64 lattices, shots;          /* all that count */
  guint64 selected, selected_shots; /* inside all brushes */
  guint64 series[FLG_CELL_SERIES];  /* selected */
  guint64 all_series[FLG_CELL_SERIES];
  guint group; /* space group that all of the selected have, else 0 */
  FlgCellHistogram of[6];
  FlwDensityCounts planes
      [FLG_CELL_PLANES]; /* inside the brushes of the parameters that are not the plane's; array owned */
  GArray *clusters;      /* FlCellCluster, of all lattices, selected or not; owned */
  guint32 cluster_series[FLG_CELL_MOST_CLUSTERS][FLG_CELL_SERIES]; /* of a sample of their lattices */
  GArray *runs; /* gint64: those that the selected are of; owned */
} FlgCellAnswer;

void flg_cell_answer_free (FlgCellAnswer *answer);

typedef struct FlgCellTally FlgCellTally;

FlgCellTally *flg_cell_tally_new (void);
void flg_cell_tally_free (FlgCellTally *tally);
/* Takes the block. */
void flg_cell_tally_add (FlgCellTally *tally, FlgLatticeBlock *block);
/* These shots of the job have been processed by this attempt, which is not its first. */
void flg_cell_tally_redone (FlgCellTally *tally, gint64 job, gint64 attempt, guint n, const guint64 *shots);
FlgCellAnswer *flg_cell_tally_count (FlgCellTally *tally, const FlgCellQuestion *question);

/* The peak of a finely binned distribution: a Gaussian on a floor, by expectation maximisation from the highest place.
 * bins[i] lies at lower + (i + ½) width. FALSE: fewer than 5 counts. */
gboolean flg_cell_fit (const guint32 *bins, guint n, double lower, double width, FlwHistogramFit *fit);
