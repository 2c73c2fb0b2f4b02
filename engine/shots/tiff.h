/* tiff.h: the first image of a TIFF or BigTIFF file with one number a pixel: integers of 8, 16 and 32 bits, floats of 32 and 64,
 * in strips or tiles, plain or packed by PackBits, LZW or deflate, with either predictor, in both byte orders (private to the
 * room; TIFF 6.0 and Adobe's supplements). Every offset and length is checked against the file, every size against what its
 * packed bytes can hold. Thread: an FlTiff is immutable once parsed. */
#pragma once

#include "engine/shots/source.h"

typedef enum
{
  FL_TIFF_PLAIN = 1,
  FL_TIFF_LZW = 5,
  FL_TIFF_DEFLATE = 8,
  FL_TIFF_PACKBITS = 32773,
  FL_TIFF_OLD_DEFLATE = 32946
} FlTiffPacking;

typedef struct
{
  guint64 offset, length; /* bytes in the file */
} FlTiffBlock;

typedef struct
{
  guint n_fs, n_ss; /* px */
  FlPixelType type;
  gboolean big; /* byte order of the file */
  FlTiffPacking packing;
  guint predictor; /* 1: none, 2: differences along a row, 3: of the bytes of floats */
  gboolean tiled;
  guint block_fs, block_ss; /* px of a strip or tile */
  GArray *blocks;           /* of FlTiffBlock, rows of blocks from the top */
  char *description;        /* NULL: none */
  gboolean more;            /* images behind the first */
} FlTiff;

/* NULL: *wrong (g_free) says what. */
FlTiff *fl_tiff_parse (const guint8 *bytes, gsize length, char **wrong);
void fl_tiff_free (FlTiff *tiff);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlTiff, fl_tiff_free)

/* tiff-codec.c. Fills n_fs × n_ss pixels; NULL, or what is wrong. */
const char *fl_tiff_decode (const FlTiff *tiff, const guint8 *bytes, void *out);
