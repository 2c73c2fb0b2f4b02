/* history.h: taking back and doing again what the person at the screen has changed: tags, comments, activation.
 *
 * Redo takes back the newest undo. Thread: main. */
#pragma once

#include "gui/context.h"
#include "widgets/palette.h"

typedef struct FlgHistory FlgHistory;

/* What has come of it, one line; `action`: a button's ("win.redo", "win.undo"), NULL: none. */
typedef void (*FlgHistorySaid) (FlwTone tone, const char *text, const char *action, gpointer data);

FlgHistory *flg_history_new (FlgContext *context, FlgHistorySaid said, gpointer data);
/* Nothing is said any more. */
void flg_history_free (FlgHistory *self);
/* `edit` 0: one's own newest that can be. */
void flg_history_undo (FlgHistory *self, gint64 edit);
void flg_history_redo (FlgHistory *self);
