/* particles.h: what the shots of single particles show (FlParticleRow), out of the store's slices, as columns.
 *
 * A reader starts with cursor 0 and passes it back: it sees every slice once, in the order of arrival; compaction of shots does
 * not touch them. `shot` is FlShotBlock.id of the same job (shots.h has its time, outcome and frame). A shot that a later
 * attempt did again is there twice: the later attempt (the greater id) counts. */
#pragma once

#include "engine/base/batch.h"
#include "engine/store/store.h"

/* A slice: a few hundred shots of one rank. Immutable, any thread. */
typedef struct
{
  gint64 job, attempt, run;
  guint n;
  guint64 *shot;
  guint8 *class; /* FlParticleClass, below FL_PARTICLE_LAST */
  guint32 *photons;
  float *background, *diameter, *score; /* as in FlParticleRow */
} FlParticleBlock;

void fl_particle_block_free (FlParticleBlock *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlParticleBlock, fl_particle_block_free)

/* What arrived after *cursor, of one job or of all (job 0), at most `limit` slices (0: all); *cursor moves on. GPtrArray of
 * FlParticleBlock, which frees them; empty: no more at present. NULL with error. */
GPtrArray *fl_store_particles (FlStore *store, gint64 job, guint limit, gint64 *cursor, GError **error);
