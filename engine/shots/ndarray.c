#include "engine/shots/ndarray.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define MAX_VALUES ((gsize) 1 << 32)

void
fl_ndarray_clear (FlNdarray *array)
{
  g_free (array->path);
  g_free (array->values);
  *array = (FlNdarray){ 0 };
}

static gboolean
fail (GError **error, const char *path, const char *what)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, what);
  return FALSE;
}

/* The product of the dimensions; 0 where one is 0 or it is too large. */
static gsize
count (const FlNdarray *array)
{
  gsize n = 1;
  for (guint i = 0; i < array->n_dims; i++)
    {
      if (array->dims[i] == 0 || n > MAX_VALUES / array->dims[i])
        return 0;
      n *= array->dims[i];
    }
  return n;
}

/* --- text --- */

typedef struct
{
  const char *at, *end;
  guint line;
} Text;

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

static gboolean
parse_number (const char *word, gsize length, double *value)
{
  char text[64];
  char *end;
  if (length >= sizeof text)
    return FALSE;
  memcpy (text, word, length);
  text[length] = '\0';
  *value = g_ascii_strtod (text, &end);
  return *end == '\0' && end != text;
}

/* Plain decimals, which nearly all are, without strtod: exact while digits and power of ten are. */
static gboolean
parse_plain (const char *word, gsize length, double *value)
{
  static const double tens[] = { 1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
  guint64 digits = 0;
  gsize i = *word == '-', places = 0, dot = G_MAXSIZE;
  if (length > 16 || i == length)
    return FALSE;
  for (; i < length; i++)
    if (word[i] >= '0' && word[i] <= '9')
      {
        digits = 10 * digits + (guint64) (word[i] - '0');
        places += dot != G_MAXSIZE;
      }
    else if (word[i] == '.' && dot == G_MAXSIZE)
      dot = i;
    else
      return FALSE;
  if (length == (gsize) (*word == '-') + (dot != G_MAXSIZE)) /* no digit */
    return FALSE;
  *value = (double) digits / tens[places];
  if (*word == '-')
    *value = -*value;
  return TRUE;
}

/* "# NDIM 3", "# DIM:1 512": dimensions; other keys are of no use here. */
static gboolean
parse_header (const char *path, const char *line, gsize length, FlNdarray *array, GError **error)
{
  g_autofree char *text = g_strndup (line + 1, length - 1);
  g_auto (GStrv) words = g_strsplit_set (g_strstrip (text), " \t", 2);
  guint64 value, number;
  if (words[0] == NULL || words[1] == NULL)
    return TRUE;
  if (strcmp (words[0], "NDIM") == 0)
    {
      if (!g_ascii_string_to_unsigned (g_strstrip (words[1]), 10, 1, FL_NDARRAY_DIMS, &value, NULL))
        return fail (error, path, "NDIM is wrong, expected 1 to 8");
      array->n_dims = (guint) value;
    }
  else if (g_str_has_prefix (words[0], "DIM:"))
    {
      if (!g_ascii_string_to_unsigned (words[0] + 4, 10, 1, FL_NDARRAY_DIMS, &number, NULL)
          || !g_ascii_string_to_unsigned (g_strstrip (words[1]), 10, 1, MAX_VALUES, &value, NULL))
        return fail (error, path, "a DIM: line is wrong, expected '# DIM:NUMBER SIZE'");
      array->dims[number - 1] = (gsize) value;
    }
  return TRUE;
}

static gboolean
parse_words (const char *path, Text *text, FlNdarray *array, GArray *values, GError **error)
{
  while (text->at < text->end)
    {
      const char *word = text->at;
      if (is_space (*word))
        {
          text->line += *word == '\n';
          text->at++;
          continue;
        }
      if (*word == '#')
        {
          const char *newline = memchr (word, '\n', (gsize) (text->end - word));
          text->at = newline != NULL ? newline : text->end;
          if (!parse_header (path, word, (gsize) (text->at - word), array, error))
            return FALSE;
          continue;
        }
      while (text->at < text->end && !is_space (*text->at))
        text->at++;
      double value;
      gsize length = (gsize) (text->at - word);
      if (!parse_plain (word, length, &value) && !parse_number (word, length, &value))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: not a number, expected an array of numbers",
                       path, text->line);
          return FALSE;
        }
      float single = (float) value;
      g_array_append_val (values, single);
    }
  return TRUE;
}

gboolean
fl_ndarray_parse (const char *path, const char *text, gsize length, FlNdarray *array, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));
  Text at = { text, text + length, 1 };
  *array = (FlNdarray){ 0 };
  if (length / 2 >= G_MAXUINT32 / sizeof (float))
    return fail (error, path, "is larger than an array of constants can be");
  if (!parse_words (path, &at, array, values, error))
    return FALSE;
  if (values->len == 0)
    return fail (error, path, "holds no numbers, expected an array of numbers");
  if (array->n_dims == 0)
    {
      array->n_dims = 1;
      array->dims[0] = values->len;
    }
  if (count (array) != values->len)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: has %u numbers, expected %" G_GSIZE_FORMAT " as its header's dimensions say", path,
                   values->len, count (array));
      return FALSE;
    }
  array->n = values->len;
  array->path = g_strdup (path);
  array->values = (float *) (void *) g_array_free (g_steal_pointer (&values), FALSE);
  return TRUE;
}

gboolean
fl_ndarray_write (const char *path, const FlNdarray *array, const char *format, GError **error)
{
  g_autoptr (GString) text = g_string_new ("# NDIM        ");
  g_string_append_printf (text, "%u\n", array->n_dims);
  for (guint i = 0; i < array->n_dims; i++)
    g_string_append_printf (text, "# DIM:%u       %" G_GSIZE_FORMAT "\n", i + 1, array->dims[i]);
  gsize row = array->dims[array->n_dims - 1];
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  for (gsize i = 0; i < array->n; i++)
    {
      g_ascii_formatd (number, sizeof number, format, (double) array->values[i]);
      g_string_append (text, number);
      g_string_append_c (text, (i + 1) % row == 0 ? '\n' : ' ');
    }
  g_autoptr (GError) why = NULL;
  if (g_file_set_contents (path, text->str, (gssize) text->len, &why))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s", path, why->message);
  return FALSE;
}

/* --- bytes --- */

/* A number of NumPy's type (f, i, u, b) and size, little-endian. */
static double
binary_value (const guint8 *at, char type, gsize size)
{
  guint64 bits = 0;
  for (gsize i = 0; i < size; i++)
    bits |= (guint64) at[i] << 8 * i;
  if (type == 'f' && size == 4)
    {
      guint32 word = (guint32) bits;
      float value;
      memcpy (&value, &word, sizeof value);
      return (double) value;
    }
  if (type == 'f')
    {
      double value;
      memcpy (&value, &bits, sizeof value);
      return value;
    }
  if (type == 'i' && size < 8 && bits >> (8 * size - 1) != 0)
    return (double) bits - (double) ((guint64) 1 << 8 * size);
  return type == 'i' ? (double) (gint64) bits : (double) bits;
}

static void
take_binary (const char *path, const guint8 *bytes, char type, gsize size, FlNdarray *array)
{
  array->path = g_strdup (path);
  array->values = g_new (float, array->n);
  for (gsize i = 0; i < array->n; i++)
    array->values[i] = (float) binary_value (bytes + i * size, type, size);
}

/* What stands after 'KEY': in the header's dictionary. */
static const char *
npy_entry (const char *header, const char *key)
{
  const char *at = strstr (header, key);
  at = at != NULL ? strchr (at + strlen (key), ':') : NULL;
  return at != NULL ? at + 1 + strspn (at + 1, " ") : NULL;
}

static gboolean
npy_shape (const char *shape, FlNdarray *array)
{
  if (*shape != '(')
    return FALSE;
  for (const char *at = shape + 1; *at != ')' && *at != '\0';)
    {
      char *end;
      errno = 0;
      guint64 size = g_ascii_strtoull (at, &end, 10);
      if (end == at || errno != 0 || size == 0 || size > MAX_VALUES || array->n_dims == FL_NDARRAY_DIMS)
        return FALSE;
      array->dims[array->n_dims++] = (gsize) size;
      at = end + strspn (end, ", ");
    }
  array->n = count (array);
  return array->n_dims > 0 && array->n > 0;
}

gboolean
fl_ndarray_parse_npy (const char *path, const guint8 *bytes, gsize length, FlNdarray *array, GError **error)
{
  *array = (FlNdarray){ 0 };
  gsize wide = length > 6 && bytes[6] > 1 ? 4 : 2, head = 8 + wide, text = 0;
  if (length < head || memcmp (bytes, "\x93NUMPY", 6) != 0)
    return fail (error, path, "is not a NumPy array");
  for (gsize i = 0; i < wide; i++)
    text |= (gsize) bytes[8 + i] << 8 * i;
  if (text > length - head)
    return fail (error, path, "ends within its header");
  g_autofree char *header = g_strndup ((const char *) bytes + head, text);
  const char *descr = npy_entry (header, "'descr'"), *order = npy_entry (header, "'fortran_order'"),
             *shape = npy_entry (header, "'shape'");
  if (descr == NULL || order == NULL || shape == NULL || *descr != '\'' || strlen (descr) < 4
      || !g_str_has_prefix (order, "False") || !npy_shape (shape, array))
    return fail (error, path, "has a header that is not understood, expected a C-ordered array of numbers");
  char type = descr[2], digit = descr[3];
  gsize size = (gsize) (digit - '0');
  if ((descr[1] != '<' && descr[1] != '|') || strchr ("fiub", type) == NULL
      || (size != 1 && size != 2 && size != 4 && size != 8) || (type == 'f' && size < 4) || descr[4] != '\'')
    return fail (error, path, "holds numbers of another type, expected little-endian f4, f8, i1 to u8");
  if ((length - head - text) / size != array->n || (length - head - text) % size != 0)
    return fail (error, path, "is not as long as its header says");
  take_binary (path, bytes + head + text, type, size, array);
  return TRUE;
}

gboolean
fl_ndarray_parse_binary (const char *path, const guint8 *bytes, gsize length, gsize n, guint stages,
                         FlNdarray *array, GError **error)
{
  static const gsize sizes[] = { 2, 4, 8 };
  *array = (FlNdarray){ 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gsize k = 1; k <= stages; k += MAX (stages - 1, 1))
      if (n > 0 && length == n * k * sizes[i])
        {
          array->n_dims = 2;
          array->dims[0] = k;
          array->dims[1] = n;
          array->n = n * k;
          take_binary (path, bytes, sizes[i] == 2 ? 'u' : 'f', sizes[i], array);
          return TRUE;
        }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: has %" G_GSIZE_FORMAT " bytes, expected 2, 4 or 8 of each of %" G_GSIZE_FORMAT " pixels",
               path, length, n);
  return FALSE;
}

gboolean
fl_ndarray_read (const char *path, gsize n, guint stages, FlNdarray *array, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) why = NULL;
  gsize length;
  *array = (FlNdarray){ 0 };
  if (!g_file_get_contents (path, &text, &length, &why))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s", path, why->message);
      return FALSE;
    }
  if (length >= 6 && memcmp (text, "\x93NUMPY", 6) == 0)
    return fl_ndarray_parse_npy (path, (const guint8 *) text, length, array, error);
  if (g_str_has_suffix (path, ".bin") || g_str_has_suffix (path, ".raw"))
    return fl_ndarray_parse_binary (path, (const guint8 *) text, length, n, stages, array, error);
  return fl_ndarray_parse (path, text, length, array, error);
}
