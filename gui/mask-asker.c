#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/mask-asker.h"

#include <string.h>

struct _FlgMaskAsker
{
  GObject parent_instance;
  FlwImageView *view; /* NULL: closed */
  FlViewClient *client;
  char *path, *geometry, *mask, *calibration;
  GStrv files;
  char *rules;        /* NULL: the mask's own */
  gboolean on;        /* asks */
  FlwImageRequest of; /* what was asked for last; width 0: no picture */
  gboolean again;     /* the view shows something else meanwhile */
  GCancellable *cancellable;
  guint asked; /* answers awaited, those that are no longer wanted too */
  gboolean awaited;
  FlViewMask *answer;
};

enum
{
  ANSWERED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgMaskAsker, flg_mask_asker, G_TYPE_OBJECT)

static void ask (FlgMaskAsker *self);

static FlViewMaskRequest
request_of (FlgMaskAsker *self)
{
  return (FlViewMaskRequest){ .source = { self->path, self->geometry, self->mask, self->calibration },
                              .files = (const char *const *) self->files,
                              .keep = self->rules == NULL,
                              .rules = self->rules };
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgMaskAsker) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewMask) answer = fl_view_client_mask_finish (FL_VIEW_CLIENT (source), result, &error);
  self->asked--;
  if (!self->view || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->awaited = FALSE;
  if (answer)
    {
      g_clear_pointer (&self->answer, fl_view_mask_unref);
      self->answer = fl_view_mask_ref (answer);
      if (answer->measured < answer->shots)
        self->again = TRUE;
      else if (answer->width)
        flw_image_view_set_shade (self->view, &self->of,
                                  g_memdup2 (answer->shade, (gsize) answer->width * answer->height));
    }
  if (self->again)
    ask (self);
  g_signal_emit (self, signals[ANSWERED], 0, error);
}

static void
ask (FlgMaskAsker *self)
{
  if (!self->on || !self->path || !self->client)
    return;
  self->again = FALSE;
  self->awaited = TRUE;
  self->asked++;
  FlViewMaskRequest request = request_of (self);
  self->of = (FlwImageRequest){ 0 };
  if (flw_image_view_get_shown (self->view, &self->of))
    {
      request.rect = (FlViewRect){ self->of.x0, self->of.y0, self->of.x1, self->of.y1 };
      request.width = self->of.width;
      request.height = self->of.height;
    }
  fl_view_client_mask_async (self->client, &request, self->cancellable, on_answer, g_object_ref (self));
}

/* The newest question counts. */
static void
ask_anew (FlgMaskAsker *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  ask (self);
}

static void
on_raster (FlgMaskAsker *self)
{
  FlwImageRequest now;
  if (!self->on || !flw_image_view_get_shown (self->view, &now))
    return;
  now.serial = self->of.serial;
  now.nearest = self->of.nearest;
  if (now.x0 == self->of.x0 && now.y0 == self->of.y0 && now.x1 == self->of.x1 && now.y1 == self->of.y1
      && now.width == self->of.width && now.height == self->of.height)
    return;
  if (self->awaited)
    self->again = TRUE;
  else
    ask (self);
}

void
flg_mask_asker_set_shot (FlgMaskAsker *self, FlViewClient *client, const char *path, const char *geometry,
                         const char *mask, const char *calibration, const char *const *files)
{
  g_set_object (&self->client, client);
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  g_free (self->calibration);
  g_strfreev (self->files);
  self->path = g_strdup (path);
  self->geometry = g_strdup (geometry);
  self->mask = g_strdup (mask);
  self->calibration = g_strdup (calibration);
  self->files = g_strdupv ((char **) files);
}

void
flg_mask_asker_set_rules (FlgMaskAsker *self, const char *rules)
{
  char *copy = g_strdup (rules);
  g_free (self->rules);
  self->rules = copy;
  self->on = TRUE;
  ask_anew (self);
}

void
flg_mask_asker_stop (FlgMaskAsker *self)
{
  self->on = self->again = self->awaited = FALSE;
  g_cancellable_cancel (self->cancellable);
  g_clear_pointer (&self->answer, fl_view_mask_unref);
  if (self->view)
    flw_image_view_set_shade (self->view, NULL, NULL);
}

const FlViewMask *
flg_mask_asker_answer (FlgMaskAsker *self)
{
  return self->answer;
}

gboolean
flg_mask_asker_is_idle (FlgMaskAsker *self)
{
  return self->asked == 0;
}

/* --- the file --- */

static void
on_file (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  FlgMaskAsker *self = g_task_get_source_object (task);
  GError *error = NULL;
  g_autoptr (FlViewMask) mask = fl_view_client_mask_finish (FL_VIEW_CLIENT (source), result, &error);
  self->asked--;
  if (!mask)
    g_task_return_error (task, error);
  else if (mask->measured < mask->shots)
    flg_mask_asker_file_async (self, NULL, g_steal_pointer (&task));
  else
    g_task_return_pointer (task, g_bytes_ref (mask->file), (GDestroyNotify) g_bytes_unref);
}

/* `callback` NULL: `data` is the task of one that is not finished. */
void
flg_mask_asker_file_async (FlgMaskAsker *self, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = callback ? g_task_new (self, NULL, callback, data) : data;
  FlViewMaskRequest request = request_of (self);
  request.file = TRUE;
  self->asked++;
  fl_view_client_mask_async (self->client, &request, NULL, on_file, task);
}

GBytes *
flg_mask_asker_file_finish (FlgMaskAsker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- object --- */

FlgMaskAsker *
flg_mask_asker_new (FlwImageView *view)
{
  FlgMaskAsker *self = g_object_new (FLG_TYPE_MASK_ASKER, NULL);
  self->view = view;
  g_signal_connect_object (view, "raster-changed", G_CALLBACK (on_raster), self, G_CONNECT_SWAPPED);
  return self;
}

void
flg_mask_asker_close (FlgMaskAsker *self)
{
  flg_mask_asker_stop (self);
  if (self->view)
    g_signal_handlers_disconnect_by_data (self->view, self);
  self->view = NULL;
}

static void
flg_mask_asker_finalize (GObject *object)
{
  FlgMaskAsker *self = FLG_MASK_ASKER (object);
  g_clear_object (&self->client);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->answer, fl_view_mask_unref);
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  g_free (self->calibration);
  g_free (self->rules);
  g_strfreev (self->files);
  G_OBJECT_CLASS (flg_mask_asker_parent_class)->finalize (object);
}

static void
flg_mask_asker_class_init (FlgMaskAskerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_mask_asker_finalize;
  signals[ANSWERED] = g_signal_new ("answered", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
flg_mask_asker_init (FlgMaskAsker *self)
{
  self->cancellable = g_cancellable_new ();
}
