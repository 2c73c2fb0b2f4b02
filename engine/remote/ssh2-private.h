/* ssh2-private.h: what the files of the built-in transport share. The session belongs to one thread at a time: the one that logs
 * in, then the pump (ssh2-pump.c), which alone calls libssh2 from then on. */
#pragma once

#include <libssh2.h>

#include "engine/remote/secrets.h"
#include "engine/remote/transport.h"

typedef struct FlSsh2Channel FlSsh2Channel;

typedef struct
{
  FlTransport base;
  FlLogin login;
  LIBSSH2_SESSION *session;
  int socket;
  char *whom; /* "ana@cori.example.org" */

  /* while logging in */
  char *typed;          /* a password that the person has typed: kept once it is known to be right */
  gboolean used_kept;   /* a kept password was sent */
  gboolean answered;    /* a person's answer was sent */
  GError *problem;      /* of a question within keyboard-interactive */
  const char *mendable; /* what only OpenSSH can do and we have met; NULL */

  GThread *pump;
  int wake;               /* eventfd: `incoming` or `shut` have changed */
  GMutex mutex;           /* incoming, shut, lost, and what the channels say is guarded by it */
  GCond changed;          /* a channel has been opened or has ended */
  GPtrArray *incoming;    /* of FlSsh2Channel: to be opened */
  gboolean shut, lost;    /* asked to end; has ended */
  GPtrArray *channels;    /* the pump's, as the three below */
  FlSsh2Channel *blocked; /* half a packet of its has been sent: it goes on first */
  gboolean broken;        /* libssh2 has reported what cannot be mended */
  FlSsh2Channel *
      opening; /* until its command has begun: libssh2 1.10 opens one at a time, and takes another's answer to "exec" for a failure */
} FlSsh2;

/* Waits for the socket as libssh2 wants it. FALSE: FL_ERROR_BUSY after `deadline`, FL_ERROR_STOPPED. */
gboolean fl_ssh2_wait (FlSsh2 *ssh2, gint64 deadline, GError **error);
/* A session whose memory is wiped when it is freed: it may have held a password. */
LIBSSH2_SESSION *fl_ssh2_session_new (FlSsh2 *ssh2);
/* libssh2's own words for what went wrong, one line. Free it. */
char *fl_ssh2_words (FlSsh2 *ssh2);

gboolean fl_ssh2_connect (FlSsh2 *ssh2, GError **error); /* socket, handshake, host key */
gboolean fl_ssh2_authenticate (FlSsh2 *ssh2, GError **error);

gpointer fl_ssh2_pump (gpointer ssh2);
FlChannel *fl_ssh2_channel_open (FlTransport *transport, const char *command, GError **error);
