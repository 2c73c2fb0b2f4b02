#define G_LOG_DOMAIN "firstlight-gui"
#include <glib/gi18n.h>

#include "gui/assistant-private.h"

struct _FlgAssistDemo
{
  GtkBox parent_instance;
  GtkCheckButton *particles;
  FlgField *folder;
  GtkLabel *path, *complaint;
  GtkProgressBar *progress;
  GtkWidget *again, *go;
  FlgDemo *demo;
};

G_DEFINE_FINAL_TYPE (FlgAssistDemo, flg_assist_demo, GTK_TYPE_BOX)

static guint open_signal, left_signal;

static gboolean
is_making (FlgAssistDemo *self)
{
  return self->demo && flg_demo_state (self->demo) == FLG_DEMO_MAKING;
}

static void
look (FlgAssistDemo *self)
{
  gboolean particles = gtk_check_button_get_active (self->particles);
  g_autofree char *folder = flg_demo_folder (particles);
  gtk_label_set_label (self->path, folder);
  flg_field_prove_strings (self->folder, flg_demo_prove, 0, FALSE, particles ? "1" : "", folder, NULL);
}

static void
refresh (FlgAssistDemo *self)
{
  FlgVerdict verdict = flg_field_verdict (self->folder);
  gboolean played = verdict == FLG_VERDICT_WARNING;
  gtk_widget_set_visible (self->again, played && !is_making (self));
  gtk_button_set_label (GTK_BUTTON (self->go), played ? _ ("Start it anew") : _ ("Start it"));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "demo.start",
                                 (verdict == FLG_VERDICT_GOOD || played) && !is_making (self));
  gtk_widget_set_sensitive (GTK_WIDGET (self->particles), !is_making (self));
  gtk_widget_set_visible (GTK_WIDGET (self->progress), is_making (self));
}

static void
on_demo (FlgAssistDemo *self)
{
  FlgDemoState state = flg_demo_state (self->demo);
  gtk_progress_bar_set_fraction (self->progress, flg_demo_part (self->demo));
  gtk_progress_bar_set_text (self->progress, flg_demo_words (self->demo));
  gtk_label_set_label (self->complaint, state == FLG_DEMO_FAILED ? flg_demo_words (self->demo) : "");
  refresh (self);
  if (state == FLG_DEMO_READY)
    g_signal_emit (self, open_signal, 0, flg_demo_folder_of (self->demo), "demo");
}

static void
act_start (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgAssistDemo *self = FLG_ASSIST_DEMO (widget);
  if (is_making (self) || !flg_field_is_fine (self->folder))
    return;
  if (self->demo)
    {
      g_signal_handlers_disconnect_by_data (self->demo, self);
      flg_demo_stop (self->demo);
      g_object_unref (self->demo);
    }
  g_autofree char *folder = flg_demo_folder (gtk_check_button_get_active (self->particles));
  self->demo = flg_demo_new (folder, gtk_check_button_get_active (self->particles));
  g_signal_connect_object (self->demo, "changed", G_CALLBACK (on_demo), self, G_CONNECT_SWAPPED);
  on_demo (self);
}

/* As it was left: nothing is played. */
static void
act_look (GtkWidget *widget, const char *action, GVariant *target)
{
  g_autofree char *folder =
      flg_demo_folder (gtk_check_button_get_active (FLG_ASSIST_DEMO (widget)->particles));
  g_signal_emit (widget, open_signal, 0, folder, "read-only");
}

static void
act_leave (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgAssistDemo *self = FLG_ASSIST_DEMO (widget);
  if (is_making (self))
    flg_demo_stop (self->demo);
  g_signal_emit (self, left_signal, 0);
}

void
flg_assist_demo_begin (FlgAssistDemo *self)
{
  gtk_label_set_label (self->complaint, "");
  look (self);
  gtk_widget_grab_focus (self->go);
}

FlgDemo *
flg_assist_demo_played (FlgAssistDemo *self)
{
  return self->demo;
}

static void
flg_assist_demo_dispose (GObject *object)
{
  FlgAssistDemo *self = FLG_ASSIST_DEMO (object);
  if (self->demo)
    {
      g_signal_handlers_disconnect_by_data (self->demo, self);
      flg_demo_stop (self->demo);
    }
  g_clear_object (&self->demo);
  gtk_widget_dispose_template (GTK_WIDGET (object), FLG_TYPE_ASSIST_DEMO);
  G_OBJECT_CLASS (flg_assist_demo_parent_class)->dispose (object);
}

static void
flg_assist_demo_class_init (FlgAssistDemoClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_assist_demo_dispose;
  g_type_ensure (FLG_TYPE_FIELD);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/assistant-demo.ui");
#define BIND(child) gtk_widget_class_bind_template_child (widget_class, FlgAssistDemo, child)
  BIND (particles);
  BIND (folder);
  BIND (path);
  BIND (complaint);
  BIND (progress);
  BIND (again);
  BIND (go);
#undef BIND
  gtk_widget_class_bind_template_callback (widget_class, look);
  gtk_widget_class_install_action (widget_class, "demo.start", NULL, act_start);
  gtk_widget_class_install_action (widget_class, "demo.look", NULL, act_look);
  gtk_widget_class_install_action (widget_class, "demo.leave", NULL, act_leave);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "demo.leave", NULL);
  open_signal = g_signal_new ("open", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                              G_TYPE_STRING, G_TYPE_STRING);
  left_signal = g_signal_new ("left", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_assist_demo_init (FlgAssistDemo *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->folder, "proved", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  refresh (self);
}
