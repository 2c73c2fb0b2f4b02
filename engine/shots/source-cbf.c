/* A CBF file: one shot, read whole when it is opened (its header goes through the file to the last section). */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/cbf-geometry.h"
#include "engine/shots/source-private.h"

/* Far beyond any detector's frame. */
#define MAX_FILE ((gsize) 1 << 31)

typedef struct
{
  FlSource source;
  guint8 *bytes; /* with FL_CBF_PADDING behind */
  gsize length;
  FlCbf *cbf;
} FlCbfSource;

static gboolean
inflate_all (FlCbfSource *self, GError **error)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  guint8 piece[1 << 16];
  z_stream stream = { .next_in = self->bytes, .avail_in = (uInt) self->length };
  int status = inflateInit2 (&stream, 15 + 16);
  while (status == Z_OK && all->len < MAX_FILE - sizeof piece)
    {
      stream.next_out = piece;
      stream.avail_out = sizeof piece;
      status = inflate (&stream, Z_NO_FLUSH);
      g_byte_array_append (all, piece, (guint) (sizeof piece - stream.avail_out));
    }
  inflateEnd (&stream);
  if (status != Z_STREAM_END)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cut off or damaged, expected a whole gzip file",
                   self->source.path);
      return FALSE;
    }
  g_free (self->bytes);
  self->length = all->len;
  self->bytes = g_malloc0 (self->length + FL_CBF_PADDING);
  memcpy (self->bytes, all->data, self->length);
  return TRUE;
}

static gboolean
load (FlCbfSource *self, GError **error)
{
  FILE *file = fopen (self->source.path, "rb");
  gboolean ok = file != NULL && fseeko (file, 0, SEEK_END) == 0;
  off_t size = ok ? ftello (file) : -1;
  ok = size >= 0 && (gsize) size < MAX_FILE && fseeko (file, 0, SEEK_SET) == 0;
  if (ok)
    {
      self->bytes = g_malloc0 ((gsize) size + FL_CBF_PADDING);
      self->length = fread (self->bytes, 1, (gsize) size, file);
      ok = self->length == (gsize) size;
    }
  if (file != NULL)
    fclose (file);
  if (!ok)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s, expected a CBF file", self->source.path,
                   size >= (off_t) MAX_FILE ? "too large" : g_strerror (errno));
      return FALSE;
    }
  return self->length < 2 || memcmp (self->bytes, "\x1f\x8b", 2) != 0 || inflate_all (self, error);
}

/* --- reading --- */

static gboolean
check_md5 (FlCbfSource *self, guint number, const FlCbfSection *section, GError **error)
{
  guint8 digest[16];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_MD5);
  g_checksum_update (checksum, section->data, (gssize) section->length);
  g_checksum_get_digest (checksum, digest, &length);
  g_autofree char *found = g_base64_encode (digest, length);
  if (strcmp (found, section->md5) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: binary section %u is damaged: its MD5 is %s, expected %s", self->source.path, number + 1,
               found, section->md5);
  return FALSE;
}

static gboolean
read_frame (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  FlCbfSource *self = (FlCbfSource *) source;
  const GArray *sections = self->cbf->sections;
  (void) frame;
  shot->energy =
      source->detector->wavelength > 0 ? fl_energy_from_wavelength (source->detector->wavelength) : 0;
  fl_shot_reserve (shot, g_array_index (sections, FlCbfSection, 0).type, source->detector->n_pixels);
  guint64 start = fl_shots_cpu_ns ();
  guint8 *to = shot->pixels;
  for (guint i = 0; i < sections->len; i++)
    {
      const FlCbfSection *section = &g_array_index (sections, FlCbfSection, i);
      if (section->md5 != NULL && !check_md5 (self, i, section, error))
        return FALSE;
      const char *wrong = fl_cbf_decode (&section->coding, section->data, section->length, to);
      if (wrong != NULL)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: binary section %u: %s", source->path, i + 1,
                       wrong);
          return FALSE;
        }
      to += section->n_elements * section->coding.element_size;
    }
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
  static const char *const compressions[] = { "none", "packed", "packed, version 2", "byte offset" };
  const FlCbf *cbf = ((FlCbfSource *) source)->cbf;
  GString *text = g_string_new ("");
  static const char *const columns[][2] = { { "detector", "diffrn_detector.type" },
                                            { "source", "diffrn_source.source" },
                                            { "beamline", "diffrn_source.type" } };
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    if (fl_cbf_text (cbf, columns[i][1], 0) != NULL)
      g_string_append_printf (text, "%s: %s\n", columns[i][0], fl_cbf_text (cbf, columns[i][1], 0));
  for (guint i = 0; i < cbf->sections->len; i++)
    {
      const FlCbfSection *section = &g_array_index (cbf->sections, FlCbfSection, i);
      g_string_append_printf (text,
                              "binary section %u: %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT
                              " x %" G_GSIZE_FORMAT ", %s, %" G_GSIZE_FORMAT " bytes%s\n",
                              i + 1, section->coding.dims[0], section->coding.dims[1],
                              section->coding.dims[2], compressions[section->coding.compression],
                              section->length, section->md5 != NULL ? ", MD5" : "");
    }
  return g_string_free (text, FALSE);
}

/* --- opening --- */

static void
free_source (FlSource *source)
{
  FlCbfSource *self = (FlCbfSource *) source;
  fl_cbf_free (self->cbf);
  g_free (self->bytes);
  g_free (self);
}

static gboolean
open_source (FlCbfSource *self, const FlSourceOptions *options, GError **error)
{
  FlSource *source = &self->source;
  if (options->geometry != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: a CBF file describes its own detector, expected no geometry with it", source->path);
      return FALSE;
    }
  if (!load (self, error)
      || (self->cbf = fl_cbf_parse (source->path, self->bytes, self->length, error)) == NULL
      || (source->detector = fl_cbf_detector (self->cbf, source->path, error)) == NULL)
    return FALSE;
  return options->mask == NULL
         || fl_mask_read_file (options->mask, source->detector->mask, source->detector->n_pixels, error);
}

FlSource *
fl_source_cbf_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlSourceOps ops = { read_frame, event, describe, free_source };
  FlCbfSource *self = g_new0 (FlCbfSource, 1);
  self->source.ops = &ops;
  self->source.path = g_strdup (path);
  self->source.format = "CBF";
  self->source.n_frames = 1;
  if (open_source (self, options, error))
    return &self->source;
  fl_source_close (&self->source);
  return NULL;
}
