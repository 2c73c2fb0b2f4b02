/* Prediction: the walk against the enumeration of all indices, another program's positions, and its cost. */
#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/prediction.h"
#include "tests/sfx/sets.h"

static FlDetector *
make_detector (void)
{
  FlDetector *detector = fl_detector_new (3, 0);
  for (guint i = 0; i < 3; i++)
    {
      FlPanel *panel = &detector->panels[i];
      panel->n_fs = 800;
      panel->n_ss = 1600;
      panel->origin = fl_vec3 (i == 0 ? -82 : 2, -80, 100);
      panel->fs = fl_vec3 (0.1, 0, i == 0 ? 0.03 : 0);
      panel->ss = fl_vec3 (0, 0.1, 0.003);
    }
  /* One that stands beside the beam and looks at 2θ of 60–120°. */
  detector->panels[2].origin = fl_vec3 (70, -40, -30);
  detector->panels[2].fs = fl_vec3 (0, 0.1, 0);
  detector->panels[2].ss = fl_vec3 (0, 0, 0.05);
  return detector;
}

static FlMat3
turned (const FlMat3 *star, FlRandom *random)
{
  FlVec3 axis = fl_vec3 (fl_random_normal (random), fl_random_normal (random), fl_random_normal (random));
  FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (axis), 6 * fl_random_unit (random));
  return fl_mat3_multiply (star, &rotation);
}

static gboolean
allowed (char centring, int h, int k, int l)
{
  switch (centring)
    {
    case 'A':
      return (k + l) % 2 == 0;
    case 'B':
      return (h + l) % 2 == 0;
    case 'C':
      return (h + k) % 2 == 0;
    case 'I':
      return (h + k + l) % 2 == 0;
    case 'F':
      return (h & 1) == (k & 1) && (k & 1) == (l & 1);
    case 'R':
      return (-h + k + l) % 3 == 0;
    default:
      return TRUE;
    }
}

/* Every index within the sphere of resolution, one by one. */
static GArray *
enumerate (const FlShotGeometry *geometry, const FlMat3 *star, char centring, const FlMosaic *mosaic,
           double d_min)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  FlCell cell = fl_lattice_cell (star);
  int most[3] = { (int) ceil (cell.a / d_min), (int) ceil (cell.b / d_min), (int) ceil (cell.c / d_min) };
  FlMat3 transposed = fl_mat3_transpose (star);
  for (int h = -most[0]; h <= most[0]; h++)
    for (int k = -most[1]; k <= most[1]; k++)
      for (int l = -most[2]; l <= most[2]; l++)
        {
          FlVec3 q = fl_mat3_apply (&transposed, fl_vec3 (h, k, l));
          double length = fl_vec3_norm (q), fs, ss, inverse = 1 / geometry->wavelength;
          FlVec3 s1 = fl_vec3 (q.x, q.y, q.z + inverse);
          double excitation = fl_vec3_norm (s1) - inverse;
          guint panel;
          if ((h == 0 && k == 0 && l == 0) || !allowed (centring, h, k, l) || length > 1 / d_min
              || fabs (excitation)
                     > (mosaic->widths > 0 ? mosaic->widths : 1) * fl_mosaic_half_width (mosaic, length)
              || !fl_detector_intersect (geometry->detector, s1, &panel, &fs, &ss))
            continue;
          FlReflectionRow row = {
            .h = (gint16) h, .k = (gint16) k, .l = (gint16) l, .panel = (guint16) panel
          };
          row.sigma = -1;
          row.fs = (float) fs;
          row.ss = (float) ss;
          row.excitation = (float) excitation;
          row.partiality = (float) fl_mosaic_partiality (mosaic, length, excitation);
          row.d = (float) (1 / length);
          g_array_append_val (rows, row);
        }
  return rows;
}

static void
assert_same (const GArray *a, const GArray *b)
{
  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    {
      const FlReflectionRow *x = &g_array_index (a, FlReflectionRow, i),
                            *y = &g_array_index (b, FlReflectionRow, i);
      g_assert_true (x->h == y->h && x->k == y->k && x->l == y->l && x->panel == y->panel);
      g_assert_cmpfloat (fabsf (x->fs - y->fs), <, 1e-3);
      g_assert_cmpfloat (fabsf (x->ss - y->ss), <, 1e-3);
      g_assert_cmpfloat (fabsf (x->excitation - y->excitation), <, 1e-9);
      g_assert_cmpfloat (fabsf (x->partiality - y->partiality), <, 1e-4);
      g_assert_cmpfloat (fabsf (x->d / y->d - 1), <, 1e-6);
      g_assert_true (x->sigma == -1 && x->intensity == 0 && x->flags == 0);
    }
}

static void
test_enumeration (void)
{
  const struct
  {
    double cell[6];
    char centring;
    double d_min, wavelength;
    FlMosaic mosaic;
  } cases[] = {
    { { 79.1, 79.1, 37.9, 90, 90, 90 }, 'P', 2, 1.3, { 3000, 5e-4, 1e-3, 0, 1.3, 2.5 } },
    { { 61, 72, 83, 81, 97, 105 }, 'P', 2.2, 1.0, { 1000, 2e-3, 0, 2e-3, 1.0, 1.5 } },
    { { 110, 62, 75, 90, 106, 90 }, 'C', 2.5, 1.3, { 2000, 1e-3, 0, 0, 0, 0 } },
    { { 110, 62, 75, 90, 106, 90 }, 'A', 2.5, 0.7, { 2000, 1e-3, 4e-3, 1e-3, 0.7, 0 } },
    { { 110, 62, 75, 90, 106, 90 }, 'B', 2.5, 2.2, { 500, 1e-3, 0, 0, 2.2, 0 } },
    { { 67, 98, 103, 90, 90, 90 }, 'I', 2.2, 1.3, { 3000, 0, 0, 0, 1.3, 0 } },
    { { 140, 140, 140, 90, 90, 90 }, 'F', 2.5, 1.3, { 5000, 1e-4, 1e-4, 0, 1.3, 0 } },
    { { 96, 96, 110, 90, 90, 120 }, 'R', 2, 1.3, { 1500, 1e-3, 0, 0, 1.3, 0 } },
    { { 20, 31, 9, 90, 90, 90 }, 'P', 0.9, 1.3, { 300, 1e-3, 0, 5e-3, 1.3, 0 } }, /* beyond 90° of 2θ */
    { { 20, 31, 9, 90, 90, 90 }, 'P', 0.5, 1.3, { 300, 1e-3, 0, 0, 1.3, 0 } },    /* beyond backscattering */
    { { 20, 31, 9, 90, 90, 90 }, 'P', 2, 4.5, { 5, 0, 0, 0, 4.5, 0 } }, /* points as wide as the sphere */
    { { 79.1, 79.1, 37.9, 90, 90, 90 }, 'P', 2, 0.1, { 2000, 0, 0, 0, 0.1, 0 } }, /* nearly flat */
  };
  g_autoptr (FlDetector) detector = make_detector ();
  g_autoptr (FlPanelFinder) finder = fl_panel_finder_new (detector);
  FlRandom random = fl_random (1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FlCell cell;
      guint found = 0;
      g_assert_true (fl_cell_from_degrees (cases[i].cell, &cell, NULL));
      FlShotGeometry geometry = { detector, finder, { 0, 0, 0 }, cases[i].wavelength };
      for (guint turn = 0; turn < 6; turn++)
        {
          FlMat3 star = fl_cell_reciprocal (&cell);
          if (turn > 0) /* first with axes along the beam */
            star = turned (&star, &random);
          g_autoptr (GArray) all =
              enumerate (&geometry, &star, cases[i].centring, &cases[i].mosaic, cases[i].d_min);
          g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
          fl_predict (&geometry, &star, cases[i].centring, &cases[i].mosaic, cases[i].d_min, rows);
          assert_same (rows, all);
          found += rows->len;
        }
      g_test_message ("case %u: %u reflections in 6 orientations", i, found);
      g_assert_cmpuint (found, >, 20);
    }
}

/* Rows are appended, and only they are sorted. */
static void
test_append (void)
{
  g_autoptr (FlDetector) detector = make_detector ();
  FlShotGeometry geometry = { detector, NULL, { 0, 0, 0 }, 1.3 };
  FlCell cell = { 79.1, 79.1, 37.9, FL_PI / 2, FL_PI / 2, FL_PI / 2 };
  FlMat3 star = fl_cell_reciprocal (&cell);
  FlRandom random = fl_random (2);
  star = turned (&star, &random);
  FlMosaic mosaic = { .domain_size = 2000, .mosaicity = 1e-3, .wavelength = 1.3 };
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  fl_predict (&geometry, &star, 'P', &mosaic, 3, rows);
  guint first = rows->len;
  g_assert_cmpuint (first, >, 10);
  fl_predict (&geometry, &star, 'P', &mosaic, 3, rows);
  g_assert_cmpuint (rows->len, ==, 2 * first);
  g_assert_true (
      memcmp (rows->data, rows->data + first * sizeof (FlReflectionRow), first * sizeof (FlReflectionRow))
      == 0);
}

/* Where the other program's reflection lies on that panel: as ours, but of the wavelength within its bandwidth of 0.2 %
 * (one sigma) that the reflection, a Gaussian of its profile radius, most probably answers to. */
static void
with_bandwidth (const FlShotGeometry *geometry, const FlMat3 *star, const FlReflectionRow *row, double radius,
                double *fs, double *ss)
{
  FlMat3 transposed = fl_mat3_transpose (star);
  FlVec3 q = fl_mat3_apply (&transposed, fl_vec3 (row->h, row->k, row->l));
  double per_change = 0.5 * geometry->wavelength * fl_vec3_dot (q, q), sigma = 0.002 * per_change;
  double change = (double) row->excitation / per_change * sigma * sigma / (sigma * sigma + radius * radius);
  FlVec3 s1 = fl_vec3 (q.x, q.y, q.z + (1 + change) / geometry->wavelength);
  const FlPanel *panel = &geometry->detector->panels[row->panel];
  FlVec3 normal = fl_vec3_cross (panel->fs, panel->ss);
  double t = fl_vec3_dot (panel->origin, normal) / fl_vec3_dot (s1, normal);
  FlVec3 place = fl_vec3_sub (fl_vec3_scale (s1, t), panel->origin);
  *fs = fl_vec3_dot (place, panel->fs) / fl_vec3_dot (panel->fs, panel->fs);
  *ss = fl_vec3_dot (place, panel->ss) / fl_vec3_dot (panel->ss, panel->ss);
}

/* What another program's stream says of its crystals, against ours with its lattices. */
typedef struct
{
  FlShotGeometry geometry;
  FlMat3 star;
  double radius; /* 1/Å, its profile radius */
  GArray *rows;  /* ours, of this crystal */
  guint row;     /* the next: both are sorted */
  guint n;
  double across, along, mean[2]; /* px */
} Comparison;

static void
compare_reflection (Comparison *c, const int hkl[3], double fs, double ss, const char *name)
{
  const FlReflectionRow *r;
  do
    {
      if (c->row >= c->rows->len)
        g_error ("%d %d %d is not predicted", hkl[0], hkl[1], hkl[2]);
      r = &g_array_index (c->rows, FlReflectionRow, c->row++);
    }
  while (r->h != hkl[0] || r->k != hkl[1] || r->l != hkl[2]);
  const FlPanel *panel = &c->geometry.detector->panels[r->panel];
  g_assert_cmpstr (panel->name, ==, name);
  ss -= 64 * (name[strlen (name) - 1] - '0'); /* eight panels a module, one above the other */
  /* Across the radius nothing depends on the wavelength. */
  FlVec3 at = fl_panel_position (panel, (double) r->fs, (double) r->ss),
         there = fl_panel_position (panel, fs, ss);
  FlVec3 off = fl_vec3_sub (there, at);
  double across = fabs (at.x * off.y - at.y * off.x) / hypot (at.x, at.y) / fl_vec3_norm (panel->fs), f, s;
  with_bandwidth (&c->geometry, &c->star, r, c->radius, &f, &s);
  c->across = MAX (c->across, across);
  c->along = MAX (c->along, MAX (fabs (f - fs), fabs (s - ss)));
  c->mean[0] += f - fs;
  c->mean[1] += s - ss;
  c->n++;
}

/* Positions are written with one decimal: at most 0.05 px off in fs and ss, and none on the average. */
static void
test_stream (void)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  g_autoptr (FlDetector) detector = detector_of_geom ("crystfel-sim/lyso-agipd1m");
  g_autoptr (FlPanelFinder) finder = fl_panel_finder_new (detector);
  g_autofree char *command = g_strdup_printf ("gzip -dc %s/crystfel-sim/A-xgandalf-fast.stream.gz",
                                              g_getenv ("FIRSTLIGHT_TEST_DATA"));
  g_autofree char *text = NULL;
  g_assert_true (g_spawn_command_line_sync (command, &text, NULL, NULL, NULL));
  const FlMosaic wide = { .domain_size = 300 };
  Comparison c = { .geometry = { detector, finder, { 0, 0, 0 }, fl_wavelength_from_energy (9300) } };
  c.rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  for (char *line = text, *next; (next = strchr (line, '\n')) != NULL; line = next + 1)
    {
      int hkl[3];
      double v[3];
      char name[16];
      *next = '\0';
      if (sscanf (line, "%*1[abc]star = %lf %lf %lf", &v[0], &v[1], &v[2]) == 3)
        for (int i = 0; i < 3; i++)
          c.star.m[line[0] - 'a'][i] = 0.1 * v[i];
      else if (sscanf (line, "profile_radius = %lf", &v[0]) == 1)
        c.radius = 0.1 * v[0];
      else if (g_str_has_prefix (line, "Reflections measured"))
        {
          g_array_set_size (c.rows, c.row = 0);
          fl_predict (&c.geometry, &c.star, 'P', &wide, 1.9, c.rows);
        }
      else if (g_str_has_prefix (line, "--- End crystal"))
        g_array_set_size (c.rows, 0);
      else if (c.rows->len > 0
               && sscanf (line, "%d %d %d %*f %*f %*f %*f %lf %lf %15s", &hkl[0], &hkl[1], &hkl[2], &v[0],
                          &v[1], name)
                      == 6)
        compare_reflection (&c, hkl, v[0], v[1], name);
    }
  g_array_free (c.rows, TRUE);
  g_test_message (
      "%u reflections: across the radius at most %.4f px off; with bandwidth in fs or ss at most %.4f, in "
      "the mean %+.5f and %+.5f px",
      c.n, c.across, c.along, c.mean[0] / c.n, c.mean[1] / c.n);
  g_assert_cmpuint (c.n, >, 50000);
  g_assert_cmpfloat (c.across, <, 0.073); /* a corner of 0.05 × 0.05, and their rounded axes */
  g_assert_cmpfloat (fabs (c.mean[0] / c.n), <, 0.002);
  g_assert_cmpfloat (fabs (c.mean[1] / c.n), <, 0.002);
  g_assert_cmpfloat (c.along, <, 0.1);
}

/* CPU time a thousand reflections, in cells of several sizes. */
static void
test_speed (void)
{
  const double axes[] = { 40, 80, 160, 320 };
  g_autoptr (FlDetector) detector = make_detector ();
  g_autoptr (FlPanelFinder) finder = fl_panel_finder_new (detector);
  FlShotGeometry geometry = { detector, finder, { 0, 0, 0 }, 1.3 };
  FlMosaic mosaic = { .domain_size = 2500, .mosaicity = 5e-4, .bandwidth = 8.5e-4, .wavelength = 1.3 };
  FlRandom random = fl_random (3);
  for (guint i = 0; i < G_N_ELEMENTS (axes); i++)
    {
      FlCell cell = { axes[i], axes[i], axes[i], FL_PI / 2, FL_PI / 2, FL_PI / 2 };
      FlMat3 star = fl_cell_reciprocal (&cell);
      double cpu = 0;
      guint found = 0;
      g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
      for (guint turn = 0; turn < 20; turn++)
        {
          FlMat3 lattice = turned (&star, &random);
          g_array_set_size (rows, 0);
          double start = cpu_seconds ();
          fl_predict (&geometry, &lattice, 'P', &mosaic, 2, rows);
          cpu += cpu_seconds () - start;
          found += rows->len;
        }
      g_test_message ("%.0f A: %u reflections a lattice, %.3f ms a lattice, %.3f ms a thousand", axes[i],
                      found / 20, 1e3 * cpu / 20, 1e6 * cpu / found);
      if (found > 20 * 100)
        g_assert_cmpfloat (1e6 * cpu / found, <, 3); /* 1 on a quiet machine */
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prediction/enumeration", test_enumeration);
  g_test_add_func ("/prediction/append", test_append);
  g_test_add_func ("/prediction/stream", test_stream);
  g_test_add_func ("/prediction/speed", test_speed);
  return g_test_run ();
}
