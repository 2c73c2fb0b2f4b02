#include "gui/cell-tally.h"

#include <math.h>
#include <string.h>

#include "engine/base/cell-clusters.h"

#define FINE     16    /* fine bins a drawn one: for medians and fits */
#define SAMPLE   20000 /* lattices from which ranges are chosen */
#define LOOKED   2000  /* lattices from which clusters' centrings are told */
#define MAX_BINS 150
#define MIN_BINS 24

typedef struct
{
  double lower, width;
  guint n_bins;
  guint32 *all, *shown, *fine; /* shown: series × bins; fine: of the selected */
  guint64 below, above;
} Histogram;

struct FlgCellTally
{
  GPtrArray *blocks;  /* FlgLatticeBlock */
  GHashTable *redone; /* job -> (shot -> latest attempt), gint64 keys */
  gboolean dirty;     /* what has been counted is wrong */
  FlgCellQuestion asked;
  guint done;     /* blocks counted */
  guint64 ranged; /* lattices when the ranges were chosen */
  guint64 n;      /* lattices in all blocks */
  Histogram of[6];
  guint32 *planes[FLG_CELL_PLANES];
  guint64 outside[FLG_CELL_PLANES];
  GArray *runs, *clusters;
  guint32 cluster_series[FLG_CELL_MOST_CLUSTERS][FLG_CELL_SERIES];
  gboolean stale;    /* the clusters */
  FlgCellAnswer sum; /* counts alone */
};

const guint8 flg_cell_planes[FLG_CELL_PLANES][2] = { { 0, 1 }, { 1, 2 }, { 0, 2 } };

void
flg_lattice_block_free (FlgLatticeBlock *block)
{
  if (!block)
    return;
  g_free (block->shot);
  g_free (block->cell);
  g_free (block->series);
  g_free (block->group);
  g_free (block);
}

void
flg_cell_answer_free (FlgCellAnswer *answer)
{
  for (guint p = 0; p < 6; p++)
    {
      g_free ((gpointer) answer->of[p].counts.all);
      g_free ((gpointer) answer->of[p].counts.shown);
    }
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    g_free ((gpointer) answer->planes[k].shown);
  g_array_unref (answer->clusters);
  g_array_unref (answer->runs);
  g_free (answer);
}

FlgCellTally *
flg_cell_tally_new (void)
{
  FlgCellTally *tally = g_new0 (FlgCellTally, 1);
  tally->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) flg_lattice_block_free);
  tally->runs = g_array_new (FALSE, FALSE, sizeof (gint64));
  tally->clusters = g_array_new (FALSE, FALSE, sizeof (FlCellCluster));
  tally->redone =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  return tally;
}

void
flg_cell_tally_free (FlgCellTally *tally)
{
  for (guint p = 0; p < 6; p++)
    {
      g_free (tally->of[p].all);
      g_free (tally->of[p].shown);
      g_free (tally->of[p].fine);
    }
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    g_free (tally->planes[k]);
  g_array_unref (tally->runs);
  g_array_unref (tally->clusters);
  g_ptr_array_unref (tally->blocks);
  g_hash_table_unref (tally->redone);
  g_free (tally);
}

void
flg_cell_tally_add (FlgCellTally *tally, FlgLatticeBlock *block)
{
  tally->n += block->n;
  tally->stale = TRUE;
  g_ptr_array_add (tally->blocks, block);
}

void
flg_cell_tally_redone (FlgCellTally *tally, gint64 job, gint64 attempt, guint n, const guint64 *shots)
{
  GHashTable *latest = g_hash_table_lookup (tally->redone, &job);
  if (!latest)
    {
      latest = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
      g_hash_table_insert (tally->redone, g_memdup2 (&job, sizeof job), latest);
    }
  for (guint i = 0; i < n; i++)
    {
      const gint64 *known = g_hash_table_lookup (latest, &shots[i]);
      if (known && *known >= attempt)
        continue;
      g_hash_table_insert (latest, g_memdup2 (&shots[i], sizeof *shots),
                           g_memdup2 (&attempt, sizeof attempt));
      tally->dirty = tally->stale = TRUE;
    }
}

static gboolean
is_alive (GHashTable *latest, const FlgLatticeBlock *block, guint i)
{
  const gint64 *attempt = latest ? g_hash_table_lookup (latest, &block->shot[i]) : NULL;
  return !attempt || *attempt <= block->attempt;
}

/* A bit for each parameter that lies outside its brush. */
static guint
misses (const FlgCellQuestion *question, const float cell[6])
{
  guint miss = 0;
  for (guint p = 0; p < 6; p++)
    if (question->to[p] > question->from[p]
        && ((double) cell[p] < question->from[p] || (double) cell[p] > question->to[p]))
      miss |= 1u << p;
  return miss;
}

/* --- ranges --- */

static int
compare (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return x < y ? -1 : x > y;
}

/* The next of 1, 2, 5 × 10ⁿ. */
static double
nice_width (double width)
{
  double power = pow (10, floor (log10 (width))), part = width / power;
  return power * (part <= 1.001 ? 1 : part <= 2.001 ? 2 : part <= 5.001 ? 5 : 10);
}

/* Freedman and Diaconis' bins over the middle 96 % and a quarter of that on either side. */
static void
choose_range (Histogram *h, GArray *sample, gboolean angle)
{
  g_array_sort (sample, compare);
  const float *v = (const float *) sample->data;
  guint n = sample->len;
  double low = (double) v[n * 2 / 100], high = (double) v[n - 1 - n * 2 / 100];
  double iqr = (double) v[n * 3 / 4] - (double) v[n / 4], middle = (low + high) / 2;
  double span = fmax ((high - low) * 1.5, angle ? 1.0 : middle * 0.01);
  double width = CLAMP (2 * iqr / cbrt (n), span / MAX_BINS, span / MIN_BINS);
  h->width = nice_width (width);
  h->lower = floor ((middle - span / 2) / h->width) * h->width;
  h->n_bins = (guint) ceil ((middle + span / 2 - h->lower) / h->width);
}

static void
choose_ranges (FlgCellTally *tally, const FlgCellQuestion *question)
{
  guint64 stride = MAX (tally->n / SAMPLE, 1), at = 0;
  for (guint p = 0; p < 6; p++)
    {
      g_autoptr (GArray) sample = g_array_new (FALSE, FALSE, sizeof (float));
      at = 0;
      for (guint b = 0; b < tally->blocks->len; b++)
        {
          const FlgLatticeBlock *block = tally->blocks->pdata[b];
          GHashTable *latest = g_hash_table_lookup (tally->redone, &block->job);
          for (guint i = 0; i < block->n; i++, at++)
            if (at % stride == 0 && is_alive (latest, block, i)
                && (!question->zoomed || misses (question, block->cell[i]) == 0))
              g_array_append_val (sample, block->cell[i][p]);
        }
      if (sample->len)
        choose_range (&tally->of[p], sample, p >= 3);
    }
  tally->ranged = tally->n;
}

/* --- counting --- */

static void
reset (FlgCellTally *tally)
{
  tally->done = 0;
  tally->dirty = FALSE;
  memset (&tally->sum, 0, sizeof tally->sum);
  for (guint p = 0; p < 6; p++)
    {
      Histogram *h = &tally->of[p];
      g_free (h->all);
      g_free (h->shown);
      g_free (h->fine);
      h->all = g_new0 (guint32, h->n_bins);
      h->shown = g_new0 (guint32, FLG_CELL_SERIES * h->n_bins);
      h->fine = g_new0 (guint32, FINE * h->n_bins);
      h->below = h->above = 0;
    }
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    {
      const guint8 *of = flg_cell_planes[k];
      g_free (tally->planes[k]);
      tally->planes[k] = g_new0 (guint32, tally->of[of[0]].n_bins * tally->of[of[1]].n_bins);
      tally->outside[k] = 0;
    }
  g_array_set_size (tally->runs, 0);
}

static void
count_value (Histogram *h, double value, gboolean shown, gboolean selected, guint8 series)
{
  double x = (value - h->lower) / h->width;
  if (!(x >= 0) || x >= h->n_bins)
    {
      h->below += shown && !(x >= 0);
      h->above += shown && x >= h->n_bins;
      return;
    }
  guint bin = (guint) x;
  h->all[bin]++;
  if (shown)
    h->shown[series * h->n_bins + bin]++;
  if (selected)
    h->fine[(guint) (x * FINE)]++;
}

static void
count_planes (FlgCellTally *tally, const float cell[6], guint miss)
{
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    {
      const guint8 *of = flg_cell_planes[k];
      const Histogram *x = &tally->of[of[0]], *y = &tally->of[of[1]];
      double u = ((double) cell[of[0]] - x->lower) / x->width,
             v = ((double) cell[of[1]] - y->lower) / y->width;
      if (miss & ~(1u << of[0] | 1u << of[1]))
        continue;
      if (u >= 0 && u < x->n_bins && v >= 0 && v < y->n_bins)
        tally->planes[k][(guint) v * x->n_bins + (guint) u]++;
      else
        tally->outside[k]++;
    }
}

static void
note_run (GArray *runs, gint64 run)
{
  for (guint i = 0; i < runs->len; i++)
    if (g_array_index (runs, gint64, i) == run)
      return;
  g_array_append_val (runs, run);
}

static void
count_block (FlgCellTally *tally, const FlgLatticeBlock *block)
{
  GHashTable *latest = g_hash_table_lookup (tally->redone, &block->job);
  FlgCellAnswer *sum = &tally->sum;
  gboolean any = FALSE, chosen = FALSE;
  guint64 shot = 0, chosen_shot = 0;
  for (guint i = 0; i < block->n; i++)
    {
      if (!is_alive (latest, block, i))
        continue;
      guint miss = misses (&tally->asked, block->cell[i]);
      guint8 series = MIN (block->series[i], FLG_CELL_SERIES - 1);
      sum->lattices++;
      sum->all_series[series]++;
      sum->shots += !any || shot != block->shot[i];
      any = TRUE;
      shot = block->shot[i];
      if (miss == 0)
        {
          sum->group = sum->selected == 0 || sum->group == block->group[i] ? block->group[i] : 0;
          sum->selected++;
          sum->series[series]++;
          sum->selected_shots += !chosen || chosen_shot != shot;
          chosen = TRUE;
          chosen_shot = shot;
        }
      for (guint p = 0; p < 6; p++)
        count_value (&tally->of[p], (double) block->cell[i][p], (miss & ~(1u << p)) == 0, miss == 0, series);
      count_planes (tally, block->cell[i], miss);
    }
  if (chosen)
    note_run (tally->runs, block->run);
}

/* --- median and fit --- */

/* The value that a part of the selected lie below; NaN: none is selected. */
static double
quantile (const Histogram *h, double part)
{
  guint64 total = 0, seen = 0;
  for (guint i = 0; i < FINE * h->n_bins; i++)
    total += h->fine[i];
  for (guint i = 0; total > 0 && i < FINE * h->n_bins; i++)
    {
      if ((double) (seen + h->fine[i]) >= part * (double) total)
        return h->lower
               + h->width / FINE * (i + (part * (double) total - (double) seen) / (double) h->fine[i]);
      seen += h->fine[i];
    }
  return NAN;
}

/* The middle of the FINE neighbouring fine bins that hold most. */
static guint
highest (const guint32 *bins, guint n)
{
  guint64 sum = 0, most = 0;
  guint at = 0;
  for (guint i = 0; i < n; i++)
    {
      sum += bins[i];
      if (i >= FINE)
        sum -= bins[i - FINE];
      if (sum > most)
        {
          most = sum;
          at = i >= FINE / 2 ? i - FINE / 2 : 0;
        }
    }
  return at;
}

gboolean
flg_cell_fit (const guint32 *bins, guint n, double lower, double width, FlwHistogramFit *fit)
{
  double total = 0;
  for (guint i = 0; i < n; i++)
    total += bins[i];
  if (total < 5)
    return FALSE;
  double centre = highest (bins, n) + 0.5, spread = FINE, share = 0.8; /* in bins */
  for (guint round = 0; round < 200; round++)
    {
      double weight = 0, mean = 0, square = 0, before = spread;
      for (guint i = 0; i < n; i++)
        {
          double u = (i + 0.5 - centre) / spread;
          double peak = bins[i] ? share / (spread * sqrt (2 * G_PI)) * exp (-u * u / 2) : 0;
          double w = bins[i] ? bins[i] * peak / (peak + (1 - share) / n) : 0;
          weight += w;
          mean += w * (i + 0.5);
          square += w * (i + 0.5) * (i + 0.5);
        }
      centre = mean / weight;
      spread = sqrt (fmax (square / weight - centre * centre, 1.0 / 12)); /* of a bin */
      share = CLAMP (weight / total, 0.01, 0.999);
      if (fabs (spread - before) < 1e-5 * before)
        break;
    }
  *fit = (FlwHistogramFit){ lower + centre * width, spread * width, share * total, (1 - share) * total / n };
  return TRUE;
}

static FlgCellHistogram
answer_one (const Histogram *h)
{
  FlgCellHistogram out = { .median = quantile (h, 0.5),
                           .spread = (quantile (h, 0.75) - quantile (h, 0.25)) / 1.349 };
  out.counts = (FlwHistogramCounts){ h->lower,
                                     h->width,
                                     h->n_bins,
                                     g_memdup2 (h->all, h->n_bins * sizeof *h->all),
                                     g_memdup2 (h->shown, FLG_CELL_SERIES * h->n_bins * sizeof *h->shown),
                                     h->below,
                                     h->above };
  out.has_fit = flg_cell_fit (h->fine, FINE * h->n_bins, h->lower, h->width / FINE, &out.fit);
  out.fit.floor *= FINE; /* a drawn bin's */
  return out;
}

static void
find_clusters (FlgCellTally *tally)
{
  double (*cells)[6] = g_malloc_n (MAX (tally->n, 1), sizeof *cells);
  g_autofree guint8 *series = g_new (guint8, MAX (tally->n, 1));
  guint n = 0;
  for (guint b = 0; b < tally->blocks->len; b++)
    {
      const FlgLatticeBlock *block = tally->blocks->pdata[b];
      GHashTable *latest = g_hash_table_lookup (tally->redone, &block->job);
      for (guint i = 0; i < block->n; i++)
        if (is_alive (latest, block, i))
          {
            for (guint p = 0; p < 6; p++)
              cells[n][p] = (double) block->cell[i][p];
            series[n++] = MIN (block->series[i], FLG_CELL_SERIES - 1);
          }
    }
  g_array_unref (tally->clusters);
  memset (tally->cluster_series, 0, sizeof tally->cluster_series);
  tally->clusters = fl_cell_clusters_find ((const double (*)[6]) cells, n, FLG_CELL_MOST_CLUSTERS);
  for (guint i = 0; i < n; i += MAX (n / LOOKED, 1))
    {
      int in = fl_cell_clusters_nearest (tally->clusters, cells[i]);
      if (in >= 0)
        tally->cluster_series[in][series[i]]++;
    }
  tally->stale = FALSE;
  g_free (cells);
}

static FlwDensityCounts
answer_plane (const FlgCellTally *tally, guint k)
{
  const Histogram *x = &tally->of[flg_cell_planes[k][0]], *y = &tally->of[flg_cell_planes[k][1]];
  guint n = x->n_bins * y->n_bins;
  return (FlwDensityCounts){ { x->lower, y->lower },
                             { x->width, y->width },
                             { x->n_bins, y->n_bins },
                             g_memdup2 (tally->planes[k], n * sizeof (guint32)),
                             tally->outside[k] };
}

FlgCellAnswer *
flg_cell_tally_count (FlgCellTally *tally, const FlgCellQuestion *question)
{
  gboolean range = tally->ranged == 0 || question->ranges != tally->asked.ranges
                   || (!question->zoomed && tally->n >= 2 * tally->ranged);
  gboolean anew = range || tally->dirty
                  || memcmp (question->from, tally->asked.from, sizeof question->from) != 0
                  || memcmp (question->to, tally->asked.to, sizeof question->to) != 0;
  tally->asked = *question;
  if (range)
    choose_ranges (tally, question);
  if (anew)
    reset (tally);
  while (tally->done < tally->blocks->len)
    count_block (tally, tally->blocks->pdata[tally->done++]);
  FlgCellAnswer *answer = g_memdup2 (&tally->sum, sizeof tally->sum);
  for (guint p = 0; p < 6; p++)
    answer->of[p] = answer_one (&tally->of[p]);
  for (guint k = 0; k < FLG_CELL_PLANES; k++)
    answer->planes[k] = answer_plane (tally, k);
  if (tally->stale)
    find_clusters (tally);
  answer->clusters = g_array_copy (tally->clusters);
  memcpy (answer->cluster_series, tally->cluster_series, sizeof tally->cluster_series);
  answer->runs = g_array_copy (tally->runs);
  return answer;
}
