/* setup.h: what an experiment begins with: where runs arrive, the detector, a trial, tags, where jobs run. The assistant of
 * the control room and `firstlight-control experiment` make it with this. Again does no harm: what is there stays.
 * Thread: the store's. */
#pragma once

#include "engine/store/store.h"

#define FL_SETUP_QUIET 3 /* s */

typedef struct
{
  const char *name; /* of the experiment; NULL: its folder's */
  gboolean spi;     /* single particles; else crystals */
  /* Folder in which runs arrive (NULL: none), "folders" or "files" (NULL: folders), names of runs ("" or NULL: all), seconds
   * without change until a run is complete. Inside the experiment's folder, it is kept relative to that. */
  const char *watch, *kind, *pattern;
  double quiet;
  /* Parameters of all runs (trial text) as a block of this name; NULL: none. */
  const char *block, *block_params;
  /* An active trial of these parameters (trial text; "" = defaults); `trial` NULL: none. */
  const char *trial, *trial_params;
  const char *const *tags, *const *tags_of_new; /* runs get the latter as they arrive; NULL: none */
  /* This machine: 0 and NULL leave it as it is. */
  int cores, ranks;
  const char *launcher, *engine, *stages;
  gboolean not_here; /* this machine gets no jobs: a site is to be added */
} FlSetup;

/* In one transaction. */
gboolean fl_setup_apply (FlStore *store, const FlSetup *setup, GError **error);
