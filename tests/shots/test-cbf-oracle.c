/* Our CBF decoders against Debian's libcbf: it writes, we read, for every coding, element type and shape. */

#include <cbflib/cbf.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/cbf-header.h"

typedef struct
{
  const char *name;
  unsigned int flags;
} Coding;

static const Coding codings[] = { { "packed", CBF_PACKED },
                                  { "packed v2", CBF_PACKED_V2 },
                                  { "packed, uncorrelated", CBF_PACKED | CBF_UNCORRELATED_SECTIONS },
                                  { "packed, flat", CBF_PACKED | CBF_FLAT_IMAGE },
                                  { "packed v2, flat", CBF_PACKED_V2 | CBF_FLAT_IMAGE },
                                  { "packed v2, uncorrelated", CBF_PACKED_V2 | CBF_UNCORRELATED_SECTIONS },
                                  { "byte offset", CBF_BYTE_OFFSET },
                                  { "none", CBF_NONE } };

static const gsize shapes[][3] = { { 37, 11, 1 }, { 2, 9, 1 },   { 3, 3, 4 },
                                   { 64, 16, 3 }, { 100, 1, 1 }, { 5, 1, 6 } };

/* Detector-like: noise with strong pixels, gaps and, on `hard`, everything that the element holds. */
static void
fill (guint8 *to, guint size, gsize n, gboolean hard, FlRandom *random)
{
  for (gsize i = 0; i < n; i++)
    {
      double v = 20 + 4 * fl_random_normal (random);
      guint64 kind = fl_random_u64 (random) % 50;
      guint32 value = (guint32) (gint32) v;
      if (kind == 0)
        value = (guint32) fl_random_u64 (random) & 0x3fff;
      else if (kind == 1)
        value = (guint32) -100;
      if (hard && kind < 25)
        value = (guint32) fl_random_u64 (random);
      memcpy (to + i * size, &value, size);
    }
}

static void
write_with_libcbf (const char *path, unsigned int flags, int encoding, guint8 *pixels, guint size,
                   gboolean is_signed, const gsize dims[3])
{
  cbf_handle handle;
  g_assert_cmpint (cbf_make_handle (&handle), ==, 0);
  g_assert_cmpint (cbf_new_datablock (handle, "image"), ==, 0);
  g_assert_cmpint (cbf_new_category (handle, "array_data"), ==, 0);
  g_assert_cmpint (cbf_new_column (handle, "array_id"), ==, 0);
  g_assert_cmpint (cbf_set_value (handle, "ARRAY1"), ==, 0);
  g_assert_cmpint (cbf_new_column (handle, "binary_id"), ==, 0);
  g_assert_cmpint (cbf_set_integervalue (handle, 1), ==, 0);
  g_assert_cmpint (cbf_new_column (handle, "data"), ==, 0);
  g_assert_cmpint (cbf_set_integerarray_wdims_fs (handle, flags, 1, pixels, size, is_signed,
                                                  dims[0] * dims[1] * dims[2], "little_endian", dims[0],
                                                  dims[1], dims[2], 4095),
                   ==, 0);
  FILE *file = fopen (path, "w+b");
  g_assert_cmpint (cbf_write_widefile (handle, file, 1, encoding == ENC_NONE ? CBF : CIF,
                                       MIME_HEADERS | MSG_DIGEST, encoding),
                   ==, 0);
  cbf_free_handle (handle); /* closes the file too */
}

static void
check_one (const Coding *coding, int encoding, guint size, gboolean is_signed, const gsize dims[3],
           gboolean hard, FlRandom *random)
{
  gsize n = dims[0] * dims[1] * dims[2], length;
  g_autofree guint8 *pixels = g_malloc (n * size), *decoded = g_malloc (n * size), *file = NULL;
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-cbf-XXXXXX", NULL), *bytes = NULL;
  g_autoptr (GError) error = NULL;
  fill (pixels, size, n, hard, random);
  g_close (g_mkstemp (path), NULL);
  write_with_libcbf (path, coding->flags, encoding, pixels, size, is_signed, dims);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_unlink (path);
  file = g_malloc0 (length + FL_CBF_PADDING);
  memcpy (file, bytes, length);
  g_autoptr (FlCbf) cbf = fl_cbf_parse (path, file, length, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (cbf->sections->len, ==, 1);
  const FlCbfSection *section = &g_array_index (cbf->sections, FlCbfSection, 0);
  g_assert_cmpuint (section->n_elements, ==, n);
  g_assert_cmpuint (section->coding.element_size, ==, size);
  g_assert_cmpstr (fl_cbf_decode (&section->coding, section->data, section->length, decoded), ==, NULL);
  if (memcmp (pixels, decoded, n * size) != 0)
    g_error ("%s, %u bytes, %ssigned, %zu x %zu x %zu: decoded pixels differ", coding->name, size,
             is_signed ? "" : "un", dims[0], dims[1], dims[2]);
}

static void
test_all (gconstpointer data)
{
  const Coding *coding = data;
  FlRandom random = fl_random (fl_hash64 (coding->name, strlen (coding->name), 1));
  for (gsize shape = 0; shape < G_N_ELEMENTS (shapes); shape++)
    for (guint size = 1; size <= 4; size *= 2)
      for (int is_signed = 0; is_signed < 2; is_signed++)
        for (int hard = 0; hard < 2; hard++)
          check_one (coding, ENC_NONE, size, is_signed, shapes[shape], hard, &random);
}

/* The same as text, as in files that are plain CIF. */
static void
test_text (void)
{
  static const int encodings[] = { ENC_BASE64, ENC_QP };
  FlRandom random = fl_random (1);
  for (gsize e = 0; e < G_N_ELEMENTS (encodings); e++)
    for (gsize c = 0; c < G_N_ELEMENTS (codings); c++)
      check_one (&codings[c], encodings[e], 4, TRUE, shapes[0], TRUE, &random);
}

/* A coding that no detector writes is refused by its name. */
static void
test_canonical (void)
{
  const gsize dims[3] = { 37, 11, 1 };
  gsize length;
  guint8 pixels[37 * 11 * 4] = { 0 };
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-cbf-XXXXXX", NULL), *bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_close (g_mkstemp (path), NULL);
  write_with_libcbf (path, CBF_CANONICAL, ENC_NONE, pixels, 4, TRUE, dims);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_unlink (path);
  g_assert_null (fl_cbf_parse (path, (const guint8 *) bytes, length, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  g_assert_nonnull (strstr (error->message, "x-CBF_CANONICAL"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (codings); i++)
    {
      g_autofree char *path = g_strconcat ("/cbf-oracle/", codings[i].name, NULL);
      g_test_add_data_func (path, &codings[i], test_all);
    }
  g_test_add_func ("/cbf-oracle/text", test_text);
  g_test_add_func ("/cbf-oracle/canonical", test_canonical);
  return g_test_run ();
}
