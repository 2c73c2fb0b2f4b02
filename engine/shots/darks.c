#include "engine/shots/darks.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/calibration-constants.h"
#include "engine/shots/constants-files.h"

#define STEPS       16 /* to one, where raw values may be real numbers */
#define LARGEST     ((gint64) 1 << 24)
#define NO_STAGE    255
#define MANY        0.1 /* of the shots */
#define LEAST_SIGMA 1.0 /* ADU: values are whole numbers */

enum
{
  SHOTS,
  SUM,
  SQUARES,
  OUTLIERS,
  SUMS
};

FlDarks *
fl_darks_new (FlDetectorKind kind, guint epix_mode, gsize n_pixels, GError **error)
{
  static const guint8 jungfrau[4] = { 0, 1, NO_STAGE, 2 };
  /* FH FM FL AHL AML: with bit 14 clear, and set. */
  static const guint8 epix[][2] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 5 }, { 4, 6 } };
  if (kind == FL_DETECTOR_AUTO || kind == FL_DETECTOR_AGIPD
      || (kind == FL_DETECTOR_EPIX10K && (epix_mode < 1 || epix_mode > G_N_ELEMENTS (epix))))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "detector.kind %s: no darks of it, expected jungfrau, cspad, plain, or epix10k with "
                   "detector.epix_mode",
                   fl_detector_kind_name (kind));
      return NULL;
    }
  FlDarks *darks = g_new0 (FlDarks, 1);
  darks->kind = kind;
  darks->n_stages = kind == FL_DETECTOR_JUNGFRAU ? 3 : kind == FL_DETECTOR_EPIX10K ? FL_GAIN_STAGES : 1;
  darks->n_pixels = n_pixels;
  darks->n_sums = SUMS * darks->n_stages * n_pixels;
  darks->sums = g_new0 (guint64, darks->n_sums);
  for (guint code = 0; code < 4; code++)
    darks->stage_of[code] = kind == FL_DETECTOR_JUNGFRAU  ? jungfrau[code]
                            : kind == FL_DETECTOR_EPIX10K ? (code < 2 ? epix[epix_mode - 1][code] : NO_STAGE)
                                                          : 0;
  return darks;
}

void
fl_darks_free (FlDarks *darks)
{
  if (darks == NULL)
    return;
  g_free (darks->sums);
  g_free (darks->low);
  g_free (darks->high);
  g_free (darks);
}

/* --- adding --- */

static inline void
add (FlDarks *darks, gsize at, gint64 value)
{
  guint64 *sums = darks->sums + SUMS * at;
  sums[SHOTS]++;
  if (darks->low != NULL && ((float) value < darks->low[at] || (float) value > darks->high[at]))
    {
      sums[OUTLIERS]++;
      return;
    }
  sums[SUM] += (guint64) value; /* modulo 2^64, as negative numbers are */
  sums[SQUARES] += (guint64) (value * value);
}

static gboolean
is_switching (const FlDarks *darks)
{
  return darks->kind == FL_DETECTOR_JUNGFRAU || darks->kind == FL_DETECTOR_EPIX10K;
}

gboolean
fl_darks_add (FlDarks *darks, const FlShot *shot, const char *path, GError **error)
{
  gboolean switching = is_switching (darks);
  if (shot->n_pixels != darks->n_pixels
      || (switching && shot->type != FL_PIXEL_U16 && shot->type != FL_PIXEL_I16))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: %" G_GSIZE_FORMAT " pixels of another type or number, expected %" G_GSIZE_FORMAT
                   " raw ones of a %s",
                   path, shot->n_pixels, darks->n_pixels, fl_detector_kind_name (darks->kind));
      return FALSE;
    }
  const guint16 *raw = shot->pixels;
  for (gsize i = 0; i < darks->n_pixels; i++)
    {
      if (switching)
        {
          guint stage = darks->stage_of[raw[i] >> 14];
          if (stage != NO_STAGE)
            add (darks, stage * darks->n_pixels + i, raw[i] & 0x3fff);
          continue;
        }
      double value = fl_shot_value (shot, i) * STEPS;
      if (fabs (value) < (double) LARGEST)
        add (darks, i, llrint (value));
    }
  return TRUE;
}

/* --- what sums tell --- */

typedef struct
{
  double n, mean, rms; /* n: without outliers */
} Moments;

static Moments
moments (const FlDarks *darks, gsize at)
{
  const guint64 *sums = darks->sums + SUMS * at;
  Moments m = { .n = (double) (sums[SHOTS] - sums[OUTLIERS]) };
  if (m.n == 0)
    return m;
  m.mean = (double) (gint64) sums[SUM] / m.n;
  m.rms = sqrt (MAX (((double) sums[SQUARES] - m.n * m.mean * m.mean) / MAX (m.n - 1, 1), 0));
  return m;
}

void
fl_darks_clip (FlDarks *darks, const FlDarkRules *rules)
{
  gsize n = darks->n_stages * darks->n_pixels;
  double least = is_switching (darks) ? LEAST_SIGMA : STEPS * LEAST_SIGMA;
  if (darks->low == NULL)
    {
      darks->low = g_new (float, n);
      darks->high = g_new (float, n);
    }
  for (gsize at = 0; at < n; at++)
    {
      Moments m = moments (darks, at);
      double width = rules->clip * MAX (m.rms, least);
      darks->low[at] = (float) (m.mean - width);
      darks->high[at] = (float) (m.mean + width);
    }
  memset (darks->sums, 0, darks->n_sums * sizeof *darks->sums);
}

static void
new_array (const FlDarks *darks, FlNdarray *array)
{
  array->n_dims = 2;
  array->dims[0] = darks->n_stages;
  array->dims[1] = darks->n_pixels;
  array->n = darks->n_stages * darks->n_pixels;
  array->values = g_new0 (float, array->n);
}

void
fl_dark_arrays_clear (FlDarkArrays *arrays)
{
  fl_ndarray_clear (&arrays->pedestal);
  fl_ndarray_clear (&arrays->rms);
  fl_ndarray_clear (&arrays->status);
}

static double
median_rms (const FlDarks *darks, const float *rms)
{
  g_autofree float *sorted = g_new (float, darks->n_pixels);
  gsize n = 0;
  for (gsize i = 0; i < darks->n_pixels; i++)
    if (!isnan (rms[i]))
      sorted[n++] = rms[i];
  return (double) fl_median (sorted, n);
}

static guint
judge (const FlDarks *darks, gsize at, const FlDarkRules *rules, double mean, double rms, double median)
{
  const guint64 *sums = darks->sums + SUMS * at;
  guint status = 0;
  if (rules->noise_high > 0 && rms > rules->noise_high * median)
    status |= FL_DARK_NOISY;
  if (rms < rules->noise_low * median)
    status |= FL_DARK_QUIET;
  if (is_switching (darks) && (mean < 1 || mean > 16382))
    status |= FL_DARK_AT_END;
  if ((double) sums[OUTLIERS] > MANY * (double) sums[SHOTS])
    status |= FL_DARK_UNSTEADY;
  return status;
}

void
fl_darks_finish (FlDarks *darks, const FlDarkRules *rules, FlDarkArrays *arrays)
{
  double unit = is_switching (darks) ? 1 : 1.0 / STEPS;
  new_array (darks, &arrays->pedestal);
  new_array (darks, &arrays->rms);
  new_array (darks, &arrays->status);
  for (guint stage = 0; stage < darks->n_stages; stage++)
    {
      gsize first = stage * darks->n_pixels;
      float *pedestal = arrays->pedestal.values + first, *rms = arrays->rms.values + first;
      for (gsize i = 0; i < darks->n_pixels; i++)
        {
          Moments m = moments (darks, first + i);
          gboolean seen = m.n >= MAX (rules->min_shots, 1);
          pedestal[i] = seen ? (float) (unit * m.mean) : NAN;
          rms[i] = seen ? (float) (unit * m.rms) : NAN;
          darks->measured[stage] += seen;
        }
      double median = median_rms (darks, rms);
      for (gsize i = 0; i < darks->n_pixels; i++)
        {
          guint status = isnan (rms[i])
                             ? FL_DARK_UNSEEN
                             : judge (darks, first + i, rules, (double) pedestal[i], (double) rms[i], median);
          arrays->status.values[first + i] = (float) status;
          darks->bad[stage] += !isnan (rms[i]) && status != 0;
        }
    }
}
