#include "engine/programs/json-text.h"

#include <math.h>

void
fl_json_text (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_string_append_c (out, '"');
  for (const char *c = valid; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (out, "\\%c", *c);
    else if ((guchar) *c < 0x20)
      g_string_append_printf (out, "\\u%04x", *c);
    else
      g_string_append_c (out, *c);
  g_string_append_c (out, '"');
}

void
fl_json_real (GString *out, double value, int digits)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[] = "%.17g";
  g_snprintf (format, sizeof format, "%%.%dg", digits);
  g_string_append (out, isfinite (value) ? g_ascii_formatd (text, sizeof text, format, value) : "null");
}

static void
append_value (GString *out, const FlColumn *column, const void *row)
{
  const void *at = (const guint8 *) row + column->offset;
  switch (column->type)
    {
    case FL_COLUMN_U8:
      g_string_append_printf (out, "%u", *(const guint8 *) at);
      break;
    case FL_COLUMN_U16:
      g_string_append_printf (out, "%u", *(const guint16 *) at);
      break;
    case FL_COLUMN_I16:
      g_string_append_printf (out, "%d", *(const gint16 *) at);
      break;
    case FL_COLUMN_U32:
      g_string_append_printf (out, "%u", *(const guint32 *) at);
      break;
    case FL_COLUMN_U64:
      g_string_append_printf (out, "%" G_GUINT64_FORMAT, *(const guint64 *) at);
      break;
    case FL_COLUMN_F32:
      fl_json_real (out, (double) *(const float *) at, 7);
      break;
    case FL_COLUMN_F64:
      fl_json_real (out, *(const double *) at, 15);
      break;
    case FL_COLUMN_TEXT:
      fl_json_text (out, *(const char *const *) at != NULL ? *(const char *const *) at : "");
      break;
    default:
      g_assert_not_reached ();
    }
}

void
fl_json_row (GString *out, FlKind kind, const void *row, const char *const *without)
{
  const FlSchema *schema = fl_schema (kind);
  const char *comma = "";
  g_string_append_c (out, '{');
  for (guint i = 0; i < schema->n_columns; i++)
    {
      const FlColumn *column = &schema->columns[i];
      if (without != NULL && g_strv_contains (without, column->name))
        continue;
      g_string_append_printf (out, "%s\"%s\": ", comma, column->name);
      append_value (out, column, row);
      comma = ", ";
    }
  g_string_append_c (out, '}');
}

void
fl_json_batch (GString *out, const char *name, const FlBatch *batch, const char *const *without)
{
  g_autofree void *row = g_malloc0 (fl_schema (fl_batch_kind (batch))->row_size);
  g_string_append_printf (out, ",\n  \"%s\": [", name);
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    {
      fl_batch_row (batch, i, row);
      g_string_append (out, i > 0 ? ",\n    " : "\n    ");
      fl_json_row (out, fl_batch_kind (batch), row, without);
    }
  g_string_append (out, "\n  ]");
}

void
fl_json_parameters (GString *out, const FlParams *params, const char *prefix)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  const char *comma = "";
  g_string_append (out, ",\n  \"parameters\": {");
  for (guint i = 0; i < n; i++)
    if (g_str_has_prefix (specs[i].name, prefix))
      {
        g_string_append_printf (out, "%s\n    \"%s\": ", comma, specs[i].name);
        fl_json_text (out, fl_params_text (params, specs[i].name));
        comma = ",";
      }
  g_string_append (out, "\n  }");
}
