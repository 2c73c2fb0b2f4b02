#include "engine/store/store.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/store/old-copy.h"
#include "engine/store/seal.h"
#include "engine/store/store-private.h"

extern const char fl_schema_scripts[]; /* resources/schema, one after another */

#define MIGRATION_MARK "-- migration "

/* --- migrations --- */

/* The script that makes version `version` out of the one before; NULL when there is no such. */
static char *
migration_script (gint64 version)
{
  for (const char *at = strstr (fl_schema_scripts, MIGRATION_MARK); at != NULL;)
    {
      const char *next = strstr (at + 1, MIGRATION_MARK);
      if (g_ascii_strtoll (at + strlen (MIGRATION_MARK), NULL, 10) == version)
        return next != NULL ? g_strndup (at, (gsize) (next - at)) : g_strdup (at);
      at = next;
    }
  return NULL;
}

static gint64
newest_version (void)
{
  gint64 version = 0;
  for (g_autofree char *script = migration_script (1); script != NULL;)
    {
      version++;
      g_free (script);
      script = migration_script (version + 1);
    }
  return version;
}

/* 0: empty, or begun and broken off; -1 with error. */
static gint64
schema_version (FlStore *store, GError **error)
{
  gboolean has = FALSE;
  if (!fl_db_has_table (store->db, "counter", &has, error))
    return -1;
  if (!has)
    return 0;
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query_values (store->db, "SELECT count(*) FROM counter", NULL, 0, error);
  if (query == NULL)
    return -1;
  gboolean begun = fl_query_next (query, &failed) && fl_query_int (query, 0) > 0;
  if (failed == NULL)
    return begun ? fl_store_counted (store, "schema", error) : 0;
  g_propagate_error (error, g_steal_pointer (&failed));
  return -1;
}

static gboolean
add_first_records (FlStore *store, GError **error)
{
  g_autofree char *name = g_path_get_basename (store->folder);
  FlExperiment experiment = { .name = name,
                              .created = fl_now_ns (),
                              .backlog = (char *) "newest",
                              .thin_fraction = 0.1,
                              .undo_seconds = 5 };
  FlRoot root = { .name = (char *) "experiment", .path = (char *) "." };
  FlSite site = { .name = (char *) "local",
                  .kind = (char *) "local",
                  .scratch = root.name,
                  .transport = (char *) "auto",
                  .nodes = 1,
                  .minutes = 30,
                  .active = TRUE };
  FlTask task = { .name = (char *) "stills", .type = (char *) "all", .active = TRUE };
  return fl_store_save (store, FL_TABLE_EXPERIMENT, &experiment, error)
         && fl_store_save (store, FL_TABLE_ROOT, &root, error)
         && fl_store_save (store, FL_TABLE_SITE, &site, error)
         && fl_store_save (store, FL_TABLE_TASK, &task, error);
}

static gboolean
make_counters (FlStore *store, GError **error)
{
  static const char *const counters[] = { "schema", "revision", "stamp" };
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    if (!fl_db_exec (store->db, SQL (store->db, COUNTER_MAKE), error, FL_TEXT (counters[i]), FL_INT (0)))
      return FALSE;
  return TRUE;
}

static gboolean
set_version (FlStore *store, gint64 version, GError **error)
{
  return fl_db_exec (store->db, SQL (store->db, COUNTER_SET), error, FL_INT (version), FL_TEXT ("schema"));
}

/* What was broken off may have used up numbers. */
static gboolean
start_numbers (FlStore *store, GError **error)
{
  static const FlTable first[] = { FL_TABLE_EXPERIMENT, FL_TABLE_ROOT, FL_TABLE_SITE, FL_TABLE_TASK };
  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    if (!fl_db_set_last_id (store->db, fl_table_name (first[i]), 0, error))
      return FALSE;
  return TRUE;
}

/* Where each statement of a script is committed by itself, a version is set when its script is done, and that of a new store
 * together with its first records: what was broken off is done again from where the version says. */
static gboolean
migrate (FlStore *store, gint64 target, GError **error)
{
  gint64 from = schema_version (store, error);
  if (from < 0)
    return FALSE;
  for (gint64 version = from + 1; version <= target; version++)
    {
      g_autofree char *script = migration_script (version);
      if (!fl_db_script (store->db, script, error) || !make_counters (store, error)
          || (from > 0 && !set_version (store, version, error)))
        {
          g_prefix_error (error, "while bringing the database to version %" G_GINT64_FORMAT ": ", version);
          return FALSE;
        }
    }
  return from > 0
         || (start_numbers (store, error) && add_first_records (store, error)
             && set_version (store, target, error));
}

/* As fl_store_enter(). */
static gboolean
enter_schema (FlStore *store, GError **error)
{
  if (!fl_db_begin_schema (store->db, error))
    return FALSE;
  store->depth++;
  return TRUE;
}

/* Read-only and of an older schema: a copy of the reader's own is read instead. */
static gboolean
read_old_copy (FlStore *store, GError **error)
{
  gint64 have = schema_version (store, error);
  if (have < 0)
    return FALSE;
  if (store->database->driver != FL_DRIVER_SQLITE || have == 0 || have >= newest_version ())
    return TRUE;
  g_autoptr (FlDatabase) copy = fl_old_copy_make (store->db, store->database, error);
  if (copy == NULL)
    return FALSE;
  fl_db_close (store->db);
  store->db = fl_db_open (copy, FL_DB_READ, error);
  store->older = TRUE;
  return store->db != NULL;
}

static gboolean
may_be_written (const FlDatabase *where, GError **error)
{
  g_autofree char *archive = g_build_filename (where->folder, FL_ARCHIVE_FILE, NULL);
  if (!g_file_test (archive, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is an archive; open it read-only", where->folder);
  return FALSE;
}

static gboolean
check_version (FlStore *store, FlStoreMode mode, GError **error)
{
  gint64 have = schema_version (store, error), want = newest_version ();
  if (have < 0)
    return FALSE;
  if (have > want)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "%s: made by a newer Firstlight (database version %" G_GINT64_FORMAT
                 ", this program knows %" G_GINT64_FORMAT "); use that program",
                 store->path, have, want);
  else if (have == 0 && mode != FL_STORE_CREATE)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: holds no experiment of Firstlight", store->path);
  else if (have < want && mode == FL_STORE_READ_ONLY)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "%s: made by an older Firstlight (database version %" G_GINT64_FORMAT
                 ", expected %" G_GINT64_FORMAT "); open it once for writing to bring it up to date",
                 store->path, have, want);
  else if (have < want)
    /* Whoever comes second finds nothing left to do. */
    return enter_schema (store, error) && fl_store_leave (store, migrate (store, want, error), error);
  else
    return TRUE;
  return FALSE;
}

/* --- opening --- */

FlStore *
fl_store_open_database (FlDatabase *where, FlStoreMode mode, GError **error)
{
  static const FlDbMode modes[] = { FL_DB_CREATE, FL_DB_WRITE, FL_DB_READ };
  g_autoptr (FlStore) store = g_new0 (FlStore, 1);
  store->read_only = mode == FL_STORE_READ_ONLY;
  store->counted = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, fl_counted_free);
  store->database = where;
  store->path = g_strdup (where->shown);
  store->folder = g_strdup (where->folder);
  if (!store->read_only && !may_be_written (where, error))
    return NULL;
  store->db = fl_db_open (where, modes[mode], error);
  if (store->db == NULL || (store->read_only && !read_old_copy (store, error))
      || !check_version (store, mode, error))
    return NULL;
  store->account = fl_db_account (store->db, error);
  if (store->account == NULL)
    return NULL;
  store->open = TRUE;
  return g_steal_pointer (&store);
}

FlStore *
fl_store_open (const char *where, FlStoreMode mode, GError **error)
{
  FlDatabase *database = fl_database_find (where, mode == FL_STORE_CREATE, error);
  return database != NULL ? fl_store_open_database (database, mode, error) : NULL;
}

void
fl_store_close (FlStore *store)
{
  if (store == NULL)
    return;
  if (store->db != NULL)
    fl_db_rollback (store->db);
  g_clear_pointer (&store->db, fl_db_close);
  g_hash_table_unref (store->counted);
  fl_database_free (store->database);
  g_free (store->path);
  g_free (store->folder);
  g_free (store->fence_name);
  g_free (store->account);
  g_free (store->machine);
  g_free (store);
}

const char *
fl_store_path (FlStore *store)
{
  return store->path;
}

const char *
fl_store_folder (FlStore *store)
{
  return store->folder;
}

gboolean
fl_store_is_older (FlStore *store)
{
  return store->older;
}

gboolean
fl_store_is_read_only (FlStore *store)
{
  return store->read_only;
}

guint
fl_store_pulse (FlStore *store)
{
  return fl_db_pulse (store->db);
}

/* --- transactions --- */

static gboolean
read_lease (FlStore *store, const char *name, char **holder, gint64 *fencing, gint64 *expires, GError **error)
{
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, LEASE_READ), error, FL_TEXT (name));
  if (query == NULL)
    return FALSE;
  g_autoptr (GError) failed = NULL;
  gboolean there = fl_query_next (query, &failed);
  *holder = there ? fl_query_text (query, 0) : g_strdup ("");
  *fencing = there ? fl_query_int (query, 1) : 0;
  *expires = there ? fl_query_int (query, 2) : 0;
  if (failed == NULL)
    return TRUE;
  g_clear_pointer (holder, g_free);
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* The experiment's records are somewhere else now (copy.h). While the folder still names this database, it is in force: a
 * move that was killed has not happened. */
static gboolean
has_moved (FlStore *store, const char *folder)
{
  g_autoptr (FlDatabase) now = fl_database_find (folder, FALSE, NULL);
  const FlDatabase *here = store->database;
  return now == NULL || now->driver != here->driver
         || strcmp (here->driver == FL_DRIVER_SQLITE ? now->path : now->name,
                    here->driver == FL_DRIVER_SQLITE ? here->path : here->name)
                != 0;
}

static gboolean
check_lease (FlStore *store, const char *name, const char *holder, gint64 fencing, GError **error)
{
  if (strcmp (name, FL_STORE_MOVED) != 0)
    {
      if (fencing == store->fence)
        return TRUE;
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: %s has taken over as %s", store->path, holder, name);
      return FALSE;
    }
  if (*holder == '\0' || store->is_mirror || !has_moved (store, holder))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: the experiment's records have been moved into another database; open %s anew",
               store->path, holder);
  return FALSE;
}

static gboolean
check_role (FlStore *store, gint64 role, GError **error)
{
  store->role = store->is_mirror ? FL_ROLE_OWNER : (FlRole) CLAMP (role, FL_ROLE_VIEWER, FL_ROLE_OWNER);
  if (store->role > FL_ROLE_VIEWER)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_DENIED,
               "%s: you are a viewer of this experiment, %s; an owner can change that (firstlight-control "
               "database grant)",
               store->path, store->account);
  return FALSE;
}

/* Who may not write any more: a conductor that another has taken over from, and everybody here once the records have been
 * moved away; and who may not at all. */
static gboolean
check_may_write (FlStore *store, GError **error)
{
  if (!store->open)
    return TRUE; /* the table may not be there yet */
  const char *fence = store->fence_name != NULL ? store->fence_name : FL_STORE_MOVED;
  gboolean fenced = store->fence_name == NULL, ok = TRUE;
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, MAY_WRITE), error, FL_TEXT (fence),
                                           FL_TEXT (FL_STORE_MOVED), FL_TEXT (store->account));
  if (query == NULL)
    return FALSE;
  while (ok && fl_query_next (query, &failed))
    {
      g_autofree char *name = fl_query_text (query, 0), *holder = fl_query_text (query, 1);
      fenced |= g_strcmp0 (name, store->fence_name) == 0;
      ok = *name == '\0' ? check_role (store, fl_query_int (query, 2), error)
                         : check_lease (store, name, holder, fl_query_int (query, 2), error);
    }
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (ok && !fenced)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: nobody is %s any more", store->path, fence);
  return ok && fenced && failed == NULL;
}

gboolean
fl_store_enter (FlStore *store, GError **error)
{
  if (store->depth == 0)
    {
      if (store->read_only)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is open read-only", store->path);
          return FALSE;
        }
      if (!fl_db_begin (store->db, TRUE, error))
        return FALSE;
      store->action = store->time = 0;
      store->people_changed = FALSE;
      if (!check_may_write (store, error))
        {
          fl_db_rollback (store->db);
          return FALSE;
        }
    }
  store->depth++;
  return TRUE;
}

gboolean
fl_store_leave (FlStore *store, gboolean ok, GError **error)
{
  store->depth--;
  if (store->depth > 0)
    return ok;
  if (ok && fl_people_check_owners (store, error) && fl_db_commit (store->db, error))
    return TRUE;
  fl_store_rollback (store);
  return FALSE;
}

gboolean
fl_store_begin (FlStore *store, GError **error)
{
  return fl_store_enter (store, error);
}

gboolean
fl_store_commit (FlStore *store, GError **error)
{
  return fl_store_leave (store, TRUE, error);
}

void
fl_store_rollback (FlStore *store)
{
  store->depth = 0;
  fl_db_rollback (store->db);
  g_hash_table_remove_all (store->counted); /* may have seen what is now undone */
}

gint64
fl_store_counted (FlStore *store, const char *counter, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, COUNTER_READ), error, FL_TEXT (counter));
  if (query == NULL)
    return -1;
  if (fl_query_next (query, &failed))
    return fl_query_int (query, 0);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is damaged (its counter '%s' is missing)", store->path,
                 counter);
  return -1;
}

gint64
fl_store_count (FlStore *store, const char *counter, GError **error)
{
  if (!fl_db_exec (store->db, SQL (store->db, COUNTER_ADD), error, FL_TEXT (counter)))
    return 0;
  gint64 number = fl_store_counted (store, counter, error); /* once: MAX would ask twice */
  return MAX (number, 0);
}

/* --- places --- */

char *
fl_store_resolve (FlStore *store, const char *root, const char *path, GError **error)
{
  g_autofree char *base = NULL;
  if (root == NULL || *root == '\0')
    base = g_strdup (store->folder);
  else
    {
      g_autoptr (GError) failed = NULL;
      FlRoot *record = fl_store_find (store, FL_TABLE_ROOT, root, &failed);
      if (record == NULL)
        {
          if (failed != NULL)
            g_propagate_error (error, g_steal_pointer (&failed));
          else
            g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no root called '%s'", store->path, root);
          return NULL;
        }
      base = g_canonicalize_filename (record->path, store->folder);
      fl_record_free (FL_TABLE_ROOT, record);
    }
  return path != NULL && *path != '\0' ? g_canonicalize_filename (path, base) : g_steal_pointer (&base);
}

/* Where the root lies at the site, if that was said; NULL without error when it was not. */
static char *
root_at_site (FlStore *store, gint64 site, const char *root, GError **error)
{
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, SITE_ROOT_READ), error, FL_INT (site), FL_TEXT (root));
  return query != NULL && fl_query_next (query, error) ? fl_query_text (query, 0) : NULL;
}

char *
fl_store_resolve_at (FlStore *store, gint64 site, const char *root, const char *path, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autofree char *base = root_at_site (store, site, root != NULL ? root : "", &failed);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (base == NULL || *base == '\0')
    return fl_store_resolve (store, root, path, error);
  else
    return path != NULL && *path != '\0' ? g_canonicalize_filename (path, base) : g_steal_pointer (&base);
  return NULL;
}

char *
fl_store_attempt_folder (FlStore *store, gint64 attempt, GError **error)
{
  FlAttempt *record = fl_store_get (store, FL_TABLE_ATTEMPT, attempt, error);
  FlJob *job = record != NULL ? fl_store_get (store, FL_TABLE_JOB, record->job, error) : NULL;
  char *folder = job != NULL ? fl_store_resolve (store, job->root, record->path, error) : NULL;
  fl_record_free (FL_TABLE_JOB, job);
  fl_record_free (FL_TABLE_ATTEMPT, record);
  return folder;
}

/* --- leases --- */

static gboolean
take_lease (FlStore *store, const char *name, const char *who, guint seconds, gint64 *fencing, char **holder,
            GError **error)
{
  g_autofree char *now_holder = NULL;
  gint64 number, expires, now;
  if (!fl_db_now (store->db, &now, error)
      || !fl_db_exec (store->db, SQL (store->db, LEASE_MAKE), error, FL_TEXT (name))
      || !read_lease (store, name, &now_holder, &number, &expires, error))
    return FALSE;
  gboolean ours = strcmp (now_holder, who) == 0;
  if (!ours && *now_holder != '\0' && expires > now)
    {
      *holder = g_steal_pointer (&now_holder);
      return TRUE;
    }
  /* A new holder, or one that had let it expire, gets a new number: the writes of the one before come too late. */
  if (!ours || expires <= now)
    number++;
  *fencing = number;
  return fl_db_exec (store->db, SQL (store->db, LEASE_WRITE), error, FL_TEXT (who), FL_INT (number),
                     FL_INT (now + (gint64) seconds * (gint64) FL_NS_PER_S), FL_TEXT (name));
}

gboolean
fl_store_lease (FlStore *store, const char *name, const char *who, guint seconds, gint64 *fencing,
                char **holder, GError **error)
{
  g_autofree char *other = NULL;
  g_autofree char *fence_name =
      g_steal_pointer (&store->fence_name); /* taking it is not fenced by having had it */
  gboolean ok =
      fl_store_enter (store, error)
      && fl_store_leave (store, take_lease (store, name, who, seconds, fencing, &other, error), error);
  store->fence_name = g_steal_pointer (&fence_name);
  gboolean taken = ok && other == NULL;
  if (holder != NULL)
    *holder = g_steal_pointer (&other);
  return taken;
}

static gboolean
give_lease (FlStore *store, const char *name, const char *who, GError **error)
{
  g_autofree char *holder = NULL;
  gint64 number, expires;
  if (!read_lease (store, name, &holder, &number, &expires, error))
    return FALSE;
  return strcmp (holder, who) != 0
         || fl_db_exec (store->db, SQL (store->db, LEASE_WRITE), error, FL_TEXT (""), FL_INT (number),
                        FL_INT (0), FL_TEXT (name));
}

gboolean
fl_store_release (FlStore *store, const char *name, const char *who, GError **error)
{
  return fl_store_enter (store, error) && fl_store_leave (store, give_lease (store, name, who, error), error);
}

char *
fl_store_lease_holder (FlStore *store, const char *name, GError **error)
{
  g_autofree char *holder = NULL;
  gint64 number, expires, now;
  if (!read_lease (store, name, &holder, &number, &expires, error) || !fl_db_now (store->db, &now, error))
    return NULL;
  return *holder != '\0' && expires > now ? g_steal_pointer (&holder) : NULL;
}

void
fl_store_fence (FlStore *store, const char *name, gint64 fencing)
{
  g_free (store->fence_name);
  store->fence_name = g_strdup (name);
  store->fence = fencing;
}
