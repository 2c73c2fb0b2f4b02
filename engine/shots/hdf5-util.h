/* hdf5-util.h: HDF5 without noise (private to the room): handles that close themselves, its error stack folded into one
 * line of ours, small values read as numbers or text. Thread: the caller's; HDF5 has one lock for all. */
#pragma once

#include <glib.h>
#include <hdf5.h>

#include "engine/shots/source.h"

/* Turns off the printing of error stacks. Called by whatever opens a file. */
void fl_h5_init (void);

/* Sets `path: message (HDF5: innermost reason)` and clears the stack; always FALSE. */
gboolean fl_h5_fail (GError **error, int code, const char *path, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/* Opens for reading, without locks (writers may be at work on another host). Negative: *error is set. */
hid_t fl_h5_open (const char *path, GError **error);

/* TRUE when `path` leads to an object, soft and external links followed; nothing is printed, nothing set. */
gboolean fl_h5_exists (hid_t file, const char *path);

/* Numbers of a dataset (scalar or array of any rank, at most `max` of them), as double. NULL: there is none such; then
 * *error is set when `error` is not NULL. */
double *fl_h5_read_numbers (hid_t file, const char *file_path, const char *path, gsize max, gsize *n,
                            GError **error);
double fl_h5_read_number (hid_t file, const char *path, double otherwise);
char *fl_h5_read_text (hid_t file, const char *path); /* NULL: none */

/* What a unit's name means: mm for lengths, rad for angles, Å for wavelengths; NAN where it is not one of these. NULL and
 * "" mean `otherwise`. */
double fl_h5_length_unit (const char *unit, double otherwise);
double fl_h5_angle_unit (const char *unit, double otherwise);
double fl_h5_wavelength_unit (const char *unit, double otherwise);

/* A dataset's number in millimetres by its unit attribute (m when it has none, or another); NAN when there is none. */
double fl_h5_read_length (hid_t file, const char *path);

/* Attributes of the object at `path`, which need not be there. Text: NULL when there is none. Numbers: FALSE unless it
 * has exactly n. */
char *fl_h5_attribute_text (hid_t file, const char *path, const char *name);
gboolean fl_h5_attribute_numbers (hid_t file, const char *path, const char *name, gsize n, double *values);

/* The names in the group at `path` whose NX_class is `class` (NULL: all names), in HDF5's order by name; empty when there
 * is no such group. NULL-terminated, g_strfreev. */
char **fl_h5_children (hid_t file, const char *path, const char *class);

/* The target file of the external link that is met first on the way along `path`; NULL when there is none. `missing`:
 * only when the link leads nowhere. */
char *fl_h5_external_file (hid_t file, const char *path, gboolean missing);

/* The pixel type that holds what a dataset has, and HDF5's name for it; FALSE when it holds no numbers. */
gboolean fl_h5_pixel_type (hid_t type, FlPixelType *pixel_type);
hid_t fl_h5_memory_type (FlPixelType pixel_type);

typedef hid_t FlHid;
static inline void
fl_hid_close (FlHid *id)
{
  if (*id > 0)
    H5Idec_ref (*id);
  *id = 0;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlHid, fl_hid_close)
