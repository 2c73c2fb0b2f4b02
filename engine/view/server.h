/* server.h: answers view requests that arrive on a file descriptor (protocol.h).
 *
 * Lanes, each with a thread of its own: pictures (images, spots, lattices, trials, sources, masks: whatever opens a data file;
 * HDF5 has one lock for all), texts (logs, tables in flight), searches (through whole logs), feeds (of a store) and maps
 * (densities, models), so that a stuck disk under a picture never holds up a log. The reader answers the heartbeat itself. In a lane the newest request
 * goes first. Replies are written by another thread, so that a large one holds up a small one by one chunk at most. */
#pragma once

#include <gio/gio.h>

#include "engine/view/messages-maps.h"
#include "engine/view/messages-mask.h"

/* Each is called on its lane's thread, one at a time a lane; answers NULL with error. `cancellable` is triggered when
 * the request is cancelled or overtaken while it is worked on: looking at it is a courtesy. */
typedef struct
{
  FlViewImage *(*image) (gpointer data, const FlViewImageRequest *request, GCancellable *cancellable,
                         GError **error);
  FlViewSpots *(*spots) (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable,
                         GError **error);
  FlViewSource *(*source) (gpointer data, const FlViewSourceRequest *request, GCancellable *cancellable,
                           GError **error);
  FlViewLog *(*log) (gpointer data, const FlViewLogRequest *request, GCancellable *cancellable,
                     GError **error);
  FlViewLattices *(*lattices) (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable,
                               GError **error);
  FlViewTried *(*try_trial) (gpointer data, const FlViewTryRequest *request, GCancellable *cancellable,
                             GError **error);
  FlViewInflight *(*inflight) (gpointer data, const char *dir, GCancellable *cancellable, GError **error);
  FlViewFound *(*find) (gpointer data, const FlViewFindRequest *request, GCancellable *cancellable,
                        GError **error);
  GBytes *(*feed) (gpointer data, const FlViewFeedRequest *request, GCancellable *cancellable,
                   GError **error);
  FlViewMap *(*map) (gpointer data, const FlViewMapRequest *request, GCancellable *cancellable,
                     GError **error);
  FlViewModel *(*model) (gpointer data, const char *path, GCancellable *cancellable, GError **error);
  /* Measures for a moment and answers how far it has come, so that pictures are not held up. */
  FlViewMask *(*mask) (gpointer data, const FlViewMaskRequest *request, GCancellable *cancellable,
                       GError **error);
} FlViewHandlers;

/* Reads requests from `in` and writes replies to `out` until the input has ended and all replies are given, or nobody
 * reads them any more (then a lane that is stuck is left behind: the process should end). FALSE with error when the
 * input is not frames or breaks off inside one. The descriptors stay the caller's. `program` is what HELLO answers.
 * Thread: blocks the caller's; ignores SIGPIPE for the process. */
gboolean fl_view_serve (int in, int out, const char *program, const FlViewHandlers *handlers, gpointer data,
                        GError **error);
