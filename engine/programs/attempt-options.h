/* attempt-options.h: what every program takes that writes a job's folder in attempts, on any number of ranks, and how it begins one. */
#pragma once

#include "engine/parallel/parallel.h"
#include "engine/programs/program.h"

#define FL_ATTEMPT_PATIENCE 15 /* s, for ranks of a killed attempt to be gone */

typedef struct
{
  FlProgramOptions common; /* --set, --params */
  char *out;               /* --out: the job's folder */
  int attempt;             /* --attempt: 0 = the next */
  gboolean help;
  char **inputs; /* one or more */
} FlAttemptOptions;

void fl_attempt_options_clear (FlAttemptOptions *options);
/* `more`: the program's own options, or NULL. `usage`: "firstlight-engine merge --out DIR INPUT…". FALSE with error
 * (FL_ERROR_INPUT); or without one where only help was asked for: it is printed if `speak`. */
gboolean fl_attempt_options_parse (FlAttemptOptions *options, const GOptionEntry *more, const char *summary,
                                   const char *usage, gboolean speak, int argc, char **argv, GError **error);

/* No input twice, however it is spelled: lattices that came twice would agree with themselves. Nor is --out one of them. */
gboolean fl_attempt_inputs_differ (const FlAttemptOptions *options, GError **error);
/* What an attempt runs with. Free with g_free. */
char *fl_attempt_params_text (FlParallel *parallel, const FlParams *params);
/* Rank 0: makes the attempt's folder, holds it (*hold: see fl_attempt_hold()), waits for an earlier one's ranks and writes
 * params.txt there and in the job's folder. *dir: free with g_free; NULL when no folder could be made. */
gboolean fl_attempt_begin (const FlAttemptOptions *options, FlParallel *parallel, const FlParams *params,
                           guint *attempt, char **dir, int *hold, GError **error);
/* The end of the program, collective: rank 0 says what went wrong, if anything did; `hold` (-1: none) is let go. Returns the exit
 * status. */
int fl_attempt_end (FlParallel *parallel, const char *program, int hold, const GError *error);
