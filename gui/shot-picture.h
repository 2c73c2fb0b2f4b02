/* shot-picture.h: one shot of a file in an image view: picture, panels and facts, asked for through the serve
 * child (what was found in it: shot-results.h). Signals:
 *   frames: how many frames the file has is known, or the frame is another one
 * Thread: main. */
#pragma once

#include "engine/view/client.h"
#include "widgets/colour-bar.h"
#include "widgets/image-view.h"

#define FLG_TYPE_SHOT_PICTURE (flg_shot_picture_get_type ())
G_DECLARE_FINAL_TYPE (FlgShotPicture, flg_shot_picture, FLG, SHOT_PICTURE, GObject)

/* Takes a reference of the client (NULL: there are no images); the widgets belong to the caller and live until flg_shot_picture_close(). */
FlgShotPicture *flg_shot_picture_new (FlViewClient *client, FlwImageView *view, FlwColourBar *bar,
                                      GtkLabel *facts);
/* Who is asked from the next shot on (a reference is taken); NULL: nobody. */
void flg_shot_picture_set_client (FlgShotPicture *self, FlViewClient *client);
/* What is on its way is forgotten; then unref. */
void flg_shot_picture_close (FlgShotPicture *self);
/* How the raw pixels of what is shown and foreseen next are calibrated (FlViewSourceRequest). */
void flg_shot_picture_set_calibration (FlgShotPicture *self, const char *calibration);
/* "" = no geometry, mask. Copies. From frame to frame of one file the zoom stays, as it does from file
 * to file. Faster than pictures come, those that come are shown, the last one last. */
void flg_shot_picture_show (FlgShotPicture *self, const char *path, const char *geometry, const char *mask,
                            guint32 frame);
/* What will probably be shown next; a client far away fetches its picture while nothing else is asked of it. */
void flg_shot_picture_foresee (FlgShotPicture *self, const char *path, const char *geometry, const char *mask,
                               guint32 frame);
/* No picture, but these words. */
void flg_shot_picture_clear (FlgShotPicture *self, const char *text);
/* The file shown; NULL: none. */
const char *flg_shot_picture_path (FlgShotPicture *self);
guint32 flg_shot_picture_frame (FlgShotPicture *self);
/* 0: not known. */
guint32 flg_shot_picture_n_frames (FlgShotPicture *self);
/* No answer is awaited. */
gboolean flg_shot_picture_is_idle (FlgShotPicture *self);
