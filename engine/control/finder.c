#include "engine/control/finder.h"

#include <string.h>
#include <sys/stat.h>

#define BELIEVED_AFTER  (3600 * FL_NS_PER_S) /* a file at a far site that is so much older is quiet at once */
#define SETTLED_AFTER   (60 * FL_NS_PER_S)
#define LOOK_EVERYWHERE 30 /* every so many looks, settled folders too */

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/base/wildcard.h"

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
  GHashTable *names; /* "root/path" of a run of a far watch -> GPtrArray of its files' names, sorted */
  GHashTable *
      settled; /* of far watches: "watch/name" -> when the folder was changed, and how often it was looked at */
  GHashTable *asked; /* ids of watches */
  guint looks;
};

typedef struct
{
  guint32 files;
  guint64 bytes;
  gboolean complete;
} Known;

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  const char *x = *(const char *const *) a, *y = *(const char *const *) b;
  int order = fl_run_name_compare (x, y);
  return order != 0 ? order : strcmp (x, y);
}

/* What a run's folder or file looks like. */
typedef struct
{
  char *name, *path; /* path: relative to the root */
  guint32 files;
  guint64 bytes;
  guint64 newest; /* when something in it moved last */
  gboolean complete;
  GPtrArray *names; /* of its files that are data, borrowed */
} Run;

FlFinder *
fl_finder_new (FlStore *store)
{
  FlFinder *finder = g_new0 (FlFinder, 1);
  finder->store = store;
  finder->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  finder->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  finder->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  finder->settled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  finder->asked = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return finder;
}

void
fl_finder_free (FlFinder *finder)
{
  if (finder == NULL)
    return;
  g_hash_table_unref (finder->seen);
  g_hash_table_unref (finder->known);
  g_hash_table_unref (finder->names);
  g_hash_table_unref (finder->settled);
  g_hash_table_unref (finder->asked);
  g_free (finder);
}

static void
run_clear (Run *found)
{
  g_clear_pointer (&found->names, g_ptr_array_unref);
  g_clear_pointer (&found->name, g_free);
  g_clear_pointer (&found->path, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* --- files --- */

static gboolean
matches (const char *patterns, const char *otherwise, const char *name)
{
  g_auto (GStrv) list = g_strsplit (patterns != NULL && *patterns != '\0' ? patterns : otherwise, " ", -1);
  for (char **pattern = list; *pattern != NULL; pattern++)
    if (**pattern != '\0' && fl_wildcard_match (*pattern, name))
      return TRUE;
  return FALSE;
}

/* What simulators and detectors of single particles leave beside the frames is none, nor is a folder `truth` a run. */
static gboolean
is_data (const char *patterns, const char *otherwise, const char *name)
{
  static const char *const beside[] = { "detector.h5", "truth.h5", "truth", NULL };
  return matches (patterns, otherwise, name) && !g_strv_contains (beside, name);
}

/* Sorts; of frames and their photons, NAME.cxi and NAME.emc, the frames are taken: no shot twice. */
static void
settle_names (GPtrArray *names)
{
  for (guint i = names->len; i-- > 0;)
    {
      const char *name = names->pdata[i];
      if (!g_str_has_suffix (name, ".emc"))
        continue;
      g_autofree char *frames = g_strdup (name);
      memcpy (frames + strlen (frames) - 3, "cxi", 3);
      if (g_ptr_array_find_with_equal_func (names, frames, g_str_equal, NULL))
        g_ptr_array_remove_index (names, i);
    }
  g_ptr_array_sort (names, compare_paths);
}

static gboolean
is_partial (const char *name)
{
  return g_str_has_suffix (name, ".inprogress") || *name == '.';
}

/* Whether the file has been left alone for `quiet` seconds; *moved: when it moved last. */
static gboolean
is_quiet (FlFinder *finder, const char *path, const FlFound *file, const FlWatch *watch, guint64 now,
          guint64 *moved)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT "%s", watch->site, path);
  Seen *seen = g_hash_table_lookup (finder->seen, key);
  guint64 claimed = MIN (file->modified, now);
  if (seen == NULL)
    {
      seen = g_new0 (Seen, 1);
      g_hash_table_insert (finder->seen, g_steal_pointer (&key), seen);
      /* Its time can be believed for what was written before we looked, unless it lies in the future, or is by another
       * clock. */
      seen->since = watch->site == 0 || now - claimed > BELIEVED_AFTER ? claimed : now;
    }
  else if (seen->size != file->size || seen->modified != file->modified)
    seen->since = now;
  seen->size = file->size;
  seen->modified = file->modified;
  *moved = watch->site == 0 ? claimed : seen->since;
  return (double) (now - MIN (seen->since, now)) >= watch->quiet * 1e9;
}

static char *
whole_name (const char *name)
{
  return g_str_has_suffix (name, ".inprogress") ? g_strndup (name, strlen (name) - strlen (".inprogress"))
                                                : g_strdup (name);
}

static void
look_at_file (FlFinder *finder, const FlWatch *watch, const char *path, const FlFound *file, guint64 now,
              Run *run)
{
  guint64 moved;
  gboolean quiet = is_quiet (finder, path, file, watch, now, &moved);
  run->newest = MAX (run->newest, moved);
  run->bytes += file->size;
  if (is_partial (file->name) || !quiet)
    run->complete = FALSE;
  run->files++;
}

static void
look_at_folder (FlFinder *finder, const FlWatch *watch, const char *path, const FlFound *folder, guint64 now,
                Run *run)
{
  for (guint i = 0; i < folder->files->len; i++)
    {
      const FlFound *entry = folder->files->pdata[i];
      g_autofree char *whole = whole_name (entry->name);
      g_autofree char *file = g_build_filename (path, entry->name, NULL);
      if (entry->folder || !is_data (watch->files, FL_FINDER_FILES, whole))
        continue;
      look_at_file (finder, watch, file, entry, now, run);
      if (!is_partial (entry->name))
        g_ptr_array_add (run->names, g_strdup (entry->name));
    }
  settle_names (run->names);
  if (run->files == 0 || (double) (now - MIN (run->newest, now)) < watch->quiet_run * 1e9)
    run->complete = FALSE;
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
add_run (FlFinder *finder, const FlWatch *watch, const Run *found, guint64 now, GError **error)
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
update_run (FlFinder *finder, FlRun *run, const Run *found, GError **error)
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
write_found (FlFinder *finder, const FlWatch *watch, const Run *found, guint64 now, char **message,
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
register_run (FlFinder *finder, const FlWatch *watch, const Run *found, guint64 now, char **message,
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

/* --- looking: any thread --- */

void
fl_found_free (FlFound *found)
{
  g_free (found->name);
  g_clear_pointer (&found->files, g_ptr_array_unref);
  g_free (found);
}

static GPtrArray *
list_folder (FlHost *host, const char *folder, GError **error)
{
  g_autoptr (GPtrArray) entries = fl_host_list (host, folder, error);
  if (entries == NULL)
    return NULL;
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_found_free);
  for (guint i = 0; i < entries->len; i++)
    {
      const FlHostEntry *entry = entries->pdata[i];
      FlFound *one = g_new0 (FlFound, 1);
      *one = (FlFound){ .name = g_strdup (entry->name),
                        .size = entry->size,
                        .modified = entry->modified,
                        .folder = S_ISDIR (entry->mode) };
      if (one->folder || S_ISREG (entry->mode))
        g_ptr_array_add (found, one);
      else
        fl_found_free (one);
    }
  return found;
}

static gboolean
may_be_run (const FlWatch *watch, const FlFound *entry)
{
  gboolean folders = strcmp (watch->kind, "folders") == 0;
  g_autofree char *whole = whole_name (entry->name);
  return *entry->name != '.' && entry->folder == folders
         && is_data (watch->pattern, folders ? FL_FINDER_PATTERN : FL_FINDER_FILES, whole);
}

gboolean
fl_finder_is_data (const FlWatch *watch, const char *name)
{
  gboolean folders = strcmp (watch->kind, "folders") == 0;
  g_autofree char *whole = whole_name (name);
  return *name != '.' && is_data (folders ? watch->files : watch->pattern, FL_FINDER_FILES, whole);
}

GPtrArray *
fl_finder_look (FlHost *host, const char *folder, const FlWatch *watch, GHashTable *settled, GError **error)
{
  g_autoptr (GPtrArray) entries = list_folder (host, folder, error);
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      FlFound *entry = entries->pdata[i];
      const guint64 *known = settled != NULL ? g_hash_table_lookup (settled, entry->name) : NULL;
      g_autoptr (GError) failed = NULL;
      g_autofree char *path = g_build_filename (folder, entry->name, NULL);
      if (!entry->folder || !may_be_run (watch, entry) || (known != NULL && *known == entry->modified))
        continue;
      entry->files = list_folder (host, path, &failed);
      if (failed != NULL && g_error_matches (failed, FL_ERROR, FL_ERROR_BUSY))
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return NULL;
        }
      if (entry->files == NULL) /* gone meanwhile, or nobody may read it */
        entry->files = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_found_free);
    }
  return g_steal_pointer (&entries);
}

/* --- taking in --- */

static char *
settled_key (const FlWatch *watch, const char *name)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT "/%s", watch->id, name);
}

GHashTable *
fl_finder_settled (FlFinder *finder, const FlWatch *watch)
{
  GHashTable *copy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *prefix = settled_key (watch, "");
  GHashTableIter iter;
  gpointer key, value;
  if (++finder->looks % LOOK_EVERYWHERE == 0)
    return copy;
  g_hash_table_iter_init (&iter, finder->settled);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (g_str_has_prefix (key, prefix))
      g_hash_table_insert (copy, g_strdup ((char *) key + strlen (prefix)),
                           g_memdup2 (value, sizeof (guint64)));
  return copy;
}

gboolean
fl_finder_is_asked (FlFinder *finder, const FlWatch *watch)
{
  return g_hash_table_contains (finder->asked, &watch->id);
}

static char *
names_key (const char *root, const char *path)
{
  return g_build_filename (root, path, NULL);
}

/* Of a far run: which files it has, and whether the next look may leave it out. */
static void
remember (FlFinder *finder, const FlWatch *watch, const FlFound *entry, const Run *run, guint64 now)
{
  g_hash_table_insert (finder->names, names_key (watch->root, run->path), g_ptr_array_ref (run->names));
  if (entry->folder && run->complete && now > run->newest + SETTLED_AFTER)
    g_hash_table_insert (finder->settled, settled_key (watch, entry->name),
                         g_memdup2 (&entry->modified, sizeof entry->modified));
}

static gboolean
take_entry (FlFinder *finder, const FlWatch *watch, const FlFound *entry, guint64 now, char **message,
            GError **error)
{
  if (!may_be_run (watch, entry) || (entry->folder && entry->files == NULL))
    return TRUE;
  if (!g_utf8_validate (entry->name, -1, NULL) || strpbrk (entry->name, "\n\r\t\v\f\b\033") != NULL)
    {
      if (*message == NULL)
        *message =
            g_strdup_printf ("watch %s: its folder holds a name that is no text: left out", watch->name);
      return TRUE;
    }
  g_autofree char *whole = whole_name (entry->name);
  g_autofree char *path = g_build_filename (watch->root, watch->path, entry->name, NULL);
  g_auto (Run) run = { .complete = TRUE, .names = g_ptr_array_new_with_free_func (g_free) };
  run.path = *watch->path != '\0' ? g_build_filename (watch->path, whole, NULL) : g_strdup (whole);
  run.name = g_strdup (whole);
  if (entry->folder)
    look_at_folder (finder, watch, path, entry, now, &run);
  else
    {
      char *dot = strrchr (run.name, '.');
      if (dot != NULL && dot != run.name)
        *dot = '\0';
      look_at_file (finder, watch, path, entry, now, &run);
      g_ptr_array_add (run.names, g_strdup ("")); /* the run's path itself */
    }
  if (watch->site != 0)
    remember (finder, watch, entry, &run, now);
  return run.files == 0 || !watch->active || register_run (finder, watch, &run, now, message, error);
}

gboolean
fl_finder_take (FlFinder *finder, const FlWatch *watch, GPtrArray *entries, guint64 now, char **message,
                GError **error)
{
  g_hash_table_remove (finder->asked, &watch->id);
  for (guint i = 0; i < entries->len; i++)
    if (!take_entry (finder, watch, entries->pdata[i], now, message, error))
      return FALSE;
  return TRUE;
}

static gboolean
scan_watch (FlFinder *finder, const FlWatch *watch, FlHost *host, guint64 now, char **message, GError **error)
{
  g_autofree char *folder = fl_store_resolve (finder->store, watch->root, watch->path, error);
  if (folder == NULL)
    return FALSE;
  g_autoptr (GError) closed = NULL;
  g_autoptr (GPtrArray) entries = fl_finder_look (host, folder, watch, NULL, &closed);
  if (entries != NULL)
    return fl_finder_take (finder, watch, entries, now, message, error);
  if (*message == NULL)
    *message = g_strdup_printf ("%s: cannot be watched for runs: %s", folder, closed->message);
  return TRUE;
}

gboolean
fl_finder_scan (FlFinder *finder, guint64 now, char **message, GError **error)
{
  *message = NULL;
  g_autoptr (GPtrArray) watches = fl_store_list (finder->store, FL_TABLE_WATCH, error);
  g_autoptr (FlHost) host = fl_host_new_local ();
  for (guint i = 0; watches != NULL && i < watches->len; i++)
    {
      const FlWatch *watch = watches->pdata[i];
      if (watch->active && watch->site == 0 && !scan_watch (finder, watch, host, now, message, error))
        {
          g_clear_pointer (message, g_free);
          return FALSE;
        }
    }
  return watches != NULL;
}

/* --- a run's files --- */

/* The watch that found it, or NULL: another has made the run. Free it. */
static gboolean
find_watch (FlStore *store, const FlRun *run, gint64 *id, gint64 *site, char **patterns, GError **error)
{
  g_autoptr (GPtrArray) watches = fl_store_list (store, FL_TABLE_WATCH, error);
  g_autofree char *parent = g_path_get_dirname (run->path);
  *patterns = NULL;
  *id = *site = 0;
  for (guint i = 0; watches != NULL && i < watches->len && *patterns == NULL; i++)
    {
      const FlWatch *watch = watches->pdata[i];
      if (strcmp (watch->root, run->root) != 0
          || strcmp (*watch->path != '\0' ? watch->path : ".", parent) != 0)
        continue;
      *patterns = g_strdup (watch->files);
      *id = watch->id;
      *site = watch->site;
    }
  return watches != NULL;
}

/* Of a run that lies here. */
static GPtrArray *
list_names (FlStore *store, const FlRun *run, const char *patterns, GError **error)
{
  g_autofree char *path = fl_store_resolve (store, run->root, run->path, error);
  if (path == NULL)
    return NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    g_ptr_array_add (names, g_strdup (""));
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!is_partial (name) && is_data (patterns, FL_FINDER_FILES, name))
      g_ptr_array_add (names, g_strdup (name));
  settle_names (names);
  if (names->len > 0)
    return g_steal_pointer (&names);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: holds no data files, expected %s", path,
               patterns != NULL && *patterns != '\0' ? patterns : FL_FINDER_FILES);
  return NULL;
}

GPtrArray *
fl_finder_files (FlFinder *finder, const FlRun *run, gint64 site, GError **error)
{
  gint64 watch, watch_site;
  g_autofree char *patterns = NULL;
  g_autofree char *path = fl_store_resolve_at (finder->store, site, run->root, run->path, error);
  if (path == NULL || !find_watch (finder->store, run, &watch, &watch_site, &patterns, error))
    return NULL;
  g_autofree char *key = names_key (run->root, run->path);
  GPtrArray *known = watch_site != 0 ? g_hash_table_lookup (finder->names, key) : NULL;
  if (watch_site != 0 && known == NULL)
    {
      g_hash_table_add (finder->asked, g_memdup2 (&watch, sizeof watch));
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: its files at the site are not known yet", run->name);
      return NULL;
    }
  g_autoptr (GPtrArray) names =
      known != NULL ? g_ptr_array_ref (known) : list_names (finder->store, run, patterns, error);
  if (names == NULL)
    return NULL;
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_ptr_array_add (files, *name != '\0' ? g_build_filename (path, name, NULL) : g_strdup (path));
    }
  return files;
}
