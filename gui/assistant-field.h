/* assistant-field.h: one thing that the assistant asks for: a label, a field (text, folder, file, password, another widget, or
 * none: a step of a check) and, below it, one line that says what is right or wrong with it, found out off the main loop as it
 * is filled.
 *
 * A proof is asked of a thread; when the field changes again the one before is cancelled and its answer dropped. Properties:
 * "label", "kind" (string: text, folder, file, password, none), "hint" (placeholder), "tip", "text", "content" (a widget
 * instead of the entry). Signals: "typed" (): the text has changed; "proved" (): the line has; "activate" (): Enter.
 * Thread: main, except FlgProofFunc. */
#pragma once

#include <gtk/gtk.h>

typedef enum
{
  FLG_VERDICT_NONE, /* nothing to say */
  FLG_VERDICT_LOOKING,
  FLG_VERDICT_GOOD,
  FLG_VERDICT_WARNING, /* it would do */
  FLG_VERDICT_BAD
} FlgVerdict;

typedef struct
{
  FlgVerdict verdict;
  char *text;     /* one line */
  GObject *found; /* what else has come of it; NULL: nothing */
} FlgProof;

FlgProof *flg_proof_new (FlgVerdict verdict, const char *format, ...) G_GNUC_PRINTF (2, 3);
void flg_proof_free (FlgProof *proof);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlgProof, flg_proof_free)

/* In a thread. Never NULL; what a cancelled one gives is dropped. */
typedef FlgProof *(*FlgProofFunc) (gpointer input, GCancellable *cancellable);

#define FLG_TYPE_FIELD (flg_field_get_type ())
G_DECLARE_FINAL_TYPE (FlgField, flg_field, FLG, FIELD, GtkBox)

/* Trimmed; never NULL. Of a password: as it is. Valid until it changes. */
const char *flg_field_text (FlgField *self);
void flg_field_set_text (FlgField *self, const char *text);
/* Takes `input` over. `delay_ms` lets somebody type on. `quiet`: the line stays as it is until there is another. */
void flg_field_prove (FlgField *self, FlgProofFunc func, gpointer input, GDestroyNotify free_input,
                      guint delay_ms, gboolean quiet);
/* The same with a GStrv of the strings, up to NULL, as input. */
void flg_field_prove_strings (FlgField *self, FlgProofFunc func, guint delay_ms, gboolean quiet,
                              const char *first, ...) G_GNUC_NULL_TERMINATED;
/* Says it at once; ends a proof that is under way. */
void flg_field_say (FlgField *self, FlgVerdict verdict, const char *text);
FlgVerdict flg_field_verdict (FlgField *self);
const char *flg_field_words (FlgField *self);
GObject *flg_field_found (FlgField *self);
/* Neither bad nor being looked at. */
gboolean flg_field_is_fine (FlgField *self);
