#include "engine/store/move.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/mirror.h"
#include "engine/store/people.h"
#include "engine/store/store-private.h"

/* How it goes: (1) a lease row says that the records have moved; it holds only once the folder names another database
 * (store.c), (2) nobody can write from here on, (3) a copy is made and compared, (4) one rename makes the folder name it. */

#define NEW_FILE "firstlight-moving.sqlite"

void
fl_moved_free (FlMoved *moved)
{
  if (moved == NULL)
    return;
  g_free (moved->from);
  g_free (moved->to);
  g_free (moved->kept);
  g_free (moved->fingerprint);
  g_free (moved);
}

/* --- files --- */

static gboolean
rename_file (const char *from, const char *to, GError **error)
{
  if (g_rename (from, to) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be renamed to %s: %s", from, to,
               g_strerror (errno));
  return FALSE;
}

/* FOLDER/STEM-moved-DATE.ENDING, which is not there yet. */
static char *
kept_name (const char *folder, const char *stem, const char *ending)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y%m%d-%H%M%S");
  for (guint n = 1;; n++)
    {
      g_autofree char *again = n > 1 ? g_strdup_printf (".%u", n) : g_strdup ("");
      g_autofree char *name = g_strdup_printf ("%s-moved-%s%s.%s", stem, date, again, ending);
      char *path = g_build_filename (folder, name, NULL);
      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return path;
      g_free (path);
    }
}

/* With its log: somebody may still read it. */
static gboolean
keep_file (const char *path, const char *kept, GError **error)
{
  static const char *const endings[] = { "-wal", "-shm", "" };
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *from = g_strconcat (path, endings[i], NULL),
                      *to = g_strconcat (kept, endings[i], NULL);
      if (g_file_test (from, G_FILE_TEST_EXISTS) && !rename_file (from, to, error))
        return FALSE;
    }
  return TRUE;
}

static void
remove_file (const char *path)
{
  static const char *const endings[] = { "-wal", "-shm", "" };
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *file = g_strconcat (path, endings[i], NULL);
      g_unlink (file);
    }
}

/* --- whether it may be moved --- */

static gboolean
is_window (FlStore *store, const char *folder)
{
  g_autofree char *here = g_canonicalize_filename (folder, NULL);
  struct stat a, b;
  return strcmp (here, fl_store_folder (store)) != 0
         && (g_stat (folder, &a) != 0 || g_stat (fl_store_folder (store), &b) != 0 || a.st_dev != b.st_dev
             || a.st_ino != b.st_ino);
}

static gboolean
check_folder (FlStore *store, const char *folder, const FlDatabase *to, GError **error)
{
  g_autofree char *origin = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  FlDriverKind wanted = to != NULL ? to->driver : FL_DRIVER_SQLITE;
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is no folder, expected the experiment's", folder);
  else if (g_file_test (origin, G_FILE_TEST_EXISTS))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is a copy of somebody else's experiment", folder);
  else if (is_window (store, folder))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is a window on an experiment in %s; move it there",
                 folder, fl_store_folder (store));
  else if (store->database->driver == wanted)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 wanted == FL_DRIVER_SQLITE
                     ? "%s: its records are in its own file already"
                     : "%s: its records are on a server already; move them to sqlite first",
                 folder);
  else
    return TRUE;
  return FALSE;
}

/* Inside a transaction, which keeps a conductor from taking it afterwards. */
static gboolean
check_lease (FlStore *store, const char *lease, FlGoneFunc gone, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autofree char *holder = fl_store_lease_holder (store, lease, &failed);
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  if (holder == NULL || (gone != NULL && gone (holder)))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY,
               "%s: has a conductor (%s); stop it first, so that nobody writes while the records are moved",
               fl_store_path (store), holder);
  return FALSE;
}

/* --- moving --- */

static gboolean
write_mark (FlStore *store, const char *holder, GError **error)
{
  return fl_db_exec (store->db, SQL (store->db, LEASE_MAKE), error, FL_TEXT (FL_STORE_MOVED))
         && fl_db_exec (store->db, SQL (store->db, LEASE_WRITE), error, FL_TEXT (holder), FL_INT (0),
                        FL_INT (0), FL_TEXT (FL_STORE_MOVED));
}

static gboolean
set_mark (FlStore *store, const char *lease, FlGoneFunc gone, const char *holder, GError **error)
{
  return fl_store_enter (store, error)
         && fl_store_leave (
             store, check_lease (store, lease, gone, error) && write_mark (store, holder, error), error);
}

/* Who cannot change people there could never give anybody a role again. */
static gboolean
check_owner (FlStore *there, GError **error)
{
  if (fl_store_role (there) == FL_ROLE_OWNER)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_DENIED,
               "%s: you are '%s' there, who is no owner of this experiment; make that one an owner first",
               fl_store_path (there), fl_store_account (there));
  return FALSE;
}

static char *
fingerprint_of (const FlDatabase *where, GError **error)
{
  g_autoptr (FlStore) store = fl_store_open_database (fl_database_copy (where), FL_STORE_READ_ONLY, error);
  return store != NULL && check_owner (store, error) ? fl_store_fingerprint (store, error) : NULL;
}

static char *
copy_and_compare (FlStore *store, const FlDatabase *to, FlCopyFunc func, gpointer data, GError **error)
{
  if (!fl_store_copy_marked (store, to, func, data, error))
    return NULL;
  g_autofree char *mine = fl_store_fingerprint (store, error);
  g_autofree char *theirs = mine != NULL ? fingerprint_of (to, error) : NULL;
  if (theirs == NULL)
    return NULL;
  if (strcmp (mine, theirs) == 0)
    return g_steal_pointer (&mine);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED,
               "%s: what came there is not what is here (fingerprints %s and %s); nothing was moved",
               to->shown, theirs, mine);
  return NULL;
}

/* The moment from which the folder names the new one; *kept is what becomes of the old one. */
static gboolean
switch_over (const char *folder, const FlDatabase *to, char **kept, GError **error)
{
  g_autofree char *file = g_build_filename (folder, FL_STORE_FILE, NULL);
  if (to->driver == FL_DRIVER_MYSQL)
    {
      *kept = kept_name (folder, "firstlight", "sqlite");
      if (!fl_database_write (to, folder, NULL, NULL, error))
        return FALSE;
      fl_store_copy_unmark (to, NULL); /* it is in force already; the mark does no harm */
      return TRUE;
    }
  g_autofree char *ini = g_build_filename (folder, FL_DATABASE_FILE, NULL);
  if (g_file_test (file, G_FILE_TEST_EXISTS)) /* left by a move that was killed after this moment */
    {
      g_autofree char *old = kept_name (folder, "firstlight", "sqlite");
      if (!keep_file (file, old, error))
        return FALSE;
    }
  *kept = kept_name (folder, "database", "ini");
  return fl_store_copy_unmark (to, error) && keep_file (to->path, file, error)
         && rename_file (ini, *kept, error);
}

static FlMoved *
move_under_lock (FlStore *store, const char *folder, const FlDatabase *to, const char *lease, FlGoneFunc gone,
                 FlCopyFunc func, gpointer data, GError **error)
{
  if (!fl_store_enter (store, error))
    return NULL;
  g_autoptr (FlMoved) moved = g_new0 (FlMoved, 1);
  moved->from = g_strdup (fl_store_path (store));
  moved->to =
      to->driver == FL_DRIVER_SQLITE ? g_build_filename (folder, FL_STORE_FILE, NULL) : g_strdup (to->shown);
  if (check_lease (store, lease, gone, error))
    moved->fingerprint = copy_and_compare (store, to, func, data, error);
  gboolean ok = moved->fingerprint != NULL && switch_over (folder, to, &moved->kept, error);
  fl_store_rollback (store); /* nothing was written here */
  return ok ? g_steal_pointer (&moved) : NULL;
}

FlMoved *
fl_store_move (const char *folder, const FlDatabase *to, const char *lease, FlGoneFunc gone, FlCopyFunc func,
               gpointer data, GError **error)
{
  g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_WRITE, error);
  if (store == NULL || !check_folder (store, folder, to, error)
      || !set_mark (store, lease, gone, fl_store_folder (store), error))
    return NULL;
  g_autofree char *new_file = g_build_filename (fl_store_folder (store), NEW_FILE, NULL);
  g_autoptr (FlDatabase) file = NULL;
  if (to == NULL)
    {
      remove_file (new_file);
      file = fl_database_find (new_file, TRUE, error);
      if (file == NULL)
        return NULL;
    }
  g_autofree char *home = g_strdup (fl_store_folder (store));
  g_autoptr (FlMoved) moved =
      move_under_lock (store, home, to != NULL ? to : file, lease, gone, func, data, error);
  if (moved == NULL)
    {
      set_mark (store, lease, gone, "", NULL);
      return NULL;
    }
  g_autofree char *old_file = g_build_filename (home, FL_STORE_FILE, NULL);
  fl_store_close (g_steal_pointer (&store)); /* takes the log in, when nobody else has it open */
  return to == NULL || keep_file (old_file, moved->kept, error) ? g_steal_pointer (&moved) : NULL;
}
