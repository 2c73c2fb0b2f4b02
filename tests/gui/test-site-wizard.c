/* The wizard that a site is set up with, against a conductor that is made up. What was done is read back from the
 * store. */
#include <string.h>

#include "gui/site-steps.h"
#include "gui/site-wizard.h"
#include "gui/sites-page.h"
#include "tests/gui/made-conductor.h"
#include "tests/widgets/display.h"

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

int
main (int argc, char **argv)
{
  conductor_init (&argc, &argv);
  g_test_add_func ("/gui/site-wizard/whole", test_wizard);
  g_test_add_func ("/gui/site-wizard/cancelled", test_wizard_cancelled);
  return conductor_run ();
}
