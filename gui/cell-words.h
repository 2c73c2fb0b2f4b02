/* cell-words.h: unit cells as people and trials write them. Cells are a, b, c (Å), α, β, γ (degrees); types are
 * FlLatticeType's numbers (engine/crystal/lattice.h): 0 triclinic … 6 cubic. Results are the caller's. Thread: any. */
#pragma once

#include <glib.h>

enum
{
  FLG_TRICLINIC,
  FLG_MONOCLINIC,
  FLG_ORTHORHOMBIC,
  FLG_TETRAGONAL,
  FLG_RHOMBOHEDRAL,
  FLG_HEXAGONAL,
  FLG_CUBIC,
  FLG_N_LATTICE_TYPES
};

const char *flg_lattice_type_word (guint type); /* translated */
/* "79.10 79.10 37.90 Å  90.00 90.00 90.00°" */
char *flg_cell_format (const double cell[6]);
/* The highest type whose conditions the cell meets within 0.2 % and 0.2°. */
guint flg_cell_type (const double cell[6]);
/* Makes the cell obey its type exactly. */
void flg_cell_idealise (double cell[6], guint type);
/* Lengths within 1.5 %, angles within 1.5°. */
gboolean flg_cell_is_near (const double a[6], const double b[6]);
/* What goes into indexing.unit_cell and indexing.space_group. A group that is not known is written as the least one of
 * type and centring, or as "" where a primitive lattice speaks for itself. */
char *flg_cell_parameter (const double cell[6]);
char *flg_cell_group (guint type, char centring, guint space_group);
