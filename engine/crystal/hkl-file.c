#include "engine/crystal/hkl-file.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

/* A Laue group's rotations are those of this space group. */
static const struct
{
  const char *laue, *group;
} laue_groups[] = {
  { "1", NULL },       { "-1", "P1" },   { "2/m", "P2" },      { "mmm", "P222" },    { "4/m", "P4" },
  { "4/mmm", "P422" }, { "-3_H", "P3" }, { "-31m_H", "P312" }, { "-3m1_H", "P321" }, { "6/m", "P6" },
  { "6/mmm", "P622" }, { "m-3", "P23" }, { "m-3m", "P432" },
};

static gboolean
wrong (const char *path, guint line, const char *what, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", path, line, what);
  return FALSE;
}

static gboolean
laue_from_line (const char *path, const char *line, FlSymmetry **symmetry, GError **error)
{
  if (line == NULL || !g_str_has_prefix (line, "Symmetry:"))
    return wrong (path, 2, "no symmetry, expected 'Symmetry: 4/mmm' or another Laue group", error);
  g_autofree char *name = g_strstrip (g_strdup (line + strlen ("Symmetry:")));
  for (guint i = 0; i < G_N_ELEMENTS (laue_groups); i++)
    if (strcmp (name, laue_groups[i].laue) == 0)
      {
        *symmetry =
            laue_groups[i].group != NULL ? fl_symmetry_from_symbol (laue_groups[i].group, error) : NULL;
        return laue_groups[i].group == NULL || *symmetry != NULL;
      }
  g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
               "%s:2: symmetry '%s' is not known, expected 1 or a Laue group", path, name);
  return FALSE;
}

/* "h k l I …" */
static gboolean
parse_row (const char *line, FlMiller *m, double *value)
{
  char *end = (char *) line;
  int hkl[3];
  for (int i = 0; i < 3; i++)
    {
      const char *start = end;
      gint64 n = g_ascii_strtoll (start, &end, 10);
      if (end == start || n < -10000 || n > 10000)
        return FALSE;
      hkl[i] = (int) n;
    }
  const char *start = end;
  *value = g_ascii_strtod (start, &end);
  *m = (FlMiller){ hkl[0], hkl[1], hkl[2] };
  return end != start && isfinite (*value);
}

gboolean
fl_hkl_file_read (const char *path, FlIntensities *intensities, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  if (!g_file_get_contents (path, &text, NULL, &local))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, local->message);
      return FALSE;
    }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  if (lines[0] == NULL || !g_str_has_prefix (lines[0], "CrystFEL reflection list version 2"))
    return wrong (path, 1, "not a reflection list, expected 'CrystFEL reflection list version 2.0'", error);
  g_autoptr (FlSymmetry) symmetry = NULL;
  if (!laue_from_line (path, lines[1], &symmetry, error))
    return FALSE;
  for (guint i = 3; lines[2] != NULL && lines[i] != NULL; i++)
    {
      FlMiller m;
      double value;
      if (g_str_has_prefix (lines[i], "End of reflections"))
        return TRUE;
      if (!parse_row (lines[i], &m, &value))
        return wrong (path, i + 1, "not a reflection, expected h k l and an intensity", error);
      float *alone = fl_intensities_at (intensities, m.h, m.k, m.l);
      if (symmetry != NULL)
        fl_intensities_set_class (intensities, symmetry, m, (float) MAX (value, 0));
      else if (alone != NULL)
        *alone = (float) MAX (value, 0);
    }
  return wrong (path, g_strv_length (lines), "the list stops, expected 'End of reflections'", error);
}
