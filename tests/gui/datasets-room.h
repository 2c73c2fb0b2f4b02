/* datasets-room.h: a room on the Datasets page, and looks at its store by another handle. */
#pragma once

#include "gui/datasets-page.h"
#include "tests/gui/made-datasets.h"
#include "tests/gui/room.h"

#define RUNS 14

Room *datasets_room (MadeDatasets *made, FlgDatasetsPage **page);

/* A record of the store by its name; free with fl_record_free(). */
gpointer look_for (Room *room, FlTable table, const char *name);

/* Steps of a dataset, by number; frees its records. */
GPtrArray *links_of (Room *room, gint64 dataset);
