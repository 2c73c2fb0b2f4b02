/* Refinement: derivatives by finite differences, made-up lattices of every type, few spots, and the simulated sets. */
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/prediction.h"
#include "engine/sfx/refinement-model.h"
#include "engine/sfx/refinement.h"
#include "tests/sfx/sets.h"

#define WAVELENGTH 1.3

/* One cell of each lattice type, in the type's usual centrings. */
static const struct
{
  FlLatticeType type;
  char centring;
  double cell[6];
} lattices[] = {
  { FL_LATTICE_TRICLINIC, 'P', { 61, 72, 83, 81, 97, 105 } },
  { FL_LATTICE_MONOCLINIC, 'C', { 110, 62, 75, 90, 106, 90 } },
  { FL_LATTICE_ORTHORHOMBIC, 'I', { 67, 98, 103, 90, 90, 90 } },
  { FL_LATTICE_TETRAGONAL, 'P', { 79.1, 79.1, 37.9, 90, 90, 90 } },
  { FL_LATTICE_RHOMBOHEDRAL, 'P', { 78, 78, 78, 83, 83, 83 } },
  { FL_LATTICE_HEXAGONAL, 'P', { 92.9, 92.9, 130.5, 90, 90, 120 } },
  { FL_LATTICE_HEXAGONAL, 'R', { 96, 96, 110, 90, 90, 120 } },
  { FL_LATTICE_CUBIC, 'F', { 140, 140, 140, 90, 90, 90 } },
  { FL_LATTICE_HEXAGONAL, 'P', { 281, 281, 165, 90, 90, 120 } },
  { FL_LATTICE_ORTHORHOMBIC, 'P', { 210, 310, 450, 90, 90, 90 } },
};

static FlKnownCell
known_cell (guint i)
{
  FlKnownCell known = { .type = lattices[i].type, .centring = lattices[i].centring };
  g_assert_true (fl_cell_from_degrees (lattices[i].cell, &known.cell, NULL));
  return known;
}

static FlMat3
turned (const FlMat3 *star, FlRandom *random, double angle)
{
  FlVec3 axis = fl_vec3 (fl_random_normal (random), fl_random_normal (random), fl_random_normal (random));
  FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (axis), angle);
  return fl_mat3_multiply (star, &rotation);
}

static FlMat3
random_lattice (const FlKnownCell *known, FlRandom *random)
{
  FlMat3 star = fl_cell_reciprocal (&known->cell);
  return turned (&star, random, 6 * fl_random_unit (random));
}

/* Two panels, one of them tilted, 0.1 mm a pixel, 120 mm away. */
static FlDetector *
make_detector (void)
{
  FlDetector *detector = fl_detector_new (2, 0);
  for (guint i = 0; i < 2; i++)
    {
      FlPanel *panel = &detector->panels[i];
      panel->n_fs = 800;
      panel->n_ss = 1600;
      panel->origin = fl_vec3 (i == 0 ? -82 : 2, -80, 120);
      panel->fs = fl_vec3 (0.1, 0, i == 0 ? 0.02 : 0);
      panel->ss = fl_vec3 (0, 0.1, 0.003);
      panel->pixel_size = 0.1;
    }
  return detector;
}

/* |a − b| small against the larger ones. */
static void
assert_near (double a, double b, double scale, double tolerance)
{
  if (!(fabs (a - b) <= tolerance * scale))
    g_error ("%g is not %g within %g of %g", a, b, tolerance, scale);
}

static void
test_derivatives (void)
{
  g_autoptr (FlDetector) detector = make_detector ();
  FlRandom random = fl_random (3);
  for (guint i = 0; i < G_N_ELEMENTS (lattices); i++)
    for (guint turn = 0; turn < 20; turn++)
      {
        FlKnownCell known = known_cell (i);
        FlMat3 star = random_lattice (&known, &random);
        FlRefinementModel model;
        fl_refinement_model_begin (&model, &known, &star, fl_vec3 (0.1, -0.2, 0.3), turn % 2, turn % 4 < 2);
        g_assert_cmpuint (model.n, ==, 3 + model.n_cell + (turn % 2 ? 2 : 0) + (turn % 4 < 2));
        FlPanelFrame frame = fl_panel_frame (&detector->panels[turn % 2]);
        FlVec3 hkl = fl_vec3 (rint (15 * fl_random_unit (&random)), -7, rint (-9 * fl_random_unit (&random)));
        FlSpotModel spot, ahead, behind;
        double gradient[3][FL_REFINEMENT_MOST];
        if (!fl_refinement_model_spot (&model, &frame, WAVELENGTH, hkl, &spot) || fabs (spot.fs) > 5000
            || fabs (spot.ss) > 5000)
          continue;
        fl_refinement_model_gradient (&model, &spot, gradient);
        for (guint j = 0; j < model.n; j++)
          {
            const double h = 1e-5;
            double delta[FL_REFINEMENT_MOST] = { 0 };
            delta[j] = h;
            FlRefinementModel other = fl_refinement_model_step (&model, delta);
            fl_refinement_model_spot (&other, &frame, WAVELENGTH, hkl, &ahead);
            delta[j] = -h;
            other = fl_refinement_model_step (&model, delta);
            fl_refinement_model_spot (&other, &frame, WAVELENGTH, hkl, &behind);
            assert_near (gradient[0][j], (ahead.fs - behind.fs) / (2 * h), fabs (spot.fs) + 1000, 1e-6);
            assert_near (gradient[1][j], (ahead.ss - behind.ss) / (2 * h), fabs (spot.ss) + 1000, 1e-6);
            assert_near (gradient[2][j], (ahead.excitation - behind.excitation) / (2 * h), 1, 1e-7);
          }
      }
}

/* Steps keep to the lattice type's constraints, and change the cell by what they say. */
static void
test_constraints (void)
{
  FlRandom random = fl_random (5);
  for (guint i = 0; i < G_N_ELEMENTS (lattices); i++)
    {
      FlKnownCell known = known_cell (i);
      FlMat3 star = random_lattice (&known, &random);
      for (int j = 0; j < 9; j++)
        star.m[j / 3][j % 3] *= 1 + 0.01 * (fl_random_unit (&random) - 0.5);
      FlRefinementModel model;
      double delta[FL_REFINEMENT_MOST] = { 0.01, -0.02, 0.005, 0.02, -0.01, 0.015, 0.01, -0.02, 0.01 };
      double before[6], after[6];
      fl_refinement_model_begin (&model, &known, &star, fl_vec3 (0, 0, 0), FALSE, FALSE);
      fl_refinement_model_cell (&model, before);
      model = fl_refinement_model_step (&model, delta);
      fl_refinement_model_cell (&model, after);
      for (guint j = 0; j < model.n_cell; j++)
        g_assert_cmpfloat (fabs (after[j] - before[j] - delta[3 + j]), <, 1e-12);
      FlMat3 constrained = fl_lattice_constrain (&model.star, known.type);
      for (int j = 0; j < 9; j++)
        g_assert_cmpfloat (fabs (constrained.m[j / 3][j % 3] - model.star.m[j / 3][j % 3]), <, 1e-12);
    }
}

typedef struct
{
  FlDetector *detector;
  FlShotGeometry geometry;
  FlKnownCell known;
  FlMat3 truth;
  GArray *spots; /* of FlSpotRow */
  guint n_true;
} Shot;

/* Up to `most` reflections of the lattice with places off by `sigma` px, and `strays` spots anywhere. */
static Shot
make_shot (guint lattice, FlRandom *random, FlVec3 shift, guint most, double sigma, guint strays)
{
  Shot shot = { .detector = make_detector (), .known = known_cell (lattice) };
  shot.truth = random_lattice (&shot.known, random);
  shot.geometry = (FlShotGeometry){ shot.detector, NULL, shift, WAVELENGTH };
  FlMosaic mosaic = { .domain_size = 3000, .mosaicity = 5e-4 };
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  fl_predict (&shot.geometry, &shot.truth, shot.known.centring, &mosaic, 2, rows);
  shot.spots = g_array_new (FALSE, FALSE, sizeof (FlSpotRow));
  while (rows->len > 0 && shot.n_true < most)
    {
      guint i = (guint) (fl_random_unit (random) * rows->len);
      const FlReflectionRow *row = &g_array_index (rows, FlReflectionRow, i);
      FlSpotRow spot = { .panel = row->panel, .intensity = 200, .var_fs = 0.01f, .var_ss = 0.01f };
      spot.fs = (float) ((double) row->fs + sigma * fl_random_normal (random));
      spot.ss = (float) ((double) row->ss + sigma * fl_random_normal (random));
      g_array_append_val (shot.spots, spot);
      g_array_remove_index_fast (rows, i);
      shot.n_true++;
    }
  for (guint i = 0; i < strays; i++)
    {
      FlSpotRow spot = { .panel = (guint16) (i % 2), .intensity = 100 };
      spot.fs = (float) (800 * fl_random_unit (random));
      spot.ss = (float) (1600 * fl_random_unit (random));
      g_array_append_val (shot.spots, spot);
    }
  shot.geometry.shift = fl_vec3 (0, 0, 0);
  return shot;
}

static void
shot_clear (Shot *shot)
{
  fl_detector_unref (shot->detector);
  g_array_free (shot->spots, TRUE);
}

/* Refines from a lattice that is off by 0.3° and 0.3 %. */
static gboolean
refine (const Shot *shot, const FlParams *params, FlRandom *random, FlRefined *refined, FlPair *pairs)
{
  *refined = (FlRefined){ .star = turned (&shot->truth, random, fl_radians (0.3)) };
  for (int i = 0; i < 9; i++)
    refined->star.m[i / 3][i % 3] *= fl_random_unit (random) < 0.5 ? 1.003 : 0.997;
  refined->star = fl_lattice_constrain (&refined->star, shot->known.type);
  return fl_refine (params, &shot->geometry, (const FlSpotRow *) (void *) shot->spots->data, shot->spots->len,
                    &shot->known, refined, pairs, NULL);
}

/* Relative, or rad. */
static double
worst_cell_error (const FlMat3 *a, const FlMat3 *b)
{
  FlCell x = fl_lattice_cell (a), y = fl_lattice_cell (b);
  double worst = MAX (fabs (x.a / y.a - 1), MAX (fabs (x.b / y.b - 1), fabs (x.c / y.c - 1)));
  return MAX (worst, MAX (fabs (x.alpha - y.alpha), MAX (fabs (x.beta - y.beta), fabs (x.gamma - y.gamma))));
}

/* Every type, two spots in five strays: found again; the pairs are those that were made. */
static void
test_types (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlRandom random = fl_random (7);
  for (guint i = 0; i < G_N_ELEMENTS (lattices); i++)
    for (guint turn = 0; turn < 10; turn++)
      {
        Shot shot = make_shot (i, &random, fl_vec3 (0, 0, 0), 120, 0.2, 80);
        FlRefined refined;
        g_autofree FlPair *pairs = g_new (FlPair, shot.spots->len);
        g_assert_true (refine (&shot, params, &random, &refined, pairs));
        g_assert_cmpfloat (fl_degrees (fl_lattice_misorientation (&shot.truth, &refined.star, NULL, 0)), <,
                           0.02);
        g_assert_cmpfloat (worst_cell_error (&shot.truth, &refined.star), <, 0.0012);
        g_assert_cmpfloat (refined.rmsd, <, 0.4);
        guint kept = 0, strays = 0;
        for (guint j = 0; j < shot.spots->len; j++)
          if (pairs[j].used)
            (*(j < shot.n_true ? &kept : &strays))++;
        g_assert_cmpuint (kept + strays, ==, refined.n_pairs);
        g_assert_cmpuint (kept, >=, shot.n_true * 9 / 10);
        g_assert_cmpuint (strays, <=, 4);
        shot_clear (&shot);
      }
}

/* The beam's place, and the distance where it is asked for, come back. */
static void
test_shift (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlRandom random = fl_random (11);
  double beam = 0, distance = 0;
  enum
  {
    N = 30
  };
  for (guint turn = 0; turn < N; turn++)
    {
      Shot shot = make_shot (3, &random, fl_vec3 (0.06, -0.04, 0), 200, 0.2, 40);
      FlRefined refined;
      g_assert_true (refine (&shot, params, &random, &refined, NULL));
      beam += hypot (refined.shift.x - 0.06, refined.shift.y + 0.04) / N;
      g_assert_true (refined.shift.z == 0);
      shot_clear (&shot);
      shot = make_shot (3, &random, fl_vec3 (0, 0, 0.5), 200, 0.2, 40);
      g_autoptr (FlParams) moving = fl_params_new ();
      g_assert_true (fl_params_set_assignment (moving, "refinement.distance=yes", NULL));
      g_assert_true (refine (&shot, moving, &random, &refined, NULL));
      distance += fabs (refined.shift.z - 0.5) / N;
      shot_clear (&shot);
      g_autoptr (FlParams) still = fl_params_new ();
      g_assert_true (fl_params_set_assignment (still, "refinement.beam=no", NULL));
      shot = make_shot (3, &random, fl_vec3 (0, 0, 0), 50, 0.2, 10);
      g_assert_true (refine (&shot, still, &random, &refined, NULL));
      g_assert_true (refined.shift.x == 0 && refined.shift.y == 0);
      shot_clear (&shot);
    }
  g_test_message ("mean error of the beam %.4f mm, of the distance %.3f mm", beam, distance);
  g_assert_cmpfloat (beam, <, 0.01);
  g_assert_cmpfloat (distance, <, 0.15);
}

enum
{
  LONG = 2 /* the last ones: 0.3° off, a few spots do not tell indices of so long axes */
};

/* Few spots: the restraints hold cell and beam, and the orientation still gets better. */
static void
test_few (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlRandom random = fl_random (13);
  enum
  {
    N = 40
  };
  for (guint n_spots = 6; n_spots <= 24; n_spots *= 2)
    for (guint i = 0; i < G_N_ELEMENTS (lattices) - LONG; i++)
      {
        double angles[N], worst_cell = 0, worst_beam = 0;
        for (guint turn = 0; turn < N; turn++)
          {
            Shot shot = make_shot (i, &random, fl_vec3 (0, 0, 0), n_spots, 0.2, 0);
            FlRefined refined;
            if (!refine (&shot, params, &random, &refined, NULL))
              g_error ("%u spots of lattice %u: refused", n_spots, i);
            angles[turn] = fl_degrees (fl_lattice_misorientation (&shot.truth, &refined.star, NULL, 0));
            worst_cell = MAX (worst_cell, worst_cell_error (&shot.truth, &refined.star));
            worst_beam = MAX (worst_beam, hypot (refined.shift.x, refined.shift.y));
            shot_clear (&shot);
          }
        double middle = median (angles, N), worst = angles[N - 1];
        g_test_message (
            "%u spots, %s %c: orientation median %.3f, worst %.3f deg; worst cell %.2f %%, beam %.3f mm",
            n_spots, fl_lattice_type_name (lattices[i].type), lattices[i].centring, middle, worst,
            100 * worst_cell, worst_beam);
        g_assert_cmpfloat (middle, <, 0.1);
        g_assert_cmpfloat (worst, <, 0.25);
        g_assert_cmpfloat (worst_cell, <, 0.01);
        g_assert_cmpfloat (worst_beam, <, 0.15);
      }
}

/* Nothing to refine, spots of no lattice, centroids without variance: a reason, and nothing changed. */
static void
test_refusals (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlRandom random = fl_random (17);
  Shot shot = make_shot (3, &random, fl_vec3 (0, 0, 0), 4, 0.2, 0);
  FlRefined refined = { .star = shot.truth };
  FlPair pairs[100];
  const char *why = NULL;
  FlSpotRow *spots = (FlSpotRow *) (void *) shot.spots->data;
  g_assert_false (fl_refine (params, &shot.geometry, spots, 0, &shot.known, &refined, NULL, &why));
  g_assert_nonnull (why);
  g_assert_false (fl_refine (params, &shot.geometry, spots, 4, &shot.known, &refined, pairs, &why));
  g_assert_true (memcmp (&refined.star, &shot.truth, sizeof (FlMat3)) == 0 && !pairs[0].used);
  shot_clear (&shot);
  guint taken = 0;
  for (guint turn = 0; turn < 50; turn++)
    {
      shot = make_shot (3, &random, fl_vec3 (0, 0, 0), 0, 0, 100);
      taken += refine (&shot, params, &random, &refined, pairs) && refined.n_pairs > 20;
      shot_clear (&shot);
    }
  g_test_message ("%u of 50 patterns of strays alone were taken with more than 20 pairs", taken);
  g_assert_cmpuint (taken, ==, 0);
  shot = make_shot (3, &random, fl_vec3 (0, 0, 0), 100, 0.2, 0);
  spots = (FlSpotRow *) (void *) shot.spots->data;
  for (guint i = 0; i < shot.spots->len; i++)
    {
      spots[i].var_fs = i % 2 ? NAN : -1;
      spots[i].var_ss = i % 2 ? INFINITY : 0;
    }
  g_assert_true (refine (&shot, params, &random, &refined, pairs));
  g_assert_cmpfloat (fl_degrees (fl_lattice_misorientation (&shot.truth, &refined.star, NULL, 0)), <, 0.02);
  shot_clear (&shot);
}

/* The order of the spots does not matter. */
static void
test_order (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlRandom random = fl_random (19), again = fl_random (23);
  Shot shot = make_shot (3, &random, fl_vec3 (0, 0, 0), 100, 0.2, 50);
  FlSpotRow *spots = (FlSpotRow *) (void *) shot.spots->data;
  for (guint i = 0; i < shot.spots->len; i++)
    spots[i].intensity = (float) i;
  FlRefined refined, reversed;
  g_assert_true (refine (&shot, params, &again, &refined, NULL));
  for (guint i = 0; i < shot.spots->len / 2; i++)
    {
      FlSpotRow spot = spots[i];
      spots[i] = spots[shot.spots->len - 1 - i];
      spots[shot.spots->len - 1 - i] = spot;
    }
  again = fl_random (23);
  g_assert_true (refine (&shot, params, &again, &reversed, NULL));
  g_assert_true (memcmp (&refined.star, &reversed.star, sizeof (FlMat3)) == 0
                 && refined.rmsd == reversed.rmsd);
  shot_clear (&shot);
}

/* Another program's patterns, with and without the 1/8 px by which its pixels are displaced: on A's panels, which turn
 * about the beam, it reads as a rotation. */
static void
score_set (const Set *set, double offset, double most_angle, double most_cell)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlShotGeometry geometry = set_geometry (set);
  guint n = set->frames->len, n_spots = 0;
  g_autofree double *angles = g_new (double, n), *a = g_new (double, n), *c = g_new (double, n);
  double cpu = 0;
  for (guint i = 0; i < n; i++)
    {
      const SetFrame *frame = &g_array_index (set->frames, SetFrame, i);
      FlRandom random = fl_random (frame->event);
      FlRefined refined = { .star = turned (&frame->star, &random, fl_radians (0.3)) };
      for (int j = 0; j < 9; j++)
        refined.star.m[j / 3][j % 3] *= j < 6 ? 1.003 : 0.997;
      g_autofree FlSpotRow *spots = g_new (FlSpotRow, frame->n_spots);
      for (guint j = 0; j < frame->n_spots; j++)
        {
          spots[j] = frame->spots[j];
          spots[j].fs -= (float) offset;
          spots[j].ss -= (float) offset;
        }
      double start = cpu_seconds ();
      g_assert_true (fl_refine (params, &geometry, spots, frame->n_spots, &set->known, &refined, NULL, NULL));
      cpu += cpu_seconds () - start;
      n_spots += frame->n_spots;
      FlCell cell = fl_lattice_cell (&refined.star);
      angles[i] = fl_degrees (set_misorientation (&frame->star, &refined.star));
      a[i] = 100 * fabs (cell.a / 79.1 - 1);
      c[i] = 100 * fabs (cell.c / 37.9 - 1);
    }
  double middle = median (angles, n);
  g_test_message (
      "%u lattices, pixels off by %.3f: orientation median %.4f, 95 %% %.4f, worst %.4f deg; cell off by "
      "median %.4f and %.4f, 95 %% %.4f and %.4f %%; %.2f ms a lattice, %.2f ms of 300 spots",
      n, offset, middle, percentile (angles, n, 0.95), angles[n - 1], median (a, n), median (c, n),
      percentile (a, n, 0.95), percentile (c, n, 0.95), 1e3 * cpu / n, 300e3 * cpu / n_spots);
  g_assert_cmpfloat (middle, <, most_angle);
  g_assert_cmpfloat (percentile (angles, n, 0.95), <, 3 * most_angle);
  g_assert_cmpfloat (percentile (a, n, 0.95), <, most_cell);
  g_assert_cmpfloat (percentile (c, n, 0.95), <, 2 * most_cell);
}

static void
test_sets (void)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  Set *set = set_open ("crystfel-sim/lyso-agipd1m");
  score_set (set, 0, 0.015, 0.06);
  score_set (set, 0.125, 0.009, 0.03);
  set_free (set);
  set = set_open ("crystfel-sim/lyso-jf4m");
  score_set (set, 0, 0.008, 0.03);
  set_free (set);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refinement/derivatives", test_derivatives);
  g_test_add_func ("/refinement/constraints", test_constraints);
  g_test_add_func ("/refinement/types", test_types);
  g_test_add_func ("/refinement/shift", test_shift);
  g_test_add_func ("/refinement/few", test_few);
  g_test_add_func ("/refinement/refusals", test_refusals);
  g_test_add_func ("/refinement/order", test_order);
  g_test_add_func ("/refinement/sets", test_sets);
  return g_test_run ();
}
