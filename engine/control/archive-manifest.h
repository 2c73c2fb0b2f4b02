/* archive-manifest.h: the list of an archive's files. Lines as of sha256sum, each after a comment with the size; the last
 * line sums up those before it, so that a byte changed in the list itself is known as that. Thread: one at a time. */
#pragma once

#include <glib.h>

typedef struct
{
  char *path; /* in the archive, with '/' */
  char sha256[65];
  gint64 size;
  gboolean seen; /* for those who check */
} FlArchiveFile;

/* Frees its members. */
GPtrArray *fl_archive_files_new (void);
FlArchiveFile *fl_archive_files_add (GPtrArray *files, const char *path, const char *sha256, gint64 size);
void fl_archive_files_sort (GPtrArray *files);
/* Of a sorted list. NULL: not in it. */
FlArchiveFile *fl_archive_files_find (GPtrArray *files, const char *path);

char *fl_archive_manifest_write (GPtrArray *files);
/* Sorted. FL_ERROR_INPUT for anything that is not such a list, unsafe paths included. `name` begins the message. */
GPtrArray *fl_archive_manifest_read (const char *text, gsize length, const char *name, GError **error);

/* Relative, without "..", "." and empty parts, control characters allowed. */
gboolean fl_archive_path_is_safe (const char *path);
