/* map-versions.h: which jobs have made maps, or a reconstruction, of a dataset, and why there are no maps. Pure. Thread: main. */
#pragma once

#include "gui/experiment.h"

typedef struct
{
  gint64 job;
  int number;    /* of the dataset's version */
  char *label;   /* "version 3"; with several map tasks or trials their names too */
  guint64 ended; /* ns UTC; with the job it tells whether the files are the same as before */
} FlgMapVersion;

/* FlgMapVersion of the jobs that are done, the newest version first. */
GPtrArray *flg_map_versions (FlgExperiment *experiment, gint64 dataset);
/* The same of tasks of another type. `done`: only of jobs that are done; else of all that have been submitted. */
GPtrArray *flg_versions_of_type (FlgExperiment *experiment, gint64 dataset, const char *type, gboolean done);
/* What is to be done, or waited for, that there are maps. */
char *flg_map_versions_missing (FlgExperiment *experiment, gint64 dataset);
