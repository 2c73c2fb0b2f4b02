/* ingest.h: from an attempt's journals to the store, incrementally.
 *
 * How far each journal file was read is kept in the store, in the transaction of its slices, so that an ingest that is
 * killed, repeated or run by two programs at once stores every frame once. A journal file that is not there yet, or
 * that grows, is no error: call again. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

typedef struct
{
  guint64 frames, shots; /* new in the store by this call */
  guint64 bytes;         /* read */
  guint64 skipped;       /* damaged bytes stepped over */
} FlIngested;

typedef struct FlIngest FlIngest;

/* `dir`: the attempt's folder with its journal-HOST.flj files. */
FlIngest *fl_ingest_new (FlStore *store, gint64 attempt, const char *dir);
void fl_ingest_free (FlIngest *ingest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlIngest, fl_ingest_free)
/* Stores all that is there at present; *ingested (may be NULL) is added to. */
gboolean fl_ingest_update (FlIngest *ingest, FlIngested *ingested, GError **error);
