/* Files of known hosts and of keys, words of servers, secrets: no server is needed. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/remote/harmless.h"
#include "engine/remote/key-file.h"
#include "engine/remote/known-hosts.h"
#include "engine/remote/remote.h"
#include "engine/remote/secrets.h"

static char *folder;

static char *
file_in (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
keygen (const char *kind, const char *name, const char *phrase)
{
  g_autofree char *path = file_in (name);
  const char *argv[] = { "ssh-keygen", "-q", "-t", kind, "-N", phrase, "-f", path, NULL };
  g_assert_true (
      g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

static char *
public_of (const char *name)
{
  g_autofree char *base = g_strconcat (name, ".pub", NULL), *path = file_in (base);
  char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return g_strchomp (text);
}

static guint8 *
blob_of (const char *name, gsize *length)
{
  g_autofree char *text = public_of (name);
  g_auto (GStrv) words = g_strsplit (text, " ", 3);
  return g_base64_decode (words[1], length);
}

static FlHostKeyVerdict
check (const char *file, const char *host, int port, const char *key, char **where)
{
  const char *files[] = { file, NULL };
  gsize length;
  g_autofree guint8 *blob = blob_of (key, &length);
  g_autofree char *expected = NULL;
  g_free (*where);
  return fl_known_hosts_check (files, host, port, blob, length, where, &expected);
}

static void
test_known_hosts (void)
{
  g_autofree char *path = file_in ("known"), *a = public_of ("a"), *b = public_of ("b"),
                  *rsa = public_of ("rsa");
  g_autofree char *where = NULL, *line2 = g_strconcat (path, " line 2", NULL);
  g_autofree char *text = g_strdup_printf ("# a remark, then lines that are none\n"
                                           "one.example,*.lab.example,!bad.lab.example %s\r\n"
                                           "garbage\n*o*\355\340*x* ssh-rsa AAAA\n@cert-authority * %s\n"
                                           "[two.example]:2222 %s\n"
                                           "@revoked revoked.example %s\n"
                                           "rsa.example %s\n"
                                           "three.example %s\n",
                                           a, b, b, a, rsa, a);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  const char *hash[] = { "ssh-keygen", "-q", "-H", "-f", path, NULL };

  g_assert_cmpint (check (path, "one.example", 22, "a", &where), ==, FL_HOST_KEY_KNOWN);
  g_assert_cmpint (check (path, "ONE.example", 22, "b", &where), ==, FL_HOST_KEY_CHANGED);
  g_assert_cmpstr (where, ==, line2);
  g_assert_cmpint (check (path, "x.lab.example", 22, "a", &where), ==, FL_HOST_KEY_KNOWN);
  g_assert_cmpint (check (path, "bad.lab.example", 22, "a", &where), ==, FL_HOST_KEY_UNKNOWN);
  g_assert_cmpint (check (path, "two.example", 2222, "b", &where), ==, FL_HOST_KEY_KNOWN);
  g_assert_cmpint (check (path, "two.example", 22, "b", &where), ==, FL_HOST_KEY_UNKNOWN);
  g_assert_cmpint (check (path, "revoked.example", 22, "a", &where), ==, FL_HOST_KEY_REVOKED);
  g_assert_cmpint (check (path, "revoked.example", 22, "b", &where), ==, FL_HOST_KEY_UNKNOWN);
  g_assert_cmpint (check (path, "rsa.example", 22, "a", &where), ==, FL_HOST_KEY_UNKNOWN);
  g_assert_nonnull (where); /* but another kind is known */
  g_assert_cmpint (check ("/no/such/file", "one.example", 22, "a", &where), ==, FL_HOST_KEY_UNKNOWN);

  g_autofree char *plain = g_strdup_printf ("three.example %s\n[two.example]:2222 %s\n", a, b),
                  *hashed = NULL;
  g_assert_true (g_file_set_contents (path, plain, -1, NULL));
  g_assert_true (g_spawn_sync (NULL, (char **) hash, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                               NULL, NULL, NULL, NULL, NULL, NULL));
  g_assert_true (g_file_get_contents (path, &hashed, NULL, NULL));
  g_assert_null (strstr (hashed, "example"));
  g_assert_cmpint (check (path, "three.example", 22, "a", &where), ==, FL_HOST_KEY_KNOWN);
  g_assert_cmpint (check (path, "three.example", 22, "b", &where), ==, FL_HOST_KEY_CHANGED);
  g_assert_cmpint (check (path, "two.example", 2222, "b", &where), ==, FL_HOST_KEY_KNOWN);
}

static void
test_remembering (void)
{
  g_autofree char *path = file_in ("new/folder/known"), *parent = g_path_get_dirname (path), *where = NULL;
  gsize length;
  g_autofree guint8 *blob = blob_of ("a", &length);
  g_autoptr (GError) error = NULL;
  struct stat status;
  g_assert_true (fl_known_hosts_add (path, "Host.Example", 2200, blob, length, &error));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
  g_assert_cmpint (g_stat (parent, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0700);
  g_assert_cmpint (check (path, "host.example", 2200, "a", &where), ==, FL_HOST_KEY_KNOWN);
  g_assert_true (g_file_set_contents (path, "no end of line", -1, NULL));
  g_assert_true (fl_known_hosts_add (path, "host.example", 22, blob, length, &error));
  g_assert_cmpint (check (path, "host.example", 22, "a", &where), ==, FL_HOST_KEY_KNOWN);
  const char *files[] = { path, NULL };
  g_auto (GStrv) kinds = fl_known_hosts_kinds (files, "host.example", 22);
  g_assert_cmpstr (kinds[0], ==, "ssh-ed25519");
  g_assert_null (kinds[1]);
}

static void
test_key_files (void)
{
  static const struct
  {
    const char *name, *kind;
    gboolean encrypted;
  } cases[] = { { "a", "ssh-ed25519", FALSE },
                { "rsa", "ssh-rsa", FALSE },
                { "secret", "ecdsa-sha2-nistp256", TRUE } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = file_in (cases[i].name);
      g_autoptr (FlKeyFile) key = fl_key_file_new (path);
      gsize length;
      g_autofree guint8 *blob = blob_of (cases[i].name, &length);
      g_assert_cmpstr (key->kind, ==, cases[i].kind);
      g_assert_cmpint (key->encrypted, ==, cases[i].encrypted);
      g_assert_false (key->certificate);
      g_assert_cmpmem (key->blob, (int) key->length, blob, (int) length);
    }
  g_autofree char *broken = file_in ("broken");
  g_assert_true (g_file_set_contents (broken, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA////",
                                      -1, NULL));
  g_autoptr (FlKeyFile) key = fl_key_file_new (broken);
  g_assert_cmpstr (key->kind, ==, "");
  g_assert_null (fl_key_file_new ("/no/such/key"));
}

static void
test_why_not (void)
{
  g_autofree char *config_file = file_in ("config"), *rsa = file_in ("rsa"), *a = file_in ("a");
  g_assert_true (g_file_set_contents (
      config_file, "Host inner\n  ProxyJump gate.example\nHost short\n  HostName long.example\n", -1, NULL));
  FlRemoteConfig config = {
    .host = (char *) "inner", .user = (char *) "", .identity = a, .config_file = config_file
  };
  g_autofree char *jump = fl_remote_why_not_libssh2 (&config);
  g_assert_cmpstr (jump, ==, "the way to inner goes through gate.example");
  config.host = (char *) "short";
  g_autofree char *alias = fl_remote_why_not_libssh2 (&config);
  g_assert_cmpstr (alias, ==, "short stands for long.example in the SSH configuration");
  config.host = (char *) "plain.example";
  g_assert_null (fl_remote_why_not_libssh2 (&config));
  config.identity = rsa;
  g_autofree char *key = fl_remote_why_not_libssh2 (&config);
  g_assert_cmpstr (key, ==, "libssh2 cannot use RSA keys");
}

static void
test_harmless (void)
{
  static const struct
  {
    const char *text, *expected;
  } cases[] = { { "plain", "plain" },
                { "  two \n lines\r\n", "two lines" },
                { "\033[31;1mred\033[0m", "red" },
                { "\033[2J", "" },
                { "\033[", "" },
                { "\033]0;title\007x", "]0;title x" },
                { "a\xff z", "a\xef\xbf\xbd z" },
                { "right\xe2\x80\xaeleft", "right left" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *line = fl_harmless (cases[i].text, -1, 100);
      g_assert_cmpstr (line, ==, cases[i].expected);
    }
  g_autofree char *cut = fl_harmless ("abcdef", 4, 3);
  g_assert_cmpstr (cut, ==, "abc");
}

static void
test_secrets (void)
{
  FlSecrets *secrets = fl_secrets_new ();
  g_autofree char *long_one = g_strnfill (600, 'x');
  g_assert_null (fl_secrets_get (secrets, "a"));
  fl_secrets_keep (secrets, "a", "one");
  fl_secrets_keep (secrets, "b", "two");
  fl_secrets_keep (secrets, "a", "three");
  fl_secrets_keep (secrets, "c", long_one);
  char *a = fl_secrets_get (secrets, "a"), *b = fl_secrets_get (secrets, "b");
  g_assert_cmpstr (a, ==, "three");
  g_assert_cmpstr (b, ==, "two");
  g_assert_null (fl_secrets_get (secrets, "c"));
  fl_secret_free (a);
  fl_secret_free (b);
  fl_secrets_keep (secrets, "a", NULL);
  g_assert_null (fl_secrets_get (secrets, "a"));
  fl_secrets_unref (secrets);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *keygen_program = g_find_program_in_path ("ssh-keygen");
  g_test_add_func ("/remote/keys/harmless", test_harmless);
  g_test_add_func ("/remote/keys/secrets", test_secrets);
  folder = g_dir_make_tmp ("fl-keys-XXXXXX", NULL);
  if (keygen_program != NULL)
    {
      keygen ("ed25519", "a", "");
      keygen ("ed25519", "b", "");
      keygen ("rsa", "rsa", "");
      keygen ("ecdsa", "secret", "open sesame");
      g_test_add_func ("/remote/keys/known-hosts", test_known_hosts);
      g_test_add_func ("/remote/keys/remembering", test_remembering);
      g_test_add_func ("/remote/keys/key-files", test_key_files);
      g_test_add_func ("/remote/keys/why-not", test_why_not);
    }
  int status = g_test_run ();
  const char *argv_rm[] = { "rm", "-rf", folder, NULL };
  g_spawn_sync (NULL, (char **) argv_rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (folder);
  return status;
}
