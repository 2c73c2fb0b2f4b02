/* hkl-file.h: CrystFEL's reflection lists (`.hkl`, "CrystFEL reflection list version 2.0"). */
#pragma once

#include "engine/crystal/intensities.h"
#include "engine/crystal/symmetry.h"

/* Reads the list's I into `intensities`, each for all reflections of its class under the list's own Laue group (point
 * groups with a centre: -1, 2/m, mmm, 4/m, 4/mmm, -3_H, -3m1_H, -31m_H, 6/m, 6/mmm, m-3, m-3m; or 1). Reflections
 * outside the sphere are left out; negative intensities become 0. Errors name the line. */
gboolean fl_hkl_file_read (const char *path, FlIntensities *intensities, GError **error);
