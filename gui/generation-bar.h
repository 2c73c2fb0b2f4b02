/* generation-bar.h: which generation of a reconstruction is looked at: a slider, steps, and "live", which follows the newest. Signal
 * "chosen" (): another one, or live, by a person or because a newer one came. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#define FLG_TYPE_GENERATION_BAR (flg_generation_bar_get_type ())
G_DECLARE_FINAL_TYPE (FlgGenerationBar, flg_generation_bar, FLG, GENERATION_BAR, GtkBox)

/* Numbers, ascending; emits "chosen" when what is shown is another one now. */
void flg_generation_bar_set (FlgGenerationBar *self, guint n, const guint32 *numbers);
/* Position among them; −1: there are none. */
int flg_generation_bar_get (FlgGenerationBar *self);
/* The nearest to that number is shown; 0: live. */
void flg_generation_bar_choose (FlgGenerationBar *self, guint32 number);
void flg_generation_bar_step (FlgGenerationBar *self, int by);
gboolean flg_generation_bar_is_live (FlgGenerationBar *self);
