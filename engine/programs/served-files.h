/* served-files.h: which files a server of views may read, and whether one is still as it was.
 * Thread: any. */
#pragma once

#include <sys/types.h>
#include <time.h>

#include <glib.h>

/* `path` without symbolic links, if it lies below one of `roots` (themselves such paths; NULL: everything). */
char *fl_served_path (char **roots, const char *path, GError **error);
/* Of FILE or FILE:/dataset; *dataset is ":/dataset" or "", in `text`. */
char *fl_served_path_with_dataset (char **roots, const char *text, const char **dataset, GError **error);
/* The same as one text again. */
char *fl_served_dataset (char **roots, const char *text, GError **error);
/* The folders that are served, as `roots` above. */
char **fl_served_roots (char **asked, GError **error);

/* A file as it was when it was looked at last. */
typedef struct
{
  char *path; /* the caller's */
  struct timespec changed;
  off_t size;
  ino_t inode;
} FlSeenFile;

gboolean fl_seen_file_look (FlSeenFile *seen); /* FALSE: it is not there, and *seen is as before */
gboolean fl_seen_file_is_unchanged (const FlSeenFile *seen);
