#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/master.h"
#include "engine/results/segment.h"
#include "engine/results/walk.h"

/* Shots of one dead attempt on their way into segments. */
typedef struct
{
  const char *folder; /* of the attempt that seals them */
  guint attempt;      /* whose they are */
  guint segment_shots, segments;
  GHashTable *sealed; /* const guint64 * of that attempt */
  FlBatch *shots, *spots;
} Leftovers;

static gboolean
seal (Leftovers *left, GError **error)
{
  if (fl_batch_rows (left->shots) == 0)
    return TRUE;
  g_autofree char *name = g_strdup_printf ("spots-of-attempt-%04u-%04u.h5", left->attempt, left->segments++);
  g_autofree char *path = g_build_filename (left->folder, name, NULL);
  gboolean ok = fl_segment_write (path, left->attempt, left->shots, left->spots, error);
  fl_batch_clear (left->shots);
  fl_batch_clear (left->spots);
  return ok;
}

static void
add_sealed (GHashTable *sealed, guint64 id)
{
  guint64 *key = g_new (guint64, 1);
  *key = id;
  g_hash_table_add (sealed, key);
}

/* The shots of one batch that no segment has. */
static gboolean
take_step (Leftovers *left, const char *journal, const FlWalkStep *step, GError **error)
{
  const guint64 *ids = fl_batch_column (step->shots, "id");
  g_autoptr (FlBatch) spots = NULL;
  for (guint i = 0; i < fl_batch_rows (step->shots); i++)
    {
      FlShotRow shot;
      FlSpotRow spot;
      guint first = 0, n = 0;
      if (g_hash_table_contains (left->sealed, &ids[i]))
        continue;
      if (spots == NULL && step->spots_bytes > 0)
        spots = fl_walk_load (journal, step->spots_at, step->spots_bytes, error);
      if (spots == NULL && step->spots_bytes > 0)
        return FALSE;
      fl_batch_row (step->shots, i, &shot);
      if (spots != NULL)
        fl_walk_find (spots, shot.id, &first, &n);
      shot.spots = n;
      fl_batch_append (left->shots, &shot);
      for (guint k = first; k < first + n; k++)
        {
          fl_batch_row (spots, k, &spot);
          fl_batch_append (left->spots, &spot);
        }
      add_sealed (left->sealed, shot.id);
      if (fl_batch_rows (left->shots) >= left->segment_shots && !seal (left, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_attempt (Leftovers *left, const char *attempt_dir, GError **error)
{
  g_autoptr (GPtrArray) journals = fl_journal_list (attempt_dir);
  for (guint j = 0; j < journals->len; j++)
    {
      GError *why = NULL;
      FlWalkStep step;
      g_autoptr (FlWalk) walk = fl_walk_open (journals->pdata[j], error);
      if (walk == NULL)
        return FALSE;
      while (fl_walk_next (walk, &step, &why))
        if (!take_step (left, journals->pdata[j], &step, error))
          return FALSE;
      if (why != NULL)
        {
          g_propagate_error (error, why);
          return FALSE;
        }
    }
  return seal (left, error);
}

/* attempt number -> set of its shots that segments have. A damaged segment has none: its shots are sealed again. */
static GHashTable *
read_sealed (const char *job_dir)
{
  GHashTable *sets = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_hash_table_unref);
  g_autoptr (GPtrArray) segments = fl_segment_list (job_dir);
  for (guint i = 0; i < segments->len; i++)
    {
      guint attempt;
      g_autofree char *path = g_build_filename (job_dir, segments->pdata[i], NULL);
      g_autoptr (FlBatch) shots = fl_segment_read_shots (path, NULL, NULL, &attempt, NULL);
      if (shots == NULL)
        continue;
      GHashTable *set = g_hash_table_lookup (sets, GUINT_TO_POINTER (attempt));
      if (set == NULL)
        {
          set = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
          g_hash_table_insert (sets, GUINT_TO_POINTER (attempt), set);
        }
      const guint64 *ids = fl_batch_column (shots, "id");
      for (guint k = 0; k < fl_batch_rows (shots); k++)
        add_sealed (set, ids[k]);
    }
  return sets;
}

gboolean
fl_master_seal_leftovers (const char *job_dir, guint attempt, guint segment_shots, GError **error)
{
  g_autoptr (GHashTable) sealed = read_sealed (job_dir);
  g_autoptr (GHashTable) none = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GArray) attempts = fl_attempt_list (job_dir);
  g_autofree char *folder = fl_attempt_path (job_dir, attempt);
  g_autoptr (FlBatch) shots = fl_batch_new (FL_KIND_SHOT);
  g_autoptr (FlBatch) spots = fl_batch_new (FL_KIND_SPOT);
  for (guint i = 0; i < attempts->len && g_array_index (attempts, guint, i) <= attempt; i++)
    {
      guint number = g_array_index (attempts, guint, i);
      g_autofree char *dir = fl_attempt_path (job_dir, number);
      GHashTable *set = g_hash_table_lookup (sealed, GUINT_TO_POINTER (number));
      g_hash_table_remove_all (none);
      Leftovers left = { .folder = folder,
                         .attempt = number,
                         .segment_shots = segment_shots,
                         .sealed = set != NULL ? set : none,
                         .shots = shots,
                         .spots = spots };
      if (!take_attempt (&left, dir, error))
        return FALSE;
    }
  return TRUE;
}
