/* The user's cell from parameters and files; contradictions are refused in one line. */

#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/cell-file.h"
#include "engine/crystal/known-cell.h"

static gboolean
known_of (const char *unit_cell, const char *group, const char *file, FlKnownCell *cell, gboolean *known,
          GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_assert_true (fl_params_set (params, "indexing.unit_cell", unit_cell, NULL));
  g_assert_true (fl_params_set (params, "indexing.space_group", group, NULL));
  g_assert_true (fl_params_set (params, "indexing.cell_file", file, NULL));
  return fl_known_cell_from_params (params, cell, known, error);
}

static void
assert_cell (const FlCell *c, double a, double b, double len, double al, double be, double ga)
{
  double d[6] = { c->a - a,
                  c->b - b,
                  c->c - len,
                  fl_degrees (c->alpha) - al,
                  fl_degrees (c->beta) - be,
                  fl_degrees (c->gamma) - ga };
  for (int i = 0; i < 6; i++)
    g_assert_cmpfloat (fabs (d[i]), <, 1e-4);
}

static void
test_parameters (void)
{
  static const struct
  {
    const char *cell, *group;
    FlLatticeType type;
    char centring;
    guint number, operators;
  } cases[] = { { "79.1,79.1,37.9,90,90,90", "P43212", FL_LATTICE_TETRAGONAL, 'P', 96, 8 },
                { "79.1,79.1,37.9,90,90,90", "", FL_LATTICE_TETRAGONAL, 'P', 0, 0 },
                { "92.9,92.9,130.5,90,90,120", "P 61 2 2", FL_LATTICE_HEXAGONAL, 'P', 178, 12 },
                { "80,80,80,90,90,90", "I213", FL_LATTICE_CUBIC, 'I', 199, 24 },
                { "66,66,150,90,90,120", "R 3 2", FL_LATTICE_HEXAGONAL, 'R', 155, 18 },
                { "66,66,66,80,80,80", "R 3 2", FL_LATTICE_RHOMBOHEDRAL, 'P', 155, 6 },
                { "66,66,66,80,80,80", "", FL_LATTICE_RHOMBOHEDRAL, 'P', 0, 0 },
                { "100,50,60,90,103,90", "C2", FL_LATTICE_MONOCLINIC, 'C', 5, 4 },
                { "100,50,60,90,103,90", "I 1 2 1", FL_LATTICE_MONOCLINIC, 'I', 5, 4 },
                { "100,50,60,90,103,90", "", FL_LATTICE_MONOCLINIC, 'P', 0, 0 },
                { "50,60,100,90,90,90", "P 2 21 21", FL_LATTICE_ORTHORHOMBIC, 'P', 18, 4 },
                { "40,50,60,70,80,85", "P1", FL_LATTICE_TRICLINIC, 'P', 1, 1 } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FlKnownCell cell;
      gboolean known;
      g_autoptr (GError) error = NULL;
      known_of (cases[i].cell, cases[i].group, "", &cell, &known, &error);
      g_assert_no_error (error);
      g_assert_true (known);
      g_assert_cmpint (cell.type, ==, cases[i].type);
      g_assert_cmpint (cell.centring, ==, cases[i].centring);
      g_assert_cmpuint (cell.space_group, ==, cases[i].number);
      g_autoptr (FlSymmetry) symmetry = fl_known_cell_symmetry (&cell);
      g_assert_cmpuint (symmetry != NULL ? symmetry->n : 0, ==, cases[i].operators);
      cell.hall = 0; /* number and centring must do */
      g_autoptr (FlSymmetry) again = fl_known_cell_symmetry (&cell);
      g_assert_cmpuint (again != NULL ? again->n : 0, ==, cases[i].operators);
    }
}

static void
test_nothing (void)
{
  FlKnownCell cell;
  gboolean known;
  g_assert_true (known_of ("", "", "", &cell, &known, NULL));
  g_assert_false (known);
  g_assert_true (known_of ("", "P6122", "", &cell, &known, NULL));
  g_assert_false (known);
  g_assert_cmpuint (cell.space_group, ==, 178);
  g_assert_cmpint (cell.type, ==, FL_LATTICE_HEXAGONAL);
}

/* Unique axis c becomes b, the centring with it; a small contradiction is mended. */
static void
test_settings (void)
{
  FlKnownCell cell;
  gboolean known;
  g_assert_true (known_of ("60,100,50,90,90,103", "A 1 1 2", "", &cell, &known, NULL));
  g_assert_cmpint (cell.centring, ==, 'C');
  assert_cell (&cell.cell, 100, 50, 60, 90, 103, 90);
  g_assert_true (known_of ("79.1,79.2,37.9,90.2,90,90", "96", "", &cell, &known, NULL));
  g_assert_cmpfloat (fabs (cell.cell.a - cell.cell.b), <, 1e-9);
  g_assert_cmpfloat (fabs (cell.cell.alpha - FL_PI / 2), <, 1e-9);
}

static void
assert_refused (const char *unit_cell, const char *group, const char *file, const char *words)
{
  FlKnownCell cell;
  gboolean known;
  g_autoptr (GError) error = NULL;
  g_assert_false (known_of (unit_cell, group, file, &cell, &known, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_refused (void)
{
  assert_refused ("79.1,83,37.9,90,90,90", "P43212", "", "not tetragonal");
  assert_refused ("79.1,79.1,37.9,90,92,90", "P43212", "", "not tetragonal");
  assert_refused ("79.1,79.1,37.9,90,90,90", "P6122", "", "not hexagonal");
  assert_refused ("79.1,79.1,37.9,90,90,90", "P43213", "", "'P43213' is not known");
  assert_refused ("10,10,10,60,60,130", "", "", "no cell has the parameters");
  assert_refused ("", "", "/nowhere/at-all.cell", "/nowhere/at-all.cell: ");
}

static char *
write_temporary (const char *text)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("firstlight-cell-XXXXXX", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static const char cell_text[] =
    "CrystFEL unit cell file version 1.0\n; a comment\n\nlattice_type = monoclinic\n"
    "centering = A\nunique_axis = c ; old\n\na = 6.0 nm\nb = 100 A\nc = 50 A\n"
    "al = 90 deg\nbe = 90 deg\nga = 1.7976891 rad\n";

static void
test_cell_file (void)
{
  g_autofree char *path = write_temporary (cell_text);
  FlKnownCell cell, again;
  gboolean known;
  g_autoptr (GError) error = NULL;
  fl_cell_file_read (path, &cell, &error);
  g_assert_no_error (error);
  g_assert_cmpint (cell.type, ==, FL_LATTICE_MONOCLINIC);
  g_assert_cmpint (cell.centring, ==, 'C');
  assert_cell (&cell.cell, 100, 50, 60, 90, 103, 90);
  static const FlKnownCell all[] = {
    { { 60, 60, 60, 1.4, 1.4, 1.4 }, FL_LATTICE_RHOMBOHEDRAL, 'P', 0, 0 },
    { { 60, 60, 90, FL_PI / 2, FL_PI / 2, FL_PI * 2 / 3 }, FL_LATTICE_HEXAGONAL, 'R', 0, 0 },
    { { 60, 60, 90, FL_PI / 2, FL_PI / 2, FL_PI * 2 / 3 }, FL_LATTICE_HEXAGONAL, 'P', 0, 0 },
    { { 50, 60, 90, FL_PI / 2, 1.7, FL_PI / 2 }, FL_LATTICE_MONOCLINIC, 'I', 0, 0 },
    { { 50, 60, 90, 1.2, 1.3, 1.4 }, FL_LATTICE_TRICLINIC, 'P', 0, 0 },
    { { 50, 50, 50, FL_PI / 2, FL_PI / 2, FL_PI / 2 }, FL_LATTICE_CUBIC, 'F', 0, 0 }
  };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_assert_true (fl_cell_file_write (path, &all[i], &error));
      g_assert_true (known_of ("", "", path, &again, &known, &error));
      g_assert_true (known);
      g_assert_cmpint (again.type, ==, all[i].type);
      g_assert_cmpint (again.centring, ==, all[i].centring);
      const FlCell *c = &all[i].cell;
      assert_cell (&again.cell, c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta),
                   fl_degrees (c->gamma));
    }
  /* What is given beside the file wins over it. */
  g_assert_false (known_of ("", "P6122", path, &again, &known, &error));
  g_clear_error (&error);
  g_assert_true (known_of ("51,51,51,90,90,90", "", path, &again, &known, &error));
  g_assert_cmpint (again.centring, ==, 'F');
  g_assert_cmpfloat (fabs (again.cell.a - 51), <, 1e-9);
  g_unlink (path);
}

static void
test_damaged_cell_file (void)
{
  static const struct
  {
    const char *from, *to;
  } damages[] = { { "file version", "fill" },
                  { "monoclinic", "monochrome" },
                  { "centering = A", "centering = Q" },
                  { "6.0 nm", "6.0" },
                  { "6.0 nm", "x nm" },
                  { "100 A", "nan A" },
                  { "ga = 1.7976891 rad", "" },
                  { "unique_axis", "quux" },
                  { "6.0 nm", "-6.0 nm" },
                  { "be = 90 deg", "be = 80 deg" } };
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      g_auto (GStrv) parts = g_strsplit (cell_text, damages[i].from, 2);
      g_autofree char *text = g_strjoinv (damages[i].to, parts);
      g_autofree char *path = write_temporary (text);
      FlKnownCell cell;
      g_autoptr (GError) error = NULL;
      g_assert_false (fl_cell_file_read (path, &cell, &error));
      g_assert_true (g_str_has_prefix (error->message, path));
      g_assert_null (strchr (error->message, '\n'));
      g_unlink (path);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/known-cell/parameters", test_parameters);
  g_test_add_func ("/known-cell/nothing", test_nothing);
  g_test_add_func ("/known-cell/settings", test_settings);
  g_test_add_func ("/known-cell/refused", test_refused);
  g_test_add_func ("/known-cell/cell-file", test_cell_file);
  g_test_add_func ("/known-cell/damaged-cell-file", test_damaged_cell_file);
  return g_test_run ();
}
