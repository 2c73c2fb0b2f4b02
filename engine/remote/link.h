/* link.h: one login, from the attempt to its end, in a thread of its own: it logs in by the transport that will do, keeps the
 * connection alive, measures its round trip and says when it is slow or lost. remote.c makes one link after the other. */
#pragma once

#include "engine/remote/secrets.h"
#include "engine/remote/sftp.h"
#include "engine/remote/transport.h"

typedef struct FlLink FlLink;

typedef struct
{
  FlRemoteState state; /* LOST or OFFLINE: the link is over (OFFLINE: trying again would do no good) */
  FlRemoteTransport transport;
  gint64 round_trip;                /* µs; -1 */
  const char *message;              /* "" */
  const FlRemoteQuestion *question; /* of ASKING */
} FlLinkNews;

typedef void (*FlLinkTell) (const FlLinkNews *news, gpointer data);

/* `tell` is called on the maker's main context, until fl_link_stop(). */
FlLink *fl_link_new (const FlRemoteConfig *config, FlSecrets *secrets, FlLinkTell tell, gpointer data);
FlLink *fl_link_ref (FlLink *link);
void fl_link_unref (FlLink *link); /* any thread; the last one waits for the transport's thread */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlLink, fl_link_unref)

/* Maker's thread: nothing is told from now on, and whatever waits for this link fails. Does not wait itself. */
void fl_link_stop (FlLink *link);
/* Waits a moment for a stopped link to be gone, so that nothing of it is left when the program ends next. */
void fl_link_await_end (FlLink *link);
void fl_link_answer (FlLink *link, guint id, const char *const *answers);

/* Of a link that is up; any thread. A server lends few channels at a time: waits for one, at most 20 s. */
FlChannel *fl_link_open (FlLink *link, const char *command, GError **error);
/* The same beyond the count, for what must not wait; its maker frees it. */
FlChannel *fl_link_open_spare (FlLink *link, const char *command, GError **error);
void fl_link_close (FlLink *link, FlChannel *channel);
FlSftp *fl_link_sftp (FlLink *link);
gboolean fl_link_is_over (FlLink *link);
