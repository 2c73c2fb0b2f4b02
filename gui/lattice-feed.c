#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/lattice-feed.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/shots.h"

/* Slices of one job in one portion: a few hundred lattices each. */
#define PORTION 200

/* How far a job has been read. */
typedef struct
{
  gint64 job, run;
  gint64 first;                  /* its first attempt; 0: it has only one */
  gint64 lattices, cells, shots; /* cursors */
  gint64 counted;                /* shots when we last asked */
  guint64 last;
  gboolean wanted;
} Cursor;

struct _FlgLatticeFeed
{
  GObject parent_instance;
  FlgExperiment *experiment;
  GArray *cursors; /* Cursor */
  GCancellable *cancellable;
  gboolean asking, missed; /* missed: something could not be read */
};

enum
{
  ARRIVED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgLatticeFeed, flg_lattice_feed, G_TYPE_OBJECT)

/* What goes to the store's thread and comes back. */
typedef struct
{
  GArray *cursors;
  FlgLatticeNews news;
} Portion;

void
flg_redone_free (FlgRedone *redone)
{
  if (!redone)
    return;
  g_free (redone->shots);
  g_free (redone);
}

static void
portion_free (Portion *portion)
{
  g_array_unref (portion->cursors);
  g_ptr_array_unref (portion->news.blocks);
  g_array_unref (portion->news.cells);
  g_ptr_array_unref (portion->news.redone);
  g_free (portion);
}

/* --- in the store's thread --- */

static guint8
series_of (guint8 centring)
{
  switch (centring)
    {
    case 'I':
      return 1;
    case 'F':
      return 2;
    case 'A':
    case 'B':
    case 'C':
      return 3;
    case 'R':
      return 4;
    default:
      return 0;
    }
}

static FlgLatticeBlock *
block_of (const FlSlice *slice, const FlBatch *batch)
{
  guint n = fl_batch_rows (batch);
  FlgLatticeBlock *block = g_new (FlgLatticeBlock, 1);
  *block = (FlgLatticeBlock){ slice->job,         slice->attempt,
                              slice->run,         n,
                              g_new (guint64, n), g_malloc_n (n, sizeof *block->cell),
                              g_new (guint8, n),  g_new (guint16, n) };
  for (guint i = 0; i < n; i++)
    {
      FlLatticeRow row;
      fl_batch_row (batch, i, &row);
      block->shot[i] = row.shot;
      block->series[i] = series_of (row.centring);
      block->group[i] = row.space_group;
      for (guint p = 0; p < 6; p++)
        block->cell[i][p] = p < 3 ? row.cell[p] : (float) ((double) row.cell[p] * 180 / G_PI);
    }
  return block;
}

/* Slices of a kind after *cursor, each handed to `take`. FALSE with error; *all: there are no more. */
static gboolean
read_kind (FlStore *store, FlKind kind, gint64 job, gint64 *cursor, gboolean *all,
           void (*take) (const FlSlice *slice, const FlBatch *batch, FlgLatticeNews *news),
           FlgLatticeNews *news, GError **error)
{
  g_autoptr (GPtrArray) slices = fl_store_slices (store, kind, job, *cursor, PORTION, error);
  if (!slices)
    return FALSE;
  for (guint i = 0; i < slices->len; i++)
    {
      const FlSlice *slice = slices->pdata[i];
      g_autoptr (FlBatch) batch =
          fl_batch_decode (g_bytes_get_data (slice->packed, NULL), g_bytes_get_size (slice->packed), NULL);
      if (batch)
        take (slice, batch, news);
      *cursor = slice->row;
    }
  *all = slices->len < PORTION;
  return TRUE;
}

static void
take_lattices (const FlSlice *slice, const FlBatch *batch, FlgLatticeNews *news)
{
  g_ptr_array_add (news->blocks, block_of (slice, batch));
}

static void
take_cells (const FlSlice *slice, const FlBatch *batch, FlgLatticeNews *news)
{
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    {
      FlgProposedCell cell = { slice->job, slice->attempt, { 0 } };
      fl_batch_row (batch, i, &cell.row);
      g_array_append_val (news->cells, cell);
    }
}

static gboolean
read_redone (FlStore *store, Cursor *cursor, FlgLatticeNews *news, GError **error)
{
  g_autoptr (GPtrArray) blocks = fl_store_shots (store, cursor->job, FL_SHOT_ID, 0, &cursor->shots, error);
  for (guint i = 0; blocks && i < blocks->len; i++)
    {
      FlShotBlock *block = blocks->pdata[i];
      if (block->attempt == cursor->first)
        continue;
      FlgRedone redone = { block->job, block->attempt, block->n, g_steal_pointer (&block->id) };
      g_ptr_array_add (news->redone, g_memdup2 (&redone, sizeof redone));
    }
  return blocks != NULL;
}

static gpointer
read_portion (FlStore *store, gpointer data, GError **error)
{
  Portion *portion = g_new (Portion, 1);
  *portion = (Portion){ g_array_copy (data),
                        { g_ptr_array_new_with_free_func ((GDestroyNotify) flg_lattice_block_free),
                          g_array_new (FALSE, FALSE, sizeof (FlgProposedCell)),
                          g_ptr_array_new_with_free_func ((GDestroyNotify) flg_redone_free) } };
  for (guint i = 0; i < portion->cursors->len && portion->news.blocks->len < PORTION; i++)
    {
      Cursor *cursor = &g_array_index (portion->cursors, Cursor, i);
      gboolean all_lattices, all_cells;
      if (!cursor->wanted)
        continue;
      /* The shots first: a lattice whose shot is done again afterwards comes later too. */
      if ((cursor->first && !read_redone (store, cursor, &portion->news, error))
          || !read_kind (store, FL_KIND_LATTICE, cursor->job, &cursor->lattices, &all_lattices, take_lattices,
                         &portion->news, error)
          || !read_kind (store, FL_KIND_CELL, cursor->job, &cursor->cells, &all_cells, take_cells,
                         &portion->news, error))
        {
          portion_free (portion);
          return NULL;
        }
      cursor->wanted = !all_lattices || !all_cells;
    }
  return portion;
}

/* --- on the main loop --- */

static void ask (FlgLatticeFeed *self);

static Cursor *
cursor_of (FlgLatticeFeed *self, gint64 job)
{
  for (guint i = 0; i < self->cursors->len; i++)
    if (g_array_index (self->cursors, Cursor, i).job == job)
      return &g_array_index (self->cursors, Cursor, i);
  return NULL;
}

static void
on_portion (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgLatticeFeed) self = data;
  g_autoptr (GError) error = NULL;
  Portion *portion = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  self->asking = FALSE;
  if (!portion)
    {
      if (flg_store_thread_is_told (error))
        g_warning ("lattices: %s", error->message);
      self->missed = TRUE;
      return;
    }
  for (guint i = 0; i < portion->cursors->len; i++)
    {
      const Cursor *read = &g_array_index (portion->cursors, Cursor, i);
      Cursor *cursor = cursor_of (self, read->job);
      cursor->lattices = read->lattices;
      cursor->cells = read->cells;
      cursor->wanted |= read->wanted;
      if (read->first == cursor->first)
        cursor->shots = read->shots;
    }
  if (!g_cancellable_is_cancelled (self->cancellable))
    g_signal_emit (self, signals[ARRIVED], 0, &portion->news);
  portion_free (portion);
  ask (self);
}

static void
ask (FlgLatticeFeed *self)
{
  gboolean wanted = FALSE;
  if (self->asking || g_cancellable_is_cancelled (self->cancellable))
    return;
  for (guint i = 0; i < self->cursors->len; i++)
    wanted |= g_array_index (self->cursors, Cursor, i).wanted;
  if (!wanted)
    return;
  self->asking = TRUE;
  GArray *cursors = g_array_copy (self->cursors);
  for (guint i = 0; i < self->cursors->len; i++)
    g_array_index (self->cursors, Cursor, i).wanted = FALSE;
  flg_store_thread_run_async (flg_experiment_store (self->experiment), read_portion, cursors,
                              (GDestroyNotify) g_array_unref, (GDestroyNotify) portion_free,
                              self->cancellable, on_portion, g_object_ref (self));
}

/* The first of several attempts; 0: there are not several. */
static gint64
first_of_several (FlgExperiment *experiment, gint64 job)
{
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (experiment, job);
  return attempts->len > 1 ? flg_record_id (attempts->pdata[0]) : 0;
}

static void
on_changed (FlgLatticeFeed *self, guint what)
{
  gboolean again = self->missed && (what & FLG_CHANGED_BACK);
  self->missed &= !again;
  for (guint i = 0; i < self->cursors->len; i++)
    {
      Cursor *cursor = &g_array_index (self->cursors, Cursor, i);
      const FlJobStats *stats = flg_experiment_job_stats (self->experiment, cursor->job);
      const FlJob *job = flg_experiment_job (self->experiment, cursor->job);
      gint64 first = job && job->attempts > 1 && !cursor->first
                         ? first_of_several (self->experiment, cursor->job)
                         : cursor->first;
      gint64 counted = stats ? stats->shots : 0;
      guint64 last = stats ? stats->last : 0;
      /* A running job's learning pass tells its cells before its first shot. */
      cursor->wanted |= again || counted != cursor->counted || last != cursor->last || first != cursor->first
                        || (job && !fl_job_state_is_final (job->state));
      cursor->counted = counted;
      cursor->last = last;
      cursor->first = first;
    }
  ask (self);
}

static void
flg_lattice_feed_finalize (GObject *object)
{
  FlgLatticeFeed *self = FLG_LATTICE_FEED (object);
  g_array_unref (self->cursors);
  g_object_unref (self->cancellable);
  g_object_unref (self->experiment);
  G_OBJECT_CLASS (flg_lattice_feed_parent_class)->finalize (object);
}

static void
flg_lattice_feed_class_init (FlgLatticeFeedClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_lattice_feed_finalize;
  signals[ARRIVED] = g_signal_new ("arrived", FLG_TYPE_LATTICE_FEED, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
flg_lattice_feed_init (FlgLatticeFeed *self)
{
  self->cursors = g_array_new (FALSE, TRUE, sizeof (Cursor));
  self->cancellable = g_cancellable_new ();
}

FlgLatticeFeed *
flg_lattice_feed_new (FlgExperiment *experiment)
{
  FlgLatticeFeed *self = g_object_new (FLG_TYPE_LATTICE_FEED, NULL);
  self->experiment = g_object_ref (experiment);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  return self;
}

void
flg_lattice_feed_add (FlgLatticeFeed *self, gint64 job)
{
  if (cursor_of (self, job))
    return;
  Cursor cursor = { .job = job, .wanted = TRUE };
  g_array_append_val (self->cursors, cursor);
  on_changed (self, 0);
}

void
flg_lattice_feed_stop (FlgLatticeFeed *self)
{
  g_cancellable_cancel (self->cancellable);
}

gboolean
flg_lattice_feed_is_idle (FlgLatticeFeed *self)
{
  return !self->asking;
}
