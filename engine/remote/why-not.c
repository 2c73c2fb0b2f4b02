/* Which configurations are for OpenSSH from the start. */
#include <string.h>

#include "engine/remote/key-file.h"
#include "engine/remote/remote.h"

/* The value of a keyword in the output of `ssh -G`; NULL. Free it. */
static char *
value_of (const char *text, const char *keyword)
{
  g_autofree char *start = g_strconcat ("\n", keyword, " ", NULL);
  const char *at = strstr (text, start);
  if (at == NULL)
    return NULL;
  at += strlen (start);
  return g_strndup (at, strcspn (at, "\n"));
}

/* What OpenSSH's own configuration says of that host; NULL: no client, or nothing. */
static char *
evaluate (const FlRemoteConfig *config)
{
  const char *argv[8];
  guint n = 0;
  g_autofree char *text = NULL;
  int status = 0;
  argv[n++] = "ssh";
  argv[n++] = "-G";
  if (config->config_file != NULL)
    {
      argv[n++] = "-F";
      argv[n++] = config->config_file;
    }
  argv[n++] = "--";
  argv[n++] = config->host;
  argv[n] = NULL;
  if (!g_spawn_sync (NULL, (char **) argv, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL | G_SPAWN_STDIN_FROM_DEV_NULL, NULL,
                     NULL, &text, NULL, &status, NULL)
      || status != 0)
    return NULL;
  return g_strconcat ("\n", text, NULL);
}

static char *
why_not_by_configuration (const FlRemoteConfig *config)
{
  g_autofree char *text = evaluate (config);
  if (text == NULL)
    return NULL;
  g_autofree char *jump = value_of (text, "proxyjump"), *proxy = value_of (text, "proxycommand");
  g_autofree char *name = value_of (text, "hostname"), *user = value_of (text, "user"),
                  *port = value_of (text, "port");
  g_autofree char *key = value_of (text, "identityfile");
  if (jump != NULL && strcmp (jump, "none") != 0)
    return g_strdup_printf ("the way to %s goes through %s", config->host, jump);
  if (proxy != NULL && strcmp (proxy, "none") != 0)
    return g_strdup_printf ("the way to %s goes through a ProxyCommand", config->host);
  if (name != NULL && g_ascii_strcasecmp (name, config->host) != 0)
    return g_strdup_printf ("%s stands for %s in the SSH configuration", config->host, name);
  if (user != NULL && (config->user == NULL || config->user[0] == '\0')
      && strcmp (user, g_get_user_name ()) != 0)
    return g_strdup_printf ("the SSH configuration names a user for %s", config->host);
  if (key != NULL && (config->identity == NULL || config->identity[0] == '\0')
      && !g_str_has_prefix (key, "~/.ssh/id_"))
    return g_strdup_printf ("the SSH configuration names a key for %s", config->host);
  if (port != NULL && config->port <= 0 && strcmp (port, "22") != 0)
    return g_strdup_printf ("the SSH configuration names a port for %s", config->host);
  return NULL;
}

char *
fl_remote_why_not_libssh2 (const FlRemoteConfig *config)
{
  g_autoptr (GPtrArray) keys = fl_key_files (config->identity);
  gboolean certificates = FALSE, only_rsa = keys->len > 0;
  for (guint i = 0; i < keys->len; i++)
    {
      certificates = certificates || fl_key_has_other_certificate (keys->pdata[i]);
      only_rsa = only_rsa && fl_key_is_rsa (keys->pdata[i]);
    }
  if (certificates)
    return g_strdup ("libssh2 cannot use this kind of certificate");
  /* Without a key of one's own choice, the agent may have another. */
  if (only_rsa
      && ((config->identity != NULL && config->identity[0] != '\0') || g_getenv ("SSH_AUTH_SOCK") == NULL))
    return g_strdup ("libssh2 cannot use RSA keys");
  return why_not_by_configuration (config);
}
