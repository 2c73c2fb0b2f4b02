/* asker.h: brings the questions of far machines before the person at a window: a dialog for each, once; closed without an
 * answer, a line above the pages says so and offers it again. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/links.h"

typedef struct FlgAsker FlgAsker;

/* `text` NULL: nothing is open any more. The action is "win.link-answer" with that site. */
typedef void (*FlgAskerSays) (const char *text, gint64 site, gpointer data);

FlgAsker *flg_asker_new (GtkWindow *window, FlgLinks *links, FlgAskerSays says, gpointer data);
void flg_asker_free (FlgAsker *asker);
/* Shows the dialog of that site's question, if one is open. */
void flg_asker_ask (FlgAsker *asker, gint64 site);
/* The dialog that is shown; NULL: none. */
GtkWidget *flg_asker_dialog (FlgAsker *asker);
