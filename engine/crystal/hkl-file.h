/* hkl-file.h: CrystFEL's reflection lists (`.hkl`, "CrystFEL reflection list version 2.0"). */
#pragma once

#include "engine/crystal/intensities.h"
#include "engine/crystal/symmetry.h"

/* Reads the list's I into `intensities`, each for all reflections of its class under the list's own Laue group (point
 * groups with a centre: -1, 2/m (unique axis c; 2/m_uaa, 2/m_uab), mmm, 4/m, 4/mmm, -3_H, -3m1_H, -31m_H, 6/m, 6/mmm, m-3, m-3m; or 1). Reflections
 * outside the sphere are left out; negative intensities become 0. Errors name the line. */
gboolean fl_hkl_file_read (const char *path, FlIntensities *intensities, GError **error);

typedef struct
{
  FlMiller hkl;
  double intensity, sigma;
  guint n_measured;
} FlHklRow;

/* A list of merged reflections, each for its class under the Laue group of `symmetry`. The file appears whole or not at all. */
gboolean fl_hkl_file_write (const char *path, const FlSymmetry *symmetry, const FlHklRow *rows, guint n,
                            GError **error);
