/* lattice.h: lattices in space – bases, reduction, the conventional cell, comparison with a known one.
 *
 * A lattice is given by `star`: rows a*, b*, c* in 1/Å in any frame, so that q = starᵀ h = h a* + k b* + l c*. Its real
 * basis has rows a, b, c in Å: h = a·q, k = b·q, l = c·q. "Conventional" is the basis of the International Tables with its
 * centring; "primitive" a basis of all lattice points. Right-handed throughout. Thread: any. */
#pragma once

#include <glib.h>

#include "engine/crystal/cell.h"

typedef enum
{
  FL_LATTICE_TRICLINIC,
  FL_LATTICE_MONOCLINIC, /* unique axis b */
  FL_LATTICE_ORTHORHOMBIC,
  FL_LATTICE_TETRAGONAL,   /* unique axis c, as below */
  FL_LATTICE_RHOMBOHEDRAL, /* on rhombohedral axes, with centring P; on hexagonal axes it is HEXAGONAL with R */
  FL_LATTICE_HEXAGONAL,
  FL_LATTICE_CUBIC,
  FL_LATTICE_LAST
} FlLatticeType;

/* The cell that somebody expects, or that the program proposes. */
typedef struct
{
  FlCell cell; /* conventional */
  FlLatticeType type;
  char centring;     /* 'P', 'A', 'B', 'C', 'I', 'F', 'R' (hexagonal axes, obverse) */
  guint space_group; /* 1–230; 0: not known */
  guint hall;        /* the group's setting, 1–530 (space-group.h); 0: not known */
} FlKnownCell;

const char *fl_lattice_type_name (FlLatticeType type); /* CrystFEL's words: "tetragonal" … */

/* Real basis (rows a, b, c; Å) of `star`, and back: each the inverse transposed. */
FlMat3 fl_lattice_real (const FlMat3 *star);
FlMat3 fl_lattice_star (const FlMat3 *real);
FlCell fl_lattice_cell (const FlMat3 *star);

/* From a conventional basis to a primitive one, and back. */
FlMat3 fl_lattice_primitive (const FlMat3 *star, char centring);
/* Shortest basis of the lattice that `star` (primitive) spans (Niggli's cell). */
FlMat3 fl_lattice_niggli (const FlMat3 *star);
/* The conventional basis of a primitive lattice: the highest symmetry whose metric agrees within the tolerances. FALSE
 * when `star` is singular. */
gboolean fl_lattice_conventional (const FlMat3 *star, double length_tolerance, double angle_tolerance,
                                  FlMat3 *conventional, FlLatticeType *type, char *centring);

/* Is the primitive lattice `star` that of `known`? Lengths may differ by `length_tolerance` (relative), angles by
 * `angle_tolerance` (rad). On success `conventional` is the lattice in known's setting, the best of all choices; equally
 * good choices (equivalent by symmetry of the lattice) are settled by a fixed rule, so that the answer depends on the
 * lattice alone and not on the basis that it came in. Microseconds. */
gboolean fl_lattice_match (const FlMat3 *star, const FlKnownCell *known, double length_tolerance,
                           double angle_tolerance, FlMat3 *conventional);
/* The nearest basis whose cell obeys the type's constraints (a = b, angles of 90° …), not rotated. */
FlMat3 fl_lattice_constrain (const FlMat3 *star, FlLatticeType type);

/* Smallest angle (rad) that turns `a` onto `b` over the rotations in `rotations` (crystal's point group as integer matrices
 * on Miller indices; n 0: the identity alone). For comparing with a truth. */
double fl_lattice_misorientation (const FlMat3 *a, const FlMat3 *b, const int (*rotations)[3][3], guint n);

/* Does the centring alone forbid this reflection? ('R': obverse, on hexagonal axes.) */
static inline gboolean
fl_centring_absent (char centring, int h, int k, int l)
{
  switch (centring)
    {
    case 'A':
      return (k + l) % 2 != 0;
    case 'B':
      return (h + l) % 2 != 0;
    case 'C':
      return (h + k) % 2 != 0;
    case 'I':
      return (h + k + l) % 2 != 0;
    case 'F':
      return (h + k) % 2 != 0 || (k + l) % 2 != 0;
    case 'R':
      return (k + l - h) % 3 != 0;
    default:
      return FALSE;
    }
}
