/* test-pyramid.c: the weather plot's store against a naive list of events. */
#include <math.h>
#include <string.h>

#include "kernels/pyramid.h"
#include "tests/kernels/on-devices.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlkPyramid, flk_pyramid_free)

static const guint64 start = G_GUINT64_CONSTANT (1800000000000000000); /* ns: a day in 2027 */

/* Events of `rows` ranks over `span` ns; shuffled when `order` is FALSE. */
static GArray *
make_events (guint n, guint rows, guint64 span, gboolean order, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  GArray *events = g_array_sized_new (FALSE, FALSE, sizeof (FlkEvent), n);
  for (guint i = 0; i < n; i++)
    {
      double where = order ? (i + g_rand_double (random)) / n : g_rand_double (random);
      FlkEvent event = { (guint32) g_rand_int_range (random, 0, (gint32) rows),
                         g_rand_int_range (random, 0, 100) < 97 ? (guint32) g_rand_int_range (random, 0, 3)
                                                                : (guint32) g_rand_int_range (random, 3, 6),
                         start + (guint64) (where * (double) span), i };
      g_array_append_val (events, event);
    }
  return events;
}

static guint32
class_of (const FlkEvent *event)
{
  return MIN (event->klass, FLK_PYRAMID_CLASSES - 1);
}

static void
append_in_batches (FlkPyramid *pyramid, GArray *events, guint batch)
{
  for (guint i = 0; i < events->len; i += batch)
    g_assert_true (
        flk_pyramid_append (pyramid, &g_array_index (events, FlkEvent, i), MIN (batch, events->len - i)));
}

static void
check_counts (const FlkPyramid *pyramid, GArray *events, guint64 t0, guint64 t1, guint32 row0, guint32 row1)
{
  guint64 expected[FLK_PYRAMID_CLASSES] = { 0 }, got[FLK_PYRAMID_CLASSES], sum = 0;
  for (guint i = 0; i < events->len; i++)
    {
      const FlkEvent *e = &g_array_index (events, FlkEvent, i);
      if (e->time >= t0 && e->time < t1 && e->row >= row0 && e->row < row1)
        expected[class_of (e)]++, sum++;
    }
  flk_pyramid_count (pyramid, t0, t1, row0, row1, got);
  assert_same (got, sizeof got, expected, sizeof expected);

  g_autofree FlkEvent *list = g_new (FlkEvent, sum + 1);
  g_assert_cmpuint (flk_pyramid_list (pyramid, t0, t1, row0, row1, list, sum / 2), ==, sum);
  g_assert_cmpuint (flk_pyramid_list (pyramid, t0, t1, row0, row1, list, sum + 1), ==, sum);
  for (guint64 i = 0; i < sum; i++)
    {
      const FlkEvent *origin = &g_array_index (events, FlkEvent, list[i].id);
      g_assert_true (list[i].time == origin->time && list[i].row == origin->row
                     && list[i].klass == class_of (origin));
      if (i > 0)
        g_assert_true (list[i].row > list[i - 1].row
                       || (list[i].row == list[i - 1].row && list[i].time >= list[i - 1].time));
    }
}

/* Every raster pixel of the exact path: the worst class, the number of events. */
static void
check_exact (const FlkPyramid *pyramid, GArray *events, const FlkView *view)
{
  gsize size = (gsize) view->width * view->height;
  g_autofree guint8 *klass = g_malloc (size), *expected_klass = g_malloc (size);
  g_autofree guint32 *count = g_new (guint32, size), *expected = g_new0 (guint32, size);
  guint32 rows = view->row1 - view->row0, max = 0;
  memset (expected_klass, FLK_PYRAMID_NONE, size);
  for (guint i = 0; i < events->len; i++)
    {
      const FlkEvent *e = &g_array_index (events, FlkEvent, i);
      if (e->time < view->t0 || e->time >= view->t1 || e->row < view->row0 || e->row >= view->row1)
        continue;
      double pixels = (double) view->width / (double) (view->t1 - view->t0);
      guint32 x = MIN ((guint32) ((double) (e->time - view->t0) * pixels), view->width - 1);
      guint32 y0 = (e->row - view->row0) * view->height / rows;
      guint32 y1 = MAX ((e->row - view->row0 + 1) * view->height / rows, y0 + 1);
      for (guint32 y = y0; y < y1; y++)
        {
          gsize at = (gsize) y * view->width + x;
          expected[at]++;
          max = MAX (max, expected[at]);
          if (expected_klass[at] == FLK_PYRAMID_NONE || class_of (e) > expected_klass[at])
            expected_klass[at] = (guint8) class_of (e);
        }
    }
  g_assert_cmpuint (flk_pyramid_raster (pyramid, view, FLK_RASTER_EXACT, klass, count), ==, max);
  assert_same (klass, size, expected_klass, size);
  assert_same (count, size * sizeof *count, expected, size * sizeof *expected);
}

/* The worst class of a pixel and its neighbours in time, -1 for none. */
static int
worst_near (const guint8 *klass, const FlkView *view, guint x, guint y)
{
  int worst = -1;
  for (guint i = x > 0 ? x - 1 : 0; i <= x + 1 && i < view->width; i++)
    {
      guint8 here = klass[(gsize) y * view->width + i];
      worst = here != FLK_PYRAMID_NONE && here > worst ? here : worst;
    }
  return worst;
}

/* A raster from a level is the exact one, moved by a pixel at most, and as bright on the whole. */
static void
check_level (const FlkPyramid *pyramid, const FlkView *view)
{
  gsize size = (gsize) view->width * view->height;
  g_autofree guint8 *exact = g_malloc (size), *level = g_malloc (size);
  g_autofree guint32 *exact_count = g_new (guint32, size), *level_count = g_new (guint32, size);
  flk_pyramid_raster (pyramid, view, FLK_RASTER_EXACT, exact, exact_count);
  flk_pyramid_raster (pyramid, view, FLK_RASTER_LEVEL, level, level_count);
  double sum_exact = 0, sum_level = 0;
  for (guint y = 0; y < view->height; y++)
    for (guint x = 0; x < view->width; x++)
      {
        gsize at = (gsize) y * view->width + x;
        /* Nothing rare is lost, nothing is made up. */
        if (exact[at] != FLK_PYRAMID_NONE)
          g_assert_cmpint (worst_near (level, view, x, y), >=, exact[at]);
        if (level[at] != FLK_PYRAMID_NONE)
          g_assert_cmpint (worst_near (exact, view, x, y), >=, level[at]);
        g_assert_true ((level[at] == FLK_PYRAMID_NONE) == (level_count[at] == 0));
        sum_exact += exact_count[at];
        sum_level += level_count[at];
      }
  g_assert_cmpfloat (sum_exact, >, 1000);
  g_assert_cmpfloat_with_epsilon (sum_level / sum_exact, 1, 0.1);
}

static void
check_all (GArray *events, guint batch, guint rows, guint64 span)
{
  g_autoptr (FlkPyramid) pyramid = flk_pyramid_new ();
  append_in_batches (pyramid, events, batch);
  g_assert_cmpuint (flk_pyramid_size (pyramid), ==, events->len);
  g_assert_cmpuint (flk_pyramid_rows (pyramid), <=, rows);
  guint64 first, last;
  g_assert_true (flk_pyramid_span (pyramid, &first, &last));
  g_assert_true (first >= start && last <= start + span);
  check_counts (pyramid, events, 0, G_MAXUINT64, 0, G_MAXUINT32);
  check_counts (pyramid, events, start + span / 3, start + span / 2, rows / 4, rows / 2);
  check_counts (pyramid, events, start + span / 3, start + span / 3, 0, rows);

  const FlkView views[] = {
    { start, start + span, 0, rows, 300, rows * 2 + 1 },                    /* rows taller than a pixel */
    { start, start + span, 0, rows, 200, MAX (rows / 3, 1) },               /* several rows a pixel */
    { start + span / 4, start + span / 4 + span / 50, 0, rows, 333, rows }, /* zoomed in */
    { start - span, start + 3 * span, 1, rows + 9, 100, rows },             /* beyond the ends */
    { start + span / 2, start + span / 2 + 1, 0, rows, 7, rows },           /* one nanosecond */
  };
  for (guint v = 0; v < G_N_ELEMENTS (views); v++)
    check_exact (pyramid, events, &views[v]);
  for (guint v = 0; v < 2; v++)
    check_level (pyramid, &views[v]);
}

static void
test_live (void)
{
  g_autoptr (GArray) events = make_events (60000, 40, G_GUINT64_CONSTANT (3600000000000), TRUE, 1);
  check_all (events, 128, 40, G_GUINT64_CONSTANT (3600000000000));
}

static void
test_any_order (void)
{
  g_autoptr (GArray) events = make_events (60000, 40, G_GUINT64_CONSTANT (86400000000000), FALSE, 2);
  check_all (events, 1000, 40, G_GUINT64_CONSTANT (86400000000000));
  check_all (events, 60000, 40, G_GUINT64_CONSTANT (86400000000000));
}

static void
test_one_row (void)
{
  g_autoptr (GArray) events = make_events (5000, 1, 1000000, TRUE, 3); /* a millisecond */
  check_all (events, 7, 1, 1000000);
}

static void
test_empty (void)
{
  g_autoptr (FlkPyramid) pyramid = flk_pyramid_new ();
  guint64 counts[FLK_PYRAMID_CLASSES], first, last;
  guint8 klass[4];
  guint32 count[4];
  FlkView view = { 0, 100, 0, 2, 2, 2 };
  FlkEvent event = { FLK_PYRAMID_ROWS_MAX, 0, start, 0 };
  g_assert_false (flk_pyramid_append (pyramid, &event, 1));
  g_assert_true (flk_pyramid_append (pyramid, NULL, 0));
  g_assert_cmpuint (flk_pyramid_rows (pyramid), ==, 0);
  g_assert_false (flk_pyramid_span (pyramid, &first, &last));
  g_assert_false (flk_pyramid_last (pyramid, 0, &event));
  flk_pyramid_count (pyramid, 0, G_MAXUINT64, 0, 10, counts);
  g_assert_cmpuint (counts[0], ==, 0);
  g_assert_cmpuint (flk_pyramid_raster (pyramid, &view, FLK_RASTER_AUTO, klass, count), ==, 0);
  g_assert_cmpuint (klass[3], ==, FLK_PYRAMID_NONE);
  flk_pyramid_free (NULL);

  event = (FlkEvent){ 3, 1, start, 42 };
  FlkEvent seen;
  g_assert_true (flk_pyramid_append (pyramid, &event, 1));
  g_assert_true (flk_pyramid_last (pyramid, 3, &seen) && seen.id == 42 && seen.time == start
                 && seen.klass == 1);
  g_assert_false (flk_pyramid_last (pyramid, 2, &seen));
}

/* Views that make no sense give an empty picture. */
static void
test_bad_views (void)
{
  g_autoptr (FlkPyramid) pyramid = flk_pyramid_new ();
  g_autoptr (GArray) events = make_events (100, 4, 1000000000, TRUE, 3);
  append_in_batches (pyramid, events, 100);
  guint8 klass[4] = { 0 };
  guint32 count[4];
  const FlkView views[] = { { start, start, 0, 4, 2, 2 },
                            { start + 5, start, 0, 4, 2, 2 },
                            { start, start + 10, 4, 4, 2, 2 },
                            { start, start + 10, 100, 200, 2, 2 } };
  for (guint v = 0; v < G_N_ELEMENTS (views); v++)
    {
      g_assert_cmpuint (flk_pyramid_raster (pyramid, &views[v], FLK_RASTER_AUTO, klass, count), ==, 0);
      g_assert_cmpuint (klass[0], ==, FLK_PYRAMID_NONE);
    }
  FlkView nothing = { start, start + 10, 0, 4, 0, 2 };
  g_assert_cmpuint (flk_pyramid_raster (pyramid, &nothing, FLK_RASTER_AUTO, klass, count), ==, 0);
}

static void
test_shade (void)
{
  const guint32 colours[FLK_PYRAMID_CLASSES] = { 0xff8a8a8a, 0xff56b4e9, 0xfff0e442, 0xffd55e00, 0xffffffff };
  guint8 klass[] = { FLK_PYRAMID_NONE, 0, 3, 3, 4 };
  guint32 count[] = { 0, 1000, 1, 1000, 2000000 }, out[5];
  FlkBrightness brightness;
  flk_brightness_log (&brightness, 1000);
  for (int i = 1; i < 256; i++)
    g_assert_cmpuint (brightness.edges[i], >=, brightness.edges[i - 1]);
  flk_pyramid_shade (klass, count, 5, &brightness, colours, out);
  g_assert_cmphex (out[0], ==, 0);
  g_assert_cmphex (out[1], ==, colours[0]);
  g_assert_cmphex (out[3], ==, colours[3]);
  g_assert_cmphex (out[4], ==, colours[4]);
  /* A single failed shot is still a third as bright: seen. */
  g_assert_cmpuint (out[2] >> 16 & 0xff, >=, 0xd5 / 3);
  g_assert_cmpuint (out[2] >> 16 & 0xff, <, 0xd5 / 2);

  /* Equalised: a tenth of the pixels in each of ten counts gives ten even steps. */
  guint32 counts[1000];
  for (guint i = 0; i < 1000; i++)
    counts[i] = i % 10 ? 1u << (i % 10) : 0;
  flk_brightness_equalised (&brightness, counts, 1000);
  g_assert_cmpuint (brightness.max, ==, 512);
  for (guint k = 1; k < 10; k++)
    {
      guint step = 0;
      while (step < 255 && brightness.edges[step] < 1u << k)
        step++;
      g_assert_cmpuint (step, ==, 255 * k / 9);
    }
  /* Nothing to see must not divide by zero. */
  memset (counts, 0, sizeof counts);
  flk_brightness_equalised (&brightness, counts, 1000);
  flk_brightness_log (&brightness, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pyramid/live", test_live);
  g_test_add_func ("/pyramid/any-order", test_any_order);
  g_test_add_func ("/pyramid/one-row", test_one_row);
  g_test_add_func ("/pyramid/empty", test_empty);
  g_test_add_func ("/pyramid/bad-views", test_bad_views);
  g_test_add_func ("/pyramid/shade", test_shade);
  return g_test_run ();
}
