/* picture.h: a shot as the asker's raster (engine/view/protocol.h has the coordinates).
 *
 * An FlPicture holds one shot as floats with its percentiles, and the map from detector to raster pixels of the last
 * view, so that the next shot in the same view, and the same shot in another view, cost little.
 * Thread: one at a time. */
#pragma once

#include "engine/shots/source.h"
#include "engine/view/messages.h"

typedef struct FlPicture FlPicture;

FlPicture *fl_picture_new (void);
void fl_picture_free (FlPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPicture, fl_picture_free)

/* Takes over the shot's values (copied; bad pixels become NaN); `detector` is referenced. */
void fl_picture_load (FlPicture *picture, FlDetector *detector, const FlShot *shot);
/* The raster with everything but `frames` filled in. */
FlViewImage *fl_picture_draw (FlPicture *picture, const FlViewImageRequest *request);
/* Which share of the detector pixels of each raster pixel `mask` (n_pixels) has: 0 to 255, 1 at least when there is one.
 * Has nothing to do with the shot that is loaded, but takes the place of its map. */
void fl_picture_shade (FlPicture *picture, FlDetector *detector, FlVec3 shift, const guint8 *mask,
                       const FlViewRect *rect, guint32 width, guint32 height, guint8 *shade);
/* The loaded shot's. */
FlVec3 fl_picture_shift (const FlPicture *picture);

/* Bounds of all panels, and one panel's outline, in pixels of the first; `shift` in mm. */
FlViewRect fl_picture_whole (const FlDetector *detector, FlVec3 shift);
FlViewPanel fl_picture_panel (const FlDetector *detector, guint panel, FlVec3 shift); /* name not set */
