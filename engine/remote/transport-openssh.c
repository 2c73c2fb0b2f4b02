/* The other transport: the installed OpenSSH client. */
#include "engine/remote/openssh-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/askpass.h"

#define LOOK_MS   10 /* how often the master's socket is looked for */
#define SILENCE_S 60 /* for a server to get on with the login */
#define MOST_PATH 80 /* so that ssh can make "PATH.16 random letters" a socket */

/* --- logging in --- */

static void
forget_used (FlOpenssh *openssh)
{
  for (guint i = 0; i < openssh->used->len; i++)
    fl_secrets_keep (openssh->login.secrets, openssh->used->pdata[i], NULL);
}

static void
keep_typed (FlOpenssh *openssh)
{
  for (guint i = 0; i + 1 < openssh->typed->len; i += 2)
    fl_secrets_keep (openssh->login.secrets, openssh->typed->pdata[i], openssh->typed->pdata[i + 1]);
  g_ptr_array_set_size (openssh->typed, 0);
}

/* The master is connected once its socket is there. FALSE: refused, lost, stopped. */
static gboolean
await_login (FlOpenssh *openssh, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + SILENCE_S * G_USEC_PER_SEC;
  while (g_access (openssh->control, F_OK) != 0)
    {
      struct pollfd fds[] = { { .fd = openssh->login.stop, .events = POLLIN },
                              { .fd = openssh->asking, .events = POLLIN },
                              { .fd = openssh->words, .events = POLLIN } };
      if (poll (fds, 3, LOOK_MS) < 0 && errno != EINTR)
        break;
      if (fds[0].revents != 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "stopped");
          return FALSE;
        }
      if (fds[1].revents != 0)
        {
          if (!fl_openssh_answer (openssh, error))
            return FALSE;
          deadline = g_get_monotonic_time () + SILENCE_S * G_USEC_PER_SEC;
        }
      if (fds[2].revents & POLLIN)
        fl_openssh_hear (openssh);
      else if (fds[2].revents & (POLLHUP | POLLERR))
        {
          fl_openssh_explain (openssh, error);
          return FALSE;
        }
      if (g_get_monotonic_time () > deadline)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s does not answer", openssh->whom);
          return FALSE;
        }
    }
  return TRUE;
}

/* Once more when nothing but what was kept was refused: the person is asked then. */
static gboolean
log_in (FlOpenssh *openssh, GError **error)
{
  for (int attempt = 0;; attempt++)
    {
      GError *problem = NULL;
      if (fl_openssh_start (openssh, &problem) && await_login (openssh, &problem))
        {
          keep_typed (openssh);
          return TRUE;
        }
      fl_openssh_kill (openssh);
      fl_openssh_reap (openssh);
      gboolean refused = g_error_matches (problem, FL_ERROR, FL_ERROR_INPUT);
      if (refused)
        forget_used (openssh);
      if (!refused || attempt > 0 || openssh->used->len == 0 || openssh->answered)
        {
          g_propagate_error (error, problem);
          return FALSE;
        }
      g_error_free (problem);
    }
}

/* --- while it is up --- */

static gpointer
watch_master (gpointer data)
{
  FlOpenssh *openssh = data;
  fcntl (openssh->words, F_SETFL, 0); /* blocking: till its end */
  fl_openssh_hear (openssh);
  fl_openssh_reap (openssh);
  g_mutex_lock (&openssh->mutex);
  gboolean asked = openssh->shut;
  g_mutex_unlock (&openssh->mutex);
  if (asked)
    return NULL;
  g_autoptr (GError) error = NULL;
  fl_openssh_explain (openssh, &error);
  openssh->login.lost (error->message, openssh->login.data);
  return NULL;
}

static void
remove_folder (FlOpenssh *openssh)
{
  static const char *const names[] = { "m", "a", FL_ASKPASS_NAME };
  for (guint i = 0; openssh->folder != NULL && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (openssh->folder, names[i], NULL);
      g_unlink (path);
    }
  if (openssh->folder != NULL)
    g_rmdir (openssh->folder);
}

static void
openssh_shut (FlTransport *transport)
{
  FlOpenssh *openssh = (FlOpenssh *) transport;
  g_mutex_lock (&openssh->mutex);
  openssh->shut = TRUE;
  g_mutex_unlock (&openssh->mutex);
  fl_openssh_kill (openssh);
  remove_folder (openssh);
}

static void
wipe_free (gpointer text)
{
  fl_secret_free (text);
}

static void
openssh_free (FlTransport *transport)
{
  FlOpenssh *openssh = (FlOpenssh *) transport;
  openssh_shut (transport);
  if (openssh->thread != NULL)
    g_thread_join (openssh->thread);
  if (openssh->asking >= 0)
    close (openssh->asking);
  g_string_free (openssh->said, TRUE);
  g_ptr_array_unref (openssh->typed);
  g_ptr_array_unref (openssh->used);
  g_mutex_clear (&openssh->mutex);
  g_free (openssh->control);
  g_free (openssh->folder);
  g_free (openssh->whom);
  g_free (openssh);
}

/* A folder that only we can enter, with a path that is short enough for sockets. */
static gboolean
make_folder (FlOpenssh *openssh, GError **error)
{
  const char *top = strlen (g_get_tmp_dir ()) < MOST_PATH - 30 ? g_get_tmp_dir () : "/tmp";
  openssh->folder = g_build_filename (top, "fl-ssh-XXXXXX", NULL);
  if (g_mkdtemp (openssh->folder) == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", openssh->folder, g_strerror (errno));
      g_clear_pointer (&openssh->folder, g_free);
      return FALSE;
    }
  openssh->control = g_build_filename (openssh->folder, "m", NULL);
  return TRUE;
}

FlTransport *
fl_transport_openssh_new (const FlLogin *login, GError **error)
{
  FlOpenssh *openssh = g_new0 (FlOpenssh, 1);
  openssh->base = (FlTransport){ fl_openssh_channel_open, openssh_shut, openssh_free };
  openssh->login = *login;
  openssh->whom = g_strdup_printf ("%s@%s", login->user, login->config->host);
  openssh->asking = openssh->words = -1;
  openssh->said = g_string_new (NULL);
  openssh->typed = g_ptr_array_new_with_free_func (wipe_free);
  openssh->used = g_ptr_array_new_with_free_func (g_free);
  g_mutex_init (&openssh->mutex);
  if (!make_folder (openssh, error) || !log_in (openssh, error))
    {
      openssh_free (&openssh->base);
      return NULL;
    }
  openssh->thread = g_thread_new ("fl-openssh", watch_master, openssh);
  return &openssh->base;
}
