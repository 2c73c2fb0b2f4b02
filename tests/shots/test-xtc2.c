/* LCLS-II's raw data: every datagram, name and value of the real test files against tables made by another decoder, the images
 * of their events, and files that are cut off or wrong. */
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/error.h"
#include "engine/shots/source.h"
#include "engine/shots/xtc2.h"
#include "tests/shots/data.h"

/* --- the real files --- */

static const struct
{
  const char *path, *truth;
} files[] = {
  { "test_jungfrau05M_calib.xtc2", "test_data__detector__test_jungfrau05M_calib.xtc2" },
  { "test_ts.xtc2", "test_ts.xtc2" },
  { "mixed_rate/xpptut15-r0014-s000-c000.xtc2", "test_data__mixed_rate__xpptut15-r0014-s000-c000.xtc2" },
  { "mixed_rate/xpptut15-r0014-s001-c000.xtc2", "test_data__mixed_rate__xpptut15-r0014-s001-c000.xtc2" },
  { "mixed_rate/smalldata/xpptut15-r0014-s000-c000.smd.xtc2",
    "test_data__mixed_rate__smalldata__xpptut15-r0014-s000-c000.smd.xtc2" },
  { "mixed_rate/smalldata/xpptut15-r0014-s001-c000.smd.xtc2",
    "test_data__mixed_rate__smalldata__xpptut15-r0014-s001-c000.smd.xtc2" },
  { "multi-seg-epics/xpptut15-r0014-s000-c000.xtc2",
    "test_data__multi-seg-epics__xpptut15-r0014-s000-c000.xtc2" },
  { "multi-seg-epics/xpptut15-r0014-s001-c000.xtc2",
    "test_data__multi-seg-epics__xpptut15-r0014-s001-c000.xtc2" },
  { "multi-seg-epics/smalldata/xpptut15-r0014-s000-c000.smd.xtc2",
    "test_data__multi-seg-epics__smalldata__xpptut15-r0014-s000-c000.smd.xtc2" },
  { "multi-seg-epics/smalldata/xpptut15-r0014-s001-c000.smd.xtc2",
    "test_data__multi-seg-epics__smalldata__xpptut15-r0014-s001-c000.smd.xtc2" },
};

/* Lines of a table without its header, each cut after `columns`. */
static GPtrArray *
table (const char *folder, const char *name, const char *kind, guint columns)
{
  g_autofree char *path = g_strdup_printf ("%s/truth/%s.%s.tsv", folder, name, kind), *text = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) all = g_strsplit (g_strchomp (text), "\n", -1);
  for (char **line = all + 1; all[0] != NULL && *line != NULL; line++)
    {
      g_auto (GStrv) cells = g_strsplit (*line, "\t", -1);
      for (guint n = g_strv_length (cells); n > columns; n--)
        g_clear_pointer (&cells[n - 1], g_free);
      g_ptr_array_add (lines, g_strjoinv ("\t", cells));
    }
  return lines;
}

static int
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
compare (GPtrArray *found, GPtrArray *truth)
{
  g_ptr_array_sort (found, by_text);
  g_ptr_array_sort (truth, by_text);
  for (guint i = 0; i < MIN (found->len, truth->len); i++)
    g_assert_cmpstr (found->pdata[i], ==, truth->pdata[i]);
  g_assert_cmpuint (found->len, ==, truth->len);
}

typedef struct
{
  GPtrArray *lines;
  guint datagram;
} Listing;

static const char *const type_names[] = { "UINT8",   "UINT16",  "UINT32",  "UINT64", "INT8",
                                          "INT16",   "INT32",   "INT64",   "FLOAT",  "DOUBLE",
                                          "CHARSTR", "ENUMVAL", "ENUMDICT" };

static gboolean
list_value (const FlXtc2Value *value, gpointer data)
{
  Listing *listing = data;
  GString *shape = g_string_new (value->field->rank > 0 ? "" : "scalar");
  gsize length = value->length;
  for (guint d = 0; d < value->field->rank; d++)
    g_string_append_printf (shape, "%s%u", d > 0 ? "x" : "", value->shape[d]);
  if (value->field->type == FL_XTC2_CHARSTR)
    {
      g_string_assign (shape, "string");
      length = strnlen ((const char *) value->bytes, length);
    }
  g_ptr_array_add (listing->lines,
                   g_strdup_printf ("%u\t0x%x\t%s\t%u\t%s\t%s\t%s\t%s\t%" G_GSIZE_FORMAT "\t%08lx",
                                    listing->datagram, value->names->src, value->names->detector,
                                    value->names->segment, value->names->algorithm, value->field->name,
                                    type_names[value->field->type], shape->str, length,
                                    crc32 (0, value->bytes, (uInt) length)));
  g_string_free (shape, TRUE);
  return TRUE;
}

static void
list_names (const FlXtc2 *file, guint configure, guint datagram, GPtrArray *lines)
{
  const GPtrArray *all = fl_xtc2_names (file, configure);
  for (guint i = 0; i < all->len; i++)
    {
      const FlXtc2Names *names = all->pdata[i];
      for (guint k = 0; k < names->n_fields; k++)
        g_ptr_array_add (lines,
                         g_strdup_printf ("%u\t0x%x\t%s\t%s\t%s\t%s\t%u.%u.%u\t%u", datagram, names->src,
                                          names->detector, names->type, names->id, names->algorithm,
                                          names->version >> 16 & 0xff, names->version >> 8 & 0xff,
                                          names->version & 0xff, names->segment));
    }
}

static void
test_tables (gconstpointer data)
{
  guint which = GPOINTER_TO_UINT (data);
  g_autofree char *folder = test_data ("xtc2");
  if (folder == NULL)
    return;
  g_autofree char *path = g_build_filename (folder, files[which].path, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlXtc2) file = fl_xtc2_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) datagrams = g_ptr_array_new_with_free_func (g_free),
                        names = g_ptr_array_new_with_free_func (g_free),
                        values = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < fl_xtc2_n_datagrams (file); i++)
    {
      const FlXtc2Datagram *d = fl_xtc2_datagram (file, i);
      Listing listing = { values, i };
      g_ptr_array_add (datagrams,
                       g_strdup_printf ("%u\t%" G_GUINT64_FORMAT "\t%u\t%u\t%s\t0x%08x\t%u\t%u\t%u\t1", i,
                                        d->offset, d->size, d->service, fl_xtc2_service_name (d->service),
                                        d->env, d->seconds, d->nanoseconds, d->damage));
      if (d->service == FL_XTC2_CONFIGURE)
        list_names (file, d->configure, i, names);
      fl_xtc2_visit (file, i, list_value, &listing, &error);
      g_assert_no_error (error);
    }
  g_autoptr (GPtrArray) true_datagrams = table (folder, files[which].truth, "dgrams", 10),
                        true_names = table (folder, files[which].truth, "names", 8),
                        true_values = table (folder, files[which].truth, "fields", 10);
  compare (datagrams, true_datagrams);
  compare (names, true_names);
  compare (values, true_values);
}

static void
test_images (void)
{
  g_autofree char *path = test_data ("xtc2/test_jungfrau05M_calib.xtc2");
  if (path == NULL)
    return;
  static const char *const crcs[] = { "36a8df3d", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (fl_source_format (source), ==, "xtc2 (LCLS-II)");
  g_assert_cmpuint (fl_source_n_frames (source), ==, 2);
  g_assert_cmpuint (fl_source_detector (source)->n_panels, ==, 1);
  g_assert_false (fl_source_detector (source)->placed);
  for (guint i = 0; i < 2; i++)
    {
      g_auto (FlShot) shot = { 0 };
      fl_source_read (source, i, &shot, &error);
      g_assert_no_error (error);
      g_assert_cmpint (shot.type, ==, FL_PIXEL_U16);
      g_assert_cmpuint (shot.n_pixels, ==, 512 * 1024);
      g_autofree char *crc = g_strdup_printf ("%08lx", crc32 (0, shot.pixels, 512 * 1024 * 2));
      if (crcs[i] != NULL)
        g_assert_cmpstr (crc, ==, crcs[i]);
      g_assert_cmpuint (shot.time / 1000000000u, ==, 1112036891u + 631152000u); /* March 2025 */
    }
  g_clear_pointer (&source, fl_source_close);

  /* Two segments of a made detector in this stream, 3 × 6 each. */
  g_autofree char *made = test_data ("xtc2/mixed_rate/xpptut15-r0014-s000-c000.xtc2");
  source = fl_source_open (made, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_source_n_frames (source), ==, 100);
  g_assert_cmpuint (fl_source_detector (source)->n_panels, ==, 2);
  g_assert_cmpuint (fl_source_detector (source)->n_pixels, ==, 36);
  g_autofree char *small = test_data ("xtc2/test_ts.xtc2");
  g_assert_null (fl_source_open (small, NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED);
}

/* --- made ones --- */

static void
put32 (GByteArray *to, guint32 value)
{
  guint8 bytes[] = { (guint8) value, (guint8) (value >> 8), (guint8) (value >> 16), (guint8) (value >> 24) };
  g_byte_array_append (to, bytes, 4);
}

static void
put_text (GByteArray *to, const char *text)
{
  char field[256] = "";
  g_strlcpy (field, text, sizeof field);
  g_byte_array_append (to, (const guint8 *) field, sizeof field);
}

static void
put_xtc (GByteArray *to, guint32 src, guint contains, const GByteArray *payload)
{
  put32 (to, src);
  put32 (to, contains << 16);
  put32 (to, 12 + payload->len);
  g_byte_array_append (to, payload->data, payload->len);
}

static void
put_datagram (GByteArray *to, guint service, guint32 time, const GByteArray *payload)
{
  put32 (to, 0);
  put32 (to, time);
  put32 (to, service << 24);
  put_xtc (to, 0, 0, payload);
}

/* A configure of one record, "camera" with an image of rank 2, and one event of 2 × 3 pixels. */
static GByteArray *
make_file (void)
{
  g_autoptr (GByteArray) names = g_byte_array_new (), configure = g_byte_array_new (),
                         shapes = g_byte_array_new (), data = g_byte_array_new (),
                         record = g_byte_array_new (), event = g_byte_array_new ();
  GByteArray *file = g_byte_array_new ();
  put32 (names, 1);
  put_text (names, "made");
  put_text (names, "camera");
  put_text (names, "one");
  put_text (names, "raw");
  put32 (names, 1 << 16);
  put32 (names, 0);
  put_text (names, "raw");
  put32 (names, 0);
  put_text (names, "image");
  put32 (names, FL_XTC2_U16);
  put32 (names, 2);
  put_xtc (configure, 0x100, 4, names);
  put_datagram (file, FL_XTC2_CONFIGURE, 1, configure);
  for (guint32 dim = 2; dim <= 6; dim++)
    put32 (shapes, dim <= 3 ? dim : 0);
  for (guint32 i = 0; i < 3; i++)
    put32 (data, 2 * i | (2 * i + 1) << 16);
  put_xtc (record, 0x100, 3, data); /* before the shapes: both orders occur */
  put_xtc (record, 0x100, 2, shapes);
  put_xtc (event, 0x100, 1, record);
  put_datagram (file, FL_XTC2_L1_ACCEPT, 2, event);
  return file;
}

static FlSource *
open_bytes (const guint8 *bytes, gsize length, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "fl-test-XXXXXX", NULL);
  int fd = g_mkstemp (path);
  g_close (fd, NULL);
  g_file_set_contents (path, (const char *) bytes, (gssize) length, NULL);
  FlSource *source = fl_source_open (path, NULL, error);
  g_unlink (path);
  return source;
}

static void
test_damage (void)
{
  g_autoptr (GByteArray) file = make_file ();
  g_autoptr (GError) error = NULL;
  FlSource *source = open_bytes (file->data, file->len, &error);
  g_auto (FlShot) shot = { 0 };
  g_assert_no_error (error);
  g_assert_cmpuint (fl_source_n_frames (source), ==, 1);
  g_assert_true (fl_source_read (source, 0, &shot, &error));
  for (gsize i = 0; i < 6; i++)
    g_assert_cmpfloat (fl_shot_value (&shot, i), ==, (double) i);
  fl_source_close (source);
  /* Cut off anywhere, or with any byte turned: one line or an image, never more. */
  for (gsize n = 0; n < 2 * (gsize) file->len; n++)
    {
      gboolean cut = n < file->len;
      gsize at = cut ? 0 : n - file->len;
      guint8 was = file->data[at];
      if (!cut)
        file->data[at] ^= (guint8) (1u << n % 8);
      g_autoptr (GError) wrong = NULL;
      source = open_bytes (file->data, cut ? n : file->len, &wrong);
      if (source != NULL && fl_source_n_frames (source) > 0)
        fl_source_read (source, 0, &shot, &wrong);
      if (wrong != NULL)
        g_assert_null (strchr (wrong->message, '\n'));
      fl_source_close (source);
      file->data[at] = was;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *name = g_strdup_printf ("/xtc2/tables/%s", files[i].truth);
      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_tables);
    }
  g_test_add_func ("/xtc2/images", test_images);
  g_test_add_func ("/xtc2/damage", test_damage);
  return g_test_run ();
}
