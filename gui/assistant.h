/* assistant.h: what is shown when no experiment is open: a new beamtime, a database that others share, an archive or a
 * folder, one on another machine over SSH, the demo; and those that were open before.
 *
 * Everything is tried out while it is filled in (assistant-field.h). Signals:
 *   open (const char *where, const char *then): open this folder (or ssh://…), `then`: "" as it is, "sites" and add
 *     a site, "demo" whose child processes are the assistant's (flg_assistant_demo()), "read-only"
 *   dismissed (): Escape on the first page: back to what was shown before, if anything was
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/demo.h"

#define FLG_TYPE_ASSISTANT (flg_assistant_get_type ())
G_DECLARE_FINAL_TYPE (FlgAssistant, flg_assistant, FLG, ASSISTANT, GtkBox)

GtkWidget *flg_assistant_new (void);
/* "welcome", "new", "join", "open", "demo"; "new:STEP" a later step of it. FALSE for another. */
gboolean flg_assistant_show (FlgAssistant *self, const char *page);
const char *flg_assistant_shown (FlgAssistant *self);
/* A folder without an experiment: it is proposed. */
void flg_assistant_propose (FlgAssistant *self, const char *folder);
/* Nothing is being found out. */
gboolean flg_assistant_is_settled (FlgAssistant *self);
/* The demo that was started here last; NULL: none. */
FlgDemo *flg_assistant_demo (FlgAssistant *self);
