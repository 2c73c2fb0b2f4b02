/* source-stream2.c: an image message of DECTRIS' stream, captured as a file. Where the pixels are, and which are bad, stands in
 * the start message of its series: the first one in the same folder. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/flat-panel.h"
#include "engine/shots/image-file.h"
#include "engine/shots/source-image.h"
#include "engine/shots/stream2.h"

enum
{
  BEGINNING = 256, /* bytes that tell a message's type */
  NEIGHBOURS = 100000
};

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The bytes of the series' start message beside `path`, parsed; NULL: there is none. */
static guint8 *
find_start (const char *path, guint64 series, FlStream2 *start)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && names->len < NEIGHBOURS && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".cbor"))
      g_ptr_array_add (names, g_strdup (name));
  g_clear_pointer (&dir, g_dir_close);
  g_ptr_array_sort (names, by_name);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *beside = g_build_filename (folder, names->pdata[i], NULL), *wrong = NULL;
      guint8 head[BEGINNING];
      gsize length, n = fl_image_file_head (beside, head, sizeof head);
      guint8 *bytes =
          fl_stream2_kind (head, n) == FL_STREAM2_START ? fl_image_file_load (beside, &length, NULL) : NULL;
      if (bytes != NULL && fl_stream2_parse (start, bytes, length, &wrong) && start->series == series)
        return bytes;
      g_free (bytes);
      *start = (FlStream2){ 0 }; /* another series': nothing of it, least of all its arrays */
    }
  return NULL;
}

/* The mask of the start message: 0 is good. */
static gboolean
take_mask (FlImage *image, const FlStream2Array *mask, GError **error)
{
  FlDetector *detector = image->source.detector;
  if (mask->bytes == NULL)
    return TRUE;
  if (mask->n_ss != detector->panels[0].n_ss || mask->n_fs != detector->panels[0].n_fs
      || mask->type != FL_PIXEL_U32)
    return fl_image_fail (image, error,
                          "the start message's mask has %u x %u px, expected %u x %u of 32 bits", mask->n_fs,
                          mask->n_ss, detector->panels[0].n_fs, detector->panels[0].n_ss);
  g_autofree guint32 *values = g_new (guint32, detector->n_pixels);
  const char *wrong = fl_stream2_unpack (mask, values);
  if (wrong != NULL)
    return fl_image_fail (image, error, "the start message's mask: %s", wrong);
  for (gsize i = 0; i < detector->n_pixels; i++)
    detector->mask[i] = values[i] != 0;
  return TRUE;
}

static gboolean
use_start (FlImage *image, const FlStream2 *message, const FlStream2 *start, GError **error)
{
  const FlFlatPanel flat = { message->data.n_fs,
                             message->data.n_ss,
                             1000 * start->pixel_fs,
                             1000 * start->pixel_ss,
                             1000 * start->distance,
                             1000 * start->pixel_fs * start->beam_fs,
                             1000 * start->pixel_ss * start->beam_ss,
                             0 };
  FlDetector *detector = image->source.detector = fl_flat_detector (&flat);
  FlPanel *panel = &detector->panels[0];
  /* The type's largest value is "no data". */
  static const double largest[] = {
    [FL_PIXEL_U8] = 255, [FL_PIXEL_U16] = 65535, [FL_PIXEL_U32] = 4294967295.0
  };
  if (message->data.type <= FL_PIXEL_U32)
    panel->trusted_max = largest[message->data.type];
  if (start->saturation > 0)
    panel->saturation = start->saturation;
  detector->wavelength = start->wavelength > 0 ? start->wavelength
                         : start->energy > 0   ? fl_wavelength_from_energy (start->energy)
                                               : 0;
  g_string_append_printf (image->notes,
                          "series: %" G_GUINT64_FORMAT "\nimage: %" G_GUINT64_FORMAT
                          "\nchannel: %s, the first of %u\n",
                          message->series, message->image, message->channel, message->n_channels);
  if (start->description[0] != '\0')
    g_string_append_printf (image->notes, "detector: %s, %s\n", start->description, start->serial);
  return take_mask (image, &start->mask, error);
}

static gboolean
open_message (FlImage *image, GError **error)
{
  g_autofree char *wrong = NULL;
  FlStream2 *message = g_new0 (FlStream2, 1), start = { 0 };
  image->header = message;
  if (!fl_stream2_parse (message, image->bytes, image->length, &wrong))
    return fl_image_fail (image, error, "%s", wrong);
  if (message->kind != FL_STREAM2_IMAGE || message->data.bytes == NULL)
    return fl_image_fail (image, error, "a message of DECTRIS' stream that %s, expected one of type image",
                          message->kind == FL_STREAM2_START ? "starts a series"
                          : message->kind == FL_STREAM2_END ? "ends a series"
                                                            : "holds no image");
  g_autofree guint8 *bytes = find_start (image->source.path, message->series, &start);
  image->columns = message->data.n_fs;
  if (bytes == NULL)
    g_string_append (image->notes, "start message: not in this folder\n");
  return use_start (image, message, &start, error);
}

static gboolean
read_pixels (FlImage *image, FlShot *shot, GError **error)
{
  const FlStream2 *message = image->header;
  fl_shot_reserve (shot, message->data.type, (gsize) message->data.n_ss * message->data.n_fs);
  const char *wrong = fl_stream2_unpack (&message->data, shot->pixels);
  if (wrong != NULL)
    return fl_image_fail (image, error, "%s", wrong);
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (message->date, NULL);
  double start =
      isfinite (message->start) && message->start >= 0 && message->start < 1e9 ? message->start : 0;
  gint64 seconds = date != NULL ? g_date_time_to_unix (date) : 0;
  if (seconds > 0)
    shot->time = (guint64) seconds * FL_NS_PER_S + (guint64) g_date_time_get_microsecond (date) * 1000
                 + (guint64) llround (start * 1e9);
  return TRUE;
}

FlSource *
fl_source_stream2_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlImageKind kind = { "DECTRIS stream 2", open_message, read_pixels, g_free };
  return fl_image_open (&kind, path, options, error);
}
