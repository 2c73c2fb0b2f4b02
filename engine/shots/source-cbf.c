/* CBF files. */

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/cbf-geometry.h"
#include "engine/shots/source-image.h"

static gboolean
check_md5 (const FlImage *image, guint number, const FlCbfSection *section, GError **error)
{
  guint8 digest[16];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_MD5);
  g_checksum_update (checksum, section->data, (gssize) section->length);
  g_checksum_get_digest (checksum, digest, &length);
  g_autofree char *found = g_base64_encode (digest, length);
  return strcmp (found, section->md5) == 0
         || fl_image_fail (image, error, "binary section %u is damaged: its MD5 is %s, expected %.40s",
                           number + 1, found, section->md5);
}

static gboolean
read_pixels (FlImage *image, FlShot *shot, GError **error)
{
  const GArray *sections = ((const FlCbf *) image->header)->sections;
  gsize n_pixels = 0;
  for (guint i = 0; i < sections->len; i++)
    n_pixels += g_array_index (sections, FlCbfSection, i).n_elements;
  fl_shot_reserve (shot, g_array_index (sections, FlCbfSection, 0).type, n_pixels);
  guint8 *to = shot->pixels;
  for (guint i = 0; i < sections->len; i++)
    {
      const FlCbfSection *section = &g_array_index (sections, FlCbfSection, i);
      if (section->md5 != NULL && !check_md5 (image, i, section, error))
        return FALSE;
      const char *wrong = fl_cbf_decode (&section->coding, section->data, section->length, to);
      if (wrong != NULL)
        return fl_image_fail (image, error, "binary section %u: %s", i + 1, wrong);
      to += section->n_elements * section->coding.element_size;
    }
  return TRUE;
}

/* The first comment that says what the detector is, "# Detector: PILATUS 6M, S/N 60-0100". */
static void
note_comment (FlImage *image, const FlCbf *cbf)
{
  const char *header = fl_cbf_text (cbf, "array_data.header_contents", 0);
  const char *line = header != NULL ? strstr (header, "# Detector: ") : NULL;
  g_autofree char *detector = line != NULL ? g_strndup (line + 12, strcspn (line + 12, "\r\n")) : NULL;
  if (detector != NULL)
    fl_image_note (image, "detector", detector, "");
}

static void
note_header (FlImage *image, const FlCbf *cbf)
{
  static const char *const compressions[] = { "none", "packed", "packed, version 2", "byte offset" };
  static const char *const columns[][2] = { { "detector", "diffrn_detector.type" },
                                            { "source", "diffrn_source.source" },
                                            { "beamline", "diffrn_source.type" } };
  note_comment (image, cbf);
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    if (fl_cbf_text (cbf, columns[i][1], 0) != NULL)
      fl_image_note (image, columns[i][0], fl_cbf_text (cbf, columns[i][1], 0), "");
  for (guint i = 0; i < cbf->sections->len; i++)
    {
      const FlCbfSection *section = &g_array_index (cbf->sections, FlCbfSection, i);
      g_string_append_printf (image->notes,
                              "binary section %u: %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                              " x %" G_GSIZE_FORMAT ", %s, %" G_GSIZE_FORMAT " bytes%s\n",
                              i + 1, section->coding.dims[0], section->coding.dims[1],
                              section->coding.dims[2], compressions[section->coding.compression],
                              section->length, section->md5 != NULL ? ", MD5" : "");
    }
}

/* Counts of DECTRIS' detectors are signed, also where a converter said otherwise: gaps are −1. */
static void
set_sign (FlCbf *cbf)
{
  FlCbfSection *first = &g_array_index (cbf->sections, FlCbfSection, 0);
  if (fl_cbf_n_rows (cbf, "axis.id") == 0 && first->type == FL_PIXEL_U32
      && fl_cbf_text (cbf, "array_data.header_contents", 0) != NULL)
    first->type = FL_PIXEL_I32;
}

static gboolean
open_image (FlImage *image, GError **error)
{
  FlCbf *cbf = fl_cbf_parse (image->source.path, image->bytes, image->length, error);
  image->header = cbf;
  if (cbf != NULL)
    set_sign (cbf);
  if (cbf == NULL || (image->source.detector = fl_cbf_detector (cbf, image->source.path, error)) == NULL)
    return FALSE;
  image->columns = g_array_index (cbf->sections, FlCbfSection, 0).coding.dims[0];
  for (guint i = 1; i < cbf->sections->len; i++)
    if (g_array_index (cbf->sections, FlCbfSection, i).coding.dims[0] != image->columns)
      image->columns = 0;
  note_header (image, cbf);
  return TRUE;
}

static void
free_header (gpointer header)
{
  fl_cbf_free (header);
}

FlSource *
fl_source_cbf_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlImageKind kind = { "CBF", open_image, read_pixels, free_header };
  return fl_image_open (&kind, path, options, error);
}
