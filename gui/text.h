/* text.h: values as people read them, and what they look for. Strings are the caller's (g_free). Thread: any. */
#pragma once

#include <glib.h>

#include "engine/store/stats.h"

/* "12,345". */
char *flg_format_count (gint64 count);
/* "24.8 %"; "–" when `of` is 0. */
char *flg_format_percent (gint64 part, gint64 of);
/* Local wall time: "14:03:20", with the day when it is not today's ("20 Nov 14:03"); "–" for 0. */
char *flg_format_time (guint64 ns, guint64 now);
/* "1:23", "12:04:10"; of what has ended in less than 10 s "0.4 s"; "–" when it has not begun. `end` 0: until now. */
char *flg_format_elapsed (guint64 start, guint64 end, guint64 now);
/* At most so many characters of it, valid, the rest an ellipsis: what others write may be of any length. NULL: "". */
char *flg_text_bounded (const char *text, guint most);
/* Each of the words, apart by spaces, is somewhere in the text, whatever the case. */
gboolean flg_text_has_words (const char *text, const char *words);
