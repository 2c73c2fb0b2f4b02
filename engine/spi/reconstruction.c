#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/spi/particle-size.h"
#include "engine/spi/reconstruction-private.h"

#define CONTRAST      0.5 /* of a first model's speckles */
#define SHARPENINGS   10  /* generations in which β grows to 1 */
#define MOST_A_STAGE  8   /* generations after that */
#define LEAST_A_STAGE 3
#define GAIN          0.002 /* of the likelihood: less is none */
#define ENOUGH_HELD   20    /* patterns, to choose a start by */
#define RINGS         64
#define TURNS         1800
#define REFININGS     3   /* generations off the grid */
#define FIRST_BALL    0.8 /* spacings of the grid: radius of the first ball; halved from one to the next */

/* --- setting up --- */

/* Å⁻¹: where the rings of good pixels are half empty: a square detector's edge, not its corners. */
static double
detector_edge (const FlPatternPixels *pixels)
{
  double corner = 0, most = 0, edge = 0, counts[RINGS] = { 0 };
  for (guint i = 0; i < pixels->n; i++)
    if (pixels->mask[i] == FL_PATTERN_GOOD)
      corner = fmax (corner, fl_vec3_norm (pixels->s[i]));
  for (guint i = 0; i < pixels->n; i++)
    if (pixels->mask[i] == FL_PATTERN_GOOD)
      counts[MIN (RINGS - 1, (guint) (fl_vec3_norm (pixels->s[i]) / corner * RINGS))]++;
  for (guint i = 0; i < RINGS; i++)
    {
      counts[i] /= 2 * i + 1;
      most = i >= RINGS / 8 ? fmax (most, counts[i]) : most;
    }
  for (guint i = 0; i < RINGS; i++)
    if (counts[i] > 0.7 * most)
      edge = (i + 1) * corner / RINGS;
  return edge;
}

static gboolean
find_sizes (FlReconstruction *r, const FlParams *params, GError **error)
{
  double resolution = fl_params_real (params, "reconstruct.resolution");
  r->diameter = fl_params_real (params, "reconstruct.diameter");
  r->diameter_given = r->diameter > 0;
  if (!r->diameter_given && !fl_particle_size (r->parallel, r->mine, &r->diameter, error))
    return FALSE;
  double edge = detector_edge (r->mine->pixels);
  r->s_max = resolution > 0 ? fmin (edge, 1 / resolution) : edge;
  if (edge > 0 && r->s_max * r->diameter >= 2)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "patterns to %.1f Å of a particle of %.0f Å have less than 2 speckles, expected a larger "
               "particle or patterns "
               "that go further out",
               1 / r->s_max, r->diameter);
  return FALSE;
}

/* Halves and who is held back, by what a pattern is; scales by its photons. */
static void
deal (FlReconstruction *r)
{
  const FlPatterns *mine = r->mine;
  double sums[3] = { 0 };
  r->assignments = g_new0 (FlAssignment, mine->n);
  for (guint g = 0; g < GROUPS; g++)
    r->groups[g].pattern = g_new (guint, mine->n);
  for (guint held = 0; held < 2; held++)
    for (guint i = 0; i < mine->n; i++)
      {
        FlAssignment *assignment = &r->assignments[i];
        guint64 drawn = fl_hash64 (&mine->id[i], sizeof mine->id[i], r->seed);
        assignment->half = drawn & 1;
        assignment->held_back = (double) (drawn >> 11) * 0x1p-53 < r->held_back;
        if (assignment->held_back != held)
          continue;
        for (guint k = 0; k < 2; k++)
          {
            FlMatchGroup *group = &r->groups[k == 0 ? assignment->half : ALL];
            group->pattern[group->n++] = i;
            group->n_merged += !held;
          }
        assignment->scale = (float) fl_patterns_photons (mine, i);
        sums[0] += assignment->scale;
        sums[1]++;
        sums[2] += held;
      }
  fl_parallel_sum_f64 (r->parallel, sums, 3);
  r->n_all = (guint64) sums[1];
  r->n_held = (guint64) sums[2];
  for (guint i = 0; i < mine->n && sums[0] > 0; i++)
    r->assignments[i].scale *= (float) (sums[1] / sums[0]);
  double photons = sums[0] / fmax (sums[1], 1);
  r->first_beta = fmin (0.5, exp (-6.5 * pow (fmax (photons, 1) * 1e-5, 0.15)));
  r->sharpen = pow (r->first_beta, -1.0 / SHARPENINGS);
}

void
fl_reconstruction_plan (FlReconstruction *r, double diameter)
{
  r->diameter = diameter;
  fl_radial_free (r->radial);
  g_clear_pointer (&r->plans, g_array_unref);
  r->radial = fl_radial_new (r->parallel, r->mine, 1 / (3 * diameter), r->s_max * 1.1);
  r->plans = fl_stage_plans (diameter, r->s_max);
}

FlReconstruction *
fl_reconstruction_new (FlParallel *parallel, FlkDevice *device, const FlPatterns *mine,
                       const FlParams *params, GError **error)
{
  g_autoptr (FlReconstruction) r = g_new0 (FlReconstruction, 1);
  r->parallel = parallel;
  r->device = device;
  r->mine = mine;
  r->n_conformations = (guint) fl_params_int (params, "reconstruct.conformations");
  r->n_starts = (guint) fl_params_int (params, "reconstruct.starts");
  r->seed = (guint64) fl_params_int (params, "reconstruct.seed");
  r->held_back = fl_params_real (params, "reconstruct.hold_back");
  r->refine = fl_params_bool (params, "reconstruct.refine");
  r->made = G_MAXUINT;
  const char *symmetry = fl_params_text (params, "reconstruct.symmetry");
  if (g_ascii_strcasecmp (symmetry, "C1") != 0
      && (r->symmetry = fl_point_group_new (symmetry, error)) == NULL)
    return NULL;
  if (!find_sizes (r, params, error))
    return NULL;
  deal (r);
  fl_reconstruction_plan (r, r->diameter);
  r->progress =
      (FlProgress){ .beta = r->first_beta, .likelihood = -INFINITY, .best = { -INFINITY, -INFINITY } };
  return g_steal_pointer (&r);
}

FlVolume **
fl_models_copy (FlVolume *const *models, guint n)
{
  FlVolume **copy = models != NULL ? g_new0 (FlVolume *, n) : NULL;
  for (guint c = 0; c < n && models != NULL; c++)
    copy[c] = fl_volume_copy (models[c]);
  return copy;
}

void
fl_models_clear (FlVolume ***models, guint n)
{
  for (guint c = 0; c < n && *models != NULL; c++)
    fl_volume_free ((*models)[c]);
  g_clear_pointer (models, g_free);
}

void
fl_reconstruction_free (FlReconstruction *r)
{
  if (r == NULL)
    return;
  for (guint g = 0; g < GROUPS; g++)
    {
      fl_models_clear (&r->models[g], r->n_conformations);
      g_free (r->groups[g].pattern);
    }
  for (guint h = 0; h < HALVES; h++)
    fl_models_clear (&r->chosen[h], r->n_conformations);
  fl_matching_free (r->matching);
  fl_refining_free (r->refining);
  fl_stage_free (r->stage);
  fl_radial_free (r->radial);
  fl_point_group_free (r->symmetry);
  g_clear_pointer (&r->plans, g_array_unref);
  g_free (r->assignments);
  g_free (r);
}

/* --- a generation --- */

static const FlSpiStagePlan *
plan_of (const FlReconstruction *r, guint stage)
{
  return &g_array_index (r->plans, FlSpiStagePlan, stage);
}

static gboolean
make_stage (FlReconstruction *r, GError **error)
{
  if (r->made == r->progress.stage)
    return TRUE;
  g_clear_pointer (&r->matching, fl_matching_free);
  g_clear_pointer (&r->refining, fl_refining_free);
  g_clear_pointer (&r->stage, fl_stage_free);
  r->stage = fl_stage_new (plan_of (r, r->progress.stage), r->diameter, r->mine->pixels, r->radial);
  r->matching =
      fl_matching_new (r->parallel, r->device, r->mine, r->stage, r->radial, r->n_conformations, error);
  r->made = r->matching != NULL ? r->progress.stage : G_MAXUINT;
  return r->matching != NULL;
}

/* Models of a group on this stage's grid. */
static gboolean
make_models (FlReconstruction *r, guint g, GError **error)
{
  FlVolume **models = r->models[g];
  if (models == NULL)
    models = r->models[g] = g_new0 (FlVolume *, r->n_conformations);
  for (guint c = 0; c < r->n_conformations; c++)
    {
      FlVolume *model = models[c];
      guint64 drawn[] = { r->seed, g, c, r->progress.start };
      if (model == NULL)
        models[c] =
            fl_fitting_start (r->stage, r->radial, fl_hash64 (drawn, sizeof drawn, 0), CONTRAST, error);
      else if (model->m != r->stage->m || model->voxel != r->stage->voxel)
        {
          double known =
              fmin (r->stage->s_max, model->voxel > r->stage->voxel
                                         ? plan_of (r, r->progress.stage - 1)->speckles / r->diameter
                                         : r->stage->s_max);
          models[c] = fl_fitting_regrid (r->stage, r->radial, model, known, error);
          fl_volume_free (model);
        }
      if (models[c] == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
symmetrise (FlReconstruction *r, guint g, GError **error)
{
  FlAlignmentRange range = { 1 / r->diameter, r->stage->s_max, r->diameter };
  for (guint c = 0; c < r->n_conformations; c++)
    {
      FlQuat frame;
      double correlation;
      if (!fl_point_group_find (r->symmetry, r->models[g][c], &range, &frame, &correlation, error))
        return FALSE;
      FlVolume *mean = fl_point_group_mean (r->symmetry, frame, r->models[g][c], error);
      if (mean == NULL)
        return FALSE;
      fl_volume_free (r->models[g][c]);
      r->models[g][c] = mean;
    }
  return TRUE;
}

/* What is summed over patterns: of those merged, then of those held back, then of the halves held back and all halves. */
typedef struct
{
  double likelihood[2], n[2], information, scale;
  double of_half[HALVES], n_half[HALVES], held_half[HALVES], n_held_half[HALVES];
  double turned[TURNS]; /* patterns whose orientation turned by so many tenths of a degree */
} Sums;

/* Member i of a group. */
static void
take_one (FlReconstruction *r, const FlMatchGroup *group, guint i, FlQuat orientation, const FlMatched *match,
          Sums *sums)
{
  FlAssignment *assignment = &r->assignments[group->pattern[i]];
  guint held = i >= group->n_merged, half = assignment->half;
  double turn = r->progress.generation > 0 ? fl_quat_angle (assignment->orientation, orientation) : G_PI;
  sums->turned[MIN (TURNS - 1, (guint) (turn * TURNS / G_PI))]++;
  sums->likelihood[held] += match->likelihood;
  sums->n[held]++;
  *(held ? &sums->held_half[half] : &sums->of_half[half]) += match->likelihood;
  *(held ? &sums->n_held_half[half] : &sums->n_half[half]) += 1;
  sums->information += match->information;
  sums->scale += match->scale;
  assignment->orientation = orientation;
  assignment->conformation = match->conformation;
  assignment->confidence = match->share;
  assignment->scale = match->scale;
}

/* On the grid. */
static gboolean
match_group (FlReconstruction *r, guint g, Sums *sums, float seconds[3], GError **error)
{
  const FlMatchGroup *group = &r->groups[g];
  g_autofree FlMatched *matched = g_new0 (FlMatched, group->n);
  g_autofree float *scale = g_new (float, group->n);
  for (guint i = 0; i < group->n; i++)
    scale[i] = r->assignments[group->pattern[i]].scale;
  if (!make_models (r, g, error)
      || !fl_matching_run (r->matching, r->models[g], group, scale, r->progress.beta, matched, seconds,
                           error))
    return FALSE;
  for (guint i = 0; i < group->n; i++)
    take_one (r, group, i, r->stage->rotations->rotations[matched[i].rotation], &matched[i], sums);
  return TRUE;
}

static gboolean
is_refining (const FlReconstruction *r)
{
  return r->progress.settled && r->refine && r->progress.refined < REFININGS;
}

static double
ball_radius (const FlReconstruction *r)
{
  return FIRST_BALL * fl_rotations_spacing (plan_of (r, r->progress.stage)->fineness)
         / (1 << r->progress.refined);
}

/* Off it. */
static gboolean
refine_group (FlReconstruction *r, guint g, Sums *sums, float seconds[3], GError **error)
{
  const FlMatchGroup *group = &r->groups[g];
  g_autofree FlRefined *refined = g_new0 (FlRefined, group->n);
  for (guint i = 0; i < group->n; i++)
    {
      const FlAssignment *known = &r->assignments[group->pattern[i]];
      refined[i] = (FlRefined){ known->orientation, known->conformation, known->scale, 0, 0 };
    }
  if (r->refining == NULL)
    r->refining = fl_refining_new (r->parallel, r->device, r->mine, r->stage, r->radial, error);
  if (r->refining == NULL
      || !fl_refining_run (r->refining, r->n_conformations, r->models[g], group, ball_radius (r), refined,
                           seconds, error))
    return FALSE;
  for (guint i = 0; i < group->n; i++)
    {
      const FlMatched match = { refined[i].conformation,
                                0,
                                refined[i].likelihood,
                                refined[i].information,
                                r->assignments[group->pattern[i]].confidence,
                                refined[i].scale };
      take_one (r, group, i, refined[i].orientation, &match, sums);
    }
  return TRUE;
}

static float
median_turn (const Sums *sums)
{
  double below = 0;
  guint bin = 0;
  while (bin < TURNS - 1 && below + sums->turned[bin] < (sums->n[0] + sums->n[1]) / 2)
    below += sums->turned[bin++];
  return bin == 0 ? 0 : (float) ((bin + 0.5) * G_PI / TURNS);
}

static void
fill_row (const FlReconstruction *r, const Sums *sums, FlGenerationRow *row)
{
  *row =
      (FlGenerationRow){ .number = r->progress.generation,
                         .time = (guint64) g_get_real_time () * 1000,
                         .stage = (guint8) r->progress.stage,
                         .patterns = (guint32) r->n_all,
                         .held_back = (guint32) r->n_held,
                         .orientations = is_refining (r) ? (guint32) fl_refining_rotations (ball_radius (r))
                                                         : r->stage->rotations->n,
                         .conformations = r->n_conformations,
                         .resolution = (float) (1 / r->stage->s_max),
                         .beta = (float) r->progress.beta,
                         .likelihood = sums->n[0] > 0 ? sums->likelihood[0] / sums->n[0] : NAN,
                         .held = sums->n[1] > 0 ? sums->likelihood[1] / sums->n[1] : NAN,
                         .information = (float) (sums->information / fmax (1, sums->n[0] + sums->n[1])),
                         .change = median_turn (sums),
                         .half_resolution = NAN,
                         .half_low = NAN,
                         .half_high = NAN,
                         .prtf_resolution = NAN };
}

/* --- what comes next --- */

/* The last generation of a start: keep its models where they are the best so far; then the next start, or the best goes on. */
static void
end_start (FlReconstruction *r, const Sums *sums)
{
  gboolean by_held = r->n_held >= ENOUGH_HELD;
  for (guint h = 0; h < HALVES; h++)
    {
      double told = by_held ? sums->held_half[h] / fmax (1, sums->n_held_half[h])
                            : sums->of_half[h] / fmax (1, sums->n_half[h]);
      if (r->chosen[h] == NULL || told > r->progress.best[h])
        {
          fl_models_clear (&r->chosen[h], r->n_conformations);
          r->chosen[h] = g_steal_pointer (&r->models[h]);
          r->progress.best[h] = told;
        }
      fl_models_clear (&r->models[h], r->n_conformations);
    }
  r->progress.start++;
  if (r->progress.start < r->n_starts)
    {
      r->progress.stage = 0;
      r->progress.beta = r->first_beta;
      return;
    }
  for (guint h = 0; h < HALVES; h++)
    r->models[h] = g_steal_pointer (&r->chosen[h]);
}

/* Half 1's conformations in the order of half 0's that they are most like. */
static gboolean
pair_conformations (FlReconstruction *r, GError **error)
{
  FlAlignmentRange range = { 1 / r->diameter, r->stage->s_max, r->diameter };
  for (guint c = 0; c + 1 < r->n_conformations; c++)
    {
      guint like = c;
      double best = -INFINITY;
      for (guint k = c; k < r->n_conformations; k++)
        {
          FlAlignment alignment;
          if (!fl_align_autocorrelations (r->models[0][c], r->models[1][k], &range, &alignment, error))
            return FALSE;
          if (alignment.correlation > best)
            {
              best = alignment.correlation;
              like = k;
            }
        }
      FlVolume *other = r->models[1][c];
      r->models[1][c] = r->models[1][like];
      r->models[1][like] = other;
    }
  return TRUE;
}

/* A stage is over when the assignment is sharp and models no longer get better. */
static gboolean
is_over (FlReconstruction *r, const Sums *sums)
{
  FlProgress *p = &r->progress;
  double likelihood = sums->likelihood[0] / fmax (1, sums->n[0]), gain = likelihood - p->likelihood;
  gboolean sharp = p->beta >= 1;
  p->in_stage++;
  p->likelihood = likelihood;
  p->beta = fmin (1, p->beta * r->sharpen);
  return (sharp && p->in_stage >= LEAST_A_STAGE && gain < GAIN * fabs (likelihood))
         || p->in_stage >= MOST_A_STAGE + (plan_of (r, p->stage)->anneal ? SHARPENINGS : 0);
}

static gboolean
go_on (FlReconstruction *r, const Sums *sums, GError **error)
{
  FlProgress *p = &r->progress;
  if (!is_over (r, sums))
    return TRUE;
  p->in_stage = 0;
  p->likelihood = -INFINITY;
  if (plan_of (r, p->stage)->choose && p->start < r->n_starts)
    {
      end_start (r, sums);
      if (p->start < r->n_starts)
        return TRUE;
    }
  if (p->stage + 1 < r->plans->len)
    p->stage++;
  else if (p->joined)
    p->settled = TRUE;
  else
    {
      p->joined = TRUE;
      r->models[ALL] = fl_models_copy (r->models[0], r->n_conformations);
      return pair_conformations (r, error);
    }
  return TRUE;
}

gboolean
fl_reconstruction_step (FlReconstruction *r, FlGenerationRow *row, GError **error)
{
  float seconds[3] = { 0 };
  gint64 began = g_get_monotonic_time ();
  Sums sums = { 0 };
  guint first = r->progress.joined ? ALL : 0, last = r->progress.joined ? ALL : HALVES - 1;
  if (!make_stage (r, error))
    return FALSE;
  for (guint g = first; g <= last; g++)
    if (!(is_refining (r) ? refine_group : match_group) (r, g, &sums, seconds, error)
        || (r->symmetry != NULL && plan_of (r, r->progress.stage)->speckles >= 3
            && !symmetrise (r, g, error)))
      return FALSE;
  fl_parallel_sum_f64 (r->parallel, (double *) &sums, sizeof sums / sizeof (double));
  for (guint i = 0; i < r->mine->n && sums.scale > 0; i++)
    r->assignments[i].scale *= (float) ((double) r->n_all / sums.scale);
  r->progress.generation++;
  fill_row (r, &sums, row);
  memcpy (row->seconds, seconds, sizeof seconds);
  if (is_refining (r))
    r->progress.refined++;
  else if (!go_on (r, &sums, error))
    return FALSE;
  row->seconds[4] =
      (float) (1e-6 * (double) (g_get_monotonic_time () - began)) - seconds[0] - seconds[1] - seconds[2];
  return TRUE;
}

/* --- asking --- */

gboolean
fl_reconstruction_done (const FlReconstruction *r)
{
  return r->progress.settled && !is_refining (r);
}

guint
fl_reconstruction_conformations (const FlReconstruction *r)
{
  return r->n_conformations;
}

const FlVolume *
fl_reconstruction_autocorrelation (const FlReconstruction *r, guint conformation, guint half)
{
  FlVolume **models = r->models[half == ALL && r->models[ALL] == NULL ? 0 : half];
  if (models == NULL && half < HALVES)
    models = r->chosen[half]; /* between two starts */
  else if (models == NULL)
    models = r->chosen[0];
  return models != NULL ? models[conformation] : NULL;
}

double
fl_reconstruction_diameter (const FlReconstruction *r)
{
  return r->diameter;
}

void
fl_reconstruction_assignment (const FlReconstruction *r, guint pattern, FlAssignment *assignment)
{
  *assignment = r->assignments[pattern];
}
