/* What is kept between generations, so that the next attempt goes on: checkpoint.h5 in the job's folder,
 *
 *   /core          u8, of engine/spi/reconstruction.h
 *   /generations/  those done, as in the journal
 *   attributes: format "firstlight reconstruction", version, patterns, input_sum, params_sum, told (1: the last generation
 *   is in the journal, and phased if it was its turn)
 *
 * It appears whole or not at all. */
#include <glib/gstdio.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/parallel/arrays.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/results/table.h"

#define VERSION 1

static char *
path_of (const FlReconstructJob *job)
{
  return g_build_filename (job->out, "checkpoint.h5", NULL);
}

/* --- writing --- */

static gboolean
write_bytes (hid_t file, GBytes *bytes)
{
  const hsize_t n[1] = { g_bytes_get_size (bytes) };
  hid_t space = H5Screate_simple (1, n, NULL);
  hid_t set = H5Dcreate2 (file, "core", H5T_NATIVE_UINT8, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok =
      set >= 0
      && H5Dwrite (set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, g_bytes_get_data (bytes, NULL)) >= 0;
  if (set >= 0)
    H5Dclose (set);
  H5Sclose (space);
  return ok;
}

static gboolean
write_file (const FlReconstructJob *job, GBytes *core, GError **error)
{
  g_autofree char *path = path_of (job), *temporary = fl_seal_begin (path);
  g_autoptr (FlBatch) generations = fl_reconstruct_generations (job);
  g_autoptr (GError) why = NULL;
  fl_hdf5_quiet ();
  hid_t file = H5Fcreate (temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file >= 0 && fl_attribute_write_text (file, "format", "firstlight reconstruction")
                && fl_attribute_write_u64 (file, "version", VERSION)
                && fl_attribute_write_u64 (file, "patterns", job->n_patterns)
                && fl_attribute_write_u64 (file, "input_sum", job->input_sum)
                && fl_attribute_write_u64 (file, "params_sum", job->params_sum)
                && fl_attribute_write_u64 (file, "told", job->told ? 1 : 0)
                && fl_table_write (file, "generations", generations, &why) && write_bytes (file, core);
  if (file >= 0)
    ok = H5Fclose (file) >= 0 && ok;
  if (ok)
    return fl_seal (temporary, path, error);
  g_unlink (temporary);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written (is the disk full?)", path);
  return FALSE;
}

gboolean
fl_reconstruct_save (FlReconstructJob *job, GError **error)
{
  g_autoptr (GBytes) core = fl_reconstruction_save (job->reconstruction);
  if (job->first)
    write_file (job, core, error);
  return fl_reconstruct_agree (job, error);
}

/* --- reading --- */

static GBytes *
read_bytes (hid_t file)
{
  hsize_t n[1] = { 0 };
  hid_t set = H5Dopen2 (file, "core", H5P_DEFAULT);
  hid_t space = set >= 0 ? H5Dget_space (set) : -1;
  gboolean ok = space >= 0 && H5Sget_simple_extent_ndims (space) == 1
                && H5Sget_simple_extent_dims (space, n, NULL) == 1
                && H5Dget_storage_size (set) == n[0]; /* a damaged length asks for no memory */
  guint8 *data = ok ? g_try_malloc (n[0] + 1) : NULL;
  ok = data != NULL && H5Dread (set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
  if (space >= 0)
    H5Sclose (space);
  if (set >= 0)
    H5Dclose (set);
  if (ok)
    return g_bytes_new_take (data, n[0]);
  g_free (data);
  return NULL;
}

static const char *
what_differs (const FlReconstructJob *job, hid_t file)
{
  guint64 version, input_sum, params_sum;
  if (!fl_attribute_read_u64 (file, "version", &version) || version != VERSION
      || !fl_attribute_read_u64 (file, "input_sum", &input_sum)
      || !fl_attribute_read_u64 (file, "params_sum", &params_sum))
    return "is of another version";
  return input_sum != job->input_sum     ? "is of other patterns"
         : params_sum != job->params_sum ? "is of other parameters"
                                         : NULL;
}

/* Negative: it is not one to go on from. */
static hid_t
open_file (const FlReconstructJob *job, const char *path, GError **error)
{
  fl_hdf5_quiet ();
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  const char *why = file < 0 ? "cannot be opened" : what_differs (job, file);
  if (why == NULL)
    return file;
  if (file >= 0)
    H5Fclose (file);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: %s, expected one of this reconstruction (or another --out)", path, why);
  return -1;
}

gboolean
fl_reconstruct_may_go_on (FlReconstructJob *job, GError **error)
{
  g_autofree char *path = path_of (job);
  if (job->first && g_file_test (path, G_FILE_TEST_EXISTS))
    {
      hid_t file = open_file (job, path, error);
      if (file >= 0)
        H5Fclose (file);
    }
  return fl_reconstruct_agree (job, error);
}

/* Generations, and the core's bytes; NULL with error. */
static GBytes *
read_file (FlReconstructJob *job, const char *path, GError **error)
{
  hid_t file = open_file (job, path, error);
  if (file < 0)
    return NULL;
  guint64 told = 0;
  gint64 n = !fl_attribute_read_u64 (file, "told", &told)
                 ? -1
                 : fl_table_rows (file, "generations", FL_KIND_GENERATION, NULL);
  g_autoptr (FlBatch) done =
      n >= 0 ? fl_table_read (file, "generations", FL_KIND_GENERATION, 0, (gsize) n, NULL) : NULL;
  GBytes *core = done != NULL ? read_bytes (file) : NULL;
  for (guint i = 0; core != NULL && i < fl_batch_rows (done); i++)
    {
      FlGenerationRow row;
      fl_batch_row (done, i, &row);
      g_array_append_val (job->generations, row);
    }
  job->told = told != 0;
  H5Fclose (file);
  if (core == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: is damaged, expected a whole one (or none, to begin anew)", path);
  return core;
}

gboolean
fl_reconstruct_go_on (FlReconstructJob *job, GError **error)
{
  g_autofree char *path = path_of (job);
  gboolean there = fl_parallel_share_u64 (job->parallel, g_file_test (path, G_FILE_TEST_EXISTS)) != 0;
  g_autoptr (GBytes) core = there && job->first ? read_file (job, path, error) : NULL;
  if (!there || !fl_reconstruct_agree (job, error))
    return !there;
  guint n = (guint) fl_parallel_share_u64 (job->parallel, job->generations->len);
  g_array_set_size (job->generations, n);
  job->told = fl_parallel_share_u64 (job->parallel, job->told ? 1 : 0) != 0;
  fl_parallel_share_data (job->parallel, job->generations->data, n * sizeof (FlGenerationRow));
  if (!fl_reconstruction_restore (job->reconstruction, core, error))
    fl_error_prefix_path (error, path);
  return fl_reconstruct_agree (job, error);
}

/* --- another job's --- */

static GBytes *
read_former (const char *path, GError **error)
{
  fl_hdf5_quiet ();
  guint64 version;
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  GBytes *core = file >= 0 && fl_attribute_read_u64 (file, "version", &version) && version == VERSION
                     ? read_bytes (file)
                     : NULL;
  if (file >= 0)
    H5Fclose (file);
  if (core == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the earlier reconstruction cannot be read");
  return core;
}

gboolean
fl_reconstruct_start_from (FlReconstructJob *job, const char *former)
{
  g_autofree char *path = g_build_filename (former, "checkpoint.h5", NULL);
  g_autoptr (GError) why = NULL;
  g_autoptr (GBytes) core = job->first ? read_former (path, &why) : NULL;
  gboolean taken = fl_parallel_share_u64 (job->parallel, core != NULL) != 0
                   && fl_reconstruction_start_from (job->reconstruction, core, &why);
  if (job->first && taken)
    fprintf (stderr, "starts from %s\n", former);
  else if (job->first)
    fprintf (stderr, "%s: %s; starts anew\n", path, why->message);
  return taken;
}
