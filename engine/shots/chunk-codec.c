#include "engine/shots/chunk-codec.h"

#include <lz4.h>
#include <string.h>
#ifdef FL_HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef FL_HAVE_LIBDEFLATE
#include <libdeflate.h>
#else
#include <zlib.h>
#endif

#include "engine/shots/shuffle.h"

enum
{
  FILTER_LZF = 32000,
  FILTER_LZ4 = 32004,
  FILTER_BITSHUFFLE = 32008,
  FILTER_ZSTD = 32015
};

#ifdef FL_HAVE_ZSTD
#define HAVE_ZSTD TRUE
#else
#define HAVE_ZSTD FALSE
#endif

static gboolean
is_known (int id)
{
  return id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_DEFLATE || id == FILTER_LZF || id == FILTER_LZ4
         || id == FILTER_BITSHUFFLE || (id == FILTER_ZSTD && HAVE_ZSTD);
}

gboolean
fl_chunk_codec_init (FlChunkCodec *codec, hid_t create_list, gsize chunk_size)
{
  int n = H5Pget_nfilters (create_list);
  *codec = (FlChunkCodec){ .size = chunk_size };
  if (n < 0 || n > FL_CHUNK_FILTERS)
    return FALSE;
  for (int i = 0; i < n; i++)
    {
      unsigned flags, config, values[16] = { 0 };
      size_t n_values = G_N_ELEMENTS (values);
      int id = H5Pget_filter2 (create_list, (unsigned) i, &flags, &n_values, values, 0, NULL, &config);
      codec->filters[i].id = id;
      if (id == H5Z_FILTER_SHUFFLE)
        codec->filters[i].element = values[0];
      else if (id == FILTER_BITSHUFFLE)
        {
          codec->filters[i].element = values[2];
          guint inside = codec->filters[i].inside = n_values > 4 ? values[4] : FL_BITSHUFFLE_PLAIN;
          if (inside != FL_BITSHUFFLE_PLAIN && inside != FL_BITSHUFFLE_LZ4
              && !(inside == FL_BITSHUFFLE_ZSTD && HAVE_ZSTD))
            return FALSE;
        }
      else if (!is_known (id))
        return FALSE;
      if ((id == H5Z_FILTER_SHUFFLE || id == FILTER_BITSHUFFLE)
          && (codec->filters[i].element == 0 || codec->filters[i].element > 8))
        return FALSE;
    }
  codec->n = (guint) n;
  return TRUE;
}

void
fl_chunk_codec_clear (FlChunkCodec *codec)
{
  for (guint i = 0; i < G_N_ELEMENTS (codec->scratch); i++)
    g_clear_pointer (&codec->scratch[i], g_free);
}

static guint64
read_be (const guint8 *p, guint bytes)
{
  guint64 v = 0;
  for (guint i = 0; i < bytes; i++)
    v = v << 8 | p[i];
  return v;
}

static const char *
inflate_chunk (const guint8 *in, gsize length, guint8 *out, gsize size)
{
#ifdef FL_HAVE_LIBDEFLATE
  /* One a thread: it is only working space, and costs more to make than to use. */
  static _Thread_local struct libdeflate_decompressor *decompressor;
  if (decompressor == NULL)
    decompressor = libdeflate_alloc_decompressor ();
  size_t actual;
  return libdeflate_zlib_decompress (decompressor, in, length, out, size, &actual) == LIBDEFLATE_SUCCESS
                 && actual == size
             ? NULL
             : "deflate data are damaged";
#else
  uLongf actual = size;
  return uncompress (out, &actual, in, length) == Z_OK && actual == size ? NULL : "deflate data are damaged";
#endif
}

static gboolean
unpack_zstd (const guint8 *in, gsize length, guint8 *out, gsize size)
{
#ifdef FL_HAVE_ZSTD
  /* One a thread, as for deflate. */
  static _Thread_local ZSTD_DCtx *context;
  if (context == NULL)
    context = ZSTD_createDCtx ();
  return ZSTD_decompressDCtx (context, out, size, in, length) == size;
#else
  (void) in, (void) length, (void) out, (void) size;
  return FALSE;
#endif
}

/* Marc Lehmann's LZF, h5py's own packing: runs of up to 32 bytes as they are, or at least 3 bytes that came before. */
static const char *
unpack_lzf (const guint8 *in, gsize length, guint8 *out, gsize size)
{
  static const char damaged[] = "LZF data are damaged";
  gsize at = 0, done = 0;
  while (done < size)
    {
      if (at >= length)
        return damaged;
      guint code = in[at++];
      if (code < 32)
        {
          gsize run = code + 1;
          if (run > length - at || run > size - done)
            return damaged;
          memcpy (out + done, in + at, run);
          at += run;
          done += run;
          continue;
        }
      gsize run = (code >> 5) + 2, back = (gsize) (code & 31) << 8;
      if (code >> 5 == 7 && at < length)
        run += in[at++];
      if (at >= length)
        return damaged;
      back += in[at++] + 1u;
      if (back > done || run > size - done)
        return damaged;
      for (gsize i = 0; i < run; i++, done++) /* may overlap what it makes */
        out[done] = out[done - back];
    }
  return NULL;
}

static gboolean
unpack_block (guint inside, const guint8 *in, gsize length, guint8 *out, gsize size)
{
  return inside == FL_BITSHUFFLE_ZSTD
             ? unpack_zstd (in, length, out, size)
             : LZ4_decompress_safe ((const char *) in, (char *) out, (int) length, (int) size) == (int) size;
}

/* Blocks of `block` bytes, each packed (or raw), the last one shorter; what is left over of 8 elements is stored as is. */
static const char *
decode_bitshuffle (const guint8 *in, gsize length, guint8 *out, gsize size, guint element, guint inside,
                   guint8 *scratch)
{
  static const char damaged[] = "bitshuffle data are damaged";
  /* Bitshuffle's own default: 8 kB of elements, in multiples of 8. */
  gsize block = MAX (8192 / element / 8 * 8, 128) * element, at = 0;
  if (inside != FL_BITSHUFFLE_PLAIN)
    {
      if (length < 12 || read_be (in, 8) != size)
        return damaged;
      block = (gsize) read_be (in + 8, 4);
      at = 12;
      if (block == 0 || block % (8 * element) != 0)
        return damaged;
    }
  gsize whole = size / (8 * element) * (8 * element);
  for (gsize done = 0; done < whole;)
    {
      gsize n = MIN (block, whole - done), stored = n;
      if (inside != FL_BITSHUFFLE_PLAIN)
        {
          if (length - at < 4)
            return damaged;
          stored = (gsize) read_be (in + at, 4);
          at += 4;
        }
      if (stored > length - at || stored > G_MAXINT32 || n > G_MAXINT32)
        return damaged;
      const guint8 *planes = in + at;
      if (inside != FL_BITSHUFFLE_PLAIN)
        {
          if (!unpack_block (inside, in + at, stored, scratch, n))
            return damaged;
          planes = scratch;
        }
      fl_unshuffle_bits (planes, out + done, n / element, element);
      at += stored;
      done += n;
    }
  if (length - at < size - whole)
    return damaged;
  memcpy (out + whole, in + at, size - whole);
  return NULL;
}

static const char *
decode_lz4 (const guint8 *in, gsize length, guint8 *out, gsize size)
{
  static const char damaged[] = "LZ4 data are damaged";
  if (length < 12 || read_be (in, 8) != size)
    return damaged;
  gsize block = (gsize) read_be (in + 8, 4), at = 12;
  if (block == 0)
    return damaged;
  for (gsize done = 0; done < size;)
    {
      gsize n = MIN (block, size - done);
      if (length - at < 4)
        return damaged;
      gsize stored = (gsize) read_be (in + at, 4);
      at += 4;
      if (stored > length - at || stored > G_MAXINT32 || n > G_MAXINT32)
        return damaged;
      if (stored == n)
        memcpy (out + done, in + at, n);
      else if (LZ4_decompress_safe ((const char *) in + at, (char *) out + done, (int) stored, (int) n)
               != (int) n)
        return damaged;
      at += stored;
      done += n;
    }
  return NULL;
}

static guint8 *
scratch (FlChunkCodec *codec, guint i)
{
  if (codec->scratch[i] == NULL)
    codec->scratch[i] = g_malloc (codec->size);
  return codec->scratch[i];
}

static const char *
decode_step (FlChunkCodec *codec, guint filter, const guint8 *in, gsize length, guint8 *to)
{
  guint element = codec->filters[filter].element;
  switch (codec->filters[filter].id)
    {
    case H5Z_FILTER_DEFLATE:
      return inflate_chunk (in, length, to, codec->size);
    case FILTER_LZ4:
      return decode_lz4 (in, length, to, codec->size);
    case FILTER_BITSHUFFLE:
      return decode_bitshuffle (in, length, to, codec->size, element, codec->filters[filter].inside,
                                scratch (codec, 2));
    case FILTER_LZF:
      return unpack_lzf (in, length, to, codec->size);
    case FILTER_ZSTD:
      return unpack_zstd (in, length, to, codec->size) ? NULL : "zstd data are damaged";
    case H5Z_FILTER_SHUFFLE:
    default:
      if (length != codec->size)
        return "shuffled data have another length than the chunk";
      fl_unshuffle_bytes (in, to, codec->size, element);
      return NULL;
    }
}

/* The filters are undone from the last to the first, the first one's result going into `out`. */
const char *
fl_chunk_decode (FlChunkCodec *codec, guint32 skipped, const guint8 *in, gsize length, guint8 *out)
{
  guint todo[FL_CHUNK_FILTERS], n = 0;
  for (guint i = codec->n; i-- > 0;)
    if ((skipped & (1u << i)) == 0)
      todo[n++] = i;
  for (guint step = 0; step < n; step++)
    {
      guint8 *to = step + 1 == n ? out : scratch (codec, step % 2);
      const char *wrong = decode_step (codec, todo[step], in, length, to);
      if (wrong != NULL)
        return wrong;
      in = to;
      length = codec->size;
    }
  if (n > 0)
    return NULL;
  if (length != codec->size)
    return "stored data have another length than the chunk";
  memcpy (out, in, length);
  return NULL;
}
