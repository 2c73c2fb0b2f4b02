/* log-line.h: one edit as an item of the Log's list, with its words. Thread: main. */
#pragma once

#include "gui/experiment.h"

#define FLG_TYPE_LOG_LINE (flg_log_line_get_type ())
G_DECLARE_FINAL_TYPE (FlgLogLine, flg_log_line, FLG, LOG_LINE, GObject)

/* Line `at` of `edits` (of FlEdit), which it keeps. */
FlgLogLine *flg_log_line_new (FlgExperiment *experiment, GPtrArray *edits, guint at);
const FlEdit *flg_log_line_edit (FlgLogLine *self);
const char *flg_log_line_words (FlgLogLine *self);
