/* cell-file.h: CrystFEL's unit cell files (`.cell`). Thread: any. */
#pragma once

#include "engine/crystal/lattice.h"

#define FL_CELL_FILE_MAGIC "CrystFEL unit cell file version"

/* The unique axis is brought to ours: b of a monoclinic, c of a tetragonal or hexagonal lattice. `known->space_group` is 0: the
 * file cannot say. Errors name the line. */
gboolean fl_cell_file_read (const char *path, FlKnownCell *known, GError **error);
gboolean fl_cell_file_write (const char *path, const FlKnownCell *known, GError **error);
