#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-field.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/text.h"
#include "widgets/status-chip.h"

#define LABEL_WIDTH 150
#define MOST_WORDS  400

struct _FlgField
{
  GtkBox parent_instance;
  GtkWidget *label, *entry, *browse, *row, *line, *chip, *words;
  char *kind, *text, *said;
  FlgVerdict verdict;
  GObject *found;
  GCancellable *cancellable; /* of the proof that is under way */
  FlgProofFunc func;         /* that waits for `delay` */
  gpointer input;
  GDestroyNotify free_input;
  guint delay;
};

enum
{
  PROP_0,
  PROP_LABEL,
  PROP_KIND,
  PROP_HINT,
  PROP_TIP,
  PROP_TEXT,
  PROP_CONTENT,
  N_PROPS
};
static GParamSpec *props[N_PROPS];

enum
{
  TYPED,
  PROVED,
  ACTIVATE,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgField, flg_field, GTK_TYPE_BOX)

FlgProof *
flg_proof_new (FlgVerdict verdict, const char *format, ...)
{
  FlgProof *proof = g_new0 (FlgProof, 1);
  va_list values;
  va_start (values, format);
  proof->verdict = verdict;
  proof->text = g_strdup_vprintf (format, values);
  va_end (values);
  return proof;
}

void
flg_proof_free (FlgProof *proof)
{
  g_free (proof->text);
  g_clear_object (&proof->found);
  g_free (proof);
}

/* --- the line --- */

/* What came from files and machines: one line, bounded. */
static char *
one_line (const char *text)
{
  char *line = flg_text_bounded (text, MOST_WORDS);
  return g_strstrip (g_strdelimit (line, "\n\r\t\v\f\033", ' '));
}

static void
show_line (FlgField *self, FlgVerdict verdict, const char *text)
{
  static const struct
  {
    FlwShape shape;
    FlwTone tone;
    const char *word;
  } looks[] = { [FLG_VERDICT_NONE] = { FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, "" },
                [FLG_VERDICT_LOOKING] = { FLW_SHAPE_HALF, FLW_TONE_ACTIVE, N_ ("looking") },
                [FLG_VERDICT_GOOD] = { FLW_SHAPE_DISC, FLW_TONE_GOOD, N_ ("good") },
                [FLG_VERDICT_WARNING] = { FLW_SHAPE_DIAMOND, FLW_TONE_WARNING, N_ ("mind") },
                [FLG_VERDICT_BAD] = { FLW_SHAPE_CROSS, FLW_TONE_BAD, N_ ("wrong") } };
  self->verdict = verdict;
  g_free (self->said);
  self->said = one_line (text ? text : "");
  gtk_label_set_label (GTK_LABEL (self->words), self->said);
  gtk_widget_set_visible (self->chip, verdict != FLG_VERDICT_NONE);
  if (verdict != FLG_VERDICT_NONE)
    flw_status_chip_set (FLW_STATUS_CHIP (self->chip), looks[verdict].shape, looks[verdict].tone,
                         _ (looks[verdict].word));
  gtk_widget_set_visible (self->line, verdict != FLG_VERDICT_NONE || *self->said);
  if (self->entry)
    {
      if (verdict == FLG_VERDICT_BAD)
        gtk_widget_add_css_class (self->entry, "error");
      else
        gtk_widget_remove_css_class (self->entry, "error");
      gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      self->said, -1);
    }
}

static void
drop_input (FlgField *self)
{
  g_clear_handle_id (&self->delay, g_source_remove);
  if (self->input && self->free_input)
    self->free_input (self->input);
  self->input = NULL;
  if (self->cancellable)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

void
flg_field_say (FlgField *self, FlgVerdict verdict, const char *text)
{
  drop_input (self);
  g_clear_object (&self->found);
  show_line (self, verdict, text);
  g_signal_emit (self, signals[PROVED], 0);
}

/* --- proofs --- */

typedef struct
{
  FlgProofFunc func;
  gpointer input;
  GDestroyNotify free_input;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;
  if (job->input && job->free_input)
    job->free_input (job->input);
  g_free (job);
}

static void
job_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  g_task_return_pointer (task, job->func (job->input, cancellable), (GDestroyNotify) flg_proof_free);
}

static void
on_proved (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgField *self = FLG_FIELD (source);
  g_autoptr (FlgProof) proof = g_task_propagate_pointer (G_TASK (result), NULL);
  if (!proof || g_task_get_cancellable (G_TASK (result)) != self->cancellable)
    return;
  g_clear_object (&self->cancellable);
  g_set_object (&self->found, proof->found);
  show_line (self, proof->verdict, proof->text);
  g_signal_emit (self, signals[PROVED], 0);
}

static gboolean
begin_proof (gpointer data)
{
  FlgField *self = data;
  Job *job = g_new0 (Job, 1);
  *job = (Job){ self->func, g_steal_pointer (&self->input), self->free_input };
  self->delay = 0;
  self->cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (self, self->cancellable, on_proved, NULL);
  g_task_set_source_tag (task, begin_proof);
  g_task_set_task_data (task, job, job_free);
  g_task_run_in_thread (task, job_run);
  return G_SOURCE_REMOVE;
}

void
flg_field_prove (FlgField *self, FlgProofFunc func, gpointer input, GDestroyNotify free_input, guint delay_ms,
                 gboolean quiet)
{
  drop_input (self);
  self->func = func;
  self->input = input;
  self->free_input = free_input;
  if (!quiet)
    {
      g_clear_object (&self->found);
      show_line (self, FLG_VERDICT_LOOKING, "");
      g_signal_emit (self, signals[PROVED], 0);
    }
  if (delay_ms)
    self->delay = g_timeout_add (delay_ms, begin_proof, self);
  else
    begin_proof (self);
}

void
flg_field_prove_strings (FlgField *self, FlgProofFunc func, guint delay_ms, gboolean quiet, const char *first,
                         ...)
{
  g_autoptr (GStrvBuilder) strings = g_strv_builder_new ();
  va_list values;
  va_start (values, first);
  for (const char *at = first; at; at = va_arg (values, const char *))
    g_strv_builder_add (strings, at);
  va_end (values);
  flg_field_prove (self, func, g_strv_builder_end (strings), (GDestroyNotify) g_strfreev, delay_ms, quiet);
}

FlgVerdict
flg_field_verdict (FlgField *self)
{
  return self->verdict;
}

const char *
flg_field_words (FlgField *self)
{
  return self->said ? self->said : "";
}

GObject *
flg_field_found (FlgField *self)
{
  return self->found;
}

gboolean
flg_field_is_fine (FlgField *self)
{
  return self->verdict != FLG_VERDICT_BAD && self->verdict != FLG_VERDICT_LOOKING;
}

/* --- the field --- */

const char *
flg_field_text (FlgField *self)
{
  const char *text = self->entry ? gtk_editable_get_text (GTK_EDITABLE (self->entry)) : "";
  g_free (self->text);
  self->text = g_strdup (text);
  return strcmp (self->kind, "password") == 0 ? self->text : g_strstrip (self->text);
}

void
flg_field_set_text (FlgField *self, const char *text)
{
  if (self->entry && strcmp (gtk_editable_get_text (GTK_EDITABLE (self->entry)), text) != 0)
    gtk_editable_set_text (GTK_EDITABLE (self->entry), text);
}

static void
on_changed (FlgField *self)
{
  g_signal_emit (self, signals[TYPED], 0);
}

static void
on_activate (FlgField *self)
{
  g_signal_emit (self, signals[ACTIVATE], 0);
}

static void
on_chosen (GtkNativeDialog *dialog, int response, FlgField *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && file && g_file_peek_path (file))
    flg_field_set_text (self, g_file_peek_path (file));
  g_object_unref (dialog);
}

static void
on_browse (FlgField *self)
{
  gboolean folder = strcmp (self->kind, "folder") == 0;
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      gtk_label_get_label (GTK_LABEL (self->label)), GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
      folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER : GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_chosen), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
make_entry (FlgField *self, const char *kind)
{
  g_free (self->kind);
  self->kind = g_strdup (kind);
  if (strcmp (kind, "none") == 0)
    return;
  gboolean password = strcmp (kind, "password") == 0;
  self->entry = password ? gtk_password_entry_new () : gtk_entry_new ();
  if (password)
    gtk_password_entry_set_show_peek_icon (GTK_PASSWORD_ENTRY (self->entry), TRUE);
  gtk_widget_set_hexpand (self->entry, TRUE);
  gtk_box_append (GTK_BOX (self->row), self->entry);
  gtk_label_set_mnemonic_widget (GTK_LABEL (self->label), self->entry);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                  self->label, NULL, -1);
  g_signal_connect_object (self->entry, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->entry, "activate", G_CALLBACK (on_activate), self, G_CONNECT_SWAPPED);
  if (strcmp (kind, "folder") != 0 && strcmp (kind, "file") != 0)
    return;
  self->browse = gtk_button_new_with_label (_ ("Choose…"));
  g_autofree char *name = g_strdup_printf (_ ("Choose: %s"), gtk_label_get_label (GTK_LABEL (self->label)));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->browse), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_signal_connect_object (self->browse, "clicked", G_CALLBACK (on_browse), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self->row), self->browse);
}

static void
set_hint (FlgField *self, const char *hint)
{
  if (self->entry)
    g_object_set (self->entry, "placeholder-text", hint, NULL);
}

static void
flg_field_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  FlgField *self = FLG_FIELD (object);
  switch (id)
    {
    case PROP_LABEL:
      gtk_label_set_label (GTK_LABEL (self->label), g_value_get_string (value));
      break;
    case PROP_KIND:
      make_entry (self, g_value_get_string (value));
      break;
    case PROP_HINT:
      set_hint (self, g_value_get_string (value));
      break;
    case PROP_TIP:
      gtk_widget_set_tooltip_text (GTK_WIDGET (self), g_value_get_string (value));
      break;
    case PROP_TEXT:
      flg_field_set_text (self, g_value_get_string (value));
      break;
    case PROP_CONTENT:
      gtk_box_append (GTK_BOX (self->row), g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
flg_field_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlgField *self = FLG_FIELD (object);
  if (id == PROP_TEXT)
    g_value_set_string (value, flg_field_text (self));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static gboolean
flg_field_grab_focus (GtkWidget *widget)
{
  FlgField *self = FLG_FIELD (widget);
  return self->entry && gtk_widget_grab_focus (self->entry);
}

static void
flg_field_dispose (GObject *object)
{
  FlgField *self = FLG_FIELD (object);
  drop_input (self);
  g_clear_object (&self->found);
  G_OBJECT_CLASS (flg_field_parent_class)->dispose (object);
}

static void
flg_field_finalize (GObject *object)
{
  FlgField *self = FLG_FIELD (object);
  g_free (self->kind);
  g_free (self->text);
  g_free (self->said);
  G_OBJECT_CLASS (flg_field_parent_class)->finalize (object);
}

static void
flg_field_class_init (FlgFieldClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags write = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;
  object_class->set_property = flg_field_set_property;
  object_class->get_property = flg_field_get_property;
  object_class->dispose = flg_field_dispose;
  object_class->finalize = flg_field_finalize;
  GTK_WIDGET_CLASS (klass)->grab_focus = flg_field_grab_focus;
  props[PROP_LABEL] = g_param_spec_string ("label", NULL, NULL, NULL, write);
  props[PROP_KIND] = g_param_spec_string ("kind", NULL, NULL, NULL, write);
  props[PROP_HINT] = g_param_spec_string ("hint", NULL, NULL, NULL, write);
  props[PROP_TIP] = g_param_spec_string ("tip", NULL, NULL, NULL, write);
  props[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, write | G_PARAM_READABLE);
  props[PROP_CONTENT] = g_param_spec_object ("content", NULL, NULL, GTK_TYPE_WIDGET, write);
  g_object_class_install_properties (object_class, N_PROPS, props);
  static const char *const names[] = { "typed", "proved", "activate" };
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, 0);
}

static void
flg_field_init (FlgField *self)
{
  self->kind = g_strdup ("none");
  gtk_box_set_spacing (GTK_BOX (self), 14);
  self->label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->label), 0);
  gtk_label_set_wrap (GTK_LABEL (self->label), TRUE);
  gtk_widget_set_valign (self->label, GTK_ALIGN_START);
  gtk_widget_set_size_request (self->label, LABEL_WIDTH, -1);
  gtk_widget_add_css_class (self->label, "field-label");
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);
  gtk_widget_set_hexpand (column, TRUE);
  self->row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  self->line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  self->chip = flw_status_chip_new ();
  gtk_widget_set_valign (self->chip, GTK_ALIGN_START);
  self->words = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->words), 0);
  gtk_label_set_wrap (GTK_LABEL (self->words), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (self->words), PANGO_WRAP_WORD_CHAR);
  gtk_widget_set_hexpand (self->words, TRUE);
  gtk_box_append (GTK_BOX (self->line), self->chip);
  gtk_box_append (GTK_BOX (self->line), self->words);
  gtk_box_append (GTK_BOX (column), self->row);
  gtk_box_append (GTK_BOX (column), self->line);
  gtk_box_append (GTK_BOX (self), self->label);
  gtk_box_append (GTK_BOX (self), column);
  show_line (self, FLG_VERDICT_NONE, "");
}
