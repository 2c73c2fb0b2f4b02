/* ingest: journals of an attempt into the store (engine/store/ingest.h). The conductor does it by itself for what it has
 * started; this is for journals that came another way, for looking at a job by hand, and, with --follow, for a job's script at
 * a site that reaches the database (resources/jobs). */

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/ingest.h"
#include "engine/store/people.h"
#include "engine/store/shots.h"

#define PROGRAM      "firstlight-control ingest"
#define LOOK_MS      1000
#define LAST_LOOK_S  15 /* a database that hangs does not keep a job's script from ending */
#define LONGEST_WAIT 30 /* s, between two tries to open it */

typedef struct
{
  char *store, *dir;
  gint64 attempt;
  gboolean compact, follow;
} Options;

/* --- beside a job --- */

static volatile sig_atomic_t stopping;

static void
stop (int signal)
{
  (void) signal;
  stopping = 1;
  alarm (LAST_LOOK_S); /* ends us */
}

/* Asked to end; or whoever started us is gone, and nobody will ask. */
static gboolean
is_over (pid_t parent)
{
  if (!stopping && getppid () != parent)
    stop (0);
  return stopping;
}

static gboolean
may_try_again (const GError *error)
{
  return g_error_matches (error, FL_ERROR, FL_ERROR_LOST) || g_error_matches (error, FL_ERROR, FL_ERROR_BUSY);
}

/* Said once, until it answers again. */
static void
say_lost (gboolean *lost, const GError *error)
{
  if (!*lost)
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  *lost = TRUE;
}

/* NULL without error: asked to end before it could be opened. */
static FlStore *
open_patiently (const Options *options, pid_t parent, gboolean *lost, GError **error)
{
  for (guint wait = 1; !is_over (parent); wait = MIN (2 * wait, LONGEST_WAIT))
    {
      g_autoptr (GError) failed = NULL;
      FlStore *store = fl_store_open (options->store, FL_STORE_WRITE, &failed);
      if (store != NULL && fl_store_role (store) >= FL_ROLE_OPERATOR)
        return store;
      if (store != NULL) /* not first when there is something to write */
        g_set_error (&failed, FL_ERROR, FL_ERROR_DENIED, "%s: %s is a viewer, who may not take in results",
                     fl_store_path (store), fl_store_account (store));
      fl_store_close (store);
      if (!may_try_again (failed))
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return NULL;
        }
      say_lost (lost, failed);
      for (guint i = 0; i < wait && !is_over (parent); i++)
        g_poll (NULL, 0, LOOK_MS);
    }
  return NULL;
}

/* What is missing at the end the conductor finds in the journals. */
static gboolean
follow_store (const Options *options, FlStore *store, pid_t parent, gboolean *lost, FlIngested *news,
              GError **error)
{
  g_autoptr (FlIngest) ingest = fl_ingest_new (store, options->attempt, options->dir);
  for (gboolean last = FALSE; !last;)
    {
      g_autoptr (GError) failed = NULL;
      last = is_over (parent);
      gboolean there = g_file_test (options->dir, G_FILE_TEST_IS_DIR);
      gboolean ok = !there || fl_ingest_update (ingest, news, &failed);
      if (ok && *lost)
        fprintf (stderr, "%s: the database answers again\n", PROGRAM);
      if (ok)
        *lost = FALSE;
      else if (may_try_again (failed))
        say_lost (lost, failed);
      else
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
      if (!last && !is_over (parent))
        g_poll (NULL, 0, LOOK_MS); /* a signal ends it */
    }
  return TRUE;
}

static int
follow (const Options *options)
{
  g_autoptr (GError) error = NULL;
  gboolean lost = FALSE;
  FlIngested news = { 0 };
  pid_t parent = getppid ();
  signal (SIGTERM, stop);
  signal (SIGINT, stop);
  signal (SIGUSR1, SIG_IGN); /* the job's */
  signal (SIGUSR2, SIG_IGN);
  g_autoptr (FlStore) store = open_patiently (options, parent, &lost, &error);
  if (error != NULL || (store != NULL && !follow_store (options, store, parent, &lost, &news, &error)))
    return fl_program_fail (PROGRAM, error);
  printf ("%" G_GUINT64_FORMAT " shots in %" G_GUINT64_FORMAT " frames\n", news.shots, news.frames);
  return lost ? 75 : 0;
}

/* --- once --- */

static int
ingest (const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (options->store, FL_STORE_WRITE, &error);
  if (store == NULL)
    return fl_program_fail (PROGRAM, error);
  g_autofree char *folder = options->dir != NULL ? g_strdup (options->dir)
                                                 : fl_store_attempt_folder (store, options->attempt, &error);
  if (folder == NULL)
    return fl_program_fail (PROGRAM, error);
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    {
      fprintf (stderr, "%s: %s: is not a folder, expected the one with the attempt's journals\n", PROGRAM,
               folder);
      return 2;
    }
  g_autoptr (FlIngest) ingest = fl_ingest_new (store, options->attempt, folder);
  FlIngested news = { 0 };
  guint64 begin = fl_tick_ns ();
  if (!fl_ingest_update (ingest, &news, &error)
      || (options->compact && !fl_store_compact (store, options->attempt, &error)))
    return fl_program_fail (PROGRAM, error);
  printf ("%" G_GUINT64_FORMAT " shots in %" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT
          " bytes (%" G_GUINT64_FORMAT " damaged), %.3f s\n",
          news.shots, news.frames, news.bytes, news.skipped, (double) (fl_tick_ns () - begin) * 1e-9);
  return 0;
}

int
fl_program_ingest (int argc, char **argv)
{
  Options options = { 0 };
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = { { "store", 's', 0, G_OPTION_ARG_FILENAME, &options.store,
                                     "The experiment's folder or database", "PATH" },
                                   { "attempt", 'a', 0, G_OPTION_ARG_INT64, &options.attempt,
                                     "The attempt's number in the store (its id)", "ID" },
                                   { "compact", 0, 0, G_OPTION_ARG_NONE, &options.compact,
                                     "The attempt has ended: put its slices in order", NULL },
                                   { "follow", 0, 0, G_OPTION_ARG_NONE, &options.follow,
                                     "Go on until asked to end, beside a job that writes them", NULL },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("[DIR]");
  g_option_context_set_summary (context,
                                "Takes an attempt's journals into the store. Doing it twice does no harm.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (options.store == NULL || options.attempt <= 0 || argc > 2
           || (options.follow && (argc < 2 || options.compact)))
    fprintf (stderr, "%s: expected --store PATH --attempt ID [--compact] [DIR], or --follow DIR\n", PROGRAM);
  else
    {
      options.dir = argc > 1 ? argv[1] : NULL;
      status = options.follow ? follow (&options) : ingest (&options);
    }
  g_free (options.store);
  return status;
}
