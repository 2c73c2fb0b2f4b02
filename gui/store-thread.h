/* store-thread.h: the one thread that owns the experiment's store.
 *
 * Everybody else sends requests, which are answered through GTask on the main loop, and hears what changed by the
 * "news" signal, about twice a second. The thread opens the store too; nothing on the main loop waits for a disk.
 * It says that this window is here, too, and while the database is lost it asks for it at growing intervals.
 * Results and records are immutable once handed over. Thread: main, except FlgStoreFunc, which runs in the thread. */
#pragma once

#include <gio/gio.h>

#include "engine/control/findings.h"
#include "engine/store/people.h"

/* Shots that the sliding hit rate of the header strip looks back on. */
#define FLG_RECENT_SHOTS 1000

/* What one poll brought. */
typedef struct
{
  GPtrArray *changes;  /* FlChange; the listener may steal records */
  GArray *jobs, *runs; /* FlJobStats that are new or have changed; those of a run carry its id in `run` */
  gboolean counted;    /* `overview` and the counts below are filled in */
  FlOverview overview;
  gint64 recent_shots, recent_hits, recent_indexed; /* of the newest trial, about the last FLG_RECENT_SHOTS */
  char *conductor;                                  /* who holds the "conductor" lease; NULL: nobody */
  FlRole role;                                      /* of the person at the screen */
  char *account;
  GPtrArray *present; /* FlPresence: who is here; NULL: not asked this time */
  gboolean back;      /* the store is well again: what could not be read can be asked for once more */
  GError *error;      /* not all could be asked for: what is filled in is good and won't come again */
  gboolean lost;      /* the database does not answer (FL_ERROR_LOST) … */
  gint64 retry;       /* … and is asked again then: monotonic µs */
} FlgNews;

/* Runs in the store's thread. A result that is not NULL, or NULL with `error` set. */
typedef gpointer (*FlgStoreFunc) (FlStore *store, gpointer data, GError **error);

#define FLG_TYPE_STORE_THREAD (flg_store_thread_get_type ())
G_DECLARE_FINAL_TYPE (FlgStoreThread, flg_store_thread, FLG, STORE_THREAD, GObject)

/* `where` as for fl_store_open(). Signals:
 *   opened (const GError *error, gboolean read_only): once; after an error nothing else follows
 *   news (FlgNews *)
 *   findings (GPtrArray * of FlFinding): what is broken, about every five seconds while anything arrives */
FlgStoreThread *flg_store_thread_new (const char *where, FlStoreMode mode, guint poll_ms);
/* No more signals; waits for the request in hand. */
void flg_store_thread_close (FlgStoreThread *self);
/* Of this window, among those who are present. */
const char *flg_store_thread_session (FlgStoreThread *self);
/* The page that is looked at, for the others. */
void flg_store_thread_look_at (FlgStoreThread *self, const char *page);
/* Asks for news now rather than at the next beat. */
void flg_store_thread_poll (FlgStoreThread *self);

void flg_store_thread_run_async (FlgStoreThread *self, FlgStoreFunc func, gpointer data,
                                 GDestroyNotify free_data, GDestroyNotify free_result,
                                 GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gpointer flg_store_thread_run_finish (FlgStoreThread *self, GAsyncResult *result, GError **error);
/* Whether a read that ended so is worth a word. Not: cancelled, closed, or the database is lost; the window says that, and who
 * listens to FlgNews.back asks again. */
gboolean flg_store_thread_is_told (const GError *error);
