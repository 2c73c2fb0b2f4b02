#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/density-private.h"

#include <glib/gi18n.h>

#include "gui/map-set.h"
#include "gui/map-versions.h"
#include "gui/science.h"
#include "gui/text.h"
#include "widgets/density-level.h"

#define FIRST_SPAN 22.0 /* Å: of the first look */
#define FIRST_SLAB 8.0  /* Å before and behind its middle */
#define KEPT_SETS  3    /* shown, compared, the one before */

typedef enum
{
  KIND_BOTH,
  KIND_BEST,
  KIND_RESIDUAL,
  KIND_CHANGE,
  N_KINDS
} Kind;

static const struct
{
  const char *name, *label;
  int maps[FLW_DENSITY_MAPS]; /* FlgMapKind; −1: none */
} kinds[N_KINDS] = { { "both", "2mFo − DFc, mFo − DFc", { FLG_MAP_BEST, FLG_MAP_RESIDUAL } },
                     { "best", "2mFo − DFc", { FLG_MAP_BEST, -1 } },
                     { "residual", "mFo − DFc", { -1, FLG_MAP_RESIDUAL } },
                     { "change", "2mFo − DFc, Fo − Fo", { FLG_MAP_BEST, FLG_MAP_CHANGE } } };

G_DEFINE_FINAL_TYPE (FlgDensityPage, flg_density_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

int
flg_density_page_kind (const char *name)
{
  for (int i = 0; i < N_KINDS; i++)
    if (g_str_equal (kinds[i].name, name))
      return i;
  return -1;
}

/* --- which --- */

static const FlgMapVersion *
version_of (FlgDensityPage *self, gint64 job)
{
  for (guint i = 0; self->jobs && i < self->jobs->len; i++)
    if (((FlgMapVersion *) self->jobs->pdata[i])->job == job)
      return self->jobs->pdata[i];
  return NULL;
}

/* NULL: there is none. */
static const FlgMapVersion *
chosen_version (FlgDensityPage *self)
{
  gint64 job = flg_chooser_get (self->versions);
  return job > 0 ? version_of (self, job) : self->jobs && self->jobs->len > 0 ? self->jobs->pdata[0] : NULL;
}

static const FlgMapVersion *
chosen_rival (FlgDensityPage *self)
{
  gint64 job = flg_chooser_get (self->rivals);
  const FlgMapVersion *version = chosen_version (self);
  return job > 0 && version && version->job != job ? version_of (self, job) : NULL;
}

static Kind
chosen_kind (FlgDensityPage *self)
{
  gint64 kind = flg_chooser_get (self->kinds);
  return kind > 0 && kind < N_KINDS ? (Kind) kind : KIND_BOTH;
}

/* The set of that job, asked for when it is not here; borrowed. */
static FlgMapSet *
set_of (FlgDensityPage *self, const FlgMapVersion *version)
{
  const FlJob *job = version ? flg_experiment_job (EXPERIMENT (self), version->job) : NULL;
  if (!job)
    return NULL;
  for (guint i = 0; i < self->sets->len; i++)
    {
      FlgMapSet *set = self->sets->pdata[i];
      guint64 *ended = g_object_get_data (G_OBJECT (set), "ended");
      if (flg_map_set_job (set) != job->id)
        continue;
      if (*ended == job->ended)
        return set;
      g_ptr_array_remove_index (self->sets, i); /* it was made again */
      break;
    }
  FlgMapSet *set = flg_map_set_new (flg_page_context (FLG_PAGE (self)), job);
  g_object_set_data_full (G_OBJECT (set), "ended", g_memdup2 (&job->ended, sizeof job->ended), g_free);
  g_signal_connect_object (set, "changed", G_CALLBACK (flg_density_page_refresh), self, G_CONNECT_SWAPPED);
  g_ptr_array_insert (self->sets, 0, set);
  if (self->sets->len > KEPT_SETS)
    g_ptr_array_set_size (self->sets, KEPT_SETS);
  return set;
}

/* --- peaks --- */

static void
fill_peaks (FlgDensityPage *self, const FlgMapReport *report)
{
  gboolean change = chosen_kind (self) == KIND_CHANGE;
  GArray *peaks = !report ? NULL : change ? report->change_peaks : report->peaks;
  guint n = peaks ? peaks->len : 0;
  g_autofree FlwDensityPeak *drawn = g_new0 (FlwDensityPeak, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    {
      const FlgMapPeak *peak = &g_array_index (peaks, FlgMapPeak, i);
      for (guint x = 0; x < 3; x++)
        drawn[i].place[x] = peak->place[x];
      drawn[i].value = peak->sigmas;
      g_strlcpy (drawn[i].label, peak->atom, sizeof drawn[i].label);
    }
  for (guint v = 0; flg_density_pair_view (self->pair, v); v++)
    flw_density_view_set_peaks (flg_density_pair_view (self->pair, v), n, drawn, "σ");
  flg_map_peaks_fill (self->peaks, peaks, flg_map_kind_name (change ? FLG_MAP_CHANGE : FLG_MAP_RESIDUAL));
}

static void
on_peak_chosen (FlgDensityPage *self, guint peak)
{
  flw_density_view_show_peak (self->view, peak);
}

static void
on_peak_selected (FlgDensityPage *self, guint peak)
{
  flg_map_peaks_select (self->peaks, peak);
}

/* --- showing --- */

static void
put_maps (FlgDensityPage *self, FlwDensityView *view, FlgMapSet *set, const FlgMapVersion *version)
{
  Kind kind = chosen_kind (self);
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      int which = kinds[kind].maps[m];
      FlwDensityVolume *volume = which >= 0 ? flg_map_set_volume (set, (FlgMapKind) which) : NULL;
      g_autofree char *name =
          which < 0 ? NULL
          : version ? g_strdup_printf ("%s v%d", flg_map_kind_name ((FlgMapKind) which), version->number)
                    : g_strdup (flg_map_kind_name ((FlgMapKind) which));
      if (flw_density_view_get_map (view, m) != volume
          || g_strcmp0 (flw_density_view_get_map_name (view, m), name) != 0)
        flw_density_view_set_map (view, m, volume, name, m == 1);
    }
  flw_density_view_set_model (view, self->model ? self->model : flg_map_set_model (set));
}

static void
put_rivals (FlgDensityPage *self, FlgMapSet *set, const FlgMapVersion *version)
{
  Kind kind = chosen_kind (self);
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      int which = kinds[kind].maps[m];
      FlwDensityVolume *volume = set && which >= 0 ? flg_map_set_volume (set, (FlgMapKind) which) : NULL;
      g_autofree char *name =
          volume ? g_strdup_printf ("%s v%d", flg_map_kind_name ((FlgMapKind) which), version->number) : NULL;
      flw_density_view_set_rival (self->view, m, volume, name);
    }
}

static gboolean
has_maps (FlgMapSet *set)
{
  return flg_map_set_volume (set, FLG_MAP_BEST) || flg_map_set_volume (set, FLG_MAP_RESIDUAL);
}

static char *
facts_of (FlgDensityPage *self, const FlgMapVersion *version, FlgMapSet *set)
{
  g_autoptr (GString) facts = g_string_new (version->label);
  g_autofree char *when = flg_format_time (version->ended, flg_experiment_now (EXPERIMENT (self)));
  g_string_append_printf (facts, ", %s", when);
  const FlgMapReport *report = flg_map_set_report (set);
  if (report)
    {
      g_autofree char *words = flg_map_report_words (report);
      g_string_append_printf (facts, " · %s", words);
    }
  const char *model = self->model                         ? self->model_name
                      : report && flg_map_set_model (set) ? report->model
                                                          : NULL;
  if (model && *model)
    g_string_append_printf (facts, " · %s", model);
  if (flg_map_set_problem (set))
    {
      g_autofree char *problem = flg_text_bounded (flg_map_set_problem (set), 200);
      g_string_append_printf (facts, " · %s", problem);
    }
  return g_string_free (g_steal_pointer (&facts), FALSE);
}

static void
show_nothing (FlgDensityPage *self, FlgMapSet *set)
{
  g_autofree char *missing =
      set ? flg_text_bounded (flg_map_set_problem (set), 300)
          : flg_map_versions_missing (EXPERIMENT (self), flg_chooser_get (self->datasets));
  gboolean waiting = set && !flg_map_set_is_idle (set);
  flw_empty_state_set (self->empty, "flg-density-symbolic",
                       waiting ? _ ("The maps are being read")
                       : set   ? _ ("The maps cannot be shown")
                               : _ ("No density yet"),
                       waiting ? "" : missing);
  gtk_label_set_label (self->facts, "");
  self->shown = 0;
  gtk_stack_set_visible_child_name (self->stack, "empty");
}

static void
show_levels (FlgDensityPage *self)
{
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    gtk_widget_set_visible (self->levels[m], flw_density_view_get_map (self->view, m) != NULL);
}

static void
show_second (FlgDensityPage *self, const FlgMapVersion *rival, FlgMapSet *set)
{
  gboolean beside = set && has_maps (set) && gtk_toggle_button_get_active (self->beside);
  if (beside && !flg_density_pair_view (self->pair, 1))
    self->listed = -1; /* its peaks are to be set */
  flg_density_pair_set_beside (self->pair, beside);
  put_rivals (self, beside ? NULL : set, rival);
  if (beside)
    {
      flg_density_pair_begin (self->pair); /* its first map would place its camera, and with it the other's */
      put_maps (self, flg_density_pair_view (self->pair, 1), set, rival);
      flg_density_pair_end (self->pair);
    }
}

/* The middle of a cell may be solvent: the first look is at what the model does not explain, or at the model. */
static void
place (FlgDensityPage *self)
{
  self->placed = TRUE;
  if (flg_map_peaks_count (self->peaks) > 0)
    flw_density_view_show_peak (self->view, 0);
  else
    flw_density_view_show_atom (self->view, 0);
  FlwDensityCamera camera = *flw_density_view_get_camera (self->view);
  camera.span = MIN (camera.span, FIRST_SPAN);
  camera.front = camera.back = MIN (camera.front, FIRST_SLAB);
  flw_density_view_set_camera (self->view, &camera);
}

/* What has been shown stays until what is to be shown has come. */
void
flg_density_page_refresh (FlgDensityPage *self)
{
  const FlgMapVersion *version = chosen_version (self), *rival = chosen_rival (self);
  FlgMapSet *set = set_of (self, version), *other = set_of (self, rival);
  gtk_widget_set_sensitive (GTK_WIDGET (self->beside), rival != NULL);
  gtk_widget_set_visible (self->own_model, self->model != NULL);
  if (!set || !has_maps (set))
    {
      if (!set || flg_map_set_is_idle (set) || self->shown == 0)
        show_nothing (self, set);
      return;
    }
  g_autofree char *facts = facts_of (self, version, set);
  gtk_label_set_label (self->facts, facts);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->facts), facts);
  put_maps (self, self->view, set, rival ? version : NULL);
  show_second (self, rival, other);
  const FlgMapReport *report = flg_map_set_report (set);
  gint64 listed = report ? version->job * N_KINDS + (gint64) chosen_kind (self) : -1;
  if (listed != self->listed)
    {
      fill_peaks (self, report);
      self->listed = listed;
    }
  show_levels (self);
  self->shown = version->job;
  if (!self->placed && flg_map_set_is_idle (set))
    place (self);
  gtk_stack_set_visible_child_name (self->stack, "maps");
}

/* --- filling --- */

static void
fill_versions (FlgDensityPage *self)
{
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  self->jobs = flg_map_versions (EXPERIMENT (self), flg_chooser_get (self->datasets));
  flg_chooser_begin (self->versions);
  if (self->jobs->len > 0)
    {
      const FlgMapVersion *newest = self->jobs->pdata[0];
      g_autofree char *label = g_strdup_printf (_ ("newest (%d)"), newest->number);
      flg_chooser_add (self->versions, 0, label);
    }
  for (guint i = 0; i < self->jobs->len; i++)
    {
      const FlgMapVersion *version = self->jobs->pdata[i];
      flg_chooser_add (self->versions, version->job, version->label);
    }
  flg_chooser_end (self->versions);
  flg_chooser_begin (self->rivals);
  flg_chooser_add (self->rivals, 0, _ ("not compared"));
  for (guint i = 0; i < self->jobs->len; i++)
    {
      const FlgMapVersion *version = self->jobs->pdata[i];
      g_autofree char *label = g_strdup_printf (_ ("with %s"), version->label);
      flg_chooser_add (self->rivals, version->job, label);
    }
  flg_chooser_end (self->rivals);
}

/* Until a person chooses: the last dataset that has maps. */
static void
fill_datasets (FlgDensityPage *self)
{
  FlgRecordModel *datasets = flg_experiment_table (EXPERIMENT (self), FL_TABLE_DATASET);
  gboolean picked = self->picked;
  gint64 best = 0;
  flg_chooser_begin (self->datasets);
  for (guint i = 0; i < flg_record_model_count (datasets); i++)
    {
      const FlDataset *dataset = flg_record_dataset (flg_record_model_at (datasets, i));
      g_autoptr (GPtrArray) versions = picked ? NULL : flg_map_versions (EXPERIMENT (self), dataset->id);
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
on_dataset (FlgDensityPage *self)
{
  self->picked = TRUE;
  fill_versions (self);
  flg_density_page_refresh (self);
}

static void
on_beside (FlgDensityPage *self)
{
  flg_density_page_refresh (self);
}

/* --- the two views --- */

const char *
flg_density_page_shown_view (FlgDensityPage *self)
{
  return gtk_stack_get_visible_child_name (self->views);
}

static gboolean
shows_crystals (FlgDensityPage *self)
{
  return g_str_equal (flg_density_page_shown_view (self), "crystals");
}

/* Until a person chooses: what the experiment is about. */
static void
choose_view (FlgDensityPage *self)
{
  gboolean particles = flg_experiment_science (EXPERIMENT (self)) == FLG_SCIENCE_PARTICLES
                       || (self->shown == 0 && flg_reconstruction_view_has_any (self->reconstruction));
  if (self->chosen)
    return;
  self->choosing = TRUE;
  gtk_stack_set_visible_child_name (self->views, particles ? "reconstruction" : "crystals");
  self->choosing = FALSE;
}

static void
on_view (FlgDensityPage *self)
{
  self->chosen |= !self->choosing;
}

/* --- page --- */

static void
flg_density_page_update (FlgPage *page, guint what)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (page);
  const guint heard = FLG_CHANGED (FL_TABLE_DATASET) | FLG_CHANGED (FL_TABLE_DATASET_VERSION)
                      | FLG_CHANGED (FL_TABLE_DATASET_TASK) | FLG_CHANGED (FL_TABLE_TASK)
                      | FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED (FL_TABLE_TRIAL)
                      | FLG_CHANGED (FL_TABLE_ATTEMPT);
  if (!(what & (heard | FLG_CHANGED_HEALTH)))
    return;
  fill_datasets (self);
  fill_versions (self);
  flg_density_page_refresh (self);
  flg_reconstruction_view_update (self->reconstruction);
  choose_view (self);
}

static gboolean
flg_density_page_is_settled (FlgPage *page)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (page);
  for (guint i = 0; i < self->sets->len; i++)
    if (!flg_map_set_is_idle (self->sets->pdata[i]))
      return FALSE;
  return !self->opening && flg_density_pair_is_settled (self->pair)
         && flg_reconstruction_view_is_settled (self->reconstruction);
}

static void
flg_density_page_step (FlgPage *page, int by)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (page);
  if (shows_crystals (self))
    flg_chooser_step (self->versions, by);
  else
    flg_reconstruction_view_step (self->reconstruction, by);
}

static void
flg_density_page_focus (FlgPage *page)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (page);
  FlwDensityView *other = flg_reconstruction_view_density (self->reconstruction, 0);
  gtk_widget_grab_focus (GTK_WIDGET (shows_crystals (self) || !other ? self->view : other));
}

static void
flg_density_page_constructed (GObject *object)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (object);
  self->view = flg_density_pair_view (self->pair, 0);
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      self->levels[m] = flw_density_level_new (self->view, m);
      gtk_widget_set_size_request (self->levels[m], -1, 96);
      gtk_box_append (self->level_slot, self->levels[m]);
    }
  flg_chooser_begin (self->kinds);
  for (guint i = 0; i < N_KINDS; i++)
    flg_chooser_add (self->kinds, i, kinds[i].label);
  flg_chooser_end (self->kinds);
  fill_datasets (self);
  fill_versions (self);
  g_signal_connect_object (self->datasets, "chosen", G_CALLBACK (on_dataset), self, G_CONNECT_SWAPPED);
  for (guint i = 0; i < 3; i++)
    g_signal_connect_object (((FlgChooser *[]){ self->versions, self->kinds, self->rivals })[i], "chosen",
                             G_CALLBACK (flg_density_page_refresh), self, G_CONNECT_SWAPPED);
  self->other_switcher = GTK_STACK_SWITCHER (gtk_stack_switcher_new ());
  gtk_stack_switcher_set_stack (self->other_switcher, self->views);
  self->reconstruction = FLG_RECONSTRUCTION_VIEW (
      flg_reconstruction_view_new (flg_page_context (FLG_PAGE (self)), GTK_WIDGET (self->other_switcher)));
  gtk_stack_add_titled (self->views, GTK_WIDGET (self->reconstruction), "reconstruction",
                        _ ("Reconstruction"));
  g_signal_connect_object (self->views, "notify::visible-child", G_CALLBACK (on_view), self,
                           G_CONNECT_SWAPPED);
  flg_density_page_refresh (self);
  flg_reconstruction_view_update (self->reconstruction);
  choose_view (self);
  G_OBJECT_CLASS (flg_density_page_parent_class)->constructed (object);
}

static void
flg_density_page_dispose (GObject *object)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (object);
  g_cancellable_cancel (self->opening);
  g_clear_object (&self->opening);
  g_ptr_array_set_size (self->sets, 0);
  /* They hold the stack that holds them. */
  if (self->switcher)
    gtk_stack_switcher_set_stack (self->switcher, NULL);
  if (self->other_switcher)
    gtk_stack_switcher_set_stack (self->other_switcher, NULL);
  self->switcher = self->other_switcher = NULL;
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_DENSITY_PAGE);
  G_OBJECT_CLASS (flg_density_page_parent_class)->dispose (object);
}

static void
flg_density_page_finalize (GObject *object)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (object);
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  g_clear_pointer (&self->model, flw_density_model_unref);
  g_ptr_array_unref (self->sets);
  g_free (self->model_name);
  G_OBJECT_CLASS (flg_density_page_parent_class)->finalize (object);
}

static void
flg_density_page_class_init (FlgDensityPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_density_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_density_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_density_page_finalize;
  page_class->update = flg_density_page_update;
  page_class->is_settled = flg_density_page_is_settled;
  page_class->step = flg_density_page_step;
  page_class->focus = flg_density_page_focus;
  g_type_ensure (FLG_TYPE_CHOOSER);
  g_type_ensure (FLG_TYPE_DENSITY_PAIR);
  g_type_ensure (FLG_TYPE_MAP_PEAKS);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/density-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, views);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, switcher);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, datasets);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, versions);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, kinds);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, rivals);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, beside);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, own_model);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, empty);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, pair);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, level_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgDensityPage, peaks);
  gtk_widget_class_bind_template_callback (widget_class, on_peak_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_peak_selected);
  gtk_widget_class_bind_template_callback (widget_class, on_beside);
  flg_density_page_class_actions (widget_class);
}

static void
flg_density_page_init (FlgDensityPage *self)
{
  self->sets = g_ptr_array_new_with_free_func (g_object_unref);
  self->listed = -1;
  gtk_widget_init_template (GTK_WIDGET (self));
}
