/* display-profile.h: which GSK renderer this display deserves, decided before GTK starts.
 *
 * GTK 4.8's GL renderer redraws the whole window for every change: over a forwarded display a moved crosshair then costs
 * megabytes, and on a machine without a GPU it runs on llvmpipe. The cairo renderer sends what changed. GTK offers no
 * other way to choose than the environment (GSK_RENDERER), so this is the only file that knows of it.
 * Thread: main. flg_display_profile_choose() comes before gtk_init(); the rest after. */
#pragma once

#include <gtk/gtk.h>

typedef enum
{
  FLG_RENDERER_AUTO,
  FLG_RENDERER_GL,
  FLG_RENDERER_CAIRO
} FlgRenderer;

typedef struct
{
  gboolean cairo;
  gboolean remote; /* the display is at the far end of a network: fewer redraws, no animation */
  const char *why; /* one clause; static */
} FlgDisplayProfile;

gboolean flg_renderer_parse (const char *text, FlgRenderer *renderer);
/* Sets GSK_RENDERER unless the user has. */
FlgDisplayProfile flg_display_profile_choose (FlgRenderer wanted);
/* After gtk_init(): switches animations off on a remote display. */
void flg_display_profile_apply (const FlgDisplayProfile *profile);
/* Name of the renderer that `widget`'s window really got, e.g. "GskCairoRenderer"; "none" before it is realised. */
const char *flg_display_profile_renderer (GtkWidget *widget);
