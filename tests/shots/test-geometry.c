/* Geometries from one form to another and back: corners of panels to 1e-6 mm, names, sizes, gains and limits where the form holds
 * them, and texts that are the same to the byte the second time. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geometry-private.h"
#include "tests/shots/data.h"

static char *folder;

static char *
place_for (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static FlGeom *
read_geometry (const char *path, FlGeometryForm expected)
{
  g_autoptr (GError) error = NULL;
  FlGeometryForm form;
  FlGeom *geom = fl_geometry_read (path, &form, &error);
  g_assert_no_error (error);
  g_assert_cmpint (form, ==, expected);
  return geom;
}

static void
write_geometry (const FlGeom *geom, FlGeometryForm form, const char *path, GPtrArray *losses)
{
  g_autoptr (GError) error = NULL;
  fl_geometry_write (geom, form, path, losses, &error);
  g_assert_no_error (error);
}

/* Through a form and back, as geometries are on disk. */
static FlGeom *
through (const FlGeom *geom, FlGeometryForm form, GPtrArray *losses)
{
  g_autofree char *path = place_for (fl_geometry_form_name (form));
  write_geometry (geom, form, path, losses);
  return read_geometry (path, form);
}

static FlVec3
corner (const FlGeom *geom, guint panel, int k)
{
  const FlGeomPanel *p = fl_geometry_panel (geom, panel);
  FlGeometryPlace place = fl_geometry_place (geom, p);
  return fl_vec3_add (place.origin, fl_vec3_add (fl_vec3_scale (place.fs, k & 1 ? fl_geometry_n_fs (p) : 0),
                                                 fl_vec3_scale (place.ss, k & 2 ? fl_geometry_n_ss (p) : 0)));
}

/* Pixels of the panels, in the order of psana's table: what has another order there has it by name. */
static guint
same_panel (const FlGeom *a, const FlGeom *b, guint i)
{
  double least = INFINITY;
  guint best = 0;
  for (guint k = 0; k < b->panels->len; k++)
    {
      double d = fl_vec3_norm (fl_vec3_sub (corner (a, i, 0), corner (b, k, 0)));
      if (d < least)
        {
          least = d;
          best = k;
        }
    }
  return best;
}

static double
largest_move (const FlGeom *a, const FlGeom *b)
{
  double most = 0;
  g_assert_cmpuint (a->panels->len, ==, b->panels->len);
  for (guint i = 0; i < a->panels->len; i++)
    for (int k = 0; k < 4; k++)
      most = MAX (most, fl_vec3_norm (fl_vec3_sub (corner (a, i, k), corner (b, same_panel (a, b, i), k))));
  return most;
}

static gboolean
is_same (double a, double b)
{
  return (isnan (a) && isnan (b)) || a == b || fabs (a - b) <= 1e-6 * fabs (a);
}

static double
gain (const FlGeom *geom, const FlGeomPanel *panel)
{
  if (!isnan (panel->adu_per_photon))
    return panel->adu_per_photon;
  return !isnan (panel->adu_per_ev) && geom->beam.set && geom->beam.path == NULL
             ? panel->adu_per_ev * geom->beam.value
             : 1;
}

static const FlGeomPanel *
named (const FlGeom *geom, const char *name)
{
  for (guint i = 0; i < geom->panels->len; i++)
    if (strcmp (fl_geometry_panel (geom, i)->name, name) == 0)
      return fl_geometry_panel (geom, i);
  return NULL;
}

static void
assert_same_values (const FlGeom *a, const FlGeom *b)
{
  for (guint i = 0; i < a->panels->len; i++)
    {
      const FlGeomPanel *x = fl_geometry_panel (a, i), *y = named (b, x->name);
      g_assert_nonnull (y);
      g_assert_cmpuint (fl_geometry_n_fs (x), ==, fl_geometry_n_fs (y));
      g_assert_cmpuint (fl_geometry_n_ss (x), ==, fl_geometry_n_ss (y));
      g_assert_true (is_same (x->max_adu, y->max_adu));
      g_assert_true (is_same (gain (a, x), gain (b, y)));
    }
}

static char *
text_of (const FlGeom *geom, FlGeometryForm form)
{
  g_autofree char *path = place_for ("text");
  char *text = NULL;
  write_geometry (geom, form, path, NULL);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

/* Says the first line that differs, not all of them. */
static void
assert_same_text (const char *a, const char *b)
{
  g_auto (GStrv) lines_a = g_strsplit (a, "\n", -1), lines_b = g_strsplit (b, "\n", -1);
  for (guint i = 0; lines_a[i] != NULL || lines_b[i] != NULL; i++)
    g_assert_cmpstr (lines_a[i], ==, lines_b[i]);
}

/* a → b → a → b → a: the second a and b are the first ones. */
static void
check_pair (const FlGeom *geom, FlGeometryForm a, FlGeometryForm b)
{
  g_autoptr (FlGeom) a0 = through (geom, a, NULL), b0 = through (a0, b, NULL), a1 = through (b0, a, NULL),
                     b1 = through (a1, b, NULL), a2 = through (b1, a, NULL), b2 = through (a2, b, NULL);
  g_assert_cmpfloat (largest_move (a1, a2), <, 1e-6);
  g_assert_cmpfloat (largest_move (b0, b1), <, 1e-6);
  if (a == FL_GEOMETRY_NXMX || b == FL_GEOMETRY_NXMX)
    return;
  g_autofree char *text_a1 = text_of (a1, a), *text_a2 = text_of (a2, a), *text_b1 = text_of (b1, b),
                  *text_b2 = text_of (b2, b);
  assert_same_text (text_a1, text_a2);
  assert_same_text (text_b1, text_b2);
}

typedef struct
{
  const char *name;
  double psana; /* mm: how far its panels are from the shape that psana's table holds */
  const char *segment;
} Real;

static const Real real[] = { { "geom/cspad-cxib2313-v9.geom", 2e-3, "SENS2X1:V1" },
                             { "geom/cxi_jungfrau4M.geom", 2e-3, "SENS2X1:V1" },
                             { "geom/mfx_epix10k2M.geom", 2e-3, "EPIX10KA:V1" },
                             { "geom/agipd_mar18_v11.geom", 4e-3, "MTRX:V2:64:128" },
                             { "crystfel-sim/lyso-agipd1m.geom", 4e-3, "MTRX:V2:64:128" },
                             { "crystfel-sim/lyso-jf4m.geom", 1e-4, "MTRX:V2:512:1024" },
                             { "crystfel/geom/jf-swissfel-16M.geom", 0.08, "MTRX:V2" },
                             { "crystfel/geom/cspad-cxiformat.geom", 1e-6, "MTRX:V2:185:194" },
                             { "crystfel/geom/simple.geom", 1e-6, "MTRX:V2:512:1024" } };

static void
test_real (gconstpointer data)
{
  const Real *r = data;
  g_autofree char *path = test_data (r->name);
  if (path == NULL)
    return;
  g_autoptr (FlGeom) geom = read_geometry (path, FL_GEOMETRY_CRYSTFEL);
  g_autoptr (GPtrArray) losses = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (FlGeom) crystfel = through (geom, FL_GEOMETRY_CRYSTFEL, losses);
  g_assert_cmpuint (losses->len, ==, 0);
  g_assert_cmpfloat (largest_move (geom, crystfel), <, 1e-6);
  assert_same_values (geom, crystfel);
  g_autoptr (FlGeom) imgcif = through (geom, FL_GEOMETRY_IMGCIF, losses);
  g_assert_cmpfloat (largest_move (geom, imgcif), <, 1e-6);
  assert_same_values (geom, imgcif);
  g_autoptr (FlGeom) psana = through (geom, FL_GEOMETRY_PSANA, losses);
  double moved = largest_move (geom, psana);
  g_test_message ("%s: psana moves by %.3g mm", r->name, moved);
  for (guint i = 0; i < losses->len; i++)
    g_test_message ("  loses %s", (char *) losses->pdata[i]);
  g_assert_cmpfloat (moved, <, r->psana);
  g_autoptr (FlGeom) nxmx = through (geom, FL_GEOMETRY_NXMX, losses);
  g_assert_cmpfloat (largest_move (geom, nxmx), <, 1e-6);
  assert_same_values (geom, nxmx);
  g_autofree char *table = text_of (geom, FL_GEOMETRY_PSANA);
  g_assert_nonnull (strstr (table, r->segment));
  for (int a = 0; a < FL_GEOMETRY_FORMS; a++)
    for (int b = 0; b < FL_GEOMETRY_FORMS; b++)
      if (a != b)
        check_pair (geom, (FlGeometryForm) a, (FlGeometryForm) b);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("geometry-XXXXXX", &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (real); i++)
    {
      g_autofree char *name = g_strdup_printf ("/geometry/real/%s", strrchr (real[i].name, '/') + 1);
      g_test_add_data_func (name, &real[i], test_real);
    }
  int status = g_test_run ();
  g_autoptr (GDir) left = g_dir_open (folder, 0, NULL);
  const char *name;
  while (left != NULL && (name = g_dir_read_name (left)) != NULL)
    {
      g_autofree char *path = place_for (name);
      remove (path);
    }
  remove (folder);
  return status;
}
