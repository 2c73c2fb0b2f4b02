/* Where an experiment is: database.ini, follow.ini, archive.ini and the list of an archive's files, an address of a database.
 * The first byte says which. */

#include "engine/control/archive-private.h"
#include "engine/store/database.h"
#include "engine/store/mirror.h"
#include "tests/fuzz/fuzz-file.h"

static void
read_folder (const char *name, const guint8 *data, gsize size)
{
  g_autofree char *path = fuzz_named (name, NULL, 0, data, size), *folder = g_path_get_dirname (path),
                  *store = NULL;
  g_autoptr (GError) error = NULL, of_database = NULL, of_archive = NULL;
  g_strfreev (fl_mirror_read_origin (folder, &store, &error));
  g_autoptr (FlDatabase) database = fl_database_find (folder, FALSE, &of_database);
  g_assert_true ((database != NULL) == (of_database == NULL));
  g_autoptr (FlArchive) archive = fl_archive_read (folder, &of_archive);
  if (archive != NULL)
    g_free (fl_archive_place (archive, "/data/runs/r0001/x"));
  unlink (path);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const names[] = { FL_DATABASE_FILE, FL_MIRROR_FILE, "archive.ini" };
  if (size == 0)
    return 0;
  guint which = *data++ % 5;
  g_autofree char *text = g_strndup ((const char *) data, --size);
  g_autoptr (GError) error = NULL;
  if (which < 3)
    read_folder (names[which], data, size);
  else if (which == 3)
    {
      g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1),
                      *list = g_strconcat (text, "# sum of the lines above: ", sum, "\n", NULL);
      g_autoptr (GPtrArray) files = fl_archive_manifest_read (list, strlen (list), "MANIFEST", &error);
      fuzz_error (files != NULL, error, "MANIFEST");
    }
  else
    {
      g_autoptr (FlDatabase) database = fl_database_parse (text, "/tmp", &error);
      g_assert_true ((database != NULL) == (error == NULL));
      g_free (database != NULL ? fl_database_url (database) : NULL);
    }
  return 0;
}
