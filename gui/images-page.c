#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/images-private.h"

#include <glib/gi18n.h>

#include "gui/folder-files.h"
#include "gui/text.h"
#include "gui/science.h"

G_DEFINE_FINAL_TYPE (FlgImagesPage, flg_images_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

static void
place_clear (FlgImagePlace *place)
{
  g_free (place->path);
}

/* --- which shot --- */

static void
remember_place (FlgImagesPage *self)
{
  if (!flg_shot_picture_path (self->picture))
    return;
  FlgImagePlace place = { g_strdup (flg_shot_picture_path (self->picture)), self->source,
                          flg_shot_picture_frame (self->picture) };
  g_array_append_val (self->history, place);
  if (self->history->len > 1000)
    g_array_remove_index (self->history, 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.back", TRUE);
}

static void
choose_file (FlgImagesPage *self, guint32 source)
{
  self->setting = TRUE;
  flg_chooser_choose (self->files, source);
  self->setting = FALSE;
}

/* Of single particles: what the job says of the shot, as there are neither spots nor lattices. */
static void
show_particle (FlgImagesPage *self)
{
  static const char *const names[FL_PARTICLE_LAST] = { N_ ("blank"), N_ ("single particle"),
                                                       N_ ("several particles"), N_ ("junk") };
  gboolean particles = flg_experiment_science (EXPERIMENT (self)) == FLG_SCIENCE_PARTICLES;
  gtk_widget_set_visible (self->over, !particles);
  const FlgShotParticle *of =
      particles && self->list
          ? flg_shot_list_particle (self->list, self->source, flg_shot_picture_frame (self->picture))
          : NULL;
  g_autoptr (GString) text = g_string_new (of ? _ (names[of->class]) : _ ("not processed"));
  if (of)
    {
      g_autofree char *photons = flg_format_count (of->photons);
      g_autofree char *background = flg_format_count ((gint64) (of->background + 0.5f));
      g_string_append_printf (text, ngettext ("\n%s photon", "\n%s photons", of->photons), photons);
      if (of->background >= 0.5f)
        g_string_append_printf (text, _ ("\nabout %s of the background"), background);
      if (of->class != FL_PARTICLE_BLANK && of->diameter > 0)
        g_string_append_printf (text, _ ("\ndiameter %.0f Å"), (double) of->diameter);
    }
  flg_compare_panel_set_words (self->compare, particles ? text->str : NULL);
}

/* Where the files are whose shots are listed. */
static gint64
site_of (FlgImagesPage *self)
{
  const FlJob *job = self->list ? flg_experiment_job (EXPERIMENT (self), self->job) : NULL;
  const FlRun *run = flg_experiment_run (EXPERIMENT (self), flg_chooser_get (self->runs));
  return job   ? flg_experiment_job_site (EXPERIMENT (self), job)
         : run ? flg_experiment_run_site (EXPERIMENT (self), run)
               : 0;
}

void
flg_images_page_show_place (FlgImagesPage *self, const char *path, guint32 source, guint32 frame,
                            gboolean remember)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  const FlRun *run = flg_experiment_run (experiment, flg_chooser_get (self->runs));
  g_autofree char *geometry = NULL, *mask = NULL, *calibration = NULL;
  if (run)
    {
      flg_experiment_run_detector (experiment, run, &geometry, &mask);
      calibration = flg_experiment_run_calibration (experiment, run);
    }
  if (remember)
    remember_place (self);
  self->source = source;
  choose_file (self, source);
  gint64 site = site_of (self);
  flg_compare_panel_set_place (self->compare, site);
  flg_compare_panel_set_calibration (self->compare, calibration);
  flg_compare_panel_set_shot (self->compare, path, geometry, mask, frame);
  flg_shot_picture_set_calibration (self->picture, calibration);
  flg_shot_picture_set_client (self->picture,
                               flg_context_view_for_site (flg_page_context (FLG_PAGE (self)), site));
  /* `path` may be its own. While the mask is edited, what lies under it is seen. */
  const char *seen = self->masking ? "" : mask;
  flg_shot_picture_show (self->picture, path, geometry, seen, frame);
  flg_images_page_mask_shot (self, site, flg_shot_picture_path (self->picture), geometry, mask);
  show_particle (self);
  if (flg_images_page_next (self, &path, &frame))
    {
      flg_compare_panel_foresee (self->compare, path, geometry, mask, frame);
      flg_shot_picture_foresee (self->picture, path, geometry, seen, frame);
    }
}

static void
on_frames (FlgImagesPage *self)
{
  guint32 frames = flg_shot_picture_n_frames (self->picture);
  self->setting = TRUE;
  gtk_spin_button_set_range (self->frame_spin, 0, frames ? frames - 1 : 0);
  gtk_spin_button_set_value (self->frame_spin, flg_shot_picture_frame (self->picture));
  self->setting = FALSE;
  g_autofree char *count = flg_format_count (frames);
  g_autofree char *text = g_strdup_printf (_ ("of %s"), count);
  gtk_label_set_label (self->frames_label, text);
}

void
flg_images_page_show_ref (FlgImagesPage *self, const FlgShotRef *ref)
{
  const char *path = self->list ? flg_shot_list_path (self->list, ref->source) : NULL;
  self->wanted = (FlgShotRef){ 0 };
  if (path)
    flg_images_page_show_place (self, path, ref->source, ref->frame, TRUE);
  else
    self->wanted = *ref;
}

static void
fill_files (FlgImagesPage *self)
{
  flg_chooser_begin (self->files);
  guint n = self->list ? flg_shot_list_n_files (self->list) : 0;
  for (guint i = 0; i < n; i++)
    {
      guint32 source;
      g_autofree char *name = g_path_get_basename (flg_shot_list_file (self->list, i, &source));
      flg_chooser_add (self->files, source, name);
    }
  for (guint i = 0; n == 0 && self->folder_files && i < self->folder_files->len; i++)
    {
      g_autofree char *name = g_path_get_basename (self->folder_files->pdata[i]);
      flg_chooser_add (self->files, i, name);
    }
  self->setting = TRUE;
  flg_chooser_end (self->files);
  self->setting = FALSE;
}

static const char *
file_path (FlgImagesPage *self, guint32 source)
{
  if (self->list && flg_shot_list_n_files (self->list))
    return flg_shot_list_path (self->list, source);
  return self->folder_files && source < self->folder_files->len ? self->folder_files->pdata[source] : NULL;
}

static void
show_counts (FlgImagesPage *self)
{
  static const char *const names[FLG_SHOTS_LAST] = { N_ ("%s hits"), N_ ("%s indexed"),
                                                     N_ ("%s not indexed") };
  gboolean crystals = flg_experiment_science (EXPERIMENT (self)) != FLG_SCIENCE_PARTICLES;
  for (FlgShotKind kind = FLG_SHOTS_HITS; kind < FLG_SHOTS_LAST; kind++)
    {
      g_autofree char *count = flg_format_count (self->list ? flg_shot_list_of_kind (self->list, kind) : 0);
      g_autofree char *text = g_strdup_printf (_ (names[kind]), count);
      gtk_label_set_label (self->counts[kind], text);
      gtk_widget_set_visible (gtk_widget_get_parent (GTK_WIDGET (self->counts[kind])),
                              crystals || kind == FLG_SHOTS_HITS);
    }
  flg_images_page_enable_steps (self);
}

/* The first thing to see of a run: its first hit, else its first frame. */
static void
show_first (FlgImagesPage *self)
{
  FlgShotRef ref;
  if (flg_shot_picture_path (self->picture) || self->wanted.job)
    return;
  if (self->list && flg_shot_list_hit (self->list, 0, &ref))
    flg_images_page_show_ref (self, &ref);
  else if ((!self->list || (flg_shot_list_is_idle (self->list) && flg_shot_list_n_files (self->list) > 0))
           && flg_chooser_get (self->files) != G_MININT64)
    {
      guint32 source = (guint32) flg_chooser_get (self->files);
      if (file_path (self, source))
        flg_images_page_show_place (self, file_path (self, source), source, 0, FALSE);
    }
}

static void
on_list_changed (FlgImagesPage *self)
{
  fill_files (self);
  show_counts (self);
  show_particle (self);
  if (self->wanted.job && self->list && flg_shot_list_path (self->list, self->wanted.source))
    {
      FlgShotRef ref = self->wanted;
      flg_images_page_show_ref (self, &ref);
    }
  show_first (self);
}

static void
drop_list (FlgImagesPage *self)
{
  if (!self->list)
    return;
  g_signal_handlers_disconnect_by_data (self->list, self);
  flg_shot_list_stop (self->list);
  g_clear_object (&self->list);
}

static void
on_folder (GPtrArray *files, const GError *error, gpointer data)
{
  g_autoptr (FlgImagesPage) self = data;
  self->listing--;
  if (!self->view || self->list)
    return;
  g_clear_pointer (&self->folder_files, g_ptr_array_unref);
  self->folder_files = files ? g_ptr_array_ref (files) : NULL;
  if (!files || files->len == 0)
    flw_image_view_set_empty_text (self->view,
                                   error ? error->message : _ ("There are no images in this run's folder."));
  on_list_changed (self);
}

static void
begin_list (FlgImagesPage *self, gint64 job)
{
  self->list = flg_shot_list_new (EXPERIMENT (self), job);
  g_signal_connect_object (self->list, "changed", G_CALLBACK (on_list_changed), self, G_CONNECT_SWAPPED);
}

/* Another job of the same run: the same shot, but its neighbours are this job's. */
static void
on_job_chosen (FlgImagesPage *self, gint64 job)
{
  drop_list (self);
  self->job = job;
  begin_list (self, job);
  on_list_changed (self);
}

/* Begins with a run: the shots of its best job, or the files in its folder. */
static void
enter_run (FlgImagesPage *self, gint64 job)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  const FlRun *run = flg_experiment_run (experiment, flg_chooser_get (self->runs));
  g_clear_pointer (&self->folder_files, g_ptr_array_unref);
  drop_list (self);
  self->job = job;
  flg_shot_picture_clear (self->picture, run || job ? _ ("Looking for images…") : _ ("Choose a run."));
  flg_compare_panel_set_shot (self->compare, NULL, NULL, NULL, 0);
  flg_compare_panel_set_run (self->compare, flg_chooser_get (self->runs), job);
  if (job)
    begin_list (self, job);
  else if (run)
    {
      gint64 site = flg_experiment_run_site (experiment, run);
      g_autofree char *folder = flg_experiment_resolve_at (experiment, site, run->root, run->path);
      g_auto (GStrv) channel = flg_context_channel (flg_page_context (FLG_PAGE (self)), site);
      self->listing++;
      flg_folder_files (folder ? folder : run->path, (const char *const *) channel, on_folder,
                        g_object_ref (self));
    }
  on_list_changed (self);
}

static void
on_run_chosen (FlgImagesPage *self)
{
  const FlJob *job = flg_experiment_best_job (EXPERIMENT (self), flg_chooser_get (self->runs));
  if (!self->setting)
    enter_run (self, job && flg_experiment_job_stats (EXPERIMENT (self), job->id) ? job->id : 0);
}

static void
on_file_chosen (FlgImagesPage *self)
{
  gint64 chosen = flg_chooser_get (self->files);
  if (self->setting || chosen == G_MININT64)
    return;
  const char *path = file_path (self, (guint32) chosen);
  if (path && g_strcmp0 (path, flg_shot_picture_path (self->picture)) != 0)
    flg_images_page_show_place (self, path, (guint32) chosen, 0, TRUE);
}

static void
on_frame_changed (FlgImagesPage *self)
{
  guint32 frame = (guint32) gtk_spin_button_get_value_as_int (self->frame_spin);
  const char *path = flg_shot_picture_path (self->picture);
  if (!self->setting && path && frame != flg_shot_picture_frame (self->picture))
    flg_images_page_show_place (self, path, self->source, frame, TRUE);
}

void
flg_images_page_show_run (FlgImagesPage *self, gint64 run)
{
  flg_chooser_choose (self->runs, run);
}

void
flg_images_page_show_shot (FlgImagesPage *self, const FlgShotRef *ref)
{
  const FlJob *job = flg_experiment_job (EXPERIMENT (self), ref->job);
  if (!job)
    return;
  self->setting = TRUE;
  flg_chooser_choose (self->runs, job->run);
  self->setting = FALSE;
  if (self->job != ref->job)
    {
      self->wanted = *ref;
      enter_run (self, ref->job);
    }
  else
    flg_images_page_show_ref (self, ref);
}

const char *
flg_images_page_shown (FlgImagesPage *self, guint32 *frame)
{
  if (frame)
    *frame = flg_shot_picture_frame (self->picture);
  return flg_shot_picture_path (self->picture);
}

FlgComparePanel *
flg_images_page_compare (FlgImagesPage *self)
{
  return self->compare;
}

FlwImageView *
flg_images_page_view (FlgImagesPage *self)
{
  return self->view;
}

/* --- page --- */

static int
newest_first (gconstpointer a, gconstpointer b)
{
  return fl_run_name_compare ((*(const FlRun *const *) b)->name, (*(const FlRun *const *) a)->name);
}

static void
fill_runs (FlgImagesPage *self)
{
  FlgRecordModel *model = flg_experiment_table (EXPERIMENT (self), FL_TABLE_RUN);
  g_autoptr (GPtrArray) runs = g_ptr_array_new ();
  for (guint i = 0; i < flg_record_model_count (model); i++)
    g_ptr_array_add (runs, (gpointer) flg_record_run (flg_record_model_at (model, i)));
  g_ptr_array_sort (runs, newest_first);
  flg_chooser_begin (self->runs);
  for (guint i = 0; i < runs->len; i++)
    {
      const FlRun *run = runs->pdata[i];
      flg_chooser_add (self->runs, run->id, run->name);
    }
  flg_chooser_end (self->runs);
}

static void
flg_images_page_update (FlgPage *page, guint what)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (page);
  if (what & (FLG_CHANGED (FL_TABLE_RUN) | FLG_CHANGED_HEALTH))
    fill_runs (self);
  /* The first shots of the run have been processed meanwhile. */
  if (what & (FLG_CHANGED (FL_TABLE_TRIAL) | FLG_CHANGED (FL_TABLE_JOB) | FLG_CHANGED_COUNTS))
    flg_compare_panel_refill (self->compare);
  if ((what & FLG_CHANGED_COUNTS) && !self->list && flg_chooser_get (self->runs) != G_MININT64)
    {
      const FlJob *job = flg_experiment_best_job (EXPERIMENT (self), flg_chooser_get (self->runs));
      if (job && flg_experiment_job_stats (EXPERIMENT (self), job->id))
        enter_run (self, job->id);
    }
}

static gboolean
flg_images_page_is_settled (FlgPage *page)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (page);
  return self->listing == 0 && flg_shot_picture_is_idle (self->picture)
         && (!self->masking || flg_mask_panel_is_idle (self->masks))
         && flg_compare_panel_is_idle (self->compare) && (!self->list || flg_shot_list_is_idle (self->list))
         && (!gtk_widget_get_mapped (GTK_WIDGET (self->view)) || flw_image_view_get_settled (self->view));
}

static void
flg_images_page_step (FlgPage *page, int by)
{
  flg_chooser_step (FLG_IMAGES_PAGE (page)->files, by);
}

static void
flg_images_page_begin_filter (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_IMAGES_PAGE (page)->frame_spin));
}

static void
flg_images_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_IMAGES_PAGE (page)->view));
}

static void
flg_images_page_constructed (GObject *object)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (object);
  self->view = FLW_IMAGE_VIEW (flw_image_view_new ());
  gtk_widget_set_vexpand (GTK_WIDGET (self->view), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self->view), TRUE);
  GtkWidget *overlay = gtk_overlay_new (), *tag = gtk_label_new (NULL);
  gtk_overlay_set_child (GTK_OVERLAY (overlay), GTK_WIDGET (self->view));
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), tag);
  gtk_widget_set_halign (tag, GTK_ALIGN_START);
  gtk_widget_set_valign (tag, GTK_ALIGN_START);
  gtk_widget_set_can_target (tag, FALSE);
  gtk_widget_add_css_class (tag, "image-tag");
  gtk_box_append (self->view_slot, overlay);
  self->bar = FLW_COLOUR_BAR (flw_colour_bar_new (flw_image_view_get_colour_map (self->view)));
  gtk_widget_set_hexpand (GTK_WIDGET (self->bar), TRUE);
  gtk_box_append (self->bar_slot, GTK_WIDGET (self->bar));
  self->picture = flg_shot_picture_new (flg_context_view (flg_page_context (FLG_PAGE (self))), self->view,
                                        self->bar, self->facts);
  self->compare = FLG_COMPARE_PANEL (
      flg_compare_panel_new (flg_page_context (FLG_PAGE (self)), self->view, GTK_LABEL (tag)));
  gtk_box_append (self->compare_slot, GTK_WIDGET (self->compare));
  g_signal_connect_object (self->compare, "job-chosen", G_CALLBACK (on_job_chosen), self, G_CONNECT_SWAPPED);
  g_object_bind_property (self->view, "show-spots", self->spots_button, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  g_object_bind_property (self->view, "show-predictions", self->predictions_button, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  g_signal_connect_object (self->picture, "frames", G_CALLBACK (on_frames), self, G_CONNECT_SWAPPED);
  flw_image_view_set_empty_text (self->view, _ ("Choose a run."));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.back", FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.mask-undo", FALSE);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.mask-redo", FALSE);
  flg_images_page_add_keys (self);
  g_signal_connect_object (self->runs, "chosen", G_CALLBACK (on_run_chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->files, "chosen", G_CALLBACK (on_file_chosen), self, G_CONNECT_SWAPPED);
  show_counts (self);
  G_OBJECT_CLASS (flg_images_page_parent_class)->constructed (object);
}

static void
flg_images_page_dispose (GObject *object)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (object);
  flg_shot_picture_close (self->picture);
  flg_compare_panel_close (self->compare);
  if (self->masks)
    flg_mask_panel_close (self->masks);
  drop_list (self);
  self->view = NULL;
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_IMAGES_PAGE);
  G_OBJECT_CLASS (flg_images_page_parent_class)->dispose (object);
}

static void
flg_images_page_finalize (GObject *object)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (object);
  g_clear_pointer (&self->folder_files, g_ptr_array_unref);
  g_array_unref (self->history);
  g_rand_free (self->random);
  g_clear_object (&self->picture);
  G_OBJECT_CLASS (flg_images_page_parent_class)->finalize (object);
}

static void
flg_images_page_class_init (FlgImagesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  static const char *const names[FLG_SHOTS_LAST] = { "hits_label", "indexed_label", "unindexed_label" };
  G_OBJECT_CLASS (klass)->constructed = flg_images_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_images_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_images_page_finalize;
  page_class->update = flg_images_page_update;
  page_class->is_settled = flg_images_page_is_settled;
  page_class->step = flg_images_page_step;
  page_class->begin_filter = flg_images_page_begin_filter;
  page_class->focus = flg_images_page_focus;
  g_type_ensure (FLG_TYPE_CHOOSER);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/images-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, view_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, bar_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, runs);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, files);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, frame_spin);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, frames_label);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, compare_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, tuner_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, mask_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, places);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, about);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, numbers);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, over);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, spots_button);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, predictions_button);
  for (guint i = 0; i < FLG_SHOTS_LAST; i++)
    gtk_widget_class_bind_template_child_full (widget_class, names[i], FALSE,
                                               G_STRUCT_OFFSET (FlgImagesPage, counts)
                                                   + (gssize) (i * sizeof (GtkLabel *)));
  gtk_widget_class_bind_template_callback (widget_class, on_frame_changed);
  flg_images_page_install_actions (widget_class);
}

static void
flg_images_page_init (FlgImagesPage *self)
{
  self->history = g_array_new (FALSE, FALSE, sizeof (FlgImagePlace));
  g_array_set_clear_func (self->history, (GDestroyNotify) place_clear);
  self->random = g_rand_new ();
  self->by = 1;
  gtk_widget_init_template (GTK_WIDGET (self));
}
