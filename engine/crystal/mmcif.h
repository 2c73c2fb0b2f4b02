/* mmcif.h: a crystal's model from an mmCIF file (PDBx; the syntax of CIF 1.1, Hall, Allen and Brown 1991). Thread: any. */
#pragma once

#include "engine/crystal/pdb.h"

/* Of the first data block: `_cell`, the operators of `_space_group_symop` or `_symmetry_equiv`, or else the symbol or number of
 * `_symmetry` or `_space_group`, and `_atom_site`, first model. Items may stand in any order. Errors name the line:
 * FL_ERROR_MISSING, _INPUT, _UNSUPPORTED (unknown element or group). */
FlModel *fl_mmcif_read (const char *path, GError **error);
/* Does a text that begins so look like mmCIF: data_ behind nothing but comments? */
gboolean fl_mmcif_recognise (const char *head);
/* A PDB or an mmCIF file, whichever it is. Files packed by gzip are read as well, here and above and by pdb.h. */
FlModel *fl_model_read (const char *path, GError **error);
/* Of either, the atoms alone: of a molecule that is no crystal's, or whose crystal does not matter. `symmetry` is then NULL,
 * the cell all 0. */
FlModel *fl_model_read_atoms (const char *path, GError **error);
/* The cell and symmetry alone. */
gboolean fl_mmcif_read_cell (const char *path, FlCell *cell, FlSymmetry **symmetry, GError **error);
