#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/volume-cache.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/text.h"

#define KEPT      12
#define MOST_HERE (32u << 20) /* voxels */
#define MOST_FAR  (2u << 20)

/* A file, wanted once. */
typedef struct
{
  char *path;
  gint64 site;
  const char *unit;
  FlwDensityVolume *volume;
  char *problem;
  gboolean asked;
} Entry;

struct _FlgVolumeCache
{
  GObject parent_instance;
  FlgContext *context;
  GPtrArray *entries; /* atomic boxes of Entry, the last used first */
  GCancellable *cancellable;
  guint asked;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgVolumeCache, flg_volume_cache, G_TYPE_OBJECT)

static void
entry_clear (gpointer data)
{
  Entry *entry = data;
  g_free (entry->path);
  g_free (entry->problem);
  g_clear_pointer (&entry->volume, flw_density_volume_unref);
}

static void
entry_unref (gpointer entry)
{
  g_atomic_rc_box_release_full (entry, entry_clear);
}

/* --- asking --- */

typedef struct
{
  FlgVolumeCache *cache;
  Entry *entry;
  FlViewMap *map;
} Asked;

static void
asked_free (gpointer data)
{
  Asked *asked = data;
  g_clear_pointer (&asked->map, fl_view_map_free);
  g_object_unref (asked->cache);
  entry_unref (asked->entry);
  g_free (asked);
}

/* Takes the error. */
static void
answered (Asked *asked, FlwDensityVolume *volume, GError *error)
{
  FlgVolumeCache *self = asked->cache;
  self->asked--;
  asked->entry->asked = FALSE;
  asked->entry->volume = volume;
  if (error)
    asked->entry->problem = flg_text_bounded (error->message, 300);
  g_clear_error (&error);
  if (!g_cancellable_is_cancelled (self->cancellable))
    g_signal_emit (self, signals[CHANGED], 0);
}

FlwDensityVolume *
flg_volume_of_map (const FlViewMap *map, const char *unit, GError **error)
{
  FlwDensityGrid grid = {
    .n = { map->n[0], map->n[1], map->n[2] },
    .periodic = map->periodic,
    .mean = map->mean,
    .sigma = map->sigma,
    .unit = *unit ? unit : NULL,
  };
  memcpy (grid.step, map->step, sizeof grid.step);
  memcpy (grid.origin, map->corner, sizeof grid.origin);
  return flw_density_volume_new (&grid, g_memdup2 (map->values, fl_view_map_points (map) * sizeof (float)),
                                 error);
}

/* In a thread of its own: what rays need to know of millions of voxels takes a while. */
static void
make_volume (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Asked *asked = data;
  GError *error = NULL;
  FlwDensityVolume *volume = flg_volume_of_map (asked->map, asked->entry->unit, &error);
  if (volume)
    g_task_return_pointer (task, volume, (GDestroyNotify) flw_density_volume_unref);
  else
    g_task_return_error (task, error);
}

static void
on_volume (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  FlwDensityVolume *volume = g_task_propagate_pointer (G_TASK (result), &error);
  answered (g_task_get_task_data (G_TASK (result)), volume, error);
}

static void
on_map (GObject *client, GAsyncResult *result, gpointer data)
{
  Asked *asked = data;
  GError *error = NULL;
  asked->map = fl_view_client_map_finish (FL_VIEW_CLIENT (client), result, &error);
  if (!asked->map)
    {
      answered (asked, NULL, error);
      asked_free (asked);
      return;
    }
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_volume, NULL);
  g_task_set_task_data (task, asked, asked_free);
  g_task_run_in_thread (task, make_volume);
}

static void
ask (FlgVolumeCache *self, Entry *entry)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  FlViewClient *client = flg_context_view_for_site (self->context, entry->site);
  gboolean far = flg_experiment_site_is_far (experiment, entry->site) || flg_experiment_is_copy (experiment);
  if (!client)
    {
      entry->problem = g_strdup (_ ("There is no link to the machine that has the density."));
      return;
    }
  FlViewMapRequest request = { .path = entry->path, .most = far ? MOST_FAR : MOST_HERE };
  Asked *asked = g_new0 (Asked, 1);
  *asked = (Asked){ g_object_ref (self), g_atomic_rc_box_acquire (entry), NULL };
  entry->asked = TRUE;
  self->asked++;
  fl_view_client_map_async (client, &request, self->cancellable, on_map, asked);
}

/* --- what is here --- */

static Entry *
find (FlgVolumeCache *self, gint64 site, const char *path)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry *entry = self->entries->pdata[i];
      if (entry->site != site || strcmp (entry->path, path) != 0)
        continue;
      g_ptr_array_steal_index (self->entries, i);
      g_ptr_array_insert (self->entries, 0, entry);
      return entry;
    }
  return NULL;
}

FlwDensityVolume *
flg_volume_cache_get (FlgVolumeCache *self, gint64 site, const char *path, const char *unit,
                      const char **problem)
{
  if (problem)
    *problem = NULL;
  if (!path)
    {
      if (problem)
        *problem = _ ("It is not known where the job's folder is.");
      return NULL;
    }
  Entry *entry = find (self, site, path);
  if (!entry)
    {
      entry = g_atomic_rc_box_new0 (Entry);
      *entry = (Entry){ .path = g_strdup (path), .site = site, .unit = unit };
      g_ptr_array_insert (self->entries, 0, entry);
      if (self->entries->len > KEPT)
        g_ptr_array_set_size (self->entries, KEPT);
      ask (self, entry);
    }
  if (problem)
    *problem = entry->problem;
  return entry->volume;
}

void
flg_volume_cache_forget_problems (FlgVolumeCache *self)
{
  for (guint i = self->entries->len; i > 0; i--)
    if (((Entry *) self->entries->pdata[i - 1])->problem)
      g_ptr_array_remove_index (self->entries, i - 1);
}

gboolean
flg_volume_cache_is_idle (FlgVolumeCache *self)
{
  return self->asked == 0;
}

void
flg_volume_cache_stop (FlgVolumeCache *self)
{
  g_cancellable_cancel (self->cancellable);
}

static void
flg_volume_cache_finalize (GObject *object)
{
  FlgVolumeCache *self = FLG_VOLUME_CACHE (object);
  g_ptr_array_unref (self->entries);
  g_object_unref (self->cancellable);
  g_object_unref (self->context);
  G_OBJECT_CLASS (flg_volume_cache_parent_class)->finalize (object);
}

static void
flg_volume_cache_class_init (FlgVolumeCacheClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_volume_cache_finalize;
  signals[CHANGED] =
      g_signal_new ("changed", FLG_TYPE_VOLUME_CACHE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_volume_cache_init (FlgVolumeCache *self)
{
  self->entries = g_ptr_array_new_with_free_func (entry_unref);
  self->cancellable = g_cancellable_new ();
}

FlgVolumeCache *
flg_volume_cache_new (FlgContext *context)
{
  FlgVolumeCache *self = g_object_new (FLG_TYPE_VOLUME_CACHE, NULL);
  self->context = g_object_ref (context);
  return self;
}
