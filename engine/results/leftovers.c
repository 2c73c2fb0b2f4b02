#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/master.h"
#include "engine/results/segment.h"
#include "engine/results/walk.h"

#define SEGMENT_PART_ROWS (1u << 20) /* seals early: memory */

/* Shots of one dead attempt on their way into segments. */
typedef struct
{
  const char *folder; /* of the attempt that seals them */
  guint attempt;      /* whose they are */
  guint segment_shots, segments;
  GHashTable *sealed; /* const guint64 * of that attempt */
  FlShotSet *set;
} Leftovers;

static gboolean
seal (Leftovers *left, GError **error)
{
  if (fl_batch_rows (left->set->shots) == 0)
    return TRUE;
  g_autofree char *name = g_strdup_printf ("spots-of-attempt-%04u-%04u.h5", left->attempt, left->segments++);
  g_autofree char *path = g_build_filename (left->folder, name, NULL);
  gboolean ok = fl_segment_write (path, left->attempt, left->set, error);
  fl_shot_set_clear (left->set);
  return ok;
}

static void
add_sealed (GHashTable *sealed, guint64 id)
{
  guint64 *key = g_new (guint64, 1);
  *key = id;
  g_hash_table_add (sealed, key);
}

/* Loads what was written with the step's shots. */
static gboolean
load_parts (const char *journal, const FlWalkStep *step, FlBatch **parts, GError **error)
{
  gboolean ok = TRUE;
  for (guint p = 0; ok && p < FL_PART_LAST; p++)
    {
      if (step->parts[p].bytes > 0)
        parts[p] = fl_walk_load (journal, &step->parts[p], error);
      ok = step->parts[p].bytes == 0 || parts[p] != NULL;
    }
  return ok;
}

/* Adds shot `i` of the step and its rows of the parts, the search beginning at the rows `at`. */
static void
take_shot (FlShotSet *set, const FlWalkStep *step, guint i, FlBatch *const *parts, guint *at)
{
  const guint64 *ids = fl_batch_column (step->shots, "id");
  fl_part_copy (set->shots, step->shots, i, 1);
  for (guint p = 0; p < FL_PART_LAST; p++)
    {
      guint first = 0, n = 0;
      if (parts[p] != NULL)
        fl_part_find (parts[p], ids[i], at[p], &first, &n);
      if (n == 0)
        continue;
      fl_part_copy (set->parts[p], parts[p], first, n);
      at[p] = first + n;
    }
}

/* The shots of one batch that no segment has. */
static gboolean
take_step (Leftovers *left, const char *journal, const FlWalkStep *step, GError **error)
{
  const guint64 *ids = fl_batch_column (step->shots, "id");
  FlBatch *parts[FL_PART_LAST] = { NULL };
  guint at[FL_PART_LAST] = { 0 };
  gboolean loaded = FALSE, ok = TRUE;
  for (guint i = 0; ok && i < fl_batch_rows (step->shots); i++)
    {
      if (g_hash_table_contains (left->sealed, &ids[i]))
        continue;
      ok = loaded || load_parts (journal, step, parts, error);
      loaded = TRUE;
      if (!ok)
        break;
      take_shot (left->set, step, i, parts, at);
      add_sealed (left->sealed, ids[i]);
      if (fl_batch_rows (left->set->shots) >= left->segment_shots
          || fl_shot_set_longest (left->set) >= SEGMENT_PART_ROWS)
        ok = seal (left, error);
    }
  for (guint p = 0; p < FL_PART_LAST; p++)
    fl_batch_free (parts[p]);
  return ok;
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
      g_auto (FlShotIndex) index = { 0 };
      g_autofree char *path = g_build_filename (job_dir, segments->pdata[i], NULL);
      if (!fl_segment_read_index (path, &index, NULL))
        continue;
      GHashTable *set = g_hash_table_lookup (sets, GUINT_TO_POINTER (index.attempt));
      if (set == NULL)
        {
          set = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
          g_hash_table_insert (sets, GUINT_TO_POINTER (index.attempt), set);
        }
      const guint64 *ids = fl_batch_column (index.shots, "id");
      for (guint k = 0; k < fl_batch_rows (index.shots); k++)
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
  g_autoptr (FlShotSet) kept = fl_shot_set_new ();
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
                         .set = kept };
      if (!take_attempt (&left, dir, error))
        return FALSE;
    }
  return TRUE;
}
