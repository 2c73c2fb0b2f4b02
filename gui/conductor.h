/* conductor.h: sees to it that somebody conducts the experiment while it is open for writing.
 *
 * When nobody holds the lease, `firstlight-control conduct` is started as a process of its own that outlives us; two
 * programs that start one at the same moment do no harm, since the lease decides. When it ends and nobody else has taken
 * over, it is started again after a growing pause; at once, when it was killed on this machine. For a viewer none is started;
 * where the experiment's folder is elsewhere (joined.h) nobody makes one of these. Thread: main. */
#pragma once

#include "gui/experiment.h"

typedef struct FlgConductor FlgConductor;

FlgConductor *flg_conductor_new (FlgExperiment *experiment);
/* Stops watching; the process goes on. */
void flg_conductor_free (FlgConductor *conductor);

/* Path of firstlight-control: $FIRSTLIGHT_CONTROL, beside this program, in the build tree, or as found on the PATH. */
char *flg_control_program (void);
