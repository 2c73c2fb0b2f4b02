#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/live-page.h"

#include <glib/gi18n.h>

#include "gui/chooser.h"
#include "gui/kept-shots.h"
#include "gui/live-plots.h"
#include "gui/science.h"
#include "gui/shot-feed.h"
#include "gui/text.h"
#include "widgets/empty-state.h"
#include "widgets/export.h"
#include "widgets/strip-plot.h"

/* One job: its feed and its place in the plot. */
typedef struct
{
  gint64 job;
  FlgShotFeed *feed;
  FlgKeptShots *kept;
  GHashTable *particles; /* NULL: of crystals */
  guint run;             /* in the plot */
  FlgLiveTally tally;
} Part;

struct _FlgLivePage
{
  FlgPage parent_instance;
  GtkBox *slot, *findings_slot;
  FlgFindingList *findings;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkLabel *facts;
  FlgChooser *trials;
  FlwStripPlot *plot;
  GPtrArray *parts;
  gint64 trial;       /* drawn; 0: none */
  gboolean particles; /* what the plot is made for */
  gboolean filling;   /* what the store had at first has not all come yet */
};

G_DEFINE_FINAL_TYPE (FlgLivePage, flg_live_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

static void rebuild (FlgLivePage *self);
static void show_facts (FlgLivePage *self);

static void
part_free (Part *part)
{
  g_signal_handlers_disconnect_matched (part->feed, G_SIGNAL_MATCH_DATA, 0, 0, NULL, NULL, part);
  flg_shot_feed_stop (part->feed);
  g_object_unref (part->feed);
  flg_kept_shots_free (part->kept);
  g_clear_pointer (&part->particles, g_hash_table_unref);
  g_free (part);
}

static FlgLivePage *
page_of (FlgShotFeed *feed)
{
  return g_object_get_data (G_OBJECT (feed), "page");
}

static void
on_blocks (FlgShotFeed *feed, GPtrArray *blocks, Part *part)
{
  FlgLivePage *self = page_of (feed);
  /* What has been drawn of an attempt is wrong: draw the trial anew. */
  if (flg_kept_shots_are_replaced (part->kept, blocks))
    {
      rebuild (self);
      return;
    }
  for (guint i = 0; i < blocks->len; i++)
    {
      FlShotBlock *block = blocks->pdata[i];
      flg_live_plot_append (self->plot, part->run, block, part->particles, &part->tally);
      flg_kept_shots_add (part->kept, block);
    }
  gtk_stack_set_visible_child_name (self->stack, "plot");
}

static void
on_particles (FlgShotFeed *feed, GPtrArray *blocks, Part *part)
{
  for (guint i = 0; i < blocks->len; i++)
    flg_particle_table_add (part->particles, blocks->pdata[i]);
}

/* What was there already is shown as soon as it is all there; what comes later, at the plot's own pace. */
static void
on_caught_up (FlgShotFeed *feed, Part *part)
{
  FlgLivePage *self = page_of (feed);
  for (guint i = 0; i < self->parts->len; i++)
    if (!flg_shot_feed_is_idle (((Part *) self->parts->pdata[i])->feed))
      return;
  if (self->filling)
    flw_strip_plot_show_all (self->plot);
  self->filling = FALSE;
  show_facts (self);
}

static void
add_job (FlgLivePage *self, const FlJob *job)
{
  const FlRun *run = flg_experiment_run (EXPERIMENT (self), job->run);
  Part *part = g_new0 (Part, 1);
  part->job = job->id;
  part->kept = flg_kept_shots_new ();
  part->run = flw_strip_plot_add_run (self->plot, run ? run->name : "");
  if (self->particles)
    {
      part->particles = flg_particle_table_new ();
      part->feed =
          flg_shot_feed_new_with_particles (EXPERIMENT (self), job->id, FLG_KEPT_COLUMNS | FL_SHOT_OUTCOME);
      g_signal_connect (part->feed, "particles", G_CALLBACK (on_particles), part);
    }
  else
    part->feed = flg_shot_feed_new (EXPERIMENT (self), job->id,
                                    FLG_KEPT_COLUMNS | FL_SHOT_OUTCOME | FL_SHOT_SPOTS | FL_SHOT_RESOLUTION
                                        | FL_SHOT_LATTICES);
  g_object_set_data (G_OBJECT (part->feed), "page", self);
  g_signal_connect (part->feed, "blocks", G_CALLBACK (on_blocks), part);
  g_signal_connect (part->feed, "caught-up", G_CALLBACK (on_caught_up), part);
  g_ptr_array_add (self->parts, part);
}

static gboolean
has_job (FlgLivePage *self, gint64 job)
{
  for (guint i = 0; i < self->parts->len; i++)
    if (((Part *) self->parts->pdata[i])->job == job)
      return TRUE;
  return FALSE;
}

static int
by_run (gconstpointer a, gconstpointer b, gpointer data)
{
  const FlRun *x = flg_experiment_run (data, (*(const FlJob *const *) a)->run);
  const FlRun *y = flg_experiment_run (data, (*(const FlJob *const *) b)->run);
  return fl_run_name_compare (x ? x->name : "", y ? y->name : "");
}

/* Jobs with shots that are not drawn yet, in the order of their runs. */
static void
add_new_jobs (FlgLivePage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->trial == self->trial && flg_experiment_job_stats (experiment, job->id)
          && !has_job (self, job->id))
        g_ptr_array_add (fresh, (gpointer) job);
    }
  g_ptr_array_sort_with_data (fresh, by_run, experiment);
  for (guint i = 0; i < fresh->len; i++)
    add_job (self, fresh->pdata[i]);
}

static void
on_shot (FlwStripPlot *plot, guint run, guint64 index, FlgLivePage *self)
{
  FlgShotRef ref;
  if (run < self->parts->len && flg_kept_shots_get (((Part *) self->parts->pdata[run])->kept, index, &ref))
    gtk_widget_activate_action_variant (GTK_WIDGET (self), "win.show-shot", flg_shot_ref_variant (&ref));
}

static void
make_plot (FlgLivePage *self, gboolean particles)
{
  if (self->plot)
    gtk_box_remove (self->slot, GTK_WIDGET (self->plot));
  self->particles = particles;
  self->plot = flg_live_plot_new (particles);
  gtk_box_append (self->slot, GTK_WIDGET (self->plot));
  g_signal_connect_object (self->plot, "shot-activated", G_CALLBACK (on_shot), self, 0);
}

static gboolean
is_of_particles (FlgLivePage *self)
{
  return flg_trial_science (EXPERIMENT (self), self->trial) == FLG_SCIENCE_PARTICLES;
}

static void
rebuild (FlgLivePage *self)
{
  gboolean particles = is_of_particles (self);
  g_ptr_array_set_size (self->parts, 0);
  self->filling = TRUE;
  if (particles != self->particles)
    make_plot (self, particles);
  else
    flw_strip_plot_clear (self->plot);
  gtk_stack_set_visible_child_name (self->stack, "empty");
  if (self->trial)
    add_new_jobs (self);
}

static void
show_facts (FlgLivePage *self)
{
  gint64 shots = 0, hits = 0, indexed = 0, failed = 0;
  FlgLiveTally tally = { 0 };
  for (guint i = 0; i < self->parts->len; i++)
    {
      const Part *part = self->parts->pdata[i];
      const FlJobStats *stats = flg_experiment_job_stats (EXPERIMENT (self), part->job);
      shots += stats ? stats->shots : 0;
      hits += stats ? stats->hits : 0;
      indexed += stats ? stats->indexed : 0;
      failed += stats ? stats->failed + stats->set_aside : 0;
      flg_live_tally_add (&tally, &part->tally);
    }
  g_autofree char *count = flg_format_count (shots);
  g_autofree char *rate = flg_format_percent (hits, shots);
  g_autofree char *bad = flg_format_count (failed);
  g_autofree char *found =
      self->particles ? flg_live_particle_words (&tally) : flg_live_crystal_words (&tally, hits, indexed);
  g_autofree char *text =
      g_strdup_printf (ngettext ("%u run · %s shots · %s hits%s · %s failed",
                                 "%u runs · %s shots · %s hits%s · %s failed", self->parts->len),
                       self->parts->len, count, rate, found, bad);
  flg_page_say_none (
      FLG_PAGE (self), self->empty, "flg-live-symbolic", shots > 0, _ ("No shots processed yet"),
      _ ("Every shot is drawn here as jobs run: of crystals strong spots, hit rate, indexing and "
         "resolution, of single particles photons, classes and diameter."));
  gtk_label_set_label (self->facts, self->parts->len ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), self->parts->len ? text : NULL);
}

/* What the choice stands for now: 0 = the newest trial with shots. */
static gint64
chosen_trial (FlgLivePage *self)
{
  gint64 chosen = flg_chooser_get (self->trials);
  if (chosen > 0)
    return chosen;
  return flg_experiment_glance (EXPERIMENT (self))->overview.trial;
}

static void
follow_choice (FlgLivePage *self)
{
  gint64 trial = chosen_trial (self);
  gboolean other = trial != self->trial;
  self->trial = trial;
  if (other || is_of_particles (self) != self->particles)
    rebuild (self);
  else if (trial)
    add_new_jobs (self);
  show_facts (self);
}

static void
fill_trials (FlgLivePage *self)
{
  FlgRecordModel *trials = flg_experiment_table (EXPERIMENT (self), FL_TABLE_TRIAL);
  flg_chooser_begin (self->trials);
  flg_chooser_add (self->trials, 0, _ ("Newest trial"));
  for (guint i = flg_record_model_count (trials); i > 0; i--)
    {
      const FlTrial *trial = flg_record_trial (flg_record_model_at (trials, i - 1));
      g_autofree char *label = g_strdup_printf (_ ("Trial %d  %s"), trial->number, trial->name);
      flg_chooser_add (self->trials, trial->id, label);
    }
  flg_chooser_end (self->trials);
}

static void
act_show_trial (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_chooser_choose (FLG_LIVE_PAGE (widget)->trials, g_variant_get_int64 (target));
}

const char *
flg_live_page_facts (FlgLivePage *self)
{
  return gtk_label_get_label (self->facts);
}

guint64
flg_live_page_n_shots (FlgLivePage *self)
{
  return flw_strip_plot_get_n_shots (self->plot);
}

char *
flg_live_page_summary (FlgLivePage *self)
{
  return flw_chart_summary (GTK_WIDGET (self->plot));
}

FlgFindingList *
flg_live_page_findings (FlgLivePage *self)
{
  return self->findings;
}

static void
flg_live_page_update (FlgPage *page, guint what)
{
  FlgLivePage *self = FLG_LIVE_PAGE (page);
  if (what & (FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED_HEALTH))
    fill_trials (self);
  if (what & (FLG_CHANGED_COUNTS | FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_RUN)))
    follow_choice (self);
}

static gboolean
flg_live_page_is_settled (FlgPage *page)
{
  FlgLivePage *self = FLG_LIVE_PAGE (page);
  for (guint i = 0; i < self->parts->len; i++)
    if (!flg_shot_feed_is_idle (((Part *) self->parts->pdata[i])->feed))
      return FALSE;
  return !gtk_widget_get_mapped (GTK_WIDGET (self->plot)) || flw_strip_plot_get_settled (self->plot);
}

static void
flg_live_page_step (FlgPage *page, int by)
{
  flg_chooser_step (FLG_LIVE_PAGE (page)->trials, -by);
}

static void
flg_live_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_LIVE_PAGE (page)->plot));
}

static void
flg_live_page_constructed (GObject *object)
{
  FlgLivePage *self = FLG_LIVE_PAGE (object);
  make_plot (self, FALSE);
  fill_trials (self);
  self->findings = FLG_FINDING_LIST (flg_finding_list_new (flg_page_context (FLG_PAGE (self))));
  gtk_box_append (self->findings_slot, GTK_WIDGET (self->findings));
  g_signal_connect_object (self->trials, "chosen", G_CALLBACK (follow_choice), self, G_CONNECT_SWAPPED);
  G_OBJECT_CLASS (flg_live_page_parent_class)->constructed (object);
}

static void
flg_live_page_dispose (GObject *object)
{
  FlgLivePage *self = FLG_LIVE_PAGE (object);
  g_ptr_array_set_size (self->parts, 0);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_LIVE_PAGE);
  G_OBJECT_CLASS (flg_live_page_parent_class)->dispose (object);
}

static void
flg_live_page_finalize (GObject *object)
{
  g_ptr_array_unref (FLG_LIVE_PAGE (object)->parts);
  G_OBJECT_CLASS (flg_live_page_parent_class)->finalize (object);
}

static void
flg_live_page_class_init (FlgLivePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_live_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_live_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_live_page_finalize;
  page_class->update = flg_live_page_update;
  page_class->is_settled = flg_live_page_is_settled;
  page_class->step = flg_live_page_step;
  page_class->focus = flg_live_page_focus;
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/live-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgLivePage, slot);
  gtk_widget_class_bind_template_child (widget_class, FlgLivePage, findings_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgLivePage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgLivePage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgLivePage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgLivePage, trials);
  gtk_widget_class_install_action (widget_class, "live.show-trial", "x", act_show_trial);
}

static void
flg_live_page_init (FlgLivePage *self)
{
  self->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) part_free);
  gtk_widget_init_template (GTK_WIDGET (self));
}
