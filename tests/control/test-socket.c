/* The conductor's socket: what is said on one side is heard on the other, and nobody else is believed. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/control/control-socket-channel.h"
#include "engine/control/control-socket-peer.h"
#include "engine/control/control-socket-server.h"
#include "engine/remote/host-private.h"

/* --- a machine whose programs say back what they are told --- */

typedef struct
{
  FlHost *host;
  gboolean lost;
  gint ended; /* atomic: programs that saw the end of their input */
} Machine;

typedef struct
{
  Machine *machine;
  int fd;
} Program;

static gpointer
echo (gpointer data)
{
  g_autofree Program *program = data;
  char bytes[4096];
  ssize_t got;
  while ((got = recv (program->fd, bytes, sizeof bytes, 0)) > 0)
    for (ssize_t done = 0, put; done < got; done += put)
      if ((put = send (program->fd, bytes + done, (gsize) (got - done), MSG_NOSIGNAL)) <= 0)
        break;
  close (program->fd);
  g_atomic_int_inc (&program->machine->ended);
  return NULL;
}

static int
open_echo (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error)
{
  (void) errors;
  (void) data;
  Machine *machine = host->self;
  int ends[2];
  g_assert_cmpstr (argv[0], ==, "echo");
  if (machine->lost)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "the connection is lost");
      return -1;
    }
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  Program program = { machine, ends[1] };
  g_thread_unref (g_thread_new ("echo", echo, g_memdup2 (&program, sizeof program)));
  return ends[0];
}

static void
free_machine (FlHost *host)
{
  g_free (host->self);
}

/* --- both sides --- */

typedef struct
{
  char *folder, *store;
  FlControlServer *server;
  Machine *machine;
  GString *heard; /* by either side, a line each */
} Fixture;

static void
on_answer (gint64 site, guint id, const char *const *answers, gpointer data)
{
  g_autofree char *all = answers != NULL ? g_strjoinv ("|", (char **) answers) : g_strdup ("refused");
  g_string_append_printf (((Fixture *) data)->heard, "answer %d %u %s\n", (int) site, id, all);
}

static void
on_connect (gint64 site, gboolean up, gpointer data)
{
  g_string_append_printf (((Fixture *) data)->heard, "%s %d\n", up ? "connect" : "disconnect", (int) site);
}

static void
on_probe (gint64 site, gboolean push, gpointer data)
{
  g_string_append_printf (((Fixture *) data)->heard, "probe %d%s\n", (int) site, push ? " push" : "");
}

static void
on_stop_probe (gint64 site, gpointer data)
{
  g_string_append_printf (((Fixture *) data)->heard, "stop-probe %d\n", (int) site);
}

static void
on_channel (gint64 site, const char *const *argv, FlControlAsker *asker, gpointer data)
{
  Fixture *fixture = data;
  if (site == 1)
    fl_control_server_lend (fixture->server, asker, fixture->machine->host, argv);
  else
    fl_control_server_refuse (fixture->server, asker, "there is no such site");
}

static void
start_server (Fixture *fixture)
{
  static const FlControlEvents events = { on_answer, on_connect, on_probe, on_stop_probe, on_channel };
  g_autoptr (GError) error = NULL;
  fixture->server = fl_control_server_new (fixture->store, &events, fixture, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  static const FlHostClass class = { .open = open_echo, .finalize = free_machine };
  (void) data;
  fixture->folder = g_dir_make_tmp ("firstlight-socket-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", fixture->folder, TRUE);
  fixture->store = g_build_filename (fixture->folder, "firstlight.sqlite", NULL);
  fixture->heard = g_string_new (NULL);
  fixture->machine = g_new0 (Machine, 1);
  fixture->machine->host = fl_host_new (&class, "there", fixture->machine);
  start_server (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fl_control_server_free (fixture->server);
  g_autofree char *path = fl_control_socket_path (fixture->store);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_autofree char *inner = g_path_get_dirname (path);
  g_rmdir (inner);
  g_rmdir (fixture->folder);
  fl_host_unref (fixture->machine->host);
  g_string_free (fixture->heard, TRUE);
  g_free (fixture->folder);
  g_free (fixture->store);
}

static gboolean
timed_out (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_CONTINUE;
}

/* Runs the loop until `what` was heard. */
static void
wait_heard (Fixture *fixture, const char *what)
{
  gboolean late = FALSE;
  guint timer = g_timeout_add_seconds (10, timed_out, &late);
  while (strstr (fixture->heard->str, what) == NULL && !late)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  if (late)
    g_error ("'%s' was not heard, but:\n%s", what, fixture->heard->str);
}

static void
on_link (FlControlClient *client, gint64 site, const char *state, gint64 round_trip, guint64 retry_at,
         const char *message, Fixture *fixture)
{
  (void) client;
  g_string_append_printf (fixture->heard, "link %d %s %d %d %s\n", (int) site, state, (int) round_trip,
                          (int) retry_at, message);
}

static void
on_question (FlControlClient *client, gint64 site, const FlRemoteQuestion *question, Fixture *fixture)
{
  (void) client;
  g_string_append_printf (fixture->heard, "question %d %u %d %s/%s", (int) site, question->id, question->kind,
                          question->title, question->text);
  for (guint i = 0; i < question->n_fields; i++)
    g_string_append_printf (fixture->heard, " %s%s", question->labels[i], question->echo[i] ? "" : "*");
  g_string_append_c (fixture->heard, '\n');
}

static void
on_void (FlControlClient *client, gint64 site, guint id, Fixture *fixture)
{
  (void) client;
  g_string_append_printf (fixture->heard, "void %d %u\n", (int) site, id);
}

static void
on_step (FlControlClient *client, gint64 site, const char *step, const char *state, const char *message,
         const char *advice, double seconds, Fixture *fixture)
{
  (void) client;
  g_string_append_printf (fixture->heard, "step %d %s %s %s %s %.1f\n", (int) site, step, state, message,
                          advice, seconds);
}

static void
on_probed (FlControlClient *client, gint64 site, gboolean well, Fixture *fixture)
{
  (void) client;
  g_string_append_printf (fixture->heard, "probed %d %s\n", (int) site, well ? "well" : "ill");
}

static void
on_connected (FlControlClient *client, GParamSpec *spec, Fixture *fixture)
{
  (void) spec;
  g_string_append (fixture->heard, fl_control_client_is_connected (client) ? "connected\n" : "gone\n");
}

static FlControlClient *
make_client (Fixture *fixture)
{
  FlControlClient *client = fl_control_client_new (fixture->store);
  g_signal_connect (client, "link", G_CALLBACK (on_link), fixture);
  g_signal_connect (client, "question", G_CALLBACK (on_question), fixture);
  g_signal_connect (client, "question-void", G_CALLBACK (on_void), fixture);
  g_signal_connect (client, "step", G_CALLBACK (on_step), fixture);
  g_signal_connect (client, "probed", G_CALLBACK (on_probed), fixture);
  g_signal_connect (client, "notify::connected", G_CALLBACK (on_connected), fixture);
  return client;
}

static void
drop_client (FlControlClient *client, Fixture *fixture)
{
  g_signal_handlers_disconnect_by_data (client, fixture);
  g_object_unref (client);
}

static void
test_said_and_heard (Fixture *fixture, gconstpointer data)
{
  (void) data;
  char *labels[] = { (char *) "Password", (char *) "Code" };
  gboolean echo_typed[] = { FALSE, TRUE };
  FlRemoteQuestion question = {
    7, FL_REMOTE_ASK_CODE, (char *) "Who?", (char *) "two", 2, labels, echo_typed
  };
  /* What was said before is told to whoever comes. */
  fl_control_server_link (fixture->server, 3, "lost", 40000, 12, "frozen");
  fl_control_server_question (fixture->server, 3, &question);
  FlControlClient *client = make_client (fixture);
  wait_heard (fixture, "question");
  g_assert_cmpstr (fixture->heard->str, ==,
                   "connected\nlink 3 lost 40000 12 frozen\nquestion 3 7 3 Who?/two Password* Code\n");
  g_string_truncate (fixture->heard, 0);
  const char *const answers[] = { "sécret", "123", NULL };
  fl_control_client_answer (client, 3, 7, answers);
  fl_control_client_answer (client, 3, 8, NULL);
  fl_control_client_connect_site (client, 4);
  fl_control_client_disconnect_site (client, 4);
  fl_control_client_probe (client, 5, TRUE);
  fl_control_client_stop_probe (client, 5);
  wait_heard (fixture, "stop-probe");
  g_assert_cmpstr (fixture->heard->str, ==,
                   "answer 3 7 sécret|123\nanswer 3 8 refused\nconnect 4\ndisconnect 4\nprobe 5 push\n"
                   "stop-probe 5\n");
  g_string_truncate (fixture->heard, 0);
  fl_control_server_answered (fixture->server, 3, 6); /* an older one */
  fl_control_server_answered (fixture->server, 3, 7);
  fl_control_server_void (fixture->server, 3); /* is void already */
  fl_control_server_step (fixture->server, 5, "mpi", "failed", "no", "ask", 1.5);
  fl_control_server_probed (fixture->server, 5, FALSE);
  wait_heard (fixture, "probed");
  g_assert_cmpstr (fixture->heard->str, ==, "void 3 7\nstep 5 mpi failed no ask 1.5\nprobed 5 ill\n");
  drop_client (client, fixture);
}

static void
test_connects_again (Fixture *fixture, gconstpointer data)
{
  (void) data;
  fl_control_server_free (fixture->server);
  FlControlClient *client = make_client (fixture);
  g_assert_false (fl_control_client_is_connected (client));
  fl_control_client_connect_site (client, 1); /* nobody hears it */
  start_server (fixture);
  wait_heard (fixture, "connected");
  fl_control_server_free (fixture->server);
  wait_heard (fixture, "gone");
  start_server (fixture);
  g_string_truncate (fixture->heard, 0);
  wait_heard (fixture, "connected");
  drop_client (client, fixture);
}

/* --- others --- */

static int
connect_raw (Fixture *fixture)
{
  g_autofree char *path = fl_control_socket_path (fixture->store);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static void
put (int fd, gconstpointer bytes, gsize length)
{
  g_assert_cmpint (send (fd, bytes, length, MSG_NOSIGNAL), ==, (gssize) length);
}

static void
put_frame (int fd, const char *word, GVariant *value)
{
  g_autoptr (GBytes) frame = fl_control_encode (word, value);
  put (fd, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
}

static void
turn_loop (guint ms)
{
  for (guint i = 0; i < ms / 5; i++)
    {
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_usleep (5000);
    }
}

/* Reads what there is; TRUE at the end of it. */
static gboolean
is_dropped (int fd)
{
  char bytes[65536];
  ssize_t got;
  while ((got = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    ;
  return got == 0 || errno == ECONNRESET;
}

static void
test_hostile (Fixture *fixture, gconstpointer data)
{
  (void) data;
  FlControlClient *client = make_client (fixture);
  wait_heard (fixture, "connected");
  FlRandom random = fl_random (1);
  for (guint i = 0; i < 60; i++)
    {
      guint8 bytes[512];
      int fd = connect_raw (fixture);
      if (i % 3 > 0)
        put_frame (fd, "hello", g_variant_new ("(u)", 1));
      for (guint k = 0; k < sizeof bytes; k++)
        bytes[k] = (guint8) fl_random_u64 (&random);
      guint32 length = i % 2 == 0 ? (guint32) (sizeof bytes - 4) : 0xffffffffu;
      length = GUINT32_TO_LE (length);
      memcpy (bytes, &length, 4);
      put (fd, bytes, sizeof bytes);
      turn_loop (5);
      g_assert_true (is_dropped (fd));
      close (fd);
    }
  /* Words that are none, words of another type, words before hello, half a word. */
  int fds[4];
  for (guint i = 0; i < 4; i++)
    fds[i] = connect_raw (fixture);
  put_frame (fds[0], "connect", g_variant_new ("(x)", (gint64) 1));
  put_frame (fds[1], "hello", g_variant_new ("(u)", 1));
  put_frame (fds[1], "reboot", g_variant_new ("(x)", (gint64) 1));
  put_frame (fds[2], "hello", g_variant_new ("(s)", "1"));
  put (fds[3], "\10\0\0\0ab", 6);
  turn_loop (50);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_true (is_dropped (fds[i]) == (i < 3));
      close (fds[i]);
    }
  /* One who does not read is dropped, the others hear all. */
  int deaf = connect_raw (fixture);
  put_frame (deaf, "hello", g_variant_new ("(u)", 1));
  turn_loop (20);
  g_autofree char *long_text = g_strnfill (500000, 'x');
  for (guint i = 0; i < 40; i++)
    {
      fl_control_server_step (fixture->server, 5, "mpi", "running", long_text, "", 0);
      turn_loop (5);
    }
  g_assert_true (is_dropped (deaf));
  close (deaf);
  g_assert_true (fl_control_client_is_connected (client));
  fl_control_client_connect_site (client, 9);
  wait_heard (fixture, "connect 9");
  g_assert_null (strstr (fixture->heard->str, "connect 1\n"));
  drop_client (client, fixture);
}

static void
test_many (Fixture *fixture, gconstpointer data)
{
  (void) data;
  int fds[80];
  guint heard = 0;
  for (guint i = 0; i < 80; i++)
    {
      fds[i] = connect_raw (fixture);
      turn_loop (5);
      if (send (fds[i], "", 0, MSG_NOSIGNAL) == 0 && !is_dropped (fds[i]))
        heard++;
    }
  g_assert_cmpuint (heard, ==, 64);
  for (guint i = 0; i < 80; i++)
    close (fds[i]);
  turn_loop (20);
  FlControlClient *client = make_client (fixture);
  wait_heard (fixture, "connected");
  drop_client (client, fixture);
}

static void
test_private (Fixture *fixture, gconstpointer data)
{
  (void) data;
  static const FlControlEvents none = { 0 };
  g_autofree char *path = fl_control_socket_path (fixture->store);
  g_autofree char *folder = g_path_get_dirname (path);
  struct stat about;
  g_assert_cmpint (g_lstat (path, &about), ==, 0);
  g_assert_cmpuint (about.st_mode & 0777, ==, 0600);
  g_assert_cmpint (g_lstat (folder, &about), ==, 0);
  g_assert_cmpuint (about.st_mode & 0777, ==, 0700);
  g_autofree char *same = fl_control_socket_path (fixture->folder);
  g_autofree char *other = fl_control_socket_path ("/nonexistent/other.sqlite");
  g_assert_cmpstr (same, ==, path);
  g_assert_cmpstr (other, !=, path);
  /* Somebody else could have put what they like there. */
  g_chmod (folder, 0755);
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_control_server_new (fixture->store, &none, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  FlControlClient *client = make_client (fixture);
  turn_loop (50);
  g_assert_false (fl_control_client_is_connected (client));
  drop_client (client, fixture);
  g_chmod (folder, 0700);
}

/* --- channels --- */

typedef struct
{
  int fd;
  guint64 seed;
  gsize length;
} Talk;

static gpointer
talk (gpointer data)
{
  Talk *t = data;
  FlRandom random = fl_random (t->seed);
  for (gsize done = 0; done < t->length;)
    {
      guint8 bytes[4096];
      for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8) fl_random_u64 (&random);
      for (gsize at = 0; at < sizeof bytes;)
        {
          ssize_t n = send (t->fd, bytes + at, sizeof bytes - at, MSG_NOSIGNAL);
          g_assert_cmpint (n, >, 0);
          at += (gsize) n;
        }
      done += sizeof bytes;
    }
  shutdown (t->fd, SHUT_WR);
  return NULL;
}

/* Frames up to "granted" or "refused"; what came after it is in `rest`. */
static gboolean
wait_granted (int fd, GByteArray *rest)
{
  for (;;)
    {
      guint8 bytes[4096];
      const char *word;
      g_autoptr (GVariant) value = fl_control_decode (rest, &word, NULL);
      if (value != NULL && strcmp (word, "granted") == 0)
        return TRUE;
      if (value != NULL && strcmp (word, "refused") == 0)
        return FALSE;
      if (value != NULL)
        continue;
      ssize_t got = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
      g_assert_true (got != 0);
      if (got > 0)
        g_byte_array_append (rest, bytes, (guint) got);
      else
        turn_loop (5);
    }
}

static void
ask_channel (int fd, gint64 site)
{
  const char *const argv[] = { "echo", "a b", NULL };
  put_frame (fd, "hello", g_variant_new ("(u)", 1));
  put_frame (fd, "channel", g_variant_new ("(x^as)", site, argv));
}

static gpointer
check_echo (gpointer data)
{
  Talk *t = data;
  FlRandom random = fl_random (t->seed);
  guint8 bytes[65536];
  ssize_t got;
  gsize all = 0;
  while ((got = recv (t->fd, bytes, sizeof bytes, 0)) > 0)
    for (ssize_t i = 0; i < got; i++, all++)
      g_assert_cmpuint (bytes[i], ==, (guint8) fl_random_u64 (&random));
  return GSIZE_TO_POINTER (all);
}

/* 3 MB each way, two at a time; the end of the input is passed on, and comes back as the end of the output. */
static void
test_channel (Fixture *fixture, gconstpointer data)
{
  (void) data;
  Talk talks[2];
  GThread *threads[4];
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GByteArray) rest = g_byte_array_new ();
      talks[i] = (Talk){ connect_raw (fixture), i + 1, 768 * 4096 };
      ask_channel (talks[i].fd, 1);
      g_assert_true (wait_granted (talks[i].fd, rest));
      g_assert_cmpuint (rest->len, ==, 0);
      threads[2 * i] = g_thread_new ("talk", talk, &talks[i]);
      threads[2 * i + 1] = g_thread_new ("check", check_echo, &talks[i]);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_thread_join (threads[2 * i]);
      g_assert_cmpuint (GPOINTER_TO_SIZE (g_thread_join (threads[2 * i + 1])), ==, 768 * 4096);
      close (talks[i].fd);
    }
  g_assert_cmpint (g_atomic_int_get (&fixture->machine->ended), ==, 2);
  /* One whose asker goes ends; one that is open when the server ends, too (tear down). */
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GByteArray) rest = g_byte_array_new ();
      int fd = connect_raw (fixture);
      ask_channel (fd, 1);
      g_assert_true (wait_granted (fd, rest));
      if (i == 0)
        close (fd);
      for (guint k = 0; i == 0 && k < 1000 && g_atomic_int_get (&fixture->machine->ended) < 3; k++)
        g_usleep (5000);
      g_assert_cmpint (g_atomic_int_get (&fixture->machine->ended), ==, 3);
    }
}

static void
test_channel_refused (Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GByteArray) rest = g_byte_array_new ();
      int fd = connect_raw (fixture);
      fixture->machine->lost = TRUE;
      ask_channel (fd, i + 1); /* site 2: none of ours */
      g_assert_false (wait_granted (fd, rest));
      close (fd);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/control/socket/said-and-heard", test_said_and_heard },
    { "/control/socket/connects-again", test_connects_again },
    { "/control/socket/hostile", test_hostile },
    { "/control/socket/many", test_many },
    { "/control/socket/private", test_private },
    { "/control/socket/channel", test_channel },
    { "/control/socket/channel-refused", test_channel_refused },
  };
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
