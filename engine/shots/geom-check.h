/* geom-check.h: what a geometry file says as a whole: complete, and no contradiction in it (private to the room). */
#pragma once

#include "engine/shots/geom.h"

/* Fills in what may be left out: where data lie, dimensions, a camera length by panel. `panel_index`: by name. FL_ERROR_INPUT with
 * the line that is wrong. */
gboolean fl_geom_check (FlGeom *geom, GHashTable *panel_index, GError **error);

/* Every panel lies within a thousand kilometres: also of places that did not come as text. */
gboolean fl_geom_check_reach (FlGeom *geom, GError **error);
