#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/join-dialog.h"

#include <glib/gi18n.h>

#include "gui/follow.h"

typedef struct
{
  GtkWindow *window;
  GtkEditable *entry;
  GtkWidget *complaint, *join;
} Join;

static void
on_typed (Join *join)
{
  g_autoptr (GError) error = NULL;
  FlgFarPlace place;
  const char *text = gtk_editable_get_text (join->entry);
  gboolean good = flg_far_place_parse (text, &place, &error);
  gtk_label_set_label (GTK_LABEL (join->complaint), good || !*text ? "" : error->message);
  gtk_widget_set_sensitive (join->join, good);
  flg_far_place_clear (&place);
}

static void
on_join (Join *join)
{
  g_autofree char *url = g_strdup (gtk_editable_get_text (join->entry));
  GtkWindow *parent = gtk_window_get_transient_for (join->window);
  if (!gtk_widget_get_sensitive (join->join))
    return;
  gtk_window_destroy (join->window);
  gtk_widget_activate_action (GTK_WIDGET (parent), "app.join", "s", url);
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static GtkWidget *
label_new (GtkWidget *box, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 66);
  gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

GtkWidget *
flg_join_dialog_new (GtkWindow *parent)
{
  GtkWidget *window = gtk_window_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  Join *join = g_new0 (Join, 1);
  g_object_set_data_full (G_OBJECT (window), "join", join, g_free);
  g_object_set (window, "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE, "resizable",
                FALSE, "title", _ ("Join over SSH"), NULL);
  gtk_widget_add_css_class (box, "dialog");
  label_new (box, _ ("An experiment on another machine"), "title-3");
  label_new (box,
             _ ("You look on: nothing is changed there. Runs, jobs and plots are copied here and kept up; "
                "images are asked for "
                "as you look at them. Needed: a login that asks for nothing (a key in the agent), and "
                "firstlight-control "
                "installed there."),
             "dim-label");
  join->window = GTK_WINDOW (window);
  join->entry = GTK_EDITABLE (gtk_entry_new ());
  gtk_entry_set_placeholder_text (GTK_ENTRY (join->entry), "ssh://user@host/path/to/experiment");
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (join->entry));
  join->complaint = label_new (box, NULL, "complaint");
  join->join = gtk_button_new_with_label (_ ("Join"));
  gtk_widget_add_css_class (join->join, "suggested-action");
  gtk_widget_set_halign (join->join, GTK_ALIGN_END);
  gtk_box_append (GTK_BOX (box), join->join);
  gtk_window_set_child (GTK_WINDOW (window), box);
  g_signal_connect_swapped (join->entry, "changed", G_CALLBACK (on_typed), join);
  g_signal_connect_swapped (join->entry, "activate", G_CALLBACK (on_join), join);
  g_signal_connect_swapped (join->join, "clicked", G_CALLBACK (on_join), join);
  GtkEventController *keys = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys),
                                        gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Escape"),
                                                          gtk_callback_action_new (on_escape, NULL, NULL)));
  gtk_widget_add_controller (window, keys);
  on_typed (join);
  return window;
}
