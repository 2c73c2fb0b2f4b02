#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/mask-save.h"

#include "engine/control/new-block.h"

static char *
or_null (const char *text)
{
  return text && *text ? g_strdup (text) : NULL;
}

FlgMaskSave *
flg_mask_save_new (const char *of, const char *name, const char *from_run, GBytes *file)
{
  FlgMaskSave *save = g_atomic_rc_box_new0 (FlgMaskSave);
  save->of = or_null (of);
  save->name = or_null (name);
  save->from_run = or_null (from_run);
  save->file = g_bytes_ref (file);
  return save;
}

FlgMaskSave *
flg_mask_save_ref (FlgMaskSave *save)
{
  return g_atomic_rc_box_acquire (save);
}

static void
clear (gpointer data)
{
  FlgMaskSave *save = data;
  g_free (save->of);
  g_free (save->name);
  g_free (save->from_run);
  g_free (save->said);
  g_bytes_unref (save->file);
}

void
flg_mask_save_unref (gpointer save)
{
  g_atomic_rc_box_release_full (save, clear);
}

gpointer
flg_mask_save_write (FlStore *store, gpointer data, GError **error)
{
  FlgMaskSave *save = data;
  FlNewBlock wish = { .of = save->of,
                      .name = save->name,
                      .from_run = save->from_run,
                      .stem = "mask",
                      .parameter = "detector.mask",
                      .folder = "masks",
                      .ending = ".h5" };
  wish.bytes = g_bytes_get_data (save->file, &wish.length);
  g_autofree char *said = fl_new_block_make (store, &wish, error);
  if (!said)
    return NULL;
  g_auto (GStrv) lines = g_strsplit (g_strstrip (said), "\n", -1);
  save->said = g_strjoinv ("; ", lines);
  return GINT_TO_POINTER (TRUE);
}
