/* transport.h: what a link needs of a way to the other machine: a login that lends channels. transport-ssh2.c is built in,
 * transport-openssh.c drives the installed client. */
#pragma once

#include "engine/remote/remote.h"

typedef struct FlSecrets FlSecrets;

/* What the maker of a transport gives it. All of it outlives the transport. */
typedef struct
{
  const FlRemoteConfig *config;
  const char *user; /* never "" */
  FlSecrets *secrets;
  int stop; /* becomes readable: whatever waits gives up */
  gboolean
      may_go; /* another transport can be tried, so rather give up than ask for a password that a key would have saved */
  /* Asks the person and waits: n_fields answers (free with fl_answers_free), or NULL with FL_ERROR_STOPPED, also when `watch`
   * (a socket) was hung up meanwhile: a server that nobody answers is not to be asked again and again. */
  char **(*ask) (FlRemoteQuestion *question, int watch, gpointer data, GError **error);
  /* The connection is gone; once, any thread. */
  void (*lost) (const char *why, gpointer data);
  gpointer data;
} FlLogin;

/* One command, or the "sftp" subsystem. The maker of it reads and closes both ends; after that it may ask how it ended. */
typedef struct FlChannel FlChannel;
struct FlChannel
{
  int fd;     /* a blocking socket: its standard input and output */
  int errors; /* a blocking socket: its standard error */
  /* Waits till `deadline` (monotonic µs) for its end: its exit status as in FlHostOutput, or -1. */
  int (*wait) (FlChannel *channel, gint64 deadline);
  /* Closes what is open and forgets it: never waits. */
  void (*free) (FlChannel *channel);
};

typedef struct FlTransport FlTransport;
struct FlTransport
{
  /* `command` NULL: the sftp subsystem. FL_ERROR_BUSY: lost; FL_ERROR_UNSUPPORTED: the server lends no more. Any thread. */
  FlChannel *(*open) (FlTransport *transport, const char *command, GError **error);
  /* Every channel ends now and `lost` is not called any more. Any thread; twice does no harm. */
  void (*shut) (FlTransport *transport);
  void (*free) (FlTransport *transport); /* after its channels */
};

/* Log in and wait for it. FL_ERROR_BUSY: the network; FL_ERROR_INPUT: refused; FL_ERROR_STOPPED: the person; and
 * FL_ERROR_UNSUPPORTED: the other transport may do. */
FlTransport *fl_transport_ssh2_new (const FlLogin *login, GError **error);
FlTransport *fl_transport_openssh_new (const FlLogin *login, GError **error);

void fl_answers_free (char **answers); /* wiped first */
/* A question with one hidden field; the strings are copied. Answer of the person, free with fl_answers_free; NULL as above. */
char **fl_login_ask (const FlLogin *login, int watch, FlRemoteAskKind kind, const char *title,
                     const char *text, const char *label, GError **error);

/* Whether a server's label asks for a password that stays the same, rather than for a code. */
gboolean fl_label_is_password (const char *label);
