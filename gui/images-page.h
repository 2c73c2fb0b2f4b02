/* images-page.h: one shot as a picture, with its spots; from shot to shot.
 *
 * Actions: images.next-hit, images.previous-hit, images.random, images.back, images.next-frame, images.previous-frame,
 * images.go (u frame), images.open ((su): path, frame; a file of no run). Thread: main. */
#pragma once

#include "gui/page.h"
#include "gui/shot-ref.h"

#define FLG_TYPE_IMAGES_PAGE (flg_images_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgImagesPage, flg_images_page, FLG, IMAGES_PAGE, FlgPage)

void flg_images_page_show_run (FlgImagesPage *self, gint64 run);
void flg_images_page_show_shot (FlgImagesPage *self, const FlgShotRef *ref);
/* What is shown: file and frame. NULL: nothing. */
const char *flg_images_page_shown (FlgImagesPage *self, guint32 *frame);
