/* runs-page.h: the table of runs: what came in, what was found, tags, comments.
 *
 * Actions: runs.add-tag (s), runs.remove-tag (s): on the selected runs; runs.comment ((xs): run, text);
 * runs.tag-row ((xsb): run, tag, put it on): on the selected runs when the run is one of them, else on it alone;
 * runs.filter (s);
 * runs.save-tag ((xssb): tag 0 = new, name, colour, persistent); runs.delete-tag (x); runs.select (ax); runs.show-images;
 * runs.enter-tag, runs.edit-comment: begin typing.
 * Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_RUNS_PAGE (flg_runs_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgRunsPage, flg_runs_page, FLG, RUNS_PAGE, FlgPage)

/* Ids of the selected runs; free the array. */
GArray *flg_runs_page_selected (FlgRunsPage *self);
guint flg_runs_page_n_shown (FlgRunsPage *self);
