/* layout.h: a detector as the kernels want it, in device memory: panels, mask, gain, 2θ bins.
 *
 * Made once and kept while the detector stays the same (files of one still each bring a detector each, all alike).
 * Thread: that of the device. */
#pragma once

#include <glib.h>

#include "engine/shots/source.h"
#include "kernels/device.h"
#include "kernels/pixels.h"

#define FL_PROFILE_STEP (0.1 * 3.14159265358979323846 / 180.0) /* rad of 2θ a bin of the radial profile */

typedef struct
{
  FlDetector *detector;
  guint version;          /* changes whenever anything here did */
  FlVec3 shift;           /* mm, that the 2θ bins were made for */
  guint n_panels, n_bins; /* n_bins 0: nobody says where the pixels are */
  guint32 teams, tile_ss; /* of kernels that go by tiles */
  guint32 radial_teams;
  gsize n_good;        /* pixels of panels that the mask leaves */
  double energy;       /* eV, that the gain was made for */
  double gain;         /* counts a photon, where gain_map is NULL */
  gboolean bad_values; /* some panel has values that are bad by themselves */

  /* device pointers; host arrays behind them */
  const FlkPanel *panels;
  const FlkPanel *radial_panels; /* every k-th row of the panels, so many that the profile is good enough */
  const guint8 *mask;
  const float *gain_map;
  const guint16 *bin;

  FlkPanel *host_panels, *host_radial_panels;
  float *host_gain;
  guint16 *host_bin;
  FlkBuffer on_device[5];
} FlLayout;

/* Makes `layout` (begin with { 0 }) right for this shot of this detector. `gain`: counts a photon; 0: what the detector
 * says. FALSE: the device has no memory left, flk_error() tells. */
gboolean fl_layout_update (FlLayout *layout, FlkDevice *device, FlDetector *detector, const FlShot *shot,
                           double gain);
void fl_layout_clear (FlLayout *layout, FlkDevice *device);

/* Equal in all that matters to pixels: panels and mask. */
gboolean fl_detector_equal (const FlDetector *a, const FlDetector *b);
