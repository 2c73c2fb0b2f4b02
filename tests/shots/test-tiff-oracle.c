/* Our TIFF reader against libtiff: it writes, we read, for every type, layout, packing, predictor and byte order. */

#include <glib/gstdio.h>
#include <string.h>
#include <tiffio.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/source.h"

typedef struct
{
  guint16 bits, format;
  FlPixelType type;
} Kind;

static const Kind kinds[] = {
  { 8, SAMPLEFORMAT_UINT, FL_PIXEL_U8 },     { 16, SAMPLEFORMAT_UINT, FL_PIXEL_U16 },
  { 32, SAMPLEFORMAT_UINT, FL_PIXEL_U32 },   { 8, SAMPLEFORMAT_INT, FL_PIXEL_I8 },
  { 16, SAMPLEFORMAT_INT, FL_PIXEL_I16 },    { 32, SAMPLEFORMAT_INT, FL_PIXEL_I32 },
  { 32, SAMPLEFORMAT_IEEEFP, FL_PIXEL_F32 }, { 64, SAMPLEFORMAT_IEEEFP, FL_PIXEL_F64 }
};

typedef struct
{
  const char *name;
  guint16 packing;
} Packing;

static const Packing packings[] = { { "none", COMPRESSION_NONE },
                                    { "packbits", COMPRESSION_PACKBITS },
                                    { "lzw", COMPRESSION_LZW },
                                    { "deflate", COMPRESSION_ADOBE_DEFLATE },
                                    { "old deflate", COMPRESSION_DEFLATE } };

/* Smooth, with flat stretches and strong pixels, so that every packing has both runs and noise. */
static void
fill (guint8 *to, const Kind *kind, guint width, guint height, FlRandom *random)
{
  for (gsize i = 0; i < (gsize) width * height; i++)
    {
      gboolean flat = i / 37 % 3 == 0;
      double v =
          flat ? 7 : 50 + 5 * fl_random_normal (random) + (fl_random_u64 (random) % 20 == 0 ? 30000 : 0);
      guint64 bits = (guint64) (gint64) v;
      float f = (float) v;
      if (kind->format == SAMPLEFORMAT_IEEEFP)
        memcpy (&bits, kind->bits == 32 ? (void *) &f : (void *) &v, kind->bits / 8);
      memcpy (to + i * (kind->bits / 8), &bits, kind->bits / 8);
    }
}

static void
write_strips (TIFF *tiff, guint8 *pixels, gsize row, guint height, guint rows)
{
  TIFFSetField (tiff, TIFFTAG_ROWSPERSTRIP, rows);
  for (guint y = 0; y < height; y += rows)
    g_assert_cmpint (
        TIFFWriteEncodedStrip (tiff, y / rows, pixels + y * row, (tmsize_t) (MIN (rows, height - y) * row)),
        >, 0);
}

static void
write_tiles (TIFF *tiff, const guint8 *pixels, gsize size, guint width, guint height)
{
  enum
  {
    EDGE_X = 32,
    EDGE_Y = 16
  };
  g_autofree guint8 *tile = g_malloc (EDGE_X * EDGE_Y * size);
  TIFFSetField (tiff, TIFFTAG_TILEWIDTH, EDGE_X);
  TIFFSetField (tiff, TIFFTAG_TILELENGTH, EDGE_Y);
  for (guint y = 0; y < height; y += EDGE_Y)
    for (guint x = 0; x < width; x += EDGE_X)
      {
        memset (tile, 0, EDGE_X * EDGE_Y * size);
        for (guint r = 0; r < EDGE_Y && y + r < height; r++)
          memcpy (tile + r * EDGE_X * size, pixels + ((gsize) (y + r) * width + x) * size,
                  MIN (EDGE_X, width - x) * size);
        g_assert_cmpint (TIFFWriteTile (tiff, tile, x, y, 0, 0), >, 0);
      }
}

static void
check_one (const Kind *kind, guint16 packing, guint16 predictor, const char *mode, gboolean tiled, guint rows,
           FlRandom *random)
{
  const guint width = 75, height = 41;
  gsize size = kind->bits / 8, bytes = width * height * size;
  g_autofree guint8 *pixels = g_malloc (bytes), *written = g_malloc (bytes);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-tiff-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  fill (pixels, kind, width, height, random);
  memcpy (written, pixels, bytes); /* libtiff turns bytes in the buffer it is given */
  g_close (g_mkstemp (path), NULL);
  TIFF *tiff = TIFFOpen (path, mode);
  TIFFSetField (tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField (tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField (tiff, TIFFTAG_BITSPERSAMPLE, kind->bits);
  TIFFSetField (tiff, TIFFTAG_SAMPLEFORMAT, kind->format);
  TIFFSetField (tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField (tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField (tiff, TIFFTAG_COMPRESSION, packing);
  if (predictor > 1)
    TIFFSetField (tiff, TIFFTAG_PREDICTOR, predictor);
  if (tiled)
    write_tiles (tiff, written, size, width, height);
  else
    write_strips (tiff, written, width * size, height, rows);
  TIFFClose (tiff);
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_unlink (path);
  g_assert_no_error (error);
  g_assert_true (fl_source_read (source, 0, &shot, &error));
  g_assert_no_error (error);
  g_assert_cmpint (shot.type, ==, kind->type);
  g_assert_cmpuint (shot.n_pixels, ==, width * height);
  if (memcmp (shot.pixels, pixels, bytes) != 0)
    g_error ("packing %u, predictor %u, %u bits, format %u, %s, %s: pixels differ", packing, predictor,
             kind->bits, kind->format, mode, tiled ? "tiles" : "strips");
}

static void
test_packing (gconstpointer data)
{
  static const char *const modes[] = { "wl", "wb", "wl8", "wb8" }; /* both byte orders, TIFF and BigTIFF */
  const Packing *packing = data;
  FlRandom random = fl_random (fl_hash64 (packing->name, strlen (packing->name), 1));
  gboolean predicts = packing->packing != COMPRESSION_NONE && packing->packing != COMPRESSION_PACKBITS;
  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (gsize m = 0; m < G_N_ELEMENTS (modes); m++)
      for (guint layout = 0; layout < 3; layout++)
        for (guint p = 0; p < (predicts ? 2 : 1); p++)
          {
            /* libtiff 4.5 writes floats the wrong way round with their predictor in the other byte order. */
            if (p == 1 && kinds[k].format == SAMPLEFORMAT_IEEEFP && modes[m][1] == 'b')
              continue;
            guint16 predictor = p == 0 ? 1 : kinds[k].format == SAMPLEFORMAT_IEEEFP ? 3 : 2;
            check_one (&kinds[k], packing->packing, predictor, modes[m], layout == 2, layout == 0 ? 7 : 41,
                       &random);
          }
}

/* More strings than LZW's table holds, so that it is cleared on the way. */
static void
test_long_lzw (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-tiff-XXXXXX", NULL);
  const guint width = 512, height = 256;
  g_autofree guint16 *pixels = g_new (guint16, width * height);
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  FlRandom random = fl_random (7);
  for (gsize i = 0; i < width * height; i++)
    pixels[i] = (guint16) (fl_random_u64 (&random) & 0x1ff);
  g_close (g_mkstemp (path), NULL);
  TIFF *tiff = TIFFOpen (path, "wl");
  TIFFSetField (tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField (tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField (tiff, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField (tiff, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
  TIFFSetField (tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  write_strips (tiff, (guint8 *) pixels, width * sizeof *pixels, height, height);
  TIFFClose (tiff);
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_unlink (path);
  g_assert_no_error (error);
  g_assert_true (fl_source_read (source, 0, &shot, &error));
  g_assert_cmpuint (shot.n_pixels, ==, width * height);
  g_assert_true (memcmp (shot.pixels, pixels, width * height * sizeof *pixels) == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TIFFSetWarningHandler (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (packings); i++)
    {
      g_autofree char *path = g_strconcat ("/tiff-oracle/", packings[i].name, NULL);
      g_test_add_data_func (path, &packings[i], test_packing);
    }
  g_test_add_func ("/tiff-oracle/long-lzw", test_long_lzw);
  return g_test_run ();
}
