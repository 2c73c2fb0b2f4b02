/* application.h: opens experiments, starts what they need (serve child, conductor), owns the window.
 *
 * Works without a session bus. Actions (app.): open, join (s: ssh://…; "" asks), assistant (s: its page),
 * stop-demo, quit. Thread: main. */
#pragma once

#include "gui/window.h"

typedef struct
{
  char *folder;    /* or ssh://user@host/path: gui/follow.h; NULL: the assistant */
  char *assistant; /* its page to begin with (gui/assistant.h); NULL: the first */
  char *page;      /* to begin with; NULL: runs */
  gboolean read_only, no_conductor;
  char *snapshot;      /* PNG to write, then quit */
  int width, height;   /* 0: the default */
  double after;        /* s, before the snapshot */
  gboolean time_start; /* prints the time from start to the first frame */
} FlgOptions;

#define FLG_TYPE_APPLICATION (flg_application_get_type ())
G_DECLARE_FINAL_TYPE (FlgApplication, flg_application, FLG, APPLICATION, GtkApplication)

/* Both are borrowed until the application ends. */
FlgApplication *flg_application_new (const FlgOptions *options, const FlgDisplayProfile *profile);
/* Style sheets and icons, for the display there is; the application does it as it starts. */
void flg_load_style (void);
/* What g_application_run() gave, or 1 when the snapshot could not be written. */
int flg_application_status (FlgApplication *self);
