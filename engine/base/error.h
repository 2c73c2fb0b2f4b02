/* error.h: the engine's GError domain.
 *
 * Every message is one line: `file: what is wrong, what was expected`. Programs print it and exit with
 * fl_error_exit_status(). Thread: any. */
#pragma once

#include <glib.h>

#define FL_ERROR (fl_error_quark ())

typedef enum
{
  FL_ERROR_INPUT,       /* a file or value from outside is wrong or damaged: exit 2 */
  FL_ERROR_UNSUPPORTED, /* understood, but not something that we do: exit 2 */
  FL_ERROR_MISSING,     /* a file or object that should be there is not: exit 2 */
  FL_ERROR_BUSY,        /* somebody else holds it; try again: exit 75 */
  FL_ERROR_STOPPED,     /* asked to stop, state saved; try again: exit 75 */
  FL_ERROR_LOST,        /* the database does not answer; try again: exit 75 */
  FL_ERROR_DENIED,      /* the person's role does not allow it: exit 2 */
  FL_ERROR_CONFLICT,    /* somebody else has changed it meanwhile: exit 2 */
  FL_ERROR_FAILED       /* anything else: exit 1 */
} FlError;

GQuark fl_error_quark (void);

/* The exit status that the design promises for `error` (sysexits' 75 = try again). */
int fl_error_exit_status (const GError *error);

/* Text from outside for a message: what would control a terminal or begin a line becomes `instead`. Returns `text`. */
char *fl_one_line (char *text, char instead);

/* Puts "path: " in front of the message, unless it starts with it already. */
void fl_error_prefix_path (GError **error, const char *path);
