/* mask-work.h: a mask that is being made by rules, for `serve` and `mask`: what the rules begin with, what the run's shots say
 * about its pixels, and the file in the end. Shots are measured a little at every call, so that whoever asks sees how far it has
 * come. Of N shots the middles of N equal parts of all frames of all files are taken. Thread: one at a time. */
#pragma once

#include "engine/programs/picture.h"
#include "engine/view/messages-mask.h"

typedef struct FlMaskWork FlMaskWork;

/* Opens a source as asked for, for the caller to close; `list_only` as of FlSourceOptions. */
typedef FlSource *(*FlMaskOpen) (gpointer data, const FlViewSourceRequest *request, gboolean list_only,
                                 GError **error);

/* `name` begins messages about the rules. */
FlMaskWork *fl_mask_work_new (FlMaskOpen open, gpointer data, const char *name);
void fl_mask_work_free (FlMaskWork *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMaskWork, fl_mask_work_free)

/* Measures for about `milliseconds` (a shot at least), and answers. `shift`: mm, of the shot whose picture is seen. `mask`: the
 * mask that is asked for, by its real path, "" for none. */
FlViewMask *fl_mask_work_ask (FlMaskWork *work, const FlViewMaskRequest *request, const char *mask,
                              FlVec3 shift, guint milliseconds, GError **error);
