/* hkl-file.h: CrystFEL's reflection lists (`.hkl`, "CrystFEL reflection list version 2.0"). */
#pragma once

#include "engine/crystal/intensities.h"
#include "engine/crystal/symmetry.h"

typedef struct
{
  FlMiller hkl;
  double intensity, sigma; /* sigma 0: the file does not say */
  guint n_measured;
} FlHklRow;

/* The list's reflections (FlHklRow) in its order, each for its class under the list's own Laue group: `symmetry`, NULL for "1".
 * Groups with a centre: -1, 2/m (unique axis c; 2/m_uaa, 2/m_uab), mmm, 4/m, 4/mmm, -3_H, -3m1_H, -31m_H, -3_R, -3m_R, 6/m, 6/mmm,
 * m-3, m-3m. Errors name the line; what is no list is refused by its first one. */
GArray *fl_hkl_file_rows (const char *path, FlSymmetry **symmetry, GError **error);

/* The list's I as |F|² of all reflections of their classes: negative ones become 0. Those outside the sphere are left out. */
gboolean fl_hkl_file_read (const char *path, FlIntensities *intensities, GError **error);

/* A list of merged reflections, each for its class under the Laue group of `symmetry`. The file appears whole or not at all. */
gboolean fl_hkl_file_write (const char *path, const FlSymmetry *symmetry, const FlHklRow *rows, guint n,
                            GError **error);
