/* The process that holds the connection. */
#include "engine/remote/openssh-private.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/askpass.h"
#include "engine/remote/harmless.h"

#define CONNECT_S     15
#define LEAST_ALIVE_S 5 /* the link's own pulse finds out first */

/* ourselves, as a program that ssh can run; NULL: not found. */
static char *
control_program (void)
{
  static const char *const places[] = { "firstlight-control", "../engine/programs/firstlight-control" };
  const char *given = g_getenv ("FIRSTLIGHT_CONTROL");
  if (given != NULL)
    return g_strdup (given);
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : g_strdup (".");
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_build_filename (folder, places[i], NULL);
      if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer (&path);
    }
  return g_find_program_in_path ("firstlight-control");
}

static gboolean
link_ourselves (FlOpenssh *openssh, const char *at, GError **error)
{
  g_autofree char *program = control_program ();
  g_autofree char *path = program != NULL ? g_canonicalize_filename (program, NULL) : NULL;
  if (path != NULL && symlink (path, at) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: firstlight-control, which ssh is to ask, is not found",
               openssh->whom);
  return FALSE;
}

/* --- the command --- */

static void
add_option (GPtrArray *argv, const char *option)
{
  g_ptr_array_add (argv, g_strdup ("-o"));
  g_ptr_array_add (argv, g_strdup (option));
}

/* A path as the value of an option: quoted, its % doubled. */
static void
add_path_option (GPtrArray *argv, const char *name, const char *path)
{
  GString *option = g_string_new (name);
  g_string_append (option, "=\"");
  for (const char *c = path; *c != '\0'; c++)
    {
      if (*c == '%')
        g_string_append_c (option, '%');
      if (*c == '"' || *c == '\\')
        g_string_append_c (option, '\\');
      g_string_append_c (option, *c);
    }
  g_string_append_c (option, '"');
  add_option (argv, option->str);
  g_string_free (option, TRUE);
}

static void
add_fixed (GPtrArray *argv)
{
  static const char *const options[] = { "ControlMaster=yes",
                                         "ControlPersist=no",
                                         "StrictHostKeyChecking=ask",
                                         "UpdateHostKeys=no",
                                         "NumberOfPasswordPrompts=1",
                                         "RemoteCommand=none",
                                         "ClearAllForwardings=yes",
                                         "PermitLocalCommand=no",
                                         "LogLevel=INFO",
                                         "ConnectionAttempts=1",
                                         "BatchMode=no",
                                         "ServerAliveCountMax=3" };
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    add_option (argv, options[i]);
}

static GPtrArray *
master_command (FlOpenssh *openssh)
{
  const FlRemoteConfig *config = openssh->login.config;
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  const char *const fixed[] = { "ssh", "-M", "-N", "-T", "-x", "-a", "-S", openssh->control };
  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++)
    g_ptr_array_add (argv, g_strdup (fixed[i]));
  if (config->config_file != NULL)
    {
      g_ptr_array_add (argv, g_strdup ("-F"));
      g_ptr_array_add (argv, g_strdup (config->config_file));
    }
  add_fixed (argv);
  g_ptr_array_add (argv, g_strdup ("-o"));
  g_ptr_array_add (argv, g_strdup_printf ("ConnectTimeout=%d", CONNECT_S));
  g_ptr_array_add (argv, g_strdup ("-o"));
  g_ptr_array_add (argv,
                   g_strdup_printf ("ServerAliveInterval=%d", MAX (config->keep_alive_s, LEAST_ALIVE_S)));
  if (config->known_hosts != NULL)
    {
      add_path_option (argv, "UserKnownHostsFile", config->known_hosts);
      add_option (argv, "GlobalKnownHostsFile=/dev/null");
    }
  if (config->identity[0] != '\0')
    {
      add_path_option (argv, "IdentityFile", config->identity);
      add_option (argv, "IdentitiesOnly=yes");
    }
  if (config->user[0] != '\0')
    {
      g_ptr_array_add (argv, g_strdup ("-l"));
      g_ptr_array_add (argv, g_strdup (config->user));
    }
  if (config->port > 0)
    {
      g_ptr_array_add (argv, g_strdup ("-p"));
      g_ptr_array_add (argv, g_strdup_printf ("%d", config->port));
    }
  g_ptr_array_add (argv, g_strdup ("--"));
  g_ptr_array_add (argv, g_strdup (config->host));
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* In the child: a session of its own, so that a ^C at our terminal is not its; and it goes when the link's thread does. */
static void
detach (gpointer data)
{
  (void) data;
  setsid ();
  umask (077); /* should it make a known_hosts */
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

gboolean
fl_openssh_start (FlOpenssh *openssh, GError **error)
{
  g_autofree char *socket_path = g_build_filename (openssh->folder, "a", NULL);
  g_autofree char *link_path = g_build_filename (openssh->folder, FL_ASKPASS_NAME, NULL);
  if (openssh->asking < 0)
    {
      openssh->asking = fl_askpass_listen (socket_path, error);
      if (openssh->asking < 0 || !link_ourselves (openssh, link_path, error))
        return FALSE;
    }
  g_auto (GStrv) environment = g_get_environ ();
  environment = g_environ_setenv (environment, "SSH_ASKPASS", link_path, TRUE);
  environment = g_environ_setenv (environment, "SSH_ASKPASS_REQUIRE", "force", TRUE);
  environment = g_environ_setenv (environment, "DISPLAY", ":0", FALSE); /* clients before 8.4 want one */
  environment = g_environ_setenv (environment, FL_ASKPASS_SOCKET, socket_path, TRUE);
  g_autoptr (GPtrArray) argv = master_command (openssh);
  g_autoptr (GError) problem = NULL;
  g_string_truncate (openssh->said, 0);
  if (!g_spawn_async_with_pipes (NULL, (char **) argv->pdata, environment,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                 detach, NULL, &openssh->master, NULL, NULL, &openssh->words, &problem))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "the OpenSSH client cannot be run: %s",
                   problem->message);
      return FALSE;
    }
  fcntl (openssh->words, F_SETFL, O_NONBLOCK);
  return TRUE;
}

void
fl_openssh_kill (FlOpenssh *openssh)
{
  g_mutex_lock (&openssh->mutex);
  if (openssh->master != 0)
    kill (openssh->master, SIGKILL);
  g_mutex_unlock (&openssh->mutex);
}

void
fl_openssh_reap (FlOpenssh *openssh)
{
  GPid master = openssh->master;
  siginfo_t info;
  if (master == 0)
    return;
  waitid (P_PID, (id_t) master, &info,
          WEXITED | WNOWAIT); /* so that nobody kills a stranger of that number */
  g_mutex_lock (&openssh->mutex);
  waitpid (master, NULL, 0);
  openssh->master = 0;
  g_mutex_unlock (&openssh->mutex);
  close (openssh->words);
  openssh->words = -1;
}

void
fl_openssh_hear (FlOpenssh *openssh)
{
  char bytes[4096];
  ssize_t n;
  while ((n = read (openssh->words, bytes, sizeof bytes)) > 0)
    {
      g_string_append_len (openssh->said, bytes, n);
      if (openssh->said->len > FL_OPENSSH_MOST_WORDS)
        g_string_erase (openssh->said, 0, (gssize) openssh->said->len - FL_OPENSSH_MOST_WORDS);
    }
}

/* --- why it ended --- */

static char *
words_after (const char *text, const char *before)
{
  const char *at = strstr (text, before);
  return at != NULL
             ? fl_harmless (at + strlen (before), (gssize) strcspn (at + strlen (before), " \r\n"), 300)
             : g_strdup ("?");
}

static void
explain_changed (FlOpenssh *openssh, GError **error)
{
  const char *said = openssh->said->str;
  g_autofree char *shown = words_after (said, "key sent by the remote host is\n"),
                  *kind = words_after (said, "Offending ");
  if (shown[0] == '?')
    {
      g_free (shown);
      shown = words_after (said, "key sent by the remote host is\r\n");
    }
  const char *offending = strstr (said, "Offending ");
  g_autofree char *place = words_after (offending != NULL ? offending : said, "key in ");
  char *colon = strrchr (place, ':');
  g_autofree char *line = g_strdup (colon != NULL ? colon + 1 : "?");
  if (colon != NULL)
    *colon = '\0';
  g_strdelimit (shown, ".", '\0');
  g_set_error (
      error, FL_ERROR, FL_ERROR_INPUT,
      "%s shows another %s key than before (%s, expected the one of %s line %s): it was installed anew, or "
      "somebody listens in; ask its operators, then remove that line",
      openssh->login.config->host, kind, shown, place, line);
}

/* Its last line that is no mere notice. */
static char *
last_words (const char *said)
{
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);
  for (guint i = g_strv_length (lines); i-- > 0;)
    {
      char *line = fl_harmless (lines[i], -1, 300);
      if (line[0] != '\0')
        return line;
      g_free (line);
    }
  return g_strdup ("the OpenSSH client has ended without a word");
}

void
fl_openssh_explain (FlOpenssh *openssh, GError **error)
{
  static const char *const refusals[] = { "Permission denied",        "Too many authentication failures",
                                          "Bad configuration",        "no matching host key",
                                          "no matching cipher",       "no matching key exchange",
                                          "no matching MAC",          "Host key verification failed",
                                          "Bad owner or permissions", "terminating, " };
  const char *said = openssh->said->str;
  if (strstr (said, "REMOTE HOST IDENTIFICATION HAS CHANGED") != NULL)
    {
      explain_changed (openssh, error);
      return;
    }
  g_autofree char *last = last_words (said);
  gboolean refused = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    refused = refused || strstr (said, refusals[i]) != NULL;
  g_set_error (error, FL_ERROR, refused ? FL_ERROR_INPUT : FL_ERROR_BUSY, "%s", last);
}
