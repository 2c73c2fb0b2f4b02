/* archive-private.h: what the files of archives share. */
#pragma once

#include "engine/control/archive-manifest.h"
#include "engine/control/archive-folder.h"

/* Text of archive.ini. */
char *fl_archive_write (const FlArchive *archive);
gboolean fl_path_is_within (const char *path, const char *folder);

/* --- what is to be in it (archive-plan.c) --- */

typedef struct
{
  char *path, *source; /* in the archive; absolute */
  gint64 size;         /* when it was looked at */
} FlArchiveEntry;

typedef struct
{
  const FlArchiveWish *wish;
  char *base;                               /* the experiment's folder */
  GPtrArray *roots;                         /* FlRoot */
  GPtrArray *entries;                       /* FlArchiveEntry, by path */
  GHashTable *taken;                        /* path in the archive -> entry */
  GHashTable *skipped;                      /* absolute folders and files: not walked into */
  GHashTable *settled;                      /* absolute folders of attempts whose journals are in the store */
  GHashTable *used;                         /* names of roots of which something is copied */
  GPtrArray *referenced, *missing, *places; /* as in FlArchive */
  gint64 bytes, running;
} FlArchivePlan;

/* `store`: a copy of that of the experiment in `base`. */
FlArchivePlan *fl_archive_plan (FlStore *store, const char *base, const FlArchiveWish *wish, GError **error);
void fl_archive_plan_free (FlArchivePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlArchivePlan, fl_archive_plan_free)
/* Where a root lies as seen from the archive's folder. Free it. */
char *fl_archive_plan_root (const FlArchivePlan *plan, const FlRoot *root);
void fl_archive_plan_add (FlArchivePlan *plan, const char *source, const char *path, gint64 size);
/* Where what lies there is to be. NULL: it is of no root. */
char *fl_archive_plan_path (const FlArchivePlan *plan, const char *source);
/* Files that parameters name (archive-inputs.c). */
gboolean fl_archive_plan_inputs (FlArchivePlan *plan, FlStore *store, GError **error);

/* --- where it is made (archive-work.c) --- */

typedef struct
{
  char *to, *folder; /* absolute: what is to be, and where it is made until then */
  int lock;
} FlArchivePlace;

/* FL_ERROR_INPUT when `to` is there already, FL_ERROR_BUSY when somebody else makes it now. What is left of one that was
 * killed is removed. */
FlArchivePlace *fl_archive_place_begin (const char *to, GError **error);
/* `made` (in the folder) becomes `to`. */
gboolean fl_archive_place_finish (FlArchivePlace *place, const char *made, GError **error);
/* Removes the folder. */
void fl_archive_place_end (FlArchivePlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlArchivePlace, fl_archive_place_end)
gboolean fl_archive_has_room (const char *folder, gint64 bytes, GError **error);

/* --- bytes (archive-files.c) --- */

/* Progress, and what several threads share. */
typedef struct
{
  GMutex lock;
  GCond ended;
  gint64 done, all; /* bytes */
  guint waiting;    /* items */
  const char *what;
  FlArchiveFunc func;
  gpointer data;
} FlArchiveWork;

void fl_archive_work_init (FlArchiveWork *work, const char *what, gint64 all, FlArchiveFunc func,
                           gpointer data);
void fl_archive_work_clear (FlArchiveWork *work);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlArchiveWork, fl_archive_work_clear)
void fl_archive_work_add (FlArchiveWork *work, gint64 bytes);
/* `func (item, data)` for every item, in some threads; returns when all are done. */
void fl_archive_work_each (FlArchiveWork *work, GPtrArray *items, GFunc func, gpointer data);

/* Reads `source` to its end: SHA-256 and bytes of it, and, where `to` is not NULL, a copy there, which keeps the time of
 * change (folders are made; a file there is FL_ERROR_INPUT). */
gboolean fl_archive_take_file (FlArchiveWork *work, const char *source, const char *to, char sha256[65],
                               gint64 *size, GError **error);
gboolean fl_archive_make_parent (const char *path, GError **error);

/* --- tar files (archive-tar.c) --- */

typedef struct FlArchiveTar FlArchiveTar;

/* Members are under one folder, `name`. `odd_names`: some are not ASCII. */
FlArchiveTar *fl_archive_tar_new (const char *path, const char *name, gboolean odd_names, GError **error);
gboolean fl_archive_tar_add (FlArchiveTar *tar, FlArchiveWork *work, const char *source, const char *path,
                             char sha256[65], gint64 *size, GError **error);
gboolean fl_archive_tar_add_text (FlArchiveTar *tar, const char *path, const char *text, gsize length,
                                  guint64 made, GError **error);
gboolean fl_archive_tar_close (FlArchiveTar *tar, GError **error);
void fl_archive_tar_free (FlArchiveTar *tar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlArchiveTar, fl_archive_tar_free)

/* All that is in it; into the folder `to` unless NULL. `found`: as of fl_archive_files_new(). *manifest: text of its own
 * MANIFEST, NULL when there is none. FL_ERROR_INPUT for what no archive holds: links, devices, paths that lead out of it, a
 * file twice. */
gboolean fl_archive_tar_read (const char *path, const char *to, FlArchiveWork *work, GPtrArray *found,
                              char **manifest, gsize *length, GError **error);

/* What differs, as lines. `found` becomes sorted. */
void fl_archive_compare (GPtrArray *files, GPtrArray *found, GPtrArray *faults);
