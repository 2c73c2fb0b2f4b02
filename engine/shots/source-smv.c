/* SMV images. */

#include <string.h>

#include "engine/shots/smv.h"
#include "engine/shots/source-image.h"

static gboolean
read_pixels (FlImage *image, FlShot *shot, GError **error)
{
  const FlSmv *smv = image->header;
  gsize n = (gsize) smv->n_fs * smv->n_ss;
  (void) error;
  fl_shot_reserve (shot, smv->type, n);
  fl_image_copy (shot->pixels, image->bytes + smv->start, n, fl_pixel_size (smv->type), smv->swap);
  if (smv->ratio == 1)
    {
      fl_image_subtract (shot, smv->pedestal);
      return TRUE;
    }
  gint32 *wide = g_new (gint32, n);
  const guint16 *pixels = shot->pixels;
  for (gsize i = 0; i < n; i++)
    wide[i] = pixels[i] < 0x8000 ? pixels[i] : (gint32) ((pixels[i] & 0x7fffu) * smv->ratio);
  fl_shot_reserve (shot, FL_PIXEL_I32, n);
  memcpy (shot->pixels, wide, n * sizeof *wide);
  g_free (wide);
  fl_image_subtract (shot, smv->pedestal);
  return TRUE;
}

static void
note_header (FlImage *image, const FlSmv *smv)
{
  static const struct
  {
    const char *what, *key, *unit;
  } lines[] = { { "detector", "DETECTOR_NAME", "" },
                { "detector type", "DETECTOR_TYPE", "" },
                { "serial number", "DETECTOR_SN", "" },
                { "beamline", "BEAMLINE", "" },
                { "date", "DATE", "" },
                { "date", "DTREK_DATE_TIME", "" },
                { "exposure", "TIME", " s" },
                { "binning", "BIN", "" } };
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    if (fl_smv_text (smv, lines[i].key) != NULL)
      fl_image_note (image, lines[i].what, fl_smv_text (smv, lines[i].key), lines[i].unit);
  if (smv->pedestal != 0)
    g_string_append_printf (image->notes, "pedestal: %.6g counts, taken away\n", smv->pedestal);
}

static void
free_header (gpointer header)
{
  fl_smv_free (header);
}

static gboolean
open_image (FlImage *image, GError **error)
{
  g_autofree char *wrong = NULL;
  FlSmv *smv = fl_smv_parse (image->bytes, image->length, &wrong);
  image->header = smv;
  if (smv == NULL)
    return fl_image_fail (image, error, "%s", wrong);
  image->source.detector = fl_smv_detector (smv);
  image->columns = smv->n_fs;
  note_header (image, smv);
  return TRUE;
}

FlSource *
fl_source_smv_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlImageKind kind = { "SMV", open_image, read_pixels, free_header };
  return fl_image_open (&kind, path, options, error);
}
