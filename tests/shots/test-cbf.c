/* CBF: both stills against values made with an independent decoder, and against libcbf for every coding. */

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/cbf-header.h"
#include "engine/shots/source.h"
#include "tests/shots/data.h"

/* truth/cbf_packed.txt: "== folder/file" and, for each section, "… min=… max=… sum=… … crc32=…". */
static void
check_truth (const char *name, const char *truth)
{
  g_autofree char *relative = g_strconcat ("stills/cspad_thermolysin/", name, NULL);
  g_autofree char *path = test_data (relative);
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  if (path == NULL)
    return;
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_source_n_frames (source), ==, 1);
  g_assert_true (fl_source_read (source, 0, &shot, &error));
  g_assert_no_error (error);
  g_assert_cmpint (shot.type, ==, FL_PIXEL_I32);
  g_assert_cmpuint (shot.n_pixels, ==, 4 * 388 * 185 * 8);
  const char *line = strstr (truth, name);
  const gint32 *pixels = shot.pixels;
  for (int section = 0; section < 4; section++, pixels += 388 * 185 * 8)
    {
      gint64 min = G_MAXINT64, max = G_MININT64, sum = 0, true_min, true_max, true_sum;
      guint true_crc;
      for (gsize i = 0; i < 388 * 185 * 8; i++)
        {
          min = MIN (min, pixels[i]);
          max = MAX (max, pixels[i]);
          sum += pixels[i];
        }
      line = strstr (line, "| decoded ");
      g_assert_cmpint (sscanf (line,
                               "| decoded min=%" G_GINT64_FORMAT " max=%" G_GINT64_FORMAT
                               " sum=%" G_GINT64_FORMAT " used=%*d/%*d crc32=%x",
                               &true_min, &true_max, &true_sum, &true_crc),
                       ==, 4);
      line++;
      g_assert_cmpint (min, ==, true_min);
      g_assert_cmpint (max, ==, true_max);
      g_assert_cmpint (sum, ==, true_sum);
      g_assert_cmphex (crc32 (0, (const Bytef *) pixels, 388 * 185 * 8 * 4), ==, true_crc);
    }
}

static void
test_truth (void)
{
  g_autofree char *path = test_data ("truth/cbf_packed.txt"), *truth = NULL;
  if (path == NULL)
    return;
  g_assert_true (g_file_get_contents (path, &truth, NULL, NULL));
  check_truth ("idx-20130301060858401.cbf", truth);
  check_truth ("idx-20130301060858601.cbf", truth);
}

/* One changed byte in a section is told by its MD5, with both values. */
static void
test_md5 (void)
{
  g_autofree char *path = test_data ("stills/cspad_thermolysin/idx-20130301060858401.cbf"), *bytes = NULL;
  g_autofree char *copy = g_build_filename (g_get_tmp_dir (), "firstlight-md5-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  gsize length;
  if (path == NULL)
    return;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  bytes[length / 2] ^= 4;
  g_close (g_mkstemp (copy), NULL);
  g_assert_true (g_file_set_contents (copy, bytes, (gssize) length, NULL));
  g_autoptr (FlSource) source = fl_source_open (copy, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (fl_source_read (source, 0, &shot, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, "binary section 2 is damaged: its MD5 is "));
  g_unlink (copy);
}

/* Pilatus' comment header. */
static const char mini_header[] =
    "###CBF: VERSION 1.5\r\ndata_x\r\n_array_data.header_convention "
    "\"PILATUS_1.2\"\r\n_array_data.header_contents\r\n;\r\n"
    "# Detector: PILATUS 2M\r\n# Pixel_size 172e-6 m x 172e-6 m\r\n# Count_cutoff 1048500 counts\r\n"
    "# Wavelength 0.9795 A\r\n# Detector_distance 0.25 m\r\n# Beam_xy (1.5, 0.25) "
    "pixels\r\n;\r\n_array_data.data\r\n;\r\n"
    "--CIF-BINARY-FORMAT-SECTION--\r\nContent-Type: application/octet-stream;\r\n     "
    "conversions=\"x-CBF_BYTE_OFFSET\"\r\n"
    "Content-Transfer-Encoding: BINARY\r\nX-Binary-Size: 16\r\nX-Binary-ID: 1\r\n"
    "X-Binary-Element-Type: \"signed 32-bit integer\"\r\nX-Binary-Element-Byte-Order: LITTLE_ENDIAN\r\n"
    "X-Binary-Number-of-Elements: 6\r\nX-Binary-Size-Fastest-Dimension: "
    "3\r\nX-Binary-Size-Second-Dimension: 2\r\n\r\n";
/* Differences of 5, −1, 1000, −1000, 0 and 100000, each in the fewest bytes. */
static const guint8 mini_data[] = { 0x0c, 0x1a, 0x04, 0xd5, 5,    0xff, 0x80, 0xe8, 0x03, 0x80,
                                    0x18, 0xfc, 0,    0x80, 0x00, 0x80, 0xa0, 0x86, 0x01, 0x00 };

static FlSource *
open_mini (const char *header, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-mini-XXXXXX", NULL);
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_append (file, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_append (file, mini_data, sizeof mini_data);
  g_byte_array_append (file, (const guint8 *) "\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n", 38);
  g_close (g_mkstemp (path), NULL);
  g_assert_true (g_file_set_contents (path, (const char *) file->data, file->len, NULL));
  FlSource *source = fl_source_open (path, NULL, error);
  g_unlink (path);
  return source;
}

static void
test_mini (void)
{
  static const gint32 expected[] = { 5, 4, 1004, 4, 4, 100004 };
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  g_autoptr (FlSource) source = open_mini (mini_header, &error);
  g_assert_no_error (error);
  FlDetector *detector = fl_source_detector (source);
  const FlPanel *panel = &detector->panels[0];
  g_assert_true (detector->placed);
  g_assert_cmpfloat_with_epsilon (detector->wavelength, 0.9795, 1e-12);
  g_assert_cmpfloat_with_epsilon (panel->pixel_size, 0.172, 1e-12);
  g_assert_cmpfloat_with_epsilon (panel->origin.z, 250, 1e-9);
  FlVec3 beam = fl_panel_position (panel, 1.5, 0.25);
  g_assert_cmpfloat_with_epsilon (hypot (beam.x, beam.y), 0, 1e-12);
  g_assert_cmpfloat (panel->trusted_max, ==, 1048500);
  g_assert_true (fl_source_read (source, 0, &shot, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (shot.pixels, 24, expected, 24);
}

/* What the comments lack is not known, and is no error; more pixels than bytes are one. */
static void
test_mini_variants (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) header = g_string_new (mini_header);
  g_string_erase (header, strstr (header->str, "# Beam_xy") - header->str, 9);
  g_autoptr (FlSource) bare = open_mini (header->str, &error);
  g_assert_no_error (error);
  g_assert_false (fl_source_detector (bare)->placed);
  g_assert_cmpfloat (fl_source_detector (bare)->wavelength, ==, 0.9795);
  g_auto (GStrv) parts = g_strsplit (mini_header, "Elements: 6\r\nX-Binary-Size-Fastest-Dimension: 3", 2);
  g_autofree char *large =
      g_strjoin ("Elements: 20000000\r\nX-Binary-Size-Fastest-Dimension: 10000000", parts[0], parts[1], NULL);
  g_assert_null (open_mini (large, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, "fewer bytes than its 20000000 elements take"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cbf/truth", test_truth);
  g_test_add_func ("/cbf/md5", test_md5);
  g_test_add_func ("/cbf/mini", test_mini);
  g_test_add_func ("/cbf/mini-variants", test_mini_variants);
  return g_test_run ();
}
