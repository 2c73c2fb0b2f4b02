/* science.h: what an experiment of single particles begins with. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

#define FL_SPI_DATASET      "particles"
#define FL_SPI_MIN_PATTERNS 300 /* new ones, before the dataset has a version */

/* Every new store is one of serial crystallography: runs of active trials go through the task "stills". From here on they go
 * through "hits", and the dataset FL_SPI_DATASET of all runs reconstructs from what is found: "reconstruct". What is there already
 * stays, so that again does no harm; stills, where nothing uses it yet, makes room. Call it in a transaction of yours. */
gboolean fl_science_set_spi (FlStore *store, GError **error);
