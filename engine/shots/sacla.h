/* sacla.h: the geometry of what SACLA's pipeline writes for SFX (Cheetah; Nakane et al. 2016): a group /tag-N a shot with
 * `data` and `photon_energy_ev`, and /metadata with the place of the eight MPCCD sensors, one below the other in the data.
 * Images of a Rayonix have their energies there, but no place (private to the room). Thread: HDF5's. */
#pragma once

#include "engine/shots/nxmx-geometry.h"

/* FALSE without error: not such a file. */
gboolean fl_sacla_geometry (hid_t file, const char *path, FlH5Self *self, GError **error);
