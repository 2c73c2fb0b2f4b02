/* firstlight-control follow: keeps a collaborator's own copy of an experiment at the far end of a link (mirror.h), by asking
 * a `serve` child there for what has changed.
 *
 *     firstlight-control follow --into FOLDER --store STORE -- ssh HOST firstlight-control serve
 *
 * FOLDER/firstlight.sqlite is the copy, FOLDER/follow.ini says how its pictures and logs are asked for (engine/store/mirror.h
 * has the format). One line a change of state goes to standard output. Polls every second, every five while nothing
 * happens. Ends with 0 when asked to (SIGTERM, SIGINT), 2 when there is no such experiment at the far end or it is of
 * another version; while the link is down it tries again, for ever. */

#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/mirror.h"
#include "engine/view/client.h"

#define PROGRAM     "firstlight-control follow"
#define SHORTEST_MS 1000u
#define LONGEST_MS  5000u
#define MOST_BYTES  (4u << 20) /* of a batch */

typedef struct
{
  FlMirror *mirror;
  FlViewClient *client;
  GMainLoop *loop;
  const char *folder, *store;
  gboolean once;
  gboolean met; /* the far end has answered */
  guint pause_ms;
  guint64 records, slices, bytes; /* since it was last up to date */
  char *said;
  int status;
} Follow;

static void ask (Follow *follow);

/* What came over the link may hold anything. */
static void
say (Follow *follow, const char *state)
{
  g_autofree char *line = fl_one_line (g_strdup (state), ' ');
  if (g_strcmp0 (follow->said, line) == 0)
    return;
  printf ("%s\n", line);
  fflush (stdout);
  g_free (follow->said);
  follow->said = g_steal_pointer (&line);
}

static gboolean
on_time (gpointer data)
{
  ask (data);
  return G_SOURCE_REMOVE;
}

static void
fail (Follow *follow, const GError *error)
{
  follow->status = fl_program_fail (PROGRAM, error);
  g_main_loop_quit (follow->loop);
}

/* Whether asking again cannot help. A store that was there and is not (a disk that is being mounted) may come back. */
static gboolean
is_final (const Follow *follow, const GError *error)
{
  return g_error_matches (error, FL_ERROR, FL_ERROR_UNSUPPORTED)
         || g_error_matches (error, FL_ERROR, FL_ERROR_INPUT)
         || (g_error_matches (error, FL_ERROR, FL_ERROR_MISSING) && (!follow->met || follow->once));
}

static void
take_batch (Follow *follow, GBytes *batch)
{
  g_autoptr (GError) error = NULL;
  FlMirrorNews news;
  follow->met = TRUE;
  if (!fl_mirror_apply (follow->mirror, batch, &news, &error))
    {
      fail (follow, error);
      return;
    }
  gboolean any = news.records + news.slices > 0;
  follow->records += news.records;
  follow->slices += news.slices;
  follow->bytes += g_bytes_get_size (batch);
  if (news.more)
    {
      say (follow, "catching up");
      ask (follow);
      return;
    }
  fl_mirror_set_whole (follow->folder);
  if (follow->said == NULL || strcmp (follow->said, "up to date") != 0)
    {
      g_autofree char *sum =
          g_strdup_printf ("%" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT " slices, %.1f MB taken",
                           follow->records, follow->slices, (double) follow->bytes / 1e6);
      say (follow, sum);
      say (follow, "up to date");
    }
  follow->records = follow->slices = follow->bytes = 0;
  if (follow->once)
    g_main_loop_quit (follow->loop);
  follow->pause_ms = any ? SHORTEST_MS : MIN (follow->pause_ms + follow->pause_ms / 4, LONGEST_MS);
  g_timeout_add (follow->pause_ms, on_time, follow);
}

static void
on_batch (GObject *client, GAsyncResult *result, gpointer data)
{
  Follow *follow = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) batch = fl_view_client_feed_finish (FL_VIEW_CLIENT (client), result, &error);
  if (batch != NULL)
    take_batch (follow, batch);
  else if (g_error_matches (error, FL_ERROR, FL_ERROR_STOPPED))
    return; /* we have closed it ourselves */
  else if (is_final (follow, error))
    fail (follow, error);
  else
    {
      g_autofree char *lost = g_strdup_printf ("trying again: %s", error->message);
      say (follow, lost);
      g_timeout_add (SHORTEST_MS, on_time, follow);
    }
}

static void
ask (Follow *follow)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) position = fl_mirror_position (follow->mirror, &error);
  if (position == NULL)
    {
      fail (follow, error);
      return;
    }
  FlViewFeedRequest request = { .store = follow->store, .most = MOST_BYTES };
  request.position = g_bytes_get_data (position, &request.position_length);
  fl_view_client_feed_async (follow->client, &request, NULL, on_batch, follow);
}

static gboolean
stop (gpointer data)
{
  g_main_loop_quit (((Follow *) data)->loop);
  return G_SOURCE_CONTINUE;
}

/* Written only when it says something else: its time is when the copy was last whole. */
static gboolean
keep_origin (const Follow *follow, const char *const *command, GError **error)
{
  g_autofree char *store = NULL;
  g_auto (GStrv) before = fl_mirror_read_origin (follow->folder, &store, NULL);
  gboolean same = before != NULL && g_strv_equal ((const char *const *) before, command)
                  && strcmp (store, follow->store) == 0;
  return same || fl_mirror_write_origin (follow->folder, command, follow->store, error);
}

static int
run (Follow *follow, const char *const *command)
{
  g_autoptr (GError) error = NULL;
  follow->mirror = fl_mirror_open (follow->folder, &error);
  if (follow->mirror == NULL || !keep_origin (follow, command, &error))
    {
      fl_mirror_close (follow->mirror);
      return fl_program_fail (PROGRAM, error);
    }
  follow->loop = g_main_loop_new (NULL, FALSE);
  follow->client = fl_view_client_new (command);
  follow->pause_ms = SHORTEST_MS;
  fl_view_client_set_far (follow->client, TRUE);
  g_unix_signal_add (SIGTERM, stop, follow);
  g_unix_signal_add (SIGINT, stop, follow);
  g_autofree char *begin = g_strdup_printf ("following %s", follow->store);
  say (follow, begin);
  ask (follow);
  g_main_loop_run (follow->loop);
  fl_view_client_close (follow->client);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (follow->client);
  g_main_loop_unref (follow->loop);
  fl_mirror_close (follow->mirror);
  g_free (follow->said);
  return follow->status;
}

int
fl_program_follow (int argc, char **argv)
{
  g_autofree char *into = NULL, *store = NULL;
  g_auto (GStrv) command = NULL;
  Follow follow = { 0 };
  GOptionEntry entries[] = {
    { "into", 0, 0, G_OPTION_ARG_FILENAME, &into, "The copy's folder, made when it is not there", "FOLDER" },
    { "store", 0, 0, G_OPTION_ARG_FILENAME, &store, "The experiment's folder at the far end", "FOLDER" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &follow.once, "End when the copy is up to date", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &command, NULL, NULL },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context =
      g_option_context_new ("-- COMMAND… – keep a copy of an experiment at the far end of a link");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (
      context,
      "COMMAND speaks `firstlight-control serve` on its standard input and output:\n"
      "  firstlight-control follow --into FOLDER --store FOLDER -- ssh HOST firstlight-control serve");
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
      return 2;
    }
  if (into == NULL || store == NULL || command == NULL)
    {
      fprintf (stderr, "%s: %s is missing, expected --into FOLDER --store FOLDER -- COMMAND…\n", PROGRAM,
               into == NULL    ? "--into"
               : store == NULL ? "--store"
                               : "the command");
      return 2;
    }
  follow.folder = into;
  follow.store = store;
  return run (&follow, (const char *const *) command);
}
