/* outlook.h: do I have enough? What a dataset's merged versions, its goals and the present rate say together (forecast.h), read from
 * the store.
 *
 * A reader stays beside one store handle (same thread) and reads only what is new: records that have changed, merges' rows, summaries
 * of shots. An outlook is immutable: hand it to any thread. */
#pragma once

#include "engine/control/forecast.h"
#include "engine/store/store.h"

/* Lattices of so long count for the rate: runs and their jobs come in turns. */
#define FL_OUTLOOK_WINDOW_S 900

typedef struct
{
  gint64 dataset, job; /* job: the newest merge; 0: nothing has been merged */
  int version;         /* its number */
  guint64 merged;      /* ns UTC */
  double rate;         /* lattices/s of late, of those that a merge takes; 0: none */
  double waiting;      /* lattices of ended and running jobs that are in no merge yet */
  FlForecast forecast; /* seconds: those lattices that wait need not be waited for */
  GArray *versions;    /* FlForecastVersion, oldest first: merges of one task and one trial */
  GArray *numbers;     /* int: theirs */
} FlOutlook;

FlOutlook *fl_outlook_ref (FlOutlook *outlook);
void fl_outlook_unref (FlOutlook *outlook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlOutlook, fl_outlook_unref)
/* "25 min", "6.5 h", "less than a minute"; NULL: nothing is coming, or nobody can tell. Free with g_free. */
char *fl_outlook_when (const FlOutlook *outlook);

typedef struct FlOutlooks FlOutlooks;

FlOutlooks *fl_outlooks_new (void);
void fl_outlooks_free (FlOutlooks *outlooks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlOutlooks, fl_outlooks_free)
/* `now`: ns UTC. *changed (may be NULL): some outlook is another one than before. */
gboolean fl_outlooks_update (FlOutlooks *outlooks, FlStore *store, guint64 now, gboolean *changed,
                             GError **error);
/* FlOutlook of every dataset with a goal or a merge, by the dataset's id; borrowed. Free the array. */
GPtrArray *fl_outlooks_list (FlOutlooks *outlooks);
const FlOutlook *fl_outlooks_find (FlOutlooks *outlooks, gint64 dataset); /* NULL: none */
