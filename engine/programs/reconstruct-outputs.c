/* The files of a reconstruction. None of them says when or on how many ranks it was made: they can be compared. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>
#include <hdf5.h>

#include "engine/base/error.h"
#include "engine/crystal/ccp4-map.h"
#include "engine/programs/json-text.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/results/table.h"
#include "engine/spi/transform.h"

/* --- volumes --- */

gboolean
fl_reconstruct_write_volume (const char *path, const FlVolume *volume, const char *what, GError **error)
{
  const int m = (int) volume->m, n[3] = { m, m, m };
  const double side = m * volume->voxel, cell[6] = { side, side, side, 90, 90, 90 };
  FlCell box;
  if (!fl_cell_from_degrees (cell, &box, error))
    return FALSE;
  g_autofree char *title = g_strdup_printf ("%s, firstlight-engine reconstruct " FL_VERSION, what);
  g_autoptr (FlMap) map = fl_map_new (&box, NULL, n, NULL, n);
  memcpy (map->data, volume->data, fl_volume_points (volume) * sizeof *volume->data);
  for (int i = 0; i < 3; i++)
    map->origin[i] = -(m - 1) / 2 * volume->voxel;
  fl_map_measure (map);
  return fl_map_write (path, map, title, error);
}

/* The transform of an autocorrelation; its voxels are Å⁻¹. */
static FlVolume *
intensity_of (const FlVolume *autocorrelation, GError **error)
{
  FlTransform *t = fl_transform_new (autocorrelation->m, error);
  if (t == NULL)
    return NULL;
  fl_transform_put (t, autocorrelation, NULL);
  fl_transform_run (t, FALSE);
  FlVolume *intensity = fl_volume_new (t->n - 1, 1 / (t->n * autocorrelation->voxel));
  for (gsize i = 0; i < fl_volume_points (intensity); i++)
    {
      gsize m = intensity->m, at = 0;
      const gsize index[3] = { i / m / m, i / m % m, i % m };
      for (int a = 0; a < 3; a++) /* k = index − (n/2 − 1) */
        at = at * t->n + (index[a] + t->n / 2 + 1) % t->n;
      intensity->data[i] = crealf (t->grid[at]);
    }
  fl_transform_free (t);
  return intensity;
}

/* NULL: there is none; one of an earlier attempt would be another's. */
static gboolean
write_one (const FlReconstructJob *job, guint conformation, const char *name, const char *more,
           const FlVolume *volume, const char *what, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%s-c%u%s.mrc", job->out, name, conformation, more);
  if (volume != NULL)
    return fl_reconstruct_write_volume (path, volume, what, error);
  g_unlink (path);
  return TRUE;
}

static gboolean
write_volumes (const FlReconstructJob *job, GError **error)
{
  for (guint c = 0; c < job->maps->len; c++)
    {
      const FlReconstructMap *map = &g_array_index (job->maps, FlReconstructMap, c);
      const FlVolume *autocorrelation = fl_reconstruction_autocorrelation (job->reconstruction, c, 2);
      FlVolume *intensity = intensity_of (autocorrelation, error);
      gboolean ok = intensity != NULL && write_one (job, c, "density", "", map->density, "density", error)
                    && write_one (job, c, "density", "-half0", map->half[0], "density of half 0", error)
                    && write_one (job, c, "density", "-half1", map->half[1], "density of half 1", error)
                    && write_one (job, c, "autocorrelation", "", autocorrelation, "autocorrelation", error)
                    && write_one (job, c, "intensity", "", intensity, "intensity, voxels in 1/A", error);
      fl_volume_free (intensity);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

/* --- orientations.h5 --- */

typedef struct
{
  guint64 id;
  FlAssignment assignment;
  guint32 row;
} Told;

/* What all ranks know of their patterns, by row; NULL at the others. */
static Told *
gather_told (FlReconstructJob *job)
{
  g_autofree Told *mine = g_new0 (Told, job->patterns->n + 1);
  for (guint i = 0; i < job->patterns->n; i++)
    {
      mine[i].id = job->patterns->id[i];
      mine[i].row = job->patterns->row[i];
      fl_reconstruction_assignment (job->reconstruction, i, &mine[i].assignment);
    }
  g_autoptr (GPtrArray) parts = fl_parallel_gather (job->parallel, mine, job->patterns->n * sizeof *mine);
  Told *all = parts != NULL ? g_new0 (Told, job->n_patterns) : NULL;
  for (guint r = 0; parts != NULL && r < parts->len; r++)
    {
      gsize length;
      const Told *part = g_bytes_get_data (parts->pdata[r], &length);
      for (gsize i = 0; i < length / sizeof *part; i++)
        all[part[i].row] = part[i];
    }
  return all;
}

typedef struct
{
  const char *name;
  int type; /* FlColumnType */
  gsize offset;
  guint width; /* numbers of a pattern */
} Column;

#define TOLD(type, member, name)                                                                             \
  {                                                                                                          \
    name, FL_COLUMN_##type, G_STRUCT_OFFSET (Told, member), 1                                                \
  }

static const Column columns[] = {
  { "orientations", FL_COLUMN_F64, G_STRUCT_OFFSET (Told, assignment.orientation), 4 },
  TOLD (U32, assignment.conformation, "conformation"),
  TOLD (F32, assignment.confidence, "confidence"),
  TOLD (F32, assignment.scale, "scale"),
  TOLD (U8, assignment.half, "half"),
  TOLD (U8, assignment.held_back, "held_back"),
  TOLD (U64, id, "id"),
  TOLD (U32, row, "row"),
};

static gboolean
write_column (hid_t file, const Column *column, const Told *told, guint n)
{
  const hsize_t dims[2] = { n, column->width };
  hid_t type = fl_column_hdf5_type (column->type);
  gsize size = H5Tget_size (type) * column->width;
  g_autofree guint8 *values = g_malloc (n * size);
  for (guint i = 0; i < n; i++)
    memcpy (values + i * size, (const guint8 *) &told[i] + column->offset, size);
  hid_t space = H5Screate_simple (column->width > 1 ? 2 : 1, dims, NULL),
        plain = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_obj_track_times (plain, 0);
  hid_t set = H5Dcreate2 (file, column->name, type, space, H5P_DEFAULT, plain, H5P_DEFAULT);
  gboolean ok = set >= 0 && H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  if (set >= 0)
    H5Dclose (set);
  H5Pclose (plain);
  H5Sclose (space);
  return ok;
}

static gboolean
write_orientations (const FlReconstructJob *job, const Told *told, GError **error)
{
  g_autofree char *path = g_build_filename (job->out, "orientations.h5", NULL),
                  *temporary = fl_seal_begin (path);
  fl_hdf5_quiet ();
  hid_t file = H5Fcreate (temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file >= 0;
  for (guint i = 0; i < G_N_ELEMENTS (columns) && ok; i++)
    ok = write_column (file, &columns[i], told, job->n_patterns);
  if (file >= 0)
    ok = H5Fclose (file) >= 0 && ok;
  if (ok)
    return fl_seal (temporary, path, error);
  g_unlink (temporary);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written (is the disk full?)", path);
  return FALSE;
}

/* --- reconstruction.json --- */

static void
append_conformation (GString *out, const FlReconstructMap *map, double share)
{
  const FlFscCrossing *r = &map->resolution;
  gboolean known = map->fsc != NULL;
  g_string_append (out, "{\"share\": ");
  fl_json_real (out, share, 6);
  g_string_append (out, ", \"resolution\": ");
  fl_json_real (out, known ? 1 / r->s : NAN, 6);
  g_string_append (out, ", \"resolution_low\": ");
  fl_json_real (out, known ? 1 / r->high : NAN, 6);
  g_string_append (out, ", \"resolution_high\": ");
  fl_json_real (out, known ? 1 / r->low : NAN, 6);
  g_string_append_printf (out, ", \"to_edge_of_data\": %s",
                          known && isfinite (r->s) && !r->crossed ? "true" : "false");
  g_string_append (out, ", \"prtf_resolution\": ");
  fl_json_real (out, map->prtf_resolution, 6);
  g_string_append_printf (out, ", \"density\": %s}", map->density != NULL ? "true" : "false");
}

static gboolean
write_json (const FlReconstructJob *job, const double *shares, GError **error)
{
  static const char *const times[] = { "time", "t_slice", "t_match", "t_merge", "t_phase", "t_other", NULL };
  g_autofree char *path = g_build_filename (job->out, "reconstruction.json", NULL);
  g_autoptr (FlBatch) generations = fl_reconstruct_generations (job);
  g_autoptr (GString) out =
      g_string_new ("{\n  \"program\": \"firstlight-engine reconstruct " FL_VERSION "\"");
  fl_json_parameters (out, job->params, "reconstruct.");
  g_string_append_printf (out, ",\n  \"patterns\": %u,\n  \"diameter\": ", job->n_patterns);
  fl_json_real (out, fl_reconstruction_diameter (job->reconstruction), 6);
  g_string_append (out, ",\n  \"conformations\": [");
  for (guint c = 0; c < job->maps->len; c++)
    {
      g_string_append (out, c > 0 ? ",\n    " : "\n    ");
      append_conformation (out, &g_array_index (job->maps, FlReconstructMap, c), shares[c]);
    }
  g_string_append (out, "\n  ]");
  fl_json_batch (out, "generations", generations, times);
  g_string_append (out, "\n}\n");
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

/* --- all --- */

static void
print_line (const FlReconstructJob *job)
{
  const FlGenerationRow *last = &g_array_index (job->generations, FlGenerationRow, job->generations->len - 1);
  printf ("%u patterns, %u generations, %u conformations, ", job->n_patterns, last->number, job->maps->len);
  if (isfinite (last->half_resolution) && !isfinite (last->half_low))
    printf ("resolution to the edge of the data (%.1f A)\n", (double) last->half_resolution);
  else if (isfinite (last->half_resolution))
    printf ("resolution %.1f A (%.1f–%.1f)\n", (double) last->half_resolution, (double) last->half_low,
            (double) last->half_high);
  else
    printf ("resolution not known\n");
}

gboolean
fl_reconstruct_write (FlReconstructJob *job, GError **error)
{
  g_autofree Told *told = gather_told (job);
  g_autofree double *shares = fl_reconstruct_shares (job);
  if (job->first && write_volumes (job, error) && write_orientations (job, told, error)
      && write_json (job, shares, error))
    print_line (job);
  return fl_reconstruct_agree (job, error);
}
