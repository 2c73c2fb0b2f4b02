/* indexing-cell.c: the primitive basis of a known cell and its rotations. */
#include "engine/sfx/indexing-cell.h"

static void
set_row (FlMat3 *m, guint row, FlVec3 v)
{
  m->m[row][0] = v.x;
  m->m[row][1] = v.y;
  m->m[row][2] = v.z;
}

/* Shortest row first, right-handed. */
static void
sort_rows (FlMat3 *real)
{
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < 2; i++)
      {
        FlVec3 a = fl_mat3_row (real, i), b = fl_mat3_row (real, i + 1);
        if (fl_vec3_norm (b) < fl_vec3_norm (a) * (1 - 1e-9))
          {
            set_row (real, i, b);
            set_row (real, i + 1, a);
          }
      }
  if (fl_mat3_determinant (real) < 0)
    set_row (real, 2, fl_vec3_scale (fl_mat3_row (real, 2), -1));
}

static gboolean
keeps_metric (const FlMat3 *real, const int r[3][3])
{
  FlVec3 turned[3];
  for (guint i = 0; i < 3; i++)
    {
      turned[i] = fl_vec3 (0, 0, 0);
      for (guint j = 0; j < 3; j++)
        turned[i] = fl_vec3_add (turned[i], fl_vec3_scale (fl_mat3_row (real, j), r[i][j]));
    }
  for (guint i = 0; i < 3; i++)
    for (guint j = i; j < 3; j++)
      {
        FlVec3 a = fl_mat3_row (real, i), b = fl_mat3_row (real, j);
        double tolerance = 0.002 * fl_vec3_norm (a) * fl_vec3_norm (b);
        if (fabs (fl_vec3_dot (turned[i], turned[j]) - fl_vec3_dot (a, b)) > tolerance)
          return FALSE;
      }
  return TRUE;
}

static int
determinant (const int r[3][3])
{
  return r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) - r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0])
         + r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
}

/* A reduced basis is turned onto itself by matrices of −1, 0 and 1 alone. The identity comes first. */
static void
find_rotations (FlIndexCell *cell)
{
  static const int identity[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
  memcpy (cell->rotations[0], identity, sizeof identity);
  cell->n_rotations = 1;
  for (guint code = 0; code < 19683; code++)
    {
      int r[3][3];
      guint rest = code;
      for (guint i = 0; i < 9; i++, rest /= 3)
        r[i / 3][i % 3] = (int) (rest % 3) - 1;
      if (determinant (r) != 1 || memcmp (r, identity, sizeof r) == 0 || !keeps_metric (&cell->real, r)
          || cell->n_rotations == G_N_ELEMENTS (cell->rotations))
        continue;
      memcpy (cell->rotations[cell->n_rotations++], r, sizeof r);
    }
}

gboolean
fl_index_cell_init (FlIndexCell *cell, const FlKnownCell *known)
{
  *cell = (FlIndexCell){ .known = *known };
  FlMat3 star = fl_cell_reciprocal (&known->cell);
  double volume = fabs (fl_mat3_determinant (&star));
  if (!(volume > 0) || !isfinite (volume))
    return FALSE;
  FlMat3 primitive = fl_lattice_primitive (&star, known->centring);
  FlMat3 reduced = fl_lattice_niggli (&primitive);
  cell->real = fl_lattice_real (&reduced);
  sort_rows (&cell->real);
  cell->star = fl_lattice_star (&cell->real);
  FlMat3 inverse = fl_mat3_inverse (&cell->star);
  cell->to_conventional = fl_mat3_multiply (&star, &inverse);
  cell->star_volume = fabs (fl_mat3_determinant (&cell->star));
  for (guint i = 0; i < 3; i++)
    cell->length[i] = fl_vec3_norm (fl_mat3_row (&cell->real, i));
  cell->shortest_star = INFINITY;
  for (int code = 0; code < 27; code++)
    {
      int h = code % 3 - 1, k = code / 3 % 3 - 1, l = code / 9 - 1;
      FlVec3 g = fl_vec3_add (fl_vec3_scale (fl_mat3_row (&cell->star, 0), h),
                              fl_vec3_add (fl_vec3_scale (fl_mat3_row (&cell->star, 1), k),
                                           fl_vec3_scale (fl_mat3_row (&cell->star, 2), l)));
      if (h || k || l)
        cell->shortest_star = MIN (cell->shortest_star, fl_vec3_norm (g));
    }
  find_rotations (cell);
  for (guint n = 0; n < cell->n_rotations; n++)
    for (guint i = 0; i < 9; i++)
      cell->star_rotations[n][i / 3][i % 3] = cell->rotations[n][i % 3][i / 3];
  return TRUE;
}

guint
fl_index_cell_fold (const FlIndexCell *cell, guint axis, gboolean *flips)
{
  guint fold = 0;
  *flips = FALSE;
  for (guint n = 0; n < cell->n_rotations; n++)
    {
      const int *row = cell->rotations[n][axis];
      gboolean along = row[(axis + 1) % 3] == 0 && row[(axis + 2) % 3] == 0;
      fold += along && row[axis] == 1;
      *flips |= along && row[axis] == -1;
    }
  return fold;
}
