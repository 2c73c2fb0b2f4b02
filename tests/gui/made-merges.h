/* made-merges.h: datasets with merged versions in a made experiment, as if merge tasks had run: shells and trends that follow the laws
 * that forecasts assume. */
#pragma once

#include "engine/store/store.h"

typedef struct
{
  const char *name;
  guint versions;      /* the newest has all lattices, each before it two thirds of the next */
  guint64 lattices;    /* 0: nothing is merged */
  double noise;        /* of one observation at 2.0 Å, variances over the signal's */
  double ceiling;      /* of CC½ at any number of lattices, 0–1 */
  double observations; /* a reflection and lattice */
  FlDataset goals;     /* only these are looked at */
} MadeMerges;

/* The dataset takes the runs that are not tagged "dark", with the trial of number 1. Its id. `now`: ns UTC, when the newest merge was
 * done. */
gint64 made_merges_add (FlStore *store, const MadeMerges *wanted, guint64 now);
