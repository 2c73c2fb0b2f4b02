/* tag-expression.h: which runs a dataset takes.
 *
 *   expression = or-list           lysozyme and not dark
 *   words: tag names; "quoted names" with \" and \\; and, or, not, ( ), and ranges of runs: runs 12-40, runs r0012-, run r0007,
 *   runs 3,5,9-12. `not` binds more than `and`, `and` more than `or`. Case counts in tags, not in words.
 *
 * A bound of digits alone is a number: that of a run is the first in its name, so that 12 is r0012 and run12.h5 (a run without
 * one is in no such range). Names of runs with hyphens in them are quoted: runs "night-2"-"night-9".
 *
 * Immutable once parsed. Thread: any. */
#pragma once

#include <glib.h>

typedef struct FlTagExpression FlTagExpression;

/* FL_ERROR_INPUT says what is wrong and at which character (from 1). "" is no expression. `tags` (may be NULL): names that there
 * are; an unknown one is then an error that names the nearest. */
FlTagExpression *fl_tag_expression_parse (const char *text, const char *const *tags, GError **error);

/* Where the error is: characters from 0; at the end of the text it has no length. */
typedef struct
{
  guint at, length;
} FlTagSpan;

/* The same; `wrong` (may be NULL) is set only with an error. */
FlTagExpression *fl_tag_expression_parse_at (const char *text, const char *const *tags, FlTagSpan *wrong,
                                             GError **error);
void fl_tag_expression_free (FlTagExpression *expression);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlTagExpression, fl_tag_expression_free)
/* `tags`: names of the run's tags, NULL-terminated. */
gboolean fl_tag_expression_matches (const FlTagExpression *expression, const char *run_name,
                                    const char *const *tags);
/* The tags that it names, NULL-terminated, each once; free with g_strfreev. */
char **fl_tag_expression_tags (const FlTagExpression *expression);
/* The same, as one would write it anew: for a tag that was renamed (`from` to `to`; both NULL: as it is). */
char *fl_tag_expression_text (const FlTagExpression *expression, const char *from, const char *to);
/* A tag's name as it stands in an expression: in quotes where it needs them. */
char *fl_tag_expression_quote (const char *name);
/* A run's name after `runs`: that run, and no number. */
char *fl_tag_expression_quote_run (const char *name);
