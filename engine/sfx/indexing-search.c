/* indexing-search.c: directions, vectors, turns. */
#include "engine/sfx/indexing-search.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "kernels/index-rotations.h"
#include "kernels/index-vectors.h"

enum
{
  MOST_VECTORS = 512,
  FINEST_GRID = 208, /* 129,792 directions */
  MOST_TURNS = 4096,
  BUFFERS = 16
};

struct FlIndexSearch
{
  const FlIndexCell *cell;
  FlkDevice *device;
  GArray *directions[FINEST_GRID / 8 + 1]; /* of float: all x, all y, all z; made when first needed */
  GArray *floats;                          /* host's side of the spots */
  FlkBuffer buffers[BUFFERS];
};

/* Spots as the kernels want them: one array, columns of n. */
typedef struct
{
  guint n;
  float *x, *y, *z, *weight, *narrow, *narrow_turn;
} Columns;

typedef struct
{
  float score;
  FlVec3 v;
} Vector;

FlIndexSearch *
fl_index_search_new (const FlIndexCell *cell, FlkDevice *device)
{
  FlIndexSearch *search = g_new0 (FlIndexSearch, 1);
  search->cell = cell;
  search->device = device;
  search->floats = g_array_new (FALSE, FALSE, sizeof (float));
  return search;
}

void
fl_index_search_free (FlIndexSearch *search)
{
  if (!search)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (search->directions); i++)
    if (search->directions[i])
      g_array_unref (search->directions[i]);
  for (guint i = 0; i < BUFFERS; i++)
    flk_buffer_clear (search->device, &search->buffers[i]);
  g_array_unref (search->floats);
  g_free (search);
}

/* Half a sphere as three faces of a cube, n × n equal angles each, in tiles of 8 × 8 neighbours. */
static GArray *
directions (FlIndexSearch *search, guint n)
{
  GArray **made = &search->directions[n / 8];
  if (*made)
    return *made;
  guint total = 3 * n * n, at = 0;
  *made = g_array_sized_new (FALSE, FALSE, sizeof (float), 3 * total);
  g_array_set_size (*made, 3 * total);
  float *f = (float *) (gpointer) (*made)->data;
  for (guint face = 0; face < 3; face++)
    for (guint tile = 0; tile < n * n / 64; tile++)
      for (guint in = 0; in < 64; in++, at++)
        {
          guint i = tile % (n / 8) * 8 + in % 8, j = tile / (n / 8) * 8 + in / 8;
          double u[3] = { 1, tan (G_PI / 4 * ((2 * i + 1.0) / n - 1)),
                          tan (G_PI / 4 * ((2 * j + 1.0) / n - 1)) };
          double norm = sqrt (1 + u[1] * u[1] + u[2] * u[2]);
          for (guint k = 0; k < 3; k++)
            f[k * total + at] = (float) (u[(k + face) % 3] / norm);
        }
  return *made;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* |q| below which `part` of the spots lie. */
static double
quantile (const FlIndexSpot *spots, guint n, double part)
{
  g_autofree double *norms = g_new (double, n);
  for (guint i = 0; i < n; i++)
    norms[i] = fl_vec3_norm (spots[i].q);
  qsort (norms, n, sizeof *norms, compare_doubles);
  return norms[MIN (n - 1, (guint) (part * n))];
}

static Columns
columns (FlIndexSearch *search, guint n)
{
  g_array_set_size (search->floats, 6 * n);
  float *f = (float *) (gpointer) search->floats->data;
  return (Columns){ n, f, f + n, f + 2 * n, f + 3 * n, f + 4 * n, f + 5 * n };
}

static FlkIndexSpots
stage_spots (FlIndexSearch *search, const Columns *c, const guint32 first[2])
{
  FlkDevice *d = search->device;
  FlkBuffer *b = search->buffers;
  gsize size = c->n * sizeof (float);
  return (FlkIndexSpots){ flk_stage (d, &b[0], c->x, size),
                          flk_stage (d, &b[1], c->y, size),
                          flk_stage (d, &b[2], c->z, size),
                          flk_stage (d, &b[3], c->weight, size),
                          flk_stage (d, &b[4], c->narrow, size),
                          flk_stage (d, &b[5], first, 2 * sizeof *first),
                          1,
                          0 };
}

/* Tolerances of the search over directions with steps of `step` (rad): where a spot of this |q| may come to lie. */
static void
set_direction_spots (Columns *c, const FlIndexSpot *spots, double length, double step)
{
  for (guint i = 0; i < c->n; i++)
    {
      double norm = fl_vec3_norm (spots[i].q), t = 0.05 + length * (0.0006 + norm * (0.6 * step + 0.002));
      c->x[i] = (float) (spots[i].q.x * length);
      c->y[i] = (float) (spots[i].q.y * length);
      c->z[i] = (float) (spots[i].q.z * length);
      c->narrow[i] = (float) (1 / (t * t));
      c->weight[i] = spots[i].weight * (float) MAX (0, -log (2 * t));
    }
}

static void
set_vector_spots (Columns *c, const FlIndexSpot *spots)
{
  for (guint i = 0; i < c->n; i++)
    {
      c->x[i] = (float) spots[i].q.x;
      c->y[i] = (float) spots[i].q.y;
      c->z[i] = (float) spots[i].q.z;
    }
}

/* For turns of `step` of a cell whose other vectors are up to `longest`. */
static void
set_turn_spots (Columns *c, const FlIndexSpot *spots, double length, double longest, double step)
{
  for (guint i = 0; i < c->n; i++)
    {
      double norm = fl_vec3_norm (spots[i].q);
      double t = MIN (0.35, 0.08 + length * (0.0006 + 0.002 * norm));
      double turn = MIN (0.5, 0.08 + longest * (0.0006 + norm * (0.4 * step + 0.002)));
      c->narrow[i] = (float) (1 / (t * t));
      c->narrow_turn[i] = (float) (1 / (turn * turn));
      c->weight[i] = spots[i].weight * (float) MAX (0, -log (2 * t * G_PI * turn * turn));
    }
}

static int
compare_best (gconstpointer a, gconstpointer b)
{
  const FlkIndexBest *x = a, *y = b;
  if (x->score != y->score)
    return x->score > y->score ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

static gboolean
device_failed (FlIndexSearch *search, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "indexing on %s: %s",
               flk_device_description (search->device), flk_error (search->device));
  return FALSE;
}

/* The best directions times the length. */
static gboolean
find_vectors (FlIndexSearch *search, guint axis, const FlIndexSpot *spots, Columns *c, Vector *vectors,
              guint *n_vectors, GError **error)
{
  double length = search->cell->length[axis];
  double wanted = 1.11 * length * quantile (spots, c->n, 0.6) / 0.25;
  guint grid = CLAMP ((guint) MIN (wanted / 8, 1e6) * 8 + 8, 32, FINEST_GRID);
  GArray *table = directions (search, grid);
  guint total = 3 * grid * grid, n_tiles = total / FLK_INDEX_TILE;
  set_direction_spots (c, spots, length, 1.11 / grid);
  guint32 first[2] = { 0, c->n };
  FlkBuffer *b = search->buffers;
  FlkIndexDirectionsArgs args = { .spots = stage_spots (search, c, first),
                                  .best =
                                      flk_buffer_need (search->device, &b[6], n_tiles * sizeof *args.best),
                                  .n_tiles = n_tiles };
  args.ux = flk_stage (search->device, &b[7], table->data, 3 * total * sizeof (float));
  args.uy = args.ux + total;
  args.uz = args.uy + total;
  g_autofree FlkIndexBest *host = g_new (FlkIndexBest, n_tiles);
  const FlkIndexBest *found;
  if (!args.ux || !args.best
      || !flk_launch (search->device, "index_directions", n_tiles, 0, &args, sizeof args)
      || !(found = flk_fetch (search->device, host, args.best, n_tiles * sizeof *host)))
    return device_failed (search, error);
  if (found != host)
    memcpy (host, found, n_tiles * sizeof *host);
  qsort (host, n_tiles, sizeof *host, compare_best);
  *n_vectors = MIN (n_tiles, CLAMP (8000 / c->n, 48, MOST_VECTORS)) / FLK_INDEX_VECTORS * FLK_INDEX_VECTORS;
  const float *u = (const float *) (gconstpointer) table->data;
  for (guint i = 0; i < *n_vectors; i++)
    {
      guint at = host[i].index;
      vectors[i].score = host[i].score;
      vectors[i].v = fl_vec3_scale (fl_vec3 (u[at], u[total + at], u[2 * total + at]), length);
    }
  return TRUE;
}

/* Least squares of each; those that became the same, or ran away from their length, are dropped. */
static gboolean
refine_vectors (FlIndexSearch *search, guint axis, const FlIndexSpot *spots, Columns *c, Vector *vectors,
                guint *n_vectors, GError **error)
{
  guint n = *n_vectors, kept = 0;
  double length = search->cell->length[axis];
  set_vector_spots (c, spots);
  guint32 first[2] = { 0, c->n };
  g_autofree guint32 *shot = g_new0 (guint32, n);
  g_autofree float *v = g_new (float, 3 * n);
  for (guint i = 0; i < n; i++)
    {
      v[i] = (float) vectors[i].v.x;
      v[n + i] = (float) vectors[i].v.y;
      v[2 * n + i] = (float) vectors[i].v.z;
    }
  FlkBuffer *b = search->buffers;
  FlkIndexVectorsArgs args = { .spots = stage_spots (search, c, first),
                               .x = flk_buffer_need (search->device, &b[8], 3 * n * sizeof (float)),
                               .shot = flk_stage (search->device, &b[9], shot, n * sizeof *shot),
                               .shrink = { 1, 0.7f, 0.5f, 0.4f },
                               .widest = 0.35f,
                               .length = (float) length,
                               .length_hold = (float) (1 / (0.01 * 0.01 * length * length) * 0.01),
                               .n = n };
  const float *found;
  if (!args.x || !flk_upload (search->device, args.x, v, 3 * n * sizeof (float)))
    return device_failed (search, error);
  args.y = args.x + n;
  args.z = args.y + n;
  if (!flk_launch (search->device, "index_vectors", n / FLK_INDEX_VECTORS, 0, &args, sizeof args)
      || !(found = flk_fetch (search->device, v, args.x, 3 * n * sizeof (float))))
    return device_failed (search, error);
  for (guint i = 0; i < n; i++)
    {
      FlVec3 refined = fl_vec3 (found[i], found[n + i], found[2 * n + i]);
      gboolean keep = fabs (fl_vec3_norm (refined) - length) < 0.06 * length;
      for (guint j = 0; j < kept && keep; j++)
        keep = fl_vec3_norm (fl_vec3_sub (refined, vectors[j].v)) > 0.002 * length;
      if (keep)
        {
          vectors[kept].score = vectors[i].score;
          vectors[kept++].v = refined;
        }
    }
  *n_vectors = kept;
  return TRUE;
}

static void
to_floats (float *to, FlVec3 v)
{
  to[0] = (float) v.x;
  to[1] = (float) v.y;
  to[2] = (float) v.z;
}

/* The rotation that brings direction `from` to `to`, both unit. */
static FlMat3
turn_onto (FlVec3 from, FlVec3 to)
{
  FlVec3 axis = fl_vec3_cross (from, to);
  double sine = fl_vec3_norm (axis), cosine = fl_vec3_dot (from, to);
  if (sine < 1e-9)
    axis = fl_vec3_cross (from, fabs (from.x) < 0.7 ? fl_vec3 (1, 0, 0) : fl_vec3 (0, 1, 0));
  return fl_mat3_rotation (fl_vec3_unit (axis), atan2 (sine, cosine));
}

/* The cell turned by `angle` about the vector, its row `axis` along `v`; as much larger than known as `v` is. */
static FlMat3
turned_cell (const FlIndexCell *cell, guint axis, FlVec3 v, double angle)
{
  FlVec3 u = fl_vec3_unit (v);
  FlMat3 onto = turn_onto (fl_vec3_unit (fl_mat3_row (&cell->real, axis)), u),
         about = fl_mat3_rotation (u, angle);
  FlMat3 both = fl_mat3_multiply (&about, &onto), back = fl_mat3_transpose (&both);
  FlMat3 real = fl_mat3_multiply (&cell->real, &back);
  double scale = fl_vec3_norm (v) / cell->length[axis];
  for (guint i = 0; i < 9; i++)
    real.m[i / 3][i % 3] *= scale;
  return real;
}

static void
split (FlVec3 a, FlVec3 u, float still[3], float along[3], float across[3])
{
  FlVec3 part = fl_vec3_scale (u, fl_vec3_dot (a, u)), rest = fl_vec3_sub (a, part);
  to_floats (still, part);
  to_floats (along, rest);
  to_floats (across, fl_vec3_cross (u, rest));
}

static FlkIndexTrial
make_trial (const FlIndexCell *cell, guint axis, FlVec3 v)
{
  FlkIndexTrial trial = { .shot = 0 };
  FlMat3 real = turned_cell (cell, axis, v, 0);
  FlVec3 u = fl_vec3_unit (v);
  to_floats (trial.v, v);
  split (fl_mat3_row (&real, (axis + 1) % 3), u, trial.a0, trial.a1, trial.a2);
  split (fl_mat3_row (&real, (axis + 2) % 3), u, trial.b0, trial.b1, trial.b2);
  return trial;
}

static guint
turns (const FlIndexCell *cell, guint axis, double q, double *range, gboolean *flips)
{
  double longest = MAX (cell->length[(axis + 1) % 3], cell->length[(axis + 2) % 3]);
  *range = 2 * G_PI / fl_index_cell_fold (cell, axis, flips);
  double wanted = *range * longest * q / 0.3;
  return CLAMP ((guint) MIN (wanted / FLK_INDEX_TILE, 1e6) * FLK_INDEX_TILE + FLK_INDEX_TILE, FLK_INDEX_TILE,
                MOST_TURNS);
}

static guint
find_turns (FlIndexSearch *search, guint axis, const FlIndexSpot *spots, Columns *c, const Vector *vectors,
            guint n_vectors, FlOrientation *best, guint most, GError **error)
{
  const FlIndexCell *cell = search->cell;
  gboolean flips;
  double range;
  guint n_turns = turns (cell, axis, quantile (spots, c->n, 0.6), &range, &flips);
  guint n_trials = n_vectors * (flips ? 1 : 2);
  double longest = MAX (cell->length[(axis + 1) % 3], cell->length[(axis + 2) % 3]);
  set_turn_spots (c, spots, cell->length[axis], longest, range / n_turns);
  g_autofree FlkIndexTrial *trials = g_new (FlkIndexTrial, n_trials);
  g_autofree float *angles = g_new (float, 2 * n_turns);
  for (guint i = 0; i < n_trials; i++)
    trials[i] = make_trial (cell, axis, fl_vec3_scale (vectors[i % n_vectors].v, i < n_vectors ? 1 : -1));
  for (guint i = 0; i < n_turns; i++)
    {
      angles[i] = (float) cos (range * i / n_turns);
      angles[n_turns + i] = (float) sin (range * i / n_turns);
    }
  guint32 first[2] = { 0, c->n };
  FlkDevice *d = search->device;
  FlkBuffer *b = search->buffers;
  FlkIndexRotationsArgs args = { .spots = stage_spots (search, c, first),
                                 .narrow_turn = flk_stage (d, &b[10], c->narrow_turn, c->n * sizeof (float)),
                                 .trials = flk_stage (d, &b[11], trials, n_trials * sizeof *trials),
                                 .cosine = flk_stage (d, &b[12], angles, 2 * n_turns * sizeof *angles),
                                 .best = flk_buffer_need (d, &b[13], n_trials * sizeof *args.best),
                                 .n_trials = n_trials,
                                 .n_turns = n_turns };
  g_autofree FlkIndexBest *host = g_new (FlkIndexBest, n_trials);
  const FlkIndexBest *found = NULL;
  if (args.cosine && args.best)
    {
      args.sine = args.cosine + n_turns;
      if (flk_launch (d, "index_rotations", n_trials, 0, &args, sizeof args))
        found = flk_fetch (d, host, args.best, n_trials * sizeof *host);
    }
  if (!found)
    {
      device_failed (search, error);
      return G_MAXUINT;
    }
  g_autofree FlkIndexBest *order = g_new (FlkIndexBest, n_trials);
  for (guint i = 0; i < n_trials; i++)
    order[i] = (FlkIndexBest){ found[i].score, i };
  qsort (order, n_trials, sizeof *order, compare_best);
  guint n = MIN (n_trials, most);
  for (guint i = 0; i < n; i++)
    {
      guint trial = order[i].index;
      FlVec3 v = fl_vec3_scale (vectors[trial % n_vectors].v, trial < n_vectors ? 1 : -1);
      best[i].real = turned_cell (cell, axis, v, range * found[trial].index / n_turns);
      best[i].score = order[i].score;
    }
  return n;
}

guint
fl_index_search_run (FlIndexSearch *search, guint axis, const FlIndexSpot *spots, guint n,
                     FlOrientation *best, guint most, GError **error)
{
  if (n == 0)
    return 0;
  Columns c = columns (search, n);
  Vector vectors[MOST_VECTORS];
  guint n_vectors;
  if (!find_vectors (search, axis, spots, &c, vectors, &n_vectors, error)
      || !refine_vectors (search, axis, spots, &c, vectors, &n_vectors, error))
    return G_MAXUINT;
  return find_turns (search, axis, spots, &c, vectors, n_vectors, best, most, error);
}
