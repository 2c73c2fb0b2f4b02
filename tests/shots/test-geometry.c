/* Geometries from one form to another and back: corners of panels to 1e-6 mm, names, sizes, gains and limits where the form holds
 * them, and texts that are the same to the byte the second time. */

#include <hdf5.h>
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
  /* These hold unit vectors, whose last digits are not ours. */
  if (a >= FL_GEOMETRY_NXMX || b >= FL_GEOMETRY_NXMX)
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
  gboolean quick; /* pairs of forms without -m slow, too */
} Real;

static const Real real[] = { { "geom/cspad-cxib2313-v9.geom", 2e-3, "SENS2X1:V1", TRUE },
                             { "geom/cxi_jungfrau4M.geom", 2e-3, "SENS2X1:V1" },
                             { "geom/mfx_epix10k2M.geom", 2e-3, "EPIX10KA:V1", TRUE },
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
  if (r->quick || g_test_slow ())
    {
      g_autoptr (FlGeom) nxmx = through (geom, FL_GEOMETRY_NXMX, losses);
      g_assert_cmpfloat (largest_move (geom, nxmx), <, 1e-6);
      assert_same_values (geom, nxmx);
    }
  g_autofree char *table = text_of (geom, FL_GEOMETRY_PSANA);
  g_assert_nonnull (strstr (table, r->segment));
  for (int a = 0; a < FL_GEOMETRY_FORMS; a++)
    for (int b = 0; b < FL_GEOMETRY_FORMS; b++)
      if (a != b && (g_test_slow () || (r->quick && a == FL_GEOMETRY_CRYSTFEL && b != FL_GEOMETRY_NXMX)))
        check_pair (geom, (FlGeometryForm) a, (FlGeometryForm) b);
}

/* --- psana --- */

static FlGeom *
psana (const char *text)
{
  g_autoptr (GError) error = NULL;
  FlGeom *geom = fl_geometry_read_psana ("t.data", text, strlen (text), &error);
  g_assert_no_error (error);
  return geom;
}

static void
assert_near (FlVec3 a, double x, double y, double z)
{
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (a, fl_vec3 (x, y, z))), <, 1e-9);
}

/* A sensor 1 m downstream, in psana's laboratory as it is: its x is our −y, its y our −x. */
static void
test_psana_frame (void)
{
  g_autoptr (FlGeom) geom = psana ("# TITLE one\n\nIP 0 SENS2X1:V1 0 1000 2000 1000000 0 0 0 0 0 0\n");
  g_assert_cmpuint (geom->panels->len, ==, 2);
  g_assert_cmpfloat (geom->clen.value, ==, 1000);
  g_assert_cmpstr (geom->comments->pdata[0], ==, "TITLE one");
  /* psana: x from −(194 + 1.5) px, y from +92.5 px. */
  double px = 0.10992;
  assert_near (corner (geom, 0, 0), -2 - 92.5 * px, -1 + 195.5 * px, 1000);
  assert_near (corner (geom, 1, 0), -2 - 92.5 * px, -1 - 1.5 * px, 1000);
  assert_near (corner (geom, 1, 3), -2 + 92.5 * px, -1 - 195.5 * px, 1000);
  g_assert_cmpint (fl_geometry_panel (geom, 1)->min_fs, ==, 194);
}

/* About z first, then y, then x, each by ROT + TILT; then the shift; then the parent's. */
static void
test_psana_tree (void)
{
  g_autoptr (FlGeom) geom = psana ("QUAD:V1 1 MTRX:V2:10:20:100:50 0 0 0 0 90 0 0 0 0 0\n"
                                   "QUAD:V1 0 MTRX:V2:10:20:100:50 0 0 0 0 60 0 80 30 0 10\n"
                                   "D:V1 0 QUAD:V1 0 10000 0 0 0 0 0 0 0 0\r\n"
                                   "D:V1 0 QUAD:V1 1 0 0 500 0 180 0 0 0 0\n"
                                   "IP:V1 0 D:V1 0 0 0 -200000 0 0 0 0 0 0");
  /* In the order of the table's groups: QUAD 0 first. Its columns run along psana's z (x to y, y to z). */
  const FlGeomPanel *first = fl_geometry_panel (geom, 0);
  FlGeometryPlace place = fl_geometry_place (geom, first);
  assert_near (place.fs, 0, 0, -0.05);
  assert_near (place.ss, 0, -0.1, 0);
  assert_near (corner (geom, 0, 0), 0, -10 + 0.5, 200 + 0.5);
  place = fl_geometry_place (geom, fl_geometry_panel (geom, 1));
  assert_near (place.fs, -0.05, 0, 0);
  assert_near (place.ss, 0, 0.1, 0);
  assert_near (corner (geom, 1, 0), 0.5, -0.5, 199.5);
  g_assert_cmpint (fl_geometry_panel (geom, 1)->min_ss, ==, 10);
  g_assert_cmpuint (geom->rigid->len, ==, 2);
  g_assert_cmpstr (g_array_index (geom->rigid, FlGeomGroup, 0).name, ==, "q0");
  for (int form = 0; form < FL_GEOMETRY_FORMS; form++)
    {
      g_autoptr (FlGeom) back = through (geom, (FlGeometryForm) form, NULL);
      g_assert_cmpfloat (largest_move (geom, back), <, 1e-6);
    }
}

/* psana's own geometry of the Jungfrau 4M: middles of the segments by its drawing (µm, x right, y up as the drawing has them). */
static void
test_psana_jungfrau (void)
{
  static const double middles[2][2] = { { -56807.1, 44005.5 }, { 66941.7, 33921.7 } };
  g_autoptr (FlGeom) geom = psana ("JFCAMERA:V1 0 JUNGFRAU:V2 0 -56807.1 44005.5 0 90 180 0 0.0 0.0 0.0\n"
                                   "JFCAMERA:V1 0 JUNGFRAU:V2 1 66941.7 33921.7 0 90 180 0 0.0 0.0 0.0\n"
                                   "IP:V1 0 JFCAMERA:V1 0 0 0 100000 90 0 0 0.0 0.0 0.0\n");
  g_assert_cmpuint (geom->panels->len, ==, 16);
  for (int s = 0; s < 2; s++)
    {
      FlVec3 low = corner (geom, (guint) s * 8, 0), high = corner (geom, (guint) s * 8 + 7, 3);
      FlVec3 middle = fl_vec3_scale (fl_vec3_add (low, high), 0.5);
      /* turned by 90° about z: (x, y) → (−y, x); ours (−y, −x) of that */
      assert_near (middle, -middles[s][0] * 1e-3, middles[s][1] * 1e-3, 100);
      g_assert_cmpfloat (fabs (fl_vec3_norm (fl_vec3_sub (high, low)) - 0.075 * hypot (1030, 514)), <, 1e-9);
    }
  /* Neighbours have two pixels between them. */
  FlVec3 gap = fl_vec3_sub (corner (geom, 1, 0), corner (geom, 0, 1));
  g_assert_cmpfloat (fabs (fl_vec3_norm (gap) - 0.15), <, 1e-9);
  g_autofree char *table = text_of (geom, FL_GEOMETRY_PSANA);
  g_assert_nonnull (strstr (table, "JUNGFRAU:V2"));
  g_autoptr (FlGeom) back = through (geom, FL_GEOMETRY_PSANA, NULL);
  g_assert_cmpfloat (largest_move (geom, back), <, 1e-6);
}

/* A camera whose zero is behind the detector: clen is negative, coffset more than makes up for it. */
static void
test_psana_behind (void)
{
  static const char text[] =
      "clen = -0.461\nres = 10000\nadu_per_photon = 1\ncoffset = 0.572\np/min_fs = 0\np/max_fs = 9\n"
      "p/min_ss = 0\np/max_ss = 4\np/fs = x\np/ss = y\np/corner_x = -5\np/corner_y = 2\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("t.geom", text, strlen (text), &error);
  g_assert_no_error (error);
  g_autoptr (FlGeom) back = through (geom, FL_GEOMETRY_PSANA, NULL);
  g_assert_cmpfloat (largest_move (geom, back), <, 1e-6);
}

/* Six ASICs whose edge pixels are 425 µm apart. */
static void
test_psana_epixuhr (void)
{
  g_autoptr (FlGeom) geom = psana ("IP 0 EPIXUHR3X2:V1 0 0 0 -100000 90 0 0 0 0 0\n");
  g_assert_cmpuint (geom->panels->len, ==, 6);
  g_assert_cmpfloat_with_epsilon (fl_vec3_norm (fl_vec3_sub (corner (geom, 0, 0), corner (geom, 1, 0))),
                                  19.525, 1e-9);
  g_assert_cmpfloat_with_epsilon (fl_vec3_norm (fl_vec3_sub (corner (geom, 0, 0), corner (geom, 3, 0))),
                                  17.125, 1e-9);
}

static void
test_psana_bad (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "", "t.data:0: no object, expected a psana geometry" },
    { "# only\n", "t.data:1: no object" },
    { "IP 0 SENS2X1:V1 0 1 2 3 4 5 6 7 8\n", "t.data:1: 12 words, expected 13" },
    { "IP 0 SENS2X1:V1 0 1 2 3 4 5 6 7 8 9 10 11\n", "t.data:1: more than 13 words" },
    { "\nIP 0 SENS2X1:V1 x 1 2 3 4 5 6 7 8 9\n", "t.data:2: index 'x', expected a number from 0" },
    { "IP 0 SENS2X1:V1 0 1 2 3 4 5 6 7 8 nan\n", "t.data:1: TILT_X is 'nan', expected a number" },
    { "IP 0 SENS2X1:V1 0 1 2 3 4 5 6 7 1e12 0\n", "t.data:1: TILT_Y is '1e12', expected a number" },
    { "IP 0 BOX:V1 0 0 0 0 0 0 0 0 0 0\n", "t.data:1: BOX:V1 0 is no segment known here" },
    { "A:V1 0 B:V1 0 0 0 0 0 0 0 0 0 0\nB:V1 0 A:V1 0 0 0 0 0 0 0 0 0 0\n",
      "t.data:1: the objects are each other's parents" },
    { "IP 0 MTRX:V2:0:5:1:1 0 0 0 0 0 0 0 0 0 0\n", "t.data:1: MTRX:V2:0:5:1:1 0 is no segment" },
    { "IP 0 MTRX:V2:60000:60000:1:1 0 0 0 0 0 0 0 0 0 0\n", "t.data:1: more than 2^30 pixels" },
    { "IP 0 MTRX:V2:5:5:1:1 0 0 0 0 0 0 0 0 0 0\nIP 0 MTRX:V2:6:5:1:1 0 0 0 0 0 0 0 0 0 0\n",
      "t.data:2: MTRX:V2:6:5:1:1 is of another shape" },
    { "D 0 Q 0 0 0 0 0 0 0 0 0 0\nD 0 Q 0 0 0 0 0 0 0 0 0 0\n", "t.data:2: object Q 0 is on line 1, too" },
    { "IP 0 Q 0 0 0 0 0 0 0 0 0 0\nQ 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0\nA 0 B 0 0 0 0 0 0 0 0 0 0\nB 0 A 0 0 "
      "0 0 0 0 0 0 0 0\n"
      "B 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0\n",
      "t.data:1: 1 of 2 segments hang from" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FlGeom) geom =
          fl_geometry_read_psana ("t.data", cases[i].text, strlen (cases[i].text), &error);
      g_assert_null (geom);
      g_assert_nonnull (error);
      if (!g_str_has_prefix (error->message, cases[i].message))
        g_error ("'%s', expected '%s'", error->message, cases[i].message);
    }
}

/* --- what CrystFEL's form tells and others do not --- */

static void
test_crystfel_whole (void)
{
  static const char text[] =
      "; a comment\nphoton_energy = 9000 eV\nbandwidth = 0.01\nclen = /det/z m\ndetector_shift_x = 2 mm\n"
      "res = 10000\nadu_per_photon = 2\nmax_adu = 500\nflag_equal = 7\nflag_equal = 9\n"
      "mask0_data = /mask\nmask0_file = m.h5\nmask0_badbits = 0xffff\nmask_edge_pixels = 1\ndata = /a/%\n"
      "dim0 = %\ndim1 = 3\ndim2 = ss\ndim3 = fs\n"
      "a/min_fs = 0\na/max_fs = 9\na/min_ss = 0\na/max_ss = 4\na/corner_x = -5\na/corner_y = -2.5\n"
      "a/fs = x\na/ss = y +0.1z\na/coffset = 0.001\n"
      "b/min_fs = 0\nb/max_fs = 9\nb/min_ss = 5\nb/max_ss = 9\nb/corner_x = -5\nb/corner_y = 2.5\n"
      "b/fs = x\nb/ss = y\nb/no_index = 1\nb/adu_per_photon = 3\nb/dim1 = 4\n"
      "rigid_group_r = a,b\nrigid_group_collection_c = r\ngroup_g = a,b\ngroup_h = g\n"
      "bad1/min_x = 0\nbad1/max_x = 1\nbad1/min_y = 0\nbad1/max_y = 1\n"
      "bad2/panel = a\nbad2/min_fs = 0\nbad2/max_fs = 1\nbad2/min_ss = 2\nbad2/max_ss = 3\n";
  static const char *const kept[] = {
    "; a comment\n",          "clen = /det/z m\n",      "detector_shift_x = 2 mm\n",
    "flag_equal = 7\n",       "flag_equal = 9\n",       "mask0_file = m.h5\n",
    "mask_edge_pixels = 1\n", "a/coffset = 0.001\n",    "a/ss = +0x +1y +0.1z\n",
    "b/no_index = 1\n",       "b/adu_per_photon = 3\n", "a/adu_per_photon = 2\n",
    "b/dim1 = 4\n",           "rigid_group_r = a,b\n",  "rigid_group_collection_c = r\n",
    "group_h = g\n",          "bad1/max_x = 1\n",       "bad2/panel = a\n",
    "bandwidth = 0.01\n",     "max_adu = 500\n"
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("t.geom", text, strlen (text), &error);
  g_assert_no_error (error);
  g_autofree char *first = fl_geometry_write_crystfel (geom, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (strstr (first, kept[i]) == NULL)
      g_error ("'%s' is not in %s", kept[i], first);
  g_autoptr (FlGeom) again = fl_geom_parse ("u.geom", first, strlen (first), &error);
  g_assert_no_error (error);
  g_autofree char *second = fl_geometry_write_crystfel (again, NULL, NULL);
  assert_same_text (first, second);
  /* What is lost is said. */
  for (int form = FL_GEOMETRY_IMGCIF; form < FL_GEOMETRY_FORMS; form++)
    {
      g_autoptr (GPtrArray) losses = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GString) all = g_string_new ("");
      g_autofree char *path = place_for ("lost");
      write_geometry (geom, (FlGeometryForm) form, path, losses);
      for (guint i = 0; i < losses->len; i++)
        g_string_append_printf (all, "%s\n", (char *) losses->pdata[i]);
      g_assert_nonnull (strstr (all->str, "camera length"));
      g_assert_nonnull (strstr (all->str, "mask"));
      g_assert_nonnull (strstr (all->str, "flag_"));
      g_assert_nonnull (strstr (all->str, "bandwidth"));
    }
}

/* Names that one form has and another does not understand. */
static void
test_names (void)
{
  g_autoptr (FlGeom) geom =
      psana ("IP 0 MTRX:V2:5:5:75:75 0 0 0 0 0 0 0 0 0 0\nIP 0 MTRX:V2:5:5:75:75 1 500 0 0 0 0 0 0 0 0\n");
  g_free (g_array_index (geom->panels, FlGeomPanel, 0).name);
  g_free (g_array_index (geom->panels, FlGeomPanel, 1).name);
  g_array_index (geom->panels, FlGeomPanel, 0).name = g_strdup ("bad one/two;=");
  g_array_index (geom->panels, FlGeomPanel, 1).name = g_strdup ("bad one/two;=");
  for (int form = 0; form < FL_GEOMETRY_NXMX; form++)
    {
      g_autoptr (FlGeom) back = through (geom, (FlGeometryForm) form, NULL);
      g_assert_cmpfloat (largest_move (geom, back), <, 1e-6);
      g_assert_cmpstr (fl_geometry_panel (back, 0)->name, !=, fl_geometry_panel (back, 1)->name);
    }
}

/* --- DIALS --- */

/* Groups in groups, each in the frame of the one that holds it: a quadrant turned by 90° about z and set off, a sensor moved in
 * it; a beam that runs along x of its laboratory. */
#define EXPT(beam, more)                                                                                     \
  "{\"__id__\": \"ExperimentList\", \"experiment\": [{\"__id__\": \"Experiment\", \"beam\": 0, "             \
  "\"detector\": 0}],\n\"beam\": [{\"direction\": " beam ", \"wavelength\": 1.25}],\n\"detector\": [{"       \
  "\"panels\": [" more
#define EXPT_PANEL(origin)                                                                                   \
  "{\"name\": \"s 1\", \"fast_axis\": [1, 0, 0], \"slow_axis\": [0, -1, 0], \"origin\": " origin             \
  ", \"pixel_size\": [0.1, 0.1], \"image_size\": [4, 3], \"trusted_range\": [-2, 1000], \"gain\": 2.5, "     \
  "\"mask\": [[1, 0, 3, 2]]}"
#define EXPT_TREE                                                                                            \
  "\"hierarchy\": {\"fast_axis\": [1, 0, 0], \"slow_axis\": [0, 1, 0], \"origin\": [0, 0, -100], "           \
  "\"children\": ["                                                                                          \
  "{\"name\": \"q0\", \"fast_axis\": [0, 1, 0], \"slow_axis\": [-1, 0, 0], \"origin\": [5, 0, 0], "          \
  "\"children\": [{\"panel\": 1}, {\"panel\": 0}]}, {\"panel\": 2}]}}]}"

static FlGeom *
expt (const char *text)
{
  g_autofree char *path = place_for ("a.expt");
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_true (fl_geometry_stands_alone (path));
  return read_geometry (path, FL_GEOMETRY_DIALS);
}

static void
test_dials (void)
{
  g_autoptr (FlGeom) geom =
      expt (EXPT ("[0, 0, 1]", EXPT_PANEL ("[1, 2, 0]") ", " EXPT_PANEL ("[0, 0, 0]") ", " EXPT_PANEL (
                                   "[0, 0, 3]") "], " EXPT_TREE));
  g_assert_cmpuint (geom->panels->len, ==, 3);
  const FlGeometryPlace first = fl_geometry_place (geom, fl_geometry_panel (geom, 0)),
                        last = fl_geometry_place (geom, fl_geometry_panel (geom, 2));
  /* (5, 0, -100) + 1 along y + 2 along -x in dxtbx' laboratory, whose x and z are the other way round. */
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (first.origin, fl_vec3 (-3, 1, 100))), <, 1e-9);
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (first.fs, fl_vec3 (0, 0.1, 0))), <, 1e-12);
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (first.ss, fl_vec3 (-0.1, 0, 0))), <, 1e-12);
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (last.origin, fl_vec3 (0, 0, 97))), <, 1e-9);
  g_assert_cmpfloat_with_epsilon (fl_geometry_wavelength (geom), 1.25, 1e-9);
  const FlGeomPanel *panel = fl_geometry_panel (geom, 1);
  g_assert_cmpstr (panel->name, !=, fl_geometry_panel (geom, 0)->name);
  g_assert_cmpint (panel->min_ss, ==, 3); /* each at offset 0: one upon the other */
  g_assert_cmpfloat (panel->adu_per_photon, ==, 2.5);
  g_assert_cmpfloat (panel->flags[0].value, ==, -2);
  g_assert_cmpfloat (panel->flags[1].value, ==, 1000);
  g_assert_cmpuint (geom->rigid->len, ==, 1);
  g_assert_cmpuint (g_strv_length (g_array_index (geom->rigid, FlGeomGroup, 0).members), ==, 2);
  g_assert_cmpuint (geom->bad->len, ==, 3);
  const FlGeomBad *bad = &g_array_index (geom->bad, FlGeomBad, 1);
  g_assert_cmpstr (bad->panel, ==, panel->name);
  g_assert_cmpfloat (bad->max_fs, ==, 2);
  g_assert_cmpfloat (bad->max_ss, ==, 4);
  g_autoptr (FlGeom) back = through (geom, FL_GEOMETRY_DIALS, NULL);
  g_assert_cmpfloat (largest_move (geom, back), <, 1e-9);
  g_assert_cmpuint (back->bad->len, ==, 3);
  g_assert_cmpuint (back->rigid->len, ==, 1);
  g_autoptr (FlGeom) turned = expt (EXPT ("[-1, 0, 0]", EXPT_PANEL ("[200, 0, 0]") "]}]}"));
  g_assert_cmpfloat_with_epsilon (fl_geometry_place (turned, fl_geometry_panel (turned, 0)).origin.z, 200,
                                  1e-9);
}

static void
test_dials_bad (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { EXPT ("[0, 0, 0]", "]}]}"), ": the beam has no direction, expected an experiment list of DIALS" },
    { "{\"__id__\": \"ExperimentList\"}", ": no detector, expected an experiment list of DIALS" },
    { EXPT ("[0, 0, 1]", "]}]}"),
      ": the detector's panels or groups are damaged, expected an experiment list of DIALS" },
    { EXPT ("[0, 0, 1]", EXPT_PANEL ("[1, 2]") "]}]}"),
      ": the detector's panels or groups are damaged, expected an experiment list of DIALS" },
    /* A panel that no group holds, and one that two hold. */
    { EXPT ("[0, 0, 1]", EXPT_PANEL ("[1, 2, 0]") "], \"hierarchy\": {\"children\": []}}]}"),
      ": the detector's panels or groups are damaged, expected an experiment list of DIALS" },
    { EXPT ("[0, 0, 1]",
            EXPT_PANEL ("[1, 2, 0]") "], \"hierarchy\": {\"children\": [{\"panel\": 0}, {\"panel\": 0}]}}]}"),
      ": the detector's panels or groups are damaged, expected an experiment list of DIALS" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *path = place_for ("bad.expt");
      g_autofree char *message = g_strconcat (path, cases[i].message, NULL);
      g_assert_true (g_file_set_contents (path, cases[i].text, -1, NULL));
      g_assert_null (fl_geometry_read (path, NULL, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      g_assert_cmpstr (error->message, ==, message);
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_geometry_read_dials ("cut.expt", "{\n", 2, &error));
  g_assert_true (g_str_has_prefix (error->message, "cut.expt:2: ")
                 && g_str_has_suffix (error->message, ", expected JSON"));
  g_clear_error (&error);
  g_assert_null (fl_geometry_read_dials ("odd.expt", "{\"a\\\n\": 1}", 10, &error)); /* still one line */
  g_assert_cmpstr (error->message, ==, "odd.expt:2: invalid escape near '\"a\\ ', expected JSON");
}

/* Spectra of three frames, the first of which has none: the geometry's energy is the second's mean; without any it has none. */
static void
test_spectra (void)
{
  static const char text[] =
      "clen = 0.1\nres = 10000\nadu_per_photon = 1\np/min_fs = 0\np/max_fs = 9\np/min_ss = 0\n"
      "p/max_ss = 7\np/corner_x = -5\np/corner_y = -4\np/fs = x\np/ss = y\n";
  const double lambda[2] = { 1.0, 2.0 };
  double weights[3][2] = { { 0, 0 }, { 1, 1 }, { 0, 1 } };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geom_parse ("t.geom", text, strlen (text), &error);
  g_assert_no_error (error);
  for (gboolean known = TRUE; known >= FALSE; known--)
    {
      g_autofree char *path = place_for (known ? "spectra.nxs" : "none.nxs");
      write_geometry (geom, FL_GEOMETRY_NXMX, path, NULL);
      hid_t file = H5Fopen (path, H5F_ACC_RDWR, H5P_DEFAULT),
            line = H5Screate_simple (1, (const hsize_t[]){ 2 }, NULL),
            table = H5Screate_simple (2, (const hsize_t[]){ 3, 2 }, NULL);
      hid_t l = H5Dcreate2 (file, "/entry/instrument/beam/incident_wavelength", H5T_IEEE_F64LE, line,
                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
            w = H5Dcreate2 (file, "/entry/instrument/beam/incident_wavelength_weights", H5T_IEEE_F64LE, table,
                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      if (!known)
        memset (weights, 0, sizeof weights);
      H5Dwrite (l, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, lambda);
      H5Dwrite (w, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, weights);
      H5Dclose (l);
      H5Dclose (w);
      H5Sclose (line);
      H5Sclose (table);
      H5Fclose (file);
      g_autoptr (FlGeom) back = read_geometry (path, FL_GEOMETRY_NXMX);
      g_assert_cmpfloat_with_epsilon (fl_geometry_wavelength (back), known ? 1.5 : 0, 1e-9);
      g_autoptr (FlGeom) crystfel = through (back, FL_GEOMETRY_CRYSTFEL, NULL);
      g_assert_cmpfloat_with_epsilon (fl_geometry_wavelength (crystfel), known ? 1.5 : 0, 1e-9);
    }
}

/* A geometry is known by what it holds; a stream that holds one is none. */
static void
test_known (void)
{
#define PLAIN "; c\n\n# d\nclen = 0.1\np/min_fs = 0\np/corner_x = 1\n"
  g_autofree char *path = place_for ("known.txt");
  g_assert_true (g_file_set_contents (path, "\xef\xbb\xbf" PLAIN, -1, NULL));
  g_assert_true (fl_geometry_stands_alone (path));
  g_assert_true (g_file_set_contents (path, "CrystFEL stream format 2.3\n" PLAIN, -1, NULL));
  g_assert_false (fl_geometry_stands_alone (path));
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("geometry-XXXXXX", &error);
  g_assert_no_error (error);
  g_test_add_func ("/geometry/psana/frame", test_psana_frame);
  g_test_add_func ("/geometry/psana/tree", test_psana_tree);
  g_test_add_func ("/geometry/psana/jungfrau", test_psana_jungfrau);
  g_test_add_func ("/geometry/psana/epixuhr", test_psana_epixuhr);
  g_test_add_func ("/geometry/psana/behind", test_psana_behind);
  g_test_add_func ("/geometry/psana/bad", test_psana_bad);
  g_test_add_func ("/geometry/crystfel", test_crystfel_whole);
  g_test_add_func ("/geometry/names", test_names);
  g_test_add_func ("/geometry/dials", test_dials);
  g_test_add_func ("/geometry/spectra", test_spectra);
  g_test_add_func ("/geometry/dials/bad", test_dials_bad);
  g_test_add_func ("/geometry/known", test_known);
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
