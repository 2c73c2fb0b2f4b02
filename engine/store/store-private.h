/* store-private.h: what the files of this room share. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/db.h"
#include "engine/store/people.h"
#include "engine/store/shots.h"
#include "engine/store/statements.h"

/* Columns of slice_column (id = 64 slice + column). Numbers are for ever. */
enum
{
  FL_PART_PACKED = 0,
  FL_PART_ID = 1,
  FL_PART_SOURCE,
  FL_PART_FRAME,
  FL_PART_START,
  FL_PART_DURATIONS,
  FL_PART_RANK,
  FL_PART_OUTCOME,
  FL_PART_STAGE,
  FL_PART_LATTICES,
  FL_PART_SPOTS,
  FL_PART_RESOLUTION,
  FL_PART_ENERGY,
  FL_PART_SOLVENT,
  FL_PART_MESSAGE,
  FL_PART_DURATION,
  FL_PART_SUMMARIES = 63,
  FL_PARTS = 64
};

struct FlStore
{
  FlDb *db;
  FlDatabase *database;
  char *path, *folder;
  gboolean read_only, open; /* open: of a version that we know */
  gboolean older;           /* a copy of it is read, brought up to date */
  int depth;                /* of transactions: the outermost begins and commits */
  char *fence_name;
  gint64 fence;
  GHashTable *counted; /* job -> FlCounted (slices.c) */
  /* people.h */
  char *account, *machine; /* machine: NULL: changes are nobody's */
  FlRole role;             /* as of the newest transaction */
  gboolean is_mirror;      /* has no roles of its own */
  gboolean people_changed; /* in this transaction */
  gint64 action, time;     /* of this transaction: its first edit, and when it was made; 0: none yet */
  gint64 undoing;          /* the edit that is being taken back, 0: none */
  gboolean backward;       /* and that was not taken back itself */
};

/* A lease whose holder is the folder of an experiment that has been moved into another database (copy.h). */
#define FL_STORE_MOVED "moved"

/* A transaction of our own, or part of the caller's. After FALSE of anything inside: fl_store_end with FALSE. */
gboolean fl_store_enter (FlStore *store, GError **error);
gboolean fl_store_leave (FlStore *store, gboolean ok,
                         GError **error); /* ok FALSE: rolls back; gives `ok` back */

/* --- people --- */

/* FL_ERROR_DENIED when this account may not change records of that table. Inside a transaction. */
gboolean fl_people_check (FlStore *store, FlTable table, GError **error);
gboolean fl_people_check_role (gint64 role, GError **error); /* that there is such a role */
/* At the end of a transaction: somebody must be able to let others in. */
gboolean fl_people_check_owners (FlStore *store, GError **error);

/* The next number of a locked counter ("revision", "stamp"); 0 with error. Inside a transaction only. */
gint64 fl_store_count (FlStore *store, const char *counter, GError **error);
/* The newest number given; -1 with error. */
gint64 fl_store_counted (FlStore *store, const char *counter, GError **error);

/* One row of slice, summary columns only. */
typedef struct
{
  gint64 id, stamp;
  guint32 writer, length; /* length: shots in it */
  gboolean compacted;
  FlShotSummary sum;
} FlSliceRow;

/* What is needed to insert one. */
typedef struct
{
  gint64 stamp;
  int kind;
  gint64 writer, sequence; /* writer -1: compacted */
  guint32 length;
  FlShotSummary sum; /* with job, attempt, run */
} FlNewSlice;

gboolean fl_store_insert_slice (FlStore *store, const FlNewSlice *slice, gint64 *id, GError **error);
gboolean fl_store_insert_column (FlStore *store, gint64 slice, guint column, const GByteArray *data,
                                 GError **error);

/* A journal's frame on its way in: decoded and summed up before anything is locked. */
typedef struct
{
  FlNewSlice slice;
  FlShotBlock *block; /* of shots: what they are counted by */
  guint8 *payload;
  gsize payload_length;
  gboolean inserted;
} FlNewFrame;

/* NULL without error: of a kind that is not kept; FL_ERROR_INPUT: not a whole batch. */
FlNewFrame *fl_new_frame (guint32 writer, guint64 sequence, int kind, gconstpointer payload, gsize length,
                          GError **error);
void fl_new_frame_free (FlNewFrame *frame);
/* Those that were never taken in become slices, in order, and are marked as inserted. Inside a transaction. */
gboolean fl_store_add_frames (FlStore *store, gint64 attempt, const GPtrArray *frames, GError **error);

/* Shot slices after the cursor `after`: of a job, or of all (job 0); stops after about `limit` shots (0 = never), not
 * within a stamp. */
GArray *fl_store_slice_rows (FlStore *store, gint64 job, gint64 after, guint limit, GError **error);
/* All shot slices of one attempt, in order of arrival. */
GArray *fl_store_attempt_rows (FlStore *store, gint64 attempt, GError **error);

FlShotBlock *fl_shot_block_new (FlShotColumns columns, guint n);
/* The same from a decoded batch of shots. */
void fl_shot_block_fill (FlShotBlock *block, guint at, const FlBatch *batch, guint32 writer,
                         GPtrArray *messages);
/* Fills the block's columns from that slice, beginning at shot `at` of the block. `messages` (may be NULL) gets the
 * slice's texts. */
gboolean fl_store_read_slice (FlStore *store, const FlSliceRow *row, FlShotBlock *block, guint at,
                              GPtrArray *messages, GError **error);
/* Sums up shots from..to-1 of a block that has outcome, start, duration, spots, resolution, energy and solvent. */
void fl_summarise (const FlShotBlock *block, guint from, guint to, FlShotSummary *sum);
void fl_summary_count (FlShotSummary *sum, FlOutcome outcome, guint32 spots, int sign);
#define FL_SUMMARY_COLUMNS                                                                                   \
  (FL_SHOT_OUTCOME | FL_SHOT_START | FL_SHOT_DURATION | FL_SHOT_SPOTS | FL_SHOT_RESOLUTION | FL_SHOT_ENERGY  \
   | FL_SHOT_SOLVENT)

/* Where a block's column lies and how it is stored. */
typedef struct
{
  FlShotColumns column;
  guint part;
  gsize size;
  gsize offset;     /* of the pointer in FlShotBlock */
  const char *name; /* in a packed batch; NULL: not there */
} FlShotColumn;

extern const FlShotColumn fl_shot_columns[];
extern const guint fl_n_shot_columns;

static inline gpointer
fl_shot_values (const FlShotBlock *block, const FlShotColumn *column)
{
  return *(gpointer *) ((char *) block + column->offset);
}

/* A summary as it is stored behind FL_PART_SUMMARIES. */
typedef struct
{
  guint64 first, last;
  gint64 spots;
  guint32 shots, hits, indexed, failed, set_aside;
  float resolution, energy, solvent;
} FlStoredSummary;
G_STATIC_ASSERT (sizeof (FlStoredSummary) == 56);

/* Values as they are stored: all of them, or one when they are all the same. */
void fl_column_pack (gconstpointer values, gsize size, guint n, GByteArray *out);
gboolean fl_column_unpack (gconstpointer data, gsize length, gsize size, guint n, gpointer values);

void fl_counted_free (gpointer counted);
