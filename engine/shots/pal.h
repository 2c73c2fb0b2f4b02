/* pal.h: the geometry of runs that PAL-XFEL's control system writes with a Rayonix MX225-HS: /RNNNN/scan_dat/raymx_data and
 * photon_wavelength a shot, /RNNNN/header/detector_0_distance (private to the room). Thread: HDF5's. */
#pragma once

#include "engine/shots/nxmx-geometry.h"

/* FALSE without error: not such a file. */
gboolean fl_pal_geometry (hid_t file, const char *path, FlH5Self *self, GError **error);
