/* nxmx-write.h: fields of NeXus files, written in one line each (private to the room). A field that cannot be written
 * leaves `failed` set; nothing more is tried then. Thread: HDF5's. */
#pragma once

#include <glib.h>
#include <hdf5.h>

typedef struct
{
  hid_t file;
  gboolean failed;
} FlNxmxFields;

void fl_nxmx_group (FlNxmxFields *f, const char *path, const char *class);
/* NULL `units`: none. n == 0: a scalar. */
void fl_nxmx_reals (FlNxmxFields *f, const char *path, gsize n, const double *values, const char *units);
void fl_nxmx_whole (FlNxmxFields *f, const char *path, gsize n, const gint64 *values);
void fl_nxmx_text (FlNxmxFields *f, const char *path, const char *text);
void fl_nxmx_text_attribute (FlNxmxFields *f, const char *path, const char *name, const char *text);
void fl_nxmx_real_attribute (FlNxmxFields *f, const char *path, const char *name, gsize n,
                             const double *values);
/* An axis of a dependency chain: `values` (n of them, in `units`) along or about `vector`. */
void fl_nxmx_axis (FlNxmxFields *f, const char *path, gboolean rotation, gsize n, const double *values,
                   const char *units, const double vector[3], const char *depends_on);
