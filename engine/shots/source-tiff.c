/* TIFF images: those of MarCCD and Rayonix, of Pilatus, and any other, whose detector only a geometry tells. */

#include <string.h>

#include "engine/shots/flat-panel.h"
#include "engine/shots/marccd.h"
#include "engine/shots/source-image.h"
#include "engine/shots/tiff.h"

typedef struct
{
  FlTiff *tiff;
  double bias;
} Header;

static gboolean
read_pixels (FlImage *image, FlShot *shot, GError **error)
{
  const Header *header = image->header;
  const FlTiff *tiff = header->tiff;
  fl_shot_reserve (shot, tiff->type, (gsize) tiff->n_fs * tiff->n_ss);
  const char *wrong = fl_tiff_decode (tiff, image->bytes, shot->pixels);
  if (wrong != NULL)
    return fl_image_fail (image, error, "%s", wrong);
  fl_image_subtract (shot, header->bias);
  return TRUE;
}

static void
note_header (const Header *header, GString *notes)
{
  const FlTiff *tiff = header->tiff;
  const char *packing = tiff->packing == FL_TIFF_PLAIN      ? "none"
                        : tiff->packing == FL_TIFF_LZW      ? "LZW"
                        : tiff->packing == FL_TIFF_PACKBITS ? "PackBits"
                                                            : "deflate";
  g_string_append_printf (notes, "compression: %s, %u %s\n", packing, tiff->blocks->len,
                          tiff->tiled ? "tiles" : "strips");
  if (header->bias != 0)
    g_string_append_printf (notes, "bias: %.6g counts, taken away\n", header->bias);
  if (tiff->more)
    g_string_append (notes, "note: more images lie behind the first, which alone is read\n");
}

/* Pilatus' counts are signed (gaps are −1), which older files of theirs do not say. */
static FlDetector *
pilatus_detector (FlTiff *tiff)
{
  if (tiff->type == FL_PIXEL_U32)
    tiff->type = FL_PIXEL_I32;
  return fl_dectris_detector (tiff->description, tiff->n_fs, tiff->n_ss);
}

static gboolean
open_image (FlImage *image, GError **error)
{
  g_autofree char *wrong = NULL;
  FlTiff *tiff = fl_tiff_parse (image->bytes, image->length, &wrong);
  if (tiff == NULL)
    return fl_image_fail (image, error, "%s", wrong);
  Header *header = g_new0 (Header, 1);
  header->tiff = tiff;
  image->header = header;
  image->columns = tiff->n_fs;
  FlMarccdFrame frame = { tiff->n_fs, tiff->n_ss, (guint) fl_pixel_size (tiff->type), tiff->big };
  FlFlatPanel nothing = { .n_fs = tiff->n_fs, .n_ss = tiff->n_ss };
  FlSource *source = &image->source;
  source->detector = fl_marccd_detector (image->bytes, image->length, &frame, &header->bias);
  if (source->detector != NULL)
    source->format = "MarCCD or Rayonix TIFF";
  else if (tiff->description != NULL && strstr (tiff->description, "Pixel_size") != NULL)
    {
      source->format = "Pilatus TIFF";
      source->detector = pilatus_detector (tiff);
    }
  else
    source->detector = fl_flat_detector (&nothing);
  note_header (header, image->notes);
  return TRUE;
}

static void
free_header (gpointer data)
{
  Header *header = data;
  fl_tiff_free (header->tiff);
  g_free (header);
}

FlSource *
fl_source_tiff_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlImageKind kind = { "TIFF", open_image, read_pixels, free_header };
  return fl_image_open (&kind, path, options, error);
}
