/* raster-codec.h: a picture's raster in few bytes, for thin links.
 *
 * Pictures of photons are noise; its square root is all that a bit spent on a pixel can be worth. Values are rounded in a
 * scale in which their noise is the same everywhere (Anscombe, Biometrika 35 (1948) 246, in the form for photons and
 * read-out noise; so do Pence, White & Seaman, PASP 122 (2010) 1065, for astronomical images), rows are predicted from
 * the row above and the pixel to the left, and what is left is Huffman-coded by zlib. Which pixels have no panel or are
 * bad is kept exactly, in runs.
 *
 * The error of a value v is at most an eighth of its noise, σ² = q max (v, q) + r², where q is one photon's share of a
 * raster pixel and r the read-out noise, taken from the picture itself where it has values below zero (else 0). A raster of
 * whole numbers each of which is one detector pixel comes back exactly. Thread: any. */
#pragma once

#include <glib.h>

/* `photon`: counts a photon, > 0. `pixels`: detector pixels a raster pixel is the mean of, 0: each shows one.
 * Values that are not finite: −INFINITY (bad) stays, the others become NaN (no panel). */
GBytes *fl_raster_pack (const float *raster, guint32 width, guint32 height, double photon, double pixels);

/* Into `raster` (width × height). FL_ERROR_INPUT when the bytes are not such a raster; whatever they hold. */
gboolean fl_raster_unpack (gconstpointer bytes, gsize length, guint32 width, guint32 height, float *raster,
                           GError **error);
