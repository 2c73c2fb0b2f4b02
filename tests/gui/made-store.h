/* made-store.h: an experiment as the control room would find it in the middle of a beamtime, without any program having
 * run: runs, tags, a block, trials, jobs in several states, attempts, and processed shots written as journal frames. */
#pragma once

#include "engine/store/store.h"

typedef struct
{
  guint runs;         /* 1 … 999; the last one is still recording */
  guint shots;        /* a run */
  guint ranks;        /* of each job, on two hosts */
  guint64 now;        /* ns UTC: when the newest shot has just ended */
  gboolean index;     /* trial 1's jobs go on to index, refine and integrate */
  gboolean particles; /* they are of type "hits": shots of single particles */
} MadeStore;

/* `folder` is made. Run k (from 1) has job k of trial 1, which is the newest with shots; of these the second has failed,
 * the last is running, the others are done; every run has job of trial 2 that is planned. Run 2 is tagged "dark". With `index`
 * two hits in three have a lattice, one indexed shot in eight a second: lysozyme's tetragonal cell, a tenth of the lattices
 * orthorhombic I instead; no cell was given, and each job's learning pass has proposed both. With `particles` the task is called "hits"; a
 * quarter of the shots is single particles of about 1,000 photons, one in twenty several, one in fifty junk. */
void made_store_write (const char *folder, const MadeStore *wanted);
