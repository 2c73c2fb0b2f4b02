/* move.h: an experiment's records from its folder's SQLite file to a server and back (copy.h), with the folder told.
 *
 * While it goes on nobody else can write. Killed at any moment, the folder names either the old database, unchanged, or the
 * new one, whole; what had the old one open cannot write there any more once the new one is in force. The old one is kept
 * as it was: the file under another name, a server's database where it is.
 * Thread: any; may take minutes. */
#pragma once

#include "engine/store/copy.h"

typedef struct
{
  char *from, *to;   /* as shown to people */
  char *kept;        /* what the old one is now */
  char *fingerprint; /* of both */
} FlMoved;

void fl_moved_free (FlMoved *moved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMoved, fl_moved_free)

/* Whether somebody who holds the conductor's lease is no more (engine/control knows processes). */
typedef gboolean (*FlGoneFunc) (const char *holder);

/* `to`: a server's database, or NULL: the folder's own file. FL_ERROR_BUSY while `lease` is held by somebody (of whom `gone`
 * does not say otherwise), FL_ERROR_INPUT when the folder is a window on somebody else's experiment, when the records are
 * there already, or when `to` holds another experiment. NULL with error: the old one is in force. */
FlMoved *fl_store_move (const char *folder, const FlDatabase *to, const char *lease, FlGoneFunc gone,
                        FlCopyFunc func, gpointer data, GError **error);
