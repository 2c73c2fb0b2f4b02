/* A geometry for files that describe themselves, written as CrystFEL text so that there is one way to read frames. */

#include "engine/shots/source-hdf5.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

/* Where images usually are; % stands for Dectris' numbered data sets. */
static const char *const image_paths[] = { "/entry_1/data_1/data",
                                           "/entry_1/instrument_1/detector_1/data",
                                           "/entry_1/image_1/data",
                                           "/entry/data/data",
                                           "/entry/instrument/detector/data",
                                           "/entry/data/data_000001",
                                           "/data/data",
                                           "/data" };

static gboolean
read_shape (hid_t file, const char *path, guint *rank, hsize_t dims[H5S_MAX_RANK])
{
  g_auto (FlHid) object = fl_h5_exists (file, path) ? H5Oopen (file, path, H5P_DEFAULT) : -1;
  if (object < 0 || H5Iget_type (object) != H5I_DATASET)
    return FALSE;
  g_auto (FlHid) space = H5Dget_space (object);
  g_auto (FlHid) type = H5Dget_type (object);
  FlPixelType unused;
  int n = H5Sget_simple_extent_dims (space, dims, NULL);
  *rank = (guint) MAX (n, 0);
  return (n == 2 || n == 3) && fl_h5_pixel_type (type, &unused) && dims[n - 1] > 0 && dims[n - 2] > 0
         && dims[n - 1] < 1 << 20 && dims[n - 2] < 1 << 20;
}

/* The first number found under `group` by any of the names (NULL-terminated). */
static double
find_number (hid_t file, const char *group, const char *const *names, gboolean length)
{
  for (; *names != NULL; names++)
    {
      g_autofree char *path = g_strconcat (group, "/", *names, NULL);
      double v = length ? fl_h5_read_length (file, path) : fl_h5_read_number (file, path, NAN);
      if (!isnan (v))
        return v;
    }
  return NAN;
}

/* eV. CXI keeps joules; NeXus a wavelength in Å. */
static double
find_energy (hid_t file)
{
  double v = fl_h5_read_number (file, "/entry_1/instrument_1/source_1/energy", NAN);
  if (isnan (v))
    v = fl_h5_read_number (file, "/entry/photon_energy_eV", NAN);
  if (v > 0)
    return v < 1e-10 ? v / 1.602176634e-19 : v;
  static const char *const groups[] = { "/entry/instrument/beam", "/entry/sample/beam" };
  static const char *const names[] = { "incident_wavelength", "wavelength", NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if ((v = find_number (file, groups[i], names, FALSE)) > 0)
      return fl_energy_from_wavelength (v);
  return NAN;
}

typedef struct
{
  double pixel_x, pixel_y, distance; /* mm */
  double centre_x, centre_y;         /* px */
  double saturation, underload;
} Facts;

static Facts
find_facts (hid_t file, const char *group)
{
  static const char *const pixel_x[] = { "x_pixel_size", NULL };
  static const char *const pixel_y[] = { "y_pixel_size", NULL };
  static const char *const distance[] = { "distance", "detector_distance", NULL };
  static const char *const centre_x[] = { "beam_center_x", NULL };
  static const char *const centre_y[] = { "beam_center_y", NULL };
  static const char *const saturation[] = { "saturation_value", NULL };
  static const char *const underload[] = { "underload_value", NULL };
  return (Facts){ find_number (file, group, pixel_x, TRUE),   find_number (file, group, pixel_y, TRUE),
                  find_number (file, group, distance, TRUE),  find_number (file, group, centre_x, FALSE),
                  find_number (file, group, centre_y, FALSE), find_number (file, group, saturation, FALSE),
                  find_number (file, group, underload, FALSE) };
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
  if (read_shape (file, path, &mask_rank, mask_dims) && mask_dims[mask_rank - 1] == dims[rank - 1]
      && mask_dims[mask_rank - 2] == dims[rank - 2])
    g_string_append_printf (text, "mask0_data = %s\nmask0_badbits = 0xffffffff\n", path);
}

static const char *
name_format (hid_t file, const char *image)
{
  g_autofree char *definition = fl_h5_read_text (file, "/entry/definition");
  if (g_strcmp0 (definition, "NXmx") == 0)
    return "NXmx";
  if (g_str_has_prefix (image, "/entry_1/"))
    return "CXI";
  if (strstr (image, "data_000001") != NULL)
    return "Dectris master file";
  gboolean dectris = strcmp (image, "/entry/data/data") == 0
                     && H5Aexists_by_name (file, image, "image_nr_low", H5P_DEFAULT) > 0;
  return dectris ? "Dectris data file" : "HDF5";
}

static const char *
find_images (hid_t file, guint *rank, hsize_t *dims)
{
  for (gsize i = 0; i < G_N_ELEMENTS (image_paths); i++)
    if (read_shape (file, image_paths[i], rank, dims))
      return image_paths[i];
  return NULL;
}

FlGeom *
fl_h5_self_geometry (hid_t file, const char *path, const char **format, gboolean *placed, GError **error)
{
  guint rank;
  hsize_t dims[H5S_MAX_RANK];
  const char *image = find_images (file, &rank, dims);
  if (image == NULL)
    {
      g_autofree char *definition = fl_h5_read_text (file, "/entry/definition");
      gboolean nxmx = g_strcmp0 (definition, "NXmx") == 0;
      fl_h5_fail (error, FL_ERROR_UNSUPPORTED, path, "%s, expected %s",
                  nxmx ? "NXmx metadata without frames" : "HDF5 of a layout not known here",
                  nxmx ? "images at /entry/data" : "a geometry (--geometry) that says where its images are");
      return NULL;
    }
  const char *group = g_str_has_prefix (image, "/entry_1/") ? "/entry_1/instrument_1/detector_1"
                                                            : "/entry/instrument/detector";
  Facts facts = find_facts (file, group);
  *format = name_format (file, image);
  *placed = facts.pixel_x > 0 && facts.pixel_y > 0 && facts.distance > 0 && isfinite (facts.centre_x)
            && isfinite (facts.centre_y);
  g_autoptr (GString) text = g_string_new ("adu_per_photon = 1\n");
  g_string_append_printf (text, "data = %s\n",
                          strstr (image, "data_000001") != NULL ? "/entry/data/data_%" : image);
  g_string_append (text, rank == 3 ? "dim0 = %\ndim1 = ss\ndim2 = fs\n" : "dim0 = ss\ndim1 = fs\n");
  double energy = find_energy (file);
  if (energy > 0 && isfinite (energy))
    add_number (text, "photon_energy", energy);
  if (facts.saturation > 1)
    add_number (text, "max_adu", facts.saturation);
  if (isfinite (facts.underload) && facts.saturation > 1)
    add_number (text, "flag_lessthan", facts.underload);
  add_mask (text, file, "/entry/instrument/detector/pixel_mask", rank, dims);
  add_mask (text, file, "/entry/instrument/detector/detectorSpecific/pixel_mask", rank, dims);
  add_mask (text, file, "/entry_1/data_1/mask", rank, dims);
  g_string_append_printf (text, "p0/min_fs = 0\np0/max_fs = %u\np0/min_ss = 0\np0/max_ss = %u\n",
                          (guint) dims[rank - 1] - 1, (guint) dims[rank - 2] - 1);
  add_place (text, &facts, *placed);
  FlGeom *geom = fl_geom_parse (path, text->str, text->len, error);
  if (geom != NULL && !*placed && facts.distance > 0)
    g_ptr_array_add (geom->notes, g_strdup_printf ("detector distance %.6g mm, but no %s", facts.distance,
                                                   facts.pixel_x > 0 ? "beam centre" : "pixel size"));
  return geom;
}
