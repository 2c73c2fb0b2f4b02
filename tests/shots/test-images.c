/* Files of one image, made here: what their headers say, damage, gzip, and a geometry given with them. */

#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"
#include "engine/shots/flat-panel.h"
#include "engine/shots/source.h"

static char *
temporary (const char *ending)
{
  g_autofree char *name = g_strconcat ("firstlight-image-XXXXXX", ending, NULL);
  char *path = g_build_filename (g_get_tmp_dir (), name, NULL);
  int fd = g_mkstemp (path);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  return path;
}

static FlSource *
open_bytes (const void *bytes, gsize length, const char *geometry, GError **error)
{
  g_autofree char *path = temporary (".img");
  FlSourceOptions options = { .geometry = geometry };
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
  FlSource *source = fl_source_open (path, &options, error);
  g_unlink (path);
  if (source == NULL && error != NULL)
    g_assert_null (strchr ((*error)->message, '\n'));
  return source;
}

static FlSource *
open_ok (const GByteArray *file, const char *geometry)
{
  g_autoptr (GError) error = NULL;
  FlSource *source = open_bytes (file->data, file->len, geometry, &error);
  g_assert_no_error (error);
  return source;
}

static void
refuse (const GByteArray *file, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = open_bytes (file->data, file->len, NULL, &error);
  g_auto (FlShot) shot = { 0 };
  if (source != NULL)
    g_assert_false (fl_source_read (source, 0, &shot, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, why) == NULL)
    g_error ("'%s', expected '%s' in it", error->message, why);
}

/* --- SMV --- */

#define SMV_BASE                                                                                             \
  "PIXEL_SIZE=0.1;\nDISTANCE=200;\nWAVELENGTH=1.1;\nBEAM_CENTER_X=0.15;\nBEAM_CENTER_Y=0.25;\nSIZE1=4;"      \
  "\nSIZE2=3;\n"

static GByteArray *
smv (const char *values, const void *pixels, gsize length)
{
  GByteArray *file = g_byte_array_new ();
  g_autofree char *header = g_strdup_printf ("{\nHEADER_BYTES=  512;\nDIM=2;\n%s}\n\f", values);
  g_byte_array_append (file, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_set_size (file, 512);
  memset (file->data + strlen (header), ' ', 512 - strlen (header));
  g_byte_array_append (file, pixels, (guint) length);
  return file;
}

static const guint16 counts[12] = { 0, 40, 41, 50, 60, 70, 1000, 65535, 90, 100, 110, 120 };

static void
check_values (FlSource *source, FlPixelType type, const double *expected, gsize n)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  for (int again = 0; again < 2; again++) /* a second reading is as the first */
    {
      g_assert_true (fl_source_read (source, 0, &shot, &error));
      g_assert_no_error (error);
      g_assert_cmpint (shot.type, ==, type);
      g_assert_cmpuint (shot.n_pixels, ==, n);
      for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat (fl_shot_value (&shot, i), ==, expected[i]);
    }
}

static void
test_adsc (void)
{
  double plain[12], less[12];
  for (guint i = 0; i < 12; i++)
    {
      plain[i] = counts[i];
      less[i] = counts[i] - 40.0;
    }
  g_autoptr (GByteArray) file =
      smv (SMV_BASE "BYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n", counts, sizeof counts);
  g_autoptr (FlSource) source = open_ok (file, NULL);
  const FlDetector *detector = fl_source_detector (source);
  const FlPanel *panel = &detector->panels[0];
  g_assert_cmpstr (fl_source_format (source), ==, "SMV");
  g_assert_true (detector->placed);
  g_assert_cmpfloat (detector->wavelength, ==, 1.1);
  /* BEAM_CENTER_Y runs along the fast direction. */
  FlVec3 beam = fl_panel_position (panel, 2.5, 1.5);
  g_assert_cmpfloat_with_epsilon (hypot (beam.x, beam.y), 0, 1e-12);
  g_assert_cmpfloat (beam.z, ==, 200);
  g_assert_cmpfloat (panel->saturation, ==, 65535);
  check_values (source, FL_PIXEL_U16, plain, 12);
  /* What a header says cannot reach into the terminal. */
  g_autoptr (GByteArray) rude =
      smv (SMV_BASE "DETECTOR_SN=\033[2J9\xff;\nTIME=0.5;\n", counts, sizeof counts);
  g_autoptr (FlSource) told = open_ok (rude, NULL);
  g_autofree char *notes = fl_source_describe (told);
  g_assert_cmpstr (notes, ==, "serial number: [2J9\357\277\275\nexposure: 0.5 s\n");
  g_autoptr (GByteArray) with = smv (SMV_BASE "IMAGE_PEDESTAL=40;\n", counts, sizeof counts);
  g_autoptr (FlSource) pedestal = open_ok (with, NULL);
  check_values (pedestal, FL_PIXEL_I32, less, 12);
  g_assert_cmpfloat (fl_source_detector (pedestal)->panels[0].saturation, ==, 65495);
}

/* Image plates: what does not fit into 15 bits is a multiple of the ratio. */
static void
test_image_plate (void)
{
  static const guint16 stored[12] = { 0, 1, 0x7fff, 0x8001, 0xffff };
  static const double expected[12] = { 0, 1, 32767, 8, 262136 };
  g_autoptr (GByteArray) file =
      smv (SMV_BASE "Data_type=unsigned short int;\nRAXIS_COMPRESSION_RATIO=8;\n", stored, sizeof stored);
  g_autoptr (FlSource) source = open_ok (file, NULL);
  check_values (source, FL_PIXEL_I32, expected, 12);
}

static void
test_bad_smv (void)
{
  static const char *const bad[][2] = {
    { "SIZE1=4;\nSIZE2=4;\n", "cut off: 24 bytes behind the header, expected 32 for 4 x 4 px" },
    { "SIZE1=70000;\nSIZE2=70000;\n", "no SIZE1 and SIZE2" },
    { "SIZE1=-4;\nSIZE2=4;\n", "no SIZE1 and SIZE2" },
    { "SIZE1=nan;\nSIZE2=4;\n", "no SIZE1 and SIZE2" },
    { "", "no SIZE1 and SIZE2" },
    { SMV_BASE "TYPE=complex\t;\n", "pixels of type 'complex'" },
    { SMV_BASE "BYTE_ORDER=pdp_endian;\n", "byte order 'pdp_endian'" },
    { SMV_BASE "COMPRESSION=BS1;\n", "pixels are compressed (BS1)" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GByteArray) file = smv (bad[i][0], counts, sizeof counts);
      refuse (file, bad[i][1]);
    }
  static const char *const headers[] = { "{\nHEADER_BYTES=99999999999999999999;\n}", "{\nHEADER_BYTES=\n}",
                                         "{\nHEADER_BYTES=-1;\n}" };
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autoptr (GByteArray) file = g_byte_array_new ();
      g_byte_array_append (file, (const guint8 *) headers[i], (guint) strlen (headers[i]));
      refuse (file, "no HEADER_BYTES within the file");
    }
}

/* What no key tells leaves pixels without a place, and is no error. */
static void
test_bare_smv (void)
{
  g_autoptr (GByteArray) file = smv ("SIZE1=4;\nSIZE2=3;\n", counts, sizeof counts);
  g_autoptr (FlSource) source = open_ok (file, NULL);
  g_assert_false (fl_source_detector (source)->placed);
  g_assert_cmpfloat (fl_source_detector (source)->wavelength, ==, 0);
}

/* --- TIFF --- */

typedef struct
{
  guint16 tag, type;
  guint32 count, value;
} Entry;

/* In big order, so that the byte order is never the machine's by chance. */
static GByteArray *
tiff (const Entry *entries, guint n, const void *data, gsize length)
{
  GByteArray *file = g_byte_array_new ();
  guint8 number[4];
  g_byte_array_append (file, (const guint8 *) "MM\0*\0\0\0\010\0", 9);
  number[0] = (guint8) n;
  g_byte_array_append (file, number, 1);
  for (guint i = 0; i < n; i++)
    {
      guint16 tag = GUINT16_TO_BE (entries[i].tag), type = GUINT16_TO_BE (entries[i].type);
      guint32 count = GUINT32_TO_BE (entries[i].count), value = GUINT32_TO_BE (entries[i].value);
      if (entries[i].type == 3)
        value = GUINT32_TO_BE (entries[i].value << 16);
      g_byte_array_append (file, (const guint8 *) &tag, 2);
      g_byte_array_append (file, (const guint8 *) &type, 2);
      g_byte_array_append (file, (const guint8 *) &count, 4);
      g_byte_array_append (file, (const guint8 *) &value, 4);
    }
  guint here = file->len;
  g_assert_cmpuint (here, <=, 256);
  g_byte_array_set_size (file, 256);
  memset (file->data + here, 0, 256 - here);
  g_byte_array_append (file, data, (guint) length);
  return file;
}

static void
bad_tiff (guint16 packing, guint32 width, guint32 height, guint32 stored, const void *data, gsize length,
          const char *why)
{
  const Entry entries[] = { { 256, 4, 1, width },   { 257, 4, 1, height }, { 258, 3, 1, 16 },
                            { 259, 3, 1, packing }, { 273, 4, 1, 256 },    { 278, 4, 1, height },
                            { 279, 4, 1, stored } };
  g_autoptr (GByteArray) file = tiff (entries, G_N_ELEMENTS (entries), data, length);
  refuse (file, why);
}

static void
test_bad_tiff (void)
{
  static const guint8 zeros[64] = { 0 }, ones[64] = { 1, 1, 1 };
  /* LZW: a clear code, then one that nothing made. */
  static const guint8 never[8] = { 0x80, 0x7f, 0xff, 0xff };
  bad_tiff (1, 4, 3, 24, zeros, 23, "cut off: strip 1 of 1");
  bad_tiff (1, 0, 3, 24, zeros, 24, "no width and height");
  bad_tiff (1, 60000, 60000, 24, zeros, 24, "no width and height");
  bad_tiff (5, 8192, 8192, 64, zeros, 64, "cut off: strip 1 of 1"); /* more than they can stand for */
  bad_tiff (8, 8192, 8192, 64, zeros, 64, "cut off: strip 1 of 1");
  bad_tiff (7, 4, 3, 24, zeros, 24, "compression 7, expected none");
  bad_tiff (5, 4, 3, 8, never, 8, "a code that was never made");
  bad_tiff (5, 4, 3, 8, ones, 8, "end too early");
  bad_tiff (5, 4, 3, 8, "\0\001aaaaaa", 8, "LZW of the oldest writers");
  bad_tiff (8, 4, 3, 8, ones, 8, "deflate data are damaged");
  bad_tiff (32773, 4, 3, 2, "\005abc", 4, "end too early");
  /* Whose directory comes last, so that its first bytes also are those of a datagram of xtc2. */
  static const guint8 datagram[32] = { 'M', 'M', 0, '*', 0, 12, 'x', 0xe6, 0, 0, 0, 2,
                                       0,   0,   0, 0,   0, 0,  0,   0,    0, 0, 1 };
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_append (file, datagram, sizeof datagram);
  refuse (file, "its directory is cut off or damaged");
  g_byte_array_set_size (file, 0);
  g_byte_array_append (file, (const guint8 *) "II*\0\377\377\377\377\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  refuse (file, "its directory is cut off or damaged");
}

/* Strips that all are the same bytes could stand for any size. */
static void
test_shared_strips (void)
{
  guint8 data[2048] = { 0 };
  for (guint i = 0; i < 200; i++)
    data[4 * i + 2] = 4; /* offset 1024 */
  for (guint i = 0; i < 200; i++)
    data[800 + 4 * i + 2] = 4; /* 1024 bytes */
  const Entry entries[] = { { 256, 4, 1, 60000 }, { 257, 4, 1, 200 }, { 258, 3, 1, 16 },    { 259, 3, 1, 5 },
                            { 273, 4, 200, 256 }, { 278, 4, 1, 1 },   { 279, 4, 200, 1056 } };
  g_autoptr (GByteArray) file = tiff (entries, G_N_ELEMENTS (entries), data, sizeof data);
  refuse (file, "of 200 is not in the file");
}

/* --- CBF --- */

/* Bytes as text, an energy and other units than usual. */
static void
test_mini_cbf (void)
{
  static const char text[] = "###CBF: VERSION 1.5\r\ndata_x\r\n_array_data.header_contents\r\n;\r\n"
                             "# Detector: PILATUS\r\n# Pixel_size 0.172 mm x 172 um\r\n# Energy 12.4 keV\r\n"
                             "# Detector_distance = 0.2 m\r\n# Beam_xy (1, 2) pixels\r\n;\r\n"
                             "_array_data.data\r\n;\r\n--CIF-BINARY-FORMAT-SECTION--\r\n"
                             "Content-Type: application/octet-stream;\r\n"
                             "     conversions=\"x-CBF_BYTE_OFFSET\"\r\n"
                             "Content-Transfer-Encoding: %s\r\nX-Binary-Size: %u\r\n"
                             "X-Binary-Element-Type: \"unsigned 32-bit integer\"\r\n"
                             "X-Binary-Size-Fastest-Dimension: 3\r\nX-Binary-Size-Second-Dimension: 2\r\n\r\n"
                             "%s\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n";
  static const char *const ways[][2] = { { "BASE64", "AP8BAn\r\n8B" },
                                         { "Quoted-Printable", "=00=FF=01=\r\n=02=7F=01" } };
  static const double expected[6] = { 0, -1, 0, 2, 129, 130 };
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *whole = g_strdup_printf (text, ways[i][0], 6, ways[i][1]);
      g_autofree char *cut = g_strdup_printf (text, ways[i][0], 7, ways[i][1]);
      g_autoptr (GByteArray) file = g_byte_array_new (), damaged = g_byte_array_new ();
      g_byte_array_append (file, (const guint8 *) whole, (guint) strlen (whole));
      g_autoptr (FlSource) source = open_ok (file, NULL);
      const FlDetector *detector = fl_source_detector (source);
      check_values (source, FL_PIXEL_I32, expected, 6);
      g_assert_true (detector->placed);
      g_assert_cmpfloat_with_epsilon (detector->wavelength, 0.99987, 1e-5);
      g_assert_cmpfloat_with_epsilon (detector->panels[0].origin.x, 0.172, 1e-12);
      g_assert_cmpfloat_with_epsilon (detector->panels[0].origin.y, 0.344, 1e-12);
      g_assert_cmpfloat_with_epsilon (detector->panels[0].origin.z, 200, 1e-12);
      g_byte_array_append (damaged, (const guint8 *) cut, (guint) strlen (cut));
      refuse (damaged, "cut off: its text holds 6 bytes, expected 7");
    }
}

/* Against dxtbx's numbers for a real image of it. */
static void
test_curved (void)
{
  static const char header[] =
      "# Detector: PILATUS 12M, S/N 120-0100\n# Pixel_size 172e-6 m x 172e-6 m\n"
      "# Detector_distance 0.01 m\n# Beam_xy (1080, 2595) pixels\n# Wavelength 2.7552 A\n";
  g_autoptr (FlDetector) detector = fl_dectris_detector (header, 2463, 5071);
  const FlPanel *first = &detector->panels[0];
  g_assert_cmpuint (detector->n_panels, ==, 24);
  g_assert_cmpfloat_with_epsilon (first->origin.x, -185.76, 1e-6);
  g_assert_cmpfloat_with_epsilon (first->origin.y, -245.175545, 1e-6);
  g_assert_cmpfloat_with_epsilon (first->origin.z, -42.49288464, 1e-6);
  g_assert_cmpfloat_with_epsilon (first->ss.y, 0.172 * -0.14346671, 1e-8);
  g_assert_cmpfloat_with_epsilon (first->ss.z, 0.172 * 0.98965514, 1e-8);
  g_assert_cmpuint (detector->panels[1].offset, ==, 212 * 2463);
  g_assert_cmpuint (detector->mask[195 * 2463], ==, 1);
  g_assert_cmpuint (detector->mask[212 * 2463], ==, 0);
}

/* --- all kinds --- */

/* What is not read is named. */
static void
test_foreign (void)
{
  static const struct
  {
    guint at;
    const char *bytes, *name;
  } others[] = { { 0, "{\nHeaderID = EH:000001;", "an EDF image, which is not read here" },
                 { 128, "mar research", "an image plate's (mar345), which is not read here" },
                 { 0, "FORMAT :100", "a Bruker image" },
                 { 0, "\200\002cdials_array_family_flex_ext", "a Python pickle" } };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GByteArray) file = g_byte_array_new ();
      g_byte_array_set_size (file, 512);
      memset (file->data, 0, 512);
      memcpy (file->data + others[i].at, others[i].bytes, strlen (others[i].bytes));
      refuse (file, others[i].name);
    }
}

static void
test_gzip (void)
{
  g_autoptr (GByteArray) file = smv (SMV_BASE, counts, sizeof counts);
  g_autofree char *path = temporary (".img.gz");
  g_autoptr (GError) error = NULL;
  double expected[12];
  for (guint i = 0; i < 12; i++)
    expected[i] = counts[i];
  gzFile gz = gzopen (path, "wb");
  gzwrite (gz, file->data, file->len);
  gzclose (gz);
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_assert_no_error (error);
  check_values (source, FL_PIXEL_U16, expected, 12);
  g_autofree char *bytes = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_unlink (path);
  g_autoptr (GByteArray) cut = g_byte_array_new ();
  g_byte_array_append (cut, (const guint8 *) bytes, (guint) length - 12);
  refuse (cut, "gzip'd data that are damaged");
  g_byte_array_set_size (cut, 0);
  g_byte_array_append (cut, (const guint8 *) "BZh91AY&SY", 10);
  refuse (cut, "packed by bzip2");
}

/* A geometry that shows a part of the image, its rows in two panels. */
static void
test_geometry (void)
{
  static const char text[] =
      "photon_energy = 9000\nclen = 0.1\nres = 10000\ndata = /data\ndim0 = ss\ndim1 = fs\n"
      "a/min_fs = 1\na/max_fs = 3\na/min_ss = 0\na/max_ss = 0\na/corner_x = -1\na/corner_y = 2\n"
      "a/fs = x\na/ss = y\nb/min_fs = 1\nb/max_fs = 3\nb/min_ss = 2\nb/max_ss = 2\nb/corner_x = -1\n"
      "b/corner_y = -3\nb/fs = x\nb/ss = y\n";
  static const double expected[9] = { 40, 41, 50, 70, 1000, 65535, 100, 110, 120 };
  g_autofree char *path = temporary (".geom");
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_autoptr (GByteArray) file = smv (SMV_BASE, counts, sizeof counts);
  g_autoptr (FlSource) source = open_ok (file, path);
  const FlDetector *detector = fl_source_detector (source);
  g_assert_cmpuint (detector->n_panels, ==, 2);
  g_assert_cmpfloat_with_epsilon (detector->panels[1].origin.y, -0.3, 1e-12);
  g_assert_cmpuint (detector->panels[1].offset, ==, 6);
  g_assert_cmpfloat (detector->panels[0].saturation, ==, 65535);
  g_assert_cmpuint (detector->mask[4], ==, 1);
  check_values (source, FL_PIXEL_U16, expected, 9);
  g_autoptr (GByteArray) small = smv ("SIZE1=3;\nSIZE2=3;\n", counts, sizeof counts);
  g_autoptr (GError) error = NULL;
  g_assert_null (open_bytes (small->data, small->len, path, &error));
  g_assert_nonnull (strstr (error->message, "needs 4 x 3 px, expected at most the image's 3 x 3"));
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/images/adsc", test_adsc);
  g_test_add_func ("/images/image-plate", test_image_plate);
  g_test_add_func ("/images/bad-smv", test_bad_smv);
  g_test_add_func ("/images/bare-smv", test_bare_smv);
  g_test_add_func ("/images/bad-tiff", test_bad_tiff);
  g_test_add_func ("/images/shared-strips", test_shared_strips);
  g_test_add_func ("/images/mini-cbf", test_mini_cbf);
  g_test_add_func ("/images/curved", test_curved);
  g_test_add_func ("/images/foreign", test_foreign);
  g_test_add_func ("/images/gzip", test_gzip);
  g_test_add_func ("/images/geometry", test_geometry);
  return g_test_run ();
}
