/* The change feed: readers that come by now and then, in whatever order things happen, hold what a list would give. */
#include "tests/store/fixture.h"

#include <string.h>

static const FlTable tables[] = { FL_TABLE_RUN, FL_TABLE_TAG, FL_TABLE_RUN_TAG, FL_TABLE_BLOCK };
#define N_TABLES G_N_ELEMENTS (tables)

/* What a reader knows: "table id" -> "revision and text". */
typedef struct
{
  gint64 revision;
  GHashTable *known;
} Reader;

static char *
describe (FlTable table, gconstpointer record)
{
  switch (table)
    {
    case FL_TABLE_RUN:
      return g_strdup_printf ("%s|%s", ((const FlRun *) record)->name, ((const FlRun *) record)->comment);
    case FL_TABLE_TAG:
      return g_strdup_printf ("%s|%s", ((const FlTag *) record)->name, ((const FlTag *) record)->comment);
    case FL_TABLE_BLOCK:
      return g_strdup_printf ("%s|%d", ((const FlBlock *) record)->name, ((const FlBlock *) record)->active);
    default:
      return g_strdup_printf ("%" G_GINT64_FORMAT "|%" G_GINT64_FORMAT, ((const FlRunTag *) record)->run,
                              ((const FlRunTag *) record)->tag);
    }
}

static gint64
revision_of (gconstpointer record)
{
  return ((const FlRun *) record)->revision; /* every struct begins with id, revision */
}

static void
update (Reader *reader, FlStore *store)
{
  g_autoptr (GError) error = NULL;
  gint64 before = reader->revision, last = before;
  g_autoptr (GPtrArray) changes = fl_store_changes (store, reader->revision, &reader->revision, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < changes->len; i++)
    {
      const FlChange *change = changes->pdata[i];
      char *key = g_strdup_printf ("%d %" G_GINT64_FORMAT, change->table, change->id);
      if (!change->removed)
        {
          g_assert_cmpint (revision_of (change->record), >, last);
          last = revision_of (change->record);
          g_hash_table_insert (reader->known, key, describe (change->table, change->record));
          continue;
        }
      g_assert_cmpint (before, >, 0); /* nobody who starts is told of what is gone */
      g_hash_table_remove (reader->known, key);
      g_free (key);
    }
}

static void
check (const Reader *reader, FlStore *store)
{
  guint n = 0;
  for (guint t = 0; t < N_TABLES; t++)
    {
      g_autoptr (GPtrArray) records = fl_store_list (store, tables[t], NULL);
      for (guint i = 0; i < records->len; i++, n++)
        {
          g_autofree char *key =
              g_strdup_printf ("%d %" G_GINT64_FORMAT, tables[t], ((FlRun *) records->pdata[i])->id);
          g_autofree char *text = describe (tables[t], records->pdata[i]);
          g_assert_cmpstr (g_hash_table_lookup (reader->known, key), ==, text);
        }
    }
  g_assert_cmpuint (g_hash_table_size (reader->known), ==, n);
}

static gpointer
any (GPtrArray *records, FlRandom *random)
{
  return records->len > 0 ? records->pdata[fl_random_u64 (random) % records->len] : NULL;
}

/* One random thing that happens; refusals (a name twice, a tag twice) are part of it. */
static void
do_something (FlStore *store, FlRandom *random)
{
  FlTable table = tables[fl_random_u64 (random) % N_TABLES];
  g_autoptr (GPtrArray) records = fl_store_list (store, table, NULL);
  g_autoptr (GPtrArray) runs = fl_store_list (store, FL_TABLE_RUN, NULL);
  g_autoptr (GPtrArray) tags = fl_store_list (store, FL_TABLE_TAG, NULL);
  g_autofree char *name = g_strdup_printf ("n%u", (guint) (fl_random_u64 (random) % 40));
  guint what = (guint) (fl_random_u64 (random) % 4);
  FlRun *victim = any (records, random), *run = any (runs, random), *tag = any (tags, random);
  if (what == 0 && victim != NULL)
    fl_store_remove (store, table, victim->id, NULL);
  else if (what == 1 && victim != NULL && table != FL_TABLE_RUN_TAG && table != FL_TABLE_BLOCK)
    fl_store_set_text (store, table, victim->id, "comment", name, NULL);
  else if (table == FL_TABLE_RUN_TAG)
    {
      FlRunTag use = { .run = run != NULL ? run->id : 0, .tag = tag != NULL ? tag->id : 0 };
      fl_store_save (store, table, &use, NULL);
    }
  else if (table == FL_TABLE_TAG)
    fl_store_save (store, table, &(FlTag){ .name = name }, NULL);
  else if (table == FL_TABLE_BLOCK)
    fl_store_save (store, table, &(FlBlock){ .name = name, .active = TRUE }, NULL);
  else
    fl_store_save (store, table, &(FlRun){ .name = name, .state = (char *) "complete" }, NULL);
}

static void
test_replay (void)
{
  g_autofree char *folder = temporary_folder ();
  g_autoptr (FlStore) store = open_store (folder, FL_STORE_CREATE);
  g_autoptr (FlStore) other = open_store (folder, FL_STORE_WRITE);
  /* What a new store holds already is not of the four tables. */
  FlRandom random = fl_random (20260101);
  Reader readers[4];
  for (guint r = 0; r < 4; r++)
    readers[r] = (Reader){ 0, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
  for (guint step = 0; step < 600; step++)
    {
      FlStore *writer = fl_random_unit (&random) < 0.5 ? store : other;
      gboolean bracket = fl_random_unit (&random) < 0.1, undo = fl_random_unit (&random) < 0.5;
      if (bracket)
        g_assert_true (fl_store_begin (writer, NULL));
      for (guint i = 0; i < (bracket && undo ? 3u : 1u); i++)
        do_something (writer, &random);
      if (bracket && undo)
        fl_store_rollback (writer);
      else if (bracket)
        g_assert_true (fl_store_commit (writer, NULL));
      for (guint r = 0; r < 4; r++)
        if (fl_random_unit (&random) < 1.0 / (double) (1 << (2 * r)))
          {
            update (&readers[r], store);
            for (FlTable t = 0; t < FL_TABLE_LAST; t++) /* the first time brings the other tables, too */
              if (t != FL_TABLE_RUN && t != FL_TABLE_TAG && t != FL_TABLE_RUN_TAG && t != FL_TABLE_BLOCK)
                for (guint id = 1; id < 3; id++)
                  {
                    g_autofree char *key = g_strdup_printf ("%d %u", t, id);
                    g_hash_table_remove (readers[r].known, key);
                  }
            check (&readers[r], other);
          }
    }
  for (guint r = 0; r < 4; r++)
    g_hash_table_unref (readers[r].known);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/changes/replay", test_replay);
  return g_test_run ();
}
