/* attempt-options.h: what every program takes that writes a job's folder in attempts, on any number of ranks. */
#pragma once

#include "engine/programs/program.h"

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
