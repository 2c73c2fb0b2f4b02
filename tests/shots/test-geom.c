/* CrystFEL geometries: values, defaults, units, bad regions, error lines, and the files that people have. */

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geom-layout.h"
#include "tests/shots/data.h"

#define PANEL(name)                                                                                          \
  name "/min_fs = 0\n" name "/max_fs = 9\n" name "/min_ss = 0\n" name "/max_ss = 4\n" name                   \
       "/corner_x = -5\n" name "/corner_y = -2.5\n" name "/fs = x\n" name "/ss = y\n"
#define HEAD "clen = 100 mm\nphoton_energy = 9000 eV\nadu_per_photon = 2\nres = 10000\n"

static FlGeom *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  FlGeom *geom = fl_geom_parse ("t.geom", text, strlen (text), &error);
  g_assert_no_error (error);
  return geom;
}

static const FlGeomPanel *
panel_of (const FlGeom *geom, guint i)
{
  return &g_array_index (geom->panels, FlGeomPanel, i);
}

static FlDetector *
detector_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = parse (text);
  g_autoptr (FlGeomLayout) layout = fl_geom_layout_new (geom, &error);
  g_assert_no_error (error);
  return fl_geom_detector (geom, layout, geom->clen.value, geom->beam.value);
}

static guint
count_bad (const FlDetector *detector)
{
  guint n = 0;
  for (gsize i = 0; i < detector->n_pixels; i++)
    n += detector->mask[i];
  return n;
}

/* A default holds for panels named later, not for those named before. */
static void
test_defaults (void)
{
  g_autoptr (FlGeom) geom = parse ("clen = 0.1\nres = 10000 ; a comment\n\r\nadu_per_photon = 1\n" PANEL (
      "a") "adu_per_photon = 7\nmax_adu = 50\r\ndata = /other\n" PANEL ("b"));
  g_assert_cmpuint (geom->panels->len, ==, 2);
  g_assert_cmpfloat (panel_of (geom, 0)->adu_per_photon, ==, 1);
  g_assert_cmpfloat (panel_of (geom, 1)->adu_per_photon, ==, 7);
  g_assert_true (isinf (panel_of (geom, 0)->max_adu));
  g_assert_cmpfloat (panel_of (geom, 1)->max_adu, ==, 50);
  g_assert_cmpstr (panel_of (geom, 0)->data, ==, "/data/data");
  g_assert_cmpstr (panel_of (geom, 1)->data, ==, "/other");
  g_assert_cmpfloat (geom->clen.value, ==, 100);
  g_assert_cmpint (panel_of (geom, 0)->dims[0], ==, FL_GEOM_DIM_SS);
  g_assert_cmpint (panel_of (geom, 0)->dims[1], ==, FL_GEOM_DIM_FS);
}

static void
test_units (void)
{
  static const struct
  {
    const char *line;
    FlGeomBeam kind;
    double value;
    const char *path;
    double factor;
  } beams[] = { { "photon_energy = 9300", FL_GEOM_PHOTON_ENERGY, 9300, NULL, 1 },
                { "photon_energy = 9.3 keV", FL_GEOM_PHOTON_ENERGY, 9300, NULL, 1e3 },
                { "photon_energy = 9e3 eV", FL_GEOM_PHOTON_ENERGY, 9000, NULL, 1 },
                { "photon_energy = /LCLS/e", FL_GEOM_PHOTON_ENERGY, 0, "/LCLS/e", 1 },
                { "photon_energy = /LCLS/e keV", FL_GEOM_PHOTON_ENERGY, 0, "/LCLS/e", 1e3 },
                { "wavelength = 1.125e-10 m", FL_GEOM_WAVELENGTH, 1.125, NULL, 1e10 },
                { "wavelength = 1.125   A", FL_GEOM_WAVELENGTH, 1.125, NULL, 1 },
                { "electron_voltage = 300 kV", FL_GEOM_ELECTRON_VOLTAGE, 300e3, NULL, 1e3 } };
  for (gsize i = 0; i < G_N_ELEMENTS (beams); i++)
    {
      g_autofree char *text = g_strdup_printf ("clen = 0.1\nres = 1\n%s\n" PANEL ("a"), beams[i].line);
      g_autoptr (FlGeom) geom = parse (text);
      g_assert_cmpint (geom->beam_kind, ==, beams[i].kind);
      g_assert_cmpfloat_with_epsilon (geom->beam.value, beams[i].value, 1e-9);
      g_assert_cmpstr (geom->beam.path, ==, beams[i].path);
      g_assert_cmpfloat (geom->beam.factor, ==, beams[i].factor);
    }
  static const struct
  {
    const char *line;
    double value;
    double factor;
  } lengths[] = { { "clen = 0.2", 200, 1e3 },
                  { "clen = 200 mm", 200, 1 },
                  { "clen = /a/b", 0, 1 },
                  { "clen = /a/b m", 0, 1e3 } };
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *text = g_strdup_printf ("%s\nres = 1\n" PANEL ("a"), lengths[i].line);
      g_autoptr (FlGeom) geom = parse (text);
      g_assert_cmpfloat_with_epsilon (geom->clen.value, lengths[i].value, 1e-12);
      g_assert_cmpfloat (geom->clen.factor, ==, lengths[i].factor);
    }
}

static void
test_directions (void)
{
  g_autoptr (FlGeom) geom = parse ("clen = 1\nres = 1\n" PANEL ("a") PANEL (
      "b") "a/fs = +0.99x -0.01y +0.001z\na/ss = -y\nb/fs = - .5 y + x - .5y\nb/ss = 0.5z+1x");
  const double *fs = panel_of (geom, 0)->fs, *ss = panel_of (geom, 0)->ss;
  g_assert_cmpfloat (fs[0], ==, 0.99);
  g_assert_cmpfloat (fs[1], ==, -0.01);
  g_assert_cmpfloat (fs[2], ==, 0.001);
  g_assert_cmpfloat (ss[0], ==, 0);
  g_assert_cmpfloat (ss[1], ==, -1);
  g_assert_cmpfloat (panel_of (geom, 1)->fs[0], ==, 1);
  g_assert_cmpfloat (panel_of (geom, 1)->fs[1], ==, -1);
  g_assert_cmpfloat (panel_of (geom, 1)->ss[2], ==, 0.5);
}

/* x = (corner + f fs + s ss) / res, z = clen + coffset + … (CrystFEL's formula, by hand). */
static void
test_positions (void)
{
  g_autoptr (FlDetector) detector =
      detector_of (HEAD PANEL ("a") "a/coffset = 0.002\na/fs = +0.6x +0.8y +0.1z\na/ss = -0.8x +0.6y\n");
  const FlPanel *panel = &detector->panels[0];
  FlVec3 at = fl_panel_position (panel, 3.5, 2.25);
  g_assert_cmpfloat_with_epsilon (at.x, (-5 + 3.5 * 0.6 - 2.25 * 0.8) * 0.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (at.y, (-2.5 + 3.5 * 0.8 + 2.25 * 0.6) * 0.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (at.z, 102 + 3.5 * 0.1 * 0.1, 1e-12);
  g_assert_cmpfloat (panel->gain, ==, 2);
  g_assert_cmpfloat_with_epsilon (panel->pixel_size, 0.1, 1e-15);
}

/* Panels of one dataset share a slab: fixed indices before fs are spanned, those after fs part them. */
static void
test_layout (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = parse (HEAD "data = /d\ndim0 = %\ndim2 = ss\ndim3 = fs\n" PANEL ("a") PANEL (
      "b") PANEL ("c") "a/dim1 = 2\nb/dim1 = 5\nc/dim1 = 2\nc/min_ss = 5\nc/max_ss = 9\n");
  g_autoptr (FlGeomLayout) layout = fl_geom_layout_new (geom, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (layout->slabs->len, ==, 1);
  const FlGeomSlab *slab = &g_array_index (layout->slabs, FlGeomSlab, 0);
  g_assert_cmpuint (slab->low[1], ==, 2);
  g_assert_cmpuint (slab->count[1], ==, 4);
  g_assert_cmpuint (slab->count[2], ==, 10);
  g_assert_cmpuint (layout->n_pixels, ==, 4 * 10 * 10);
  g_assert_cmpuint (layout->panel_offset[0], ==, 0);
  g_assert_cmpuint (layout->panel_offset[1], ==, 300);
  g_assert_cmpuint (layout->panel_offset[2], ==, 50);
  g_autoptr (FlDetector) detector = fl_geom_detector (geom, layout, 100, 9000);
  g_assert_cmpuint (count_bad (detector), ==, 400 - 150); /* what no panel covers */

  g_autoptr (FlGeom) after =
      parse (HEAD "dim0 = ss\ndim1 = fs\n" PANEL ("a") PANEL ("b") "a/dim2 = 0\nb/dim2 = 1\n");
  g_autoptr (FlGeomLayout) two = fl_geom_layout_new (after, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (two->slabs->len, ==, 2);
  g_assert_cmpuint (two->panel_offset[1], ==, 50);
}

static void
test_bad (void)
{
  /* Panel of 10 × 5 px about the beam: pixel centres at x = −4.5 … 4.5, y = −2 … 2. */
  g_autoptr (FlDetector) lab = detector_of (HEAD PANEL (
      "a") "bad_beam/min_x = -1\nbad_beam/max_x = 1\nbad_beam/min_y = -0.5\nbad_beam/max_y = 5\n");
  g_assert_cmpuint (count_bad (lab), ==, 2 * 3);
  g_assert_cmpuint (lab->mask[2 * 10 + 4], ==, 1);
  g_autoptr (FlDetector) pixels = detector_of (HEAD PANEL ("a") PANEL (
      "b") "b/min_ss = 5\nb/max_ss = 9\n"
           "badx/panel = b\nbadx/min_fs = 8\nbadx/max_fs = 20\nbadx/min_ss = 6\nbadx/max_ss = 7\n");
  g_assert_cmpuint (count_bad (pixels), ==, 2 * 2);
  g_assert_cmpuint (pixels->mask[6 * 10 + 8], ==, 1);
  g_autoptr (FlDetector) edge = detector_of (HEAD "mask_edge_pixels = 2\n" PANEL ("a"));
  g_assert_cmpuint (count_bad (edge), ==, 50 - 6 * 1);
  g_autoptr (FlDetector) dropped =
      detector_of (HEAD PANEL ("a") PANEL ("b") "b/min_ss = 5\nb/max_ss = 9\nb/no_index = 1\n");
  g_assert_cmpuint (dropped->n_panels, ==, 1);
}

static void
test_flags (void)
{
  g_autoptr (FlDetector) detector = detector_of (
      HEAD
      "max_adu = 900\nflag_lessthan = -4\nflag_morethan = 1000\nflag_equal = 77\nflag_equal = 78\n" PANEL (
          "a"));
  const FlPanel *panel = &detector->panels[0];
  /* Strict in the file; ours include the limit. */
  g_assert_true (-4 > panel->trusted_min && -5 <= panel->trusted_min);
  g_assert_true (1000 < panel->trusted_max && 1001 >= panel->trusted_max);
  g_assert_true (900 < panel->saturation && 901 >= panel->saturation);
  g_assert_cmpuint (panel->n_bad_values, ==, 2);
  g_assert_cmpfloat (panel->bad_values[1], ==, 78);
}

static void
test_masks (void)
{
  g_autoptr (FlGeom) geom = parse (HEAD "mask = /m\nmask_file = f.h5\nmask_good = 0x10\nmask_bad = 255\n"
                                        "mask3_data = /n\nmask3_badbits = 0xffff\n" PANEL ("a"));
  const FlGeomMask *masks = panel_of (geom, 0)->masks;
  g_assert_cmpstr (masks[0].data, ==, "/m");
  g_assert_cmpstr (masks[0].file, ==, "f.h5");
  g_assert_cmpuint (masks[0].good_bits, ==, 0x10);
  g_assert_cmpuint (masks[0].bad_bits, ==, 255);
  g_assert_cmpstr (masks[3].data, ==, "/n");
  g_assert_cmpuint (masks[3].bad_bits, ==, 0xffff);
  g_assert_null (masks[1].data);
}

/* Of before 2012: camera length by panel, rigid groups, bad rows. */
static void
test_old (void)
{
  g_autoptr (FlGeom) geom =
      parse ("res = 1000\nadu_per_eV = 0.01\nrigid_group_q0 = a,b\nrigid_group_collection_q = q0\n" PANEL (
          "a") "a/clen = 0.1\na/badrow_direction = x\n" PANEL ("b") "b/clen = 0.102\n");
  g_assert_cmpfloat_with_epsilon (geom->clen.value, 100, 1e-12);
  g_assert_cmpfloat_with_epsilon (panel_of (geom, 0)->coffset, 0, 1e-15);
  g_assert_cmpfloat_with_epsilon (panel_of (geom, 1)->coffset, 0.002, 1e-15);
  g_assert_cmpuint (geom->notes->len, ==, 2);
}

static void
test_groups (void)
{
  g_autoptr (FlGeom) geom =
      parse (HEAD "group_q = a , b\ngroup_all = q,c\n" PANEL ("a") PANEL ("b") PANEL ("c"));
  g_assert_cmpuint (geom->groups->len, ==, 2);
  const FlGeomGroup *group = &g_array_index (geom->groups, FlGeomGroup, 0);
  g_assert_cmpstr (group->members[1], ==, "b");
}

/* What CrystFEL passes over, or takes for granted, is so here: said, and of no harm. */
static void
test_lenient (void)
{
  g_autoptr (FlGeom) geom =
      parse ("\xef\xbb\xbfpeak_sep = 50\n# by hand = yes\nrigid_group_q0 =\nclen = detector_distance mm\n"
             "photon_energy = 8000    #was 5000\nadu_per_photon = 2\nadu_per_eV = 0.1\nmax_adu = inf\n"
             "mask_good = 1.0\nno_index = 0.0\nflag_morethan = -inf\ncoffset = 0.5 m\n" PANEL (
                 "a") "a/res = 5000\xc2\xa0\na / corner_x = 3\na/max_fs = 9.7\na/peak_sep = 1\na/fs = "
                      "1.0e-05x +1y\na/ss = x\n"
                      "a/dim1 = fs\nlast = 1");
  const FlGeomPanel *a = panel_of (geom, 0);
  g_assert_cmpuint (geom->panels->len, ==, 1);
  g_assert_cmpstr (geom->clen.path, ==, "detector_distance");
  g_assert_cmpfloat (geom->beam.value, ==, 8000);
  g_assert_true (isnan (a->adu_per_photon)); /* the later of the two holds */
  g_assert_cmpfloat (a->adu_per_ev, ==, 0.1);
  g_assert_true (isinf (a->max_adu));
  g_assert_cmpuint (a->masks[0].good_bits, ==, 1);
  g_assert_true (isinf (a->flags[0].value));
  g_assert_cmpfloat (a->coffset, ==, 0.5);
  g_assert_cmpfloat (a->res, ==, 5000);
  g_assert_cmpfloat (a->corner_x, ==, 3);
  g_assert_cmpint (a->max_fs, ==, 9);
  g_assert_cmpfloat (a->fs[0], ==, 1e-5);
  g_assert_cmpint (a->dims[0], ==, FL_GEOM_DIM_SS);
  static const char *const notes[] = {
    "line 1: 'peak_sep' is not known and passed over",
    "line 2: '#' is taken for ';', CrystFEL knows it not",
    "line 5: photon_energy is '8000    #was 5000': what stands behind the number is passed over",
    "line 9: mask_good is '1.0': what stands behind the number is passed over",
    "line 12: coffset is '0.5 m': what stands behind the number is passed over",
    "line 23: max_fs is '9.7': what stands behind the number is passed over",
    "line 28: 'last' is not known and passed over"
  };
  g_assert_cmpuint (geom->notes->len, ==, G_N_ELEMENTS (notes));
  for (gsize i = 0; i < G_N_ELEMENTS (notes); i++)
    g_assert_cmpstr (geom->notes->pdata[i], ==, notes[i]);
}

/* A region in fs and ss that names no panel lies on all that the data array has there. */
static void
test_bad_everywhere (void)
{
#define EVERYWHERE "bad_v/min_fs = 8\nbad_v/max_fs = 40\nbad_v/min_ss = 2\nbad_v/max_ss = 5\n"
  g_autoptr (FlDetector) one = detector_of (HEAD PANEL ("a") EVERYWHERE);
  g_assert_cmpuint (count_bad (one), ==, 2 * 3);
  g_autoptr (FlGeom) geom = parse (
      HEAD EVERYWHERE PANEL ("a") PANEL ("b") "b/min_ss = 5\nb/max_ss = 9\n" PANEL ("c") "c/min_ss = 6\n"
                                                                                         "c/max_ss = 9\n");
  g_assert_cmpuint (geom->bad->len, ==, 2);
  const FlGeomBad *second = &g_array_index (geom->bad, FlGeomBad, 1);
  g_assert_cmpstr (second->name, ==, "bad_v_b");
  g_assert_cmpstr (second->panel, ==, "b");
  g_assert_cmpfloat (second->max_fs, ==, 9);
  g_assert_cmpfloat (second->min_ss, ==, 5);
  g_assert_cmpuint (geom->notes->len, ==, 1);
}

static void
test_errors (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "clen 0.1\n", "t.geom:1: 'clen 0.1' has no '=', expected `key = value`" },
    { "clen = 0.1\nres =\n", "t.geom:2: 'res' has no value" },
    { "; c\nclen = 1,5\n",
      "t.geom:2: clen is '1,5', expected a number or the path of a dataset, and a unit" },
    { "res = 1,5\n", "t.geom:1: res is '1,5', expected a number" },
    { "maskfile = m.h5\n",
      "t.geom:1: maskfile is 'm.h5', expected mask, mask_file, mask_good or mask_bad, or "
      "maskN_data, _file, _goodbits or _badbits as its name" },
    { "clen = 1 km\n", "t.geom:1: clen is '1 km', expected a unit known for this value" },
    { "wavelength = 1.3\n", "t.geom:1: wavelength is '1.3', expected a unit after the value" },
    { "rez = 1\n" PANEL ("a"), "t.geom:2: panel a has no res (line 1: 'rez' is not known and passed over)" },
    { "a/fs = 1.0\n", "t.geom:1: fs is '1.0', expected a sum of terms such as +0.99x -0.01y" },
    { "a/fs = 1.0x 0.5y\n", "t.geom:1: fs is '1.0x 0.5y', expected a sum of terms such as +0.99x -0.01y" },
    { "a/min_fs = 1e300\n", "t.geom:1: min_fs is '1e300', expected a whole number" },
    { "dim16 = ss\n", "t.geom:1: dim16 is 'ss', expected a dimension from dim0 to dim15" },
    { "dim0 = -1\n", "t.geom:1: dim0 is '-1', expected ss, fs, % or an index from 0" },
    { "mask0_badbits = x\n", "t.geom:1: mask0_badbits is 'x', expected bits, such as 0xffff" },
    { "mask9_data = /x\n", "t.geom:1: mask9_data is '/x', expected a mask number from 0 to 7" },
    { "clen = 1\n", "t.geom: no panel, expected a CrystFEL geometry" },
    { HEAD PANEL ("a") "res = 2\n", "t.geom:13: a default that no panel below takes up" },
    { "clen = 1\n" PANEL ("a"), "t.geom:2: panel a has no res" },
    { HEAD PANEL ("a") "a/max_fs = -1\n",
      "t.geom:5: panel a spans fs 0 to -1 and ss 0 to 4, expected 0 ≤ min ≤ max" },
    { HEAD PANEL ("a") "a/ss = -2x\n", "t.geom:5: panel a has fs and ss along one line, expected a plane" },
    { HEAD PANEL ("a") "a/corner_y = -1e308\n",
      "t.geom:5: panel a reaches inf mm far, expected a detector's size and place" },
    { HEAD PANEL ("a") "a/fs = 1e200x\n",
      "t.geom:5: panel a reaches inf mm far, expected a detector's size and place" },
    { HEAD "dim0 = fs\ndim1 = ss\n" PANEL ("a"),
      "t.geom:7: panel a has dimension fs before ss, expected ss first" },
    { HEAD "dim0 = ss\ndim3 = fs\n" PANEL ("a"), "t.geom:7: panel a has no dim2 below dim3" },
    { HEAD "dim0 = ss\ndim1 = 0\n" PANEL ("a"), "t.geom:7: panel a has 1 dimensions ss and 0 fs (dim0 is ss, "
                                                "dim1 fs where not said), expected one of each" },
    { HEAD PANEL ("a") "badq/min_x = 1\nbadq/panel = a\n",
      "t.geom:13: bad region badq mixes x/y with fs/ss, expected one of the two" },
    { HEAD PANEL ("a") "badq/min_x = 1\n",
      "t.geom:13: bad region badq lacks a limit, expected min and max of x and y" },
    { HEAD PANEL ("a") "badq/min_fs = 1\n",
      "t.geom:13: bad region badq lacks a limit, expected min and max of fs and ss" },
    { HEAD PANEL ("a") "badq/panel = c\n", "t.geom:13: bad region badq is on panel c, which does not exist" },
    { HEAD "group_q = a,z\n" PANEL ("a"),
      "t.geom: group q holds 'z', which is neither a panel nor a group before it" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FlGeom) geom = fl_geom_parse ("t.geom", cases[i].text, strlen (cases[i].text), &error);
      g_assert_null (geom);
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_geom_read ("/nowhere/x.geom", &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
}

/* An enormous panel is an error, not a request for memory. */
static void
test_enormous (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = parse (HEAD PANEL ("a") "a/max_fs = 999999999\na/max_ss = 999999999\n");
  g_assert_null (fl_geom_layout_new (geom, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
}

/* Panels as in the file: counted by a search for the text. */
static void
test_real (void)
{
  static const struct
  {
    const char *name;
    guint n_panels, n_fs, n_ss;
  } files[] = { { "geom/agipd_mar18_v11.geom", 128, 128, 64 },
                { "geom/cspad-cxib2313-v9.geom", 64, 194, 185 },
                { "geom/cxi_jungfrau4M.geom", 64, 194, 185 },
                { "geom/mfx_epix10k2M.geom", 64, 192, 176 },
                { "crystfel/geom/cspad-cxiformat.geom", 64, 194, 185 },
                { "crystfel/geom/jf-swissfel-16M.geom", 32, 1030, 514 },
                { "crystfel/geom/simple.geom", 2, 1024, 512 } };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *path = test_data (files[i].name);
      if (path == NULL)
        return;
      g_autoptr (FlGeom) geom = fl_geom_read (path, &error);
      g_assert_no_error (error);
      g_autoptr (FlGeomLayout) layout = fl_geom_layout_new (geom, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (layout->slabs->len, ==, 1);
      g_autoptr (FlDetector) detector = fl_geom_detector (geom, layout, 100, 9000);
      g_assert_cmpuint (detector->n_panels, ==, files[i].n_panels);
      for (guint p = 0; p < detector->n_panels; p++)
        {
          g_assert_cmpuint (detector->panels[p].n_fs, ==, files[i].n_fs);
          g_assert_cmpuint (detector->panels[p].n_ss, ==, files[i].n_ss);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/geom/defaults", test_defaults);
  g_test_add_func ("/geom/units", test_units);
  g_test_add_func ("/geom/directions", test_directions);
  g_test_add_func ("/geom/positions", test_positions);
  g_test_add_func ("/geom/layout", test_layout);
  g_test_add_func ("/geom/bad", test_bad);
  g_test_add_func ("/geom/flags", test_flags);
  g_test_add_func ("/geom/masks", test_masks);
  g_test_add_func ("/geom/old", test_old);
  g_test_add_func ("/geom/groups", test_groups);
  g_test_add_func ("/geom/lenient", test_lenient);
  g_test_add_func ("/geom/bad-everywhere", test_bad_everywhere);
  g_test_add_func ("/geom/errors", test_errors);
  g_test_add_func ("/geom/enormous", test_enormous);
  g_test_add_func ("/geom/real", test_real);
  return g_test_run ();
}
