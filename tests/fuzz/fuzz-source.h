/* fuzz-source.h: a file opened, described and read as a source of shots. */
#pragma once

#include <string.h>

#include "engine/shots/source.h"
#include "tests/fuzz/fuzz-file.h"

/* Larger frames than `most` only cost time here. */
static inline int
fuzz_source_with (const char *path, const FlSourceOptions *options, gsize most)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, options, &error);
  g_assert_true ((source != NULL) == (error == NULL));
  if (source != NULL && fl_source_detector (source)->n_pixels <= most)
    {
      g_auto (FlShot) shot = { 0 };
      g_free (fl_source_describe (source));
      for (guint32 i = 0; i < MIN (fl_source_n_frames (source), 3) && error == NULL; i++)
        if (fl_source_read (source, i, &shot, &error))
          g_assert_cmpuint (shot.n_pixels, ==, fl_source_detector (source)->n_pixels);
    }
  fuzz_tell (error);
  if (error != NULL)
    g_assert_null (strchr (error->message, '\n'));
  return 0;
}

static inline int
fuzz_source_path (const char *path, gsize most)
{
  return fuzz_source_with (path, NULL, most);
}

static inline int
fuzz_source (const void *magic, gsize length, const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (magic, length, data, size);
  return fuzz_source_path (file.path, G_MAXSIZE);
}
