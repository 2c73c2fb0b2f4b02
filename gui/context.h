/* context.h: what a page is given instead of globals: the experiment, the link to images and logs, and how they are
 * doing. Made by the application, passed down; a test makes its own. Thread: main. */
#pragma once

#include "engine/view/client.h"
#include "gui/display-profile.h"
#include "gui/experiment.h"
#include "gui/finding-model.h"
#include "gui/follow.h"
#include "gui/links.h"

#define FLG_TYPE_CONTEXT (flg_context_get_type ())
G_DECLARE_FINAL_TYPE (FlgContext, flg_context, FLG, CONTEXT, GObject)

/* Takes references. `view` may be NULL: no images and logs then. */
FlgContext *flg_context_new (FlgExperiment *experiment, FlViewClient *view, const FlgDisplayProfile *profile);
FlgExperiment *flg_context_experiment (FlgContext *self);
FlViewClient *flg_context_view (FlgContext *self);
/* The logins at far sites; made when first asked for. */
FlgLinks *flg_context_links (FlgContext *self);
/* What is broken, and what of it has been acknowledged. */
FlgFindingModel *flg_context_findings (FlgContext *self);
/* Who is asked for images, logs and tables that lie at a site: of an "ssh" site a client of its own, whose child is lent
 * by the conductor's login; of others (and 0) the one above. NULL when there is none. Borrowed; stays. A store that is a copy
 * has one client for everything. */
FlViewClient *flg_context_view_for_site (FlgContext *self, gint64 site);
FlViewClient *flg_context_view_for_job (FlgContext *self, const FlJob *job);
/* The beginning of a command that runs another one at that site, over the conductor's login; NULL: it is this machine. Free it. */
GStrv flg_context_channel (FlgContext *self, gint64 site);
/* Who keeps the experiment's copy up, if it is one and somebody does; NULL. A reference is taken. */
void flg_context_set_follow (FlgContext *self, FlgFollow *follow);
FlgFollow *flg_context_follow (FlgContext *self);
/* Ends the store's thread and the serve child. */
void flg_context_close (FlgContext *self);

/* Writes on behalf of the person at the screen: runs `func` in the store's thread, in one transaction that leaves edits
 * behind (people.h of the store), and asks for news. The callback gets the error, if any, through
 * flg_context_write_finish(): FL_ERROR_DENIED, FL_ERROR_CONFLICT, FL_ERROR_LOST … */
void flg_context_write (FlgContext *self, FlgStoreFunc func, gpointer data, GDestroyNotify free_data,
                        GAsyncReadyCallback callback, gpointer user_data);
gboolean flg_context_write_finish (FlgContext *self, GAsyncResult *result, GError **error);
