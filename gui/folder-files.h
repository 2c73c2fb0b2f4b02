/* folder-files.h: the image files of a run's folder (or the run's own file), listed without waiting. Thread: main. */
#pragma once

#include <gio/gio.h>

/* GPtrArray of absolute paths, sorted by name as people count; NULL with error. Valid during the call. */
typedef void (*FlgFolderFilesFunc) (GPtrArray *files, const GError *error, gpointer data);

/* `func` is called exactly once, later. */
void flg_folder_files (const char *path, FlgFolderFilesFunc func, gpointer data);
