#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/shot-picture.h"

#include <glib/gi18n.h>

#include <math.h>

#include "engine/base/error.h"

#define SLOT 1 /* of image requests: a newer one overtakes */

struct _FlgShotPicture
{
  GObject parent_instance;
  FlViewClient *client;
  FlwImageView *view; /* NULL: closed */
  FlwColourBar *bar;
  GtkLabel *facts;
  double brightest; /* what the colour bar's histogram ends with */

  char *path, *geometry, *mask; /* shown; path NULL: none */
  char *calibration;
  guint32 frame, n_frames;
  char *drawn_path;  /* whose panels the view has */
  char *source_path; /* whose panels are awaited; NULL: none */
  GCancellable *cancellable, *of_source;
  FlwImageRequest wanted;   /* by the view, last; width 0: nothing yet */
  FlViewSourceRequest next; /* foreseen; path NULL: nothing */
  guint32 next_frame;
  guint asked; /* answers awaited */
};

enum
{
  FRAMES,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgShotPicture, flg_shot_picture, G_TYPE_OBJECT)

/* --- the picture --- */

typedef struct
{
  FlgShotPicture *picture;
  guint64 serial;
} Asked;

static Asked *
ask (FlgShotPicture *self, guint64 serial)
{
  Asked *asked = g_new (Asked, 1);
  *asked = (Asked){ g_object_ref (self), serial };
  self->asked++;
  return asked;
}

static void
show_energy (FlgShotPicture *self, const FlViewImage *image)
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
suggest_range (FlgShotPicture *self, const FlViewImage *image)
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
  g_autoptr (FlgShotPicture) self = asked->picture;
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

static FlViewImageRequest
request_of (const FlViewSourceRequest *source, guint32 frame, const FlwImageRequest *wanted)
{
  return (FlViewImageRequest){
    .slot = SLOT,
    .source = *source,
    .frame = frame,
    .rect = { wanted->x0, wanted->y0, wanted->x1, wanted->y1 },
    .reduce = wanted->nearest ? FL_VIEW_NEAREST : FL_VIEW_MAXIMUM,
    .width = wanted->width,
    .height = wanted->height,
  };
}

/* It will be wanted as the view is now. */
static void
foresee (FlgShotPicture *self)
{
  if (!self->client || !self->next.path || self->wanted.width == 0)
    return;
  FlViewImageRequest request = request_of (&self->next, self->next_frame, &self->wanted);
  fl_view_client_foresee_image (self->client, &request);
}

static void
provide (FlwImageView *view, const FlwImageRequest *wanted, gpointer data)
{
  FlgShotPicture *self = data;
  FlViewSourceRequest source = { self->path, self->geometry, self->mask, self->calibration };
  FlViewImageRequest request = request_of (&source, self->frame, wanted);
  self->wanted = *wanted;
  fl_view_client_image_async (self->client, &request, self->cancellable, on_image,
                              ask (self, wanted->serial));
  foresee (self);
}

/* The few pixels of the brightest spots would squeeze all others into the first bins: they go into the last one. */
static void
show_histogram (FlgShotPicture *self)
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
show_panels (FlgShotPicture *self, const FlViewSource *source)
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
set_frames (FlgShotPicture *self, guint32 frames)
{
  self->n_frames = frames;
  g_signal_emit (self, signals[FRAMES], 0);
}

static void
on_source (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autofree Asked *asked = data;
  g_autoptr (FlgShotPicture) self = asked->picture;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewSource) source = fl_view_client_source_finish (FL_VIEW_CLIENT (object), result, &error);
  self->asked--;
  if (!self->view || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_pointer (&self->source_path, g_free);
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
  /* From file to file of one detector the zoom stays, and the picture has been asked for already. */
  if (!had_picture)
    flw_image_view_set_provider (self->view, provide, self, NULL);
}

/* --- which shot --- */

static void
forget (GCancellable **cancellable)
{
  g_cancellable_cancel (*cancellable);
  g_object_unref (*cancellable);
  *cancellable = g_cancellable_new ();
}

static void
forget_source (FlgShotPicture *self)
{
  g_clear_pointer (&self->source_path, g_free);
  forget (&self->of_source);
}

static void
forget_asked (FlgShotPicture *self)
{
  forget_source (self);
  forget (&self->cancellable);
}

/* Whose frames and panels the view is to know; while they come the view has those of the file before. */
static void
ask_source (FlgShotPicture *self)
{
  if (g_strcmp0 (self->source_path, self->path) == 0)
    return;
  forget_source (self);
  self->source_path = g_strdup (self->path);
  FlViewSourceRequest request = { self->path, self->geometry, self->mask, self->calibration };
  fl_view_client_source_async (self->client, &request, self->of_source, on_source, ask (self, 0));
}

static void
set_text (char **text, const char *to)
{
  char *copy = g_strdup (to);
  g_free (*text);
  *text = copy;
}

void
flg_shot_picture_set_calibration (FlgShotPicture *self, const char *calibration)
{
  set_text (&self->calibration, calibration);
}

void
flg_shot_picture_show (FlgShotPicture *self, const char *path, const char *geometry, const char *mask,
                       guint32 frame)
{
  gboolean same_file = g_strcmp0 (path, self->drawn_path) == 0;
  if (!self->client)
    {
      flw_image_view_set_empty_text (self->view, _ ("Images are not available."));
      return;
    }
  set_text (&self->path, path);
  set_text (&self->geometry, geometry);
  set_text (&self->mask, mask);
  self->frame = frame;
  /* What is on its way of other shots is not forgotten: while somebody holds a key it is all that there is to see. */
  if (self->drawn_path)
    flw_image_view_reload (self->view);
  if (same_file)
    {
      forget_source (self);
      set_frames (self, self->n_frames);
    }
  else
    ask_source (self);
}

static void
forget_next (FlgShotPicture *self)
{
  g_free ((char *) self->next.path);
  g_free ((char *) self->next.geometry);
  g_free ((char *) self->next.mask);
  g_free ((char *) self->next.calibration);
  self->next = (FlViewSourceRequest){ NULL };
}

void
flg_shot_picture_foresee (FlgShotPicture *self, const char *path, const char *geometry, const char *mask,
                          guint32 frame)
{
  forget_next (self);
  self->next = (FlViewSourceRequest){ g_strdup (path), g_strdup (geometry), g_strdup (mask),
                                      g_strdup (self->calibration) };
  self->next_frame = frame;
  foresee (self);
}

void
flg_shot_picture_set_client (FlgShotPicture *self, FlViewClient *client)
{
  if (client == self->client)
    return;
  forget_asked (self);
  forget_next (self);
  g_set_object (&self->client, client);
  g_clear_pointer (&self->drawn_path, g_free); /* the same path is another file there */
}

void
flg_shot_picture_clear (FlgShotPicture *self, const char *text)
{
  forget_asked (self);
  forget_next (self);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->drawn_path, g_free);
  flw_image_view_set_provider (self->view, NULL, NULL, NULL);
  flw_image_view_set_empty_text (self->view, text);
}

const char *
flg_shot_picture_path (FlgShotPicture *self)
{
  return self->path;
}

guint32
flg_shot_picture_frame (FlgShotPicture *self)
{
  return self->frame;
}

guint32
flg_shot_picture_n_frames (FlgShotPicture *self)
{
  return self->n_frames;
}

gboolean
flg_shot_picture_is_idle (FlgShotPicture *self)
{
  return self->asked == 0;
}

/* --- object --- */

FlgShotPicture *
flg_shot_picture_new (FlViewClient *client, FlwImageView *view, FlwColourBar *bar, GtkLabel *facts)
{
  FlgShotPicture *self = g_object_new (FLG_TYPE_SHOT_PICTURE, NULL);
  self->client = client ? g_object_ref (client) : NULL;
  self->view = view;
  self->bar = bar;
  self->facts = facts;
  g_signal_connect_object (view, "raster-changed", G_CALLBACK (show_histogram), self, G_CONNECT_SWAPPED);
  return self;
}

void
flg_shot_picture_close (FlgShotPicture *self)
{
  g_cancellable_cancel (self->cancellable);
  g_cancellable_cancel (self->of_source);
  if (!self->view)
    return;
  g_signal_handlers_disconnect_by_data (self->view, self);
  flw_image_view_set_provider (self->view, NULL, NULL, NULL);
  self->view = NULL;
}

static void
flg_shot_picture_finalize (GObject *object)
{
  FlgShotPicture *self = FLG_SHOT_PICTURE (object);
  g_clear_object (&self->client);
  g_object_unref (self->cancellable);
  g_object_unref (self->of_source);
  g_free (self->source_path);
  forget_next (self);
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  g_free (self->calibration);
  g_free (self->drawn_path);
  G_OBJECT_CLASS (flg_shot_picture_parent_class)->finalize (object);
}

static void
flg_shot_picture_class_init (FlgShotPictureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_shot_picture_finalize;
  signals[FRAMES] = g_signal_new ("frames", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

static void
flg_shot_picture_init (FlgShotPicture *self)
{
  self->brightest = INFINITY;
  self->cancellable = g_cancellable_new ();
  self->of_source = g_cancellable_new ();
}
