/* Ensemble refinement of a detector: derivatives by finite differences, elimination against the whole system, and displaced
 * detectors brought back from simulated lattices. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/geometry-refinement.h"
#include "engine/sfx/geometry-sums.h"
#include "engine/sfx/prediction.h"

#define WAVELENGTH 1.3
#define SIDE       256 /* px, of a panel */
#define N_PANELS   16
#define PIXEL      0.1 /* mm */

static const double lysozyme[6] = { 79.1, 79.1, 37.9, 90, 90, 90 };

static FlKnownCell
known_cell (void)
{
  FlKnownCell known = { .type = FL_LATTICE_TETRAGONAL, .centring = 'P' };
  g_assert_true (fl_cell_from_degrees (lysozyme, &known.cell, NULL));
  return known;
}

/* Four by four panels in four groups, a gap between them. */
static FlDetector *
make_detector (guint *group)
{
  FlDetector *detector = fl_detector_new (N_PANELS, 0);
  detector->placed = TRUE;
  for (guint i = 0; i < N_PANELS; i++)
    {
      FlPanel *panel = &detector->panels[i];
      guint x = i % 4, y = i / 4;
      panel->n_fs = panel->n_ss = SIDE;
      panel->origin = fl_vec3 (((double) x - 2) * 27 + 1, ((double) y - 2) * 27 + 1, 120);
      panel->fs = fl_vec3 (PIXEL, 0, 0);
      panel->ss = fl_vec3 (0, PIXEL, 0);
      panel->pixel_size = PIXEL;
      group[i] = x / 2 + 2 * (y / 2);
    }
  return detector;
}

static double
between (FlRandom *random, double most)
{
  return most * (2 * fl_random_unit (random) - 1);
}

static FlMat3
turned (const FlMat3 *star, FlRandom *random, double angle)
{
  FlVec3 axis = fl_vec3 (fl_random_normal (random), fl_random_normal (random), fl_random_normal (random));
  FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (axis), angle);
  return fl_mat3_multiply (star, &rotation);
}

/* Every panel off by up to so many px and degrees, every group by half as much, the whole shifted. */
static FlDetector *
displaced (const FlGeometryLevels *levels, const FlDetector *from, FlRandom *random, double px,
           double degrees, FlVec3 whole)
{
  g_autofree double *step = g_new0 (double, levels->n + 1);
  for (guint i = 0; i < levels->n; i++)
    {
      const FlGeometryParameter *p = &levels->parameters[i];
      double most = p->axis < 3 ? px * PIXEL : fl_radians (degrees);
      if (p->level == FL_GEOMETRY_WHOLE)
        step[i] = p->axis == 0 ? whole.x : p->axis == 1 ? whole.y : p->axis == 2 ? whole.z : 0;
      else
        step[i] = between (random, p->level == FL_GEOMETRY_GROUPS ? most / 2 : most);
    }
  return fl_geometry_moved (levels, from, step);
}

/* R.m.s. (px) in the plane, and (mm) along the beam, of corners; the turn about the beam, which nobody can know, left out. */
static void
difference (const FlDetector *a, const FlDetector *b, double *in_plane, double *along)
{
  double turn = 0, weight = 0, square = 0;
  *along = 0;
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < a->n_panels; i++)
      for (guint corner = 0; corner < 4; corner++)
        {
          double fs = corner % 2 * SIDE, ss = corner / 2 * SIDE;
          FlVec3 p = fl_panel_position (&a->panels[i], fs, ss);
          FlVec3 d = fl_vec3_sub (fl_panel_position (&b->panels[i], fs, ss), p);
          if (pass == 0)
            {
              turn += p.x * d.y - p.y * d.x;
              weight += p.x * p.x + p.y * p.y;
              continue;
            }
          d.x += turn / weight * p.y;
          d.y -= turn / weight * p.x;
          square += (d.x * d.x + d.y * d.y) / (PIXEL * PIXEL);
          *along += d.z * d.z;
        }
  *in_plane = sqrt (square / (4 * a->n_panels));
  *along = sqrt (*along / (4 * a->n_panels));
}

typedef struct
{
  GArray *lattices; /* of FlGeometryLattice */
  GPtrArray *spots; /* of FlSpotRow * */
} World;

static void
add_lattice (World *world, const FlDetector *truth, const FlKnownCell *known, FlRandom *random, guint n_spots,
             double noise, double outliers, guint block)
{
  FlShotGeometry geometry = { truth, NULL, fl_vec3 (0, 0, 0), WAVELENGTH };
  const FlMosaic mosaic = { .domain_size = 3000, .mosaicity = 1e-3 };
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  FlMat3 star = fl_cell_reciprocal (&known->cell);
  double a = 1 + 1e-3 * fl_random_normal (random), c = 1 + 1e-3 * fl_random_normal (random);
  for (int i = 0; i < 9; i++)
    star.m[i / 3][i % 3] *= i < 6 ? a : c;
  star = turned (&star, random, 6 * fl_random_unit (random));
  fl_predict (&geometry, &star, known->centring, &mosaic, 2.5, rows);
  FlSpotRow *spots = g_new0 (FlSpotRow, n_spots);
  guint n = 0;
  while (n < n_spots && rows->len > 0)
    {
      guint i = (guint) (fl_random_unit (random) * rows->len);
      const FlReflectionRow *row = &g_array_index (rows, FlReflectionRow, i);
      gboolean stray = fl_random_unit (random) < outliers;
      spots[n].panel = row->panel;
      spots[n].intensity = 200;
      spots[n].fs = (float) (stray ? SIDE * fl_random_unit (random)
                                   : (double) row->fs + noise * fl_random_normal (random));
      spots[n].ss = (float) (stray ? SIDE * fl_random_unit (random)
                                   : (double) row->ss + noise * fl_random_normal (random));
      g_array_remove_index_fast (rows, i);
      n++;
    }
  g_ptr_array_add (world->spots, spots);
  FlGeometryLattice lattice = {
    .wavelength = WAVELENGTH, .spots = spots, .n_spots = n, .block = block, .window = G_MAXUINT
  };
  lattice.star = turned (&star, random, fl_radians (0.05));
  g_array_append_val (world->lattices, lattice);
}

static World
make_world (const FlDetector *truth, guint n, guint n_spots, double noise, double outliers, guint64 seed)
{
  World world = { .lattices = g_array_new (FALSE, FALSE, sizeof (FlGeometryLattice)),
                  .spots = g_ptr_array_new_with_free_func (g_free) };
  FlKnownCell known = known_cell ();
  for (guint i = 0; i < n; i++)
    {
      FlRandom random = fl_random (seed + i);
      add_lattice (&world, truth, &known, &random, n_spots, noise, outliers, i * FL_GEOMETRY_BLOCKS / n);
    }
  return world;
}

static void
world_clear (World *world)
{
  g_array_unref (world->lattices);
  g_ptr_array_unref (world->spots);
}

static const FlGeometryOptions usual = { .freedom = { .level = FL_GEOMETRY_PANELS, .distance = TRUE },
                                         .max_offset = 5,
                                         .min_spots = 20,
                                         .cell_spread = 2e-3 };

/* What a parameter of the levels does to a spot's place, by moving the detector, is what its gradient says. */
static void
test_derivatives (void)
{
  guint group[N_PANELS], checked = 0;
  g_autoptr (FlDetector) flat = make_detector (group);
  const FlGeometryFreedom all = { FL_GEOMETRY_PANELS, TRUE, TRUE, TRUE, 0 };
  g_autoptr (FlGeometryLevels) levels = fl_geometry_levels_new (flat, group, &all, NULL, 0);
  FlRandom random = fl_random (1);
  g_autoptr (FlDetector) detector = displaced (levels, flat, &random, 2, 0.5, fl_vec3 (0.3, -0.2, 0.5));
  g_autofree double *step = g_new0 (double, levels->n);
  g_assert_cmpuint (levels->n, ==, 5 + 6 * 4 + 6 * N_PANELS);
  FlVec3 nowhere = fl_vec3 (0, 0, 0);
  for (guint i = 0; i < levels->n; i++)
    for (guint panel = 0; panel < N_PANELS; panel++)
      {
        double motion[FL_GEOMETRY_AXES];
        FlShotGeometry geometry = { detector, NULL, nowhere, WAVELENGTH };
        FlVec3 q = fl_shot_geometry_q (&geometry, panel, SIDE * fl_random_unit (&random),
                                       SIDE * fl_random_unit (&random));
        FlRefinementModel model = { .star = { { { q.x, q.y, q.z }, { 0 }, { 0 } } } };
        FlSpotModel at, ahead, behind;
        FlPanelFrame frame = fl_panel_frame (&detector->panels[panel]);
        g_assert_true (fl_refinement_model_spot (&model, &frame, WAVELENGTH, fl_vec3 (1, 0, 0), &at));
        double expected[2] = { 0, 0 };
        if (fl_geometry_levels_motion (levels, i, panel, motion))
          {
            FlVec3 arm = fl_vec3_sub (fl_panel_position (&detector->panels[panel], at.fs, at.ss),
                                      levels->panel_centre[panel]);
            FlVec3 shift = fl_vec3_add (fl_vec3 (motion[0], motion[1], motion[2]),
                                        fl_vec3_cross (fl_vec3 (motion[3], motion[4], motion[5]), arm));
            for (int k = 0; k < 2; k++)
              expected[k] = fl_vec3_dot (at.of_shift[k], shift);
            checked++;
          }
        const double h = 1e-5;
        step[i] = h;
        g_autoptr (FlDetector) one = fl_geometry_moved (levels, detector, step);
        step[i] = -h;
        g_autoptr (FlDetector) other = fl_geometry_moved (levels, detector, step);
        step[i] = 0;
        frame = fl_panel_frame (&one->panels[panel]);
        fl_refinement_model_spot (&model, &frame, WAVELENGTH, fl_vec3 (1, 0, 0), &ahead);
        frame = fl_panel_frame (&other->panels[panel]);
        fl_refinement_model_spot (&model, &frame, WAVELENGTH, fl_vec3 (1, 0, 0), &behind);
        double scale = 1e-5 * (1 + fabs (expected[0]) + fabs (expected[1]));
        g_assert_cmpfloat (fabs ((ahead.fs - behind.fs) / (2 * h) - expected[0]), <, scale);
        g_assert_cmpfloat (fabs ((ahead.ss - behind.ss) / (2 * h) - expected[1]), <, scale);
      }
  g_assert_cmpuint (checked, ==, 5 * 16 + 24 * 4 + 96);
}

/* R.m.s. of panels' errors in x and y (of centres, the turn of all left out) over what the refinement says they are. */
static double
errors_in_sigmas (const FlDetector *truth, const FlGeometryResult *result)
{
  double turn = 0, weight = 0, square = 0;
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < N_PANELS; i++)
      {
        FlVec3 p = fl_panel_position (&truth->panels[i], SIDE / 2.0, SIDE / 2.0);
        FlVec3 d = fl_vec3_sub (fl_panel_position (&result->detector->panels[i], SIDE / 2.0, SIDE / 2.0), p);
        const double *sigma =
            result->moved_sigma + (gsize) FL_GEOMETRY_AXES * (1 + result->levels->n_groups + i);
        turn += pass == 0 ? p.x * d.y - p.y * d.x : 0;
        weight += pass == 0 ? p.x * p.x + p.y * p.y : 0;
        double x = (d.x + turn / weight * p.y) / sigma[0], y = (d.y - turn / weight * p.x) / sigma[1];
        square += pass == 1 ? x * x + y * y : 0;
      }
  return sqrt (square / (2 * N_PANELS));
}

/* Up to 2 px and 0.2° a panel, half as much a group, a shift of the whole: back to 0.05 px. */
static void
bring_back (guint n_lattices, double noise, double outliers, const FlGeometryOptions *options, double most_px,
            double most_mm)
{
  guint group[N_PANELS];
  g_autoptr (FlDetector) start = make_detector (group);
  g_autoptr (FlGeometryLevels) levels = fl_geometry_levels_new (start, group, &options->freedom, NULL, 0);
  FlRandom random = fl_random (5);
  g_autoptr (FlDetector) truth = displaced (levels, start, &random, 2, 0.2, fl_vec3 (0.12, -0.08, 0.3));
  World world = make_world (truth, n_lattices, 100, noise, outliers, 1000);
  FlKnownCell known = known_cell ();
  g_auto (FlGeometryResult) result = { 0 };
  g_autoptr (GError) error = NULL;
  double before, after, along_before, along;
  gint64 began = g_get_monotonic_time ();
  fl_geometry_refine (options, start, NULL, group, &known, world.lattices, &result, &error);
  g_assert_no_error (error);
  difference (truth, start, &before, &along_before);
  difference (truth, result.detector, &after, &along);
  g_test_message (
      "%u lattices, %.2f px noise: panels off %.3f px, %.3f mm before, %.4f px, %.4f mm after; spots "
      "%.3f px (%u pairs) before, %.3f px (%u) after, sigma %.3f; %u rounds, %u steps, %.1f s",
      n_lattices, noise, before, along_before, after, along, result.before.rmsd, result.before.pairs->len,
      result.after.rmsd, result.after.pairs->len, result.after.sigma, result.rounds, result.steps,
      1e-6 * (double) (g_get_monotonic_time () - began));
  g_assert_cmpfloat (before, >, 1);
  g_assert_cmpfloat (after, <, most_px);
  g_assert_cmpfloat (along, <, most_mm);
  g_assert_true (result.converged);
  g_assert_cmpfloat (fabs (result.after.sigma / MAX (noise, 0.02) - 1), <, 0.1);
  double sigmas = errors_in_sigmas (truth, &result);
  g_test_message ("panels' errors are %.2f of the standard deviations that are given", sigmas);
  g_assert_cmpfloat (sigmas, >, 0.5);
  g_assert_cmpfloat (sigmas, <, 2);
  world_clear (&world);
}

static void
test_panels (void)
{
  bring_back (1000, 0.3, 0.1, &usual, 0.05, 0.05);
}

/* With the lattices' blocks eliminated the steps still solve the whole system: no gradient is left in any parameter. */
static void
test_elimination (void)
{
  enum
  {
    N_ROWS = 60,
    N_LATTICES = 3,
    N_OWN = 5
  };
  guint group[N_PANELS];
  g_autoptr (FlDetector) detector = make_detector (group);
  g_autoptr (FlGeometryLevels) levels = fl_geometry_levels_new (detector, group, &usual.freedom, NULL, 0);
  g_autoptr (FlGeometrySums) sums = fl_geometry_sums_new (levels);
  FlRandom random = fl_random (3);
  static FlGeometryRow rows[N_LATTICES][N_ROWS];
  const double prior[N_OWN] = { 1, 2, 3, 4, 5 }, pull[N_OWN] = { 0.1, -0.2, 0.3, 0, 0.5 };
  for (guint i = 0; i < N_LATTICES; i++)
    {
      for (guint r = 0; r < N_ROWS; r++)
        {
          FlGeometryRow *row = &rows[i][r];
          row->panel = (guint) (N_PANELS * fl_random_unit (&random));
          for (guint c = 0; c < 3; c++)
            {
              row->residual[c] = between (&random, 1);
              row->weight[c] = 0.5 + fl_random_unit (&random);
              for (guint k = 0; k < N_OWN; k++)
                row->of_lattice[c][k] = between (&random, 1);
              for (guint k = 0; c < 2 && k < FL_GEOMETRY_AXES; k++)
                row->of_panel[c][k] = between (&random, 1);
            }
        }
      const FlGeometryBlock block = { rows[i], N_ROWS, N_OWN, G_MAXUINT, prior, pull, 0 };
      g_assert_true (fl_geometry_sums_add (sums, &block));
    }
  g_autofree double *gone = g_new0 (double, levels->n), *step = g_new0 (double, levels->n),
                    *motion = g_new0 (double, FL_GEOMETRY_AXES *N_PANELS), *left = g_new0 (double, levels->n);
  gone[1] = 0.01;
  g_assert_true (fl_geometry_sums_solve (sums, levels, gone, 0, step, motion));
  for (guint i = 0; i < N_LATTICES; i++)
    {
      double own[FL_REFINEMENT_MOST], own_left[N_OWN];
      const FlGeometryBlock block = { rows[i], N_ROWS, N_OWN, G_MAXUINT, prior, pull, 0 };
      g_assert_true (fl_geometry_lattice_step (&block, N_PANELS, motion, own));
      for (guint k = 0; k < N_OWN; k++)
        own_left[k] = pull[k] - prior[k] * own[k];
      for (guint r = 0; r < N_ROWS; r++)
        for (guint c = 0; c < 3; c++)
          {
            const FlGeometryRow *row = &rows[i][r];
            double residual = row->residual[c], of[FL_GEOMETRY_AXES];
            for (guint k = 0; k < N_OWN; k++)
              residual -= row->of_lattice[c][k] * own[k];
            for (guint k = 0; c < 2 && k < FL_GEOMETRY_AXES; k++)
              residual -= row->of_panel[c][k] * motion[FL_GEOMETRY_AXES * row->panel + k];
            for (guint k = 0; k < N_OWN; k++)
              own_left[k] += row->weight[c] * row->of_lattice[c][k] * residual;
            for (guint j = 0; c < 2 && j < levels->n; j++)
              if (fl_geometry_levels_motion (levels, j, row->panel, of))
                for (guint k = 0; k < FL_GEOMETRY_AXES; k++)
                  left[j] += row->weight[c] * row->of_panel[c][k] * of[k] * residual;
          }
      for (guint k = 0; k < N_OWN; k++)
        g_assert_cmpfloat (fabs (own_left[k]), <, 1e-9);
    }
  for (guint j = 0; j < levels->n; j++)
    {
      double weight = 1 / (levels->parameters[j].sigma * levels->parameters[j].sigma);
      g_assert_cmpfloat (fabs (left[j] - weight * (step[j] + gone[j])), <, 1e-6);
    }
}

/* No lattices, or none with enough spots: one clear line. */
static void
test_refusals (void)
{
  guint group[N_PANELS];
  g_autoptr (FlDetector) detector = make_detector (group);
  FlKnownCell known = known_cell ();
  for (guint n = 0; n < 4; n += 3)
    {
      World world = make_world (detector, n, 10, 0.3, 0, 1);
      g_auto (FlGeometryResult) result = { 0 };
      g_autoptr (GError) error = NULL;
      g_assert_false (
          fl_geometry_refine (&usual, detector, NULL, group, &known, world.lattices, &result, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      world_clear (&world);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/geometry-refinement/derivatives", test_derivatives);
  g_test_add_func ("/geometry-refinement/elimination", test_elimination);
  g_test_add_func ("/geometry-refinement/refusals", test_refusals);
  g_test_add_func ("/geometry-refinement/panels", test_panels);
  return g_test_run ();
}
