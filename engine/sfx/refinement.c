/* The pairs' residuals are a mixture: spots of the lattice (a Gaussian in fs, ss and excitation error), the same but
 * wider (side maxima of small crystals, bad centroids), and spots that have nothing to do with it, which lie anywhere in
 * the lattice's cell. Widths and fractions are learned along with the lattice, so that a pair counts by how much more
 * probable it is than chance, whatever the cell. Each step is one of Levenberg and Marquardt's with these weights
 * (generalised expectation-maximisation; Dempster, Laird & Rubin 1977), undone when the likelihood falls. */
#include "engine/sfx/refinement.h"

#include <string.h>

#include "engine/sfx/refinement-model.h"

#define MOST_STEPS   30
#define ENOUGH       0.05  /* of the logarithm of the likelihood: less tells nothing */
#define FEWEST       5     /* pairs */
#define HALO         4.0   /* how much wider the wide component is at first; never less than half of it */
#define LEAST_SIGMA  0.05  /* px */
#define USUAL_SIGMA  0.3   /* px */
#define USUAL_WIDTH  3e-4  /* 1/Å */
#define USUAL_WEIGHT 3.0   /* spots that speak for the usual widths */
#define FIRST_SIGMA  0.1   /* of the shortest reciprocal axis */
#define FIRST_TURN   0.006 /* rad; how wrong the orientation may be at first */
#define GROWTH       1.5   /* of the resolution, from step to step */
#define CELL_PRIOR   0.01  /* a length by 0.5 %, an angle by about 0.5° */
#define CELL_PRIOR_DISTANCE                                                                                  \
  0.001                     /* the same when the distance is refined, which lengths alone would follow */
#define BEAM_PRIOR     0.05 /* mm */
#define DISTANCE_PRIOR 1.0  /* mm */
#define TURN_PRIOR     0.05 /* rad */
#define FARTHEST_TURN  0.03 /* rad */
#define FARTHEST_CELL  0.06
#define PER_BIN        20 /* spots, of one resolution */
#define MOST_BINS      5
#define BRIGHT_POWER   0.3
#define LEAST_USUAL    0.4
#define MOST_USUAL     2.5
#define N_NORMAL       (FL_REFINEMENT_MOST * (FL_REFINEMENT_MOST + 1) / 2)

enum
{
  CHANCE,
  CORE,
  WIDE,
  N_COMPONENTS
};

typedef struct
{
  const FlSpotRow *row;
  FlPanelFrame frame;
  FlVec3 place;       /* mm, without the shift */
  double variance[2]; /* px² of the centroid */
  double q;           /* 1/Å */
  double usual;       /* excitation error that such a spot may have, against the others' */
} Spot;

typedef struct
{
  FlRefinementModel model;
  double sigma[N_COMPONENTS], width[N_COMPONENTS]; /* px; 1/Å; not of CHANCE */
  double fraction[N_COMPONENTS];
  double q_max; /* 1/Å: spots beyond do not count yet */
} State;

/* What one look at all spots gives. */
typedef struct
{
  double log_likelihood;
  double normal[N_NORMAL], right[FL_REFINEMENT_MOST];              /* lower triangle */
  double sum[N_COMPONENTS];                                        /* of responsibilities */
  double square_px[N_COMPONENTS], square_excitation[N_COMPONENTS]; /* weighted by them */
  guint n_spots;
} Sums;

typedef struct
{
  const FlShotGeometry *geometry;
  FlVec3 shift; /* as it came */
  Spot *spots;
  guint n_spots;
  char centring;
  double cell_prior;
  guint64 *claimed; /* [n_claimed], a power of 2: lattice points that have their spot; 0: free */
  guint n_claimed;
} Problem;

/* One spot and its nearest lattice point. */
typedef struct
{
  FlVec3 hkl;
  double residual[3];
  double own;       /* px², variance of the centroid */
  double usual;     /* as in Spot */
  double weight[3]; /* of the residuals */
  double share[N_COMPONENTS];
  double density;
  FlSpotModel at;
} Match;

static inline double
pow2 (double x)
{
  return x * x;
}

static gboolean
match (const Problem *problem, const State *state, const FlMat3 *real, const Spot *spot, Match *m)
{
  double k = 1 / problem->geometry->wavelength;
  FlVec3 place = fl_vec3_add (spot->place, state->model.shift);
  FlVec3 s1 = fl_vec3_scale (place, k / fl_vec3_norm (place));
  FlVec3 index = fl_mat3_apply (real, fl_vec3 (s1.x, s1.y, s1.z - k));
  m->hkl = fl_vec3 (rint (index.x), rint (index.y), rint (index.z));
  if (fl_centring_absent (problem->centring, (int) m->hkl.x, (int) m->hkl.y, (int) m->hkl.z)
      || !fl_refinement_model_spot (&state->model, &spot->frame, problem->geometry->wavelength, m->hkl,
                                    &m->at))
    return FALSE;
  m->residual[0] = (double) spot->row->fs - m->at.fs;
  m->residual[1] = (double) spot->row->ss - m->at.ss;
  m->residual[2] = -m->at.excitation;
  m->usual = spot->usual;
  m->own = 0.5 * (spot->variance[0] + spot->variance[1]);
  double variance[N_COMPONENTS][3];
  for (int c = CORE; c <= WIDE; c++)
    {
      variance[c][0] = spot->variance[0] + state->sigma[c] * state->sigma[c];
      variance[c][1] = spot->variance[1] + state->sigma[c] * state->sigma[c];
      variance[c][2] = pow2 (spot->usual * state->width[c]);
      double chi_square = 0;
      for (int i = 0; i < 3; i++)
        chi_square += m->residual[i] * m->residual[i] / variance[c][i];
      m->share[c] = state->fraction[c] * 0.063493635934241 /* (2π)^(−3/2) */ * exp (-0.5 * chi_square)
                    / sqrt (variance[c][0] * variance[c][1] * variance[c][2]);
    }
  m->share[CHANCE] = state->fraction[CHANCE] * fabs (fl_mat3_determinant (real)) / m->at.jacobian;
  m->density = m->share[CHANCE] + m->share[CORE] + m->share[WIDE];
  for (int i = 0; i < N_COMPONENTS; i++)
    m->share[i] /= m->density;
  for (int i = 0; i < 3; i++)
    m->weight[i] = m->share[CORE] / variance[CORE][i] + m->share[WIDE] / variance[WIDE][i];
  return TRUE;
}

/* FALSE: a stronger spot has this lattice point. */
static gboolean
claim (const Problem *problem, FlVec3 hkl)
{
  guint64 key = 1;
  const double index[3] = { hkl.x, hkl.y, hkl.z };
  for (int i = 0; i < 3; i++)
    key = key << 16 | (guint16) (gint16) index[i];
  guint at = (guint) ((key * 0x9e3779b97f4a7c15ull) >> 32) & (problem->n_claimed - 1);
  while (problem->claimed[at] != 0 && problem->claimed[at] != key)
    at = (at + 1) & (problem->n_claimed - 1);
  if (problem->claimed[at] == key)
    return FALSE;
  problem->claimed[at] = key;
  return TRUE;
}

/* Spots come strongest first: a weaker one at the same lattice point is a side maximum or a piece, and tells nothing. */
static gboolean
match_first (const Problem *problem, const State *state, const FlMat3 *real, const Spot *spot, Match *m)
{
  if (!match (problem, state, real, spot, m))
    return FALSE;
  if (m->share[CHANCE] < 0.5 && !claim (problem, m->hkl))
    {
      m->density *= m->share[CHANCE];
      m->share[CORE] = m->share[WIDE] = 0;
      m->share[CHANCE] = 1;
    }
  return TRUE;
}

static void
add_match (const Match *m, const FlRefinementModel *model, Sums *sums)
{
  sums->log_likelihood += log (m->density);
  const double *r = m->residual;
  for (int i = 0; i < N_COMPONENTS; i++)
    {
      sums->sum[i] += m->share[i];
      sums->square_px[i] += m->share[i] * (0.5 * (r[0] * r[0] + r[1] * r[1]) - m->own);
      sums->square_excitation[i] += m->share[i] * pow2 (r[2] / m->usual);
    }
  if (m->share[CHANCE] > 0.999)
    return;
  double gradients[3][FL_REFINEMENT_MOST];
  fl_refinement_model_gradient (model, &m->at, gradients);
  for (int i = 0; i < 3; i++)
    {
      const double *gradient = gradients[i];
      double *normal = sums->normal;
      for (guint j = 0; j < model->n; j++)
        {
          double weighted = m->weight[i] * gradient[j];
          sums->right[j] += weighted * r[i];
          for (guint k = 0; k <= j; k++)
            *normal++ += weighted * gradient[k];
        }
    }
}

/* The restraints: cell toward the known one, beam and distance toward where they were, orientation hardly. */
static void
add_prior (const Problem *problem, const State *state, Sums *sums)
{
  const FlRefinementModel *model = &state->model;
  double off[FL_REFINEMENT_MOST] = { 0 }, sigma[FL_REFINEMENT_MOST] = { TURN_PRIOR, TURN_PRIOR, TURN_PRIOR };
  fl_refinement_model_cell (model, off + 3);
  guint n = 3;
  while (n < 3 + model->n_cell)
    sigma[n++] = problem->cell_prior;
  if (model->beam)
    {
      off[n] = model->shift.x - problem->shift.x;
      sigma[n++] = BEAM_PRIOR;
      off[n] = model->shift.y - problem->shift.y;
      sigma[n++] = BEAM_PRIOR;
    }
  if (model->distance)
    {
      off[n] = model->shift.z - problem->shift.z;
      sigma[n++] = DISTANCE_PRIOR;
    }
  for (guint i = 0; i < n; i++)
    {
      double weight = 1 / (sigma[i] * sigma[i]);
      sums->log_likelihood -= 0.5 * weight * off[i] * off[i];
      sums->normal[i * (i + 1) / 2 + i] += weight;
      sums->right[i] -= weight * off[i];
    }
}

static void
look (const Problem *problem, const State *state, Sums *sums)
{
  *sums = (Sums){ 0 };
  memset (problem->claimed, 0, problem->n_claimed * sizeof *problem->claimed);
  FlMat3 real = fl_lattice_real (&state->model.star);
  Match m;
  for (guint i = 0; i < problem->n_spots; i++)
    if (problem->spots[i].q <= state->q_max && match_first (problem, state, &real, &problem->spots[i], &m))
      {
        add_match (&m, &state->model, sums);
        sums->n_spots++;
      }
  add_prior (problem, state, sums);
}

/* Cholesky's solution with the diagonal raised by `damping` (relative). FALSE: not positive definite. */
static gboolean
solve (const Sums *sums, guint n, double damping, double *x)
{
  double l[N_NORMAL];
  memcpy (l, sums->normal, sizeof l);
  for (guint i = 0; i < n; i++)
    {
      double *row = l + i * (i + 1) / 2, value = sums->right[i];
      row[i] *= 1 + damping;
      for (guint j = 0; j <= i; j++)
        {
          const double *above = l + j * (j + 1) / 2;
          double sum = row[j];
          for (guint k = 0; k < j; k++)
            sum -= row[k] * above[k];
          if (j == i && !(sum > 0))
            return FALSE;
          row[j] = j == i ? sqrt (sum) : sum / above[j];
        }
      for (guint j = 0; j < i; j++)
        value -= row[j] * x[j];
      x[i] = value / row[i];
    }
  for (guint i = n; i-- > 0;)
    {
      for (guint j = i + 1; j < n; j++)
        x[i] -= l[j * (j + 1) / 2 + i] * x[j];
      x[i] /= l[i * (i + 1) / 2 + i];
    }
  return TRUE;
}

/* The next state: the parameters by one step, widths and fractions from the sums. */
static State
advance (const State *state, const Sums *sums, const double *delta)
{
  State next = *state;
  next.model = fl_refinement_model_step (&state->model, delta);
  for (int c = CORE; c <= WIDE; c++)
    {
      double wider = c == CORE ? 1 : HALO, weight = sums->sum[c] + USUAL_WEIGHT;
      double sigma = wider * USUAL_SIGMA, width = wider * USUAL_WIDTH;
      next.sigma[c] = sqrt (MAX (sums->square_px[c] + USUAL_WEIGHT * sigma * sigma, 0) / weight);
      next.width[c] = sqrt ((sums->square_excitation[c] + USUAL_WEIGHT * width * width) / weight);
    }
  next.sigma[CORE] = MAX (next.sigma[CORE], LEAST_SIGMA);
  next.sigma[WIDE] = MAX (next.sigma[WIDE], HALO / 2 * next.sigma[CORE]);
  next.width[WIDE] = MAX (next.width[WIDE], HALO / 2 * next.width[CORE]);
  for (int i = 0; i < N_COMPONENTS; i++) /* as if one more spot had been seen of each */
    next.fraction[i] = (sums->sum[i] + 1) / (sums->n_spots + N_COMPONENTS);
  return next;
}

/* Climbs until nothing changes any more. */
static void
climb (const Problem *problem, State *state, double q_most)
{
  Sums sums, trial_sums;
  double damping = 1e-4, delta[FL_REFINEMENT_MOST];
  guint calm = 0;
  look (problem, state, &sums);
  for (int step = 0; step < MOST_STEPS; step++)
    {
      if (!solve (&sums, state->model.n, damping, delta))
        return;
      State trial = advance (state, &sums, delta);
      look (problem, &trial, &trial_sums);
      double gain = trial_sums.log_likelihood - sums.log_likelihood;
      if (gain < -ENOUGH && damping < 1e3)
        {
          damping = MAX (100 * damping, 0.1);
          continue;
        }
      *state = trial;
      sums = trial_sums;
      damping /= 100;
      if (state->q_max < q_most)
        {
          state->q_max = MIN (state->q_max * GROWTH, q_most);
          look (problem, state, &sums);
        }
      else if (gain > ENOUGH)
        calm = 0;
      else if (++calm == 2) /* once may be a spot that changed its lattice point */
        return;
    }
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* How far out in reciprocal space indices are safe at first, though not so near that there are hardly any spots. */
static double
first_q (const Problem *problem, double spacing)
{
  double *q = g_new (double, problem->n_spots);
  for (guint i = 0; i < problem->n_spots; i++)
    q[i] = problem->spots[i].q;
  qsort (q, problem->n_spots, sizeof *q, compare_doubles);
  double enough = q[MIN (problem->n_spots - 1, 20)];
  g_free (q);
  return MAX (0.25 * spacing / FIRST_TURN, enough);
}

static double
usable_variance (float variance)
{
  return isfinite (variance) && variance > 0 ? MIN ((double) variance, 4) : 0;
}

static int
compare_intensities (gconstpointer a, gconstpointer b)
{
  const FlSpotRow *x = ((const Spot *) a)->row, *y = ((const Spot *) b)->row;
  return x->intensity != y->intensity ? (x->intensity < y->intensity) - (x->intensity > y->intensity)
                                      : (x > y) - (x < y);
}

static int
compare_q (gconstpointer a, gconstpointer b)
{
  double x = ((const Spot *) a)->q, y = ((const Spot *) b)->q;
  return (x > y) - (x < y);
}

/* A spot that is bright among those of its resolution lies nearer to the sphere: learned on simulated crystals, whose
 * orientation it makes better by a fifth. */
static void
set_usual (Spot *spots, guint n)
{
  qsort (spots, n, sizeof *spots, compare_q);
  guint n_bins = CLAMP (n / PER_BIN, 1, MOST_BINS);
  for (guint bin = 0; bin < n_bins; bin++)
    {
      guint first = bin * n / n_bins, end = (bin + 1) * n / n_bins;
      double mean = 0;
      for (guint i = first; i < end; i++)
        mean += MAX ((double) spots[i].row->intensity, 1e-3) / (end - first);
      for (guint i = first; i < end; i++)
        {
          double bright = MAX ((double) spots[i].row->intensity, 1e-3) / mean;
          spots[i].usual = CLAMP (pow (bright, -BRIGHT_POWER), LEAST_USUAL, MOST_USUAL);
        }
    }
}

static void
prepare (Problem *problem, const FlSpotRow *rows, State *state, double *q_most)
{
  double per_px = 0;
  *q_most = 0;
  for (guint i = 0; i < problem->n_spots; i++)
    {
      Spot *spot = &problem->spots[i];
      const FlPanel *panel = &problem->geometry->detector->panels[rows[i].panel];
      *spot = (Spot){ .row = &rows[i], .frame = fl_panel_frame (panel) };
      spot->place = fl_panel_position (panel, (double) rows[i].fs, (double) rows[i].ss);
      spot->variance[0] = usable_variance (rows[i].var_fs);
      spot->variance[1] = usable_variance (rows[i].var_ss);
      spot->q = fl_vec3_norm (
          fl_shot_geometry_q (problem->geometry, rows[i].panel, (double) rows[i].fs, (double) rows[i].ss));
      *q_most = MAX (*q_most, spot->q);
      per_px += fl_vec3_norm (panel->fs) / (problem->geometry->wavelength * fl_vec3_norm (spot->place));
    }
  per_px /= problem->n_spots;
  set_usual (problem->spots, problem->n_spots);
  qsort (problem->spots, problem->n_spots, sizeof *problem->spots, compare_intensities);
  const FlMat3 *star = &state->model.star;
  double spacing = INFINITY;
  for (int i = 0; i < 3; i++)
    spacing = MIN (spacing, fl_vec3_norm (fl_vec3 (star->m[i][0], star->m[i][1], star->m[i][2])));
  state->width[CORE] = FIRST_SIGMA * spacing;
  state->sigma[CORE] = state->width[CORE] / per_px;
  state->width[WIDE] = HALO * state->width[CORE];
  state->sigma[WIDE] = HALO * state->sigma[CORE];
  state->fraction[CORE] = 0.6;
  state->fraction[WIDE] = 0.1;
  state->fraction[CHANCE] = 0.3;
  state->q_max = MIN (first_q (problem, spacing), *q_most);
}

/* Names the pairs; TRUE when there are enough. */
static gboolean
collect (const Problem *problem, const State *state, const FlSpotRow *rows, FlRefined *refined, FlPair *pairs)
{
  FlMat3 real = fl_lattice_real (&state->model.star);
  double square_px = 0, square_excitation = 0;
  guint n = 0;
  memset (problem->claimed, 0, problem->n_claimed * sizeof *problem->claimed);
  for (guint i = 0; i < problem->n_spots; i++)
    {
      const Spot *spot = &problem->spots[i];
      Match m;
      FlPair pair = { 0 };
      if (match_first (problem, state, &real, spot, &m))
        {
          pair = (FlPair){ (gint16) m.hkl.x, (gint16) m.hkl.y, (gint16) m.hkl.z, m.share[CORE] >= 0.5,
                           (float) m.at.excitation };
          if (pair.used)
            {
              n++;
              square_px += m.residual[0] * m.residual[0] + m.residual[1] * m.residual[1];
              square_excitation += m.residual[2] * m.residual[2];
            }
        }
      if (pairs != NULL)
        pairs[spot->row - rows] = pair;
    }
  *refined = (FlRefined){ state->model.star, state->model.shift, sqrt (square_px / MAX (n, 1)), n,
                          sqrt (square_excitation / MAX (n, 1)) };
  return n >= FEWEST;
}

/* How far a lattice has turned, or its cell has gone from the known one. */
static gboolean
ran_away (const FlRefinementModel *model, const FlMat3 *before)
{
  double difference[6];
  fl_refinement_model_cell (model, difference);
  for (guint i = 0; i < model->n_cell; i++)
    if (!(fabs (difference[i]) < 2 * FARTHEST_CELL))
      return TRUE;
  return !(fl_lattice_misorientation (before, &model->star, NULL, 0) < FARTHEST_TURN);
}

gboolean
fl_refine (const FlParams *params, const FlShotGeometry *geometry, const FlSpotRow *spots, guint n_spots,
           const FlKnownCell *known, FlRefined *refined, FlPair *pairs, const char **why)
{
  const char *reason = NULL;
  gboolean distance = fl_params_bool (params, "refinement.distance");
  if (pairs != NULL)
    memset (pairs, 0, n_spots * sizeof *pairs);
  if (n_spots < FEWEST)
    reason = "too few spots";
  else
    {
      Problem problem = { .geometry = geometry,
                          .shift = refined->shift,
                          .spots = g_new (Spot, n_spots),
                          .n_spots = n_spots,
                          .centring = known->centring,
                          .cell_prior = distance ? CELL_PRIOR_DISTANCE : CELL_PRIOR,
                          .n_claimed = 4u << g_bit_storage (n_spots) };
      problem.claimed = g_new (guint64, problem.n_claimed);
      State state;
      double q_most;
      FlRefined result;
      fl_refinement_model_begin (&state.model, known, &refined->star, refined->shift,
                                 fl_params_bool (params, "refinement.beam"), distance);
      prepare (&problem, spots, &state, &q_most);
      climb (&problem, &state, q_most);
      if (!collect (&problem, &state, spots, &result, pairs))
        reason = "too few spots on the lattice";
      else if (ran_away (&state.model, &refined->star))
        reason = "refinement ran away";
      else if (!(result.rmsd <= fl_params_real (params, "refinement.max_rmsd")))
        reason = "spots too far from their predictions";
      else
        *refined = result;
      g_free (problem.spots);
      g_free (problem.claimed);
    }
  if (why != NULL)
    *why = reason;
  return reason == NULL;
}
