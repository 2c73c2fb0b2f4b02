#include "tests/gui/made-conductor.h"

#include <string.h>

#include "gui/application.h"
#include "tests/gui/made.h"
#include "tests/widgets/display.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

static char *runtime;

void
conductor_init (int *argc, char ***argv)
{
  runtime = g_dir_make_tmp ("fl-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
  display_init (argc, argv);
  if (g_getenv ("FIRSTLIGHT_PICTURES"))
    flg_load_style ();
}

int
conductor_run (void)
{
  int status = g_test_run ();
  room_remove_tree (runtime);
  g_free (runtime);
  return status;
}

/* --- a conductor --- */

static void
say (Conductor *c, const char *format, ...)
{
  va_list values;
  va_start (values, format);
  g_ptr_array_add (c->heard, g_strdup_vprintf (format, values));
  va_end (values);
}

static void
on_answer (gint64 site, guint id, const char *const *answers, gpointer data)
{
  g_autofree char *all = answers ? g_strjoinv ("|", (char **) answers) : g_strdup ("refused");
  say (data, "answer %d %u %s", (int) site, id, all);
  fl_control_server_void (((Conductor *) data)->server, site);
}

void
tell (Conductor *c, gint64 site, FlRemoteState state, gint64 round_trip, guint64 retry_at,
      const char *message)
{
  fl_control_server_link (c->server, site, fl_remote_state_name (state), round_trip, retry_at, message);
}

static void
on_connect (gint64 site, gboolean up, gpointer data)
{
  Conductor *c = data;
  say (c, up ? "connect %d" : "disconnect %d", (int) site);
  if (up && c->connects)
    tell (c, site, FL_REMOTE_UP, 41000, 0, "");
}

static void
on_probe (gint64 site, gboolean push, gpointer data)
{
  say (data, "probe %d %d", (int) site, push);
}

static void
on_stop (gint64 site, gpointer data)
{
  say (data, "stop %d", (int) site);
}

static void
on_channel (gint64 site, const char *const *argv, FlControlAsker *asker, gpointer data)
{
  say (data, "channel %d %s", (int) site, argv[0]);
  fl_control_server_refuse (((Conductor *) data)->server, asker, "not here");
}

Conductor *
conductor_new (Room *room)
{
  static const FlControlEvents events = { on_answer, on_connect, on_probe, on_stop, on_channel };
  Conductor *c = g_new0 (Conductor, 1);
  g_autoptr (GError) error = NULL;
  c->heard = g_ptr_array_new_with_free_func (g_free);
  c->connects = TRUE;
  c->server = fl_control_server_new (room->folder, &events, c, &error);
  g_assert_no_error (error);
  return c;
}

void
conductor_free (Conductor *c)
{
  fl_control_server_free (c->server);
  g_ptr_array_unref (c->heard);
  g_free (c);
}

typedef struct
{
  Conductor *conductor;
  const char *what;
} Heard;

static gboolean
has_heard (gpointer data)
{
  Heard *heard = data;
  for (guint i = 0; i < heard->conductor->heard->len; i++)
    if (strcmp (heard->conductor->heard->pdata[i], heard->what) == 0)
      return TRUE;
  return FALSE;
}

void
wait_heard (Conductor *c, const char *what)
{
  Heard heard = { c, what };
  display_wait (has_heard, &heard);
}

void
question (Conductor *c, gint64 site, guint id, FlRemoteAskKind kind, const char *title, const char *text,
          guint n, const char *const *labels, const gboolean *echo)
{
  FlRemoteQuestion q = { id, kind, (char *) title, (char *) text, n, (char **) labels, (gboolean *) echo };
  fl_control_server_question (c->server, site, &q);
}

/* --- a room beside it --- */

void
make_far_site (Room *room, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, &error);
  g_assert_no_error (error);
  FlSite site = {
    .name = (char *) name,
    .kind = (char *) "ssh",
    .host = (char *) "cori.nersc.gov",
    .user = (char *) "ana",
    .transport = (char *) "auto",
    .scratch = (char *) "scratch",
    .partition = (char *) "realtime",
    .account = (char *) "lcls",
    .nodes = 4,
    .minutes = 30,
    .max_node_hours = 200,
    .active = TRUE,
    .probed = room->now - 5400 * SECOND,
    .probe = (char *) "scheduler\tok\tslurm 22.05.8, 4 partitions\naccount\tok\trealtime, lcls\n"
                      "scratch\tok\t3.1 TB free\nengine\tok\t0.1.0\nmpi\tfailed\tno two nodes were free\n"
                      "gpu\tskipped\t"
  };
  gint64 id = made_save (store, FL_TABLE_SITE, &site);
  FlSiteRoot map = { .site = id, .root = (char *) "scratch", .path = (char *) "/global/cscratch/ana" };
  made_save (store, FL_TABLE_SITE_ROOT, &map);
  FlWorker poll = { .name = (char *) "poll:cori",
                    .site = id,
                    .state = (char *) "ok",
                    .round_trip = -1,
                    .message = (char *) "12 nodes idle, 180 busy, 3 down; 57 jobs pending",
                    .last_success = room->now - 4 * SECOND,
                    .next_try = room->now + 6 * SECOND };
  FlWorker submit = {
    .name = (char *) "submit:cori",
    .site = id,
    .state = (char *) "failing",
    .round_trip = -1,
    .message = (char *) "sbatch: error: Invalid account or account/partition combination specified",
    .last_success = room->now - 700 * SECOND,
    .last_failure = room->now - 20 * SECOND,
    .next_try = room->now + 40 * SECOND,
    .failures = 3
  };
  made_save (store, FL_TABLE_WORKER, &poll);
  made_save (store, FL_TABLE_WORKER, &submit);
}

static gboolean
knows_site (gpointer data)
{
  return flg_experiment_site (flg_context_experiment (((Room *) data)->context), 3) != NULL;
}

gboolean
is_connected (gpointer data)
{
  return flg_links_is_connected (flg_context_links (((Room *) data)->context));
}

Conductor *
far_room (Room **room, const char *name)
{
  *room = room_new (3, FL_STORE_WRITE, FALSE);
  Conductor *c = conductor_new (*room);
  make_far_site (*room, name);
  flg_store_thread_poll (flg_experiment_store (flg_context_experiment ((*room)->context)));
  display_wait (knows_site, *room);
  display_wait (is_connected, *room);
  return c;
}

void
leave (Room *room, Conductor *c)
{
  room_free (room);
  conductor_free (c);
}

typedef struct
{
  Room *room;
  const char *part;
} Chip;

static gboolean
chip_says (gpointer data)
{
  Chip *chip = data;
  const char *words = flg_link_chip_words (flg_window_chip (chip->room->window));
  return words && strstr (words, chip->part) != NULL;
}

void
wait_chip (Room *room, const char *part)
{
  Chip chip = { room, part };
  display_wait (chip_says, &chip);
}

gboolean
has_dialog (gpointer data)
{
  return flg_asker_dialog (flg_window_asker (((Room *) data)->window)) != NULL;
}

gboolean
has_no_dialog (gpointer data)
{
  return !has_dialog (data);
}

FlgQuestionDialog *
wait_dialog (Room *room)
{
  display_wait (has_dialog, room);
  return FLG_QUESTION_DIALOG (flg_asker_dialog (flg_window_asker (room->window)));
}
