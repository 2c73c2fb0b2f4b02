/* bitshuffle.h: bitshuffle with LZ4 (Masui et al. 2015), as HDF5's filter 32008 stores a chunk: fast enough to compress
 * as a detector delivers, and written without the plug-in. Thread: any. */
#pragma once

#include <glib.h>

#define FL_BITSHUFFLE_FILTER 32008
#define FL_BITSHUFFLE_LZ4    2 /* the filter's option */

/* The most bytes that `n` elements may take. */
gsize fl_bitshuffle_bound (gsize n, guint element);
/* Compresses `n` elements of `element` bytes into `out`; gives the bytes written. */
gsize fl_bitshuffle_compress (const void *in, gsize n, guint element, guint8 *out);
