#include "engine/crystal/known-cell.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/cell-file.h"
#include "engine/crystal/mmcif.h"
#include "engine/crystal/mtz.h"

#define MOST_LENGTH_ERROR 0.01
#define MOST_ANGLE_ERROR  (FL_PI / 180)

static FlCell
constrained (const FlCell *cell, FlLatticeType type)
{
  FlMat3 star = fl_cell_reciprocal (cell);
  star = fl_lattice_constrain (&star, type);
  return fl_lattice_cell (&star);
}

gboolean
fl_known_cell_check (FlKnownCell *known, GError **error)
{
  FlCell c = constrained (&known->cell, known->type), *k = &known->cell;
  double lengths[3] = { c.a / k->a, c.b / k->b, c.c / k->c },
         angles[3] = { c.alpha - k->alpha, c.beta - k->beta, c.gamma - k->gamma };
  for (int i = 0; i < 3; i++)
    if (!(fabs (lengths[i] - 1) <= MOST_LENGTH_ERROR) || !(fabs (angles[i]) <= MOST_ANGLE_ERROR))
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                     "the cell %g %g %g Å %g %g %g° is not %s, as its symmetry demands to 1 %% and 1°", k->a,
                     k->b, k->c, fl_degrees (k->alpha), fl_degrees (k->beta), fl_degrees (k->gamma),
                     fl_lattice_type_name (known->type));
        return FALSE;
      }
  known->cell = c;
  return TRUE;
}

/* The setting's operators, its axes renamed. */
static guint
rotated_setting (guint hall, int times)
{
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_hall (hall);
  for (guint n = 0; n < symmetry->n; n++)
    {
      FlSymmetryOperator op = symmetry->ops[n];
      for (int i = 0; i < 3; i++)
        {
          symmetry->ops[n].t[i] = op.t[(i + times) % 3];
          for (int j = 0; j < 3; j++)
            symmetry->ops[n].r[i][j] = op.r[(i + times) % 3][(j + times) % 3];
        }
    }
  return fl_space_group_of_operators (symmetry);
}

void
fl_known_cell_rotate_axes (FlKnownCell *known, int times)
{
  const FlCell c = known->cell;
  const double lengths[3] = { c.a, c.b, c.c }, angles[3] = { c.alpha, c.beta, c.gamma };
  known->cell = (FlCell){ lengths[times % 3], lengths[(times + 1) % 3], lengths[(times + 2) % 3],
                          angles[times % 3],  angles[(times + 1) % 3],  angles[(times + 2) % 3] };
  if (known->centring >= 'A' && known->centring <= 'C')
    known->centring = (char) ('A' + (known->centring - 'A' + 3 - times) % 3);
  if (known->hall != 0)
    known->hall = rotated_setting (known->hall, times);
}

gboolean
fl_known_cell_from_group (const FlCell *cell, guint hall, FlKnownCell *known, GError **error)
{
  FlSpaceGroup group;
  fl_space_group_get (hall, &group);
  *known = (FlKnownCell){
    .cell = *cell, .type = group.type, .centring = group.centring, .space_group = group.number, .hall = hall
  };
  if (group.unique_axis != '\0')
    fl_known_cell_rotate_axes (known, (group.unique_axis - 'b' + 3) % 3);
  g_autoptr (GError) local = NULL;
  if (fl_known_cell_check (known, &local))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s (space group %s)", local->message, group.symbol);
  return FALSE;
}

void
fl_known_cell_from_cell (const FlCell *cell, FlKnownCell *known)
{
  static const FlLatticeType falling[] = { FL_LATTICE_CUBIC,        FL_LATTICE_HEXAGONAL,
                                           FL_LATTICE_TETRAGONAL,   FL_LATTICE_RHOMBOHEDRAL,
                                           FL_LATTICE_ORTHORHOMBIC, FL_LATTICE_MONOCLINIC,
                                           FL_LATTICE_TRICLINIC };
  for (gsize i = 0; i < G_N_ELEMENTS (falling); i++)
    {
      FlCell c = constrained (cell, falling[i]);
      if (fabs (c.a / cell->a - 1) > 1e-3 || fabs (c.b / cell->b - 1) > 1e-3
          || fabs (c.c / cell->c - 1) > 1e-3 || fabs (c.alpha - cell->alpha) > 1e-3
          || fabs (c.beta - cell->beta) > 1e-3 || fabs (c.gamma - cell->gamma) > 1e-3)
        continue;
      *known = (FlKnownCell){ .cell = c, .type = falling[i], .centring = 'P' };
      return;
    }
}

FlSymmetry *
fl_known_cell_symmetry (const FlKnownCell *known)
{
  if (known->hall != 0)
    return fl_symmetry_from_hall (known->hall);
  guint fallback = 0;
  for (guint hall = 1; known->space_group != 0 && hall <= FL_SPACE_GROUP_SETTINGS; hall++)
    {
      FlSpaceGroup group;
      fl_space_group_get (hall, &group);
      if (group.number != known->space_group)
        continue;
      if (group.centring == known->centring && group.type == known->type
          && (group.unique_axis == '\0' || group.unique_axis == 'b'))
        return fl_symmetry_from_hall (hall);
      fallback = fallback == 0 ? hall : fallback;
    }
  return fallback != 0 ? fl_symmetry_from_hall (fallback) : NULL;
}

/* --- files --- */

static gboolean
from_symmetry (const FlCell *cell, const FlSymmetry *symmetry, const char *path, FlKnownCell *known,
               GError **error)
{
  if (symmetry == NULL || symmetry->hall == 0)
    {
      fl_known_cell_from_cell (cell, known);
      return TRUE;
    }
  if (fl_known_cell_from_group (cell, symmetry->hall, known, error))
    return TRUE;
  fl_error_prefix_path (error, path);
  return FALSE;
}

gboolean
fl_known_cell_from_file (const char *path, FlKnownCell *known, GError **error)
{
  char head[1024] = "";
  FILE *file = fopen (path, "rb");
  if (file != NULL)
    {
      head[fread (head, 1, sizeof head - 1, file)] = '\0';
      fclose (file);
    }
  if (g_str_has_prefix (head, FL_CELL_FILE_MAGIC))
    return fl_cell_file_read (path, known, error);
  if (g_str_has_prefix (head, "MTZ "))
    {
      g_autoptr (FlMtz) mtz = fl_mtz_read_header (path, error);
      return mtz != NULL && from_symmetry (&mtz->cell, mtz->symmetry, path, known, error);
    }
  FlCell cell;
  g_autoptr (FlSymmetry) symmetry = NULL;
  gboolean read = fl_mmcif_recognise (head) ? fl_mmcif_read_cell (path, &cell, &symmetry, error)
                                            : fl_pdb_read_cell (path, &cell, &symmetry, error);
  return read && from_symmetry (&cell, symmetry, path, known, error);
}

gboolean
fl_known_cell_from_params (const FlParams *params, FlKnownCell *cell, gboolean *known, GError **error)
{
  const char *path = fl_params_text (params, "indexing.cell_file"),
             *symbol = fl_params_text (params, "indexing.space_group");
  double values[6];
  gboolean given = fl_params_reals (params, "indexing.unit_cell", values);
  *cell = (FlKnownCell){ .type = FL_LATTICE_TRICLINIC, .centring = 'P' };
  if (*path != '\0' && !fl_known_cell_from_file (path, cell, error))
    return FALSE;
  FlCell axes = cell->cell;
  if (given && !fl_cell_from_degrees (values, &axes, error))
    {
      g_prefix_error (error, "indexing.unit_cell: ");
      return FALSE;
    }
  *known = given || *path != '\0';
  guint hall = cell->hall;
  if (*symbol != '\0' && (hall = fl_space_group_find (symbol, *known ? &axes : NULL)) == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "indexing.space_group: '%s' is not known, expected a symbol such as P43212 or P 21 21 21",
                   symbol);
      return FALSE;
    }
  if (!*known && hall != 0)
    {
      FlSpaceGroup group;
      fl_space_group_get (hall, &group);
      cell->type = group.type;
      cell->centring = group.centring;
      cell->space_group = group.number;
      cell->hall = hall;
    }
  else if (hall != 0 && (given || *symbol != '\0'))
    {
      if (fl_known_cell_from_group (&axes, hall, cell, error))
        return TRUE;
      g_prefix_error (error, "indexing.unit_cell: ");
      return FALSE;
    }
  else if (given && *path != '\0') /* the file's type and centring, the parameter's lengths */
    {
      cell->cell = axes;
      return fl_known_cell_check (cell, error);
    }
  else if (given)
    fl_known_cell_from_cell (&axes, cell);
  return TRUE;
}
