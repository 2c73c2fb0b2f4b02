/* What could not be read comes later: a look at the store that fails half-way loses nothing of what it had read, and who asked in
 * vain asks again once the store is well. Tables that are away for a while make looks fail. */
#include <sqlite3.h>

#include "gui/lattice-feed.h"
#include "gui/shot-feed.h"
#include "tests/gui/made-store.h"
#include "tests/gui/made.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

#define RUNS  3
#define SHOTS 300

typedef struct
{
  char *folder;
  FlgExperiment *experiment;
  guint heard, awaited; /* news */
} Desk;

static void
on_news (Desk *desk)
{
  desk->heard++;
}

static gboolean
has_heard (gpointer data)
{
  const Desk *desk = data;
  return desk->heard >= desk->awaited;
}

static gboolean
has_counts (gpointer data)
{
  FlgExperiment *experiment = ((Desk *) data)->experiment;
  return flg_experiment_is_filled (experiment) && flg_experiment_job_stats (experiment, 1);
}

static gboolean
is_ill (gpointer data)
{
  return flg_experiment_glance (((Desk *) data)->experiment)->problem != NULL;
}

static gboolean
is_well (gpointer data)
{
  return !is_ill (data);
}

static Desk *
desk_new (void)
{
  Desk *desk = g_new0 (Desk, 1);
  desk->folder = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  MadeStore made = { RUNS, SHOTS, 4, (guint64) g_get_real_time () * 1000, TRUE, FALSE };
  made_store_write (desk->folder, &made);
  desk->experiment = flg_experiment_new (desk->folder, FL_STORE_WRITE, NULL, NULL);
  g_signal_connect_swapped (flg_experiment_store (desk->experiment), "news", G_CALLBACK (on_news), desk);
  display_wait (has_counts, desk);
  return desk;
}

static void
desk_free (Desk *desk)
{
  g_object_unref (desk->experiment);
  room_remove_tree (desk->folder);
  g_free (desk->folder);
  g_free (desk);
}

static void
change_tables (const Desk *desk, const char *sql)
{
  g_autofree char *path = g_build_filename (desk->folder, FL_STORE_FILE, NULL);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  sqlite3_busy_timeout (db, 20000);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

/* Once the news of what is there now has come. */
static void
hear (Desk *desk)
{
  desk->awaited = desk->heard + 3;
  display_wait (has_heard, desk);
}

/* A run and shots of the job that runs, by another program. */
static void
add_more (const Desk *desk, guint n)
{
  GError *error = NULL;
  g_autoptr (FlStore) store = fl_store_open (desk->folder, FL_STORE_WRITE, &error);
  made_must (store != NULL, &error);
  FlRun run = {
    .name = (char *) "r0099", .root = (char *) "data", .path = (char *) "r0099", .state = (char *) "complete"
  };
  made_save (store, FL_TABLE_RUN, &run);
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
  for (guint i = 0; i < n; i++)
    {
      FlShotRow row = { .id = 100000 + i,
                        .outcome = FL_OUTCOME_MISS,
                        .start = (guint64) g_get_real_time () * 1000 };
      fl_batch_append (batch, &row);
    }
  made_add_slice (store, RUNS, 0, 100000, batch);
}

static void
test_half_a_look (void)
{
  Desk *desk = desk_new ();
  gint64 shots = flg_experiment_job_stats (desk->experiment, RUNS * 2 - 1)->shots;
  change_tables (desk, "ALTER TABLE presence RENAME TO away"); /* read last */
  display_wait (is_ill, desk);
  add_more (desk, 7);
  hear (desk);
  g_assert_true (is_ill (desk));
  change_tables (desk, "ALTER TABLE away RENAME TO presence");
  display_wait (is_well, desk);
  hear (desk);
  g_assert_cmpuint (flg_record_model_count (flg_experiment_table (desk->experiment, FL_TABLE_RUN)), ==,
                    RUNS + 1);
  g_assert_cmpint (flg_experiment_job_stats (desk->experiment, RUNS * 2 - 1)->shots, ==, shots + 7);
  desk_free (desk);
}

/* --- feeds --- */

typedef struct
{
  FlgShotFeed *shot_feed;
  FlgLatticeFeed *lattice_feed;
  guint shots, lattices;
} Feeds;

static void
on_blocks (Feeds *feeds, GPtrArray *blocks)
{
  for (guint i = 0; i < blocks->len; i++)
    feeds->shots += ((FlShotBlock *) blocks->pdata[i])->n;
}

static void
on_lattices (Feeds *feeds, FlgLatticeNews *news)
{
  for (guint i = 0; i < news->blocks->len; i++)
    feeds->lattices += ((FlgLatticeBlock *) news->blocks->pdata[i])->n;
}

static gboolean
are_idle (gpointer data)
{
  const Feeds *feeds = data;
  return flg_shot_feed_is_idle (feeds->shot_feed) && flg_lattice_feed_is_idle (feeds->lattice_feed);
}

static gboolean
are_full (gpointer data)
{
  const Feeds *feeds = data;
  return feeds->shots > 0 && feeds->lattices > 0 && are_idle (data);
}

static void
test_feeds (void)
{
  Desk *desk = desk_new ();
  Feeds feeds = { 0 };
  GLogLevelFlags fatal =
      g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* it warns, and is to */
  change_tables (desk,
                 "ALTER TABLE presence RENAME TO away; ALTER TABLE slice_column RENAME TO columns_away");
  display_wait (is_ill, desk);
  feeds.shot_feed = flg_shot_feed_new (desk->experiment, 1, FL_SHOT_ID);
  feeds.lattice_feed = flg_lattice_feed_new (desk->experiment);
  g_signal_connect_swapped (feeds.shot_feed, "blocks", G_CALLBACK (on_blocks), &feeds);
  g_signal_connect_swapped (feeds.lattice_feed, "arrived", G_CALLBACK (on_lattices), &feeds);
  flg_lattice_feed_add (feeds.lattice_feed, 1);
  hear (desk);
  display_wait (are_idle, &feeds);
  g_assert_cmpuint (feeds.shots + feeds.lattices, ==, 0);
  change_tables (desk,
                 "ALTER TABLE columns_away RENAME TO slice_column; ALTER TABLE away RENAME TO presence");
  display_wait (are_full, &feeds);
  hear (desk);
  display_wait (are_idle, &feeds);
  const FlJobStats *stats = flg_experiment_job_stats (desk->experiment, 1);
  g_assert_cmpuint (feeds.shots, ==, SHOTS);
  g_assert_cmpuint (feeds.lattices, >=, (guint) stats->indexed);
  flg_shot_feed_stop (feeds.shot_feed);
  flg_lattice_feed_stop (feeds.lattice_feed);
  g_object_unref (feeds.shot_feed);
  g_object_unref (feeds.lattice_feed);
  desk_free (desk);
  g_log_set_always_fatal (fatal);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gui/readers/half-a-look", test_half_a_look);
  g_test_add_func ("/gui/readers/feeds", test_feeds);
  return g_test_run ();
}
