/* images-page.h: one shot as a picture, with what was found in it, or what a trial would find; from shot to shot.
 *
 * Actions: images.next-hit, images.previous-hit, images.next-indexed, images.previous-indexed, images.next-unindexed,
 * images.previous-unindexed (hits that did not index), images.random, images.back, images.next-frame,
 * images.previous-frame, images.go (u frame), images.open ((su): path, frame; a file of no run); images.spots and
 * images.predictions (seen or not), images.side-a, images.side-b (x: a job, −trial, 0; compare-panel.h),
 * images.show-side (s: "a", "b"), images.flip, images.tune (the form with values to try, seen or not), images.set-value
 * ((ss): parameter, text; as if typed there).
 *
 * The mask: images.mask (edited or not), images.mask-tool (s: "move", "rectangle", "ellipse", "polygon"), images.mask-erase,
 * images.mask-snap, images.mask-show (the other way round), images.mask-add (s: a rule), images.mask-remove (u: its number),
 * images.mask-set ((ss): first word, the rule in its place or ""), images.mask-undo, images.mask-redo, images.mask-clear,
 * images.mask-save ((ss): name of the new block or "", first run or ""). Thread: main. */
#pragma once

#include "gui/compare-panel.h"
#include "gui/mask-panel.h"
#include "gui/page.h"
#include "gui/shot-ref.h"

#define FLG_TYPE_IMAGES_PAGE (flg_images_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgImagesPage, flg_images_page, FLG, IMAGES_PAGE, FlgPage)

void flg_images_page_show_run (FlgImagesPage *self, gint64 run);
void flg_images_page_show_shot (FlgImagesPage *self, const FlgShotRef *ref);
/* What is shown: file and frame. NULL: nothing. */
const char *flg_images_page_shown (FlgImagesPage *self, guint32 *frame);
FlgComparePanel *flg_images_page_compare (FlgImagesPage *self);
FlwImageView *flg_images_page_view (FlgImagesPage *self);
/* While the mask is edited; else NULL. */
FlgMaskPanel *flg_images_page_masks (FlgImagesPage *self);
