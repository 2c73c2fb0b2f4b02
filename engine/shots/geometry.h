/* geometry.h: where a detector's panels are, in the forms that people have it in, one to the other.
 *
 * The common form is FlGeom (geom.h), which holds what CrystFEL's files hold: places, sizes, gains, saturation, where pixels
 * lie in the data, masks, bad regions, groups of panels, beam and camera length. What a form cannot hold is named when it is
 * written, one line a kind, and left out:
 *   crystfel  `.geom` text; holds all of it
 *   nxmx      HDF5 by NeXus' definition NXmx: dependency chains of transformations (nxmx-geometry.h)
 *   imgcif    the header of a CBF file, without pixels: axes of panels and groups (Bernstein & Hammersley 2005)
 *   psana     LCLS' tables "PARENT i OBJECT i X0 Y0 Z0 ROT TILT" (psana-table.h)
 *   dials     the beam and detector of an experiment list (.expt), hierarchy of groups included (dials-models.h)
 * Lengths survive to 1e-9 mm or better; a text of CrystFEL, imgCIF or psana written a second time from its own
 * conversion is the same to the byte.
 * Thread: any (HDF5: one). */
#pragma once

#include "engine/shots/geom.h"

typedef enum
{
  FL_GEOMETRY_CRYSTFEL,
  FL_GEOMETRY_IMGCIF,
  FL_GEOMETRY_PSANA,
  FL_GEOMETRY_NXMX,
  FL_GEOMETRY_DIALS,
  FL_GEOMETRY_FORMS
} FlGeometryForm;

const char *fl_geometry_form_name (FlGeometryForm form); /* as above */
/* FALSE: no form is called so. */
gboolean fl_geometry_form_find (const char *name, FlGeometryForm *form);

/* A file of any of the forms, known by what it holds; *form (may be NULL) is which. Errors: one line, with the file's line
 * where it is text. */
FlGeom *fl_geometry_read (const char *path, FlGeometryForm *form, GError **error);

/* A geometry as CrystFEL's text: the file's own where it is that, else what its form tells. */
char *fl_geometry_read_text (const char *path, GError **error);

/* Whether a file is a geometry and nothing else, by what it holds: CrystFEL's text, an experiment list of DIALS, a table of psana, or
 * the header of a CBF file without pixels. */
gboolean fl_geometry_stands_alone (const char *path);

/* Turns the axes of every panel, about its middle, to stand upright on each other, as some programs ask for (DIALS: to 1e-6).
 * Returns how far corners have moved at most, mm. */
double fl_geometry_make_upright (FlGeom *geom);

/* `losses` (of char *, may be NULL) gets a line for each kind of thing that the form cannot hold. */
gboolean fl_geometry_write (const FlGeom *geom, FlGeometryForm form, const char *path, GPtrArray *losses,
                            GError **error);
