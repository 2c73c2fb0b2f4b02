/* site-facts.h: what the store knows of how busy our jobs keep each site: counts, node-hours, how long jobs waited.
 * Thread: main. */
#pragma once

#include "gui/experiment.h"

typedef struct
{
  guint running, queued; /* attempts; queued: submitted and not begun */
  double node_hours; /* that ended and running ones have used; of an attempt that does not say: one node */
  double wait;       /* s, median of the last FLG_SITE_WAITS that began; -1: none has */
  guint waits;       /* of so many */
} FlgSiteFacts;

#define FLG_SITE_WAITS 20

/* Site's id (gint64 *) -> FlgSiteFacts, of all sites that have had an attempt. Free with g_hash_table_unref. */
GHashTable *flg_site_facts (FlgExperiment *experiment);
/* "12.4 h", "0.31 h"; "41 s", "12 min". Free them. */
char *flg_site_hours_text (const FlgSiteFacts *facts);
char *flg_site_wait_text (const FlgSiteFacts *facts);
/* The worker "poll:NAME" or "link:NAME" … of a site; NULL: none. */
const FlWorker *flg_site_worker (FlgExperiment *experiment, const FlSite *site, const char *kind);
