#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/dataset-entry.h"

#include <glib/gi18n.h>

#include <string.h>

#define MOST_OFFERED 6
#define FEW_OFFERED  2 /* beside a complaint */

struct _FlgDatasetEntry
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  GtkEntry *entry;
  GtkLabel *complaint;
  GtkWidget *offers;
  gboolean quiet; /* half of a change */
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgDatasetEntry, flg_dataset_entry, GTK_TYPE_BOX)

/* --- the word at the cursor --- */

static gboolean
ends_word (gunichar c)
{
  return g_unichar_isspace (c) || c == '(' || c == ')' || c == ',';
}

/* In a quotation: from its quote on. */
static const char *
word_start (const char *text, const char *cursor)
{
  const char *start = text, *quote = NULL;
  for (const char *at = text; at < cursor; at = g_utf8_next_char (at))
    {
      if (quote && *at == '\\' && at + 1 < cursor)
        at++;
      else if (*at == '"')
        {
          quote = quote ? NULL : at;
          start = quote ? quote : at + 1;
        }
      else if (!quote && ends_word (g_utf8_get_char (at)))
        start = g_utf8_next_char (at);
    }
  return quote ? quote : start;
}

static const char *
cursor_of (FlgDatasetEntry *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  return g_utf8_offset_to_pointer (text, gtk_editable_get_position (GTK_EDITABLE (self->entry)));
}

typedef enum
{
  WORDS, /* that begin so */
  TAGS,  /* that begin so */
  OTHERS /* tags that hold it somewhere else */
} Kind;

static void
add_matches (GPtrArray *offers, const char *const *names, const char *typed, Kind kind)
{
  for (guint i = 0; names[i] && offers->len < MOST_OFFERED; i++)
    {
      g_autofree char *folded = g_utf8_casefold (names[i], -1);
      const char *found = strstr (folded, typed);
      if (found && (found == folded) == (kind != OTHERS))
        g_ptr_array_add (offers, kind == WORDS ? g_strdup (names[i]) : fl_tag_expression_quote (names[i]));
    }
}

static gboolean
expects_name (const char *text, const char *start)
{
  while (start > text && g_ascii_isspace (start[-1]))
    start--;
  if (start == text || start[-1] == '(')
    return TRUE;
  const char *end = start;
  while (start > text && !g_ascii_isspace (start[-1]) && start[-1] != '(' && start[-1] != ')')
    start--;
  g_autofree char *word = g_ascii_strdown (start, end - start);
  return g_str_equal (word, "and") || g_str_equal (word, "or") || g_str_equal (word, "not");
}

GStrv
flg_dataset_entry_offers (FlgDatasetEntry *self)
{
  static const char *const joining[] = { "and", "or", NULL }, *const beginning[] = { "not", "runs", NULL };
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry)), *cursor = cursor_of (self);
  const char *start = word_start (text, cursor);
  gboolean quoted = *start == '"' && start < cursor;
  g_autofree char *typed = g_utf8_casefold (start + quoted, cursor - start - quoted);
  GPtrArray *offers = g_ptr_array_new ();
  gboolean name = expects_name (text, start);
  if (!name && !quoted)
    add_matches (offers, joining, typed, WORDS);
  else
    {
      g_auto (GStrv) tags = flg_experiment_tag_names (self->experiment);
      add_matches (offers, (const char *const *) tags, typed, TAGS);
      if (!quoted)
        add_matches (offers, beginning, typed, WORDS);
      if (*typed)
        add_matches (offers, (const char *const *) tags, typed, OTHERS);
    }
  g_autofree char *as_typed = g_strndup (start, (gsize) (cursor - start));
  if (offers->len == 1 && g_str_equal (offers->pdata[0], as_typed)) /* it stands there already */
    g_free (g_ptr_array_remove_index (offers, 0));
  g_ptr_array_add (offers, NULL);
  return (GStrv) g_ptr_array_free (offers, FALSE);
}

void
flg_dataset_entry_take (FlgDatasetEntry *self, const char *offer)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry)), *cursor = cursor_of (self);
  int start = (int) g_utf8_pointer_to_offset (text, word_start (text, cursor));
  int end = (int) g_utf8_pointer_to_offset (text, cursor), position = start;
  g_autofree char *with_space = g_strconcat (offer, " ", NULL);
  self->quiet = TRUE;
  gtk_editable_delete_text (GTK_EDITABLE (self->entry), start, end);
  self->quiet = FALSE;
  gtk_editable_insert_text (GTK_EDITABLE (self->entry), with_space, -1, &position);
  gtk_editable_set_position (GTK_EDITABLE (self->entry), position);
}

/* --- offers --- */

static void
on_offer (GtkButton *button, FlgDatasetEntry *self)
{
  g_autofree char *offer = g_strdup (g_object_get_data (G_OBJECT (button), "offer"));
  gtk_entry_grab_focus_without_selecting (self->entry);
  flg_dataset_entry_take (self, offer);
}

static void
show_offers (FlgDatasetEntry *self)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (self->offers)))
    gtk_box_remove (GTK_BOX (self->offers), child);
  g_auto (GStrv) offers = flg_dataset_entry_offers (self);
  guint most = *gtk_label_get_label (self->complaint) ? FEW_OFFERED : MOST_OFFERED;
  for (guint i = 0; offers[i] && i < most; i++)
    {
      GtkWidget *label = gtk_label_new (offers[i]), *button = gtk_button_new ();
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
      gtk_label_set_max_width_chars (GTK_LABEL (label), 18);
      gtk_button_set_child (GTK_BUTTON (button), label);
      gtk_widget_set_focusable (button, FALSE);
      gtk_widget_set_tooltip_text (button, i == 0 ? _ ("Tab takes this one") : NULL);
      gtk_widget_add_css_class (button, "offer");
      if (i == 0)
        gtk_widget_add_css_class (button, "first");
      g_object_set_data_full (G_OBJECT (button), "offer", g_strdup (offers[i]), g_free);
      g_signal_connect_object (button, "clicked", G_CALLBACK (on_offer), self, 0);
      gtk_box_append (GTK_BOX (self->offers), button);
    }
}

static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
        FlgDatasetEntry *self)
{
  g_auto (GStrv) offers = flg_dataset_entry_offers (self);
  gboolean typed =
      word_start (gtk_editable_get_text (GTK_EDITABLE (self->entry)), cursor_of (self)) < cursor_of (self);
  if (key != GDK_KEY_Tab || !offers[0] || !typed || (state & gtk_accelerator_get_default_mod_mask ()))
    return GDK_EVENT_PROPAGATE;
  flg_dataset_entry_take (self, offers[0]);
  return GDK_EVENT_STOP;
}

static void
on_changed (FlgDatasetEntry *self)
{
  if (self->quiet)
    return;
  g_signal_emit (self, signals[CHANGED], 0);
  show_offers (self);
}

/* --- the type --- */

static void
flg_dataset_entry_dispose (GObject *object)
{
  g_clear_object (&FLG_DATASET_ENTRY (object)->experiment);
  G_OBJECT_CLASS (flg_dataset_entry_parent_class)->dispose (object);
}

static void
flg_dataset_entry_class_init (FlgDatasetEntryClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_dataset_entry_dispose;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_dataset_entry_init (FlgDatasetEntry *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 3);
  self->entry = GTK_ENTRY (gtk_entry_new ());
  gtk_widget_add_css_class (GTK_WIDGET (self->entry), "monospace");
  gtk_entry_set_placeholder_text (self->entry, _ ("lysozyme and not dark, runs 12-40 …"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Which runs: tags, and, or, not, runs"), -1);
  self->complaint = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->complaint, 0);
  gtk_label_set_ellipsize (self->complaint, PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (GTK_WIDGET (self->complaint), "complaint");
  self->offers = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_widget_add_css_class (self->offers, "offers");
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (on_key), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self->entry), keys);
  g_signal_connect_object (self->entry, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->entry, "notify::cursor-position", G_CALLBACK (show_offers), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->entry));
  GtkWidget *below = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  gtk_box_append (GTK_BOX (below), GTK_WIDGET (self->complaint));
  gtk_box_append (GTK_BOX (below), self->offers);
  gtk_box_append (GTK_BOX (self), below);
}

GtkWidget *
flg_dataset_entry_new (FlgExperiment *experiment)
{
  FlgDatasetEntry *self = g_object_new (FLG_TYPE_DATASET_ENTRY, NULL);
  self->experiment = g_object_ref (experiment);
  return GTK_WIDGET (self);
}

const char *
flg_dataset_entry_text (FlgDatasetEntry *self)
{
  return gtk_editable_get_text (GTK_EDITABLE (self->entry));
}

void
flg_dataset_entry_set_text (FlgDatasetEntry *self, const char *text)
{
  gtk_editable_set_text (GTK_EDITABLE (self->entry), text);
  gtk_editable_set_position (GTK_EDITABLE (self->entry), -1);
}

void
flg_dataset_entry_complain (FlgDatasetEntry *self, const char *message, const FlTagSpan *wrong)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  g_autoptr (PangoAttrList) marks = pango_attr_list_new ();
  if (message && wrong && wrong->length)
    {
      const char *start = g_utf8_offset_to_pointer (text, wrong->at);
      PangoAttribute *parts[] = { pango_attr_underline_new (PANGO_UNDERLINE_ERROR),
                                  pango_attr_foreground_new (0xffff, 0x7a7a, 0x3c3c) };
      for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
        {
          parts[i]->start_index = (guint) (start - text);
          parts[i]->end_index = (guint) (g_utf8_offset_to_pointer (start, wrong->length) - text);
          pango_attr_list_insert (marks, parts[i]);
        }
    }
  gtk_entry_set_attributes (self->entry, marks);
  gtk_label_set_label (self->complaint, message ? message : "");
  gtk_widget_set_visible (GTK_WIDGET (self->complaint), message != NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->complaint), message);
  if (message)
    gtk_widget_add_css_class (GTK_WIDGET (self->entry), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->entry), "error");
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_STATE_INVALID,
                               message ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
}

void
flg_dataset_entry_focus (FlgDatasetEntry *self)
{
  gtk_entry_grab_focus_without_selecting (self->entry);
}
