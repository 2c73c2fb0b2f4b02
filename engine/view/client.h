/* client.h: asks a serve child, here or at the far end of SSH, and keeps it alive.
 *
 * The child is started at once and again whenever it ends, with a growing pause (0.2 s … 10 s). Requests that a child
 * took with it fail with FL_ERROR_FAILED and say how it ended; requests made while none is up wait for the next, and
 * fail when that one cannot be started. A heartbeat every 2 s measures the round trip; a child that does not answer it
 * for 20 s is killed and started again.
 *
 * Pictures, spots and lattices that have been answered are kept (64 MB, the least lately asked for go first), so that
 * going back to a shot is instant: 5 s when their files are still growing, else ten minutes, or until another answer
 * about the same file shows that it has changed. Over a far link pictures come compact, other large answers deflated,
 * and while nothing else is asked for what has been foreseen is fetched.
 *
 * Thread: everything on the thread whose default main context it was made in; nothing here blocks: the pipe is read
 * and decoded by a thread of its own. Cancelling a request, or being overtaken in a slot, ends it with
 * G_IO_ERROR_CANCELLED. Answers are immutable, the caller gets a reference. */
#pragma once

#include <gio/gio.h>

#include "engine/view/messages-maps.h"
#include "engine/view/messages-mask.h"

typedef enum
{
  FL_VIEW_STARTING, /* no answer yet */
  FL_VIEW_UP,
  FL_VIEW_SLOW,       /* a heartbeat has been unanswered for more than 3 s */
  FL_VIEW_RESTARTING, /* the child has ended; waiting before the next start */
} FlViewState;

#define FL_TYPE_VIEW_CLIENT (fl_view_client_get_type ())
G_DECLARE_FINAL_TYPE (FlViewClient, fl_view_client, FL, VIEW_CLIENT, GObject)

/* Properties: "state" (int, FlViewState; notify), "message" (string: why it is not up, "" when it is), "round-trip"
 * (int64, µs, −1 = not measured). Signal: none beside notify. */

/* `argv`: e.g. { "firstlight-control", "serve", NULL } or { "ssh", host, "firstlight-control", "serve", NULL }. */
FlViewClient *fl_view_client_new (const char *const *argv);
/* Ends the child and all requests (FL_ERROR_STOPPED); call before the last unref. */
void fl_view_client_close (FlViewClient *client);

FlViewState fl_view_client_state (FlViewClient *client);
const char *fl_view_client_message (FlViewClient *client);
gint64 fl_view_client_round_trip (FlViewClient *client);
/* Process id of the child, NULL when there is none. */
const char *fl_view_client_pid (FlViewClient *client);
/* Whether bytes are dear (SSH) or not (the default). */
void fl_view_client_set_far (FlViewClient *client, gboolean far);
/* Kills the child, which is then started again: for a request that never comes back. */
void fl_view_client_restart (FlViewClient *client);

void fl_view_client_image_async (FlViewClient *client, const FlViewImageRequest *request,
                                 GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewImage *fl_view_client_image_finish (FlViewClient *client, GAsyncResult *result, GError **error);

/* What will probably be asked for next: over a far link it is fetched, one after the other, while nothing else is awaited,
 * and kept. A picture takes the place of the one foreseen before; results (spots and lattices) those of the same job. A
 * link that is not far does nothing. */
void fl_view_client_foresee_image (FlViewClient *client, const FlViewImageRequest *request);
void fl_view_client_foresee_results (FlViewClient *client, const FlViewSpotsRequest *request);

void fl_view_client_spots_async (FlViewClient *client, const FlViewSpotsRequest *request,
                                 GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewSpots *fl_view_client_spots_finish (FlViewClient *client, GAsyncResult *result, GError **error);

void fl_view_client_lattices_async (FlViewClient *client, const FlViewSpotsRequest *request,
                                    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewLattices *fl_view_client_lattices_finish (FlViewClient *client, GAsyncResult *result, GError **error);

void fl_view_client_try_async (FlViewClient *client, const FlViewTryRequest *request,
                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewTried *fl_view_client_try_finish (FlViewClient *client, GAsyncResult *result, GError **error);

void fl_view_client_source_async (FlViewClient *client, const FlViewSourceRequest *request,
                                  GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewSource *fl_view_client_source_finish (FlViewClient *client, GAsyncResult *result, GError **error);

void fl_view_client_log_async (FlViewClient *client, const FlViewLogRequest *request,
                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewLog *fl_view_client_log_finish (FlViewClient *client, GAsyncResult *result, GError **error);

void fl_view_client_inflight_async (FlViewClient *client, const char *attempt_dir, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer data);
FlViewInflight *fl_view_client_inflight_finish (FlViewClient *client, GAsyncResult *result, GError **error);

/* The next match in a log, looked for at its end of the link. */
void fl_view_client_find_async (FlViewClient *client, const FlViewFindRequest *request,
                                GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewFound *fl_view_client_find_finish (FlViewClient *client, GAsyncResult *result, GError **error);

/* What has changed in a store, for fl_mirror_apply(). */
void fl_view_client_feed_async (FlViewClient *client, const FlViewFeedRequest *request,
                                GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
GBytes *fl_view_client_feed_finish (FlViewClient *client, GAsyncResult *result, GError **error);

/* A density; over a far link a byte a voxel. Not kept here. */
void fl_view_client_map_async (FlViewClient *client, const FlViewMapRequest *request,
                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewMap *fl_view_client_map_finish (FlViewClient *client, GAsyncResult *result, GError **error);

/* The atoms of a PDB or mmCIF file. */
void fl_view_client_model_async (FlViewClient *client, const char *path, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer data);
FlViewModel *fl_view_client_model_finish (FlViewClient *client, GAsyncResult *result, GError **error);

/* What rules of a mask would mask; while it is measured, how far that has come: then ask again. */
void fl_view_client_mask_async (FlViewClient *client, const FlViewMaskRequest *request,
                                GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
FlViewMask *fl_view_client_mask_finish (FlViewClient *client, GAsyncResult *result, GError **error);
