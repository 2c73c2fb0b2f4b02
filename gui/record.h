/* record.h: one control record of the store as an item of a list model.
 *
 * The record behind it is replaced when the store's feed brings a newer one; "stamp" counts replacements and whatever
 * else concerns the row (its shots, its tags), so that a cell listens to one property. Thread: main. */
#pragma once

#include <gio/gio.h>

#include "engine/store/records.h"

#define FLG_TYPE_RECORD (flg_record_get_type ())
G_DECLARE_FINAL_TYPE (FlgRecord, flg_record, FLG, RECORD, GObject)

/* `record`: the table's struct; taken over. */
FlgRecord *flg_record_new (FlTable table, gpointer record);
/* Puts a newer record in place and gives back the old one; flg_record_touch() tells the listeners. */
gpointer flg_record_swap (FlgRecord *self, gpointer record);
void flg_record_touch (FlgRecord *self);
gint64 flg_record_id (FlgRecord *self);

/* The struct itself, valid until the main loop runs again. The table must be right. */
const FlRun *flg_record_run (FlgRecord *self);
const FlTag *flg_record_tag (FlgRecord *self);
const FlBlock *flg_record_block (FlgRecord *self);
const FlTrial *flg_record_trial (FlgRecord *self);
const FlJob *flg_record_job (FlgRecord *self);
const FlAttempt *flg_record_attempt (FlgRecord *self);
const FlSite *flg_record_site (FlgRecord *self);
const FlSiteRoot *flg_record_site_root (FlgRecord *self);
const FlTask *flg_record_task (FlgRecord *self);
const FlDataset *flg_record_dataset (FlgRecord *self);
const FlDatasetTask *flg_record_dataset_task (FlgRecord *self);
const FlDatasetVersion *flg_record_dataset_version (FlgRecord *self);
const FlVersionJob *flg_record_version_job (FlgRecord *self);
const FlWorker *flg_record_worker (FlgRecord *self);
const FlWatch *flg_record_watch (FlgRecord *self);
gconstpointer flg_record_any (FlgRecord *self);
