/* View frames: the first byte says which request or answer the rest is taken for, be it bytes or, from a bracket on, GVariant's
 * text. */

#include "engine/view/messages-maps.h"
#include "engine/view/messages-mask.h"

#include "tests/fuzz/fuzz-file.h"

enum
{
  IMAGE_REQUEST,
  SPOTS_REQUEST,
  SOURCE_REQUEST,
  LOG_REQUEST,
  FIND_REQUEST,
  FEED_REQUEST,
  INFLIGHT_REQUEST,
  TRY_REQUEST,
  MAP_REQUEST,
  MODEL_REQUEST,
  MASK_REQUEST,
  IMAGE_REPLY,
  SPOTS_REPLY,
  SOURCE_REPLY,
  LOG_REPLY,
  INFLIGHT_REPLY,
  LATTICES_REPLY,
  TRY_REPLY,
  FIND_REPLY,
  FEED_REPLY,
  MAP_REPLY,
  MODEL_REPLY,
  MASK_REPLY,
  KINDS
};

static void
take_request (guint8 which, GVariant *body)
{
  FlViewImageRequest image;
  FlViewSpotsRequest spots;
  FlViewSourceRequest source;
  FlViewLogRequest log;
  FlViewFindRequest find;
  FlViewFeedRequest feed;
  FlViewTryRequest try;
  FlViewMapRequest map;
  FlViewMaskRequest mask;
  if (which == MASK_REQUEST && fl_view_mask_request_decode (body, &mask, NULL))
    g_free ((gpointer) mask.files);
  else if (which == IMAGE_REQUEST)
    (void) fl_view_image_request_decode (body, &image, NULL);
  else if (which == SPOTS_REQUEST)
    fl_view_spots_request_decode (body, &spots);
  else if (which == SOURCE_REQUEST)
    fl_view_source_request_decode (body, &source);
  else if (which == LOG_REQUEST)
    fl_view_log_request_decode (body, &log);
  else if (which == FIND_REQUEST)
    fl_view_find_request_decode (body, &find);
  else if (which == FEED_REQUEST)
    fl_view_feed_request_decode (body, &feed);
  else if (which == INFLIGHT_REQUEST)
    (void) fl_view_inflight_request_decode (body);
  else if (which == TRY_REQUEST)
    fl_view_try_request_decode (body, &try);
  else if (which == MAP_REQUEST)
    (void) fl_view_map_request_decode (body, &map, NULL);
  else if (which == MODEL_REQUEST)
    (void) fl_view_model_request_decode (body);
}

static void
take_answer (guint8 which, GVariant *body)
{
  g_autoptr (FlViewImage) image = which == IMAGE_REPLY ? fl_view_image_decode (body, NULL) : NULL;
  g_autoptr (FlViewSpots) spots = which == SPOTS_REPLY ? fl_view_spots_decode (body, NULL) : NULL;
  g_autoptr (FlViewSource) source = which == SOURCE_REPLY ? fl_view_source_decode (body) : NULL;
  g_autoptr (FlViewLog) log = which == LOG_REPLY ? fl_view_log_decode (body) : NULL;
  g_autoptr (FlViewInflight) inflight = which == INFLIGHT_REPLY ? fl_view_inflight_decode (body) : NULL;
  g_autoptr (FlViewLattices) lattices = which == LATTICES_REPLY ? fl_view_lattices_decode (body, NULL) : NULL;
  g_autoptr (FlViewTried) tried = which == TRY_REPLY ? fl_view_tried_decode (body, NULL) : NULL;
  g_autoptr (FlViewFound) found = which == FIND_REPLY ? fl_view_found_decode (body) : NULL;
  g_autoptr (GBytes) feed = which == FEED_REPLY ? fl_view_feed_decode (body) : NULL;
  g_autoptr (FlViewMap) map = which == MAP_REPLY ? fl_view_map_decode (body, NULL) : NULL;
  g_autoptr (FlViewModel) model = which == MODEL_REPLY ? fl_view_model_decode (body, NULL) : NULL;
  g_autoptr (FlViewMask) mask = which == MASK_REPLY ? fl_view_mask_decode (body, NULL) : NULL;
  guint n = (spots != NULL) + (source != NULL) + (log != NULL) + (inflight != NULL) + (lattices != NULL)
            + (tried != NULL) + (found != NULL) + (feed != NULL) + (model != NULL) + (mask != NULL);
  double sum = 0;
  for (gsize i = 0; image != NULL && i < (gsize) image->width * image->height; i++)
    sum += (double) image->raster[i];
  for (gsize i = 0; map != NULL && i < fl_view_map_points (map); i++)
    sum += (double) map->values[i];
  g_assert_true (n == 0 || (n == 1 && sum == 0));
}

/* NULL: what makes no sense. */
static GVariant *
parse_text (const char *type, const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  return g_utf8_validate (text, -1, NULL) ? g_variant_parse (G_VARIANT_TYPE (type), text, NULL, NULL, NULL)
                                          : NULL;
}

/* As they come along a pipe. */
static void
read_frames (const guint8 *data, gsize size)
{
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data, size);
  g_autoptr (GError) error = NULL;
  FlViewFrame frame;
  lseek (file.fd, 0, SEEK_SET);
  for (gboolean more = TRUE; more;)
    {
      GBytes *body = NULL;
      more = fl_view_frame_read (file.fd, FL_VIEW_MAX_REQUEST, &frame, &body, &error);
      g_assert_true (!more || frame.length == (body != NULL ? g_bytes_get_size (body) : 0));
      g_clear_pointer (&body, g_bytes_unref);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *types[KINDS] = {
    FL_VIEW_IMAGE_REQUEST,  FL_VIEW_SPOTS_REQUEST, FL_VIEW_SOURCE_REQUEST,   FL_VIEW_LOG_REQUEST,
    FL_VIEW_FIND_REQUEST,   FL_VIEW_FEED_REQUEST,  FL_VIEW_INFLIGHT_REQUEST, FL_VIEW_TRY_REQUEST,
    FL_VIEW_MAP_REQUEST,    FL_VIEW_MODEL_REQUEST, FL_VIEW_MASK_REQUEST,     FL_VIEW_IMAGE_REPLY,
    FL_VIEW_SPOTS_REPLY,    FL_VIEW_SOURCE_REPLY,  FL_VIEW_LOG_REPLY,        FL_VIEW_INFLIGHT_REPLY,
    FL_VIEW_LATTICES_REPLY, FL_VIEW_TRY_REPLY,     FL_VIEW_FIND_REPLY,       FL_VIEW_FEED_REPLY,
    FL_VIEW_MAP_REPLY,      FL_VIEW_MODEL_REPLY,   FL_VIEW_MASK_REPLY
  };
  if (size < 2)
    return 0;
  if (data[0] == 'F') /* the magic's first byte */
    read_frames (data, size);
  guint8 which = data[0] % KINDS;
  gboolean text = data[1] == '(' || data[1] == '[';
  g_autoptr (GBytes) bytes = g_bytes_new (data + 1, size - 1);
  g_autoptr (GVariant) checked = text ? NULL : fl_view_body_parse (bytes, types[which], NULL);
  g_autoptr (GVariant) body =
      text ? parse_text (types[which], data + 1, size - 1)
           : g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (types[which]), bytes, FALSE));
  if (which <= MASK_REQUEST && (checked != NULL || body != NULL))
    take_request (which, checked != NULL ? checked : body);
  else if (body != NULL)
    take_answer (which, body);
  return 0;
}
