/* space-group.h: the 230 space groups in their 530 settings, from spglib's tables (Hall 1981; International Tables A and B).
 *
 * A setting is known by its number, 1–530 ("hall"), in spglib's order. Thread: any. */
#pragma once

#include "engine/crystal/lattice.h"
#include "engine/crystal/symmetry.h"

#define FL_SPACE_GROUP_SETTINGS 530

typedef struct
{
  guint hall;           /* 1–530 */
  guint number;         /* 1–230 */
  char symbol[24];      /* "P 43 21 2", "R 3:H", "P n n n:2": what gemmi writes, too */
  char hall_symbol[20]; /* "P 4nw 2abw" */
  char point_group[8];  /* "422" */
  char laue[8];         /* "4/mmm"; trigonal: "-3", "-3m" */
  char centring;        /* 'P', 'A', 'B', 'C', 'I', 'F', 'R' (hexagonal axes) */
  FlLatticeType type;   /* what the cell must obey; HEXAGONAL for all trigonal groups on hexagonal axes */
  char unique_axis;     /* 'a', 'b', 'c' of a monoclinic setting; else '\0' */
} FlSpaceGroup;

/* `hall` from 1 to 530. */
void fl_space_group_get (guint hall, FlSpaceGroup *group);
/* The setting that a symbol means: "P43212", "P 43 21 2", "P 1 21 1" and "P21", "C2", "I 1 2 1", "P 1 1 2", "I213", "Fd-3m:1",
 * "Cmca" (= Cmce), full symbols ("P 2/n 2/n 2/n"), numbers ("96"); "H 3" and "R 3:H" on hexagonal, "R 3:R" on rhombohedral axes;
 * plain "R 3" as `cell` (may be NULL) suggests, hexagonal without. Origin 2 and unique axis b where nothing is said. 0 when
 * it is not known. */
guint fl_space_group_find (const char *symbol, const FlCell *cell);
/* The setting that has exactly these operators; 0: none. */
guint fl_space_group_of_operators (const FlSymmetry *symmetry);
