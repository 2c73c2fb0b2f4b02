/* mask-asker.h: what the rules of a mask would mask, asked of the serve child: the mask of what the view shows, laid over it, and
 * the numbers; again whenever the view shows something else. One question at a time. Signal
 *   answered (const GError *error): `error` NULL: the answer is another one, or has come further
 * Thread: main. */
#pragma once

#include "engine/view/client.h"
#include "widgets/image-view.h"

#define FLG_TYPE_MASK_ASKER (flg_mask_asker_get_type ())
G_DECLARE_FINAL_TYPE (FlgMaskAsker, flg_mask_asker, FLG, MASK_ASKER, GObject)

/* The view is the caller's and lives until flg_mask_asker_close(). */
FlgMaskAsker *flg_mask_asker_new (FlwImageView *view);
void flg_mask_asker_close (FlgMaskAsker *self);
/* Whose mask: a reference and copies are taken. `path` NULL: nobody's. `files`: of the run, NULL-terminated. */
void flg_mask_asker_set_shot (FlgMaskAsker *self, FlViewClient *client, const char *path,
                              const char *geometry, const char *mask, const char *calibration,
                              const char *const *files);
/* From now on these rules; NULL: those of the mask itself. */
void flg_mask_asker_set_rules (FlgMaskAsker *self, const char *rules);
/* No more questions, and nothing over the view. */
void flg_mask_asker_stop (FlgMaskAsker *self);
/* The newest answer; NULL: there is none yet. While it measures: how far it has come. */
const FlViewMask *flg_mask_asker_answer (FlgMaskAsker *self);
gboolean flg_mask_asker_is_idle (FlgMaskAsker *self);
/* The mask's file, for the rules asked last. */
void flg_mask_asker_file_async (FlgMaskAsker *self, GAsyncReadyCallback callback, gpointer data);
GBytes *flg_mask_asker_file_finish (FlgMaskAsker *self, GAsyncResult *result, GError **error);
