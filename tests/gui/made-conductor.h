/* made-conductor.h: the conductor's own end of the socket, with a script instead of machines, and a room with a far site
 * beside it. Sockets are the test's own. */
#pragma once

#include "engine/control/control-socket-server.h"
#include "gui/question-dialog.h"
#include "tests/gui/room.h"

typedef struct
{
  FlControlServer *server;
  GPtrArray *heard;  /* char *: "connect 3", "answer 3 7 secret|…", "probe 3 1" … */
  gboolean connects; /* whoever is to be connected is up at once */
} Conductor;

/* In place of display_init() and g_test_run(). */
void conductor_init (int *argc, char ***argv);
int conductor_run (void);

Conductor *conductor_new (Room *room);
void conductor_free (Conductor *c);
void wait_heard (Conductor *c, const char *what);
void tell (Conductor *c, gint64 site, FlRemoteState state, gint64 round_trip, guint64 retry_at,
           const char *message);
void question (Conductor *c, gint64 site, guint id, FlRemoteAskKind kind, const char *title, const char *text,
               guint n, const char *const *labels, const gboolean *echo);

/* --- a room beside it --- */

/* Beside the sites "local" (1) and "here" (2): `name` (3) over SSH, with jobs that ran there. */
void make_far_site (Room *room, const char *name);

/* A room with it, connected to the conductor. */
Conductor *far_room (Room **room, const char *name);
void leave (Room *room, Conductor *c);

gboolean is_connected (gpointer room);
void wait_chip (Room *room, const char *part);

gboolean has_dialog (gpointer room); /* with a far machine's question */
gboolean has_no_dialog (gpointer room);
FlgQuestionDialog *wait_dialog (Room *room);
