#include "engine/simulate/background.h"

#include <string.h>

#define LEVELS      256
#define TAIL        1e-9
#define COLUMNS_MAX 256

struct FlBackground
{
  gsize n_pixels;
  float *mean;                         /* [n_pixels], photons at scale 1; 0 where nothing falls */
  guint8 *level;                       /* [n_pixels] */
  double level_mean[LEVELS];           /* photons at scale 1 */
  guint columns_log2;                  /* this shot's tables */
  guint32 table[LEVELS * COLUMNS_MAX]; /* threshold of 24 bits, alias column of 8 */
  guint16 lowest[LEVELS];              /* count of column 0 */
};

/* Scattering of water, air and sample environment in units of the ring's peak; q = 1/d in Å⁻¹. */
static double
profile (double q)
{
  const double ring = (q - 0.31) / 0.05;
  return 0.15 + 0.85 * exp (-0.5 * ring * ring) + 1.3 * exp (-q / 0.05);
}

static void
fill_mean (FlBackground *b, const FlDetectorLayout *layout, double wavelength, double level,
           FlPolarisation polarisation)
{
  for (guint p = 0; p < layout->detector->n_panels; p++)
    {
      const FlPanel *panel = &layout->detector->panels[p];
      FlVec3 area = fl_vec3_cross (panel->fs, panel->ss);
      double square_on = fl_vec3_norm (area) / (layout->camera_length * layout->camera_length);
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize i = panel->offset + ss * panel->stride + fs;
            FlVec3 r = fl_panel_position (panel, fs + 0.5, ss + 0.5), u = fl_vec3_unit (r);
            double solid_angle = fabs (fl_vec3_dot (area, u)) / fl_vec3_dot (r, r);
            double q = sqrt (MAX (0, 2 - 2 * u.z)) / wavelength;
            guint8 state = layout->state[i];
            if (state == FL_PIXEL_GOOD || state == FL_PIXEL_HOT)
              b->mean[i] = (float) (level * profile (q) * fl_polarisation_factor (u, polarisation)
                                    * solid_angle / square_on);
          }
    }
}

/* Level 0 is dark; 1 … 255 are geometric between the least and the greatest mean. */
static void
assign_levels (FlBackground *b, FlRandom *random)
{
  double least = INFINITY, greatest = 0;
  for (gsize i = 0; i < b->n_pixels; i++)
    if (b->mean[i] > 0)
      {
        least = MIN (least, (double) b->mean[i]);
        greatest = MAX (greatest, (double) b->mean[i]);
      }
  if (greatest == 0)
    return;
  double step = log (MAX (greatest / least, 1.0001)) / (LEVELS - 2);
  for (int j = 1; j < LEVELS; j++)
    b->level_mean[j] = least * exp ((j - 1) * step);
  for (gsize i = 0; i < b->n_pixels; i++)
    if (b->mean[i] > 0)
      {
        int j = 1 + CLAMP ((int) (log (b->mean[i] / least) / step), 0, LEVELS - 3);
        double low = b->level_mean[j], high = b->level_mean[j + 1];
        b->level[i] = (guint8) (j + (fl_random_unit (random) < (b->mean[i] - low) / (high - low)));
      }
}

FlBackground *
fl_background_new (const FlDetectorLayout *layout, double wavelength, double level,
                   FlPolarisation polarisation, guint64 seed)
{
  FlBackground *b = g_new0 (FlBackground, 1);
  b->n_pixels = layout->detector->n_pixels;
  b->mean = g_new0 (float, b->n_pixels);
  b->level = g_new0 (guint8, b->n_pixels);
  fill_mean (b, layout, wavelength, level, polarisation);
  FlRandom random = fl_random (fl_hash64 ("background", 10, seed));
  assign_levels (b, &random);
  return b;
}

void
fl_background_free (FlBackground *b)
{
  if (b == NULL)
    return;
  g_free (b->mean);
  g_free (b->level);
  g_free (b);
}

void
fl_background_mean (const FlBackground *b, float *mean)
{
  memcpy (mean, b->mean, b->n_pixels * sizeof *mean);
}

/* The counts that matter of a Poisson distribution: from *low, as many as the answer; `p` has room for COLUMNS_MAX. */
static guint
poisson_range (double mean, double *p, guint16 *low)
{
  double sigma = sqrt (mean);
  int first = MAX (0, (int) (mean - 6.5 * sigma - 3));
  double term = exp (-mean + first * log (MAX (mean, 1e-300)) - lgamma (first + 1.0));
  guint n = 0;
  for (; n < COLUMNS_MAX; n++)
    {
      int count = first + (int) n;
      p[n] = term;
      if (count > mean && term < TAIL)
        break;
      term *= mean / (count + 1);
    }
  *low = (guint16) first;
  return n == COLUMNS_MAX ? n : n + 1;
}

/* Walker's alias table over `columns` columns of the n probabilities (the rest are 0). */
static void
make_alias (const double *p, guint n, guint columns, guint32 *table)
{
  double scaled[COLUMNS_MAX], total = 0;
  guint8 small[COLUMNS_MAX], large[COLUMNS_MAX];
  guint n_small = 0, n_large = 0;
  for (guint i = 0; i < n; i++)
    total += p[i];
  for (guint i = 0; i < columns; i++)
    {
      scaled[i] = i < n ? p[i] / total * columns : 0;
      if (scaled[i] < 1)
        small[n_small++] = (guint8) i;
      else
        large[n_large++] = (guint8) i;
    }
  while (n_small > 0 && n_large > 0)
    {
      guint8 s = small[--n_small], l = large[n_large - 1];
      table[s] = (guint32) (scaled[s] * 0x1p24) << 8 | l;
      scaled[l] -= 1 - scaled[s];
      if (scaled[l] < 1)
        {
          n_large--;
          small[n_small++] = l;
        }
    }
  /* What rounding leaves over is full. */
  while (n_small > 0)
    table[small[n_small - 1]] = 0xffffff00u | small[n_small - 1], n_small--;
  while (n_large > 0)
    table[large[n_large - 1]] = 0xffffff00u | large[n_large - 1], n_large--;
}

static void
make_tables (FlBackground *b, double scale)
{
  double p[COLUMNS_MAX];
  guint most = 1;
  for (int j = 0; j < LEVELS; j++)
    most = MAX (most, poisson_range (scale * b->level_mean[j], p, &b->lowest[j]));
  b->columns_log2 = g_bit_storage (most - 1);
  for (int j = 0; j < LEVELS; j++)
    {
      guint n = poisson_range (scale * b->level_mean[j], p, &b->lowest[j]);
      make_alias (p, n, 1u << b->columns_log2, &b->table[(gsize) j << b->columns_log2]);
    }
}

static inline guint16
look_up (const FlBackground *b, guint8 level, guint32 bits, guint log2, guint32 mask)
{
  guint32 column = bits & mask, entry = b->table[((guint32) level << log2) | column];
  guint32 alias = entry & 255u;
  return (guint16) (b->lowest[level] + ((bits >> 8) < (entry >> 8) ? column : alias));
}

void
fl_background_draw (FlBackground *b, double scale, FlRandom *random, guint16 *photons)
{
  make_tables (b, scale);
  guint log2 = b->columns_log2;
  guint32 mask = (1u << log2) - 1;
  FlRandom r = *random;
  gsize i = 0;
  for (; i + 1 < b->n_pixels; i += 2)
    {
      guint64 bits = fl_random_u64 (&r);
      photons[i] = look_up (b, b->level[i], (guint32) bits, log2, mask);
      photons[i + 1] = look_up (b, b->level[i + 1], (guint32) (bits >> 32), log2, mask);
    }
  if (i < b->n_pixels)
    photons[i] = look_up (b, b->level[i], (guint32) fl_random_u64 (&r), log2, mask);
  *random = r;
}
