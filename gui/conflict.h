/* conflict.h: a save of what was edited here, unless somebody else has changed the same meanwhile: then both versions are
 * shown field by field, and the person decides. Nothing of either is lost before.
 *
 * Columns that only programs write (a site's probe, a run's bytes) are taken over without a question.
 * Thread: main, except where said. */
#pragma once

#include <gtk/gtk.h>

#include "gui/context.h"

typedef struct FlgSave FlgSave;

typedef enum
{
  FLG_SAVE_DONE,
  FLG_SAVE_THEIRS, /* the other version stays; nothing was written */
  FLG_SAVE_BACK,   /* undecided: back to the editor, nothing was written */
  FLG_SAVE_FAILED
} FlgSaveEnd;

/* `error`: of FLG_SAVE_FAILED. */
typedef void (*FlgSaveDone) (FlgSaveEnd end, const GError *error, gpointer data);

/* `write` runs in the store's thread, inside one transaction, and gets the FlgSave. It may run several times. */
FlgSave *flg_save_new (FlgStoreFunc write, gpointer data, GDestroyNotify free_data);
/* One record (taken over), as it was edited from `base`; NULL: it is new. */
FlgSave *flg_save_new_record (FlTable table, gconstpointer base, gpointer mine);
/* A copy of the record as this window knows it, to be edited and saved; NULL: there is none. fl_record_free(). */
gpointer flg_copy_known (FlgExperiment *experiment, FlTable table, gint64 id);
/* Thread: any. */
gpointer flg_save_data (FlgSave *save);
/* A record as it was when its editing began: to show in what both have departed from it. */
void flg_save_begun_from (FlgSave *save, FlTable table, gconstpointer record);
/* Thread: the store's. As fl_store_save_unchanged(); of a record without id, as fl_store_save(). What the person decides
 * is put into `record`, which must live as long as the save. */
gboolean flg_save_record (FlgSave *save, FlStore *store, FlTable table, gpointer record, GError **error);

/* Takes the save. Dialogs stand over the window of `near`, which is kept meanwhile. */
void flg_save_run (FlgSave *save, GtkWidget *near, FlgContext *context, FlgSaveDone done, gpointer data);

/* FlDifference that a person has to look at. `base` may be NULL. */
GPtrArray *flg_differences (FlTable table, gconstpointer base, gconstpointer mine, gconstpointer theirs);
