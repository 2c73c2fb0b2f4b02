/* banner.h: one line across a page that says what happened and offers what to do about it; hides itself
 * after a while if it is only news. Signal "action" () when its button is pressed. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/palette.h"

G_BEGIN_DECLS

#define FLW_TYPE_BANNER (flw_banner_get_type ())
G_DECLARE_FINAL_TYPE (FlwBanner, flw_banner, FLW, BANNER, GtkWidget)

GtkWidget *flw_banner_new (void);
/* `button` may be NULL. `seconds`: hides by itself; 0: stays until closed. */
void flw_banner_show (FlwBanner *banner, FlwTone tone, const char *text, const char *button, guint seconds);
void flw_banner_hide (FlwBanner *banner);

G_END_DECLS
