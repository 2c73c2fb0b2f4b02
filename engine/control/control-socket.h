/* control-socket.h: how the control room, and programs that borrow a channel, talk to the conductor of an experiment on this
 * machine: a unix socket, open to the same user alone.
 *
 * The conductor owns the logins at far sites (one prompt a shift); questions about them go to every control room that is
 * connected, the first answer counts. Framing: u32 length (little-endian, ≤ 1 MiB), then a serialised GVariant "(sv)": word and
 * value. After "channel" was granted, the socket is the far program's standard input and output, bytes both ways.
 *
 *   to the conductor            value
 *   "hello"                     (u): version 1
 *   "answer"                    (xuas): site, question's id, answers; an empty list: refused
 *   "connect", "disconnect"     (x): site: now
 *   "probe"                     (xb): site, push the engine if it is not there
 *   "stop-probe"                (x)
 *   "channel"                   (xas): site, argv to run there; only as the first word after hello
 *   from the conductor
 *   "welcome"                   (us): version, program
 *   "link"                      (xsxts): site, state, round trip µs, retry at ns UTC, message; once a site after hello, then changes
 *   "question"                  (xuussasab): site, id, kind, title, text, labels, echo; open ones after hello, too
 *   "void"                      (xu): site, id: no longer open
 *   "step"                      (xssssd): site, step, state, message, advice, seconds
 *   "probed"                    (xb): site, all well
 *   "granted", "refused"        (s): "", why
 */
#pragma once

#include <gio/gio.h>

#include "engine/remote/remote.h"
#include "engine/store/store.h"

#define FL_CONTROL_VERSION 1

/* Path of the socket of the experiment's conductor: in $XDG_RUNTIME_DIR/firstlight, else in a private folder of /tmp; short
 * enough for a socket, the same for all who open this store. Free it. */
char *fl_control_socket_path (const char *store_path);
/* What that takes, of an open store. */
const char *fl_control_store_path (FlStore *store);

/* Frames, for both sides. */
GBytes *fl_control_encode (const char *word, GVariant *value); /* value is sunk */
/* Takes one whole frame from the front of `buffer`; NULL without error: not all of it is there yet. */
GVariant *fl_control_decode (GByteArray *buffer, const char **word, GError **error);

/* --- the control room's side; thread: the main context it was made in --- */

#define FL_TYPE_CONTROL_CLIENT (fl_control_client_get_type ())
G_DECLARE_FINAL_TYPE (FlControlClient, fl_control_client, FL, CONTROL_CLIENT, GObject)

/* Connects at once, and again with a pause (0.5 … 5 s) while nobody answers. Property "connected" (notify). Signals:
 *   link (gint64 site, const char *state, gint64 round_trip, guint64 retry_at, const char *message)
 *   question (gint64 site, const FlRemoteQuestion *question)
 *   question-void (gint64 site, guint id)
 *   step (gint64 site, const char *step, const char *state, const char *message, const char *advice, double seconds)
 *   probed (gint64 site, gboolean well) */
FlControlClient *fl_control_client_new (const char *store_path);
void fl_control_client_close (FlControlClient *client);
gboolean fl_control_client_is_connected (FlControlClient *client);
void fl_control_client_answer (FlControlClient *client, gint64 site, guint id, const char *const *answers);
void fl_control_client_connect_site (FlControlClient *client, gint64 site);
void fl_control_client_disconnect_site (FlControlClient *client, gint64 site);
void fl_control_client_probe (FlControlClient *client, gint64 site, gboolean push);
void fl_control_client_stop_probe (FlControlClient *client, gint64 site);
