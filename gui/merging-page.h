/* merging-page.h: what a dataset's versions have been merged to: shells as a plot, several versions over one another, and as a
 * table of the newest; the whole in a line; why lattices are not in it; whether there is enough, and how quality grows.
 * Actions: merging.show-dataset (x), merging.show-quantity (s: "cc-half", "cc-star", "r-split", "cc-iso", "cc-ano", "completeness",
 * "multiplicity", "i-sigma"), merging.set-goal (FLG_GOALS), merging.type-goal ((ss): field and text, goal-editor.h; saves),
 * merging.undo-goal. Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_MERGING_PAGE (flg_merging_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgMergingPage, flg_merging_page, FLG, MERGING_PAGE, FlgPage)

/* The newest version in a line. */
const char *flg_merging_page_facts (FlgMergingPage *self);
/* What the plot says; free with g_free. */
char *flg_merging_page_summary (FlgMergingPage *self);
/* What stands in the table: row 0 is the head; NULL beyond. */
const char *flg_merging_page_cell (FlgMergingPage *self, guint row, guint column);
void flg_merging_page_show (FlgMergingPage *self, gint64 dataset);
/* Whether there is enough, and why; what the trend's plot says (free with g_free). */
const char *flg_merging_page_goal (FlgMergingPage *self);
char *flg_merging_page_trend (FlgMergingPage *self);
/* Why lattices are not in it, a line each. */
const char *flg_merging_page_reasons (FlgMergingPage *self);
