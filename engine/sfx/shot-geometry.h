/* shot-geometry.h: from pixels to reciprocal space and back, for one shot.
 *
 * q = s1 − s0 in 1/Å (|q| = 1/d), s0 = (0, 0, 1/λ), s1 = r/(λ|r|), r the laboratory position (mm) of a panel coordinate
 * (px from the corner) with the shift added. Thread: any that owns it. */
#pragma once

#include "engine/shots/detector.h"

typedef struct FlPanelFinder FlPanelFinder;

typedef struct
{
  const FlDetector *detector;  /* borrowed */
  const FlPanelFinder *finder; /* borrowed; NULL: panels are searched one by one */
  FlVec3 shift;                /* mm, added to every panel's origin */
  double wavelength;           /* Å */
} FlShotGeometry;

/* A coarse grid over the detector as seen from the sample, which names the panels of a direction, so that a ray finds
 * its panel at once. Good for shifts of up to 3 mm (farther: searched one by one). */
FlPanelFinder *fl_panel_finder_new (const FlDetector *detector);
void fl_panel_finder_free (FlPanelFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPanelFinder, fl_panel_finder_free)

FlVec3 fl_shot_geometry_q (const FlShotGeometry *geometry, guint panel, double fs, double ss);
/* Where the ray along s1 (any length) meets a panel; FALSE: nowhere. */
gboolean fl_shot_geometry_meet (const FlShotGeometry *geometry, FlVec3 s1, guint *panel, double *fs,
                                double *ss);
/* The finest resolution (Å) that a pixel corner of the detector sees. */
double fl_shot_geometry_d_min (const FlShotGeometry *geometry);
