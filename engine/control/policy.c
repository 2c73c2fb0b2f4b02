#include "engine/control/policy.h"

#include <string.h>

#define FIRST_DISK_PAUSE 30 /* s */
#define LAST_DISK_PAUSE  300

static FlVerdict
by_exit_code (int exit_code)
{
  switch (exit_code)
    {
    case 0:
      return (FlVerdict){ FL_JOB_DONE, FALSE, 0 };
    case 1:
    case 2:
    case 126: /* the shell's: cannot be run, */
    case 127: /* not found */
      return (FlVerdict){ FL_JOB_FAILED, FALSE, 0 };
    case 75:
      return (FlVerdict){ FL_JOB_PREEMPTED, TRUE, FL_MAX_PAUSES };
    default:
      return (FlVerdict){ FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS };
    }
}

static FlVerdict
by_cause (const FlSiteStatus *status)
{
  switch (status->cause)
    {
    case FL_CAUSE_TIME_LIMIT:
      return (FlVerdict){ FL_JOB_TIMED_OUT, TRUE, FL_MAX_FRUITLESS };
    case FL_CAUSE_MEMORY:
    case FL_CAUSE_NODE:
      return (FlVerdict){ FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS };
    case FL_CAUSE_PREEMPTED:
      return (FlVerdict){ FL_JOB_PREEMPTED, TRUE, FL_MAX_PAUSES };
    case FL_CAUSE_DISK:
      return (FlVerdict){ FL_JOB_FAILED, TRUE, FL_MAX_PAUSES };
    case FL_CAUSE_CANCELLED:
      return (FlVerdict){ FL_JOB_CANCELLED, FALSE, 0 };
    case FL_CAUSE_REFUSED:
      return (FlVerdict){ FL_JOB_FAILED, FALSE, 0 };
    case FL_CAUSE_NONE:
    case FL_CAUSE_LAST:
      break;
    }
  return status->state == FL_SITE_LOST ? (FlVerdict){ FL_JOB_FAILED, TRUE, FL_MAX_FRUITLESS }
                                       : by_exit_code (status->exit_code);
}

FlVerdict
fl_policy_verdict (const FlSiteStatus *status, gboolean stop_wanted)
{
  gboolean done = status->state == FL_SITE_ENDED && status->exit_code == 0;
  if (done)
    return by_exit_code (0); /* whatever else is said of it */
  if (stop_wanted)
    return (FlVerdict){ FL_JOB_CANCELLED, FALSE, 0 };
  return by_cause (status);
}

guint
fl_policy_pause (FlSiteCause cause, int fruitless)
{
  if (cause != FL_CAUSE_DISK)
    return 0;
  guint pause = FIRST_DISK_PAUSE;
  for (int i = 1; i < fruitless && pause < LAST_DISK_PAUSE; i++)
    pause *= 2;
  return MIN (pause, LAST_DISK_PAUSE);
}

FlResources
fl_policy_resources (const FlResources *wanted, const FlAttempt *last)
{
  FlResources next = *wanted;
  if (last == NULL)
    return next;
  gboolean timed_out = strcmp (last->cause, fl_site_cause_name (FL_CAUSE_TIME_LIMIT)) == 0;
  gboolean too_big = strcmp (last->cause, fl_site_cause_name (FL_CAUSE_MEMORY)) == 0;
  /* What was learned by an earlier attempt stays learned. */
  if (last->minutes > 0)
    next.minutes = MAX (next.minutes, MIN (timed_out ? 2 * last->minutes : last->minutes, FL_MAX_MINUTES));
  if (last->ranks_per_node > 0)
    {
      int most = too_big ? MAX (last->ranks_per_node / 2, 1) : last->ranks_per_node;
      next.ranks_per_node = next.ranks_per_node > 0 ? MIN (next.ranks_per_node, most) : most;
    }
  return next;
}
