#include "engine/results/history.h"

#include "engine/base/inflight.h"
#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/walk.h"

/* Entries begin with the id, so that the table's key points into its value. */
typedef struct
{
  guint64 id;
  FlDone done;
} DoneEntry;

typedef struct
{
  guint64 id;
  FlStrikes strikes;
} StrikeEntry;

void
fl_history_free (FlHistory *history)
{
  if (history == NULL)
    return;
  g_hash_table_unref (history->done);
  g_hash_table_unref (history->strikes);
  g_free (history);
}

const FlDone *
fl_history_done (const FlHistory *history, guint64 shot)
{
  const DoneEntry *entry = g_hash_table_lookup (history->done, &shot);
  return entry != NULL ? &entry->done : NULL;
}

const FlStrikes *
fl_history_strikes (const FlHistory *history, guint64 shot)
{
  const StrikeEntry *entry = g_hash_table_lookup (history->strikes, &shot);
  return entry != NULL ? &entry->strikes : NULL;
}

static void
add_done (FlHistory *history, const FlShotRow *shot, guint attempt)
{
  DoneEntry *entry = g_hash_table_lookup (history->done, &shot->id);
  if (entry == NULL)
    {
      entry = g_new (DoneEntry, 1);
      entry->id = shot->id;
      g_hash_table_insert (history->done, &entry->id, entry);
    }
  entry->done = (FlDone){ attempt, shot->outcome, shot->lattices };
}

static gboolean
read_journal (FlHistory *history, const char *path, guint attempt, GError **error)
{
  GError *why = NULL;
  FlWalkStep step;
  FlShotRow shot;
  g_autoptr (FlWalk) walk = fl_walk_open (path, error);
  if (walk == NULL)
    return FALSE;
  while (fl_walk_next (walk, &step, &why))
    for (guint i = 0; i < fl_batch_rows (step.shots); i++)
      {
        fl_batch_row (step.shots, i, &shot);
        add_done (history, &shot, attempt);
      }
  history->skipped += fl_walk_skipped (walk);
  if (why != NULL)
    g_propagate_error (error, why);
  return why == NULL;
}

static void
add_strike (FlHistory *history, guint64 shot, guint attempt)
{
  StrikeEntry *entry = g_hash_table_lookup (history->strikes, &shot);
  if (entry == NULL)
    {
      entry = g_new0 (StrikeEntry, 1);
      entry->id = shot;
      entry->strikes.first = attempt;
      g_hash_table_insert (history->strikes, &entry->id, entry);
    }
  entry->strikes.count++;
  entry->strikes.last = attempt;
}

static void
read_inflight (FlHistory *history, const char *attempt_dir, guint attempt)
{
  g_autoptr (GArray) entries = fl_inflight_read (attempt_dir);
  gboolean guilty_known = FALSE;
  for (guint i = 0; i < entries->len; i++)
    guilty_known = guilty_known || g_array_index (entries, FlInflightEntry, i).crashed != 0;
  for (guint i = 0; i < entries->len; i++)
    {
      const FlInflightEntry *entry = &g_array_index (entries, FlInflightEntry, i);
      if ((!guilty_known || entry->crashed != 0) && fl_history_done (history, entry->shot) == NULL)
        add_strike (history, entry->shot, attempt);
    }
}

static gboolean
was_set_aside (gpointer key, gpointer value, gpointer data)
{
  (void) key;
  (void) data;
  return ((const DoneEntry *) value)->done.outcome == FL_OUTCOME_SET_ASIDE;
}

static gboolean
is_done (gpointer key, gpointer value, gpointer data)
{
  (void) value;
  return fl_history_done (data, *(const guint64 *) key) != NULL;
}

FlHistory *
fl_history_read (const char *job_dir, guint before, gboolean forgive, GError **error)
{
  g_autoptr (FlHistory) history = g_new0 (FlHistory, 1);
  history->done = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  history->strikes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  g_autoptr (GArray) attempts = fl_attempt_list (job_dir);
  for (guint i = 0; i < attempts->len && g_array_index (attempts, guint, i) < before; i++)
    {
      guint attempt = g_array_index (attempts, guint, i);
      g_autofree char *dir = fl_attempt_path (job_dir, attempt);
      g_autoptr (GPtrArray) journals = fl_journal_list (dir);
      for (guint j = 0; j < journals->len; j++)
        if (!read_journal (history, journals->pdata[j], attempt, error))
          return NULL;
      read_inflight (history, dir, attempt);
    }
  if (forgive)
    {
      g_hash_table_remove_all (history->strikes);
      g_hash_table_foreach_remove (history->done, was_set_aside, NULL);
    }
  g_hash_table_foreach_remove (history->strikes, is_done, history);
  return g_steal_pointer (&history);
}
