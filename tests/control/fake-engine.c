/* fake-engine: does to the job's folder what `firstlight-engine stills` does, without a detector: a file of the run holds
 * a number, so many shots it has; every fourth counts as a lattice in the last line. Skips what earlier attempts have
 * journalled. FAKE_SHOT_MS: how long a shot takes; FAKE_FAIL: a file; while it is there, the program removes it and fails;
 * FAKE_HOLD: a file; while it is there, the program gets no further than its first shot.
 * Every start is noted in OUT/starts. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "engine/base/journal.h"
#include "engine/base/units.h"

static volatile sig_atomic_t stopped;

static void
stop (int signal)
{
  (void) signal;
  stopped = 1;
}

/* Ids that earlier attempts have journalled. */
static GHashTable *
read_done (const char *out)
{
  GHashTable *done = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GDir) dir = g_dir_open (out, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *folder = g_build_filename (out, name, NULL);
      g_autoptr (GPtrArray) journals = fl_journal_list (folder);
      for (guint i = 0; i < journals->len; i++)
        {
          g_autoptr (FlJournalReader) reader = fl_journal_reader_open (journals->pdata[i], 0, NULL);
          FlFrame frame;
          while (fl_journal_reader_next (reader, &frame, NULL))
            {
              g_autoptr (FlBatch) batch = frame.kind == FL_KIND_SHOT
                                              ? fl_batch_decode (frame.payload, frame.payload_length, NULL)
                                              : NULL;
              const guint64 *ids = batch != NULL ? fl_batch_column (batch, "id") : NULL;
              for (guint k = 0; batch != NULL && k < fl_batch_rows (batch); k++)
                g_hash_table_add (done, g_memdup2 (&ids[k], sizeof ids[k]));
            }
        }
    }
  return done;
}

static void
note_start (const char *out, const char *attempt)
{
  g_autofree char *path = g_build_filename (out, "starts", NULL);
  g_autofree char *line = g_strdup_printf ("%s %d\n", attempt, (int) getpid ());
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT, 0666);
  if (fd < 0 || write (fd, line, strlen (line)) < 0)
    exit (1);
  close (fd);
}

/* Like the engine: what cannot be written ends it, and the reason is the last line. */
static void
append (FlJournalWriter *writer, FlBatch **batch)
{
  g_autoptr (GError) error = NULL;
  if (fl_journal_writer_append (writer, batch, 1, &error))
    return;
  fprintf (stderr, "firstlight-engine stills: %s\n", error->message);
  exit (1);
}

static guint
frames_of (const char *path)
{
  g_autofree char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? (guint) atoi (text) : 0;
}

/* export: the folders of the jobs, a line each, in place of what is in them. */
static int export(int argc, char **argv)
{
  if (argc < 7 || strcmp (argv[2], "--format") != 0 || strcmp (argv[3], "stream") != 0
      || strcmp (argv[4], "--out") != 0)
    return 2;
  g_autofree char *text = g_strjoinv ("\n", argv + 6);
  if (!g_file_set_contents (argv[5], text, -1, NULL))
    return 1;
  printf ("%s: %d jobs\n", argv[5], argc - 6);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "export") == 0)
    return export(argc, argv);
  double fraction = 1;
  const char *out = NULL, *attempt = NULL, *wait = g_getenv ("FAKE_SHOT_MS"), *fail = g_getenv ("FAKE_FAIL"),
             *hold = g_getenv ("FAKE_HOLD");
  int first = argc;
  for (int i = 2; i + 1 < argc && g_str_has_prefix (argv[i], "--"); i += 2)
    {
      if (strcmp (argv[i], "--out") == 0)
        out = argv[i + 1];
      if (strcmp (argv[i], "--attempt") == 0)
        attempt = argv[i + 1];
      if (strcmp (argv[i], "--fraction") == 0)
        fraction = g_ascii_strtod (argv[i + 1], NULL);
      first = i + 2;
    }
  if (argc < 2 || strcmp (argv[1], "stills") != 0 || out == NULL || attempt == NULL || first == argc)
    {
      fprintf (stderr, "fake-engine: the command is not as expected\n");
      return 2;
    }
  signal (SIGTERM, stop);
  signal (SIGUSR1, stop);
  note_start (out, attempt);
  g_autofree char *folder = g_strdup_printf ("%s/attempt-%04d", out, atoi (attempt));
  if (mkdir (folder, 0777) != 0)
    {
      fprintf (stderr, "firstlight-engine stills: %s: is there already\n", folder);
      return 2;
    }
  /* Two at once would be a fault of the conductor. */
  g_autofree char *lock_path = g_build_filename (out, "lock", NULL);
  int lock = open (lock_path, O_RDWR | O_CREAT, 0666);
  if (flock (lock, LOCK_EX | LOCK_NB) != 0)
    {
      note_start (out, "TWICE");
      return 1;
    }
  if (fail != NULL && unlink (fail) == 0)
    {
      fprintf (stderr, "firstlight-engine stills: %s: asked to fail\n", argv[first]);
      return 1;
    }
  g_autoptr (GHashTable) done = read_done (out);
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (folder, 0, NULL);
  g_autoptr (FlBatch) sources = fl_batch_new (FL_KIND_SOURCE);
  for (int i = first; i < argc; i++)
    fl_batch_append (sources,
                     &(FlSourceRow){ .source = (guint32) (i - first),
                                     .frames = frames_of (argv[i]),
                                     .path = argv[i],
                                     .message = frames_of (argv[i]) == 0 ? "not a number: damaged" : "" });
  append (writer, &sources);
  gboolean damaged = FALSE;
  guint shots = 0;
  for (int i = first; i < argc; i++)
    {
      damaged |= frames_of (argv[i]) == 0;
      for (guint frame = 0; frame < frames_of (argv[i]) && !stopped; frame++)
        {
          guint64 id = fl_shot_id (argv[i], frame);
          if (g_hash_table_contains (done, &id) || frame >= fraction * frames_of (argv[i]))
            continue;
          g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
          fl_batch_append (batch, &(FlShotRow){ .id = id,
                                                .source = (guint32) (i - first),
                                                .frame = frame,
                                                .start = fl_now_ns (),
                                                .outcome = frame % 4 == 0 ? FL_OUTCOME_HIT : FL_OUTCOME_MISS,
                                                .spots = frame % 4 == 0 ? 20 : 1 });
          append (writer, &batch);
          shots++;
          g_usleep ((gulong) (wait != NULL ? atoi (wait) * 1000 : 0));
          while (hold != NULL && !stopped && g_file_test (hold, G_FILE_TEST_EXISTS))
            g_usleep (5000);
        }
    }
  shots += g_hash_table_size (done);
  printf ("%u shots, 0 hits, 0 indexed, %u lattices\n", shots, shots / 4);
  if (damaged)
    fprintf (stderr, "firstlight-engine stills: a file is damaged\n");
  return stopped ? 75 : damaged ? 2 : 0;
}
