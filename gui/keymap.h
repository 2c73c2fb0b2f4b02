/* keymap.h: every key of the application as data: what it does, and the sentence that the key list shows.
 *
 * Keys work wherever the focus is, except that a text field keeps what it can use itself. Thread: main. */
#pragma once

#include <gtk/gtk.h>

typedef struct
{
  const char *group; /* N_() */
  const char *accelerator;
  const char *action; /* detailed action, "win.show-page::runs"; NULL: handled by a page or widget */
  const char *what;   /* N_() */
} FlgKey;

const FlgKey *flg_keymap (guint *n_keys);
/* Installs those with an action on a window. */
void flg_keymap_install (GtkWidget *window);
/* A window that lists them all; transient for `parent`. */
GtkWidget *flg_keymap_window_new (GtkWindow *parent);
