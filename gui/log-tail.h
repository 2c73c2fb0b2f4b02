/* log-tail.h: follows a growing file through the serve child and shows it in a log view.
 *
 * One request at a time, every second while the file may grow and the view is on screen. Thread: main. */
#pragma once

#include "engine/view/client.h"
#include "widgets/log-view.h"

typedef struct FlgLogTail FlgLogTail;

/* `view` may be NULL: nothing is shown then. */
FlgLogTail *flg_log_tail_new (FlwLogView *log, FlViewClient *view);
void flg_log_tail_free (FlgLogTail *tail);
/* Begins with the end of another file; NULL: none. The same path again goes on where it was. */
void flg_log_tail_follow (FlgLogTail *tail, const char *path, gboolean growing);
gboolean flg_log_tail_is_settled (FlgLogTail *tail);
