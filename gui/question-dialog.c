#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/question-dialog.h"

#include <glib/gi18n.h>

#include <string.h>

#define MOST_FIELDS 8
#define GROUP       8

struct _FlgQuestionDialog
{
  GtkWindow parent_instance;
  FlgLinks *links;
  gint64 site;
  FlRemoteQuestion *question;
  GtkWidget *fields[MOST_FIELDS];
  GtkWidget *caps, *answer;
};

G_DEFINE_FINAL_TYPE (FlgQuestionDialog, flg_question_dialog, GTK_TYPE_WINDOW)

const char *
flg_question_noun (const FlRemoteQuestion *question)
{
  switch (question->kind)
    {
    case FL_REMOTE_ASK_HOST_KEY:
      return _ ("whether its host key is right");
    case FL_REMOTE_ASK_PASSPHRASE:
      return _ ("the passphrase of a key");
    case FL_REMOTE_ASK_PASSWORD:
      return _ ("a password");
    case FL_REMOTE_ASK_CODE:
    default:
      return _ ("a one-time code");
    }
}

void
flg_question_fingerprint (const char *text, char **type, char **groups)
{
  const char *space = strchr (text, ' ');
  const char *print = space ? space + 1 : text;
  const char *colon = strchr (print, ':');
  GString *out = g_string_new (NULL);
  *type = space ? g_strndup (text, (gsize) (space - text)) : g_strdup ("");
  if (colon && g_str_has_prefix (print, "SHA256:"))
    {
      g_string_append (out, "SHA256:");
      print = colon + 1;
    }
  guint n = 0;
  for (const char *at = print; *at && *at != ' '; at = g_utf8_next_char (at), n++)
    {
      if (n % GROUP == 0 && (n > 0 || out->len))
        g_string_append_c (out, ' ');
      g_string_append_unichar (out, g_utf8_get_char (at));
    }
  *groups = g_string_free (out, FALSE);
}

/* --- answering --- */

static void
wipe (FlgQuestionDialog *self)
{
  for (guint i = 0; i < MOST_FIELDS; i++)
    if (self->fields[i])
      gtk_editable_set_text (GTK_EDITABLE (self->fields[i]), "");
}

/* Answering makes the question void, which closes the window: nothing of it is used after. */
static void
send (FlgQuestionDialog *self, const char *const *answers)
{
  g_autoptr (FlgLinks) links = g_object_ref (self->links);
  g_object_ref (self);
  flg_links_answer (links, self->site, self->question->id, answers);
  wipe (self);
  gtk_window_destroy (GTK_WINDOW (self));
  g_object_unref (self);
}

static void
act_answer (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgQuestionDialog *self = FLG_QUESTION_DIALOG (widget);
  const char *answers[MOST_FIELDS + 1] = { "yes" };
  for (guint i = 0; i < MOST_FIELDS && self->fields[i]; i++)
    answers[i] = gtk_editable_get_text (GTK_EDITABLE (self->fields[i]));
  send (self, answers);
}

/* An unknown key that is not trusted is answered; anything else is refused. */
static void
act_refuse (GtkWidget *widget, const char *action, GVariant *target)
{
  static const char *const no[] = { "no", NULL };
  FlgQuestionDialog *self = FLG_QUESTION_DIALOG (widget);
  send (self, self->question->kind == FL_REMOTE_ASK_HOST_KEY ? no : NULL);
}

static void
on_field_activate (FlgQuestionDialog *self, GtkWidget *field)
{
  for (guint i = 0; i + 1 < MOST_FIELDS; i++)
    if (self->fields[i] == field && self->fields[i + 1])
      {
        gtk_widget_grab_focus (self->fields[i + 1]);
        return;
      }
  gtk_widget_activate_action (GTK_WIDGET (self), "question.answer", NULL);
}

/* "Press Enter to go on" is a code, too: only secrets are never empty. */
static void
on_typed (FlgQuestionDialog *self)
{
  gboolean all = TRUE;
  for (guint i = 0; self->question->kind != FL_REMOTE_ASK_CODE && i < MOST_FIELDS && self->fields[i]; i++)
    all = all && *gtk_editable_get_text (GTK_EDITABLE (self->fields[i]));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "question.answer", all);
}

static void
on_links (FlgQuestionDialog *self)
{
  const FlgLink *link = flg_links_get (self->links, self->site);
  if (!link->question || link->question->id != self->question->id)
    gtk_window_destroy (GTK_WINDOW (self));
}

static void
show_caps (FlgQuestionDialog *self, GParamSpec *pspec, GdkDevice *keyboard)
{
  gtk_widget_set_opacity (self->caps, gdk_device_get_caps_lock_state (keyboard) ? 1 : 0);
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

/* --- what is seen --- */

static GtkWidget *
words (GtkWidget *box, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 62);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

static void
add_fingerprint (GtkWidget *box, const char *text)
{
  g_autofree char *type = NULL, *groups = NULL;
  flg_question_fingerprint (text, &type, &groups);
  g_autofree char *heading = g_strdup_printf (_ ("Its key (%s) has the fingerprint"), *type ? type : "?");
  words (box, heading, NULL);
  GtkWidget *print = words (box, groups, "fingerprint");
  gtk_label_set_selectable (GTK_LABEL (print), TRUE);
  gtk_widget_set_focusable (print, FALSE);
  gtk_label_set_max_width_chars (GTK_LABEL (print), 36);
  words (box,
         _ ("Compare it, letter by letter, with what the facility publishes. If it is the same, it is "
            "remembered and "
            "never asked about again. If it is not, somebody may be listening in: cancel, and ask the "
            "facility."),
         "dim-label");
}

static void
add_field (FlgQuestionDialog *self, GtkWidget *grid, guint n)
{
  const FlRemoteQuestion *question = self->question;
  GtkWidget *label = gtk_label_new (question->labels[n]);
  GtkWidget *field = question->echo[n] ? gtk_entry_new () : gtk_password_entry_new ();
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 28);
  gtk_widget_set_tooltip_text (label, question->labels[n]);
  gtk_widget_set_hexpand (field, TRUE);
  gtk_editable_set_width_chars (GTK_EDITABLE (field), 24);
  if (!question->echo[n])
    gtk_password_entry_set_show_peek_icon (GTK_PASSWORD_ENTRY (field), TRUE);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (field), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL,
                                  -1);
  g_signal_connect_object (field, "activate", G_CALLBACK (on_field_activate), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (field, "changed", G_CALLBACK (on_typed), self, G_CONNECT_SWAPPED);
  gtk_grid_attach (GTK_GRID (grid), label, 0, (int) n, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), field, 1, (int) n, 1, 1);
  self->fields[n] = field;
}

static void
add_fields (FlgQuestionDialog *self, GtkWidget *box)
{
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_row_spacing (GTK_GRID (grid), 8);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_box_append (GTK_BOX (box), grid);
  for (guint i = 0; i < MIN (self->question->n_fields, MOST_FIELDS); i++)
    add_field (self, grid, i);
  self->caps = words (box, _ ("Caps Lock is on."), "caps-warning");
  gtk_widget_set_opacity (self->caps, 0);
  GdkSeat *seat = gdk_display_get_default_seat (gtk_widget_get_display (GTK_WIDGET (self)));
  GdkDevice *keyboard = seat ? gdk_seat_get_keyboard (seat) : NULL;
  if (!keyboard)
    return;
  g_signal_connect_object (keyboard, "notify::caps-lock-state", G_CALLBACK (show_caps), self,
                           G_CONNECT_SWAPPED);
  show_caps (self, NULL, keyboard);
}

static void
add_buttons (FlgQuestionDialog *self, GtkWidget *box)
{
  gboolean key = self->question->kind == FL_REMOTE_ASK_HOST_KEY;
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *refuse =
      gtk_button_new_with_label (key ? _ ("Cancel: do not trust it") : _ ("Cancel the login"));
  self->answer = gtk_button_new_with_label (key ? _ ("It is the same: trust it") : _ ("Answer"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (refuse), "question.refuse");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->answer), "question.answer");
  gtk_widget_add_css_class (key ? refuse : self->answer, "suggested-action");
  gtk_widget_set_halign (buttons, GTK_ALIGN_END);
  gtk_widget_set_margin_top (buttons, 8);
  gtk_box_append (GTK_BOX (buttons), refuse);
  gtk_box_append (GTK_BOX (buttons), self->answer);
  gtk_box_append (GTK_BOX (box), buttons);
  gtk_window_set_default_widget (GTK_WINDOW (self), key ? refuse : self->answer);
  gtk_window_set_focus (GTK_WINDOW (self), self->fields[0] ? self->fields[0] : refuse);
}

guint
flg_question_dialog_id (FlgQuestionDialog *self)
{
  return self->question->id;
}

GtkEditable *
flg_question_dialog_field (FlgQuestionDialog *self, guint n)
{
  return n < MOST_FIELDS && self->fields[n] ? GTK_EDITABLE (self->fields[n]) : NULL;
}

GtkWidget *
flg_question_dialog_new (GtkWindow *parent, FlgLinks *links, gint64 site)
{
  const FlgLink *link = flg_links_get (links, site);
  g_return_val_if_fail (link->question != NULL, NULL);
  FlgQuestionDialog *self = g_object_new (FLG_TYPE_QUESTION_DIALOG, "transient-for", parent, "modal", TRUE,
                                          "destroy-with-parent", TRUE, "resizable", FALSE, NULL);
  self->links = g_object_ref (links);
  self->site = site;
  self->question = fl_remote_question_copy (link->question);
  const FlSite *record = flg_links_site (links, link);
  gtk_window_set_title (GTK_WINDOW (self), record ? record->name : _ ("Login"));
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  gtk_widget_add_css_class (box, "dialog");
  words (box, self->question->title, "title-3");
  if (self->question->kind == FL_REMOTE_ASK_HOST_KEY)
    {
      words (box, _ ("This machine has not been met before."), NULL);
      add_fingerprint (box, self->question->text);
    }
  else
    {
      if (*self->question->text)
        words (box, self->question->text, NULL);
      add_fields (self, box);
    }
  add_buttons (self, box);
  gtk_window_set_child (GTK_WINDOW (self), box);
  if (self->question->kind != FL_REMOTE_ASK_HOST_KEY)
    on_typed (self);
  g_signal_connect_object (links, "changed", G_CALLBACK (on_links), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}

static void
flg_question_dialog_dispose (GObject *object)
{
  FlgQuestionDialog *self = FLG_QUESTION_DIALOG (object);
  wipe (self);
  memset (self->fields, 0, sizeof self->fields);
  G_OBJECT_CLASS (flg_question_dialog_parent_class)->dispose (object);
}

static void
flg_question_dialog_finalize (GObject *object)
{
  FlgQuestionDialog *self = FLG_QUESTION_DIALOG (object);
  g_clear_pointer (&self->question, fl_remote_question_free);
  g_clear_object (&self->links);
  G_OBJECT_CLASS (flg_question_dialog_parent_class)->finalize (object);
}

static void
flg_question_dialog_class_init (FlgQuestionDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_question_dialog_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_question_dialog_finalize;
  gtk_widget_class_install_action (widget_class, "question.answer", NULL, act_answer);
  gtk_widget_class_install_action (widget_class, "question.refuse", NULL, act_refuse);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
}

static void
flg_question_dialog_init (FlgQuestionDialog *self)
{
}
