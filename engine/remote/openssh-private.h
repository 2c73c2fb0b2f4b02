/* openssh-private.h: what the files of the OpenSSH transport share. A master (`ssh -M -N`) holds the connection; channels are
 * clients of its socket. */
#pragma once

#include "engine/remote/secrets.h"
#include "engine/remote/transport.h"

#define FL_OPENSSH_MOST_WORDS 8192

typedef struct
{
  FlTransport base;
  FlLogin login;
  char *whom;    /* "ana@cori.example.org" */
  char *folder;  /* only we can enter: the two sockets and the link to ourselves */
  char *control; /* the master's socket */
  int asking;    /* where its questions come in */
  int words;     /* its standard error */
  GThread *thread;

  /* while logging in */
  GString *said;     /* on its standard error */
  GPtrArray *typed;  /* name, secret, name, secret …: kept once they are known to be right */
  GPtrArray *used;   /* names of kept secrets that were sent */
  gboolean answered; /* a person's answer was sent */

  GMutex mutex; /* master, shut */
  GPid master;  /* 0: ended */
  gboolean shut;
} FlOpenssh;

/* openssh-master.c */
gboolean fl_openssh_start (FlOpenssh *openssh, GError **error); /* the master, not logged in yet */
void fl_openssh_kill (FlOpenssh *openssh);                      /* the master; any thread */
void fl_openssh_reap (FlOpenssh *openssh);                      /* waits for its end */
void fl_openssh_hear (FlOpenssh *openssh);                      /* what it says */
/* Why it ended, of what it said. */
void fl_openssh_explain (FlOpenssh *openssh, GError **error);

/* openssh-questions.c: one question of the master's. FALSE: the person refuses. */
gboolean fl_openssh_answer (FlOpenssh *openssh, GError **error);

/* openssh-channel.c */
FlChannel *fl_openssh_channel_open (FlTransport *transport, const char *command, GError **error);
