/* remote.h: a login on another machine: one connection, many channels, kept alive and made again (design §8).
 *
 * Two transports: libssh2, built in, and the installed OpenSSH client through a ControlMaster, for what Debian's libssh2 1.10
 * cannot do (RSA keys, ed25519 and RSA certificates, servers with only etm MACs, ProxyJump, ~/.ssh/config). Each lends channels;
 * commands and files (our SFTP client over a channel) are the same code for both: fl_remote_host().
 *
 * Host keys are verified against known_hosts: an unknown one is asked about with its fingerprint and then remembered; a changed
 * one is refused and explained, never asked about.
 *
 * Thread: made, asked and freed on one thread with a main context, which is where `changed` and `ask` are called; the connection
 * itself is a thread's (or a child's) of its own. The FlHost is for any thread. */
#pragma once

#include "engine/remote/host.h"

typedef enum
{
  FL_REMOTE_AUTO,    /* libssh2, else OpenSSH, which is then said in the message */
  FL_REMOTE_LIBSSH2, /* "libssh2" */
  FL_REMOTE_OPENSSH  /* "openssh" */
} FlRemoteTransport;

const char *fl_remote_transport_name (FlRemoteTransport transport); /* "auto", … */
FlRemoteTransport fl_remote_transport_parse (const char *name);     /* unknown: AUTO */

typedef struct
{
  char *host, *user; /* user "": the one who runs us; host may be a name of ~/.ssh/config with OpenSSH */
  int port;          /* 0: 22, or what the configuration says */
  char *identity;    /* private key file; "": agent, then ~/.ssh/id_* */
  FlRemoteTransport transport;
  char *known_hosts; /* NULL: ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts to read */
  char *config_file; /* OpenSSH's; NULL: its own rules; "none": none */
  int keep_alive_s;  /* 0: 5 */
} FlRemoteConfig;

typedef enum
{
  FL_REMOTE_OFFLINE, /* not asked to connect, or given up: message says why; fl_remote_connect() tries again */
  FL_REMOTE_CONNECTING,
  FL_REMOTE_ASKING, /* a question to the person is open */
  FL_REMOTE_UP,
  FL_REMOTE_SLOW, /* the last keep-alive is unanswered for more than 3 s */
  FL_REMOTE_LOST, /* will be tried again at retry_at (back-off 1 s … 60 s) */
} FlRemoteState;

const char *
fl_remote_state_name (FlRemoteState state); /* "offline", "connecting", "asking", "up", "slow", "lost" */

typedef struct
{
  FlRemoteState state;
  FlRemoteTransport transport; /* in use; AUTO: none yet */
  gint64 round_trip;           /* µs of the last keep-alive; -1 = not measured */
  guint64 retry_at;            /* ns UTC; 0 = no */
  guint64 since;               /* ns UTC: in this state */
  const char *message;         /* one line: why it is not up, or what is noteworthy; "" */
} FlRemoteStatus;

/* --- questions to the person --- */

typedef enum
{
  FL_REMOTE_ASK_HOST_KEY,   /* unknown host: answers "yes" or "no"; text has the fingerprint */
  FL_REMOTE_ASK_PASSPHRASE, /* of a key file */
  FL_REMOTE_ASK_PASSWORD,
  FL_REMOTE_ASK_CODE /* keyboard-interactive: as many fields as the server asks for */
} FlRemoteAskKind;

typedef struct
{
  guint id;
  FlRemoteAskKind kind;
  char *title;    /* "Password for ana@cori.example.org" */
  char *text;     /* instruction; of a host key: "ED25519 SHA256:…"; "" */
  guint n_fields; /* 1 … 8; 0 of a host key */
  char **labels;  /* of the fields, as the server words them, made harmless */
  gboolean *echo; /* what is typed may be seen */
} FlRemoteQuestion;

FlRemoteQuestion *fl_remote_question_copy (const FlRemoteQuestion *question);
void fl_remote_question_free (FlRemoteQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlRemoteQuestion, fl_remote_question_free)

typedef struct FlRemote FlRemote;

typedef struct
{
  void (*changed) (FlRemote *remote, const FlRemoteStatus *status, gpointer data);
  /* Answer it with fl_remote_answer(), whenever. NULL `question`: the open one is void (the connection went). */
  void (*ask) (FlRemote *remote, const FlRemoteQuestion *question, gpointer data);
} FlRemoteEvents;

/* Copies `config`. Does nothing until fl_remote_connect(). */
FlRemote *fl_remote_new (const FlRemoteConfig *config, const FlRemoteEvents *events, gpointer data);
/* Ends the connection; hosts that others still hold answer FL_ERROR_BUSY from now on. */
void fl_remote_free (FlRemote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlRemote, fl_remote_free)

/* From now on it is kept up: made, and made again when lost. Once when it waits for its next try: tries now. */
void fl_remote_connect (FlRemote *remote);
void fl_remote_disconnect (FlRemote *remote);
const FlRemoteStatus *fl_remote_status (FlRemote *remote);
const FlRemoteConfig *fl_remote_config (FlRemote *remote);

/* `answers`: n_fields strings, wiped after use; of a host key: "yes" or "no"; NULL: the person refuses, and the connection is
 * OFFLINE. An id that is no longer open is ignored. */
void fl_remote_answer (FlRemote *remote, guint id, const char *const *answers);

/* The machine at the far end: calls fail with FL_ERROR_BUSY while it is not up. Valid for ever; a reference. */
FlHost *fl_remote_host (FlRemote *remote);

/* Why libssh2 would not do for this configuration, one line, as far as it can be told without connecting (an RSA key file,
 * a certificate beside the key, a ProxyJump or Match for that host); NULL: it may do. Free it. */
char *fl_remote_why_not_libssh2 (const FlRemoteConfig *config);
