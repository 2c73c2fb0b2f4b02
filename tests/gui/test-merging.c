/* The Merging page: the versions of a dataset, their shells as plot and table, what is new when there is another. */
#include <math.h>
#include <string.h>

#include "engine/base/batch.h"
#include "gui/merging-page.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

static void
must (gboolean good, GError **error)
{
  if (!good)
    g_error ("test: %s", *error ? (*error)->message : "failed");
}

static gint64
save (FlStore *store, FlTable table, gpointer record)
{
  GError *error = NULL;
  must (fl_store_save (store, table, record, &error), &error);
  return *(gint64 *) record;
}

static void
add_batch (FlStore *store, gint64 attempt, guint64 sequence, FlBatch *batch)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  GError *error = NULL;
  fl_batch_encode (batch, bytes);
  must (fl_store_add_slice (store, attempt, 0, sequence, (int) fl_batch_kind (batch), bytes->data, bytes->len,
                            NULL, &error),
        &error);
  fl_batch_free (batch);
}

static void
add_merge (FlStore *store, gint64 dataset, int number, guint64 now)
{
  FlDatasetVersion version = {
    .dataset = dataset, .number = number, .created = now, .lattices = 1000 * number
  };
  save (store, FL_TABLE_DATASET_VERSION, &version);
  FlJob job = { .trial = 1, .dataset = dataset, .version = version.id, .task = 1, .state = FL_JOB_DONE };
  save (store, FL_TABLE_JOB, &job);
  FlAttempt attempt = { .job = job.id, .number = 1, .state = FL_JOB_DONE };
  save (store, FL_TABLE_ATTEMPT, &attempt);
  FlBatch *whole = fl_batch_new (FL_KIND_MERGE), *shells = fl_batch_new (FL_KIND_SHELL),
          *reasons = fl_batch_new (FL_KIND_REJECTION);
  FlMergeRow row = { .time = now,
                     .lattices = (guint64) (1000 * number),
                     .used = (guint64) (900 * number),
                     .d_min = 2,
                     .cc_half = 1 - 0.2F / (float) number,
                     .completeness = 0.987F,
                     .multiplicity = 12.5F * (float) number,
                     .r_split = 0.2F / (float) number,
                     .wilson_b = 21 };
  fl_batch_append (whole, &row);
  for (guint16 i = 0; i <= 10; i++)
    {
      double low = i <= 1 ? 0.001 : 0.25 * (i - 1) / 10, high = i == 0 ? 0.25 : 0.25 * i / 10;
      float quality = (float) (1 - 0.8 * pow (i / 10., 3) / number);
      FlShellRow shell = { .number = i,
                           .d_max = (float) (1 / sqrt (low)),
                           .d_min = (float) (1 / sqrt (high)),
                           .possible = i == 0 ? 12000 : 1200,
                           .unique = i == 0 ? 11800 : 1180,
                           .completeness = 0.983F,
                           .multiplicity = 12.5F * (float) number,
                           .i_sigma = 9 * quality,
                           .cc_half = quality,
                           .cc_star = sqrtf (2 * quality / (1 + quality)),
                           .r_split = (1 - quality) / 2,
                           .cc_iso = NAN };
      fl_batch_append (shells, &shell);
    }
  FlRejectionRow reason = { "unit cell outside the cluster", (guint64) (100 * number), 0 };
  fl_batch_append (reasons, &reason);
  add_batch (store, attempt.id, 1, whole);
  add_batch (store, attempt.id, 2, shells);
  add_batch (store, attempt.id, 3, reasons);
}

static void
test_page (void)
{
  Room *room = room_new (2, FL_STORE_WRITE, FALSE);
  FlgMergingPage *page = FLG_MERGING_PAGE (room_page (room, "merging"));
  g_assert_cmpstr (flg_merging_page_facts (page), ==, "");
  g_autofree char *nothing = flg_merging_page_summary (page);
  g_assert_cmpstr (nothing, ==, "Nothing merged");

  GError *error = NULL;
  FlStore *store = fl_store_open (room->folder, FL_STORE_WRITE, &error);
  must (store != NULL, &error);
  FlDataset dataset = { .name = (char *) "lysozyme", .expression = (char *) "", .goal_cc_half = 0.5 };
  gint64 id = save (store, FL_TABLE_DATASET, &dataset);
  add_merge (store, id, 1, room->now);
  room_settle (room);
  g_assert_nonnull (strstr (flg_merging_page_facts (page), "version 1"));
  add_merge (store, id, 2, room->now);
  room_settle (room);
  g_assert_nonnull (strstr (flg_merging_page_facts (page),
                            "1,800 of 2,000 lattices · to 2.00 Å · CC½ 0.900 · 98.7 % complete"));
  g_autofree char *summary = flg_merging_page_summary (page);
  g_assert_cmpstr (summary, ==,
                   "CC½ of half sets, version 2: 1 at low resolution, 0.6 at 2.00 Å; 10 shells, 1 compared");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 0), ==, "2.11 – 2.00");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 1), ==, "1,180 of 1,200");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 2), ==, "0.600");
  g_assert_cmpstr (flg_merging_page_cell (page, 10, 5), ==, "–"); /* no reference */
  g_assert_cmpstr (flg_merging_page_cell (page, 11, 0), ==, "all, 31.62 – 2.00");
  g_assert_cmpstr (flg_merging_page_cell (page, 11, 1), ==, "11,800 of 12,000");
  g_assert_null (flg_merging_page_cell (page, 12, 0));
  g_assert_cmpstr (flg_merging_page_reasons (page), ==, "200 lattices: unit cell outside the cluster");
  room_do (GTK_WIDGET (page), "merging.show-quantity", "s", "completeness");
  g_autofree char *other = flg_merging_page_summary (page);
  g_assert_nonnull (strstr (other, "Completeness, version 2: 98.3\302\240%"));
  fl_store_close (store);
  room_free (room);
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/merging/page", test_page);
  return g_test_run ();
}
