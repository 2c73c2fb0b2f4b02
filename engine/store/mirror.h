/* mirror.h: a collaborator's own copy of a store at the far end of a link, kept up by batches of changes (feed.h), so that
 * every page works on it unchanged, read-only, and later without the link.
 *
 * FOLDER/firstlight.sqlite is a store of the same schema: open it with FL_STORE_READ_ONLY like any other. Where it is in
 * the far store it knows from what it holds; a batch is one transaction, the same one twice does no harm, and a mirror that
 * was killed goes on. Paths stay those of the far end (relative roots become absolute there): pictures, spots and logs are
 * asked of a view child at the far end.
 *
 * FOLDER/follow.ini says how, and that this is a mirror:
 *
 *     [follow]
 *     command=ssh;beamline;firstlight-control;serve;
 *     store=/data/experiment
 *
 * `command` (a GKeyFile string list, so ';' inside a word is written "\;") is the program and its arguments that speaks
 * `serve` on its standard input and output: give it to fl_view_client_new() and call fl_view_client_set_far(). `store` is
 * the far store's folder. `firstlight-control follow --into FOLDER --store STORE -- COMMAND…` writes it and keeps
 * the mirror up to date; whoever opens FOLDER need not run it (the mirror then is as old as it was left).
 *
 * Thread: as a store's. Errors: as a store's, FL_ERROR_UNSUPPORTED for another schema at the far end, FL_ERROR_INPUT for
 * a batch that is damaged or of another experiment, and for a folder that holds an experiment of its own. */
#pragma once

#include <glib.h>

#define FL_MIRROR_FILE "follow.ini"

/* --- where it comes from --- */

gboolean fl_mirror_write_origin (const char *folder, const char *const *command, const char *store,
                                 GError **error);
/* The command (g_strfreev), and *store (g_free). NULL without error: the folder is no mirror. */
char **fl_mirror_read_origin (const char *folder, char **store, GError **error);

/* When the copy was last known to be whole (ns UTC): the time of change of its follow.ini, which is set whenever the far
 * end has said that there is nothing new. 0: the folder is no mirror. */
guint64 fl_mirror_whole_at (const char *folder);
void fl_mirror_set_whole (const char *folder);

/* --- the copy --- */

typedef struct FlMirror FlMirror;

/* What a batch brought. */
typedef struct
{
  guint64 records, slices; /* rows that are new or changed, removals included */
  gboolean more;           /* there is more already */
} FlMirrorNews;

/* Makes it when there is none. */
FlMirror *fl_mirror_open (const char *folder, GError **error);
void fl_mirror_close (FlMirror *mirror);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMirror, fl_mirror_close)

/* Where it is, to be sent along when the next batch is asked for. */
GBytes *fl_mirror_position (FlMirror *mirror, GError **error);
gboolean fl_mirror_apply (FlMirror *mirror, GBytes *batch, FlMirrorNews *news, GError **error);
