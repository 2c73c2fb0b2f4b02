/* stills-evidence.h: what a rank's shots say about the detector and the sample as a whole: spots by resolution
 * (FL_KIND_RING), panels (FL_KIND_PANEL); engine/control/findings.h judges it.
 *
 * Pixels are looked at in one shot of 16, chosen by its id, and of it in every 16th row. */
#pragma once

#include "engine/results/recorder.h"
#include "engine/sfx/spot-finding.h"

typedef struct FlEvidence FlEvidence;

FlEvidence *fl_evidence_new (void);
void fl_evidence_free (FlEvidence *evidence);
/* A shot whose spots were found. */
void fl_evidence_add (FlEvidence *evidence, const FlShot *shot, const FlDetector *detector,
                      const FlFound *found);
/* Into the journal what came together: after 10 s or 512 shots, or `now`. Nothing when there is nothing. */
gboolean fl_evidence_note (FlEvidence *evidence, FlRecorder *recorder, gboolean now, GError **error);
