#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/reconstruction-view.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "gui/chooser.h"
#include "gui/generation-bar.h"
#include "gui/generation-feed.h"
#include "gui/map-versions.h"
#include "gui/reconstruction-plots.h"
#include "gui/reconstruction-words.h"
#include "gui/text.h"
#include "gui/volume-cache.h"
#include "widgets/density-level.h"
#include "widgets/empty-state.h"

#define TYPE "reconstruct"
#define AIR  1.9 /* of the first look: its span over the root mean square radius, for one half */

struct _FlgReconstructionView
{
  GtkBox parent_instance;
  FlgContext *context;
  GtkBox *tools;
  FlgChooser *datasets, *versions, *first, *second;
  GtkLabel *facts;
  GtkStack *stack;
  FlwEmptyState *empty;
  FlgDensityPair *pair;
  FlgGenerationBar *bar;
  FlgReconstructionPlots *plots;
  GtkBox *level_slot;
  FlgGenerationFeed *feed; /* NULL: no job */
  FlgVolumeCache *cache;
  FlwDensityVolume *levelled; /* for which the level was chosen; NULL: none */
  gint64 placed;              /* job for which the camera stands; 0: none */
  gboolean picked;            /* a dataset, by a person */
  gboolean own_level;         /* a person's */
  gboolean paired;            /* whether there is one or two is a person's choice */
  gboolean filling, shows;
};

G_DEFINE_FINAL_TYPE (FlgReconstructionView, flg_reconstruction_view, GTK_TYPE_BOX)

#define EXPERIMENT(self) flg_context_experiment ((self)->context)

static void refresh (FlgReconstructionView *self);

/* --- which --- */

static GPtrArray *
generations_of (FlgReconstructionView *self)
{
  return self->feed ? flg_generation_feed_list (self->feed) : NULL;
}

/* NULL: there is none. */
static const FlGeneration *
shown_generation (FlgReconstructionView *self)
{
  GPtrArray *generations = generations_of (self);
  int at = flg_generation_bar_get (self->bar);
  return generations && at >= 0 && at < (int) generations->len ? generations->pdata[at] : NULL;
}

static guint
first_conformation (FlgReconstructionView *self)
{
  gint64 id = flg_chooser_get (self->first);
  return id > 0 ? (guint) (id - 1) : 0;
}

/* −1: one alone. */
static int
second_conformation (FlgReconstructionView *self)
{
  gint64 id = flg_chooser_get (self->second);
  return id > 0 ? (int) (id - 1) : -1;
}

/* --- densities --- */

/* The last generation up to the shown that has a density of that conformation. */
static const FlGeneration *
generation_with_volume (FlgReconstructionView *self, guint conformation)
{
  GPtrArray *generations = generations_of (self);
  for (int i = flg_generation_bar_get (self->bar); generations && i >= 0; i--)
    {
      g_autofree char *file = fl_generation_volume (generations->pdata[i], conformation);
      if (file)
        return generations->pdata[i];
    }
  return NULL;
}

static const FlAttempt *
attempt_of (FlgReconstructionView *self, const FlGeneration *generation)
{
  FlgRecord *record =
      flg_record_model_find (flg_experiment_table (EXPERIMENT (self), FL_TABLE_ATTEMPT), generation->attempt);
  return record ? flg_record_attempt (record) : NULL;
}

/* NULL: there is none, or it has not come yet, or, with *problem, cannot come. */
static FlwDensityVolume *
volume_of (FlgReconstructionView *self, const FlGeneration *generation, guint conformation,
           const char **problem)
{
  const FlAttempt *attempt = generation ? attempt_of (self, generation) : NULL;
  *problem = NULL;
  if (!attempt)
    return NULL;
  g_autofree char *file = fl_generation_volume (generation, conformation);
  g_autofree char *suffix = g_strconcat ("/", file, NULL);
  g_autofree char *path = flg_experiment_attempt_path (EXPERIMENT (self), attempt, suffix);
  return flg_volume_cache_get (self->cache, attempt->site, path, "", problem);
}

/* Between particle and nothing, until a person sets another one. */
static void
set_level (FlgReconstructionView *self, FlwDensityVolume *volume)
{
  FlwDensityView *view = flg_density_pair_view (self->pair, 0);
  const FlwDensityGrid *grid = flw_density_volume_grid (volume);
  double level = flw_density_volume_threshold (volume);
  gboolean absolute;
  if (self->own_level || self->levelled == volume || !(grid->sigma > 0))
    return;
  g_clear_pointer (&self->levelled, flw_density_volume_unref);
  self->levelled = flw_density_volume_ref (volume);
  g_object_get (view, "absolute", &absolute, NULL);
  flw_density_view_set_level (view, 0, absolute ? level : (level - grid->mean) / grid->sigma);
}

/* The first look at a job is at its particle, not at the empty box around. */
static void
place (FlgReconstructionView *self, FlwDensityVolume *volume)
{
  double centre[3], radius;
  if (self->placed == flg_generation_feed_job (self->feed))
    return;
  self->placed = flg_generation_feed_job (self->feed);
  radius = flw_density_volume_spread (volume, flw_density_volume_threshold (volume), centre);
  if (!(radius > 0))
    return;
  FlwDensityView *view = flg_density_pair_view (self->pair, 0);
  FlwDensityCamera camera = *flw_density_view_get_camera (view);
  memcpy (camera.centre, centre, sizeof camera.centre);
  camera.span = 2 * AIR * radius;
  camera.front = camera.back = camera.radius = 2 * AIR * radius;
  flw_density_view_set_camera (view, &camera);
}

static void
put_density (FlgReconstructionView *self, guint i, FlwDensityVolume *volume, guint number, guint conformation,
             guint conformations)
{
  FlwDensityView *view = flg_density_pair_view (self->pair, i);
  g_autofree char *name = conformations > 1 ? g_strdup_printf (_ ("%s, generation %u"),
                                                               flg_conformation_name (conformation), number)
                                            : g_strdup_printf (_ ("generation %u"), number);
  if (!volume
      || (flw_density_view_get_map (view, 0) == volume
          && g_strcmp0 (flw_density_view_get_map_name (view, 0), name) == 0))
    return;
  flw_density_view_set_map (view, 0, volume, name, FALSE);
}

/* What has been shown stays until what is to be shown has come. Returns what stands in the way, or NULL. */
static const char *
show_densities (FlgReconstructionView *self, const FlGeneration *shown)
{
  guint first = first_conformation (self);
  int second = second_conformation (self);
  const FlGeneration *of = generation_with_volume (self, first);
  const FlGeneration *beside = second < 0 ? NULL : generation_with_volume (self, (guint) second);
  const char *problem, *other = NULL;
  FlwDensityVolume *volume = volume_of (self, of, first, &problem);
  if (volume)
    {
      flg_density_pair_begin (self->pair);
      self->filling = TRUE;
      put_density (self, 0, volume, of->row.number, first, shown->row.conformations);
      set_level (self, volume);
      place (self, volume);
      flg_density_pair_end (self->pair);
    }
  FlwDensityVolume *rival = volume_of (self, beside, second < 0 ? 0 : (guint) second, &other);
  flg_density_pair_set_beside (
      self->pair, second >= 0 && flw_density_view_get_map (flg_density_pair_view (self->pair, 0), 0) != NULL);
  if (rival && flg_density_pair_view (self->pair, 1))
    {
      self->filling = TRUE;
      flg_density_pair_begin (self->pair);
      put_density (self, 1, rival, beside->row.number, (guint) second, shown->row.conformations);
      flg_density_pair_end (self->pair);
    }
  self->filling = FALSE;
  return problem ? problem : !of ? _ ("no density has been written yet") : other;
}

static void
on_level (FlgReconstructionView *self)
{
  if (!self->filling)
    self->own_level = TRUE;
}

/* --- showing --- */

static void
show_nothing (FlgReconstructionView *self)
{
  const char *problem = self->feed ? flg_generation_feed_problem (self->feed) : NULL;
  gboolean reading = self->feed && !flg_generation_feed_is_idle (self->feed);
  g_autofree char *missing = flg_reconstruction_missing (EXPERIMENT (self), flg_chooser_get (self->datasets));
  flw_empty_state_set (self->empty, "flg-density-symbolic",
                       problem   ? _ ("The reconstruction cannot be read")
                       : reading ? _ ("The reconstruction is being read")
                                 : _ ("No reconstruction yet"),
                       problem   ? problem
                       : reading ? ""
                                 : missing);
  gtk_widget_set_visible (GTK_WIDGET (self->first), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->second), FALSE);
  gtk_label_set_label (self->facts, "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), NULL);
  gtk_stack_set_visible_child_name (self->stack, "empty");
  self->shows = FALSE;
}

/* The last that has a resolution, up to the shown; NULL: none has. */
static const FlGenerationRow *
told_up_to (FlgReconstructionView *self)
{
  GPtrArray *generations = generations_of (self);
  for (int i = flg_generation_bar_get (self->bar); i >= 0; i--)
    {
      const FlGenerationRow *row = &((const FlGeneration *) generations->pdata[i])->row;
      if (isfinite (row->half_resolution))
        return row;
    }
  return NULL;
}

static void
show_facts (FlgReconstructionView *self, const FlGeneration *shown, const char *problem)
{
  const FlJob *job = flg_experiment_job (EXPERIMENT (self), flg_generation_feed_job (self->feed));
  g_autofree char *words =
      flg_generation_words (&shown->row, told_up_to (self), flg_experiment_now (EXPERIMENT (self)));
  g_autofree char *end = flg_reconstruction_end_words (job);
  g_autofree char *bounded = flg_text_bounded (problem, 200);
  g_autofree char *text = g_strconcat (words, end, *bounded ? " · " : "", bounded, NULL);
  gtk_label_set_label (self->facts, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), text);
}

static char *
conformation_label (const FlGeneration *shown, guint conformation)
{
  for (guint i = 0; i < shown->occupancies->len; i++)
    {
      const FlOccupancyRow *row = &g_array_index (shown->occupancies, FlOccupancyRow, i);
      if (row->conformation == conformation)
        return g_strdup_printf (_ ("%s, %.0f %%"), flg_conformation_name (conformation),
                                100 * (double) row->share);
    }
  return g_strdup (flg_conformation_name (conformation));
}

/* Where there are several, the first two stand side by side until a person chooses. */
static void
fill_conformations (FlgReconstructionView *self, const FlGeneration *shown)
{
  guint n = MAX (shown->row.conformations, 1);
  gboolean was_filling = self->filling;
  self->filling = TRUE;
  flg_chooser_begin (self->first);
  flg_chooser_begin (self->second);
  flg_chooser_add (self->second, 0, _ ("alone"));
  for (guint c = 0; c < n; c++)
    {
      g_autofree char *label = conformation_label (shown, c);
      g_autofree char *beside = g_strdup_printf (_ ("beside %s"), label);
      flg_chooser_add (self->first, c + 1, label);
      if (n > 1)
        flg_chooser_add (self->second, c + 1, beside);
    }
  flg_chooser_end (self->first);
  flg_chooser_end (self->second);
  if (!self->paired)
    flg_chooser_choose (self->second, n > 1 ? 2 : 0);
  gtk_widget_set_visible (GTK_WIDGET (self->first), n > 1);
  gtk_widget_set_visible (GTK_WIDGET (self->second), n > 1);
  self->filling = was_filling;
}

static void
refresh (FlgReconstructionView *self)
{
  const FlGeneration *shown = shown_generation (self);
  /* Densities that nobody sees are not fetched; what is shown is made anew as soon as somebody looks. */
  if (self->filling || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  if (!shown)
    {
      show_nothing (self);
      return;
    }
  fill_conformations (self, shown);
  const char *problem = show_densities (self, shown);
  show_facts (self, shown, problem);
  flg_reconstruction_plots_show (self->plots, generations_of (self), flg_generation_bar_get (self->bar),
                                 first_conformation (self), second_conformation (self));
  gtk_stack_set_visible_child_name (self->stack, "shown");
  self->shows = TRUE;
}

/* --- filling --- */

static void
on_generations (FlgReconstructionView *self)
{
  GPtrArray *generations = generations_of (self);
  g_autofree guint32 *numbers = g_new (guint32, MAX (generations->len, 1));
  for (guint i = 0; i < generations->len; i++)
    numbers[i] = ((const FlGeneration *) generations->pdata[i])->row.number;
  flg_volume_cache_forget_problems (self->cache);
  self->filling = TRUE; /* once is enough */
  flg_generation_bar_set (self->bar, generations->len, numbers);
  self->filling = FALSE;
  refresh (self);
}

static void
drop_feed (FlgReconstructionView *self)
{
  if (self->feed)
    flg_generation_feed_stop (self->feed);
  g_clear_object (&self->feed);
}

static void
follow_job (FlgReconstructionView *self)
{
  gint64 chosen = flg_chooser_get (self->versions);
  g_autoptr (GPtrArray) versions =
      flg_versions_of_type (EXPERIMENT (self), flg_chooser_get (self->datasets), TYPE, FALSE);
  gint64 job = chosen > 0 ? chosen : versions->len > 0 ? ((FlgMapVersion *) versions->pdata[0])->job : 0;
  if ((self->feed ? flg_generation_feed_job (self->feed) : 0) != job)
    {
      drop_feed (self);
      g_clear_pointer (&self->levelled, flw_density_volume_unref);
      self->own_level = self->paired = FALSE;
      self->filling = TRUE;
      flg_generation_bar_set (self->bar, 0, NULL);
      self->filling = FALSE;
      if (job)
        {
          self->feed = flg_generation_feed_new (EXPERIMENT (self), job);
          g_signal_connect_object (self->feed, "changed", G_CALLBACK (on_generations), self,
                                   G_CONNECT_SWAPPED);
        }
    }
  refresh (self);
}

static void
fill_versions (FlgReconstructionView *self)
{
  g_autoptr (GPtrArray) versions =
      flg_versions_of_type (EXPERIMENT (self), flg_chooser_get (self->datasets), TYPE, FALSE);
  flg_chooser_begin (self->versions);
  if (versions->len > 0)
    {
      g_autofree char *label =
          g_strdup_printf (_ ("newest (%d)"), ((FlgMapVersion *) versions->pdata[0])->number);
      flg_chooser_add (self->versions, 0, label);
    }
  for (guint i = 0; i < versions->len; i++)
    {
      const FlgMapVersion *version = versions->pdata[i];
      flg_chooser_add (self->versions, version->job, version->label);
    }
  flg_chooser_end (self->versions);
  gtk_widget_set_visible (GTK_WIDGET (self->versions), versions->len > 0);
}

/* Until a person chooses: the last dataset that is reconstructed. */
static void
fill_datasets (FlgReconstructionView *self)
{
  FlgRecordModel *datasets = flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET);
  gboolean picked = self->picked;
  gint64 best = 0;
  flg_chooser_begin (self->datasets);
  for (guint i = 0; i < flg_record_model_count (datasets); i++)
    {
      const FlDataset *dataset = flg_record_dataset (flg_record_model_at (datasets, i));
      g_autoptr (GPtrArray) versions =
          picked ? NULL : flg_versions_of_type (EXPERIMENT (self), dataset->id, TYPE, FALSE);
      if (versions && versions->len > 0)
        best = dataset->id;
      flg_chooser_add (self->datasets, dataset->id, dataset->name);
    }
  flg_chooser_end (self->datasets);
  if (best > 0)
    flg_chooser_choose (self->datasets, best);
  self->picked = picked; /* that was nobody's choice */
}

static void
on_dataset (FlgReconstructionView *self)
{
  self->picked = TRUE;
  fill_versions (self);
  follow_job (self);
}

static void
on_second (FlgReconstructionView *self)
{
  if (!self->filling)
    self->paired = TRUE;
  refresh (self);
}

static void
on_picked (FlgReconstructionView *self, guint number)
{
  flg_generation_bar_choose (self->bar, number);
}

/* --- for the page --- */

void
flg_reconstruction_view_update (FlgReconstructionView *self)
{
  fill_datasets (self);
  fill_versions (self);
  follow_job (self);
}

gboolean
flg_reconstruction_view_is_settled (FlgReconstructionView *self)
{
  return (!self->feed || flg_generation_feed_is_idle (self->feed)) && flg_volume_cache_is_idle (self->cache)
         && flg_density_pair_is_settled (self->pair);
}

gboolean
flg_reconstruction_view_has_any (FlgReconstructionView *self)
{
  return self->feed != NULL;
}

void
flg_reconstruction_view_show_dataset (FlgReconstructionView *self, gint64 dataset)
{
  flg_chooser_choose (self->datasets, dataset);
}

void
flg_reconstruction_view_show_job (FlgReconstructionView *self, gint64 job)
{
  flg_chooser_choose (self->versions, job);
}

void
flg_reconstruction_view_show_generation (FlgReconstructionView *self, guint32 number)
{
  flg_generation_bar_choose (self->bar, number);
}

void
flg_reconstruction_view_step (FlgReconstructionView *self, int by)
{
  flg_generation_bar_step (self->bar, by);
}

void
flg_reconstruction_view_show_conformations (FlgReconstructionView *self, guint first, int second)
{
  flg_chooser_choose (self->first, first + 1);
  flg_chooser_choose (self->second, second + 1);
}

const char *
flg_reconstruction_view_facts (FlgReconstructionView *self)
{
  return gtk_label_get_label (self->facts);
}

FlwDensityView *
flg_reconstruction_view_density (FlgReconstructionView *self, guint i)
{
  return self->shows ? flg_density_pair_view (self->pair, i) : NULL;
}

char *
flg_reconstruction_view_summary (FlgReconstructionView *self)
{
  return flg_reconstruction_plots_summary (self->plots);
}

/* --- the widget --- */

static void
flg_reconstruction_view_dispose (GObject *object)
{
  FlgReconstructionView *self = FLG_RECONSTRUCTION_VIEW (object);
  drop_feed (self);
  if (self->cache)
    flg_volume_cache_stop (self->cache);
  g_clear_object (&self->cache);
  g_clear_pointer (&self->levelled, flw_density_volume_unref);
  g_clear_object (&self->context);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_RECONSTRUCTION_VIEW);
  G_OBJECT_CLASS (flg_reconstruction_view_parent_class)->dispose (object);
}

static void
flg_reconstruction_view_class_init (FlgReconstructionViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_reconstruction_view_dispose;
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLG_TYPE_DENSITY_PAIR);
  g_type_ensure (FLG_TYPE_GENERATION_BAR);
  g_type_ensure (FLG_TYPE_RECONSTRUCTION_PLOTS);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/reconstruction-view.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, tools);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, datasets);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, versions);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, first);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, second);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, pair);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, level_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, bar);
  gtk_widget_class_bind_template_child (widget_class, FlgReconstructionView, plots);
}

static void
flg_reconstruction_view_init (FlgReconstructionView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  FlwDensityView *view = flg_density_pair_view (self->pair, 0);
  GtkWidget *level = flw_density_level_new (view, 0);
  gtk_widget_set_size_request (level, -1, 84);
  gtk_widget_set_hexpand (level, TRUE);
  gtk_box_append (self->level_slot, level);
  g_object_set (view, "style", FLW_DENSITY_SOLID, NULL);
  g_signal_connect_object (view, "level-changed", G_CALLBACK (on_level), self, G_CONNECT_SWAPPED);
  g_signal_connect (self, "map", G_CALLBACK (refresh), NULL);
}

GtkWidget *
flg_reconstruction_view_new (FlgContext *context, GtkWidget *lead)
{
  FlgReconstructionView *self = g_object_new (FLG_TYPE_RECONSTRUCTION_VIEW, NULL);
  self->context = g_object_ref (context);
  self->cache = flg_volume_cache_new (context);
  gtk_box_prepend (self->tools, lead);
  g_signal_connect_object (self->cache, "changed", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->datasets, "chosen", G_CALLBACK (on_dataset), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->versions, "chosen", G_CALLBACK (follow_job), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->first, "chosen", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->second, "chosen", G_CALLBACK (on_second), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->bar, "chosen", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->plots, "generation-picked", G_CALLBACK (on_picked), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
