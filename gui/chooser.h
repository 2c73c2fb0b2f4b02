/* chooser.h: a drop-down of things with ids, refilled as things come without losing what is chosen. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#define FLG_TYPE_CHOOSER (flg_chooser_get_type ())
G_DECLARE_FINAL_TYPE (FlgChooser, flg_chooser, FLG, CHOOSER, GtkBox)

/* Signal "chosen" (gint64 id): by the user, by flg_chooser_choose(), or because what was chosen has gone. */
GtkWidget *flg_chooser_new (void);
/* Begin, add all in order, end: no-op when nothing differs. The first is chosen when what was chosen is not among them. */
void flg_chooser_begin (FlgChooser *self);
void flg_chooser_add (FlgChooser *self, gint64 id, const char *label);
void flg_chooser_end (FlgChooser *self);
gint64 flg_chooser_get (FlgChooser *self); /* G_MININT64: empty */
/* Remembered until it is there, if it is not. */
void flg_chooser_choose (FlgChooser *self, gint64 id);
void flg_chooser_step (FlgChooser *self, int by);
