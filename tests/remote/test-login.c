/* Every way to prove who we are, by each transport; host keys known, unknown and changed. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "engine/base/error.h"
#include "tests/remote/login.h"

static TestServer *server, *pam_server;

#define TRANSPORT(data) ((FlRemoteTransport) GPOINTER_TO_INT (data))

/* Connects and waits till it is up or given up. */
static FlRemoteState
try_login (TestLogin *login)
{
  fl_remote_connect (login->remote);
  for (int i = 0; i < 200; i++)
    {
      test_login_spin (0.05);
      FlRemoteState state = fl_remote_status (login->remote)->state;
      if (state == FL_REMOTE_UP || state == FL_REMOTE_OFFLINE)
        return state;
    }
  return fl_remote_status (login->remote)->state;
}

static void
assert_runs (TestLogin *login)
{
  const char *const argv[] = { "echo", "here", NULL };
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_host_run (login->host, argv, NULL, 10, NULL, &output, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (output.out, NULL), (int) g_bytes_get_size (output.out), "here\n", 5);
}

static void
assert_message (TestLogin *login, const char *part)
{
  const char *message = fl_remote_status (login->remote)->message;
  if (strstr (message, part) == NULL)
    g_error ("'%s' is not in '%s'", part, message);
}

/* Goes away and comes back, and is up again by itself. */
static void
restart (TestServer *which, TestLogin *login)
{
  test_server_stop (which);
  g_assert_true (test_login_await (login, FL_REMOTE_LOST, 20));
  test_server_start (which);
  fl_remote_connect (login->remote); /* now, not when it is due */
  g_assert_true (test_login_await (login, FL_REMOTE_UP, 20));
}

/* --- keys --- */

static void
test_passphrase (gconstpointer data)
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_phrase", 0);
  login->answers[0] = "open sesame";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpuint (login->questions->len, ==, 1);
  const FlRemoteQuestion *question = login->questions->pdata[0];
  g_assert_cmpint (question->kind, ==, FL_REMOTE_ASK_PASSPHRASE);
  g_assert_cmpstr (question->title, ==, "Passphrase of the key id_phrase");
  assert_runs (login);
  restart (server, login);
  g_assert_cmpuint (login->questions->len, ==, 1); /* kept */
  test_login_free (login);
}

static void
test_wrong_passphrase (gconstpointer data)
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_phrase", 0);
  login->answers[0] = login->answers[1] = login->answers[2] = "open barley";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  test_login_spin (1.5);
  g_assert_cmpint (fl_remote_status (login->remote)->state, ==, FL_REMOTE_OFFLINE);
  g_assert_cmpuint (fl_remote_status (login->remote)->retry_at, ==, 0);
  test_login_free (login);
}

static void
test_unasked (gconstpointer data) /* the person refuses */
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_phrase", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  g_assert_cmpuint (login->questions->len, ==, 1);
  test_login_free (login);
}

static void
test_other_key (gconstpointer data)
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_other", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  test_login_free (login);
}

/* What libssh2 cannot do: OpenSSH does it, and it is said why. */
static void
test_mended (gconstpointer data)
{
  const char *name = data;
  TestLogin *login = test_login_new (server, FL_REMOTE_AUTO, name, 0);
  g_autofree char *why = fl_remote_why_not_libssh2 (fl_remote_config (login->remote));
  g_assert_nonnull (why);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpint (fl_remote_status (login->remote)->transport, ==, FL_REMOTE_OPENSSH);
  assert_message (login, "by OpenSSH: libssh2 cannot use");
  assert_runs (login);
  test_login_free (login);
  if (strcmp (name, "id_rsa") != 0)
    return;
  login = test_login_new (server, FL_REMOTE_LIBSSH2, name, 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  assert_message (login, "libssh2 cannot use RSA keys");
  test_login_free (login);
}

static void
test_auto (void)
{
  TestLogin *login = test_login_new (server, FL_REMOTE_AUTO, "id_ed25519", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpint (fl_remote_status (login->remote)->transport, ==, FL_REMOTE_LIBSSH2);
  test_login_free (login);
}

/* A server whose only ciphers and checksums libssh2 does not know. */
static void
test_no_common (void)
{
  TestServer *strict = test_server_new ("Ciphers aes256-ctr\nMACs hmac-sha2-256-etm@openssh.com", FALSE);
  test_server_trust (strict, strict->port);
  TestLogin *login = test_login_new (strict, FL_REMOTE_AUTO, "id_ed25519", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpint (fl_remote_status (login->remote)->transport, ==, FL_REMOTE_OPENSSH);
  assert_message (login, "by OpenSSH: libssh2 and 127.0.0.1 have no encryption in common");
  assert_runs (login);
  test_login_free (login);
  test_server_free (strict);
}

/* By a name of a configuration, through another machine. */
static void
test_jump (void)
{
  g_autofree char *key = test_server_file (server, "id_ed25519"),
                  *path = test_server_file (server, "ssh_config");
  g_autofree char *text =
      g_strdup_printf ("Host inner\n  HostName 127.0.0.1\n  Port %d\n  ProxyJump localhost:%d\nHost "
                       "localhost\n  StrictHostKeyChecking no\nHost *\n  User %s\n"
                       "  IdentityFile %s\n  UserKnownHostsFile %s\n",
                       server->port, server->port, g_get_user_name (), key, server->known_hosts);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_chmod (path, 0600);
  FlRemoteConfig config = { .host = (char *) "inner", .config_file = path, .keep_alive_s = 1 };
  TestLogin *login = test_login_new_from (&config);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  assert_message (login, "by OpenSSH: the way to inner goes through localhost:");
  assert_runs (login);
  test_login_free (login);
}

/* A question that nobody answers in time is void, and not asked again. */
static void
test_hung_up (void)
{
  TestServer *impatient = test_server_new ("LoginGraceTime 1", FALSE);
  test_server_trust (impatient, impatient->port);
  TestLogin *login = test_login_new (impatient, FL_REMOTE_LIBSSH2, "id_phrase", 0);
  login->answers[0] = "wait";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  g_assert_true (login->voided);
  assert_message (login, "has hung up while it waited for an answer");
  test_login_free (login);
  test_server_free (impatient);
}

static void
test_freed (gconstpointer data) /* while it asks */
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_phrase", 0);
  login->answers[0] = "wait";
  fl_remote_connect (login->remote);
  g_assert_true (test_login_await (login, FL_REMOTE_ASKING, 10));
  fl_remote_disconnect (login->remote);
  g_assert_true (login->voided);
  g_assert_cmpint (fl_remote_status (login->remote)->state, ==, FL_REMOTE_OFFLINE);
  login->answers[1] = "wait";
  fl_remote_connect (login->remote);
  g_assert_true (test_login_await (login, FL_REMOTE_ASKING, 10));
  test_login_free (login);
}

/* A link that nobody uses takes no time of the processor. */
static void
test_idle (gconstpointer data)
{
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_ed25519", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  test_login_spin (0.3);
  struct rusage before, after;
  getrusage (RUSAGE_SELF, &before);
  test_login_spin (1.5);
  getrusage (RUSAGE_SELF, &after);
  double ms = (double) (after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec
                        - before.ru_stime.tv_sec)
                  * 1e3
              + (double) (after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec
                          - before.ru_stime.tv_usec)
                    / 1e3;
  g_test_message ("1.5 s idle: %.1f ms of the processor; round trip %.1f ms", ms,
                  (double) fl_remote_status (login->remote)->round_trip / 1e3);
  g_assert_cmpfloat (ms, <, 150);
  g_assert_cmpint (fl_remote_status (login->remote)->round_trip, >, 0);
  test_login_free (login);
}

static void
test_agent (gconstpointer data)
{
  g_autofree char *socket = test_server_file (server, "agent"),
                  *key = test_server_file (server, "id_ed25519");
  const char *agent[] = { "ssh-agent", "-D", "-a", socket, NULL }, *add[] = { "ssh-add", "-q", key, NULL };
  GPid pid;
  g_assert_true (g_spawn_async (NULL, (char **) agent, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                NULL, NULL, &pid, NULL));
  for (int i = 0; i < 500 && !g_file_test (socket, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_setenv ("SSH_AUTH_SOCK", socket, TRUE);
  g_assert_true (
      g_spawn_sync (NULL, (char **) add, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  TestLogin *login = test_login_new (server, TRANSPORT (data), "", 0);
  FlRemoteState state = try_login (login);
  g_unsetenv ("SSH_AUTH_SOCK");
  kill (pid, SIGTERM);
  waitpid (pid, NULL, 0);
  g_unlink (socket);
  g_assert_cmpint (state, ==, FL_REMOTE_UP);
  g_assert_cmpuint (login->questions->len, ==, 0);
  assert_runs (login);
  test_login_free (login);
}

/* --- codes and passwords --- */

static gboolean
lacks_pam (void)
{
  if (pam_server == NULL)
    g_test_skip ("there is no libpam-wrapper here");
  return pam_server == NULL;
}

static void
test_codes (gconstpointer data)
{
  if (lacks_pam ())
    return;
  TestLogin *login = test_login_new (pam_server, TRANSPORT (data), "id_ed25519", 0);
  login->answers[0] = "code";
  login->answers[1] = "hunter2";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpuint (login->questions->len, ==, 2);
  const FlRemoteQuestion *code = login->questions->pdata[0], *password = login->questions->pdata[1];
  g_assert_cmpint (code->kind, ==, FL_REMOTE_ASK_CODE);
  g_assert_nonnull (strstr (code->labels[0], "One-time password"));
  g_assert_cmpint (password->kind, ==, FL_REMOTE_ASK_PASSWORD);
  assert_runs (login);
  login->answers[2] = "code"; /* anew; the password is kept */
  restart (pam_server, login);
  g_assert_cmpuint (login->questions->len, ==, 3);
  test_login_free (login);
}

static void
test_wrong_password (gconstpointer data)
{
  if (lacks_pam ())
    return;
  TestLogin *login = test_login_new (pam_server, TRANSPORT (data), "id_ed25519", 0);
  login->answers[0] = "code";
  login->answers[1] = "hunter3";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  g_assert_cmpuint (login->questions->len, ==, 2); /* asked once, and tried once */
  g_assert_cmpuint (fl_remote_status (login->remote)->retry_at, ==, 0);
  test_login_free (login);
}

/* --- host keys --- */

static void
forget_hosts (void)
{
  g_unlink (server->known_hosts);
}

static void
test_unknown_host (gconstpointer data)
{
  forget_hosts ();
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_ed25519", 0);
  login->answers[0] = "no";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  g_assert_false (g_file_test (server->known_hosts, G_FILE_TEST_EXISTS));
  login->answers[1] = "yes";
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpuint (login->questions->len, ==, 2);
  const FlRemoteQuestion *question = login->questions->pdata[1];
  g_assert_cmpint (question->kind, ==, FL_REMOTE_ASK_HOST_KEY);
  g_assert_cmpuint (question->n_fields, ==, 0);
  g_autofree char *public = test_server_file (server, "host_key.pub"), *fingerprint = NULL;
  const char *argv[] = { "ssh-keygen", "-l", "-f", public, NULL };
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &fingerprint, NULL, NULL, NULL);
  g_auto (GStrv) words = g_strsplit (fingerprint, " ", 3);
  g_autofree char *expected = g_strconcat ("ED25519 ", words[1], NULL);
  g_assert_cmpstr (question->text, ==, expected);
  struct stat status;
  g_assert_cmpint (g_stat (server->known_hosts, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
  test_login_free (login);
  login = test_login_new (server, TRANSPORT (data), "id_ed25519", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_UP);
  g_assert_cmpuint (login->questions->len, ==, 0);
  test_login_free (login);
}

static void
test_changed_host (gconstpointer data)
{
  forget_hosts ();
  test_server_trust (server, server->port);
  test_server_stop (server);
  test_server_change_key (server);
  test_server_start (server);
  TestLogin *login = test_login_new (server, TRANSPORT (data), "id_ed25519", 0);
  g_assert_cmpint (try_login (login), ==, FL_REMOTE_OFFLINE);
  g_assert_cmpuint (login->questions->len, ==, 0);
  g_autofree char *place = g_strdup_printf ("%s line 1", server->known_hosts);
  assert_message (login, place);
  assert_message (login, "shows another ED25519 key than before (SHA256:");
  assert_message (login, "ask its operators, then remove that line");
  test_login_free (login);
  forget_hosts ();
  test_server_trust (server, server->port);
}

static void
add_for_both (const char *name, GTestDataFunc function)
{
  for (int t = FL_REMOTE_LIBSSH2; t <= FL_REMOTE_OPENSSH; t++)
    {
      g_autofree char *path =
          g_strdup_printf ("/remote/%s/%s", fl_remote_transport_name ((FlRemoteTransport) t), name);
      g_test_add_data_func (path, GINT_TO_POINTER (t), function);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_unsetenv ("SSH_AUTH_SOCK");
  server = test_server_new ("", FALSE);
  if (server == NULL)
    {
      g_print ("1..0 # SKIP there is no sshd here\n");
      return 0;
    }
  test_server_trust (server, server->port);
  pam_server = test_server_new ("AuthenticationMethods publickey,keyboard-interactive:pam", TRUE);
  if (pam_server != NULL)
    test_server_trust (pam_server, pam_server->port);
  add_for_both ("passphrase", test_passphrase);
  add_for_both ("wrong-passphrase", test_wrong_passphrase);
  add_for_both ("unasked", test_unasked);
  add_for_both ("other-key", test_other_key);
  g_test_add_func ("/remote/auto/ed25519", test_auto);
  g_test_add_data_func ("/remote/auto/rsa", "id_rsa", test_mended);
  g_test_add_data_func ("/remote/auto/certificate", "id_cert", test_mended);
  g_test_add_func ("/remote/auto/no-common", test_no_common);
  g_test_add_func ("/remote/auto/jump", test_jump);
  g_test_add_func ("/remote/libssh2/hung-up", test_hung_up);
  add_for_both ("freed", test_freed);
  add_for_both ("idle", test_idle);
  add_for_both ("agent", test_agent);
  add_for_both ("codes", test_codes);
  add_for_both ("wrong-password", test_wrong_password);
  add_for_both ("unknown-host", test_unknown_host);
  add_for_both ("changed-host", test_changed_host);
  int status = g_test_run ();
  test_server_free (server);
  g_clear_pointer (&pam_server, test_server_free);
  return status;
}
