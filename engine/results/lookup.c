#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/master.h"
#include "engine/results/segment.h"
#include "engine/results/spots.h"
#include "engine/results/table.h"
#include "engine/results/walk.h"

/* Where a shot's newest results are. */
typedef struct
{
  guint64 id;
  guint32 source, frame;
  guint attempt;
  const char *journal;  /* NULL: in the master */
  FlWalkFrame frame_at; /* in the journal: of the shot … */
  FlWalkFrame parts[FL_PART_LAST];
  guint64 row;                                      /* in the master, or in the shot frame */
  guint64 first[FL_PART_LAST], count[FL_PART_LAST]; /* in the master */
} Place;

/* What is known of one job's folder; grows as its journals grow. */
typedef struct
{
  char *job_dir;
  GHashTable *places;   /* guint64 * -> Place */
  GHashTable *journals; /* path -> FlWalk */
  guint64 master_stamp; /* 0: none read */
  guint master_attempt;
  hid_t master; /* open while it is that one; -1 */
} Job;

#define JOBS_KEPT 4

static GMutex lock;
static GQueue jobs = G_QUEUE_INIT; /* most recently asked first */

static void
job_free (Job *job)
{
  if (job->master >= 0)
    H5Fclose (job->master);
  g_hash_table_unref (job->places);
  g_hash_table_unref (job->journals);
  g_free (job->job_dir);
  g_free (job);
}

static Job *
job_get (const char *job_dir)
{
  Job *job = NULL;
  for (GList *i = jobs.head; i != NULL && job == NULL; i = i->next)
    if (strcmp (((Job *) i->data)->job_dir, job_dir) == 0)
      job = i->data;
  if (job != NULL)
    g_queue_remove (&jobs, job);
  else
    {
      job = g_new0 (Job, 1);
      job->job_dir = g_strdup (job_dir);
      job->master = H5I_INVALID_HID;
      job->places = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
      job->journals = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) fl_walk_free);
    }
  g_queue_push_head (&jobs, job);
  if (jobs.length > JOBS_KEPT)
    job_free (g_queue_pop_tail (&jobs));
  return job;
}

static void
add_place (Job *job, const Place *place)
{
  Place *old = g_hash_table_lookup (job->places, &place->id);
  if (old != NULL && old->attempt > place->attempt)
    return;
  Place *copy = g_new (Place, 1);
  *copy = *place;
  g_hash_table_replace (job->places, &copy->id, copy);
}

/* --- the master --- */

static guint64
master_stamp (const Job *job)
{
  g_autofree char *path = fl_master_path (job->job_dir);
  GStatBuf about;
  if (g_stat (path, &about) != 0)
    return 0;
  return (guint64) about.st_mtim.tv_sec * 1000000000u + (guint64) about.st_mtim.tv_nsec
         + (guint64) about.st_ino;
}

static void
read_master (Job *job)
{
  guint64 stamp = master_stamp (job);
  g_auto (FlShotIndex) index = { 0 };
  g_autofree char *path = fl_master_path (job->job_dir);
  if (stamp == 0 || stamp == job->master_stamp || !fl_segment_read_index (path, &index, NULL))
    return;
  const guint64 *ids = fl_batch_column (index.shots, "id");
  const guint32 *sources = fl_batch_column (index.shots, "source"),
                *frames = fl_batch_column (index.shots, "frame");
  for (guint i = 0; i < fl_batch_rows (index.shots); i++)
    {
      Place place = {
        .id = ids[i], .source = sources[i], .frame = frames[i], .attempt = index.attempt, .row = i
      };
      for (guint p = 0; p < FL_PART_LAST; p++)
        {
          place.first[p] = index.first[p][i];
          place.count[p] = index.count[p][i];
        }
      add_place (job, &place);
    }
  if (job->master >= 0)
    H5Fclose (job->master);
  job->master = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  job->master_stamp = stamp;
  job->master_attempt = index.attempt;
}

/* The part's rows, and the shot's own when `shot` is not NULL. */
static gboolean
load_from_master (const Job *job, const Place *place, FlPart part, FlBatch **shot, FlBatch **rows,
                  GError **error)
{
  fl_hdf5_quiet ();
  if (shot != NULL)
    *shot = fl_table_read (job->master, "shots", FL_KIND_SHOT, place->row, 1, error);
  gboolean ok = shot == NULL || *shot != NULL;
  if (ok && place->count[part] == 0)
    *rows = fl_batch_new (fl_parts[part].kind);
  else if (ok)
    *rows = fl_table_read (job->master, fl_parts[part].table, fl_parts[part].kind, place->first[part],
                           place->count[part], error);
  if (*rows != NULL)
    return TRUE;
  g_autofree char *path = fl_master_path (job->job_dir);
  fl_error_prefix_path (error, path);
  return FALSE;
}

/* --- the journals --- */

static void
read_journal (Job *job, const char *path, guint attempt)
{
  FlWalkStep step;
  FlWalk *walk = g_hash_table_lookup (job->journals, path);
  if (walk == NULL)
    {
      walk = fl_walk_open (path, NULL);
      if (walk == NULL)
        return;
      g_hash_table_insert (job->journals, (gpointer) fl_walk_path (walk), walk);
    }
  while (fl_walk_next (walk, &step, NULL))
    {
      const guint64 *ids = fl_batch_column (step.shots, "id");
      const guint32 *sources = fl_batch_column (step.shots, "source"),
                    *frames = fl_batch_column (step.shots, "frame");
      for (guint i = 0; i < fl_batch_rows (step.shots); i++)
        {
          Place place = { .id = ids[i],
                          .source = sources[i],
                          .frame = frames[i],
                          .attempt = attempt,
                          .journal = fl_walk_path (walk),
                          .frame_at = step.frame,
                          .row = i };
          memcpy (place.parts, step.parts, sizeof place.parts);
          add_place (job, &place);
        }
    }
}

/* Journals of attempts that the master does not cover. */
static void
read_journals (Job *job)
{
  g_autoptr (GArray) attempts = fl_attempt_list (job->job_dir);
  for (guint i = 0; i < attempts->len; i++)
    {
      guint attempt = g_array_index (attempts, guint, i);
      if (job->master_stamp != 0 && attempt <= job->master_attempt)
        continue;
      g_autofree char *dir = fl_attempt_path (job->job_dir, attempt);
      g_autoptr (GPtrArray) journals = fl_journal_list (dir);
      for (guint j = 0; j < journals->len; j++)
        read_journal (job, journals->pdata[j], attempt);
    }
}

static gboolean
load_from_journal (const Place *place, FlPart part, FlBatch **shot, FlBatch **rows, GError **error)
{
  g_autoptr (FlBatch) shots = NULL, all = NULL;
  guint first = 0, n = 0;
  if (shot != NULL)
    {
      shots = fl_walk_load (place->journal, &place->frame_at, error);
      if (shots == NULL)
        return FALSE;
      *shot = fl_batch_new (FL_KIND_SHOT);
      fl_part_copy (*shot, shots, (guint) place->row, 1);
    }
  if (place->parts[part].bytes > 0)
    {
      all = fl_walk_load (place->journal, &place->parts[part], error);
      if (all == NULL)
        return FALSE;
      fl_part_find (all, place->id, 0, &first, &n);
    }
  *rows = fl_batch_new (fl_parts[part].kind);
  if (n > 0)
    fl_part_copy (*rows, all, first, n);
  return TRUE;
}

/* --- */

static void
refresh (Job *job)
{
  read_master (job);
  read_journals (job);
}

static GArray *
results_part (const char *job_dir, guint64 shot, FlPart part, FlShotRow *shot_row, GError **error)
{
  g_autoptr (FlBatch) one = NULL, found = NULL;
  gboolean ok = FALSE;
  g_mutex_lock (&lock);
  Job *job = job_get (job_dir);
  refresh (job);
  const Place *place = g_hash_table_lookup (job->places, &shot);
  if (place == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no results of shot %016" G_GINT64_MODIFIER "x",
                 job_dir, shot);
  else if (place->journal != NULL)
    ok = load_from_journal (place, part, shot_row != NULL ? &one : NULL, &found, error);
  else
    ok = load_from_master (job, place, part, shot_row != NULL ? &one : NULL, &found, error);
  g_mutex_unlock (&lock);
  if (!ok)
    return NULL;
  guint n = fl_batch_rows (found), size = (guint) fl_schema (fl_parts[part].kind)->row_size;
  GArray *rows = g_array_sized_new (FALSE, FALSE, size, n);
  g_array_set_size (rows, n);
  for (guint i = 0; i < n; i++)
    fl_batch_row (found, i, rows->data + (gsize) i * size);
  if (shot_row != NULL)
    {
      fl_batch_row (one, 0, shot_row);
      shot_row->message = g_strdup (shot_row->message);
    }
  return rows;
}

GArray *
fl_results_spots (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error)
{
  return results_part (job_dir, shot, FL_PART_SPOTS, shot_row, error);
}

GArray *
fl_results_lattices (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error)
{
  return results_part (job_dir, shot, FL_PART_LATTICES, shot_row, error);
}

GArray *
fl_results_reflections (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error)
{
  return results_part (job_dir, shot, FL_PART_REFLECTIONS, shot_row, error);
}

static int
by_source_and_frame (gconstpointer a, gconstpointer b)
{
  const FlResultsShot *x = a, *y = b;
  if (x->source != y->source)
    return x->source < y->source ? -1 : 1;
  return (x->frame > y->frame) - (x->frame < y->frame);
}

GArray *
fl_results_list (const char *job_dir)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (FlResultsShot));
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock (&lock);
  Job *job = job_get (job_dir);
  refresh (job);
  g_hash_table_iter_init (&iter, job->places);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Place *place = value;
      FlResultsShot shot = { place->id, place->source, place->frame };
      g_array_append_val (list, shot);
    }
  g_mutex_unlock (&lock);
  g_array_sort (list, by_source_and_frame);
  return list;
}

/* --- many shots at a time --- */

/* Rows of one shot in one of the master's tables, and where they are once they are read. */
typedef struct
{
  guint64 first;
  guint count, run, offset;
} Want;

#define RUN_GAP  1000 /* rows that are rather read than stepped over */
#define RUN_ROWS (1u << 18)

static int
by_first (gconstpointer a, gconstpointer b)
{
  const Want *x = *(Want *const *) a, *y = *(Want *const *) b;
  return (x->first > y->first) - (x->first < y->first);
}

/* Reads the wanted rows, sorted, in as few pieces as possible: *runs gets their batches. */
static gboolean
read_runs (hid_t master, const char *table, FlKind kind, const GPtrArray *sorted, GPtrArray *runs,
           GError **error)
{
  for (guint i = 0; i < sorted->len;)
    {
      guint64 start = ((Want *) sorted->pdata[i])->first, end = start;
      for (; i < sorted->len; i++)
        {
          Want *want = sorted->pdata[i];
          if (want->first > end + RUN_GAP || (end > start && want->first + want->count - start > RUN_ROWS))
            break;
          want->run = runs->len;
          want->offset = (guint) (want->first - start);
          end = MAX (end, want->first + want->count);
        }
      FlBatch *run = fl_table_read (master, table, kind, start, end - start, error);
      if (run == NULL)
        return FALSE;
      g_ptr_array_add (runs, run);
    }
  return TRUE;
}

/* Adds the wanted rows of a table to `to`, in the order of `wants`. */
static gboolean
load_wanted (hid_t master, const char *table, FlKind kind, Want *wants, guint n, FlBatch *to, GError **error)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new (),
                        runs = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_batch_free);
  for (guint i = 0; i < n; i++)
    if (wants[i].count > 0)
      g_ptr_array_add (sorted, &wants[i]);
  g_ptr_array_sort (sorted, by_first);
  if (!read_runs (master, table, kind, sorted, runs, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (wants[i].count > 0)
      fl_part_copy (to, runs->pdata[wants[i].run], wants[i].offset, wants[i].count);
  return TRUE;
}

/* Shots that all lie in the master. */
static gboolean
load_many_from_master (const Job *job, const Place *const *places, guint n, FlShotSet *set, GError **error)
{
  g_autofree Want *wants = g_new0 (Want, n);
  for (guint i = 0; i < n; i++)
    wants[i] = (Want){ .first = places[i]->row, .count = 1 };
  gboolean ok = load_wanted (job->master, "shots", FL_KIND_SHOT, wants, n, set->shots, error);
  for (guint p = 0; ok && p < FL_PART_LAST; p++)
    {
      for (guint i = 0; i < n; i++)
        wants[i] = (Want){ .first = places[i]->first[p], .count = (guint) places[i]->count[p] };
      ok = load_wanted (job->master, fl_parts[p].table, fl_parts[p].kind, wants, n, set->parts[p], error);
    }
  if (!ok)
    {
      g_autofree char *path = fl_master_path (job->job_dir);
      fl_error_prefix_path (error, path);
    }
  return ok;
}

static gboolean
load_one_from_journal (const Place *place, FlShotSet *set, GError **error)
{
  for (guint p = 0; p < FL_PART_LAST; p++)
    {
      g_autoptr (FlBatch) shot = NULL, rows = NULL;
      if (!load_from_journal (place, p, p == 0 ? &shot : NULL, &rows, error))
        return FALSE;
      if (p == 0)
        fl_batch_append_all (set->shots, shot);
      fl_batch_append_all (set->parts[p], rows);
    }
  return TRUE;
}

FlShotSet *
fl_results_load (const char *job_dir, const FlResultsShot *shots, guint n, GError **error)
{
  g_autoptr (FlShotSet) set = fl_shot_set_new ();
  g_autofree const Place **places = g_new0 (const Place *, n + 1);
  gboolean ok = TRUE;
  fl_hdf5_quiet ();
  g_mutex_lock (&lock);
  Job *job = job_get (job_dir);
  refresh (job);
  for (guint i = 0; ok && i < n; i++)
    {
      places[i] = g_hash_table_lookup (job->places, &shots[i].id);
      ok = places[i] != NULL;
      if (!ok)
        g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                     "%s: has no results of shot %016" G_GINT64_MODIFIER "x", job_dir, shots[i].id);
    }
  for (guint i = 0, end; ok && i < n; i = end)
    {
      for (end = i; end < n && places[end]->journal == NULL; end++)
        ;
      if (end > i)
        ok = load_many_from_master (job, places + i, end - i, set, error);
      else
        ok = load_one_from_journal (places[end++], set, error);
    }
  g_mutex_unlock (&lock);
  return ok ? g_steal_pointer (&set) : NULL;
}

/* The table of sources in a journal, or NULL. */
static FlBatch *
sources_of_journal (const char *path)
{
  FlFrame frame;
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (path, 0, NULL);
  while (reader != NULL && fl_journal_reader_next (reader, &frame, NULL))
    if (frame.kind == FL_KIND_SOURCE)
      return fl_batch_decode (frame.payload, frame.payload_length, NULL);
  return NULL;
}

FlBatch *
fl_results_sources (const char *job_dir, GError **error)
{
  g_autofree char *path = fl_master_path (job_dir);
  FlBatch *sources = NULL;
  fl_hdf5_quiet ();
  hid_t master = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  gint64 n = master >= 0 ? fl_table_rows (master, "sources", FL_KIND_SOURCE, NULL) : -1;
  if (n >= 0)
    sources = fl_table_read (master, "sources", FL_KIND_SOURCE, 0, (gsize) n, NULL);
  if (master >= 0)
    H5Fclose (master);
  g_autoptr (GArray) attempts = fl_attempt_list (job_dir);
  for (guint i = attempts->len; sources == NULL && i > 0; i--)
    {
      g_autofree char *dir = fl_attempt_path (job_dir, g_array_index (attempts, guint, i - 1));
      g_autoptr (GPtrArray) journals = fl_journal_list (dir);
      for (guint j = 0; sources == NULL && j < journals->len; j++)
        sources = sources_of_journal (journals->pdata[j]);
    }
  if (sources == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no results, expected the folder of a job",
                 job_dir);
  return sources;
}
