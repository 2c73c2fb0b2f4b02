/* archive-folder.h: a beamtime closed into one folder, or one tar file of that folder, that opens anywhere (design §1.3).
 *
 *     archive.ini          of what, made when and by what, how much, what is only referred to; where things were
 *     MANIFEST             every file: SHA-256 and size; `sha256sum -c MANIFEST` reads it, too
 *     firstlight.sqlite    the store, whatever database it was in; its roots lie in the archive as far as they were copied
 *     jobs/ …              what lay in the experiment's folder: results, scripts, logs, parameters, geometry, masks
 *     roots/NAME/          jobs' folders (and raw data) that lay under roots elsewhere
 *     inputs/              files elsewhere that parameters name
 *
 * Never changed once it is made: fl_store_open() refuses to write in it, and its database needs no files beside it to be
 * read. Journals are left out once they are in the store. Raw data are left out or copied, as asked; a root of which nothing
 * was copied keeps its old, absolute path, so that images are found where that disk is there.
 *
 * Thread: any (may wait for disks, for hours). Errors: FL_ERROR_INPUT, _MISSING, _BUSY (the conductor is at work, or
 * somebody is making the same archive), _FAILED. */
#pragma once

#include "engine/store/seal.h"

#define FL_ARCHIVE_MANIFEST "MANIFEST"

/* --- what one says of itself --- */

typedef struct
{
  char *experiment, *source;                        /* its name; the folder that it was */
  char *by, *host;                                  /* program and version; machine */
  guint64 made;                                     /* ns UTC, to the second */
  gint64 schema;                                    /* version of its store */
  gboolean live;                                    /* it was made while the conductor was at work */
  gint64 runs, shots, jobs, datasets, files, bytes; /* bytes: of all files but MANIFEST and archive.ini */
  gint64 running;                                   /* attempts that had not ended */
  char **referenced;                                /* "raw images: /data/xyz" …: what is not in it */
  char **missing;                                   /* what could not be read, and why */
  char *folder;                                     /* where it is now, absolute */
  char **places; /* pairs: absolute path then, path in the archive; the longest that fits counts */
} FlArchive;

void fl_archive_free (FlArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlArchive, fl_archive_free)

/* NULL without error: the folder is no archive. */
FlArchive *fl_archive_read (const char *folder, GError **error);
/* Where that which was at `path` (absolute, then) is now. Absolute; NULL: it is not in the archive. Free it. */
char *fl_archive_place (const FlArchive *archive, const char *path);

/* --- making --- */

typedef struct
{
  const char *experiment; /* as for fl_store_open() */
  const char *to;         /* a folder that is not there yet; "….tar": a file */
  gboolean raw;           /* raw data, too */
  gboolean no_results;    /* jobs' folders are only referred to */
  gboolean journals;      /* those that are in the store, too */
  gboolean live;          /* although the conductor is at work */
  gboolean partial;       /* although something cannot be read */
} FlArchiveWish;

/* `done` of `all` bytes; now and then. */
typedef void (*FlArchiveFunc) (const char *what, gint64 done, gint64 all, gpointer data);

/* Under a name of its own beside `to` until it is whole; one that was killed is begun anew. What could not be read is in
 * `missing` (char *, the caller's array); FL_ERROR_MISSING then, unless `partial`. */
gboolean fl_archive_make (const FlArchiveWish *wish, GPtrArray *missing, FlArchiveFunc func, gpointer data,
                          GError **error);

/* --- checking --- */

/* Every file of a folder or tar file against its manifest. What is wrong is added to `faults` (char *: "jobs/x: 12 bytes,
 * expected 13"). FALSE only when it cannot be checked at all. */
gboolean fl_archive_verify (const char *path, GPtrArray *faults, FlArchiveFunc func, gpointer data,
                            GError **error);
/* A tar file into a folder that is not there yet. Nothing is left behind unless all of it is as its manifest says. */
gboolean fl_archive_unpack (const char *file, const char *to, FlArchiveFunc func, gpointer data,
                            GError **error);
