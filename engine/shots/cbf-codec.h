/* cbf-codec.h: decoders of CBF binary sections (private to the room).
 *
 * Packed (Abrahams 1993, as in CCP4's pack_c and imgCIF): each pixel is predicted from the neighbours before it and the
 * differences are stored in runs of 2^k with a common width; version 2 knows more widths. Byte offset: differences to
 * the pixel before in 1, 2, 4 or 8 bytes. Every access is checked against the section's length. Thread: any. */
#pragma once

#include <glib.h>

typedef enum
{
  FL_CBF_NONE,
  FL_CBF_PACKED,
  FL_CBF_PACKED_V2,
  FL_CBF_BYTE_OFFSET
} FlCbfCompression;

typedef struct
{
  FlCbfCompression compression;
  gboolean flat;         /* packed: predicted from the pixel before alone */
  gboolean uncorrelated; /* packed: sections (third dimension) are not predicted from the one before */
  guint element_size;    /* bytes: 1, 2, 4; 8 only uncompressed */
  gsize dims[3];         /* fast, middle, slow; elements */
} FlCbfCoding;

/* No more elements than these can be packed into so many bytes. */
gsize fl_cbf_most_elements (const FlCbfCoding *coding, gsize length);

/* FL_CBF_PADDING bytes behind data + length must be readable. Fills `out` (product of dims times element_size bytes).
 * Returns NULL, or what is wrong. */
#define FL_CBF_PADDING 16
const char *fl_cbf_decode (const FlCbfCoding *coding, const guint8 *data, gsize length, void *out);
