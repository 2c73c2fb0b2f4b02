#include "engine/crystal/hkl-file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"

#define HKL_MAGIC "CrystFEL reflection list version 2"
#define LINE      512 /* bytes; a reflection takes about 60 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FILE, fclose)

/* A Laue group's rotations are those of this space group. */
static const struct
{
  const char *laue, *group;
} laue_groups[] = {
  { "1", NULL },
  { "-1", "P1" },
  { "2/m", "P 1 1 2" },
  { "2/m_uab", "P 1 2 1" },
  { "2/m_uaa", "P 2 1 1" },
  { "mmm", "P222" },
  { "4/m", "P4" },
  { "4/mmm", "P422" },
  { "-3_H", "P3" },
  { "-31m_H", "P312" },
  { "-3m1_H", "P321" },
  { "6/m", "P6" },
  { "6/mmm", "P622" },
  { "-3_R", "R3:R" },
  { "-3m_R", "R32:R" },
  { "m-3", "P23" },
  { "m-3m", "P432" },
};

static gboolean
wrong (const char *path, guint line, const char *what, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", path, line, what);
  return FALSE;
}

static gboolean
laue_from_line (const char *path, char *line, FlSymmetry **symmetry, GError **error)
{
  if (!g_str_has_prefix (line, "Symmetry:"))
    return wrong (path, 2, "no symmetry, expected 'Symmetry: 4/mmm' or another Laue group", error);
  const char *name = g_strstrip (line + strlen ("Symmetry:"));
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

/* "h k l I phase sigma nmeas"; what is behind I may be missing. */
static gboolean
parse_row (const char *line, FlHklRow *row)
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
  *row = (FlHklRow){ .hkl = { hkl[0], hkl[1], hkl[2] }, .intensity = g_ascii_strtod (start, &end) };
  if (end == start || !isfinite (row->intensity))
    return FALSE;
  end += strspn (end, " ");
  end += strcspn (end, " "); /* the phase, or "-" */
  double sigma = g_ascii_strtod (end, &end);
  row->sigma = isfinite (sigma) ? MAX (sigma, 0) : 0;
  row->n_measured = (guint) CLAMP (g_ascii_strtoll (end, NULL, 10), 0, G_MAXINT);
  return TRUE;
}

/* Without its end. FALSE at the end of the file. */
static gboolean
next_line (FILE *file, char line[LINE])
{
  line[0] = '\0';
  if (fgets (line, LINE, file) == NULL)
    return FALSE;
  line[strcspn (line, "\n")] = '\0';
  return TRUE;
}

/* FALSE with error when the list does not end as it should. */
static gboolean
read_rows (const char *path, FILE *file, GArray *rows, GError **error)
{
  char line[LINE];
  FlHklRow row;
  guint n = 3;
  for (next_line (file, line); next_line (file, line); g_array_append_val (rows, row))
    {
      n++;
      if (g_str_has_prefix (line, "End of reflections"))
        return TRUE;
      if (!parse_row (line, &row))
        return wrong (path, n, "not a reflection, expected h k l and an intensity", error);
    }
  return wrong (path, n, "the list stops, expected 'End of reflections'", error);
}

GArray *
fl_hkl_file_rows (const char *path, FlSymmetry **symmetry, GError **error)
{
  char line[LINE];
  g_autoptr (FILE) file = fopen (path, "r");
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (FlHklRow));
  *symmetry = NULL;
  if (file == NULL || (!next_line (file, line) && ferror (file) != 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, g_strerror (errno));
      return NULL;
    }
  if (!g_str_has_prefix (line, HKL_MAGIC))
    {
      wrong (path, 1, "not a reflection list, expected '" HKL_MAGIC ".0'", error);
      return NULL;
    }
  next_line (file, line);
  if (laue_from_line (path, line, symmetry, error) && read_rows (path, file, rows, error))
    return g_steal_pointer (&rows);
  g_clear_pointer (symmetry, fl_symmetry_free);
  return NULL;
}

gboolean
fl_hkl_file_read (const char *path, FlIntensities *intensities, GError **error)
{
  g_autoptr (FlSymmetry) symmetry = NULL;
  g_autoptr (GArray) rows = fl_hkl_file_rows (path, &symmetry, error);
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      const FlHklRow *row = &g_array_index (rows, FlHklRow, i);
      float value = (float) MAX (row->intensity, 0);
      float *alone = fl_intensities_at (intensities, row->hkl.h, row->hkl.k, row->hkl.l);
      if (symmetry != NULL)
        fl_intensities_set_class (intensities, symmetry, row->hkl, value);
      else if (alone != NULL)
        *alone = value;
    }
  return rows != NULL;
}

static gboolean
same_up_to_sign (const FlSymmetryOperator *a, const FlSymmetryOperator *b)
{
  int same = 0, opposite = 0;
  for (int i = 0; i < 9; i++)
    {
      same += a->r[i / 3][i % 3] == b->r[i / 3][i % 3];
      opposite += a->r[i / 3][i % 3] == -b->r[i / 3][i % 3];
    }
  return same == 9 || opposite == 9;
}

/* The name whose group has the same rotations, ± alike; NULL when the setting has none. */
static const char *
laue_name (const FlSymmetry *symmetry)
{
  for (guint n = 1; n < G_N_ELEMENTS (laue_groups); n++)
    {
      g_autoptr (FlSymmetry) laue = fl_symmetry_from_symbol (laue_groups[n].group, NULL);
      guint found = 0, present = 0;
      for (guint j = 0; j < laue->n; j++)
        {
          gboolean has = FALSE;
          for (guint i = 0; i < symmetry->n && !has; i++)
            has = same_up_to_sign (&symmetry->ops[i], &laue->ops[j]);
          found += has;
        }
      for (guint i = 0; i < symmetry->n; i++)
        {
          gboolean has = FALSE;
          for (guint j = 0; j < laue->n && !has; j++)
            has = same_up_to_sign (&symmetry->ops[i], &laue->ops[j]);
          present += has;
        }
      if (found == laue->n && present == symmetry->n)
        return laue_groups[n].laue;
    }
  return NULL;
}

gboolean
fl_hkl_file_write (const char *path, const FlSymmetry *symmetry, const FlHklRow *rows, guint n,
                   GError **error)
{
  const char *laue = laue_name (symmetry);
  g_autoptr (GError) local = NULL;
  if (laue == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: the list has no name for this setting's symmetry", path);
      return FALSE;
    }
  g_autoptr (GString) text = g_string_new (HKL_MAGIC ".0\n");
  g_string_append_printf (text, "Symmetry: %s\n   h    k    l          I    phase   sigma(I)   nmeas\n",
                          laue);
  for (guint i = 0; i < n; i++)
    {
      char value[G_ASCII_DTOSTR_BUF_SIZE], sigma[G_ASCII_DTOSTR_BUF_SIZE];
      g_ascii_formatd (value, sizeof value, "%.2f", rows[i].intensity);
      g_ascii_formatd (sigma, sizeof sigma, "%.2f", rows[i].sigma);
      g_string_append_printf (text, "%4d %4d %4d %10s %8s %10s %7u\n", rows[i].hkl.h, rows[i].hkl.k,
                              rows[i].hkl.l, value, "-", sigma, rows[i].n_measured);
    }
  g_string_append (text, "End of reflections\n");
  if (g_file_set_contents (path, text->str, (gssize) text->len, &local))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path, local->message);
  return FALSE;
}
