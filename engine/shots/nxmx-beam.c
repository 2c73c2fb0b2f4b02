/* Photon energies and wavelengths of NeXus files. */

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/nxmx-geometry.h"

/* Values of spectra that are held at once. */
#define MAX_SPECTRA ((gsize) 1 << 27)

static void
set_path (FlGeom *geom, FlGeomBeam kind, const char *path, double factor)
{
  geom->beam_kind = kind;
  geom->beam = (FlGeomValue){ .path = g_strdup (path), .factor = factor, .set = TRUE };
}

static double
unit_of (hid_t file, const char *path)
{
  g_autofree char *unit = fl_h5_attribute_text (file, path, "units");
  double factor = fl_h5_wavelength_unit (unit, 1);
  return isnan (factor) ? 1 : factor;
}

static guint
read_dims (hid_t file, const char *path, hsize_t dims[H5S_MAX_RANK])
{
  g_auto (FlHid) dataset = fl_h5_exists (file, path) ? H5Dopen2 (file, path, H5P_DEFAULT) : -1;
  g_auto (FlHid) space = dataset >= 0 ? H5Dget_space (dataset) : -1;
  int n = space >= 0 ? H5Sget_simple_extent_dims (space, dims, NULL) : 0;
  H5Eclear2 (H5E_DEFAULT);
  return (guint) MAX (n, 0);
}

/* Weights are called …_weights, in older files …_weight. */
static char *
find_weights (hid_t file, const char *wavelengths)
{
  static const char *const ends[] = { "_weights", "_weight" };
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      char *path = g_strconcat (wavelengths, ends[i], NULL);
      hsize_t dims[H5S_MAX_RANK];
      if (read_dims (file, path, dims) > 0)
        return path;
      g_free (path);
    }
  return NULL;
}

/* Spectra of [frames][channels] or of [channels] alone (wavelengths may have either), as mean wavelengths. */
static gboolean
average (hid_t file, const char *path, const char *wavelengths, const char *weights, FlH5Self *self,
         GError **error)
{
  hsize_t dims[H5S_MAX_RANK], weight_dims[H5S_MAX_RANK];
  guint rank = read_dims (file, wavelengths, dims), weight_rank = read_dims (file, weights, weight_dims);
  gsize n_l = 0, n_w = 0, m = rank > 0 ? dims[rank - 1] : 0;
  if (rank < 1 || rank > 2 || weight_rank < 1 || weight_rank > 2 || weight_dims[weight_rank - 1] != m
      || m == 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, path,
                       "%s has another shape than %s, expected a weight a wavelength", weights, wavelengths);
  g_autofree double *l = fl_h5_read_numbers (file, path, wavelengths, MAX_SPECTRA, &n_l, error);
  g_autofree double *w =
      l != NULL ? fl_h5_read_numbers (file, path, weights, MAX_SPECTRA, &n_w, error) : NULL;
  if (w == NULL)
    return FALSE;
  gsize n = MAX (n_l, n_w) / m;
  if ((n_l != m && n_l != n * m) || (n_w != m && n_w != n * m))
    return fl_h5_fail (error, FL_ERROR_INPUT, path, "%s and %s are of different numbers of frames", weights,
                       wavelengths);
  double factor = unit_of (file, wavelengths);
  self->wavelengths = g_new (double, n);
  self->n_wavelengths = n;
  for (gsize i = 0; i < n; i++)
    {
      const double *li = n_l == m ? l : l + i * m, *wi = n_w == m ? w : w + i * m;
      double sum = 0, total = 0;
      for (gsize k = 0; k < m; k++)
        {
          sum += li[k] * wi[k];
          total += wi[k];
        }
      self->wavelengths[i] = total > 0 ? sum / total * factor : NAN;
    }
  self->beam = g_strconcat (wavelengths, " (mean)", NULL);
  set_path (self->geom, FL_GEOM_WAVELENGTH, self->beam, 1);
  return TRUE;
}

gboolean
fl_nxmx_beam (hid_t file, const char *path, const FlNxmxParts *parts, FlH5Self *self, GError **error)
{
  const FlNxmxDetector *first = &g_array_index (parts->detectors, FlNxmxDetector, 0);
  static const char *const names[] = { "incident_wavelength", "wavelength" };
  for (gsize i = 0; parts->beam != NULL && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *wavelengths = g_strdup_printf ("%s/%s", parts->beam, names[i]);
      g_autofree char *weights = find_weights (file, wavelengths);
      hsize_t dims[H5S_MAX_RANK];
      if (!fl_h5_exists (file, wavelengths))
        continue;
      if (weights != NULL)
        return average (file, path, wavelengths, weights, self, error);
      if (read_dims (file, wavelengths, dims) > 1 && dims[1] > 1)
        {
          g_ptr_array_add (self->geom->notes,
                           g_strdup_printf ("%s holds spectra without weights: not used", wavelengths));
          return TRUE;
        }
      set_path (self->geom, FL_GEOM_WAVELENGTH, wavelengths, unit_of (file, wavelengths));
      return TRUE;
    }
  g_autofree char *beam_energy =
      parts->beam != NULL ? g_strconcat (parts->beam, "/incident_energy", NULL) : NULL;
  g_autofree char *specific = g_strconcat (first->group, "/detectorSpecific/photon_energy", NULL);
  g_autofree char *entry = g_strconcat (parts->entry, "/photon_energy_eV", NULL);
  const char *energies[] = { beam_energy, specific, entry };
  for (gsize i = 0; i < G_N_ELEMENTS (energies); i++)
    if (energies[i] != NULL && fl_h5_exists (file, energies[i]))
      {
        g_autofree char *unit = fl_h5_attribute_text (file, energies[i], "units");
        double factor = g_strcmp0 (unit, "keV") == 0 ? 1e3
                        : g_strcmp0 (unit, "J") == 0 ? 1 / 1.602176634e-19
                                                     : 1;
        set_path (self->geom, FL_GEOM_PHOTON_ENERGY, energies[i], factor);
        return TRUE;
      }
  return TRUE;
}
