#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-hosts.h"

#include <string.h>

#define MOST_BYTES (1u << 20)

/* A name, or an address, that may be shown and typed. */
static gboolean
is_host (const char *name)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
  gsize length = strlen (name);
  return length > 0 && length < 256 && *name != '-' && strspn (name, allowed) == length;
}

static void
add (GPtrArray *hosts, const char *name)
{
  if (!is_host (name) || hosts->len >= FLG_MOST_HOSTS)
    return;
  for (guint i = 0; i < hosts->len; i++)
    if (strcmp (hosts->pdata[i], name) == 0)
      return;
  g_ptr_array_add (hosts, g_strdup (name));
}

static GStrv
read_lines (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL), *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, NULL) || length > MOST_BYTES)
    return g_new0 (char *, 1);
  return g_strsplit (text, "\n", -1);
}

/* "Host cori perlmutter *.nersc.gov !bad": those that are names. */
static void
add_of_config (GPtrArray *hosts, char *line)
{
  g_strdelimit (line, "\t\"", ' ');
  g_strstrip (line);
  if (g_ascii_strncasecmp (line, "host ", 5) != 0)
    return;
  g_auto (GStrv) names = g_strsplit (line + 5, " ", -1);
  for (guint i = 0; names[i]; i++)
    add (hosts, names[i]);
}

/* "cori.nersc.gov,128.55.1.1 ssh-ed25519 AAAA…", "[host]:2222 …"; hashed names tell nothing. */
static void
add_of_known (GPtrArray *hosts, const char *line)
{
  if (*line == '#' || *line == '|' || *line == '@')
    return;
  g_autofree char *first = g_strndup (line, strcspn (line, " \t"));
  g_auto (GStrv) names = g_strsplit (first, ",", -1);
  for (guint i = 0; names[i]; i++)
    if (g_ascii_isalpha (*names[i]) && !strchr (names[i], ':'))
      add (hosts, names[i]);
}

GStrv
flg_site_hosts (const char *folder)
{
  g_autofree char *usual = g_build_filename (g_get_home_dir (), ".ssh", NULL);
  g_auto (GStrv) config = read_lines (folder ? folder : usual, "config");
  g_auto (GStrv) known = read_lines (folder ? folder : usual, "known_hosts");
  GPtrArray *hosts = g_ptr_array_new ();
  for (guint i = 0; config[i]; i++)
    add_of_config (hosts, config[i]);
  for (guint i = 0; known[i]; i++)
    add_of_known (hosts, known[i]);
  g_ptr_array_add (hosts, NULL);
  return (GStrv) g_ptr_array_free (hosts, FALSE);
}
