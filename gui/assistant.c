#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/assistant-private.h"
#include "gui/assistant-recent.h"
#include "widgets/readout.h"

struct _FlgAssistant
{
  GtkBox parent_instance;
  GtkStack *pages;
  GtkBox *ways;
  GtkListBox *recent;
  FlgAssistMake *make;
  FlgAssistJoin *join;
  FlgAssistOpen *look;
  FlgAssistDemo *demo;
  GCancellable *cancellable; /* of reading what was opened before */
};

G_DEFINE_FINAL_TYPE (FlgAssistant, flg_assistant, GTK_TYPE_BOX)

static guint open_signal, dismissed_signal;

static const struct
{
  const char *icon, *title, *text, *action, *target;
} ways[] = {
  { "flg-runs-symbolic", N_ ("_New beamtime"),
    N_ ("Where runs arrive, the detector, where jobs run: then it goes"), "assistant.show", "new" },
  { "flg-sites-symbolic", N_ ("_Join a database"),
    N_ ("A beamtime that several people share in MySQL or MariaDB"), "assistant.show", "join" },
  { "flg-trials-symbolic", N_ ("_Open an archive or a folder"),
    N_ ("An experiment on a disk of this machine"), "assistant.show", "open" },
  { "flg-live-symbolic", N_ ("Look on over _SSH"),
    N_ ("An experiment on another machine, read-only, with a login alone"), "app.join", "" },
  { "flg-density-symbolic", N_ ("_Demo"),
    N_ ("A simulated beamtime, crystals or single particles, on this machine"), "assistant.show", "demo" },
};

/* --- what was opened before --- */

static GtkWidget *
recent_row (const FlgRecent *recent)
{
  GtkWidget *row = gtk_list_box_row_new (), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 14),
            *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  double seconds = MAX (0, (double) (g_get_real_time () / G_USEC_PER_SEC - recent->opened));
  g_autofree char *age = flw_format_age (seconds), *when = g_strdup_printf (_ ("%s ago"), age);
  GtkWidget *name = gtk_label_new (recent->name), *where = gtk_label_new (recent->where),
            *time = gtk_label_new (recent->missing ? _ ("not here now") : when);
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (where), 0);
  gtk_label_set_ellipsize (GTK_LABEL (where), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_single_line_mode (GTK_LABEL (name), TRUE);
  gtk_label_set_single_line_mode (GTK_LABEL (where), TRUE);
  gtk_widget_add_css_class (where, "dim-label");
  gtk_widget_add_css_class (time, "dim-label");
  gtk_widget_set_tooltip_text (where, recent->where);
  gtk_widget_set_hexpand (column, TRUE);
  gtk_box_append (GTK_BOX (column), name);
  gtk_box_append (GTK_BOX (column), where);
  gtk_box_append (GTK_BOX (box), column);
  gtk_box_append (GTK_BOX (box), time);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  if (recent->missing)
    gtk_widget_add_css_class (row, "missing");
  g_autofree char *label = g_strdup_printf ("%s, %s, %s", recent->name, recent->where,
                                            recent->missing ? _ ("not here now") : when);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_object_set_data_full (G_OBJECT (row), "where", g_strdup (recent->where), g_free);
  g_object_set_data (G_OBJECT (row), "missing", GINT_TO_POINTER (recent->missing));
  return row;
}

static void
read_recent (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, flg_recent_read (), (GDestroyNotify) g_ptr_array_unref);
}

static void
on_recent_read (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgAssistant *self = FLG_ASSISTANT (source);
  g_autoptr (GPtrArray) all = g_task_propagate_pointer (G_TASK (result), NULL);
  if (!all || g_task_get_cancellable (G_TASK (result)) != self->cancellable)
    return;
  g_clear_object (&self->cancellable);
  GtkListBoxRow *row;
  while ((row = gtk_list_box_get_row_at_index (self->recent, 0)))
    gtk_list_box_remove (self->recent, GTK_WIDGET (row));
  for (guint i = 0; i < all->len; i++)
    gtk_list_box_append (self->recent, recent_row (all->pdata[i]));
}

static void
begin_recent (FlgAssistant *self)
{
  if (self->cancellable)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (self, self->cancellable, on_recent_read, NULL);
  g_task_set_source_tag (task, begin_recent);
  g_task_run_in_thread (task, read_recent);
}

/* One that is not here is looked at: that says why. */
static void
on_recent_activated (FlgAssistant *self, GtkListBoxRow *row)
{
  const char *where = g_object_get_data (G_OBJECT (row), "where");
  if (!g_object_get_data (G_OBJECT (row), "missing"))
    {
      g_signal_emit (self, open_signal, 0, where, "");
      return;
    }
  flg_assistant_show (self, "open");
  flg_assist_open_begin (self->look, where);
}

/* --- pages --- */

const char *
flg_assistant_shown (FlgAssistant *self)
{
  return gtk_stack_get_visible_child_name (self->pages);
}

gboolean
flg_assistant_show (FlgAssistant *self, const char *page)
{
  g_auto (GStrv) parts = g_strsplit (page, ":", 2);
  if (!parts[0] || !gtk_stack_get_child_by_name (self->pages, parts[0]))
    return FALSE;
  gtk_stack_set_visible_child_name (self->pages, parts[0]);
  if (g_str_equal (parts[0], "welcome"))
    {
      begin_recent (self);
      gtk_widget_grab_focus (gtk_widget_get_first_child (GTK_WIDGET (self->ways)));
    }
  else if (g_str_equal (parts[0], "new"))
    flg_assist_make_begin (self->make, NULL);
  else if (g_str_equal (parts[0], "join"))
    flg_assist_join_begin (self->join);
  else if (g_str_equal (parts[0], "open"))
    flg_assist_open_begin (self->look, NULL);
  else
    flg_assist_demo_begin (self->demo);
  return !parts[1] || (g_str_equal (parts[0], "new") && flg_assist_make_show (self->make, parts[1]));
}

void
flg_assistant_propose (FlgAssistant *self, const char *folder)
{
  flg_assist_make_begin (self->make, folder);
  gtk_stack_set_visible_child_name (self->pages, "new");
}

/* Of all fields that are shown. */
static gboolean
is_looking (GtkWidget *widget)
{
  if (!gtk_widget_get_mapped (widget))
    return FALSE;
  if (FLG_IS_FIELD (widget) && flg_field_verdict (FLG_FIELD (widget)) == FLG_VERDICT_LOOKING)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    if (is_looking (child))
      return TRUE;
  return FALSE;
}

gboolean
flg_assistant_is_settled (FlgAssistant *self)
{
  return !self->cancellable && !is_looking (GTK_WIDGET (self));
}

FlgDemo *
flg_assistant_demo (FlgAssistant *self)
{
  return flg_assist_demo_played (self->demo);
}

static void
act_show (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_assistant_show (FLG_ASSISTANT (widget), g_variant_get_string (target, NULL));
}

static void
act_dismiss (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgAssistant *self = FLG_ASSISTANT (widget);
  if (g_str_equal (flg_assistant_shown (self), "welcome"))
    g_signal_emit (self, dismissed_signal, 0);
}

static void
on_left (FlgAssistant *self)
{
  flg_assistant_show (self, "welcome");
}

static void
on_open (FlgAssistant *self, const char *where, const char *then)
{
  g_signal_emit (self, open_signal, 0, where, then);
}

/* --- widget --- */

static GtkWidget *
way_new (guint i)
{
  GtkWidget *button = gtk_button_new (), *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 16),
            *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *icon = gtk_image_new_from_icon_name (ways[i].icon),
            *title = gtk_label_new_with_mnemonic (_ (ways[i].title)),
            *text = gtk_label_new (_ (ways[i].text));
  gtk_image_set_pixel_size (GTK_IMAGE (icon), 28);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (title), button);
  gtk_label_set_xalign (GTK_LABEL (text), 0);
  gtk_label_set_wrap (GTK_LABEL (text), TRUE);
  gtk_widget_add_css_class (title, "way-title");
  gtk_widget_add_css_class (text, "dim-label");
  gtk_box_append (GTK_BOX (column), title);
  gtk_box_append (GTK_BOX (column), text);
  gtk_box_append (GTK_BOX (box), icon);
  gtk_box_append (GTK_BOX (box), column);
  gtk_button_set_child (GTK_BUTTON (button), box);
  gtk_widget_add_css_class (button, "way");
  gtk_accessible_update_relation (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_RELATION_LABELLED_BY, title, NULL,
                                  GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, text, NULL, -1);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), ways[i].action);
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", ways[i].target);
  return button;
}

static void
flg_assistant_dispose (GObject *object)
{
  FlgAssistant *self = FLG_ASSISTANT (object);
  if (self->cancellable)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  gtk_widget_dispose_template (GTK_WIDGET (object), FLG_TYPE_ASSISTANT);
  G_OBJECT_CLASS (flg_assistant_parent_class)->dispose (object);
}

static void
flg_assistant_class_init (FlgAssistantClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_assistant_dispose;
  g_type_ensure (FLG_TYPE_ASSIST_MAKE);
  g_type_ensure (FLG_TYPE_ASSIST_JOIN);
  g_type_ensure (FLG_TYPE_ASSIST_OPEN);
  g_type_ensure (FLG_TYPE_ASSIST_DEMO);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/assistant.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, pages);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, ways);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, recent);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, make);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, join);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, look);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistant, demo);
  gtk_widget_class_bind_template_callback (widget_class, on_recent_activated);
  gtk_widget_class_install_action (widget_class, "assistant.show", "s", act_show);
  gtk_widget_class_install_action (widget_class, "assistant.dismiss", NULL, act_dismiss);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "assistant.dismiss", NULL);
  open_signal = g_signal_new ("open", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                              G_TYPE_STRING, G_TYPE_STRING);
  dismissed_signal = g_signal_new ("dismissed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_assistant_init (FlgAssistant *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    gtk_box_append (self->ways, way_new (i));
  gpointer const all[] = { self->make, self->join, self->look, self->demo };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_signal_connect_object (all[i], "open", G_CALLBACK (on_open), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (all[i], "left", G_CALLBACK (on_left), self, G_CONNECT_SWAPPED);
    }
  g_signal_connect_object (self->look, "make", G_CALLBACK (flg_assistant_propose), self, G_CONNECT_SWAPPED);
}

GtkWidget *
flg_assistant_new (void)
{
  return g_object_new (FLG_TYPE_ASSISTANT, NULL);
}
