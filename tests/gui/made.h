/* made.h: the ground that made experiments stand on; what fails ends the test. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/store.h"

void made_must (gboolean good, GError **error);

/* Saves a record; returns its id. */
gint64 made_save (FlStore *store, FlTable table, gpointer record);

/* Rows as a rank's journal brings them. */
void made_add_slice (FlStore *store, gint64 attempt, guint32 writer, guint64 sequence, const FlBatch *batch);
