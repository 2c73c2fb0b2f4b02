#include "engine/shots/tiff.h"

#include <string.h>
#include <zlib.h>

static const char early[] = "the packed data end too early";

/* --- packings: fill n bytes --- */

static const char *
unpack_bits (const guint8 *p, gsize length, guint8 *out, gsize n)
{
  const guint8 *end = p + length;
  for (gsize done = 0; done < n;)
    {
      if (p >= end)
        return early;
      gint8 code = (gint8) *p++;
      if (code == G_MININT8)
        continue;
      gsize run = MIN ((gsize) (code >= 0 ? 1 + code : 1 - code), n - done);
      if ((gsize) (end - p) < (code >= 0 ? run : 1))
        return early;
      if (code >= 0)
        memcpy (out + done, p, run);
      else
        memset (out + done, *p, run);
      p += code >= 0 ? run : 1;
      done += run;
    }
  return NULL;
}

#define LZW_CLEAR 256
#define LZW_END   257

/* Every string is the text that the code before stood for and one byte more, so it lies in `out` already: a code is where
 * that text begins and how long it is. Widths grow one code early, as all but the oldest writers have it. */
static const char *
unpack_lzw (const guint8 *p, gsize length, guint8 *out, gsize n)
{
  struct
  {
    gsize at, length;
  } strings[4096], last = { 0, 0 };
  guint next = LZW_END + 1, width = 9, held = 0;
  guint64 bits = 0;
  const guint8 *end = p + length;
  if (length > 1 && p[0] == 0 && (p[1] & 1) != 0)
    return "LZW of the oldest writers, whose bits run the other way, is not read";
  for (gsize done = 0; done < n;)
    {
      for (; held < width && p < end; held += 8)
        bits = bits << 8 | *p++;
      if (held < width)
        return early;
      guint code = (guint) (bits >> (held - width)) & ((1u << width) - 1);
      held -= width;
      if (code == LZW_END)
        return early;
      if (code == LZW_CLEAR)
        {
          next = LZW_END + 1;
          width = 9;
          last.length = 0;
          continue;
        }
      if (code > next || (code == next && last.length == 0) || (code > LZW_END && last.length == 0))
        return "the LZW data hold a code that was never made";
      gsize from = done;
      if (last.length > 0 && next < 4096)
        {
          strings[next].at = last.at;
          strings[next].length = last.length + 1;
          next++;
        }
      else if (code >= next)
        return "the LZW data hold a code that was never made";
      gsize size = code < 256 ? 1 : strings[code].length, kept = MIN (size, n - done);
      if (code < 256)
        out[done] = (guint8) code;
      else /* the text may overlap what it makes */
        for (gsize i = 0; i < kept; i++)
          out[done + i] = out[strings[code].at + i];
      done += kept;
      last.at = from;
      last.length = size;
      width = next >= 2047 ? 12 : next >= 1023 ? 11 : next >= 511 ? 10 : 9;
    }
  return NULL;
}

static const char *
inflate_block (const guint8 *p, gsize length, guint8 *out, gsize n)
{
  z_stream stream = {
    .next_in = (Bytef *) p, .avail_in = (uInt) length, .next_out = out, .avail_out = (uInt) n
  };
  if (inflateInit (&stream) != Z_OK)
    return "no memory for deflate";
  int status = inflate (&stream, Z_FINISH);
  gboolean whole = stream.avail_out == 0;
  inflateEnd (&stream);
  return whole ? NULL : status == Z_DATA_ERROR ? "the deflate data are damaged" : early;
}

static const char *
unpack (const FlTiff *tiff, const guint8 *p, gsize length, guint8 *out, gsize n)
{
  switch (tiff->packing)
    {
    case FL_TIFF_PACKBITS:
      return unpack_bits (p, length, out, n);
    case FL_TIFF_LZW:
      return unpack_lzw (p, length, out, n);
    case FL_TIFF_DEFLATE:
    case FL_TIFF_OLD_DEFLATE:
      return inflate_block (p, length, out, n);
    case FL_TIFF_PLAIN:
    default:
      memcpy (out, p, n);
      return NULL;
    }
}

/* --- byte order and predictors, a row at a time --- */

static void
swap_row (guint8 *row, gsize n, gsize size)
{
  for (gsize i = 0; i < n; i++, row += size)
    for (gsize k = 0; k < size / 2; k++)
      {
        guint8 byte = row[k];
        row[k] = row[size - 1 - k];
        row[size - 1 - k] = byte;
      }
}

static void
add_up (void *row, gsize n, gsize size)
{
  for (gsize i = 1; i < n; i++)
    if (size == 1)
      ((guint8 *) row)[i] = (guint8) (((guint8 *) row)[i] + ((guint8 *) row)[i - 1]);
    else if (size == 2)
      ((guint16 *) row)[i] = (guint16) (((guint16 *) row)[i] + ((guint16 *) row)[i - 1]);
    else
      ((guint32 *) row)[i] += ((guint32 *) row)[i - 1];
}

/* The bytes of a row of floats are stored as differences, all first bytes (the highest) before all second ones. */
static void
join_floats (guint8 *row, gsize n, gsize size, guint8 *planes)
{
  add_up (row, n * size, 1);
  memcpy (planes, row, n * size);
  for (gsize i = 0; i < n; i++)
    for (gsize k = 0; k < size; k++)
      row[i * size + (G_BYTE_ORDER == G_BIG_ENDIAN ? k : size - 1 - k)] = planes[k * n + i];
}

const char *
fl_tiff_decode (const FlTiff *tiff, const guint8 *bytes, void *out)
{
  gsize size = fl_pixel_size (tiff->type), row_size = tiff->block_fs * size;
  g_autofree guint8 *block =
      g_malloc (row_size * MIN (tiff->block_ss, tiff->tiled ? tiff->block_ss : tiff->n_ss));
  g_autofree guint8 *planes = g_malloc (row_size);
  guint across = (tiff->n_fs + tiff->block_fs - 1) / tiff->block_fs;
  for (guint i = 0; i < tiff->blocks->len; i++)
    {
      const FlTiffBlock *at = &g_array_index (tiff->blocks, FlTiffBlock, i);
      guint x = i % across * tiff->block_fs, y = i / across * tiff->block_ss;
      guint columns = MIN (tiff->block_fs, tiff->n_fs - x), rows = MIN (tiff->block_ss, tiff->n_ss - y);
      const char *wrong = unpack (tiff, bytes + at->offset, at->length, block,
                                  row_size * (tiff->tiled ? tiff->block_ss : rows));
      if (wrong != NULL)
        return wrong;
      for (guint r = 0; r < rows; r++)
        {
          guint8 *row = block + r * row_size;
          if (tiff->predictor == 3)
            join_floats (row, tiff->block_fs, size, planes);
          else if (tiff->big != (G_BYTE_ORDER == G_BIG_ENDIAN))
            swap_row (row, tiff->block_fs, size);
          if (tiff->predictor == 2)
            add_up (row, tiff->block_fs, size);
          memcpy ((guint8 *) out + ((gsize) (y + r) * tiff->n_fs + x) * size, row, columns * size);
        }
    }
  return NULL;
}
