/* Folders of constants, as psana has them and as arrays: a line is a file's name and what is in it, with escapes as C has
 * them; one that begins with `@` sets a parameter. */

#include "engine/base/params.h"
#include "engine/shots/constants-files.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

#define N_PIXELS 32

static void
put (const char *folder, char *line)
{
  char *text = strchr (line, ' ');
  if (text == NULL || strstr (line, "..") != NULL || *line == '/' || strlen (line) > 20000)
    return;
  *text++ = '\0';
  g_autofree char *path = g_build_filename (folder, line, NULL), *above = g_path_get_dirname (path),
                  *bytes = g_strcompress (text);
  g_mkdir_with_parents (above, 0700);
  g_file_set_contents_full (path, bytes, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

static void
read_constants (const char *folder, FlParams *params)
{
  FlCalibrationOptions options;
  g_autoptr (GError) error = NULL;
  if (!fl_calibration_options (params, &options, &error))
    {
      g_assert_nonnull (error);
      return;
    }
  g_auto (FlConstantFiles) files = { 0 };
  gboolean ok = fl_constant_files_read (&options, N_PIXELS, 3, &files, &error);
  fuzz_error (ok, error, folder);
  for (guint i = 0; ok && i < FL_CONSTANT_KINDS; i++)
    g_assert_true (files.arrays[i].n == 0 || files.arrays[i].values != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *folder = g_strdup_printf ("%s/fuzz-%d-constants", g_get_tmp_dir (), (int) getpid ());
  g_autoptr (GPtrArray) lines = fuzz_take_lines (data, size);
  g_autoptr (FlParams) params = fl_params_new ();
  g_mkdir_with_parents (folder, 0700);
  fl_params_set (params, "detector.calibration", folder, NULL);
  for (guint i = 0; i < MIN (lines->len, 40); i++)
    if (((char *) lines->pdata[i])[0] != '@')
      put (folder, lines->pdata[i]);
    else if (!g_str_has_prefix (lines->pdata[i], "@detector.calibration"))
      fl_params_set_assignment (params, (char *) lines->pdata[i] + 1, NULL);
  read_constants (folder, params);
  fuzz_remove_tree (folder);
  return 0;
}
