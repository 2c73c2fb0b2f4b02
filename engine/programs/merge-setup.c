/* What a merge is reckoned in: cell, symmetry and resolution, from the parameters or from the lattices themselves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cell-clusters.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/merge/filter.h"
#include "engine/programs/merge-job.h"

#define AMBIGUITY_LENGTH 0.02 /* relative: how far a lattice may be from a more symmetric one … */
#define AMBIGUITY_ANGLE  (2 * G_PI / 180) /* rad: … and still be taken for it */
#define REACHED_BY       0.05             /* part of the lattices that reaches the resolution of the merge */

gboolean
fl_merge_job_agree (FlMergeJob *job, GError **error)
{
  guint64 code = job->first && *error != NULL ? 1 + (guint64) (*error)->code : 0;
  code = fl_parallel_share_u64 (job->parallel, code);
  if (code == 0)
    return TRUE;
  g_autofree char *message = fl_parallel_share_text (job->parallel, job->first ? (*error)->message : NULL);
  if (!job->first)
    {
      g_clear_error (error);
      g_set_error_literal (error, FL_ERROR, (int) (code - 1), message);
    }
  return FALSE;
}

/* --- what the lattices say --- */

/* Of one lattice. */
typedef struct
{
  guint32 number;
  guint16 space_group;
  guint8 centring, zero;
  float cell[6], energy, resolution;
} Told;

static int
by_number (gconstpointer a, gconstpointer b)
{
  const Told *x = a, *y = b;
  return (x->number > y->number) - (x->number < y->number);
}

/* At rank 0 those of all ranks that are in, in one order; elsewhere NULL. */
static GArray *
gather_told (const FlMergeJob *job)
{
  g_autoptr (GArray) own = g_array_new (FALSE, FALSE, sizeof (Told));
  for (guint i = 0; i < job->set->lattices->len; i++)
    {
      const FlMergeLattice *l = fl_merge_set_lattice (job->set, i);
      Told told = { .number = l->number,
                    .space_group = l->space_group,
                    .centring = l->centring,
                    .energy = l->energy,
                    .resolution = l->resolution };
      fl_merge_lattice_cell (l, job->settings, l->setting, told.cell);
      if (l->reason == FL_MERGE_ACCEPTED)
        g_array_append_val (own, told);
    }
  g_autoptr (GPtrArray) parts = fl_parallel_gather (job->parallel, own->data, own->len * sizeof (Told));
  if (parts == NULL)
    return NULL;
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Told));
  for (guint i = 0; i < parts->len; i++)
    {
      gsize length;
      const void *rows = g_bytes_get_data (parts->pdata[i], &length);
      g_array_append_vals (all, rows, (guint) (length / sizeof (Told)));
    }
  g_array_sort (all, by_number);
  return all;
}

static int
by_value (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

/* The value below which `part` of those above 0 lie; 0 without any. `offset`: of the float in Told. */
static double
quantile (const GArray *told, gsize offset, double part)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < told->len; i++)
    {
      float value;
      memcpy (&value, told->data + i * sizeof (Told) + offset, sizeof value);
      if (value > 0)
        g_array_append_val (values, value);
    }
  g_array_sort (values, by_value);
  return values->len > 0 ? (double) g_array_index (values, float, (guint) (part * (values->len - 1))) : 0;
}

static guint
commonest_group (const GArray *told)
{
  guint counts[231] = { 0 }, best = 0;
  for (guint i = 0; i < told->len; i++)
    if (g_array_index (told, Told, i).space_group <= 230)
      counts[g_array_index (told, Told, i).space_group]++;
  for (guint i = 1; i <= 230; i++)
    if (counts[i] > counts[best] || best == 0)
      best = counts[i] > 0 ? i : best;
  return best;
}

static double
share_f64 (FlParallel *parallel, double value)
{
  guint64 bits;
  memcpy (&bits, &value, sizeof bits);
  bits = fl_parallel_share_u64 (parallel, bits);
  memcpy (&value, &bits, sizeof value);
  return value;
}

void
fl_merge_job_means (FlMergeJob *job)
{
  g_autoptr (GArray) told = gather_told (job);
  double sums[7] = { 0 };
  for (guint i = 0; told != NULL && i < told->len; i++)
    {
      const Told *t = &g_array_index (told, Told, i);
      for (guint k = 0; k < 6; k++)
        sums[k] += (double) t->cell[k] / told->len;
      sums[6] += (double) t->energy / told->len;
    }
  for (guint k = 0; k < 7; k++)
    {
      float mean = (float) share_f64 (job->parallel, sums[k]);
      *(k < 6 ? &job->row.cell[k] : &job->row.energy) = mean;
    }
}

/* --- cell and symmetry --- */

static gboolean
find_cell (FlMergeJob *job, const GArray *told, GError **error)
{
  double values[6];
  if (fl_params_reals (job->params, "merge.unit_cell", values))
    return fl_cell_from_degrees (values, &job->cell, error);
  for (guint k = 0; k < 6; k++)
    {
      double median =
          told != NULL ? quantile (told, G_STRUCT_OFFSET (Told, cell) + k * sizeof (float), 0.5) : 0;
      values[k] = share_f64 (job->parallel, median) * (k < 3 ? 1 : 180 / G_PI);
    }
  return fl_cell_from_degrees (values, &job->cell, error);
}

static gboolean
find_symmetry (FlMergeJob *job, const GArray *told, GError **error)
{
  const char *symbol = fl_params_text (job->params, "merge.space_group");
  guint number = (guint) fl_parallel_share_u64 (job->parallel, told != NULL ? commonest_group (told) : 0);
  g_autofree char *own = g_strdup_printf ("%u", number);
  if (*symbol == '\0' && number == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "the lattices do not say their space group, expected merge.space_group");
      return FALSE;
    }
  guint hall = fl_space_group_find (*symbol != '\0' ? symbol : own, &job->cell);
  if (hall == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "merge.space_group = %s: is not known, expected a symbol as P43212", symbol);
      return FALSE;
    }
  fl_space_group_get (hall, &job->group);
  job->symmetry = fl_symmetry_from_hall (hall);
  return TRUE;
}

/* Equal lengths and right angles are so by symmetry, not nearly so. */
static void
constrain_cell (FlMergeJob *job)
{
  FlMat3 star = fl_cell_reciprocal (&job->cell);
  if (job->group.unique_axis != '\0' && job->group.unique_axis != 'b')
    return;
  star = fl_lattice_constrain (&star, job->group.type);
  job->cell = fl_lattice_cell (&star);
}

static gboolean
is_in_cluster (const double cell[6], gpointer data)
{
  const FlMergeJob *job = data;
  double numbers[FL_CELL_CLUSTER_NUMBERS];
  FlCellCluster cluster;
  return !fl_params_reals (job->params, "merge.cell_cluster", numbers)
         || !fl_cell_cluster_read (numbers, FL_CELL_CLUSTER_NUMBERS, &cluster, NULL)
         || fl_cell_cluster_distance (&cluster, cell)
                <= fl_params_real (job->params, "merge.cell_cluster_cutoff");
}

static gboolean
filter (FlMergeJob *job, GError **error)
{
  double numbers[FL_CELL_CLUSTER_NUMBERS];
  FlCellCluster cluster;
  const FlParams *params = job->params;
  gboolean by_cluster = fl_params_reals (params, "merge.cell_cluster", numbers);
  if (by_cluster && !fl_cell_cluster_read (numbers, FL_CELL_CLUSTER_NUMBERS, &cluster, error))
    return FALSE;
  double length = fl_params_real (params, "merge.cell_length_tolerance");
  double angle = fl_params_real (params, "merge.cell_angle_tolerance") * G_PI / 180;
  FlMergeFilter options = {
    .min_reflections = (guint) fl_params_int (params, "merge.min_reflections"),
    .d_min = fl_params_real (params, "merge.lattice_d_min"),
    .min_confidence = fl_params_real (params, "merge.min_confidence"),
    .centring = job->group.centring,
    .settings = job->settings,
    .n_settings = job->n_settings,
    .cell = length > 0 || angle > 0 ? &job->cell : NULL,
    .length_tolerance = length > 0 ? length : G_MAXDOUBLE,
    .angle_tolerance = angle > 0 ? angle : G_MAXDOUBLE,
    .in_cluster = by_cluster ? is_in_cluster : NULL,
    .data = job,
  };
  fl_merge_filter (job->set, &options);
  return TRUE;
}

gboolean
fl_merge_job_set_up (FlMergeJob *job, GError **error)
{
  const FlParams *params = job->params;
  g_autoptr (GArray) told = gather_told (job);
  double reached = told != NULL ? quantile (told, G_STRUCT_OFFSET (Told, resolution), REACHED_BY) : 0;
  double d_min = fl_params_real (params, "merge.d_min");
  reached = share_f64 (job->parallel, reached);
  d_min = d_min > 0 ? d_min : reached;
  if (!find_cell (job, told, error) || !find_symmetry (job, told, error))
    return FALSE;
  if (!(d_min > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "the lattices do not say where they end, expected merge.d_min");
      return FALSE;
    }
  double d_max = fl_params_real (params, "merge.d_max");
  if (d_max > 0 && d_max <= d_min)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "merge.d_max = %g A, expected more than the %g A that the merge goes to", d_max, d_min);
      return FALSE;
    }
  constrain_cell (job);
  job->list = fl_unique_list_new (&job->cell, job->symmetry, d_min, d_max, error);
  if (job->list == NULL)
    return FALSE;
  job->settings = fl_reindexing_ambiguities (&job->cell, job->symmetry, AMBIGUITY_LENGTH, AMBIGUITY_ANGLE,
                                             &job->n_settings);
  return filter (job, error) && fl_merge_job_place_reference (job, error);
}
