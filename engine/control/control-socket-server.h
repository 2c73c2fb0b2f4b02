/* control-socket-server.h: the conductor's side of its socket (control-socket.h): who asks what goes to the conductor, what it
 * tells goes to all. Only processes of the same user are listened to, 64 at most. Thread: the main context it was made in. */
#pragma once

#include "engine/control/control-socket.h"

typedef struct FlControlServer FlControlServer;
/* Somebody who asked for a channel and waits for it. */
typedef struct FlControlAsker FlControlAsker;

typedef struct
{
  /* `answers` NULL: refused. They are valid during the call and wiped after. */
  void (*answer) (gint64 site, guint id, const char *const *answers, gpointer data);
  void (*connect) (gint64 site, gboolean up, gpointer data);
  void (*probe) (gint64 site, gboolean push, gpointer data);
  void (*stop_probe) (gint64 site, gpointer data);
  /* Answer with fl_control_server_lend() or fl_control_server_refuse(), at once. */
  void (*channel) (gint64 site, const char *const *argv, FlControlAsker *asker, gpointer data);
} FlControlEvents;

/* Listens on fl_control_socket_path(). Whoever calls this holds the store's lease: a socket that is there already is of a
 * dead conductor and is replaced. */
FlControlServer *fl_control_server_new (const char *store_path, const FlControlEvents *events, gpointer data,
                                        GError **error);
/* Ends all connections, lent channels too. */
void fl_control_server_free (FlControlServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlControlServer, fl_control_server_free)

/* To all that are connected; kept for those to come: the last state of each site's link, and questions until they are void. */
void fl_control_server_link (FlControlServer *server, gint64 site, const char *state, gint64 round_trip,
                             guint64 retry_at, const char *message);
void fl_control_server_question (FlControlServer *server, gint64 site, const FlRemoteQuestion *question);
void fl_control_server_void (FlControlServer *server, gint64 site);
/* The question of that id, if it is the open one, is void. */
void fl_control_server_answered (FlControlServer *server, gint64 site, guint id);
void fl_control_server_step (FlControlServer *server, gint64 site, const char *step, const char *state,
                             const char *message, const char *advice, double seconds);
void fl_control_server_probed (FlControlServer *server, gint64 site, gboolean well);
void fl_control_server_forget (FlControlServer *server, gint64 site); /* it has been removed */

/* Opens argv on the host and connects it to the asker, both ways, on a thread of its own. */
void fl_control_server_lend (FlControlServer *server, FlControlAsker *asker, FlHost *host,
                             const char *const *argv);
void fl_control_server_refuse (FlControlServer *server, FlControlAsker *asker, const char *why);
