/* beamtime.h: plays a beamtime as a facility does: run after run, files that grow and are closed one after another.
 *
 *   OUT/detector.geom
 *   OUT/r0001/r0001_c00.cxi (.inprogress while it grows), r0001_c00.truth.tsv, r0001_c01.cxi …
 *
 * A file that exists under its final name is whole and is left as it is, so an interrupted beamtime goes on where it
 * stopped. Thread: one. */
#pragma once

#include "engine/base/params.h"

typedef struct
{
  const char *out;
  guint first_run, n_runs;
  guint shots; /* a run */
  guint shots_per_file;
  double rate;       /* Hz; 0: as fast as possible, and shot times count from a fixed day */
  double pause;      /* s, between runs */
  guint damaged_run; /* 0: none */
  gboolean quiet;
  const gboolean *stop; /* set by a signal: close the file's work, end with FL_ERROR_STOPPED */
} FlBeamtime;

gboolean fl_beamtime_play (const FlBeamtime *beamtime, const FlParams *params, GError **error);
