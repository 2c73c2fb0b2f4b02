/* geom-values.h: the values of a CrystFEL geometry file (private to geom.c). Each function returns NULL when it has
 * filled in its result, else what was expected, for the error line. */
#pragma once

#include "engine/shots/geom.h"

const char *fl_geom_real (const char *text, double *value);
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

/* `text` is a number or a path that starts with '/', and a unit. Without a unit a number is taken times `bare_number`
 * and what a path holds times `bare_path`; 0 there: the unit is required. */
const char *fl_geom_value (const char *text, const FlGeomUnit *units, double bare_number, double bare_path,
                           FlGeomValue *value);
