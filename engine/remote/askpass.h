/* askpass.h: how the OpenSSH client's questions reach us. It runs the program named by SSH_ASKPASS, which is ourselves under
 * another name (FL_ASKPASS_NAME, a link in a folder of ours), with the question as its argument; that connects to the unix socket
 * named by FL_ASKPASS_SOCKET, sends the question, gets the answer and prints it. Both ends check that the other is the same
 * user. An answer is never in an argument, an environment or a file. */
#pragma once

#include <gio/gio.h>

#define FL_ASKPASS_NAME   "firstlight-askpass"
#define FL_ASKPASS_SOCKET "FIRSTLIGHT_ASKPASS_SOCKET"

/* A listening socket at `path` (in a folder that only we can enter); -1 with an error. */
int fl_askpass_listen (const char *path, GError **error);
/* The next one that asks: its socket and its question (at most 16 KiB); -1: nobody, or not of this user. */
int fl_askpass_accept (int listening, char **question);
/* Answers and closes; NULL: refuses. */
void fl_askpass_answer (int fd, const char *answer);

/* The other side: what the program does. Exit status. */
int fl_askpass_main (const char *question);
