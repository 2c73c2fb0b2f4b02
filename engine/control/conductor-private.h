/* conductor-private.h: what the conductor's files share: conductor.c (lease, rounds), jobs.c (which jobs begin, stop, go on),
 * requests.c (what the sites are asked), attempts.c (how attempts end). */
#pragma once

#include "engine/control/conductor.h"
#include "engine/control/finder.h"
#include "engine/control/site.h"
#include "engine/store/ingest.h"

/* An attempt that is not over. */
typedef struct
{
  gint64 attempt, job;
  gint64 site;
  FlSubmission *submission;
  FlIngest *ingest;
  int ranks;
  gboolean busy;       /* a request of its own waits for its answer */
  gboolean submitted;  /* the site knows it, as far as we have heard */
  guint submissions;   /* by this conductor */
  gint64 submit_again; /* monotonic µs: until then it may be on its way */
  gboolean withdrawn;  /* it was given up waiting for */
  guint64 stop_asked;  /* ns UTC; 0 = nobody asked */
  gboolean counted;    /* the run has been told what its files hold */
} FlActive;

struct FlConductor
{
  FlStore *store;
  char *engine, *who;
  gint64 fencing;
  FlFinder *finder;
  GHashTable *links;  /* site's id -> FlSiteLink */
  GHashTable *active; /* attempt's id -> FlActive */
  gint64 revision;    /* of the store when we planned last */
  guint pending;
  gboolean polling;
  char *message; /* last said, so as not to repeat it */
  GError *error; /* met in an answer */
};

void fl_active_free (FlActive *active);

/* Takes in what the attempt has written since; tells its run what the files hold. */
gboolean fl_attempt_ingest (FlConductor *conductor, FlActive *active, GError **error);
/* Writes down that it runs. */
gboolean fl_attempt_note (FlConductor *conductor, const FlActive *active, const FlSiteStatus *status,
                          GError **error);
/* Writes down how it ended and what becomes of the job. */
gboolean fl_attempt_finish (FlConductor *conductor, FlActive *active, const FlSiteStatus *status,
                            GError **error);
/* It could not be started at all. */
gboolean fl_attempt_fail (FlConductor *conductor, const FlActive *active, const char *reason, GError **error);

/* --- requests.c --- */

/* The site, opened once; NULL with error. */
FlSiteLink *fl_conductor_link (FlConductor *conductor, gint64 site, GError **error);
/* From now on the attempt is submitted until its site knows it, and watched until it is over. */
gboolean fl_conductor_watch (FlConductor *conductor, const FlJob *job, const FlAttempt *attempt,
                             const char *key, const char *environment, int ranks, GError **error);
/* Takes in what attempts have written, submits what is not, asks about the others. */
gboolean fl_conductor_attend (FlConductor *conductor, GError **error);
/* Asks the attempt to save and stop; called again after a while, ends it. */
void fl_conductor_stop (FlConductor *conductor, FlActive *active);

/* --- jobs.c --- */

/* What people ask for: stop, retry. */
gboolean fl_conductor_grant_wishes (FlConductor *conductor, GPtrArray *jobs, GError **error);
/* Starts planned ones as far as there is room. */
gboolean fl_conductor_start_jobs (FlConductor *conductor, GPtrArray *jobs, GError **error);
