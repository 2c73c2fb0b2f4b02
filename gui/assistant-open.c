#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-look.h"
#include "gui/assistant-private.h"

#define TYPING_MS 300

struct _FlgAssistOpen
{
  GtkBox parent_instance;
  FlgField *path, *facts;
  GtkLabel *details;
  GtkWidget *make;
  gboolean wants_open;
};

G_DEFINE_FINAL_TYPE (FlgAssistOpen, flg_assist_open, GTK_TYPE_BOX)

static guint open_signal, left_signal, make_signal;

static void
on_typed (FlgAssistOpen *self)
{
  flg_field_prove_strings (self->path, flg_look_at, TYPING_MS, FALSE, flg_field_text (self->path), NULL);
}

static gboolean
opens (FlgAssistOpen *self)
{
  FlgVerdict verdict = flg_field_verdict (self->path);
  return verdict == FLG_VERDICT_GOOD || verdict == FLG_VERDICT_WARNING;
}

static const char *
found (FlgAssistOpen *self, const char *what)
{
  GObject *object = flg_field_found (self->path);
  return object ? g_object_get_data (object, what) : NULL;
}

static void
open_it (FlgAssistOpen *self, const char *how)
{
  if (opens (self) && found (self, "folder"))
    g_signal_emit (self, open_signal, 0, found (self, "folder"), how);
}

static void
on_proved (FlgAssistOpen *self)
{
  const char *details = found (self, "details");
  gtk_label_set_label (self->details, details ? details : "");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "look.open", opens (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "look.open-read-only", opens (self));
  gtk_widget_set_visible (self->make, found (self, "new") != NULL);
  if (self->wants_open && flg_field_verdict (self->path) != FLG_VERDICT_LOOKING)
    {
      self->wants_open = FALSE;
      open_it (self, "");
    }
}

static void
on_enter (FlgAssistOpen *self)
{
  self->wants_open = flg_field_verdict (self->path) == FLG_VERDICT_LOOKING;
  open_it (self, "");
}

static void
act_open (GtkWidget *widget, const char *action, GVariant *target)
{
  open_it (FLG_ASSIST_OPEN (widget), g_str_equal (action, "look.open-read-only") ? "read-only" : "");
}

static void
act_make (GtkWidget *widget, const char *action, GVariant *target)
{
  const char *folder = found (FLG_ASSIST_OPEN (widget), "folder");
  if (folder)
    g_signal_emit (widget, make_signal, 0, folder);
}

static void
act_leave (GtkWidget *widget, const char *action, GVariant *target)
{
  g_signal_emit (widget, left_signal, 0);
}

void
flg_assist_open_begin (FlgAssistOpen *self, const char *path)
{
  if (path)
    flg_field_set_text (self->path, path);
  else if (*flg_field_text (self->path))
    on_typed (self); /* it may have changed meanwhile */
  gtk_widget_grab_focus (GTK_WIDGET (self->path));
}

static void
flg_assist_open_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), FLG_TYPE_ASSIST_OPEN);
  G_OBJECT_CLASS (flg_assist_open_parent_class)->dispose (object);
}

static void
flg_assist_open_class_init (FlgAssistOpenClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_assist_open_dispose;
  g_type_ensure (FLG_TYPE_FIELD);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/assistant-open.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgAssistOpen, path);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistOpen, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistOpen, details);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistOpen, make);
  gtk_widget_class_install_action (widget_class, "look.open", NULL, act_open);
  gtk_widget_class_install_action (widget_class, "look.open-read-only", NULL, act_open);
  gtk_widget_class_install_action (widget_class, "look.make", NULL, act_make);
  gtk_widget_class_install_action (widget_class, "look.leave", NULL, act_leave);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "look.leave", NULL);
  open_signal = g_signal_new ("open", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                              G_TYPE_STRING, G_TYPE_STRING);
  make_signal =
      g_signal_new ("make", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  left_signal = g_signal_new ("left", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_assist_open_init (FlgAssistOpen *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->path, "typed", G_CALLBACK (on_typed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->path, "proved", G_CALLBACK (on_proved), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->path, "activate", G_CALLBACK (on_enter), self, G_CONNECT_SWAPPED);
  on_proved (self);
}
