#include "engine/control/archive-folder.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/archive-private.h"
#include "engine/store/copy.h"
#include "engine/store/mirror.h"
#include "engine/store/stats.h"

typedef struct
{
  const FlArchiveWish *wish;
  FlArchivePlace *place;
  FlArchive *about;
  char *tree; /* where the archive's folder is made; of a tar file: where its store is */
  FlArchivePlan *plan;
  FlArchiveTar *tar;
  FlArchiveWork work;
  GPtrArray *files, *missing;
  FlArchiveFunc func;
  gpointer data;
} Making;

/* --- may it be made? --- */

static gboolean
check_source (FlStore *store, const FlArchiveWish *wish, GError **error)
{
  const char *folder = fl_store_folder (store);
  g_autofree char *to = g_canonicalize_filename (wish->to, NULL), *mirror = NULL,
                  *archive = g_build_filename (folder, FL_ARCHIVE_FILE, NULL);
  g_auto (GStrv) command = fl_mirror_read_origin (folder, &mirror, NULL);
  g_autoptr (GError) failed = NULL;
  g_autofree char *holder = wish->live ? NULL : fl_store_lease_holder (store, "conductor", &failed);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (command != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: is a copy of an experiment on another machine; make the archive there, of %s", folder,
                 mirror);
  else if (g_file_test (archive, G_FILE_TEST_EXISTS))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is an archive already", folder);
  else if (fl_path_is_within (to, folder))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: lies in the experiment itself, expected a place outside", to);
  else if (holder != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY,
                 "%s: the conductor (%s) is at work; stop it, or ask for the state of now with --live",
                 folder, holder);
  else
    return TRUE;
  return FALSE;
}

/* --- the store --- */

static void
on_rows (const char *table, guint64 rows, guint64 of, gpointer data)
{
  Making *making = data;
  g_autofree char *what = g_strdup_printf ("rows of %s", table);
  if (making->func != NULL)
    making->func (what, -(gint64) rows, (gint64) of, making->data);
}

static FlStore *
copy_store (Making *making, FlStore *from, GError **error)
{
  if (g_mkdir_with_parents (making->tree, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", making->tree, g_strerror (errno));
      return NULL;
    }
  g_autoptr (FlDatabase) to = fl_database_find (making->tree, TRUE, error);
  if (to == NULL || !fl_store_copy (from, to, on_rows, making, error))
    return NULL;
  return fl_store_open (making->tree, FL_STORE_WRITE, error);
}

static gboolean
rewrite_roots (Making *making, FlStore *store, GError **error)
{
  for (guint i = 0; i < making->plan->roots->len; i++)
    {
      const FlRoot *root = making->plan->roots->pdata[i];
      g_autofree char *path = fl_archive_plan_root (making->plan, root);
      if (!fl_store_set_text (store, FL_TABLE_ROOT, root->id, "path", path, error))
        return FALSE;
    }
  return TRUE;
}

/* --- what is said of it --- */

static char **
strings (GPtrArray *array)
{
  char **list = g_new0 (char *, array->len + 1);
  for (guint i = 0; i < array->len; i++)
    list[i] = g_utf8_make_valid (array->pdata[i], -1); /* archive.ini is text */
  return list;
}

static gboolean
count (FlStore *store, FlArchive *about, GError **error)
{
  g_autoptr (GPtrArray) runs = fl_store_list (store, FL_TABLE_RUN, error);
  g_autoptr (GPtrArray) jobs = runs != NULL ? fl_store_list (store, FL_TABLE_JOB, error) : NULL;
  g_autoptr (GPtrArray) datasets = jobs != NULL ? fl_store_list (store, FL_TABLE_DATASET, error) : NULL;
  g_autoptr (FlStats) stats = fl_stats_new ();
  if (datasets == NULL || !fl_stats_update (stats, store, NULL, error))
    return FALSE;
  about->runs = runs->len;
  about->jobs = jobs->len;
  about->datasets = datasets->len;
  for (guint i = 0; i < runs->len; i++)
    {
      FlJobStats of_run;
      if (fl_stats_run (stats, ((const FlRun *) runs->pdata[i])->id, 0, &of_run))
        about->shots += of_run.shots;
    }
  return TRUE;
}

static gboolean
describe (Making *making, FlStore *store, const char *base, GError **error)
{
  FlArchive *about = making->about;
  g_autoptr (GPtrArray) experiments = fl_store_list (store, FL_TABLE_EXPERIMENT, error);
  if (experiments == NULL || !count (store, about, error))
    return FALSE;
  about->experiment = experiments->len > 0 ? g_strdup (((FlExperiment *) experiments->pdata[0])->name)
                                           : g_path_get_basename (base);
  about->source = g_utf8_make_valid (base, -1);
  about->by = g_strdup ("firstlight-control " FL_VERSION);
  about->host = g_strdup (g_get_host_name ());
  about->made = fl_now_ns () / FL_NS_PER_S * FL_NS_PER_S;
  about->schema = fl_store_version (store, error);
  about->running = making->plan->running;
  return about->schema >= 0;
}

/* --- files --- */

/* In one of several threads. */
static void
take_entry (gpointer item, gpointer data)
{
  const FlArchiveEntry *entry = item;
  Making *making = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *to = g_build_filename (making->tree, entry->path, NULL);
  char sha256[65];
  gint64 size = 0;
  gboolean ok = fl_archive_take_file (&making->work, entry->source, to, sha256, &size, &error);
  if (!ok)
    g_unlink (to);
  g_mutex_lock (&making->work.lock);
  if (ok)
    fl_archive_files_add (making->files, entry->path, sha256, size);
  else
    g_ptr_array_add (making->missing, fl_one_line (g_strdup (error->message), '?'));
  g_mutex_unlock (&making->work.lock);
}

/* A tar file cannot take back what it has begun: only what cannot be opened is missing. */
static gboolean
add_entries (Making *making, GError **error)
{
  for (guint i = 0; i < making->plan->entries->len; i++)
    {
      const FlArchiveEntry *entry = making->plan->entries->pdata[i];
      g_autoptr (GError) failed = NULL;
      char sha256[65];
      gint64 size = 0;
      if (fl_archive_tar_add (making->tar, &making->work, entry->source, entry->path, sha256, &size, &failed))
        fl_archive_files_add (making->files, entry->path, sha256, size);
      else if (g_error_matches (failed, FL_ERROR, FL_ERROR_MISSING))
        g_ptr_array_add (making->missing, fl_one_line (g_strdup (failed->message), '?'));
      else
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return FALSE;
        }
      if (making->func != NULL && i % 64 == 63)
        making->func (making->work.what, making->work.done, making->work.all, making->data);
    }
  return TRUE;
}

/* The tree holds it already; a tar file takes it from there. */
static gboolean
take_store (Making *making, GError **error)
{
  g_autofree char *path = g_build_filename (making->tree, FL_STORE_FILE, NULL);
  char sha256[65];
  gint64 size = 0;
  if (making->tar != NULL
          ? !fl_archive_tar_add (making->tar, &making->work, path, FL_STORE_FILE, sha256, &size, error)
          : !fl_archive_take_file (&making->work, path, NULL, sha256, &size, error))
    return FALSE;
  fl_archive_files_add (making->files, FL_STORE_FILE, sha256, size);
  return TRUE;
}

static gboolean
write_text (Making *making, const char *name, const char *text, GError **error)
{
  gsize length = strlen (text);
  if (making->tar != NULL)
    return fl_archive_tar_add_text (making->tar, name, text, length, making->about->made, error);
  g_autofree char *path = g_build_filename (making->tree, name, NULL);
  g_autoptr (GError) why = NULL;
  if (g_file_set_contents_full (path, text, (gssize) length, G_FILE_SET_CONTENTS_DURABLE, 0644, &why))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", path, why->message);
  return FALSE;
}

static gboolean
write_lists (Making *making, GError **error)
{
  FlArchive *about = making->about;
  for (guint i = 0; i < making->files->len; i++)
    about->bytes += ((FlArchiveFile *) making->files->pdata[i])->size;
  about->files = making->files->len;
  about->live = making->wish->live;
  about->referenced = strings (making->plan->referenced);
  about->missing = strings (making->missing);
  about->places = strings (making->plan->places);
  g_autofree char *ini = fl_archive_write (about);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, ini, -1);
  fl_archive_files_add (making->files, FL_ARCHIVE_FILE, sum, (gint64) strlen (ini));
  fl_archive_files_sort (making->files);
  g_autofree char *manifest = fl_archive_manifest_write (making->files);
  return write_text (making, FL_ARCHIVE_FILE, ini, error)
         && write_text (making, FL_ARCHIVE_MANIFEST, manifest, error);
}

static gboolean
is_whole (Making *making, GError **error)
{
  if (making->missing->len == 0 || making->wish->partial)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
               "%u file%s cannot be read (--partial: without them); the first: %s", making->missing->len,
               making->missing->len == 1 ? "" : "s", (char *) making->missing->pdata[0]);
  return FALSE;
}

static gboolean
fill (Making *making, GError **error)
{
  if (making->tar != NULL && !add_entries (making, error))
    return FALSE;
  if (making->tar == NULL)
    fl_archive_work_each (&making->work, making->plan->entries, take_entry, making);
  return is_whole (making, error) && take_store (making, error) && write_lists (making, error)
         && (making->tar == NULL || fl_archive_tar_close (making->tar, error));
}

/* --- all --- */

static gboolean
begin (Making *making, FlStore *from, GError **error)
{
  const char *base = fl_store_folder (from);
  FlStore *store = copy_store (making, from, error);
  making->plan = store != NULL ? fl_archive_plan (store, base, making->wish, error) : NULL;
  gboolean ok =
      making->plan != NULL && describe (making, store, base, error) && rewrite_roots (making, store, error);
  fl_store_close (store);
  if (!ok || !fl_store_seal (making->tree, error)
      || !fl_archive_has_room (making->place->folder, making->plan->bytes, error))
    return FALSE;
  for (guint i = 0; i < making->plan->missing->len; i++)
    g_ptr_array_add (making->missing, g_strdup (making->plan->missing->pdata[i]));
  fl_archive_work_init (&making->work, "archived", making->plan->bytes, making->func, making->data);
  return is_whole (making, error);
}

static FlArchiveTar *
begin_tar (Making *making, GError **error)
{
  g_autofree char *path = g_build_filename (making->place->folder, "archive.tar", NULL);
  g_autofree char *name = g_path_get_basename (making->place->to);
  name[strlen (name) - strlen (".tar")] = '\0';
  gboolean odd = !g_str_is_ascii (name);
  for (guint i = 0; i < making->plan->entries->len; i++)
    odd |= !g_str_is_ascii (((FlArchiveEntry *) making->plan->entries->pdata[i])->path);
  return fl_archive_tar_new (path, *name != '\0' ? name : "archive", odd, error);
}

static gboolean
make (Making *making, FlStore *from, GError **error)
{
  making->tree = g_build_filename (making->place->folder, "tree", NULL);
  if (!begin (making, from, error))
    return FALSE;
  gboolean tar = g_str_has_suffix (making->place->to, ".tar");
  if (tar)
    making->tar = begin_tar (making, error);
  if (tar && making->tar == NULL)
    return FALSE;
  return fill (making, error) && fl_archive_place_finish (making->place, tar ? "archive.tar" : "tree", error);
}

gboolean
fl_archive_make (const FlArchiveWish *wish, GPtrArray *missing, FlArchiveFunc func, gpointer data,
                 GError **error)
{
  g_autoptr (FlStore) from = fl_store_open (wish->experiment, FL_STORE_READ_ONLY, error);
  if (from == NULL || !check_source (from, wish, error))
    return FALSE;
  g_autoptr (FlArchivePlace) place = fl_archive_place_begin (wish->to, error);
  g_autoptr (FlArchive) about = g_new0 (FlArchive, 1);
  g_autoptr (GPtrArray) files = fl_archive_files_new ();
  if (place == NULL)
    return FALSE;
  Making making = { .wish = wish,
                    .place = place,
                    .about = about,
                    .files = files,
                    .missing = missing,
                    .func = func,
                    .data = data };
  gboolean ok = make (&making, from, error);
  fl_archive_tar_free (making.tar);
  fl_archive_plan_free (making.plan);
  fl_archive_work_clear (&making.work);
  g_free (making.tree);
  return ok;
}
