#include "engine/simulate/spi-truth.h"

#include <hdf5.h>

#include "engine/base/error.h"

struct FlSpiTruth
{
  GArray *shots;     /* of FlSpiShot, whose photons are gone */
  GArray *particles; /* of FlSpiPlaced */
  GArray *owners;    /* of gint32: the shot of each particle */
};

FlSpiTruth *
fl_spi_truth_new (void)
{
  FlSpiTruth *t = g_new (FlSpiTruth, 1);
  t->shots = g_array_new (FALSE, FALSE, sizeof (FlSpiShot));
  t->particles = g_array_new (FALSE, FALSE, sizeof (FlSpiPlaced));
  t->owners = g_array_new (FALSE, FALSE, sizeof (gint32));
  return t;
}

void
fl_spi_truth_free (FlSpiTruth *t)
{
  if (t == NULL)
    return;
  g_array_free (t->shots, TRUE);
  g_array_free (t->particles, TRUE);
  g_array_free (t->owners, TRUE);
  g_free (t);
}

void
fl_spi_truth_add (FlSpiTruth *t, const FlSpiShot *shot)
{
  gint32 owner = (gint32) t->shots->len;
  g_array_append_val (t->shots, *shot);
  g_array_append_vals (t->particles, shot->particles, shot->n_particles);
  for (guint i = 0; i < shot->n_particles; i++)
    g_array_append_val (t->owners, owner);
}

typedef void (*FlRowFunc) (const void *row, double *values);

/* rows[n] of `size` bytes as a dataset of `dims` (the first is n) of numbers of `type`. */
static gboolean
put (hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims, const GArray *rows,
     FlRowFunc func)
{
  hsize_t width = 1;
  for (int i = 1; i < rank; i++)
    width *= dims[i];
  g_autofree double *values = g_new (double, rows->len *width);
  for (guint i = 0; i < rows->len; i++)
    func (rows->data + (gsize) i * g_array_get_element_size ((GArray *) rows), values + i * width);
  hid_t space = H5Screate_simple (rank, dims, NULL), plist = H5Pcreate (H5P_DATASET_CREATE),
        links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (links, 1);
  H5Pset_obj_track_times (plist, 0);
  hid_t set = H5Dcreate (file, name, type, space, links, plist, H5P_DEFAULT);
  gboolean ok = set >= 0 && H5Dwrite (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  if (set >= 0)
    H5Dclose (set);
  H5Pclose (links);
  H5Pclose (plist);
  H5Sclose (space);
  return ok;
}

static void
quat_values (FlQuat q, double *v)
{
  v[0] = q.w;
  v[1] = q.x;
  v[2] = q.y;
  v[3] = q.z;
}

static void
shot_orientation (const void *row, double *v)
{
  const FlSpiShot *shot = row;
  quat_values (shot->n_particles > 0 ? shot->particles[0].orientation : (FlQuat){ NAN, NAN, NAN, NAN }, v);
}

static void
shot_offsets (const void *row, double *v)
{
  v[0] = ((const FlSpiShot *) row)->centre[0];
  v[1] = ((const FlSpiShot *) row)->centre[1];
}

static void
shot_conformation (const void *row, double *v)
{
  const FlSpiShot *shot = row;
  *v = shot->n_particles > 0 ? (double) shot->particles[0].model : -1;
}

#define COLUMN(row_type, member)                                                                             \
  static void column_##member (const void *row, double *v) { *v = (double) ((const row_type *) row)->member; }
COLUMN (FlSpiShot, kind)
COLUMN (FlSpiShot, n_particles)
COLUMN (FlSpiShot, fluence)
COLUMN (FlSpiShot, energy)
COLUMN (FlSpiShot, background)
COLUMN (FlSpiShot, diameter)
COLUMN (FlSpiShot, expected)
COLUMN (FlSpiShot, total)
COLUMN (FlSpiPlaced, model)
COLUMN (FlSpiPlaced, focus)

static void
owner_value (const void *row, double *v)
{
  *v = *(const gint32 *) row;
}

static void
particle_orientation (const void *row, double *v)
{
  quat_values (((const FlSpiPlaced *) row)->orientation, v);
}

static void
particle_position (const void *row, double *v)
{
  FlVec3 r = ((const FlSpiPlaced *) row)->position;
  v[0] = r.x;
  v[1] = r.y;
  v[2] = r.z;
}

static void
number_value (const void *row, double *v)
{
  *v = *(const double *) row;
}

static gboolean
put_number (hid_t file, const char *name, double value)
{
  GArray *one = g_array_new (FALSE, FALSE, sizeof value);
  g_array_append_val (one, value);
  gboolean ok = put (file, name, H5T_NATIVE_DOUBLE, 0, NULL, one, number_value);
  g_array_free (one, TRUE);
  return ok;
}

gboolean
fl_spi_truth_write (const FlSpiTruth *t, const FlSpiSimulator *simulator, const char *path, GError **error)
{
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
  const hid_t real = H5T_NATIVE_DOUBLE, whole = H5T_NATIVE_INT32;
  const hsize_t n = t->shots->len, p = t->particles->len, line[1] = { n }, pairs[2] = { n, 2 },
                quats[3] = { n, 1, 4 }, p_line[1] = { p }, p_quats[2] = { p, 4 }, p_vectors[2] = { p, 3 };
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file >= 0 && put (file, "orientations", real, 3, quats, t->shots, shot_orientation)
                && put (file, "conformation", whole, 1, line, t->shots, shot_conformation)
                && put (file, "kind", H5T_NATIVE_UINT8, 1, line, t->shots, column_kind)
                && put (file, "n_particles", whole, 1, line, t->shots, column_n_particles)
                && put (file, "fluences", real, 1, line, t->shots, column_fluence)
                && put (file, "beam_offsets", real, 2, pairs, t->shots, shot_offsets)
                && put (file, "photon_energy", real, 1, line, t->shots, column_energy)
                && put (file, "background", real, 1, line, t->shots, column_background)
                && put (file, "droplet_diameter", real, 1, line, t->shots, column_diameter)
                && put (file, "expected", real, 1, line, t->shots, column_expected)
                && put (file, "photons", H5T_NATIVE_UINT64, 1, line, t->shots, column_total)
                && put (file, "particles/shot", whole, 1, p_line, t->owners, owner_value)
                && put (file, "particles/conformation", whole, 1, p_line, t->particles, column_model)
                && put (file, "particles/orientation", real, 2, p_quats, t->particles, particle_orientation)
                && put (file, "particles/position", real, 2, p_vectors, t->particles, particle_position)
                && put (file, "particles/focus", real, 1, p_line, t->particles, column_focus)
                && put_number (file, "wavelength", fl_spi_simulator_wavelength (simulator))
                && put_number (file, "photons_per_um2", fl_spi_simulator_fluence (simulator))
                && put_number (file, "s_corner", fl_spi_simulator_corner (simulator));
  if (file >= 0)
    ok = H5Fclose (file) >= 0 && ok;
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written (is the disk full?)", path);
  return ok;
}
