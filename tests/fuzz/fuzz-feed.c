/* A batch of changes from the far end, for a mirror; and a position from a reader. The input says what is changed in ones that
 * are whole: three bytes a change, place and value. The first batch is a store with a record of every table, the second what came
 * then, shots that take the place of others among it. */

#include <glib/gstdio.h>
#include <string.h>

#include "engine/store/feed.h"
#include "engine/store/mirror.h"
#include "tests/store/people-fixture.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static GBytes *
changed (GBytes *whole, const guint8 *data, gsize size)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (whole, &length);
  guint8 *copy = g_memdup2 (bytes, length);
  for (gsize i = 0; i + 2 < size && length > 0; i += 3)
    copy[(data[i] | data[i + 1] << 8) % length] ^= data[i + 2];
  return g_bytes_new_take (copy, size % 3 == 1 ? length / 2 : length);
}

/* The next batch, which the mirror then has. */
static GBytes *
follow (FlMirror *mirror, FlStore *store)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) position = fl_mirror_position (mirror, NULL);
  FlMirrorNews news;
  gsize length;
  gconstpointer bytes = g_bytes_get_data (position, &length);
  GBytes *batch = fl_feed_collect (store, bytes, length, 1 << 20, &error);
  g_assert_no_error (error);
  g_assert_true (fl_mirror_apply (mirror, batch, &news, &error));
  return batch;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FlMirror *mirror;
  static FlStore *store;
  static GBytes *batches[2], *position;
  FlMirrorNews news;
  if (mirror == NULL)
    {
      g_autofree char *folder = g_dir_make_tmp ("firstlight-fuzz-XXXXXX", NULL);
      g_autofree char *other = g_build_filename (folder, "other", NULL);
      mirror = fl_mirror_open (folder, NULL);
      store = fl_store_open (other, FL_STORE_CREATE, NULL);
      g_assert_true (mirror != NULL && store != NULL);
      All all;
      make_all (store, &all);
      batches[0] = follow (mirror, store);
      FlShotRow row = make_shot (1, FL_OUTCOME_HIT, 21, 5);
      add_shots (store, all.ids[FL_TABLE_ATTEMPT], 0, 2, &row, 1);
      g_assert_true (fl_store_compact (store, all.ids[FL_TABLE_ATTEMPT], NULL));
      batches[1] = follow (mirror, store);
      position = fl_mirror_position (mirror, NULL);
    }
  g_autoptr (GBytes) other_batch = changed (batches[size / 3 % 2], data, size),
                     other_position = changed (position, data, size);
  (void) fl_mirror_apply (mirror, other_batch, &news, NULL);
  gsize length;
  gconstpointer bytes = g_bytes_get_data (other_position, &length);
  GBytes *out = fl_feed_collect (store, bytes, length, 1000, NULL);
  g_clear_pointer (&out, g_bytes_unref);
  return 0;
}
