/* made-reconstructions.h: reconstructions in a made experiment, as if `hits` and `reconstruct` had run: a dataset with both tasks, jobs
 * of its versions with generations in the store, and densities that grow sharper. */
#pragma once

#include "engine/store/store.h"

typedef struct
{
  guint generations, conformations;
  guint from; /* 1, or the generation that a later attempt begins with */
  FlJobState state;
  guint64 when; /* ns UTC: when the newest was done; one a minute before it */
  gboolean volumes;
  guint every; /* generations are phased: only then are there densities and correlations; 0: all */
} MadeReconstruction;

/* A dataset whose steps are a task of type "hits" and one of type "reconstruct"; its id. */
gint64 made_reconstructions_add_dataset (FlStore *store, const char *name);
/* A version of it with a job that has come so far; the job's id. `folder`: the experiment's, where densities go to. */
gint64 made_reconstructions_add (FlStore *store, const char *folder, gint64 dataset, int number,
                                 const MadeReconstruction *made);
/* Generations `made->from` … `made->generations` of that attempt; the attempt's id is taken from the job's newest. */
void made_reconstructions_continue (FlStore *store, const char *folder, gint64 job,
                                    const MadeReconstruction *made);
/* What made_reconstructions writes: resolution of the half sets in a generation, Å, of so many. */
double made_reconstructions_resolution (guint generation);
