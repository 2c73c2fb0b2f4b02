/* What an attempt far away has written comes into its mirror, once and whole, however often and when pulling is broken off. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/control/mirror.h"

static FlHost *host;
static char *there, *here;

static void
write_file (const char *folder, const char *path, const char *data, gsize length)
{
  g_autofree char *name = g_build_filename (folder, path, NULL), *parent = g_path_get_dirname (name);
  g_assert_cmpint (g_mkdir_with_parents (parent, 0777), ==, 0);
  FILE *file = fopen (name, "w");
  g_assert_cmpuint (fwrite (data, 1, length, file), ==, length);
  fclose (file);
}

static void
assert_file (const char *path, const char *data, gsize length)
{
  g_autofree char *name = g_build_filename (here, path, NULL), *text = NULL;
  gsize got = 0;
  g_assert_true (g_file_get_contents (name, &text, &got, NULL));
  g_assert_cmpuint (got, ==, length);
  g_assert_true (memcmp (text, data, length) == 0);
}

static FlSubmission *
submission (const char *stem)
{
  FlSubmission *made = g_new0 (FlSubmission, 1);
  made->folder = g_strdup (there);
  made->stem = g_strdup (stem);
  made->mirror = g_strdup (here);
  return made;
}

/* Bytes that came; *message as given. */
static guint64
pull (const char *stems, char **message)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_submission_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *said = NULL;
  guint64 bytes = 0;
  g_auto (GStrv) names = g_strsplit (stems, " ", -1);
  for (guint i = 0; names[i] != NULL; i++)
    g_ptr_array_add (list, submission (names[i]));
  g_assert_true (fl_mirror_pull (host, list, &bytes, &said, &error));
  g_assert_no_error (error);
  if (message == NULL)
    g_assert_cmpstr (said, ==, NULL);
  else
    *message = g_steal_pointer (&said);
  return bytes;
}

static void
test_nothing_yet (void)
{
  g_assert_cmpuint (pull ("none-1 none-2", NULL), ==, 0);
}

static void
test_journals_grow (void)
{
  write_file (there, "a/journal-n1.flj", "0123", 4);
  write_file (there, "a/journal-n2.flj", "", 0);
  write_file (there, "a/segment-1.h5", "not wanted", 10);
  write_file (there, "b/journal-n1.flj", "bb", 2);
  g_assert_cmpuint (pull ("a b", NULL), ==, 6);
  assert_file ("a/journal-n1.flj", "0123", 4);
  g_assert_cmpuint (pull ("a b", NULL), ==, 0);
  write_file (there, "a/journal-n1.flj", "0123456789", 10);
  g_assert_cmpuint (pull ("a b", NULL), ==, 6);
  assert_file ("a/journal-n1.flj", "0123456789", 10);
  g_autofree char *other = g_build_filename (here, "a/segment-1.h5", NULL);
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
}

/* A pull that was killed has left a part: the rest is appended. */
static void
test_goes_on (void)
{
  gsize size = 20u << 20;
  g_autofree char *data = g_malloc (size);
  for (gsize i = 0; i < size; i++)
    data[i] = (char) (i * 7 + i / 4096);
  write_file (there, "c/journal-n1.flj", data, size);
  write_file (here, "c/journal-n1.flj", data, 12345);
  g_assert_cmpuint (pull ("c", NULL), ==, size - 12345);
  assert_file ("c/journal-n1.flj", data, size);
}

static void
test_shorter_is_refused (void)
{
  g_autofree char *message = NULL;
  write_file (there, "d/journal-n1.flj", "ab", 2);
  write_file (there, "e/journal-n1.flj", "e", 1);
  write_file (here, "d/journal-n1.flj", "abcdef", 6);
  g_assert_cmpuint (pull ("d e", &message), ==, 1);
  g_assert_nonnull (strstr (message, "another attempt"));
  assert_file ("d/journal-n1.flj", "abcdef", 6);
}

static void
test_gone_is_told (void)
{
  g_autofree char *message = NULL;
  write_file (here, "f/journal-n1.flj", "abc", 3);
  pull ("f", &message);
  g_assert_nonnull (strstr (message, "gone"));
  assert_file ("f/journal-n1.flj", "abc", 3);
}

static void
test_inflight_is_replaced (void)
{
  write_file (there, "g/inflight-n1.fli", "AAAA", 4);
  pull ("g", NULL);
  write_file (there, "g/inflight-n1.fli", "BB", 2);
  pull ("g", NULL);
  assert_file ("g/inflight-n1.fli", "BB", 2);
}

static void
test_printed (void)
{
  write_file (there, "h.out", "one\n", 4);
  write_file (there, "h.err", "\x1b[31m", 5);
  g_assert_cmpuint (pull ("h", NULL), ==, 9);
  g_assert_cmpuint (pull ("h", NULL), ==, 0);
  assert_file ("h.err", "\x1b[31m", 5);
  gsize size = FL_MIRROR_MOST_PRINTED + 1000;
  g_autofree char *data = g_malloc (size);
  for (gsize i = 0; i < size; i++)
    data[i] = (char) ('a' + i % 23);
  memcpy (data, "one\n", 4);
  write_file (there, "h.out", data, 2000);
  g_assert_cmpuint (pull ("h", NULL), ==, 1996);
  assert_file ("h.out", data, 2000);
  write_file (there, "h.out", data, size);
  g_assert_cmpuint (pull ("h", NULL), ==, FL_MIRROR_MOST_PRINTED);
  assert_file ("h.out", data + 1000, FL_MIRROR_MOST_PRINTED);
  g_assert_cmpuint (pull ("h", NULL), ==, 0);
}

/* Names hold anything; what is no journal of an attempt that was asked for is not written anywhere. */
static void
test_hostile_names (void)
{
  const char *const name = "i/journal-a b'$(touch boom)\n\x1b[31m;.flj";
  write_file (there, name, "x", 1);
  g_assert_cmpuint (pull ("i", NULL), ==, 1);
  assert_file (name, "x", 1);
  g_autofree char *link = g_build_filename (here, "j/journal-n1.flj", NULL),
                  *folder = g_path_get_dirname (link), *aim = g_build_filename (here, "aim", NULL),
                  *message = NULL;
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  g_assert_cmpint (symlink (aim, link), ==, 0);
  write_file (there, "j/journal-n1.flj", "x", 1);
  pull ("j", &message);
  g_assert_nonnull (message);
  g_assert_false (g_file_test (aim, G_FILE_TEST_EXISTS));
}

/* Where the mirror is the folder itself nothing is done, least of all to it. */
static void
test_same_folder (void)
{
  g_autofree char *kept = here;
  here = g_strdup (there);
  g_assert_cmpuint (pull ("a", NULL), ==, 0);
  g_free (here);
  here = g_steal_pointer (&kept);
}

static void
test_many (void)
{
  g_autoptr (GString) stems = g_string_new ("k0");
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *path = g_strdup_printf ("k%u/journal-n1.flj", i);
      write_file (there, path, "0123456789", 10);
      if (i > 0)
        g_string_append_printf (stems, " k%u", i);
    }
  gint64 begun = g_get_monotonic_time ();
  g_assert_cmpuint (pull (stems->str, NULL), ==, 10000);
  g_test_message ("1000 attempts: %.0f ms", (double) (g_get_monotonic_time () - begun) * 1e-3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  host = fl_host_new_local ();
  g_autofree char *folder = g_dir_make_tmp ("fl-mirror-XXXXXX", NULL);
  there = g_build_filename (folder, "the'ir s", NULL);
  here = g_build_filename (folder, "ours", NULL);
  g_test_add_func ("/mirror/nothing-yet", test_nothing_yet);
  g_test_add_func ("/mirror/journals-grow", test_journals_grow);
  g_test_add_func ("/mirror/goes-on", test_goes_on);
  g_test_add_func ("/mirror/shorter-is-refused", test_shorter_is_refused);
  g_test_add_func ("/mirror/gone-is-told", test_gone_is_told);
  g_test_add_func ("/mirror/inflight-is-replaced", test_inflight_is_replaced);
  g_test_add_func ("/mirror/printed", test_printed);
  g_test_add_func ("/mirror/hostile-names", test_hostile_names);
  g_test_add_func ("/mirror/same-folder", test_same_folder);
  g_test_add_func ("/mirror/many", test_many);
  int status = g_test_run ();
  const char *const argv_remove[] = { "rm", "-rf", folder, NULL };
  g_auto (FlHostOutput) output = { 0 };
  fl_host_run (host, argv_remove, NULL, 30, NULL, &output, NULL);
  g_free (there);
  g_free (here);
  fl_host_unref (host);
  return status;
}
