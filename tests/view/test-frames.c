/* Frames and messages: there and back, and bytes from an enemy. */

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/view/messages-mask.h"
#include "engine/view/whole.h"

#include "tests/view/fake-handlers.h"

static void
test_header (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      fl_view_frame_bytes (7, FL_VIEW_CANCEL, 0, g_variant_new (FL_VIEW_CANCEL_REQUEST, 0x01020304u));
  static const guint8 expected[] = { 'F', 'L', 'V', '1', 4, 0, 0, 0, 7, 0, 0, 0, 6, 0, 0, 0, 4, 3, 2, 1 };
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), (int) g_bytes_get_size (bytes), expected, sizeof expected);

  FlViewFrame frame;
  guint8 header[FL_VIEW_HEADER];
  memcpy (header, expected, sizeof header);
  g_assert_true (fl_view_frame_decode (header, 4, &frame, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (frame.id, ==, 7);
  g_assert_cmpuint (frame.length, ==, 4);
  g_assert_false (fl_view_frame_decode (header, 3, &frame, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
  header[12] = FL_VIEW_OPERATION_LAST;
  g_assert_false (fl_view_frame_decode (header, 4, &frame, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_clear_error (&error);
  header[0] = 'f';
  g_assert_false (fl_view_frame_decode (header, 4, &frame, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
}

/* What a pipe with these bytes gives; its end may fall anywhere. */
static int
frames_in (const guint8 *data, gsize length, GError **error)
{
  int ends[2], n = 0;
  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], data, length), ==, length);
  close (ends[1]);
  FlViewFrame frame;
  GBytes *body;
  while (fl_view_frame_read (ends[0], FL_VIEW_MAX_REQUEST, &frame, &body, error))
    {
      n++;
      g_clear_pointer (&body, g_bytes_unref);
    }
  close (ends[0]);
  return n;
}

static void
test_truncated (void)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  gsize ends[3] = { 0 };
  for (guint32 i = 0; i < 3; i++)
    {
      g_autoptr (GBytes) one = fl_view_frame_bytes (
          i, FL_VIEW_INFLIGHT, 0, fl_view_inflight_request_encode (i == 1 ? "" : "/some/folder"));
      g_byte_array_append (all, g_bytes_get_data (one, NULL), (guint) g_bytes_get_size (one));
      ends[i] = all->len;
    }
  for (gsize cut = 0; cut <= all->len; cut++)
    {
      g_autoptr (GError) error = NULL;
      int whole = (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]);
      gboolean between = cut == 0 || cut == ends[0] || cut == ends[1] || cut == ends[2];
      g_assert_cmpint (frames_in (all->data, cut, &error), ==, whole);
      g_assert_true (between == (error == NULL));
    }
}

static GVariant *
through_wire (GVariant *body, const char *type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = fl_view_frame_bytes (1, FL_VIEW_IMAGE, 0, body);
  g_autoptr (GBytes) inner = g_bytes_new (((const guint8 *) g_bytes_get_data (bytes, NULL)) + FL_VIEW_HEADER,
                                          g_bytes_get_size (bytes) - FL_VIEW_HEADER);
  GVariant *back = fl_view_body_parse (inner, type, &error);
  g_assert_no_error (error);
  return back;
}

static void
test_requests (void)
{
  FlViewImageRequest image = { .slot = 3,
                               .source = { "a.h5", "b.geom", NULL, "detector.run = 4" },
                               .frame = 12,
                               .rect = { -1.5, -2.5, 3.5, 4.5 },
                               .reduce = FL_VIEW_MAXIMUM,
                               .width = 640,
                               .height = 480 };
  FlViewImageRequest back;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) body = through_wire (fl_view_image_request_encode (&image), FL_VIEW_IMAGE_REQUEST);
  g_assert_true (fl_view_image_request_decode (body, &back, &error));
  g_assert_cmpuint (back.slot, ==, 3);
  g_assert_cmpstr (back.source.path, ==, "a.h5");
  g_assert_cmpstr (back.source.geometry, ==, "b.geom");
  g_assert_cmpstr (back.source.mask, ==, "");
  g_assert_cmpstr (back.source.calibration, ==, "detector.run = 4");
  g_assert_cmpfloat (back.rect.y1, ==, 4.5);
  g_assert_cmpint (back.reduce, ==, FL_VIEW_MAXIMUM);

  static const FlViewImageRequest wrong[] = {
    { .width = 0, .height = 1 },
    { .width = 65536, .height = 65536 },
    { .width = 1, .height = 1, .reduce = FL_VIEW_REDUCE_LAST },
    { .width = 1, .height = 1, .rect = { 1, 0, 0, 1 } },
    { .width = 1, .height = 1, .rect = { 0, 0, 1e300, 1 } },
    { .width = 1, .height = 1, .rect = { NAN, 0, 1, 1 } },
    { .width = 1, .height = 1, .rect = { 0, 0, 1e-300, 1 } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GVariant) bad =
          through_wire (fl_view_image_request_encode (&wrong[i]), FL_VIEW_IMAGE_REQUEST);
      g_autoptr (GError) why = NULL;
      g_assert_false (fl_view_image_request_decode (bad, &back, &why));
      g_assert_error (why, FL_ERROR, FL_ERROR_INPUT);
    }
}

/* Everything that is read from an answer, as one number, so that nothing is left unread. */
static guint64
touch (FlViewOperation operation, GVariant *body)
{
  guint64 sum = 0;
  if (operation == FL_VIEW_IMAGE)
    {
      g_autoptr (FlViewImage) image = fl_view_image_decode (body, NULL);
      if (image != NULL)
        sum = fl_hash64 (image->raster, (gsize) image->width * image->height * 4, strlen (image->event));
    }
  else if (operation == FL_VIEW_SPOTS)
    {
      g_autoptr (FlViewSpots) spots = fl_view_spots_decode (body, NULL);
      if (spots != NULL)
        sum = fl_hash64 (spots->spots, spots->n_spots * sizeof (FlViewSpot), strlen (spots->message));
    }
  else if (operation == FL_VIEW_SOURCE)
    {
      g_autoptr (FlViewSource) source = fl_view_source_decode (body);
      for (guint32 i = 0; i < source->n_panels; i++)
        sum += strlen (source->panels[i].name) + source->panels[i].n_fs;
      sum += strlen (source->format) + strlen (source->description);
    }
  else if (operation == FL_VIEW_LOG)
    {
      g_autoptr (FlViewLog) log = fl_view_log_decode (body);
      sum = fl_hash64 (g_bytes_get_data (log->bytes, NULL), g_bytes_get_size (log->bytes), log->offset);
    }
  else
    {
      g_autoptr (FlViewInflight) inflight = fl_view_inflight_decode (body);
      sum = fl_hash64 (inflight->entries, inflight->n_entries * sizeof (FlInflightEntry), 0);
    }
  return sum;
}

/* Bits flipped, pieces cut out and put in: an answer from a mad child is an error or another answer, never a crash. */
static void
test_mutations (void)
{
  Fake *fake = fake_new ();
  FlViewImageRequest image_request = { .slot = 1, .source = { "a", "", "" }, .width = 9, .height = 7 };
  FlViewSpotsRequest spots_request = { .job_dir = "job", .frame = 5 };
  FlViewSourceRequest source_request = { "a", "b", "c" };
  FlViewLogRequest log_request = { "some log", 5, 100 };
  g_autoptr (FlViewImage) image = fake_handlers.image (fake, &image_request, NULL, NULL);
  g_autoptr (FlViewSpots) spots = fake_handlers.spots (fake, &spots_request, NULL, NULL);
  g_autoptr (FlViewSource) source = fake_handlers.source (fake, &source_request, NULL, NULL);
  g_autoptr (FlViewLog) log = fake_handlers.log (fake, &log_request, NULL, NULL);
  g_autoptr (FlViewInflight) inflight = fake_handlers.inflight (fake, "x", NULL, NULL);
  struct
  {
    FlViewOperation operation;
    const char *type;
    GVariant *body;
  } cases[] = { { FL_VIEW_IMAGE, FL_VIEW_IMAGE_REPLY, fl_view_image_encode (image, FL_VIEW_RAW) },
                { FL_VIEW_SPOTS, FL_VIEW_SPOTS_REPLY, fl_view_spots_encode (spots) },
                { FL_VIEW_SOURCE, FL_VIEW_SOURCE_REPLY, fl_view_source_encode (source) },
                { FL_VIEW_LOG, FL_VIEW_LOG_REPLY, fl_view_log_encode (log) },
                { FL_VIEW_INFLIGHT, FL_VIEW_INFLIGHT_REPLY, fl_view_inflight_encode (inflight) } };
  FlRandom random = fl_random (20);
  guint read = 0, refused = 0;
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      g_autoptr (GVariant) good = g_variant_ref_sink (cases[c].body);
      gsize length = g_variant_get_size (good);
      for (int round = 0; round < 2000; round++)
        {
          g_autoptr (GByteArray) bytes = g_byte_array_new ();
          g_byte_array_append (bytes, g_variant_get_data (good), (guint) length);
          for (guint64 n = fl_random_u64 (&random) % 4 + 1; n > 0 && round > 0; n--)
            bytes->data[fl_random_u64 (&random) % bytes->len] ^= (guint8) (1u << fl_random_u64 (&random) % 8);
          if (round % 3 == 1)
            g_byte_array_set_size (bytes, (guint) (fl_random_u64 (&random) % (length + 1)));
          if (round % 7 == 2)
            g_byte_array_append (bytes, g_variant_get_data (good),
                                 (guint) (fl_random_u64 (&random) % length));
          g_autoptr (GBytes) data = g_bytes_new (bytes->data, bytes->len);
          /* As a short body, which is walked through, and as a long one, which is not. */
          g_autoptr (GVariant) checked = fl_view_body_parse (data, cases[c].type, NULL);
          g_autoptr (GVariant) loose =
              g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (cases[c].type), data, FALSE));
          guint64 sum = touch (cases[c].operation, loose);
          if (checked != NULL)
            g_assert_cmpuint (touch (cases[c].operation, checked), ==, sum);
          read += checked != NULL;
          refused += checked == NULL;
        }
    }
  g_assert_cmpuint (read, >, 0);
  g_assert_cmpuint (refused, >, 0);
  fake_free (fake);
}

/* --- replies in parts --- */

static gboolean
take (FlViewWhole *whole, guint32 id, FlViewStatus status, FlViewFlags flags, const void *bytes, gsize length,
      GBytes **body, GError **error)
{
  FlViewFrame frame = {
    .id = id, .operation = FL_VIEW_LOG, .status = status, .flags = flags, .length = (guint32) length
  };
  *body = length > 0 ? g_bytes_new (bytes, length) : NULL;
  return fl_view_whole_take (whole, &frame, body, error);
}

static void
test_parts (void)
{
  g_autoptr (FlViewWhole) whole = fl_view_whole_new ();
  g_autoptr (GError) error = NULL;
  GBytes *body;
  g_assert_false (take (whole, 1, FL_VIEW_OK, FL_VIEW_MORE, "abc", 3, &body, &error));
  g_assert_false (take (whole, 2, FL_VIEW_OK, FL_VIEW_MORE, "12", 2, &body, &error));
  g_assert_true (take (whole, 3, FL_VIEW_OK, 0, "x", 1, &body, &error));
  g_clear_pointer (&body, g_bytes_unref);
  g_assert_true (take (whole, 1, FL_VIEW_OK, 0, "def", 3, &body, &error));
  g_assert_cmpmem (g_bytes_get_data (body, NULL), (int) g_bytes_get_size (body), "abcdef", 6);
  g_clear_pointer (&body, g_bytes_unref);
  g_assert_true (take (whole, 2, FL_VIEW_CANCELLED, 0, NULL, 0, &body, &error));
  g_assert_null (body);
  g_assert_no_error (error);
  /* More than may be is refused before it is kept. */
  g_autofree guint8 *megabyte = g_malloc0 (1 << 20);
  guint n = 0;
  while (!take (whole, n % 30, FL_VIEW_OK, FL_VIEW_MORE, megabyte, 1 << 20, &body, &error) && error == NULL)
    n++;
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_cmpuint (n, ==, FL_VIEW_MAX_REPLY >> 20);
  g_autoptr (FlViewWhole) many = fl_view_whole_new ();
  g_clear_error (&error);
  for (n = 0; error == NULL && n < 1000; n++)
    g_assert_false (take (many, n, FL_VIEW_OK, FL_VIEW_MORE, "a", 1, &body, &error));
  g_assert_cmpuint (n, <, 100);
}

static void
test_deflated (void)
{
  FlRandom random = fl_random (3);
  FlViewFlags flags = 0;
  g_autoptr (GError) error = NULL;
  guint8 *bytes = g_malloc0 (100000);
  for (guint i = 0; i < 1000; i++)
    bytes[fl_random_u64 (&random) % 100000] = (guint8) i;
  g_autoptr (GBytes) plain = g_bytes_new_take (bytes, 100000);
  g_autoptr (GBytes) packed = fl_view_deflate (g_bytes_ref (plain), &flags);
  g_assert_cmpint (flags, ==, FL_VIEW_DEFLATED);
  gsize length;
  const guint8 *good = g_bytes_get_data (packed, &length);
  guint refused = 0;
  for (guint round = 0; round < 2000; round++)
    {
      g_autoptr (FlViewWhole) whole = fl_view_whole_new ();
      g_autofree guint8 *copy = g_memdup2 (good, length);
      GBytes *body;
      gsize n = round % 3 == 1 ? (gsize) (fl_random_u64 (&random) % length) : length;
      if (round > 0)
        copy[fl_random_u64 (&random) % (round % 2 ? 6 : length)] ^=
            (guint8) (1u << fl_random_u64 (&random) % 8);
      gboolean taken = take (whole, 1, FL_VIEW_OK, FL_VIEW_DEFLATED, copy, n, &body, &error);
      g_assert_true (taken == (error == NULL));
      g_assert_true (round > 0 || g_bytes_equal (body, plain));
      refused += !taken;
      g_clear_error (&error);
      g_clear_pointer (&body, g_bytes_unref);
    }
  g_assert_cmpuint (refused, >, 1900);
  /* What would not be smaller stays as it is. */
  flags = 0;
  g_autoptr (GBytes) dense = g_bytes_new (good, length);
  g_autoptr (GBytes) same = fl_view_deflate (g_bytes_ref (dense), &flags);
  g_assert_true (same == dense && flags == 0);
}

static void
test_masks (void)
{
  static const char *const files[] = { "a.h5", "b.h5", NULL };
  const FlViewMaskRequest request = { .source = { "a.h5", "b.geom", NULL, "detector.run = 4" },
                                      .files = files,
                                      .rules = "edges 2\n",
                                      .file = TRUE,
                                      .rect = { -1, -2, 3, 4 },
                                      .width = 3,
                                      .height = 2 };
  FlViewMaskRequest back;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) body = through_wire (fl_view_mask_request_encode (&request), FL_VIEW_MASK_REQUEST);
  g_assert_true (fl_view_mask_request_decode (body, &back, &error));
  g_assert_cmpstr (back.source.calibration, ==, "detector.run = 4");
  g_assert_cmpstr (back.files[1], ==, "b.h5");
  g_assert_null (back.files[2]);
  g_assert_cmpstr (back.rules, ==, "edges 2\n");
  g_assert_true (back.file && !back.keep);
  g_assert_cmpfloat (back.rect.y1, ==, 4);
  g_free ((gpointer) back.files);
  static const FlViewMaskRequest wrong[] = { { .width = 1 },
                                             { .width = 65536, .height = 65536, .rect = { 0, 0, 1, 1 } },
                                             { .width = 1, .height = 1, .rect = { 0, 0, 0, 1 } },
                                             { .width = 1, .height = 1, .rect = { NAN, 0, 1, 1 } } };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GVariant) bad = through_wire (fl_view_mask_request_encode (&wrong[i]), FL_VIEW_MASK_REQUEST);
      g_assert_false (fl_view_mask_request_decode (bad, &back, NULL));
    }
  guint8 *shade;
  g_autoptr (FlViewMask) mask = fl_view_mask_new (1, 2, 3, 2, &shade);
  for (guint i = 0; i < 6; i++)
    shade[i] = (guint8) (40 * i);
  mask->rules = g_strdup ("edges 2\n");
  mask->changed[0] = 77;
  mask->panels[1] = (FlViewMaskPanel){ .name = g_strdup ("p1"), .pixels = 100, .bad = 3, .masked = 5 };
  mask->panels[0].name = g_strdup ("");
  mask->masked = 5;
  mask->file = g_bytes_new ("HDF", 3);
  g_autoptr (GVariant) reply = through_wire (fl_view_mask_encode (mask), FL_VIEW_MASK_REPLY);
  g_autoptr (FlViewMask) again = fl_view_mask_decode (reply, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (again->shade, 6, shade, 6);
  g_assert_cmpuint (again->changed[0], ==, 77);
  g_assert_cmpstr (again->panels[1].name, ==, "p1");
  g_assert_cmpuint (again->panels[1].masked, ==, 5);
  g_assert_true (g_bytes_equal (again->file, mask->file));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/frames/header", test_header);
  g_test_add_func ("/view/frames/truncated", test_truncated);
  g_test_add_func ("/view/frames/requests", test_requests);
  g_test_add_func ("/view/frames/mutations", test_mutations);
  g_test_add_func ("/view/frames/parts", test_parts);
  g_test_add_func ("/view/frames/deflated", test_deflated);
  g_test_add_func ("/view/frames/masks", test_masks);
  return g_test_run ();
}
