/* Prints what engine/crystal makes of a question, for the scripts that ask another program the same.
 *
 *   factors PDB D_MIN DENSITY B   lines h k l amplitude phase/°
 *   classify GROUP                hkl lines from stdin → h k l epsilon centric absent */

#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/crystal/structure-factors.h"

static int
print_factors (char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlModel) model = fl_pdb_read (argv[2], &error);
  if (model == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }
  FlSolvent solvent = { g_ascii_strtod (argv[4], NULL), g_ascii_strtod (argv[5], NULL) };
  g_autoptr (FlStructureFactors) factors =
      fl_structure_factors_new (model, g_ascii_strtod (argv[3], NULL), solvent);
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
  printf ("operators %u\n", symmetry->n);
  FlMiller m;
  while (scanf ("%d %d %d", &m.h, &m.k, &m.l) == 3)
    {
      FlReflectionClass c = fl_symmetry_classify (symmetry, m);
      printf ("%d %d %d %u %d %d\n", m.h, m.k, m.l, c.epsilon, c.centric, c.absent);
    }
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 6 && strcmp (argv[1], "factors") == 0)
    return print_factors (argv);
  if (argc == 3 && strcmp (argv[1], "classify") == 0)
    return classify (argv[2]);
  fprintf (stderr, "usage: crystal-tool factors PDB D_MIN DENSITY B | classify GROUP\n");
  return 2;
}
