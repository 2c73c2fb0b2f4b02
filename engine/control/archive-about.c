/* archive.ini: what an archive says of itself. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/archive-private.h"

#define GROUP  "archive"
#define FORMAT 1

static const struct
{
  const char *key;
  gsize offset;
} texts[] = {
  { "experiment", G_STRUCT_OFFSET (FlArchive, experiment) },
  { "source", G_STRUCT_OFFSET (FlArchive, source) },
  { "by", G_STRUCT_OFFSET (FlArchive, by) },
  { "host", G_STRUCT_OFFSET (FlArchive, host) },
}, numbers[] = {
  { "schema", G_STRUCT_OFFSET (FlArchive, schema) },     { "runs", G_STRUCT_OFFSET (FlArchive, runs) },
  { "shots", G_STRUCT_OFFSET (FlArchive, shots) },       { "jobs", G_STRUCT_OFFSET (FlArchive, jobs) },
  { "datasets", G_STRUCT_OFFSET (FlArchive, datasets) }, { "files", G_STRUCT_OFFSET (FlArchive, files) },
  { "bytes", G_STRUCT_OFFSET (FlArchive, bytes) },       { "running", G_STRUCT_OFFSET (FlArchive, running) },
}, lists[] = {
  { "referenced", G_STRUCT_OFFSET (FlArchive, referenced) },
  { "missing", G_STRUCT_OFFSET (FlArchive, missing) },
  { "places", G_STRUCT_OFFSET (FlArchive, places) },
};

void
fl_archive_free (FlArchive *archive)
{
  if (archive == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (G_STRUCT_MEMBER (char *, archive, texts[i].offset));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_strfreev (G_STRUCT_MEMBER (char **, archive, lists[i].offset));
  g_free (archive->folder);
  g_free (archive);
}

char *
fl_archive_write (const FlArchive *archive)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GDateTime) made = g_date_time_new_from_unix_utc ((gint64) (archive->made / FL_NS_PER_S));
  g_autofree char *when = g_date_time_format_iso8601 (made);
  g_key_file_set_integer (file, GROUP, "format", FORMAT);
  g_key_file_set_string (file, GROUP, "made", when);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_key_file_set_string (file, GROUP, texts[i].key, G_STRUCT_MEMBER (char *, archive, texts[i].offset));
  g_key_file_set_boolean (file, GROUP, "live", archive->live);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_key_file_set_int64 (file, GROUP, numbers[i].key, G_STRUCT_MEMBER (gint64, archive, numbers[i].offset));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      char **list = G_STRUCT_MEMBER (char **, archive, lists[i].offset);
      g_key_file_set_string_list (file, GROUP, lists[i].key, (const char *const *) list,
                                  g_strv_length (list));
    }
  return g_key_file_to_data (file, NULL, NULL);
}

/* Anything may stand in it: what is missing is empty, and a path that leads out of the archive is no place. */
static void
take (FlArchive *archive, GKeyFile *file)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      char *text = g_key_file_get_string (file, GROUP, texts[i].key, NULL);
      G_STRUCT_MEMBER (char *, archive, texts[i].offset) = text != NULL ? text : g_strdup ("");
    }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    G_STRUCT_MEMBER (gint64, archive, numbers[i].offset) =
        g_key_file_get_int64 (file, GROUP, numbers[i].key, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      char **list = g_key_file_get_string_list (file, GROUP, lists[i].key, NULL, NULL);
      G_STRUCT_MEMBER (char **, archive, lists[i].offset) = list != NULL ? list : g_new0 (char *, 1);
    }
  /* These are for people; the others are paths. */
  fl_one_line (archive->experiment, '?');
  fl_one_line (archive->by, '?');
  fl_one_line (archive->host, '?');
  for (char **line = archive->referenced; *line != NULL; line++)
    fl_one_line (*line, '?');
  for (char **line = archive->missing; *line != NULL; line++)
    fl_one_line (*line, '?');
  archive->live = g_key_file_get_boolean (file, GROUP, "live", NULL);
  g_autofree char *when = g_key_file_get_string (file, GROUP, "made", NULL);
  g_autoptr (GDateTime) made = when != NULL ? g_date_time_new_from_iso8601 (when, NULL) : NULL;
  if (made != NULL)
    archive->made = (guint64) MAX (g_date_time_to_unix (made), 0) * FL_NS_PER_S;
}

FlArchive *
fl_archive_read (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, FL_ARCHIVE_FILE, NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &why))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, why->message);
      return NULL;
    }
  int format = g_key_file_get_integer (file, GROUP, "format", NULL);
  if (format != FORMAT)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "%s: format %d, this program knows %d", path,
                   format, FORMAT);
      return NULL;
    }
  FlArchive *archive = g_new0 (FlArchive, 1);
  archive->folder = g_canonicalize_filename (folder, NULL);
  take (archive, file);
  return archive;
}

gboolean
fl_path_is_within (const char *path, const char *folder)
{
  gsize length = strlen (folder);
  if (length == 1 && *folder == '/')
    return *path == '/';
  return strncmp (path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

char *
fl_archive_place (const FlArchive *archive, const char *path)
{
  gsize longest = 0;
  const char *to = NULL;
  for (char **pair = archive->places; pair[0] != NULL && pair[1] != NULL; pair += 2)
    if (strlen (pair[0]) > longest && fl_path_is_within (path, pair[0])
        && (strcmp (pair[1], ".") == 0 || fl_archive_path_is_safe (pair[1])))
      {
        longest = strlen (pair[0]);
        to = pair[1];
      }
  if (to == NULL)
    return NULL;
  g_autofree char *there = g_canonicalize_filename (to, archive->folder);
  while (path[longest] == '/')
    longest++;
  return path[longest] != '\0' ? g_canonicalize_filename (path + longest, there) : g_steal_pointer (&there);
}
