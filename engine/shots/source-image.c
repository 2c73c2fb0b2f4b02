#include "engine/shots/source-image.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/image-file.h"

gboolean
fl_image_fail (const FlImage *image, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  for (char *c = message; *c != '\0'; c++)
    if (*c < ' ' || *c > '~')
      *c = ' ';
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", image->source.path, message);
  return FALSE;
}

/* --- pixels --- */

void
fl_image_copy (void *to, const guint8 *from, gsize n, gsize size, gboolean swap)
{
  if (!swap || size == 1)
    {
      memcpy (to, from, n * size);
      return;
    }
  guint8 *out = to;
  for (gsize i = 0; i < n; i++, out += size, from += size)
    for (gsize k = 0; k < size; k++)
      out[k] = from[size - 1 - k];
}

void
fl_image_subtract (FlShot *shot, double pedestal)
{
  if (pedestal == 0)
    return;
  if (shot->type == FL_PIXEL_F32 || shot->type == FL_PIXEL_F64)
    {
      for (gsize i = 0; i < shot->n_pixels; i++)
        if (shot->type == FL_PIXEL_F32)
          ((float *) shot->pixels)[i] -= (float) pedestal;
        else
          ((double *) shot->pixels)[i] -= pedestal;
      return;
    }
  gint32 *less = g_new (gint32, shot->n_pixels);
  for (gsize i = 0; i < shot->n_pixels; i++)
    less[i] = (gint32) CLAMP (fl_shot_value (shot, i) - pedestal, G_MININT32, G_MAXINT32);
  g_free (shot->pixels);
  shot->pixels = less;
  shot->type = FL_PIXEL_I32;
  shot->allocated = shot->n_pixels * sizeof *less;
}

/* --- a geometry given with the file --- */

typedef struct
{
  gsize first, width, height; /* px of the stored image: index of its corner, and what the panels span */
  FlGeomSlab slab;
  guint fs, ss; /* dimensions of the slab */
  FlShot all;   /* the whole image */
} Region;

static void
region_free (Region *region)
{
  fl_shot_clear (&region->all);
  g_free (region);
}

/* The part of the image that the geometry's panels span. */
static Region *
make_region (const FlImage *image, const FlGeom *geom, const FlGeomLayout *layout, GError **error)
{
  gsize rows = image->columns > 0 ? image->source.detector->n_pixels / image->columns : 0;
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
      fl_image_fail (image, error, "the geometry %s does not lie in one image of %" G_GSIZE_FORMAT " columns",
                     geom->path, image->columns);
      return NULL;
    }
  guint64 right = slab.low[fs] + slab.count[fs], bottom = slab.low[ss] + slab.count[ss];
  if (right > image->columns || bottom > rows)
    {
      fl_image_fail (image, error,
                     "the geometry %s needs %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                     " px, expected at most the image's %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT,
                     geom->path, right, bottom, image->columns, rows);
      return NULL;
    }
  Region *region = g_new0 (Region, 1);
  *region = (Region){ .first = slab.low[ss] * image->columns + slab.low[fs],
                      .width = slab.count[fs],
                      .height = slab.count[ss],
                      .slab = slab,
                      .fs = fs,
                      .ss = ss };
  return region;
}

/* eV; what the header says where the geometry leaves it to the data. */
static double
energy_of (const FlImage *image, const FlGeom *geom)
{
  double header = image->source.detector->wavelength;
  if (geom->beam.set && geom->beam.path == NULL && geom->beam.value > 0
      && (geom->beam_kind == FL_GEOM_PHOTON_ENERGY || geom->beam_kind == FL_GEOM_WAVELENGTH))
    return geom->beam_kind == FL_GEOM_PHOTON_ENERGY ? geom->beam.value
                                                    : fl_energy_from_wavelength (geom->beam.value);
  return header > 0 ? fl_energy_from_wavelength (header) : 0;
}

/* mm; as energy_of(). */
static gboolean
camera_length (const FlImage *image, const FlGeom *geom, double *clen, GError **error)
{
  const FlDetector *header = image->source.detector;
  *clen = geom->clen.value;
  if (geom->clen.set && geom->clen.path == NULL)
    return TRUE;
  if (!header->placed)
    return fl_image_fail (image, error, "neither the header nor the geometry %s tells the camera length",
                          geom->path);
  const FlPanel *panel = &header->panels[0];
  FlVec3 normal = fl_vec3_unit (fl_vec3_cross (panel->fs, panel->ss));
  *clen = fabs (fl_vec3_dot (normal, panel->origin));
  return TRUE;
}

static gboolean
use_geometry (FlImage *image, const char *path, GError **error)
{
  double clen;
  g_autoptr (FlGeom) geom = fl_geom_read (path, error);
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  if (layout == NULL || !camera_length (image, geom, &clen, error))
    return FALSE;
  image->region = make_region (image, geom, layout, error);
  if (image->region == NULL)
    return FALSE;
  for (guint i = 0; i < FL_GEOM_MASKS; i++)
    if (g_array_index (geom->panels, FlGeomPanel, layout->geom_panel[0]).masks[i].file != NULL)
      return fl_image_fail (image, error, "the mask file of %s belongs to HDF5 data, expected it by --mask",
                            geom->path);
  double energy = energy_of (image, geom);
  FlPanel header = image->source.detector->panels[0];
  FlDetector *detector = fl_geom_detector (geom, layout, clen, energy);
  detector->placed = TRUE;
  detector->wavelength = energy > 0 ? fl_wavelength_from_energy (energy) : 0;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      FlPanel *panel = &detector->panels[i];
      panel->trusted_min = MAX (panel->trusted_min, header.trusted_min);
      panel->trusted_max = MIN (panel->trusted_max, header.trusted_max);
      panel->saturation = MIN (panel->saturation, header.saturation);
    }
  fl_detector_unref (image->source.detector);
  image->source.detector = detector;
  return TRUE;
}

static void
cut_region (const Region *region, gsize columns, FlShot *shot, gsize n_pixels)
{
  const FlShot *all = &region->all;
  gsize size = fl_pixel_size (all->type);
  const guint8 *from = (const guint8 *) all->pixels + region->first * size;
  fl_shot_reserve (shot, all->type, n_pixels);
  memset (shot->pixels, 0, n_pixels * size);
  for (gsize y = 0; y < region->height; y++)
    for (gsize x = 0; x < region->width; x++)
      memcpy ((guint8 *) shot->pixels
                  + (region->slab.offset + y * region->slab.stride[region->ss]
                     + x * region->slab.stride[region->fs])
                        * size,
              from + (y * columns + x) * size, size);
}

/* --- as a source --- */

static gboolean
read_frame (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  FlImage *image = (FlImage *) source;
  Region *region = image->region;
  double wavelength = source->detector->wavelength;
  guint64 start = fl_shots_cpu_ns ();
  (void) frame;
  shot->energy = wavelength > 0 ? fl_energy_from_wavelength (wavelength) : 0;
  if (!image->kind->read (image, region != NULL ? &region->all : shot, error))
    return FALSE;
  if (region != NULL)
    cut_region (region, image->columns, shot, source->detector->n_pixels);
  shot->t_decode = fl_shots_cpu_ns () - start;
  return TRUE;
}

static char *
event (FlSource *source, guint32 frame)
{
  (void) source;
  (void) frame;
  return g_strdup ("");
}

static char *
describe (FlSource *source)
{
  return g_strdup (((FlImage *) source)->notes->str);
}

static void
free_source (FlSource *source)
{
  FlImage *image = (FlImage *) source;
  if (image->header != NULL)
    image->kind->free_header (image->header);
  g_clear_pointer (&image->region, region_free);
  g_string_free (image->notes, TRUE);
  g_free (image->bytes);
  g_free (image);
}

FlSource *
fl_image_open (const FlImageKind *kind, const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlSourceOps ops = { read_frame, event, describe, free_source };
  FlImage *image = g_new0 (FlImage, 1);
  FlSource *source = &image->source;
  image->kind = kind;
  image->notes = g_string_new ("");
  source->ops = &ops;
  source->path = g_strdup (path);
  source->format = kind->format;
  source->n_frames = 1;
  image->bytes = fl_image_file_load (path, &image->length, error);
  gboolean ok =
      image->bytes != NULL && kind->open (image, error)
      && (options->geometry == NULL || use_geometry (image, options->geometry, error))
      && (options->mask == NULL
          || fl_mask_read_file (options->mask, source->detector->mask, source->detector->n_pixels, error));
  if (ok)
    return source;
  fl_source_close (source);
  return NULL;
}
