#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/master.h"
#include "engine/results/spots.h"
#include "engine/results/table.h"
#include "engine/results/walk.h"

/* Where a shot's newest results are. */
typedef struct
{
  guint64 id;
  guint attempt;
  const char *journal; /* NULL: in the master */
  guint64 shots_at, spots_at;
  gsize shots_bytes, spots_bytes;
  guint64 row;        /* in the master, or in the shot frame */
  guint64 first_spot; /* in the master */
} Place;

/* What is known of one job's folder; grows as its journals grow. */
typedef struct
{
  char *job_dir;
  GHashTable *places;   /* guint64 * -> Place */
  GHashTable *journals; /* path -> FlWalk */
  guint64 master_stamp; /* 0: none read */
  guint master_attempt;
} Job;

#define JOBS_KEPT 4

static GMutex lock;
static GQueue jobs = G_QUEUE_INIT; /* most recently asked first */

static void
job_free (Job *job)
{
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

static hid_t
master_open (const Job *job)
{
  g_autofree char *path = fl_master_path (job->job_dir);
  fl_hdf5_quiet ();
  return H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

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
  guint64 stamp = master_stamp (job), attempt = 0;
  if (stamp == 0 || stamp == job->master_stamp)
    return;
  hid_t file = master_open (job);
  gint64 n = file >= 0 ? fl_table_rows (file, "shots", FL_KIND_SHOT, NULL) : -1;
  if (n >= 0)
    {
      g_autofree guint64 *ids = fl_table_read_u64 (file, "shots/id", 0, (gsize) n, NULL);
      g_autofree guint64 *first = fl_table_read_u64 (file, "shots/first_spot", 0, (gsize) n, NULL);
      fl_attribute_read_u64 (file, "attempt", &attempt);
      if (ids != NULL && first != NULL)
        {
          for (gint64 i = 0; i < n; i++)
            add_place (job, &(Place){ .id = ids[i],
                                      .attempt = (guint) attempt,
                                      .row = (guint64) i,
                                      .first_spot = first[i] });
          job->master_stamp = stamp;
          job->master_attempt = (guint) attempt;
        }
    }
  if (file >= 0)
    H5Fclose (file);
}

static gboolean
load_from_master (const Job *job, const Place *place, FlBatch **shot, FlBatch **spots, GError **error)
{
  hid_t file = master_open (job);
  if (file >= 0)
    *shot = fl_table_read (file, "shots", FL_KIND_SHOT, place->row, 1, error);
  if (file >= 0 && *shot != NULL)
    *spots = fl_table_read (file, "spots", FL_KIND_SPOT, place->first_spot,
                            *(const guint32 *) fl_batch_column (*shot, "spots"), error);
  if (file >= 0)
    H5Fclose (file);
  if (*spots == NULL && error != NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "cannot be read, expected a file that Firstlight wrote");
  if (*spots == NULL)
    {
      g_autofree char *path = fl_master_path (job->job_dir);
      fl_error_prefix_path (error, path);
    }
  return *spots != NULL;
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
      for (guint i = 0; i < fl_batch_rows (step.shots); i++)
        add_place (job, &(Place){ .id = ids[i],
                                  .attempt = attempt,
                                  .journal = fl_walk_path (walk),
                                  .shots_at = step.shots_at,
                                  .shots_bytes = step.shots_bytes,
                                  .spots_at = step.spots_at,
                                  .spots_bytes = step.spots_bytes,
                                  .row = i });
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
load_from_journal (const Place *place, FlBatch **shot, FlBatch **spots, GError **error)
{
  FlShotRow row;
  FlSpotRow spot;
  g_autoptr (FlBatch) shots = fl_walk_load (place->journal, place->shots_at, place->shots_bytes, error);
  g_autoptr (FlBatch) all = NULL;
  guint first = 0, n = 0;
  if (shots == NULL)
    return FALSE;
  if (place->spots_bytes > 0)
    {
      all = fl_walk_load (place->journal, place->spots_at, place->spots_bytes, error);
      if (all == NULL)
        return FALSE;
      fl_walk_find (all, place->id, &first, &n);
    }
  *shot = fl_batch_new (FL_KIND_SHOT);
  *spots = fl_batch_new (FL_KIND_SPOT);
  fl_batch_row (shots, (guint) place->row, &row);
  fl_batch_append (*shot, &row);
  for (guint i = first; i < first + n; i++)
    {
      fl_batch_row (all, i, &spot);
      fl_batch_append (*spots, &spot);
    }
  return TRUE;
}

/* --- */

static const Place *
find (Job *job, guint64 shot)
{
  read_master (job);
  read_journals (job);
  return g_hash_table_lookup (job->places, &shot);
}

GArray *
fl_results_spots (const char *job_dir, guint64 shot, FlShotRow *shot_row, GError **error)
{
  g_autoptr (FlBatch) one = NULL, spots = NULL;
  g_mutex_lock (&lock);
  Job *job = job_get (job_dir);
  const Place *place = find (job, shot);
  gboolean ok = FALSE;
  if (place == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no results of shot %016" G_GINT64_MODIFIER "x",
                 job_dir, shot);
  else if (place->journal != NULL)
    ok = load_from_journal (place, &one, &spots, error);
  else
    ok = load_from_master (job, place, &one, &spots, error);
  g_mutex_unlock (&lock);
  if (!ok)
    return NULL;
  guint n = fl_batch_rows (spots);
  GArray *rows = g_array_sized_new (FALSE, FALSE, sizeof (FlSpotRow), n);
  g_array_set_size (rows, n);
  for (guint i = 0; i < n; i++)
    fl_batch_row (spots, i, &g_array_index (rows, FlSpotRow, i));
  if (shot_row != NULL)
    {
      fl_batch_row (one, 0, shot_row);
      shot_row->message = g_strdup (shot_row->message);
    }
  return rows;
}
