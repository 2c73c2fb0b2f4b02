#include "engine/shots/chunk-encode.h"

#include <lz4.h>
#include <string.h>

#include "engine/shots/shuffle.h"

#define BLOCK_BYTES   8192      /* bitshuffle's own choice */
#define LZ4_BLOCK     (1 << 22) /* bytes */
#define DEFLATE_LEVEL 1

enum
{
  FILTER_LZ4 = 32004,
  FILTER_BITSHUFFLE = 32008,
  BITSHUFFLE_LZ4 = 2
};

/* We write the chunks ourselves, so the plug-in need not be here; where it is, it puts three numbers before ours. */
static void
set_bitshuffle (hid_t create_list, unsigned element)
{
  const unsigned options[5] = { 0, 3, element, 0, BITSHUFFLE_LZ4 };
  gboolean here = H5Zfilter_avail (FILTER_BITSHUFFLE) > 0;
  H5Pset_filter (create_list, FILTER_BITSHUFFLE, H5Z_FLAG_OPTIONAL, here ? 2 : 5,
                 here ? options + 3 : options);
}

void
fl_chunk_set_filter (hid_t create_list, FlCompression compression, gsize element)
{
  if (compression == FL_COMPRESSION_DEFLATE)
    {
      H5Pset_shuffle (create_list);
      H5Pset_deflate (create_list, DEFLATE_LEVEL);
    }
  else if (compression == FL_COMPRESSION_BITSHUFFLE)
    set_bitshuffle (create_list, (unsigned) element);
  else if (compression == FL_COMPRESSION_LZ4)
    {
      unsigned block = LZ4_BLOCK;
      H5Pset_filter (create_list, FILTER_LZ4, H5Z_FLAG_OPTIONAL, 1, &block);
    }
}

gsize
fl_chunk_bound (FlCompression compression, gsize n, gsize element)
{
  gsize block = compression == FL_COMPRESSION_LZ4 ? LZ4_BLOCK : BLOCK_BYTES, blocks = n * element / block + 1;
  return 12 + blocks * (4 + (gsize) LZ4_compressBound ((int) block));
}

static guint8 *
put_be (guint8 *out, guint64 value, int bytes)
{
  for (int i = bytes - 1; i >= 0; i--)
    *out++ = (guint8) (value >> (8 * i));
  return out;
}

static gsize
pack_bitshuffle (const guint8 *in, gsize n, guint element, guint8 *out)
{
  guint8 shuffled[BLOCK_BYTES];
  gsize per_block = BLOCK_BYTES / element / 8 * 8;
  guint8 *at = put_be (put_be (out, n * element, 8), per_block * element, 4);
  gsize whole = n / 8 * 8, left_over = (n - whole) * element;
  for (gsize done = 0; done < whole; done += per_block)
    {
      gsize count = MIN (per_block, whole - done);
      fl_shuffle_bits (in + done * element, shuffled, count, element);
      int stored = LZ4_compress_default ((const char *) shuffled, (char *) at + 4, (int) (count * element),
                                         LZ4_compressBound (BLOCK_BYTES));
      put_be (at, (guint64) stored, 4);
      at += 4 + stored;
    }
  memcpy (at, in + whole * element, left_over);
  return (gsize) (at - out) + left_over;
}

/* A block that LZ4 cannot make smaller is stored as it is. */
static gsize
pack_lz4 (const guint8 *in, gsize size, guint8 *out)
{
  guint8 *at = put_be (put_be (out, size, 8), LZ4_BLOCK, 4);
  for (gsize done = 0; done < size; done += LZ4_BLOCK)
    {
      gsize count = MIN (LZ4_BLOCK, size - done);
      gsize stored = (gsize) LZ4_compress_default ((const char *) in + done, (char *) at + 4, (int) count,
                                                   LZ4_compressBound (LZ4_BLOCK));
      if (stored >= count)
        memcpy (at + 4, in + done, stored = count);
      put_be (at, stored, 4);
      at += 4 + stored;
    }
  return (gsize) (at - out);
}

gsize
fl_chunk_pack (FlCompression compression, const void *in, gsize n, gsize element, guint8 *out)
{
  return compression == FL_COMPRESSION_LZ4 ? pack_lz4 (in, n * element, out)
                                           : pack_bitshuffle (in, n, (guint) element, out);
}

gboolean
fl_chunk_append_frame (hid_t dataset, FlCompression compression, hid_t type, guint64 frame, gsize height,
                       gsize width, const void *pixels, guint8 *packed)
{
  const hsize_t size[3] = { frame + 1, height, width }, at[3] = { frame, 0, 0 };
  gsize n = height * width, element = H5Tget_size (type);
  if (H5Dset_extent (dataset, size) < 0)
    return FALSE;
  if (compression == FL_COMPRESSION_NONE)
    return H5Dwrite_chunk (dataset, H5P_DEFAULT, 0, at, n * element, pixels) >= 0;
  if (compression != FL_COMPRESSION_DEFLATE)
    return H5Dwrite_chunk (dataset, H5P_DEFAULT, 0, at,
                           fl_chunk_pack (compression, pixels, n, element, packed), packed)
           >= 0;
  const hsize_t one[3] = { 1, height, width };
  hid_t memory = H5Screate_simple (3, one, NULL), space = H5Dget_space (dataset);
  gboolean ok = H5Sselect_hyperslab (space, H5S_SELECT_SET, at, NULL, one, NULL) >= 0
                && H5Dwrite (dataset, type, memory, space, H5P_DEFAULT, pixels) >= 0;
  H5Sclose (space);
  H5Sclose (memory);
  return ok;
}
