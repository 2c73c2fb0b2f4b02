#include "engine/base/build-features.h"

#include "features-built.h"
#include "build-source.h"

static const struct
{
  const char *name, *version, *without; /* version: "" = not in this build */
} libraries[] = { FL_FEATURES_BUILT };

char *
fl_feature_line (const char *name, const char *what)
{
  return g_strdup_printf ("%-20s %s\n", name, what);
}

char *
fl_features_text (void)
{
  GString *text = g_string_new (NULL);
  g_autofree char *source = fl_feature_line ("source", FL_FEATURES_SOURCE);
  g_autofree char *build = fl_feature_line ("build", FL_FEATURES_BUILD);
  g_string_append (text, source);
  g_string_append (text, build);
  for (guint i = 0; i < G_N_ELEMENTS (libraries); i++)
    {
      gboolean there = *libraries[i].version != '\0';
      g_autofree char *without = g_strdup_printf ("no: %s", libraries[i].without);
      g_autofree char *line = fl_feature_line (libraries[i].name, there ? libraries[i].version : without);
      g_string_append (text, line);
    }
  return g_string_free (text, FALSE);
}
