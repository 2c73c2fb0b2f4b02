/* tag-expression.h: which runs a dataset takes.
 *
 *   expression = or-list           lysozyme and not dark
 *   words: tag names; "quoted names" with \" and \\; and, or, not, ( ), and ranges of runs: runs 12-40, runs r0012-, run r0007,
 *   runs 3,5,9-12. `not` binds more than `and`, `and` more than `or`. Case counts in tags, not in words.
 *
 * Immutable once parsed. Thread: any. */
#pragma once

#include <glib.h>

typedef struct FlTagExpression FlTagExpression;

/* FL_ERROR_INPUT says what is wrong and at which character (from 1). "" is no expression. `tags` (may be NULL): names that there
 * are; an unknown one is then an error that names the nearest. */
FlTagExpression *fl_tag_expression_parse (const char *text, const char *const *tags, GError **error);
void fl_tag_expression_free (FlTagExpression *expression);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlTagExpression, fl_tag_expression_free)
/* `tags`: names of the run's tags, NULL-terminated. */
gboolean fl_tag_expression_matches (const FlTagExpression *expression, const char *run_name,
                                    const char *const *tags);
/* The tags that it names, NULL-terminated, each once; free with g_strfreev. */
char **fl_tag_expression_tags (const FlTagExpression *expression);
/* The same, as one would write it anew: for a tag that was renamed (`from` to `to`; both NULL: as it is). */
char *fl_tag_expression_text (const FlTagExpression *expression, const char *from, const char *to);
