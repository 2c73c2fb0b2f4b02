/* density-page.h: densities, in two views: maps of crystals, and the reconstruction of single particles (reconstruction-view.h); the
 * first to be shown is that which the experiment has. Of crystals: the density that a dataset's versions have come to: 2mFo − DFc, mFo − DFc and what changed, with the model that
 * phases came from and the peaks to look at. The newest version is followed, the camera stays. A second version is compared, behind
 * a divider or in a second view that turns with the first.
 * Actions: density.show-dataset (x), density.show-version (x: job, 0 the newest), density.compare (x: job, 0 none), density.show-maps
 * (s: "both", "best", "residual", "change"), density.side-by-side (b), density.open-model (s: file; "" the job's own),
 * density.choose-model (asks for the file), density.show-peak (u); of both density.show-view (s: "crystals", "reconstruction"); of the
 * reconstruction density.show-reconstruction (x: job, 0 the newest), density.show-generation (u: 0 live), density.show-conformations
 * (ui: first, second; −1 alone). Thread: main. */
#pragma once

#include "gui/page.h"
#include "gui/reconstruction-view.h"
#include "widgets/density-view.h"

#define FLG_TYPE_DENSITY_PAGE (flg_density_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgDensityPage, flg_density_page, FLG, DENSITY_PAGE, FlgPage)

void flg_density_page_show (FlgDensityPage *self, gint64 dataset);
/* What is shown, in a line; "" when nothing is. */
const char *flg_density_page_facts (FlgDensityPage *self);
/* 0, or 1 where two are side by side; NULL: it is not shown. */
FlwDensityView *flg_density_page_view (FlgDensityPage *self, guint i);
/* "crystals" or "reconstruction". */
const char *flg_density_page_shown_view (FlgDensityPage *self);
FlgReconstructionView *flg_density_page_reconstruction (FlgDensityPage *self);
guint flg_density_page_n_peaks (FlgDensityPage *self);
