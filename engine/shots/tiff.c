#include "engine/shots/tiff.h"

#include <string.h>

#define MAX_EDGE   (1 << 16)
#define MAX_PIXELS ((guint64) 1 << 27)

enum
{
  TAG_WIDTH = 256,
  TAG_HEIGHT = 257,
  TAG_BITS = 258,
  TAG_PACKING = 259,
  TAG_FILL_ORDER = 266,
  TAG_DESCRIPTION = 270,
  TAG_STRIP_OFFSETS = 273,
  TAG_SAMPLES = 277,
  TAG_ROWS_PER_STRIP = 278,
  TAG_STRIP_LENGTHS = 279,
  TAG_PREDICTOR = 317,
  TAG_TILE_WIDTH = 322,
  TAG_TILE_HEIGHT = 323,
  TAG_TILE_OFFSETS = 324,
  TAG_TILE_LENGTHS = 325,
  TAG_FORMAT = 339
};

typedef struct
{
  const guint8 *bytes;
  gsize length;
  gboolean big;    /* byte order */
  gboolean wide;   /* BigTIFF */
  guint64 entries; /* offset of the first entry of the directory */
  guint64 n;
} Reader;

/* What a tag holds: `count` values of `size` bytes at `at`, all within the file; count 0: the tag is not there. */
typedef struct
{
  guint64 count, at;
  guint size;
} Field;

static guint64
number (const Reader *reader, guint64 at, guint size)
{
  guint64 v = 0;
  for (guint i = 0; i < size; i++)
    v = v << 8 | reader->bytes[at + (reader->big ? i : size - 1 - i)];
  return v;
}

/* The file's n bytes from `at` are there. */
static gboolean
within (const Reader *reader, guint64 at, guint64 n)
{
  return at <= reader->length && n <= reader->length - at;
}

static Field
find (const Reader *reader, guint tag)
{
  /* Bytes of TIFF's types, 1 (BYTE) to 18 (IFD8). */
  static const guint8 sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8 };
  guint word = reader->wide ? 8 : 4, entry = 4 + 2 * word;
  for (guint64 i = 0; i < reader->n; i++)
    {
      guint64 at = reader->entries + i * entry;
      if (number (reader, at, 2) != tag)
        continue;
      guint64 type = number (reader, at + 2, 2);
      Field field = { number (reader, at + 4, word), at + 4 + word,
                      type < G_N_ELEMENTS (sizes) ? sizes[type] : 0 };
      if (field.size == 0 || field.count > reader->length)
        return (Field){ 0 };
      if (field.count * field.size > word)
        field.at = number (reader, field.at, word);
      return within (reader, field.at, field.count * field.size) ? field : (Field){ 0 };
    }
  return (Field){ 0 };
}

static guint64
value (const Reader *reader, guint tag, guint64 otherwise)
{
  Field field = find (reader, tag);
  return field.count > 0 ? number (reader, field.at, field.size) : otherwise;
}

/* --- the directory --- */

static gboolean
open_directory (Reader *reader, gboolean *more)
{
  const guint8 *b = reader->bytes;
  if (reader->length < 16)
    return FALSE;
  reader->big = b[0] == 'M';
  guint64 version = number (reader, 2, 2);
  reader->wide = version == 43;
  if (reader->wide && (number (reader, 4, 2) != 8 || number (reader, 6, 2) != 0))
    return FALSE;
  guint word = reader->wide ? 8 : 4, counter = reader->wide ? 8 : 2;
  guint64 at = number (reader, word, word);
  if (!within (reader, at, counter))
    return FALSE;
  reader->n = number (reader, at, counter);
  reader->entries = at + counter;
  guint64 size = reader->n * (4 + 2 * word);
  if (reader->n == 0 || reader->n > 4096 || !within (reader, reader->entries, size))
    return FALSE;
  *more = within (reader, reader->entries + size, word) && number (reader, reader->entries + size, word) != 0;
  return TRUE;
}

static char *
read_type (const Reader *reader, FlTiff *tiff)
{
  static const struct
  {
    guint bits, format;
    FlPixelType type;
  } types[] = { { 8, 1, FL_PIXEL_U8 },   { 16, 1, FL_PIXEL_U16 }, { 32, 1, FL_PIXEL_U32 },
                { 8, 2, FL_PIXEL_I8 },   { 16, 2, FL_PIXEL_I16 }, { 32, 2, FL_PIXEL_I32 },
                { 32, 3, FL_PIXEL_F32 }, { 64, 3, FL_PIXEL_F64 } };
  guint64 bits = value (reader, TAG_BITS, 1), format = value (reader, TAG_FORMAT, 1);
  if (value (reader, TAG_SAMPLES, 1) != 1)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " samples a pixel, expected one",
                            value (reader, TAG_SAMPLES, 1));
  if (format == 4) /* undefined */
    format = 1;
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].bits == bits && types[i].format == format)
      {
        tiff->type = types[i].type;
        return NULL;
      }
  return g_strdup_printf ("pixels of %" G_GUINT64_FORMAT " bits in sample format %" G_GUINT64_FORMAT
                          ", expected integers of 8, 16 or 32 or floats of 32 or 64",
                          bits, format);
}

static char *
read_packing (const Reader *reader, FlTiff *tiff)
{
  guint64 packing = value (reader, TAG_PACKING, FL_TIFF_PLAIN), predictor = value (reader, TAG_PREDICTOR, 1);
  gboolean real = tiff->type == FL_PIXEL_F32 || tiff->type == FL_PIXEL_F64;
  if (packing != FL_TIFF_PLAIN && packing != FL_TIFF_LZW && packing != FL_TIFF_DEFLATE
      && packing != FL_TIFF_OLD_DEFLATE && packing != FL_TIFF_PACKBITS)
    return g_strdup_printf ("compression %" G_GUINT64_FORMAT ", expected none, PackBits, LZW or deflate",
                            packing);
  if (value (reader, TAG_FILL_ORDER, 1) != 1)
    return g_strdup ("bits filled from the lowest, expected from the highest");
  if (packing == FL_TIFF_PLAIN || packing == FL_TIFF_PACKBITS) /* the tag means nothing there */
    predictor = 1;
  if (predictor < 1 || predictor > 3 || (predictor == 3 && !real) || (predictor == 2 && real))
    return g_strdup_printf ("predictor %" G_GUINT64_FORMAT " does not fit its pixels", predictor);
  tiff->packing = (FlTiffPacking) packing;
  tiff->predictor = (guint) predictor;
  return NULL;
}

/* How many bytes one packed byte can stand for, at most. */
static guint64
expansion (FlTiffPacking packing)
{
  return packing == FL_TIFF_PLAIN      ? 1
         : packing == FL_TIFF_PACKBITS ? 64
         : packing == FL_TIFF_LZW      ? 4096
                                       : 1032;
}

static char *
read_blocks (const Reader *reader, FlTiff *tiff)
{
  guint tag = tiff->tiled ? TAG_TILE_OFFSETS : TAG_STRIP_OFFSETS;
  Field offsets = find (reader, tag),
        lengths = find (reader, tiff->tiled ? TAG_TILE_LENGTHS : TAG_STRIP_LENGTHS);
  guint64 across = (tiff->n_fs + tiff->block_fs - 1) / tiff->block_fs,
          down = (tiff->n_ss + tiff->block_ss - 1) / tiff->block_ss, left = reader->length;
  guint64 size = (guint64) tiff->block_fs * tiff->block_ss * fl_pixel_size (tiff->type);
  gboolean lengths_told = lengths.count >= across * down;
  if (offsets.count < across * down || (!lengths_told && tiff->packing != FL_TIFF_PLAIN))
    return g_strdup_printf ("%" G_GUINT64_FORMAT " %s, expected %" G_GUINT64_FORMAT, offsets.count,
                            tiff->tiled ? "tiles" : "strips", across * down);
  for (guint64 i = 0; i < across * down; i++)
    {
      guint64 rows = tiff->tiled ? tiff->block_ss : MIN (tiff->block_ss, tiff->n_ss - i * tiff->block_ss);
      guint64 needed = size / tiff->block_ss * rows;
      FlTiffBlock block = { number (reader, offsets.at + i * offsets.size, offsets.size), needed };
      if (lengths_told && tiff->packing != FL_TIFF_PLAIN)
        block.length = number (reader, lengths.at + i * lengths.size, lengths.size);
      /* Blocks that share their bytes could stand for any size. */
      if (!within (reader, block.offset, block.length) || needed / expansion (tiff->packing) > block.length
          || block.length > left)
        return g_strdup_printf ("cut off: %s %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                " is not in the file",
                                tiff->tiled ? "tile" : "strip", i + 1, across * down);
      left -= block.length;
      g_array_append_val (tiff->blocks, block);
    }
  return NULL;
}

static char *
read_layout (const Reader *reader, FlTiff *tiff)
{
  guint64 width = value (reader, TAG_WIDTH, 0), height = value (reader, TAG_HEIGHT, 0);
  if (width < 1 || width > MAX_EDGE || height < 1 || height > MAX_EDGE || width * height > MAX_PIXELS)
    return g_strdup ("no width and height of an image");
  tiff->n_fs = (guint) width;
  tiff->n_ss = (guint) height;
  tiff->tiled = find (reader, TAG_TILE_OFFSETS).count > 0;
  guint64 block_fs = tiff->tiled ? value (reader, TAG_TILE_WIDTH, 0) : width;
  guint64 block_ss = tiff->tiled ? value (reader, TAG_TILE_HEIGHT, 0)
                                 : MIN (value (reader, TAG_ROWS_PER_STRIP, height), height);
  if (block_fs < 1 || block_fs > MAX_EDGE || block_ss < 1 || block_ss > MAX_EDGE
      || block_fs * block_ss > MAX_PIXELS)
    return g_strdup ("no size of its strips or tiles");
  tiff->block_fs = (guint) block_fs;
  tiff->block_ss = (guint) block_ss;
  char *wrong = read_type (reader, tiff);
  if (wrong == NULL)
    wrong = read_packing (reader, tiff);
  return wrong != NULL ? wrong : read_blocks (reader, tiff);
}

FlTiff *
fl_tiff_parse (const guint8 *bytes, gsize length, char **wrong)
{
  g_autoptr (FlTiff) tiff = g_new0 (FlTiff, 1);
  Reader reader = { .bytes = bytes, .length = length };
  tiff->blocks = g_array_new (FALSE, FALSE, sizeof (FlTiffBlock));
  *wrong = open_directory (&reader, &tiff->more) ? read_layout (&reader, tiff)
                                                 : g_strdup ("its directory is cut off or damaged");
  if (*wrong != NULL)
    return NULL;
  tiff->big = reader.big;
  Field text = find (&reader, TAG_DESCRIPTION);
  if (text.count > 0 && text.size == 1)
    tiff->description = g_strndup ((const char *) bytes + text.at, text.count);
  return g_steal_pointer (&tiff);
}

void
fl_tiff_free (FlTiff *tiff)
{
  if (tiff == NULL)
    return;
  g_array_unref (tiff->blocks);
  g_free (tiff->description);
  g_free (tiff);
}
