/* geom-values.h: the values of a CrystFEL geometry file (private to geom.c). Each function returns NULL when it has
 * filled in its result, fl_geom_more when it has from what stands in front and left the rest aside (as CrystFEL does: "5814 px/m",
 * "127.5" for a whole number), else what was expected, for the error line. */
#pragma once

#include "engine/shots/geom.h"

extern const char fl_geom_more[];

const char *fl_geom_real (const char *text, double *value);
const char *fl_geom_limit (const char *text, double *value); /* "inf" as well */
const char *fl_geom_int (const char *text, int *value);      /* "3" or "3.0" */
const char *fl_geom_bits (const char *text, guint64 *value); /* decimal or 0x… */
const char *fl_geom_bool (const char *text, gboolean *value);
const char *fl_geom_dim (const char *text, int *value);
const char *fl_geom_direction (const char *text, double vector[3]); /* "+0.99x -0.01y" */

typedef struct
{
  const char *name; /* NULL ends the list */
  double factor;    /* to the unit inside */
} FlGeomUnit;

/* `text` is a number or the name of a place in the data ("/LCLS/photon_energy_eV", "detector_distance"), and a unit. Without a unit a number is taken times `bare_number`
 * and what a path holds times `bare_path`; 0 there: the unit is required. */
const char *fl_geom_value (const char *text, const FlGeomUnit *units, double bare_number, double bare_path,
                           FlGeomValue *value);
