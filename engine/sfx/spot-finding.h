/* spot-finding.h: raw shot -> strong pixels -> spots -> hit or miss, and the radial profile.
 *
 * Strong pixels: strong-pixels.h, by `spots.algorithm`. Spots: connected strong pixels of a panel, centroid and its
 * variance from all their counts, intensity above the mean of the good pixels round them. Dropped are spots that are too
 * small or too large or whose brightest pixel lies too far from the centroid (unless the algorithm judges by itself), and
 * those outside the resolution limits. A shot with too large a part of strong pixels has failed.
 *
 * Resolution of a shot: of the spot at the 98th percentile of 1/d, at least two left out beyond it (the rule of
 * CrystFEL's peak_resolution): one stray peak at the edge does not count.
 * Solvent ratio: mean of the profile at the high angle over that at the low one (each ± 1.5 bins); 0 when the low mean is
 * <= 0, the high one < 0, or an angle is not on the detector.
 *
 * The profile of a large detector is made of every k-th row of pixels, about a quarter of a million in all.
 *
 * A finder owns its device and buffers; one a rank or thread. */
#pragma once

#include <glib.h>

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/shots/source.h"
#include "kernels/device.h"

typedef struct FlSpotFinder FlSpotFinder;

/* What was found in one shot; owned by the finder until the end of its next shot. */
typedef struct
{
  const FlSpotRow *spots; /* in order of panel, then of raster */
  guint n_spots;
  guint64 n_strong; /* strong pixels */
  gboolean hit;
  float resolution;     /* Å; 0 = none */
  float solvent;        /* 0 = not measured */
  guint n_bins;         /* of the profile; FL_PROFILE_STEP of 2θ each, from 0 */
  const float *profile; /* mean counts a good pixel; NAN where there is none */
} FlFound;

/* Parameters of the stage "spots" (resources/parameters/spots.params). `index`: the rank's number in its node (which
 * GPU). `message` (may be NULL): which device was opened and why others were not; owned by the caller. */
FlSpotFinder *fl_spot_finder_new (const FlParams *params, guint index, char **message, GError **error);
void fl_spot_finder_free (FlSpotFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSpotFinder, fl_spot_finder_free)
const char *fl_spot_finder_device (const FlSpotFinder *finder);
/* The finder's device, for the stages after it: one stream of work a rank. */
FlkDevice *fl_spot_finder_stream (FlSpotFinder *finder);
/* From now on it works on `device`, which becomes its own; the one before is the caller's, and a shot that was begun on that
 * is forgotten. `params`: those that it was made with. */
FlkDevice *fl_spot_finder_change_device (FlSpotFinder *finder, const FlParams *params, FlkDevice *device);
/* Counts a photon of the last shot's first panel. */
double fl_spot_finder_gain (const FlSpotFinder *finder);

/* FALSE: this shot failed (FL_ERROR_INPUT: its pixels; FL_ERROR_FAILED: the device). */
gboolean fl_spot_finder_find (FlSpotFinder *finder, const FlShot *shot, FlDetector *detector, FlFound *found,
                              GError **error);

/* The same in steps, so that the host does something else while the device works. begin() does not wait; `shot` and
 * `detector` must stay as they are until end(), which waits. push(), some time between them, waits for what the algorithm
 * wants to know of the shot before it goes on, if anything; else end() does it. */
gboolean fl_spot_finder_begin (FlSpotFinder *finder, const FlShot *shot, FlDetector *detector,
                               GError **error);
gboolean fl_spot_finder_push (FlSpotFinder *finder, GError **error);
gboolean fl_spot_finder_end (FlSpotFinder *finder, FlFound *found, GError **error);

/* The last shot's strong pixels, n_pixels bytes, 1 = strong; for tests and viewers. */
const guint8 *fl_spot_finder_strong (FlSpotFinder *finder, GError **error);

/* The resolution rule above on 1/d² values' d, any order; 0 for none. */
double fl_spots_resolution (const FlSpotRow *spots, guint n_spots);
