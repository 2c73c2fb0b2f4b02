/* site.h: a place where jobs run, behind one interface.
 *
 * A driver's functions may wait (for a disk, for a network): they run on the site's own thread, one after another. The
 * front below is asynchronous: the answer comes on the main context that was the thread-default of the asker. What a driver
 * must promise: an attempt that was submitted before is found, never started a second time, whatever was killed between.
 *
 * An attempt is known by (folder of its job, stem): script, process and exit files are FOLDER/STEM.*, for anybody to read. */
#pragma once

#include <glib.h>

#include "engine/store/records.h"

typedef enum
{
  FL_SITE_UNKNOWN, /* no trace of it: not submitted, or not begun yet */
  FL_SITE_QUEUED,
  FL_SITE_RUNNING,
  FL_SITE_ENDED, /* exit_code tells */
  FL_SITE_LOST   /* it ran, is gone, and left no exit status; or was withdrawn: remote_id is "" */
} FlSiteState;

/* What to run. Strings owned. */
typedef struct
{
  gint64 attempt;
  char *folder, *stem;
  char *key;         /* of the job, for people and for schedulers: "t3-b1-r0012-spots" */
  char *command;     /* one shell command, quoted */
  char *environment; /* shell lines before it */
  int number;
} FlSubmission;

void fl_submission_free (FlSubmission *submission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSubmission, fl_submission_free)

typedef struct
{
  gint64 attempt;
  FlSiteState state;
  int exit_code;          /* 128 + n: ended by signal n; -1: not known */
  guint64 started, ended; /* ns UTC */
  char *remote_id, *nodes, *script;
  char *out_tail, *err_tail; /* of an ended one: the last bytes of what it printed */
} FlSiteStatus;

void fl_site_status_free (FlSiteStatus *status);

typedef struct
{
  int cores;     /* that may be used */
  char *summary; /* one line */
} FlProbe;

typedef struct
{
  const char *kind; /* FlSite.kind */
  gboolean (*probe) (const FlSite *site, FlProbe *probe, GError **error);
  /* Finds it or starts it. */
  FlSiteStatus *(*submit) (const FlSite *site, const FlSubmission *submission, GError **error);
  /* One answer for each, in their order; NULL entries never. */
  gboolean (*poll) (const FlSite *site, GPtrArray *submissions, GPtrArray *statuses, GError **error);
  /* Asks it to save and stop; `hard`: ends it. One that has not begun is withdrawn: it never will, however late it is. */
  gboolean (*cancel) (const FlSite *site, const FlSubmission *submission, gboolean hard, GError **error);
} FlSiteDriver;

const FlSiteDriver *fl_site_driver (const char *kind); /* NULL when there is none */
extern const FlSiteDriver fl_site_local;

/* --- asynchronous front --- */

typedef struct FlSiteLink FlSiteLink;

/* `statuses`: GPtrArray of FlSiteStatus (one for submit, one each for poll, none for cancel), valid during the call;
 * NULL with error. */
typedef void (*FlSiteReply) (GPtrArray *statuses, const GError *error, gpointer data);

/* Takes the record over. NULL with FL_ERROR_UNSUPPORTED when there is no driver of its kind. */
FlSiteLink *fl_site_link_new (FlSite *site, GError **error);
const FlSite *fl_site_link_site (FlSiteLink *link);
/* Waits for what is under way; its replies are not delivered. */
void fl_site_link_free (FlSiteLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSiteLink, fl_site_link_free)

gboolean fl_site_link_probe (FlSiteLink *link, FlProbe *probe, GError **error); /* waits */
/* These take `submission` (a copy is made), and GPtrArray of FlSubmission (likewise). */
void fl_site_link_submit (FlSiteLink *link, const FlSubmission *submission, FlSiteReply reply, gpointer data);
void fl_site_link_poll (FlSiteLink *link, GPtrArray *submissions, FlSiteReply reply, gpointer data);
void fl_site_link_cancel (FlSiteLink *link, const FlSubmission *submission, gboolean hard, FlSiteReply reply,
                          gpointer data);
