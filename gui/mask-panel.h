/* mask-panel.h: the mask of a run's detector while it is edited: tools, rules and what they mask; at the side of the image that
 * they are drawn into. Everything that is done comes in through these functions, which the Images page's actions call.
 * Signals:
 *   changed (): what can be done now is another (undo, save)
 *   saved (const char *said): a new block has it; one line
 *   failed (const GError *error): it could not be kept
 * Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/mask-asker.h"

#define FLG_TYPE_MASK_PANEL (flg_mask_panel_get_type ())
G_DECLARE_FINAL_TYPE (FlgMaskPanel, flg_mask_panel, FLG, MASK_PANEL, GtkBox)

/* The view is the caller's and lives until flg_mask_panel_close(). */
GtkWidget *flg_mask_panel_new (FlgContext *context, FlwImageView *view);
void flg_mask_panel_close (FlgMaskPanel *self);
/* Begins, or goes on with what was edited if it is the same mask of the same run. `run` 0: files of no run, whose mask cannot be
 * kept. The texts are as of FlViewSourceRequest, `files` NULL-terminated. */
void flg_mask_panel_begin (FlgMaskPanel *self, FlViewClient *client, gint64 run, const char *path,
                           const char *geometry, const char *mask, const char *calibration,
                           const char *const *files);
/* The tool is put down, and nothing lies over the image any more; the rules stay. */
void flg_mask_panel_end (FlgMaskPanel *self);

void flg_mask_panel_set_tool (FlgMaskPanel *self, FlwDrawTool tool);
FlwDrawTool flg_mask_panel_tool (FlgMaskPanel *self);
/* "erase", "snap", "show": the other way round. */
void flg_mask_panel_switch (FlgMaskPanel *self, const char *what);
void flg_mask_panel_add (FlgMaskPanel *self, const char *rule);
void flg_mask_panel_remove (FlgMaskPanel *self, guint number);
/* mask-draft.h; "" = NULL. */
void flg_mask_panel_set (FlgMaskPanel *self, const char *word, const char *rule);
void flg_mask_panel_clear (FlgMaskPanel *self);
void flg_mask_panel_undo (FlgMaskPanel *self);
void flg_mask_panel_redo (FlgMaskPanel *self);
gboolean flg_mask_panel_can_undo (FlgMaskPanel *self);
gboolean flg_mask_panel_can_redo (FlgMaskPanel *self);
/* As a new block of that name ("": one is found), from that run on ("": for all runs of the block before). */
void flg_mask_panel_save (FlgMaskPanel *self, const char *name, const char *from_run);
/* As name and run stand in the panel. */
void flg_mask_panel_save_as_shown (FlgMaskPanel *self);

gboolean flg_mask_panel_is_idle (FlgMaskPanel *self);
const char *flg_mask_panel_text (FlgMaskPanel *self);
const FlViewMask *flg_mask_panel_answer (FlgMaskPanel *self);
