/* history.h: what earlier attempts of a job did: which shots are done, and which were in flight when an attempt died.
 *
 * Done means journalled, with any outcome; the latest attempt wins. A strike is a shot that was in flight when its
 * attempt died and is not journalled; where a rank of that attempt saw its own crash (a signal), only that shot is
 * struck, since the others fell with it. Thread: one. */
#pragma once

#include "engine/base/batch.h"

typedef struct
{
  guint attempt;
  guint8 outcome;
  guint16 lattices;
} FlDone;

typedef struct
{
  guint count, first, last; /* attempts that died with it */
} FlStrikes;

typedef struct
{
  GHashTable *done;    /* const guint64 * -> FlDone */
  GHashTable *strikes; /* const guint64 * -> FlStrikes; of shots that are not done */
  guint64 skipped;     /* damaged bytes in journals */
} FlHistory;

/* Reads the journals and in-flight tables of all attempts with number < `before`. A shot set aside counts as neither
 * done nor struck when `forgive` is set. */
FlHistory *fl_history_read (const char *job_dir, guint before, gboolean forgive, GError **error);
void fl_history_free (FlHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlHistory, fl_history_free)

const FlDone *fl_history_done (const FlHistory *history, guint64 shot);
const FlStrikes *fl_history_strikes (const FlHistory *history, guint64 shot);
