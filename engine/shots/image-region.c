#include "engine/shots/image-region.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry.h"
#include "engine/shots/source-private.h"

struct FlImageRegion
{
  gsize columns;              /* px a row of the stored image */
  gsize first, width, height; /* px of the stored image: index of its corner, and what the panels span */
  FlGeomSlab slab;
  guint fs, ss;   /* dimensions of the slab */
  FlShot all;     /* the whole image */
  gsize n_pixels; /* of the geometry's detector */
};

static gboolean G_GNUC_PRINTF (3, 4) fail (const char *path, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, message);
  return FALSE;
}

void
fl_image_region_free (FlImageRegion *region)
{
  if (region == NULL)
    return;
  fl_shot_clear (&region->all);
  g_free (region);
}

/* The part of the image that the geometry's panels span. */
static FlImageRegion *
make_region (const char *path, gsize columns, gsize rows, const FlGeom *geom, const FlGeomLayout *layout,
             GError **error)
{
  FlGeomSlab slab = g_array_index (layout->slabs, FlGeomSlab, 0);
  guint fs = slab.n_dims, ss = slab.n_dims;
  for (guint i = 0; i < slab.n_dims; i++)
    if (slab.dims[i] == FL_GEOM_DIM_FS)
      fs = i;
    else if (slab.dims[i] == FL_GEOM_DIM_SS)
      ss = i;
  if (layout->slabs->len != 1 || fs == slab.n_dims || ss == slab.n_dims || rows == 0
      || slab.n_pixels != slab.count[fs] * slab.count[ss])
    {
      fail (path, error, "the geometry %s does not lie in one image of %" G_GSIZE_FORMAT " columns",
            geom->path, columns);
      return NULL;
    }
  guint64 right = slab.low[fs] + slab.count[fs], bottom = slab.low[ss] + slab.count[ss];
  if (right > columns || bottom > rows)
    {
      fail (path, error,
            "the geometry %s needs %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
            " px, expected at most the image's %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT,
            geom->path, right, bottom, columns, rows);
      return NULL;
    }
  FlImageRegion *region = g_new0 (FlImageRegion, 1);
  *region = (FlImageRegion){ .columns = columns,
                             .first = slab.low[ss] * columns + slab.low[fs],
                             .width = slab.count[fs],
                             .height = slab.count[ss],
                             .slab = slab,
                             .fs = fs,
                             .ss = ss };
  return region;
}

/* eV; what the header says where the geometry leaves it to the data. */
static double
energy_of (const FlDetector *header, const FlGeom *geom)
{
  if (geom->beam.set && geom->beam.path == NULL && geom->beam.value > 0
      && (geom->beam_kind == FL_GEOM_PHOTON_ENERGY || geom->beam_kind == FL_GEOM_WAVELENGTH))
    return geom->beam_kind == FL_GEOM_PHOTON_ENERGY ? geom->beam.value
                                                    : fl_energy_from_wavelength (geom->beam.value);
  return header->wavelength > 0 ? fl_energy_from_wavelength (header->wavelength) : 0;
}

/* mm; as energy_of(). */
static gboolean
camera_length (const char *path, const FlDetector *header, const FlGeom *geom, double *clen, GError **error)
{
  *clen = geom->clen.value;
  if (geom->clen.set && geom->clen.path == NULL)
    return TRUE;
  if (!header->placed)
    return fail (path, error, "neither the header nor the geometry %s tells the camera length", geom->path);
  const FlPanel *panel = &header->panels[0];
  FlVec3 normal = fl_vec3_unit (fl_vec3_cross (panel->fs, panel->ss));
  *clen = fabs (fl_vec3_dot (normal, panel->origin));
  return TRUE;
}

FlImageRegion *
fl_image_region_new (const char *path, FlDetector **detector, gsize columns, const char *geometry,
                     GError **error)
{
  double clen;
  const FlDetector *header = *detector;
  gsize rows = columns > 0 ? header->n_pixels / columns : 0;
  g_autoptr (FlGeom) geom = fl_geometry_read (geometry, NULL, error);
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  if (layout == NULL || !camera_length (path, header, geom, &clen, error))
    return NULL;
  for (guint i = 0; i < FL_GEOM_MASKS; i++)
    if (g_array_index (geom->panels, FlGeomPanel, layout->geom_panel[0]).masks[i].file != NULL)
      {
        fail (path, error, "the mask file of %s belongs to HDF5 data, expected it by --mask", geom->path);
        return NULL;
      }
  FlImageRegion *region = make_region (path, columns, rows, geom, layout, error);
  if (region == NULL)
    return NULL;
  double energy = energy_of (header, geom);
  FlPanel first = header->panels[0];
  FlDetector *shown = fl_geom_detector (geom, layout, clen, energy);
  shown->placed = TRUE;
  shown->wavelength = energy > 0 ? fl_wavelength_from_energy (energy) : 0;
  for (guint i = 0; i < shown->n_panels; i++)
    {
      FlPanel *panel = &shown->panels[i];
      panel->trusted_min = MAX (panel->trusted_min, first.trusted_min);
      panel->trusted_max = MIN (panel->trusted_max, first.trusted_max);
      panel->saturation = MIN (panel->saturation, first.saturation);
    }
  region->n_pixels = shown->n_pixels;
  fl_detector_unref (*detector);
  *detector = shown;
  return region;
}

FlShot *
fl_image_region_whole (FlImageRegion *region)
{
  return &region->all;
}

void
fl_image_region_cut (const FlImageRegion *region, FlShot *shot)
{
  const FlShot *all = &region->all;
  gsize size = fl_pixel_size (all->type);
  const guint8 *from = (const guint8 *) all->pixels + region->first * size;
  fl_shot_reserve (shot, all->type, region->n_pixels);
  memset (shot->pixels, 0, region->n_pixels * size);
  for (gsize y = 0; y < region->height; y++)
    for (gsize x = 0; x < region->width; x++)
      memcpy ((guint8 *) shot->pixels
                  + (region->slab.offset + y * region->slab.stride[region->ss]
                     + x * region->slab.stride[region->fs])
                        * size,
              from + (y * region->columns + x) * size, size);
}
