/* try-trial.h: this trial on this shot, now: what `serve` keeps ready between two questions.
 *
 * Finds spots and, where the trial knows its cell, lattices with their reflections, exactly as `stills` does (without
 * what a learning pass would add). The finders stay while the trial's text stays the same. Thread: one. */
#pragma once

#include "engine/sfx/lattice-finding.h"

typedef struct FlTrialTrier FlTrialTrier;

FlTrialTrier *fl_trial_trier_new (void);
void fl_trial_trier_free (FlTrialTrier *trier);

/* `params`: trial text. On success `found` and `lattices` are the trier's until the next call. */
gboolean fl_trial_try (FlTrialTrier *trier, const char *params, const FlShot *shot, FlDetector *detector,
                       FlFound *found, FlLattices *lattices, GError **error);
