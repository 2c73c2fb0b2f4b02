#include "engine/simulate/cxi-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define SCALAR_CHUNK 256 /* shots a chunk of one number a shot */

/* One number a shot. */
typedef enum
{
  COLUMN_ENERGY,
  COLUMN_TIME,
  COLUMN_NANOSECONDS,
  COLUMN_EVENT,
  COLUMN_FIDUCIAL,
  COLUMN_ENCODER,
  N_COLUMNS
} Column;

static const char *const column_paths[N_COLUMNS] = {
  "/LCLS/photon_energy_eV", "/LCLS/machineTime", "/LCLS/machineTimeNanoSeconds",
  "/LCLS/eventNumber",      "/LCLS/fiducial",    "/LCLS/detector_1/EncoderValue"
};

struct FlCxiWriter
{
  char *path, *partial;
  const FlDetectorLayout *layout;
  FlCompression compression;
  guint8 *packed; /* bitshuffle: room for a frame */
  hid_t file, data;
  hid_t columns[N_COLUMNS];
  guint n_shots;
  guint lost_first, n_lost;
};

static gboolean
failed (GError **error, const char *path, const char *what)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s cannot be written (is the disk full?)", path, what);
  return FALSE;
}

static hid_t
column_type (Column column)
{
  return column == COLUMN_ENERGY || column == COLUMN_ENCODER ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
}

/* A dataset without modification time: the same shots give the same bytes. */
static hid_t
make_dataset (hid_t parent, const char *path, hid_t type, int rank, const hsize_t *dims, const hsize_t *max,
              const hsize_t *chunk, FlCompression compression)
{
  hid_t space = H5Screate_simple (rank, dims, max), plist = H5Pcreate (H5P_DATASET_CREATE);
  hid_t links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (links, 1);
  H5Pset_obj_track_times (plist, 0);
  if (chunk != NULL)
    H5Pset_chunk (plist, rank, chunk);
  fl_chunk_set_filter (plist, compression, H5Tget_size (type));
  hid_t set = H5Dcreate (parent, path, type, space, links, plist, H5P_DEFAULT);
  H5Pclose (links);
  H5Pclose (plist);
  H5Sclose (space);
  return set;
}

static gboolean
write_scalar (FlCxiWriter *w, const char *path, hid_t type, const void *value)
{
  hid_t set = make_dataset (w->file, path, type, 0, NULL, NULL, NULL, FL_COMPRESSION_NONE);
  gboolean ok = set >= 0 && H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0;
  H5Dclose (set);
  return ok;
}

static gboolean
write_fixed (FlCxiWriter *w)
{
  const FlDetectorLayout *layout = w->layout;
  gint32 version = 160;
  double distance = layout->camera_length / 1000, pixel = layout->detector->panels[0].pixel_size / 1000;
  hid_t text = H5Tcopy (H5T_C_S1);
  H5Tset_size (text, strlen (layout->name));
  hsize_t dims[2] = { layout->height, layout->width };
  hid_t mask = make_dataset (w->file, "/entry_1/data_1/mask", H5T_NATIVE_UINT8, 2, dims, NULL, dims,
                             FL_COMPRESSION_DEFLATE);
  gboolean ok =
      mask >= 0
      && H5Dwrite (mask, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, layout->detector->mask) >= 0
      && write_scalar (w, "/cxi_version", H5T_NATIVE_INT32, &version)
      && write_scalar (w, "/entry_1/instrument_1/detector_1/distance", H5T_NATIVE_DOUBLE, &distance)
      && write_scalar (w, "/entry_1/instrument_1/detector_1/x_pixel_size", H5T_NATIVE_DOUBLE, &pixel)
      && write_scalar (w, "/entry_1/instrument_1/detector_1/y_pixel_size", H5T_NATIVE_DOUBLE, &pixel)
      && write_scalar (w, "/entry_1/instrument_1/detector_1/description", text, layout->name)
      && H5Lcreate_soft ("/entry_1/data_1/data", w->file, "/entry_1/instrument_1/detector_1/data",
                         H5P_DEFAULT, H5P_DEFAULT)
             >= 0;
  H5Tclose (text);
  H5Dclose (mask);
  return ok;
}

static gboolean
create (FlCxiWriter *w, FlCompression compression)
{
  w->file = H5Fcreate (w->partial, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (w->file < 0)
    return FALSE;
  hsize_t none[3] = { 0, w->layout->height, w->layout->width };
  hsize_t most[3] = { H5S_UNLIMITED, none[1], none[2] }, chunk[3] = { 1, none[1], none[2] },
          scalars = SCALAR_CHUNK;
  hid_t type = w->layout->type == FL_PIXEL_I16 ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16;
  w->data = make_dataset (w->file, "/entry_1/data_1/data", type, 3, none, most, chunk, compression);
  gboolean ok = w->data >= 0;
  for (int i = 0; i < N_COLUMNS; i++)
    {
      w->columns[i] = make_dataset (w->file, column_paths[i], column_type (i), 1, none, most, &scalars,
                                    FL_COMPRESSION_NONE);
      ok = ok && w->columns[i] >= 0;
    }
  return ok && write_fixed (w);
}

static void
close_all (FlCxiWriter *w)
{
  for (int i = 0; i < N_COLUMNS; i++)
    if (w->columns[i] >= 0)
      H5Dclose (w->columns[i]);
  if (w->data >= 0)
    H5Dclose (w->data);
}

static void
writer_free (FlCxiWriter *w)
{
  g_free (w->path);
  g_free (w->partial);
  g_free (w->packed);
  g_free (w);
}

FlCxiWriter *
fl_cxi_writer_new (const char *path, const FlDetectorLayout *layout, FlCompression compression,
                   GError **error)
{
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
  FlCxiWriter *w = g_new0 (FlCxiWriter, 1);
  w->path = g_strdup (path);
  w->partial = g_strconcat (path, ".inprogress", NULL);
  w->layout = layout;
  w->compression = compression;
  if (compression == FL_COMPRESSION_BITSHUFFLE)
    w->packed =
        g_malloc (fl_chunk_bound (compression, layout->detector->n_pixels, fl_pixel_size (layout->type)));
  w->file = w->data = -1;
  for (int i = 0; i < N_COLUMNS; i++)
    w->columns[i] = -1;
  if (create (w, compression))
    return w;
  failed (error, w->partial, "the file");
  fl_cxi_writer_abandon (w);
  return NULL;
}

static gboolean
append_number (FlCxiWriter *w, Column column, double real, gint64 whole)
{
  hsize_t at = w->n_shots, size = at + 1, one = 1;
  hid_t set = w->columns[column];
  gboolean is_real = column_type (column) == H5T_NATIVE_DOUBLE;
  if (H5Dset_extent (set, &size) < 0)
    return FALSE;
  hid_t memory = H5Screate_simple (1, &one, NULL), space = H5Dget_space (set);
  gboolean ok = H5Sselect_hyperslab (space, H5S_SELECT_SET, &at, NULL, &one, NULL) >= 0
                && H5Dwrite (set, column_type (column), memory, space, H5P_DEFAULT,
                             is_real ? (const void *) &real : (const void *) &whole)
                       >= 0;
  H5Sclose (space);
  H5Sclose (memory);
  return ok;
}

static gboolean
append_image (FlCxiWriter *w, const guint8 *pixels)
{
  hid_t type = w->layout->type == FL_PIXEL_I16 ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16;
  return fl_chunk_append_frame (w->data, w->compression, type, w->n_shots, w->layout->height,
                                w->layout->width, pixels, w->packed);
}

gboolean
fl_cxi_writer_append (FlCxiWriter *w, const guint8 *pixels, guint number, double energy, guint64 time,
                      GError **error)
{
  gboolean ok = append_image (w, pixels) && append_number (w, COLUMN_ENERGY, energy, 0)
                && append_number (w, COLUMN_TIME, 0, (gint64) (time / FL_NS_PER_S))
                && append_number (w, COLUMN_NANOSECONDS, 0, (gint64) (time % FL_NS_PER_S))
                && append_number (w, COLUMN_EVENT, 0, number)
                && append_number (w, COLUMN_FIDUCIAL, 0, (gint64) number * 3 % 0x1ffe0)
                && append_number (w, COLUMN_ENCODER, w->layout->camera_length, 0);
  w->n_shots++;
  return ok || failed (error, w->partial, "a shot");
}

/* --- lost blocks --- */

typedef struct
{
  off_t at;
  gsize length;
} FlHole;

static GArray *
find_holes (const char *path, guint first, guint n_frames)
{
  GArray *holes = g_array_new (FALSE, FALSE, sizeof (FlHole));
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT),
        data = H5Dopen (file, "/entry_1/data_1/data", H5P_DEFAULT);
  for (guint i = first; i < first + n_frames; i++)
    {
      hsize_t at[3] = { i, 0, 0 }, size = 0;
      haddr_t address = HADDR_UNDEF;
      unsigned mask;
      if (H5Dget_chunk_info_by_coord (data, at, &mask, &address, &size) < 0 || address == HADDR_UNDEF)
        continue;
      FlHole hole = { (off_t) (address + size / 2), size - size / 2 };
      g_array_append_val (holes, hole);
    }
  if (data >= 0)
    H5Dclose (data);
  if (file >= 0)
    H5Fclose (file);
  return holes;
}

static gboolean
lose_frames (const char *path, guint first, guint n_frames, GError **error)
{
  g_autoptr (GArray) holes = find_holes (path, first, n_frames);
  gboolean ok = holes->len == n_frames;
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  for (guint i = 0; ok && i < holes->len; i++)
    {
      FlHole hole = g_array_index (holes, FlHole, i);
      g_autofree char *zeros = g_malloc0 (hole.length);
      ok = fd >= 0 && pwrite (fd, zeros, hole.length, hole.at) == (gssize) hole.length;
    }
  if (fd >= 0)
    close (fd);
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED,
                 "%s: frames %u to %u cannot be damaged, expected a file with them", path, first,
                 first + n_frames - 1);
  return ok;
}

void
fl_cxi_writer_lose (FlCxiWriter *w, guint first, guint n_frames)
{
  w->lost_first = first;
  w->n_lost = n_frames;
}

/* --- the end --- */

gboolean
fl_cxi_writer_finish (FlCxiWriter *w, GError **error)
{
  close_all (w);
  gboolean ok = H5Fclose (w->file) >= 0;
  if (!ok)
    failed (error, w->partial, "the file");
  else if (w->n_lost > 0 && !lose_frames (w->partial, w->lost_first, w->n_lost, error))
    ok = FALSE;
  else if (rename (w->partial, w->path) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be renamed: %s", w->partial,
                   g_strerror (errno));
      ok = FALSE;
    }
  writer_free (w);
  return ok;
}

void
fl_cxi_writer_abandon (FlCxiWriter *w)
{
  if (w == NULL)
    return;
  close_all (w);
  if (w->file >= 0)
    H5Fclose (w->file);
  unlink (w->partial);
  writer_free (w);
}
