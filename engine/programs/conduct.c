/* conduct: the conductor, a process of its own (engine/control/conductor.h). */

#include <signal.h>
#include <stdio.h>

#include <glib-unix.h>

#include "engine/base/error.h"
#include "engine/control/conductor.h"
#include "engine/control/process.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"

#define PROGRAM        "firstlight-control conduct"
#define SETTLE_SECONDS 10
#define STAND_BY_MS    500
#define TICK_MS        50 /* how soon a round follows one that has got on */

typedef struct
{
  char *store, *engine;
  gboolean once, until_idle, stand_by;
  double interval;
} Options;

typedef struct
{
  FlConductor *conductor;
  GMainLoop *loop;
  const Options *options;
  int status;
  gint64 due;    /* monotonic µs: the next round at the latest */
  char *last;    /* message said last, so as not to repeat it every second */
  gboolean lost; /* the database does not answer, which has been said */
} Conduct;

static void
say (Conduct *conduct, const GError *error)
{
  gboolean lost = g_error_matches (error, FL_ERROR, FL_ERROR_LOST);
  if (lost && conduct->lost)
    return;
  conduct->lost = lost;
  if (g_strcmp0 (error->message, conduct->last) == 0)
    return;
  fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  g_free (conduct->last);
  conduct->last = g_strdup (error->message);
}

static gboolean
stop (gpointer data)
{
  g_main_loop_quit (((Conduct *) data)->loop);
  return G_SOURCE_CONTINUE;
}

static void
do_round (Conduct *conduct)
{
  g_autoptr (GError) error = NULL;
  conduct->due = g_get_monotonic_time () + (gint64) (conduct->options->interval * G_USEC_PER_SEC);
  if (!fl_conductor_round (conduct->conductor, &error))
    {
      say (conduct, error);
      if (g_error_matches (error, FL_ERROR, FL_ERROR_DENIED) || !fl_conductor_has_lease (conduct->conductor))
        {
          conduct->status = fl_error_exit_status (error);
          g_main_loop_quit (conduct->loop);
        }
    }
  else
    {
      g_clear_pointer (&conduct->last, g_free);
      if (conduct->lost)
        fprintf (stderr, "%s: the database answers again\n", PROGRAM);
      conduct->lost = FALSE;
      /* Only a whole round has looked for runs, and granted what people want. */
      if (conduct->options->until_idle && fl_conductor_is_idle (conduct->conductor))
        g_main_loop_quit (conduct->loop);
    }
}

static gboolean
tick (gpointer data)
{
  Conduct *conduct = data;
  if (g_get_monotonic_time () >= conduct->due || fl_conductor_is_in_hurry (conduct->conductor))
    do_round (conduct);
  return G_SOURCE_CONTINUE;
}

static gboolean
be_late (gpointer late)
{
  *(gboolean *) late = TRUE;
  return G_SOURCE_CONTINUE;
}

/* What the sites have been asked is waited for, a while: their answers are recorded by whoever asked. */
static void
settle (Conduct *conduct)
{
  gboolean late = FALSE;
  guint timer = g_timeout_add_seconds (SETTLE_SECONDS, be_late, &late);
  while (fl_conductor_pending (conduct->conductor) > 0 && !late)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
}

static void
run_once (Conduct *conduct)
{
  do_round (conduct);
  settle (conduct);
}

/* Whoever stands by holds nothing: a signal ends it as it does any program. */
static FlConductor *
begin (const Options *options, FlStore *store, GError **error)
{
  for (gboolean said = FALSE;; g_usleep (STAND_BY_MS * 1000))
    {
      g_autoptr (GError) failed = NULL;
      g_autofree char *holder =
          options->stand_by ? fl_store_lease_holder (store, FL_CONDUCTOR_LEASE, &failed) : NULL;
      gboolean free = failed == NULL && (holder == NULL || fl_process_is_gone (holder));
      FlConductor *conductor = free ? fl_conductor_new (store, options->engine, &failed) : NULL;
      gboolean again = failed == NULL || g_error_matches (failed, FL_ERROR, FL_ERROR_BUSY)
                       || g_error_matches (failed, FL_ERROR, FL_ERROR_LOST);
      if (conductor == NULL && options->stand_by && again)
        {
          if (!said)
            fprintf (stderr, "%s: stands by (%s)\n", PROGRAM, failed != NULL ? failed->message : holder);
          said = TRUE;
          continue;
        }
      if (failed != NULL)
        g_propagate_error (error, g_steal_pointer (&failed));
      return conductor;
    }
}

static int
conduct_store (const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (options->store, FL_STORE_WRITE, &error);
  g_autoptr (FlConductor) conductor = store != NULL ? begin (options, store, &error) : NULL;
  if (conductor == NULL)
    return fl_program_fail (PROGRAM, error);
  /* Whoever borrowed a channel may go in the middle of it. */
  signal (SIGPIPE, SIG_IGN);
  Conduct conduct = { .conductor = conductor, .options = options, .loop = g_main_loop_new (NULL, FALSE) };
  g_unix_signal_add (SIGTERM, stop, &conduct);
  g_unix_signal_add (SIGINT, stop, &conduct);
  g_unix_signal_add (SIGHUP, stop, &conduct);
  if (options->once)
    run_once (&conduct);
  else
    {
      guint rounds = g_timeout_add (MIN ((guint) (options->interval * 1000), TICK_MS), tick, &conduct);
      do_round (&conduct);
      if (conduct.status == 0)
        g_main_loop_run (conduct.loop);
      g_source_remove (rounds);
      settle (&conduct);
    }
  g_main_loop_unref (conduct.loop);
  g_free (conduct.last);
  return conduct.status;
}

int
fl_program_conduct (int argc, char **argv)
{
  Options options = { .interval = 1.0 };
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &options.store, "The experiment's folder or database", "PATH" },
    { "engine", 0, 0, G_OPTION_ARG_FILENAME, &options.engine,
      "firstlight-engine (default: the site's, or beside me)", "FILE" },
    { "interval", 0, 0, G_OPTION_ARG_DOUBLE, &options.interval, "Seconds between rounds (1)", "S" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &options.once, "One round only; what runs goes on", NULL },
    { "until-idle", 0, 0, G_OPTION_ARG_NONE, &options.until_idle, "End when nothing is left to do", NULL },
    { "stand-by", 0, 0, G_OPTION_ARG_NONE, &options.stand_by,
      "Wait while another conductor is at work, take over when it is gone", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (
      context, "Finds runs, submits the jobs that are wanted, watches them and takes in what "
               "they write.\nEnds with status 75 when another conductor is at work.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc > 1)
    fprintf (stderr, "%s: '%s' is too much, expected options only\n", PROGRAM, argv[1]);
  else if (options.store == NULL)
    fprintf (stderr, "%s: --store is missing, expected the experiment's folder\n", PROGRAM);
  else if (!(options.interval >= 0.01 && options.interval <= 3600))
    fprintf (stderr, "%s: --interval is out of range, expected 0.01 to 3600 s\n", PROGRAM);
  else
    status = conduct_store (&options);
  g_free (options.store);
  g_free (options.engine);
  return status;
}
