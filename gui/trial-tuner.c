#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/trial-tuner.h"

#include <glib/gi18n.h>

#include "gui/param-form.h"

#define PAUSE_MS 300 /* without a key, until what was typed is tried */

struct _FlgTrialTuner
{
  GtkBox parent_instance;
  GtkLabel *title;
  GtkSearchEntry *filter;
  GtkCheckButton *changed_only;
  FlgParamForm *form;
  gboolean begun, filling;
  guint timer;
};

enum
{
  TUNED,
  CLOSED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgTrialTuner, flg_trial_tuner, GTK_TYPE_BOX)

static gboolean
on_pause (gpointer data)
{
  FlgTrialTuner *self = data;
  self->timer = 0;
  g_signal_emit (self, signals[TUNED], 0);
  return G_SOURCE_REMOVE;
}

static void
on_form_changed (FlgTrialTuner *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  if (self->begun && !self->filling && flg_param_form_is_valid (self->form))
    self->timer = g_timeout_add (PAUSE_MS, on_pause, self);
}

static void
on_filter_changed (FlgTrialTuner *self)
{
  flg_param_form_filter (self->form, gtk_editable_get_text (GTK_EDITABLE (self->filter)),
                         gtk_check_button_get_active (self->changed_only));
}

static void
on_close (FlgTrialTuner *self)
{
  g_signal_emit (self, signals[CLOSED], 0);
}

void
flg_trial_tuner_begin (FlgTrialTuner *self, const FlParams *params, const char *name)
{
  self->filling = TRUE;
  flg_param_form_set_params (self->form, params);
  self->filling = FALSE;
  self->begun = TRUE;
  gtk_label_set_label (self->title, name);
  on_form_changed (self);
}

FlParams *
flg_trial_tuner_params (FlgTrialTuner *self)
{
  return self->begun ? flg_param_form_get_params (self->form, NULL) : NULL;
}

void
flg_trial_tuner_type (FlgTrialTuner *self, const char *parameter, const char *text)
{
  flg_param_form_type (self->form, parameter, text);
}

gboolean
flg_trial_tuner_is_idle (FlgTrialTuner *self)
{
  return self->timer == 0;
}

static void
flg_trial_tuner_dispose (GObject *object)
{
  g_clear_handle_id (&FLG_TRIAL_TUNER (object)->timer, g_source_remove);
  G_OBJECT_CLASS (flg_trial_tuner_parent_class)->dispose (object);
}

static void
flg_trial_tuner_class_init (FlgTrialTunerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_trial_tuner_dispose;
  g_type_ensure (FLG_TYPE_PARAM_FORM);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/trial-tuner.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgTrialTuner, title);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialTuner, filter);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialTuner, changed_only);
  gtk_widget_class_bind_template_child (widget_class, FlgTrialTuner, form);
  gtk_widget_class_bind_template_callback (widget_class, on_form_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_close);
  signals[TUNED] = g_signal_new ("tuned", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
  signals[CLOSED] = g_signal_new ("closed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

static void
flg_trial_tuner_init (FlgTrialTuner *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  flg_param_form_set_editable (self->form, TRUE);
}

GtkWidget *
flg_trial_tuner_new (void)
{
  return g_object_new (FLG_TYPE_TRIAL_TUNER, NULL);
}
