/* known-cell.h: the cell that the user expects, from parameters and files. Thread: any. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "engine/crystal/space-group.h"

/* From `indexing.unit_cell`, `indexing.space_group` and `indexing.cell_file` (a CrystFEL `.cell`, PDB, mmCIF or MTZ file); a
 * parameter that is given wins over the file. `*known` is FALSE when nobody gave a cell; type, centring and group are then
 * those of the group, where it is given. Errors are one line: no such group, a cell that contradicts the group by more
 * than 1 % or 1°, a damaged file. */
gboolean fl_known_cell_from_params (const FlParams *params, FlKnownCell *cell, gboolean *known,
                                    GError **error);

/* What the file says; the format is found by its content. `known->space_group` is 0 where the file names none. */
gboolean fl_known_cell_from_file (const char *path, FlKnownCell *known, GError **error);
/* A cell in a setting of a space group (1–530). Monoclinic settings are brought to unique axis b, and the cell is made to
 * obey its type exactly. FL_ERROR_INPUT when it contradicts the group by more than 1 % or 1°. */
gboolean fl_known_cell_from_group (const FlCell *cell, guint hall, FlKnownCell *known, GError **error);
/* A primitive cell whose group nobody named: the type is read off its lengths and angles. */
void fl_known_cell_from_cell (const FlCell *cell, FlKnownCell *known);

/* The symmetry: of the setting, else of the group in the setting with its centring; NULL when no group is known. */
FlSymmetry *fl_known_cell_symmetry (const FlKnownCell *known);

/* Does the cell obey its type to 1 % and 1°? Then it is made to do so exactly. */
gboolean fl_known_cell_check (FlKnownCell *known, GError **error);
/* The axes become b, c, a (`times` 1) or c, a, b (2), the centring and group with them. */
void fl_known_cell_rotate_axes (FlKnownCell *known, int times);
