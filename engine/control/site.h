/* site.h: a place where jobs run, behind one interface (design §8).
 *
 * A driver's functions may wait (for a disk, for a network): they run on the site's own thread, one after another. The
 * front below is asynchronous: the answer comes on the main context that was the thread-default of the asker. What a driver
 * must promise: an attempt that was submitted before is found, never started a second time, whatever was killed between and
 * whatever answer was lost.
 *
 * An attempt is known by (folder of its job, stem): script, process and exit files are FOLDER/STEM.*, for anybody to read.
 * At a far site `folder` is a path there, and `mirror` the same folder here, into which journals are pulled. */
#pragma once

#include <glib.h>

#include "engine/remote/host.h"
#include "engine/store/records.h"

typedef enum
{
  FL_SITE_UNKNOWN, /* no trace of it: not submitted, or not begun yet */
  FL_SITE_QUEUED,
  FL_SITE_RUNNING,
  FL_SITE_ENDED, /* exit_code and cause tell */
  FL_SITE_LOST   /* it ran, is gone, and left no exit status; or was withdrawn: remote_id is "" */
} FlSiteState;

/* Why it ended, where the site knows more than the exit status. */
typedef enum
{
  FL_CAUSE_NONE,
  FL_CAUSE_TIME_LIMIT, /* -> longer */
  FL_CAUSE_MEMORY,     /* -> fewer ranks a node */
  FL_CAUSE_NODE,       /* node failure, boot failure, a launch that failed: -> again */
  FL_CAUSE_PREEMPTED, /* -> again, unless the scheduler has requeued it (then it is QUEUED and this is its last cause) */
  FL_CAUSE_CANCELLED, /* by somebody else than us */
  FL_CAUSE_DISK, /* scratch is full: its journals say so, or its error output -> held back until there is room */
  FL_CAUSE_REFUSED, /* never starts: bad account, dependency, limit; the reason is in batch_reason. Of a QUEUED one: it waits for
                       what never comes; it is for somebody to cancel it */
  FL_CAUSE_LAST
} FlSiteCause;

const char *fl_site_cause_name (FlSiteCause cause); /* "", "time limit", "out of memory", "node failure", … */

/* A file that the job needs and that lies here: put there first, unless one of that size and content is there. */
typedef struct
{
  char *local, *far;
} FlUpload;

/* What to run. Strings owned. */
typedef struct
{
  gint64 attempt;
  char *folder, *stem;
  char *mirror;      /* of `folder`, here; the same where the site is this machine */
  char *key;         /* of the job, for people: "t3-b1-r0012-spots" */
  char *job_name;    /* for the scheduler: unique among all experiments and attempts: "fl-3f2a…-42" */
  char *program;     /* firstlight-engine there; "" = none of ours */
  char *arguments;   /* of it, quoted, one line */
  char *environment; /* shell lines before it */
  int number;
  int ranks;                                /* local: in all; Slurm: nodes × ranks_per_node */
  int nodes, ranks_per_node, gpus_per_rank; /* 0 = the site's */
  int minutes;                              /* 0 = the site's */
  GPtrArray *uploads;                       /* of FlUpload; may be NULL */
  const gint64 *
      until; /* µs of fl_process_clock(), atomic: not to be begun later, another may conduct by then; NULL: no limit */
} FlSubmission;

/* FALSE with FL_ERROR_BUSY: it is too late for it. Asked by drivers right before they begin it. */
gboolean fl_submission_is_in_time (const FlSubmission *submission, GError **error);

void fl_upload_free (FlUpload *upload);
FlSubmission *fl_submission_copy (const FlSubmission *submission);
void fl_submission_free (FlSubmission *submission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSubmission, fl_submission_free)

typedef struct
{
  gint64 attempt;
  FlSiteState state;
  FlSiteCause cause;
  int exit_code;          /* -1 = not known; 128 + n: ended by signal n */
  guint64 started, ended; /* ns UTC by the clock here, 0 = not yet */
  guint64 expected;       /* ns UTC: when the scheduler thinks that it begins; 0 = not known */
  int restarts;           /* how often the scheduler has requeued it */
  int n_nodes;
  char *remote_id, *nodes, *script; /* script: path there */
  char *batch_state, *batch_reason; /* the scheduler's words, made harmless; "" */
  char *out_tail, *err_tail;        /* of an ended one: the last bytes of what it printed, made valid UTF-8 */
} FlSiteStatus;

void fl_site_status_free (FlSiteStatus *status);

typedef struct
{
  int cores;                              /* local: that may be used; Slurm: of a node */
  int idle_nodes, busy_nodes, down_nodes; /* Slurm: of the partition; -1 = not known */
  int pending;   /* Slurm: jobs of all users that wait in the partition; -1 = not known */
  char *summary; /* one line */
} FlProbe;

void fl_probe_clear (FlProbe *probe);

typedef struct FlSiteDriver FlSiteDriver;

/* What a driver works with: valid during the call. `data` is the driver's own, of this link. */
typedef struct
{
  const FlSite *site;
  FlHost *host;
  gpointer data;
} FlSiteContext;

struct FlSiteDriver
{
  const char *kind;                                    /* FlSite.kind */
  gpointer (*open) (const FlSite *site, FlHost *host); /* may be NULL */
  void (*close) (gpointer data);
  gboolean (*probe) (const FlSiteContext *context, FlProbe *probe, GError **error);
  /* Finds them or starts them: one status each, in their order. Those of equal resources go in one submission where the
   * scheduler has arrays. An attempt that the site refuses is ENDED with FL_CAUSE_REFUSED; FALSE when nothing is known (the
   * connection): the same call is made again later. */
  gboolean (*submit) (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses,
                      GError **error);
  /* One answer for each, in their order; with two commands at most, however many they are. */
  gboolean (*poll) (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses,
                    GError **error);
  /* Asks it to save and stop; `hard`: ends it. One that has not begun is withdrawn: it never will, however late it is. */
  gboolean (*cancel) (const FlSiteContext *context, const FlSubmission *submission, gboolean hard,
                      GError **error);
};

const FlSiteDriver *fl_site_driver (const char *kind); /* NULL when there is none */
extern const FlSiteDriver fl_site_local;               /* processes of this machine */
extern const FlSiteDriver fl_site_slurm, fl_site_ssh;  /* Slurm, here or over a far host */

/* --- asynchronous front --- */

typedef struct FlSiteLink FlSiteLink;

/* `statuses`: GPtrArray of FlSiteStatus (one each for submit and poll, none for cancel), valid during the call; NULL with
 * error. FL_ERROR_BUSY: the connection; ask again. */
typedef void (*FlSiteReply) (GPtrArray *statuses, const GError *error, gpointer data);

/* Takes the record over and a reference of `host`. NULL with FL_ERROR_UNSUPPORTED when there is no driver of its kind. */
FlSiteLink *fl_site_link_new (FlSite *site, FlHost *host, GError **error);
/* Waits for what is under way; its replies are not delivered. */
void fl_site_link_free (FlSiteLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSiteLink, fl_site_link_free)

/* `probe` NULL with error; valid during the call. */
typedef void (*FlProbeReply) (const FlProbe *probe, const GError *error, gpointer data);
void fl_site_link_probe (FlSiteLink *link, FlProbeReply reply, gpointer data);
/* These take GPtrArray of FlSubmission (copies are made), `cancel` one. */
void fl_site_link_submit (FlSiteLink *link, GPtrArray *submissions, FlSiteReply reply, gpointer data);
void fl_site_link_poll (FlSiteLink *link, GPtrArray *submissions, FlSiteReply reply, gpointer data);
void fl_site_link_cancel (FlSiteLink *link, const FlSubmission *submission, gboolean hard, FlSiteReply reply,
                          gpointer data);

/* Brings what these attempts (GPtrArray of FlSubmission, copied) have written since into their mirrors: mirror.h. `bytes`: that
 * came; `message`: what went wrong with some of them, NULL: nothing. Nothing to do where a mirror is the folder itself. */
typedef void (*FlPullReply) (guint64 bytes, const char *message, const GError *error, gpointer data);
void fl_site_link_pull (FlSiteLink *link, GPtrArray *submissions, FlPullReply reply, gpointer data);

/* Any other work on the site's thread, in turn: `work` gets the context, its result goes to `reply` on the asker's context. */
typedef gpointer (*FlSiteWork) (const FlSiteContext *context, gpointer data, GError **error);
typedef void (*FlSiteWorked) (gpointer result, const GError *error, gpointer data);
void fl_site_link_work (FlSiteLink *link, FlSiteWork work, gpointer work_data, FlSiteWorked reply,
                        gpointer data);
