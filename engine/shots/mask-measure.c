#include "engine/shots/mask-measure.h"

#include <math.h>
#include <string.h>

#define CLIP         4.0        /* z */
#define Z_STEPS      256.0      /* a unit of z */
#define Z2_STEPS     4096.0     /* a unit of z² */
#define RAW_MOST     16777215.0 /* steps of a raw value, so that their squares' sum of 2¹⁴ shots fits */
#define RING_LEAST   400        /* pixels */
#define JUDGED_LEAST 16         /* good ones, for anything to be said */
#define RING_MOST    1024       /* of which the median of a shot is taken, spread over the ring */
#define FEW          6          /* shots of the largest z that may be chance */
#define BIMODAL      0.1
#define MAD          1.4826 /* to a standard deviation */

typedef struct
{
  guint first, n; /* in `order` */
} Ring;

struct FlMaskMeasure
{
  FlDetector *detector;
  double over, steps; /* steps of raw values a count */
  guint shots;
  gsize n;
  GArray *rings;  /* of Ring */
  guint16 *ring;  /* of each pixel */
  guint32 *order; /* pixels of the panels, ring by ring */
  guint8 *bad;    /* room */
  float *values;  /* the same */
  gint64 *sum;
  guint64 *squares;
  gint32 *z;
  guint32 *z2;
  float *min, *max;
  guint16 *good, *above;
};

/* --- rings --- */

/* Two pixels wide at first, wider until there are enough pixels in each. A detector that is not placed has one a panel. */
static guint32 *
fine_rings (const FlDetector *d, guint *n_fine)
{
  guint32 *fine = g_new (guint32, d->n_pixels);
  double widest = 0, step = INFINITY;
  memset (fine, 0xff, d->n_pixels * sizeof *fine);
  for (guint i = 0; i < d->n_panels; i++)
    {
      const FlPanel *p = &d->panels[i];
      double away = sqrt (fl_vec3_dot (p->origin, p->origin));
      step = fmin (step, 2 * p->pixel_size / fmax (away, p->pixel_size));
    }
  step = fmax (step, G_PI / 30000);
  for (guint i = 0; i < d->n_panels; i++)
    for (guint ss = 0; ss < d->panels[i].n_ss; ss++)
      for (guint fs = 0; fs < d->panels[i].n_fs; fs++)
        {
          double theta = d->placed ? fl_two_theta (fl_panel_position (&d->panels[i], fs + 0.5, ss + 0.5)) : 0;
          guint32 at = d->placed ? (guint32) (theta / step) : i;
          fine[d->panels[i].offset + ss * d->panels[i].stride + fs] = at;
          widest = fmax (widest, at);
        }
  *n_fine = (guint) widest + 1;
  return fine;
}

static void
make_rings (FlMaskMeasure *self)
{
  guint n_fine;
  g_autofree guint32 *fine = fine_rings (self->detector, &n_fine);
  g_autofree guint32 *in = g_new0 (guint32, n_fine);
  g_autofree guint16 *coarse = g_new (guint16, n_fine);
  g_autofree guint32 *at = NULL;
  Ring ring = { 0 };
  for (gsize i = 0; i < self->n; i++)
    if (fine[i] != G_MAXUINT32)
      in[fine[i]]++;
  for (guint i = 0; i < n_fine; i++)
    {
      coarse[i] = (guint16) self->rings->len;
      ring.n += in[i];
      if (ring.n < RING_LEAST && i + 1 < n_fine)
        continue;
      g_array_append_val (self->rings, ring);
      ring = (Ring){ ring.first + ring.n, 0 };
    }
  at = g_new (guint32, self->rings->len);
  for (guint i = 0; i < self->rings->len; i++)
    at[i] = g_array_index (self->rings, Ring, i).first;
  self->order = g_new (guint32, ring.first);
  self->ring = g_new0 (guint16, self->n);
  for (gsize i = 0; i < self->n; i++)
    if (fine[i] != G_MAXUINT32)
      self->order[at[self->ring[i] = coarse[fine[i]]]++] = (guint32) i;
}

/* --- order statistics --- */

/* The k-th smallest (Hoare's FIND); the values are shuffled. */
static float
select_nth (float *v, guint n, guint k)
{
  gint64 low = 0, high = (gint64) n - 1, at = k;
  while (low < high)
    {
      float pivot = v[at];
      gint64 i = low, j = high;
      while (i <= j)
        {
          while (v[i] < pivot)
            i++;
          while (pivot < v[j])
            j--;
          if (i > j)
            break;
          float t = v[i];
          v[i++] = v[j];
          v[j--] = t;
        }
      if (j < at)
        low = i;
      if (at < i)
        high = j;
    }
  return v[at];
}

/* Median and robust standard deviation; the values are shuffled. */
static void
robust (float *v, guint n, double *median, double *spread)
{
  float m = select_nth (v, n, n / 2);
  for (guint i = 0; i < n; i++)
    v[i] = fabsf (v[i] - m);
  *median = (double) m;
  *spread = MAD * (double) select_nth (v, n, n / 2);
}

/* --- a shot --- */

#define CONVERT(Type)                                                                                        \
  for (gsize i = 0; i < n; i++)                                                                              \
    out[i] = (float) ((const Type *) shot->pixels)[i];                                                       \
  break

static void
convert (const FlShot *shot, float *out, gsize n)
{
  switch (shot->type)
    {
    case FL_PIXEL_U8:
      CONVERT (guint8);
    case FL_PIXEL_U16:
      CONVERT (guint16);
    case FL_PIXEL_U32:
      CONVERT (guint32);
    case FL_PIXEL_I8:
      CONVERT (gint8);
    case FL_PIXEL_I16:
      CONVERT (gint16);
    case FL_PIXEL_I32:
      CONVERT (gint32);
    case FL_PIXEL_F32:
      CONVERT (float);
    case FL_PIXEL_F64:
      CONVERT (double);
    default:
      g_assert_not_reached ();
    }
}

typedef struct
{
  float median, per; /* per: 1 / spread; 0: the ring says nothing */
} Level;

/* Where photons are few the median absolute deviation is 0, and the root of their mean says more. */
static Level
level_of (const FlMaskMeasure *self, const Ring *ring)
{
  float sample[RING_MOST];
  guint n = 0, stride = (ring->n + RING_MOST - 1) / RING_MOST;
  double median, spread, mean = 0;
  for (guint i = 0; i < ring->n; i += stride)
    {
      guint32 at = self->order[ring->first + i];
      if (!self->bad[at])
        sample[n++] = self->values[at];
    }
  if (n < JUDGED_LEAST)
    return (Level){ 0, 0 };
  robust (sample, n, &median, &spread);
  for (guint i = 0; spread <= 0 && i < n; i++)
    mean += fmin ((double) sample[i], 3) / n; /* they are distances from the median now */
  if (spread <= 0)
    spread = mean > 0 ? sqrt (mean) : 1;
  return (Level){ (float) median, (float) (1 / spread) };
}

static void
add_pixel (FlMaskMeasure *self, gsize at, const Level *levels)
{
  float v = self->values[at];
  const Level *level = &levels[self->ring[at]];
  double z = (double) ((v - level->median) * level->per);
  z = fmin (fmax (z, -CLIP), CLIP);
  double raw = fmin (fmax ((double) v * self->steps, -RAW_MOST), RAW_MOST);
  gint64 q = llrint (raw);
  self->sum[at] += q;
  self->squares[at] += (guint64) (q * q);
  self->z[at] += (gint32) lrint (z * Z_STEPS);
  self->z2[at] += (guint32) lrint (z * z * Z2_STEPS);
  self->min[at] = self->good[at] == 0 || v < self->min[at] ? v : self->min[at];
  self->max[at] = self->good[at] == 0 || v > self->max[at] ? v : self->max[at];
  if ((double) v > self->over)
    self->above[at]++;
  self->good[at]++;
}

void
fl_mask_measure_add (FlMaskMeasure *self, const FlShot *shot)
{
  const FlDetector *d = self->detector;
  g_return_if_fail (shot->n_pixels == self->n);
  gboolean whole = shot->type != FL_PIXEL_F32 && shot->type != FL_PIXEL_F64;
  self->steps = whole ? 1 : 256;
  memcpy (self->bad, d->mask, self->n);
  for (gsize i = 0; shot->mask != NULL && i < self->n; i++)
    self->bad[i] |= shot->mask[i];
  fl_shot_flag_pixels (shot, d, self->bad);
  convert (shot, self->values, self->n);
  for (gsize i = 0; !whole && i < self->n; i++)
    if (!isfinite (self->values[i]))
      self->bad[i] = 1;
  g_autofree Level *levels = g_new (Level, self->rings->len);
  for (guint i = 0; i < self->rings->len; i++)
    levels[i] = level_of (self, &g_array_index (self->rings, Ring, i));
  for (guint p = 0; p < d->n_panels; p++)
    for (guint ss = 0; ss < d->panels[p].n_ss; ss++)
      {
        gsize first = d->panels[p].offset + ss * d->panels[p].stride;
        for (gsize at = first; at < first + d->panels[p].n_fs; at++)
          if (!self->bad[at])
            add_pixel (self, at, levels);
      }
  self->shots++;
}

/* --- judging --- */

static gboolean
is_judged (const FlMaskMeasure *self, gsize at)
{
  return self->good[at] > 0 && 2u * self->good[at] >= self->shots;
}

static double
mean_z (const FlMaskMeasure *self, gsize at)
{
  return self->z[at] / (Z_STEPS * self->good[at]);
}

static double
variance_z (const FlMaskMeasure *self, gsize at)
{
  double mean = mean_z (self, at);
  return fmax (self->z2[at] / (Z2_STEPS * self->good[at]) - mean * mean, 0);
}

/* What its pixels have in common. `mean`, `variance`: what lies farther away is judged; INFINITY: nothing is. */
typedef struct
{
  double mean[2], variance[2]; /* median, allowed distance */
  gboolean varies;
} Common;

/* The means do not fall into two groups. */
static gboolean
is_one_group (const FlMaskMeasure *self, const Ring *ring, const double mean[2], guint judged)
{
  guint far = 0;
  for (guint i = 0; i < ring->n; i++)
    {
      guint32 at = self->order[ring->first + i];
      far += is_judged (self, at) && fabs (mean_z (self, at) - mean[0]) > mean[1];
    }
  return far <= BIMODAL * judged;
}

static Common
common_of (const FlMaskMeasure *self, const Ring *ring, double z, float *room)
{
  Common common = { { 0, INFINITY }, { 0, INFINITY }, FALSE };
  guint n = 0, still = 0;
  double spread, shots = 0;
  for (guint i = 0; i < ring->n; i++)
    {
      guint32 at = self->order[ring->first + i];
      if (!is_judged (self, at))
        continue;
      room[n++] = (float) variance_z (self, at);
      still += self->min[at] >= self->max[at];
      shots += self->good[at];
    }
  if (n < JUDGED_LEAST)
    return common;
  shots /= n;
  common.varies = 2 * still < n && self->shots > 1;
  robust (room, n, &common.variance[0], &spread);
  double expected = common.variance[0]; /* of one shot's z */
  common.variance[1] = fmax (z * fmax (spread, expected * sqrt (2 / shots)), FEW * CLIP * CLIP / shots);
  n = 0;
  for (guint i = 0; i < ring->n; i++)
    if (is_judged (self, self->order[ring->first + i]))
      room[n++] = (float) mean_z (self, self->order[ring->first + i]);
  robust (room, n, &common.mean[0], &spread);
  common.mean[1] = fmax (z * fmax (spread, sqrt (expected / shots)), FEW * CLIP / shots);
  if (!is_one_group (self, ring, common.mean, n))
    common.mean[1] = INFINITY;
  return common;
}

static guint
flaws_of (const FlMaskMeasure *self, gsize at, const Common *common)
{
  double mean = mean_z (self, at) - common->mean[0];
  gboolean still = common->varies && self->min[at] >= self->max[at];
  return (still || mean < -common->mean[1] ? FL_MASK_DEAD : 0u) | (mean > common->mean[1] ? FL_MASK_HOT : 0u)
         | (variance_z (self, at) - common->variance[0] > common->variance[1] ? FL_MASK_NOISY : 0u);
}

static gboolean
is_beyond (const FlMaskMeasure *self, gsize at, const FlMaskTests *tests)
{
  double n = self->good[at], mean = (double) self->sum[at] / n;
  double variance = fmax ((double) self->squares[at] / n - mean * mean, 0);
  double std = sqrt (variance) / self->steps;
  mean /= self->steps;
  return mean < tests->mean_below || mean > tests->mean_above || std < tests->std_below
         || std > tests->std_above || (!isnan (tests->over) && self->above[at] > tests->fraction * n);
}

guint8 *
fl_mask_measure_test (const FlMaskMeasure *self, const FlMaskTests *tests)
{
  guint8 *chosen = g_new0 (guint8, self->n);
  guint longest = 0;
  for (guint i = 0; i < self->rings->len; i++)
    longest = MAX (longest, g_array_index (self->rings, Ring, i).n);
  g_autofree float *room = g_new (float, longest);
  for (guint i = 0; i < self->rings->len; i++)
    {
      const Ring *ring = &g_array_index (self->rings, Ring, i);
      Common common = { { 0, INFINITY }, { 0, INFINITY }, FALSE };
      if (tests->flaws != 0)
        common = common_of (self, ring, tests->z, room);
      for (guint k = 0; k < ring->n; k++)
        {
          guint32 at = self->order[ring->first + k];
          chosen[at] = is_judged (self, at)
                       && ((flaws_of (self, at, &common) & tests->flaws) != 0 || is_beyond (self, at, tests));
        }
    }
  return chosen;
}

guint8 *
fl_mask_measure_always (const FlMaskMeasure *self, double value, gboolean above)
{
  guint8 *chosen = g_new0 (guint8, self->n);
  for (gsize i = 0; i < self->n; i++)
    chosen[i] = self->good[i] > 0 && (above ? (double) self->min[i] > value : (double) self->max[i] < value);
  return chosen;
}

/* --- made --- */

FlMaskMeasure *
fl_mask_measure_new (FlDetector *detector, double over)
{
  FlMaskMeasure *self = g_new0 (FlMaskMeasure, 1);
  gsize n = self->n = detector->n_pixels;
  self->detector = fl_detector_ref (detector);
  self->over = over;
  self->steps = 1;
  self->rings = g_array_new (FALSE, FALSE, sizeof (Ring));
  self->bad = g_new (guint8, n);
  self->values = g_new (float, n);
  self->sum = g_new0 (gint64, n);
  self->squares = g_new0 (guint64, n);
  self->z = g_new0 (gint32, n);
  self->z2 = g_new0 (guint32, n);
  self->min = g_new0 (float, n);
  self->max = g_new0 (float, n);
  self->good = g_new0 (guint16, n);
  self->above = g_new0 (guint16, n);
  make_rings (self);
  return self;
}

void
fl_mask_measure_free (FlMaskMeasure *self)
{
  if (self == NULL)
    return;
  gpointer const all[] = { self->ring, self->order, self->bad, self->values, self->sum,  self->squares,
                           self->z,    self->z2,    self->min, self->max,    self->good, self->above };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_free (all[i]);
  g_array_unref (self->rings);
  fl_detector_unref (self->detector);
  g_free (self);
}
