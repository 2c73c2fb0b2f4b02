/* archive-compare.h: what an experiment (or an archive of one) has come to, trial by trial and dataset by dataset, in numbers
 * that can be set beside those of another. Thread: the store's; the results any. */
#pragma once

#include "engine/store/store.h"

typedef enum
{
  FL_RESULT_RUNS,
  FL_RESULT_SHOTS,
  FL_RESULT_HITS,
  FL_RESULT_INDEXED,
  FL_RESULT_LATTICES, /* of a dataset: merged; of a trial: all */
  FL_RESULT_PATTERNS, /* of single particles, in the newest generation of a dataset's reconstruction */
  FL_RESULT_A,        /* Å; of a trial medians, of a dataset means of the lattices merged */
  FL_RESULT_B,
  FL_RESULT_C,
  FL_RESULT_ALPHA, /* degrees */
  FL_RESULT_BETA,
  FL_RESULT_GAMMA,
  FL_RESULT_RESOLUTION, /* Å; of a trial where its lattices end (median), of a dataset that of the merge, or of
                           half sets */
  FL_RESULT_CC_HALF,
  FL_RESULT_R_SPLIT,
  FL_RESULT_COMPLETENESS, /* 0–1 */
  FL_RESULT_MULTIPLICITY,
  FL_RESULT_LAST
} FlResultNumber;

const char *fl_result_number_name (FlResultNumber number); /* "runs", "cc_half" … */
const char *fl_result_number_unit (FlResultNumber number); /* "Å", "" … */
/* As people read it; "–" for NaN. Free it. */
char *fl_result_number_text (FlResultNumber number, double value);

typedef struct
{
  char *name; /* "trial 2 wide spots", "dataset lysozyme": what is the same on both sides */
  char *of;   /* "version 4"; "" */
  double values[FL_RESULT_LAST]; /* NaN: there is none */
} FlResult;

/* Trials by number, then datasets by name. GPtrArray of FlResult, which frees them. */
GPtrArray *fl_results_read (FlStore *store, GError **error);

/* Borrows its sides. */
typedef struct
{
  const FlResult *side[2]; /* NULL: only the other has it */
  gboolean differs[FL_RESULT_LAST];
  gboolean any; /* of them, or one side is missing */
} FlResultPair;

/* In the order of `a`, then what only `b` has. GArray of FlResultPair. */
GArray *fl_results_pair (GPtrArray *a, GPtrArray *b);
