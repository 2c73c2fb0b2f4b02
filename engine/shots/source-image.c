#include "engine/shots/source-image.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
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

void
fl_image_note (FlImage *image, const char *key, const char *value, const char *unit)
{
  g_autofree char *text = fl_one_line (g_utf8_make_valid (value, (gssize) strnlen (value, 200)), ' ');
  g_string_append_printf (image->notes, "%s: %s%s\n", key, g_strstrip (text), unit);
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
  FlShot stored = *shot;
  stored.pixels = g_malloc (shot->n_pixels * fl_pixel_size (shot->type));
  memcpy (stored.pixels, shot->pixels, shot->n_pixels * fl_pixel_size (shot->type));
  fl_shot_reserve (shot, FL_PIXEL_I32, shot->n_pixels);
  gint32 *less = shot->pixels, whole = (gint32) pedestal;
  if (stored.type == FL_PIXEL_U16) /* nearly always */
    for (gsize i = 0; i < shot->n_pixels; i++)
      less[i] = ((const guint16 *) stored.pixels)[i] - whole;
  else
    for (gsize i = 0; i < shot->n_pixels; i++)
      less[i] = (gint32) CLAMP (fl_shot_value (&stored, i) - whole, G_MININT32, G_MAXINT32);
  g_free (stored.pixels);
}

/* --- as a source --- */

static gboolean
read_frame (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  FlImage *image = (FlImage *) source;
  FlImageRegion *region = image->region;
  double wavelength = source->detector->wavelength;
  guint64 start = fl_shots_cpu_ns ();
  (void) frame;
  shot->energy = wavelength > 0 ? fl_energy_from_wavelength (wavelength) : 0;
  if (!image->kind->read (image, region != NULL ? fl_image_region_whole (region) : shot, error))
    return FALSE;
  if (region != NULL)
    fl_image_region_cut (region, shot);
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
  fl_image_region_free (image->region);
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
      && (options->geometry == NULL
          || (image->region =
                  fl_image_region_new (path, &source->detector, image->columns, options->geometry, error))
                 != NULL)
      && (options->mask == NULL
          || fl_mask_read_file (options->mask, source->detector->mask, source->detector->n_pixels, error));
  if (ok)
    return source;
  fl_source_close (source);
  return NULL;
}
