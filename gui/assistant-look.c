#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-look.h"

#include <glib/gi18n.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/control/archive-folder.h"
#include "engine/store/mirror.h"
#include "engine/store/people.h"
#include "gui/assistant-checks.h"
#include "gui/text.h"
#include "widgets/readout.h"

#define MOST_LISTED 4

/* --- words --- */

static void
add (GString *text, const char *label, const char *value)
{
  if (value && *value)
    g_string_append_printf (text, "%s%s: %s", text->len ? "\n" : "", label, value);
}

static char *
day_of (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (seconds);
  return time ? g_date_time_format (time, "%e %B %Y, %H:%M") : g_strdup ("–");
}

static char *
count_of (FlStore *store, FlTable table)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, table, NULL);
  return flg_format_count (all ? all->len : 0);
}

static void
add_store (GString *text, FlStore *store)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, NULL);
  const FlExperiment *experiment = all && all->len ? all->pdata[0] : NULL;
  g_autofree char *runs = count_of (store, FL_TABLE_RUN), *trials = count_of (store, FL_TABLE_TRIAL),
                  *datasets = count_of (store, FL_TABLE_DATASET), *jobs = count_of (store, FL_TABLE_JOB);
  g_autofree char *counts =
      g_strdup_printf (_ ("%s runs, %s trials, %s datasets, %s jobs"), runs, trials, datasets, jobs);
  g_autofree char *made =
      experiment && experiment->created ? day_of ((gint64) (experiment->created / 1000000000)) : NULL;
  add (text, _ ("Name"), experiment ? experiment->name : "");
  add (text, _ ("Begun"), made);
  add (text, _ ("Holds"), counts);
}

static void
add_size (GString *text, const char *path)
{
  struct stat about;
  if (stat (path, &about) != 0)
    return;
  g_autofree char *size = g_format_size ((guint64) about.st_size), *day = day_of (about.st_mtime);
  add (text, _ ("Records"), size);
  add (text, _ ("Changed"), day);
}

/* --- kinds of folders --- */

static FlgProof *
prove_opened (const char *folder, FlgVerdict verdict, char *words, GString *details)
{
  FlgProof *proof = flg_proof_new (verdict, "%s", words);
  g_free (words);
  proof->found = g_object_new (G_TYPE_OBJECT, NULL);
  g_object_set_data_full (proof->found, "folder", g_strdup (folder), g_free);
  g_object_set_data_full (proof->found, "details", g_string_free (details, FALSE), g_free);
  return proof;
}

static void
add_archive (GString *text, const char *folder)
{
  g_autoptr (FlArchive) archive = fl_archive_read (folder, NULL);
  if (!archive)
    return;
  g_autofree char *made = day_of ((gint64) (archive->made / 1000000000)),
                  *size = g_format_size ((guint64) MAX (archive->bytes, 0)),
                  *files = flg_format_count (archive->files);
  g_autofree char *whole = g_strdup_printf (_ ("%s in %s files"), size, files);
  g_autofree char *by = g_strdup_printf (_ ("%s on %s"), archive->by, archive->host);
  add (text, _ ("Archived"), made);
  add (text, _ ("By"), by);
  add (text, _ ("Of"), archive->source);
  add (text, _ ("Size"), whole);
  for (guint i = 0; archive->referenced && archive->referenced[i] && i < MOST_LISTED; i++)
    add (text, _ ("Not in it"), archive->referenced[i]);
  for (guint i = 0; archive->missing && archive->missing[i] && i < MOST_LISTED; i++)
    add (text, _ ("Missing"), archive->missing[i]);
}

static FlgProof *
look_at_copy (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *home = NULL;
  g_auto (GStrv) command = fl_mirror_read_origin (folder, &home, &error);
  if (!command)
    return flg_proof_new (FLG_VERDICT_BAD, "%s", error ? error->message : _ ("is no copy"));
  GString *details = g_string_new (NULL);
  guint64 whole = fl_mirror_whole_at (folder);
  g_autofree char *line = g_strjoinv (" ", command), *day = day_of ((gint64) (whole / 1000000000));
  add (details, _ ("Of"), home);
  add (details, _ ("Kept up by"), line);
  add (details, _ ("Whole on"), day);
  return prove_opened (
      folder, FLG_VERDICT_GOOD,
      g_strdup (_ ("a copy of an experiment on another machine: opens read-only and is kept up")), details);
}

static FlgProof *
look_at_store (const char *folder, gboolean archive)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store = fl_store_open (folder, FL_STORE_READ_ONLY, &error);
  g_autofree char *file = g_build_filename (folder, FL_STORE_FILE, NULL),
                  *database = g_build_filename (folder, FL_DATABASE_FILE, NULL);
  gboolean shared = access (database, F_OK) == 0;
  GString *details = g_string_new (NULL);
  if (store)
    add_store (details, store);
  if (shared)
    add (details, _ ("Database"), store ? fl_store_path (store) : "");
  else
    add_size (details, file);
  if (archive)
    add_archive (details, folder);
  /* Brought up to date when it is opened for writing. */
  if (store && fl_store_is_older (store) && !archive)
    return prove_opened (
        folder, FLG_VERDICT_WARNING,
        g_strdup (_ ("an experiment of an older Firstlight: opened for writing, its records are "
                     "brought up to date; read-only they stay as they are")),
        details);
  if (store)
    return prove_opened (folder, FLG_VERDICT_GOOD,
                         g_strdup (archive  ? _ ("an archive: opens read-only")
                                   : shared ? _ ("an experiment whose records are in a shared database")
                                            : _ ("an experiment")),
                         details);
  g_string_free (details, TRUE);
  return flg_proof_new (FLG_VERDICT_BAD, "%s", error->message);
}

FlgProof *
flg_look_at (gpointer strings, GCancellable *cancellable)
{
  g_autofree char *path = flg_typed_path (((GStrv) strings)[0]);
  if (!*path)
    return flg_proof_new (FLG_VERDICT_NONE, "%s", "");
  if (*path != '/')
    return flg_proof_new (FLG_VERDICT_BAD, _ ("expected a whole path, such as /data/lysozyme"));
  if (access (path, F_OK) != 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("does not exist"));
  if (g_str_has_suffix (path, ".tar"))
    return flg_proof_new (FLG_VERDICT_BAD,
                          _ ("an archive in one file: unpack it first (tar -xf), then open its folder"));
  g_autofree char *folder =
      g_file_test (path, G_FILE_TEST_IS_DIR) ? g_strdup (path) : g_path_get_dirname (path);
  g_autofree char *copy = g_build_filename (folder, FL_MIRROR_FILE, NULL),
                  *ini = g_build_filename (folder, "archive.ini", NULL);
  if (access (copy, F_OK) == 0)
    return look_at_copy (folder);
  if (flg_folder_is_experiment (folder))
    return look_at_store (folder, access (ini, F_OK) == 0);
  if (access (folder, R_OK | X_OK) != 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("you may not look into it"));
  FlgProof *proof =
      flg_proof_new (FLG_VERDICT_BAD, _ ("no experiment is here: expected a folder with %s or %s"),
                     FL_STORE_FILE, FL_DATABASE_FILE);
  proof->found = g_object_new (G_TYPE_OBJECT, NULL);
  g_object_set_data_full (proof->found, "folder", g_strdup (folder), g_free);
  g_object_set_data (proof->found, "new", GINT_TO_POINTER (1));
  return proof;
}
