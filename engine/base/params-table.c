/* The parameter table, parsed once from the .params files that the build embeds (see base/meson.build). */

#include "engine/base/params.h"

#include <math.h>
#include <string.h>

#include "engine/base/hash.h"

/* Generated: the files one after another. */
extern const char fl_param_table_text[];

static GArray *specs; /* FlParamSpec */
static GHashTable *by_name;
static char version[17];

/* The table is ours: a mistake in it is a bug, found by the first program that starts and by the test-suite. */
static double
bound (GKeyFile *file, const char *group, const char *key, double open)
{
  g_autofree char *text = g_key_file_get_string (file, group, key, NULL);
  return text != NULL ? g_ascii_strtod (text, NULL) : open;
}

static FlParamType
type_from_text (const char *group, const char *text)
{
  static const char *const names[] = { "bool", "int", "real", "text", "path", "choice", "reals" };
  for (guint i = 0; text != NULL && i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], text) == 0)
      return (FlParamType) i;
  g_error ("parameter %s: unknown type '%s'", group, text != NULL ? text : "");
}

static const char *
text_or_empty (GKeyFile *file, const char *group, const char *key)
{
  char *text = g_key_file_get_string (file, group, key, NULL);
  return text != NULL ? text : g_strdup ("");
}

static void
add_spec (GKeyFile *file, const char *group)
{
  g_autofree char *type = g_key_file_get_string (file, group, "type", NULL);
  FlParamSpec spec = { .name = g_strdup (group),
                       .type = type_from_text (group, type),
                       .unit = text_or_empty (file, group, "unit"),
                       .default_text = text_or_empty (file, group, "default"),
                       .min = bound (file, group, "min", -INFINITY),
                       .max = bound (file, group, "max", INFINITY),
                       .count = (guint) bound (file, group, "count", 0),
                       .label = text_or_empty (file, group, "label"),
                       .help = text_or_empty (file, group, "help"),
                       .stage = text_or_empty (file, group, "stage") };
  g_autofree char *choices = g_key_file_get_string (file, group, "choices", NULL);
  if (spec.type == FL_PARAM_CHOICE)
    spec.choices = (const char *const *) g_strsplit (choices != NULL ? choices : "", " ", -1);
  g_autofree char *finders = g_key_file_get_string (file, group, "finders", NULL);
  if (finders != NULL)
    spec.finders = (const char *const *) g_strsplit (finders, " ", -1);
  g_autoptr (GError) error = NULL;
  char *canonical = NULL;
  if (!fl_param_check (&spec, spec.default_text, &canonical, &error))
    g_error ("parameter %s: its default is wrong: %s", group, error->message);
  g_free ((char *) spec.default_text);
  spec.default_text = canonical;
  g_array_append_val (specs, spec);
}

static void
load (void)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  if (!g_key_file_load_from_data (file, fl_param_table_text, strlen (fl_param_table_text), G_KEY_FILE_NONE,
                                  &error))
    g_error ("parameter table: %s", error->message);
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  specs = g_array_new (FALSE, FALSE, sizeof (FlParamSpec));
  for (char **group = groups; *group != NULL; group++)
    add_spec (file, *group);
  by_name = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < specs->len; i++)
    {
      FlParamSpec *spec = &g_array_index (specs, FlParamSpec, i);
      g_hash_table_insert (by_name, (gpointer) spec->name, spec);
    }
  g_snprintf (version, sizeof version, "%016" G_GINT64_MODIFIER "x",
              (guint64) fl_hash64 (fl_param_table_text, strlen (fl_param_table_text), 0));
}

const FlParamSpec *
fl_param_specs (guint *n_specs)
{
  static gsize loaded = 0;
  if (g_once_init_enter (&loaded))
    {
      load ();
      g_once_init_leave (&loaded, 1);
    }
  if (n_specs != NULL)
    *n_specs = specs->len;
  return &g_array_index (specs, FlParamSpec, 0);
}

const FlParamSpec *
fl_param_spec (const char *name)
{
  fl_param_specs (NULL);
  return g_hash_table_lookup (by_name, name);
}

const char *
fl_param_table_version (void)
{
  fl_param_specs (NULL);
  return version;
}

guint
fl_edit_distance (const char *a, const char *b)
{
  gsize n = strlen (b);
  g_autofree guint *row = g_new (guint, n + 1);
  for (guint j = 0; j <= n; j++)
    row[j] = j;
  for (guint i = 1; a[i - 1] != '\0'; i++)
    {
      guint diagonal = row[0];
      row[0] = i;
      for (guint j = 1; j <= n; j++)
        {
          guint above = row[j];
          row[j] = MIN (MIN (above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
          diagonal = above;
        }
    }
  return row[n];
}

char *
fl_param_suggest (const char *unknown)
{
  guint n, best = 4;
  const FlParamSpec *all = fl_param_specs (&n);
  const char *nearest = NULL;
  for (guint i = 0; i < n; i++)
    {
      /* A right name in the wrong section, or without one, is as near as can be. */
      const char *a = strrchr (unknown, '.'), *b = strrchr (all[i].name, '.');
      guint distance = fl_edit_distance (unknown, all[i].name);
      if (strcmp (a != NULL ? a + 1 : unknown, b != NULL ? b + 1 : all[i].name) == 0)
        distance = MIN (distance, 1);
      if (distance < best)
        {
          best = distance;
          nearest = all[i].name;
        }
    }
  return nearest != NULL ? g_strdup_printf ("did you mean %s?", nearest) : NULL;
}

char *
fl_param_describe (const FlParamSpec *spec)
{
  static const char *const types[] = { "yes or no", "whole number", "number", "text",
                                       "path",      "choice",       "numbers" };
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%s – %s\n  %s\n  type: %s", spec->name, spec->label, spec->help,
                          types[spec->type]);
  if (spec->type == FL_PARAM_REALS)
    g_string_append_printf (text, " (%u, comma-separated)", spec->count);
  if (*spec->unit != '\0')
    g_string_append_printf (text, ", in %s", spec->unit);
  if (spec->choices != NULL)
    {
      g_autofree char *joined = g_strjoinv (" | ", (char **) spec->choices);
      g_string_append_printf (text, ": %s", joined);
    }
  if (isfinite (spec->min) || isfinite (spec->max))
    g_string_append_printf (text, "\n  range: %g to %g", spec->min, spec->max);
  if (spec->finders != NULL)
    {
      g_autofree char *joined = g_strjoinv (", ", (char **) spec->finders);
      g_string_append_printf (text, "\n  only of: %s", joined);
    }
  g_string_append_printf (text, "\n  default: %s\n  stage: %s\n",
                          *spec->default_text != '\0' ? spec->default_text : "(none)", spec->stage);
  return g_string_free (text, FALSE);
}
