#include "engine/shots/geom-values.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

const char fl_geom_more[] = "nothing more";

/* A decimal comma would make one tenth of a number of it. */
const char *
fl_geom_real (const char *text, double *value)
{
  char *end;
  double v = g_ascii_strtod (text, &end);
  if (end == text || !isfinite (v) || *end == ',')
    return "a number";
  *value = v;
  return *end == '\0' ? NULL : fl_geom_more;
}

const char *
fl_geom_limit (const char *text, double *value)
{
  const char *digits = text + (*text == '-' || *text == '+');
  if (g_ascii_strcasecmp (digits, "inf") != 0 && g_ascii_strcasecmp (digits, "infinity") != 0)
    return fl_geom_real (text, value);
  *value = *text == '-' ? -INFINITY : INFINITY;
  return NULL;
}

const char *
fl_geom_int (const char *text, int *value)
{
  double v;
  const char *wrong = fl_geom_real (text, &v);
  if ((wrong != NULL && wrong != fl_geom_more) || fabs (v) > INT_MAX / 2)
    return "a whole number";
  *value = (int) v;
  return *value == v ? wrong : fl_geom_more;
}

const char *
fl_geom_bits (const char *text, guint64 *value)
{
  char *end;
  errno = 0;
  guint64 v = g_ascii_strtoull (text, &end, 0);
  if (end == text || errno != 0 || *text == '-')
    return "bits, such as 0xffff";
  *value = v;
  return *end == '\0' ? NULL : fl_geom_more;
}

const char *
fl_geom_bool (const char *text, gboolean *value)
{
  int n = g_ascii_strcasecmp (text, "true") == 0;
  if (n == 0 && g_ascii_strcasecmp (text, "false") != 0 && fl_geom_int (text, &n) != NULL)
    return "0 or 1";
  *value = n != 0;
  return NULL;
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

/* One term, "+0.99x", from text without spaces; NULL when it is none. CrystFEL would take "1x0y" for 1y: all but the first have
 * a sign. */
static const char *
read_term (const char *s, gboolean first, double vector[3])
{
  double sign = 1, v = 1;
  if (*s == '+' || *s == '-')
    sign = *s++ == '-' ? -1 : 1;
  else if (!first)
    return NULL;
  gsize n = strspn (s, "0123456789."), e = n > 0 && (s[n] == 'e' || s[n] == 'E') ? n + 1 : 0;
  if (e > 0 && g_ascii_isdigit (s[e + (s[e] == '-' || s[e] == '+')]))
    n = e + 1 + strspn (s + e + 1, "0123456789");
  g_autofree char *number = g_strndup (s, n);
  if (n > 0 && fl_geom_real (number, &v) != NULL)
    return NULL;
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
    s = read_term (s, s == dense, vector);
  while (s != NULL && *s != '\0');
  return s != NULL && (vector[0] != 0 || vector[1] != 0 || vector[2] != 0) ? NULL : expected;
}

const char *
fl_geom_value (const char *text, const FlGeomUnit *units, double bare_number, double bare_path,
               FlGeomValue *value)
{
  gsize n = strcspn (text, " \t");
  g_autofree char *first = g_strndup (text, n);
  const char *unit = text + n + strspn (text + n, " \t"), *rest = *unit == '#' ? fl_geom_more : NULL;
  gboolean is_path = strchr ("+-.0123456789", first[0]) == NULL;
  double number = 0;
  if (!is_path && fl_geom_real (first, &number) != NULL)
    return "a number or the path of a dataset, and a unit";
  double factor = is_path ? bare_path : bare_number;
  if (*unit != '\0' && rest == NULL)
    {
      factor = 0;
      for (const FlGeomUnit *u = units; u->name != NULL; u++)
        if (strcmp (u->name, unit) == 0)
          factor = u->factor;
    }
  if (factor == 0)
    return *unit != '\0' && rest == NULL ? "a unit known for this value" : "a unit after the value";
  g_free (value->path);
  *value = (FlGeomValue){
    .path = is_path ? g_steal_pointer (&first) : NULL, .value = number * factor, .factor = factor, .set = TRUE
  };
  return rest;
}
