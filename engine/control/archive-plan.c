/* What is to be in an archive, and what is only referred to. */
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/control/archive-private.h"

static void
entry_free (gpointer data)
{
  FlArchiveEntry *entry = data;
  g_free (entry->path);
  g_free (entry->source);
  g_free (entry);
}

void
fl_archive_plan_free (FlArchivePlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->base);
  g_clear_pointer (&plan->roots, g_ptr_array_unref);
  g_ptr_array_unref (plan->entries);
  g_hash_table_unref (plan->taken);
  g_hash_table_unref (plan->skipped);
  g_hash_table_unref (plan->settled);
  g_hash_table_unref (plan->used);
  g_ptr_array_unref (plan->referenced);
  g_ptr_array_unref (plan->missing);
  g_ptr_array_unref (plan->places);
  g_free (plan);
}

static FlArchivePlan *
plan_new (const char *base, const FlArchiveWish *wish)
{
  FlArchivePlan *plan = g_new0 (FlArchivePlan, 1);
  plan->wish = wish;
  plan->base = g_strdup (base);
  plan->entries = g_ptr_array_new_with_free_func (entry_free);
  plan->taken = g_hash_table_new (g_str_hash, g_str_equal);
  plan->skipped = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  plan->settled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  plan->used = g_hash_table_new (g_str_hash, g_str_equal);
  plan->referenced = g_ptr_array_new_with_free_func (g_free);
  plan->missing = g_ptr_array_new_with_free_func (g_free);
  plan->places = g_ptr_array_new_with_free_func (g_free);
  return plan;
}

/* --- where things are, and where they will be --- */

static char *
root_folder (const FlArchivePlan *plan, const FlRoot *root)
{
  return g_canonicalize_filename (root->path, plan->base);
}

/* "roots/NAME": of one that lies elsewhere. */
static char *
new_root (const FlRoot *root)
{
  g_autofree char *name = g_uri_escape_string (root->name, " ", TRUE);
  return g_strdelimit (g_strconcat ("roots/", *name == '.' ? "_" : "", name, NULL), "\\", '_');
}

char *
fl_archive_plan_root (const FlArchivePlan *plan, const FlRoot *root)
{
  g_autofree char *folder = root_folder (plan, root);
  if (!g_hash_table_contains (plan->used, root->name))
    return g_steal_pointer (&folder);
  if (!fl_path_is_within (folder, plan->base))
    return new_root (root);
  const char *rest = folder + strlen (plan->base);
  return g_strdup (*rest == '/' ? rest + 1 : ".");
}

char *
fl_archive_plan_path (const FlArchivePlan *plan, const char *source)
{
  if (fl_path_is_within (source, plan->base))
    return g_strdup (source[strlen (plan->base)] == '/' ? source + strlen (plan->base) + 1 : ".");
  gsize longest = 0;
  char *path = NULL;
  for (guint i = 0; i < plan->roots->len; i++)
    {
      const FlRoot *root = plan->roots->pdata[i];
      g_autofree char *folder = root_folder (plan, root);
      if (strlen (folder) <= longest || !fl_path_is_within (source, folder))
        continue;
      longest = strlen (folder);
      g_autofree char *to = new_root (root);
      g_free (path);
      path = g_build_filename (to, source + longest, NULL);
    }
  return path;
}

static const FlRoot *
find_root (const FlArchivePlan *plan, const char *name)
{
  for (guint i = 0; i < plan->roots->len; i++)
    if (strcmp (((const FlRoot *) plan->roots->pdata[i])->name, name) == 0)
      return plan->roots->pdata[i];
  return NULL;
}

/* Absolute; NULL: no such root. */
static char *
locate (const FlArchivePlan *plan, const char *root, const char *path)
{
  const FlRoot *record = find_root (plan, root);
  g_autofree char *folder = record != NULL ? root_folder (plan, record) : NULL;
  return folder != NULL ? g_canonicalize_filename (*path != '\0' ? path : ".", folder) : NULL;
}

/* --- walking --- */

void
fl_archive_plan_add (FlArchivePlan *plan, const char *source, const char *path, gint64 size)
{
  if (g_hash_table_contains (plan->taken, path))
    return;
  FlArchiveEntry *entry = g_new0 (FlArchiveEntry, 1);
  entry->path = g_strdup (path);
  entry->source = g_strdup (source);
  entry->size = size;
  plan->bytes += size;
  g_ptr_array_add (plan->entries, entry);
  g_hash_table_insert (plan->taken, entry->path, entry);
}

/* The databases go another way, and whom to ask for them is nobody's business later. */
static gboolean
is_of_the_store (const char *path)
{
  static const char *const names[] = { FL_STORE_FILE,        FL_STORE_FILE "-wal",
                                       FL_STORE_FILE "-shm", FL_STORE_FILE "-journal",
                                       FL_DATABASE_FILE,     FL_ARCHIVE_FILE,
                                       FL_ARCHIVE_MANIFEST,  NULL };
  return g_strv_contains (names, path);
}

static gboolean
is_journal (const char *name)
{
  return g_str_has_prefix (name, "journal-") && g_str_has_suffix (name, ".flj");
}

static void
note_missing (FlArchivePlan *plan, const char *path, const char *why)
{
  g_ptr_array_add (plan->missing, fl_one_line (g_strdup_printf ("%s: %s", path, why), '?'));
}

static void walk_folder (FlArchivePlan *plan, const char *source, const char *path);

static void
walk_one (FlArchivePlan *plan, const char *source, const char *path)
{
  struct stat about;
  if (g_hash_table_contains (plan->skipped, source) || is_of_the_store (path))
    return;
  if (lstat (source, &about) != 0)
    {
      note_missing (plan, source, g_strerror (errno));
      return;
    }
  gboolean link = S_ISLNK (about.st_mode);
  if (link && stat (source, &about) != 0)
    note_missing (plan, source, "a link to nothing");
  else if (S_ISREG (about.st_mode))
    fl_archive_plan_add (plan, source, path, about.st_size);
  else if (S_ISDIR (about.st_mode) && link)
    g_ptr_array_add (plan->referenced, g_strdup_printf ("a linked folder: %s", source));
  else if (S_ISDIR (about.st_mode))
    walk_folder (plan, source, path);
}

static void
walk_folder (FlArchivePlan *plan, const char *source, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (source, 0, &error);
  gboolean without_journals = !plan->wish->journals && g_hash_table_contains (plan->settled, source);
  if (dir == NULL)
    {
      note_missing (plan, source, error->message);
      return;
    }
  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *from = g_build_filename (source, name, NULL);
      g_autofree char *to = strcmp (path, ".") == 0 ? g_strdup (name) : g_build_filename (path, name, NULL);
      if (!without_journals || !is_journal (name))
        walk_one (plan, from, to);
    }
}

/* --- raw data --- */

static void
skip (FlArchivePlan *plan, char *folder)
{
  /* Never the experiment's own folder, and nothing that it lies in. */
  if (folder != NULL && !fl_path_is_within (plan->base, folder))
    g_hash_table_add (plan->skipped, folder);
  else
    g_free (folder);
}

/* "raw images of 4 runs (12.3 GB): /data/xyz" */
static void
refer_to_raw (FlArchivePlan *plan, const FlRoot *root, GPtrArray *runs)
{
  guint n = 0;
  guint64 bytes = 0;
  for (guint i = 0; i < runs->len; i++)
    {
      const FlRun *run = runs->pdata[i];
      gboolean of_it = strcmp (run->root, root->name) == 0;
      n += of_it;
      bytes += of_it ? run->bytes : 0;
    }
  g_autofree char *folder = root_folder (plan, root), *size = g_format_size (bytes);
  if (n > 0)
    g_ptr_array_add (plan->referenced,
                     g_strdup_printf ("raw images of %u run%s (%s): %s", n, n == 1 ? "" : "s", size, folder));
}

static void
walk_run (FlArchivePlan *plan, const FlRun *run)
{
  g_autofree char *source = locate (plan, run->root, run->path);
  g_autofree char *path = source != NULL ? fl_archive_plan_path (plan, source) : NULL;
  if (path == NULL)
    return;
  g_hash_table_add (plan->used, find_root (plan, run->root)->name);
  walk_one (plan, source, path);
}

static gboolean
plan_raw (FlArchivePlan *plan, FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) runs = fl_store_list (store, FL_TABLE_RUN, error);
  g_autoptr (GPtrArray) watches = runs != NULL ? fl_store_list (store, FL_TABLE_WATCH, error) : NULL;
  if (watches == NULL)
    return FALSE;
  for (guint i = 0; i < runs->len && plan->wish->raw; i++)
    walk_run (plan, runs->pdata[i]);
  for (guint i = 0; i < plan->roots->len && !plan->wish->raw; i++)
    refer_to_raw (plan, plan->roots->pdata[i], runs);
  /* What has arrived and is no run yet is raw, too. */
  for (guint i = 0; i < runs->len; i++)
    skip (plan, locate (plan, ((FlRun *) runs->pdata[i])->root, ((FlRun *) runs->pdata[i])->path));
  for (guint i = 0; i < watches->len; i++)
    skip (plan, locate (plan, ((FlWatch *) watches->pdata[i])->root, ((FlWatch *) watches->pdata[i])->path));
  return TRUE;
}

/* --- results --- */

static gboolean
plan_attempts (FlArchivePlan *plan, FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) attempts = fl_store_list (store, FL_TABLE_ATTEMPT, error);
  for (guint i = 0; attempts != NULL && i < attempts->len; i++)
    {
      const FlAttempt *attempt = attempts->pdata[i];
      plan->running += !fl_job_state_is_final (attempt->state) && attempt->state != FL_JOB_PREEMPTED;
      g_autofree char *folder =
          attempt->compacted ? fl_store_attempt_folder (store, attempt->id, NULL) : NULL;
      if (folder == NULL)
        continue;
      /* The copy's own folder stands for the base. */
      const char *own = fl_store_folder (store);
      g_hash_table_add (plan->settled, fl_path_is_within (folder, own)
                                           ? g_build_filename (plan->base, folder + strlen (own), NULL)
                                           : g_steal_pointer (&folder));
    }
  return attempts != NULL;
}

static const FlSite *
far_site (GPtrArray *sites, gint64 id)
{
  for (guint i = 0; i < sites->len; i++)
    {
      const FlSite *site = sites->pdata[i];
      if (site->id == id && strcmp (site->kind, "ssh") == 0)
        return site;
    }
  return NULL;
}

static void
plan_job (FlArchivePlan *plan, const FlJob *job, const FlSite *far)
{
  g_autofree char *source = locate (plan, job->root, job->path);
  g_autofree char *path = source != NULL ? fl_archive_plan_path (plan, source) : NULL;
  if (path == NULL || job->attempts == 0 || *job->path == '\0')
    return;
  if (plan->wish->no_results)
    skip (plan, g_steal_pointer (&source));
  else if (!g_file_test (source, G_FILE_TEST_IS_DIR))
    {
      if (far == NULL)
        note_missing (plan, source, "the folder of a job is not there");
    }
  else
    {
      g_hash_table_add (plan->used, find_root (plan, job->root)->name);
      walk_one (plan, source, path);
    }
}

/* "results of 12 jobs at perlmutter: /scratch/x" */
static gboolean
refer_to_far_results (FlArchivePlan *plan, FlStore *store, const FlSite *site, GPtrArray *jobs,
                      GError **error)
{
  guint n = 0;
  for (guint i = 0; i < jobs->len; i++)
    n += ((const FlJob *) jobs->pdata[i])->site == site->id;
  g_autofree char *there = n > 0 ? fl_store_resolve_at (store, site->id, site->scratch, "", error) : NULL;
  if (n > 0 && there != NULL)
    g_ptr_array_add (plan->referenced, g_strdup_printf ("results of %u job%s at %s: %s", n, n == 1 ? "" : "s",
                                                        site->name, there));
  return n == 0 || there != NULL;
}

static gboolean
plan_results (FlArchivePlan *plan, FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, error);
  g_autoptr (GPtrArray) sites = jobs != NULL ? fl_store_list (store, FL_TABLE_SITE, error) : NULL;
  if (sites == NULL || !plan_attempts (plan, store, error))
    return FALSE;
  for (guint i = 0; i < jobs->len; i++)
    plan_job (plan, jobs->pdata[i], far_site (sites, ((const FlJob *) jobs->pdata[i])->site));
  if (plan->wish->no_results && jobs->len > 0)
    g_ptr_array_add (plan->referenced, g_strdup_printf ("results of %u job%s: %s", jobs->len,
                                                        jobs->len == 1 ? "" : "s", plan->base));
  for (guint i = 0; i < sites->len; i++)
    if (far_site (sites, ((const FlSite *) sites->pdata[i])->id) != NULL
        && !refer_to_far_results (plan, store, sites->pdata[i], jobs, error))
      return FALSE;
  return TRUE;
}

/* --- all --- */

static int
by_path (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FlArchiveEntry *const *) a)->path, (*(FlArchiveEntry *const *) b)->path);
}

static void
add_place (FlArchivePlan *plan, const char *source, const char *path)
{
  g_ptr_array_add (plan->places, g_strdup (source));
  g_ptr_array_add (plan->places, g_strdup (path));
}

FlArchivePlan *
fl_archive_plan (FlStore *store, const char *base, const FlArchiveWish *wish, GError **error)
{
  g_autoptr (FlArchivePlan) plan = plan_new (base, wish);
  plan->roots = fl_store_list (store, FL_TABLE_ROOT, error);
  if (plan->roots == NULL || !plan_results (plan, store, error) || !plan_raw (plan, store, error))
    return NULL;
  for (guint i = 0; i < plan->roots->len && !wish->no_results; i++)
    {
      g_autofree char *folder = root_folder (plan, plan->roots->pdata[i]);
      if (strcmp (folder, base) == 0)
        g_hash_table_add (plan->used, ((FlRoot *) plan->roots->pdata[i])->name);
    }
  add_place (plan, base, ".");
  walk_one (plan, base, ".");
  if (!fl_archive_plan_inputs (plan, store, error))
    return NULL;
  for (guint i = 0; i < plan->roots->len; i++)
    {
      const FlRoot *root = plan->roots->pdata[i];
      g_autofree char *folder = root_folder (plan, root), *to = fl_archive_plan_root (plan, root);
      if (g_hash_table_contains (plan->used, root->name) && strcmp (folder, base) != 0)
        add_place (plan, folder, to);
    }
  g_ptr_array_sort (plan->entries, by_path);
  return g_steal_pointer (&plan);
}
