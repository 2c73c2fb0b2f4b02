/* control-socket-channel.h: a channel that the conductor lends: bytes both ways between a control room's socket and a program
 * far away. A thread each, so that neither the conductor's loop nor another channel waits for it. */
#pragma once

#include <glib.h>

#include "engine/remote/host.h"

typedef struct FlControlChannel FlControlChannel;

/* Takes `fd` and the two arrays over (as fl_control_peer_steal() hands them out); opens argv on the host, says "granted" or
 * "refused" and carries. */
FlControlChannel *fl_control_channel_new (int fd, GByteArray *received, GByteArray *unsent, FlHost *host,
                                          const char *const *argv);
gboolean fl_control_channel_is_over (FlControlChannel *channel);
/* Ends it; waits for its thread. */
void fl_control_channel_free (FlControlChannel *channel);

/* Carries bytes from `in` to `far` and from `far` to `out` until `far` has ended; `in` may end before. All are descriptors
 * that poll(2) understands; `in` and `out` may be the same. FALSE when the far end broke off. Waits. `stop`: becomes readable
 * to end it; -1: none. */
gboolean fl_control_carry (int in, int out, int far, int stop);
