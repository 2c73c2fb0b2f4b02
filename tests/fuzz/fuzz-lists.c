/* CrystFEL's lists of reflections and cells, and lists of files: the first byte says which. */

#include "engine/crystal/cell-file.h"
#include "engine/crystal/hkl-file.h"
#include "engine/crystal/intensities.h"
#include "engine/shots/source.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const heads[] = { "CrystFEL reflection list version 2.0\n", FL_CELL_FILE_MAGIC " 1.0\n",
                                       "" };
  if (size == 0)
    return 0;
  guint kind = data[0] % 3;
  g_autoptr (GString) text = g_string_new (heads[kind]);
  g_string_append_len (text, (const char *) data + 1, (gssize) size - 1);
  g_autofree char *path = fuzz_named ("fuzz.lst", NULL, 0, text->str, text->len);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSymmetry) symmetry = NULL;
  g_autoptr (GArray) rows = kind == 0 ? fl_hkl_file_rows (path, &symmetry, &error) : NULL;
  g_autoptr (GArray) items = kind == 2 ? fl_source_expand (path, &error) : NULL;
  FlKnownCell known;
  fuzz_error (kind == 1 ? fl_cell_file_read (path, &known, &error) : rows != NULL || items != NULL, error,
              path);
  if (rows != NULL)
    {
      const FlCell cell = { 52, 58, 61, G_PI / 2, G_PI / 2, G_PI / 2 };
      g_autoptr (FlIntensities) intensities = fl_intensities_new (&cell, 8, NULL);
      g_assert_true (fl_hkl_file_read (path, intensities, NULL));
    }
  return 0;
}
