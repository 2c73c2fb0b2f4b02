/* params.h: parameters, described once in resources/parameters/NAME.params and read from there by everyone.
 *
 * The table (one entry a parameter: type, unit, default, range, choices, label, help, stage) is built into every
 * program. From it come the strict reader of trial text, `help PARAM`, the trial editor's form, the diff of two
 * trials. Trial text:
 *
 *   [spots]
 *   sigma_strong = 3      ; a comment
 *
 * or `spots.sigma_strong = 3` outside sections. Duplicates, unknown names and values out of range are errors with line
 * numbers. Values are kept in user units (degrees), as written; the getters below give them so.
 * Thread: the table any; an FlParams belongs to one thread until it is no longer changed. */
#pragma once

#include <glib.h>

typedef enum
{
  FL_PARAM_BOOL, /* yes | no */
  FL_PARAM_INT,
  FL_PARAM_REAL,
  FL_PARAM_TEXT,
  FL_PARAM_PATH,
  FL_PARAM_CHOICE, /* one of `choices` */
  FL_PARAM_REALS   /* `count` numbers, comma-separated; empty = not given */
} FlParamType;

typedef struct
{
  const char *name; /* "spots.sigma_strong" */
  FlParamType type;
  const char *unit;           /* "" for a plain number */
  const char *default_text;   /* canonical */
  double min, max;            /* inclusive; ±INFINITY when open */
  guint count;                /* of FL_PARAM_REALS */
  const char *const *choices; /* NULL-terminated; NULL unless a choice */
  const char *const
      *finders; /* the choices of spots.algorithm that read it, NULL-terminated; NULL: all of them */
  const char *label, *help, *stage;
} FlParamSpec;

/* All parameters, in the order of the files. */
const FlParamSpec *fl_param_specs (guint *n_specs);
const FlParamSpec *fl_param_spec (const char *name);
/* Changes with every change of any table: stored with a trial. */
const char *fl_param_table_version (void);
/* Edits needed to turn `a` into `b` (Levenshtein 1966). */
guint fl_edit_distance (const char *a, const char *b);
/* NULL when there is none near enough; else "did you mean spots.sigma_strong?" */
char *fl_param_suggest (const char *unknown);
/* Many lines: what `help PARAM` prints. */
char *fl_param_describe (const FlParamSpec *spec);

/* Checks one value by itself. On success *canonical (may be NULL) is the text as we would write it. */
gboolean fl_param_check (const FlParamSpec *spec, const char *text, char **canonical, GError **error);

typedef struct FlParams FlParams;

FlParams *fl_params_new (void); /* all defaults */
FlParams *fl_params_copy (const FlParams *params);
void fl_params_free (FlParams *params);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlParams, fl_params_free)

gboolean fl_params_set (FlParams *params, const char *name, const char *text, GError **error);
/* "name=value", as after --set. */
gboolean fl_params_set_assignment (FlParams *params, const char *assignment, GError **error);
/* All or nothing. `origin` (a file's name) begins the message: "trial.params:12: …". */
gboolean fl_params_read (FlParams *params, const char *text, const char *origin, GError **error);
gboolean fl_params_read_file (FlParams *params, const char *path, GError **error);

const char *fl_params_text (const FlParams *params, const char *name);
gboolean fl_params_bool (const FlParams *params, const char *name);
gint64 fl_params_int (const FlParams *params, const char *name);
double fl_params_real (const FlParams *params, const char *name);
/* Index of the choice in the spec's list. */
guint fl_params_choice (const FlParams *params, const char *name);
/* FALSE when not given. `values` has room for the spec's count. */
gboolean fl_params_reals (const FlParams *params, const char *name, double *values);
gboolean fl_params_is_default (const FlParams *params, const char *name);

/* Trial text: all of them, or only those that differ from `base` (NULL: from the defaults). */
char *fl_params_write (const FlParams *params);
char *fl_params_write_changed (const FlParams *params, const FlParams *base);
