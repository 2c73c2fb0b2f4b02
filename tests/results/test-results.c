/* From journals to segments to the master and back: nothing journalled is lost, nothing counts twice. */
#include <errno.h>
#include <glib/gstdio.h>
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/inflight.h"
#include "engine/base/journal.h"
#include "engine/results/attempt.h"
#include "engine/results/history.h"
#include "engine/results/master.h"
#include "engine/results/recorder.h"
#include "engine/results/segment.h"
#include "engine/results/spots.h"

/* What a shot's results are follows from its number alone. */
static guint64
id_of (guint frame)
{
  return fl_shot_id ("file.h5", frame);
}

static guint
spots_of (guint frame)
{
  return frame % 3 == 0 ? 0 : (frame * 7) % 40;
}

static guint
lattices_of (guint frame)
{
  return spots_of (frame) >= 16 ? frame % 4 : 0;
}

static guint
reflections_of (guint frame)
{
  return lattices_of (frame) > 1 ? 5 * frame % 97 : 0;
}

/* Everything about a shot that the tests record. */
typedef struct
{
  FlSpotRow spots[64];
  FlLatticeRow lattices[4];
  FlReflectionRow reflections[100];
  FlShotParts parts;
} Made;

static FlShotRow
make_shot (guint frame, Made *made)
{
  FlSpotRow *spots = made->spots;
  FlShotRow shot = { .id = id_of (frame), .frame = frame, .spots = spots_of (frame), .resolution = 2.5f };
  shot.outcome = shot.spots >= 16 ? FL_OUTCOME_HIT : FL_OUTCOME_MISS;
  for (guint i = 0; i < shot.spots; i++)
    spots[i] = (FlSpotRow){ .panel = (guint16) i, .fs = (float) frame + 0.25f, .ss = (float) i };
  shot.lattices = (guint16) lattices_of (frame);
  guint n = reflections_of (frame);
  for (guint i = 0; i < shot.lattices; i++)
    made->lattices[i] =
        (FlLatticeRow){ .number = (guint16) i, .centring = 'P', .cell = { (float) (frame + i) } };
  for (guint i = 0; i < n; i++)
    made->reflections[i] = (FlReflectionRow){ .lattice = (guint16) (i * shot.lattices / n),
                                              .h = (gint16) (i % 7) - 3,
                                              .k = -(gint16) i,
                                              .l = (gint16) frame,
                                              .intensity = (float) i };
  made->parts = (FlShotParts){ spots, made->lattices, made->reflections, n };
  return shot;
}

static void
check_shot (const char *job, guint frame)
{
  GError *error = NULL;
  FlShotRow row;
  g_autoptr (GArray) spots = fl_results_spots (job, id_of (frame), &row, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (spots->len, ==, spots_of (frame));
  g_assert_cmpuint (row.frame, ==, frame);
  g_assert_cmpuint (row.spots, ==, spots->len);
  g_free ((char *) row.message);
  for (guint i = 0; i < spots->len; i++)
    {
      const FlSpotRow *spot = &g_array_index (spots, FlSpotRow, i);
      g_assert_true (spot->shot == id_of (frame) && spot->panel == i && spot->fs == (float) frame + 0.25f);
    }
  g_autoptr (GArray) lattices = fl_results_lattices (job, id_of (frame), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lattices->len, ==, lattices_of (frame));
  for (guint i = 0; i < lattices->len; i++)
    {
      const FlLatticeRow *lattice = &g_array_index (lattices, FlLatticeRow, i);
      g_assert_true (lattice->shot == id_of (frame) && lattice->number == i && lattice->centring == 'P'
                     && lattice->cell[0] == (float) (frame + i));
    }
  g_autoptr (GArray) reflections = fl_results_reflections (job, id_of (frame), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reflections->len, ==, reflections_of (frame));
  for (guint i = 0; i < reflections->len; i++)
    {
      const FlReflectionRow *r = &g_array_index (reflections, FlReflectionRow, i);
      g_assert_true (r->shot == id_of (frame) && r->lattice == i * lattices->len / reflections->len
                     && r->h == (int) (i % 7) - 3 && r->k == -(int) i && r->l == (int) frame
                     && r->intensity == (float) i);
    }
}

static char *
make_job (void)
{
  char *job = g_dir_make_tmp ("firstlight-results-XXXXXX", NULL);
  g_assert_nonnull (job);
  return job;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      remove_tree (inner);
    }
  g_remove (path);
}

static void
record (FlRecorder *recorder, guint frame)
{
  GError *error = NULL;
  Made made;
  FlShotRow shot = make_shot (frame, &made);
  g_assert_true (fl_recorder_add (recorder, &shot, &made.parts, &error));
  g_assert_no_error (error);
}

static FlRecorder *
begin (const char *job, guint *attempt, guint rank, guint batch, guint segment)
{
  GError *error = NULL;
  *attempt = fl_attempt_make (job, 0, &error);
  g_assert_no_error (error);
  g_autofree char *dir = fl_attempt_path (job, *attempt);
  FlRecorder *recorder = fl_recorder_open (dir, *attempt, rank, batch, segment, &error);
  g_assert_no_error (error);
  return recorder;
}

static void
write_master (const char *job, guint attempt)
{
  GError *error = NULL;
  g_autoptr (FlBatch) sources = fl_batch_new (FL_KIND_SOURCE);
  fl_batch_append (sources, &(FlSourceRow){ .frames = 1000, .path = "file.h5" });
  g_assert_true (fl_master_seal_leftovers (job, attempt, 50, &error));
  g_assert_no_error (error);
  g_assert_true (fl_master_write (job, attempt, sources, &error));
  g_assert_no_error (error);
}

/* Spots can be asked for as soon as a batch is closed, and after everything is joined, wherever they lie. */
static void
test_lookup (void)
{
  g_autofree char *job = make_job ();
  guint attempt;
  GError *error = NULL;
  FlRecorder *recorder = begin (job, &attempt, 0, 8, 20);
  for (guint frame = 0; frame < 60; frame++)
    {
      record (recorder, frame);
      if (frame % 8 == 7)
        check_shot (job, frame - 3);
    }
  g_autoptr (GArray) none = fl_results_spots (job, id_of (999), NULL, &error);
  g_assert_null (none);
  g_assert_nonnull (strstr (error->message, job));
  g_clear_error (&error);
  g_assert_true (fl_recorder_close (recorder, NULL));
  write_master (job, attempt);
  for (guint frame = 0; frame < 60; frame++)
    check_shot (job, frame);

  /* A later attempt wins, and lies in a journal that the master does not know. */
  recorder = begin (job, &attempt, 3, 8, 20);
  Made made;
  FlShotRow shot = make_shot (4, &made);
  shot.spots = 1;
  g_assert_true (fl_recorder_add (recorder, &shot, &made.parts, NULL) && fl_recorder_flush (recorder, NULL));
  g_autoptr (GArray) newer = fl_results_spots (job, id_of (4), NULL, NULL);
  g_assert_cmpuint (newer->len, ==, 1);
  check_shot (job, 5);
  g_assert_true (fl_recorder_close (recorder, NULL));
  write_master (job, attempt);
  g_autoptr (GArray) joined = fl_results_spots (job, id_of (4), NULL, NULL);
  g_assert_cmpuint (joined->len, ==, 1);
  check_shot (job, 5);
  remove_tree (job);
}

/* The shots' table is sorted and whole, whoever recorded what in which order. */
static void
test_order (void)
{
  g_autofree char *job = make_job ();
  guint attempt = 0;
  FlRecorder *ranks[3];
  ranks[0] = begin (job, &attempt, 0, 4, 10);
  g_autofree char *dir = fl_attempt_path (job, attempt);
  for (guint r = 1; r < 3; r++)
    ranks[r] = fl_recorder_open (dir, attempt, r, 4, 10, NULL);
  for (guint i = 0; i < 100; i++)
    record (ranks[(i * i) % 3], (i * 37) % 100);
  for (guint r = 0; r < 3; r++)
    g_assert_true (fl_recorder_close (ranks[r], NULL));
  write_master (job, attempt);
  g_autofree char *path = fl_master_path (job);
  g_auto (FlShotIndex) index = { 0 };
  g_assert_true (fl_segment_read_index (path, &index, NULL));
  g_assert_cmpuint (fl_batch_rows (index.shots), ==, 100);
  guint64 spots = 0, lattices = 0, reflections = 0;
  for (guint i = 0; i < 100; i++)
    {
      FlShotRow row;
      fl_batch_row (index.shots, i, &row);
      g_assert_cmpuint (row.frame, ==, i);
      spots += row.spots;
      lattices += row.lattices;
      reflections += reflections_of (i);
      check_shot (job, i);
    }
  g_assert_cmpuint (spots, ==, index.rows[FL_PART_SPOTS]);
  g_assert_cmpuint (lattices, ==, index.rows[FL_PART_LATTICES]);
  g_assert_cmpuint (reflections, ==, index.rows[FL_PART_REFLECTIONS]);
  g_assert_cmpuint (reflections, >, 100);
  remove_tree (job);
}

/* Killed at any moment: what the journal has can be read, is sealed by the next attempt, and nothing else is there. */
static void
test_kill (void)
{
  guint lost = 0;
  for (guint seed = 0; seed < 20; seed++)
    {
      g_autofree char *job = make_job ();
      FlRandom random = fl_random (seed);
      int ready[2];
      char byte;
      g_assert_cmpint (pipe (ready), ==, 0);
      pid_t child = fork ();
      if (child == 0)
        {
          guint attempt;
          FlRecorder *recorder = begin (job, &attempt, 0, 5, 700);
          g_assert_cmpint (write (ready[1], "x", 1), ==, 1);
          for (guint frame = 0; frame < 100000; frame++)
            record (recorder, frame);
          _exit (0);
        }
      g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
      g_usleep (fl_random_u64 (&random) % 15000);
      kill (child, SIGKILL);
      waitpid (child, NULL, 0);
      close (ready[0]);
      close (ready[1]);

      g_autoptr (FlHistory) history = fl_history_read (job, 2, FALSE, NULL);
      guint n = g_hash_table_size (history->done);
      for (guint frame = 0; frame < n; frame++)
        g_assert_nonnull (fl_history_done (history, id_of (frame)));
      for (guint frame = 0; frame < n; frame += 1 + n / 20)
        check_shot (job, frame);
      guint attempt;
      FlRecorder *recorder = begin (job, &attempt, 0, 5, 30);
      record (recorder, n);
      g_assert_true (fl_recorder_close (recorder, NULL));
      write_master (job, attempt);
      g_autofree char *path = fl_master_path (job);
      g_auto (FlShotIndex) index = { 0 };
      g_assert_true (fl_segment_read_index (path, &index, NULL));
      g_assert_cmpuint (fl_batch_rows (index.shots), ==, n + 1);
      for (guint frame = 0; frame <= n; frame += 1 + n / 20)
        check_shot (job, frame);
      lost += n % 700;
      remove_tree (job);
    }
  g_assert_cmpuint (lost, >, 0);
  g_test_message ("%u shots were only in journals of killed recorders", lost);
}

static void
strike (const char *job, guint attempt, guint slot, guint frame, guint crashed)
{
  g_autofree char *dir = fl_attempt_path (job, attempt);
  if (fork () == 0)
    {
      FlInflight *inflight = fl_inflight_open (dir, slot, 4, slot, NULL);
      if (crashed != 0)
        fl_inflight_mark_crashes (inflight);
      fl_inflight_begin (inflight, id_of (frame), 0, frame);
      raise (crashed != 0 ? SIGSEGV : SIGKILL);
    }
  wait (NULL);
}

static void
test_strikes (void)
{
  g_autofree char *job = make_job ();
  guint attempt;
  g_assert_true (fl_recorder_close (begin (job, &attempt, 0, 5, 30), NULL));
  strike (job, 1, 0, 10, 0);
  strike (job, 1, 1, 11, 0);
  FlRecorder *recorder = begin (job, &attempt, 0, 5, 30);
  record (recorder, 11);
  g_assert_true (fl_recorder_close (recorder, NULL));
  strike (job, 2, 0, 10, 1);
  strike (job, 2, 1, 12, 0); /* fell with 10, whose rank saw its crash */
  g_autoptr (FlHistory) history = fl_history_read (job, 3, FALSE, NULL);
  const FlStrikes *strikes = fl_history_strikes (history, id_of (10));
  g_assert_true (strikes != NULL && strikes->count == 2 && strikes->first == 1 && strikes->last == 2);
  g_assert_null (fl_history_strikes (history, id_of (11)));
  g_assert_null (fl_history_strikes (history, id_of (12)));
  g_autoptr (FlHistory) earlier = fl_history_read (job, 2, FALSE, NULL);
  g_assert_nonnull (fl_history_strikes (earlier, id_of (11)));
  g_autoptr (FlHistory) forgiven = fl_history_read (job, 3, TRUE, NULL);
  g_assert_null (fl_history_strikes (forgiven, id_of (10)));
  remove_tree (job);
}

static void
test_attempts (void)
{
  g_autofree char *job = make_job ();
  GError *error = NULL;
  guint attempt;
  g_assert_true (fl_recorder_close (begin (job, &attempt, 0, 5, 30), NULL));
  g_assert_cmpuint (attempt, ==, 1);
  g_assert_cmpuint (fl_attempt_make (job, 7, &error), ==, 7);
  g_assert_cmpuint (fl_attempt_make (job, 7, &error), ==, 7); /* nothing in it yet */
  g_assert_cmpuint (fl_attempt_make (job, 1, &error), ==, 0);
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_cmpuint (fl_attempt_make (job, 0, &error), ==, 8);
  /* A running attempt is noticed, from another process. */
  g_autofree char *dir = fl_attempt_path (job, 7);
  int ready[2];
  char byte;
  g_assert_cmpint (pipe (ready), ==, 0);
  pid_t child = fork ();
  if (child == 0)
    {
      int held = fl_attempt_hold (dir);
      g_assert_cmpint (write (ready[1], "x", 1), ==, 1);
      for (;;)
        sleep (held >= 0 ? 100 : 101);
    }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  g_assert_false (fl_attempt_wait_for_earlier (job, 8, 0, &error));
  g_assert_nonnull (strstr (error->message, "attempt-0007"));
  g_clear_error (&error);
  g_assert_true (fl_attempt_wait_for_earlier (job, 7, 0, &error));
  kill (child, SIGKILL);
  g_assert_true (fl_attempt_wait_for_earlier (job, 8, 5, &error));
  waitpid (child, NULL, 0);
  remove_tree (job);
}

/* Flipped bytes and cut ends never crash; what is still whole is still found; sealing works from what is left. */
static void
test_damage (void)
{
  for (guint seed = 0; seed < 40; seed++)
    {
      g_autofree char *job = make_job ();
      FlRandom random = fl_random (seed);
      guint attempt;
      FlRecorder *recorder = begin (job, &attempt, 0, 5, 30);
      for (guint frame = 0; frame < 100; frame++)
        record (recorder, frame);
      g_assert_true (fl_recorder_close (recorder, NULL));
      g_autofree char *dir = fl_attempt_path (job, attempt);
      g_autoptr (GPtrArray) journals = fl_journal_list (dir);
      g_autoptr (GPtrArray) segments = fl_segment_list (job);
      g_autofree char *segment = g_build_filename (job, segments->pdata[0], NULL);
      const char *path = seed % 2 == 0 ? journals->pdata[0] : segment;
      g_autofree char *bytes = NULL;
      gsize length;
      g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
      if (seed % 4 < 2)
        length = fl_random_u64 (&random) % length;
      else
        for (guint k = 0; k < 8; k++)
          bytes[fl_random_u64 (&random) % length] ^= (char) (1 + fl_random_u64 (&random) % 255);
      g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));

      g_autoptr (FlHistory) history = fl_history_read (job, 2, FALSE, NULL);
      g_assert_nonnull (history);
      guint n = g_hash_table_size (history->done);
      g_assert_cmpuint (n, <=, 100);
      g_assert_true (seed % 2 == 0 || n == 100);
      for (guint frame = 0; frame < 100; frame++)
        if (fl_history_done (history, id_of (frame)) != NULL)
          check_shot (job, frame);
      g_auto (FlShotIndex) whole_or_nothing = { 0 };
      fl_segment_read_index (segment, &whole_or_nothing, NULL);
      FlRecorder *next = begin (job, &attempt, 0, 5, 30);
      record (next, 100);
      g_assert_true (fl_recorder_close (next, NULL));
      g_autoptr (FlBatch) sources = fl_batch_new (FL_KIND_SOURCE);
      g_assert_true (fl_master_seal_leftovers (job, attempt, 50, NULL));
      g_assert_true (fl_master_write (job, attempt, sources, NULL));
      remove_tree (job);
    }
}

/* A size that nothing stands behind is refused, whatever memory there is. */
static void
test_claims (void)
{
  g_autofree char *job = make_job (), *path = g_build_filename (job, "claims.h5", NULL);
  for (hsize_t rows = (hsize_t) 1 << 21; rows > 0; rows <<= 16)
    {
      hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
      hid_t create = H5Pcreate (H5P_DATASET_CREATE), links = H5Pcreate (H5P_LINK_CREATE);
      hid_t space = H5Screate_simple (1, &rows, NULL);
      H5Pset_chunk (create, 1, (const hsize_t[]){ 1000 });
      H5Pset_create_intermediate_group (links, 1);
      H5Dclose (H5Dcreate2 (file, "shots/id", H5T_NATIVE_UINT64, space, links, create, H5P_DEFAULT));
      H5Sclose (space);
      H5Pclose (links);
      H5Pclose (create);
      H5Fclose (file);
      g_autoptr (GError) error = NULL;
      g_auto (FlShotIndex) index = { 0 };
      g_assert_false (fl_segment_read_index (path, &index, &error));
      g_assert_nonnull (strstr (error->message, "claims.h5: table 'shots' cannot be read"));
    }
  remove_tree (job);
}

/* Many at a time give what one at a time gives, from the master and from journals, in the order asked for. */
static void
test_load (void)
{
  g_autofree char *job = make_job ();
  guint attempt;
  GError *error = NULL;
  FlRecorder *recorder = begin (job, &attempt, 0, 8, 20);
  for (guint frame = 0; frame < 200; frame++)
    record (recorder, (frame * 37) % 200);
  g_assert_true (fl_recorder_close (recorder, NULL));
  write_master (job, attempt);
  recorder = begin (job, &attempt, 0, 8, 20);
  for (guint frame = 150; frame < 220; frame++)
    record (recorder, frame); /* only in a journal */
  g_assert_true (fl_recorder_flush (recorder, NULL));
  g_autoptr (GArray) list = fl_results_list (job);
  g_autoptr (FlBatch) sources = fl_results_sources (job, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_batch_rows (sources), ==, 1);
  g_assert_cmpuint (list->len, ==, 220);
  for (guint order = 0; order < 2; order++)
    {
      g_autoptr (FlShotSet) set = fl_results_load (job, &g_array_index (list, FlResultsShot, 0), 220, &error);
      g_assert_no_error (error);
      const guint32 *frames = fl_batch_column (set->shots, "frame");
      const guint64 *owners = fl_batch_column (set->parts[FL_PART_REFLECTIONS], "shot");
      guint at = 0, n;
      for (guint i = 0; i < 220; i++)
        {
          g_assert_cmpuint (frames[i], ==, order == 0 ? i : 219 - i);
          for (n = 0; at < fl_batch_rows (set->parts[FL_PART_REFLECTIONS]) && owners[at] == id_of (frames[i]);
               at++)
            n++;
          g_assert_cmpuint (n, ==, reflections_of (frames[i]));
          check_shot (job, i);
        }
      g_assert_cmpuint (at, ==, fl_batch_rows (set->parts[FL_PART_REFLECTIONS]));
      for (guint i = 0; i < 110; i++)
        {
          FlResultsShot swapped = g_array_index (list, FlResultsShot, i);
          g_array_index (list, FlResultsShot, i) = g_array_index (list, FlResultsShot, 219 - i);
          g_array_index (list, FlResultsShot, 219 - i) = swapped;
        }
    }
  FlResultsShot missing = { id_of (999), 0, 999 };
  g_assert_null (fl_results_load (job, &missing, 1, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_clear_error (&error);
  g_assert_true (fl_recorder_close (recorder, NULL));
  remove_tree (job);
}

/* Files and journals of before there were lattices. */
static void
test_older (void)
{
  g_autofree char *job = make_job ();
  guint attempt;
  FlRecorder *recorder = begin (job, &attempt, 0, 8, 20);
  for (guint frame = 0; frame < 30; frame++)
    {
      Made made;
      FlShotRow shot = make_shot (frame, &made);
      shot.lattices = 0;
      made.parts.n_reflections = 0;
      g_assert_true (fl_recorder_add (recorder, &shot, &made.parts, NULL));
    }
  g_assert_true (fl_recorder_close (recorder, NULL));
  g_autoptr (GPtrArray) segments = fl_segment_list (job);
  const char *newer[] = { "lattices",      "reflections",         "shots/first_lattice",   "shots/n_lattices",
                          "shots/n_spots", "shots/n_reflections", "shots/first_reflection" };
  for (guint i = 0; i < segments->len; i++)
    {
      g_autofree char *path = g_build_filename (job, segments->pdata[i], NULL);
      hid_t file = H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT);
      for (guint k = 0; k < G_N_ELEMENTS (newer); k++)
        g_assert_cmpint (H5Ldelete (file, newer[k], H5P_DEFAULT), >=, 0);
      H5Fclose (file);
    }
  write_master (job, attempt);
  for (guint frame = 0; frame < 30; frame++)
    {
      GError *error = NULL;
      g_autoptr (GArray) spots = fl_results_spots (job, id_of (frame), NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (spots->len, ==, spots_of (frame));
      g_autoptr (GArray) lattices = fl_results_lattices (job, id_of (frame), NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (lattices->len, ==, 0);
    }
  remove_tree (job);
}

/* A shot counts as written only when all that belongs to it is whole. */
static void
test_lost_part (void)
{
  const FlKind kinds[] = { FL_KIND_SPOT, FL_KIND_LATTICE, FL_KIND_REFLECTION, FL_KIND_SHOT };
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autofree char *job = make_job ();
      guint attempt, seen = 0;
      FlRecorder *recorder = begin (job, &attempt, 0, 20, 100);
      for (guint frame = 0; frame < 60; frame++)
        record (recorder, frame);
      g_assert_true (fl_recorder_close (recorder, NULL));
      g_autofree char *dir = fl_attempt_path (job, attempt);
      g_autoptr (GPtrArray) journals = fl_journal_list (dir);
      g_autofree char *bytes = NULL;
      gsize length, at = 0;
      FlFrame frame;
      g_assert_true (g_file_get_contents (journals->pdata[0], &bytes, &length, NULL));
      for (; fl_frame_scan ((guint8 *) bytes + at, length - at, &frame) == FL_SCAN_FRAME; at += frame.length)
        if (frame.kind == kinds[k] && seen++ == 1) /* of the second batch */
          bytes[frame.payload - (guint8 *) bytes + 5] ^= 1;
      g_assert_cmpuint (seen, ==, 3);
      g_assert_true (g_file_set_contents (journals->pdata[0], bytes, (gssize) length, NULL));
      g_autoptr (FlHistory) history = fl_history_read (job, 2, FALSE, NULL);
      g_assert_cmpuint (history->skipped, >, 0);
      for (guint i = 0; i < 60; i++)
        g_assert_true ((fl_history_done (history, id_of (i)) != NULL) == (i / 20 != 1));
      check_shot (job, 50);
      remove_tree (job);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/results/lookup", test_lookup);
  g_test_add_func ("/results/order", test_order);
  g_test_add_func ("/results/kill", test_kill);
  g_test_add_func ("/results/strikes", test_strikes);
  g_test_add_func ("/results/attempts", test_attempts);
  g_test_add_func ("/results/damage", test_damage);
  g_test_add_func ("/results/claims", test_claims);
  g_test_add_func ("/results/load", test_load);
  g_test_add_func ("/results/older", test_older);
  g_test_add_func ("/results/lost-part", test_lost_part);
  return g_test_run ();
}
