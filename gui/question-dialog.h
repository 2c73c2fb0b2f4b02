/* question-dialog.h: what a far machine wants to know before it lets us in: a host key, a password, a passphrase, codes.
 *
 * Closed by itself when the question is no longer open (answered in another window, or the connection went). Closed by the person
 * without an answer, the question stays open. Secrets are typed into GTK's locked buffers and wiped once they are sent.
 * Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/links.h"

#define FLG_TYPE_QUESTION_DIALOG (flg_question_dialog_get_type ())
G_DECLARE_FINAL_TYPE (FlgQuestionDialog, flg_question_dialog, FLG, QUESTION_DIALOG, GtkWindow)

/* For the question that is open at that site. */
GtkWidget *flg_question_dialog_new (GtkWindow *parent, FlgLinks *links, gint64 site);
guint flg_question_dialog_id (FlgQuestionDialog *self);
/* Field `n`, for tests: NULL when there are not so many. */
GtkEditable *flg_question_dialog_field (FlgQuestionDialog *self, guint n);
/* "one-time code", "password" …: what is asked for. Static. */
const char *flg_question_noun (const FlRemoteQuestion *question);
/* "ED25519" and the fingerprint in groups of 8, apart by spaces, of a host key's text. Free both. */
void flg_question_fingerprint (const char *text, char **type, char **groups);
