#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/shot-list.h"

#include <string.h>

#include "engine/base/batch.h"
#include "gui/shot-feed.h"

typedef struct
{
  guint64 shot;
  gint64 attempt;
  guint32 source, frame;
  guint8 outcome;
} Entry;

typedef struct
{
  guint32 source;
  char *path;
} File;

struct _FlgShotList
{
  GObject parent_instance;
  FlgExperiment *experiment;
  gint64 job;
  FlgShotFeed *feed;
  GArray *entries; /* Entry, by (source, frame) */
  GArray *hits;    /* guint, indices of hits */
  guint counts[FLG_SHOTS_LAST];
  GArray *files;         /* File, by source */
  GHashTable *particles; /* FlgShotParticle by shot */
  GCancellable *cancellable;
  gboolean asking_files;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgShotList, flg_shot_list, G_TYPE_OBJECT)

static void
file_clear (File *file)
{
  g_free (file->path);
}

static int
compare_place (const Entry *entry, guint32 source, guint32 frame)
{
  if (entry->source != source)
    return entry->source < source ? -1 : 1;
  return entry->frame < frame ? -1 : entry->frame > frame;
}

/* Of a shot done twice the later attempt comes first. */
static int
by_place (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;
  int order = compare_place (x, y->source, y->frame);
  return order ? order : y->attempt < x->attempt ? -1 : y->attempt > x->attempt;
}

static gboolean
is_of (const Entry *entry, FlgShotKind kind)
{
  gboolean indexed = entry->outcome == FL_OUTCOME_INDEXED, unindexed = entry->outcome == FL_OUTCOME_HIT;
  return kind == FLG_SHOTS_INDEXED ? indexed : kind == FLG_SHOTS_UNINDEXED ? unindexed : indexed || unindexed;
}

static void
sort_entries (FlgShotList *self)
{
  g_array_sort (self->entries, by_place);
  guint kept = 0;
  g_array_set_size (self->hits, 0);
  memset (self->counts, 0, sizeof self->counts);
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry entry = g_array_index (self->entries, Entry, i);
      if (kept > 0
          && compare_place (&g_array_index (self->entries, Entry, kept - 1), entry.source, entry.frame) == 0)
        continue;
      if (is_of (&entry, FLG_SHOTS_HITS))
        g_array_append_val (self->hits, kept);
      for (FlgShotKind kind = FLG_SHOTS_HITS; kind < FLG_SHOTS_LAST; kind++)
        self->counts[kind] += is_of (&entry, kind);
      g_array_index (self->entries, Entry, kept++) = entry;
    }
  g_array_set_size (self->entries, kept);
}

static void
forget_attempt (FlgShotList *self, gint64 attempt)
{
  guint kept = 0;
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry entry = g_array_index (self->entries, Entry, i);
      if (entry.attempt != attempt)
        g_array_index (self->entries, Entry, kept++) = entry;
    }
  g_array_set_size (self->entries, kept);
}

static void ask_files (FlgShotList *self);

static void
on_blocks (FlgShotList *self, GPtrArray *blocks)
{
  gboolean unknown = FALSE;
  for (guint i = 0; i < blocks->len; i++)
    {
      const FlShotBlock *block = blocks->pdata[i];
      if (block->replaces)
        forget_attempt (self, block->attempt);
      for (guint k = 0; k < block->n; k++)
        {
          Entry entry = { block->id[k], block->attempt, block->source[k], block->frame[k],
                          block->outcome[k] };
          g_array_append_val (self->entries, entry);
          unknown = unknown || (entry.source >= self->files->len && !flg_shot_list_path (self, entry.source));
        }
    }
  sort_entries (self);
  if (unknown)
    ask_files (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
on_particles (FlgShotList *self, GPtrArray *blocks)
{
  for (guint i = 0; i < blocks->len; i++)
    {
      const FlParticleBlock *block = blocks->pdata[i];
      for (guint k = 0; k < block->n; k++)
        {
          FlgShotParticle particle = { block->class[k], block -> photons[k], block -> background[k],
                                       block -> diameter[k] };
          g_hash_table_insert (self->particles, g_memdup2 (&block->shot[k], sizeof block->shot[k]),
                               g_memdup2 (&particle, sizeof particle));
        }
    }
}

/* `data`: the job. GArray of File. */
static gpointer
read_files (FlStore *store, gpointer data, GError **error)
{
  g_autoptr (GPtrArray) slices = fl_store_slices (store, FL_KIND_SOURCE, *(gint64 *) data, 0, 0, error);
  if (!slices)
    return NULL;
  GArray *files = g_array_new (FALSE, FALSE, sizeof (File));
  g_array_set_clear_func (files, (GDestroyNotify) file_clear);
  for (guint i = 0; i < slices->len; i++)
    {
      GBytes *packed = ((FlSlice *) slices->pdata[i])->packed;
      g_autoptr (FlBatch) batch =
          fl_batch_decode (g_bytes_get_data (packed, NULL), g_bytes_get_size (packed), NULL);
      for (guint row = 0; batch && row < fl_batch_rows (batch); row++)
        {
          FlSourceRow source;
          fl_batch_row (batch, row, &source);
          File file = { source.source, g_strdup (source.path ? source.path : "") };
          g_array_append_val (files, file);
        }
    }
  return files;
}

/* The path that the engine was given, as it is at the job's site; here: in this folder, for a copied experiment brings its
 * runs along, or misses them. */
static char *
relocate (FlgShotList *self, const char *path)
{
  const FlJob *job = flg_experiment_job (self->experiment, self->job);
  const FlRun *run = job ? flg_experiment_run (self->experiment, job->run) : NULL;
  gint64 site = job ? flg_experiment_job_site (self->experiment, job) : 0;
  g_autofree char *home =
      run ? flg_experiment_resolve_at (self->experiment, site, run->root, run->path) : NULL;
  if (!home || g_str_has_prefix (path, home))
    return g_strdup (path);
  g_autofree char *inner = g_strdup_printf ("/%s/", run->path);
  const char *within = *run->path ? strstr (path, inner) : NULL;
  if (within)
    return g_build_filename (home, within + strlen (inner), NULL);
  return g_str_has_suffix (path, run->path) ? g_steal_pointer (&home) : g_strdup (path);
}

static int
by_source (gconstpointer a, gconstpointer b)
{
  guint32 x = ((const File *) a)->source, y = ((const File *) b)->source;
  return x < y ? -1 : x > y;
}

static void
on_files (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgShotList) self = data;
  g_autoptr (GArray) files = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, NULL);
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->asking_files = FALSE;
  if (!files)
    return;
  g_array_sort (files, by_source);
  g_array_set_size (self->files, 0);
  for (guint i = 0; i < files->len; i++)
    {
      File *file = &g_array_index (files, File, i);
      if (i > 0 && g_array_index (files, File, i - 1).source == file->source)
        continue;
      File kept = { file->source, relocate (self, file->path) };
      g_array_append_val (self->files, kept);
    }
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
ask_files (FlgShotList *self)
{
  if (self->asking_files)
    return;
  self->asking_files = TRUE;
  flg_store_thread_run_async (
      flg_experiment_store (self->experiment), read_files, g_memdup2 (&self->job, sizeof self->job), g_free,
      (GDestroyNotify) g_array_unref, self->cancellable, on_files, g_object_ref (self));
}

static void
on_changed (FlgShotList *self, guint what)
{
  if (what & FLG_CHANGED_BACK)
    ask_files (self);
}

static void
flg_shot_list_finalize (GObject *object)
{
  FlgShotList *self = FLG_SHOT_LIST (object);
  g_object_unref (self->feed);
  g_object_unref (self->experiment);
  g_object_unref (self->cancellable);
  g_array_unref (self->entries);
  g_array_unref (self->hits);
  g_array_unref (self->files);
  g_hash_table_unref (self->particles);
  G_OBJECT_CLASS (flg_shot_list_parent_class)->finalize (object);
}

static void
flg_shot_list_class_init (FlgShotListClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_shot_list_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_shot_list_init (FlgShotList *self)
{
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->hits = g_array_new (FALSE, FALSE, sizeof (guint));
  self->files = g_array_new (FALSE, FALSE, sizeof (File));
  g_array_set_clear_func (self->files, (GDestroyNotify) file_clear);
  self->particles = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->cancellable = g_cancellable_new ();
}

FlgShotList *
flg_shot_list_new (FlgExperiment *experiment, gint64 job)
{
  FlgShotList *self = g_object_new (FLG_TYPE_SHOT_LIST, NULL);
  self->experiment = g_object_ref (experiment);
  self->job = job;
  self->feed = flg_shot_feed_new_with_particles (
      experiment, job, FL_SHOT_ID | FL_SHOT_SOURCE | FL_SHOT_FRAME | FL_SHOT_OUTCOME);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->feed, "particles", G_CALLBACK (on_particles), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->feed, "blocks", G_CALLBACK (on_blocks), self, G_CONNECT_SWAPPED);
  ask_files (self);
  return self;
}

void
flg_shot_list_stop (FlgShotList *self)
{
  g_cancellable_cancel (self->cancellable);
  flg_shot_feed_stop (self->feed);
}

gboolean
flg_shot_list_is_idle (FlgShotList *self)
{
  return !self->asking_files && flg_shot_feed_is_idle (self->feed);
}

guint
flg_shot_list_of_kind (FlgShotList *self, FlgShotKind kind)
{
  return self->counts[kind];
}

static gboolean
give (FlgShotList *self, guint index, FlgShotRef *ref)
{
  const Entry *entry = &g_array_index (self->entries, Entry, index);
  *ref = (FlgShotRef){ self->job, entry->attempt, entry->shot, entry->source, entry->frame };
  return TRUE;
}

/* Index of the first entry at or after the place. */
static guint
lower_bound (FlgShotList *self, guint32 source, guint32 frame)
{
  guint low = 0, high = self->entries->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (compare_place (&g_array_index (self->entries, Entry, middle), source, frame) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

gboolean
flg_shot_list_step (FlgShotList *self, guint32 source, guint32 frame, int by, FlgShotKind kind,
                    FlgShotRef *ref)
{
  int n = (int) self->entries->len;
  int i = (int) lower_bound (self, source, frame);
  gboolean here = i < n && compare_place (&g_array_index (self->entries, Entry, i), source, frame) == 0;
  for (i = by > 0 ? i + here : i - 1; i >= 0 && i<n; i += by> 0 ? 1 : -1)
    if (is_of (&g_array_index (self->entries, Entry, i), kind))
      return give (self, (guint) i, ref);
  return FALSE;
}

gboolean
flg_shot_list_hit (FlgShotList *self, guint n, FlgShotRef *ref)
{
  return n < self->hits->len && give (self, g_array_index (self->hits, guint, n), ref);
}

gboolean
flg_shot_list_find (FlgShotList *self, guint32 source, guint32 frame, FlgShotRef *ref)
{
  guint i = lower_bound (self, source, frame);
  return i < self->entries->len
         && compare_place (&g_array_index (self->entries, Entry, i), source, frame) == 0
         && give (self, i, ref);
}

const FlgShotParticle *
flg_shot_list_particle (FlgShotList *self, guint32 source, guint32 frame)
{
  FlgShotRef ref;
  return flg_shot_list_find (self, source, frame, &ref) ? g_hash_table_lookup (self->particles, &ref.shot)
                                                        : NULL;
}

guint
flg_shot_list_n_files (FlgShotList *self)
{
  return self->files->len;
}

const char *
flg_shot_list_file (FlgShotList *self, guint n, guint32 *source)
{
  const File *file = &g_array_index (self->files, File, n);
  *source = file->source;
  return file->path;
}

const char *
flg_shot_list_path (FlgShotList *self, guint32 source)
{
  for (guint i = 0; i < self->files->len; i++)
    if (g_array_index (self->files, File, i).source == source)
      return g_array_index (self->files, File, i).path;
  return NULL;
}

gboolean
flg_shot_list_source (FlgShotList *self, const char *path, guint32 *source)
{
  for (guint i = 0; i < self->files->len; i++)
    if (g_strcmp0 (g_array_index (self->files, File, i).path, path) == 0)
      {
        *source = g_array_index (self->files, File, i).source;
        return TRUE;
      }
  return FALSE;
}
