/* strip-data.h: the shots behind a strip plot. Not for pages.
 *
 * A run's shots lie in blocks with running totals every FLW_TOTALS shots, so that a windowed share or mean
 * costs the same whatever the window. The main thread alone appends; entries and totals below the length
 * that a worker was told never change, so it reads without a lock from blocks that it holds. */
#pragma once

#include "widgets/strip-plot.h"

#define FLW_BLOCK  4096
#define FLW_TOTALS 64

/* Of the shots before some shot. */
typedef struct
{
  guint32 classes[FLW_CLASS_LAST];
  guint32 valued[FLW_STRIP_MAX_COLUMNS]; /* shots with a value */
  double sum[FLW_STRIP_MAX_COLUMNS];
} FlwTotals;

typedef struct
{
  gatomicrefcount ref_count;
  guint8 klass[FLW_BLOCK];
  float *values[FLW_STRIP_MAX_COLUMNS];         /* NULL beyond the plot's columns; NaN = none */
  FlwTotals totals[FLW_BLOCK / FLW_TOTALS + 1]; /* of the run, before shot 64 i of this block */
} FlwShotBlock;

typedef struct
{
  char *label;
  guint64 offset; /* its first shot's place on the axis */
  guint64 n;
  GPtrArray *blocks;
} FlwRun;

/* A run as a worker sees it. */
typedef struct
{
  guint64 offset, n;
  guint64 done; /* shots that the grid holds already */
  guint n_blocks;
  FlwShotBlock **blocks;
} FlwRunView;

typedef struct
{
  guint n_columns;
  GPtrArray *runs; /* FlwRun */
  guint64 n_shots;
  guint generation; /* rises when shots that exist move or vanish */
} FlwStripData;

FlwStripData *flw_strip_data_new (void);
void flw_strip_data_free (FlwStripData *data);
void flw_strip_data_clear (FlwStripData *data);
guint flw_strip_data_add_run (FlwStripData *data, const char *label);
FlwRun *flw_strip_data_run (FlwStripData *data, guint run);
void flw_strip_data_append (FlwStripData *data, guint run, guint n, const guint8 *classes,
                            const float *const *values);
/* The run that a place on the axis lies in; −1: none. */
int flw_strip_data_find (FlwStripData *data, double x);
/* n_runs views; freed by flw_run_views_free. `done` (may be NULL): per run, what to put there. */
FlwRunView *flw_strip_data_views (FlwStripData *data, const guint64 *done);
void flw_run_views_free (FlwRunView *views, guint n_runs);

static inline guint8
flw_run_class (const FlwRunView *run, guint64 i)
{
  return run->blocks[i / FLW_BLOCK]->klass[i % FLW_BLOCK];
}

static inline float
flw_run_value (const FlwRunView *run, guint column, guint64 i)
{
  return run->blocks[i / FLW_BLOCK]->values[column][i % FLW_BLOCK];
}

/* Totals of the first `before` shots of the run. */
void flw_run_totals (const FlwRunView *run, guint n_columns, guint64 before, FlwTotals *totals);
