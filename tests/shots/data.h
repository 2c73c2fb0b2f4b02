/* data.h: real detector files, found by FIRSTLIGHT_TEST_DATA; a test that needs one skips where they are absent. */
#pragma once

#include <glib.h>

/* The path of a file or folder below the data folder; NULL, and the test skipped, when it is not there. */
static inline char *
test_data (const char *name)
{
  const char *folder = g_getenv ("FIRSTLIGHT_TEST_DATA");
  char *path = folder != NULL ? g_build_filename (folder, name, NULL) : NULL;
  if (path != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_autofree char *message = g_strdup_printf ("%s is not there (FIRSTLIGHT_TEST_DATA)", name);
  g_test_skip (message);
  g_free (path);
  return NULL;
}
