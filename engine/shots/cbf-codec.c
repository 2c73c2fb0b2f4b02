#include "engine/shots/cbf-codec.h"

#include <string.h>

/* --- packed --- */

/* Bits before the first run: number of elements, minimum, maximum, reserved, 64 each. */
#define PACKED_HEADER 32
/* The widest code stands for a whole element; without prediction it takes one bit more than 64. */
#define WHOLE 65

static inline guint64
load_le64 (const guint8 *p)
{
  guint64 v;
  memcpy (&v, p, sizeof v);
  return GUINT64_FROM_LE (v);
}

/* Differences as stored, sign extended, run by run: 3 bits give log2 of the run's length, 3 (version 2: 4) its width. */
static const char *
unpack (const guint8 *data, gsize length, gint32 *out, gsize n, gboolean v2, guint whole)
{
  static const guint8 widths[2][16] = { { 0, 4, 5, 6, 7, 8, 16, WHOLE },
                                        { 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, WHOLE } };
  guint code_bits = v2 ? 7 : 6;
  guint64 at = 0, end = (guint64) length * 8;
  for (gsize done = 0; done < n;)
    {
      if (end - at < code_bits)
        return "the packed data end too early";
      guint code = (guint) (load_le64 (data + (at >> 3)) >> (at & 7)) & ((1u << code_bits) - 1);
      gsize run = MIN ((gsize) 1 << (code & 7), n - done);
      guint width = widths[v2][code >> 3];
      if (width == WHOLE)
        width = whole;
      at += code_bits;
      if (end - at < run * width)
        return "the packed data end too early";
      gint32 *to = out + done;
      if (width == 0)
        memset (to, 0, run * sizeof *to);
      else
        {
          guint kept = MIN (width, 32), shift = 64 - kept;
          for (gsize i = 0; i < run; i++, at += width)
            to[i] = (gint32) ((gint64) (load_le64 (data + (at >> 3)) >> (at & 7) << shift) >> shift);
        }
      done += run;
    }
  return NULL;
}

/* What an element of the file's width holds, in an int: `shift` is 32 − its bits. */
static inline gint32
wrap (guint32 v, guint shift)
{
  return (gint32) (v << shift) >> shift;
}

/* (sum + half) >> log2, with the sum as an element of the file's width. */
static inline guint32
average (guint32 sum, guint log2, guint shift)
{
  return (guint32) ((gint32) ((guint32) wrap (sum, shift) + (1u << log2 >> 1)) >> log2);
}

/* Adds the predictions to a row of differences. `up` is the row above, `before` the same row of the section before and
 * `before_up` the row above that (NULL: not used). Inner pixels have 4 neighbours (left and three above) or 8 (the same
 * and one to the right, in the section before); at both ends half as many. */
static inline __attribute__ ((always_inline)) void
predict_row (guint32 *row, const guint32 *up, const guint32 *before, const guint32 *before_up, guint32 *sums,
             gsize n, guint shift)
{
  guint more = before != NULL;
  if (n == 1)
    {
      row[0] = (guint32) wrap (row[0] + up[0], shift);
      return;
    }
  for (gsize i = 1; i + 1 < n; i++)
    sums[i] = up[i - 1] + up[i] + up[i + 1];
  if (more)
    for (gsize i = 1; i + 1 < n; i++)
      sums[i] += before[i] + before_up[i - 1] + before_up[i] + before_up[i + 1];
  guint32 first = up[0] + up[1] + (more ? before_up[0] + before_up[1] : 0);
  guint32 left = row[0] = (guint32) wrap (row[0] + average (first, 1 + more, shift), shift);
  for (gsize i = 1; i + 1 < n; i++)
    row[i] = left = (guint32) wrap (row[i] + average (sums[i] + left, 2 + more, shift), shift);
  guint32 last = left + up[n - 1] + (more ? before[n - 1] + before_up[n - 1] : 0);
  row[n - 1] = (guint32) wrap (row[n - 1] + average (last, 1 + more, shift), shift);
}

static inline __attribute__ ((always_inline)) void
predict (guint32 *v, const gsize dims[3], gboolean uncorrelated, guint shift, guint32 *sums)
{
  gsize n = dims[0], plane = n * dims[1];
  for (gsize s = 0; s < dims[2]; s++)
    for (gsize m = 0; m < dims[1]; m++)
      {
        guint32 *row = v + s * plane + m * n;
        gboolean use_before = s > 0 && !uncorrelated;
        if (m > 0)
          {
            predict_row (row, row - n, use_before ? row - plane : NULL, use_before ? row - plane - n : NULL,
                         sums, n, shift);
            continue;
          }
        row[0] = (guint32) wrap (row[0] + (s > 0 ? *(row - plane) : 0), shift);
        for (gsize i = 1; i < n; i++)
          row[i] = (guint32) wrap (row[i] + row[i - 1], shift);
      }
}

static const char *
decode_packed (const FlCbfCoding *coding, const guint8 *data, gsize length, gint32 *out, gsize n)
{
  gboolean v2 = coding->compression == FL_CBF_PACKED_V2;
  guint shift = 32 - 8 * coding->element_size;
  if (length < PACKED_HEADER)
    return "the packed data end too early";
  if (load_le64 (data) != n)
    return "the packed data have another number of elements than the header";
  const char *wrong = unpack (data + PACKED_HEADER, length - PACKED_HEADER, out, n, v2,
                              coding->flat ? WHOLE : 8 * coding->element_size);
  if (wrong != NULL)
    return wrong;
  guint32 *v = (guint32 *) out;
  if (coding->flat)
    {
      for (gsize i = 1; i < n; i++)
        v[i] = (guint32) wrap (v[i] + v[i - 1], shift);
      return NULL;
    }
  g_autofree guint32 *sums = g_new (guint32, coding->dims[0]);
  if (shift == 0)
    predict (v, coding->dims, coding->uncorrelated, 0, sums);
  else
    predict (v, coding->dims, coding->uncorrelated, shift, sums);
  return NULL;
}

/* --- byte offset --- */

static const char *
decode_byte_offset (const guint8 *data, gsize length, gint32 *out, gsize n)
{
  static const char early[] = "the byte-offset data end too early";
  const guint8 *p = data, *end = data + length;
  guint32 value = 0;
  for (gsize i = 0; i < n; i++)
    {
      /* At most 1 + 2 + 4 + 8 bytes are looked at, within the padding; the end is checked afterwards. */
      if (p >= end)
        return early;
      gint8 d1 = (gint8) *p++;
      guint64 delta = (guint64) (gint64) d1;
      if (d1 == G_MININT8)
        {
          gint16 d2 = (gint16) load_le64 (p);
          p += 2;
          delta = (guint64) (gint64) d2;
          if (d2 == G_MININT16)
            {
              gint32 d4 = (gint32) load_le64 (p);
              p += 4;
              delta = (guint64) (gint64) d4;
              if (d4 == G_MININT32)
                {
                  delta = load_le64 (p);
                  p += 8;
                }
            }
        }
      value += (guint32) delta;
      out[i] = (gint32) value;
    }
  return p <= end ? NULL : early;
}

/* --- all --- */

gsize
fl_cbf_most_elements (const FlCbfCoding *coding, gsize length)
{
  if (coding->compression == FL_CBF_NONE)
    return length / coding->element_size;
  /* Packed: 128 elements without a difference take one code of at least 6 bits. */
  return coding->compression == FL_CBF_BYTE_OFFSET ? length : length * 8 / 6 * 128;
}

static const char *
decode_none (const FlCbfCoding *coding, const guint8 *data, gsize length, void *out, gsize n)
{
  if (length < n * coding->element_size)
    return "the data end too early";
  memcpy (out, data, n * coding->element_size);
#if G_BYTE_ORDER == G_BIG_ENDIAN
#error "CBF sections are little-endian: swap here"
#endif
  return NULL;
}

static void
narrow (const gint32 *in, gsize n, guint element_size, void *out)
{
  for (gsize i = 0; i < n; i++)
    if (element_size == 1)
      ((guint8 *) out)[i] = (guint8) in[i];
    else
      ((guint16 *) out)[i] = (guint16) in[i];
}

const char *
fl_cbf_decode (const FlCbfCoding *coding, const guint8 *data, gsize length, void *out)
{
  gsize n = coding->dims[0] * coding->dims[1] * coding->dims[2];
  if (coding->compression == FL_CBF_NONE)
    return decode_none (coding, data, length, out, n);
  gboolean direct = coding->element_size == 4;
  g_autofree gint32 *wide = direct ? NULL : g_new (gint32, n);
  gint32 *to = direct ? out : wide;
  const char *wrong = coding->compression == FL_CBF_BYTE_OFFSET ? decode_byte_offset (data, length, to, n)
                                                                : decode_packed (coding, data, length, to, n);
  if (wrong == NULL && !direct)
    narrow (wide, n, coding->element_size, out);
  return wrong;
}
