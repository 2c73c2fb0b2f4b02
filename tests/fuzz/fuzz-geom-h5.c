/* Whole HDF5 files (fuzz-h5.h) by a CrystFEL geometry: lines that begin with `=` are its own; one with `M` names a mask as a
 * person does. */

#include "engine/shots/inspect-shots.h"
#include "tests/fuzz/fuzz-h5.h"
#include "tests/fuzz/fuzz-source.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = fuzz_h5_write (data, size);
  g_autoptr (GPtrArray) lines = fuzz_take_lines (data, size);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *mask = NULL;
  for (guint i = 0; i < lines->len; i++)
    {
      const char *line = lines->pdata[i];
      if (*line == '=')
        g_string_append_printf (text, "%s\n", line + 1);
      else if (*line == 'M' && mask == NULL)
        mask = g_strdup_printf ("%s%s", path, line + 1);
    }
  g_autofree char *geometry = fuzz_named ("fuzz.geom", NULL, 0, text->str, text->len);
  g_autofree char *told = NULL;
  const char *form;
  g_autoptr (FlDetector) detector = fl_inspect_geometry (geometry, &form, &told, NULL);
  g_assert_true ((detector != NULL) == (told != NULL));
  const FlSourceOptions options = { .geometry = geometry, .mask = mask };
  return fuzz_source_with (path, &options, 1 << 22);
}
