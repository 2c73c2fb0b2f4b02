#include "engine/simulate/spi-hydration.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"

#define CUBE 2.0 /* Å */
#define GAP  1.0 /* Å, from the van der Waals sphere to the water */

enum
{
  VACUUM,
  WATER,
  MOLECULE
};

typedef struct
{
  FlVec3 low; /* middle of cube (0, 0, 0), Å */
  int n[3];
  guint8 *cubes; /* [n2][n1][n0] */
} FlMesh;

static FlMesh
make_mesh (const FlAtom *atoms, guint n_atoms, double margin)
{
  FlVec3 low = atoms[0].position, high = low;
  for (guint i = 1; i < n_atoms; i++)
    {
      FlVec3 r = atoms[i].position;
      low = fl_vec3 (MIN (low.x, r.x), MIN (low.y, r.y), MIN (low.z, r.z));
      high = fl_vec3 (MAX (high.x, r.x), MAX (high.y, r.y), MAX (high.z, r.z));
    }
  FlVec3 cubes = fl_vec3_scale (fl_vec3_sub (high, low), 1 / CUBE);
  int more = (int) ceil (margin / CUBE);
  FlMesh mesh = { .low = fl_vec3_sub (low, fl_vec3_scale (fl_vec3 (1, 1, 1), more * CUBE)),
                  .n = { (int) ceil (cubes.x) + 2 * more + 1, (int) ceil (cubes.y) + 2 * more + 1,
                         (int) ceil (cubes.z) + 2 * more + 1 } };
  mesh.cubes = g_malloc0 ((gsize) mesh.n[0] * (gsize) mesh.n[1] * (gsize) mesh.n[2]);
  return mesh;
}

/* Cubes within `radius` of the place become `what`, where they are less. */
static void
paint (FlMesh *mesh, FlVec3 place, double radius, guint8 what)
{
  FlVec3 at = fl_vec3_scale (fl_vec3_sub (place, mesh->low), 1 / CUBE);
  double reach = radius / CUBE;
  int from[3] = { (int) ceil (at.x - reach), (int) ceil (at.y - reach), (int) ceil (at.z - reach) };
  for (int k = MAX (from[2], 0); k <= MIN (at.z + reach, mesh->n[2] - 1); k++)
    for (int j = MAX (from[1], 0); j <= MIN (at.y + reach, mesh->n[1] - 1); j++)
      for (int i = MAX (from[0], 0); i <= MIN (at.x + reach, mesh->n[0] - 1); i++)
        {
          FlVec3 d = fl_vec3_sub (fl_vec3 (i, j, k), at);
          guint8 *cube =
              &mesh->cubes[((gsize) k * (gsize) mesh->n[1] + (gsize) j) * (gsize) mesh->n[0] + (gsize) i];
          if (fl_vec3_dot (d, d) <= reach * reach)
            *cube = MAX (*cube, what);
        }
}

void
fl_spi_hydration_add (FlHydration hydration, FlFormFactor *water, GArray *atoms)
{
  guint n_atoms = atoms->len;
  const FlAtom *first = (const FlAtom *) (const void *) atoms->data;
  double margin = 4 + GAP + hydration.thickness; /* no atom's radius is larger */
  FlMesh mesh = make_mesh (first, n_atoms, margin);
  for (guint i = 0; i < n_atoms; i++)
    {
      double radius = first[i].factor->radius + GAP;
      paint (&mesh, first[i].position, radius, MOLECULE);
      paint (&mesh, first[i].position, radius + hydration.thickness, WATER);
    }
  *water = (FlFormFactor){ "water", { hydration.density * CUBE * CUBE * CUBE }, { 0 }, 0, CUBE / 2 };
  water->b[0] = 8 * FL_PI * FL_PI * CUBE * CUBE / 12;
  const guint8 *cube = mesh.cubes;
  for (int k = 0; k < mesh.n[2]; k++)
    for (int j = 0; j < mesh.n[1]; j++)
      for (int i = 0; i < mesh.n[0]; i++)
        if (*cube++ == WATER)
          {
            FlAtom atom = { .position = fl_vec3_add (mesh.low, fl_vec3_scale (fl_vec3 (i, j, k), CUBE)),
                            .occupancy = 1,
                            .factor = water };
            g_array_append_val (atoms, atom);
          }
  g_free (mesh.cubes);
}
