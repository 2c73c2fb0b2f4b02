/* generations.h: what a reconstruct job has come to, generation by generation, out of the store's slices: as it runs, here or,
 * through a mirror, far away.
 *
 * A later attempt goes on from a checkpoint: from its first generation on its numbers are the job's, and what earlier attempts
 * had from there on is forgotten.
 *
 * Volumes are files beside the journal, asked of a serve child by path (FL_VIEW_MAP, engine/view/messages-maps.h): while the job
 * runs fl_generation_volume() in the folder of FlGeneration.attempt, when it is done density-cK.mrc in the job's folder. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/store.h"

/* Immutable, any thread. */
typedef struct
{
  gint64 attempt; /* id of the one that made it */
  FlGenerationRow row;
  GArray *occupancies; /* FlOccupancyRow, by conformation */
  GArray *curves;      /* FlCurveRow, by conformation, curve and s */
  GArray *coverage;    /* FlCoverageRow, as they came */
} FlGeneration;

FlGeneration *fl_generation_ref (FlGeneration *generation);
void fl_generation_unref (FlGeneration *generation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGeneration, fl_generation_unref)

/* "volumes/g0012-c1.mrc", in its attempt's folder. NULL: it has no volume of that conformation. */
char *fl_generation_volume (const FlGeneration *generation, guint conformation);

/* A reader of one job. Thread: one at a time, the store's. */
typedef struct FlGenerations FlGenerations;

FlGenerations *fl_generations_new (gint64 job);
void fl_generations_free (FlGenerations *generations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGenerations, fl_generations_free)

/* Takes in what has arrived since; *changed (may be NULL) tells whether there was any. */
gboolean fl_generations_update (FlGenerations *generations, FlStore *store, gboolean *changed,
                                GError **error);
/* All so far, by number: GPtrArray of FlGeneration, which holds references; the array is the caller's. */
GPtrArray *fl_generations_list (FlGenerations *generations);
