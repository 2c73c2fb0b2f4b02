/* program.h: what every subcommand of firstlight-engine and firstlight-control has in common. One file a subcommand. */
#pragma once

#include <glib.h>

#include "engine/base/params.h"

typedef struct
{
  const char *name;
  int (*run) (int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit status */
  const char *summary;                /* one line for --help */
} FlProgram;

/* Finds argv[1] in the NULL-name-terminated list and runs it; --help, --version (--features: what the build can do, and
 * what `features` adds, which may be NULL) and `help PARAM` are answered here. */
int fl_program_main (const FlProgram *programs, const char *title, void (*features) (void), int argc,
                     char **argv);

/* Prints "name: message" on one line and gives the exit status that goes with the error. */
int fl_program_fail (const char *program, const GError *error);

/* The options that every engine command takes: --set name=value (repeated), --params FILE. Added to a GOptionContext
 * as a group; after parsing, fl_program_params() gives the resolved parameters (file first, then --set in order). */
typedef struct
{
  char **sets;
  char *params_file;
} FlProgramOptions;

void fl_program_options_clear (FlProgramOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlProgramOptions, fl_program_options_clear)
void fl_program_add_options (GOptionContext *context, FlProgramOptions *options);
FlParams *fl_program_params (const FlProgramOptions *options, GError **error);
