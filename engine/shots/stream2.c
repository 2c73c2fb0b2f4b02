#include "engine/shots/stream2.h"

#include <math.h>
#include <string.h>

#include "engine/shots/chunk-codec.h"

enum
{
  DEPTH = 12,
  TAG_ARRAY = 40,
  TAG_PACKED = 56500,
  TAG_SELF = 55799,
  SIDE_MAX = 1 << 16,
  FILTER_LZ4 = 32004,
  FILTER_BITSHUFFLE = 32008
};

enum /* major types */
{
  UNSIGNED,
  NEGATIVE,
  BYTES,
  TEXT,
  ARRAY,
  MAP,
  TAG,
  SIMPLE
};

/* --- CBOR --- */

typedef struct
{
  const guint8 *at, *end;
  const char *wrong; /* the first thing; all reading then gives nothing */
} Reader;

typedef struct
{
  guint major, info;
  guint64 value;       /* count, length, tag, bits */
  const guint8 *bytes; /* of texts and byte strings */
} Item;

static Item
none (Reader *reader, const char *wrong)
{
  if (reader->wrong == NULL)
    reader->wrong = wrong;
  reader->at = reader->end;
  return (Item){ .major = SIMPLE };
}

static guint64
big_endian (const guint8 *p, guint n)
{
  guint64 value = 0;
  for (guint i = 0; i < n; i++)
    value = value << 8 | p[i];
  return value;
}

/* The head of the next item; a string's bytes are passed, the items of an array, a map or a tag follow. */
static Item
next_item (Reader *reader)
{
  if (reader->at == reader->end)
    return none (reader, "it ends too early");
  guint8 first = *reader->at++;
  Item item = { .major = first >> 5, .info = first & 31 };
  guint more = item.info < 24 ? 0 : item.info < 28 ? 1u << (item.info - 24) : 0;
  if (item.info > 27)
    return none (reader, "an item of no stated length, which is not read here");
  if (more > (gsize) (reader->end - reader->at))
    return none (reader, "it ends too early");
  item.value = more > 0 ? big_endian (reader->at, more) : item.info;
  reader->at += more;
  if (item.major == BYTES || item.major == TEXT)
    {
      if (item.value > (guint64) (reader->end - reader->at))
        return none (reader, "a string is longer than the message");
      item.bytes = reader->at;
      reader->at += item.value;
    }
  return item;
}

static void
skip_item (Reader *reader, guint depth)
{
  Item item = next_item (reader);
  guint64 n = item.major == ARRAY ? item.value
              : item.major == MAP ? 2 * item.value
              : item.major == TAG ? 1
                                  : 0;
  if (n > (guint64) (reader->end - reader->at) || depth > DEPTH)
    {
      none (reader, depth > DEPTH ? "items within items too deep" : "a list is longer than the message");
      return;
    }
  for (; n > 0 && reader->wrong == NULL; n--)
    skip_item (reader, depth + 1);
}

static gboolean
is_text (const Item *item, const char *text)
{
  return item->major == TEXT && item->value == strlen (text) && memcmp (item->bytes, text, item->value) == 0;
}

/* NAN where it is none. */
static double
item_number (const Item *item)
{
  union
  {
    guint32 i;
    float f;
  } single = { (guint32) item->value };
  union
  {
    guint64 i;
    double f;
  } twice = { item->value };
  if (item->major == UNSIGNED)
    return (double) item->value;
  if (item->major == NEGATIVE)
    return -1 - (double) item->value;
  if (item->major != SIMPLE)
    return NAN;
  if (item->info == 25) /* half */
    {
      int exponent = (int) (item->value >> 10 & 31), mantissa = (int) (item->value & 1023);
      double v = exponent == 0   ? ldexp (mantissa, -24)
                 : exponent < 31 ? ldexp (mantissa + 1024, exponent - 25)
                                 : NAN;
      return item->value >> 15 & 1 ? -v : v;
    }
  return item->info == 26 ? (double) single.f : item->info == 27 ? twice.f : NAN;
}

/* The next item, read if it is a number; passed over if it is not. */
static double
read_number (Reader *reader)
{
  Reader before = *reader;
  Item item = next_item (reader);
  double v = item_number (&item);
  if (isnan (v) && reader->wrong == NULL)
    {
      *reader = before;
      skip_item (reader, 0);
    }
  return v;
}

static guint64
read_unsigned (Reader *reader)
{
  double v = read_number (reader);
  return v >= 0 && v < 9e15 ? (guint64) v : 0;
}

/* A text, cut, on one line; other items are passed over. Tags are looked through. */
static void
read_text (Reader *reader, char *to, gsize size)
{
  Reader before = *reader;
  Item item = next_item (reader);
  while (item.major == TAG && reader->wrong == NULL)
    item = next_item (reader);
  if (item.major != TEXT)
    {
      *reader = before;
      skip_item (reader, 0);
      return;
    }
  gsize n = MIN (item.value, size - 1);
  for (gsize i = 0; i < n; i++)
    to[i] = item.bytes[i] >= ' ' && item.bytes[i] <= '~' ? (char) item.bytes[i] : '?';
  to[n] = '\0';
}

/* [numerator, denominator]. */
static double
read_ratio (Reader *reader)
{
  Reader before = *reader;
  Item item = next_item (reader);
  if (item.major != ARRAY || item.value != 2)
    {
      *reader = before;
      skip_item (reader, 0);
      return NAN;
    }
  double over = read_number (reader);
  return over / read_number (reader);
}

/* --- arrays --- */

static gboolean
array_type (guint64 tag, FlPixelType *type)
{
  static const struct
  {
    guint tag;
    FlPixelType type;
  } types[] = { { 64, FL_PIXEL_U8 },  { 69, FL_PIXEL_U16 }, { 70, FL_PIXEL_U32 }, { 72, FL_PIXEL_I8 },
                { 77, FL_PIXEL_I16 }, { 78, FL_PIXEL_I32 }, { 85, FL_PIXEL_F32 }, { 86, FL_PIXEL_F64 } };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].tag == tag)
      {
        *type = types[i].type;
        return TRUE;
      }
  return FALSE;
}

/* 40([[rows, columns], TYPE(bytes)]), or TYPE(56500([packing, element size, bytes])). */
static void
read_array (Reader *reader, FlStream2Array *array)
{
  Item tag = next_item (reader), pair = next_item (reader), dims = next_item (reader);
  double rows = read_number (reader), columns = read_number (reader);
  Item type = next_item (reader), content = next_item (reader);
  const char *packing = NULL;
  guint64 element = 0;
  if (tag.major != TAG || tag.value != TAG_ARRAY || pair.major != ARRAY || pair.value != 2
      || dims.major != ARRAY || dims.value != 2 || type.major != TAG || !array_type (type.value, &array->type)
      || !(rows > 0 && rows < SIDE_MAX) || !(columns > 0 && columns < SIDE_MAX))
    {
      none (reader, "an array is not of two dimensions and a type that is known here");
      return;
    }
  if (content.major == TAG && content.value == TAG_PACKED)
    {
      Item triple = next_item (reader), name = next_item (reader);
      packing = is_text (&name, "bslz4") ? "bslz4" : is_text (&name, "lz4") ? "lz4" : NULL;
      element = read_unsigned (reader);
      content = next_item (reader);
      if (triple.major != ARRAY || triple.value != 3 || packing == NULL
          || element != fl_pixel_size (array->type))
        content.major = SIMPLE;
    }
  if (content.major != BYTES)
    {
      none (reader, "an array is packed in a way that is not known here");
      return;
    }
  *array =
      (FlStream2Array){ content.bytes, content.value, (guint) rows, (guint) columns, array->type, packing };
}

/* Of {channel: array, …} the first. */
static void
read_channels (Reader *reader, FlStream2 *message, FlStream2Array *array, gboolean named)
{
  Item map = next_item (reader);
  if (map.major != MAP || map.value > 64)
    {
      none (reader, "expected arrays by channel");
      return;
    }
  for (guint64 i = 0; i < map.value && reader->wrong == NULL; i++)
    if (i > 0)
      {
        skip_item (reader, 0);
        skip_item (reader, 0);
      }
    else if (named)
      {
        read_text (reader, message->channel, sizeof message->channel);
        message->n_channels = (guint) map.value;
        read_array (reader, array);
      }
    else
      {
        skip_item (reader, 0);
        read_array (reader, array);
      }
}

const char *
fl_stream2_unpack (const FlStream2Array *array, void *out)
{
  gsize size = (gsize) array->n_ss * array->n_fs * fl_pixel_size (array->type);
  if (array->packing == NULL)
    {
      if (array->length != size)
        return "the array has another length than its dimensions";
      memcpy (out, array->bytes, size);
      return NULL;
    }
  gboolean shuffled = strcmp (array->packing, "bslz4") == 0;
  FlChunkCodec codec = { .n = 1, .size = size };
  codec.filters[0].id = shuffled ? FILTER_BITSHUFFLE : FILTER_LZ4;
  codec.filters[0].element = (guint) fl_pixel_size (array->type);
  codec.filters[0].inside = shuffled ? FL_BITSHUFFLE_LZ4 : FL_BITSHUFFLE_PLAIN;
  const char *wrong = fl_chunk_decode (&codec, 0, array->bytes, array->length, out);
  fl_chunk_codec_clear (&codec);
  return wrong;
}

/* --- messages --- */

static void
read_value (Reader *reader, FlStream2 *message, const Item *key)
{
  const struct
  {
    const char *key;
    double *number;
  } numbers[] = {
    { "beam_center_x", &message->beam_fs },      { "beam_center_y", &message->beam_ss },
    { "pixel_size_x", &message->pixel_fs },      { "pixel_size_y", &message->pixel_ss },
    { "incident_energy", &message->energy },     { "incident_wavelength", &message->wavelength },
    { "saturation_value", &message->saturation }
  };
  const struct
  {
    const char *key;
    char *text;
    gsize size;
  } texts[] = { { "detector_description", message->description, sizeof message->description },
                { "detector_serial_number", message->serial, sizeof message->serial },
                { "arm_date", message->date, sizeof message->date },
                { "series_date", message->date, sizeof message->date } };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (is_text (key, numbers[i].key))
      {
        *numbers[i].number = read_number (reader);
        return;
      }
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (is_text (key, texts[i].key))
      {
        read_text (reader, texts[i].text, texts[i].size);
        return;
      }
  if (is_text (key, "series_id"))
    message->series = read_unsigned (reader);
  else if (is_text (key, "image_id"))
    message->image = read_unsigned (reader);
  else if (is_text (key, "start_time"))
    message->start = read_ratio (reader);
  else if (is_text (key, "data"))
    read_channels (reader, message, &message->data, TRUE);
  else if (is_text (key, "pixel_mask"))
    read_channels (reader, message, &message->mask, FALSE);
  else if (is_text (key, "flatfield"))
    read_channels (reader, message, &message->flatfield, FALSE);
  else if (is_text (key, "detector_translation"))
    {
      Item list = next_item (reader);
      for (guint64 i = 0; list.major == ARRAY && i < list.value && reader->wrong == NULL; i++)
        {
          double v = read_number (reader);
          message->distance = i == 2 ? fabs (v) : message->distance;
        }
    }
  else
    skip_item (reader, 0);
}

static FlStream2Kind
begin (Reader *reader, guint64 *n_keys)
{
  Item map = next_item (reader);
  if (map.major == TAG && map.value == TAG_SELF)
    map = next_item (reader);
  Item key = next_item (reader), type = next_item (reader);
  *n_keys = map.value;
  if (reader->wrong != NULL || map.major != MAP || map.value == 0 || !is_text (&key, "type"))
    return FL_STREAM2_NONE;
  return is_text (&type, "start")   ? FL_STREAM2_START
         : is_text (&type, "image") ? FL_STREAM2_IMAGE
         : is_text (&type, "end")   ? FL_STREAM2_END
                                    : FL_STREAM2_NONE;
}

FlStream2Kind
fl_stream2_kind (const guint8 *head, gsize length)
{
  guint64 n_keys;
  Reader reader = { head, head + length, NULL };
  return begin (&reader, &n_keys);
}

gboolean
fl_stream2_parse (FlStream2 *message, const guint8 *bytes, gsize length, char **wrong)
{
  guint64 n_keys;
  Reader reader = { bytes, bytes + length, NULL };
  *message = (FlStream2){ .beam_fs = NAN,
                          .beam_ss = NAN,
                          .pixel_fs = NAN,
                          .pixel_ss = NAN,
                          .distance = NAN,
                          .energy = NAN,
                          .wavelength = NAN,
                          .saturation = NAN,
                          .start = NAN };
  message->kind = begin (&reader, &n_keys);
  if (message->kind == FL_STREAM2_NONE)
    {
      *wrong = g_strdup ("not a message of DECTRIS' stream, expected one of type start, image or end");
      return FALSE;
    }
  for (guint64 i = 1; i < n_keys && reader.wrong == NULL; i++)
    {
      Item key = next_item (&reader);
      read_value (&reader, message, &key);
    }
  *wrong = reader.wrong != NULL
               ? g_strdup_printf ("the message cannot be read at byte %" G_GSIZE_FORMAT ": %s",
                                  (gsize) (reader.at - bytes), reader.wrong)
               : NULL;
  return reader.wrong == NULL;
}
