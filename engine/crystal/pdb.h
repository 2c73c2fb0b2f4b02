/* pdb.h: a crystal's model from a PDB file: cell, symmetry, atoms. */
#pragma once

#include "engine/crystal/cell.h"
#include "engine/crystal/form-factors.h"
#include "engine/crystal/symmetry.h"

/* What people call an atom: "CYS A 6 SG". Printable ASCII. */
typedef struct
{
  char name[8], residue[8], chain[8];
  int number;
  char insertion, alternative; /* '\0': none */
} FlAtomLabel;

typedef struct
{
  FlVec3 position; /* Å, the PDB's orthogonal frame */
  double occupancy;
  double b; /* Å² */
  const FlFormFactor *factor;
  FlAtomLabel label;
} FlAtom;

typedef struct
{
  FlCell cell;
  FlSymmetry *symmetry;
  guint n_atoms;
  FlAtom *atoms; /* of the asymmetric unit, all alternative places */
} FlModel;

/* CRYST1 gives the cell; the operators of REMARK 290 the symmetry, or CRYST1's symbol where there are none. Of an
 * ensemble, the first model. Errors name the line: FL_ERROR_MISSING, _INPUT, _UNSUPPORTED (unknown element or group). */
FlModel *fl_pdb_read (const char *path, GError **error);
/* The atoms of a molecule that is no crystal's, or whose crystal does not matter: `symmetry` NULL, cell all 0. */
FlModel *fl_pdb_read_atoms (const char *path, GError **error);
/* The cell and symmetry alone; atoms may be missing or strange. */
gboolean fl_pdb_read_cell (const char *path, FlCell *cell, FlSymmetry **symmetry, GError **error);
/* "CYS A 6 SG", with insertion code and alternative place where there are any: "GLU A 27B CD (C)". Free with g_free. */
char *fl_atom_label_words (const FlAtomLabel *label);
/* At most 7 characters of `text` (may be NULL); what is not printable becomes '?'. */
void fl_atom_label_set (char field[8], const char *text);

void fl_model_free (FlModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlModel, fl_model_free)
