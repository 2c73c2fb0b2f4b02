/* psana-segments.h: the sensors that psana knows, with the places of their ASICs (private to the room).
 *
 * A segment is a matrix of ASICs in one plane. Its frame: µm, origin as psana has it (for most the middle), pixel (row, column)
 * of ASIC a has its outer corner at corner[a] + row · ss + column · fs. Pixels at the edges between ASICs, which are wider, are
 * taken at their nominal width, as in CrystFEL's geometries. EPIX10KA:V1 has the gap of 3 px of LCLS-I's psana, V2 that of
 * 2.5 px; LCLS-II's psana takes 2.5 px for V1. */
#pragma once

#include <glib.h>

#include "engine/base/vec.h"

#define FL_PSANA_ASICS 8

typedef struct
{
  guint n_rows, n_cols;          /* ASICs */
  guint asic_rows, asic_cols;    /* px */
  FlVec3 fs, ss;                 /* µm a pixel */
  FlVec3 corner[FL_PSANA_ASICS]; /* row by row */
} FlPsanaSegment;

/* FALSE: psana has no segment of that name, or not with such numbers. */
gboolean fl_psana_segment_find (const char *name, FlPsanaSegment *segment);
/* Names of the segments that have more than one ASIC; NULL-ended. */
extern const char *const fl_psana_composed[];
