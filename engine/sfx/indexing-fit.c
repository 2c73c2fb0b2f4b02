/* indexing-fit.c: orientation by windows, then orientation, cell and errors by expectation maximisation. */
#include "engine/sfx/indexing-fit.h"

#include <string.h>

#include "engine/sfx/indexing-fit-solve.h"

#define WIDEST       0.006 /* 1/Å: no window is wider, however small the cell */
#define STRAIN       0.003 /* expected deviation from the known cell, relative: its shape */
#define SCALE        0.012 /* and its size, for the detector's distance may be wrong */
#define USUAL_ERROR  6e-4  /* 1/Å */
#define USUAL_WEIGHT 8     /* spots that the usual error counts as */
#define PRIOR_WEIGHT 4     /* of these in the evidence */
#define LEAST_SHARE  0.02
#define MOST_SHARE   0.98

enum
{
  MOST_ROUNDS = 12,
  RING = 24,     /* azimuths */
  RING_USUAL = 6 /* as many more with the density that is to be expected */
};

static FlVec3
times_transposed (const FlMat3 *m, double h, double k, double l)
{
  return fl_vec3 (m->m[0][0] * h + m->m[1][0] * k + m->m[2][0] * l,
                  m->m[0][1] * h + m->m[1][1] * k + m->m[2][1] * l,
                  m->m[0][2] * h + m->m[1][2] * k + m->m[2][2] * l);
}

/* The lattice point that q is nearest to, in fractions of the axes. */
static FlVec3
nearest (const FlMat3 *real, const FlMat3 *star, FlVec3 q)
{
  FlVec3 h = fl_mat3_apply (real, q);
  return times_transposed (star, rint (h.x), rint (h.y), rint (h.z));
}

double
fl_lattice_turn (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlMat3 *real)
{
  static const double windows[] = { 0.4, 0.32, 0.25, 0.2 };
  double score = 0;
  for (guint round = 0; round <= G_N_ELEMENTS (windows); round++)
    {
      double window =
          windows[MIN (round, G_N_ELEMENTS (windows) - 1)] * MIN (cell->shortest_star, WIDEST / windows[0]);
      double narrow = 1 / (window * window);
      FlMat3 star = fl_lattice_star (real), normal = { 0 };
      FlVec3 right = { 0 };
      double outward = 0, extent = 1e-12;
      score = 0;
      for (guint i = 0; i < n; i++)
        {
          FlVec3 g = nearest (real, &star, spots[i].q), d = fl_vec3_sub (spots[i].q, g);
          double w = 1 - narrow * fl_vec3_dot (d, d);
          if (w <= 0)
            continue;
          score += w * spots[i].weight;
          w *= w * spots[i].weight;
          double gg = fl_vec3_dot (g, g);
          outward += w * fl_vec3_dot (g, d);
          extent += w * gg;
          normal.m[0][0] += w * (gg - g.x * g.x);
          normal.m[1][1] += w * (gg - g.y * g.y);
          normal.m[2][2] += w * (gg - g.z * g.z);
          normal.m[0][1] -= w * g.x * g.y;
          normal.m[0][2] -= w * g.x * g.z;
          normal.m[1][2] -= w * g.y * g.z;
          right = fl_vec3_add (right, fl_vec3_scale (fl_vec3_cross (g, d), w));
        }
      if (round == G_N_ELEMENTS (windows))
        break;
      fl_fit_rotate (real, fl_fit_solve3 (&normal, right));
      for (guint i = 0; i < 9; i++)
        real->m[i / 3][i % 3] /= 1 + outward / extent;
    }
  return score;
}

/* One spot under a fit: its deviation, and ln (share · density · volume) before exp. */
typedef struct
{
  FlVec3 g, d;
  double along_sq, across_sq;
  double density;       /* of lattice points' spots here, over that of spots that lie anywhere */
  double belongs, gain; /* gain: its part of the evidence */
} Judged;

static Judged
judge (const FlIndexCell *cell, const FlLatticeFit *fit, const FlMat3 *star, const FlIndexSpot *spot)
{
  Judged j;
  j.g = nearest (&fit->real, star, spot->q);
  j.d = fl_vec3_sub (spot->q, j.g);
  double along = spot->still ? fl_vec3_dot (j.d, spot->normal) : 0,
         sigma = spot->still ? fit->along : fit->across;
  j.along_sq = along * along;
  j.across_sq = fl_vec3_dot (j.d, j.d) - j.along_sq;
  double exponent = -0.5 * (j.across_sq / (fit->across * fit->across) + j.along_sq / (sigma * sigma));
  double peak = cell->star_volume / (15.7496099457224 * fit->across * fit->across * sigma); /* (2π)^(3/2) */
  j.density = peak * exp (exponent);
  double total = fit->share * j.density + 1 - fit->share;
  j.belongs = fit->share * j.density / total;
  j.gain = log (total);
  return j;
}

double
fl_lattice_belongs (const FlIndexCell *cell, const FlLatticeFit *fit, const FlIndexSpot *spot, double *off)
{
  FlMat3 star = fl_lattice_star (&fit->real);
  Judged j = judge (cell, fit, &star, spot);
  if (off)
    *off = fl_vec3_norm (j.d);
  return j.belongs;
}

/* Sums over the spots, for the next errors and the next basis. */
typedef struct
{
  double along_sq, across_sq, n_along, n_across, n_belong, n;
  FlFitNormal normal;
} Sums;

static void
expect (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlLatticeFit *fit, Sums *sums)
{
  FlMat3 star = fl_lattice_star (&fit->real);
  memset (sums, 0, sizeof *sums);
  fit->evidence = 0;
  double across = 1 / (fit->across * fit->across), along = 1 / (fit->along * fit->along);
  for (guint i = 0; i < n; i++)
    {
      Judged j = judge (cell, fit, &star, &spots[i]);
      double weight = spots[i].weight, belongs = weight * j.belongs;
      fit->evidence += weight * j.gain;
      sums->n += weight;
      if (j.belongs < 1e-4)
        continue;
      sums->n_belong += belongs;
      sums->across_sq += belongs * j.across_sq;
      sums->n_across += belongs * (spots[i].still ? 2 : 3);
      sums->along_sq += belongs * j.along_sq;
      sums->n_along += belongs * (spots[i].still ? 1 : 0);
      fl_fit_add (&sums->normal, j.g, j.d, belongs, across, spots[i].still ? along - across : 0,
                  spots[i].normal);
    }
}

static double
usual_error (const FlIndexCell *cell)
{
  return MIN (USUAL_ERROR, 0.08 * cell->shortest_star);
}

static void
set_errors (const FlIndexCell *cell, const Sums *sums, FlLatticeFit *fit)
{
  double usual = usual_error (cell), most = 0.15 * cell->shortest_star;
  double prior = USUAL_WEIGHT * usual * usual;
  fit->across = MIN (most, sqrt ((sums->across_sq + 2 * prior) / (sums->n_across + 2 * USUAL_WEIGHT)));
  fit->along = MIN (most, sqrt ((sums->along_sq + prior) / (sums->n_along + USUAL_WEIGHT)));
  fit->share = CLAMP (sums->n_belong / sums->n, LEAST_SHARE, MOST_SHARE);
}

/* How dense the lattice is round a spot's own ring, at least 1: near the beam, and where the sphere runs along a lattice
 * plane, many points crowd, so that lying on one says less. */
static double
ring_density (const FlIndexCell *cell, const FlLatticeFit *fit, const FlMat3 *star, const FlIndexSpot *spot)
{
  double sum = RING_USUAL, turn = 0.61803398875 * 2 * G_PI;
  for (guint i = 0; i < RING; i++)
    {
      double c = cos (turn * (i + 0.5)), s = sin (turn * (i + 0.5));
      FlIndexSpot there = *spot;
      there.q = fl_vec3 (c * spot->q.x - s * spot->q.y, s * spot->q.x + c * spot->q.y, spot->q.z);
      there.normal = fl_vec3 (c * spot->normal.x - s * spot->normal.y,
                              s * spot->normal.x + c * spot->normal.y, spot->normal.z);
      sum += judge (cell, fit, star, &there).density;
    }
  return MAX (1, sum / (RING + RING_USUAL));
}

/* ln of the prior density of an error over that of the usual one: as if the usual one had been seen some times before. */
static double
error_prior (double error, double usual, double weight)
{
  double ratio = error / usual;
  return -weight * (log (ratio) + 0.5 / (ratio * ratio) - 0.5);
}

/* The evidence in the end: against spots that keep their |q| but lie at any azimuth, with the priors. */
static double
weigh_evidence (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, const FlLatticeFit *fit)
{
  FlMat3 star = fl_lattice_star (&fit->real);
  double sum = 0;
  for (guint i = 0; i < n; i++)
    {
      Judged j = judge (cell, fit, &star, &spots[i]);
      double density = j.belongs > 0.05 ? j.density / ring_density (cell, fit, &star, &spots[i]) : j.density;
      sum += spots[i].weight * log (fit->share * density + 1 - fit->share);
    }
  double usual = usual_error (cell);
  return sum + error_prior (fit->across, usual, 2 * PRIOR_WEIGHT)
         + error_prior (fit->along, usual, PRIOR_WEIGHT)
         - 0.5 * fl_fit_strain (&cell->star, &fit->real, STRAIN, SCALE);
}

/* The cell with the constraints of its type. */
static void
constrain (const FlIndexCell *cell, FlLatticeFit *fit)
{
  FlMat3 star = fl_lattice_star (&fit->real), conventional = fl_mat3_multiply (&cell->to_conventional, &star);
  FlMat3 obedient = fl_lattice_constrain (&conventional, cell->known.type),
         back = fl_mat3_inverse (&cell->to_conventional);
  star = fl_mat3_multiply (&back, &obedient);
  fit->real = fl_lattice_real (&star);
}

gboolean
fl_lattice_fit (const FlIndexCell *cell, const FlIndexSpot *spots, guint n, FlLatticeFit *fit)
{
  Sums sums;
  fit->along = fit->across = MIN (0.12 * cell->shortest_star, WIDEST / 3);
  fit->share = 0.5;
  double before = -INFINITY;
  for (guint round = 0; round < MOST_ROUNDS && !(round > 3 && fabs (fit->evidence - before) < 0.02); round++)
    {
      before = fit->evidence;
      expect (cell, spots, n, fit, &sums);
      fl_fit_step (&cell->star, &sums.normal, STRAIN, SCALE, &fit->real);
      set_errors (cell, &sums, fit);
      double volume = fabs (fl_mat3_determinant (&fit->real)) * cell->star_volume;
      if (!(volume > 0.5 && volume < 2))
        return FALSE;
    }
  constrain (cell, fit);
  for (guint round = 0; round < 2; round++)
    {
      expect (cell, spots, n, fit, &sums);
      fl_fit_step (&cell->star, &sums.normal, 0, 0, &fit->real);
      set_errors (cell, &sums, fit);
    }
  fit->evidence = weigh_evidence (cell, spots, n, fit);
  return isfinite (fit->evidence);
}
