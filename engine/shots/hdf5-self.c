/* A geometry for files that describe themselves, written as CrystFEL text so that there is one way to read frames. */

#include "engine/shots/source-hdf5.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/pal.h"
#include "engine/shots/sacla.h"

/* Where images usually are when no NeXus entry tells. */
static const char *const image_paths[] = { "/entry_1/data_1/data", "/entry_1/instrument_1/detector_1/data",
                                           "/entry_1/image_1/data", "/data/data", "/data" };

/* Energies that CXI keeps, one for all frames or each its own, in J or eV; Cheetah has them once more. */
typedef struct
{
  const char *path; /* of one a frame; NULL: none such */
  double value;     /* eV; NAN: not known, or one a frame */
  double factor;    /* to eV, of those at `path` */
} Energy;

static Energy
find_energy (hid_t file, guint64 n_frames)
{
  static const char *const paths[] = { "/entry_1/instrument_1/source_1/energy", "/LCLS/photon_energy_eV" };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      gsize n = 0;
      g_autofree double *values = fl_h5_read_numbers (file, "", paths[i], (gsize) 1 << 26, &n, NULL);
      if (values == NULL || !(values[0] > 0) || !isfinite (values[0]) || (n > 1 && n != n_frames))
        continue;
      double factor = values[0] < 1e-10 ? 1 / 1.602176634e-19 : 1;
      return n > 1 ? (Energy){ paths[i], NAN, factor } : (Energy){ NULL, values[0] * factor, 1 };
    }
  return (Energy){ NULL, NAN, 1 };
}

#define CXI_DETECTOR "/entry_1/instrument_1/detector_1"

typedef struct
{
  double pixel_x, pixel_y, distance; /* mm */
  double centre_x, centre_y;         /* px */
} Facts;

static Facts
find_facts (hid_t file)
{
  return (Facts){ fl_h5_read_length (file, CXI_DETECTOR "/x_pixel_size"),
                  fl_h5_read_length (file, CXI_DETECTOR "/y_pixel_size"),
                  fl_h5_read_length (file, CXI_DETECTOR "/distance"),
                  fl_h5_read_number (file, CXI_DETECTOR "/beam_center_x", NAN),
                  fl_h5_read_number (file, CXI_DETECTOR "/beam_center_y", NAN) };
}

static void
add_number (GString *text, const char *key, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (text, "%s = %s\n", key, g_ascii_dtostr (buffer, sizeof buffer, value));
}

/* The image as the synchrotrons' beam centres mean it: seen from the sample fs runs to the right and ss down, which is
 * −x and −y in our frame (x points to the left of who looks along the beam with y up). */
static void
add_place (GString *text, const Facts *facts, gboolean placed)
{
  double step = placed ? facts->pixel_x : 1;
  add_number (text, "p0/res", 1e3 / step);
  add_number (text, "clen", placed ? facts->distance * 1e-3 : 0);
  if (!placed)
    {
      g_string_append (text, "p0/fs = x\np0/ss = y\np0/corner_x = 0\np0/corner_y = 0\n");
      return;
    }
  add_number (text, "p0/corner_x", facts->centre_x);
  add_number (text, "p0/corner_y", facts->centre_y * facts->pixel_y / step);
  g_string_append_printf (text, "p0/fs = -x\np0/ss = -%.9fy\n", facts->pixel_y / step);
}

static void
add_mask (GString *text, hid_t file, const char *path, guint rank, const hsize_t *dims)
{
  guint mask_rank;
  hsize_t mask_dims[H5S_MAX_RANK];
  FlPixelType type;
  if (fl_h5_image_shape (file, path, &mask_rank, mask_dims, &type)
      && mask_dims[mask_rank - 1] == dims[rank - 1] && mask_dims[mask_rank - 2] == dims[rank - 2])
    g_string_append_printf (text, "mask0_data = %s\nmask0_badbits = 0xffffffff\n", path);
}

static const char *
find_images (hid_t file, guint *rank, hsize_t *dims)
{
  FlPixelType type;
  for (gsize i = 0; i < G_N_ELEMENTS (image_paths); i++)
    if (fl_h5_image_shape (file, image_paths[i], rank, dims, &type) && *rank <= 3)
      return image_paths[i];
  return NULL;
}

/* CXI, or images at a usual place and nothing else. */
static gboolean
plain_geometry (hid_t file, const char *path, const char *image, guint rank, const hsize_t *dims,
                FlH5Self *self, GError **error)
{
  Facts facts = find_facts (file);
  Energy energy = find_energy (file, rank == 3 ? dims[0] : 1);
  self->format = g_str_has_prefix (image, "/entry_1/") ? "CXI" : "HDF5";
  self->placed = facts.pixel_x > 0 && facts.pixel_y > 0 && facts.distance > 0 && isfinite (facts.centre_x)
                 && isfinite (facts.centre_y);
  g_autoptr (GString) text = g_string_new ("adu_per_photon = 1\n");
  g_string_append_printf (text, "data = %s\n%s", image,
                          rank == 3 ? "dim0 = %\ndim1 = ss\ndim2 = fs\n" : "dim0 = ss\ndim1 = fs\n");
  if (energy.path != NULL)
    g_string_append_printf (text, "photon_energy = %s eV\n", energy.path);
  else if (energy.value > 0)
    add_number (text, "photon_energy", energy.value);
  add_mask (text, file, "/entry_1/data_1/mask", rank, dims);
  g_string_append_printf (text, "p0/min_fs = 0\np0/max_fs = %u\np0/min_ss = 0\np0/max_ss = %u\n",
                          (guint) dims[rank - 1] - 1, (guint) dims[rank - 2] - 1);
  add_place (text, &facts, self->placed);
  self->geom = fl_geom_parse (path, text->str, text->len, error);
  if (self->geom != NULL)
    self->geom->beam.factor *= energy.factor;
  if (self->geom != NULL && !self->placed && facts.distance > 0)
    g_ptr_array_add (self->geom->notes,
                     g_strdup_printf ("detector distance %.6g mm, but no %s", facts.distance,
                                      facts.pixel_x > 0 ? "beam centre" : "pixel size"));
  return self->geom != NULL;
}

gboolean
fl_h5_self_geometry (hid_t file, const char *path, FlH5Self *self, GError **error)
{
  guint rank;
  hsize_t dims[H5S_MAX_RANK];
  GError *local = NULL;
  *self = (FlH5Self){ .low = -INFINITY, .high = INFINITY };
  g_auto (FlNxmxParts) parts = { 0 };
  gboolean found = fl_nxmx_find (file, path, &parts, &local);
  if (found && g_array_index (parts.detectors, FlNxmxDetector, 0).data != NULL)
    return fl_nxmx_geometry (file, path, &parts, self, error);
  if (local == NULL
      && (fl_sacla_geometry (file, path, self, &local)
          || (local == NULL && fl_pal_geometry (file, path, self, &local))))
    return TRUE;
  const char *image = local == NULL ? find_images (file, &rank, dims) : NULL;
  if (image != NULL)
    return plain_geometry (file, path, image, rank, dims, self, error);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, path, "%s, expected %s",
                     parts.is_nxmx ? "NXmx metadata without frames" : "HDF5 of a layout not known here",
                     parts.is_nxmx ? "images at /entry/data"
                                   : "a geometry (--geometry) that says where its images are");
}
