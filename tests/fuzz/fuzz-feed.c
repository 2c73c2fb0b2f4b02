/* A batch of changes from the far end, for a mirror; and a position from a reader. */

#include <glib/gstdio.h>

#include "engine/store/feed.h"
#include "engine/store/mirror.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FlMirror *mirror;
  static FlStore *store;
  FlMirrorNews news;
  if (mirror == NULL)
    {
      g_autofree char *folder = g_dir_make_tmp ("firstlight-fuzz-XXXXXX", NULL);
      g_autofree char *other = g_build_filename (folder, "other", NULL);
      mirror = fl_mirror_open (folder, NULL);
      store = fl_store_open (other, FL_STORE_CREATE, NULL);
      g_assert_true (mirror != NULL && store != NULL);
    }
  g_autoptr (GBytes) batch = g_bytes_new (data, size);
  (void) fl_mirror_apply (mirror, batch, &news, NULL);
  g_autoptr (GBytes) out = fl_feed_collect (store, data, size, 1000, NULL);
  return 0;
}
