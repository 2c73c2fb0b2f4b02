/* Photons of single particles (.emc). They do not tell where their pixels are: a geometry does, given or detector.geom beside
 * them or beside their folder, with panels that together are all of a frame; without one a square of pixels is one panel. Bad
 * pixels and the wavelength are what Dragonfly's detector.h5 there says, where there is one. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/emc.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry.h"
#include "engine/shots/hdf5-util.h"
#include "engine/shots/source-private.h"

typedef struct
{
  FlSource source;
  FlEmc *emc;
  char *geometry; /* NULL: none */
  double energy;  /* eV; 0: not known */
} FlEmcSource;

static gboolean
read_frame (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  FlEmcSource *self = (FlEmcSource *) source;
  g_auto (FlEmcFrames) photons = { 0 };
  if (!fl_emc_read (self->emc, frame, 1, &photons, error))
    return FALSE;
  shot->energy = self->energy;
  fl_shot_reserve (shot, FL_PIXEL_U32, source->detector->n_pixels);
  guint32 *pixels = shot->pixels;
  memset (pixels, 0, source->detector->n_pixels * sizeof *pixels);
  for (guint64 i = 0; i < photons.start[1]; i++)
    pixels[photons.pixel[i]] = photons.count[i];
  return TRUE;
}

static char *
event (FlSource *source, guint32 frame)
{
  (void) source;
  return g_strdup_printf ("//%u", frame);
}

static char *
describe (FlSource *source)
{
  const FlEmcSource *self = (const FlEmcSource *) source;
  return self->geometry != NULL ? g_strdup_printf ("geometry: %s\n", self->geometry) : g_strdup ("");
}

static void
free_source (FlSource *source)
{
  FlEmcSource *self = (FlEmcSource *) source;
  fl_emc_close (self->emc);
  g_free (self->geometry);
  g_free (self);
}

/* 0: not known. */
static double
energy_of (const FlGeom *geom)
{
  if (geom->beam.path != NULL || !(geom->beam.value > 0))
    return 0;
  return geom->beam_kind == FL_GEOM_PHOTON_ENERGY ? geom->beam.value
         : geom->beam_kind == FL_GEOM_WAVELENGTH  ? fl_energy_from_wavelength (geom->beam.value)
                                                  : 0;
}

/* They are photons, whatever the geometry says of the detector's counts. */
static void
count_photons (FlDetector *detector)
{
  for (guint i = 0; i < detector->n_panels; i++)
    {
      FlPanel *panel = &detector->panels[i];
      panel->gain = 1;
      panel->counts_per_ev = 0;
      panel->saturation = panel->trusted_max = INFINITY;
      panel->trusted_min = -INFINITY;
      panel->n_bad_values = 0;
    }
}

/* NULL: it is neither beside the file nor beside its folder, as runs have it. */
static char *
find_beside (const FlEmcSource *self, const char *name)
{
  g_autofree char *folder = g_path_get_dirname (self->source.path);
  for (guint up = 0; up < 2; up++)
    {
      g_autofree char *path = g_build_filename (folder, up > 0 ? ".." : ".", name, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  return NULL;
}

static gboolean
read_beside (FlEmcSource *self, GError **error)
{
  g_autofree char *path = find_beside (self, "detector.h5");
  FlDetector *detector = self->source.detector;
  if (path == NULL)
    return TRUE;
  g_auto (FlHid) file = fl_h5_open (path, error);
  if (file < 0)
    return FALSE;
  gsize n = 0;
  double wavelength = fl_h5_read_number (file, "wavelength", 0);
  g_autofree double *mask =
      fl_h5_read_numbers (file, path, "mask", (gsize) fl_emc_n_pixels (self->emc), &n, NULL);
  if (self->energy == 0 && wavelength > 0)
    self->energy = fl_energy_from_wavelength (wavelength);
  for (gsize i = 0; mask != NULL && n == detector->n_pixels && i < n; i++)
    detector->mask[i] |= mask[i] > 1;
  return TRUE;
}

static FlDetector *
read_geometry (FlEmcSource *self, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geometry_read (self->geometry, NULL, error);
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  if (layout == NULL)
    return NULL;
  if (layout->n_pixels != fl_emc_n_pixels (self->emc))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: the geometry %s has %" G_GSIZE_FORMAT " pixels, expected the file's %u",
                   self->source.path, self->geometry, layout->n_pixels, fl_emc_n_pixels (self->emc));
      return NULL;
    }
  self->energy = energy_of (geom);
  return fl_geom_detector (geom, layout, geom->clen.path == NULL ? geom->clen.value : 0, self->energy);
}

static FlDetector *
make_square (const FlEmcSource *self, GError **error)
{
  guint n = fl_emc_n_pixels (self->emc), edge = (guint) lrint (sqrt (n));
  if (edge * edge != n)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: nobody says where its %u pixels are, expected a geometry, or detector.geom beside it",
                   self->source.path, n);
      return NULL;
    }
  FlDetector *detector = fl_detector_new (1, n);
  FlPanel *panel = &detector->panels[0];
  panel->n_fs = panel->n_ss = edge;
  panel->stride = edge;
  panel->fs = fl_vec3 (1, 0, 0);
  panel->ss = fl_vec3 (0, 1, 0);
  panel->pixel_size = 1;
  detector->placed = FALSE;
  return detector;
}

static gboolean
open_source (FlEmcSource *self, const FlSourceOptions *options, GError **error)
{
  self->emc = fl_emc_open (self->source.path, error);
  if (self->emc == NULL)
    return FALSE;
  self->source.n_frames = fl_emc_n_frames (self->emc);
  self->geometry =
      options->geometry != NULL ? g_strdup (options->geometry) : find_beside (self, "detector.geom");
  FlDetector *detector = self->geometry != NULL ? read_geometry (self, error) : make_square (self, error);
  self->source.detector = detector;
  if (detector == NULL || !read_beside (self, error))
    return FALSE;
  count_photons (detector);
  detector->wavelength = self->energy > 0 ? fl_wavelength_from_energy (self->energy) : 0;
  return (options->mask == NULL
          || fl_mask_read_file (options->mask, detector->mask, detector->n_pixels, error));
}

FlSource *
fl_source_emc_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlSourceOps ops = { read_frame, event, describe, free_source };
  FlEmcSource *self = g_new0 (FlEmcSource, 1);
  self->source.ops = &ops;
  self->source.path = g_strdup (path);
  self->source.format = "EMC";
  if (open_source (self, options, error))
    return &self->source;
  fl_source_close (&self->source);
  return NULL;
}
