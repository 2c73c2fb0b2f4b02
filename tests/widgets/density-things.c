#include "tests/widgets/density-things.h"

#include <math.h>
#include <string.h>

static FlwDensityGrid
oblique (guint nx, guint ny, guint nz, double step, double lean)
{
  return (FlwDensityGrid){
    .n = { nx, ny, nz },
    .step = { { step, 0, 0 }, { lean * step, step, 0 }, { lean * step, -lean * step, step } }
  };
}

static void
place_of (const FlwDensityGrid *grid, guint i, guint j, guint k, double place[3])
{
  for (int x = 0; x < 3; x++)
    place[x] = grid->origin[x] + i * grid->step[0][x] + j * grid->step[1][x] + k * grid->step[2][x];
}

FlwDensityVolume *
things_ball (guint n, double step, double lean, double radius)
{
  FlwDensityGrid grid = oblique (n, n, n, step, lean);
  float *values = g_new (float, (gsize) n *n *n), *to = values;
  double middle[3];

  for (int x = 0; x < 3; x++)
    middle[x] = 0.5 * (n - 1) * (grid.step[0][x] + grid.step[1][x] + grid.step[2][x]);
  for (guint k = 0; k < n; k++)
    for (guint j = 0; j < n; j++)
      for (guint i = 0; i < n; i++)
        {
          double at[3], square = 0;
          place_of (&grid, i, j, k, at);
          for (int x = 0; x < 3; x++)
            square += (at[x] - middle[x]) * (at[x] - middle[x]);
          *to++ = (float) (radius - sqrt (square));
        }
  return flw_density_volume_new (&grid, values, NULL);
}

/* Adds a Gaussian to a grid that repeats, out to 4 spreads. */
static void
add_gaussian (const FlwDensityGrid *grid, const double to_grid[3][3], float *values, const double place[3],
              double height, double spread)
{
  int low[3], high[3];

  for (int a = 0; a < 3; a++)
    {
      double g = 0, slope = 0;
      for (int x = 0; x < 3; x++)
        {
          g += to_grid[a][x] * (place[x] - grid->origin[x]);
          slope += to_grid[a][x] * to_grid[a][x];
        }
      low[a] = (int) ceil (g - 4 * spread * sqrt (slope));
      high[a] = (int) floor (g + 4 * spread * sqrt (slope));
    }
  for (int k = low[2]; k <= high[2]; k++)
    for (int j = low[1]; j <= high[1]; j++)
      for (int i = low[0]; i <= high[0]; i++)
        {
          int n[3] = { (int) grid->n[0], (int) grid->n[1], (int) grid->n[2] };
          gsize at = ((gsize) ((k % n[2] + n[2]) % n[2]) * grid->n[1] + (gsize) ((j % n[1] + n[1]) % n[1]))
                         * grid->n[0]
                     + (gsize) ((i % n[0] + n[0]) % n[0]);
          double square = 0;
          for (int x = 0; x < 3; x++)
            {
              double d = grid->origin[x] + i * grid->step[0][x] + j * grid->step[1][x] + k * grid->step[2][x]
                         - place[x];
              square += d * d;
            }
          values[at] += (float) (height * exp (-square / (2 * spread * spread)));
        }
}

/* An empty volume of that grid, for its inverse. */
static void
inverse (const FlwDensityGrid *grid, double to_grid[3][3])
{
  FlwDensityGrid small = *grid;
  g_autoptr (FlwDensityVolume) volume = NULL;

  small.n[0] = small.n[1] = small.n[2] = 2;
  volume = flw_density_volume_new (&small, g_new0 (float, 8), NULL);
  flw_density_volume_to_grid (volume, to_grid);
}

FlwDensityVolume *
things_crystal (guint n, guint n_atoms, double lean)
{
  FlwDensityGrid grid = oblique (n, n + 2, n + 5, 0.5, lean);
  float *values = g_new0 (float, (gsize) n *(n + 2) * (n + 5));
  g_autoptr (GRand) random = g_rand_new_with_seed (n_atoms);
  double to_grid[3][3];

  grid.periodic = TRUE;
  grid.origin[0] = 3;
  grid.origin[2] = -7;
  inverse (&grid, to_grid);
  for (guint i = 0; i < n_atoms; i++)
    {
      double place[3];
      place_of (&grid, (guint) g_rand_int_range (random, 0, (int) n),
                (guint) g_rand_int_range (random, 0, (int) n), (guint) g_rand_int_range (random, 0, (int) n),
                place);
      add_gaussian (&grid, to_grid, values, place, g_rand_double_range (random, 0.5, 1), 1);
    }
  return flw_density_volume_new (&grid, values, NULL);
}

FlwDensityVolume *
things_particle (guint n)
{
  FlwDensityGrid grid = oblique (n, n, n, 1, 0);
  float *values = g_new0 (float, (gsize) n *n *n);
  g_autoptr (GRand) random = g_rand_new_with_seed (n);
  double to_grid[3][3];

  inverse (&grid, to_grid);
  for (guint i = 0; i < n * n / 16;)
    {
      double place[3], left = 0, right = 0;
      for (int x = 0; x < 3; x++)
        {
          place[x] = g_rand_double (random);
          left += pow (place[x] - (x == 0 ? 0.32 : 0.5), 2);
          right += pow (place[x] - (x == 0 ? 0.68 : 0.45), 2);
          place[x] *= n;
        }
      if (left > 0.22 * 0.22 && right > 0.18 * 0.18)
        continue;
      add_gaussian (&grid, to_grid, values, place, 1, 2);
      i++;
    }
  return flw_density_volume_new (&grid, values, NULL);
}

FlwDensityModel *
things_helix (guint n_residues, const double centre[3])
{
  /* Radius Å, angle rad, height Å of an atom of the first residue of an α helix. */
  static const struct
  {
    const char *name, *element;
    double radius, angle, height;
  } parts[] = { { "N", "N", 1.55, -0.48, -0.87 },
                { "CA", "C", 2.28, 0, 0 },
                { "C", "C", 1.66, 0.46, 1.10 },
                { "O", "O", 1.97, 0.42, 2.28 },
                { "CB", "C", 3.30, -0.31, 0.66 } };
  static const char *const names[] = { "ALA", "LEU", "GLU", "LYS", "TRP", "SER" };
  GArray *atoms = g_array_new (FALSE, TRUE, sizeof (FlwDensityAtom));
  FlwDensityModel *model;

  for (guint r = 0; r < n_residues; r++)
    for (guint p = 0; p < G_N_ELEMENTS (parts); p++)
      {
        double angle = parts[p].angle + r * 100 * G_PI / 180,
               along = 1.5 * (r - 0.5 * (n_residues - 1)) + parts[p].height;
        FlwDensityAtom atom = { .number = (int) r + 1,
                                .place = { centre[0] + along, centre[1] + parts[p].radius * cos (angle),
                                           centre[2] + parts[p].radius * sin (angle) } };
        g_strlcpy (atom.name, parts[p].name, sizeof atom.name);
        g_strlcpy (atom.element, parts[p].element, sizeof atom.element);
        g_strlcpy (atom.residue, names[r % G_N_ELEMENTS (names)], sizeof atom.residue);
        g_strlcpy (atom.chain, "A", sizeof atom.chain);
        g_array_append_val (atoms, atom);
      }
  model = flw_density_model_new (atoms->len, (const FlwDensityAtom *) atoms->data, 0, NULL);
  g_array_unref (atoms);
  return model;
}

FlwDensityVolume *
things_density_of (const FlwDensityModel *model, guint n, double step, double spread, int without)
{
  FlwDensityGrid grid = oblique (n, n, n, step, 0);
  float *values = g_new0 (float, (gsize) n *n *n);
  double to_grid[3][3];
  guint n_atoms;
  const FlwDensityAtom *atoms = flw_density_model_atoms (model, &n_atoms);

  grid.periodic = TRUE;
  grid.unit = "e/Å³";
  inverse (&grid, to_grid);
  for (guint i = 0; i < n_atoms; i++)
    if (atoms[i].number != without || !g_str_equal (atoms[i].name, "CB"))
      add_gaussian (&grid, to_grid, values, atoms[i].place, 2.5, spread);
  return flw_density_volume_new (&grid, values, NULL);
}

FlwDensityVolume *
things_difference (const FlwDensityModel *model, guint n, double step, double spread, int residue)
{
  FlwDensityGrid grid = oblique (n, n, n, step, 0);
  float *values = g_new0 (float, (gsize) n *n *n);
  g_autoptr (GRand) random = g_rand_new_with_seed (n);
  double to_grid[3][3];
  guint n_atoms;
  const FlwDensityAtom *atoms = flw_density_model_atoms (model, &n_atoms);

  grid.periodic = TRUE;
  grid.unit = "e/Å³";
  inverse (&grid, to_grid);
  for (gsize i = 0; i < (gsize) n * n * n; i++)
    values[i] = (float) g_rand_double_range (random, -0.1, 0.1);
  for (guint i = 0; i < n_atoms; i++)
    if (atoms[i].number == residue && g_str_equal (atoms[i].name, "CB"))
      add_gaussian (&grid, to_grid, values, atoms[i].place, 1.2, spread);
    else if (atoms[i].number == residue - 5 && g_str_equal (atoms[i].name, "O"))
      add_gaussian (&grid, to_grid, values, atoms[i].place, -1.2, spread);
  return flw_density_volume_new (&grid, values, NULL);
}
