/* host.h: a machine on which commands run and files lie, this one or another, behind one interface.
 *
 * Every call may wait (for a disk, for a network) and may be made from any thread but a main loop's; several at a time are
 * fine. Paths are absolute. What comes from the machine is untrusted: sizes are bounded, names may hold any byte but '/'.
 * Errors: FL_ERROR_MISSING (no such file, no such program), FL_ERROR_BUSY (the connection is lost or slow to answer: the same
 * may succeed later; whether a command has run is then not known), FL_ERROR_INPUT (refused by the machine), FL_ERROR_STOPPED
 * (cancelled), FL_ERROR_FAILED. */
#pragma once

#include <gio/gio.h>

typedef struct FlHost FlHost;

FlHost *fl_host_ref (FlHost *host);
void fl_host_unref (FlHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlHost, fl_host_unref)

/* This machine. */
FlHost *fl_host_new_local (void);
/* "this machine" or "ana@cori.example.org": for messages. */
const char *fl_host_name (FlHost *host);

/* --- commands --- */

#define FL_HOST_MOST_OUTPUT (32u << 20) /* of each of the two streams; more is dropped and `truncated` set */

typedef struct
{
  int status;        /* exit status; 128 + n: ended by signal n; -1: not known */
  GBytes *out, *err; /* never NULL */
  gboolean truncated;
} FlHostOutput;

void fl_host_output_clear (FlHostOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlHostOutput, fl_host_output_clear)

/* Runs argv (each argument quoted for the far shell; no shell of its own here) and waits, at most `timeout_s`, for its end. The
 * login shell's greeting is not in `out`. `input` may be NULL. FALSE only when it could not be run or its end is not known: a
 * status other than 0 is the caller's. */
gboolean fl_host_run (FlHost *host, const char *const *argv, GBytes *input, guint timeout_s,
                      GCancellable *cancellable, FlHostOutput *output, GError **error);

/* Starts argv and hands back a socket that is its standard input and output; closing it ends the command. What it says on
 * standard error goes to `errors` line by line (any thread; may be NULL). For programs that talk: `firstlight-control serve`. */
typedef void (*FlHostLine) (const char *line, gpointer data);
int fl_host_open (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error);

/* --- files --- */

typedef struct
{
  char *name; /* without its folder */
  guint64 size;
  guint64 modified; /* ns UTC (whole seconds over SFTP) */
  guint32 mode;     /* permissions and type, as of stat(2) */
} FlHostEntry;

void fl_host_entry_free (FlHostEntry *entry);

/* GPtrArray of FlHostEntry sorted by name, without "." and "..", links followed where they lead somewhere. */
GPtrArray *fl_host_list (FlHost *host, const char *folder, GError **error);
/* Free with fl_host_entry_free; NULL with FL_ERROR_MISSING. */
FlHostEntry *fl_host_stat (FlHost *host, const char *path, GError **error);

/* A part of a file. `offset` < 0: so many bytes before its end. *size (may be NULL): of the whole file now. */
GBytes *fl_host_read (FlHost *host, const char *path, gint64 offset, gsize most, guint64 *size,
                      GError **error);

/* Many parts of many files with as few round trips as one: each answers for itself. */
typedef struct
{
  const char *path;
  gint64 offset;
  gsize most;
  GBytes *bytes; /* out: NULL with `error` */
  guint64 size;  /* out */
  GError *error; /* out; FL_ERROR_MISSING: no such file */
} FlHostPart;

void fl_host_part_clear (FlHostPart *part);
/* FALSE when the connection was lost: no part is filled then. */
gboolean fl_host_read_parts (FlHost *host, FlHostPart *parts, guint n, GError **error);

/* Writes beside and renames: the file is there whole or not at all. Makes no folders. */
gboolean fl_host_write (FlHost *host, const char *path, gconstpointer data, gsize length, guint32 mode,
                        GError **error);
/* Copies a file of this machine there; `progress` (any thread; may be NULL). */
typedef void (*FlHostProgress) (guint64 done, guint64 whole, gpointer data);
gboolean fl_host_put (FlHost *host, const char *local_path, const char *path, guint32 mode,
                      GCancellable *cancellable, FlHostProgress progress, gpointer data, GError **error);
/* With its parents; there already is no error. */
gboolean fl_host_make_folder (FlHost *host, const char *path, GError **error);
gboolean fl_host_remove (FlHost *host, const char *path,
                         GError **error); /* a file; gone already is no error */
