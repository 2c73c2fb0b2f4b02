#include "engine/remote/known-hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/wildcard.h"

#define SSH_PORT 22

static const char *const kinds[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                     "ecdsa-sha2-nistp521", "ssh-rsa" };

char *
fl_host_key_fingerprint (const guint8 *key, gsize length)
{
  guint8 digest[32];
  gsize size = sizeof digest;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, key, (gssize) length);
  g_checksum_get_digest (sum, digest, &size);
  g_autofree char *text = g_base64_encode (digest, size);
  text[strcspn (text, "=")] = '\0';
  return g_strconcat ("SHA256:", text, NULL);
}

char *
fl_host_key_kind (const guint8 *key, gsize length)
{
  guint32 big = 0;
  if (length >= 4)
    memcpy (&big, key, 4);
  gsize n = GUINT32_FROM_BE (big);
  return length >= 4 && n <= length - 4 && n < 128 ? g_strndup ((const char *) key + 4, n) : g_strdup ("");
}

const char *
fl_host_key_word (const char *kind)
{
  return strcmp (kind, "ssh-ed25519") == 0   ? "ED25519"
         : g_str_has_prefix (kind, "ecdsa-") ? "ECDSA"
         : strcmp (kind, "ssh-rsa") == 0     ? "RSA"
                                             : "unknown kind of key";
}

/* The name under which a host stands in the files. */
static char *
name_of (const char *host, int port)
{
  g_autofree char *lower = g_ascii_strdown (host, -1);
  return port == SSH_PORT ? g_steal_pointer (&lower) : g_strdup_printf ("[%s]:%d", lower, port);
}

/* --- a line --- */

static gboolean
matches_hashed (const char *hashed, const char *name)
{
  g_auto (GStrv) parts = g_strsplit (hashed, "|", -1); /* "", "1", salt, hash */
  guint8 digest[20];
  gsize salt_length, hash_length, size = sizeof digest;
  if (g_strv_length (parts) != 4 || strcmp (parts[1], "1") != 0)
    return FALSE;
  g_autofree guchar *salt = g_base64_decode (parts[2], &salt_length);
  g_autofree guchar *hash = g_base64_decode (parts[3], &hash_length);
  GHmac *hmac = g_hmac_new (G_CHECKSUM_SHA1, salt, salt_length);
  g_hmac_update (hmac, (const guchar *) name, (gssize) strlen (name));
  g_hmac_get_digest (hmac, digest, &size);
  g_hmac_unref (hmac);
  return hash_length == size && memcmp (hash, digest, size) == 0;
}

static gboolean
matches_name (const char *field, const char *name)
{
  if (field[0] == '|')
    return matches_hashed (field, name);
  g_auto (GStrv) patterns = g_strsplit (field, ",", -1);
  gboolean matches = FALSE;
  for (guint i = 0; patterns[i] != NULL; i++)
    {
      gboolean without = patterns[i][0] == '!';
      g_autofree char *pattern = g_ascii_strdown (patterns[i] + without, -1);
      if (!fl_wildcard_match (pattern, name))
        continue;
      if (without)
        return FALSE;
      matches = TRUE;
    }
  return matches;
}

typedef struct
{
  gboolean revoked;
  char *kind;
  guchar *key;
  gsize length;
} Line;

static void
line_clear (Line *line)
{
  g_free (line->kind);
  g_free (line->key);
}

/* FALSE: not about that host, or not understood. Clear it when TRUE. */
static gboolean
parse_line (const char *text, const char *name, Line *line)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);
  const char *fields[4] = { NULL };
  guint n = 0;
  for (guint i = 0; words[i] != NULL && n < 4; i++)
    if (words[i][0] != '\0')
      fields[n++] = words[i];
  guint first = n > 0 && fields[0][0] == '@' ? 1 : 0;
  gboolean revoked = first == 1 && strcmp (fields[0], "@revoked") == 0;
  if (n < first + 3 || fields[0][0] == '#' || (first == 1 && !revoked) || !matches_name (fields[first], name))
    return FALSE;
  *line = (Line){ .revoked = revoked, .kind = g_strdup (fields[first + 1]) };
  line->key = g_base64_decode (fields[first + 2], &line->length);
  return TRUE;
}

/* Every line about `name`, until `visit` says FALSE. */
typedef gboolean (*Visit) (const Line *line, const char *file, guint number, gpointer data);

static void
visit_lines (const char *const *files, const char *name, Visit visit, gpointer data)
{
  gboolean more = TRUE;
  for (guint f = 0; files[f] != NULL && more; f++)
    {
      g_autofree char *text = NULL;
      if (!g_file_get_contents (files[f], &text, NULL, NULL))
        continue;
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
      for (guint i = 0; lines[i] != NULL && more; i++)
        {
          Line line;
          if (!parse_line (g_strchomp (lines[i]), name, &line))
            continue;
          more = visit (&line, files[f], i + 1, data);
          line_clear (&line);
        }
    }
}

/* --- questions --- */

typedef struct
{
  const guint8 *key;
  gsize length;
  const char *kind;
  FlHostKeyVerdict verdict;
  char *where, *expected;
} Check;

static void
note (Check *check, FlHostKeyVerdict verdict, const Line *line, const char *file, guint number)
{
  check->verdict = verdict;
  g_free (check->where);
  g_free (check->expected);
  check->where = g_strdup_printf ("%s line %u", file, number);
  check->expected = fl_host_key_fingerprint (line->key, line->length);
}

static gboolean
check_line (const Line *line, const char *file, guint number, gpointer data)
{
  Check *check = data;
  gboolean same = line->length == check->length && memcmp (line->key, check->key, line->length) == 0;
  if (same && line->revoked)
    {
      note (check, FL_HOST_KEY_REVOKED, line, file, number);
      return FALSE; /* nothing outweighs that */
    }
  if (line->revoked || check->verdict == FL_HOST_KEY_KNOWN)
    return TRUE;
  if (same)
    note (check, FL_HOST_KEY_KNOWN, line, file, number);
  else if (strcmp (line->kind, check->kind) == 0 && check->verdict == FL_HOST_KEY_UNKNOWN)
    note (check, FL_HOST_KEY_CHANGED, line, file, number);
  else if (check->where == NULL)
    note (check, FL_HOST_KEY_UNKNOWN, line, file, number);
  return TRUE;
}

FlHostKeyVerdict
fl_known_hosts_check (const char *const *files, const char *host, int port, const guint8 *key, gsize length,
                      char **where, char **expected)
{
  g_autofree char *name = name_of (host, port);
  g_autofree char *kind = fl_host_key_kind (key, length);
  Check check = { .key = key, .length = length, .kind = kind, .verdict = FL_HOST_KEY_UNKNOWN };
  visit_lines (files, name, check_line, &check);
  *where = check.where;
  *expected = check.expected;
  return check.verdict;
}

static gboolean
collect_kind (const Line *line, const char *file, guint number, gpointer data)
{
  (void) file;
  (void) number;
  guint *known = data;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (!line->revoked && strcmp (line->kind, kinds[i]) == 0)
      *known |= 1u << i;
  return TRUE;
}

char **
fl_known_hosts_kinds (const char *const *files, const char *host, int port)
{
  g_autofree char *name = name_of (host, port);
  guint known = 0;
  visit_lines (files, name, collect_kind, &known);
  GPtrArray *names = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (known & 1u << i)
      g_ptr_array_add (names, g_strdup (kinds[i]));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

gboolean
fl_known_hosts_add (const char *file, const char *host, int port, const guint8 *key, gsize length,
                    GError **error)
{
  g_autofree char *folder = g_path_get_dirname (file);
  g_autofree char *name = name_of (host, port);
  g_autofree char *kind = fl_host_key_kind (key, length);
  g_autofree char *text = g_base64_encode (key, length);
  g_mkdir_with_parents (folder, 0700);
  int fd = open (file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  char last = '\n';
  off_t end = fd >= 0 ? lseek (fd, 0, SEEK_END) : -1;
  if (end > 0 && pread (fd, &last, 1, end - 1) != 1)
    last = '\n';
  g_autofree char *line = g_strdup_printf ("%s%s %s %s\n", last == '\n' ? "" : "\n", name, kind, text);
  gboolean ok = fd >= 0 && write (fd, line, strlen (line)) == (ssize_t) strlen (line);
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: the server's key cannot be remembered: %s", file,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}
