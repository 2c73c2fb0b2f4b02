/* log-page.h: the Log: who changed what, newest first, and what can be taken back.
 *
 * Actions (log.): undo (x edit), older, filter (s words), person (s name, "" = all). Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_LOG_PAGE (flg_log_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgLogPage, flg_log_page, FLG, LOG_PAGE, FlgPage)

guint flg_log_page_n_shown (FlgLogPage *self);
/* "ana at hall-2: set comment of run r0001: ‘’ → ‘x’"; undone ones begin with "undone: ". NULL: not so many. g_free. */
char *flg_log_page_line (FlgLogPage *self, guint row);
/* The edit of a row; 0: not so many. */
gint64 flg_log_page_edit (FlgLogPage *self, guint row);
