/* finding-model.h: what is broken, and what of it somebody at this screen has acknowledged, for as long as the window is open.
 *
 * An acknowledgement holds for a fault while it goes on, in however many more runs; a graver one, or the same after it was
 * over, is news again. Signal "changed" (). Thread: main. */
#pragma once

#include "gui/experiment.h"

#define FLG_TYPE_FINDING_MODEL (flg_finding_model_get_type ())
G_DECLARE_FINAL_TYPE (FlgFindingModel, flg_finding_model, FLG, FINDING_MODEL, GObject)

FlgFindingModel *flg_finding_model_new (FlgExperiment *experiment);
/* FALSE: the store has not been judged yet. */
gboolean flg_finding_model_has_looked (FlgFindingModel *self);
/* Those that go on and that nobody has acknowledged come first, flg_finding_model_n_open() of them; then the acknowledged
 * ones; then those that are over. Valid until "changed". */
guint flg_finding_model_n (FlgFindingModel *self);
guint flg_finding_model_n_open (FlgFindingModel *self);
const FlFinding *flg_finding_model_at (FlgFindingModel *self, guint i);
gboolean flg_finding_model_is_acknowledged (FlgFindingModel *self, const FlFinding *finding);
void flg_finding_model_acknowledge (FlgFindingModel *self, const FlFinding *finding, gboolean yes);
/* What tells a fault from others while its words change. g_free. */
char *flg_finding_key (const FlFinding *finding);
