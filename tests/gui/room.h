/* room.h: a control room on a made experiment, for tests that drive it through its actions and look at the store. */
#pragma once

#include "gui/window.h"
#include "tests/gui/made-store.h"

typedef struct
{
  char *folder;
  gboolean made;  /* the folder goes with the room */
  guint64 now;    /* what the room's clock says, ns UTC; moves only by hand */
  guint64 newest; /* when the newest made shot has ended */
  FlgContext *context;
  FlgWindow *window;
} Room;

/* A room with `runs` made runs. `view`: with a serve child. */
Room *room_new (guint runs, FlStoreMode mode, gboolean view);
/* Its jobs index, refine and integrate (made-store.h). */
Room *room_new_indexing (guint runs);
/* Its jobs find single particles (made-store.h). With a serve child. */
Room *room_new_particles (guint runs);
/* A room on a made folder (g_free'd and removed with the room). */
Room *room_adopt (char *folder, FlStoreMode mode, gboolean view);
/* A room on an experiment that stays; it is not written to, and has no serve child. */
Room *room_open (const char *folder);
void room_free (Room *room);
void room_remove_tree (const char *path);
/* Shows the page and waits until it is settled. */
FlgPage *room_page (Room *room, const char *name);
/* Activates an action of the page, or of the window. */
void room_do (GtkWidget *widget, const char *action, const char *format, ...);
/* Runs the main loop until the shown page is settled and the store's thread has been heard once more. */
void room_settle (Room *room);
/* A look at the store by a handle of its own. */
FlStore *room_look (Room *room);
/* How many runs have the tag; 0 when there is none. */
guint room_n_tagged (Room *room, const char *name);
/* FIRSTLIGHT_PICTURES=FOLDER: what the widget shows is written there as `name`.png; else nothing. */
void picture (gpointer widget, const char *name);
void assert_in (const char *text, const char *part);
