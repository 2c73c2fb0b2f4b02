#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/cells-private.h"

#include <glib/gi18n.h>

#include "gui/people.h"
#include "gui/text.h"
#include "gui/science.h"
#include "widgets/export.h"

#define MOST_PROPOSALS 4 /* listed */

G_DEFINE_FINAL_TYPE (FlgCellsPage, flg_cells_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

/* --- what is shown --- */

/* The most frequent centring in blue, then yellow, then green; more than that is grey. */
static void
show_colours (FlgCellsPage *self)
{
  static const char *const names[FLG_CELL_SERIES] = { "P", "I", "F", "C", "R" };
  static const guint32 palette[] = { 0x56b4e9, 0xf0e442, 0x7fd1ae, 0xa7aeb8 };
  guint32 colours[FLG_CELL_SERIES];
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint s = 0; s < FLG_CELL_SERIES; s++)
    {
      guint64 here = self->answer->series[s];
      guint64 all = self->answer->all_series[s];
      guint rank = 0;
      for (guint k = 0; k < FLG_CELL_SERIES; k++)
        rank += self->answer->all_series[k] > all || (self->answer->all_series[k] == all && k < s);
      colours[s] = palette[MIN (rank, G_N_ELEMENTS (palette) - 1)];
      g_autofree char *count = flg_format_count ((gint64) here);
      if (here)
        g_string_append_printf (text, "%s<span color=\"#%06x\">■</span> %s %s", text->len ? "  " : "",
                                colours[s], names[s], count);
    }
  for (guint p = 0; p < 6; p++)
    flw_histogram_set_colours (self->histograms[p], colours);
  gtk_label_set_markup (self->legend, text->str);
}

static void
show_facts (FlgCellsPage *self)
{
  const FlgCellAnswer *answer = self->answer;
  if (!answer || answer->lattices == 0)
    {
      gtk_label_set_label (self->facts, "");
      return;
    }
  g_autofree char *lattices = flg_format_count ((gint64) answer->lattices);
  g_autofree char *shots = flg_format_count ((gint64) answer->shots);
  g_autofree char *selected = flg_format_count ((gint64) answer->selected);
  g_autofree char *selected_shots = flg_format_count ((gint64) answer->selected_shots);
  g_autofree char *text = answer->selected == answer->lattices
                              ? g_strdup_printf (_ ("%s lattices of %s shots"), lattices, shots)
                              : g_strdup_printf (_ ("%s of %s lattices selected, of %s shots"), selected,
                                                 lattices, selected_shots);
  gtk_label_set_label (self->facts, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), text);
}

static gint64
chosen_trial (FlgCellsPage *self)
{
  gint64 chosen = flg_chooser_get (self->trials);
  return chosen > 0 ? chosen : flg_experiment_glance (EXPERIMENT (self))->overview.trial;
}

/* One line that says why there are no lattices. */
static const char *
why_empty (FlgCellsPage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  gint64 shots = 0, hits = 0;
  gboolean indexes = FALSE;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      const FlJobStats *stats = flg_experiment_job_stats (experiment, job->id);
      FlgRecord *task = flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_TASK), job->task);
      if (job->trial != self->trial || !stats)
        continue;
      shots += stats->shots;
      hits += stats->hits;
      indexes |= task && !g_str_equal (((const FlTask *) flg_record_any (task))->type, "spots");
    }
  if (flg_trial_science (experiment, self->trial) == FLG_SCIENCE_PARTICLES)
    return _ ("Single particles have no unit cell. The Live page shows what their shots are, the Density "
              "page what is "
              "reconstructed of them.");
  if (shots == 0)
    return _ ("No shots of this trial have been processed yet.");
  if (!indexes)
    return _ ("This trial's jobs stop at strong spots: nothing is indexed.");
  if (hits == 0)
    return _ ("No hits yet, so nothing to index.");
  if (self->cells->len == 0)
    return _ ("No cell has been found yet: the learning pass has not agreed on one, or still runs.");
  return _ ("There are hits, but none has been indexed with the cell below.");
}

static void
show_stack (FlgCellsPage *self, gboolean any)
{
  gboolean densities = gtk_toggle_button_get_active (self->densities);
  gtk_stack_set_visible_child_name (self->stack, !any ? "empty" : densities ? "densities" : "cells");
}

static void
on_densities (FlgCellsPage *self)
{
  show_stack (self, !self->reason);
}

static void
show_empty (FlgCellsPage *self)
{
  gboolean any = self->answer && self->answer->lattices > 0;
  self->reason = any ? NULL : why_empty (self);
  if (!any)
    flg_page_say_none (FLG_PAGE (self), self->empty, "flg-cells-symbolic",
                       flg_experiment_glance (EXPERIMENT (self))->lost, _ ("No lattices"), self->reason);
  show_stack (self, any);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "cells.use-selection",
                                 any && flg_may_change (EXPERIMENT (self)));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "cells.tag-runs",
                                 any && flg_may_change (EXPERIMENT (self)));
}

static GtkWidget *
proposal_row (FlgCellsPage *self, guint number)
{
  const FlgCellProposal *proposal = &g_array_index (self->proposals, FlgCellProposal, number);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  g_autofree char *text = flg_cell_proposal_text (proposal);
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_tooltip_text (label, text);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_box_append (GTK_BOX (row), label);
  if (!proposal->told)
    {
      GtkWidget *button = gtk_button_new_with_label (_ ("New trial with this cell"));
      gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "cells.use-proposal");
      gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "u", number);
      gtk_box_append (GTK_BOX (row), button);
    }
  return row;
}

static void
show_proposals (FlgCellsPage *self)
{
  GtkWidget *child;
  g_array_unref (self->proposals);
  self->proposals = flg_cell_proposals (self->cells);
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->proposals_box))))
    gtk_box_remove (self->proposals_box, child);
  for (guint i = 0; i < MIN (self->proposals->len, MOST_PROPOSALS); i++)
    gtk_box_append (self->proposals_box, proposal_row (self, i));
  gtk_widget_set_visible (GTK_WIDGET (self->proposals_box), self->proposals->len > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "cells.use-proposal", flg_may_change (EXPERIMENT (self)));
}

/* The next few of the six take over the answer. */
static void
show_histograms (FlgCellsPage *self, guint n)
{
  for (; n > 0 && self->left > 0; n--, self->left--, self->next = (self->next + 1) % 6)
    {
      const FlgCellHistogram *h = &self->answer->of[self->next];
      flw_histogram_set_counts (self->histograms[self->next], &h->counts);
      flw_histogram_set_fit (self->histograms[self->next], h->median, h->spread, h->has_fit ? &h->fit : NULL);
    }
}

/* One a frame: all six at once would take longer than a frame should. */
static gboolean
on_tick (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (widget);
  if (self->answer)
    show_histograms (self, 1);
  if (self->answer && self->left > 0)
    return G_SOURCE_CONTINUE;
  self->tick = 0;
  return G_SOURCE_REMOVE;
}

static void
show_answer (FlgCellsPage *self)
{
  show_empty (self);
  show_facts (self);
  if (self->reason)
    {
      gtk_label_set_label (self->legend, "");
      return;
    }
  show_colours (self);
  flg_cells_planes_show (self->planes, self->answer);
  self->left = 6; /* going round: none starves while answers come faster than frames */
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    show_histograms (self, 6);
  else if (self->tick == 0)
    self->tick = gtk_widget_add_tick_callback (GTK_WIDGET (self), on_tick, NULL, NULL);
}

/* --- what arrives --- */

static void
on_arrived (FlgLatticeFeed *feed, FlgLatticeNews *news, FlgCellsPage *self)
{
  flg_cell_counter_add (self->counter, news);
  g_array_append_vals (self->cells, news->cells->data, news->cells->len);
  if (news->cells->len)
    show_proposals (self);
  if (news->cells->len || !self->answer)
    show_empty (self);
}

static void
add_new_jobs (FlgCellsPage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->trial == self->trial && (self->run == 0 || job->run == self->run)
          && (flg_experiment_job_stats (experiment, job->id) || job->state == FL_JOB_RUNNING))
        flg_lattice_feed_add (self->feed, job->id);
    }
}

static void
forget (FlgCellsPage *self)
{
  if (self->feed)
    {
      g_signal_handlers_disconnect_by_data (self->feed, self);
      flg_lattice_feed_stop (self->feed);
    }
  g_clear_object (&self->feed);
  g_clear_pointer (&self->counter, flg_cell_counter_close);
  g_clear_pointer (&self->answer, flg_cell_answer_free);
  self->left = 0;
  g_array_set_size (self->cells, 0);
}

static void
on_answer (FlgCellAnswer *answer, gpointer data)
{
  FlgCellsPage *self = data;
  g_clear_pointer (&self->answer, flg_cell_answer_free);
  self->answer = answer;
  show_answer (self);
}

/* Reads the trial's lattices from nothing. */
static void
rebuild (FlgCellsPage *self)
{
  forget (self);
  flg_cells_page_drop_brushes (self);
  self->counter = flg_cell_counter_new (on_answer, self);
  flg_cell_counter_ask (self->counter, &self->question);
  self->feed = flg_lattice_feed_new (EXPERIMENT (self));
  g_signal_connect (self->feed, "arrived", G_CALLBACK (on_arrived), self);
  show_proposals (self);
  show_answer (self);
  add_new_jobs (self);
}

static void
follow_choice (FlgCellsPage *self)
{
  gint64 trial = chosen_trial (self), run = MAX (flg_chooser_get (self->runs), 0);
  if (trial != self->trial || run != self->run || !self->feed)
    {
      self->trial = trial;
      self->run = run;
      rebuild (self);
    }
  else
    add_new_jobs (self);
  if (self->reason)
    show_empty (self);
}

/* --- choosers --- */

static void
fill_choosers (FlgCellsPage *self)
{
  FlgRecordModel *trials = flg_experiment_table (EXPERIMENT (self), FL_TABLE_TRIAL);
  FlgRecordModel *runs = flg_experiment_table (EXPERIMENT (self), FL_TABLE_RUN);
  flg_chooser_begin (self->trials);
  flg_chooser_add (self->trials, 0, _ ("Newest trial"));
  for (guint i = flg_record_model_count (trials); i > 0; i--)
    {
      const FlTrial *trial = flg_record_trial (flg_record_model_at (trials, i - 1));
      g_autofree char *label = g_strdup_printf (_ ("Trial %d  %s"), trial->number, trial->name);
      flg_chooser_add (self->trials, trial->id, label);
    }
  flg_chooser_end (self->trials);
  flg_chooser_begin (self->runs);
  flg_chooser_add (self->runs, 0, _ ("All runs"));
  for (guint i = flg_record_model_count (runs); i > 0; i--)
    {
      const FlRun *run = flg_record_run (flg_record_model_at (runs, i - 1));
      flg_chooser_add (self->runs, run->id, run->name);
    }
  flg_chooser_end (self->runs);
}

/* --- page --- */

char *
flg_cells_page_summary (FlgCellsPage *self, guint parameter)
{
  return flw_chart_summary (GTK_WIDGET (self->histograms[parameter]));
}

guint64
flg_cells_page_n_lattices (FlgCellsPage *self)
{
  return self->answer ? self->answer->lattices : 0;
}

const char *
flg_cells_page_facts (FlgCellsPage *self)
{
  return gtk_label_get_label (self->facts);
}

char *
flg_cells_page_plane_summary (FlgCellsPage *self, guint plane)
{
  return flg_cells_planes_summary (self->planes, plane);
}

void
flg_cells_page_set_tag (FlgCellsPage *self, const char *name)
{
  gtk_editable_set_text (self->tag, name);
}

char *
flg_cells_page_clusters (FlgCellsPage *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; self->answer && i < self->answer->clusters->len; i++)
    {
      g_autofree char *line = flg_cell_cluster_text (self->answer, i);
      g_string_append_printf (text, "%s\n", line);
    }
  return g_strdup (text->str);
}

char *
flg_cells_page_proposals (FlgCellsPage *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < self->proposals->len; i++)
    {
      g_autofree char *line = flg_cell_proposal_text (&g_array_index (self->proposals, FlgCellProposal, i));
      g_string_append_printf (text, "%s\n", line);
    }
  return g_strdup (text->str);
}

const char *
flg_cells_page_empty (FlgCellsPage *self)
{
  return self->reason;
}

static void
flg_cells_page_update (FlgPage *page, guint what)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (page);
  if (what & (FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED (FL_TABLE_RUN) | FLG_CHANGED_HEALTH))
    fill_choosers (self);
  if (what & (FLG_CHANGED_COUNTS | FLG_CHANGED (FL_TABLE_JOB)))
    follow_choice (self);
}

static gboolean
flg_cells_page_is_settled (FlgPage *page)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (page);
  return (!self->counter || flg_cell_counter_is_idle (self->counter)) && self->tick == 0
         && (!self->feed || flg_lattice_feed_is_idle (self->feed));
}

static void
flg_cells_page_step (FlgPage *page, int by)
{
  flg_chooser_step (FLG_CELLS_PAGE (page)->trials, -by);
}

static void
flg_cells_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_CELLS_PAGE (page)->histograms[0]));
}

static void
flg_cells_page_constructed (GObject *object)
{
  static const char *const titles[] = { "a", "b", "c", "α", "β", "γ" };
  FlgCellsPage *self = FLG_CELLS_PAGE (object);
  for (guint p = 0; p < 6; p++)
    {
      GtkWidget *histogram = flw_histogram_new (titles[p], p < 3 ? "Å" : "°", 2);
      self->histograms[p] = FLW_HISTOGRAM (histogram);
      gtk_widget_set_hexpand (histogram, TRUE);
      gtk_grid_attach (self->grid, histogram, (int) p % 3, (int) p / 3, 1, 1);
      flg_cells_page_listen (self, FLW_HISTOGRAM (histogram));
    }
  flg_cells_page_listen_planes (self);
  fill_choosers (self);
  g_signal_connect_object (self->densities, "toggled", G_CALLBACK (on_densities), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->trials, "chosen", G_CALLBACK (follow_choice), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->runs, "chosen", G_CALLBACK (follow_choice), self, G_CONNECT_SWAPPED);
  G_OBJECT_CLASS (flg_cells_page_parent_class)->constructed (object);
}

static void
flg_cells_page_dispose (GObject *object)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (object);
  forget (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_CELLS_PAGE);
  G_OBJECT_CLASS (flg_cells_page_parent_class)->dispose (object);
}

static void
flg_cells_page_finalize (GObject *object)
{
  FlgCellsPage *self = FLG_CELLS_PAGE (object);
  g_array_unref (self->cells);
  g_array_unref (self->proposals);
  G_OBJECT_CLASS (flg_cells_page_parent_class)->finalize (object);
}

static void
flg_cells_page_class_init (FlgCellsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_cells_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_cells_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_cells_page_finalize;
  page_class->update = flg_cells_page_update;
  page_class->is_settled = flg_cells_page_is_settled;
  page_class->step = flg_cells_page_step;
  page_class->focus = flg_cells_page_focus;
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLG_TYPE_CELLS_PLANES);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/cells-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, trials);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, runs);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, legend);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, grid);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, planes);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, densities);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, tag);
  gtk_widget_class_bind_template_child (widget_class, FlgCellsPage, proposals_box);
  flg_cells_page_install_actions (widget_class);
}

static void
flg_cells_page_init (FlgCellsPage *self)
{
  self->cells = g_array_new (FALSE, FALSE, sizeof (FlgProposedCell));
  self->proposals = g_array_new (FALSE, FALSE, sizeof (FlgCellProposal));
  gtk_widget_init_template (GTK_WIDGET (self));
}
