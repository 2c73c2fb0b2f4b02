/* mask-draft.h: the rules of a mask while somebody edits them, with the way back and forth. The rules are lines of text; what they
 * mean is known where masks are worked out. Thread: main. */
#pragma once

#include <glib.h>

typedef struct FlgMaskDraft FlgMaskDraft;

FlgMaskDraft *flg_mask_draft_new (void);
void flg_mask_draft_free (FlgMaskDraft *self);
/* Begins anew; nothing can be undone. Comments and empty lines are left out. */
void flg_mask_draft_begin (FlgMaskDraft *self, const char *text);
/* Each returns whether anything is different now. */
gboolean flg_mask_draft_add (FlgMaskDraft *self, const char *rule);
gboolean flg_mask_draft_remove (FlgMaskDraft *self, guint number);
/* The one rule that begins with this word and names no panel: `rule` in its place, or at the end; NULL: none. */
gboolean flg_mask_draft_set (FlgMaskDraft *self, const char *word, const char *rule);
gboolean flg_mask_draft_clear (FlgMaskDraft *self);
gboolean flg_mask_draft_undo (FlgMaskDraft *self);
gboolean flg_mask_draft_redo (FlgMaskDraft *self);
gboolean flg_mask_draft_can_undo (FlgMaskDraft *self);
gboolean flg_mask_draft_can_redo (FlgMaskDraft *self);
const char *flg_mask_draft_text (FlgMaskDraft *self);
/* Without "shots"; NULL-terminated; true until the next change. */
const char *const *flg_mask_draft_rules (FlgMaskDraft *self);
/* The rule that flg_mask_draft_set() would replace; NULL: there is none. */
const char *flg_mask_draft_get (FlgMaskDraft *self, const char *word);
