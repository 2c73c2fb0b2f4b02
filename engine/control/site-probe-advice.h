/* site-probe-advice.h: what to do about what a site said, for site-probe.c. One or two sentences. */
#pragma once

#include "engine/control/job-script.h"

/* What sbatch refused. Asks the site which names there are. Free it. */
char *fl_probe_account_advice (FlHost *host, const FlSite *site, const char *said);
const char *fl_probe_scratch_advice (const char *said);
const char *fl_probe_engine_advice (const char *said, gboolean pushed);
const char *fl_probe_wait_advice (gboolean in_queue);
/* `unseen`: a node does not see the scratch; `alone`: ranks that did not find each other; `errors`: what was printed. */
const char *fl_probe_mpi_advice (gboolean unseen, gboolean alone, const char *errors);
