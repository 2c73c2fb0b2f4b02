#include "engine/shots/smv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER (1 << 20)
#define MAX_EDGE   (1 << 16)

/* --- keys and values --- */

const char *
fl_smv_text (const FlSmv *smv, const char *key)
{
  return g_hash_table_lookup (smv->values, key);
}

guint
fl_smv_numbers (const FlSmv *smv, const char *key, double *values, guint n)
{
  const char *p = fl_smv_text (smv, key);
  guint found = 0;
  for (char *end; p != NULL && found < n; p = end)
    {
      p += strspn (p, " \t,");
      values[found] = g_ascii_strtod (p, &end);
      if (end == p || !isfinite (values[found]))
        break;
      found++;
    }
  return found;
}

double
fl_smv_number (const FlSmv *smv, const char *key, double otherwise)
{
  double value;
  return fl_smv_numbers (smv, key, &value, 1) == 1 ? value : otherwise;
}

/* "KEY=value;" a line, until a line of '}' alone. */
static void
read_lines (FlSmv *smv, const char *header)
{
  g_auto (GStrv) lines = g_strsplit (header, "\n", -1);
  for (guint i = 1; lines[i] != NULL && *g_strstrip (lines[i]) != '}'; i++)
    {
      char *value = strchr (lines[i], '=');
      if (value == NULL)
        continue;
      *value++ = '\0';
      value[strcspn (value, ";")] = '\0';
      g_hash_table_replace (smv->values, g_strdup (g_strstrip (lines[i])), g_strdup (g_strstrip (value)));
    }
}

/* --- pixels --- */

/* TYPE is ADSC's word, Data_type d*TREK's; without either they are unsigned short. */
static char *
read_type (FlSmv *smv)
{
  static const struct
  {
    const char *name;
    FlPixelType type;
  } types[] = {
    { "unsigned_short", FL_PIXEL_U16 }, { "unsigned short int", FL_PIXEL_U16 },
    { "signed_short", FL_PIXEL_I16 },   { "short int", FL_PIXEL_I16 },
    { "short", FL_PIXEL_I16 },          { "unsigned_long", FL_PIXEL_U32 },
    { "unsigned_int", FL_PIXEL_U32 },   { "unsigned long int", FL_PIXEL_U32 },
    { "signed_long", FL_PIXEL_I32 },    { "signed_int", FL_PIXEL_I32 },
    { "long int", FL_PIXEL_I32 },       { "long", FL_PIXEL_I32 },
    { "unsigned_char", FL_PIXEL_U8 },   { "unsigned char", FL_PIXEL_U8 },
    { "signed_char", FL_PIXEL_I8 },     { "signed char", FL_PIXEL_I8 },
    { "float", FL_PIXEL_F32 },          { "float IEEE", FL_PIXEL_F32 },
    { "double", FL_PIXEL_F64 },
  };
  const char *name = fl_smv_text (smv, "TYPE");
  if (name == NULL || strcmp (name, "mad") == 0)
    name = fl_smv_text (smv, "Data_type");
  if (name == NULL)
    name = "unsigned_short";
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_ascii_strcasecmp (name, types[i].name) == 0)
      {
        smv->type = types[i].type;
        return NULL;
      }
  return g_strdup_printf ("pixels of type '%.40s', expected unsigned_short or another plain type", name);
}

static char *
read_layout (FlSmv *smv, gsize length)
{
  const char *order = fl_smv_text (smv, "BYTE_ORDER"), *compression = fl_smv_text (smv, "COMPRESSION");
  double columns = fl_smv_number (smv, "SIZE1", 0), rows = fl_smv_number (smv, "SIZE2", 0);
  if (compression != NULL && g_ascii_strcasecmp (compression, "none") != 0)
    return g_strdup_printf ("pixels are compressed (%.40s), expected none", compression);
  char *wrong = read_type (smv);
  if (wrong != NULL)
    return wrong;
  if (order != NULL && g_ascii_strcasecmp (order, "little_endian") != 0
      && g_ascii_strcasecmp (order, "big_endian") != 0)
    return g_strdup_printf ("byte order '%.40s', expected little_endian or big_endian", order);
  smv->swap =
      (order != NULL && g_ascii_strcasecmp (order, "big_endian") == 0) != (G_BYTE_ORDER == G_BIG_ENDIAN);
  if (!(columns >= 1 && columns <= MAX_EDGE) || !(rows >= 1 && rows <= MAX_EDGE)
      || fl_smv_number (smv, "DIM", 2) != 2)
    return g_strdup ("no SIZE1 and SIZE2 of one image");
  smv->n_fs = (guint) columns;
  smv->n_ss = (guint) rows;
  gsize needed = (gsize) smv->n_fs * smv->n_ss * fl_pixel_size (smv->type), left = length - smv->start;
  if (left < needed)
    return g_strdup_printf ("cut off: %" G_GSIZE_FORMAT " bytes behind the header, expected %" G_GSIZE_FORMAT
                            " for %u x %u px",
                            left, needed, smv->n_fs, smv->n_ss);
  return NULL;
}

static void
read_scale (FlSmv *smv)
{
  double ratio = fl_smv_number (smv, "RAXIS_COMPRESSION_RATIO", 1);
  smv->ratio = smv->type == FL_PIXEL_U16 && ratio > 1 && ratio < 1 << 15 ? (guint) ratio : 1;
  double pedestal = fl_smv_number (smv, "IMAGE_PEDESTAL", 0);
  if (g_strcmp0 (fl_smv_text (smv, "BEAMLINE"), "fake") == 0) /* nanoBragg */
    pedestal = fl_smv_number (smv, "ADC_OFFSET", 1);
  smv->pedestal = round (CLAMP (pedestal, -1e9, 1e9));
}

FlSmv *
fl_smv_parse (const guint8 *bytes, gsize length, char **wrong)
{
  g_autoptr (FlSmv) smv = g_new0 (FlSmv, 1);
  smv->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const char *first = g_strstr_len ((const char *) bytes, (gssize) MIN (length, 64), "HEADER_BYTES=");
  /* The padding behind the file ends the number. */
  guint64 size = first != NULL ? g_ascii_strtoull (first + strlen ("HEADER_BYTES="), NULL, 10) : 0;
  if (size < 16 || size > MAX_HEADER || size > length)
    {
      *wrong = g_strdup ("no HEADER_BYTES within the file, expected an SMV header");
      return NULL;
    }
  smv->start = (gsize) size;
  g_autofree char *header = g_strndup ((const char *) bytes, smv->start);
  read_lines (smv, header);
  *wrong = read_layout (smv, length);
  if (*wrong != NULL)
    return NULL;
  read_scale (smv);
  return g_steal_pointer (&smv);
}

void
fl_smv_free (FlSmv *smv)
{
  if (smv == NULL)
    return;
  g_hash_table_unref (smv->values);
  g_free (smv);
}
