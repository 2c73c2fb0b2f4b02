/* The journal: several writers, kills in the middle of a write, damage anywhere. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "engine/base/journal.h"

static char *
temporary_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("firstlight-journal-XXXXXX", &error);
  g_assert_no_error (error);
  return dir;
}

static void
remove_folder (char *dir)
{
  g_autoptr (GPtrArray) paths = fl_journal_list (dir);
  for (guint i = 0; i < paths->len; i++)
    g_unlink (g_ptr_array_index (paths, i));
  g_rmdir (dir);
  g_free (dir);
}

static void
append_shots (FlJournalWriter *writer, guint32 rank, guint first, guint n)
{
  g_autoptr (FlBatch) shots = fl_batch_new (FL_KIND_SHOT), spots = fl_batch_new (FL_KIND_SPOT);
  g_autoptr (GError) error = NULL;
  for (guint i = first; i < first + n; i++)
    {
      guint64 id = ((guint64) rank << 32) | i;
      fl_batch_append (shots, &(FlShotRow){ .id = id, .frame = i, .message = "m" });
      fl_batch_append (spots, &(FlSpotRow){ .shot = id });
    }
  FlBatch *both[] = { spots, shots };
  g_assert_true (fl_journal_writer_append (writer, both, 2, &error));
  g_assert_no_error (error);
}

/* Reads all of a folder's journals: the shots' ids, each once, and the spots' before their shot. */
static GHashTable *
read_shots (const char *dir, guint64 *skipped)
{
  GHashTable *ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GHashTable) spots = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GPtrArray) paths = fl_journal_list (dir);
  g_autoptr (GError) error = NULL;
  *skipped = 0;
  for (guint p = 0; p < paths->len; p++)
    {
      g_autoptr (FlJournalReader) reader = fl_journal_reader_open (g_ptr_array_index (paths, p), 0, &error);
      FlFrame frame;
      g_assert_no_error (error);
      while (fl_journal_reader_next (reader, &frame, &error))
        {
          if (frame.kind != FL_KIND_SHOT && frame.kind != FL_KIND_SPOT)
            continue;
          g_autoptr (FlBatch) batch = fl_batch_decode (frame.payload, frame.payload_length, &error);
          g_assert_no_error (error);
          g_assert_cmpuint (fl_batch_rows (batch), ==, frame.rows);
          const guint64 *id = fl_batch_column (batch, frame.kind == FL_KIND_SHOT ? "id" : "shot");
          for (guint i = 0; i < frame.rows; i++)
            if (frame.kind == FL_KIND_SPOT)
              g_hash_table_add (spots, g_memdup2 (&id[i], 8));
            else
              {
                g_assert_true (g_hash_table_contains (spots, &id[i]));
                g_assert_true (g_hash_table_add (ids, g_memdup2 (&id[i], 8)));
              }
        }
      g_assert_no_error (error);
      *skipped += fl_journal_reader_skipped (reader);
    }
  return ids;
}

static void
test_many_writers (void)
{
  char *dir = temporary_folder ();
  guint64 skipped;
  for (guint32 rank = 0; rank < 4; rank++)
    if (fork () == 0)
      {
        FlJournalWriter *writer = fl_journal_writer_open (dir, rank, NULL);
        for (guint i = 0; i < 200; i++)
          append_shots (writer, rank, i * 5, 5);
        fl_journal_writer_close (writer, NULL);
        _exit (0);
      }
  while (wait (NULL) > 0)
    ;
  g_autoptr (GHashTable) ids = read_shots (dir, &skipped);
  g_assert_cmpuint (g_hash_table_size (ids), ==, 4 * 1000);
  g_assert_cmpuint (skipped, ==, 0);
  remove_folder (dir);
}

/* A reader that follows while writers are killed at random moments: what it has read is a prefix of what is there, no
 * frame is read twice, and whatever a surviving writer appended is found. */
static void
test_kill (void)
{
  FlRandom random = fl_random (11);
  for (int round = 0; round < 20; round++)
    {
      char *dir = temporary_folder ();
      guint64 skipped;
      pid_t children[3];
      for (guint32 rank = 0; rank < 3; rank++)
        if ((children[rank] = fork ()) == 0)
          {
            FlJournalWriter *writer = fl_journal_writer_open (dir, rank, NULL);
            for (guint i = 0; i < (rank == 2 ? 50u : 100000u); i++)
              append_shots (writer, rank, i * 50, 50);
            fl_journal_writer_close (writer, NULL);
            _exit (0);
          }
      g_usleep (2000 + fl_random_u64 (&random) % 20000);
      kill (children[0], SIGKILL);
      kill (children[1], SIGKILL);
      while (wait (NULL) > 0)
        ;
      g_autoptr (GHashTable) ids = read_shots (dir, &skipped);
      for (guint i = 0; i < 2500; i++)
        {
          guint64 id = (2ull << 32) | i;
          g_assert_true (g_hash_table_contains (ids, &id));
        }
      g_assert_cmpuint (g_hash_table_size (ids) % 50, ==, 0);
      remove_folder (dir);
    }
}

/* Damage of one frame costs that frame, wherever it is. */
static void
test_damage (void)
{
  char *dir = temporary_folder ();
  FlJournalWriter *writer = fl_journal_writer_open (dir, 0, NULL);
  for (guint i = 0; i < 30; i++)
    append_shots (writer, 0, i * 10, 10);
  fl_journal_writer_close (writer, NULL);
  g_autoptr (GPtrArray) paths = fl_journal_list (dir);
  const char *path = g_ptr_array_index (paths, 0);
  g_autofree char *whole = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  FlRandom r = fl_random (5);
  for (int trial = 0; trial < 300; trial++)
    {
      g_autofree guint8 *copy = g_memdup2 (whole, length);
      gsize at = fl_random_u64 (&r) % length, offset = 0;
      guint frames = 0;
      FlFrame frame;
      copy[at] ^= (guint8) (1 + fl_random_u64 (&r) % 255);
      while (offset < length && fl_frame_scan (copy + offset, length - offset, &frame) == FL_SCAN_FRAME)
        {
          offset += frame.length;
          frames++;
        }
      g_assert_cmpuint (frames, ==, 60); /* 30 spot and 30 shot frames and a schema, less the damaged one */
    }
  /* A cut file: the frames before the cut, then wait. */
  for (int trial = 0; trial < 300; trial++)
    {
      gsize cut = fl_random_u64 (&r) % length, offset = 0;
      FlFrame frame;
      while (fl_frame_scan ((guint8 *) whole + offset, cut - offset, &frame) == FL_SCAN_FRAME)
        offset += frame.length;
      g_assert_cmpuint (frame.length, ==, 0);
      g_assert_cmpuint (offset, <=, cut);
    }
  remove_folder (dir);
}

/* A second reader goes on where the first one stopped. */
static void
test_resume (void)
{
  char *dir = temporary_folder ();
  FlJournalWriter *writer = fl_journal_writer_open (dir, 0, NULL);
  FlFrame frame;
  guint64 offset = 0, frames = 0;
  for (guint i = 0; i < 20; i++)
    {
      append_shots (writer, 0, i, 1);
      g_autoptr (GPtrArray) paths = fl_journal_list (dir);
      g_autoptr (FlJournalReader) reader =
          fl_journal_reader_open (g_ptr_array_index (paths, 0), offset, NULL);
      while (fl_journal_reader_next (reader, &frame, NULL))
        g_assert_cmpuint (frame.sequence, ==, ++frames);
      offset = fl_journal_reader_offset (reader);
    }
  g_assert_cmpuint (frames, ==, 41);
  fl_journal_writer_close (writer, NULL);
  remove_folder (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/journal/many-writers", test_many_writers);
  g_test_add_func ("/journal/kill", test_kill);
  g_test_add_func ("/journal/damage", test_damage);
  g_test_add_func ("/journal/resume", test_resume);
  return g_test_run ();
}
