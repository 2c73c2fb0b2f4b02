/* replies.h: what a server has still to write, by a thread of its own: small replies before large ones, pictures last,
 * large ones in chunks (protocol.h), none that has been overtaken. Inside this room. Thread: any. */
#pragma once

#include "engine/view/protocol.h"

#define FL_VIEW_MAX_UNSENT 2 /* replies a lane may be ahead of its asker */

typedef struct FlViewReplies FlViewReplies;

typedef struct
{
  guint32 id;
  FlViewOperation operation;
  FlViewStatus status;
  FlViewFlags flags;
  GBytes *body; /* or NULL; taken */
  int lane;     /* who waits while too much of its is unsent; −1: the reader */
  guint32 slot; /* of an FL_VIEW_IMAGE */
} FlViewReply;

FlViewReplies *fl_view_replies_new (int out, guint n_lanes);
void fl_view_replies_unref (FlViewReplies *replies);
/* FALSE: nobody reads them any more. Waits while the lane has FL_VIEW_MAX_UNSENT others to send. */
gboolean fl_view_replies_add (FlViewReplies *replies, const FlViewReply *reply);
/* What is still to be sent of the reply `id`, or (id 0) of pictures of `slot`, is not; CANCELLED is. */
void fl_view_replies_cancel (FlViewReplies *replies, guint32 id, guint32 slot);
/* No more will come. */
void fl_view_replies_end (FlViewReplies *replies);
/* Whether all has been written since the end, or never will be; waits for it, a second at most. */
gboolean fl_view_replies_wait (FlViewReplies *replies);
