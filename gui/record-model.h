/* record-model.h: the records of one table as a GListModel of FlgRecord, ordered by id.
 *
 * Changes of a poll are applied together: replaced records touch their row, new and removed ones cause a single
 * items-changed. Thread: main. */
#pragma once

#include "gui/record.h"

#define FLG_TYPE_RECORD_MODEL (flg_record_model_get_type ())
G_DECLARE_FINAL_TYPE (FlgRecordModel, flg_record_model, FLG, RECORD_MODEL, GObject)

FlgRecordModel *flg_record_model_new (FlTable table);
/* Takes the records of this table's changes out of `changes` (GPtrArray of FlChange). TRUE when anything concerned it. */
gboolean flg_record_model_apply (FlgRecordModel *self, GPtrArray *changes);
/* Borrowed; NULL when there is none. */
FlgRecord *flg_record_model_find (FlgRecordModel *self, gint64 id);
/* Borrowed item without a reference, for loops. */
FlgRecord *flg_record_model_at (FlgRecordModel *self, guint position);
guint flg_record_model_count (FlgRecordModel *self);
