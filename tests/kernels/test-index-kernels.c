/* test-index-kernels.c: the indexing kernels against plain loops in double precision, the same bits on every module, and
 * shots side by side as if alone. */
#include <math.h>

#include "kernels/index-rotations.h"
#include "kernels/index-vectors.h"
#include "tests/kernels/on-devices.h"

enum
{
  SHOTS = 3,
  SPOTS = 157,
  TILES = 5,
  VECTORS = 2 * FLK_INDEX_VECTORS,
  TRIALS = 11,
  TURNS = 3 * FLK_INDEX_TILE
};

/* Spots of a cubic lattice with noise, each shot with another number. */
typedef struct
{
  float x[SPOTS], y[SPOTS], z[SPOTS], weight[SPOTS], narrow[SPOTS], narrow_turn[SPOTS];
  guint32 first[SHOTS + 1];
  FlkBuffer buffers[16];
} Spots;

static float
uniform (GRand *random, double low, double high)
{
  return (float) g_rand_double_range (random, low, high);
}

static void
spots_init (Spots *s, GRand *random, double scale)
{
  *s = (Spots){ .first = { 0, 90, 90, SPOTS } };
  for (guint i = 0; i < SPOTS; i++)
    {
      s->x[i] =
          (float) (scale * (g_rand_int_range (random, -8, 9) + g_rand_double_range (random, -0.1, 0.1)));
      s->y[i] =
          (float) (scale * (g_rand_int_range (random, -8, 9) + g_rand_double_range (random, -0.1, 0.1)));
      s->z[i] =
          (float) (scale * (g_rand_int_range (random, -3, 4) + g_rand_double_range (random, -0.1, 0.1)));
      s->weight[i] = uniform (random, 0, 2);
      s->narrow[i] = uniform (random, 8, 40);
      s->narrow_turn[i] = uniform (random, 4, 30);
    }
}

static FlkIndexSpots
staged (FlkDevice *device, Spots *s)
{
  FlkBuffer *b = s->buffers;
  return (FlkIndexSpots){ .x = flk_stage (device, &b[0], s->x, sizeof s->x),
                          .y = flk_stage (device, &b[1], s->y, sizeof s->y),
                          .z = flk_stage (device, &b[2], s->z, sizeof s->z),
                          .weight = flk_stage (device, &b[3], s->weight, sizeof s->weight),
                          .narrow = flk_stage (device, &b[4], s->narrow, sizeof s->narrow),
                          .first = flk_stage (device, &b[5], s->first, sizeof s->first),
                          .n_shots = SHOTS };
}

static void
spots_clear (FlkDevice *device, Spots *s)
{
  for (guint i = 0; i < G_N_ELEMENTS (s->buffers); i++)
    flk_buffer_clear (device, &s->buffers[i]);
}

/* Fails unless what this module gives is what the plainest one gives. */
static void
assert_as_baseline (const char *what, gconstpointer data, gsize size)
{
  static GHashTable *known;
  if (!known)
    known = g_hash_table_new (g_str_hash, g_str_equal);
  GBytes *bytes = g_hash_table_lookup (known, what);
  if (!bytes)
    g_hash_table_insert (known, (gpointer) what, g_bytes_new (data, size));
  else
    assert_same (data, size, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static double
off_whole (double x)
{
  return x - rint (x);
}

static double
hump (double squared, double narrow)
{
  return MAX (0, 1 - narrow * squared);
}

static void
test_directions (FlkDevice *device)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  Spots s;
  spots_init (&s, random, 1);
  static float u[3][TILES * FLK_INDEX_TILE];
  for (guint i = 0; i < TILES * FLK_INDEX_TILE; i++)
    for (guint k = 0; k < 3; k++)
      u[k][i] = uniform (random, -1, 1);
  FlkBuffer *b = s.buffers;
  gsize size = SHOTS * TILES * sizeof (FlkIndexBest);
  FlkIndexDirectionsArgs args = { .spots = staged (device, &s),
                                  .ux = flk_stage (device, &b[6], u[0], sizeof u[0]),
                                  .uy = flk_stage (device, &b[7], u[1], sizeof u[1]),
                                  .uz = flk_stage (device, &b[8], u[2], sizeof u[2]),
                                  .best = flk_buffer_need (device, &b[9], size),
                                  .n_tiles = TILES };
  launch (device, "index_directions", SHOTS * TILES, &args, sizeof args);
  g_autofree FlkIndexBest *got = fetched (device, args.best, size);
  for (guint shot = 0; shot < SHOTS; shot++)
    for (guint tile = 0; tile < TILES; tile++)
      {
        double best = -1, of_index = -1;
        FlkIndexBest *mine = &got[shot * TILES + tile];
        for (guint i = tile * FLK_INDEX_TILE; i < (tile + 1) * FLK_INDEX_TILE; i++)
          {
            double sum = 0;
            for (guint k = s.first[shot]; k < s.first[shot + 1]; k++)
              {
                double d = off_whole ((double) u[0][i] * (double) s.x[k] + (double) u[1][i] * (double) s.y[k]
                                      + (double) u[2][i] * (double) s.z[k]);
                sum += (double) s.weight[k] * hump (d * d, (double) s.narrow[k]);
              }
            best = MAX (best, sum);
            if (i == mine->index)
              of_index = sum;
          }
        g_assert_cmpfloat_with_epsilon ((double) mine->score, best, 1e-3);
        g_assert_cmpfloat_with_epsilon (of_index, best, 1e-3);
      }
  assert_as_baseline ("directions", got, size);
  spots_clear (device, &s);
}

/* One round of least squares by Cramer's rule. */
static void
naive_round (const Spots *s, const FlkIndexVectorsArgs *a, guint shot, double shrink, double v[3])
{
  double m[3][4] = { 0 }, norm = sqrt (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]),
         hold = (double) a->length_hold;
  for (guint i = s->first[shot]; i < s->first[shot + 1]; i++)
    {
      double q[3] = { (double) s->x[i], (double) s->y[i], (double) s->z[i] };
      double window = shrink / sqrt ((double) s->narrow[i]),
             d = off_whole (v[0] * q[0] + v[1] * q[1] + v[2] * q[2]);
      double f = hump (d * d, 1 / (window * window));
      for (guint j = 0; j < 3 && window <= (double) a->widest; j++)
        {
          m[j][3] -= f * f * d * q[j];
          for (guint k = 0; k < 3; k++)
            m[j][k] += f * f * q[j] * q[k];
        }
    }
  double damp = 1e-4 * (m[0][0] + m[1][1] + m[2][2]);
  for (guint j = 0; j < 3; j++)
    {
      m[j][j] += damp;
      m[j][3] += hold * ((double) a->length - norm) * v[j] / norm;
      for (guint k = 0; k < 3; k++)
        m[j][k] += hold * v[j] * v[k] / (norm * norm);
    }
#define DETERMINANT(i, j, k)                                                                                 \
  (m[0][i] * (m[1][j] * m[2][k] - m[1][k] * m[2][j]) - m[0][j] * (m[1][i] * m[2][k] - m[1][k] * m[2][i])     \
   + m[0][k] * (m[1][i] * m[2][j] - m[1][j] * m[2][i]))
  double all = DETERMINANT (0, 1, 2);
  v[0] += DETERMINANT (3, 1, 2) / all;
  v[1] += DETERMINANT (0, 3, 2) / all;
  v[2] += DETERMINANT (0, 1, 3) / all;
}

static void
test_vectors (FlkDevice *device)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  Spots s;
  spots_init (&s, random, 0.02);
  float v[3][VECTORS];
  guint32 shot[VECTORS];
  for (guint i = 0; i < VECTORS; i++)
    {
      shot[i] = i < FLK_INDEX_VECTORS ? 0 : 2;
      for (guint k = 0; k < 3; k++)
        v[k][i] = uniform (random, -1, 1) + (k == i % 3 ? 50 : 0);
    }
  FlkBuffer *b = s.buffers;
  FlkIndexVectorsArgs args = { .spots = staged (device, &s),
                               .x = flk_buffer_need (device, &b[6], sizeof v),
                               .shot = flk_stage (device, &b[7], shot, sizeof shot),
                               .shrink = { 1, 0.7f, 0.5f, 0.4f },
                               .widest = 0.35f,
                               .length = 50,
                               .length_hold = 0.04f,
                               .n = VECTORS };
  args.y = args.x + VECTORS;
  args.z = args.y + VECTORS;
  g_assert_true (flk_upload (device, args.x, v, sizeof v));
  launch (device, "index_vectors", VECTORS / FLK_INDEX_VECTORS, &args, sizeof args);
  g_autofree float *got = fetched (device, args.x, sizeof v);
  for (guint i = 0; i < VECTORS; i++)
    {
      double naive[3] = { (double) v[0][i], (double) v[1][i], (double) v[2][i] };
      for (guint round = 0; round < FLK_INDEX_ROUNDS; round++)
        naive_round (&s, &args, shot[i], (double) args.shrink[round], naive);
      for (guint k = 0; k < 3; k++)
        {
          g_assert_cmpfloat_with_epsilon ((double) got[k * VECTORS + i], naive[k], 2e-3);
          g_assert_cmpfloat_with_epsilon (naive[k], k == i % 3 ? 50.0 : 0.0, 1.5);
        }
    }
  assert_as_baseline ("vectors", got, sizeof v);
  spots_clear (device, &s);
}

static double
naive_turn (const Spots *s, const FlkIndexTrial *t, double cosine, double sine)
{
  double sum = 0, a[3], c[3];
  for (guint k = 0; k < 3; k++)
    {
      a[k] = (double) t->a0[k] + (double) t->a1[k] * cosine + (double) t->a2[k] * sine;
      c[k] = (double) t->b0[k] + (double) t->b1[k] * cosine + (double) t->b2[k] * sine;
    }
  for (guint i = s->first[t->shot]; i < s->first[t->shot + 1]; i++)
    {
      double x = (double) s->x[i], y = (double) s->y[i], z = (double) s->z[i];
      double dv = off_whole ((double) t->v[0] * x + (double) t->v[1] * y + (double) t->v[2] * z);
      double da = off_whole (a[0] * x + a[1] * y + a[2] * z), dc = off_whole (c[0] * x + c[1] * y + c[2] * z);
      sum += (double) s->weight[i] * hump (dv * dv, (double) s->narrow[i])
             * hump (da * da + dc * dc, (double) s->narrow_turn[i]);
    }
  return sum;
}

static void
test_rotations (FlkDevice *device)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  Spots s;
  spots_init (&s, random, 0.02);
  FlkIndexTrial trials[TRIALS] = { 0 };
  for (guint i = 0; i < TRIALS; i++) /* c near the true axis, a and b turning about it */
    {
      trials[i] =
          (FlkIndexTrial){ .v = { 0, 0, 50 }, .a1 = { 50 }, .a2 = { 0, 50 }, .b1 = { 0, 50 }, .b2 = { -50 } };
      trials[i].v[0] += uniform (random, -1, 1);
      trials[i].shot = i % SHOTS;
    }
  static float angles[2][TURNS];
  for (guint i = 0; i < TURNS; i++)
    {
      angles[0][i] = (float) cos (G_PI / 2 * i / TURNS);
      angles[1][i] = (float) sin (G_PI / 2 * i / TURNS);
    }
  FlkBuffer *b = s.buffers;
  gsize size = TRIALS * sizeof (FlkIndexBest);
  FlkIndexRotationsArgs args = { .spots = staged (device, &s),
                                 .narrow_turn =
                                     flk_stage (device, &b[6], s.narrow_turn, sizeof s.narrow_turn),
                                 .trials = flk_stage (device, &b[7], trials, sizeof trials),
                                 .cosine = flk_stage (device, &b[8], angles[0], sizeof angles[0]),
                                 .sine = flk_stage (device, &b[9], angles[1], sizeof angles[1]),
                                 .best = flk_buffer_need (device, &b[10], size),
                                 .n_trials = TRIALS,
                                 .n_turns = TURNS };
  launch (device, "index_rotations", TRIALS, &args, sizeof args);
  g_autofree FlkIndexBest *got = fetched (device, args.best, size);
  for (guint i = 0; i < TRIALS; i++)
    {
      double best = -1, of_index = -1;
      for (guint k = 0; k < TURNS; k++)
        {
          double score = naive_turn (&s, &trials[i], (double) angles[0][k], (double) angles[1][k]);
          best = MAX (best, score);
          if (k == got[i].index)
            of_index = score;
        }
      g_assert_cmpfloat_with_epsilon ((double) got[i].score, best, 2e-3);
      g_assert_cmpfloat_with_epsilon (of_index, best, 2e-3);
      if (trials[i].shot != 1) /* that one has no spots */
        g_assert_true (got[i].index < 4 || got[i].index > TURNS - 4);
    }
  assert_as_baseline ("rotations", got, size);
  spots_clear (device, &s);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/index/directions", test_directions);
  on_devices ("/index/vectors", test_vectors);
  on_devices ("/index/rotations", test_rotations);
  on_devices_launched ("index_directions index_rotations index_vectors");
  return g_test_run ();
}
