/* A database server that is killed and comes back: what the window says, writes, and what pages show that were opened meanwhile. */
#include <string.h>

#include "engine/base/error.h"
#include "gui/application.h"
#include "gui/cells-page.h"
#include "gui/live-page.h"
#include "gui/log-page.h"
#include "gui/weather-page.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

#define RUNS  3
#define SHOTS 40

static FlgExperiment *
experiment_of (Room *room)
{
  return flg_context_experiment (room->context);
}

typedef struct
{
  GSubprocess *process;
  GOutputStream *in;
  GDataInputStream *out;
} Server;

static char *
answer_of (Server *server)
{
  return g_data_input_stream_read_line (server->out, NULL, NULL, NULL);
}

static void
order (Server *server, const char *line)
{
  g_assert_true (g_output_stream_write_all (server->in, line, strlen (line), NULL, NULL, NULL));
  g_autofree char *done = answer_of (server);
  g_assert_cmpstr (done, ==, "done");
}

/* The URL; "none" where no server is installed. */
static char *
begin_server (Server *server)
{
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "server.py", NULL);
  server->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL,
                                      "python3", script, NULL);
  g_assert_nonnull (server->process);
  server->in = g_subprocess_get_stdin_pipe (server->process);
  server->out = g_data_input_stream_new (g_subprocess_get_stdout_pipe (server->process));
  return answer_of (server);
}

static void
end_server (Server *server)
{
  g_output_stream_close (server->in, NULL, NULL);
  g_subprocess_wait (server->process, NULL, NULL);
  g_object_unref (server->out);
  g_object_unref (server->process);
}

static void
move_there (const char *folder, const char *url)
{
  const char *argv[] = { g_getenv ("FIRSTLIGHT_CONTROL"), "database", "move", folder, "--to", url, NULL };
  int status = -1;
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL,
                               G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                               NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

static gboolean
is_lost (gpointer data)
{
  return flg_experiment_glance (experiment_of (data))->lost;
}

static gboolean
is_back (gpointer data)
{
  return !is_lost (data);
}

/* A room on a server of its own. NULL: none is installed, and the test is skipped. */
static Room *
far_room (Server *server)
{
  g_autofree char *url = begin_server (server);
  if (g_strcmp0 (url, "none") == 0)
    {
      end_server (server);
      g_test_skip ("no MariaDB server is installed");
      return NULL;
    }
  char *folder = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  MadeStore made = {
    .runs = RUNS, .shots = SHOTS, .ranks = 2, .index = TRUE, .now = (guint64) g_get_real_time () * 1000
  };
  made_store_write (folder, &made);
  move_there (folder, url);
  return room_adopt (folder, FL_STORE_WRITE, FALSE);
}

/* --- records and writes --- */

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  flg_context_write_finish (FLG_CONTEXT (source), result, data);
}

static gpointer
write_comment (FlStore *store, gpointer data, GError **error)
{
  fl_store_set_text (store, FL_TABLE_RUN, 1, "comment", "never", error);
  return NULL;
}

static gboolean
sees_comment (gpointer data)
{
  return strcmp (flg_experiment_run (experiment_of (data), 2)->comment, "jet was off") == 0;
}

static void
comment (Room *room)
{
  room_do (GTK_WIDGET (room_page (room, "runs")), "runs.comment", "(xs)", G_GINT64_CONSTANT (2),
           "jet was off");
  display_wait (sees_comment, room);
}

static void
test_writes (void)
{
  Server server;
  Room *room = far_room (&server);
  if (!room)
    return;
  room_page (room, "runs");
  order (&server, "kill\n");
  display_wait (is_lost, room);
  g_assert_cmpint (flg_experiment_glance (experiment_of (room))->retry, >, 0);
  g_assert_cmpuint (flg_record_model_count (flg_experiment_table (experiment_of (room), FL_TABLE_RUN)), ==,
                    RUNS);
  g_autoptr (GError) error = NULL;
  flg_context_write (room->context, write_comment, NULL, NULL, on_done, &error);
  while (!error)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, FL_ERROR, FL_ERROR_LOST);
  order (&server, "start\n");
  display_wait (is_back, room);
  comment (room);
  room_free (room);
  end_server (&server);
}

/* --- pages --- */

static const char *const pages[] = { "log", "weather", "live", "cells" };

static FlgPage *
page_of (Room *room, guint i)
{
  return flg_window_page (room->window, pages[i]);
}

static gboolean
are_settled (gpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    if (!flg_page_is_settled (page_of (data, i)))
      return FALSE;
  return TRUE;
}

static guint64
n_shown (Room *room, guint i)
{
  FlgPage *page = page_of (room, i);
  switch (i)
    {
    case 0:
      return flg_log_page_n_shown (FLG_LOG_PAGE (page));
    case 1:
      return flg_weather_page_n_events (FLG_WEATHER_PAGE (page));
    case 2:
      return flg_live_page_n_shots (FLG_LIVE_PAGE (page));
    default:
      return flg_cells_page_n_lattices (FLG_CELLS_PAGE (page));
    }
}

static gboolean
are_filled (gpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    if (n_shown (data, i) == 0)
      return FALSE;
  return are_settled (data);
}

/* Opened while nothing can be read: nothing on them, and no word of their own; once the server is back they fill by themselves. */
static void
test_pages (void)
{
  Server server;
  Room *room = far_room (&server);
  if (!room)
    return;
  comment (room);
  order (&server, "kill\n");
  display_wait (is_lost, room);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    room_do (GTK_WIDGET (room->window), "win.show-page", "s", pages[i]);
  display_wait (are_settled, room);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_assert_cmpuint (n_shown (room, i), ==, 0);
      g_assert_false (gtk_widget_get_visible (
          gtk_widget_get_first_child (GTK_WIDGET (flg_page_banner (page_of (room, i))))));
    }
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_autofree char *name = g_strdup_printf ("lost-%s", pages[i]);
      room_do (GTK_WIDGET (room->window), "win.show-page", "s", pages[i]);
      display_wait_drawn (GTK_WIDGET (room->window));
      picture (room->window, name);
    }
  order (&server, "start\n");
  display_wait (are_filled, room);
  g_assert_cmpuint (n_shown (room, 1), ==, SHOTS);                          /* the newest job */
  g_assert_cmpuint (n_shown (room, 2), ==, (RUNS - 1) * SHOTS + SHOTS / 3); /* the second has failed */
  room_free (room);
  end_server (&server);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  flg_load_style ();
  g_test_add_func ("/gui/lost/writes", test_writes);
  g_test_add_func ("/gui/lost/pages", test_pages);
  return g_test_run ();
}
