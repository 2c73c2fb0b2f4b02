/* inflight.h: what every rank of a node is doing now, in one mmap'ed file, `inflight-HOST.fli`.
 *
 * A rank owns one slot and writes it without a system call; the file outlives any kill, so that "stalled now" and
 * "which shot killed it" can be answered by whoever reads the file, while the ranks run or afterwards. A slot holds two
 * entries and a count of those written, which says the one that stands: a reader never waits for an owner.
 * Thread: the slot's owner writes, anybody reads. */
#pragma once

#include <glib.h>

#include "engine/base/batch.h"

typedef struct
{
  guint32 rank;
  guint32 pid;
  guint32 stage;   /* FlStage; FL_STAGE_IDLE: nothing in flight */
  guint32 crashed; /* signal that ended the rank while this was in flight; 0 = none seen */
  guint64 shot;    /* id */
  guint32 source, frame;
  guint64 since; /* ns UTC, when the stage began */
} FlInflightEntry;

typedef struct FlInflight FlInflight;

/* Opens or creates DIR/inflight-HOST.fli with room for `slots` ranks of this node and takes slot `slot`. */
FlInflight *fl_inflight_open (const char *dir, guint slot, guint slots, guint32 rank, GError **error);
void fl_inflight_begin (FlInflight *inflight, guint64 shot, guint32 source, guint32 frame);
void fl_inflight_stage (FlInflight *inflight, FlStage stage);
void fl_inflight_idle (FlInflight *inflight);
/* SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT of this process mark the slot before they take their course. */
void fl_inflight_mark_crashes (FlInflight *inflight);
void fl_inflight_close (FlInflight *inflight);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlInflight, fl_inflight_close)

/* All entries with a stage other than idle, of all tables in an attempt's folder: GArray of FlInflightEntry. */
GArray *fl_inflight_read (const char *dir);
