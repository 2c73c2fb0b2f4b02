/* datasets-page.h: selections of runs with their graph of steps: what they take, how far they are, and their versions; made and
 * changed in an editor that shows what it would do before it is saved, and for a few seconds after that can take it back.
 *
 * Actions: datasets.new, .new-from (s expression), .edit, .discard, .save; .confirm, .hold, .cancel (of the sheet that asks);
 * .undo; .set-active (xb), .show (x), .show-version (x), .compare-with (x), .open-job, .set-policy (sdii). As if typed into the
 * editor: .set (ss), .add-step (s), .choose-step (u), .move-step (i), .remove-step, .set-step (ss). Thread: main. */
#pragma once

#include "gui/dataset-editor.h"
#include "gui/dataset-versions.h"
#include "gui/page.h"

#define FLG_TYPE_DATASETS_PAGE (flg_datasets_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatasetsPage, flg_datasets_page, FLG, DATASETS_PAGE, FlgPage)

gint64 flg_datasets_page_shown (FlgDatasetsPage *self); /* 0: none */
gboolean flg_datasets_page_is_editing (FlgDatasetsPage *self);
gboolean flg_datasets_page_is_asking (FlgDatasetsPage *self);
/* What the sheet asks; "" = it does not. Valid until the main loop runs again. */
const char *flg_datasets_page_question (FlgDatasetsPage *self);
gboolean flg_datasets_page_may_undo (FlgDatasetsPage *self);
FlgDatasetEditor *flg_datasets_page_editor (FlgDatasetsPage *self);
FlgDatasetVersions *flg_datasets_page_versions (FlgDatasetsPage *self);
/* What the shown dataset takes and does, one line; free with g_free. */
char *flg_datasets_page_summary (FlgDatasetsPage *self);
