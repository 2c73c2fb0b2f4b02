/* shuffle.h: bytes and bits of elements side by side, so that they pack better, and back (private to the room): HDF5's shuffle
 * and bitshuffle (Masui et al. 2015). `element`: bytes of one, at least 1. Input and output do not overlap. Any thread. */
#pragma once

#include <glib.h>

/* From all first bytes, then all second bytes, … of the whole elements in `size` bytes; what is left over stays as it is. */
void fl_unshuffle_bytes (const guint8 *in, guint8 *out, gsize size, guint element);

/* n elements, a multiple of 8, from and to bit planes: plane 8 b + k holds bit k of byte b of all elements, 8 a byte. */
void fl_unshuffle_bits (const guint8 *in, guint8 *out, gsize n, guint element);
void fl_shuffle_bits (const guint8 *in, guint8 *out, gsize n, guint element);
