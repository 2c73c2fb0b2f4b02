#include "engine/shots/cbf-header.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/cbf-transfer.h"

#define MAX_ELEMENTS ((gsize) 1 << 30)

typedef enum
{
  TOKEN_END,
  TOKEN_TAG,
  TOKEN_LOOP,
  TOKEN_BLOCK, /* data_ and save_ */
  TOKEN_VALUE,
  TOKEN_WRONG /* *error is set */
} Token;

typedef struct
{
  const char *path;
  const guint8 *begin, *p, *end;
  FlCbf *cbf;
  char *text; /* of the token; NULL for '.' and '?' */
  GError **error;
} Parser;

static Token G_GNUC_PRINTF (2, 3) fail (Parser *parser, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  /* Names from the file may hold anything; a message is one line. */
  g_autofree char *message = g_strdelimit (g_strdup_vprintf (format, args), "\n\r\t", ' ');
  va_end (args);
  g_set_error (parser->error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", parser->path, message);
  return TOKEN_WRONG;
}

static gboolean
is_blank (guint8 c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_line (Parser *parser)
{
  while (parser->p < parser->end && *parser->p != '\n')
    parser->p++;
}

static void
skip_blank (Parser *parser)
{
  while (parser->p < parser->end && (is_blank (*parser->p) || *parser->p == '#'))
    if (*parser->p == '#')
      skip_line (parser);
    else
      parser->p++;
}

/* --- binary sections --- */

static const char section_mark[] = "--CIF-BINARY-FORMAT-SECTION--";

static gboolean
looking_at (const Parser *parser, const guint8 *p, const char *text)
{
  gsize n = strlen (text);
  return (gsize) (parser->end - p) >= n && memcmp (p, text, n) == 0;
}

/* The MIME header's lines, continuation lines joined, names in lower case; leaves p behind the blank line. */
static GHashTable *
read_mime (Parser *parser)
{
  GHashTable *mime = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GString) all = g_string_new ("");
  skip_line (parser);
  while (parser->p < parser->end)
    {
      const guint8 *line = ++parser->p;
      skip_line (parser);
      gsize n = (gsize) (parser->p - line);
      while (n > 0 && line[n - 1] == '\r')
        n--;
      if (n == 0 || n > 4096)
        break;
      g_string_append_printf (all, "%s%.*s", all->len > 0 && !is_blank (*line) ? "\n" : "", (int) n, line);
    }
  if (parser->p < parser->end)
    parser->p++;
  g_auto (GStrv) lines = g_strsplit (all->str, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      char *colon = strchr (*line, ':');
      if (colon != NULL)
        g_hash_table_insert (mime, g_ascii_strdown (*line, colon - *line), g_strstrip (g_strdup (colon + 1)));
    }
  return mime;
}

static gboolean
mime_size (GHashTable *mime, const char *name, gsize *value)
{
  const char *text = g_hash_table_lookup (mime, name);
  char *end;
  guint64 v = text != NULL ? g_ascii_strtoull (text, &end, 10) : 0;
  if (text == NULL || end == text || *end != '\0' || v > G_MAXINT64)
    return FALSE;
  *value = (gsize) v;
  return TRUE;
}

static gboolean
element_type (const char *text, FlCbfSection *section)
{
  static const struct
  {
    const char *name;
    FlPixelType type;
  } types[] = { { "unsigned 8-bit integer", FL_PIXEL_U8 },   { "signed 8-bit integer", FL_PIXEL_I8 },
                { "unsigned 16-bit integer", FL_PIXEL_U16 }, { "signed 16-bit integer", FL_PIXEL_I16 },
                { "unsigned 32-bit integer", FL_PIXEL_U32 }, { "signed 32-bit integer", FL_PIXEL_I32 },
                { "signed 32-bit real IEEE", FL_PIXEL_F32 }, { "signed 64-bit real IEEE", FL_PIXEL_F64 } };
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (text != NULL && strstr (text, types[i].name) != NULL
        && (g_str_has_prefix (types[i].name, "unsigned") || strstr (text, "unsigned") == NULL))
      {
        section->type = types[i].type;
        section->coding.element_size = (guint) fl_pixel_size (types[i].type);
        return TRUE;
      }
  return FALSE;
}

/* `conversions="x-CBF_PACKED"`, with flags behind it, in the content type. */
static gboolean
compression (const char *text, FlCbfSection *section)
{
  const char *conversion = text != NULL ? strstr (text, "x-CBF_") : NULL;
  FlCbfCoding *coding = &section->coding;
  if (conversion == NULL || g_str_has_prefix (conversion, "x-CBF_NONE"))
    coding->compression = FL_CBF_NONE;
  else if (g_str_has_prefix (conversion, "x-CBF_PACKED_V2"))
    coding->compression = FL_CBF_PACKED_V2;
  else if (g_str_has_prefix (conversion, "x-CBF_PACKED"))
    coding->compression = FL_CBF_PACKED;
  else if (g_str_has_prefix (conversion, "x-CBF_BYTE_OFFSET"))
    coding->compression = FL_CBF_BYTE_OFFSET;
  else
    return FALSE;
  coding->flat = text != NULL && strstr (text, "flat") != NULL;
  coding->uncorrelated = text != NULL && strstr (text, "uncorrelated_sections") != NULL;
  return coding->compression == FL_CBF_NONE
         || (section->type != FL_PIXEL_F32 && section->type != FL_PIXEL_F64);
}

/* The oldest writers leave them out of the MIME header: then they are those of the one array that is described. */
static gboolean
dims_of_list (const FlCbf *cbf, gsize dims[3])
{
  if (cbf->sections->len > 0 || fl_cbf_n_rows (cbf, "array_structure_list.dimension") != 2)
    return FALSE;
  for (guint row = 0; row < 2; row++)
    {
      double precedence = fl_cbf_number (cbf, "array_structure_list.precedence", row, 0);
      double size = fl_cbf_number (cbf, "array_structure_list.dimension", row, 0);
      if ((precedence != 1 && precedence != 2) || !(size >= 1 && size < (double) MAX_ELEMENTS))
        return FALSE;
      dims[(int) precedence - 1] = (gsize) size;
    }
  return TRUE;
}

static gboolean
read_dims (const FlCbf *cbf, GHashTable *mime, FlCbfSection *section)
{
  gsize *dims = section->coding.dims, n = 0;
  gboolean has_n = mime_size (mime, "x-binary-number-of-elements", &n);
  gboolean has_dims = mime_size (mime, "x-binary-size-fastest-dimension", &dims[0]);
  dims[1] = dims[2] = 1;
  mime_size (mime, "x-binary-size-second-dimension", &dims[1]);
  mime_size (mime, "x-binary-size-third-dimension", &dims[2]);
  has_dims = has_dims || (!has_n && dims_of_list (cbf, dims));
  if (!has_dims)
    {
      dims[0] = n;
      section->coding.flat = TRUE;
    }
  for (int i = 0; i < 3; i++)
    if (dims[i] == 0 || dims[i] > MAX_ELEMENTS)
      return FALSE;
  if (dims[1] > MAX_ELEMENTS / dims[0] || dims[2] > MAX_ELEMENTS / (dims[0] * dims[1]))
    return FALSE;
  section->n_elements = dims[0] * dims[1] * dims[2];
  return !has_n || n == section->n_elements;
}

static Token
check_section (Parser *parser, GHashTable *mime, FlCbfSection *section, gsize *padding)
{
  guint number = parser->cbf->sections->len + 1;
  const char *encoding = g_hash_table_lookup (mime, "content-transfer-encoding");
  const char *type = g_hash_table_lookup (mime, "content-type");
  const char *element = g_hash_table_lookup (mime, "x-binary-element-type");
  const char *order = g_hash_table_lookup (mime, "x-binary-element-byte-order");
  *padding = 0;
  if (encoding != NULL && g_ascii_strcasecmp (encoding, "binary") != 0 && !fl_cbf_transfer_known (encoding))
    return fail (parser, "binary section %u is encoded as %.40s, expected BINARY, BASE64 or QUOTED-PRINTABLE",
                 number, encoding);
  if (order != NULL && g_ascii_strcasecmp (order, "little_endian") != 0)
    return fail (parser, "binary section %u is %.40s, expected LITTLE_ENDIAN", number, order);
  if (!element_type (element, section))
    return fail (parser, "binary section %u has elements '%.60s', expected integers or reals", number,
                 element != NULL ? element : "");
  if (!compression (type, section))
    return fail (parser,
                 "binary section %u is '%.80s', expected integers by x-CBF_PACKED, x-CBF_PACKED_V2 or "
                 "x-CBF_BYTE_OFFSET, or anything by x-CBF_NONE",
                 number, type);
  if (!read_dims (parser->cbf, mime, section))
    return fail (parser, "binary section %u has no consistent number of elements and dimensions", number);
  if (!mime_size (mime, "x-binary-size", &section->length))
    return fail (parser, "binary section %u has no X-Binary-Size", number);
  if (g_hash_table_contains (mime, "x-binary-size-padding")
      && !mime_size (mime, "x-binary-size-padding", padding))
    return fail (parser, "binary section %u has a damaged X-Binary-Size-Padding", number);
  return TOKEN_VALUE;
}

/* Bytes as they are, behind their mark; leaves p behind them. */
static Token
take_bytes (Parser *parser, FlCbfSection *section, gsize padding)
{
  guint number = parser->cbf->sections->len + 1;
  if (!looking_at (parser, parser->p, "\x0c\x1a\x04\xd5"))
    return fail (parser, "binary section %u does not begin with its mark 0c 1a 04 d5", number);
  parser->p += 4;
  gsize left = (gsize) (parser->end - parser->p);
  if (section->length > left || padding > left - section->length)
    return fail (
        parser, "binary section %u is cut off: %" G_GSIZE_FORMAT " bytes are left, expected %" G_GSIZE_FORMAT,
        number, left, section->length + padding);
  section->data = parser->p;
  parser->p += section->length + padding;
  return TOKEN_VALUE;
}

/* Bytes as text, up to the mark that ends the section. */
static Token
take_text (Parser *parser, const char *encoding, FlCbfSection *section)
{
  const guint8 *mark =
      memmem (parser->p, (gsize) (parser->end - parser->p), section_mark, strlen (section_mark));
  const guint8 *end = mark != NULL ? mark : parser->end;
  gsize length;
  section->owned = fl_cbf_transfer_undo (encoding, parser->p, (gsize) (end - parser->p), &length);
  section->data = section->owned;
  parser->p = end;
  if (length >= section->length)
    return TOKEN_VALUE;
  return fail (parser,
               "binary section %u is cut off: its text holds %" G_GSIZE_FORMAT
               " bytes, expected %" G_GSIZE_FORMAT,
               parser->cbf->sections->len + 1, length, section->length);
}

static void
section_clear (gpointer data)
{
  FlCbfSection *section = data;
  g_free (section->md5);
  g_free (section->owned);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlCbfSection, section_clear)

/* At the mark of a binary section; leaves p behind the ';' that closes it. */
static Token
read_section (Parser *parser)
{
  guint number = parser->cbf->sections->len + 1;
  g_autoptr (GHashTable) mime = read_mime (parser);
  g_auto (FlCbfSection) section = { 0 };
  gsize padding;
  if (check_section (parser, mime, &section, &padding) == TOKEN_WRONG)
    return TOKEN_WRONG;
  const char *encoding = g_hash_table_lookup (mime, "content-transfer-encoding");
  gboolean text = encoding != NULL && fl_cbf_transfer_known (encoding);
  if ((text ? take_text (parser, encoding, &section) : take_bytes (parser, &section, padding)) == TOKEN_WRONG)
    return TOKEN_WRONG;
  if (section.n_elements > fl_cbf_most_elements (&section.coding, section.length))
    return fail (parser, "binary section %u has fewer bytes than its %" G_GSIZE_FORMAT " elements take",
                 number, section.n_elements);
  while (parser->p < parser->end && is_blank (*parser->p))
    parser->p++;
  if (!looking_at (parser, parser->p, section_mark))
    return fail (parser, "binary section %u does not end where its header says (cut off or damaged)", number);
  while (parser->p < parser->end && !(*parser->p == ';' && parser->p[-1] == '\n'))
    parser->p++;
  if (parser->p < parser->end)
    parser->p++;
  section.md5 = g_strdup (g_hash_table_lookup (mime, "content-md5"));
  g_array_append_val (parser->cbf->sections, section);
  section = (FlCbfSection){ 0 };
  return TOKEN_VALUE;
}

/* --- tokens --- */

static void
set_text (Parser *parser, const guint8 *from, const guint8 *to)
{
  g_free (parser->text);
  parser->text = g_strndup ((const char *) from, (gsize) (to - from));
}

static Token
read_text_field (Parser *parser)
{
  const guint8 *from = ++parser->p;
  const guint8 *first = from;
  while (first < parser->end && is_blank (*first))
    first++;
  if (looking_at (parser, first, section_mark))
    {
      parser->p = first;
      return read_section (parser);
    }
  while (parser->p < parser->end && !(*parser->p == ';' && parser->p[-1] == '\n'))
    parser->p++;
  if (parser->p >= parser->end)
    return fail (parser, "a text field is not closed (cut off)");
  set_text (parser, from, parser->p++);
  return TOKEN_VALUE;
}

static Token
read_quoted (Parser *parser)
{
  guint8 quote = *parser->p;
  const guint8 *from = ++parser->p;
  while (parser->p < parser->end && *parser->p != '\n'
         && !(*parser->p == quote && (parser->p + 1 == parser->end || is_blank (parser->p[1]))))
    parser->p++;
  if (parser->p >= parser->end || *parser->p == '\n')
    return fail (parser, "a quoted value is not closed");
  set_text (parser, from, parser->p++);
  return TOKEN_VALUE;
}

static Token
next_token (Parser *parser)
{
  skip_blank (parser);
  g_clear_pointer (&parser->text, g_free);
  if (parser->p >= parser->end)
    return TOKEN_END;
  guint8 c = *parser->p;
  if (c == ';' && (parser->p == parser->begin || parser->p[-1] == '\n'))
    return read_text_field (parser);
  if (c == '\'' || c == '"')
    return read_quoted (parser);
  const guint8 *from = parser->p;
  while (parser->p < parser->end && !is_blank (*parser->p))
    parser->p++;
  set_text (parser, from, parser->p);
  if (c == '_')
    return TOKEN_TAG;
  if (g_ascii_strcasecmp (parser->text, "loop_") == 0)
    return TOKEN_LOOP;
  if (g_ascii_strncasecmp (parser->text, "data_", 5) == 0
      || g_ascii_strncasecmp (parser->text, "save_", 5) == 0)
    return TOKEN_BLOCK;
  if (strcmp (parser->text, ".") == 0 || strcmp (parser->text, "?") == 0)
    g_clear_pointer (&parser->text, g_free);
  return TOKEN_VALUE;
}

static GPtrArray *
find_column (Parser *parser)
{
  g_autofree char *name = g_ascii_strdown (parser->text + 1, -1);
  GPtrArray *column = g_hash_table_lookup (parser->cbf->columns, name);
  if (column == NULL)
    {
      column = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (parser->cbf->columns, g_steal_pointer (&name), column);
    }
  return column;
}

/* After `loop_`: tags, then rows of values. Returns the token that ended it. */
static Token
read_loop (Parser *parser)
{
  g_autoptr (GPtrArray) columns = g_ptr_array_new ();
  Token token;
  while ((token = next_token (parser)) == TOKEN_TAG)
    g_ptr_array_add (columns, find_column (parser));
  gsize n = 0;
  for (; token == TOKEN_VALUE && columns->len > 0; token = next_token (parser), n++)
    g_ptr_array_add (columns->pdata[n % columns->len], g_steal_pointer (&parser->text));
  if (token == TOKEN_WRONG)
    return token;
  if (columns->len == 0 || n % columns->len != 0)
    return fail (parser, "a loop of %u columns has %" G_GSIZE_FORMAT " values (cut off or damaged)",
                 columns->len, n);
  return token;
}

static gboolean
read_all (Parser *parser)
{
  Token token = next_token (parser);
  while (token != TOKEN_END && token != TOKEN_WRONG)
    if (token == TOKEN_LOOP)
      token = read_loop (parser);
    else if (token == TOKEN_TAG)
      {
        g_autofree char *tag = g_strdup (parser->text);
        GPtrArray *column = find_column (parser);
        token = next_token (parser);
        if (token == TOKEN_VALUE)
          {
            g_ptr_array_add (column, g_steal_pointer (&parser->text));
            token = next_token (parser);
          }
        else if (token != TOKEN_WRONG)
          token = fail (parser, "%.60s has no value (cut off or damaged)", tag);
      }
    else if (token == TOKEN_BLOCK)
      token = next_token (parser);
    else
      token = fail (parser, "'%.40s' stands where a CIF tag is expected",
                    parser->text != NULL ? parser->text : ".");
  return token == TOKEN_END;
}

FlCbf *
fl_cbf_parse_header (const char *path, const guint8 *bytes, gsize length, GError **error)
{
  g_autoptr (FlCbf) cbf = g_new0 (FlCbf, 1);
  cbf->columns = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  cbf->sections = g_array_new (FALSE, FALSE, sizeof (FlCbfSection));
  g_array_set_clear_func (cbf->sections, section_clear);
  Parser parser = {
    .path = path, .begin = bytes, .p = bytes, .end = bytes + length, .cbf = cbf, .error = error
  };
  gboolean ok = read_all (&parser);
  g_free (parser.text);
  return ok ? g_steal_pointer (&cbf) : NULL;
}

FlCbf *
fl_cbf_parse (const char *path, const guint8 *bytes, gsize length, GError **error)
{
  g_autoptr (FlCbf) cbf = fl_cbf_parse_header (path, bytes, length, error);
  if (cbf == NULL || cbf->sections->len > 0)
    return g_steal_pointer (&cbf);
  Parser parser = {
    .path = path, .begin = bytes, .p = bytes + length, .end = bytes + length, .error = error
  };
  fail (&parser, "no image data, expected a binary section (cut off?)");
  return NULL;
}

void
fl_cbf_free (FlCbf *cbf)
{
  if (cbf == NULL)
    return;
  g_hash_table_unref (cbf->columns);
  g_array_unref (cbf->sections);
  g_free (cbf);
}

/* --- looking up --- */

guint
fl_cbf_n_rows (const FlCbf *cbf, const char *column)
{
  const GPtrArray *values = g_hash_table_lookup (cbf->columns, column);
  return values != NULL ? values->len : 0;
}

const char *
fl_cbf_text (const FlCbf *cbf, const char *column, guint row)
{
  const GPtrArray *values = g_hash_table_lookup (cbf->columns, column);
  return values != NULL && row < values->len ? values->pdata[row] : NULL;
}

double
fl_cbf_number (const FlCbf *cbf, const char *column, guint row, double otherwise)
{
  const char *text = fl_cbf_text (cbf, column, row);
  char *end;
  double v = text != NULL ? g_ascii_strtod (text, &end) : 0;
  /* "1.27(3)": the standard uncertainty in brackets is left. */
  return text == NULL || end == text || (*end != '\0' && *end != '(') ? otherwise : v;
}

int
fl_cbf_find (const FlCbf *cbf, const char *column, const char *value, guint from)
{
  const GPtrArray *values = g_hash_table_lookup (cbf->columns, column);
  for (guint row = from; values != NULL && row < values->len; row++)
    if (g_strcmp0 (values->pdata[row], value) == 0)
      return (int) row;
  return -1;
}
