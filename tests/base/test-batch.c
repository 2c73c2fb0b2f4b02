/* Batches: what goes in comes out, and no bytes from outside can hurt. */
#include <string.h>

#include "engine/base/batch.h"
#include "engine/base/error.h"
#include "engine/base/hash.h"

static FlShotRow
random_shot (FlRandom *r, guint i)
{
  static const char *const messages[] = { "", "frame 3: chunk is damaged", "" };
  return (FlShotRow){ .id = fl_random_u64 (r),
                      .source = i / 100,
                      .frame = i % 100,
                      .start = 1700000000000000000ull + fl_random_u64 (r) % 1000000000,
                      .duration = { (guint32) fl_random_u64 (r), 7, 0, 0, 3 },
                      .outcome = (guint8) (fl_random_u64 (r) % FL_OUTCOME_LAST),
                      .stage = FL_STAGE_FIND,
                      .lattices = (guint16) (fl_random_u64 (r) % 3),
                      .spots = (guint32) (fl_random_u64 (r) % 500),
                      .resolution = (float) fl_random_unit (r),
                      .energy = 9300,
                      .message = messages[fl_random_u64 (r) % 3] };
}

static void
assert_same_shot (const FlShotRow *a, const FlShotRow *b)
{
  g_assert_cmphex (a->id, ==, b->id);
  g_assert_cmpuint (a->source, ==, b->source);
  g_assert_cmpuint (a->frame, ==, b->frame);
  g_assert_cmpuint (a->start, ==, b->start);
  g_assert_cmpmem (a->duration, sizeof a->duration, b->duration, sizeof b->duration);
  g_assert_cmpuint (a->outcome, ==, b->outcome);
  g_assert_cmpuint (a->stage, ==, b->stage);
  g_assert_cmpuint (a->lattices, ==, b->lattices);
  g_assert_cmpuint (a->spots, ==, b->spots);
  g_assert_cmpfloat (a->resolution, ==, b->resolution);
  g_assert_cmpfloat (a->energy, ==, b->energy);
  g_assert_cmpstr (a->message, ==, b->message);
}

static FlBatch *
random_batch (guint rows, guint64 seed)
{
  FlBatch *batch = fl_batch_new (FL_KIND_SHOT);
  FlRandom r = fl_random (seed);
  for (guint i = 0; i < rows; i++)
    {
      FlShotRow row = random_shot (&r, i);
      fl_batch_append (batch, &row);
    }
  return batch;
}

static void
test_round_trip (void)
{
  const guint sizes[] = { 0, 1, 2, 300 };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      g_autoptr (FlBatch) batch = random_batch (sizes[s], s);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      g_autoptr (GError) error = NULL;
      fl_batch_encode (batch, bytes);
      g_autoptr (FlBatch) back = fl_batch_decode (bytes->data, bytes->len, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (fl_batch_rows (back), ==, sizes[s]);
      for (guint i = 0; i < sizes[s]; i++)
        {
          FlShotRow a, b;
          fl_batch_row (batch, i, &a);
          fl_batch_row (back, i, &b);
          assert_same_shot (&a, &b);
        }
    }
}

/* A column with one value for all rows costs one value. */
static void
test_constant_columns (void)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SPOT);
  for (guint i = 0; i < 1000; i++)
    fl_batch_append (batch, &(FlSpotRow){ .shot = 5, .panel = 2, .fs = (float) i });
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  fl_batch_encode (batch, bytes);
  g_assert_cmpuint (bytes->len, <, 4000 + 300);
}

/* Another version's batch: an unknown column is stepped over, an absent one is zero. */
static void
test_other_version (void)
{
  static const guint8 bytes[] = { 3, 0,    3,   0,   2,   0,   0,   0, /* source, 3 columns, 2 rows */
                                  2, 6,    'f', 'r', 'a', 'm', 'e', 's', 9, 0, 0, 0,   8,  0,
                                  0, 0,    4,   3,   'n', 'e', 'w', 1,   2, 3, 4, 5,   6,  7,
                                  8, 0x86, 4,   'p', 'a', 't', 'h', 2,   0, 0, 0, 'x', 'y' };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlBatch) batch = fl_batch_decode (bytes, sizeof bytes, &error);
  g_assert_no_error (error);
  FlSourceRow row;
  fl_batch_row (batch, 1, &row);
  g_assert_cmpuint (row.frames, ==, 8);
  g_assert_cmpuint (row.source, ==, 0);
  g_assert_cmpstr (row.path, ==, "xy");
}

/* Every truncation and thousands of flipped bytes: an error or a batch, never a crash (run under ASan too). */
static void
test_hostile_bytes (void)
{
  g_autoptr (FlBatch) batch = random_batch (40, 9);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  fl_batch_encode (batch, bytes);
  for (guint cut = 0; cut < bytes->len; cut++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree guint8 *copy = g_memdup2 (bytes->data, cut);
      g_autoptr (FlBatch) got = fl_batch_decode (copy, cut, &error);
      g_assert_true ((got == NULL) == (error != NULL));
    }
  FlRandom r = fl_random (1);
  for (int trial = 0; trial < 20000; trial++)
    {
      g_autofree guint8 *copy = g_memdup2 (bytes->data, bytes->len);
      for (int flips = 0; flips < 3; flips++)
        copy[fl_random_u64 (&r) % (flips == 0 ? 40 : bytes->len)] = (guint8) fl_random_u64 (&r);
      g_autoptr (FlBatch) got = fl_batch_decode (copy, bytes->len, NULL);
      for (guint i = 0; got != NULL && i < MIN (fl_batch_rows (got), 3u); i++)
        {
          union
          {
            FlShotRow shot;
            FlSpotRow spot;
            FlLatticeRow lattice;
            FlRankRow rank;
            FlMergeRow merge; /* the largest */
          } row;
          fl_batch_row (got, i, &row);
        }
    }
}

static void
test_append_all (void)
{
  g_autoptr (FlBatch) a = random_batch (10, 1), b = random_batch (20, 2);
  fl_batch_append_all (a, b);
  g_assert_cmpuint (fl_batch_rows (a), ==, 30);
  FlShotRow expected, got;
  fl_batch_row (b, 19, &expected);
  fl_batch_row (a, 29, &got);
  assert_same_shot (&expected, &got);
  const guint32 *spots = fl_batch_column (a, "spots");
  g_assert_cmpuint (spots[29], ==, expected.spots);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batch/round-trip", test_round_trip);
  g_test_add_func ("/batch/constant-columns", test_constant_columns);
  g_test_add_func ("/batch/other-version", test_other_version);
  g_test_add_func ("/batch/hostile-bytes", test_hostile_bytes);
  g_test_add_func ("/batch/append-all", test_append_all);
  return g_test_run ();
}
