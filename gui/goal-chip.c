#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/goal-chip.h"

#include <glib/gi18n.h>

#include "gui/goal-watch.h"
#include "gui/goal-words.h"
#include "gui/text.h"

struct _FlgGoalChip
{
  GtkButton parent_instance;
  FlgExperiment *experiment;
  FlwStatusChip *shape;
  GtkLabel *title, *state, *rest;
  char *words;
};

G_DEFINE_FINAL_TYPE (FlgGoalChip, flg_goal_chip, GTK_TYPE_BUTTON)

static const char *
name_of (FlgGoalChip *self, gint64 dataset)
{
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (self->experiment, FL_TABLE_DATASET), dataset);
  return record ? flg_record_dataset (record)->name : "";
}

/* Long words, and which version they are of: its age is the news' age. */
static char *
tip_of (FlgGoalChip *self, const FlOutlook *outlook, const char *name)
{
  g_autofree char *words = flg_goal_long_words (outlook);
  if (!outlook->job)
    return g_strdup_printf ("%s: %s", name, words);
  g_autofree char *when = flg_format_time (outlook->merged, flg_experiment_now (self->experiment));
  return g_strdup_printf (_ ("%s: %s\n%s\nby version %d, merged %s"), name,
                          flg_goal_verdict_word (outlook->forecast.verdict), words, outlook->version, when);
}

static void
say (FlgGoalChip *self, const char *words)
{
  if (g_strcmp0 (words, self->words) == 0)
    return;
  g_free (self->words);
  self->words = g_strdup (words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
}

static void
refresh (FlgGoalChip *self)
{
  const FlOutlook *outlook = flg_goal_watch_foremost (flg_goal_watch_of (self->experiment));
  gtk_widget_set_visible (GTK_WIDGET (self), outlook != NULL);
  if (!outlook)
    {
      say (self, "");
      return;
    }
  const FlForecast *f = &outlook->forecast;
  g_autofree char *name = flg_text_bounded (name_of (self, outlook->dataset), 24);
  g_autofree char *state = flg_goal_state_words (outlook), *rest = flg_goal_short_words (outlook);
  g_autofree char *tip = tip_of (self, outlook, name);
  g_autofree char *title = g_strdup_printf ("%s: %s", name, flg_goal_verdict_word (f->verdict));
  flg_goal_show_verdict (self->shape, f->verdict, "");
  gtk_label_set_label (self->title, title);
  gtk_label_set_label (self->state, state);
  gtk_widget_set_visible (GTK_WIDGET (self->state), *state != '\0');
  gtk_label_set_label (self->rest, rest);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), tip);
  gtk_actionable_set_action_target (GTK_ACTIONABLE (self), "x", outlook->dataset);
  g_autofree char *words = *state ? g_strdup_printf ("%s · %s · %s", title, state, rest)
                                  : g_strdup_printf ("%s · %s", title, rest);
  say (self, words);
}

const char *
flg_goal_chip_words (FlgGoalChip *self)
{
  return self->words ? self->words : "";
}

static void
flg_goal_chip_finalize (GObject *object)
{
  FlgGoalChip *self = FLG_GOAL_CHIP (object);
  g_clear_object (&self->experiment);
  g_free (self->words);
  G_OBJECT_CLASS (flg_goal_chip_parent_class)->finalize (object);
}

static void
flg_goal_chip_class_init (FlgGoalChipClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_goal_chip_finalize;
}

static GtkLabel *
make_label (GtkWidget *box, const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), 16);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 34);
  gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return GTK_LABEL (label);
}

static void
flg_goal_chip_init (FlgGoalChip *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0),
            *text = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1);
  self->shape = FLW_STATUS_CHIP (flw_status_chip_new ());
  gtk_box_append (GTK_BOX (row), GTK_WIDGET (self->shape));
  self->title = make_label (text, "goal-title");
  self->state = make_label (text, "goal-state");
  self->rest = make_label (text, "goal-rest");
  gtk_widget_set_valign (text, GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (row), text);
  gtk_button_set_child (GTK_BUTTON (self), row);
  gtk_widget_add_css_class (GTK_WIDGET (self), "flat");
  gtk_widget_add_css_class (GTK_WIDGET (self), "goal-chip");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self), "win.show-merging");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (self), "x", (gint64) 0);
}

GtkWidget *
flg_goal_chip_new (FlgExperiment *experiment)
{
  FlgGoalChip *self = g_object_new (FLG_TYPE_GOAL_CHIP, NULL);
  self->experiment = g_object_ref (experiment);
  g_signal_connect_object (flg_goal_watch_of (experiment), "changed", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
  refresh (self);
  return GTK_WIDGET (self);
}
