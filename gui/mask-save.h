/* mask-save.h: a mask that is kept with the experiment, as a new block. Thread: flg_mask_save_write() the store's. */
#pragma once

#include "engine/store/store.h"

/* Shared with the store's thread by reference count. */
typedef struct
{
  char *of, *name, *from_run; /* as of FlNewBlock; NULL as there */
  GBytes *file;
  char *said; /* afterwards: what was done, one line */
} FlgMaskSave;

/* "" = NULL. */
FlgMaskSave *flg_mask_save_new (const char *of, const char *name, const char *from_run, GBytes *file);
FlgMaskSave *flg_mask_save_ref (FlgMaskSave *save);
void flg_mask_save_unref (gpointer save);
gpointer flg_mask_save_write (FlStore *store, gpointer save, GError **error);
