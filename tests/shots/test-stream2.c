/* Messages of DECTRIS' stream 2: real ones against sums made by another decoder, and what is cut off or turned. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"
#include "engine/shots/source.h"
#include "engine/shots/stream2.h"
#include "tests/shots/data.h"

static void
test_captured (void)
{
  static const char *const crcs[] = { "54d4b080", "cb650b7f", "74109346", "b4cd13b6", "94b65cab",
                                      "d01fb593", "1a9ad42b", "f5b4f48f", "8a3147b6", "496c50ee" };
  g_autofree char *folder = test_data ("streams/stream2_maxiv");
  if (folder == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (crcs); i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/msg%03u.cbor", folder, i + 1);
      g_autoptr (GError) error = NULL;
      g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
      g_assert_no_error (error);
      g_auto (FlShot) shot = { 0 };
      fl_source_read (source, 0, &shot, &error);
      g_assert_no_error (error);
      const FlPanel *panel = &fl_source_detector (source)->panels[0];
      g_assert_cmpint (shot.type, ==, FL_PIXEL_U32);
      g_assert_cmpuint (panel->n_fs, ==, 1030);
      g_assert_cmpuint (panel->n_ss, ==, 1065);
      g_assert_cmpfloat (panel->saturation, ==, 2943293);
      g_assert_cmpfloat_with_epsilon (fl_source_detector (source)->wavelength, 1.5498024804150032, 1e-12);
      g_autofree char *crc = g_strdup_printf ("%08lx", crc32 (0, shot.pixels, (uInt) (shot.n_pixels * 4)));
      g_assert_cmpstr (crc, ==, crcs[i]);
      g_assert_cmpuint (shot.time / 1000000000u, ==, 1709819015u + i); /* 2024-03-07T14:43:35+01:00 */
      /* What the start message masks holds no counts. */
      const guint32 *values = shot.pixels;
      guint64 masked = 0;
      for (gsize k = 0; k < shot.n_pixels; k++)
        {
          masked += fl_source_detector (source)->mask[k];
          g_assert_true (values[k] != 4294967295u || fl_source_detector (source)->mask[k] != 0);
        }
      g_assert_cmpuint (masked, ==, 38130);
    }
  for (guint i = 0; i < 12; i += 11)
    {
      g_autofree char *path = g_strdup_printf ("%s/msg%03u.cbor", folder, i);
      g_autoptr (GError) error = NULL;
      g_assert_null (fl_source_open (path, NULL, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
    }
}

/* {"type": "image", "series_id": 3, "data": {"t": 40([[2, 3], 69(6 × u16)])}}, as bytes by hand. */
static const guint8 small[] = { 0xa3, 0x64, 't',  'y',  'p', 'e',  0x65, 'i',  'm',  'a',  'g',  'e',  0x69,
                                's',  'e',  'r',  'i',  'e', 's',  '_',  'i',  'd',  0x03, 0x64, 'd',  'a',
                                't',  'a',  0xa1, 0x61, 't', 0xd8, 40,   0x82, 0x82, 2,    3,    0xd8, 69,
                                0x4c, 1,    0,    2,    0,   3,    0,    4,    0,    5,    0,    6,    1 };

static void
test_small (void)
{
  FlStream2 message;
  g_autofree char *wrong = NULL;
  guint16 pixels[6];
  g_assert_cmpint (fl_stream2_kind (small, sizeof small), ==, FL_STREAM2_IMAGE);
  g_assert_true (fl_stream2_parse (&message, small, sizeof small, &wrong));
  g_assert_cmpuint (message.series, ==, 3);
  g_assert_cmpstr (message.channel, ==, "t");
  g_assert_cmpuint (message.data.n_ss, ==, 2);
  g_assert_cmpuint (message.data.n_fs, ==, 3);
  g_assert_null (fl_stream2_unpack (&message.data, pixels));
  g_assert_cmpuint (pixels[0], ==, 1);
  g_assert_cmpuint (pixels[5], ==, 262);
  g_assert_true (isnan (message.beam_fs));
}

static void
write_message (const char *folder, const char *name, const guint8 *bytes, gsize size)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_assert_true (g_file_set_contents (path, (const char *) bytes, (gssize) size, NULL));
}

static void
check_start (const char *folder, double saturation, guint8 masked)
{
  g_autofree char *path = g_build_filename (folder, "image.cbor", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_assert_no_error (error);
  const FlDetector *detector = fl_source_detector (source);
  g_assert_true (detector->panels[0].saturation == saturation);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpuint (detector->mask[i], ==, i == 0 ? masked : 0);
}

/* What starts another series says nothing of this one, its mask least of all. */
static void
test_neighbours (void)
{
  /* {"type": "start", "series_id": 4, "saturation_value": 9, "pixel_mask": {"t": 40([[2, 3], 70(6 × u32)])}} */
  guint8 start[] = { 0xa4, 0x64, 't', 'y',  'p', 'e', 0x65, 's',  't',  'a', 'r',  't',  0x69, 's',  'e',
                     'r',  'i',  'e', 's',  '_', 'i', 'd',  4,    0x70, 's', 'a',  't',  'u',  'r',  'a',
                     't',  'i',  'o', 'n',  '_', 'v', 'a',  'l',  'u',  'e', 9,    0x6a, 'p',  'i',  'x',
                     'e',  'l',  '_', 'm',  'a', 's', 'k',  0xa1, 0x61, 't', 0xd8, 40,   0x82, 0x82, 2,
                     3,    0xd8, 70,  0x58, 24,  1,   0,    0,    0,    0,   0,    0,    0,    0,    0,
                     0,    0,    0,   0,    0,   0,   0,    0,    0,    0,   0,    0,    0,    0 };
  g_autofree char *folder = g_dir_make_tmp ("fl-stream2-XXXXXX", NULL);
  write_message (folder, "image.cbor", small, sizeof small);
  check_start (folder, INFINITY, 0);
  write_message (folder, "other.cbor", start, sizeof start);
  check_start (folder, INFINITY, 0);
  start[22] = 3;
  write_message (folder, "start.cbor", start, sizeof start);
  check_start (folder, 9, 1);
  static const char *const names[] = { "image.cbor", "other.cbor", "start.cbor" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_remove (path);
    }
  g_rmdir (folder);
}

static void
test_damage (void)
{
  for (gsize n = 0; n < sizeof small; n++)
    {
      FlStream2 message;
      g_autofree char *wrong = NULL;
      g_autofree guint8 *cut =
          g_memdup2 (small, MAX (n, 1)); /* of its own size, so that a sanitizer sees what is beyond */
      g_assert_false (fl_stream2_parse (&message, cut, n, &wrong));
      g_assert_nonnull (wrong);
    }
  for (gsize n = 0; n < sizeof small; n++)
    for (guint bit = 0; bit < 8; bit++)
      {
        FlStream2 message;
        g_autofree char *wrong = NULL;
        g_autofree guint8 *turned = g_memdup2 (small, sizeof small);
        turned[n] ^= (guint8) (1u << bit);
        if (fl_stream2_parse (&message, turned, sizeof small, &wrong) && message.data.bytes != NULL)
          {
            gsize size = (gsize) message.data.n_ss * message.data.n_fs * fl_pixel_size (message.data.type);
            g_autofree guint8 *out = g_malloc (MAX (size, 1));
            fl_stream2_unpack (&message.data, out);
          }
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stream2/captured", test_captured);
  g_test_add_func ("/stream2/small", test_small);
  g_test_add_func ("/stream2/neighbours", test_neighbours);
  g_test_add_func ("/stream2/damage", test_damage);
  return g_test_run ();
}
