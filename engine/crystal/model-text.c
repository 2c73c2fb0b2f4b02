#include "engine/crystal/model-text.h"

#include <errno.h>
#include <zlib.h>

#include "engine/base/error.h"

#define PIECE 1048576
#define MOST  1000000000

char *
fl_model_text (const char *path, GError **error)
{
  errno = 0;
  gzFile file = g_file_test (path, G_FILE_TEST_IS_DIR) ? NULL : gzopen (path, "rbe");
  if (file == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path,
                   errno != 0 ? g_strerror (errno) : "it is a folder");
      return NULL;
    }
  GByteArray *text = g_byte_array_new ();
  int got = 0;
  do
    {
      guint length = text->len;
      g_byte_array_set_size (text, length + PIECE);
      got = gzread (file, text->data + length, PIECE);
      g_byte_array_set_size (text, length + (guint) MAX (got, 0));
    }
  while (got > 0 && text->len <= MOST);
  gboolean whole = gzclose (file) == Z_OK && got == 0;
  g_byte_array_append (text, (const guint8 *) "", 1);
  if (whole)
    return (char *) g_byte_array_free (text, FALSE);
  g_byte_array_free (text, TRUE);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s, expected a model", path,
               got > 0 ? "more than 1 GB" : "damaged");
  return NULL;
}

void
fl_model_text_head (const char *path, char *head, gsize size)
{
  gzFile file = gzopen (path, "rbe");
  int got = file != NULL ? gzread (file, head, (unsigned) size - 1) : 0;
  head[MAX (got, 0)] = '\0';
  if (file != NULL)
    gzclose (file);
}
