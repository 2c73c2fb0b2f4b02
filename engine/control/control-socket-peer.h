/* control-socket-peer.h: one end of the conductor's socket (control-socket.h), the same for both sides: frames in, frames out,
 * never waiting. Whoever does not read what it is sent (8 MiB) is dropped. Thread: the main context it was made in. */
#pragma once

#include "engine/control/control-socket.h"

#define FL_CONTROL_MOST_FRAME (1u << 20)

/* The folder that `path` lies in is this user's alone. */
gboolean fl_control_folder_is_private (const char *path, GError **error);

typedef struct FlControlPeer FlControlPeer;

typedef struct
{
  /* `value` is valid during the call. The peer may be freed in it. */
  void (*word) (FlControlPeer *peer, const char *word, GVariant *value, gpointer data);
  /* The other side has gone, or said what is no message. Free the peer. */
  void (*gone) (FlControlPeer *peer, const char *why, gpointer data);
} FlControlPeerEvents;

/* Takes `fd` over. */
FlControlPeer *fl_control_peer_new (int fd, const FlControlPeerEvents *events, gpointer data);
void fl_control_peer_free (FlControlPeer *peer);
/* `value` is sunk. */
void fl_control_peer_send (FlControlPeer *peer, const char *word, GVariant *value);
/* Frees the peer and hands its socket over, with what was received after the last word and what has not been sent yet. */
int fl_control_peer_steal (FlControlPeer *peer, GByteArray **received, GByteArray **unsent);
