/* ingest: journals of an attempt into the store (engine/store/ingest.h). The conductor does it by itself for what it has
 * started; this is for journals that came another way, and for looking at a job by hand. */

#include <stdio.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/ingest.h"
#include "engine/store/shots.h"

#define PROGRAM "firstlight-control ingest"

typedef struct
{
  char *store, *dir;
  gint64 attempt;
  gboolean compact;
} Options;

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
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("[DIR]");
  g_option_context_set_summary (context,
                                "Takes an attempt's journals into the store. Doing it twice does no harm.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (options.store == NULL || options.attempt <= 0 || argc > 2)
    fprintf (stderr, "%s: expected --store PATH --attempt ID [DIR]\n", PROGRAM);
  else
    {
      options.dir = argc > 1 ? argv[1] : NULL;
      status = ingest (&options);
    }
  g_free (options.store);
  return status;
}
