#include "engine/sfx/geometry-refinement.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/geometry-sums.h"
#include "engine/sfx/shot-geometry.h"

#define AXES        FL_GEOMETRY_AXES
#define CAUCHY      2.385 /* widths, 95 % efficient for normal errors */
#define CUT         4.0   /* widths: pairs beyond are left out */
#define LEAST_SIGMA 0.02  /* px */
#define LEAST_WIDTH 1e-6  /* 1/Å */
#define MOST_ROUNDS 12
#define STEPS       6    /* a round */
#define CALM        2e-3 /* px: rounds that move panels less (r.m.s.) end it */
#define TURN_PRIOR  0.1  /* rad, of a lattice a step: keeps the block definite */

/* A lattice on its way. */
typedef struct
{
  FlRefinementModel model, trial;
  GArray *pairs; /* of FlGeometryPair */
  double width;  /* 1/Å, of its excitation errors */
  gboolean used;
} Crystal;

typedef struct
{
  const FlGeometryOptions *options;
  const FlKnownCell *known;
  FlGeometryLattice *lattices;
  Crystal *crystals;
  guint n;
  double sigma; /* px */
  double cut;   /* px */
  FlGeometryLevels *levels;
  FlDetector *detector;
  FlPanelFrame *frames, *trial_frames;
  double *gone; /* of the levels' parameters */
  GArray *rows; /* of FlGeometryRow */
  guint steps;
} Ensemble;

static double
pow2 (double x)
{
  return x * x;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Sorts; 0 of nothing. */
static double
median (double *values, guint n)
{
  if (n == 0)
    return 0;
  qsort (values, n, sizeof *values, compare_doubles);
  return values[n / 2];
}

static void
set_frames (const FlDetector *detector, FlPanelFrame *frames)
{
  for (guint i = 0; i < detector->n_panels; i++)
    frames[i] = fl_panel_frame (&detector->panels[i]);
}

/* --- pairs --- */

static gboolean
predict (const Ensemble *e, const FlPanelFrame *frames, guint lattice, const FlRefinementModel *model,
         const FlGeometryPair *pair, FlSpotModel *at)
{
  return fl_refinement_model_spot (model, &frames[pair->panel], e->lattices[lattice].wavelength,
                                   fl_vec3 (pair->h, pair->k, pair->l), at);
}

/* The reflection next to a spot; FALSE: none, or too far. */
static gboolean
pair_spot (const Ensemble *e, guint lattice, const FlMat3 *real, const FlSpotRow *spot, FlGeometryPair *pair)
{
  const Crystal *crystal = &e->crystals[lattice];
  FlShotGeometry geometry = { e->detector, NULL, fl_vec3 (0, 0, 0), e->lattices[lattice].wavelength };
  if (spot->panel >= e->detector->n_panels)
    return FALSE;
  FlVec3 hkl =
      fl_mat3_apply (real, fl_shot_geometry_q (&geometry, spot->panel, (double) spot->fs, (double) spot->ss));
  if (!(fabs (hkl.x) < 30000 && fabs (hkl.y) < 30000 && fabs (hkl.z) < 30000))
    return FALSE;
  *pair = (FlGeometryPair){ .lattice = lattice,
                            .panel = spot->panel,
                            .h = (gint16) rint (hkl.x),
                            .k = (gint16) rint (hkl.y),
                            .l = (gint16) rint (hkl.z),
                            .fs = spot->fs,
                            .ss = spot->ss };
  FlSpotModel at;
  if ((pair->h == 0 && pair->k == 0 && pair->l == 0)
      || fl_centring_absent (e->known->centring, pair->h, pair->k, pair->l)
      || !predict (e, e->frames, lattice, &crystal->model, pair, &at))
    return FALSE;
  pair->dfs = (float) ((double) spot->fs - at.fs);
  pair->dss = (float) ((double) spot->ss - at.ss);
  pair->excitation = (float) at.excitation;
  return hypot ((double) pair->dfs, (double) pair->dss) <= e->cut
         && (!(crystal->width > 0) || fabs (at.excitation) <= CUT * crystal->width);
}

static guint64
key_of (const FlGeometryPair *pair)
{
  return (guint64) (guint16) pair->h << 32 | (guint64) (guint16) pair->k << 16 | (guint16) pair->l;
}

/* Of two spots at one lattice point the nearer to the prediction counts. */
static void
keep_one_each (GArray *pairs)
{
  g_autoptr (GHashTable) best = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint n = 0;
  FlGeometryPair *all = (FlGeometryPair *) (void *) pairs->data;
  for (guint i = 0; i < pairs->len; i++)
    {
      guint64 key = key_of (&all[i]);
      gpointer place;
      if (!g_hash_table_lookup_extended (best, &key, NULL, &place))
        {
          guint64 *own = g_new (guint64, 1);
          *own = key;
          g_hash_table_insert (best, own, GUINT_TO_POINTER (n));
          all[n++] = all[i];
          continue;
        }
      FlGeometryPair *other = &all[GPOINTER_TO_UINT (place)];
      if (hypot ((double) all[i].dfs, (double) all[i].dss) < hypot ((double) other->dfs, (double) other->dss))
        *other = all[i];
    }
  g_array_set_size (pairs, n);
}

static void
pair_lattice (const Ensemble *e, guint lattice)
{
  Crystal *crystal = &e->crystals[lattice];
  const FlGeometryLattice *from = &e->lattices[lattice];
  FlMat3 real = fl_lattice_real (&crystal->model.star);
  g_array_set_size (crystal->pairs, 0);
  for (guint i = 0; i < from->n_spots; i++)
    {
      FlGeometryPair pair;
      if (pair_spot (e, lattice, &real, &from->spots[i], &pair))
        g_array_append_val (crystal->pairs, pair);
    }
  keep_one_each (crystal->pairs);
  crystal->used = crystal->pairs->len >= MAX (e->options->min_spots, crystal->model.n + 1);
}

/* Widths from medians: of the excitation errors of each lattice, of the distances of all. */
static guint
set_widths (Ensemble *e)
{
  g_autoptr (GArray) distances = g_array_new (FALSE, FALSE, sizeof (double));
  guint used = 0;
  for (guint i = 0; i < e->n; i++)
    {
      Crystal *crystal = &e->crystals[i];
      const FlGeometryPair *pairs = (const FlGeometryPair *) (void *) crystal->pairs->data;
      g_autofree double *off = g_new (double, crystal->pairs->len + 1);
      for (guint k = 0; crystal->used && k < crystal->pairs->len; k++)
        {
          double distance = hypot ((double) pairs[k].dfs, (double) pairs[k].dss);
          g_array_append_val (distances, distance);
          off[k] = fabs ((double) pairs[k].excitation);
        }
      if (!crystal->used)
        continue;
      used++;
      crystal->width = MAX (1.4826 * median (off, crystal->pairs->len), LEAST_WIDTH);
    }
  e->sigma = MAX (median ((double *) (void *) distances->data, distances->len) / 1.17741, LEAST_SIGMA);
  return used;
}

/* All pairs anew; the number of lattices used. */
static guint
pair_all (Ensemble *e)
{
  for (guint i = 0; i < e->n; i++)
    pair_lattice (e, i);
  return set_widths (e);
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

/* Cost of all at a state. */
static double
cost_of (const Ensemble *e, const FlPanelFrame *frames, gboolean trial, const double *step)
{
  double cost = 0, prior[FL_REFINEMENT_MOST], pull[FL_REFINEMENT_MOST], weight[3];
  for (guint i = 0; i < e->n; i++)
    {
      const Crystal *crystal = &e->crystals[i];
      const FlRefinementModel *model = trial ? &crystal->trial : &crystal->model;
      const FlGeometryPair *pairs = (const FlGeometryPair *) (void *) crystal->pairs->data;
      if (!crystal->used)
        continue;
      double own = restrain (e, model, prior, pull);
      for (guint k = 0; k < crystal->pairs->len; k++)
        {
          FlSpotModel at;
          if (!predict (e, frames, i, model, &pairs[k], &at))
            return INFINITY;
          const double residual[3] = { (double) pairs[k].fs - at.fs, (double) pairs[k].ss - at.ss,
                                       -at.excitation };
          own += robust (e, crystal->width, residual, weight);
        }
      cost += own;
    }
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
      if (!predict (e, e->frames, lattice, &crystal->model, pair, &at))
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

static const FlGeometryRow *
rows_of (const Ensemble *e)
{
  return (const FlGeometryRow *) (void *) e->rows->data;
}

/* The detector's step and the motion of its panels. */
static gboolean
detector_step (Ensemble *e, FlGeometrySums *sums, double damping, double *step, double *motion)
{
  double prior[FL_REFINEMENT_MOST], pull[FL_REFINEMENT_MOST];
  fl_geometry_sums_clear (sums);
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      {
        const FlRefinementModel *model = &e->crystals[i].model;
        restrain (e, model, prior, pull);
        make_rows (e, i);
        fl_geometry_sums_add (sums, rows_of (e), e->rows->len, model->n, prior, pull, damping);
      }
  return fl_geometry_sums_solve (sums, e->levels, e->gone, damping, step, motion);
}

static void
lattice_steps (Ensemble *e, double damping, const double *motion)
{
  double prior[FL_REFINEMENT_MOST], pull[FL_REFINEMENT_MOST], step[FL_REFINEMENT_MOST];
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      {
        Crystal *crystal = &e->crystals[i];
        restrain (e, &crystal->model, prior, pull);
        make_rows (e, i);
        crystal->trial = crystal->model;
        if (fl_geometry_lattice_step (rows_of (e), e->rows->len, crystal->model.n, prior, pull, damping,
                                      motion, step))
          crystal->trial = fl_refinement_model_step (&crystal->model, step);
      }
}

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
descend (Ensemble *e, FlGeometrySums *sums)
{
  g_autofree double *step = g_new0 (double, e->levels->n + 1), *motion = g_new0 (double, sums->size);
  double damping = 1e-6, cost = cost_of (e, e->frames, FALSE, NULL);
  for (guint i = 0; i < STEPS && damping < 1e4; i++)
    {
      gboolean solved = detector_step (e, sums, damping, step, motion);
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
  double square = 0;
  *fit = (FlGeometryFit){ .pairs = g_array_new (FALSE, FALSE, sizeof (FlGeometryPair)),
                          .n_lattices = pair_all (e) };
  for (guint i = 0; i < e->n; i++)
    if (e->crystals[i].used)
      g_array_append_vals (fit->pairs, e->crystals[i].pairs->data, e->crystals[i].pairs->len);
  for (guint i = 0; i < fit->pairs->len; i++)
    {
      const FlGeometryPair *pair = &g_array_index (fit->pairs, FlGeometryPair, i);
      square += pow2 ((double) pair->dfs) + pow2 ((double) pair->dss);
    }
  fit->rmsd = sqrt (square / MAX (fit->pairs->len, 1));
  fit->sigma = e->sigma;
}

/* Pairs, steps, pairs … until the panels stay; `freedom` NULL: the lattices alone. TRUE: they stayed. */
static gboolean
run (Ensemble *e, const guint *group, const FlGeometryFreedom *freedom, guint most, guint *rounds)
{
  g_clear_pointer (&e->levels, fl_geometry_levels_free);
  e->levels = fl_geometry_levels_new (e->detector, group, freedom);
  g_free (e->gone);
  e->gone = g_new0 (double, e->levels->n + 1);
  g_autoptr (FlGeometrySums) sums = fl_geometry_sums_new (e->detector->n_panels);
  for (*rounds = 0; *rounds < most; (*rounds)++)
    {
      g_autoptr (FlDetector) before = fl_detector_ref (e->detector);
      if (pair_all (e) == 0)
        return FALSE;
      descend (e, sums);
      e->cut = MIN (e->options->max_offset, MAX (CUT * e->sigma, 0.5));
      if (*rounds > 1 && moved_by (before, e->detector) < CALM)
        return TRUE;
    }
  return FALSE;
}

/* The detector where the lattices' own refinements saw it, on the whole. */
static FlDetector *
start_detector (const FlDetector *detector, const FlGeometryLattice *lattices, guint n)
{
  FlDetector *start = fl_geometry_moved (NULL, detector, NULL);
  g_autofree double *values = g_new (double, n);
  double middle[3];
  for (guint axis = 0; axis < 3; axis++)
    {
      for (guint i = 0; i < n; i++)
        values[i] = axis == 0 ? lattices[i].shift.x : axis == 1 ? lattices[i].shift.y : lattices[i].shift.z;
      middle[axis] = median (values, n);
    }
  for (guint i = 0; i < start->n_panels; i++)
    start->panels[i].origin =
        fl_vec3_add (start->panels[i].origin, fl_vec3 (middle[0], middle[1], middle[2]));
  return start;
}

static void
begin (Ensemble *e, const FlDetector *detector)
{
  e->detector = start_detector (detector, e->lattices, e->n);
  e->frames = g_new (FlPanelFrame, detector->n_panels);
  e->trial_frames = g_new (FlPanelFrame, detector->n_panels);
  set_frames (e->detector, e->frames);
  e->crystals = g_new0 (Crystal, e->n);
  e->rows = g_array_new (FALSE, FALSE, sizeof (FlGeometryRow));
  e->cut = e->options->max_offset;
  for (guint i = 0; i < e->n; i++)
    {
      fl_refinement_model_begin (&e->crystals[i].model, e->known, &e->lattices[i].star, fl_vec3 (0, 0, 0),
                                 FALSE, FALSE);
      e->crystals[i].pairs = g_array_new (FALSE, FALSE, sizeof (FlGeometryPair));
    }
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
  fl_geometry_levels_free (e->levels);
  fl_detector_unref (e->detector);
}

gboolean
fl_geometry_refine (const FlGeometryOptions *options, const FlDetector *detector, const guint *group,
                    const FlKnownCell *known, GArray *lattices, FlGeometryResult *result, GError **error)
{
  Ensemble e = { .options = options,
                 .known = known,
                 .lattices = (FlGeometryLattice *) (void *) lattices->data,
                 .n = lattices->len };
  guint rounds;
  *result = (FlGeometryResult){ 0 };
  if (lattices->len == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no lattices, expected hundreds");
      return FALSE;
    }
  begin (&e, detector);
  run (&e, group, NULL, 3, &rounds);
  collect (&e, &result->before);
  gboolean enough = result->before.n_lattices > 0;
  if (enough)
    {
      e.cut = options->max_offset;
      for (guint i = 0; i < e.n; i++)
        e.crystals[i].width = 0;
      result->converged = run (&e, group, &options->freedom, MOST_ROUNDS, &result->rounds);
      collect (&e, &result->after);
      result->steps = e.steps;
      result->detector = fl_detector_ref (e.detector);
    }
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "none of %u lattices has %u spots within %g px of a reflection", lattices->len,
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
}
