/* Weather logs of the reference system. */

#include "engine/control/weather.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *path = fuzz_named ("debug_0.txt", NULL, 0, data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlWeatherLog) log = fl_weather_read (path, &error);
  fuzz_error (log != NULL, error, path);
  return 0;
}
