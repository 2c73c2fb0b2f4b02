#include "engine/control/finder.h"

#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

typedef struct
{
  guint64 size, modified; /* ns UTC */
  guint64 since;          /* ns UTC: unchanged since then */
} Seen;

struct FlFinder
{
  FlStore *store;
  GHashTable *seen;  /* path -> Seen */
  GHashTable *known; /* run's path -> Known: what the store was told last */
};

typedef struct
{
  guint32 files;
  guint64 bytes;
  gboolean complete;
} Known;

/* What a run's folder or file looks like. */
typedef struct
{
  char *name, *path; /* path: relative to the root */
  guint32 files;
  guint64 bytes;
  guint64 newest; /* when something in it moved last */
  gboolean complete;
} Found;

FlFinder *
fl_finder_new (FlStore *store)
{
  FlFinder *finder = g_new0 (FlFinder, 1);
  finder->store = store;
  finder->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  finder->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return finder;
}

void
fl_finder_free (FlFinder *finder)
{
  if (finder == NULL)
    return;
  g_hash_table_unref (finder->seen);
  g_hash_table_unref (finder->known);
  g_free (finder);
}

static void
found_clear (Found *found)
{
  g_clear_pointer (&found->name, g_free);
  g_clear_pointer (&found->path, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

/* --- files --- */

static gboolean
matches (const char *patterns, const char *otherwise, const char *name)
{
  g_auto (GStrv) list = g_strsplit (patterns != NULL && *patterns != '\0' ? patterns : otherwise, " ", -1);
  for (char **pattern = list; *pattern != NULL; pattern++)
    if (**pattern != '\0' && g_pattern_match_simple (*pattern, name))
      return TRUE;
  return FALSE;
}

static gboolean
is_partial (const char *name)
{
  return g_str_has_suffix (name, ".inprogress") || *name == '.';
}

/* Whether the file has been left alone for `quiet` seconds; *moved: when it moved last. */
static gboolean
is_quiet (FlFinder *finder, const char *path, const struct stat *about, double quiet, guint64 now,
          guint64 *moved)
{
  guint64 size = (guint64) about->st_size;
  guint64 modified = (guint64) about->st_mtim.tv_sec * FL_NS_PER_S + (guint64) about->st_mtim.tv_nsec;
  Seen *seen = g_hash_table_lookup (finder->seen, path);
  if (seen == NULL)
    {
      seen = g_new0 (Seen, 1);
      g_hash_table_insert (finder->seen, g_strdup (path), seen);
      /* Its time can be believed for what was written before we looked, unless it lies in the future. */
      seen->since = MIN (modified, now);
    }
  else if (seen->size != size || seen->modified != modified)
    seen->since = now;
  seen->size = size;
  seen->modified = modified;
  *moved = MIN (modified, now);
  return (double) (now - MIN (seen->since, now)) >= quiet * 1e9;
}

static void
look_at_file (FlFinder *finder, const FlWatch *watch, const char *path, const char *name, guint64 now,
              Found *found)
{
  struct stat about;
  guint64 moved;
  if (stat (path, &about) != 0 || !S_ISREG (about.st_mode))
    return;
  gboolean quiet = is_quiet (finder, path, &about, watch->quiet, now, &moved);
  found->newest = MAX (found->newest, moved);
  found->bytes += (guint64) about.st_size;
  if (is_partial (name) || !quiet)
    found->complete = FALSE;
  found->files++;
}

static void
look_at_folder (FlFinder *finder, const FlWatch *watch, const char *path, guint64 now, Found *found)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *whole = g_str_has_suffix (name, ".inprogress")
                                   ? g_strndup (name, strlen (name) - strlen (".inprogress"))
                                   : g_strdup (name);
      g_autofree char *file = g_build_filename (path, name, NULL);
      if (matches (watch->files, FL_FINDER_FILES, whole))
        look_at_file (finder, watch, file, name, now, found);
    }
  if (found->files == 0 || (double) (now - MIN (found->newest, now)) < watch->quiet_run * 1e9)
    found->complete = FALSE;
}

/* --- the store --- */

static gboolean
tag_run (FlStore *store, gint64 run, GError **error)
{
  g_autoptr (GPtrArray) tags = fl_store_list (store, FL_TABLE_TAG, error);
  if (tags == NULL)
    return FALSE;
  for (guint i = 0; i < tags->len; i++)
    {
      const FlTag *tag = tags->pdata[i];
      FlRunTag use = { .run = run, .tag = tag->id };
      if (tag->persistent && !fl_store_save (store, FL_TABLE_RUN_TAG, &use, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_run (FlFinder *finder, const FlWatch *watch, const Found *found, guint64 now, GError **error)
{
  FlRun run = { .name = found->name,
                .root = watch->root,
                .path = found->path,
                .first_seen = now,
                .completed = found->complete ? found->newest : 0,
                .bytes = found->bytes,
                .files = found->files,
                .state = (char *) (found->complete ? "complete" : "recording") };
  return fl_store_save (finder->store, FL_TABLE_RUN, &run, error) && tag_run (finder->store, run.id, error);
}

/* Jobs that had done with the run before it grew. */
static gboolean
continue_jobs (FlStore *store, gint64 run, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  if (jobs == NULL)
    return FALSE;
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      if (job->run == run && job->state == FL_JOB_DONE && !fl_store_want_retry (store, job->id, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
update_run (FlFinder *finder, FlRun *run, const Found *found, GError **error)
{
  gboolean was_complete = strcmp (run->state, "recording") != 0;
  gboolean grew = run->bytes != found->bytes || run->files != found->files;
  if (!grew && was_complete == found->complete)
    return TRUE;
  if (was_complete && !grew)
    return TRUE; /* only touched */
  run->bytes = found->bytes;
  run->files = found->files;
  if (found->complete || was_complete)
    {
      g_free (run->state);
      run->state = g_strdup (found->complete ? "complete" : "recording");
    }
  gboolean again = found->complete && run->completed > 0;
  if (found->complete)
    run->completed = found->newest;
  return fl_store_save (finder->store, FL_TABLE_RUN, run, error)
         && (!again || continue_jobs (finder->store, run->id, error));
}

/* In a transaction, so that what a person writes into the run meanwhile stays. */
static gboolean
write_found (FlFinder *finder, const FlWatch *watch, const Found *found, guint64 now, char **message,
             GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlRun *run = fl_store_find (finder->store, FL_TABLE_RUN, found->name, &failed);
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  gboolean ok = TRUE;
  if (run == NULL)
    ok = add_run (finder, watch, found, now, error);
  else if (strcmp (run->root, watch->root) != 0 || strcmp (run->path, found->path) != 0)
    {
      if (*message == NULL)
        *message = g_strdup_printf ("%s: there is a run of this name already, from %s: left out", found->path,
                                    run->path);
    }
  else
    ok = update_run (finder, run, found, error);
  fl_record_free (FL_TABLE_RUN, run);
  return ok;
}

static gboolean
register_found (FlFinder *finder, const FlWatch *watch, const Found *found, guint64 now, char **message,
                GError **error)
{
  Known *known = g_hash_table_lookup (finder->known, found->path);
  if (known != NULL && known->files == found->files && known->bytes == found->bytes
      && known->complete == found->complete)
    return TRUE;
  if (!fl_store_begin (finder->store, error))
    return FALSE;
  if (!write_found (finder, watch, found, now, message, error))
    {
      fl_store_rollback (finder->store);
      return FALSE;
    }
  if (!fl_store_commit (finder->store, error))
    return FALSE;
  Known now_known = { found->files, found->bytes, found->complete };
  g_hash_table_insert (finder->known, g_strdup (found->path), g_memdup2 (&now_known, sizeof now_known));
  return TRUE;
}

/* --- scanning --- */

static gboolean
scan_entry (FlFinder *finder, const FlWatch *watch, const char *folder, const char *name, guint64 now,
            char **message, GError **error)
{
  gboolean folders = strcmp (watch->kind, "folders") == 0;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *whole = g_str_has_suffix (name, ".inprogress")
                               ? g_strndup (name, strlen (name) - strlen (".inprogress"))
                               : g_strdup (name);
  if (*name == '.' || !matches (watch->pattern, folders ? FL_FINDER_PATTERN : FL_FINDER_FILES, whole)
      || g_file_test (path, G_FILE_TEST_IS_DIR) != folders)
    return TRUE;
  if (!g_utf8_validate (name, -1, NULL) || strpbrk (name, "\n\r\t") != NULL)
    {
      if (*message == NULL)
        *message = g_strdup_printf ("%s: holds a name that is no text: left out", folder);
      return TRUE;
    }
  g_auto (Found) found = { .complete = TRUE };
  found.path = *watch->path != '\0' ? g_build_filename (watch->path, whole, NULL) : g_strdup (whole);
  found.name = g_strdup (whole);
  if (folders)
    look_at_folder (finder, watch, path, now, &found);
  else
    {
      char *dot = strrchr (found.name, '.');
      if (dot != NULL && dot != found.name)
        *dot = '\0';
      look_at_file (finder, watch, path, name, now, &found);
    }
  return found.files == 0 || register_found (finder, watch, &found, now, message, error);
}

static gboolean
scan_watch (FlFinder *finder, const FlWatch *watch, guint64 now, char **message, GError **error)
{
  g_autofree char *folder = fl_store_resolve (finder->store, watch->root, watch->path, error);
  if (folder == NULL)
    return FALSE;
  g_autoptr (GError) closed = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &closed);
  if (dir == NULL)
    {
      if (*message == NULL)
        *message = g_strdup_printf ("%s: cannot be watched for runs: %s", folder, closed->message);
      return TRUE;
    }
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (!scan_entry (finder, watch, folder, name, now, message, error))
      return FALSE;
  return TRUE;
}

gboolean
fl_finder_scan (FlFinder *finder, guint64 now, char **message, GError **error)
{
  *message = NULL;
  g_autoptr (GPtrArray) watches = fl_store_list (finder->store, FL_TABLE_WATCH, error);
  for (guint i = 0; watches != NULL && i < watches->len; i++)
    {
      const FlWatch *watch = watches->pdata[i];
      if (watch->active && !scan_watch (finder, watch, now, message, error))
        {
          g_clear_pointer (message, g_free);
          return FALSE;
        }
    }
  return watches != NULL;
}

/* --- a run's files --- */

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  const char *x = *(const char *const *) a, *y = *(const char *const *) b;
  int order = fl_run_name_compare (x, y);
  return order != 0 ? order : strcmp (x, y);
}

/* The patterns of the watch that found it; NULL: another has made the run. */
static char *
find_patterns (FlStore *store, const FlRun *run, GError **error)
{
  g_autoptr (GPtrArray) watches = fl_store_list (store, FL_TABLE_WATCH, error);
  g_autofree char *parent = g_path_get_dirname (run->path);
  for (guint i = 0; watches != NULL && i < watches->len; i++)
    {
      const FlWatch *watch = watches->pdata[i];
      if (strcmp (watch->root, run->root) == 0
          && strcmp (*watch->path != '\0' ? watch->path : ".", parent) == 0)
        return g_strdup (watch->files);
    }
  return watches != NULL ? g_strdup ("") : NULL;
}

GPtrArray *
fl_finder_files (FlStore *store, const FlRun *run, GError **error)
{
  g_autofree char *path = fl_store_resolve (store, run->root, run->path, error);
  g_autofree char *patterns = path != NULL ? find_patterns (store, run, error) : NULL;
  if (patterns == NULL)
    return NULL;
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    g_ptr_array_add (files, g_strdup (path));
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!is_partial (name) && matches (patterns, FL_FINDER_FILES, name))
      g_ptr_array_add (files, g_build_filename (path, name, NULL));
  g_ptr_array_sort (files, compare_paths);
  if (files->len > 0)
    return g_steal_pointer (&files);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: holds no data files, expected %s", path,
               *patterns != '\0' ? patterns : FL_FINDER_FILES);
  return NULL;
}
