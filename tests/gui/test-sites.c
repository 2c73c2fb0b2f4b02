/* The Sites page, its wizard, the link chip and the questions of far machines, against a conductor that is made up: the
 * conductor's own end of the socket, with a script instead of machines. What was done is read back from the store.
 *
 * FIRSTLIGHT_PICTURES=FOLDER: pictures of what is shown are written there. */
#include <string.h>

#include "engine/control/control-socket-server.h"
#include "gui/application.h"
#include "gui/header-strip.h"
#include "gui/keymap.h"
#include "gui/question-dialog.h"
#include "gui/site-editor.h"
#include "gui/site-facts.h"
#include "gui/site-hosts.h"
#include "gui/site-steps.h"
#include "gui/site-wizard.h"
#include "gui/sites-page.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"
#include "widgets/export.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

/* --- a conductor --- */

typedef struct
{
  FlControlServer *server;
  GPtrArray *heard; /* char *: "connect 3", "answer 3 7 secret|…", "probe 3 1" … */
  gboolean connects;
} Conductor;

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

static void
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

static Conductor *
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

static void
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

static void
wait_heard (Conductor *c, const char *what)
{
  Heard heard = { c, what };
  display_wait (has_heard, &heard);
}

static void
question (Conductor *c, gint64 site, guint id, FlRemoteAskKind kind, const char *title, const char *text,
          guint n, const char *const *labels, const gboolean *echo)
{
  FlRemoteQuestion q = { id, kind, (char *) title, (char *) text, n, (char **) labels, (gboolean *) echo };
  fl_control_server_question (c->server, site, &q);
}

/* --- the room --- */

static void
assert_in (const char *text, const char *part)
{
  if (!text || !strstr (text, part))
    g_error ("'%s' lacks '%s'", text, part);
}

static void
picture (gpointer widget, const char *name)
{
  const char *folder = g_getenv ("FIRSTLIGHT_PICTURES");
  if (!folder)
    return;
  g_autofree char *path = g_strdup_printf ("%s/%s.png", folder, name);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 50 && !flw_widget_export (widget, path, &error); i++)
    {
      g_clear_error (&error);
      display_wait_drawn (widget);
      g_usleep (20000);
    }
}

static gint64
save (FlStore *store, FlTable table, gpointer record)
{
  g_autoptr (GError) error = NULL;
  fl_store_save (store, table, record, &error);
  g_assert_no_error (error);
  return *(gint64 *) record;
}

/* Beside the sites "local" (1) and "here" (2): "cori" (3) over SSH, with jobs that ran there. */
static void
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
  gint64 id = save (store, FL_TABLE_SITE, &site);
  FlSiteRoot map = { .site = id, .root = (char *) "scratch", .path = (char *) "/global/cscratch/ana" };
  save (store, FL_TABLE_SITE_ROOT, &map);
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
  save (store, FL_TABLE_WORKER, &poll);
  save (store, FL_TABLE_WORKER, &submit);
}

static gboolean
knows_site (gpointer data)
{
  return flg_experiment_site (flg_context_experiment (((Room *) data)->context), 3) != NULL;
}

static gboolean
is_connected (gpointer data)
{
  return flg_links_is_connected (flg_context_links (((Room *) data)->context));
}

static Conductor *
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

static void
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

static void
wait_chip (Room *room, const char *part)
{
  Chip chip = { room, part };
  display_wait (chip_says, &chip);
}

static gboolean
has_dialog (gpointer data)
{
  return flg_asker_dialog (flg_window_asker (((Room *) data)->window)) != NULL;
}

static gboolean
has_no_dialog (gpointer data)
{
  return !has_dialog (data);
}

static FlgQuestionDialog *
wait_dialog (Room *room)
{
  display_wait (has_dialog, room);
  return FLG_QUESTION_DIALOG (flg_asker_dialog (flg_window_asker (room->window)));
}

/* --- tests --- */

static gboolean
is_mapped (gpointer widget)
{
  return gtk_widget_get_mapped (widget) && gtk_widget_get_width (widget) > 0;
}

static void
test_links (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  tell (c, 3, FL_REMOTE_CONNECTING, -1, 0, "");
  wait_chip (room, "cori: connecting");
  tell (c, 3, FL_REMOTE_UP, 41234, 0, "");
  wait_chip (room, "cori: up, 41 ms");
  picture (room->window, "chip-up");
  tell (c, 3, FL_REMOTE_SLOW, 3100000, 0, "the last keep-alive is unanswered");
  wait_chip (room, "cori: slow, 3100 ms");
  tell (c, 3, FL_REMOTE_LOST, -1, room->now + 12 * SECOND, "cori.nersc.gov: connection reset by peer");
  wait_chip (room, "cori: lost, retry in 12 s");
  room->now += 5 * SECOND;
  wait_chip (room, "cori: lost, retry in 7 s"); /* it counts down by itself */
  gtk_popover_set_autohide (GTK_POPOVER (flg_link_chip_popover (flg_window_chip (room->window))), FALSE);
  room_do (GTK_WIDGET (room->window), "win.show-links", NULL);
  display_wait (is_mapped, flg_link_chip_popover (flg_window_chip (room->window)));
  picture (gtk_popover_get_child (GTK_POPOVER (flg_link_chip_popover (flg_window_chip (room->window)))),
           "chip-popover");
  room_do (GTK_WIDGET (room->window), "win.link-connect", "x", G_GINT64_CONSTANT (3));
  wait_heard (c, "connect 3");
  wait_chip (room, "cori: up, 41 ms");
  room_do (GTK_WIDGET (room->window), "win.link-disconnect", "x", G_GINT64_CONSTANT (3));
  wait_heard (c, "disconnect 3");
  /* Without a conductor nobody knows. */
  fl_control_server_free (c->server);
  c->server = NULL;
  wait_chip (room, "no conductor");
  leave (room, c);
}

/* No far site: no chip. */
static void
test_no_chip (void)
{
  Room *room = room_new (1, FL_STORE_WRITE, FALSE);
  room_page (room, "sites");
  g_assert_null (flg_link_chip_words (flg_window_chip (room->window)));
  picture (room->window, "sites-local");
  GtkWidget *keys = flg_keymap_window_new (GTK_WINDOW (room->window));
  gtk_window_present (GTK_WINDOW (keys));
  display_wait_drawn (keys);
  picture (keys, "keys");
  g_assert_cmpint (gtk_widget_get_height (keys), <=, 800); /* all of it on a small screen */
  g_assert_cmpint (gtk_widget_get_width (keys), <=, 1280);
  gtk_window_destroy (GTK_WINDOW (keys));
  room_free (room);
}

static void
test_host_key (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  room_page (room, "runs");
  question (c, 3, 7, FL_REMOTE_ASK_HOST_KEY, "Host key of cori.nersc.gov",
            "ED25519 SHA256:uNiVztksCsDhcc0u9e8BrWXrpUiOVztksCsDhcc0u9e", 0, NULL, NULL);
  FlgQuestionDialog *dialog = wait_dialog (room);
  g_assert_cmpuint (flg_question_dialog_id (dialog), ==, 7);
  g_autofree char *type = NULL, *groups = NULL;
  flg_question_fingerprint ("ED25519 SHA256:uNiVztksCsDhcc0u9e8BrW", &type, &groups);
  g_assert_cmpstr (type, ==, "ED25519");
  g_assert_cmpstr (groups, ==, "SHA256: uNiVztks CsDhcc0u 9e8BrW");
  wait_chip (room, "cori: asks");
  picture (dialog, "question-host-key");
  /* Return must not let a stranger in. */
  GtkWidget *cancel = gtk_window_get_default_widget (GTK_WINDOW (dialog));
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (cancel)), ==, "question.refuse");
  room_do (GTK_WIDGET (dialog), "question.answer", NULL);
  wait_heard (c, "answer 3 7 yes");
  display_wait (has_no_dialog, room);
  question (c, 3, 8, FL_REMOTE_ASK_HOST_KEY, "Host key of cori.nersc.gov", "RSA SHA256:abc", 0, NULL, NULL);
  room_do (GTK_WIDGET (wait_dialog (room)), "question.refuse", NULL);
  wait_heard (c, "answer 3 8 no");
  leave (room, c);
}

static void
test_codes (void)
{
  static const char *const labels[] = { "Password + OTP:", "Second code (shown):", NULL };
  static const gboolean echo[] = { FALSE, TRUE };
  Room *room;
  Conductor *c = far_room (&room, "cori");
  room_page (room, "runs");
  question (c, 3, 3, FL_REMOTE_ASK_CODE, "Login of ana@cori.nersc.gov", "Two factors are needed.", 2, labels,
            echo);
  FlgQuestionDialog *dialog = wait_dialog (room);
  GtkEditable *first = flg_question_dialog_field (dialog, 0), *second = flg_question_dialog_field (dialog, 1);
  g_assert_true (GTK_IS_PASSWORD_ENTRY (first));
  g_assert_false (GTK_IS_PASSWORD_ENTRY (second));
  g_assert_null (flg_question_dialog_field (dialog, 2));
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (dialog));
  g_assert_true (focus && gtk_widget_is_ancestor (focus, GTK_WIDGET (first)));
  gtk_editable_set_text (first, "s3cret|x");
  gtk_editable_set_text (second, "123456");
  picture (dialog, "question-codes");
  g_object_ref (first);
  room_do (GTK_WIDGET (dialog), "question.answer", NULL);
  g_assert_cmpstr (gtk_editable_get_text (first), ==, ""); /* wiped */
  g_object_unref (first);
  wait_heard (c, "answer 3 3 s3cret|x|123456");
  display_wait (has_no_dialog, room);
  leave (room, c);
}

/* Closed without an answer, the question stays open and a line says so; answered elsewhere, all of it goes. */
static void
test_closed_and_void (void)
{
  static const char *const labels[] = { "One-time code:", NULL };
  static const gboolean echo[] = { FALSE };
  Room *room;
  Conductor *c = far_room (&room, "cori");
  room_page (room, "runs");
  question (c, 3, 4, FL_REMOTE_ASK_CODE, "Login of ana@cori.nersc.gov", "", 1, labels, echo);
  gtk_window_close (GTK_WINDOW (wait_dialog (room)));
  display_wait (has_no_dialog, room);
  picture (room->window, "question-banner");
  wait_chip (room, "cori: asks");
  room_do (GTK_WIDGET (room->window), "win.link-answer", "x", G_GINT64_CONSTANT (3));
  wait_dialog (room);
  fl_control_server_void (c->server, 3);
  display_wait (has_no_dialog, room);
  wait_chip (room, "cori: offline");
  room_do (GTK_WIDGET (room->window), "win.link-answer", "x", G_GINT64_CONSTANT (3)); /* none is open */
  g_assert_true (has_no_dialog (room));
  leave (room, c);
}

static gboolean
page_says (gpointer data)
{
  Chip *chip = data;
  g_autofree char *text =
      flg_sites_page_summary (FLG_SITES_PAGE (flg_window_page (chip->room->window, "sites")));
  return strstr (text, chip->part) != NULL;
}

static void
wait_page (Room *room, const char *part)
{
  Chip chip = { room, part };
  display_wait (page_says, &chip);
}

static void
test_page (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  FlgSitesPage *page = FLG_SITES_PAGE (room_page (room, "sites"));
  flg_sites_page_show (page, 3);
  g_assert_cmpint (flg_sites_page_shown (page), ==, 3);
  wait_page (room, "mpi failed: no two nodes were free");
  tell (c, 3, FL_REMOTE_UP, 41000, 0, "");
  wait_page (room, "reach ok: cori.nersc.gov answers within 41 ms");
  picture (room->window, "sites-page");
  gtk_window_set_default_size (GTK_WINDOW (room->window), 1920, 1080);
  display_wait_drawn (GTK_WIDGET (room->window));
  picture (room->window, "sites-page-1920");
  room_do (GTK_WIDGET (page), "sites.probe", NULL);
  wait_heard (c, "probe 3 1");
  fl_control_server_step (c->server, 3, "scheduler", "ok", "slurm 22.05.8", "", 0.4);
  fl_control_server_step (c->server, 3, "account", "failed", "Invalid account",
                          "Ask for sacctmgr show assoc.", 1.2);
  wait_page (room, "scheduler ok: slurm 22.05.8; account failed: Invalid account; scratch waiting");
  fl_control_server_probed (c->server, 3, FALSE);
  room_do (GTK_WIDGET (page), "sites.pause", NULL);
  room_settle (room);
  g_autoptr (FlStore) store = room_look (room);
  FlSite *site = fl_store_get (store, FL_TABLE_SITE, 3, NULL);
  g_assert_false (site->active);
  fl_record_free (FL_TABLE_SITE, site);
  /* What jobs have used stays. */
  flg_sites_page_show (page, 2);
  room_do (GTK_WIDGET (page), "sites.remove", NULL);
  g_signal_emit_by_name (flg_page_banner (FLG_PAGE (page)), "action");
  room_settle (room);
  site = fl_store_get (store, FL_TABLE_SITE, 2, NULL);
  g_assert_nonnull (site);
  fl_record_free (FL_TABLE_SITE, site);
  flg_sites_page_show (page, 3);
  room_do (GTK_WIDGET (page), "sites.remove", NULL);
  g_signal_emit_by_name (flg_page_banner (FLG_PAGE (page)), "action");
  room_settle (room);
  g_assert_null (fl_store_get (store, FL_TABLE_SITE, 3, NULL));
  leave (room, c);
}

static void
test_facts (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  for (int i = 0; i < 25; i++)
    {
      guint64 submitted = room->now - (guint64) (3600 - i) * SECOND;
      /* The first five waited an hour: they are too old to count. */
      guint64 wait = i < 5 ? 3600 : (guint64) i;
      FlAttempt attempt = { .job = 1,
                            .site = 3,
                            .number = 100 + i,
                            .state = FL_JOB_DONE,
                            .n_nodes = 2,
                            .submitted = submitted,
                            .started = submitted + wait * SECOND,
                            .exit_code = 0 };
      attempt.ended = attempt.started + 360 * SECOND;
      save (store, FL_TABLE_ATTEMPT, &attempt);
    }
  FlAttempt waiting = {
    .job = 1, .site = 3, .number = 200, .state = FL_JOB_QUEUED, .submitted = room->now, .exit_code = -1
  };
  save (store, FL_TABLE_ATTEMPT, &waiting);
  room_page (room, "sites");
  room_settle (room);
  g_autoptr (GHashTable) all = flg_site_facts (flg_context_experiment (room->context));
  gint64 id = 3;
  const FlgSiteFacts *facts = g_hash_table_lookup (all, &id);
  g_assert_cmpuint (facts->queued, ==, 1);
  g_assert_cmpuint (facts->running, ==, 0);
  g_assert_cmpuint (facts->waits, ==, 20);
  g_assert_cmpfloat_with_epsilon (facts->node_hours, 25 * 2 * 0.1, 1e-9);
  g_assert_cmpfloat_with_epsilon (facts->wait, (14 + 15) / 2.0, 1e-6); /* of 5 … 24 s */
  leave (room, c);
}

static void
test_editor (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  FlgSitesPage *page = FLG_SITES_PAGE (room_page (room, "sites"));
  flg_sites_page_show (page, 3);
  room_do (GTK_WIDGET (page), "sites.edit", NULL);
  FlgSiteEditor *editor = FLG_SITE_EDITOR (flg_sites_page_dialog (page));
  FlgSiteForm *form = flg_site_editor_form (editor);
  g_assert_cmpstr (flg_site_form_get (form, "partition"), ==, "realtime");
  g_assert_cmpstr (flg_site_form_get (form, "root:scratch"), ==, "/global/cscratch/ana");
  picture (editor, "site-editor");
  flg_site_form_set (form, "nodes", "eight");
  g_autofree char *wrong = flg_site_form_complaint (form, FLG_SITE_RESOURCES);
  assert_in (wrong, "expected a whole number");
  flg_site_form_set (form, "nodes", "8");
  flg_site_form_set (form, "environment", "module load cray-hdf5\nexport A='b c'");
  flg_site_form_set (form, "root:data", "/global/cfs/data");
  flg_site_form_set (form, "max_node_hours", "12.5");
  /* The conductor writes to the same record meanwhile: that stays. */
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  g_assert_true (fl_store_set_text (store, FL_TABLE_SITE, 3, "probe", "scheduler\tok\tnew", NULL));
  room_do (GTK_WIDGET (editor), "editor.save", NULL);
  room_settle (room);
  room_settle (room);
  FlSite *site = fl_store_get (store, FL_TABLE_SITE, 3, NULL);
  g_assert_cmpint (site->nodes, ==, 8);
  g_assert_cmpstr (site->environment, ==, "module load cray-hdf5\nexport A='b c'");
  g_assert_cmpstr (site->probe, ==, "scheduler\tok\tnew");
  g_assert_cmpstr (site->account, ==, "lcls");
  g_assert_cmpfloat (site->max_node_hours, ==, 12.5);
  fl_record_free (FL_TABLE_SITE, site);
  g_autofree char *data = fl_store_resolve_at (store, 3, "data", "r1", NULL);
  g_assert_cmpstr (data, ==, "/global/cfs/data/r1");
  g_assert_null (flg_sites_page_dialog (page));
  /* A copy is a site of its own, and paused. */
  room_do (GTK_WIDGET (page), "sites.duplicate", NULL);
  room_do (flg_sites_page_dialog (page), "editor.save", NULL);
  room_settle (room);
  room_settle (room);
  site = fl_store_find (store, FL_TABLE_SITE, "copy of cori", NULL);
  g_assert_nonnull (site);
  g_assert_false (site->active);
  g_assert_cmpint (site->nodes, ==, 8);
  g_autofree char *copied = fl_store_resolve_at (store, site->id, "data", "r1", NULL);
  g_assert_cmpstr (copied, ==, "/global/cfs/data/r1");
  fl_record_free (FL_TABLE_SITE, site);
  leave (room, c);
}

typedef struct
{
  FlgSiteWizard *wizard;
  const char *text;
} At;

static gboolean
is_at (gpointer data)
{
  return strcmp (flg_site_wizard_step (((At *) data)->wizard), ((At *) data)->text) == 0;
}

static gboolean
wizard_says (gpointer data)
{
  g_autofree char *text = flg_site_wizard_summary (((At *) data)->wizard);
  return strstr (text, ((At *) data)->text) != NULL;
}

static void
wait_step (FlgSiteWizard *wizard, const char *step)
{
  At at = { wizard, step };
  display_wait (is_at, &at);
}

static void
wait_says (FlgSiteWizard *wizard, const char *part)
{
  At at = { wizard, part };
  display_wait (wizard_says, &at);
}

static FlgSiteWizard *
open_wizard (Room *room, FlgSitesPage **page)
{
  *page = FLG_SITES_PAGE (room_page (room, "sites"));
  room_do (GTK_WIDGET (*page), "sites.add", NULL);
  return FLG_SITE_WIZARD (flg_sites_page_dialog (*page));
}

static FlSite *
site_named (Room *room, const char *name)
{
  g_autoptr (FlStore) store = room_look (room);
  return fl_store_find (store, FL_TABLE_SITE, name, NULL);
}

static void
test_wizard (void)
{
  static const char *const steps[] = { "scheduler", "account", "scratch", "engine", "mpi", "gpu" };
  Room *room = room_new (2, FL_STORE_WRITE, FALSE);
  Conductor *c = conductor_new (room);
  FlgSitesPage *page;
  display_wait (is_connected, room);
  FlgSiteWizard *wizard = open_wizard (room, &page);
  FlgSiteForm *form = flg_site_wizard_form (wizard);
  g_assert_cmpstr (flg_site_wizard_step (wizard), ==, "machine");
  g_autofree char *nameless = flg_site_form_complaint (form, FLG_SITE_MACHINE);
  g_assert_nonnull (nameless);
  picture (wizard, "wizard-1-machine");
  flg_site_form_set (form, "name", "perlmutter");
  flg_site_form_set (form, "host", "-oProxyCommand=reboot");
  g_autofree char *trick = flg_site_form_complaint (form, FLG_SITE_MACHINE);
  assert_in (trick, "without spaces");
  flg_site_form_set (form, "host", "perlmutter.nersc.gov");
  flg_site_form_set (form, "user", "ana");
  flg_site_form_set (form, "port", "2222");
  room_do (GTK_WIDGET (wizard), "wizard.next", NULL);
  wait_step (wizard, "folders");
  wait_heard (c, "connect 3");
  FlSite *site = site_named (room, "perlmutter");
  g_assert_nonnull (site);
  g_assert_false (site->active); /* nothing runs there before the end */
  g_assert_cmpint (site->port, ==, 2222);
  fl_record_free (FL_TABLE_SITE, site);
  g_autofree char *homeless = flg_site_form_complaint (form, FLG_SITE_FOLDERS);
  g_assert_nonnull (homeless);
  flg_site_form_set (form, "root:experiment", "/pscratch/sd/a/ana/fl");
  flg_site_form_set (form, "root:data", "/global/cfs/cdirs/lcls/data");
  picture (wizard, "wizard-2-folders");
  room_do (GTK_WIDGET (wizard), "wizard.next", NULL);
  wait_step (wizard, "check");
  wait_heard (c, "probe 3 1");
  for (guint i = 0; i < 4; i++)
    fl_control_server_step (c->server, 3, steps[i], "ok",
                            i ? "as it should be" : "slurm 23.02, partitions regular, debug", "",
                            0.3 * (i + 1));
  fl_control_server_step (
      c->server, 3, "mpi", "failed", "srun: error: Unable to create step: Invalid MPI plugin",
      "Ask which MPI the site's srun starts (srun --mpi=list) and say so in “Start ranks with”.", 31.5);
  fl_control_server_step (c->server, 3, "account", "failed", "Invalid account",
                          "Set the account that your group has. There are: m1234, m99.", 0.6);
  wait_says (wizard, "login ok");
  wait_says (wizard, "mpi failed: srun: error");
  fl_control_server_probed (c->server, 3, FALSE);
  picture (wizard, "wizard-3-check");
  room_do (GTK_WIDGET (wizard), "wizard.next", NULL);
  wait_step (wizard, "resources");
  flg_site_form_set (form, "account", "m1234");
  flg_site_form_set (form, "qos", "realtime");
  flg_site_form_set (form, "minutes", "20");
  picture (wizard, "wizard-4-resources");
  g_ptr_array_set_size (c->heard, 0);
  room_do (GTK_WIDGET (wizard), "wizard.next", NULL);
  wait_step (wizard, "summary");
  wait_heard (c, "probe 3 1"); /* other resources: looked at again */
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    fl_control_server_step (c->server, 3, steps[i], "ok", "good", "", 1);
  wait_says (wizard, "gpu ok");
  picture (wizard, "wizard-5-summary");
  room_do (GTK_WIDGET (wizard), "wizard.finish", "b", TRUE);
  room_settle (room);
  room_settle (room);
  g_assert_null (flg_sites_page_dialog (page));
  site = site_named (room, "perlmutter");
  g_assert_true (site->active && site->hold);
  g_assert_cmpstr (site->kind, ==, "ssh");
  g_assert_cmpstr (site->host, ==, "perlmutter.nersc.gov");
  g_assert_cmpstr (site->account, ==, "m1234");
  g_assert_cmpstr (site->qos, ==, "realtime");
  g_assert_cmpint (site->minutes, ==, 20);
  g_assert_cmpstr (site->scratch, ==, "experiment");
  g_assert_cmpstr (site->transport, ==, "auto");
  fl_record_free (FL_TABLE_SITE, site);
  g_autoptr (FlStore) store = room_look (room);
  g_autofree char *jobs = fl_store_resolve_at (store, 3, "experiment", "jobs", NULL);
  g_assert_cmpstr (jobs, ==, "/pscratch/sd/a/ana/fl/jobs");
  g_autofree char *data = fl_store_resolve_at (store, 3, "data", "r0001", NULL);
  g_assert_cmpstr (data, ==, "/global/cfs/cdirs/lcls/data/r0001");
  leave (room, c);
}

/* A login that libssh2 cannot do: one click changes to OpenSSH and tries again. Then the person gives up: nothing is left. */
static void
test_wizard_cancelled (void)
{
  Room *room = room_new (2, FL_STORE_WRITE, FALSE);
  Conductor *c = conductor_new (room);
  FlgSitesPage *page;
  c->connects = FALSE;
  display_wait (is_connected, room);
  FlgSiteWizard *wizard = open_wizard (room, &page);
  FlgSiteForm *form = flg_site_wizard_form (wizard);
  flg_site_form_set (form, "name", "jureca");
  flg_site_form_set (form, "host", "jureca.example.org");
  room_do (GTK_WIDGET (wizard), "wizard.next", NULL);
  wait_step (wizard, "folders");
  flg_site_form_set (form, "root:experiment", "/p/scratch");
  room_do (GTK_WIDGET (wizard), "wizard.next", NULL);
  wait_step (wizard, "check");
  wait_heard (c, "connect 3");
  tell (c, 3, FL_REMOTE_OFFLINE, -1, 0, "the server offers no host key that libssh2 knows");
  wait_says (wizard, "failed: the server offers no host key");
  picture (wizard, "wizard-3-openssh");
  g_ptr_array_set_size (c->heard, 0);
  c->connects = TRUE;
  room_do (GTK_WIDGET (wizard), "wizard.use-openssh", NULL);
  wait_heard (c, "connect 3");
  wait_heard (c, "probe 3 1"); /* up: it goes on by itself */
  FlSite *site = site_named (room, "jureca");
  g_assert_cmpstr (site->transport, ==, "openssh");
  fl_record_free (FL_TABLE_SITE, site);
  room_do (GTK_WIDGET (wizard), "wizard.cancel", NULL);
  wait_heard (c, "stop 3");
  wait_heard (c, "disconnect 3");
  room_settle (room);
  room_settle (room);
  g_assert_null (site_named (room, "jureca"));
  leave (room, c);
}

/* Words from outside are text: markup, escapes and very long lines are shown and do nothing. */
static void
test_hostile (void)
{
  static const char hostile[] = "<b>&amp; '; DROP TABLE site; $(reboot) %s%n <span foreground='red'>x";
  static const char *const labels[] = { "<i>Code</i> & more: <span size='99999'>", NULL };
  static const gboolean echo[] = { FALSE };
  Room *room;
  Conductor *c = far_room (&room, "<b>cori</b> %s");
  g_autofree char *long_line = g_strnfill (100000, 'W');
  FlgSitesPage *page = FLG_SITES_PAGE (room_page (room, "sites"));
  flg_sites_page_show (page, 3);
  tell (c, 3, FL_REMOTE_LOST, -1, 0, hostile);
  wait_chip (room, "<b>cori</b> %s: lost");
  room_do (GTK_WIDGET (room->window), "win.show-links", NULL);
  wait_page (room, hostile);
  fl_control_server_step (c->server, 3, "scheduler", "failed", long_line, hostile, 0.1);
  fl_control_server_step (c->server, 3, "no such step", "odd state", hostile, hostile, -1);
  wait_page (room, "WWWW");
  question (c, 3, 9, FL_REMOTE_ASK_CODE, hostile, long_line, 1, labels, echo);
  FlgQuestionDialog *dialog = wait_dialog (room);
  picture (dialog, "hostile-question");
  picture (room->window, "hostile-page");
  g_assert_cmpint (gtk_widget_get_width (GTK_WIDGET (room->window)), <=, 1300);
  gtk_window_close (GTK_WINDOW (dialog));
  display_wait (has_no_dialog, room);
  leave (room, c);
}

static void
test_hosts (void)
{
  g_autofree char *folder = g_dir_make_tmp ("firstlight-hosts-XXXXXX", NULL);
  g_autofree char *config = g_build_filename (folder, "config", NULL);
  g_autofree char *known = g_build_filename (folder, "known_hosts", NULL);
  g_assert_true (g_file_set_contents (config,
                                      "# mine\nHost cori *.nersc.gov !bad -oProxyCommand=x\n  HostName a\n"
                                      "host\tdesy desy\nMatch all\n",
                                      -1, NULL));
  g_assert_true (
      g_file_set_contents (known,
                           "login.slac.stanford.edu,134.79.1.1 ssh-ed25519 AAAA\n|1|hash|= ssh-rsa AAAA\n"
                           "[pi]:2222 ssh-rsa AAAA\n@revoked x ssh-rsa AAAA\n\n$(reboot) ssh-rsa AAAA\n",
                           -1, NULL));
  g_auto (GStrv) hosts = flg_site_hosts (folder);
  g_autofree char *all = g_strjoinv (" ", hosts);
  g_assert_cmpstr (all, ==, "cori desy login.slac.stanford.edu");
  room_remove_tree (folder);
}

/* Who only looks on sees states as the conductor has written them down, and cannot change a thing. */
static void
test_read_only (void)
{
  Room *first = room_new (2, FL_STORE_WRITE, FALSE);
  make_far_site (first, "cori");
  g_autoptr (FlStore) store = fl_store_open (first->folder, FL_STORE_WRITE, NULL);
  FlWorker link = { .name = (char *) "link:cori",
                    .site = 3,
                    .state = (char *) "up",
                    .message = (char *) "",
                    .round_trip = 38000 };
  save (store, FL_TABLE_WORKER, &link);
  Room *room = room_open (first->folder);
  FlgSitesPage *page = FLG_SITES_PAGE (room_page (room, "sites"));
  wait_chip (room, "cori: up, 38 ms");
  flg_sites_page_show (page, 3);
  gtk_widget_activate_action (GTK_WIDGET (page), "sites.edit", NULL);
  gtk_widget_activate_action (GTK_WIDGET (page), "sites.add", NULL);
  g_assert_null (flg_sites_page_dialog (page));
  room_free (room);
  room_free (first);
}

static void
test_far_place (void)
{
  static const char *const wrong[] = { "ssh://host",
                                       "ssh:///path",
                                       "ssh://host/",
                                       "http://host/x",
                                       "ssh://-oProxyCommand=x/y",
                                       "ssh://a@b@c/x",
                                       "ssh://ho st/x",
                                       "ssh://h:99999/x",
                                       "ssh://h:2x/y",
                                       "ssh://@h/x",
                                       "ssh://$(reboot)/x",
                                       "/tmp/x",
                                       "" };
  FlgFarPlace place;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (flg_far_place_parse (wrong[i], &place, &error));
      assert_in (error->message, "expected ssh://");
    }
  g_assert_true (flg_far_place_parse ("ssh://ana@beamline:2222/data/my exp'; x", &place, NULL));
  g_assert_cmpstr (place.path, ==, "/data/my exp'; x"); /* asked for in a frame, never in a command */
  g_auto (GStrv) command = flg_far_place_command (&place);
  g_autofree char *line = g_strjoinv (" ", command);
  g_assert_cmpstr (
      line, ==,
      "ssh -o BatchMode=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -p 2222 -l ana beamline "
      "firstlight-control serve");
  g_autofree char *folder = flg_far_place_folder (&place);
  flg_far_place_clear (&place);
  g_assert_true (flg_far_place_parse ("ssh://ana@beamline:2222/data/other", &place, NULL));
  g_autofree char *other = flg_far_place_folder (&place);
  g_assert_cmpstr (folder, !=, other);
  flg_far_place_clear (&place);
}

typedef struct
{
  FlgFollow *follow;
  FlgFollowState state;
} Following;

static gboolean
follows (gpointer data)
{
  return flg_follow_state (((Following *) data)->follow) == ((Following *) data)->state;
}

static gboolean
has_comment (gpointer data)
{
  const FlRun *run = flg_experiment_run (flg_context_experiment (((Room *) data)->context), 1);
  return run && strcmp (run->comment, "seen from afar") == 0;
}

/* An experiment looked at with SSH alone, and what is left of it when SSH is not. */
static void
test_follow (void)
{
  Room *far = room_new (3, FL_STORE_WRITE, FALSE);
  g_autofree char *bin = g_dir_make_tmp ("firstlight-bin-XXXXXX", NULL);
  g_autofree char *ssh = g_build_filename (bin, "ssh", NULL), *down = g_build_filename (bin, "down", NULL);
  g_autofree char *copy = g_build_filename (bin, "copy", NULL);
  g_autofree char *script =
      g_strdup_printf ("#!/bin/sh\n[ -e '%s' ] && { echo 'no route to host' >&2; exit 255; }\n"
                       "exec \"$FIRSTLIGHT_CONTROL\" serve\n",
                       down);
  g_autofree char *path = g_strdup_printf ("%s:%s", bin, g_getenv ("PATH"));
  g_autofree char *url = g_strdup_printf ("ssh://ana@beamline%s", far->folder);
  g_autofree char *before = g_strdup (g_getenv ("PATH"));
  FlgFarPlace place;
  g_assert_true (g_file_set_contents_full (ssh, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_setenv ("PATH", path, TRUE);
  g_assert_true (flg_far_place_parse (url, &place, NULL));
  g_auto (GStrv) command = flg_far_place_command (&place);
  Following following = { flg_follow_new (copy, place.path, (const char *const *) command), FLG_FOLLOW_UP };
  display_wait (follows, &following);
  g_assert_true (flg_follow_has_come (following.follow));
  Room *room = room_open (copy);
  flg_experiment_set_home (flg_context_experiment (room->context), place.path);
  flg_context_set_follow (room->context, following.follow);
  room_page (room, "runs");
  g_assert_cmpuint (
      flg_record_model_count (flg_experiment_table (flg_context_experiment (room->context), FL_TABLE_RUN)),
      ==, 3);
  g_autofree char *r1 = flg_experiment_resolve (flg_context_experiment (room->context), "data", "r1");
  g_assert_true (g_str_has_prefix (r1, place.path)); /* paths are those of the far end */
  g_autoptr (FlStore) store = fl_store_open (far->folder, FL_STORE_WRITE, NULL);
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, 1, "comment", "seen from afar", NULL));
  display_wait (has_comment, room);
  double age = flg_follow_age (following.follow);
  g_assert_true (age >= 0 && age < 20);
  g_autofree char *words = flg_follow_words (following.follow);
  assert_in (words, "Following beamline:");
  flg_header_strip_refresh (FLG_HEADER_STRIP (flg_window_strip (room->window)));
  char *strip = NULL;
  g_object_get (flg_window_strip (room->window), "summary", &strip, NULL);
  assert_in (strip, " s behind");
  g_free (strip);
  picture (room->window, "follow-up");
  flg_follow_stop (following.follow);
  g_object_unref (following.follow);
  /* Later, without a network: it opens all the same, and says what is wrong. */
  g_assert_true (g_file_set_contents (down, "", -1, NULL));
  following.follow = flg_follow_new (copy, place.path, (const char *const *) command);
  following.state = FLG_FOLLOW_LOST;
  display_wait (follows, &following);
  g_autofree char *lost = flg_follow_words (following.follow);
  assert_in (lost, "no route to host");
  g_assert_true (flg_follow_age (following.follow) >= 0);
  g_assert_true (has_comment (room));
  flg_follow_stop (following.follow);
  g_object_unref (following.follow);
  g_setenv ("PATH", before, TRUE);
  flg_far_place_clear (&place);
  room_free (room);
  room_free (far);
  room_remove_tree (bin);
}

int
main (int argc, char **argv)
{
  /* Sockets of this test are its own. */
  g_autofree char *runtime = g_dir_make_tmp ("fl-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
  display_init (&argc, &argv);
  if (g_getenv ("FIRSTLIGHT_PICTURES"))
    flg_load_style ();
  g_test_add_func ("/gui/sites/links", test_links);
  g_test_add_func ("/gui/sites/no-chip", test_no_chip);
  g_test_add_func ("/gui/sites/host-key", test_host_key);
  g_test_add_func ("/gui/sites/codes", test_codes);
  g_test_add_func ("/gui/sites/closed-and-void", test_closed_and_void);
  g_test_add_func ("/gui/sites/page", test_page);
  g_test_add_func ("/gui/sites/facts", test_facts);
  g_test_add_func ("/gui/sites/editor", test_editor);
  g_test_add_func ("/gui/sites/wizard", test_wizard);
  g_test_add_func ("/gui/sites/wizard-cancelled", test_wizard_cancelled);
  g_test_add_func ("/gui/sites/hostile", test_hostile);
  g_test_add_func ("/gui/sites/hosts", test_hosts);
  g_test_add_func ("/gui/sites/read-only", test_read_only);
  g_test_add_func ("/gui/sites/far-place", test_far_place);
  g_test_add_func ("/gui/sites/follow", test_follow);
  int status = g_test_run ();
  room_remove_tree (runtime);
  return status;
}
