/* geometry-private.h: what the readers and writers of geometries have in common (private to the room). */
#pragma once

#include "engine/base/vec.h"
#include "engine/shots/detector.h"
#include "engine/shots/geometry.h"

/* Where the images of a form that does not tell are; the place that psana's own converter names. */
#define FL_GEOMETRY_DATA    "/entry_1/data_1/data"
#define FL_GEOMETRY_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* In our laboratory frame, mm: the outer corner of pixel (0, 0) and the steps of a pixel. */
typedef struct
{
  FlVec3 origin, fs, ss;
} FlGeometryPlace;

static inline guint
fl_geometry_n (const FlGeom *geom)
{
  return geom->panels->len;
}

static inline const FlGeomPanel *
fl_geometry_panel (const FlGeom *geom, guint i)
{
  return &g_array_index (geom->panels, FlGeomPanel, i);
}

static inline guint
fl_geometry_n_fs (const FlGeomPanel *panel)
{
  return (guint) panel->max_fs - (guint) panel->min_fs + 1;
}

static inline guint
fl_geometry_n_ss (const FlGeomPanel *panel)
{
  return (guint) panel->max_ss - (guint) panel->min_ss + 1;
}

/* mm; 0 when the data or nobody tells. */
double fl_geometry_clen (const FlGeom *geom);
void fl_geometry_set_clen (FlGeom *geom, double clen);
/* Å; 0 when the data or nobody tells. */
double fl_geometry_wavelength (const FlGeom *geom);
void fl_geometry_set_wavelength (FlGeom *geom, double wavelength);

/* With the camera length and shifts that the geometry itself gives. */
FlGeometryPlace fl_geometry_place (const FlGeom *geom, const FlGeomPanel *panel);
/* Corner, steps and resolution; `clen` (mm) is the part of z that is not the panel's own. */
void fl_geometry_set_place (FlGeomPanel *panel, const FlGeometryPlace *place, double clen);

/* Makes of a and b the directions nearest to them that stand upright on each other. */
void fl_geometry_square_up (FlVec3 *a, FlVec3 *b);

/* Of what other readers found, not finished yet (fl_geom_finish). Pixels lie in one stack, as in the detector's array. */
FlGeom *fl_geometry_from_detector (const char *path, const FlDetector *detector, double clen);

/* Groups with the names of all their panels (of FlGeomGroup; g_array_unref): rigid groups, and CrystFEL's group_…, whose members
 * may be groups. */
GArray *fl_geometry_groups (const FlGeom *geom);

/* Names of the panels (NULL-ended) that no form minds: letters, digits, _ . -, all different, none that begins with "bad".
 * Those that are so already stay. g_strfreev. */
char **fl_geometry_names (const FlGeom *geom);

/* `value` with so many decimals, zeros at the end left out; never "-0". */
void fl_geometry_add_number (GString *text, double value, int decimals);
/* With 15 digits, or as many as are said. */
void fl_geometry_add_digits (GString *text, double value, int digits);

void fl_geometry_lose (GPtrArray *losses, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* --- forms --- */

char *fl_geometry_write_crystfel (const FlGeom *geom, const char *folder, GPtrArray *losses);
/* Relative names of files are of `folder`'s; NULL: they stay as they are. */

FlGeom *fl_geometry_read_imgcif (const char *path, const char *text, gsize length, GError **error);
char *fl_geometry_write_imgcif (const FlGeom *geom, GPtrArray *losses);

FlGeom *fl_geometry_read_psana (const char *path, const char *text, gsize length, GError **error);
char *fl_geometry_write_psana (const FlGeom *geom, GPtrArray *losses);
gboolean fl_geometry_is_psana (const char *text, gsize length);

FlGeom *fl_geometry_read_dials (const char *path, const char *text, gsize length, GError **error);
char *fl_geometry_write_dials (const FlGeom *geom, GPtrArray *losses);
/* `text` ends with NUL. */
gboolean fl_geometry_is_dials (const char *text, gsize length);

FlGeom *fl_geometry_read_nxmx (const char *path, GError **error);
gboolean fl_geometry_write_nxmx (const FlGeom *geom, const char *path, GPtrArray *losses, GError **error);
