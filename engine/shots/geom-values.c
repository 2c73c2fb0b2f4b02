#include "engine/shots/geom-values.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

const char *
fl_geom_real (const char *text, double *value)
{
  char *end;
  double v = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0' || !isfinite (v))
    return "a number";
  *value = v;
  return NULL;
}

const char *
fl_geom_int (const char *text, int *value)
{
  double v;
  if (fl_geom_real (text, &v) != NULL || v != floor (v) || fabs (v) > INT_MAX / 2)
    return "a whole number";
  *value = (int) v;
  return NULL;
}

const char *
fl_geom_bits (const char *text, guint64 *value)
{
  char *end;
  errno = 0;
  guint64 v = g_ascii_strtoull (text, &end, 0);
  if (end == text || *end != '\0' || errno != 0 || *text == '-')
    return "bits, such as 0xffff";
  *value = v;
  return NULL;
}

const char *
fl_geom_bool (const char *text, gboolean *value)
{
  *value = strcmp (text, "1") == 0 || g_ascii_strcasecmp (text, "true") == 0;
  return *value || strcmp (text, "0") == 0 || g_ascii_strcasecmp (text, "false") == 0 ? NULL : "0 or 1";
}

const char *
fl_geom_dim (const char *text, int *value)
{
  if (strcmp (text, "ss") == 0)
    *value = FL_GEOM_DIM_SS;
  else if (strcmp (text, "fs") == 0)
    *value = FL_GEOM_DIM_FS;
  else if (strcmp (text, "%") == 0)
    *value = FL_GEOM_DIM_FRAME;
  else if (fl_geom_int (text, value) != NULL || *value < 0)
    return "ss, fs, % or an index from 0";
  return NULL;
}

/* One term, "+0.99x", from text without spaces; NULL when it is none. */
static const char *
read_term (const char *s, double vector[3])
{
  double sign = 1;
  if (*s == '+' || *s == '-')
    sign = *s++ == '-' ? -1 : 1;
  gsize n = strspn (s, "0123456789.");
  double v = 1;
  if (n > 0)
    {
      g_autofree char *digits = g_strndup (s, n);
      if (fl_geom_real (digits, &v) != NULL)
        return NULL;
    }
  s += n;
  if (*s < 'x' || *s > 'z')
    return NULL;
  vector[*s - 'x'] += sign * v;
  return s + 1;
}

const char *
fl_geom_direction (const char *text, double vector[3])
{
  static const char expected[] = "a sum of terms such as +0.99x -0.01y";
  g_autofree char *dense = g_strdup (text);
  char *to = dense;
  for (const char *from = text; *from != '\0'; from++)
    if (!g_ascii_isspace (*from))
      *to++ = *from;
  *to = '\0';
  memset (vector, 0, 3 * sizeof *vector);
  const char *s = dense;
  do
    s = read_term (s, vector);
  while (s != NULL && *s != '\0');
  return s != NULL && (vector[0] != 0 || vector[1] != 0 || vector[2] != 0) ? NULL : expected;
}

const char *
fl_geom_value (const char *text, const FlGeomUnit *units, double bare_number, double bare_path,
               FlGeomValue *value)
{
  gsize n = strcspn (text, " \t");
  g_autofree char *first = g_strndup (text, n);
  const char *unit = text + n + strspn (text + n, " \t");
  gboolean is_path = first[0] == '/';
  double number = 0;
  const char *wrong = is_path ? NULL : fl_geom_real (first, &number);
  if (wrong != NULL)
    return "a number or the path of a dataset, and a unit";
  double factor = is_path ? bare_path : bare_number;
  if (*unit != '\0')
    {
      factor = 0;
      for (const FlGeomUnit *u = units; u->name != NULL; u++)
        if (strcmp (u->name, unit) == 0)
          factor = u->factor;
    }
  if (factor == 0)
    return *unit != '\0' ? "a unit known for this value" : "a unit after the value";
  g_free (value->path);
  *value = (FlGeomValue){
    .path = is_path ? g_steal_pointer (&first) : NULL, .value = number * factor, .factor = factor, .set = TRUE
  };
  return NULL;
}
