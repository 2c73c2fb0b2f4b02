/* View frames: the first byte says which request or answer the rest is taken for. */

#include "engine/view/messages-maps.h"
#include "engine/view/messages-mask.h"

#define MASK_REQUEST 15
#define MASK_REPLY   16

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
take_request (guint8 which, GVariant *body)
{
  FlViewImageRequest image;
  FlViewSpotsRequest spots;
  FlViewSourceRequest source;
  FlViewLogRequest log;
  FlViewFindRequest find;
  FlViewFeedRequest feed;
  FlViewMaskRequest mask;
  if (which == MASK_REQUEST && fl_view_mask_request_decode (body, &mask, NULL))
    g_free ((gpointer) mask.files);
  else if (which == 0)
    (void) fl_view_image_request_decode (body, &image, NULL);
  else if (which == 1)
    fl_view_spots_request_decode (body, &spots);
  else if (which == 2)
    fl_view_source_request_decode (body, &source);
  else if (which == 3)
    fl_view_log_request_decode (body, &log);
  else if (which == 4)
    fl_view_find_request_decode (body, &find);
  else if (which == 5)
    fl_view_feed_request_decode (body, &feed);
}

static void
take_answer (guint8 which, GVariant *body)
{
  g_autoptr (FlViewImage) image = which == 6 ? fl_view_image_decode (body, NULL) : NULL;
  g_autoptr (FlViewSpots) spots = which == 7 ? fl_view_spots_decode (body, NULL) : NULL;
  g_autoptr (FlViewSource) source = which == 8 ? fl_view_source_decode (body) : NULL;
  g_autoptr (FlViewLog) log = which == 9 ? fl_view_log_decode (body) : NULL;
  g_autoptr (FlViewInflight) inflight = which == 10 ? fl_view_inflight_decode (body) : NULL;
  g_autoptr (FlViewFound) found = which == 11 ? fl_view_found_decode (body) : NULL;
  g_autoptr (GBytes) feed = which == 12 ? fl_view_feed_decode (body) : NULL;
  g_autoptr (FlViewMap) map = which == 13 ? fl_view_map_decode (body, NULL) : NULL;
  g_autoptr (FlViewModel) model = which == 14 ? fl_view_model_decode (body, NULL) : NULL;
  g_autoptr (FlViewMask) mask = which == MASK_REPLY ? fl_view_mask_decode (body, NULL) : NULL;
  if (image != NULL)
    g_assert_true (image->raster != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *types[] = { FL_VIEW_IMAGE_REQUEST, FL_VIEW_SPOTS_REQUEST,  FL_VIEW_SOURCE_REQUEST,
                                 FL_VIEW_LOG_REQUEST,   FL_VIEW_FIND_REQUEST,   FL_VIEW_FEED_REQUEST,
                                 FL_VIEW_IMAGE_REPLY,   FL_VIEW_SPOTS_REPLY,    FL_VIEW_SOURCE_REPLY,
                                 FL_VIEW_LOG_REPLY,     FL_VIEW_INFLIGHT_REPLY, FL_VIEW_FIND_REPLY,
                                 FL_VIEW_FEED_REPLY,    FL_VIEW_MAP_REPLY,      FL_VIEW_MODEL_REPLY,
                                 FL_VIEW_MASK_REQUEST,  FL_VIEW_MASK_REPLY };
  FlViewFrame frame;
  if (size >= FL_VIEW_HEADER)
    (void) fl_view_frame_decode (data, FL_VIEW_MAX_REPLY, &frame, NULL);
  if (size == 0)
    return 0;
  guint8 which = data[0] % G_N_ELEMENTS (types);
  g_autoptr (GBytes) bytes = g_bytes_new (data + 1, size - 1);
  g_autoptr (GVariant) checked = fl_view_body_parse (bytes, types[which], NULL);
  g_autoptr (GVariant) loose =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (types[which]), bytes, FALSE));
  if (which < 6 || which == MASK_REQUEST)
    take_request (which, checked != NULL ? checked : loose);
  else
    take_answer (which, loose);
  return 0;
}
