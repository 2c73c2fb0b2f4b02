/* job-columns.h: the columns of the list of jobs: what stands in them, where they are, how they sort. Thread: main. */
#pragma once

#include "gui/job-words.h"

typedef enum
{
  FLG_JOB_ID,
  FLG_JOB_RUN, /* or the dataset's version */
  FLG_JOB_TRIAL,
  FLG_JOB_TASK,
  FLG_JOB_SITE,
  FLG_JOB_STATE,
  FLG_JOB_TRIES,
  FLG_JOB_STARTED,
  FLG_JOB_TOOK,
  FLG_JOB_SHOTS,
  FLG_JOB_HITS,
  FLG_JOB_INDEXED,
  FLG_JOB_FAILED_SHOTS,
  FLG_JOB_REASON,
  FLG_JOB_COLUMN_LAST
} FlgJobColumn;

typedef struct
{
  const char *name;            /* as in jobs.sort */
  const char *title, *tooltip; /* to be translated */
  int width;                   /* px; 0: what is left */
  gboolean right;              /* figures */
  int least;                   /* px of the list, from which on it is shown */
} FlgJobColumnSpec;

const FlgJobColumnSpec *flg_job_column (FlgJobColumn column);

typedef struct
{
  double x, width; /* width 0: not shown */
} FlgJobPlace;

void flg_job_columns_place (double width, FlgJobPlace places[FLG_JOB_COLUMN_LAST]);

/* Text of a cell; g_free. */
char *flg_job_cell (FlgJobIndex *index, const FlJob *job, FlgJobColumn column);
/* Rises with what the column shows. Runs sort by `run_ranks`: run id -> place, from flg_run_ranks(). */
gint64 flg_job_sort_key (FlgJobIndex *index, const FlJob *job, FlgJobColumn column, GHashTable *run_ranks);
GHashTable *flg_run_ranks (FlgExperiment *experiment);
/* Name of the run, or of the dataset's version; "–": neither is known. g_free. */
char *flg_job_of_what (FlgJobIndex *index, const FlJob *job);
int flg_job_trial_number (FlgJobIndex *index, const FlJob *job); /* 0: none */
