#include "engine/crystal/cell-file.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/known-cell.h"

typedef struct
{
  const char *path;
  guint line; /* 0: the whole file */
  gboolean has_type, given[6];
  double values[6]; /* Å, ° */
  FlLatticeType type;
  char centring, unique_axis;
} FlCellReader;

static gboolean G_GNUC_PRINTF (3, 4)
    wrong (const FlCellReader *reader, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  if (reader->line > 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", reader->path, reader->line, message);
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", reader->path, message);
  return FALSE;
}

static gboolean
read_number (FlCellReader *reader, int which, const char *value, const char *unit, GError **error)
{
  char *end;
  double number = g_ascii_strtod (value, &end), factor = 0;
  if (which < 3)
    factor = strcmp (unit, "A") == 0 ? 1 : strcmp (unit, "nm") == 0 ? 10 : 0;
  else
    factor = strcmp (unit, "deg") == 0 ? 1 : strcmp (unit, "rad") == 0 ? fl_degrees (1) : 0;
  if (end == value || *end != '\0' || !isfinite (number) || factor == 0)
    return wrong (reader, error, "'%s %s' is not %s, expected one like '%s'", value, unit,
                  which < 3 ? "a length" : "an angle", which < 3 ? "79.1 A" : "90 deg");
  reader->values[which] = number * factor;
  reader->given[which] = TRUE;
  return TRUE;
}

static gboolean
read_key (FlCellReader *reader, const char *key, const char *value, const char *unit, GError **error)
{
  static const char *const names[6] = { "a", "b", "c", "al", "be", "ga" };
  for (int i = 0; i < 6; i++)
    if (strcmp (key, names[i]) == 0)
      return read_number (reader, i, value, unit, error);
  if (strcmp (key, "lattice_type") == 0)
    {
      for (reader->type = 0; reader->type < FL_LATTICE_LAST; reader->type++)
        if (strcmp (value, fl_lattice_type_name (reader->type)) == 0)
          return reader->has_type = TRUE;
      return wrong (reader, error, "lattice type '%s' is not known, expected one such as tetragonal", value);
    }
  if (strcmp (key, "centering") == 0)
    {
      if (strlen (value) != 1 || strchr ("PABCIFRH", *value) == NULL)
        return wrong (reader, error, "centering '%s' is not known, expected P, A, B, C, I, F, R or H", value);
      reader->centring = *value;
      return TRUE;
    }
  if (strcmp (key, "unique_axis") == 0)
    {
      if (strlen (value) != 1 || strchr ("abc*?", *value) == NULL)
        return wrong (reader, error, "unique axis '%s' is not known, expected a, b or c", value);
      reader->unique_axis = *value;
      return TRUE;
    }
  return wrong (reader, error, "'%s' is not known, expected a line of a unit cell file such as 'a = 79.1 A'",
                key);
}

static gboolean
read_line (FlCellReader *reader, char *line, GError **error)
{
  char *comment = strchr (line, ';');
  if (comment != NULL)
    *comment = '\0';
  g_auto (GStrv) parts = g_strsplit_set (line, " \t\r", -1);
  const char *words[4] = { "", "", "", "" };
  guint n = 0;
  for (char **part = parts; *part != NULL; part++)
    if (**part != '\0' && n < G_N_ELEMENTS (words))
      words[n++] = *part;
  if (n == 0)
    return TRUE;
  if (n < 3 || strcmp (words[1], "=") != 0)
    return wrong (reader, error, "'%s' is no value, expected 'name = value unit'", g_strstrip (line));
  return read_key (reader, words[0], words[2], words[3], error);
}

static gboolean
finish (FlCellReader *reader, FlKnownCell *known, GError **error)
{
  *known = (FlKnownCell){ .type = reader->type, .centring = reader->centring };
  if (!reader->has_type || reader->centring == '\0')
    return wrong (reader, error, "no %s, expected one", reader->has_type ? "centering" : "lattice_type");
  for (int i = 0; i < 6; i++)
    if (!reader->given[i])
      return wrong (reader, error, "the cell is not given, expected a, b, c, al, be and ga");
  g_autoptr (GError) local = NULL;
  if (!fl_cell_from_degrees (reader->values, &known->cell, &local))
    return wrong (reader, error, "%s", local->message);
  gboolean hexagonal = known->type == FL_LATTICE_HEXAGONAL;
  if (reader->centring == 'H' && !hexagonal)
    return wrong (reader, error, "centering H of a %s lattice, expected a hexagonal one",
                  fl_lattice_type_name (known->type));
  if (reader->centring == 'H' || known->type == FL_LATTICE_RHOMBOHEDRAL)
    known->centring = reader->centring == 'H' ? 'R' : 'P';
  int wanted = known->type == FL_LATTICE_MONOCLINIC                ? 1
               : hexagonal || known->type == FL_LATTICE_TETRAGONAL ? 2
                                                                   : -1;
  if (wanted >= 0 && reader->unique_axis >= 'a' && reader->unique_axis <= 'c')
    fl_known_cell_rotate_axes (known, (reader->unique_axis - 'a' - wanted + 3) % 3);
  return fl_known_cell_check (known, error) || (fl_error_prefix_path (error, reader->path), FALSE);
}

gboolean
fl_cell_file_read (const char *path, FlKnownCell *known, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  if (!g_file_get_contents (path, &text, NULL, &local))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, local->message);
      return FALSE;
    }
  FlCellReader reader = { .path = path, .line = 1 };
  if (!g_str_has_prefix (text, FL_CELL_FILE_MAGIC))
    return wrong (&reader, error, "not a unit cell file, expected '" FL_CELL_FILE_MAGIC " 1.0'");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines + 1; *line != NULL; line++)
    {
      reader.line++;
      if (!read_line (&reader, *line, error))
        return FALSE;
    }
  reader.line = 0;
  return finish (&reader, known, error);
}

gboolean
fl_cell_file_write (const char *path, const FlKnownCell *known, GError **error)
{
  const FlCell *c = &known->cell;
  const double lengths[3] = { c->a, c->b, c->c },
               angles[3] = { fl_degrees (c->alpha), fl_degrees (c->beta), fl_degrees (c->gamma) };
  const char *unique = known->type == FL_LATTICE_MONOCLINIC ? "unique_axis = b\n"
                       : known->type == FL_LATTICE_TETRAGONAL || known->type == FL_LATTICE_HEXAGONAL
                           ? "unique_axis = c\n"
                           : "";
  char centring = known->type == FL_LATTICE_RHOMBOHEDRAL ? 'R'
                  : known->centring == 'R'               ? 'H'
                                                         : known->centring;
  g_autoptr (GString) text = g_string_new (FL_CELL_FILE_MAGIC " 1.0\n\n");
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (text, "lattice_type = %s\ncentering = %c\n%s\n", fl_lattice_type_name (known->type),
                          centring, unique);
  for (int i = 0; i < 3; i++)
    g_string_append_printf (text, "%c = %s A\n", 'a' + i,
                            g_ascii_formatd (number, sizeof number, "%.6f", lengths[i]));
  for (int i = 0; i < 3; i++)
    g_string_append_printf (text, "%s = %s deg\n", (const char *[]){ "al", "be", "ga" }[i],
                            g_ascii_formatd (number, sizeof number, "%.6f", angles[i]));
  g_autoptr (GError) local = NULL;
  if (g_file_set_contents (path, text->str, (gssize) text->len, &local))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path, local->message);
  return FALSE;
}
