/* channel: lends this program's standard input and output to one at a site, through the conductor's login there
 * (engine/control/control-socket.h). */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/write-all.h"
#include "engine/control/control-socket-channel.h"
#include "engine/control/control-socket-peer.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"

#define PROGRAM "firstlight-control channel"

static gint64
find_site (const char *where, const char *name, gboolean command, char **store_path, GError **error)
{
  g_autoptr (FlStore) store = fl_store_open (where, FL_STORE_READ_ONLY, error);
  /* To look at images and logs is everybody's. */
  if (store != NULL && command && fl_store_role (store) < FL_ROLE_OPERATOR)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_DENIED, "%s: %s is a viewer, who may not run commands at a site",
                   fl_store_path (store), fl_store_account (store));
      return 0;
    }
  FlSite *site = store != NULL ? fl_store_find (store, FL_TABLE_SITE, name, error) : NULL;
  gint64 id = site != NULL ? site->id : 0;
  if (store != NULL)
    *store_path = g_strdup (fl_control_store_path (store));
  if (store != NULL && site == NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no site called '%s'", fl_store_path (store),
                 name);
  fl_record_free (FL_TABLE_SITE, site);
  return id;
}

static int
open_socket (const char *store_path, GError **error)
{
  g_autofree char *path = fl_control_socket_path (store_path);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen (path) < sizeof address.sun_path && fl_control_folder_is_private (path, NULL))
    {
      g_strlcpy (address.sun_path, path, sizeof address.sun_path);
      int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0)
        return fd;
      if (fd >= 0)
        close (fd);
    }
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: has no conductor at work on this machine", store_path);
  return -1;
}

static gboolean
put_word (int fd, const char *word, GVariant *value)
{
  g_autoptr (GBytes) frame = fl_control_encode (word, value);
  gsize length;
  const guint8 *data = g_bytes_get_data (frame, &length);
  return fl_write_all (fd, data, length);
}

/* Waits for the answer; `rest` is what came after it. */
static gboolean
wait_granted (int fd, GByteArray *rest, GError **error)
{
  for (;;)
    {
      guint8 bytes[4096];
      const char *word = NULL;
      g_autoptr (GVariant) value = fl_control_decode (rest, &word, error);
      if (value == NULL && *error != NULL)
        return FALSE;
      if (value != NULL && strcmp (word, "granted") == 0)
        return TRUE;
      if (value != NULL && strcmp (word, "refused") == 0)
        {
          const char *why;
          g_variant_get (value, "(&s)", &why);
          g_set_error_literal (error, FL_ERROR, FL_ERROR_BUSY, why);
          return FALSE;
        }
      if (value != NULL)
        continue; /* said to all */
      ssize_t got = read (fd, bytes, sizeof bytes);
      if (got > 0)
        g_byte_array_append (rest, bytes, (guint) got);
      else if (got == 0 || errno != EINTR)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "the conductor has ended");
          return FALSE;
        }
    }
}

static int
lend (const char *store, const char *site_name, char **command)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *store_path = NULL;
  g_autoptr (GByteArray) rest = g_byte_array_new ();
  static const char *const none[] = { NULL };
  gint64 site = find_site (store, site_name, command[0] != NULL, &store_path, &error);
  int fd = site != 0 ? open_socket (store_path, &error) : -1;
  if (fd < 0)
    return fl_program_fail (PROGRAM, error);
  put_word (fd, "hello", g_variant_new ("(u)", FL_CONTROL_VERSION));
  put_word (fd, "channel",
            g_variant_new ("(x^as)", site, command[0] != NULL ? (const char *const *) command : none));
  if (!wait_granted (fd, rest, &error))
    {
      close (fd);
      return fl_program_fail (PROGRAM, error);
    }
  gboolean ok = fl_write_all (STDOUT_FILENO, rest->data, rest->len)
                && fl_control_carry (STDIN_FILENO, STDOUT_FILENO, fd, -1);
  close (fd);
  return ok ? 0 : 75;
}

int
fl_program_channel (int argc, char **argv)
{
  g_autofree char *store = NULL;
  g_autofree char *site = NULL;
  const GOptionEntry entries[] = { { "store", 's', 0, G_OPTION_ARG_FILENAME, &store,
                                     "The experiment's folder", "PATH" },
                                   { "site", 0, 0, G_OPTION_ARG_STRING, &site, "Where to run it", "NAME" },
                                   { NULL } };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("[-- COMMAND…]");
  g_option_context_set_summary (context,
                                "Connects standard input and output to a program at a site, through the "
                                "conductor's login there.\nWithout a command: firstlight-control serve.");
  g_option_context_add_main_entries (context, entries, NULL);
  signal (SIGPIPE, SIG_IGN);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (store == NULL || site == NULL)
    fprintf (stderr, "%s: expected --store FOLDER and --site NAME\n", PROGRAM);
  else
    return lend (store, site, argv + (argc > 1 && strcmp (argv[1], "--") == 0 ? 2 : 1));
  return 2;
}
