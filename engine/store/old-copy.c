#include "engine/store/old-copy.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/store/seal.h"
#include "engine/store/store-private.h"

#define DIGITS 16

static void
append_state (GString *text, const char *path, const char *suffix)
{
  g_autofree char *file = g_strconcat (path, suffix, NULL);
  GStatBuf about;
  if (g_stat (file, &about) == 0)
    g_string_append_printf (text, "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld\n", suffix,
                            (gint64) about.st_size, (gint64) about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

/* "PLACE-STATE": two states of one file share the first half. */
static char *
name_of (const char *path)
{
  g_autoptr (GString) state = g_string_new (FL_VERSION "\n");
  append_state (state, path, "");
  append_state (state, path, "-wal");
  g_autofree char *place = g_compute_checksum_for_string (G_CHECKSUM_SHA256, path, -1);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, state->str, -1);
  return g_strdup_printf ("%.*s-%.*s", DIGITS, place, DIGITS, sum);
}

/* Copies of earlier states of the same file. */
static void
remove_others (const char *folder, const char *name)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *one = dir != NULL ? g_dir_read_name (dir) : NULL; one != NULL; one = g_dir_read_name (dir))
    if (strncmp (one, name, DIGITS) == 0 && strcmp (one, name) != 0 && strchr (one, '.') == NULL)
      {
        g_autofree char *other = g_build_filename (folder, one, NULL);
        g_autofree char *file = g_build_filename (other, FL_STORE_FILE, NULL);
        g_unlink (file);
        g_rmdir (other);
      }
}

static gboolean
bring_up (FlDb *db, const char *folder, GError **error)
{
  g_autofree char *file = g_build_filename (folder, FL_STORE_FILE, NULL);
  if (!fl_db_exec (db, "VACUUM INTO ?", error, FL_TEXT (file)))
    return FALSE;
  FlStore *store = fl_store_open (folder, FL_STORE_WRITE, error);
  fl_store_close (store);
  return store != NULL && fl_store_seal (folder, error);
}

static gboolean
make (FlDb *db, const char *cache, const char *folder, GError **error)
{
  g_autofree char *pattern = g_build_filename (cache, "new.XXXXXX", NULL);
  if (g_mkdir_with_parents (cache, 0700) != 0 || g_mkdtemp_full (pattern, 0700) == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", cache, g_strerror (errno));
      return FALSE;
    }
  gboolean ok = bring_up (db, pattern, error);
  /* Somebody else may have been faster: theirs is the same. */
  if (ok && g_rename (pattern, folder) == 0)
    return TRUE;
  g_autofree char *file = g_build_filename (pattern, FL_STORE_FILE, NULL);
  g_unlink (file);
  g_rmdir (pattern);
  return ok;
}

FlDatabase *
fl_old_copy_make (FlDb *db, const FlDatabase *where, GError **error)
{
  g_autofree char *cache = g_build_filename (g_get_user_cache_dir (), "firstlight", "older", NULL);
  g_autofree char *name = name_of (where->path);
  g_autofree char *folder = g_build_filename (cache, name, NULL);
  g_autofree char *file = g_build_filename (folder, FL_STORE_FILE, NULL);
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    {
      remove_others (cache, name);
      if (!make (db, cache, folder, error))
        {
          g_prefix_error (
              error,
              "%s: made by an older Firstlight; while it was brought up to date in a copy: ", where->shown);
          return NULL;
        }
    }
  FlDatabase *copy = fl_database_copy (where);
  g_free (copy->path);
  copy->path = g_steal_pointer (&file);
  return copy;
}
