/* bench-indexing.c: CPU milliseconds that indexing with a known cell takes a pattern, for each CPU module: real spot lists
 * (the first 300 spots, best of 10) and the frames of simulated set A with the spots of our finder. */
#include <stdio.h>
#include <string.h>

#include "engine/sfx/indexing-fit.h"
#include "engine/sfx/indexing-search.h"
#include "engine/sfx/indexing.h"
#include "tests/sfx/spot-list.h"

static double
time_list (FlkDevice *device, const SpotList *list)
{
  g_autoptr (FlParams) params = fl_params_new ();
  FlIndexer *indexer = fl_indexer_new (params, &list->known, device, NULL);
  double best = INFINITY;
  for (guint i = 0; i < 10; i++)
    {
      FlIndexed found[1];
      double start = cpu_seconds ();
      guint n = fl_indexer_index (indexer, (const FlVec3 *) (gconstpointer) list->q->data, NULL, list->q->len,
                                  found, 1, NULL);
      g_assert_cmpuint (n, ==, 1);
      best = MIN (best, cpu_seconds () - start);
    }
  fl_indexer_free (indexer);
  return 1e3 * best;
}

static void
bench_lists (const char *name, FlkDevice *device)
{
  GArray *lists = spot_lists_read ();
  double least = INFINITY, most = 0, sum = 0;
  guint n = 0;
  for (guint i = 0; i < lists->len; i++)
    if (strncmp (g_array_index (lists, SpotList, i).name, "image", 5) == 0)
      {
        double ms = time_list (device, &g_array_index (lists, SpotList, i));
        least = MIN (least, ms);
        most = MAX (most, ms);
        sum += ms;
        n++;
      }
  printf ("%-14s real lists, 300 spots: %.2f CPU-ms (%.2f to %.2f, %u lists)\n", name, sum / n, least, most,
          n);
  spot_lists_free (lists);
}

/* Where the time of one list goes. */
static void
bench_stages (const char *name, FlkDevice *device)
{
  GArray *lists = spot_lists_read ();
  const SpotList *list = &g_array_index (lists, SpotList, 0);
  FlIndexCell cell;
  g_assert_true (fl_index_cell_init (&cell, &list->known));
  FlIndexSearch *search = fl_index_search_new (&cell, device);
  g_autofree FlIndexSpot *spots = g_new (FlIndexSpot, list->q->len);
  FlOrientation tried[32];
  double ms[4] = { INFINITY, INFINITY, INFINITY, INFINITY };
  for (guint round = 0; round < 10; round++)
    {
      double t[5] = { cpu_seconds () };
      guint n =
          fl_index_spots (&cell, (const FlVec3 *) (gconstpointer) list->q->data, NULL, list->q->len, spots);
      t[1] = cpu_seconds ();
      guint n_tried = fl_index_search_run (search, 0, spots, n, tried, G_N_ELEMENTS (tried), NULL);
      t[2] = cpu_seconds ();
      for (guint i = 0; i < n_tried; i++)
        fl_lattice_turn (&cell, spots, n, &tried[i].real);
      t[3] = cpu_seconds ();
      for (guint i = 0; i < 4; i++)
        {
          FlLatticeFit fit = { .real = tried[i].real };
          fl_lattice_fit (&cell, spots, n, &fit);
        }
      t[4] = cpu_seconds ();
      for (guint i = 0; i < 4; i++)
        ms[i] = MIN (ms[i], 1e3 * (t[i + 1] - t[i]));
    }
  printf ("%-14s %s: spots %.2f, search (kernels) %.2f, turning 32 %.2f, fitting 4 %.2f CPU-ms\n", name,
          list->name, ms[0], ms[1], ms[2], ms[3]);
  fl_index_search_free (search);
  spot_lists_free (lists);
}

static void
bench_set (const char *name, FlkDevice *device, const Set *set)
{
  static const char *const kinds[] = { "weak", "medium", "strong" };
  g_autoptr (FlParams) params = fl_params_new ();
  FlIndexer *indexer = fl_indexer_new (params, &set->known, device, NULL);
  g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  g_autoptr (GArray) intensity = g_array_new (FALSE, FALSE, sizeof (float));
  double ms[3] = { 0 };
  guint n[3] = { 0 }, spots[3] = { 0 };
  for (guint i = 0; i < set->frames->len; i++)
    {
      const SetFrame *frame = &g_array_index (set->frames, SetFrame, i);
      frame_spots (set, frame, q, intensity);
      FlIndexed found[4];
      double start = cpu_seconds ();
      fl_indexer_index (indexer, (const FlVec3 *) (gconstpointer) q->data,
                        (const float *) (gconstpointer) intensity->data, q->len, found, 4, NULL);
      for (guint k = 0; k < 3; k++)
        if (strcmp (frame->kind, kinds[k]) == 0)
          {
            ms[k] += 1e3 * (cpu_seconds () - start);
            spots[k] += q->len;
            n[k]++;
          }
    }
  for (guint k = 0; k < 3; k++)
    printf ("%-14s set A, %s, %u spots: %.2f CPU-ms, up to 4 lattices looked for\n", name, kinds[k],
            spots[k] / MAX (1, n[k]), ms[k] / MAX (1, n[k]));
  fl_indexer_free (indexer);
}

int
main (void)
{
  if (!g_getenv ("FIRSTLIGHT_TEST_DATA") || !*g_getenv ("FIRSTLIGHT_TEST_DATA"))
    {
      puts ("no test data: FIRSTLIGHT_TEST_DATA");
      return 77;
    }
  static const char *const names[] = { "cpu-baseline", "cpu-v3", "cpu-v4" };
  Set *set = set_open ("crystfel-sim/lyso-agipd1m");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      char message[512];
      FlkDevice *device = flk_device_open (names[i], 0, 1, message, sizeof message);
      if (!device)
        {
          puts (message);
          continue;
        }
      bench_lists (names[i], device);
      bench_stages (names[i], device);
      bench_set (names[i], device, set);
      flk_device_close (device);
    }
  set_free (set);
  return 0;
}
