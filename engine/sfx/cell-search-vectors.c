/* Real-space vectors: transforms of projections in octaves, then each refined by itself.
 *
 * The steps between directions blur the high orders of long vectors. So the search goes in octaves: of the spots below a
 * resolution limit Q it looks for vectors up to LONGEST / Q, then halves Q; the phase error over one step of direction is
 * the same in each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/sfx/cell-search-private.h"
#include "kernels/project-fft.h"

#define N_DIRECTIONS 7008 /* half sphere; about 0.03 rad apart */
#define LONGEST      76.0 /* longest vector of an octave, in units of 1 / Q */
#define SHORTEST     12.0 /* Å: the shortest axis that is looked for */
#define MOST_COARSE  400  /* vectors of an octave that are refined */
#define MOST_OCTAVES 4
#define FEWEST_SPOTS 10 /* in an octave */

struct FlVectorSearch
{
  FlkDevice *device;
  float *directions, *turns; /* as the kernel takes them */
  FlkBuffer directions_at, turns_at, q_at, peaks_at;
  FlkProjectPeak *peaks; /* host */
  float *q;
  guint room;
};

/* Fibonacci's spiral over a half sphere. */
static void
make_directions (float *directions)
{
  double turn = G_PI * (3 - sqrt (5));
  for (guint i = 0; i < N_DIRECTIONS; i++)
    {
      double z = (i + 0.5) / N_DIRECTIONS, r = sqrt (1 - z * z), phi = turn * i;
      directions[i] = (float) (r * cos (phi));
      directions[N_DIRECTIONS + i] = (float) (r * sin (phi));
      directions[2 * N_DIRECTIONS + i] = (float) z;
    }
}

FlVectorSearch *
fl_vector_search_new (FlkDevice *device)
{
  FlVectorSearch *self = g_new0 (FlVectorSearch, 1);
  self->device = device;
  self->directions = g_new (float, 3 * N_DIRECTIONS);
  make_directions (self->directions);
  self->turns = g_new (float, FLK_PROJECT_SIZE);
  for (guint j = 0; j < FLK_PROJECT_SIZE / 2; j++)
    {
      self->turns[j] = (float) cos (2 * G_PI * j / FLK_PROJECT_SIZE);
      self->turns[FLK_PROJECT_SIZE / 2 + j] = (float) -sin (2 * G_PI * j / FLK_PROJECT_SIZE);
    }
  self->peaks = g_new (FlkProjectPeak, N_DIRECTIONS * FLK_PROJECT_PEAKS);
  return self;
}

void
fl_vector_search_free (FlVectorSearch *search)
{
  if (search == NULL)
    return;
  flk_buffer_clear (search->device, &search->directions_at);
  flk_buffer_clear (search->device, &search->turns_at);
  flk_buffer_clear (search->device, &search->q_at);
  flk_buffer_clear (search->device, &search->peaks_at);
  g_free (search->directions);
  g_free (search->turns);
  g_free (search->peaks);
  g_free (search->q);
  g_free (search);
}

/* Peaks of all directions, from the first `n` spots; NULL with error. `step`: Å between the transform's values. */
static const FlkProjectPeak *
transform (FlVectorSearch *self, const FlSearchSpots *spots, guint n, double step, double longest,
           GError **error)
{
  FlkDevice *device = self->device;
  if (n > self->room)
    {
      self->room = n;
      self->q = g_renew (float, self->q, 3 * n);
    }
  for (guint j = 0; j < n; j++)
    {
      self->q[j] = (float) spots->q[j].x;
      self->q[n + j] = (float) spots->q[j].y;
      self->q[2 * n + j] = (float) spots->q[j].z;
    }
  gsize size = N_DIRECTIONS * FLK_PROJECT_PEAKS * sizeof (FlkProjectPeak);
  FlkProjectFftArgs args = {
    .q = flk_stage (device, &self->q_at, self->q, 3 * n * sizeof (float)),
    .n = n,
    .direction =
        flk_stage (device, &self->directions_at, self->directions, 3 * N_DIRECTIONS * sizeof (float)),
    .n_directions = N_DIRECTIONS,
    .bin = (float) (1 / (step * FLK_PROJECT_SIZE)),
    .least = (float) (3 * sqrt (n / 2.0)),
    .k_min = (guint) CLAMP (SHORTEST / step, 1, FLK_PROJECT_SIZE / 2 - 2),
    .k_max = (guint) CLAMP (longest / step, 1, FLK_PROJECT_SIZE / 2 - 2),
    .turn = flk_stage (device, &self->turns_at, self->turns, FLK_PROJECT_SIZE * sizeof (float)),
    .peaks = flk_buffer_need (device, &self->peaks_at, size),
  };
  const FlkProjectPeak *peaks = NULL;
  if (args.q != NULL && args.direction != NULL && args.turn != NULL && args.peaks != NULL
      && flk_launch (device, "project_fft", N_DIRECTIONS / FLK_PROJECT_TEAM, 0, &args, sizeof args))
    peaks = flk_fetch (device, self->peaks, args.peaks, size);
  if (peaks == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "cell search: %s", flk_error (device));
  return peaks;
}

typedef struct
{
  float score;
  guint index; /* direction × FLK_PROJECT_PEAKS + peak */
} Peak;

static int
compare_peaks (gconstpointer a, gconstpointer b)
{
  const Peak *p = a, *q = b;
  if (p->score != q->score)
    return p->score > q->score ? -1 : 1;
  return p->index < q->index ? -1 : 1;
}

static gboolean
near_one_of (FlVec3 v, const FlSearchVector *vectors, guint n, double distance)
{
  for (guint i = 0; i < n; i++)
    {
      FlVec3 w = vectors[i].v;
      FlVec3 minus = fl_vec3_sub (v, w), plus = fl_vec3_add (v, w);
      if (MIN (fl_vec3_dot (minus, minus), fl_vec3_dot (plus, plus)) < distance * distance)
        return TRUE;
    }
  return FALSE;
}

/* The highest peaks that are no neighbours of higher ones. */
static guint
pick (FlVectorSearch *self, const FlkProjectPeak *peaks, double step, FlSearchVector *vectors)
{
  g_autofree Peak *order = g_new (Peak, N_DIRECTIONS * FLK_PROJECT_PEAKS);
  guint n = 0, kept = 0;
  for (guint i = 0; i < N_DIRECTIONS * FLK_PROJECT_PEAKS; i++)
    if (peaks[i].k > 0)
      order[n++] = (Peak){ peaks[i].score, i };
  qsort (order, n, sizeof *order, compare_peaks);
  const float *u = self->directions;
  for (guint i = 0; i < n && kept < MOST_COARSE; i++)
    {
      guint d = order[i].index / FLK_PROJECT_PEAKS;
      double t = (double) peaks[order[i].index].k * step;
      FlVec3 v =
          fl_vec3 (t * (double) u[d], t * (double) u[N_DIRECTIONS + d], t * (double) u[2 * N_DIRECTIONS + d]);
      if (!near_one_of (v, vectors, kept, 1.5 * step))
        vectors[kept++] = (FlSearchVector){ v, (double) order[i].score };
    }
  return kept;
}

/* One round of least squares over the first n spots: whole numbers as they are nearest now, spots far from them weigh
 * less (Tukey's weight, 0 at `reach`). FALSE when the spots do not fix the vector. */
static gboolean
refine_round (const FlSearchSpots *spots, guint n, double reach, FlVec3 *v)
{
  double xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0;
  FlVec3 right = { 0, 0, 0 };
  for (guint j = 0; j < n; j++)
    {
      FlVec3 q = spots->q[j];
      double x = fl_vec3_dot (q, *v), whole = nearbyint (x), f = (x - whole) / reach;
      double weight = 1 - f * f;
      weight = weight > 0 ? weight * weight : 0;
      xx += weight * q.x * q.x;
      xy += weight * q.x * q.y;
      xz += weight * q.x * q.z;
      yy += weight * q.y * q.y;
      yz += weight * q.y * q.z;
      zz += weight * q.z * q.z;
      right = fl_vec3_add (right, fl_vec3_scale (q, weight * (x - whole)));
    }
  /* Where the spots say nothing (along the beam, at low angles), the vector stays. */
  double hold = 1e-4 * (xx + yy + zz);
  FlMat3 normal = { { { xx + hold, xy, xz }, { xy, yy + hold, yz }, { xz, yz, zz + hold } } };
  if (!(fl_mat3_determinant (&normal) > 0))
    return FALSE;
  FlMat3 inverse = fl_mat3_inverse (&normal);
  *v = fl_vec3_sub (*v, fl_mat3_apply (&inverse, right));
  return TRUE;
}

static double
score (const FlSearchSpots *spots, FlVec3 v)
{
  double sum = 0;
  for (guint j = 0; j < spots->n; j++)
    sum += cos (2 * G_PI * fl_vec3_dot (spots->q[j], v));
  return sum / sqrt (spots->n / 2.0);
}

static guint
spots_below (const FlSearchSpots *spots, double limit)
{
  guint n = 0;
  while (n < spots->n && fl_vec3_dot (spots->q[n], spots->q[n]) <= limit * limit)
    n++;
  return n;
}

/* From the octave's spots to all of them. */
static gboolean
refine (const FlSearchSpots *spots, double limit, double highest, FlSearchVector *vector)
{
  FlVec3 v = vector->v;
  double q = 0.5 * limit;
  for (guint round = 0; round < 8; round++, q = MIN (1.5 * q, highest))
    {
      guint n = spots_below (spots, q);
      if (n >= 6 && !refine_round (spots, n, round < 5 ? 0.5 : 0.3, &v))
        return FALSE;
    }
  double length = fl_vec3_norm (v);
  if (!(length > SHORTEST && length < 1.05 * spots->max_cell))
    return FALSE;
  *vector = (FlSearchVector){ v, score (spots, v) };
  return TRUE;
}

static int
compare_vectors (gconstpointer a, gconstpointer b)
{
  const FlSearchVector *p = a, *q = b;
  return p->score > q->score ? -1 : p->score < q->score;
}

/* Is it a multiple of a kept one, or the sum of two that score no less? Such say nothing new. */
static gboolean
follows (const FlSearchVector *vector, const FlSearchVector *kept, guint n, double distance)
{
  for (guint i = 0; i < n; i++)
    {
      FlVec3 w = kept[i].v;
      double ratio = fl_vec3_dot (vector->v, w) / fl_vec3_dot (w, w), whole = nearbyint (ratio);
      if (fabs (whole) > 1
          && fl_vec3_norm (fl_vec3_sub (vector->v, fl_vec3_scale (w, whole))) < distance * fabs (whole))
        return TRUE;
      for (guint k = 0; k < i; k++)
        {
          FlSearchVector sum[2] = { { fl_vec3_add (w, kept[k].v), 0 }, { fl_vec3_sub (w, kept[k].v), 0 } };
          double longer = fmax (fl_vec3_norm (w), fl_vec3_norm (kept[k].v));
          if (fl_vec3_norm (vector->v) >= longer && near_one_of (vector->v, sum, 2, 1.5 * distance))
            return TRUE;
        }
    }
  return FALSE;
}

guint
fl_vector_search_run (FlVectorSearch *search, const FlSearchSpots *spots, FlSearchVector *vectors, guint most,
                      GError **error)
{
  double highest = fl_vec3_norm (spots->q[spots->n - 1]);
  g_autofree FlSearchVector *all = g_new (FlSearchVector, MOST_COARSE * MOST_OCTAVES);
  guint n = 0;
  double limit = highest;
  for (guint octave = 0; octave < MOST_OCTAVES; octave++, limit /= 2)
    {
      guint n_spots = spots_below (spots, limit);
      /* The second octave always: it forgives an overestimated resolution. */
      if (n_spots < FEWEST_SPOTS || (octave > 1 && 2 * spots->max_cell < LONGEST / limit))
        break;
      double longest = MIN (LONGEST / limit, spots->max_cell),
             step = LONGEST / (0.4 * FLK_PROJECT_SIZE) / limit;
      const FlkProjectPeak *peaks = transform (search, spots, n_spots, step, longest, error);
      if (peaks == NULL)
        return G_MAXUINT;
      guint first = n, found = pick (search, peaks, step, all + n);
      for (guint i = first; i < first + found; i++)
        if (refine (spots, limit, highest, &all[i]))
          all[n++] = all[i];
    }
  qsort (all, n, sizeof *all, compare_vectors);
  double distance = 0.25 / highest;
  guint kept = 0;
  for (guint i = 0; i < n && kept < most; i++)
    if (!near_one_of (all[i].v, vectors, kept, distance) && !follows (&all[i], vectors, kept, distance))
      vectors[kept++] = all[i];
  return kept;
}
