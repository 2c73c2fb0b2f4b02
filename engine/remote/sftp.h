/* sftp.h: a client of the SSH file transfer protocol, version 3, over a socket. Any number of requests may be under way, from any
 * number of threads: each is sent at once and its answer waited for whenever. sftp-files.h has the operations. */
#pragma once

#include "engine/remote/sftp-packet.h"

typedef struct FlSftp FlSftp;

/* Takes `fd` over and says hello; waits at most 20 s for the answer. */
FlSftp *fl_sftp_new (int fd, GError **error);
/* Whoever waits gets FL_ERROR_BUSY, now and for ever. Any thread. */
void fl_sftp_shut (FlSftp *sftp);
void fl_sftp_free (FlSftp *sftp); /* when nobody waits any more */

gboolean fl_sftp_is_shut (FlSftp *sftp);
gboolean fl_sftp_has_rename (FlSftp *sftp); /* posix-rename@openssh.com: replaces in one step */
gboolean fl_sftp_has_sync (FlSftp *sftp);   /* fsync@openssh.com */
gint64 fl_sftp_heard (FlSftp *sftp);        /* monotonic µs of the last answer */

/* One request under way. Starts as zeros and stays where it is until it is cleared. */
typedef struct
{
  guint32 id; /* 0: not sent */
  gboolean done;
  gint64 sent;   /* monotonic µs */
  guint8 type;   /* of the answer */
  guint8 *reply; /* the answer, after its id */
  gsize length;
} FlSftpCall;

/* Sends and frees `packet`. `call` NULL: the answer does not matter. */
void fl_sftp_send (FlSftp *sftp, FlSftpCall *call, GByteArray *packet);
/* FALSE: no answer will come (FL_ERROR_BUSY). */
gboolean fl_sftp_wait (FlSftp *sftp, FlSftpCall *call, GError **error);
void fl_sftp_call_clear (FlSftp *sftp, FlSftpCall *call); /* answered or not; then it may be sent anew */

/* Of an answered call: TRUE when it is of `type`, with *cursor at its start. A status that is no success becomes an error that
 * names `path`; *status (may be NULL) its code. Anything else is against the protocol and shuts the connection. */
gboolean fl_sftp_expect (FlSftp *sftp, const FlSftpCall *call, guint8 type, const char *path,
                         FlSftpCursor *cursor, guint32 *status, GError **error);
/* Against the protocol: shuts the connection. */
void fl_sftp_distrust (FlSftp *sftp, const char *path, GError **error);
