/* whole.h: replies made whole again: chunks joined, deflated ones inflated (protocol.h). Inside this room. */
#pragma once

#include "engine/view/protocol.h"

/* The body deflated (u32 of its length, a zlib stream), or the body itself where that would not be smaller; tells in
 * *flags. Takes and returns a reference. */
GBytes *fl_view_deflate (GBytes *body, FlViewFlags *flags);

typedef struct FlViewWhole FlViewWhole;

FlViewWhole *fl_view_whole_new (void);
void fl_view_whole_free (FlViewWhole *whole);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewWhole, fl_view_whole_free)
/* Takes a frame's body (may be NULL). TRUE: the frame ends a reply, of which *body is the whole; or, FALSE without
 * error, another part of it follows. All that waits together is at most FL_VIEW_MAX_REPLY bytes. */
gboolean fl_view_whole_take (FlViewWhole *whole, const FlViewFrame *frame, GBytes **body, GError **error);
