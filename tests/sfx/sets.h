/* sets.h: the simulated sets of the test data, for tests of single rooms: geometry, truth, spots of our finder. */
#pragma once

#include <glib.h>

#include "engine/base/batch.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/shot-geometry.h"

/* Skips the test and says so where the folder of the test data is absent. */
gboolean have_test_data (const char *folder);

/* `name` in the test data, without ".geom"; camera length 100 mm where the data would tell. */
FlDetector *detector_of_geom (const char *name);

double cpu_seconds (void);

/* One frame that shows a crystal. */
typedef struct
{
  guint event;
  const char *kind; /* weak, medium, strong */
  FlMat3 star;      /* the truth */
  FlSpotRow *spots;
  guint n_spots;
} SetFrame;

typedef struct
{
  FlDetector *detector;
  FlPanelFinder *finder;
  double wavelength;
  FlKnownCell known;
  GArray *frames; /* of SetFrame */
} Set;

/* "crystfel-sim/lyso-agipd1m" and the like; under a sanitizer (FIRSTLIGHT_SANITIZED) every fourth frame. */
Set *set_open (const char *name);
void set_free (Set *set);
FlShotGeometry set_geometry (const Set *set);

/* Rad between `found` and the truth under the lattice's rotations (422). */
double set_misorientation (const FlMat3 *truth, const FlMat3 *found);

/* The middle one; sorts. */
double median (double *values, guint n);
double percentile (double *values, guint n, double fraction);
