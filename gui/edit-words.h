/* edit-words.h: columns, values and edits of records in the words of people. Strings are g_free'd. Thread: main. */
#pragma once

#include "gui/experiment.h"

/* "comment", "first run" …; columns that people do not meet are called as in the store. Static or `column` itself. */
const char *flg_column_label (const char *column);
/* "run", "step of a dataset" … Static. */
const char *flg_table_noun (FlTable table);
/* A column's text as it is read: yes and no, names instead of ids; bounded. */
char *flg_column_words (FlgExperiment *experiment, const char *column, const char *text);
/* What was done: "comment of run r0012: ‘x’ → ‘y’". One line. */
char *flg_edit_words (FlgExperiment *experiment, const FlEdit *edit);
/* The lines of `after` that `before` has not, begun with "+ ", and the other way round with "− ", in order; "" when
 * they are the same. Section heads of parameters are kept above what differs. */
char *flg_text_difference (const char *before, const char *after);
