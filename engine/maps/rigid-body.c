#include "engine/maps/rigid-body.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/crystal/density.h"
#include "engine/maps/least-squares.h"

#define FEW_ATOMS    50    /* a chain of fewer is no body */
#define SETTLED      0.003 /* Å: of the farthest atom's step, ends the refinement */
#define MOST_DAMPING 1e3

/* --- bodies --- */

static FlVec3
centroid (const FlModel *model, const guint *body, guint which)
{
  FlVec3 sum = fl_vec3 (0, 0, 0);
  guint n = 0;
  for (guint a = 0; a < model->n_atoms; a++)
    if (body[a] == which)
      {
        sum = fl_vec3_add (sum, model->atoms[a].position);
        n++;
      }
  return fl_vec3_scale (sum, n > 0 ? 1.0 / n : 0);
}

/* Numbers chains in order of appearance; their sizes. */
static GArray *
number_chains (const FlModel *model, guint *body)
{
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);
  GArray *sizes = g_array_new (FALSE, TRUE, sizeof (guint));
  for (guint a = 0; a < model->n_atoms; a++)
    {
      const char *chain = model->atoms[a].label.chain;
      gpointer number;
      if (!g_hash_table_lookup_extended (numbers, chain, NULL, &number))
        {
          guint none = 0;
          number = GUINT_TO_POINTER (sizes->len);
          g_hash_table_insert (numbers, (gpointer) chain, number);
          g_array_append_val (sizes, none);
        }
      body[a] = GPOINTER_TO_UINT (number);
      g_array_index (sizes, guint, body[a])++;
    }
  return sizes;
}

guint *
fl_rigid_body_chains (const FlModel *model, gboolean chains, guint *n)
{
  guint *body = g_new0 (guint, MAX (model->n_atoms, 1));
  *n = 1;
  if (!chains)
    return body;
  g_autoptr (GArray) sizes = number_chains (model, body);
  g_autofree guint *becomes = g_new0 (guint, sizes->len + 1);
  g_autofree FlVec3 *centres = g_new (FlVec3, sizes->len + 1);
  *n = 0;
  for (guint c = 0; c < sizes->len; c++)
    {
      centres[c] = centroid (model, body, c);
      if (g_array_index (sizes, guint, c) >= FEW_ATOMS)
        becomes[c] = (*n)++;
    }
  for (guint c = 0; c < sizes->len; c++)
    {
      double least = INFINITY;
      if (g_array_index (sizes, guint, c) >= FEW_ATOMS)
        continue;
      for (guint other = 0; other < sizes->len; other++)
        {
          double distance = fl_vec3_norm (fl_vec3_sub (centres[c], centres[other]));
          if (g_array_index (sizes, guint, other) < FEW_ATOMS || distance >= least)
            continue;
          least = distance;
          becomes[c] = becomes[other];
        }
    }
  for (guint a = 0; a < model->n_atoms; a++)
    body[a] = becomes[body[a]];
  *n = MAX (*n, 1);
  return body;
}

void
fl_rigid_body_fit_cell (FlModel *model, const guint *body, guint n_bodies, const FlCell *cell)
{
  FlMat3 old = fl_cell_basis (&model->cell), inverse = fl_mat3_inverse (&old), new = fl_cell_basis (cell);
  FlMat3 to_fractional = fl_mat3_transpose (&inverse), to_real = fl_mat3_transpose (&new);
  for (guint b = 0; b < n_bodies; b++)
    {
      FlVec3 c = centroid (model, body, b), x = fl_mat3_apply (&to_fractional, c);
      FlVec3 step = fl_vec3_sub (fl_mat3_apply (&to_real, x), c);
      for (guint a = 0; a < model->n_atoms; a++)
        if (body[a] == b)
          model->atoms[a].position = fl_vec3_add (model->atoms[a].position, step);
    }
  model->cell = *cell;
}

/* --- the fit --- */

typedef struct
{
  FlModel *model;
  const guint *body;
  guint n_bodies, n, *rows; /* rows: numbers of the reflections that count */
  const FlReflections *reflections;
  const double complex *solvent;
  double d_min;
  int limits[3];
  FlMat3 star;
  FlVec3 *centres;         /* of the bodies */
  double complex *f;       /* [n] */
  double complex *changes; /* [n][6 n_bodies]: derivatives of f: rotations, translations */
} FlFit;

static double complex
coefficient (const FlFit *fit, const double complex *list, FlMiller m)
{
  gsize n1 = 2 * (gsize) fit->limits[1] + 1, n2 = (gsize) fit->limits[2] + 1;
  int sign = m.l < 0 ? -1 : 1;
  double complex f =
      list[((gsize) (sign * m.h + fit->limits[0]) * n1 + (gsize) (sign * m.k + fit->limits[1])) * n2
           + (gsize) (sign * m.l)];
  return sign < 0 ? conj (f) : f;
}

/* The transform of a body's density (moment −1), or of that times one of the coordinates from its centroid. */
static double complex *
transform (const FlFit *fit, guint body, int moment)
{
  g_autofree FlAtom *atoms = g_new (FlAtom, MAX (fit->model->n_atoms, 1));
  FlModel part = { .cell = fit->model->cell, .symmetry = fit->model->symmetry, .atoms = atoms };
  for (guint a = 0; a < fit->model->n_atoms; a++)
    {
      FlAtom atom = fit->model->atoms[a];
      if (fit->body[a] != body)
        continue;
      FlVec3 r = fl_vec3_sub (atom.position, fit->centres[body]);
      if (moment >= 0)
        atom.occupancy *= moment == 0 ? r.x : moment == 1 ? r.y : r.z;
      atoms[part.n_atoms++] = atom;
    }
  return fl_density_transform (&part, fit->limits, fit->d_min);
}

/* Adds what one body scatters into reflection i, and how that changes. */
static void
add_body (FlFit *fit, guint i, guint body, double complex *const *parts)
{
  const FlSymmetry *symmetry = fit->model->symmetry;
  FlMiller m = fit->reflections->all[fit->rows[i]].hkl;
  double complex *change = fit->changes + ((gsize) i * fit->n_bodies + body) * 6;
  FlMat3 t = fl_mat3_transpose (&fit->star);
  for (guint o = 0; o < symmetry->n; o++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[o];
      FlMiller e = fl_miller_transform (m, op);
      FlVec3 q = fl_mat3_apply (&t, fl_vec3 (e.h, e.k, e.l));
      double complex turn = cexp (2 * FL_PI * I * (m.h * op->t[0] + m.k * op->t[1] + m.l * op->t[2])), g[4];
      for (int p = 0; p < 4; p++)
        g[p] = turn * coefficient (fit, parts[p], e);
      double complex slope = 2 * FL_PI * I;
      fit->f[i] += g[0];
      change[0] += slope * (g[2] * q.z - g[3] * q.y); /* ω · (r × q) */
      change[1] += slope * (g[3] * q.x - g[1] * q.z);
      change[2] += slope * (g[1] * q.y - g[2] * q.x);
      change[3] += slope * g[0] * q.x;
      change[4] += slope * g[0] * q.y;
      change[5] += slope * g[0] * q.z;
    }
}

static void
compute (FlFit *fit)
{
  memset (fit->f, 0, fit->n * sizeof *fit->f);
  memset (fit->changes, 0, (gsize) fit->n * fit->n_bodies * 6 * sizeof *fit->changes);
  for (guint i = 0; i < fit->n && fit->solvent != NULL; i++)
    fit->f[i] = fit->solvent[fit->rows[i]];
  for (guint b = 0; b < fit->n_bodies; b++)
    {
      double complex *parts[4];
      fit->centres[b] = centroid (fit->model, fit->body, b);
      for (int p = 0; p < 4; p++)
        parts[p] = transform (fit, b, p - 1);
      for (guint i = 0; i < fit->n; i++)
        add_body (fit, i, b, parts);
      for (int p = 0; p < 4; p++)
        g_free (parts[p]);
    }
}

/* Normal equations at the present place, the amplitudes on the best scale; the sum of squares. */
static double
evaluate (FlFit *fit, double *a, double *b, double *r_factor)
{
  guint n = 6 * fit->n_bodies;
  double sums[4] = { 0 }, squares = 0;
  g_autofree double *slope = g_new (double, n);
  compute (fit);
  for (guint i = 0; i < fit->n; i++)
    {
      double f = cabs (fit->f[i]);
      sums[0] += fit->reflections->all[fit->rows[i]].f * f;
      sums[1] += f * f;
    }
  double k = sums[1] > 0 ? sums[0] / sums[1] : 1;
  memset (a, 0, (gsize) n * n * sizeof *a);
  memset (b, 0, n * sizeof *b);
  for (guint i = 0; i < fit->n; i++)
    {
      double observed = fit->reflections->all[fit->rows[i]].f, f = cabs (fit->f[i]);
      double d = observed - k * f;
      squares += d * d;
      sums[2] += fabs (d);
      sums[3] += observed;
      for (guint p = 0; p < n && f > 0; p++)
        slope[p] = k * creal (conj (fit->f[i]) * fit->changes[(gsize) i * n + p]) / f;
      for (guint r = 0; r < n && f > 0; r++)
        {
          b[r] += slope[r] * d;
          for (guint c = 0; c <= r; c++)
            a[r * n + c] += slope[r] * slope[c];
        }
    }
  *r_factor = sums[3] > 0 ? sums[2] / sums[3] : NAN;
  return squares;
}

/* Turns and shifts the bodies; how far the farthest atom went (Å). */
static double
move (FlFit *fit, const double *step)
{
  double most = 0;
  for (guint a = 0; a < fit->model->n_atoms; a++)
    {
      const double *s = step + 6 * fit->body[a];
      FlVec3 axis = fl_vec3 (s[0], s[1], s[2]), centre = fit->centres[fit->body[a]];
      FlVec3 r = fl_vec3_sub (fit->model->atoms[a].position, centre), unit = fl_vec3_unit (axis);
      double angle = fl_vec3_norm (axis), c = cos (angle), along = fl_vec3_dot (unit, r) * (1 - c);
      FlVec3 turned =
          fl_vec3_add (fl_vec3_scale (r, c), fl_vec3_scale (fl_vec3_cross (unit, r), sin (angle)));
      turned = fl_vec3_add (turned, fl_vec3_scale (unit, along));
      turned = fl_vec3_add (turned, fl_vec3 (s[3], s[4], s[5]));
      most = MAX (most, fl_vec3_norm (fl_vec3_sub (turned, r)));
      fit->model->atoms[a].position = fl_vec3_add (centre, turned);
    }
  return most;
}

/* Of the whole way, body by body: the shift of the centroid, and the angle by which the atoms turned about it (Kabsch's problem for
 * small angles, Σ r² ω − Σ r (r·ω) = Σ r × r′). */
static void
measure_way (const FlFit *fit, const FlAtom *before, FlRigidBody *result)
{
  for (guint body = 0; body < fit->n_bodies; body++)
    {
      FlVec3 sums[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
      double a[9] = { 0 }, b[3] = { 0 }, turn[3] = { 0 };
      guint n = 0;
      for (guint pass = 0; pass < 2; pass++)
        for (guint i = 0; i < fit->model->n_atoms; i++)
          {
            if (fit->body[i] != body)
              continue;
            FlVec3 x = before[i].position, y = fit->model->atoms[i].position;
            if (pass == 0)
              {
                sums[0] = fl_vec3_add (sums[0], x);
                sums[1] = fl_vec3_add (sums[1], y);
                n++;
                continue;
              }
            x = fl_vec3_sub (x, fl_vec3_scale (sums[0], 1.0 / n));
            y = fl_vec3_sub (y, fl_vec3_scale (sums[1], 1.0 / n));
            FlVec3 cross = fl_vec3_cross (x, y);
            const double v[3] = { x.x, x.y, x.z }, c[3] = { cross.x, cross.y, cross.z };
            for (int r = 0; r < 3; r++)
              {
                b[r] += c[r];
                for (int s = 0; s < 3; s++)
                  a[3 * r + s] += (r == s ? fl_vec3_dot (x, x) : 0) - v[r] * v[s];
              }
          }
      if (n == 0)
        continue;
      FlVec3 shift = fl_vec3_scale (fl_vec3_sub (sums[1], sums[0]), 1.0 / n);
      result->translation = MAX (result->translation, fl_vec3_norm (shift));
      if (fl_solve_damped (a, b, 3, 0, turn))
        result->rotation = MAX (result->rotation, fl_vec3_norm (fl_vec3 (turn[0], turn[1], turn[2])));
    }
}

static void
refine (FlFit *fit, guint most_cycles, FlRigidBody *result)
{
  guint n = 6 * fit->n_bodies;
  g_autofree double *a = g_new (double, n *n), *b = g_new (double, n), *next_a = g_new (double, n *n),
                    *next_b = g_new (double, n), *step = g_new (double, n);
  g_autofree FlAtom *kept = g_new (FlAtom, MAX (fit->model->n_atoms, 1));
  gsize bytes = fit->model->n_atoms * sizeof *kept;
  double best = evaluate (fit, a, b, &result->r_before), damping = 1e-3, r_factor;
  result->r_after = result->r_before;
  while (result->cycles < most_cycles && damping < MOST_DAMPING)
    {
      result->cycles++;
      memcpy (kept, fit->model->atoms, bytes);
      if (!fl_solve_damped (a, b, n, damping, step))
        {
          damping *= 10;
          continue;
        }
      double way = move (fit, step), sum = evaluate (fit, next_a, next_b, &r_factor);
      if (sum < best)
        {
          best = sum;
          result->r_after = r_factor;
          memcpy (a, next_a, n * n * sizeof *a);
          memcpy (b, next_b, n * sizeof *b);
          damping = MAX (damping / 10, 1e-6);
        }
      else
        {
          memcpy (fit->model->atoms, kept, bytes);
          for (guint body = 0; body < fit->n_bodies; body++)
            fit->centres[body] = centroid (fit->model, fit->body, body);
          damping *= 10;
        }
      if (way < SETTLED)
        break;
    }
}

FlRigidBody
fl_rigid_body_refine (FlModel *model, const guint *body, guint n_bodies, const FlReflections *reflections,
                      const double complex *solvent, double d_min, guint most_cycles)
{
  FlRigidBody result = { .bodies = n_bodies };
  g_autofree guint *rows = g_new (guint, MAX (reflections->n, 1));
  g_autofree FlVec3 *centres = g_new (FlVec3, n_bodies);
  FlFit fit = { .model = model,
                .body = body,
                .n_bodies = n_bodies,
                .rows = rows,
                .reflections = reflections,
                .solvent = solvent,
                .d_min = d_min,
                .star = fl_cell_reciprocal (&model->cell),
                .centres = centres };
  fl_cell_limits (&model->cell, d_min, fit.limits);
  for (guint i = 0; i < reflections->n; i++)
    {
      const FlReflection *r = &reflections->all[i];
      if (isfinite (r->f) && !r->free && r->inverse_d2 * d_min * d_min <= 1)
        rows[fit.n++] = i;
    }
  g_autofree FlAtom *before = g_new (FlAtom, MAX (model->n_atoms, 1));
  memcpy (before, model->atoms, model->n_atoms * sizeof *before);
  g_autofree double complex *f = g_new (double complex, MAX (fit.n, 1));
  g_autofree double complex *changes = g_new (double complex, MAX ((gsize) fit.n * n_bodies * 6, 1));
  fit.f = f;
  fit.changes = changes;
  refine (&fit, most_cycles, &result);
  measure_way (&fit, before, &result);
  return result;
}
