#include "engine/base/params.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"

/* --- one value --- */

static gboolean
parse_real (const char *text, double *value)
{
  char *end;
  errno = 0;
  *value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && errno == 0 && isfinite (*value);
}

static char *
format_real (double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (buffer, sizeof buffer, "%.15g", value);
  double back = g_ascii_strtod (buffer, NULL);
  return g_strdup (memcmp (&back, &value, sizeof value) == 0 ? buffer
                                                             : g_ascii_dtostr (buffer, sizeof buffer, value));
}

static gboolean
in_range (const FlParamSpec *spec, double value, GError **error)
{
  if (value >= spec->min && value <= spec->max)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s = %g is out of range, expected %g to %g", spec->name,
               value, spec->min, spec->max);
  return FALSE;
}

static gboolean
wrong (const FlParamSpec *spec, const char *text, const char *expected, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s = '%s' is wrong, expected %s", spec->name, text,
               expected);
  return FALSE;
}

static gboolean
check_bool (const FlParamSpec *spec, const char *text, char **canonical, GError **error)
{
  static const char *const yes[] = { "yes", "true", "on", "1", NULL }, *const no[] = { "no", "false", "off",
                                                                                       "0", NULL };
  g_autofree char *lower = g_ascii_strdown (text, -1);
  if (!g_strv_contains (yes, lower) && !g_strv_contains (no, lower))
    return wrong (spec, text, "yes or no", error);
  *canonical = g_strdup (g_strv_contains (yes, lower) ? "yes" : "no");
  return TRUE;
}

static gboolean
check_int (const FlParamSpec *spec, const char *text, char **canonical, GError **error)
{
  char *end;
  errno = 0;
  gint64 value = g_ascii_strtoll (text, &end, 10);
  if (end == text || *end != '\0' || errno != 0)
    return wrong (spec, text, "a whole number", error);
  *canonical = g_strdup_printf ("%" G_GINT64_FORMAT, value);
  return in_range (spec, (double) value, error);
}

static gboolean
check_real (const FlParamSpec *spec, const char *text, char **canonical, GError **error)
{
  double value;
  if (!parse_real (text, &value))
    return wrong (spec, text, "a number", error);
  *canonical = format_real (value);
  return in_range (spec, value, error);
}

static gboolean
check_choice (const FlParamSpec *spec, const char *text, char **canonical, GError **error)
{
  if (!g_strv_contains (spec->choices, text))
    {
      g_autofree char *joined = g_strjoinv (" | ", (char **) spec->choices);
      return wrong (spec, text, joined, error);
    }
  *canonical = g_strdup (text);
  return TRUE;
}

static gboolean
check_reals (const FlParamSpec *spec, const char *text, char **canonical, GError **error)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  if (*text != '\0')
    {
      g_auto (GStrv) parts = g_strsplit (text, ",", -1);
      if (g_strv_length (parts) != spec->count)
        {
          g_autofree char *expected = g_strdup_printf ("%u numbers with commas between", spec->count);
          return wrong (spec, text, expected, error);
        }
      for (char **part = parts; *part != NULL; part++)
        {
          double value;
          if (!parse_real (g_strstrip (*part), &value))
            return wrong (spec, text, "numbers with commas between", error);
          if (!in_range (spec, value, error))
            return FALSE;
          g_autofree char *number = format_real (value);
          g_string_append_printf (joined, "%s%s", joined->len > 0 ? "," : "", number);
        }
    }
  *canonical = g_strdup (joined->str);
  return TRUE;
}

gboolean
fl_param_check (const FlParamSpec *spec, const char *text, char **canonical, GError **error)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text)), *result = NULL;
  gboolean ok = FALSE;
  switch (spec->type)
    {
    case FL_PARAM_BOOL:
      ok = check_bool (spec, trimmed, &result, error);
      break;
    case FL_PARAM_INT:
      ok = check_int (spec, trimmed, &result, error);
      break;
    case FL_PARAM_REAL:
      ok = check_real (spec, trimmed, &result, error);
      break;
    case FL_PARAM_CHOICE:
      ok = check_choice (spec, trimmed, &result, error);
      break;
    case FL_PARAM_REALS:
      ok = check_reals (spec, trimmed, &result, error);
      break;
    case FL_PARAM_TEXT:
    case FL_PARAM_PATH:
    default:
      if (strchr (trimmed, '\n') != NULL)
        return wrong (spec, trimmed, "one line", error);
      result = g_strdup (trimmed);
      ok = TRUE;
      break;
    }
  if (ok && canonical != NULL)
    *canonical = g_steal_pointer (&result);
  return ok;
}

/* --- a set of values --- */

struct FlParams
{
  char **values; /* canonical, one a spec */
};

static guint
index_of (const char *name)
{
  const FlParamSpec *spec = fl_param_spec (name);
  if (spec == NULL)
    g_error ("no parameter is called %s", name);
  return (guint) (spec - fl_param_specs (NULL));
}

FlParams *
fl_params_new (void)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  FlParams *params = g_new0 (FlParams, 1);
  params->values = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    params->values[i] = g_strdup (specs[i].default_text);
  return params;
}

FlParams *
fl_params_copy (const FlParams *params)
{
  FlParams *copy = g_new0 (FlParams, 1);
  copy->values = g_strdupv (params->values);
  return copy;
}

void
fl_params_free (FlParams *params)
{
  if (params == NULL)
    return;
  g_strfreev (params->values);
  g_free (params);
}

gboolean
fl_params_set (FlParams *params, const char *name, const char *text, GError **error)
{
  const FlParamSpec *spec = fl_param_spec (name);
  if (spec == NULL)
    {
      g_autofree char *hint = fl_param_suggest (name);
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no parameter is called '%s'%s%s", name,
                   hint != NULL ? "; " : "", hint != NULL ? hint : "");
      return FALSE;
    }
  char *canonical = NULL;
  if (!fl_param_check (spec, text, &canonical, error))
    return FALSE;
  char **value = &params->values[spec - fl_param_specs (NULL)];
  g_free (*value);
  *value = canonical;
  return TRUE;
}

gboolean
fl_params_set_assignment (FlParams *params, const char *assignment, GError **error)
{
  const char *equals = strchr (assignment, '=');
  if (equals == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "'%s' is wrong, expected name=value", assignment);
      return FALSE;
    }
  g_autofree char *name = g_strstrip (g_strndup (assignment, (gsize) (equals - assignment)));
  return fl_params_set (params, name, equals + 1, error);
}

/* One line of trial text. `section` is changed by a section's line. */
static gboolean
read_line (FlParams *params, char *line, char **section, GHashTable *seen, guint number, GError **error)
{
  line[strcspn (line, ";#")] = '\0';
  g_strstrip (line);
  gsize length = strlen (line);
  if (length == 0)
    return TRUE;
  if (line[0] == '[')
    {
      if (line[length - 1] != ']' || length < 3)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "'%s' is wrong, expected [section]", line);
          return FALSE;
        }
      g_free (*section);
      *section = g_strndup (line + 1, length - 2);
      return TRUE;
    }
  char *equals = strchr (line, '=');
  if (equals == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "'%s' is wrong, expected name = value", line);
      return FALSE;
    }
  *equals = '\0';
  g_strstrip (line);
  char *name = *section != NULL ? g_strdup_printf ("%s.%s", *section, line) : g_strdup (line);
  guint first = GPOINTER_TO_UINT (g_hash_table_lookup (seen, name));
  gboolean ok = first == 0 && fl_params_set (params, name, equals + 1, error);
  if (first != 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s is given twice, first in line %u", name, first);
  g_hash_table_insert (seen, name, GUINT_TO_POINTER (number));
  return ok;
}

gboolean
fl_params_read (FlParams *params, const char *text, const char *origin, GError **error)
{
  g_autoptr (FlParams) changed = fl_params_copy (params);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *section = NULL;
  for (guint i = 0; lines[i] != NULL; i++)
    if (!read_line (changed, lines[i], &section, seen, i + 1, error))
      {
        g_prefix_error (error, "%s:%u: ", origin, i + 1);
        return FALSE;
      }
  char **values = params->values;
  params->values = changed->values;
  changed->values = values;
  return TRUE;
}

gboolean
fl_params_read_file (FlParams *params, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (path, &text, &length, error))
    return FALSE;
  if (!g_utf8_validate (text, (gssize) length, NULL))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: not UTF-8 text, expected parameters as name = value",
                   path);
      return FALSE;
    }
  return fl_params_read (params, text, path, error);
}

const char *
fl_params_text (const FlParams *params, const char *name)
{
  return params->values[index_of (name)];
}

gboolean
fl_params_bool (const FlParams *params, const char *name)
{
  return strcmp (fl_params_text (params, name), "yes") == 0;
}

gint64
fl_params_int (const FlParams *params, const char *name)
{
  return g_ascii_strtoll (fl_params_text (params, name), NULL, 10);
}

double
fl_params_real (const FlParams *params, const char *name)
{
  return g_ascii_strtod (fl_params_text (params, name), NULL);
}

guint
fl_params_choice (const FlParams *params, const char *name)
{
  const FlParamSpec *spec = fl_param_spec (name);
  const char *text = fl_params_text (params, name);
  guint i = 0;
  while (spec->choices[i] != NULL && strcmp (spec->choices[i], text) != 0)
    i++;
  return i;
}

gboolean
fl_params_reals (const FlParams *params, const char *name, double *values)
{
  const char *text = fl_params_text (params, name);
  guint count = fl_param_spec (name)->count;
  if (*text == '\0')
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  for (guint i = 0; i < count; i++)
    values[i] = g_ascii_strtod (parts[i], NULL);
  return TRUE;
}

gboolean
fl_params_is_default (const FlParams *params, const char *name)
{
  return strcmp (fl_params_text (params, name), fl_param_spec (name)->default_text) == 0;
}

/* --- writing --- */

static char *
write_where (const FlParams *params, const FlParams *base, gboolean all)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  GString *text = g_string_new (NULL);
  g_autofree char *section = NULL;
  for (guint i = 0; i < n; i++)
    {
      const char *before = base != NULL ? base->values[i] : specs[i].default_text;
      if (!all && strcmp (before, params->values[i]) == 0)
        continue;
      const char *dot = strchr (specs[i].name, '.');
      gsize length = dot != NULL ? (gsize) (dot - specs[i].name) : 0;
      g_autofree char *own = g_strndup (specs[i].name, length);
      if (g_strcmp0 (own, section) != 0)
        {
          g_string_append_printf (text, "%s[%s]\n", text->len > 0 ? "\n" : "", own);
          g_free (section);
          section = g_steal_pointer (&own);
        }
      g_string_append_printf (text, "%s = %s\n", specs[i].name + length + (dot != NULL), params->values[i]);
    }
  return g_string_free (text, FALSE);
}

char *
fl_params_write (const FlParams *params)
{
  return write_where (params, NULL, TRUE);
}

char *
fl_params_write_changed (const FlParams *params, const FlParams *base)
{
  return write_where (params, base, FALSE);
}
