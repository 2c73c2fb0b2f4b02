/* folder-files.h: the image files of a run's folder (or the run's own file), listed without waiting. Thread: main. */
#pragma once

#include <gio/gio.h>

/* GPtrArray of absolute paths, sorted by name as people count; NULL with error. Valid during the call. */
typedef void (*FlgFolderFilesFunc) (GPtrArray *files, const GError *error, gpointer data);

/* `channel` NULL: on this machine; else what a command there begins with (flg_context_channel()). `func` is called exactly
 * once, later. */
void flg_folder_files (const char *path, const char *const *channel, FlgFolderFilesFunc func, gpointer data);
