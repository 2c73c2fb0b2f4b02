/* The Sites page and its editor, against a conductor that is made up. What was done is read back from the store. */
#include <string.h>

#include "gui/site-editor.h"
#include "gui/site-facts.h"
#include "gui/site-hosts.h"
#include "gui/sites-page.h"
#include "tests/gui/made-conductor.h"
#include "tests/gui/made.h"
#include "tests/widgets/display.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

typedef struct
{
  Room *room;
  const char *part;
} Said;

static gboolean
page_says (gpointer data)
{
  Said *said = data;
  g_autofree char *text =
      flg_sites_page_summary (FLG_SITES_PAGE (flg_window_page (said->room->window, "sites")));
  return strstr (text, said->part) != NULL;
}

static void
wait_page (Room *room, const char *part)
{
  Said said = { room, part };
  display_wait (page_says, &said);
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
      made_save (store, FL_TABLE_ATTEMPT, &attempt);
    }
  FlAttempt waiting = {
    .job = 1, .site = 3, .number = 200, .state = FL_JOB_QUEUED, .submitted = room->now, .exit_code = -1
  };
  made_save (store, FL_TABLE_ATTEMPT, &waiting);
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
  made_save (store, FL_TABLE_WORKER, &link);
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

int
main (int argc, char **argv)
{
  conductor_init (&argc, &argv);
  g_test_add_func ("/gui/sites/page", test_page);
  g_test_add_func ("/gui/sites/facts", test_facts);
  g_test_add_func ("/gui/sites/editor", test_editor);
  g_test_add_func ("/gui/sites/hostile", test_hostile);
  g_test_add_func ("/gui/sites/hosts", test_hosts);
  g_test_add_func ("/gui/sites/read-only", test_read_only);
  return conductor_run ();
}
