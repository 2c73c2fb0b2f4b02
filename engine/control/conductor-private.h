/* conductor-private.h: what conductor.c (rounds, submissions) and attempts.c (how attempts end) share. */
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
