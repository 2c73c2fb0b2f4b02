/* density-model.h: atoms and bonds to be drawn with a density, and the peaks to be walked along.
 *
 * Immutable and reference-counted: any thread may read it. Å. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  double place[3];
  char element[4]; /* "C", "FE"; any case */
  char name[8];    /* "CA" */
  char chain[8], residue[8];
  int number;     /* of the residue */
  char insertion; /* its insertion code; 0 or ' ': none */
} FlwDensityAtom;

typedef struct
{
  double place[3];
  double value;   /* shown, e.g. σ */
  char label[24]; /* shown behind the value; "" */
} FlwDensityPeak;

/* Neighbouring atoms of one chain and residue. */
typedef struct
{
  guint first, n;
  guint centre; /* the atom that stands for it: CA, P, else the first */
} FlwDensityResidue;

typedef struct _FlwDensityModel FlwDensityModel;

/* Copies. `bonds`: n_bonds pairs of atom numbers; NULL: found from distances (covalent radii + 0.4 Å; hydrogens bind one
 * atom only). Atoms whose places are not finite are left out, with their bonds. */
FlwDensityModel *flw_density_model_new (guint n_atoms, const FlwDensityAtom *atoms, guint n_bonds,
                                        const guint (*bonds)[2]);
FlwDensityModel *flw_density_model_ref (FlwDensityModel *model);
void flw_density_model_unref (FlwDensityModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlwDensityModel, flw_density_model_unref)

const FlwDensityAtom *flw_density_model_atoms (const FlwDensityModel *model, guint *n);
const guint (*flw_density_model_bonds (const FlwDensityModel *model, guint *n))[2];
const FlwDensityResidue *flw_density_model_residues (const FlwDensityModel *model, guint *n);
guint32 flw_density_element_colour (const char *element); /* 0xRRGGBB */
/* "A 62 TRP", with `atom` "A 62 TRP CA". Free with g_free. */
char *flw_density_atom_text (const FlwDensityAtom *atom, gboolean with_name);
/* The nearest one within `reach` Å of a place; −1: none. */
int flw_density_model_nearest (const FlwDensityModel *model, const double place[3], double reach);
/* Of the residue that holds an atom. */
guint flw_density_model_residue_of (const FlwDensityModel *model, guint atom);

G_END_DECLS
