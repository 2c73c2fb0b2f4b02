#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/images-page.h"

#include <glib/gi18n.h>

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "gui/chooser.h"
#include "gui/folder-files.h"
#include "gui/shot-list.h"
#include "gui/text.h"
#include "widgets/colour-bar.h"
#include "widgets/image-view.h"

#define SLOT 1 /* of image requests: a newer one overtakes */

struct _FlgImagesPage
{
  FlgPage parent_instance;
  GtkBox *view_slot, *bar_slot;
  FlgChooser *runs, *files;
  GtkSpinButton *frame_spin;
  GtkLabel *frames_label, *hits_label, *facts, *outcome;
  FlwImageView *view;
  FlwColourBar *bar;
  double brightest; /* what the colour bar's histogram ends with */

  FlgShotList *list;       /* of the run's best job; NULL: none */
  GPtrArray *folder_files; /* char *, of a run without a job */
  GArray *history;         /* Place, for going back */
  GRand *random;

  char *path, *geometry, *mask, *job_dir; /* shown; "" = none */
  guint32 source, frame, n_frames;
  gint64 job;
  char *drawn_path;  /* whose panels the view has */
  FlgShotRef wanted; /* to be shown once its file is known; job 0: none */
  GCancellable *cancellable;
  guint asked;      /* answers awaited */
  gboolean setting; /* the choosers are being set by us */
};

typedef struct
{
  char *path;
  guint32 source, frame;
} Place;

G_DEFINE_FINAL_TYPE (FlgImagesPage, flg_images_page, FLG_TYPE_PAGE)

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

static void show_place (FlgImagesPage *self, const char *path, guint32 source, guint32 frame,
                        gboolean remember);

static FlViewClient *
client (FlgImagesPage *self)
{
  return flg_context_view (flg_page_context (FLG_PAGE (self)));
}

static void
place_clear (Place *place)
{
  g_free (place->path);
}

/* --- the picture --- */

typedef struct
{
  FlgImagesPage *page;
  guint64 serial;
} Asked;

static void
show_energy (FlgImagesPage *self, const FlViewImage *image)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (image->energy > 0)
    g_string_append_printf (text, _ ("energy %.1f eV\nwavelength %.4f Å\n"), image->energy,
                            image->wavelength);
  else
    g_string_append (text, _ ("energy not known\n"));
  if (image->camera_length > 0)
    g_string_append_printf (text, _ ("camera length %.2f mm\n"), image->camera_length);
  g_string_append_printf (text, _ ("pixel %.4g mm"), image->pixel_size);
  if (isfinite (image->saturation))
    g_string_append_printf (text, _ ("\nsaturated at %.0f"), image->saturation);
  if (*image->event)
    g_string_append_printf (text, _ ("\nevent %s"), image->event);
  gtk_label_set_label (self->facts, text->str);
}

/* From the percentiles of the whole shot: wide enough that noise stays dark, far below the few brightest spots, which
 * would leave the rest black. */
static void
suggest_range (FlgImagesPage *self, const FlViewImage *image)
{
  double low = image->percentiles[1], middle = image->percentiles[2];
  double high = middle + 4 * (image->percentiles[3] - middle);
  if (!isfinite (low) || !isfinite (high))
    return;
  high = MAX (high, low + 1);
  self->brightest = low + 6 * (high - low);
  flw_colour_map_suggest_range (flw_image_view_get_colour_map (self->view), low, high);
}

static void
on_image (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Asked *asked = data;
  g_autoptr (FlgImagesPage) self = asked->page;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewImage) image = fl_view_client_image_finish (FL_VIEW_CLIENT (source), result, &error);
  self->asked--;
  if (!self->view || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (!image)
    {
      flw_image_view_fail (self->view, asked->serial, error->message);
      return;
    }
  flw_image_view_set_geometry (self->view, image->wavelength, image->camera_length, image->pixel_size);
  suggest_range (self, image);
  show_energy (self, image);
  flw_image_view_deliver (self->view, asked->serial,
                          g_memdup2 (image->raster, (gsize) image->width * image->height * sizeof (float)));
}

static void
provide (FlwImageView *view, const FlwImageRequest *wanted, gpointer data)
{
  FlgImagesPage *self = data;
  FlViewImageRequest request = {
    .slot = SLOT,
    .source = { self->path, self->geometry, self->mask },
    .frame = self->frame,
    .rect = { wanted->x0, wanted->y0, wanted->x1, wanted->y1 },
    .reduce = wanted->nearest ? FL_VIEW_NEAREST : FL_VIEW_MAXIMUM,
    .width = wanted->width,
    .height = wanted->height,
  };
  Asked *asked = g_new (Asked, 1);
  *asked = (Asked){ g_object_ref (self), wanted->serial };
  self->asked++;
  fl_view_client_image_async (client (self), &request, self->cancellable, on_image, asked);
}

/* The few pixels of the brightest spots would squeeze all others into the first bins: they go into the last one. */
static void
show_histogram (FlgImagesPage *self)
{
  guint width, height;
  const float *raster = flw_image_view_get_raster (self->view, &width, &height);
  if (!raster)
    return;
  gsize n = (gsize) width * height;
  g_autofree float *values = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    values[i] = raster[i] > (float) self->brightest ? (float) self->brightest : raster[i];
  flw_colour_bar_set_values (self->bar, n, values);
}

static void
show_panels (FlgImagesPage *self, const FlViewSource *source)
{
  g_autofree FlwImagePanel *panels = g_new0 (FlwImagePanel, source->n_panels);
  for (guint i = 0; i < source->n_panels; i++)
    {
      const FlViewPanel *p = &source->panels[i];
      panels[i] =
          (FlwImagePanel){ p->name, p->x, p->y, p->fs_x, p->fs_y, p->ss_x, p->ss_y, p->n_fs, p->n_ss };
    }
  flw_image_view_set_panels (self->view, source->n_panels, panels);
  flw_image_view_set_extent (self->view, source->whole.x0, source->whole.y0, source->whole.x1,
                             source->whole.y1);
}

static void
set_frames (FlgImagesPage *self, guint32 frames)
{
  self->n_frames = frames;
  self->setting = TRUE;
  gtk_spin_button_set_range (self->frame_spin, 0, frames ? frames - 1 : 0);
  gtk_spin_button_set_value (self->frame_spin, self->frame);
  self->setting = FALSE;
  g_autofree char *count = flg_format_count (frames);
  g_autofree char *text = g_strdup_printf (_ ("of %s"), count);
  gtk_label_set_label (self->frames_label, text);
}

static void
on_source (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autofree Asked *asked = data;
  g_autoptr (FlgImagesPage) self = asked->page;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewSource) source = fl_view_client_source_finish (FL_VIEW_CLIENT (object), result, &error);
  self->asked--;
  if (!self->view || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (!source)
    {
      gboolean missing = g_error_matches (error, FL_ERROR, FL_ERROR_MISSING);
      g_autofree char *text =
          missing ? g_strdup_printf (_ ("The file is not here.\n%s"), self->path) : g_strdup (error->message);
      g_clear_pointer (&self->drawn_path, g_free);
      flw_image_view_set_provider (self->view, NULL, NULL, NULL);
      flw_image_view_set_empty_text (self->view, text);
      gtk_label_set_label (self->facts, "");
      set_frames (self, 0);
      return;
    }
  show_panels (self, source);
  set_frames (self, source->frames);
  gboolean had_picture = self->drawn_path != NULL;
  g_free (self->drawn_path);
  self->drawn_path = g_strdup (self->path);
  /* From file to file of one detector the zoom stays. */
  if (had_picture)
    flw_image_view_reload (self->view);
  else
    flw_image_view_set_provider (self->view, provide, self, NULL);
}

/* --- the spots --- */

static void
show_outcome (FlgImagesPage *self, const FlViewSpots *spots)
{
  static const char *const names[] = { N_ ("miss"), N_ ("indexed hit"), N_ ("hit"), N_ ("failed"),
                                       N_ ("set aside") };
  g_autoptr (GString) text = g_string_new (NULL);
  FlOutcome outcome = MIN (spots->outcome, FL_OUTCOME_SET_ASIDE);
  g_string_append_printf (text, "<b>%s</b>", _ (names[outcome]));
  g_string_append_printf (text, ngettext ("\n%u strong spot", "\n%u strong spots", spots->n_spots),
                          spots->n_spots);
  if (spots->resolution > 0)
    g_string_append_printf (text, _ ("\nto %.2f Å"), spots->resolution);
  if (spots->message && *spots->message)
    {
      g_autofree char *message = g_markup_escape_text (spots->message, -1);
      g_string_append_printf (text, "\n%s", message);
    }
  gtk_label_set_markup (self->outcome, text->str);
}

static void
on_spots (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autofree Asked *asked = data;
  g_autoptr (FlgImagesPage) self = asked->page;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewSpots) spots = fl_view_client_spots_finish (FL_VIEW_CLIENT (object), result, &error);
  self->asked--;
  if (!self->view || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (!spots)
    {
      gtk_label_set_label (self->outcome, g_error_matches (error, FL_ERROR, FL_ERROR_MISSING)
                                              ? _ ("not processed")
                                              : error->message);
      return;
    }
  g_autofree FlwImageSpot *shown = g_new0 (FlwImageSpot, spots->n_spots);
  for (guint i = 0; i < spots->n_spots; i++)
    shown[i] = (FlwImageSpot){ .x = spots->spots[i].x,
                               .y = spots->spots[i].y,
                               .radius = 4,
                               .d = spots->spots[i].d,
                               .intensity = spots->spots[i].intensity,
                               .shape = FLW_SPOT_CIRCLE };
  flw_image_view_set_spots (self->view, spots->n_spots, shown);
  show_outcome (self, spots);
}

static Asked *
ask (FlgImagesPage *self)
{
  Asked *asked = g_new0 (Asked, 1);
  asked->page = g_object_ref (self);
  self->asked++;
  return asked;
}

static void
ask_spots (FlgImagesPage *self)
{
  flw_image_view_set_spots (self->view, 0, NULL);
  gtk_label_set_label (self->outcome, _ ("not processed"));
  if (!*self->job_dir)
    return;
  FlViewSpotsRequest request = { self->job_dir, { self->path, self->geometry, self->mask }, self->frame };
  fl_view_client_spots_async (client (self), &request, self->cancellable, on_spots, ask (self));
}

/* --- which shot --- */

static void
set_detector (FlgImagesPage *self)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  const FlRun *run = flg_experiment_run (experiment, flg_chooser_get (self->runs));
  g_free (self->geometry);
  g_free (self->mask);
  g_free (self->job_dir);
  self->geometry = self->mask = NULL;
  if (run)
    flg_experiment_run_detector (experiment, run, &self->geometry, &self->mask);
  const FlJob *job = self->list ? flg_experiment_job (experiment, flg_shot_list_job (self->list)) : NULL;
  self->job_dir = job ? flg_experiment_job_folder (experiment, job) : NULL;
  if (!self->job_dir)
    self->job_dir = g_strdup ("");
}

static void
remember_place (FlgImagesPage *self)
{
  if (!self->path)
    return;
  Place place = { g_strdup (self->path), self->source, self->frame };
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

static void
show_place (FlgImagesPage *self, const char *path, guint32 source, guint32 frame, gboolean remember)
{
  if (!client (self))
    {
      flw_image_view_set_empty_text (self->view, _ ("Images are not available."));
      return;
    }
  if (remember)
    remember_place (self);
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  gboolean same_file = g_strcmp0 (path, self->drawn_path) == 0;
  if (path != self->path)
    {
      g_free (self->path);
      self->path = g_strdup (path);
    }
  self->source = source;
  self->frame = frame;
  set_detector (self);
  choose_file (self, source);
  if (same_file)
    {
      set_frames (self, self->n_frames);
      flw_image_view_reload (self->view);
    }
  else
    {
      FlViewSourceRequest request = { self->path, self->geometry, self->mask };
      fl_view_client_source_async (client (self), &request, self->cancellable, on_source, ask (self));
    }
  ask_spots (self);
}

static void
show_ref (FlgImagesPage *self, const FlgShotRef *ref)
{
  const char *path = self->list ? flg_shot_list_path (self->list, ref->source) : NULL;
  self->wanted = (FlgShotRef){ 0 };
  if (path)
    show_place (self, path, ref->source, ref->frame, TRUE);
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
show_hits (FlgImagesPage *self)
{
  guint hits = self->list ? flg_shot_list_hits (self->list) : 0;
  guint shots = self->list ? flg_shot_list_count (self->list) : 0;
  g_autofree char *text = shots ? g_strdup_printf (_ ("%u hits in %u processed shots"), hits, shots)
                                : g_strdup (_ ("no processed shots"));
  gtk_label_set_label (self->hits_label, text);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.next-hit", hits > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.previous-hit", hits > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.random", hits > 0);
}

/* The first thing to see of a run: its first hit, else its first frame. */
static void
show_first (FlgImagesPage *self)
{
  FlgShotRef ref;
  if (self->path || self->wanted.job)
    return;
  if (self->list && flg_shot_list_hit (self->list, 0, &ref))
    show_ref (self, &ref);
  else if ((!self->list || (flg_shot_list_is_idle (self->list) && flg_shot_list_n_files (self->list) > 0))
           && flg_chooser_get (self->files) != G_MININT64)
    {
      guint32 source = (guint32) flg_chooser_get (self->files);
      if (file_path (self, source))
        show_place (self, file_path (self, source), source, 0, FALSE);
    }
}

static void
on_list_changed (FlgImagesPage *self)
{
  fill_files (self);
  show_hits (self);
  if (self->wanted.job && self->list && flg_shot_list_path (self->list, self->wanted.source))
    {
      FlgShotRef ref = self->wanted;
      show_ref (self, &ref);
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
  self->asked--;
  if (!self->view || self->list)
    return;
  g_clear_pointer (&self->folder_files, g_ptr_array_unref);
  self->folder_files = files ? g_ptr_array_ref (files) : NULL;
  if (!files || files->len == 0)
    flw_image_view_set_empty_text (self->view,
                                   error ? error->message : _ ("There are no images in this run's folder."));
  on_list_changed (self);
}

/* Begins with a run: the shots of its best job, or the files in its folder. */
static void
enter_run (FlgImagesPage *self, gint64 job)
{
  FlgExperiment *experiment = EXPERIMENT (self);
  const FlRun *run = flg_experiment_run (experiment, flg_chooser_get (self->runs));
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->drawn_path, g_free);
  g_clear_pointer (&self->folder_files, g_ptr_array_unref);
  drop_list (self);
  self->job = job;
  flw_image_view_set_provider (self->view, NULL, NULL, NULL);
  flw_image_view_set_spots (self->view, 0, NULL);
  flw_image_view_set_empty_text (self->view, run || job ? _ ("Looking for images…") : _ ("Choose a run."));
  if (job)
    {
      self->list = flg_shot_list_new (experiment, job);
      g_signal_connect_object (self->list, "changed", G_CALLBACK (on_list_changed), self, G_CONNECT_SWAPPED);
    }
  else if (run)
    {
      g_autofree char *folder = flg_experiment_resolve (experiment, run->root, run->path);
      self->asked++;
      flg_folder_files (folder ? folder : run->path, on_folder, g_object_ref (self));
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
  if (path && g_strcmp0 (path, self->path) != 0)
    show_place (self, path, (guint32) chosen, 0, TRUE);
}

static void
on_frame_changed (FlgImagesPage *self)
{
  guint32 frame = (guint32) gtk_spin_button_get_value_as_int (self->frame_spin);
  if (!self->setting && self->path && frame != self->frame)
    show_place (self, self->path, self->source, frame, TRUE);
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
    show_ref (self, ref);
}

const char *
flg_images_page_shown (FlgImagesPage *self, guint32 *frame)
{
  if (frame)
    *frame = self->frame;
  return self->path;
}

/* --- actions --- */

static void
act_step_hit (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  FlgShotRef ref;
  int by = g_str_equal (action, "images.next-hit") ? 1 : -1;
  if (self->list && flg_shot_list_step (self->list, self->source, self->frame, by, TRUE, &ref))
    show_ref (self, &ref);
  else
    flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_NEUTRAL,
                     by > 0 ? _ ("This is the last hit.") : _ ("This is the first hit."), NULL, 3);
}

static void
act_random (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  FlgShotRef ref;
  guint hits = self->list ? flg_shot_list_hits (self->list) : 0;
  if (hits && flg_shot_list_hit (self->list, (guint) g_rand_int_range (self->random, 0, (gint32) hits), &ref))
    show_ref (self, &ref);
}

static void
act_back (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  if (self->history->len == 0)
    return;
  Place *last = &g_array_index (self->history, Place, self->history->len - 1);
  g_autofree char *path = g_strdup (last->path);
  guint32 source = last->source, frame = last->frame;
  g_array_set_size (self->history, self->history->len - 1);
  gtk_widget_action_set_enabled (widget, "images.back", self->history->len > 0);
  show_place (self, path, source, frame, FALSE);
}

static void
go (FlgImagesPage *self, gint64 frame)
{
  if (self->path && frame >= 0 && (self->n_frames == 0 || frame < (gint64) self->n_frames))
    show_place (self, self->path, self->source, (guint32) frame, TRUE);
}

static void
act_step_frame (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  go (self, (gint64) self->frame + (g_str_equal (action, "images.next-frame") ? 1 : -1));
}

static void
act_go (GtkWidget *widget, const char *action, GVariant *target)
{
  go (FLG_IMAGES_PAGE (widget), g_variant_get_uint32 (target));
}

static void
act_open (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  const char *path;
  guint32 frame;
  g_variant_get (target, "(&su)", &path, &frame);
  show_place (self, path, G_MAXUINT32, frame, TRUE);
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
  return self->asked == 0 && (!self->list || flg_shot_list_is_idle (self->list))
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

/* Before the view's own keys (P would toggle panels), not while a number is typed. */
static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state, FlgImagesPage *self)
{
  static const struct
  {
    guint key;
    const char *action;
  } keys[] = {
    { GDK_KEY_n, "images.next-hit" },           { GDK_KEY_p, "images.previous-hit" },
    { GDK_KEY_space, "images.random" },         { GDK_KEY_BackSpace, "images.back" },
    { GDK_KEY_Page_Down, "images.next-frame" }, { GDK_KEY_Page_Up, "images.previous-frame" },
  };
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (GTK_WIDGET (self)));
  if ((focus && (GTK_IS_TEXT (focus) || GTK_IS_BUTTON (focus)))
      || state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keys[i].key == key)
      return gtk_widget_activate_action (GTK_WIDGET (self), keys[i].action, NULL) || TRUE;
  return FALSE;
}

static void
flg_images_page_constructed (GObject *object)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (object);
  self->view = FLW_IMAGE_VIEW (flw_image_view_new ());
  gtk_widget_set_vexpand (GTK_WIDGET (self->view), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self->view), TRUE);
  gtk_box_append (self->view_slot, GTK_WIDGET (self->view));
  self->bar = FLW_COLOUR_BAR (flw_colour_bar_new (flw_image_view_get_colour_map (self->view)));
  gtk_widget_set_hexpand (GTK_WIDGET (self->bar), TRUE);
  gtk_box_append (self->bar_slot, GTK_WIDGET (self->bar));
  self->brightest = INFINITY;
  g_signal_connect_object (self->view, "raster-changed", G_CALLBACK (show_histogram), self,
                           G_CONNECT_SWAPPED);
  flw_image_view_set_empty_text (self->view, _ ("Choose a run."));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.back", FALSE);
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (on_key), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  g_signal_connect_object (self->runs, "chosen", G_CALLBACK (on_run_chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->files, "chosen", G_CALLBACK (on_file_chosen), self, G_CONNECT_SWAPPED);
  show_hits (self);
  G_OBJECT_CLASS (flg_images_page_parent_class)->constructed (object);
}

static void
flg_images_page_dispose (GObject *object)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (object);
  g_cancellable_cancel (self->cancellable);
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
  g_object_unref (self->cancellable);
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  g_free (self->job_dir);
  g_free (self->drawn_path);
  G_OBJECT_CLASS (flg_images_page_parent_class)->finalize (object);
}

static void
flg_images_page_class_init (FlgImagesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
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
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, hits_label);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgImagesPage, outcome);
  gtk_widget_class_bind_template_callback (widget_class, on_frame_changed);
  gtk_widget_class_install_action (widget_class, "images.next-hit", NULL, act_step_hit);
  gtk_widget_class_install_action (widget_class, "images.previous-hit", NULL, act_step_hit);
  gtk_widget_class_install_action (widget_class, "images.random", NULL, act_random);
  gtk_widget_class_install_action (widget_class, "images.back", NULL, act_back);
  gtk_widget_class_install_action (widget_class, "images.next-frame", NULL, act_step_frame);
  gtk_widget_class_install_action (widget_class, "images.previous-frame", NULL, act_step_frame);
  gtk_widget_class_install_action (widget_class, "images.go", "u", act_go);
  gtk_widget_class_install_action (widget_class, "images.open", "(su)", act_open);
}

static void
flg_images_page_init (FlgImagesPage *self)
{
  self->history = g_array_new (FALSE, FALSE, sizeof (Place));
  g_array_set_clear_func (self->history, (GDestroyNotify) place_clear);
  self->random = g_rand_new ();
  self->cancellable = g_cancellable_new ();
  self->geometry = g_strdup ("");
  self->mask = g_strdup ("");
  self->job_dir = g_strdup ("");
  gtk_widget_init_template (GTK_WIDGET (self));
}
