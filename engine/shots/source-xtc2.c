/* source-xtc2.c: the images of one stream of LCLS-II's raw data: a shot is an event that carries the largest array there is,
 * all segments of its detector in this file one below the other, in order of segment. A detector spread over several streams
 * is several sources. Where its pixels are a geometry has to tell, for rows of one length stacked as psana stacks them. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/shots/image-region.h"
#include "engine/shots/source-private.h"
#include "engine/shots/xtc2.h"

#define LCLS_EPOCH 631152000u /* s: 1990-01-01 */
#define LOOK       1000       /* events, until one has an image */

/* One segment's part of the image. */
typedef struct
{
  guint32 segment, n_panels, n_ss, n_fs;
  gsize offset; /* px */
} Piece;

/* An array that may be the image. */
typedef struct
{
  char *detector, *algorithm, *field; /* of the file's names */
  FlPixelType type;
  GArray *pieces; /* Piece, in order of segment */
  gsize n_pixels;
} Image;

typedef struct
{
  FlSource source;
  FlXtc2 *file;
  guint32 *events; /* datagram of each frame */
  Image image;
  FlImageRegion *region;
} Xtc2Source;

/* --- what the image is --- */

static gboolean
pixel_type (FlXtc2Type type, FlPixelType *pixel)
{
  static const FlPixelType pixels[] = {
    [FL_XTC2_U8] = FL_PIXEL_U8,   [FL_XTC2_U16] = FL_PIXEL_U16, [FL_XTC2_U32] = FL_PIXEL_U32,
    [FL_XTC2_I8] = FL_PIXEL_I8,   [FL_XTC2_I16] = FL_PIXEL_I16, [FL_XTC2_I32] = FL_PIXEL_I32,
    [FL_XTC2_F32] = FL_PIXEL_F32, [FL_XTC2_F64] = FL_PIXEL_F64
  };
  if (type == FL_XTC2_U64 || type == FL_XTC2_I64 || type > FL_XTC2_F64)
    return FALSE;
  *pixel = pixels[type];
  return TRUE;
}

static gboolean
is_of (const Image *image, const FlXtc2Value *value)
{
  return strcmp (image->detector, value->names->detector) == 0
         && strcmp (image->algorithm, value->names->algorithm) == 0
         && strcmp (image->field, value->field->name) == 0;
}

static gboolean
note_array (const FlXtc2Value *value, gpointer data)
{
  GArray *images = data;
  guint rank = value->field->rank;
  Image *image = NULL;
  FlPixelType type;
  if (rank < 2 || rank > 3 || value->length == 0 || !pixel_type (value->field->type, &type))
    return TRUE;
  for (guint i = 0; i < images->len; i++)
    if (is_of (&g_array_index (images, Image, i), value))
      image = &g_array_index (images, Image, i);
  if (image == NULL)
    {
      Image new = { value->names->detector,
                    value->names->algorithm,
                    value->field->name,
                    type,
                    g_array_new (FALSE, FALSE, sizeof (Piece)),
                    0 };
      g_array_append_val (images, new);
      image = &g_array_index (images, Image, images->len - 1);
    }
  Piece piece = { value->names->segment, rank == 3 ? value->shape[0] : 1, value->shape[rank - 2],
                  value->shape[rank - 1], 0 };
  guint at = 0;
  while (at < image->pieces->len && g_array_index (image->pieces, Piece, at).segment < piece.segment)
    at++;
  g_array_insert_val (image->pieces, at, piece);
  image->n_pixels += value->length / fl_xtc2_type_size (value->field->type);
  return TRUE;
}

/* The largest array of the first event that has one. */
static gboolean
choose_image (Xtc2Source *self, GError **error)
{
  g_autoptr (GArray) images = g_array_new (FALSE, FALSE, sizeof (Image));
  guint looked = 0;
  for (guint i = 0; images->len == 0 && i < fl_xtc2_n_datagrams (self->file) && looked < LOOK; i++)
    if (fl_xtc2_datagram (self->file, i)->service == FL_XTC2_L1_ACCEPT)
      {
        looked++;
        if (!fl_xtc2_visit (self->file, i, note_array, images, error))
          {
            for (guint k = 0; k < images->len; k++)
              g_array_unref (g_array_index (images, Image, k).pieces);
            return FALSE;
          }
      }
  if (images->len == 0)
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_UNSUPPORTED,
          "%s: no image in %u events, expected an event with an array of two or three dimensions%s",
          self->source.path, looked,
          g_str_has_suffix (self->source.path, ".smd.xtc2") ? "; small data has none, its big file has" : "");
      return FALSE;
    }
  for (guint i = 0; i < images->len; i++)
    {
      Image *image = &g_array_index (images, Image, i);
      if (image->n_pixels > self->image.n_pixels)
        {
          g_clear_pointer (&self->image.pieces, g_array_unref);
          self->image = *image;
        }
      else
        g_array_unref (image->pieces);
    }
  gsize offset = 0;
  guint64 n_panels = 0;
  for (guint i = 0; i < self->image.pieces->len; i++)
    {
      Piece *piece = &g_array_index (self->image.pieces, Piece, i);
      n_panels += piece->n_panels;
      if (i > 0 && piece->segment == (piece - 1)->segment)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: segment %u of %s is there twice in one event",
                       self->source.path, piece->segment, self->image.detector);
          return FALSE;
        }
      piece->offset = offset;
      offset += (gsize) piece->n_panels * piece->n_ss * piece->n_fs;
    }
  if (n_panels > G_MAXUINT16)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "%s: %s has %" G_GUINT64_FORMAT " panels, expected at most %u", self->source.path,
                 self->image.detector, n_panels, G_MAXUINT16);
  return n_panels <= G_MAXUINT16;
}

/* Stacked, 1 mm a pixel; px a row, 0 when rows differ. */
static gsize
make_detector (Xtc2Source *self)
{
  const Image *image = &self->image;
  guint n = 0;
  gsize columns = g_array_index (image->pieces, Piece, 0).n_fs;
  for (guint i = 0; i < image->pieces->len; i++)
    n += g_array_index (image->pieces, Piece, i).n_panels;
  FlDetector *detector = fl_detector_new (n, image->n_pixels);
  FlPanel *panel = detector->panels;
  double y = 0;
  for (guint i = 0; i < image->pieces->len; i++)
    {
      const Piece *piece = &g_array_index (image->pieces, Piece, i);
      columns = piece->n_fs == columns ? columns : 0;
      for (guint k = 0; k < piece->n_panels; k++, panel++)
        {
          g_free (panel->name);
          panel->name = piece->n_panels > 1 ? g_strdup_printf ("p%u.%u", piece->segment, k)
                                            : g_strdup_printf ("p%u", piece->segment);
          panel->n_fs = piece->n_fs;
          panel->n_ss = piece->n_ss;
          panel->stride = piece->n_fs;
          panel->offset = piece->offset + (gsize) k * piece->n_ss * piece->n_fs;
          panel->pixel_size = 1;
          panel->fs = (FlVec3){ 1, 0, 0 };
          panel->ss = (FlVec3){ 0, 1, 0 };
          panel->origin = (FlVec3){ 0, y, 0 };
          y += piece->n_ss;
        }
    }
  self->source.detector = detector;
  return columns;
}

/* Events that are large enough to hold the image. */
static void
list_events (Xtc2Source *self)
{
  guint n = fl_xtc2_n_datagrams (self->file);
  self->events = g_new (guint32, n);
  for (guint i = 0; i < n; i++)
    {
      const FlXtc2Datagram *datagram = fl_xtc2_datagram (self->file, i);
      if (datagram->service == FL_XTC2_L1_ACCEPT
          && datagram->size > self->image.n_pixels * fl_pixel_size (self->image.type))
        self->events[self->source.n_frames++] = i;
    }
}

/* --- reading --- */

typedef struct
{
  const Image *image;
  FlShot *shot;
  guint found;
  gboolean fits;
} Reading;

static gboolean
take_piece (const FlXtc2Value *value, gpointer data)
{
  Reading *reading = data;
  const Image *image = reading->image;
  FlPixelType type;
  if (value->field->rank < 2 || !is_of (image, value))
    return TRUE;
  for (guint i = 0; i < image->pieces->len; i++)
    {
      const Piece *piece = &g_array_index (image->pieces, Piece, i);
      gsize n = (gsize) piece->n_panels * piece->n_ss * piece->n_fs;
      if (piece->segment != value->names->segment)
        continue;
      reading->fits = reading->fits && pixel_type (value->field->type, &type) && type == image->type
                      && value->length == n * fl_pixel_size (type);
      if (reading->fits)
        memcpy ((guint8 *) reading->shot->pixels + piece->offset * fl_pixel_size (type), value->bytes,
                value->length);
      reading->found++;
    }
  return TRUE;
}

static char *
event (FlSource *source, guint32 frame)
{
  (void) source;
  return g_strdup_printf ("//%u", frame);
}

static gboolean
read_frame (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  Xtc2Source *self = (Xtc2Source *) source;
  const Image *image = &self->image;
  const FlXtc2Datagram *datagram = fl_xtc2_datagram (self->file, self->events[frame]);
  FlShot *whole = self->region != NULL ? fl_image_region_whole (self->region) : shot;
  Reading reading = { image, whole, 0, TRUE };
  fl_shot_reserve (whole, image->type, image->n_pixels);
  if (!fl_xtc2_visit (self->file, self->events[frame], take_piece, &reading, error))
    return FALSE;
  if (reading.found != image->pieces->len || !reading.fits)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: the event at byte %" G_GUINT64_FORMAT " has %u of %u segments of %s%s", source->path,
                   datagram->offset, reading.found, image->pieces->len, image->detector,
                   reading.fits ? "" : ", not all of the shape that they had first");
      return FALSE;
    }
  guint64 start = fl_shots_cpu_ns ();
  if (self->region != NULL)
    fl_image_region_cut (self->region, shot);
  shot->time = datagram->seconds < 1000000
                   ? 0 /* a made one */
                   : ((guint64) datagram->seconds + LCLS_EPOCH) * FL_NS_PER_S + datagram->nanoseconds;
  shot->energy =
      source->detector->wavelength > 0 ? fl_energy_from_wavelength (source->detector->wavelength) : 0;
  shot->t_decode = fl_shots_cpu_ns () - start;
  return TRUE;
}

/* --- as a source --- */

static char *
describe (FlSource *source)
{
  const Image *image = &((Xtc2Source *) source)->image;
  return g_strdup_printf ("image: %s.%s.%s, %u segments here\n", image->detector, image->algorithm,
                          image->field, image->pieces->len);
}

static void
free_source (FlSource *source)
{
  Xtc2Source *self = (Xtc2Source *) source;
  fl_xtc2_close (self->file);
  fl_image_region_free (self->region);
  g_clear_pointer (&self->image.pieces, g_array_unref);
  g_free (self->events);
  g_free (self);
}

FlSource *
fl_source_xtc2_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlSourceOps ops = {
    .read = read_frame, .event = event, .describe = describe, .free = free_source
  };
  Xtc2Source *self = g_new0 (Xtc2Source, 1);
  FlSource *source = &self->source;
  source->ops = &ops;
  source->path = g_strdup (path);
  source->format = "xtc2 (LCLS-II)";
  self->file = fl_xtc2_open (path, error);
  gboolean ok = self->file != NULL && choose_image (self, error);
  if (ok)
    {
      gsize columns = make_detector (self);
      list_events (self);
      if (options->geometry != NULL)
        ok = (self->region = fl_image_region_new (path, &source->detector, columns, options->geometry, error))
             != NULL;
      ok = ok
           && (options->mask == NULL
               || fl_mask_read_file (options->mask, source->detector->mask, source->detector->n_pixels,
                                     error));
    }
  if (ok)
    return source;
  fl_source_close (source);
  return NULL;
}
