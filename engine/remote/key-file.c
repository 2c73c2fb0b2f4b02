#include "engine/remote/key-file.h"

#include <string.h>

#include "engine/remote/known-hosts.h"

#define MOST_TEXT 65536
#define MAGIC     "openssh-key-v1" /* with its NUL */

void
fl_key_file_free (FlKeyFile *key)
{
  if (key == NULL)
    return;
  g_free (key->path);
  g_free (key->kind);
  g_free (key->blob);
  g_free (key);
}

static gsize
take_u32 (const guint8 *data, gsize length, gsize *at)
{
  guint32 big = 0;
  if (length - *at < 4)
    return G_MAXUINT32;
  memcpy (&big, data + *at, 4);
  *at += 4;
  return GUINT32_FROM_BE (big);
}

/* openssh-key-v1: cipher, key derivation, its options, the number of keys, the first public key: all in clear. */
static void
parse_openssh (FlKeyFile *key, const char *text)
{
  const char *end = strstr (text, "-----END");
  g_autofree char *base64 = g_strndup (text, end != NULL ? (gsize) (end - text) : strlen (text));
  gsize length, at = sizeof MAGIC;
  g_autofree guint8 *data = g_base64_decode (base64, &length);
  if (length < at || memcmp (data, MAGIC, at) != 0)
    return;
  for (int i = 0; i < 4; i++)
    {
      if (i == 3)
        take_u32 (data, length, &at);
      gsize n = take_u32 (data, length, &at);
      if (n > length - at)
        return;
      if (i == 0)
        key->encrypted = n != 4 || memcmp (data + at, "none", 4) != 0;
      if (i == 3)
        {
          key->blob = g_memdup2 (data + at, n);
          key->length = n;
          key->kind = fl_host_key_kind (key->blob, n);
        }
      at += n;
    }
}

static void
parse_public (FlKeyFile *key)
{
  g_autofree char *path = g_strconcat (key->path, ".pub", NULL), *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  g_auto (GStrv) words = g_strsplit (text, " ", 3);
  if (g_strv_length (words) < 2)
    return;
  key->blob = g_base64_decode (words[1], &key->length);
  key->kind = fl_host_key_kind (key->blob, key->length);
}

FlKeyFile *
fl_key_file_new (const char *path)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (path, &text, &length, NULL) || length > MOST_TEXT)
    return NULL;
  FlKeyFile *key = g_new0 (FlKeyFile, 1);
  key->path = g_strdup (path);
  const char *start = strstr (text, "-----BEGIN OPENSSH PRIVATE KEY-----");
  if (start != NULL)
    parse_openssh (key, start + strlen ("-----BEGIN OPENSSH PRIVATE KEY-----"));
  else
    key->encrypted = strstr (text, "ENCRYPTED") != NULL;
  if (key->kind == NULL)
    parse_public (key);
  if (key->kind == NULL)
    key->kind = g_strdup (strstr (text, "BEGIN RSA PRIVATE KEY") != NULL ? "ssh-rsa" : "");
  g_autofree char *certificate = g_strconcat (path, "-cert.pub", NULL);
  key->certificate = g_file_test (certificate, G_FILE_TEST_EXISTS);
  explicit_bzero (text, length);
  return key;
}

GPtrArray *
fl_key_files (const char *identity)
{
  static const char *const names[] = { "id_ed25519", "id_ecdsa", "id_rsa" };
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_key_file_free);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      gboolean own = identity == NULL || identity[0] == '\0';
      g_autofree char *path =
          own ? g_build_filename (g_get_home_dir (), ".ssh", names[i], NULL) : g_strdup (identity);
      FlKeyFile *key = fl_key_file_new (path);
      if (key != NULL)
        g_ptr_array_add (keys, key);
      if (!own)
        break;
    }
  return keys;
}

gboolean
fl_key_is_rsa (const FlKeyFile *key)
{
  return strcmp (key->kind, "ssh-rsa") == 0;
}

gboolean
fl_key_has_other_certificate (const FlKeyFile *key)
{
  return key->certificate && !g_str_has_prefix (key->kind, "ecdsa-");
}
