/* conductor-private.h: what the conductor's files share: conductor.c (lease, rounds), places.c (sites, their connections and
 * where runs are looked for), jobs.c (which jobs begin, stop, go on), datasets.c (what datasets want), requests.c (what the
 * sites are asked), attempts.c (how attempts end), listen.c and probes.c (what
 * control rooms ask through the socket). */
#pragma once

#include "engine/control/conductor.h"
#include "engine/control/control-socket-server.h"
#include "engine/control/finder.h"
#include "engine/control/plan.h"
#include "engine/control/site.h"
#include "engine/control/worker.h"
#include "engine/store/ingest.h"

/* A site as the conductor holds it. */
typedef struct
{
  FlConductor *conductor;
  gint64 id;
  FlSite *record;
  char *connection, *manner; /* what it was made of: made anew when that changes */
  FlRemote *remote;          /* NULL: this machine */
  FlHost *host;
  FlSiteLink *link; /* NULL: `trouble` says why */
  char *trouble;
  GHashTable *asked;   /* requests under way */
  GHashTable *looking; /* ids of watches that are looked at now */
  gboolean submitting, polling, pulling;
  gboolean measuring;
  gboolean direct; /* what its journals bring is in the store already: its jobs take them in themselves */
  gint64 polled, pulled, measured; /* monotonic µs */
  char *nodes;                     /* what the site said of its nodes and queue last; NULL: nothing yet */
  FlSiteLink *probe;               /* a thread for the probe alone; NULL: none runs */
  GCancellable *probe_stop;
} FlPlace;

/* An attempt that is not over. */
typedef struct
{
  gint64 attempt, job;
  gint64 site;
  FlSubmission *submission;
  FlIngest *ingest;
  gboolean far;       /* its journals must be pulled */
  gboolean busy;      /* a request of its own waits for its answer */
  gboolean submitted; /* the site knows it, as far as we have heard */
  gboolean running;
  guint submissions;   /* by this conductor */
  gint64 submit_again; /* monotonic µs: until then it may be on its way */
  gboolean withdrawn;  /* it was given up waiting for */
  guint64 stop_asked;  /* ns UTC; 0 = nobody asked */
  gint64 stop_sent;    /* monotonic µs */
  gboolean counted;    /* the run has been told what its files hold */
  char *noted;         /* what was written of its status */
  FlSiteStatus *final; /* it has ended so; NULL: not yet */
  gboolean drained;    /* and all that it wrote is here */
  guint pulls_failed;  /* since it ended */
  guint64 pulled;      /* ns UTC: as it stands in the record */
} FlActive;

struct FlConductor
{
  FlStore *store;
  char *engine, *who;
  gint64 fencing;
  FlFinder *finder;
  FlWorkers *workers;
  FlControlServer *server; /* NULL: none */
  GHashTable *places;      /* site's id -> FlPlace */
  GHashTable *active;      /* attempt's id -> FlActive */
  GHashTable *known;       /* ids of runs that were complete when we planned last */
  GHashTable *looked;      /* ids of far watches -> monotonic µs of the last look */
  GHashTable *hopeless;    /* ids of attempts that cannot be watched */
  gint64
      lease_until; /* µs of fl_process_clock(): until then nobody else can have it. Sites' threads read it: atomic */
  FlPlanBasis basis;             /* the records, as they were when we looked last, */
  gint64 revision;               /* at this revision of the store */
  gboolean sites_moved, restart; /* seen in the records, and not acted upon yet */
  gboolean lost; /* the store has failed us: what we think that it holds is looked up before we go on */
  gboolean replan;
  gboolean hurry; /* something has ended or begun that more follows from: the next round need not wait */
  guint64 wake;   /* ns UTC: plan anew then at the latest; 0 = no */
  guint pending;
  char *message; /* last said of runs, so as not to repeat it */
};

/* A worker could not do its part. Where it was the store that did not answer, it is nobody's failure: all is looked at again
 * once it does. */
void fl_conductor_failed (FlConductor *conductor, const char *worker, gint64 site, const GError *error);
gboolean fl_conductor_store_is_lost (const GError *error);

/* Plan anew at that time at the latest, ns UTC. */
void fl_conductor_wake_at (FlConductor *conductor, guint64 when);

/* --- attempts.c --- */

void fl_active_free (FlActive *active);
gboolean fl_attempt_is_over (const FlAttempt *attempt);
/* Takes in what the attempt has written since; tells its run what the files hold. */
gboolean fl_attempt_ingest (FlConductor *conductor, FlActive *active, GError **error);
/* Writes down how it is doing, where that is new. */
gboolean fl_attempt_note (FlConductor *conductor, FlActive *active, const FlSiteStatus *status,
                          GError **error);
/* Writes down how it ended and what becomes of the job. */
gboolean fl_attempt_finish (FlConductor *conductor, FlActive *active, const FlSiteStatus *status,
                            GError **error);
/* It could not be started at all. */
gboolean fl_attempt_fail (FlConductor *conductor, const FlActive *active, const char *reason, GError **error);

/* --- places.c --- */

/* Sites as they are in the store now: links are made, made anew, dropped. */
gboolean fl_places_refresh (FlConductor *conductor, GError **error);
void fl_place_free (FlPlace *place);
/* NULL: there is no such site. */
FlPlace *fl_place_get (FlConductor *conductor, gint64 site);
/* It can be asked now. */
gboolean fl_place_is_up (const FlPlace *place);
/* "submit:NAME": free it. */
char *fl_place_worker (const FlPlace *place, const char *what);
/* Looks for runs: here now, far away when it is time. */
gboolean fl_places_find_runs (FlConductor *conductor, GError **error);
/* All that should be looked at has been. */
gboolean fl_places_have_looked (FlConductor *conductor);
void fl_place_connect (FlPlace *place, gboolean up);

/* A request to a site: freed in its reply, or when the link goes before it comes. */
typedef struct
{
  FlPlace *place;
  GArray *attempts; /* gint64 */
  gboolean hard;
  gpointer other;         /* the asker's own, */
  GDestroyNotify destroy; /* freed with this */
} FlAsked;

FlAsked *fl_asked_new (FlPlace *place);
void fl_asked_done (FlAsked *asked);

/* --- requests.c --- */

/* From now on the attempt is submitted until its site knows it, and watched until it is over. */
gboolean fl_conductor_watch (FlConductor *conductor, const FlJob *job, const FlAttempt *attempt,
                             GError **error);
/* Takes in what attempts have written, submits what is not, asks about the others. */
void fl_conductor_attend (FlConductor *conductor);
/* Asks the attempt to save and stop; called again after a while, ends it. */
void fl_conductor_stop (FlConductor *conductor, FlActive *active);
/* The place's requests will not be answered. */
void fl_conductor_forget_requests (FlConductor *conductor, FlPlace *place);

/* --- jobs.c --- */

/* What people ask for: stop, retry. */
gboolean fl_conductor_grant_wishes (FlConductor *conductor, GPtrArray *jobs, GError **error);
/* Starts planned ones as far as there is room. */
gboolean fl_conductor_start_jobs (FlConductor *conductor, const FlPlanBasis *basis, GError **error);

/* --- datasets.c --- */

/* Makes the jobs and versions that active datasets want; each by itself. */
void fl_conductor_plan_datasets (FlConductor *conductor, const FlPlanBasis *basis, guint *made);

/* --- listen.c --- */

/* Listens for control rooms. A conductor without a socket works as well; a line says so. */
void fl_conductor_listen (FlConductor *conductor);
void fl_place_stop_probe (FlPlace *place);

/* --- probes.c --- */

/* Steps go to the control rooms as they are taken, the result into the site's record. */
void fl_place_start_probe (FlPlace *place, gboolean push);
