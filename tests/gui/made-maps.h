/* made-maps.h: versions of a dataset with map jobs in a made experiment, and small maps, as if map tasks had run. */
#pragma once

#include "engine/store/store.h"

/* A task of type "map" behind the dataset's others; its id. */
gint64 made_maps_add_task (FlStore *store, gint64 dataset);
/* Version `number` with a job of that task that has ended at `when`, ns UTC, in that state. Its
 * folder under the root "scratch", relative to it; free with g_free. */
char *made_maps_add (FlStore *store, gint64 dataset, gint64 task, int number, FlJobState state, guint64 when);
/* Maps of `width` Å wide blobs at five atoms in a cell of 20 × 18 × 16 Å, a difference map with a peak of +9 and one of −6 σ,
 * map.json and the atoms. `change`: with Fo − Fo. */
void made_maps_write (const char *folder, double width, gboolean change);
