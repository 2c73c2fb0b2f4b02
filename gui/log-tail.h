/* log-tail.h: a growing file, read through a serve child, in a log view: its end, or the part around a match that was looked
 * for at the far end of the link.
 *
 * One request at a time, every second while the file may grow and the view is on screen. Thread: main. */
#pragma once

#include "engine/view/client.h"
#include "widgets/log-view.h"

typedef struct FlgLogTail FlgLogTail;

/* Called when flg_log_tail_note() says something else. */
typedef void (*FlgLogTold) (gpointer data);

FlgLogTail *flg_log_tail_new (FlwLogView *log, FlgLogTold told, gpointer data);
void flg_log_tail_free (FlgLogTail *tail);
/* Begins with the end of another file; NULL: none. The same path again goes on where it was. `view` may be NULL: nothing is
 * shown then. */
void flg_log_tail_follow (FlgLogTail *tail, FlViewClient *view, const char *path, gboolean growing);
/* Looks in the whole file for the next match (any case) behind the last one, around once at its end; "": the next line that
 * looks like an error. `from_start`: the first one. */
void flg_log_tail_find (FlgLogTail *tail, const char *pattern, gboolean from_start);
/* Shows the end again. */
void flg_log_tail_show_end (FlgLogTail *tail);
gboolean flg_log_tail_is_at_end (FlgLogTail *tail);
/* What is seen of the file: "end of 3.4 MB", "line 48,211 …", "not in all of its 3.4 MB". */
const char *flg_log_tail_note (FlgLogTail *tail);
gboolean flg_log_tail_is_settled (FlgLogTail *tail);
