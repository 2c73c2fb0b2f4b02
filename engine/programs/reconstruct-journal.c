/* What a reconstruction tells while it goes on: one write a generation. */
#include <math.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/spi/transform.h"

#define RINGS 16 /* of coverage, from the pole to the equator */

gboolean
fl_reconstruct_journal_open (FlReconstructJob *job, GError **error)
{
  g_autoptr (FlBatch) ranks = fl_batch_new (FL_KIND_RANK);
  FlBatch *const both[] = { ranks, job->sources };
  FlRankRow row = { .rank = fl_parallel_rank (job->parallel),
                    .ranks = fl_parallel_ranks (job->parallel),
                    .pid = (guint32) getpid (),
                    .cores = g_get_num_processors (),
                    .host = g_get_host_name (),
                    .device = flk_device_description (job->device) };
  fl_batch_append (ranks, &row);
  job->journal = fl_journal_writer_open (job->attempt_dir, row.rank, error);
  if (job->journal != NULL)
    fl_journal_writer_append (job->journal, both, job->first ? 2 : 1, error);
  return fl_reconstruct_agree (job, error);
}

FlBatch *
fl_reconstruct_generations (const FlReconstructJob *job)
{
  FlBatch *batch = fl_batch_new (FL_KIND_GENERATION);
  for (guint i = 0; i < job->generations->len; i++)
    fl_batch_append (batch, &g_array_index (job->generations, FlGenerationRow, i));
  return batch;
}

double *
fl_reconstruct_shares (FlReconstructJob *job)
{
  guint n = fl_reconstruction_conformations (job->reconstruction);
  double *shares = g_new0 (double, n);
  for (guint i = 0; i < job->patterns->n; i++)
    {
      FlAssignment assignment;
      fl_reconstruction_assignment (job->reconstruction, i, &assignment);
      shares[assignment.conformation] += 1;
    }
  fl_parallel_sum_f64 (job->parallel, shares, n);
  for (guint c = 0; c < n; c++)
    shares[c] /= job->n_patterns;
  return shares;
}

/* --- coverage: cells of about the same size on half a sphere, in rings of equal height in angle --- */

static guint
cells_of_ring (guint ring)
{
  double polar = (ring + 0.5) * G_PI / 2 / RINGS;
  return (guint) MAX (1, lrint (4 * RINGS * sin (polar)));
}

/* Number of the cell that a direction falls into. */
static guint
cell_of (FlVec3 v)
{
  guint cell = 0;
  if (v.z < 0)
    v = fl_vec3_scale (v, -1);
  guint ring = MIN ((guint) (acos (fmin (v.z, 1)) / (G_PI / 2) * RINGS), RINGS - 1);
  for (guint i = 0; i < ring; i++)
    cell += cells_of_ring (i);
  guint n = cells_of_ring (ring);
  return cell + MIN ((guint) ((atan2 (v.y, v.x) / (2 * G_PI) + 0.5) * n), n - 1);
}

static FlBatch *
coverage (FlReconstructJob *job, guint generation)
{
  guint n = 0, cell = 0;
  for (guint i = 0; i < RINGS; i++)
    n += cells_of_ring (i);
  g_autofree double *weights = g_new0 (double, n);
  for (guint i = 0; i < job->patterns->n; i++)
    {
      FlAssignment assignment;
      fl_reconstruction_assignment (job->reconstruction, i, &assignment);
      FlMat3 to_laboratory = fl_mat3_from_quat (assignment.orientation);
      weights[cell_of (fl_vec3 (to_laboratory.m[2][0], to_laboratory.m[2][1], to_laboratory.m[2][2]))] += 1;
    }
  fl_parallel_sum_f64 (job->parallel, weights, n);
  FlBatch *batch = fl_batch_new (FL_KIND_COVERAGE);
  for (guint ring = 0; ring < RINGS; ring++)
    for (guint i = 0; i < cells_of_ring (ring); i++, cell++)
      {
        double polar = (ring + 0.5) * G_PI / 2 / RINGS,
               azimuth = ((i + 0.5) / cells_of_ring (ring) - 0.5) * 2 * G_PI;
        FlCoverageRow row = { generation, (float) (sin (polar) * cos (azimuth)),
                              (float) (sin (polar) * sin (azimuth)), (float) cos (polar),
                              (float) weights[cell] };
        fl_batch_append (batch, &row);
      }
  return batch;
}

/* --- curves --- */

static void
append_fsc (FlBatch *batch, const FlFsc *fsc, FlCurveRow row)
{
  for (guint i = 1; i < fsc->n; i++)
    {
      row.s = (float) (i * fsc->step);
      row.value = (float) fsc->value[i];
      fl_batch_append (batch, &row);
    }
}

/* ln of the mean intensity of shells of one Fourier voxel; shells that are negative on the mean are left out. */
static gboolean
append_radial (FlBatch *batch, const FlVolume *autocorrelation, FlCurveRow row, GError **error)
{
  FlTransform *t = fl_transform_new (autocorrelation->m, error);
  if (t == NULL)
    return FALSE;
  g_autofree double *sum = g_new0 (double, t->n), *points = g_new0 (double, t->n);
  fl_transform_put (t, autocorrelation, NULL);
  fl_transform_run (t, FALSE);
  for (gsize i = 0; i < fl_transform_points (t); i++)
    {
      double x = fl_transform_k (t, (guint) (i % t->n)), y = fl_transform_k (t, (guint) (i / t->n % t->n)),
             z = fl_transform_k (t, (guint) (i / t->n / t->n));
      guint shell = (guint) lrint (sqrt (x * x + y * y + z * z));
      if (shell >= t->n / 2)
        continue;
      sum[shell] += (double) crealf (t->grid[i]);
      points[shell] += 1;
    }
  for (guint i = 1; i < t->n / 2; i++)
    if (sum[i] > 0)
      {
        row.s = (float) (i / (t->n * autocorrelation->voxel));
        row.value = (float) log (sum[i] / points[i]);
        fl_batch_append (batch, &row);
      }
  fl_transform_free (t);
  return TRUE;
}

/* Rank 0. */
static FlBatch *
curves (const FlReconstructJob *job, guint generation, GError **error)
{
  FlBatch *batch = fl_batch_new (FL_KIND_CURVE);
  gboolean ok = TRUE;
  for (guint c = 0; c < fl_reconstruction_conformations (job->reconstruction) && ok; c++)
    {
      FlCurveRow row = { .generation = generation, .conformation = (guint16) c, .curve = FL_CURVE_RADIAL };
      ok = append_radial (batch, fl_reconstruction_autocorrelation (job->reconstruction, c, 2), row, error);
      const FlReconstructMap *map =
          job->maps != NULL ? &g_array_index (job->maps, FlReconstructMap, c) : NULL;
      row.curve = FL_CURVE_FSC_HALVES;
      if (map != NULL && map->fsc != NULL)
        append_fsc (batch, map->fsc, row);
      row.curve = FL_CURVE_INTENSITY_HALVES;
      if (map != NULL && map->intensities != NULL)
        append_fsc (batch, map->intensities, row);
      for (guint i = 0; map != NULL && map->prtf != NULL && i < map->prtf->len; i++)
        {
          FlCurveRow point = g_array_index (map->prtf, FlCurveRow, i);
          point.generation = generation;
          fl_batch_append (batch, &point);
        }
    }
  if (!ok)
    g_clear_pointer (&batch, fl_batch_free);
  return batch;
}

/* --- all --- */

/* Rank 0. */
static gboolean
write_volumes (const FlReconstructJob *job, guint generation, GError **error)
{
  g_autofree char *folder = g_build_filename (job->attempt_dir, "volumes", NULL);
  gboolean ok = TRUE;
  g_mkdir (folder, 0777);
  for (guint c = 0; job->maps != NULL && c < job->maps->len && ok; c++)
    {
      const FlVolume *density = g_array_index (job->maps, FlReconstructMap, c).density;
      g_autofree char *path = g_strdup_printf ("%s/g%04u-c%u.mrc", folder, generation, c);
      ok = density == NULL || fl_reconstruct_write_volume (path, density, "density", error);
    }
  return ok;
}

static FlBatch *
occupancies (const FlReconstructJob *job, guint generation, const double *shares)
{
  FlBatch *batch = fl_batch_new (FL_KIND_OCCUPANCY);
  for (guint c = 0; c < fl_reconstruction_conformations (job->reconstruction); c++)
    {
      const FlReconstructMap *map =
          job->maps != NULL ? &g_array_index (job->maps, FlReconstructMap, c) : NULL;
      FlOccupancyRow row = { .generation = generation,
                             .conformation = (guint16) c,
                             .share = (float) shares[c],
                             .resolution =
                                 map != NULL && map->fsc != NULL ? (float) (1 / map->resolution.s) : NAN,
                             .volume = map != NULL && map->density != NULL };
      fl_batch_append (batch, &row);
    }
  return batch;
}

/* Every rank's own. */
static gboolean
add_device (const FlReconstructJob *job, GError **error)
{
  g_autoptr (FlBatch) device =
      fl_device_log_take (job->device_log, job->patterns->n, fl_reconstruct_is_last (job));
  return device == NULL || fl_journal_writer_append (job->journal, &device, 1, error);
}

gboolean
fl_reconstruct_journal_add (FlReconstructJob *job, GError **error)
{
  const FlGenerationRow *row = &g_array_index (job->generations, FlGenerationRow, job->generations->len - 1);
  g_autoptr (FlBatch) generation = fl_batch_new (FL_KIND_GENERATION);
  g_autoptr (FlBatch) covered = coverage (job, row->number);
  g_autofree double *shares = fl_reconstruct_shares (job);
  fl_batch_append (generation, row);
  if (add_device (job, error) && job->first && write_volumes (job, row->number, error))
    {
      g_autoptr (FlBatch) curve = curves (job, row->number, error);
      g_autoptr (FlBatch) occupancy = occupancies (job, row->number, shares);
      FlBatch *const all[] = { generation, occupancy, curve, covered };
      if (curve != NULL)
        fl_journal_writer_append (job->journal, all, G_N_ELEMENTS (all), error);
    }
  return fl_reconstruct_agree (job, error);
}
