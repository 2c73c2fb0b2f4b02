/* ndarray.h: arrays of numbers in files of their own: psana's text, NumPy's .npy, plain binary.
 *
 * Text: lines that begin with '#' are the header ("# NDIM 3", "# DIM:1 3" …; others are passed over), what follows are
 * numbers between spaces, the last index fastest. Without a header's dimensions there is one: how many there are. Binary:
 * little-endian u16, f32 or f64, told by the size. Errors: one line with the path. Thread: any. */
#pragma once

#include <glib.h>

#define FL_NDARRAY_DIMS 8

typedef struct
{
  char *path; /* where from, for messages; NULL: none */
  guint n_dims;
  gsize dims[FL_NDARRAY_DIMS]; /* the last is the fastest */
  gsize n;
  float *values;
} FlNdarray;

void fl_ndarray_clear (FlNdarray *array);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlNdarray, fl_ndarray_clear)

/* `text` need not end with NUL; `path` is for messages. */
gboolean fl_ndarray_parse (const char *path, const char *text, gsize length, FlNdarray *array,
                           GError **error);
gboolean fl_ndarray_parse_npy (const char *path, const guint8 *bytes, gsize length, FlNdarray *array,
                               GError **error);
/* One array of `n`, or `stages` of them. */
gboolean fl_ndarray_parse_binary (const char *path, const guint8 *bytes, gsize length, gsize n, guint stages,
                                  FlNdarray *array, GError **error);

/* .npy by its first bytes, .bin and .raw as binary (`n` and `stages` as above), text else. */
gboolean fl_ndarray_read (const char *path, gsize n, guint stages, FlNdarray *array, GError **error);

/* psana's text, whole or not at all; `format` like "%.3f". */
gboolean fl_ndarray_write (const char *path, const FlNdarray *array, const char *format, GError **error);
