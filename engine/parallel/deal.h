/* deal.h: rank 0 deals references to shots to whoever asks (dynamic self-scheduling: shots cost differently).
 *
 * Batches are a share of what is left (guided self-scheduling, Polychronopoulos & Kuck 1987): large at first, single
 * shots at the end. A rank asks for the next batch while it still works on the last, so that it does not wait for rank
 * 0, which answers between two shots of its own; with many ranks rank 0 only deals.
 *
 * Suspects (shots that were in flight when an earlier attempt died) come when all else is done and journalled: rank 0
 * takes them one by one with nothing else in flight anywhere, so that a second death has one cause.
 *
 * When any rank has been asked to stop (parallel.h), nothing more is dealt and what is held back unprocessed is
 * dropped: the next attempt finds it missing from the journals.
 *
 * All ranks make one deal, take from it until FL_DEAL_END or FL_DEAL_STOPPED, and free it. Thread: the main one. */
#pragma once

#include "engine/parallel/parallel.h"

typedef struct
{
  guint32 source, frame;
} FlShotRef;

typedef enum
{
  FL_DEAL_SHOT,    /* take this one */
  FL_DEAL_SUSPECT, /* take this one, and journal it before asking again */
  FL_DEAL_WAIT,    /* nothing at the moment; ask again (this call has slept a little) */
  FL_DEAL_END,     /* all done */
  FL_DEAL_STOPPED  /* asked to stop */
} FlDealt;

typedef struct FlDeal FlDeal;

/* The lists count at rank 0 alone and must outlive the deal. */
FlDeal *fl_deal_new (FlParallel *parallel, const FlShotRef *shots, gsize n_shots, const FlShotRef *suspects,
                     gsize n_suspects);
void fl_deal_free (FlDeal *deal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDeal, fl_deal_free)

/* Whether this rank may ask for the next with the last one still in work. */
gboolean fl_deal_holds (FlDeal *deal);
/* Asking for the next says that the last one is finished, unless fl_deal_holds(); then, if it is no FL_DEAL_SHOT, it is to be
 * finished now. */
FlDealt fl_deal_next (FlDeal *deal, FlShotRef *shot);

/* What this rank has done so far; travels with its requests. */
void fl_deal_report (FlDeal *deal, guint64 shots, guint64 hits);
/* At rank 0: the sums over all ranks, as last heard. */
void fl_deal_progress (const FlDeal *deal, guint64 *shots, guint64 *hits);
