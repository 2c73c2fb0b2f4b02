#include "engine/sfx/geometry-refinement.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/geometry-private.h"
#include "engine/sfx/shot-geometry.h"

#define AXES        FL_GEOMETRY_AXES
#define WINDOW_AXES FL_GEOMETRY_WINDOW_AXES
#define BLOCKS      FL_GEOMETRY_BLOCKS
#define CAUCHY      2.385 /* widths, 95 % efficient for normal errors */
#define MOST_ROUNDS 12
#define STEPS       6    /* a round */
#define CALM        2e-3 /* px: rounds that move panels less (r.m.s.) end it */
#define TURN_PRIOR  0.1  /* rad, of a lattice a step: keeps the block definite */
#define FARTHEST    1e4  /* mm, of a shift */

typedef FlGeometryEnsemble Ensemble;
typedef FlGeometryCrystal Crystal;

static double
pow2 (double x)
{
  return x * x;
}

static void
set_frames (const FlDetector *detector, FlPanelFrame *frames)
{
  for (guint i = 0; i < detector->n_panels; i++)
    frames[i] = fl_panel_frame (&detector->panels[i]);
}

/* --- one step --- */

/* What a pair's residuals cost, and the weights that go with it. */
static double
robust (const Ensemble *e, double width, const double residual[3], double weight[3])
{
  double place = (pow2 (residual[0]) + pow2 (residual[1])) / pow2 (e->sigma),
         excitation = pow2 (residual[2] / width), c = pow2 (CAUCHY);
  weight[0] = weight[1] = 1 / (pow2 (e->sigma) * (1 + place / c));
  weight[2] = 1 / (pow2 (width) * (1 + excitation / c));
  return 0.5 * c * (log1p (place / c) + log1p (excitation / c));
}

/* Cell toward the known one. The cell's parameters are those of the reciprocal metric: lengths count twice. */
static double
restrain (const Ensemble *e, const FlRefinementModel *model, double *prior, double *pull)
{
  double off[6], cost = 0;
  fl_refinement_model_cell (model, off);
  for (guint i = 0; i < model->n; i++)
    {
      prior[i] = 1 / pow2 (i < 3 ? TURN_PRIOR : 2 * e->options->cell_spread);
      pull[i] = i < 3 ? 0 : -prior[i] * off[i - 3];
      cost += i < 3 ? 0 : 0.5 * prior[i] * pow2 (off[i - 3]);
    }
  return cost;
}

/* Of one lattice; INFINITY: a ray no longer meets its panel's plane. */
static double
cost_of_lattice (const Ensemble *e, guint i, const FlPanelFrame *frames, const FlRefinementModel *model)
{
  const Crystal *crystal = &e->crystals[i];
  const FlGeometryPair *pairs = (const FlGeometryPair *) (void *) crystal->pairs->data;
  double prior[FL_REFINEMENT_MOST], pull[FL_REFINEMENT_MOST], weight[3];
  double cost = restrain (e, model, prior, pull);
  for (guint k = 0; k < crystal->pairs->len; k++)
    {
      FlSpotModel at;
      if (!fl_geometry_predict (e, frames, i, model, &pairs[k], &at))
        return INFINITY;
      const double residual[3] = { (double) pairs[k].fs - at.fs, (double) pairs[k].ss - at.ss,
                                   -at.excitation };
      cost += robust (e, crystal->width, residual, weight);
    }
  return cost;
}

/* Of all at a state. */
static double
cost_of (const Ensemble *e, const FlPanelFrame *frames, gboolean trial, const double *step)
{
  double of_block[BLOCKS] = { 0 }, cost = 0;
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      of_block[e->lattices[i].block] +=
          cost_of_lattice (e, i, frames, trial ? &e->crystals[i].trial : &e->crystals[i].model);
  fl_geometry_team_sum (e->options, of_block, BLOCKS);
  for (guint i = 0; i < BLOCKS; i++)
    cost += of_block[i];
  for (guint i = 0; i < e->levels->n; i++)
    cost += 0.5 * pow2 ((e->gone[i] + (step != NULL ? step[i] : 0)) / e->levels->parameters[i].sigma);
  return cost;
}

/* How a spot's place on its panel changes with the panel's motion: as the panel's matter at the spot is moved. */
static void
motion_gradient (const Ensemble *e, const FlGeometryPair *pair, const FlSpotModel *at, FlGeometryRow *row)
{
  FlVec3 place = fl_panel_position (&e->detector->panels[pair->panel], at->fs, at->ss);
  FlVec3 arm = fl_vec3_sub (place, e->levels->panel_centre[pair->panel]);
  for (guint i = 0; i < 2; i++)
    {
      FlVec3 shift = at->of_shift[i], turn = fl_vec3_cross (arm, shift);
      const double all[AXES] = { shift.x, shift.y, shift.z, turn.x, turn.y, turn.z };
      memcpy (row->of_panel[i], all, sizeof all);
    }
}

/* Fills e->rows with a lattice's spots. */
static void
make_rows (Ensemble *e, guint lattice)
{
  const Crystal *crystal = &e->crystals[lattice];
  g_array_set_size (e->rows, 0);
  for (guint k = 0; k < crystal->pairs->len; k++)
    {
      const FlGeometryPair *pair = &g_array_index (crystal->pairs, FlGeometryPair, k);
      FlGeometryRow row = { .panel = pair->panel };
      FlSpotModel at;
      if (!fl_geometry_predict (e, e->frames, lattice, &crystal->model, pair, &at))
        continue;
      row.residual[0] = (double) pair->fs - at.fs;
      row.residual[1] = (double) pair->ss - at.ss;
      row.residual[2] = -at.excitation;
      robust (e, crystal->width, row.residual, row.weight);
      fl_refinement_model_gradient (&crystal->model, &at, row.of_lattice);
      motion_gradient (e, pair, &at, &row);
      g_array_append_val (e->rows, row);
    }
}

/* What the sums need of a lattice; valid until the next one's. */
static FlGeometryBlock
block_of (Ensemble *e, guint lattice, double damping, double *prior, double *pull)
{
  const FlRefinementModel *model = &e->crystals[lattice].model;
  guint window = e->levels->n_windows > 0 ? e->lattices[lattice].window : G_MAXUINT;
  restrain (e, model, prior, pull);
  make_rows (e, lattice);
  return (FlGeometryBlock){ .rows = (const FlGeometryRow *) (void *) e->rows->data,
                            .n_rows = e->rows->len,
                            .n = model->n,
                            .window = window,
                            .prior = prior,
                            .pull = pull,
                            .damping = damping };
}

/* All lattices' sums, at rank 0: block after block. */
static void
sum_all (Ensemble *e, FlGeometrySums *sums, FlGeometrySums *part, double damping)
{
  const FlGeometryTeam *team = e->options->team;
  guint rank = team != NULL ? team->rank : 0, ranks = team != NULL ? team->ranks : 1;
  gsize n = (gsize) sums->size * sums->size;
  double prior[FL_REFINEMENT_MOST], pull[FL_REFINEMENT_MOST];
  fl_geometry_sums_clear (sums);
  for (guint first = 0; first < BLOCKS; first += ranks)
    {
      guint block = first + rank;
      fl_geometry_sums_clear (part);
      for (guint i = block < BLOCKS ? e->first[block] : e->n; block < BLOCKS && i < e->first[block + 1]; i++)
        if (e->crystals[i].used)
          {
            FlGeometryBlock lattice = block_of (e, i, damping, prior, pull);
            fl_geometry_sums_add (part, &lattice);
          }
      if (team != NULL)
        {
          team->add (team->data, sums->matrix, part->matrix, n);
          team->add (team->data, sums->right, part->right, sums->size);
          continue;
        }
      for (gsize i = 0; i < n; i++)
        sums->matrix[i] += part->matrix[i];
      for (guint i = 0; i < sums->size; i++)
        sums->right[i] += part->right[i];
    }
}

static gboolean
is_first (const Ensemble *e)
{
  return e->options->team == NULL || e->options->team->rank == 0;
}

static guint
motion_size (const Ensemble *e)
{
  return AXES * e->levels->n_panels + WINDOW_AXES * e->levels->n_windows;
}

/* The detector's step and the motion of its panels and windows. */
static gboolean
detector_step (Ensemble *e, FlGeometrySums *sums, FlGeometrySums *part, double damping, double *step,
               double *motion)
{
  double solved = 0;
  memset (step, 0, e->levels->n * sizeof *step);
  memset (motion, 0, motion_size (e) * sizeof *motion);
  if (e->levels->n == 0)
    return TRUE;
  sum_all (e, sums, part, damping);
  if (is_first (e))
    solved = fl_geometry_sums_solve (sums, e->levels, e->gone, damping, step, motion);
  fl_geometry_team_sum (e->options, &solved, 1);
  fl_geometry_team_sum (e->options, step, e->levels->n);
  fl_geometry_team_sum (e->options, motion, motion_size (e));
  return solved > 0;
}

static void
lattice_steps (Ensemble *e, double damping, const double *motion)
{
  double prior[FL_REFINEMENT_MOST], pull[FL_REFINEMENT_MOST], step[FL_REFINEMENT_MOST];
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      {
        Crystal *crystal = &e->crystals[i];
        FlGeometryBlock block = block_of (e, i, damping, prior, pull);
        crystal->trial = crystal->model;
        if (fl_geometry_lattice_step (&block, e->levels->n_panels, motion, step))
          crystal->trial = fl_refinement_model_step (&crystal->model, step);
        if (block.window == G_MAXUINT)
          continue;
        const double *shift = motion + AXES * e->levels->n_panels + WINDOW_AXES * block.window;
        crystal->trial.shift = fl_vec3_add (crystal->model.shift, fl_vec3 (shift[0], shift[1], shift[2]));
      }
}

/* The trial state is the state. */
static void
accept (Ensemble *e, FlDetector *moved, const double *step)
{
  fl_detector_unref (e->detector);
  e->detector = moved;
  memcpy (e->frames, e->trial_frames, moved->n_panels * sizeof *e->frames);
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      e->crystals[i].model = e->crystals[i].trial;
  for (guint i = 0; i < e->levels->n; i++)
    e->gone[i] += step[i];
}

/* Damped steps with these pairs, until they no longer pay. */
static void
descend (Ensemble *e, FlGeometrySums *sums, FlGeometrySums *part)
{
  g_autofree double *step = g_new0 (double, e->levels->n + 1), *motion = g_new0 (double, motion_size (e));
  double damping = 1e-6, cost = cost_of (e, e->frames, FALSE, NULL);
  for (guint i = 0; i < STEPS && damping < 1e4; i++)
    {
      gboolean solved = detector_step (e, sums, part, damping, step, motion);
      g_autoptr (FlDetector) moved = solved ? fl_geometry_moved (e->levels, e->detector, step) : NULL;
      double then = INFINITY;
      if (solved)
        {
          lattice_steps (e, damping, motion);
          set_frames (moved, e->trial_frames);
          then = cost_of (e, e->trial_frames, TRUE, step);
        }
      if (!(then < cost))
        {
          damping = MAX (100 * damping, 1e-3);
          continue;
        }
      gboolean calm = cost - then < 1e-6 * cost;
      accept (e, g_steal_pointer (&moved), step);
      cost = then;
      damping /= 100;
      e->steps++;
      if (calm)
        return;
    }
}

/* R.m.s. (px) over panels of what their corners moved. */
static double
moved_by (const FlDetector *a, const FlDetector *b)
{
  double square = 0;
  for (guint i = 0; i < a->n_panels; i++)
    for (guint corner = 0; corner < 4; corner++)
      {
        const FlPanel *p = &a->panels[i];
        double fs = corner % 2 * p->n_fs, ss = corner / 2 * p->n_ss;
        FlVec3 off = fl_vec3_sub (fl_panel_position (p, fs, ss), fl_panel_position (&b->panels[i], fs, ss));
        square += fl_vec3_dot (off, off) / fl_vec3_dot (p->fs, p->fs);
      }
  return sqrt (square / (4 * a->n_panels));
}

/* --- all of it --- */

static void
collect (Ensemble *e, FlGeometryFit *fit)
{
  double square[BLOCKS] = { 0 };
  *fit = (FlGeometryFit){ .pairs = g_array_new (FALSE, FALSE, sizeof (FlGeometryPair)),
                          .n_lattices = fl_geometry_pair (e) };
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      g_array_append_vals (fit->pairs, e->crystals[i].pairs->data, e->crystals[i].pairs->len);
  fit->n_pairs = fit->pairs->len;
  for (guint i = 0; i < fit->pairs->len; i++)
    {
      const FlGeometryPair *pair = &g_array_index (fit->pairs, FlGeometryPair, i);
      square[e->lattices[pair->lattice].block] += pow2 ((double) pair->dfs) + pow2 ((double) pair->dss);
    }
  fl_geometry_team_count (e->options, &fit->n_pairs, 1);
  fl_geometry_team_sum (e->options, square, BLOCKS);
  for (guint i = 0; i < BLOCKS; i++)
    fit->rmsd += square[i];
  fit->rmsd = sqrt (fit->rmsd / (double) MAX (fit->n_pairs, 1));
  fit->sigma = e->sigma;
}

/* Pairs of every panel, of all. */
static guint *
count_pairs (const Ensemble *e, const GArray *pairs)
{
  guint n = e->detector->n_panels;
  g_autofree guint64 *all = g_new0 (guint64, n);
  guint *counts = g_new (guint, n);
  for (guint i = 0; i < pairs->len; i++)
    all[g_array_index (pairs, FlGeometryPair, i).panel]++;
  fl_geometry_team_count (e->options, all, n);
  for (guint i = 0; i < n; i++)
    counts[i] = (guint) MIN (all[i], G_MAXUINT / n);
  return counts;
}

static void
set_levels (Ensemble *e, FlGeometryLevels *levels)
{
  g_clear_pointer (&e->levels, fl_geometry_levels_free);
  e->levels = levels;
  g_free (e->gone);
  e->gone = g_new0 (double, levels->n + 1);
}

/* Pairs, steps, pairs … until the panels stay. */
static void
run (Ensemble *e, guint most, FlGeometryResult *result)
{
  g_autoptr (FlGeometrySums) sums = e->levels->n > 0 ? fl_geometry_sums_new (e->levels) : NULL;
  g_autoptr (FlGeometrySums) part = e->levels->n > 0 ? fl_geometry_sums_new (e->levels) : NULL;
  for (result->rounds = 0; result->rounds < most && !result->converged && !result->stopped; result->rounds++)
    {
      g_autoptr (FlDetector) before = fl_detector_ref (e->detector);
      if (fl_geometry_pair (e) == 0)
        return;
      descend (e, sums, part);
      e->cut = MIN (e->options->max_offset, MAX (FL_GEOMETRY_CUT * e->sigma, 0.5));
      result->converged = result->rounds > 1 && moved_by (before, e->detector) < CALM;
      result->stopped =
          e->levels->n > 0 && e->options->stop != NULL && e->options->stop (e->options->stop_data);
    }
}

/* Standard deviations at the end. */
static void
set_errors (Ensemble *e, const FlDetector *nominal, FlGeometryResult *result)
{
  const FlGeometryLevels *levels = e->levels;
  guint members = 1 + levels->n_groups + levels->n_panels;
  g_autofree double *weights = fl_geometry_member_weights (levels);
  result->value = g_memdup (e->gone, (levels->n + 1) * (guint) sizeof (double));
  result->sigma = g_new0 (double, levels->n + 1);
  result->moved = fl_geometry_members_moved (levels, weights, nominal, e->detector);
  result->moved_sigma = g_new0 (double, AXES *members);
  g_autoptr (FlGeometrySums) sums = fl_geometry_sums_new (levels);
  g_autoptr (FlGeometrySums) part = fl_geometry_sums_new (levels);
  sum_all (e, sums, part, 0);
  if (is_first (e))
    fl_geometry_sums_errors (sums, levels, weights, AXES * members, result->moved_sigma, result->sigma);
  fl_geometry_team_sum (e->options, result->sigma, levels->n);
  fl_geometry_team_sum (e->options, result->moved_sigma, AXES * members);
}

/* Where the lattices' own refinements saw the detector, on the whole. */
static FlVec3
median_shift (const Ensemble *e)
{
  g_autofree double *values = g_new (double, e->n + 1);
  double middle[3];
  for (guint axis = 0; axis < 3; axis++)
    {
      for (guint i = 0; i < e->n; i++)
        values[i] = axis == 0   ? e->lattices[i].shift.x
                    : axis == 1 ? e->lattices[i].shift.y
                                : e->lattices[i].shift.z;
      middle[axis] = fl_geometry_median (e->options->team, values, e->n, -FARTHEST, FARTHEST);
    }
  return fl_vec3 (middle[0], middle[1], middle[2]);
}

static void
place (Ensemble *e, const FlDetector *detector, FlVec3 shift)
{
  g_clear_pointer (&e->detector, fl_detector_unref);
  e->detector = fl_geometry_moved (NULL, detector, NULL);
  for (guint i = 0; i < detector->n_panels; i++)
    e->detector->panels[i].origin = fl_vec3_add (e->detector->panels[i].origin, shift);
  set_frames (e->detector, e->frames);
}

static void
begin (Ensemble *e, const FlDetector *detector)
{
  e->frames = g_new (FlPanelFrame, detector->n_panels);
  e->trial_frames = g_new (FlPanelFrame, detector->n_panels);
  e->crystals = g_new0 (Crystal, e->n + 1);
  e->rows = g_array_new (FALSE, FALSE, sizeof (FlGeometryRow));
  for (guint i = 0; i < e->n; i++)
    {
      fl_refinement_model_begin (&e->crystals[i].model, e->known, &e->lattices[i].star, fl_vec3 (0, 0, 0),
                                 FALSE, FALSE);
      e->crystals[i].pairs = g_array_new (FALSE, FALSE, sizeof (FlGeometryPair));
      e->first[e->lattices[i].block + 1]++;
    }
  for (guint i = 0; i < BLOCKS; i++)
    e->first[i + 1] += e->first[i];
}

/* Pairs from afar again. */
static void
widen (Ensemble *e)
{
  e->cut = e->options->max_offset;
  for (guint i = 0; i < e->n; i++)
    e->crystals[i].width = 0;
}

static void
end (Ensemble *e)
{
  for (guint i = 0; i < e->n; i++)
    {
      e->lattices[i].star = e->crystals[i].model.star;
      g_array_unref (e->crystals[i].pairs);
    }
  g_free (e->crystals);
  g_free (e->frames);
  g_free (e->trial_frames);
  g_free (e->gone);
  g_array_unref (e->rows);
  g_clear_pointer (&e->levels, fl_geometry_levels_free);
  fl_detector_unref (e->detector);
}

/* The lattices alone, in the detector as it was. */
static void
refine_before (Ensemble *e, const FlDetector *detector, const guint *group, FlGeometryResult *result)
{
  result->shift = median_shift (e);
  place (e, detector, result->shift);
  widen (e);
  set_levels (e, fl_geometry_levels_new (e->detector, group, NULL, NULL, 0));
  run (e, 3, result);
  collect (e, &result->before);
  result->panel_pairs = count_pairs (e, result->before.pairs);
}

static void
refine_all (Ensemble *e, const FlDetector *nominal, const FlDetector *start, const guint *group,
            FlGeometryResult *result)
{
  if (start != NULL)
    place (e, start, fl_vec3 (0, 0, 0));
  widen (e);
  set_levels (e, fl_geometry_levels_new (e->detector, group, &e->options->freedom, result->panel_pairs,
                                         e->options->min_panel));
  result->converged = FALSE;
  e->steps = 0;
  run (e, MOST_ROUNDS, result);
  collect (e, &result->after);
  set_errors (e, nominal, result);
  result->steps = e->steps;
  result->detector = fl_detector_ref (e->detector);
  result->levels = g_steal_pointer (&e->levels);
}

gboolean
fl_geometry_refine (const FlGeometryOptions *options, const FlDetector *detector, const FlDetector *start,
                    const guint *group, const FlKnownCell *known, GArray *lattices, FlGeometryResult *result,
                    GError **error)
{
  Ensemble e = { .options = options,
                 .known = known,
                 .lattices = (FlGeometryLattice *) (void *) lattices->data,
                 .n = lattices->len };
  guint64 all = lattices->len;
  *result = (FlGeometryResult){ 0 };
  fl_geometry_team_count (options, &all, 1);
  if (all == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no lattices, expected hundreds");
      return FALSE;
    }
  begin (&e, detector);
  refine_before (&e, detector, group, result);
  gboolean enough = result->before.n_lattices > 0;
  if (enough)
    refine_all (&e, detector, start, group, result);
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "none of %" G_GUINT64_FORMAT " lattices has %u spots within %g px of a reflection", all,
                 options->min_spots, options->max_offset);
  end (&e);
  return enough;
}

void
fl_geometry_result_clear (FlGeometryResult *result)
{
  g_clear_pointer (&result->before.pairs, g_array_unref);
  g_clear_pointer (&result->after.pairs, g_array_unref);
  g_clear_pointer (&result->detector, fl_detector_unref);
  g_clear_pointer (&result->levels, fl_geometry_levels_free);
  g_clear_pointer (&result->value, g_free);
  g_clear_pointer (&result->sigma, g_free);
  g_clear_pointer (&result->moved, g_free);
  g_clear_pointer (&result->moved_sigma, g_free);
  g_clear_pointer (&result->panel_pairs, g_free);
}
