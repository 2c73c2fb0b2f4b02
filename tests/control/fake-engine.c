/* fake-engine: does to the job's folder what `firstlight-engine stills` does, without a detector: a file of the run holds
 * a number, so many shots it has; every fourth counts as a lattice in the last line. Skips what earlier attempts have
 * journalled. As `hits` it does the same for single particles: of four shots one is a hit, the others are blank. As
 * `reconstruct` it makes FAKE_GENERATIONS generations of what the jobs found, goes on from OUT/checkpoint, leaves volumes, and
 * in OUT/former the job that it was to start from. As `merge` it leaves a state and a journal of what it was given: so many lattices, two shells, three of four lattices used.
 * FAKE_SHOT_MS: how long a shot takes; FAKE_FAIL: a file; while it is there, the command that it names (none: stills) removes it
 * and fails; FAKE_HOLD: a file; while it is there, the program gets no further than its first shot; FAKE_HOLD_GENERATIONS: nor
 * than one generation; FAKE_FORGET: a reconstruction saves nothing. Every start is noted in OUT/starts. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
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

typedef struct
{
  const char *command, *out, *attempt, *parent;
  double fraction;
  char **inputs;
  char *folder; /* of the attempt */
} Job;

/* Like the engine: the reason is the last line. */
static void G_GNUC_PRINTF (3, 4) G_GNUC_NORETURN fail (const Job *job, int status, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  fprintf (stderr, "firstlight-engine %s: %s\n", job->command, message);
  exit (status);
}

static void
append (const Job *job, FlJournalWriter *writer, FlBatch *const *batches, guint n)
{
  g_autoptr (GError) error = NULL;
  if (!fl_journal_writer_append (writer, batches, n, &error))
    fail (job, 1, "%s", error->message);
}

static void
fail_if_asked (const Job *job)
{
  const char *path = g_getenv ("FAKE_FAIL");
  g_autofree char *whom = NULL;
  if (path != NULL && g_file_get_contents (path, &whom, NULL, NULL)
      && strcmp (job->command, *whom == '\0' ? "stills" : whom) == 0 && unlink (path) == 0)
    fail (job, 1, "%s: asked to fail", job->inputs[0]);
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

static int
merge (const Job *job)
{
  g_autofree char *state = g_build_filename (job->out, "merge.state", NULL);
  g_autofree char *parent = job->parent != NULL ? g_build_filename (job->parent, "merge.state", NULL) : NULL;
  g_autofree char *parent_sum = NULL;
  if (parent != NULL && !g_file_get_contents (parent, &parent_sum, NULL, NULL))
    fail (job, 2, "%s: cannot be read", parent);
  guint shots = 0;
  for (char **input = job->inputs; *input != NULL; input++)
    {
      g_autoptr (GHashTable) done = read_done (*input);
      shots += g_hash_table_size (done);
    }
  guint lattices = shots / 4, used = lattices * 3 / 4;
  g_autofree char *sum = g_strdup_printf ("%016x", lattices);
  g_autoptr (FlBatch) merges = fl_batch_new (FL_KIND_MERGE), shells = fl_batch_new (FL_KIND_SHELL);
  g_autoptr (FlBatch) rejections = fl_batch_new (FL_KIND_REJECTION), trend = fl_batch_new (FL_KIND_TREND);
  fl_batch_append (merges, &(FlMergeRow){ .time = fl_now_ns (),
                                          .lattices = lattices,
                                          .used = used,
                                          .ambiguity = "",
                                          .error_model = "none",
                                          .reference = "",
                                          .lattice_sum = sum,
                                          .parent_sum = parent_sum });
  for (guint16 i = 0; i < 3; i++)
    fl_batch_append (shells, &(FlShellRow){ .number = i, .lattices = used });
  fl_batch_append (rejections,
                   &(FlRejectionRow){ .reason = "too few reflections", .lattices = lattices - used });
  for (guint i = 2; i > 0; i--)
    fl_batch_append (trend, &(FlTrendRow){ .lattices = used / i });
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (job->folder, 0, NULL);
  append (job, writer, (FlBatch *[]){ merges, shells, rejections, trend }, 4);
  if (!g_file_set_contents (state, sum, -1, NULL))
    fail (job, 1, "%s: cannot be written", state);
  printf ("%u lattices, %u used, 1 reflections, CC1/2 1.0000, completeness 100.00 %%\n", lattices, used);
  return 0;
}

static void
note_particle (const Job *job, FlJournalWriter *writer, guint64 shot, gboolean hit)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_PARTICLE);
  fl_batch_append (batch, &(FlParticleRow){ .shot = shot,
                                            .class = hit ? FL_PARTICLE_SINGLE : FL_PARTICLE_BLANK,
                                            .photons = hit ? 1000 : 50,
                                            .background = 50 });
  append (job, writer, &batch, 1);
}

/* Shots of one file that nobody has done. */
static guint
look_at (const Job *job, FlJournalWriter *writer, guint source, GHashTable *done)
{
  const char *path = job->inputs[source], *wait = g_getenv ("FAKE_SHOT_MS"), *hold = g_getenv ("FAKE_HOLD");
  guint frames = frames_of (path), shots = 0;
  for (guint frame = 0; frame < frames && !stopped; frame++)
    {
      guint64 id = fl_shot_id (path, frame);
      if (g_hash_table_contains (done, &id) || frame >= job->fraction * frames)
        continue;
      g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
      fl_batch_append (batch, &(FlShotRow){ .id = id,
                                            .source = source,
                                            .frame = frame,
                                            .start = fl_now_ns (),
                                            .outcome = frame % 4 == 0 ? FL_OUTCOME_HIT : FL_OUTCOME_MISS,
                                            .spots = frame % 4 == 0 ? 20 : 1 });
      append (job, writer, &batch, 1);
      if (strcmp (job->command, "hits") == 0)
        note_particle (job, writer, id, frame % 4 == 0);
      shots++;
      g_usleep ((gulong) (wait != NULL ? atoi (wait) * 1000 : 0));
      while (hold != NULL && !stopped && g_file_test (hold, G_FILE_TEST_EXISTS))
        g_usleep (5000);
    }
  return shots;
}

static int
stills (const Job *job)
{
  g_autoptr (GHashTable) done = read_done (job->out);
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (job->folder, 0, NULL);
  g_autoptr (FlBatch) sources = fl_batch_new (FL_KIND_SOURCE);
  gboolean damaged = FALSE;
  guint shots = g_hash_table_size (done), n = g_strv_length (job->inputs);
  for (guint i = 0; i < n; i++)
    {
      guint frames = frames_of (job->inputs[i]);
      damaged |= frames == 0;
      fl_batch_append (sources, &(FlSourceRow){ .source = i,
                                                .frames = frames,
                                                .path = job->inputs[i],
                                                .message = frames == 0 ? "not a number: damaged" : "" });
    }
  append (job, writer, &sources, 1);
  for (guint i = 0; i < n; i++)
    shots += look_at (job, writer, i, done);
  if (strcmp (job->command, "hits") == 0)
    printf ("%u shots, %u hits, %u blank, 0 several, 0 junk\n", shots, shots / 4, shots - shots / 4);
  else
    printf ("%u shots, 0 hits, 0 indexed, %u lattices\n", shots, shots / 4);
  if (damaged)
    fprintf (stderr, "firstlight-engine %s: a file is damaged\n", job->command);
  return stopped ? 75 : damaged ? 2 : 0;
}

static void
write_volume (const Job *job, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_mkdir_with_parents (parent, 0777);
  if (!g_file_set_contents (path, name, -1, NULL))
    fail (job, 1, "%s: cannot be written", path);
}

static int
reconstruct (const Job *job)
{
  const char *wanted = g_getenv ("FAKE_GENERATIONS"), *hold = g_getenv ("FAKE_HOLD_GENERATIONS");
  g_autofree char *checkpoint = g_build_filename (job->out, "checkpoint", NULL), *list = NULL;
  guint patterns = 0, number = frames_of (checkpoint), last = wanted != NULL ? (guint) atoi (wanted) : 2;
  for (char **input = job->inputs; *input != NULL; input++)
    {
      g_autoptr (GHashTable) done = read_done (*input);
      patterns += g_hash_table_size (done) / 4;
    }
  g_autoptr (FlJournalWriter) writer = fl_journal_writer_open (job->folder, 0, NULL);
  while (number < last && !stopped)
    {
      g_autofree char *volume = g_strdup_printf ("volumes/g%04u-c0.mrc", ++number);
      g_autofree char *text = g_strdup_printf ("%u", number);
      g_autoptr (FlBatch) generation = fl_batch_new (FL_KIND_GENERATION),
                          shares = fl_batch_new (FL_KIND_OCCUPANCY);
      fl_batch_append (generation, &(FlGenerationRow){ .number = number, .patterns = patterns });
      fl_batch_append (shares, &(FlOccupancyRow){ .generation = number, .share = 1, .volume = 1 });
      write_volume (job, job->folder, volume);
      append (job, writer, (FlBatch *[]){ shares, generation }, 2);
      if (g_getenv ("FAKE_FORGET") == NULL && !g_file_set_contents (checkpoint, text, -1, NULL))
        fail (job, 1, "%s: cannot be written", checkpoint);
      while (hold != NULL && !stopped && g_file_test (hold, G_FILE_TEST_EXISTS))
        g_usleep (5000);
    }
  list = g_strjoinv ("\n", job->inputs);
  write_volume (job, job->out, "density-c0.mrc");
  g_autofree char *inputs = g_build_filename (job->out, "inputs", NULL);
  if (!g_file_set_contents (inputs, list, -1, NULL))
    fail (job, 1, "%s: cannot be written", inputs);
  g_autofree char *former = g_build_filename (job->out, "former", NULL);
  if (job->parent != NULL && !g_file_set_contents (former, job->parent, -1, NULL))
    fail (job, 1, "%s: cannot be written", former);
  printf ("%u generations of %u patterns\n", number, patterns);
  return number < last ? 75 : 0;
}

/* map --params FILE --out FOLDER --data FILE: the data's path, in place of a map of them. */
static int
map (int argc, char **argv)
{
  if (argc != 8 || strcmp (argv[2], "--params") != 0 || strcmp (argv[4], "--out") != 0
      || strcmp (argv[6], "--data") != 0 || !g_file_test (argv[3], G_FILE_TEST_EXISTS))
    return 2;
  g_autofree char *path = g_build_filename (argv[5], "map.json", NULL);
  note_start (argv[5], "1");
  return g_file_set_contents (path, argv[7], -1, NULL) ? 0 : 1;
}

static void
parse (Job *job, int argc, char **argv)
{
  int i = 2;
  job->command = argc > 1 ? argv[1] : "";
  for (; i + 1 < argc && g_str_has_prefix (argv[i], "--"); i += 2)
    {
      if (strcmp (argv[i], "--out") == 0)
        job->out = argv[i + 1];
      if (strcmp (argv[i], "--attempt") == 0)
        job->attempt = argv[i + 1];
      if (strcmp (argv[i], "--parent") == 0 || strcmp (argv[i], "--start-from") == 0)
        job->parent = argv[i + 1];
      if (strcmp (argv[i], "--fraction") == 0)
        job->fraction = g_ascii_strtod (argv[i + 1], NULL);
    }
  job->inputs = argv + i;
  static const char *const commands[] = { "stills", "hits", "merge", "reconstruct", NULL };
  if (!g_strv_contains (commands, job->command) || job->out == NULL || job->attempt == NULL || i == argc)
    fail (job, 2, "the command is not as expected");
}

int
main (int argc, char **argv)
{
  Job job = { .fraction = 1 };
  if (argc > 1 && strcmp (argv[1], "export") == 0)
    return export(argc, argv);
  if (argc > 1 && strcmp (argv[1], "map") == 0)
    return map (argc, argv);
  parse (&job, argc, argv);
  signal (SIGTERM, stop);
  signal (SIGUSR1, stop);
  note_start (job.out, job.attempt);
  job.folder = g_strdup_printf ("%s/attempt-%04d", job.out, atoi (job.attempt));
  if (mkdir (job.folder, 0777) != 0)
    fail (&job, 2, "%s: is there already", job.folder);
  /* Two at once would be a fault of the conductor. */
  g_autofree char *lock_path = g_build_filename (job.out, "lock", NULL);
  int lock = open (lock_path, O_RDWR | O_CREAT, 0666);
  if (flock (lock, LOCK_EX | LOCK_NB) != 0)
    {
      note_start (job.out, "TWICE");
      return 1;
    }
  fail_if_asked (&job);
  int status = strcmp (job.command, "merge") == 0         ? merge (&job)
               : strcmp (job.command, "reconstruct") == 0 ? reconstruct (&job)
                                                          : stills (&job);
  g_free (job.folder);
  return status;
}
