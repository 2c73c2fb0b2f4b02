/* CrystFEL geometries. */

#include <string.h>

#include "engine/shots/geom.h"
#include "tests/fuzz/fuzz-words.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("fuzz.geom", (const char *) data, size, &error);
  g_assert_true ((geom != NULL) == (error == NULL));
  if (error != NULL)
    {
      g_assert_true (g_str_has_prefix (error->message, "fuzz.geom"));
      g_assert_null (strchr (error->message, '\n'));
    }
  return 0;
}
