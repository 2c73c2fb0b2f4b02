#include "tests/remote/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSHD   "/usr/sbin/sshd"
#define SECRET "3132333435363738393031323334353637383930" /* of RFC 6238's examples */

char *
test_server_file (TestServer *server, const char *name)
{
  return g_build_filename (server->folder, name, NULL);
}

static void
must_run (const char *const *argv)
{
  g_autofree char *out = NULL, *err = NULL;
  int status;
  g_autoptr (GError) error = NULL;
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("%s: %s%s", argv[0], out, err);
}

static void
make_key (TestServer *server, const char *name, const char *kind, const char *phrase)
{
  g_autofree char *path = test_server_file (server, name);
  const char *argv[] = { "ssh-keygen", "-q", "-t", kind, "-N", phrase, "-C", name, "-f", path, NULL };
  must_run (argv);
}

static int
free_port (int *listening)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  if (listening != NULL)
    *listening = fd;
  else
    close (fd);
  return ntohs (address.sin_port);
}

static int
connect_port (int port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
                                 .sin_port = htons ((guint16) port) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

/* --- keys and configuration --- */

static void
append (TestServer *server, const char *name, const char *text, const char *source)
{
  g_autofree char *path = test_server_file (server, name), *from = NULL, *more = NULL, *before = NULL;
  if (source != NULL)
    {
      from = test_server_file (server, source);
      g_assert_true (g_file_get_contents (from, &more, NULL, NULL));
    }
  g_file_get_contents (path, &before, NULL, NULL);
  g_autofree char *all = g_strconcat (before != NULL ? before : "", text, more != NULL ? more : "", NULL);
  g_assert_true (g_file_set_contents (path, all, -1, NULL));
}

static void
make_keys (TestServer *server)
{
  make_key (server, "host_key", "ed25519", "");
  make_key (server, "host_key_rsa", "rsa", "");
  make_key (server, "ca", "ed25519", "");
  make_key (server, "id_ed25519", "ed25519", "");
  make_key (server, "id_phrase", "ed25519", "open sesame");
  make_key (server, "id_rsa", "rsa", "");
  make_key (server, "id_cert", "ed25519", "");
  make_key (server, "id_other", "ed25519", "");
  append (server, "authorized_keys", "", "id_ed25519.pub");
  append (server, "authorized_keys", "", "id_phrase.pub");
  append (server, "authorized_keys", "", "id_rsa.pub");
  g_autofree char *ca = test_server_file (server, "ca"), *key = test_server_file (server, "id_cert.pub");
  const char *argv[] = { "ssh-keygen",       "-q", "-s",  ca,  "-I", "test", "-n",
                         g_get_user_name (), "-V", "+1d", key, NULL };
  must_run (argv);
}

static void
configure (TestServer *server, const char *lines, gboolean pam)
{
  const char *d = server->folder;
  g_autofree char *text = g_strdup_printf (
      "Port %d\nListenAddress 127.0.0.1\nHostKey %s/host_key\nHostKey %s/host_key_rsa\nPidFile none\n"
      "AuthorizedKeysFile %s/authorized_keys\n"
      "TrustedUserCAKeys %s/ca.pub\nPasswordAuthentication no\nKbdInteractiveAuthentication %s\nUsePAM %s\n"
      "StrictModes no\nPermitRootLogin yes\nUseDNS no\nMaxStartups 100\nSubsystem sftp internal-sftp\nSetEnv "
      "HOME=%s/home\n%s\n",
      server->port, d, d, d, d, pam ? "yes" : "no", pam ? "yes" : "no", d, lines);
  append (server, "sshd_config", text, NULL);
  /* A home whose start-up file talks, as many do: bash reads it for commands of sshd. */
  g_autofree char *home = test_server_file (server, "home");
  g_mkdir (home, 0755);
  append (server, "home/.bashrc", "echo Welcome.; echo Maintenance on Monday. >&2; printf 'no end of line'\n",
          NULL);
  if (!pam)
    return;
  g_autofree char *service = g_strdup_printf (
      "auth required pam_oath.so usersfile=%s/users.oath window=20 digits=6\n"
      "auth required /usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so passdb=%s/passdb\n"
      "account required /usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so passdb=%s/passdb\n"
      "session required /usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so passdb=%s/passdb\n",
      d, d, d, d);
  g_autofree char *users = g_strdup_printf ("HOTP/T30/6 %s - " SECRET "\n", g_get_user_name ());
  g_autofree char *passwords = g_strdup_printf ("%s:hunter2:sshd\n", g_get_user_name ());
  g_autofree char *pam_folder = test_server_file (server, "pam");
  g_mkdir (pam_folder, 0755);
  append (server, "pam/sshd", service, NULL);
  append (server, "users.oath", users, NULL);
  append (server, "passdb", passwords, NULL);
  g_autofree char *users_path = test_server_file (server, "users.oath");
  g_chmod (users_path, 0600);
}

char *
test_server_code (void)
{
  static int n;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) then = g_date_time_add_seconds (now, 30 * n++);
  g_autofree char *at = g_date_time_format (then, "--now=%Y-%m-%d %H:%M:%S UTC");
  const char *argv[] = { "oathtool", "--totp", at, SECRET, NULL };
  g_autofree char *out = NULL;
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL);
  return g_strdup (g_strchomp (out));
}

/* --- a server --- */

TestServer *
test_server_new (const char *lines, gboolean pam)
{
  if (!g_file_test (SSHD, G_FILE_TEST_IS_EXECUTABLE)
      || (pam && !g_file_test ("/usr/lib/x86_64-linux-gnu/pam_wrapper/pam_matrix.so", G_FILE_TEST_EXISTS)))
    return NULL;
  TestServer *server = g_new0 (TestServer, 1);
  server->folder = g_dir_make_tmp ("fl-ssh-XXXXXX", NULL);
  server->known_hosts = test_server_file (server, "known_hosts");
  server->port = free_port (NULL);
  server->pam = pam;
  make_keys (server);
  configure (server, lines, pam);
  if (geteuid () == 0)
    g_mkdir ("/run/sshd", 0755); /* as its start-up script does */
  test_server_start (server);
  return server;
}

static gboolean
answers (int port)
{
  char banner[4] = { 0 };
  int fd = connect_port (port);
  gboolean ok = fd >= 0 && recv (fd, banner, 4, MSG_WAITALL) == 4 && memcmp (banner, "SSH-", 4) == 0;
  if (fd >= 0)
    close (fd);
  return ok;
}

/* Should a test be killed, its server is not to outlive it. */
static void
die_with_us (gpointer data)
{
  (void) data;
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
test_server_start (TestServer *server)
{
  g_autofree char *config = test_server_file (server, "sshd_config"), *log = test_server_file (server, "log");
  g_autofree char *pam_folder = test_server_file (server, "pam");
  const char *argv[] = { SSHD, "-D", "-f", config, "-E", log, NULL };
  g_auto (GStrv) environment = g_get_environ ();
  if (server->pam)
    {
      environment = g_environ_setenv (environment, "LD_PRELOAD", "libpam_wrapper.so", TRUE);
      environment = g_environ_setenv (environment, "PAM_WRAPPER", "1", TRUE);
      environment = g_environ_setenv (environment, "PAM_WRAPPER_SERVICE_DIR", pam_folder, TRUE);
    }
  g_autoptr (GError) error = NULL;
  g_spawn_async (NULL, (char **) argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, die_with_us, NULL,
                 &server->pid, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 1000 && !answers (server->port); i++)
    g_usleep (10000);
}

/* The sessions of a server are its children, and theirs. */
static void
signal_children (GPid pid, int signal)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", pid, pid), *text = NULL;
  if (g_file_get_contents (path, &text, NULL, NULL))
    {
      g_auto (GStrv) children = g_strsplit (g_strstrip (text), " ", -1);
      for (guint i = 0; children[i] != NULL && children[i][0] != '\0'; i++)
        signal_children (atoi (children[i]), signal);
    }
  kill (pid, signal);
}

void
test_server_stop (TestServer *server)
{
  if (server->pid == 0)
    return;
  signal_children (server->pid, SIGKILL);
  waitpid (server->pid, NULL, 0);
  server->pid = 0;
}

void
test_server_freeze (TestServer *server, gboolean frozen)
{
  signal_children (server->pid, frozen ? SIGSTOP : SIGCONT);
}

void
test_server_free (TestServer *server)
{
  test_server_stop (server);
  const char *argv[] = { "rm", "-rf", server->folder, NULL };
  must_run (argv);
  g_free (server->folder);
  g_free (server->known_hosts);
  g_free (server);
}

void
test_server_change_key (TestServer *server)
{
  g_autofree char *key = test_server_file (server, "host_key"),
                  *public = test_server_file (server, "host_key.pub");
  g_unlink (key);
  g_unlink (public);
  make_key (server, "host_key", "ed25519", "");
}

void
test_server_trust (TestServer *server, int port)
{
  g_autofree char *public = test_server_file (server, "host_key.pub"), *key = NULL;
  g_assert_true (g_file_get_contents (public, &key, NULL, NULL));
  g_autofree char *line = g_strdup_printf ("[127.0.0.1]:%d %s", port, key);
  append (server, "known_hosts", line, NULL);
}

/* --- the proxy --- */

typedef struct
{
  gint64 due;
  GBytes *bytes;
} Late;

typedef struct
{
  int from, to;
  GQueue late;
} Way;

typedef struct
{
  Way ways[2];
} Pair;

struct TestProxy
{
  int listening, port, to;
  gint64 delay;
  int frozen, cut, stop;
  GThread *thread;
  GPtrArray *pairs;
};

static void
pair_free (gpointer data)
{
  Pair *pair = data;
  for (int i = 0; i < 2; i++)
    {
      Late *late;
      while ((late = g_queue_pop_head (&pair->ways[i].late)) != NULL)
        {
          g_bytes_unref (late->bytes);
          g_free (late);
        }
      close (pair->ways[i].from);
    }
  g_free (pair);
}

/* FALSE: that end is closed. */
static gboolean
take_in (TestProxy *proxy, Way *way)
{
  char bytes[65536];
  if (g_queue_get_length (&way->late) > 256)
    return TRUE;
  ssize_t n = recv (way->from, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0)
    {
      Late *late = g_new (Late, 1);
      late->due = g_get_monotonic_time () + proxy->delay;
      late->bytes = g_bytes_new (bytes, (gsize) n);
      g_queue_push_tail (&way->late, late);
    }
  return n != 0 && (n > 0 || errno == EAGAIN);
}

static void
pass_on (Way *way)
{
  Late *late;
  while ((late = g_queue_peek_head (&way->late)) != NULL && late->due <= g_get_monotonic_time ())
    {
      gsize length;
      const char *bytes = g_bytes_get_data (late->bytes, &length);
      ssize_t n = send (way->to, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN)
        return;
      GBytes *rest = n > 0 && (gsize) n < length ? g_bytes_new (bytes + n, length - (gsize) n) : NULL;
      g_bytes_unref (late->bytes);
      late->bytes = rest;
      if (rest != NULL)
        return;
      g_free (g_queue_pop_head (&way->late));
    }
}

static gpointer
serve_proxy (gpointer data)
{
  TestProxy *proxy = data;
  while (!g_atomic_int_get (&proxy->stop))
    {
      int fd = accept4 (proxy->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0 && !g_atomic_int_get (&proxy->frozen))
        {
          int other = connect_port (proxy->to);
          Pair *pair = g_new0 (Pair, 1);
          pair->ways[0] = (Way){ .from = fd, .to = other };
          pair->ways[1] = (Way){ .from = other, .to = fd };
          g_ptr_array_add (proxy->pairs, pair);
        }
      else if (fd >= 0)
        close (fd);
      if (g_atomic_int_compare_and_exchange (&proxy->cut, 1, 0))
        g_ptr_array_set_size (proxy->pairs, 0);
      for (guint i = proxy->pairs->len; i-- > 0 && !g_atomic_int_get (&proxy->frozen);)
        {
          Pair *pair = proxy->pairs->pdata[i];
          gboolean open = TRUE;
          for (int w = 0; w < 2; w++)
            {
              open = open && take_in (proxy, &pair->ways[w]);
              pass_on (&pair->ways[w]);
            }
          if (!open)
            g_ptr_array_remove_index_fast (proxy->pairs, i);
        }
      g_usleep (200);
    }
  return NULL;
}

TestProxy *
test_proxy_new (int port, guint delay_ms)
{
  TestProxy *proxy = g_new0 (TestProxy, 1);
  proxy->port = free_port (&proxy->listening);
  proxy->to = port;
  proxy->delay = delay_ms * G_TIME_SPAN_MILLISECOND;
  proxy->pairs = g_ptr_array_new_with_free_func (pair_free);
  listen (proxy->listening, 16);
  fcntl (proxy->listening, F_SETFL, O_NONBLOCK);
  proxy->thread = g_thread_new ("proxy", serve_proxy, proxy);
  return proxy;
}

void
test_proxy_free (TestProxy *proxy)
{
  g_atomic_int_set (&proxy->stop, 1);
  g_thread_join (proxy->thread);
  g_ptr_array_unref (proxy->pairs);
  close (proxy->listening);
  g_free (proxy);
}

int
test_proxy_port (TestProxy *proxy)
{
  return proxy->port;
}

void
test_proxy_freeze (TestProxy *proxy, gboolean frozen)
{
  g_atomic_int_set (&proxy->frozen, frozen);
}

void
test_proxy_cut (TestProxy *proxy)
{
  g_atomic_int_set (&proxy->cut, 1);
}
