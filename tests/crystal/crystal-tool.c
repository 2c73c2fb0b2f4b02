/* Prints what engine/crystal makes of a question, for the scripts that ask another program the same.
 *
 *   factors MODEL D_MIN DENSITY B direct|grid   lines h k l amplitude phase/°
 *   classify GROUP                hkl lines from stdin → h k l epsilon centric absent, h k l of the asymmetric unit, isym
 *   ambiguities GROUP CELL TOLERANCE-%/°    reindexing matrices, row by row, and divisors
 *   mtz FILE                      its head, then a row a line
 *   write-mtz merged|unmerged FILE GROUP CELL WAVELENGTH   lines h k l I sigma number from stdin
 *   niggli CENTRING               cells (six numbers a line) from stdin → the reduced ones */

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/crystal/asu.h"
#include "engine/crystal/mmcif.h"
#include "engine/crystal/mtz.h"
#include "engine/crystal/reindexing.h"
#include "engine/crystal/space-group.h"
#include "engine/crystal/structure-factors.h"

static int
print_factors (char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlModel) model = fl_model_read (argv[2], &error);
  if (model == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }
  FlSolvent solvent = { g_ascii_strtod (argv[4], NULL), g_ascii_strtod (argv[5], NULL) };
  g_autoptr (FlStructureFactors) factors =
      fl_structure_factors_new_by (model, g_ascii_strtod (argv[3], NULL), solvent,
                                   strcmp (argv[6], "grid") == 0 ? FL_SUMMATION_GRID : FL_SUMMATION_DIRECT);
  for (guint i = 0; i < factors->n; i++)
    printf ("%d %d %d %.6f %.4f\n", factors->hkl[i].h, factors->hkl[i].k, factors->hkl[i].l,
            cabs (factors->f[i]), fl_degrees (carg (factors->f[i])));
  return 0;
}

static int
classify (const char *symbol)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (symbol, &error);
  if (symmetry == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }
  FlSpaceGroup group;
  fl_space_group_get (symmetry->hall, &group);
  FlAsu asu = fl_asu_new (symmetry);
  printf ("operators %u|%u|%s|%s|%s|%c\n", symmetry->n, group.number, group.symbol, group.point_group,
          group.laue, group.centring);
  FlMiller m;
  while (scanf ("%d %d %d", &m.h, &m.k, &m.l) == 3)
    {
      FlReflectionClass c = fl_symmetry_classify (symmetry, m);
      guint isym;
      FlMiller a = fl_asu_map (&asu, symmetry, m, &isym);
      printf ("%d %d %d %u %d %d %d %d %d %u\n", m.h, m.k, m.l, c.epsilon, c.centric, c.absent, a.h, a.k, a.l,
              isym);
    }
  return 0;
}

static gboolean
parse_cell (const char *text, FlCell *cell)
{
  double v[6];
  char *end = (char *) text;
  for (int i = 0; i < 6; i++)
    v[i] = g_ascii_strtod (end, &end);
  return fl_cell_from_degrees (v, cell, NULL);
}

static int
print_ambiguities (char **argv)
{
  FlCell cell;
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (argv[2], NULL);
  if (symmetry == NULL || !parse_cell (argv[3], &cell))
    return 2;
  double tolerance = g_ascii_strtod (argv[4], NULL);
  guint n;
  g_autofree FlReindexing *list =
      fl_reindexing_ambiguities (&cell, symmetry, tolerance / 100, fl_radians (tolerance), &n);
  for (guint i = 0; i < n; i++)
    {
      for (int j = 0; j < 9; j++)
        printf ("%d ", list[i].r[j / 3][j % 3]);
      printf ("%d\n", list[i].divisor);
    }
  return 0;
}

static int
print_reduced (char centring)
{
  char line[256];
  while (fgets (line, sizeof line, stdin) != NULL)
    {
      FlCell cell;
      if (!parse_cell (line, &cell))
        return 2;
      FlMat3 star = fl_cell_reciprocal (&cell);
      star = fl_lattice_primitive (&star, centring);
      star = fl_lattice_niggli (&star);
      cell = fl_lattice_cell (&star);
      printf ("%.9f %.9f %.9f %.9f %.9f %.9f\n", cell.a, cell.b, cell.c, fl_degrees (cell.alpha),
              fl_degrees (cell.beta), fl_degrees (cell.gamma));
    }
  return 0;
}

static int
print_mtz (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlMtz) mtz = fl_mtz_read (path, &error);
  if (mtz == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }
  const FlCell *c = &mtz->cell;
  printf ("%u|%u|%u|%u|%u|%.5f|%.4f %.4f %.4f %.4f %.4f %.4f|", mtz->n, mtz->n_columns, mtz->n_batches,
          mtz->space_group, mtz->symmetry->hall, mtz->wavelength, c->a, c->b, c->c, fl_degrees (c->alpha),
          fl_degrees (c->beta), fl_degrees (c->gamma));
  for (guint i = 0; i < mtz->n_columns; i++)
    printf ("%s:%c ", mtz->columns[i].label, mtz->columns[i].type);
  printf ("\n");
  for (gsize i = 0; i < (gsize) mtz->n * mtz->n_columns; i++)
    printf ("%.9g%c", (double) mtz->data[i], (i + 1) % mtz->n_columns == 0 ? '\n' : ' ');
  return 0;
}

static int
write_mtz (char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (argv[4], &error);
  g_autoptr (GArray) hkl = g_array_new (FALSE, FALSE, sizeof (FlMiller)),
                     values = g_array_new (FALSE, FALSE, sizeof (double)),
                     sigmas = g_array_new (FALSE, FALSE, sizeof (double)),
                     numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  FlCell cell;
  FlMiller m;
  double value, sigma;
  guint number;
  if (symmetry == NULL || !parse_cell (argv[5], &cell))
    return 2;
  while (scanf ("%d %d %d %lf %lf %u", &m.h, &m.k, &m.l, &value, &sigma, &number) == 6)
    {
      g_array_append_val (hkl, m);
      g_array_append_val (values, value);
      g_array_append_val (sigmas, sigma);
      g_array_append_val (numbers, number);
    }
  double wavelength = g_ascii_strtod (argv[6], NULL);
  gpointer h = hkl->data, v = values->data, s = sigmas->data, n = numbers->data;
  g_autoptr (FlMtz) mtz = strcmp (argv[2], "merged") == 0
                              ? fl_mtz_new_merged (&cell, symmetry, wavelength, hkl->len, h, v, s, n)
                              : fl_mtz_new_unmerged (&cell, symmetry, wavelength, hkl->len, h, n, v, s);
  if (fl_mtz_write (argv[3], mtz, &error))
    return 0;
  fprintf (stderr, "%s\n", error->message);
  return 1;
}

int
main (int argc, char **argv)
{
  if (argc == 7 && strcmp (argv[1], "factors") == 0)
    return print_factors (argv);
  if (argc == 3 && strcmp (argv[1], "classify") == 0)
    return classify (argv[2]);
  if (argc == 5 && strcmp (argv[1], "ambiguities") == 0)
    return print_ambiguities (argv);
  if (argc == 3 && strcmp (argv[1], "niggli") == 0)
    return print_reduced (*argv[2]);
  if (argc == 3 && strcmp (argv[1], "mtz") == 0)
    return print_mtz (argv[2]);
  if (argc == 7 && strcmp (argv[1], "write-mtz") == 0)
    return write_mtz (argv);
  fprintf (stderr, "usage: as the head of crystal-tool.c says\n");
  return 2;
}
