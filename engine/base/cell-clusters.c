#include "engine/base/cell-clusters.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/base/hash.h"

#define SAMPLE     20000 /* cells that clusters are fitted to */
#define SEEDS      3000  /* cells that seeds are looked for among */
#define MOST_SEEDS 16
#define ROUNDS     80
#define TRIM       0.99  /* part of a cluster that has weight */
#define MEMBERS    0.999 /* part of a cluster that counts */
#define PROMINENCE 1.2   /* a peak's height over its saddle, of ln density */
#define CLOSE      2.5   /* centres this near are one cluster's */
#define WIDEST     0.03  /* standard deviation, relative (rad) */
#define STILL      1e-5  /* less is no variance (relative; degrees) */
#define WITHIN     1e-3

typedef struct
{
  double of[6];
} Cell;

/* A cluster made ready for distances: C = L D Lᵀ. */
typedef struct
{
  double mean[6], scale[6];   /* scale: what "relative" is relative to */
  double l[6][6], inverse[6]; /* of D; 0: does not vary */
  double log_density;         /* at the mean, of weight 1 */
  guint dimensions;
} Form;

/* --- distances --- */

static void
form_set (Form *form, const FlCellCluster *cluster)
{
  double d[6];
  memset (form, 0, sizeof *form);
  memcpy (form->mean, cluster->mean, sizeof form->mean);
  for (guint i = 0; i < 6; i++)
    {
      form->scale[i] = i < 3 ? cluster->mean[i] : 1;
      d[i] = cluster->covariance[i][i];
      for (guint k = 0; k < i; k++)
        d[i] -= form->l[i][k] * form->l[i][k] * d[k];
      gboolean still = !(d[i] > STILL * STILL * form->scale[i] * form->scale[i]);
      double spread = still ? WITHIN / 10 : sqrt (d[i]) / form->scale[i];
      form->log_density -= log (spread);
      form->inverse[i] = still ? 0 : 1 / d[i];
      form->dimensions += !still;
      if (still)
        d[i] = 0;
      for (guint j = i + 1; j < 6 && !still; j++)
        {
          double sum = cluster->covariance[j][i];
          for (guint k = 0; k < i; k++)
            sum -= form->l[j][k] * form->l[i][k] * d[k];
          form->l[j][i] = sum / d[i];
        }
    }
}

static double
form_square (const Form *form, const double cell[6])
{
  double z[6], sum = 0;
  for (guint i = 0; i < 6; i++)
    {
      z[i] = cell[i] - form->mean[i];
      for (guint k = 0; k < i; k++)
        z[i] -= form->l[i][k] * z[k];
      if (form->inverse[i] > 0)
        sum += z[i] * z[i] * form->inverse[i];
      else if (!(fabs (z[i]) <= WITHIN * form->scale[i]))
        return INFINITY;
    }
  return sum;
}

double
fl_cell_cluster_distance (const FlCellCluster *cluster, const double cell[6])
{
  Form form;
  form_set (&form, cluster);
  return sqrt (form_square (&form, cell));
}

/* χ² of n degrees of freedom, by the recurrence in n. */
static double
chi_square_below (guint n, double x)
{
  double below = n % 2 ? erf (sqrt (x / 2)) : 1 - exp (-x / 2);
  double term = n % 2 ? sqrt (2 * x / G_PI) * exp (-x / 2) : x / 2 * exp (-x / 2);
  for (guint k = n % 2 ? 1 : 2; k < n; k += 2)
    {
      below -= term;
      term *= x / (k + 2);
    }
  return below;
}

static double
chi_square_at (guint n, double part)
{
  double low = 0, high = 100;
  for (guint i = 0; i < 60 && n > 0; i++)
    {
      double middle = (low + high) / 2;
      *(chi_square_below (n, middle) < part ? &low : &high) = middle;
    }
  return n > 0 ? high : 0;
}

/* The variance of a Gaussian cut off so that `part` is left, over that of the whole, inverted. */
static double
grow (guint n, double part, double cut)
{
  return n > 0 ? part / chi_square_below (n + 2, cut) : 1;
}

/* The likeliest whose ellipsoid holds the cell; -1: none. `cuts`: of the squares. */
static int
likeliest (const Form *forms, const double *log_weights, const double *cuts, guint n, const double cell[6])
{
  int best = -1;
  double most = -INFINITY;
  for (guint i = 0; i < n; i++)
    {
      double square = form_square (&forms[i], cell);
      double like = log_weights[i] + forms[i].log_density - square / 2;
      if (square <= cuts[i] && like > most)
        {
          best = (int) i;
          most = like;
        }
    }
  return best;
}

static void
prepare (const FlCellCluster *clusters, guint n, double part, Form *forms, double *log_weights, double *cuts)
{
  for (guint i = 0; i < n; i++)
    {
      form_set (&forms[i], &clusters[i]);
      log_weights[i] = log ((double) MAX (clusters[i].members, 1));
      cuts[i] = chi_square_at (forms[i].dimensions, part);
    }
}

int
fl_cell_clusters_nearest (const GArray *clusters, const double cell[6])
{
  guint n = MIN (clusters->len, MOST_SEEDS);
  Form forms[MOST_SEEDS];
  double log_weights[MOST_SEEDS], cuts[MOST_SEEDS];
  prepare ((const FlCellCluster *) (const void *) clusters->data, n, MEMBERS, forms, log_weights, cuts);
  return likeliest (forms, log_weights, cuts, n, cell);
}

/* --- what is looked at --- */

static int
compare_cells (gconstpointer a, gconstpointer b)
{
  const Cell *x = a, *y = b;
  for (guint p = 0; p < 6; p++)
    if (x->of[p] != y->of[p])
      return x->of[p] < y->of[p] ? -1 : 1;
  return 0;
}

static int
compare_hashes (gconstpointer a, gconstpointer b)
{
  const Cell *x = a, *y = b;
  guint64 h = fl_hash64 (x, sizeof *x, 0), k = fl_hash64 (y, sizeof *y, 0);
  return h < k ? -1 : h > k ? 1 : compare_cells (a, b);
}

/* The k-th smallest (from 0); reorders (Hoare's FIND). */
static double
select_kth (double *v, guint n, guint k)
{
  gint64 low = 0, high = (gint64) n - 1, at = k;
  while (low < high)
    {
      double pivot = v[at];
      gint64 i = low, j = high;
      while (i <= j)
        {
          while (v[i] < pivot)
            i++;
          while (v[j] > pivot)
            j--;
          if (i <= j)
            {
              double swap = v[i];
              v[i++] = v[j];
              v[j--] = swap;
            }
        }
      if (j < at)
        low = i;
      if (at < i)
        high = j;
    }
  return v[k];
}

static GArray *
good_cells (const double (*cells)[6], guint n)
{
  GArray *good = g_array_sized_new (FALSE, FALSE, sizeof (Cell), n);
  for (guint i = 0; i < n; i++)
    {
      gboolean fine = TRUE;
      for (guint p = 0; p < 6; p++)
        fine &= isfinite (cells[i][p]) && cells[i][p] > 0;
      if (fine)
        g_array_append_vals (good, cells[i], 1);
    }
  return good;
}

/* Those of the lowest hashes, in their order, so that any first part is a sample. */
static GArray *
sample (const GArray *good)
{
  GArray *out = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_autofree double *hashes = g_new (double, 2 * good->len + 1);
  double last = INFINITY;
  for (guint i = 0; i < good->len; i++)
    hashes[i] = hashes[good->len + i] = (double) fl_hash64 (&g_array_index (good, Cell, i), sizeof (Cell), 0);
  if (good->len > SAMPLE)
    last = select_kth (hashes + good->len, good->len, SAMPLE - 1);
  for (guint i = 0; i < good->len; i++)
    if (hashes[i] <= last)
      g_array_append_val (out, g_array_index (good, Cell, i));
  if (out->len)
    g_array_sort (out, compare_hashes);
  return out;
}

/* --- seeds --- */

typedef struct
{
  double (*at)[6]; /* n × strain: ln length, angle in rad */
  guint n, k;
  guint32 *near;   /* n × k */
  double *density; /* n: ln, up to a constant */
  guint *order;    /* densest first */
  guint *root;     /* union-find: the peak that each climbs to; n: not yet reached */
} Hills;

/* How many directions the cells vary in, more or less: parameters whose quartiles differ. */
static guint
n_varying (const Hills *hills, double *work)
{
  guint varying = 0;
  for (guint p = 0; p < 6; p++)
    {
      for (guint i = 0; i < hills->n; i++)
        work[i] = hills->at[i][p];
      double low = select_kth (work, hills->n, hills->n / 4);
      varying += select_kth (work, hills->n, 3 * hills->n / 4) - low > STILL;
    }
  return MAX (varying, 1);
}

static void
find_neighbours (Hills *hills)
{
  guint n = hills->n;
  g_autofree double *square = g_new (double, n), *work = g_new (double, n);
  guint dimensions = n_varying (hills, work);
  for (guint i = 0; i < n; i++)
    {
      guint found = 0;
      for (guint j = 0; j < n; j++)
        {
          double sum = 0;
          for (guint p = 0; p < 6; p++)
            sum += (hills->at[i][p] - hills->at[j][p]) * (hills->at[i][p] - hills->at[j][p]);
          square[j] = work[j] = sum;
        }
      double radius = select_kth (work, n, hills->k);
      for (guint j = 0; j < n && found < hills->k; j++)
        if (square[j] <= radius && j != i)
          hills->near[i * hills->k + found++] = j;
      hills->density[i] = -0.5 * dimensions * log (radius + 1e-14);
    }
}

static int
compare_density (gconstpointer a, gconstpointer b, gpointer data)
{
  const double *density = data;
  guint i = *(const guint *) a, j = *(const guint *) b;
  if (density[i] != density[j])
    return density[i] > density[j] ? -1 : 1;
  return i < j ? -1 : i > j;
}

static guint
climb (Hills *hills, guint i)
{
  while (hills->root[i] != i)
    i = hills->root[i] = hills->root[hills->root[i]];
  return i;
}

/* From the densest down: each joins its densest neighbour's hill, and hills that it connects become one, unless both stand out. */
static void
find_hills (Hills *hills)
{
  for (guint i = 0; i < hills->n; i++)
    {
      hills->order[i] = i;
      hills->root[i] = hills->n;
    }
  g_qsort_with_data (hills->order, (int) hills->n, sizeof (guint), compare_density, hills->density);
  for (guint r = 0; r < hills->n; r++)
    {
      guint i = hills->order[r];
      const guint32 *near = hills->near + (gsize) i * hills->k;
      guint up = i;
      for (guint m = 0; m < hills->k; m++)
        if (hills->root[near[m]] < hills->n
            && (up == i || compare_density (&near[m], &up, hills->density) < 0))
          up = near[m];
      hills->root[i] = up == i ? i : climb (hills, up);
      for (guint m = 0; m < hills->k; m++)
        {
          if (hills->root[near[m]] >= hills->n)
            continue;
          guint a = climb (hills, near[m]), b = climb (hills, i);
          guint high = compare_density (&a, &b, hills->density) <= 0 ? a : b, low = high == a ? b : a;
          if (low != high && hills->density[low] - hills->density[i] < PROMINENCE)
            hills->root[low] = high;
        }
    }
}

static void
hills_clear (Hills *hills)
{
  g_free (hills->at);
  g_free (hills->near);
  g_free (hills->density);
  g_free (hills->order);
  g_free (hills->root);
}

/* --- means and covariances --- */

typedef struct
{
  double weight, first[6], second[6][6]; /* about `origin` */
  double origin[6];
} Moments;

static void
moments_add (Moments *m, const double cell[6], double weight)
{
  m->weight += weight;
  for (guint i = 0; i < 6; i++)
    {
      m->first[i] += weight * (cell[i] - m->origin[i]);
      for (guint j = 0; j <= i; j++)
        m->second[i][j] += weight * (cell[i] - m->origin[i]) * (cell[j] - m->origin[j]);
    }
}

static void
moments_write (const Moments *m, double factor, FlCellCluster *cluster)
{
  double shift[6];
  for (guint i = 0; i < 6; i++)
    {
      shift[i] = m->first[i] / m->weight;
      cluster->mean[i] = m->origin[i] + shift[i];
      for (guint j = 0; j <= i; j++)
        cluster->covariance[i][j] = cluster->covariance[j][i] =
            factor * (m->second[i][j] / m->weight - shift[i] * shift[j]);
    }
  cluster->members = (guint64) (m->weight + 0.5);
}

/* The denser half of each hill, as large as a whole Gaussian whose half it is. */
static GArray *
seeds_of (const Hills *hills, const Cell *cells, guint least)
{
  GArray *seeds = g_array_new (FALSE, TRUE, sizeof (FlCellCluster));
  g_autofree guint *size = g_new0 (guint, hills->n);
  for (guint i = 0; i < hills->n; i++)
    size[climb ((Hills *) hills, i)]++;
  for (guint r = 0; r < hills->n && seeds->len < MOST_SEEDS; r++)
    {
      guint peak = hills->order[r], left = (size[peak] + 1) / 2;
      FlCellCluster seed = { 0 };
      Moments m = { 0 };
      if (hills->root[peak] != peak || size[peak] < least)
        continue;
      memcpy (m.origin, cells[peak].of, sizeof m.origin);
      for (guint q = r; q < hills->n && left > 0; q++)
        if (climb ((Hills *) hills, hills->order[q]) == peak)
          {
            moments_add (&m, cells[hills->order[q]].of, 1);
            left--;
          }
      moments_write (&m, 1, &seed);
      Form form;
      form_set (&form, &seed);
      double factor = grow (form.dimensions, 0.5, chi_square_at (form.dimensions, 0.5));
      moments_write (&m, factor, &seed);
      g_array_append_val (seeds, seed);
    }
  return seeds;
}

static GArray *
find_seeds (const Cell *cells, guint n, guint least)
{
  Hills hills = { .n = n, .k = CLAMP ((guint) sqrt (n), 8, n - 1) };
  hills.at = g_malloc_n (n, sizeof *hills.at);
  hills.near = g_new0 (guint32, (gsize) n * hills.k);
  hills.density = g_new (double, n);
  hills.order = g_new (guint, n);
  hills.root = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    for (guint p = 0; p < 6; p++)
      hills.at[i][p] = p < 3 ? log (cells[i].of[p]) : cells[i].of[p] * G_PI / 180;
  find_neighbours (&hills);
  find_hills (&hills);
  GArray *seeds = seeds_of (&hills, cells, least);
  hills_clear (&hills);
  return seeds;
}

/* --- expectation maximisation --- */

static gboolean
is_sound (const FlCellCluster *cluster, double weight, guint least)
{
  for (guint p = 0; p < 6; p++)
    {
      double spread = sqrt (fmax (cluster->covariance[p][p], 0));
      if (!(spread <= WIDEST * (p < 3 ? cluster->mean[p] : 180 / G_PI)))
        return FALSE;
    }
  return weight >= least;
}

/* One round: TRUE when nothing moves any more. Those that have become too small or too wide go. */
static gboolean
improve (GArray *clusters, const Cell *cells, guint n, guint least)
{
  guint k = clusters->len;
  FlCellCluster *of = (FlCellCluster *) (void *) clusters->data;
  Form forms[MOST_SEEDS];
  double log_weights[MOST_SEEDS], cuts[MOST_SEEDS];
  Moments moments[MOST_SEEDS];
  gboolean still = TRUE;
  prepare (of, k, TRIM, forms, log_weights, cuts);
  memset (moments, 0, sizeof moments);
  for (guint i = 0; i < k; i++)
    memcpy (moments[i].origin, of[i].mean, sizeof of[i].mean);
  for (guint c = 0; c < n; c++)
    {
      double square[MOST_SEEDS], like[MOST_SEEDS], most = -INFINITY, sum = 0;
      for (guint i = 0; i < k; i++)
        {
          square[i] = form_square (&forms[i], cells[c].of);
          like[i] = square[i] <= cuts[i] ? log_weights[i] + forms[i].log_density - square[i] / 2 : -INFINITY;
          most = fmax (most, like[i]);
        }
      for (guint i = 0; i < k; i++)
        sum += like[i] = isfinite (most) ? exp (like[i] - most) : 0;
      for (guint i = 0; i < k; i++)
        if (like[i] > 0)
          moments_add (&moments[i], cells[c].of, like[i] / sum);
    }
  for (guint i = k; i-- > 0;)
    {
      double before[6];
      for (guint p = 0; p < 6; p++)
        before[p] = of[i].covariance[p][p];
      if (moments[i].weight > 0)
        moments_write (&moments[i], grow (forms[i].dimensions, TRIM, cuts[i]), &of[i]);
      for (guint p = 0; p < 6; p++)
        still &= fabs (of[i].covariance[p][p] - before[p]) <= 1e-4 * before[p];
      if (!is_sound (&of[i], moments[i].weight, least))
        {
          g_array_remove_index (clusters, i);
          still = FALSE;
        }
    }
  return still;
}

/* Of two whose centres are near, the smaller goes: the other grows over it. TRUE when one has gone. */
static gboolean
join_one (GArray *clusters)
{
  for (guint i = 0; i < clusters->len; i++)
    for (guint j = i + 1; j < clusters->len; j++)
      {
        const FlCellCluster *a = &g_array_index (clusters, FlCellCluster, i),
                            *b = &g_array_index (clusters, FlCellCluster, j);
        if (fmin (fl_cell_cluster_distance (a, b->mean), fl_cell_cluster_distance (b, a->mean)) >= CLOSE)
          continue;
        g_array_remove_index (clusters, a->members >= b->members ? j : i);
        return TRUE;
      }
  return FALSE;
}

static int
compare_members (gconstpointer a, gconstpointer b)
{
  const FlCellCluster *x = a, *y = b;
  if (x->members != y->members)
    return x->members > y->members ? -1 : 1;
  return compare_cells (x->mean, y->mean);
}

static void
count_members (GArray *clusters, const Cell *cells, guint n)
{
  Form forms[MOST_SEEDS];
  double log_weights[MOST_SEEDS], cuts[MOST_SEEDS];
  guint64 members[MOST_SEEDS] = { 0 };
  prepare ((const FlCellCluster *) (void *) clusters->data, clusters->len, MEMBERS, forms, log_weights, cuts);
  for (guint i = 0; i < n; i++)
    {
      int in = likeliest (forms, log_weights, cuts, clusters->len, cells[i].of);
      if (in >= 0)
        members[in]++;
    }
  for (guint i = 0; i < clusters->len; i++)
    g_array_index (clusters, FlCellCluster, i).members = members[i];
}

GArray *
fl_cell_clusters_find (const double (*cells)[6], guint n, guint most)
{
  g_autoptr (GArray) good = good_cells (cells, n);
  g_autoptr (GArray) looked = sample (good);
  const Cell *of = (const Cell *) (void *) looked->data;
  guint fitted = MIN (looked->len, SAMPLE), seeded = MIN (looked->len, SEEDS);
  if (good->len < FL_CELL_CLUSTER_LEAST)
    return g_array_new (FALSE, TRUE, sizeof (FlCellCluster));
  GArray *clusters = find_seeds (of, seeded, MAX (FL_CELL_CLUSTER_LEAST / 2, seeded / 200));
  guint least = MAX (FL_CELL_CLUSTER_LEAST, fitted / 100);
  do
    for (guint round = 0; round < ROUNDS && clusters->len > 0; round++)
      if (improve (clusters, of, fitted, round < 10 ? 2 : least))
        break;
  while (join_one (clusters));
  count_members (clusters, (const Cell *) (void *) good->data, good->len);
  if (clusters->len)
    g_array_sort (clusters, compare_members);
  if (clusters->len > most)
    g_array_set_size (clusters, most);
  return clusters;
}
