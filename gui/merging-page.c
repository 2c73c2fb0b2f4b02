#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/merging-page.h"

#include <glib/gi18n.h>
#include <math.h>

#include "gui/chooser.h"
#include "gui/goal-line.h"
#include "gui/goal-watch.h"
#include "gui/merge-results.h"
#include "gui/merging-trend.h"
#include "gui/store-writes.h"
#include "gui/text.h"
#include "gui/science.h"
#include "widgets/empty-state.h"
#include "widgets/export.h"
#include "widgets/shell-plot.h"

#define COMPARED 4  /* versions over one another */
#define UNDO_S   15 /* a goal may be taken back */

struct _FlgMergingPage
{
  FlgPage parent_instance;
  FlgChooser *datasets, *quantities;
  GtkLabel *facts, *reasons;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkBox *slot, *goal_slot;
  GtkGrid *table;
  FlwShellPlot *plot;
  FlgMergingTrend *trend;
  FlgGoalLine *goal;
  FlgGoalWatch *watch;
  GVariant *goal_before;   /* FLG_GOALS: as they were; NULL: nothing to take back */
  gboolean picked, chosen; /* a dataset; a quantity, by a person: else the goal that decides is shown */
  GPtrArray *merges;       /* FlgMerge, the newest first; NULL: none has been read */
  gint64 dataset;          /* that they are of */
  gboolean asking, again;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (FlgMergingPage, flg_merging_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

/* --- what a shell has --- */

typedef struct
{
  const char *name, *label, *title, *unit;
  gsize offset;  /* float in FlShellRow */
  double factor; /* as it is shown */
  double upper;  /* of the plot's scale; 0: what the values need */
  int decimals;
  gsize goal;      /* double in FlDataset; 0: there is none of it */
  FlMetric metric; /* that is forecast; FL_METRIC_LAST: none */
} Quantity;

#define OF(field) G_STRUCT_OFFSET (FlShellRow, field)

static const Quantity quantities[] = {
  { "cc-half", N_ ("CC½"), N_ ("CC½ of half sets"), "", OF (cc_half), 1, 1, 3,
    G_STRUCT_OFFSET (FlDataset, goal_cc_half), FL_METRIC_CC_HALF },
  { "cc-star", N_ ("CC*"), N_ ("CC* estimated from CC½"), "", OF (cc_star), 1, 1, 3, 0, FL_METRIC_LAST },
  { "r-split", N_ ("Rsplit"), N_ ("Rsplit"), "%", OF (r_split), 100, 0, 1, 0, FL_METRIC_LAST },
  { "cc-iso", N_ ("CC iso"), N_ ("CC with the reference"), "", OF (cc_iso), 1, 1, 3, 0, FL_METRIC_LAST },
  { "cc-ano", N_ ("CC ano"), N_ ("CC of anomalous differences"), "", OF (cc_ano), 1, 1, 3,
    G_STRUCT_OFFSET (FlDataset, goal_cc_ano), FL_METRIC_CC_ANO },
  { "completeness", N_ ("Complete"), N_ ("Completeness"), "%", OF (completeness), 100, 100, 1,
    G_STRUCT_OFFSET (FlDataset, goal_completeness), FL_METRIC_COMPLETENESS },
  { "multiplicity", N_ ("Multiplicity"), N_ ("Observations a reflection"), "", OF (multiplicity), 1, 0, 1,
    G_STRUCT_OFFSET (FlDataset, goal_multiplicity), FL_METRIC_MULTIPLICITY },
  { "i-sigma", N_ ("I/σ"), N_ ("Mean of merged I/σ"), "", OF (i_sigma), 1, 0, 1, 0, FL_METRIC_LAST },
};

static double
value_of (const FlShellRow *shell, const Quantity *quantity)
{
  return (double) G_STRUCT_MEMBER (float, shell, quantity->offset) * quantity->factor;
}

static char *
format_value (const FlShellRow *shell, const Quantity *quantity)
{
  double value = value_of (shell, quantity);
  return isfinite (value) ? g_strdup_printf ("%.*f", quantity->decimals, value) : g_strdup ("–");
}

static const FlDataset *
shown_dataset (FlgMergingPage *self)
{
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET), self->dataset);
  return record ? flg_record_dataset (record) : NULL;
}

/* --- showing --- */

static const Quantity *
chosen_quantity (FlgMergingPage *self)
{
  gint64 chosen = flg_chooser_get (self->quantities);
  return &quantities[chosen >= 0 && chosen < (gint64) G_N_ELEMENTS (quantities) ? chosen : 0];
}

/* The chosen quantity's trend, or, where it has none, that of the goal that decides. */
static void
show_trend (FlgMergingPage *self)
{
  const FlDataset *dataset = shown_dataset (self);
  FlOutlook *outlook = flg_goal_watch_find (self->watch, self->dataset);
  FlMetric metric = chosen_quantity (self)->metric;
  if (metric == FL_METRIC_LAST)
    metric = outlook && outlook->forecast.n > 0 ? outlook->forecast.items[outlook->forecast.decisive].metric
                                                : FL_METRIC_CC_HALF;
  flg_merging_trend_show (self->trend, outlook, dataset, metric);
}

/* What the goal is about, until a person chooses. */
static void
show_decisive (FlgMergingPage *self, const FlOutlook *outlook)
{
  if (self->chosen || !outlook || outlook->forecast.n == 0)
    return;
  const FlForecastItem *item = &outlook->forecast.items[outlook->forecast.decisive];
  for (guint i = 0; i < G_N_ELEMENTS (quantities); i++)
    if (quantities[i].metric == (item->reached ? FL_METRIC_CC_HALF : item->metric))
      flg_chooser_choose (self->quantities, i);
  self->chosen = FALSE;
}

/* The page begins with that of the chip. */
static void
show_foremost (FlgMergingPage *self)
{
  const FlOutlook *foremost = self->picked ? NULL : flg_goal_watch_foremost (self->watch);
  if (!foremost)
    return;
  self->picked = TRUE;
  flg_chooser_choose (self->datasets, foremost->dataset);
}

static void
show_goal (FlgMergingPage *self)
{
  const FlOutlook *outlook = flg_goal_watch_find (self->watch, self->dataset);
  flg_goal_line_show (self->goal, shown_dataset (self), outlook);
  show_decisive (self, outlook);
  show_trend (self);
}

static void
show_plot (FlgMergingPage *self)
{
  const Quantity *quantity = chosen_quantity (self);
  const FlDataset *dataset = shown_dataset (self);
  FlwShellSeries series[COMPARED];
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);
  double goal = dataset && quantity->goal > 0 ? G_STRUCT_MEMBER (double, dataset, quantity->goal) : 0;
  guint n = MIN (self->merges ? self->merges->len : 0, COMPARED);
  for (guint i = 0; i < n; i++)
    {
      const FlgMerge *merge = self->merges->pdata[i];
      FlwShellPoint *points = g_new0 (FlwShellPoint, MAX (merge->shells->len, 1));
      char *name = g_strdup_printf (_ ("version %d"), merge->version);
      guint m = 0;
      for (guint k = 0; k < merge->shells->len; k++)
        {
          const FlShellRow *shell = &g_array_index (merge->shells, FlShellRow, k);
          if (shell->number > 0)
            points[m++] =
                (FlwShellPoint){ (double) shell->d_max, (double) shell->d_min, value_of (shell, quantity) };
        }
      g_ptr_array_add (kept, points);
      g_ptr_array_add (kept, name);
      series[i] = (FlwShellSeries){ name, m, points };
    }
  flw_shell_plot_set (self->plot, _ (quantity->title), quantity->unit, n, series, quantity->upper,
                      goal > 0 ? goal * quantity->factor : NAN);
}

static void
put (FlgMergingPage *self, int row, int column, const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, "numeric");
  if (row == 0)
    gtk_widget_add_css_class (label, "dim-label");
  gtk_grid_attach (self->table, label, column, row, 1, 1);
}

static void
put_shell (FlgMergingPage *self, int row, const FlShellRow *shell)
{
  g_autofree char *range = g_strdup_printf (shell->number > 0 ? "%.2f – %.2f" : _ ("all, %.2f – %.2f"),
                                            (double) shell->d_max, (double) shell->d_min);
  g_autofree char *unique = flg_format_count (shell->unique), *possible = flg_format_count (shell->possible);
  g_autofree char *of = g_strdup_printf (_ ("%s of %s"), unique, possible);
  put (self, row, 0, range);
  put (self, row, 1, of);
  for (guint i = 0; i < G_N_ELEMENTS (quantities); i++)
    {
      g_autofree char *value = format_value (shell, &quantities[i]);
      put (self, row, (int) i + 2, value);
    }
}

static void
show_table (FlgMergingPage *self, const FlgMerge *merge)
{
  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self->table)); child;
       child = gtk_widget_get_first_child (GTK_WIDGET (self->table)))
    gtk_grid_remove (self->table, child);
  put (self, 0, 0, _ ("Shell, Å"));
  put (self, 0, 1, _ ("Reflections"));
  for (guint i = 0; i < G_N_ELEMENTS (quantities); i++)
    {
      g_autofree char *head = *quantities[i].unit
                                  ? g_strdup_printf ("%s, %s", _ (quantities[i].label), quantities[i].unit)
                                  : g_strdup (_ (quantities[i].label));
      put (self, 0, (int) i + 2, head);
    }
  int row = 1;
  for (guint k = 0; k < merge->shells->len; k++)
    if (g_array_index (merge->shells, FlShellRow, k).number > 0)
      put_shell (self, row++, &g_array_index (merge->shells, FlShellRow, k));
  if (merge->shells->len > 0 && g_array_index (merge->shells, FlShellRow, 0).number == 0)
    put_shell (self, row, &g_array_index (merge->shells, FlShellRow, 0));
}

static char *
facts_of (FlgMergingPage *self, const FlgMerge *merge)
{
  const FlMergeRow *row = &merge->row;
  g_autofree char *used = flg_format_count ((gint64) row->used),
                  *all = flg_format_count ((gint64) row->lattices);
  g_autofree char *when = flg_format_time (row->time, flg_experiment_now (EXPERIMENT (self)));
  return g_strdup_printf (_ ("version %d, %s · %s of %s lattices · to %.2f Å · CC½ %.3f · %.1f %% complete · "
                             "×%.1f · Rsplit %.1f %%"
                             " · B %.0f Å²"),
                          merge->version, when, used, all, (double) row->d_min, (double) row->cc_half,
                          (double) row->completeness * 100, (double) row->multiplicity,
                          (double) row->r_split * 100, (double) row->wilson_b);
}

static void
show (FlgMergingPage *self)
{
  gboolean any = self->merges && self->merges->len > 0;
  gboolean particles =
      !any && flg_dataset_science (EXPERIMENT (self), self->dataset) == FLG_SCIENCE_PARTICLES;
  gtk_widget_set_visible (GTK_WIDGET (self->goal_slot), !particles);
  gtk_widget_set_visible (GTK_WIDGET (self->quantities), !particles);
  g_autofree char *facts = any ? facts_of (self, self->merges->pdata[0]) : g_strdup ("");
  g_autoptr (GString) reasons = g_string_new (NULL);
  gtk_label_set_label (self->facts, facts);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), facts);
  if (any)
    {
      const FlgMerge *newest = self->merges->pdata[0];
      show_table (self, newest);
      for (guint i = 0; i < newest->reasons->len; i++)
        g_string_append_printf (reasons, "%s%s", i > 0 ? "\n" : "", (char *) newest->reasons->pdata[i]);
    }
  else
    flw_empty_state_set (
        self->empty, "flg-merging-symbolic", particles ? _ ("No crystals") : _ ("Nothing merged"),
        particles ? _ ("Single particles: what is made of their patterns is on the Density page.")
        : flg_record_model_count (flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET)) == 0
            ? _ ("There is no dataset yet: the Datasets page makes one of tags and tasks.")
            : _ ("A dataset with a task “merge” is merged anew whenever lattices have come."));
  gtk_label_set_label (self->reasons, reasons->str);
  gtk_widget_set_visible (GTK_WIDGET (self->reasons), reasons->len > 0);
  show_plot (self);
  show_goal (self);
  gtk_stack_set_visible_child_name (self->stack, any ? "merges" : "empty");
}

/* --- reading --- */

static void ask (FlgMergingPage *self);

static void
on_merges (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgMergingPage) self = data;
  g_autoptr (GError) error = NULL;
  GPtrArray *merges = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->asking = FALSE;
  flg_page_report_read (FLG_PAGE (self), error);
  if (merges)
    {
      g_clear_pointer (&self->merges, g_ptr_array_unref);
      self->merges = merges;
      show (self);
    }
  if (self->again)
    ask (self);
}

static void
ask (FlgMergingPage *self)
{
  self->again = self->asking;
  if (self->asking)
    return;
  self->dataset = flg_chooser_get (self->datasets);
  if (self->dataset <= 0)
    {
      show (self);
      return;
    }
  self->asking = TRUE;
  FlgMergeQuestion question = { self->dataset, COMPARED };
  flg_store_thread_run_async (
      flg_experiment_store (EXPERIMENT (self)), flg_merges_read, g_memdup2 (&question, sizeof question),
      g_free, (GDestroyNotify) g_ptr_array_unref, self->cancellable, on_merges, g_object_ref (self));
}

static void
fill_datasets (FlgMergingPage *self)
{
  FlgRecordModel *datasets = flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET);
  gboolean picked = self->picked;
  flg_chooser_begin (self->datasets);
  for (guint i = 0; i < flg_record_model_count (datasets); i++)
    {
      const FlDataset *dataset = flg_record_dataset (flg_record_model_at (datasets, i));
      flg_chooser_add (self->datasets, dataset->id, dataset->name);
    }
  flg_chooser_end (self->datasets);
  self->picked = picked; /* that was nobody's choice */
}

static void
on_outlooks (FlgMergingPage *self)
{
  show_foremost (self);
  show_goal (self);
}

static void
on_quantity (FlgMergingPage *self)
{
  self->chosen = TRUE;
  show_plot (self);
  show_trend (self);
}

static void
on_dataset (FlgMergingPage *self)
{
  self->picked = TRUE;
  self->chosen = FALSE;
  g_clear_pointer (&self->merges, g_ptr_array_unref);
  ask (self);
}

/* --- the goal --- */

static void
on_goal_saved (FlgSaveEnd end, const GError *error, gpointer data)
{
  FlgMergingPage *self = data;
  if (end == FLG_SAVE_DONE && flg_page_context (FLG_PAGE (self)))
    flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_ACTIVE, _ ("The goal is saved."), _ ("Undo"),
                     UNDO_S);
}

static void
act_set_goal (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (widget);
  gint64 id;
  g_variant_get_child (target, 0, "x", &id);
  const FlDataset *begun = flg_goal_line_begun (self->goal);
  FlDataset *base = begun && begun->id == id ? fl_record_copy (FL_TABLE_DATASET, begun)
                                             : flg_copy_known (EXPERIMENT (self), FL_TABLE_DATASET, id);
  if (!base)
    return;
  g_clear_pointer (&self->goal_before, g_variant_unref);
  self->goal_before = g_variant_ref_sink (flg_goals_of (base));
  FlDataset *mine = fl_record_copy (FL_TABLE_DATASET, base);
  flg_goals_set (mine, target);
  flg_page_save (FLG_PAGE (self), flg_save_new_record (FL_TABLE_DATASET, base, mine), on_goal_saved, self);
  fl_record_free (FL_TABLE_DATASET, base);
}

static void
act_undo_goal (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (widget);
  g_autoptr (GVariant) before = g_steal_pointer (&self->goal_before);
  if (!before)
    return;
  flg_page_write (FLG_PAGE (self), flg_goals_write, g_variant_ref (before), (GDestroyNotify) g_variant_unref);
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_NEUTRAL, _ ("The goal is back."), NULL, 5);
}

static void
on_banner_action (FlgMergingPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "merging.undo-goal", NULL);
}

/* As if typed and saved. */
static void
act_type_goal (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgGoalEditor *editor = flg_goal_line_editor (FLG_MERGING_PAGE (widget)->goal);
  const char *field, *text;
  g_variant_get (target, "(&s&s)", &field, &text);
  flg_goal_editor_set (editor, shown_dataset (FLG_MERGING_PAGE (widget)));
  if (flg_goal_editor_type (editor, field, text))
    flg_goal_line_save (FLG_MERGING_PAGE (widget)->goal);
}

/* --- for tests and actions --- */

const char *
flg_merging_page_goal (FlgMergingPage *self)
{
  return flg_goal_line_words (self->goal);
}

char *
flg_merging_page_trend (FlgMergingPage *self)
{
  return flg_merging_trend_summary (self->trend);
}

void
flg_merging_page_show (FlgMergingPage *self, gint64 dataset)
{
  flg_chooser_choose (self->datasets, dataset);
}

const char *
flg_merging_page_facts (FlgMergingPage *self)
{
  return gtk_label_get_label (self->facts);
}

char *
flg_merging_page_summary (FlgMergingPage *self)
{
  return flw_chart_summary (GTK_WIDGET (self->plot));
}

const char *
flg_merging_page_cell (FlgMergingPage *self, guint row, guint column)
{
  GtkWidget *label = gtk_grid_get_child_at (self->table, (int) column, (int) row);
  return label ? gtk_label_get_label (GTK_LABEL (label)) : NULL;
}

const char *
flg_merging_page_reasons (FlgMergingPage *self)
{
  return gtk_label_get_label (self->reasons);
}

static void
act_show_dataset (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_chooser_choose (FLG_MERGING_PAGE (widget)->datasets, g_variant_get_int64 (target));
}

static void
act_show_quantity (GtkWidget *widget, const char *action, GVariant *target)
{
  for (guint i = 0; i < G_N_ELEMENTS (quantities); i++)
    if (g_str_equal (quantities[i].name, g_variant_get_string (target, NULL)))
      flg_chooser_choose (FLG_MERGING_PAGE (widget)->quantities, i);
}

/* --- page --- */

static void
flg_merging_page_update (FlgPage *page, guint what)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (page);
  if (what & (FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED_HEALTH))
    fill_datasets (self);
  if (what
      & (FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED (FL_TABLE_DATASET_VERSION) | FLG_CHANGED (FL_TABLE_JOB)
         | FLG_CHANGED_BACK))
    ask (self);
}

static gboolean
flg_merging_page_is_settled (FlgPage *page)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (page);
  return !self->asking && flg_goal_watch_is_settled (self->watch)
         && flg_merging_trend_is_settled (self->trend);
}

static void
flg_merging_page_step (FlgPage *page, int by)
{
  flg_chooser_step (FLG_MERGING_PAGE (page)->datasets, by);
}

static void
flg_merging_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_MERGING_PAGE (page)->plot));
}

static void
flg_merging_page_constructed (GObject *object)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (object);
  self->plot = FLW_SHELL_PLOT (flw_shell_plot_new ());
  gtk_widget_set_vexpand (GTK_WIDGET (self->plot), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self->plot), TRUE);
  gtk_box_append (self->slot, GTK_WIDGET (self->plot));
  self->trend = FLG_MERGING_TREND (flg_merging_trend_new ());
  gtk_box_append (self->slot, GTK_WIDGET (self->trend));
  self->goal = FLG_GOAL_LINE (flg_goal_line_new (EXPERIMENT (self)));
  gtk_widget_set_hexpand (GTK_WIDGET (self->goal), TRUE);
  gtk_box_append (self->goal_slot, GTK_WIDGET (self->goal));
  self->watch = flg_goal_watch_of (EXPERIMENT (self));
  g_signal_connect_object (self->watch, "changed", G_CALLBACK (on_outlooks), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (flg_page_banner (FLG_PAGE (self)), "action", G_CALLBACK (on_banner_action), self,
                           G_CONNECT_SWAPPED);
  flg_chooser_begin (self->quantities);
  for (guint i = 0; i < G_N_ELEMENTS (quantities); i++)
    flg_chooser_add (self->quantities, i, _ (quantities[i].label));
  flg_chooser_end (self->quantities);
  fill_datasets (self);
  show_foremost (self);
  g_signal_connect_object (self->quantities, "chosen", G_CALLBACK (on_quantity), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->datasets, "chosen", G_CALLBACK (on_dataset), self, G_CONNECT_SWAPPED);
  ask (self);
  G_OBJECT_CLASS (flg_merging_page_parent_class)->constructed (object);
}

static void
flg_merging_page_dispose (GObject *object)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (object);
  g_cancellable_cancel (self->cancellable);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_MERGING_PAGE);
  G_OBJECT_CLASS (flg_merging_page_parent_class)->dispose (object);
}

static void
flg_merging_page_finalize (GObject *object)
{
  FlgMergingPage *self = FLG_MERGING_PAGE (object);
  g_clear_pointer (&self->merges, g_ptr_array_unref);
  g_clear_pointer (&self->goal_before, g_variant_unref);
  g_object_unref (self->cancellable);
  G_OBJECT_CLASS (flg_merging_page_parent_class)->finalize (object);
}

static void
flg_merging_page_class_init (FlgMergingPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_merging_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_merging_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_merging_page_finalize;
  page_class->update = flg_merging_page_update;
  page_class->is_settled = flg_merging_page_is_settled;
  page_class->step = flg_merging_page_step;
  page_class->focus = flg_merging_page_focus;
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/merging-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, datasets);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, quantities);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, reasons);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, slot);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, goal_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgMergingPage, table);
  gtk_widget_class_install_action (widget_class, "merging.show-dataset", "x", act_show_dataset);
  gtk_widget_class_install_action (widget_class, "merging.show-quantity", "s", act_show_quantity);
  gtk_widget_class_install_action (widget_class, "merging.set-goal", FLG_GOALS, act_set_goal);
  gtk_widget_class_install_action (widget_class, "merging.type-goal", "(ss)", act_type_goal);
  gtk_widget_class_install_action (widget_class, "merging.undo-goal", NULL, act_undo_goal);
}

static void
flg_merging_page_init (FlgMergingPage *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
