#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/weather-page.h"

#include <glib/gi18n.h>

#include "gui/chooser.h"
#include "gui/device-feed.h"
#include "gui/inflight-marks.h"
#include "gui/kept-shots.h"
#include "gui/science.h"
#include "gui/shot-feed.h"
#include "gui/text.h"
#include "widgets/empty-state.h"
#include "widgets/export.h"
#include "widgets/weather-plot.h"

struct _FlgWeatherPage
{
  FlgPage parent_instance;
  GtkBox *slot;
  GtkStack *stack;
  FlwEmptyState *empty;
  GtkLabel *facts;
  FlgChooser *jobs;
  GtkToggleButton *by_outcome, *by_stage;
  FlwWeatherPlot *plot;
  GPtrArray *feeds;   /* FlgShotFeed */
  FlgKeptShots *kept; /* event id = its number there */
  FlgInflightMarks *marks;
  FlgDeviceFeed *devices;
  GArray *drawn;    /* gint64, jobs drawn, sorted */
  GPtrArray *hosts; /* char *, by rank; NULL = not known */
  guint n_ranks;    /* seen in shots or in the ranks' own records, which some results lack */
  gboolean rows_wanted, asking_rows;
  gboolean filling; /* what the store had at first has not all come yet */
  GCancellable *cancellable;
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgWeatherPage, flg_weather_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

static void draw (FlgWeatherPage *self);
static void show_facts (FlgWeatherPage *self);

/* --- which ranks there are --- */

typedef struct
{
  guint32 rank;
  char *host;
} HostOfRank;

static void
host_clear (HostOfRank *host)
{
  g_free (host->host);
}

/* `data`: GArray of jobs. GArray of HostOfRank. */
static gpointer
read_ranks (FlStore *store, gpointer data, GError **error)
{
  GArray *jobs = data;
  GArray *found = g_array_new (FALSE, FALSE, sizeof (HostOfRank));
  g_array_set_clear_func (found, (GDestroyNotify) host_clear);
  for (guint i = 0; i < jobs->len; i++)
    {
      g_autoptr (GPtrArray) slices =
          fl_store_slices (store, FL_KIND_RANK, g_array_index (jobs, gint64, i), 0, 0, error);
      if (!slices)
        {
          g_array_unref (found);
          return NULL;
        }
      for (guint k = 0; k < slices->len; k++)
        {
          GBytes *packed = ((FlSlice *) slices->pdata[k])->packed;
          g_autoptr (FlBatch) batch =
              fl_batch_decode (g_bytes_get_data (packed, NULL), g_bytes_get_size (packed), NULL);
          for (guint row = 0; batch && row < fl_batch_rows (batch); row++)
            {
              FlRankRow rank;
              fl_batch_row (batch, row, &rank);
              HostOfRank host = { rank.rank, g_strdup (rank.host) };
              g_array_append_val (found, host);
            }
        }
    }
  return found;
}

static void
set_rows (FlgWeatherPage *self)
{
  g_autofree FlwWeatherRow *rows = g_new0 (FlwWeatherRow, self->hosts->len);
  for (guint i = 0; i < self->hosts->len; i++)
    rows[i].host = self->hosts->pdata[i];
  flw_weather_plot_set_rows (self->plot, self->hosts->len, rows);
}

static void ask_rows (FlgWeatherPage *self);

static void
on_ranks (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgWeatherPage) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) found = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->asking_rows = FALSE;
  flg_page_report_read (FLG_PAGE (self), error);
  for (guint i = 0; found && i < found->len; i++)
    {
      HostOfRank *host = &g_array_index (found, HostOfRank, i);
      if (host->rank >= (1u << 20))
        continue;
      if (host->rank >= self->hosts->len)
        g_ptr_array_set_size (self->hosts, (int) host->rank + 1);
      g_free (self->hosts->pdata[host->rank]);
      self->hosts->pdata[host->rank] = g_steal_pointer (&host->host);
    }
  self->n_ranks = MAX (self->n_ranks, self->hosts->len);
  set_rows (self);
  show_facts (self);
  if (self->rows_wanted)
    ask_rows (self);
}

static void
ask_rows (FlgWeatherPage *self)
{
  self->rows_wanted = self->asking_rows;
  if (self->asking_rows || self->drawn->len == 0)
    return;
  self->asking_rows = TRUE;
  flg_store_thread_run_async (flg_experiment_store (EXPERIMENT (self)), read_ranks,
                              g_array_copy (self->drawn), (GDestroyNotify) g_array_unref,
                              (GDestroyNotify) g_array_unref, self->cancellable, on_ranks,
                              g_object_ref (self));
}

/* --- events --- */

static void
append_block (FlgWeatherPage *self, FlShotBlock *block)
{
  guint64 first = flg_kept_shots_count (self->kept);
  g_autofree FlwWeatherEvent *events = g_new (FlwWeatherEvent, block->n);
  for (guint i = 0; i < block->n; i++)
    {
      FlwWeatherEvent *e = &events[i];
      e->id = first + i;
      e->start = (gint64) block->start[i];
      for (guint k = 0; k < FLW_WEATHER_STAGES; k++)
        e->duration[k] = block->durations[i][k];
      e->row = block->rank[i];
      e->klass = (guint8) MIN (block->outcome[i], FLW_CLASS_FAILED);
      if (e->row >= self->n_ranks)
        self->n_ranks = e->row + 1;
      if (e->row >= self->hosts->len)
        self->rows_wanted = TRUE;
    }
  flw_weather_plot_append (self->plot, block->n, events);
  flg_kept_shots_add (self->kept, block);
}

static void
on_blocks (FlgShotFeed *feed, GPtrArray *blocks, FlgWeatherPage *self)
{
  if (flg_kept_shots_are_replaced (self->kept, blocks))
    {
      draw (self);
      return;
    }
  for (guint i = 0; i < blocks->len; i++)
    append_block (self, blocks->pdata[i]);
  if (self->rows_wanted)
    ask_rows (self);
  gtk_stack_set_visible_child_name (self->stack, "plot");
}

/* What was there already is shown as soon as it is all there; what comes later, at the plot's own pace. */
static void
on_caught_up (FlgWeatherPage *self)
{
  for (guint i = 0; i < self->feeds->len; i++)
    if (!flg_shot_feed_is_idle (self->feeds->pdata[i]))
      return;
  if (self->filling)
    flw_weather_plot_show_all (self->plot);
  self->filling = FALSE;
}

static void
stop_feeds (FlgWeatherPage *self)
{
  for (guint i = 0; i < self->feeds->len; i++)
    {
      g_signal_handlers_disconnect_by_data (self->feeds->pdata[i], self);
      flg_shot_feed_stop (self->feeds->pdata[i]);
    }
  g_ptr_array_set_size (self->feeds, 0);
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->asking_rows = self->rows_wanted = FALSE;
}

/* Draws the jobs of `drawn` from nothing. */
static void
draw (FlgWeatherPage *self)
{
  stop_feeds (self);
  self->filling = TRUE;
  flw_weather_plot_clear (self->plot);
  g_ptr_array_set_size (self->hosts, 0);
  self->n_ranks = 0;
  flg_kept_shots_free (self->kept);
  self->kept = flg_kept_shots_new ();
  gtk_stack_set_visible_child_name (self->stack, "empty");
  gboolean crystals = self->drawn->len == 0;
  for (guint i = 0; i < self->drawn->len; i++)
    crystals |= !flg_job_is_of_particles (EXPERIMENT (self), g_array_index (self->drawn, gint64, i));
  flw_weather_plot_set_indexing (self->plot, crystals);
  for (guint i = 0; i < self->drawn->len; i++)
    {
      FlgShotFeed *feed = flg_shot_feed_new (EXPERIMENT (self), g_array_index (self->drawn, gint64, i),
                                             FLG_KEPT_COLUMNS | FL_SHOT_START | FL_SHOT_RANK | FL_SHOT_OUTCOME
                                                 | FL_SHOT_DURATIONS);
      g_signal_connect (feed, "blocks", G_CALLBACK (on_blocks), self);
      g_signal_connect_swapped (feed, "caught-up", G_CALLBACK (on_caught_up), self);
      g_ptr_array_add (self->feeds, feed);
    }
  ask_rows (self);
  flg_inflight_marks_watch (self->marks, self->drawn);
  flg_device_feed_watch (self->devices, self->drawn);
}

/* --- which jobs --- */

static gint64
newest_job (FlgExperiment *experiment)
{
  gint64 newest = 0;
  guint64 last = 0;
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      gint64 id = flg_record_id (flg_record_model_at (jobs, i));
      const FlJobStats *stats = flg_experiment_job_stats (experiment, id);
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      guint64 started = MAX (job->started, stats ? stats->first : 0);
      if (stats && started >= last)
        {
          last = started;
          newest = id;
        }
    }
  return newest;
}

static GArray *
chosen_jobs (FlgWeatherPage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 choice = flg_chooser_get (self->jobs);
  if (choice == G_MININT64)
    return chosen;
  if (choice == 0)
    choice = newest_job (experiment);
  if (choice > 0)
    g_array_append_val (chosen, choice);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  for (guint i = 0; choice < 0 && i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->trial == -choice && flg_experiment_job_stats (experiment, job->id))
        g_array_append_val (chosen, job->id);
    }
  return chosen;
}

static void
show_facts (FlgWeatherPage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  gint64 shots = 0;
  guint64 first = G_MAXUINT64, last = 0;
  for (guint i = 0; i < self->drawn->len; i++)
    {
      const FlJobStats *stats = flg_experiment_job_stats (experiment, g_array_index (self->drawn, gint64, i));
      if (!stats)
        continue;
      shots += stats->shots;
      first = MIN (first, stats->first);
      last = MAX (last, stats->last);
    }
  flg_page_say_none (FLG_PAGE (self), self->empty, "flg-weather-symbolic", shots > 0,
                     _ ("No shots processed yet"),
                     _ ("What every rank does, and when, is drawn here as jobs run."));
  if (shots == 0)
    {
      gtk_label_set_label (self->facts, "");
      return;
    }
  double seconds = last > first ? (double) (last - first) / 1e9 : 0;
  g_autofree char *count = flg_format_count (shots);
  g_autofree char *took = flg_format_elapsed (first, last, last);
  g_autofree char *rate =
      seconds > 0 ? g_strdup_printf (_ (" · %.1f shots/s"), (double) shots / seconds) : g_strdup ("");
  g_autofree char *text =
      g_strdup_printf (ngettext ("%u rank · %s shots in %s%s", "%u ranks · %s shots in %s%s", self->n_ranks),
                       self->n_ranks, count, took, rate);
  gtk_label_set_label (self->facts, text);
}

static gboolean
is_active (FlgWeatherPage *self)
{
  for (guint i = 0; i < self->drawn->len; i++)
    {
      const FlJob *job = flg_experiment_job (EXPERIMENT (self), g_array_index (self->drawn, gint64, i));
      if (job && !fl_job_state_is_final (job->state))
        return TRUE;
    }
  return FALSE;
}

static void
follow_choice (FlgWeatherPage *self)
{
  g_autoptr (GArray) wanted = chosen_jobs (self);
  gboolean same = wanted->len == self->drawn->len;
  for (guint i = 0; same && i < wanted->len; i++)
    same = g_array_index (wanted, gint64, i) == g_array_index (self->drawn, gint64, i);
  if (!same)
    {
      g_array_unref (self->drawn);
      self->drawn = g_steal_pointer (&wanted);
      draw (self);
    }
  flw_weather_plot_set_now (self->plot,
                            is_active (self) ? (gint64) flg_experiment_now (EXPERIMENT (self)) : 0);
  show_facts (self);
}

static void
fill_jobs (FlgWeatherPage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  FlgRecordModel *trials = flg_experiment_table (experiment, FL_TABLE_TRIAL);
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  flg_chooser_begin (self->jobs);
  flg_chooser_add (self->jobs, 0, _ ("Newest job"));
  for (guint i = flg_record_model_count (trials); i > 0; i--)
    {
      const FlTrial *trial = flg_record_trial (flg_record_model_at (trials, i - 1));
      g_autofree char *label = g_strdup_printf (_ ("All jobs of trial %d"), trial->number);
      flg_chooser_add (self->jobs, -trial->id, label);
    }
  for (guint i = flg_record_model_count (jobs); i > 0; i--)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i - 1));
      const FlRun *run = flg_experiment_run (experiment, job->run);
      const FlTrial *trial = flg_experiment_trial (experiment, job->trial);
      g_autofree char *of = trial ? g_strdup_printf (_ (", trial %d"), trial->number) : g_strdup ("");
      g_autofree char *label =
          g_strdup_printf (_ ("Job %d  %s%s"), (int) job->id, run ? run->name : job->path, of);
      flg_chooser_add (self->jobs, job->id, label);
    }
  flg_chooser_end (self->jobs);
}

void
flg_weather_page_show (FlgWeatherPage *self, gint64 job)
{
  flg_chooser_choose (self->jobs, job);
}

guint64
flg_weather_page_n_events (FlgWeatherPage *self)
{
  return flw_weather_plot_get_n_events (self->plot);
}

char *
flg_weather_page_summary (FlgWeatherPage *self)
{
  return flw_chart_summary (GTK_WIDGET (self->plot));
}

const char *
flg_weather_page_facts (FlgWeatherPage *self)
{
  return gtk_label_get_label (self->facts);
}

/* --- signals and actions --- */

static void
on_event (FlwWeatherPlot *plot, guint64 id, FlgWeatherPage *self)
{
  FlgShotRef ref;
  if (flg_kept_shots_get (self->kept, id, &ref))
    gtk_widget_activate_action_variant (GTK_WIDGET (self), "win.show-shot", flg_shot_ref_variant (&ref));
}

static void
on_mark (FlwWeatherPlot *plot, guint row, guint64 id, FlgWeatherPage *self)
{
  FlgShotRef ref;
  if (flg_inflight_marks_get (self->marks, id, &ref))
    gtk_widget_activate_action_variant (GTK_WIDGET (self), "win.show-shot", flg_shot_ref_variant (&ref));
}

static void
on_marks (guint n, const FlwWeatherMark *marks, gpointer data)
{
  FlgWeatherPage *self = data;
  flw_weather_plot_set_marks (self->plot, n, marks);
  if (n > 0)
    gtk_stack_set_visible_child_name (self->stack, "plot");
}

static gboolean
on_beat (gpointer data)
{
  FlgWeatherPage *self = data;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)) && is_active (self))
    {
      flw_weather_plot_set_now (self->plot, (gint64) flg_experiment_now (EXPERIMENT (self)));
      flg_inflight_marks_refresh (self->marks);
      flg_device_feed_refresh (self->devices);
    }
  return G_SOURCE_CONTINUE;
}

static void
on_colour_toggled (FlgWeatherPage *self)
{
  gboolean stage = gtk_toggle_button_get_active (self->by_stage);
  flw_weather_plot_set_colour_by (self->plot, stage ? FLW_WEATHER_BY_STAGE : FLW_WEATHER_BY_OUTCOME);
}

static void
act_show_job (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_weather_page_show (FLG_WEATHER_PAGE (widget), g_variant_get_int64 (target));
}

static void
act_colour_by (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgWeatherPage *self = FLG_WEATHER_PAGE (widget);
  gboolean stage = target ? g_str_equal (g_variant_get_string (target, NULL), "stage")
                          : !gtk_toggle_button_get_active (self->by_stage);
  gtk_toggle_button_set_active (stage ? self->by_stage : self->by_outcome, TRUE);
}

/* --- page --- */

static void
flg_weather_page_update (FlgPage *page, guint what)
{
  FlgWeatherPage *self = FLG_WEATHER_PAGE (page);
  if (what
      & (FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED (FL_TABLE_RUN)
         | FLG_CHANGED_HEALTH))
    fill_jobs (self);
  if (what & (FLG_CHANGED_COUNTS | FLG_CHANGED (FL_TABLE_JOB)))
    follow_choice (self);
  if (what & (FLG_CHANGED (FL_TABLE_ATTEMPT) | FLG_CHANGED_BACK))
    {
      ask_rows (self);
      flg_inflight_marks_refresh (self->marks);
      flg_device_feed_refresh (self->devices);
    }
}

static gboolean
flg_weather_page_is_settled (FlgPage *page)
{
  FlgWeatherPage *self = FLG_WEATHER_PAGE (page);
  for (guint i = 0; i < self->feeds->len; i++)
    if (!flg_shot_feed_is_idle (self->feeds->pdata[i]))
      return FALSE;
  return !self->asking_rows && flg_device_feed_is_idle (self->devices)
         && (!gtk_widget_get_mapped (GTK_WIDGET (self->plot)) || flw_weather_plot_get_settled (self->plot));
}

static void
flg_weather_page_step (FlgPage *page, int by)
{
  flg_chooser_step (FLG_WEATHER_PAGE (page)->jobs, -by);
}

static void
flg_weather_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_WEATHER_PAGE (page)->plot));
}

static void
flg_weather_page_constructed (GObject *object)
{
  FlgWeatherPage *self = FLG_WEATHER_PAGE (object);
  self->plot = FLW_WEATHER_PLOT (flw_weather_plot_new ());
  gtk_widget_set_vexpand (GTK_WIDGET (self->plot), TRUE);
  gtk_box_append (self->slot, GTK_WIDGET (self->plot));
  GtkWidget *track = flw_device_track_new (self->plot);
  gtk_box_append (self->slot, track);
  self->devices = flg_device_feed_new (EXPERIMENT (self), FLW_DEVICE_TRACK (track));
  g_signal_connect_object (self->plot, "event-activated", G_CALLBACK (on_event), self, 0);
  g_signal_connect_object (self->plot, "mark-activated", G_CALLBACK (on_mark), self, 0);
  self->marks = flg_inflight_marks_new (flg_page_context (FLG_PAGE (self)), on_marks, self);
  fill_jobs (self);
  g_signal_connect_object (self->jobs, "chosen", G_CALLBACK (follow_choice), self, G_CONNECT_SWAPPED);
  self->beat = g_timeout_add_seconds (1, on_beat, self);
  G_OBJECT_CLASS (flg_weather_page_parent_class)->constructed (object);
}

static void
flg_weather_page_dispose (GObject *object)
{
  FlgWeatherPage *self = FLG_WEATHER_PAGE (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  stop_feeds (self);
  g_clear_pointer (&self->marks, flg_inflight_marks_free);
  g_clear_pointer (&self->devices, flg_device_feed_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_WEATHER_PAGE);
  G_OBJECT_CLASS (flg_weather_page_parent_class)->dispose (object);
}

static void
flg_weather_page_finalize (GObject *object)
{
  FlgWeatherPage *self = FLG_WEATHER_PAGE (object);
  g_ptr_array_unref (self->feeds);
  g_ptr_array_unref (self->hosts);
  g_array_unref (self->drawn);
  flg_kept_shots_free (self->kept);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (flg_weather_page_parent_class)->finalize (object);
}

static void
flg_weather_page_class_init (FlgWeatherPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_weather_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_weather_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_weather_page_finalize;
  page_class->update = flg_weather_page_update;
  page_class->is_settled = flg_weather_page_is_settled;
  page_class->step = flg_weather_page_step;
  page_class->focus = flg_weather_page_focus;
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/weather-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, slot);
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, jobs);
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, by_outcome);
  gtk_widget_class_bind_template_child (widget_class, FlgWeatherPage, by_stage);
  gtk_widget_class_bind_template_callback (widget_class, on_colour_toggled);
  gtk_widget_class_install_action (widget_class, "weather.show-job", "x", act_show_job);
  gtk_widget_class_install_action (widget_class, "weather.colour-by", "s", act_colour_by);
  gtk_widget_class_install_action (widget_class, "weather.toggle-colour", NULL, act_colour_by);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_c, 0, "weather.toggle-colour", NULL);
}

static void
flg_weather_page_init (FlgWeatherPage *self)
{
  self->feeds = g_ptr_array_new_with_free_func (g_object_unref);
  self->hosts = g_ptr_array_new_with_free_func (g_free);
  self->drawn = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->kept = flg_kept_shots_new ();
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
