#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/goal-line.h"

#include <glib/gi18n.h>

#include "gui/goal-words.h"
#include "gui/people.h"
#include "gui/store-writes.h"
#include "gui/text.h"

struct _FlgGoalLine
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  FlwStatusChip *verdict;
  GtkLabel *reason;
  GtkMenuButton *button;
  FlgGoalEditor *editor;
  GtkWidget *save, *wrong;
  gint64 dataset;   /* 0: none */
  FlDataset *begun; /* what is being edited, as it was */
};

G_DEFINE_FINAL_TYPE (FlgGoalLine, flg_goal_line, GTK_TYPE_BOX)

static const FlDataset *
dataset_of (FlgGoalLine *self)
{
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (self->experiment, FL_TABLE_DATASET), self->dataset);
  return record ? flg_record_dataset (record) : NULL;
}

/* --- the line --- */

static char *
reason_of (FlgGoalLine *self, const FlOutlook *outlook)
{
  g_autofree char *words = flg_goal_long_words (outlook);
  if (!outlook->job)
    return g_steal_pointer (&words);
  g_autofree char *when = flg_format_time (outlook->merged, flg_experiment_now (self->experiment));
  return g_strdup_printf (_ ("%s · merged %s"), words, when);
}

void
flg_goal_line_show (FlgGoalLine *self, const FlDataset *dataset, const FlOutlook *outlook)
{
  FlGoalVerdict verdict = outlook ? outlook->forecast.verdict : FL_VERDICT_NO_GOAL;
  g_autofree char *reason =
      verdict == FL_VERDICT_NO_GOAL
          ? g_strdup (_ ("Nothing says what is enough: “Goal…” sets it, and the forecast begins."))
          : reason_of (self, outlook);
  self->dataset = dataset ? dataset->id : 0;
  gtk_widget_set_visible (GTK_WIDGET (self), dataset != NULL);
  flg_goal_show_verdict (self->verdict, verdict, flg_goal_verdict_word (verdict));
  gtk_label_set_label (self->reason, reason);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->reason), reason);
  gtk_widget_set_sensitive (GTK_WIDGET (self->button), flg_may_change (self->experiment));
}

const char *
flg_goal_line_words (FlgGoalLine *self)
{
  return gtk_label_get_label (self->reason);
}

/* --- the editor --- */

static void
on_edited (FlgGoalLine *self)
{
  const char *complaint = flg_goal_editor_complaint (self->editor);
  gtk_label_set_label (GTK_LABEL (self->wrong), complaint ? complaint : "");
  gtk_widget_set_visible (self->wrong, complaint != NULL);
  gtk_widget_set_sensitive (self->save, complaint == NULL);
}

static void
on_opened (FlgGoalLine *self)
{
  const FlDataset *dataset = dataset_of (self);
  if (!dataset)
    return;
  fl_record_free (FL_TABLE_DATASET, self->begun);
  self->begun = fl_record_copy (FL_TABLE_DATASET, dataset);
  flg_goal_editor_set (self->editor, dataset);
  on_edited (self);
}

FlgGoalEditor *
flg_goal_line_editor (FlgGoalLine *self)
{
  return self->editor;
}

static void
on_closed (FlgGoalLine *self)
{
  fl_record_free (FL_TABLE_DATASET, g_steal_pointer (&self->begun));
}

const FlDataset *
flg_goal_line_begun (FlgGoalLine *self)
{
  return self->begun;
}

void
flg_goal_line_save (FlgGoalLine *self)
{
  const FlDataset *dataset = dataset_of (self);
  FlDataset goals = { .id = self->dataset };
  if (!dataset || !flg_goal_editor_get (self->editor, &goals))
    return;
  FlDataset *begun = g_steal_pointer (&self->begun);
  gtk_menu_button_popdown (self->button);
  self->begun = begun;
  gtk_widget_activate_action_variant (GTK_WIDGET (self), "merging.set-goal", flg_goals_of (&goals));
  on_closed (self);
}

static void
make_popover (FlgGoalLine *self)
{
  GtkWidget *popover = gtk_popover_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  GtkWidget *title = gtk_label_new (_ ("Enough is, all of them together"));
  GtkWidget *note = gtk_label_new (_ ("An empty field is not asked for."));
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "heading");
  gtk_label_set_xalign (GTK_LABEL (note), 0);
  gtk_widget_add_css_class (note, "dim-label");
  self->editor = g_object_new (FLG_TYPE_GOAL_EDITOR, NULL);
  self->wrong = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->wrong), 0);
  gtk_widget_add_css_class (self->wrong, "complaint");
  self->save = gtk_button_new_with_mnemonic (_ ("_Save"));
  gtk_widget_set_halign (self->save, GTK_ALIGN_END);
  gtk_widget_add_css_class (self->save, "suggested-action");
  GtkWidget *rows[] = { title, GTK_WIDGET (self->editor), note, self->wrong, self->save };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    gtk_box_append (GTK_BOX (box), rows[i]);
  gtk_popover_set_child (GTK_POPOVER (popover), box);
  gtk_popover_set_default_widget (GTK_POPOVER (popover), self->save);
  gtk_menu_button_set_popover (self->button, popover);
  g_signal_connect_object (self->editor, "changed", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->save, "clicked", G_CALLBACK (flg_goal_line_save), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (popover, "closed", G_CALLBACK (on_closed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (popover, "show", G_CALLBACK (on_opened), self, G_CONNECT_SWAPPED);
}

/* --- the type --- */

static void
flg_goal_line_dispose (GObject *object)
{
  fl_record_free (FL_TABLE_DATASET, g_steal_pointer (&FLG_GOAL_LINE (object)->begun));
  g_clear_object (&FLG_GOAL_LINE (object)->experiment);
  G_OBJECT_CLASS (flg_goal_line_parent_class)->dispose (object);
}

static void
flg_goal_line_class_init (FlgGoalLineClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_goal_line_dispose;
}

static void
flg_goal_line_init (FlgGoalLine *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self), "tools");
  gtk_widget_add_css_class (GTK_WIDGET (self), "headline");
  self->verdict = FLW_STATUS_CHIP (flw_status_chip_new ());
  self->reason = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->reason, 0);
  gtk_label_set_ellipsize (self->reason, PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (GTK_WIDGET (self->reason), TRUE);
  self->button = GTK_MENU_BUTTON (gtk_menu_button_new ());
  gtk_menu_button_set_label (self->button, _ ("Goal…"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button), _ ("What is enough of this dataset"));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->verdict));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->reason));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->button));
  make_popover (self);
}

GtkWidget *
flg_goal_line_new (FlgExperiment *experiment)
{
  FlgGoalLine *self = g_object_new (FLG_TYPE_GOAL_LINE, NULL);
  self->experiment = g_object_ref (experiment);
  return GTK_WIDGET (self);
}
