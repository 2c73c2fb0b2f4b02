#include "engine/shots/mask-rules.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define DEFAULT_SHOTS 100
#define DEFAULT_Z     6
#define MOST_LENGTH   1e6 /* mm or px of a shape, px of an edge */

static const struct
{
  const char *word;
  FlMaskKind kind;
} kinds[] = { { "edges", FL_MASK_EDGES },     { "asic-edges", FL_MASK_ASIC_EDGES },
              { "panel", FL_MASK_PANEL },     { "rectangle", FL_MASK_RECTANGLE },
              { "circle", FL_MASK_ELLIPSE },  { "ellipse", FL_MASK_ELLIPSE },
              { "polygon", FL_MASK_POLYGON }, { "below", FL_MASK_BELOW },
              { "above", FL_MASK_ABOVE },     { "statistics", FL_MASK_STATISTICS } };

static const struct
{
  const char *word;
  FlMaskFlaw flaw;
} flaws[] = { { "dead", FL_MASK_DEAD }, { "hot", FL_MASK_HOT }, { "noisy", FL_MASK_NOISY } };

static const struct
{
  const char *word;
  gsize field;
} limits[] = { { "mean<", G_STRUCT_OFFSET (FlMaskTests, mean_below) },
               { "mean>", G_STRUCT_OFFSET (FlMaskTests, mean_above) },
               { "std<", G_STRUCT_OFFSET (FlMaskTests, std_below) },
               { "std>", G_STRUCT_OFFSET (FlMaskTests, std_above) } };

#define LIMIT(tests, i) (*(double *) (void *) ((char *) (tests) + limits[i].field))

typedef struct
{
  const char *name;
  guint line;
  char **words;
  guint n, at; /* at: the next word */
  double over; /* of all rules so far; NAN: none */
} Reader;

static gboolean fail (const Reader *r, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fail (const Reader *r, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", r->name, r->line, fl_one_line (message, '?'));
  return FALSE;
}

static gboolean
to_number (const char *text, double *value)
{
  char *end;
  if (!g_ascii_isdigit (*text) && strchr ("+-.", *text) == NULL)
    return FALSE; /* no white space, inf, nan */
  *value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*value) && strpbrk (text, "xXnN") == NULL;
}

static gboolean
number (Reader *r, const char *what, double least, double most, double *value, GError **error)
{
  if (r->at >= r->n)
    return fail (r, error, "%s is missing, expected a number", what);
  const char *word = r->words[r->at++];
  if (!to_number (word, value) || !(*value >= least && *value <= most))
    return fail (r, error, "%s '%.40s', expected a number from %g to %g", what, word, least, most);
  return TRUE;
}

static gboolean
count (Reader *r, const char *what, double least, double most, guint *value, GError **error)
{
  double v = 0;
  if (!number (r, what, least, most, &v, error))
    return FALSE;
  if (v != floor (v))
    return fail (r, error, "%s '%.40s', expected a whole number", what, r->words[r->at - 1]);
  *value = (guint) v;
  return TRUE;
}

/* The next word as a panel, when there are words left beside `numbers` numbers. */
static void
maybe_panel (Reader *r, guint numbers, FlMaskRule *rule)
{
  if (r->n - r->at == numbers + 1)
    rule->panel = g_strdup (r->words[r->at++]);
}

static gboolean
read_rectangle (Reader *r, FlMaskRule *rule, GError **error)
{
  static const char *const px[] = { "first fs", "last fs", "first ss", "last ss" };
  static const char *const mm[] = { "x of a corner", "y of a corner", "x of the other", "y of the other" };
  maybe_panel (r, 4, rule);
  for (guint i = 0; i < 4; i++)
    {
      guint whole;
      if (rule->panel != NULL ? !count (r, px[i], 0, MOST_LENGTH, &whole, error)
                              : !number (r, mm[i], -MOST_LENGTH, MOST_LENGTH, &rule->v[i], error))
        return FALSE;
      if (rule->panel != NULL)
        rule->v[i] = whole;
    }
  if (rule->panel != NULL && (rule->v[0] > rule->v[1] || rule->v[2] > rule->v[3]))
    return fail (r, error, "the rectangle ends before it begins");
  return TRUE;
}

static gboolean
read_ellipse (Reader *r, FlMaskRule *rule, gboolean circle, GError **error)
{
  maybe_panel (r, circle ? 3 : 4, rule);
  if (!number (r, "x", -MOST_LENGTH, MOST_LENGTH, &rule->v[0], error)
      || !number (r, "y", -MOST_LENGTH, MOST_LENGTH, &rule->v[1], error)
      || !number (r, "radius", 0, MOST_LENGTH, &rule->v[2], error))
    return FALSE;
  rule->v[3] = rule->v[2];
  return circle || number (r, "other radius", 0, MOST_LENGTH, &rule->v[3], error);
}

static gboolean
read_polygon (Reader *r, FlMaskRule *rule, GError **error)
{
  if (r->at < r->n && strchr (r->words[r->at], ',') == NULL)
    rule->panel = g_strdup (r->words[r->at++]);
  guint n = r->n - r->at;
  if (n < 3 || n > FL_MASK_MAX_POINTS)
    return fail (r, error, "a polygon of %u corners, expected 3 to %d as X,Y", n, FL_MASK_MAX_POINTS);
  rule->points = g_new (double, 2 * n);
  rule->n_points = n;
  for (guint i = 0; i < n; i++)
    {
      const char *word = r->words[r->at++];
      g_auto (GStrv) xy = g_strsplit (word, ",", 3);
      for (guint k = 0; k < 2; k++)
        if (g_strv_length (xy) != 2 || !to_number (xy[k], &rule->points[2 * i + k])
            || fabs (rule->points[2 * i + k]) > MOST_LENGTH)
          return fail (r, error, "corner '%.40s', expected two numbers as X,Y", word);
    }
  return TRUE;
}

static gboolean
read_over (Reader *r, const char *text, FlMaskTests *tests, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", 3);
  if (g_strv_length (parts) != 2 || !to_number (parts[0], &tests->over)
      || !to_number (parts[1], &tests->fraction) || !(tests->fraction >= 0 && tests->fraction < 1))
    return fail (r, error, "over='%.40s', expected counts and a fraction below 1 as V,F", text);
  if (!isnan (r->over) && r->over != tests->over)
    return fail (r, error, "over=%g, but another rule counts what is over %g; expected one of them",
                 tests->over, r->over);
  r->over = tests->over;
  return TRUE;
}

static gboolean
read_test (Reader *r, const char *word, FlMaskTests *tests, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (flaws); i++)
    if (g_str_equal (word, flaws[i].word))
      {
        tests->flaws |= flaws[i].flaw;
        return TRUE;
      }
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (g_str_has_prefix (word, limits[i].word))
      return to_number (word + strlen (limits[i].word), &LIMIT (tests, i))
             || fail (r, error, "'%.40s', expected a number after '%s'", word, limits[i].word);
  if (g_str_has_prefix (word, "z="))
    return (to_number (word + 2, &tests->z) && tests->z >= 1 && tests->z <= 1000)
           || fail (r, error, "'%.40s', expected z= and a number from 1 to 1000", word);
  if (g_str_has_prefix (word, "over="))
    return read_over (r, word + 5, tests, error);
  return fail (r, error, "'%.40s', expected dead, hot, noisy, z=, mean<, mean>, std<, std> or over=", word);
}

static gboolean
read_tests (Reader *r, FlMaskTests *tests, GError **error)
{
  *tests = (FlMaskTests){
    .z = DEFAULT_Z, .mean_below = NAN, .mean_above = NAN, .std_below = NAN, .std_above = NAN, .over = NAN
  };
  gboolean some = FALSE;
  while (r->at < r->n)
    {
      const char *word = r->words[r->at++];
      if (!read_test (r, word, tests, error))
        return FALSE;
      some = some || !g_str_has_prefix (word, "z=");
    }
  return some || fail (r, error, "statistics without a test, expected dead, hot, noisy or a limit");
}

static gboolean
read_rule (Reader *r, FlMaskRule *rule, GError **error)
{
  guint i = 0;
  rule->line = r->line;
  rule->unmask = g_str_equal (r->words[r->at], "unmask");
  r->at += rule->unmask;
  const char *word = r->at < r->n ? r->words[r->at++] : "";
  while (i < G_N_ELEMENTS (kinds) && !g_str_equal (word, kinds[i].word))
    i++;
  if (i == G_N_ELEMENTS (kinds))
    return fail (
        r, error,
        "'%.40s', expected edges, asic-edges, panel, rectangle, circle, ellipse, polygon, below, above, "
        "statistics%s",
        word, rule->unmask ? "" : ", unmask or shots");
  rule->kind = kinds[i].kind;
  gboolean good = FALSE;
  switch (rule->kind)
    {
    case FL_MASK_EDGES:
      if (r->n - r->at == 2)
        rule->panel = g_strdup (r->words[--r->n]);
      good = count (r, "edge", 1, MOST_LENGTH, &rule->width, error);
      break;
    case FL_MASK_ASIC_EDGES:
      if (r->n - r->at == 4)
        rule->panel = g_strdup (r->words[--r->n]);
      good = count (r, "edge", 1, MOST_LENGTH, &rule->width, error)
             && count (r, "fs of an ASIC", 1, MOST_LENGTH, &rule->asic[0], error)
             && count (r, "ss of an ASIC", 1, MOST_LENGTH, &rule->asic[1], error);
      break;
    case FL_MASK_PANEL:
      good = r->at < r->n || fail (r, error, "panel without a name, expected one");
      if (good)
        rule->panel = g_strdup (r->words[r->at++]);
      break;
    case FL_MASK_RECTANGLE:
      good = read_rectangle (r, rule, error);
      break;
    case FL_MASK_ELLIPSE:
      good = read_ellipse (r, rule, g_str_equal (word, "circle"), error);
      break;
    case FL_MASK_POLYGON:
      good = read_polygon (r, rule, error);
      break;
    case FL_MASK_BELOW:
    case FL_MASK_ABOVE:
      good = number (r, "limit", -G_MAXDOUBLE, G_MAXDOUBLE, &rule->v[0], error);
      break;
    case FL_MASK_STATISTICS:
      good = read_tests (r, &rule->tests, error);
      break;
    default:
      g_assert_not_reached ();
    }
  return good && (r->at == r->n || fail (r, error, "'%.40s' is too much for %s", r->words[r->at], word));
}

static void
rule_clear (gpointer data)
{
  FlMaskRule *rule = data;
  g_free (rule->panel);
  g_free (rule->points);
}

/* A line's words, apart by spaces and tabs; NULL-terminated. */
static char **
split (const char *line, gsize length, guint *n)
{
  g_autofree char *own = g_strndup (line, length);
  g_auto (GStrv) parts = g_strsplit_set (own, " \t\r", -1);
  GPtrArray *words = g_ptr_array_new ();
  for (char **p = parts; *p != NULL; p++)
    if (**p != '\0')
      g_ptr_array_add (words, g_strdup (*p));
  *n = words->len;
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

static gboolean
read_line (Reader *r, GArray *rules, guint *shots, gboolean *shots_told, GError **error)
{
  if (r->n == 0 || r->words[0][0] == '#')
    return TRUE;
  if (g_str_equal (r->words[0], "shots"))
    {
      r->at = 1;
      if (*shots_told)
        return fail (r, error, "shots a second time, expected it once");
      *shots_told = TRUE;
      return count (r, "shots", 1, FL_MASK_MAX_SHOTS, shots, error)
             && (r->at == r->n || fail (r, error, "'%.40s' is too much for shots", r->words[r->at]));
    }
  if (rules->len == FL_MASK_MAX_RULES)
    return fail (r, error, "expected at most %d rules", FL_MASK_MAX_RULES);
  FlMaskRule rule = { 0 };
  g_array_append_val (rules, rule);
  return read_rule (r, &g_array_index (rules, FlMaskRule, rules->len - 1), error);
}

FlMaskRules *
fl_mask_rules_parse (const char *name, const char *text, gsize length, GError **error)
{
  g_autoptr (GArray) rules = g_array_new (FALSE, FALSE, sizeof (FlMaskRule));
  Reader r = { .name = name, .line = 1, .over = NAN };
  guint shots = DEFAULT_SHOTS;
  gboolean shots_told = FALSE;
  g_array_set_clear_func (rules, rule_clear);
  if (length > FL_MASK_MAX_TEXT)
    {
      fail (&r, error, "%zu bytes of rules, expected at most %u", length, FL_MASK_MAX_TEXT);
      return NULL;
    }
  for (const char *at = text, *end = text + length; at < end; r.line++)
    {
      const char *stop = memchr (at, '\n', (gsize) (end - at));
      gsize n = (gsize) ((stop != NULL ? stop : end) - at);
      if (memchr (at, '\0', n) != NULL || !g_utf8_validate (at, (gssize) n, NULL))
        {
          fail (&r, error, "is not UTF-8 text");
          return NULL;
        }
      g_auto (GStrv) words = split (at, n, &r.n);
      r.words = words;
      r.at = 0;
      if (!read_line (&r, rules, &shots, &shots_told, error))
        return NULL;
      at += n + 1;
    }
  FlMaskRules *self = g_new0 (FlMaskRules, 1);
  self->name = g_strdup (name);
  self->shots = shots;
  self->n_rules = rules->len;
  self->rules = g_new0 (FlMaskRule, rules->len);
  if (rules->len > 0)
    memcpy (self->rules, rules->data, rules->len * sizeof (FlMaskRule));
  g_array_set_clear_func (rules, NULL);
  return self;
}

void
fl_mask_rules_free (FlMaskRules *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_rules; i++)
    rule_clear (&self->rules[i]);
  g_free (self->rules);
  g_free (self->name);
  g_free (self);
}

/* --- written --- */

static void
put (GString *text, const char *before, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (number, sizeof number, "%.15g", value);
  double back = g_ascii_strtod (number, NULL);
  if (back != value)
    g_ascii_formatd (number, sizeof number, "%.17g", value);
  g_string_append_printf (text, "%s%s", before, number);
}

static void
put_panel (GString *text, const FlMaskRule *rule)
{
  if (rule->panel != NULL)
    g_string_append_printf (text, " %s", rule->panel);
}

static void
put_tests (GString *text, const FlMaskTests *tests)
{
  for (guint i = 0; i < G_N_ELEMENTS (flaws); i++)
    if (tests->flaws & flaws[i].flaw)
      g_string_append_printf (text, " %s", flaws[i].word);
  if (tests->z != DEFAULT_Z)
    put (text, " z=", tests->z);
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      double limit = *(const double *) (const void *) ((const char *) tests + limits[i].field);
      g_autofree char *before = g_strconcat (" ", limits[i].word, NULL);
      if (!isnan (limit))
        put (text, before, limit);
    }
  if (!isnan (tests->over))
    {
      put (text, " over=", tests->over);
      put (text, ",", tests->fraction);
    }
}

static void
put_rule (GString *text, const FlMaskRule *rule)
{
  gboolean circle = rule->kind == FL_MASK_ELLIPSE && rule->v[2] == rule->v[3];
  guint i = 0, numbers = rule->kind == FL_MASK_ELLIPSE ? (circle ? 3 : 4)
                         : rule->kind == FL_MASK_RECTANGLE
                             ? 4
                             : rule->kind == FL_MASK_BELOW || rule->kind == FL_MASK_ABOVE;
  while (kinds[i].kind != rule->kind)
    i++;
  i += rule->kind == FL_MASK_ELLIPSE && !circle;
  g_string_append_printf (text, "%s%s", rule->unmask ? "unmask " : "", kinds[i].word);
  if (rule->width > 0)
    g_string_append_printf (text, " %u", rule->width);
  if (rule->kind == FL_MASK_ASIC_EDGES)
    g_string_append_printf (text, " %u %u", rule->asic[0], rule->asic[1]);
  put_panel (text, rule);
  for (guint k = 0; k < numbers; k++)
    put (text, " ", rule->v[k]);
  for (guint k = 0; k < rule->n_points; k++)
    {
      put (text, " ", rule->points[2 * k]);
      put (text, ",", rule->points[2 * k + 1]);
    }
  if (rule->kind == FL_MASK_STATISTICS)
    put_tests (text, &rule->tests);
  g_string_append_c (text, '\n');
}

char *
fl_mask_rules_write (const FlMaskRules *self)
{
  GString *text = g_string_new (NULL);
  if (self->shots != DEFAULT_SHOTS)
    g_string_append_printf (text, "shots %u\n", self->shots);
  for (guint i = 0; i < self->n_rules; i++)
    put_rule (text, &self->rules[i]);
  return g_string_free (text, FALSE);
}

gboolean
fl_mask_rules_need_shots (const FlMaskRules *self, double *over)
{
  gboolean need = FALSE;
  *over = NAN;
  for (guint i = 0; i < self->n_rules; i++)
    {
      const FlMaskRule *rule = &self->rules[i];
      need = need || rule->kind >= FL_MASK_BELOW;
      if (rule->kind == FL_MASK_STATISTICS && !isnan (rule->tests.over))
        *over = rule->tests.over;
    }
  return need;
}
