/* policy.h: what becomes of a job when an attempt of it has ended, by cause: one table. Pure; thread: any.
 *
 *   how it ended                    what comes next                                        bounded by
 *   exit 0                          done
 *   exit 75: saved and stopped      goes on                                                FL_MAX_PAUSES
 *   time limit                      goes on with twice the minutes (a day at most)         FL_MAX_FRUITLESS
 *   out of memory                   goes on with half the ranks a node                     FL_MAX_FRUITLESS
 *   node failure                    goes on                                                FL_MAX_FRUITLESS
 *   preempted, not requeued         goes on                                                FL_MAX_PAUSES
 *   scratch full                    waits 30 s, 1 min … 5 min, then goes on                FL_MAX_PAUSES
 *   killed, or no exit status       goes on                                                FL_MAX_FRUITLESS
 *   cancelled at the site           cancelled: somebody wanted it
 *   refused; exit 1, 2, 126, 127    failed: a person must act
 *   asked for by a person           cancelled
 *
 * The bounds count attempts in a row that added no shot and no new generation of a reconstruction. */
#pragma once

#include "engine/control/site.h"

#define FL_MAX_PAUSES    20
#define FL_MAX_FRUITLESS 3
#define FL_MAX_MINUTES   (24 * 60)

/* What an attempt may take. 0: the site's. */
typedef struct
{
  int nodes, ranks_per_node, gpus_per_rank, minutes;
} FlResources;

typedef struct
{
  FlJobState state; /* of the attempt */
  gboolean again;   /* another one goes on, unless */
  int most;         /* so many in a row, this one too, have led nowhere */
} FlVerdict;

/* `stop_wanted`: a person has asked for it. */
FlVerdict fl_policy_verdict (const FlSiteStatus *status, gboolean stop_wanted);
/* s before the next attempt, after `fruitless` ones in a row that led nowhere for this cause (from 1). */
guint fl_policy_pause (FlSiteCause cause, int fruitless);
/* What the next attempt may take: what is wanted, corrected by how the last one ended (NULL: there was none). */
FlResources fl_policy_resources (const FlResources *wanted, const FlAttempt *last);
