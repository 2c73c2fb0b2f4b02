/* The bytes: u8 version, u8 mode, two zeros, f64 q, f64 variance at zero, u32 bytes of what follows unpacked; then a zlib
 * stream of: runs (u32 bytes of them, then each a number in sevens, length << 2 | kind), escapes (u32 how many, then i32
 * each), one byte a band of rows (its predictor), one byte a pixel that has a value. Little-endian. */
#include "engine/view/raster-codec.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"

#define VERSION    1
#define HEADER     24
#define BAND       16   /* rows that share a predictor */
#define JUDGED     5    /* of so many of them one is tried with every predictor */
#define STEPS      4.75 /* levels a standard deviation: an eighth of it, with room for the scale's bend */
#define FAST_LEVEL 1e5
#define MAX_LEVEL  1e9
#define MAX_EXACT  16777216.0 /* what a float holds as a whole number, and its neighbours too */
#define ESCAPE     255
#define N_SAMPLES  8192u
#define LOG2_E     1.4426950408889634

typedef enum
{
  SCALED, /* levels of equal noise */
  EXACT,  /* whole numbers */
  PLAIN,  /* floats: values that no scale holds */
  N_MODES
} Mode;

typedef enum
{
  VALUE,
  NO_PANEL,
  BAD,
  N_KINDS
} Kind;

typedef enum
{
  NOTHING,
  ABOVE,
  AROUND, /* mean of left, above left, above, above right */
  N_PREDICTORS
} Predictor;

typedef struct
{
  Mode mode;
  double q, zero;            /* variance is zero + q v, for v > 0 */
  double root, slope, below; /* of zero; levels a root; levels a count, for v < 0 */
  double highest;            /* level, or lowest, of the picture */
} Scale;

/* --- the scale --- */

static Scale
make_scale (Mode mode, double q, double zero)
{
  double root = sqrt (zero);
  return (Scale){ mode, q, zero, root, 2 * STEPS / q, STEPS / root, 0 };
}

static gint32
level_of (const Scale *s, float v)
{
  double u = v;
  if (s->mode == SCALED)
    u = v >= 0 ? s->slope * (sqrt (s->zero + s->q * u) - s->root) : u * s->below;
  return (gint32) (u + (u < 0 ? -0.5 : 0.5));
}

static float
value_of (const Scale *s, gint32 level)
{
  if (s->mode == EXACT)
    return (float) level;
  if (level < 0)
    return (float) (level / s->below);
  double root = level / s->slope + s->root;
  return (float) ((root * root - s->zero) / s->q);
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float fa = *(const float *) a, fb = *(const float *) b;
  return fa < fb ? -1 : fa > fb;
}

/* Median of the values; their noise, from the median of the differences between neighbours; the read-out noise, from the
 * values below zero, where there are no photons (0: there are hardly any such). */
typedef struct
{
  double level, sigma, read_out;
} Seen;

static Seen
look_at (const float *raster, gsize n)
{
  g_autofree float *values = g_new (float, N_SAMPLES), *differences = g_new (float, N_SAMPLES);
  guint found = 0, below = 0;
  gsize stride = n / N_SAMPLES + 1;
  for (gsize i = 0; i + 1 < n && found < N_SAMPLES; i += stride)
    if (isfinite (raster[i]) && isfinite (raster[i + 1]))
      {
        values[found] = raster[i];
        differences[found++] = fabsf (raster[i + 1] - raster[i]);
        below += raster[i] < 0;
      }
  if (found == 0)
    return (Seen){ 0 };
  qsort (values, found, sizeof *values, compare_floats);
  qsort (differences, found, sizeof *differences, compare_floats);
  return (Seen){ .level = (double) values[found / 2],
                 .sigma = (double) differences[found / 2] / (0.6745 * G_SQRT2),
                 .read_out = below > found / 100 ? -(double) values[below / 2] / 0.6745 : 0 };
}

static Scale
choose_scale (const float *raster, gsize n, double photon, double pixels)
{
  float least = INFINITY, most = -INFINITY;
  gboolean whole = TRUE;
  for (gsize i = 0; i < n; i++)
    {
      float v = raster[i];
      if (!isfinite (v))
        continue;
      least = v < least ? v : least;
      most = v > most ? v : most;
      whole &= v == truncf (v);
    }
  double top = fmax (fabs ((double) most), fabs ((double) least));
  if (least > most)
    return make_scale (EXACT, 1, 1); /* no values at all */
  if (whole && pixels == 0 && top < MAX_EXACT)
    return make_scale (EXACT, 1, 1);
  Seen seen = look_at (raster, n);
  double q = photon / fmax (pixels, 1);
  /* Less noise than photons would make: they are not counted in these units. */
  if (!whole && seen.sigma > 0 && seen.level > 0 && seen.sigma * seen.sigma < q * seen.level / 4)
    q = seen.sigma * seen.sigma / seen.level;
  else if (!whole && seen.sigma == 0)
    q = fmin (q, top / 64);
  double zero = fmax (q * q / 4, seen.read_out * seen.read_out);
  Scale scale = make_scale (SCALED, q, zero);
  scale.highest = fmax (scale.slope * sqrt (zero + q * top), least < 0 ? scale.below * top : 0);
  gboolean holds = q > 1e-30 && zero > 1e-60 && scale.highest < MAX_LEVEL;
  if (!holds)
    scale.mode = PLAIN;
  return scale;
}

/* --- little helpers of the stream --- */

static void
put_u32 (GByteArray *out, guint32 value)
{
  value = GUINT32_TO_LE (value);
  g_byte_array_append (out, (const guint8 *) &value, sizeof value);
}

static void
put_number (GByteArray *out, guint64 value)
{
  guint8 bytes[10];
  guint n = 0;
  for (; value >= 0x80; value >>= 7)
    bytes[n++] = (guint8) (value | 0x80);
  bytes[n++] = (guint8) value;
  g_byte_array_append (out, bytes, n);
}

typedef struct
{
  const guint8 *at, *end;
  gboolean good;
} Reader;

static const guint8 *
take (Reader *r, gsize length)
{
  r->good &= (gsize) (r->end - r->at) >= length;
  if (!r->good)
    return NULL;
  r->at += length;
  return r->at - length;
}

static guint32
take_u32 (Reader *r)
{
  guint32 value = 0;
  const guint8 *bytes = take (r, sizeof value);
  if (bytes != NULL)
    memcpy (&value, bytes, sizeof value);
  return GUINT32_FROM_LE (value);
}

static guint64
take_number (Reader *r)
{
  guint64 value = 0;
  for (guint shift = 0; shift < 64; shift += 7)
    {
      const guint8 *byte = take (r, 1);
      if (byte == NULL)
        return 0;
      value |= (guint64) (*byte & 0x7f) << shift;
      if (*byte < 0x80)
        return value;
    }
  r->good = FALSE;
  return 0;
}

/* --- kinds of pixels, in runs --- */

static Kind
kind_of (float v)
{
  return isfinite (v) ? VALUE : v < 0 ? BAD : NO_PANEL;
}

static void
put_runs (GByteArray *out, const float *raster, gsize n)
{
  g_autoptr (GByteArray) runs = g_byte_array_new ();
  for (gsize i = 0; i < n;)
    {
      Kind kind = kind_of (raster[i]);
      gsize from = i;
      while (i < n && kind_of (raster[i]) == kind)
        i++;
      put_number (runs, (guint64) (i - from) << 2 | kind);
    }
  put_u32 (out, runs->len);
  g_byte_array_append (out, runs->data, runs->len);
}

/* Values that have none yet get what stands for their kind; a VALUE becomes 0. Returns how many these are; −1: damaged. */
static gssize
take_runs (Reader *r, float *raster, gsize n)
{
  static const float stands[N_KINDS] = { 0, NAN, -INFINITY };
  guint32 length = take_u32 (r);
  const guint8 *bytes = take (r, length);
  Reader runs = { bytes, bytes != NULL ? bytes + length : NULL, bytes != NULL };
  gsize at = 0, values = 0;
  while (runs.good && at < n)
    {
      guint64 number = take_number (&runs), count = number >> 2;
      Kind kind = (Kind) (number & 3);
      if (!runs.good || count == 0 || count > n - at || kind >= N_KINDS)
        return -1;
      for (gsize i = 0; i < count; i++)
        raster[at + i] = stands[kind];
      values += kind == VALUE ? count : 0;
      at += count;
    }
  return runs.good && runs.at == runs.end ? (gssize) values : -1;
}

/* --- prediction. A pixel without a value counts as the one to its left --- */

static inline gint32
predict (Predictor how, const gint32 *row, const gint32 *above, gsize x, gsize width)
{
  if (how == NOTHING)
    return 0;
  if (how == ABOVE)
    return above[x];
  gsize left = x > 0 ? x - 1 : 0, right = MIN (x + 1, width - 1);
  gint64 w = x > 0 ? row[left] : above[0];
  return (gint32) ((w + above[left] + above[x] + above[right] + 2) >> 2);
}

static inline guint32
folded (gint32 value) /* 0, −1, 1, −2 … as 0, 1, 2, 3 … */
{
  return (guint32) value << 1 ^ (guint32) (value >> 31);
}

static inline gint32
unfolded (guint32 value)
{
  return (gint32) (value >> 1) ^ -(gint32) (value & 1);
}

/* As level_of(), of many values at a time: in floats, which hold the levels of all but the brightest to a hundredth. */
static void
fast_levels (const Scale *s, const float *raster, gsize n, gint32 *levels)
{
  float q = (float) s->q, zero = (float) s->zero, root = (float) s->root;
  float slope = (float) s->slope, below = (float) s->below;
  for (gsize i = 0; i < n; i++)
    {
      float v = fabsf (raster[i]) <= FLT_MAX ? raster[i] : 0;
      float u = v >= 0 ? slope * (sqrtf (zero + q * fabsf (v)) - root) : below * v;
      levels[i] = (gint32) (u + copysignf (0.5f, u));
    }
}

static gint32 *
make_levels (const Scale *scale, const float *raster, gsize width, gsize height)
{
  gsize n = width * height;
  gint32 *levels = g_new (gint32, n);
  gboolean fast = scale->mode == SCALED && scale->highest < FAST_LEVEL;
  if (fast)
    fast_levels (scale, raster, n, levels);
  for (gsize i = 0; i < n; i++)
    if (!isfinite (raster[i]))
      levels[i] = i % width > 0 ? levels[i - 1] : i > 0 ? levels[i - width] : 0;
    else if (!fast)
      levels[i] = level_of (scale, raster[i]);
  return levels;
}

typedef struct
{
  const float *raster;
  const gint32 *levels, *zeros; /* zeros: what is above the first row */
  gsize width, height;
} Rows;

static inline gsize
rows_residuals (const Rows *rows, gsize y0, gsize step, Predictor how, guint32 *out)
{
  gsize n = 0;
  for (gsize y = y0; y < MIN (y0 + BAND, rows->height); y += step)
    {
      const gint32 *row = rows->levels + y * rows->width;
      const gint32 *above = y > 0 ? row - rows->width : rows->zeros;
      const float *values = rows->raster + y * rows->width;
      for (gsize x = 0; x < rows->width; x++)
        {
          out[n] = folded ((gint32) ((guint32) row[x] - (guint32) predict (how, row, above, x, rows->width)));
          n += isfinite (values[x]);
        }
    }
  return n;
}

/* Residuals of every `step`-th row of the band from row y0, of the pixels with values, into `out`; returns how many. */
static gsize
band_residuals (const Rows *rows, gsize y0, gsize step, Predictor how, guint32 *out)
{
  return how == NOTHING ? rows_residuals (rows, y0, step, NOTHING, out)
         : how == ABOVE ? rows_residuals (rows, y0, step, ABOVE, out)
                        : rows_residuals (rows, y0, step, AROUND, out);
}

/* Bits, about, by Shannon's measure. */
static double
cost (const guint32 *residuals, gsize n)
{
  guint32 counts[ESCAPE + 1] = { 0 };
  double bits = 0;
  for (gsize i = 0; i < n; i++)
    counts[MIN (residuals[i], ESCAPE)]++;
  for (guint i = 0; i <= ESCAPE; i++)
    if (counts[i] > 0)
      bits -= counts[i] * log ((double) counts[i] / (double) n) * LOG2_E;
  return bits + 32.0 * counts[ESCAPE];
}

static void
put_residuals (GByteArray *out, const Rows *rows)
{
  g_autoptr (GByteArray) escapes = g_byte_array_new (), bands = g_byte_array_new ();
  gsize n_symbols = 0, n;
  g_autofree guint8 *symbols = g_malloc (rows->width * rows->height + 1);
  g_autofree guint32 *residuals = g_new (guint32, BAND * rows->width + 1);
  for (gsize y = 0; y < rows->height; y += BAND)
    {
      guint8 best = 0;
      double least = INFINITY;
      for (guint8 how = 0; how < N_PREDICTORS; how++)
        {
          n = band_residuals (rows, y, JUDGED, (Predictor) how, residuals);
          double bits = cost (residuals, n);
          best = bits < least ? how : best;
          least = MIN (least, bits);
        }
      n = band_residuals (rows, y, 1, (Predictor) best, residuals);
      g_byte_array_append (bands, &best, 1);
      for (gsize i = 0; i < n; i++)
        {
          symbols[n_symbols++] = (guint8) MIN (residuals[i], ESCAPE);
          if (residuals[i] >= ESCAPE)
            put_u32 (escapes, residuals[i]);
        }
    }
  put_u32 (out, escapes->len / 4);
  g_byte_array_append (out, escapes->data, escapes->len);
  g_byte_array_append (out, bands->data, bands->len);
  g_byte_array_append (out, symbols, (guint) n_symbols);
}

/* --- the whole --- */

static GBytes *
squeeze (const Scale *scale, const GByteArray *raw)
{
  z_stream z = { 0 };
  int strategy = scale->mode == PLAIN ? Z_DEFAULT_STRATEGY : Z_RLE;
  if (deflateInit2 (&z, 1, Z_DEFLATED, 15, 9, strategy) != Z_OK)
    g_error ("zlib has no memory");
  gsize most = deflateBound (&z, raw->len);
  guint8 *out = g_malloc0 (HEADER + most);
  guint32 length = GUINT32_TO_LE (raw->len);
  out[0] = VERSION;
  out[1] = (guint8) scale->mode;
  memcpy (out + 4, &scale->q, sizeof scale->q);
  memcpy (out + 12, &scale->zero, sizeof scale->zero);
  memcpy (out + 20, &length, sizeof length);
  z.next_in = raw->data;
  z.avail_in = raw->len;
  z.next_out = out + HEADER;
  z.avail_out = (uInt) most;
  deflate (&z, Z_FINISH);
  gsize packed = z.total_out;
  deflateEnd (&z);
  return g_bytes_new_take (g_realloc (out, HEADER + packed), HEADER + packed);
}

GBytes *
fl_raster_pack (const float *raster, guint32 width, guint32 height, double photon, double pixels)
{
  gsize n = (gsize) width * height;
  g_autoptr (GByteArray) raw = g_byte_array_new ();
  Scale scale = choose_scale (raster, n, photon > 0 ? photon : 1, pixels);
  if (scale.mode == PLAIN)
    g_byte_array_append (raw, (const guint8 *) raster, (guint) (n * sizeof *raster));
  else
    {
      g_autofree gint32 *levels = make_levels (&scale, raster, width, height);
      g_autofree gint32 *zeros = g_new0 (gint32, width);
      Rows rows = { raster, levels, zeros, width, height };
      put_runs (raw, raster, n);
      put_residuals (raw, &rows);
    }
  return squeeze (&scale, raw);
}

typedef struct
{
  const guint8 *bands, *symbols;
  Reader escapes;
} Residuals;

/* The rows' levels in turn; only the last two are kept. */
static gboolean
take_rows (Residuals *r, const Scale *scale, gsize width, gsize height, float *raster)
{
  g_autofree gint32 *room = g_new0 (gint32, 2 * width);
  for (gsize y = 0; y < height; y++)
    {
      gint32 *row = room + (y % 2) * width;
      const gint32 *above = room + ((y + 1) % 2) * width;
      float *values = raster + y * width;
      Predictor how = (Predictor) r->bands[y / BAND];
      if (how >= N_PREDICTORS)
        return FALSE;
      for (gsize x = 0; x < width; x++)
        {
          if (!isfinite (values[x]))
            {
              row[x] = x > 0 ? row[x - 1] : above[0];
              continue;
            }
          guint32 symbol = *r->symbols++;
          if (symbol == ESCAPE)
            symbol = take_u32 (&r->escapes);
          row[x] = (gint32) ((guint32) predict (how, row, above, x, width) + (guint32) unfolded (symbol));
          values[x] = value_of (scale, row[x]);
        }
    }
  return r->escapes.good;
}

static gboolean
take_raster (Reader *r, const Scale *scale, guint32 width, guint32 height, float *raster)
{
  gsize n = (gsize) width * height, n_bands = (height + BAND - 1) / BAND;
  if (scale->mode == PLAIN)
    {
      const guint8 *bytes = take (r, n * sizeof *raster);
      for (gsize i = 0; bytes != NULL && i < n; i++)
        {
          memcpy (&raster[i], bytes + i * sizeof *raster, sizeof *raster);
          raster[i] = raster[i] > FLT_MAX ? NAN : raster[i];
        }
      return bytes != NULL;
    }
  gssize values = take_runs (r, raster, n);
  guint32 n_escapes = take_u32 (r);
  const guint8 *escapes = take (r, (gsize) n_escapes * 4), *bands = take (r, n_bands);
  const guint8 *symbols = values >= 0 ? take (r, (gsize) values) : NULL;
  if (symbols == NULL || !r->good)
    return FALSE;
  Residuals residuals = { bands, symbols, { escapes, escapes + (gsize) n_escapes * 4, TRUE } };
  return take_rows (&residuals, scale, width, height, raster);
}

gboolean
fl_raster_unpack (gconstpointer bytes, gsize length, guint32 width, guint32 height, float *raster,
                  GError **error)
{
  const guint8 *in = bytes;
  Mode mode = N_MODES;
  double q = 0, zero = 0;
  guint32 size = 0;
  gsize n = (gsize) width * height;
  if (length > HEADER && in[0] == VERSION)
    {
      mode = (Mode) in[1];
      memcpy (&q, in + 4, sizeof q);
      memcpy (&zero, in + 12, sizeof zero);
      memcpy (&size, in + 20, sizeof size);
      size = GUINT32_FROM_LE (size);
    }
  /* An escape takes four bytes more than the pixel's one, a run at most ten. */
  gboolean sane =
      mode < N_MODES && isfinite (q) && q > 0 && isfinite (zero) && zero > 0 && size <= 64 + n * 16;
  Scale scale = make_scale (mode, q, zero);
  g_autofree guint8 *raw = sane ? g_try_malloc (size + 1) : NULL;
  uLongf got = size;
  Reader reader = { raw, raw != NULL ? raw + size : NULL, raw != NULL };
  if (raw != NULL && uncompress (raw, &got, in + HEADER, (uLong) (length - HEADER)) == Z_OK && got == size
      && take_raster (&reader, &scale, width, height, raster) && reader.at == reader.end)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "view reply: a compact image of %u × %u in %zu bytes is damaged", width, height, length);
  return FALSE;
}
