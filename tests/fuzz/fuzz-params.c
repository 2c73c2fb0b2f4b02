/* Trial text: what is accepted is written as text that is accepted, and means the same. */

#include "engine/base/params.h"
#include "engine/crystal/known-cell.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (GError) refused = NULL;
  gboolean read = fl_params_read (params, text, "fuzz.params", &refused);
  fuzz_error (read, refused, "fuzz.params");
  if (!read)
    return 0;
  FlKnownCell cell;
  gboolean known;
  g_autoptr (GError) of_cell = NULL;
  g_assert_true (fl_known_cell_from_params (params, &cell, &known, &of_cell) == (of_cell == NULL));
  g_autofree char *first = fl_params_write (params);
  g_autoptr (FlParams) again = fl_params_new ();
  g_autoptr (GError) error = NULL;
  gboolean good = fl_params_read (again, first, "written.params", &error);
  g_assert_no_error (error);
  g_assert_true (good);
  g_autofree char *second = fl_params_write (again);
  g_assert_cmpstr (first, ==, second);
  return 0;
}
