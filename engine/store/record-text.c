#include <string.h>

#include "engine/store/fields.h"

/* Marks what has been cut; together with what is left it is longer than any text that has not been. */
#define CUT_MARK "\n… %" G_GSIZE_FORMAT " bytes in all"

char *
fl_edit_text (const char *text)
{
  gsize length = text != NULL ? strlen (text) : 0;
  if (length <= FL_EDIT_LONGEST)
    return g_strdup (text != NULL ? text : "");
  const char *end = text + FL_EDIT_LONGEST;
  while ((*end & 0xc0) == 0x80) /* not within a character */
    end--;
  g_autofree char *begin = g_strndup (text, (gsize) (end - text));
  return g_strdup_printf ("%s" CUT_MARK, begin, length);
}

char *
fl_field_text (const FlField *field, gconstpointer record)
{
  gconstpointer at = (const char *) record + field->offset;
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  switch (field->type)
    {
    case FL_FIELD_I64:
    case FL_FIELD_U64: /* as the database has it */
      return g_strdup_printf ("%" G_GINT64_FORMAT, *(const gint64 *) at);
    case FL_FIELD_INT:
      return g_strdup_printf ("%d", *(const gint32 *) at);
    case FL_FIELD_U32:
      return g_strdup_printf ("%u", *(const guint32 *) at);
    case FL_FIELD_REAL:
      return g_strdup (g_ascii_dtostr (number, sizeof number, *(const double *) at));
    case FL_FIELD_TEXT:
    case FL_FIELD_NAME:
      break;
    }
  const char *text = *(char *const *) at;
  return g_strdup (text != NULL ? text : "");
}

/* --- whole records --- */

static void
append_escaped (GString *out, const char *text)
{
  for (; *text != '\0'; text++)
    if (*text == '\n')
      g_string_append (out, "\\n");
    else if (*text == '\\')
      g_string_append (out, "\\\\");
    else
      g_string_append_c (out, *text);
}

static char *
without_escapes (const char *text)
{
  GString *out = g_string_new (NULL);
  for (; *text != '\0'; text++)
    {
      gboolean escaped = text[0] == '\\' && text[1] != '\0';
      text += escaped;
      g_string_append_c (out, escaped && *text == 'n' ? '\n' : *text);
    }
  return g_string_free (out, FALSE);
}

char *
fl_record_lines (FlTable table, gconstpointer record)
{
  const FlRecordType *type = fl_record_type (table);
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < type->n_fields; i++)
    {
      g_autofree char *whole = fl_field_text (&type->fields[i], record);
      g_autofree char *text = fl_edit_text (whole);
      g_string_append_printf (out, "%s%s=", i > 0 ? "\n" : "", type->fields[i].column);
      append_escaped (out, text);
    }
  return g_string_free (out, FALSE);
}

static void
set_field (const FlField *field, gpointer record, const char *text)
{
  gpointer at = (char *) record + field->offset;
  switch (field->type)
    {
    case FL_FIELD_I64:
    case FL_FIELD_U64:
      *(gint64 *) at = g_ascii_strtoll (text, NULL, 10);
      break;
    case FL_FIELD_INT:
    case FL_FIELD_U32:
      *(gint32 *) at = (gint32) g_ascii_strtoll (text, NULL, 10);
      break;
    case FL_FIELD_REAL:
      *(double *) at = g_ascii_strtod (text, NULL);
      break;
    case FL_FIELD_TEXT:
    case FL_FIELD_NAME:
      g_free (*(char **) at);
      *(char **) at = without_escapes (text);
      break;
    }
}

gpointer
fl_record_of_lines (FlTable table, const char *lines)
{
  g_auto (GStrv) all = g_strsplit (lines, "\n", -1);
  gpointer record = g_malloc0 (fl_record_type (table)->size);
  for (char **line = all; *line != NULL; line++)
    {
      char *value = strchr (*line, '=');
      if (value != NULL)
        *value++ = '\0';
      const FlField *field = value != NULL ? fl_record_field (table, *line) : NULL;
      if (field == NULL)
        {
          fl_record_free (table, record);
          return NULL;
        }
      set_field (field, record, value);
    }
  return record;
}
