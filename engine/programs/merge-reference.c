/* Intensities from outside (merge.reference): rank 0 reads the file before anything else is done, and places them when the list of
 * reflections is known. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/crystal/hkl-file.h"
#include "engine/crystal/mtz.h"
#include "engine/parallel/exchange.h"
#include "engine/programs/merge-job.h"

/* As rows of a list; those without a value are left out. */
static GArray *
rows_of_mtz (const char *path, FlSymmetry **symmetry, GError **error)
{
  g_autoptr (FlMtz) mtz = fl_mtz_read (path, error);
  guint column = 3;
  if (mtz == NULL)
    return NULL;
  while (column < mtz->n_columns && mtz->columns[column].type != 'J')
    column++;
  if (column >= mtz->n_columns)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no intensities, expected a column of type J",
                   path);
      return NULL;
    }
  gboolean sigmas = column + 1 < mtz->n_columns && mtz->columns[column + 1].type == 'Q';
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (FlHklRow));
  for (guint i = 0; i < mtz->n; i++)
    {
      const float *at = mtz->data + (gsize) i * mtz->n_columns;
      FlHklRow row = { .hkl = { (int) at[0], (int) at[1], (int) at[2] },
                       .intensity = (double) at[column],
                       .sigma = sigmas ? (double) at[column + 1] : 0 };
      if (isfinite (row.intensity))
        g_array_append_val (rows, row);
    }
  *symmetry = g_steal_pointer (&mtz->symmetry);
  return rows;
}

gboolean
fl_merge_job_read_reference (FlMergeJob *job, GError **error)
{
  const char *path = fl_params_text (job->params, "merge.reference");
  if (job->first && *path != '\0')
    job->outside_rows = g_str_has_suffix (path, ".mtz")
                            ? rows_of_mtz (path, &job->outside_symmetry, error)
                            : fl_hkl_file_rows (path, &job->outside_symmetry, error);
  return fl_merge_job_agree (job, error);
}

/* Each row at all reflections of its class: the file's symmetry may be higher than the merge's, or lower: then the mean counts. */
static gboolean
place (FlMergeJob *job)
{
  static const FlSymmetryOperator identity = { .r = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  const FlSymmetry *symmetry = job->outside_symmetry;
  const FlSymmetryOperator *ops = symmetry != NULL ? symmetry->ops : &identity;
  FlMergeReference *reference = job->outside;
  g_autofree double *sums = g_new0 (double, 2 * (gsize) reference->n + 1);
  g_autofree guint *hits = g_new0 (guint, (gsize) reference->n + 1);
  gboolean any = FALSE;
  for (guint i = 0; i < job->outside_rows->len; i++)
    {
      const FlHklRow *row = &g_array_index (job->outside_rows, FlHklRow, i);
      for (guint o = 0; o < (symmetry != NULL ? symmetry->n : 1); o++)
        {
          guint32 number = fl_unique_list_find (job->list, fl_miller_transform (row->hkl, &ops[o]), NULL);
          if (number == FL_UNIQUE_NONE)
            continue;
          sums[2 * (gsize) number] += row->intensity;
          sums[2 * (gsize) number + 1] += row->sigma > 0 ? row->sigma : 1;
          hits[number]++;
          any = TRUE;
        }
    }
  for (guint i = 0; i < reference->n; i++)
    if (hits[i] > 0)
      {
        reference->intensity[i] = (float) (sums[2 * (gsize) i] / hits[i]);
        reference->sigma[i] = (float) (sums[2 * (gsize) i + 1] / hits[i]);
        reference->count[i] = 1;
      }
  return any;
}

/* Rank 0's values, for all. */
static void
share (FlParallel *parallel, gboolean first, void *values, gsize length)
{
  guint64 total;
  g_autofree char *all = fl_parallel_gather_all (parallel, values, first ? length : 0, &total);
  memcpy (values, all, length);
}

gboolean
fl_merge_job_place_reference (FlMergeJob *job, GError **error)
{
  const char *path = fl_params_text (job->params, "merge.reference");
  if (*path == '\0')
    return TRUE;
  FlMergeReference *reference = job->outside = fl_merge_reference_new (fl_unique_list_n (job->list));
  if (job->first && !place (job))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no reflection of this cell and resolution", path);
  if (!fl_merge_job_agree (job, error))
    return FALSE;
  share (job->parallel, job->first, reference->intensity, reference->n * sizeof (float));
  share (job->parallel, job->first, reference->sigma, reference->n * sizeof (float));
  share (job->parallel, job->first, reference->count, reference->n * sizeof (guint32));
  return TRUE;
}
