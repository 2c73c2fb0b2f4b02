/* exchange-panels.h: our detectors as other programs' result files know them. */
#pragma once

#include "engine/results/pattern.h"
#include "engine/shots/detector.h"

/* A CrystFEL geometry that places the detector's panels as it does; for files that describe themselves. */
char *fl_exchange_geometry (const FlDetector *detector, double energy);
/* FlPanelPlace, a panel each, in the detector's order. `named` (fl_stream_panels(); may be NULL) says where in the data array
 * the panel of that name lies; else it is where the shot's pixels have it. */
GArray *fl_exchange_panels (const FlDetector *detector, const GArray *named);
/* The other way: a detector whose panels lie one below the other in the data. */
FlDetector *fl_exchange_stack (const GArray *panels);
/* What a geometry says without any image; NULL when it needs one (its camera length is in the data). */
FlDetector *fl_exchange_detector (const char *geometry_path, GError **error);
