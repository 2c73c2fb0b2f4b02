#include "engine/crystal/pdb.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/crystal/model-text.h"
#include "engine/crystal/space-group.h"

typedef struct
{
  const char *path;
  guint line;
  gboolean has_cell, only_head /* no atoms wanted */, only_atoms;
  FlCell cell;
  char *group;
  GPtrArray *operators; /* char * */
  GArray *atoms;        /* FlAtom */
} FlPdbReader;

static gboolean
wrong (const FlPdbReader *reader, int code, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, FL_ERROR, code, "%s:%u: %s", reader->path, reader->line, what);
  return FALSE;
}

/* Columns `from` to `to`, counted from 1 as the format's description does, without blanks around. */
static char *
columns (const char *line, guint from, guint to)
{
  gsize length = strlen (line);
  if (length < from)
    return g_strdup ("");
  return g_strstrip (g_strndup (line + from - 1, MIN (length, to) - from + 1));
}

static gboolean
number (const char *line, guint from, guint to, double *value)
{
  g_autofree char *text = columns (line, from, to);
  char *end;
  *value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*value);
}

static gboolean
read_cell (FlPdbReader *reader, const char *line, GError **error)
{
  static const guint starts[] = { 7, 16, 25, 34, 41, 48 };
  double values[6];
  for (int i = 0; i < 6; i++)
    if (!number (line, starts[i], starts[i] + (i < 3 ? 8 : 6), &values[i]))
      return wrong (reader, FL_ERROR_INPUT, error, "CRYST1 is damaged, expected six numbers");
  if (values[0] < 2 && values[1] < 2 && values[2] < 2)
    return wrong (reader, FL_ERROR_INPUT, error, "CRYST1 says that this is no crystal, expected a unit cell");
  g_autoptr (GError) local = NULL;
  if (!fl_cell_from_degrees (values, &reader->cell, &local))
    return wrong (reader, FL_ERROR_INPUT, error, "%s", local->message);
  g_free (reader->group);
  reader->group = columns (line, 56, 66);
  reader->has_cell = TRUE;
  return TRUE;
}

/* "REMARK 290       3555   -Y+1/2,X+1/2,Z+3/4" */
static void
read_remark (FlPdbReader *reader, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  const char *last[2] = { "", "" };
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      {
        last[0] = last[1];
        last[1] = *word;
      }
  gsize digits = strlen (last[0]);
  if (digits >= 4 && digits <= 6 && strcmp (last[0] + digits - 3, "555") == 0
      && strchr (last[1], ',') != NULL)
    g_ptr_array_add (reader->operators, g_strdup (last[1]));
}

/* Columns 77–78; older files have only the name, whose first two columns are the element's, right-adjusted. */
static const FlFormFactor *
element (const char *line)
{
  g_autofree char *symbol = columns (line, 77, 78);
  const FlFormFactor *factor = *symbol != '\0' ? fl_form_factor (symbol) : NULL;
  if (factor != NULL)
    return factor;
  g_autofree char *name = columns (line, 13, 14);
  char *letters = name;
  while (g_ascii_isdigit (*letters))
    letters++;
  return fl_form_factor (letters);
}

void
fl_atom_label_set (char field[8], const char *text)
{
  g_strlcpy (field, text != NULL ? text : "", 8);
  for (char *c = field; *c != '\0'; c++)
    if (!g_ascii_isgraph (*c))
      *c = '?';
}

char *
fl_atom_label_words (const FlAtomLabel *label)
{
  g_autoptr (GString) words = g_string_new (label->residue);
  if (*label->chain != '\0')
    g_string_append_printf (words, " %s", label->chain);
  g_string_append_printf (words, " %d", label->number);
  if (label->insertion != '\0')
    g_string_append_c (words, label->insertion);
  g_string_append_printf (words, " %s", label->name);
  if (label->alternative != '\0')
    g_string_append_printf (words, " (%c)", label->alternative);
  return g_strdup (words->str);
}

static char
letter (const char *line, guint column)
{
  return strlen (line) >= column && g_ascii_isgraph (line[column - 1]) ? line[column - 1] : '\0';
}

static void
read_label (const char *line, FlAtomLabel *label)
{
  g_autofree char *name = columns (line, 13, 16), *residue = columns (line, 18, 20),
                  *chain = columns (line, 22, 22), *sequence = columns (line, 23, 26);
  fl_atom_label_set (label->name, name);
  fl_atom_label_set (label->residue, residue);
  fl_atom_label_set (label->chain, chain);
  label->number = (int) g_ascii_strtoll (sequence, NULL, 10);
  label->insertion = letter (line, 27);
  label->alternative = letter (line, 17);
}

static gboolean
read_atom (FlPdbReader *reader, const char *line, GError **error)
{
  FlAtom atom = { .factor = element (line) };
  if (!number (line, 31, 38, &atom.position.x) || !number (line, 39, 46, &atom.position.y)
      || !number (line, 47, 54, &atom.position.z))
    return wrong (reader, FL_ERROR_INPUT, error,
                  "an atom's place is damaged, expected x, y, z in columns 31 to 54");
  if (!number (line, 55, 60, &atom.occupancy))
    atom.occupancy = 1;
  if (!number (line, 61, 66, &atom.b))
    atom.b = 0;
  if (atom.factor == NULL)
    {
      g_autofree char *name = columns (line, 13, 16);
      return wrong (reader, FL_ERROR_UNSUPPORTED, error,
                    "no scattering factor for atom '%s', expected an element of proteins", name);
    }
  read_label (line, &atom.label);
  g_array_append_val (reader->atoms, atom);
  return TRUE;
}

static gboolean
read_lines (FlPdbReader *reader, char **lines, GError **error)
{
  for (char **line = lines; *line != NULL; line++)
    {
      reader->line++;
      if (g_str_has_prefix (*line, "ENDMDL"))
        return TRUE;
      if (g_str_has_prefix (*line, "CRYST1") && !reader->only_atoms && !read_cell (reader, *line, error))
        return FALSE;
      if (g_str_has_prefix (*line, "REMARK 290"))
        read_remark (reader, g_strchomp (*line));
      if (reader->only_head)
        continue;
      if ((g_str_has_prefix (*line, "ATOM  ") || g_str_has_prefix (*line, "HETATM"))
          && !read_atom (reader, *line, error))
        return FALSE;
    }
  return TRUE;
}

/* NULL with error when the file has no cell or a symmetry that nobody knows. */
static FlSymmetry *
symmetry_of_reader (const FlPdbReader *reader, GError **error)
{
  FlSymmetry *symmetry = NULL;
  if (!reader->has_cell)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: not a crystal's PDB file, expected a CRYST1 line",
                   reader->path);
      return NULL;
    }
  if (reader->operators->len > 1)
    symmetry = fl_symmetry_from_words ((const char *const *) reader->operators->pdata, error);
  else
    {
      guint hall = fl_space_group_find (reader->group, &reader->cell);
      if (hall != 0)
        return fl_symmetry_from_hall (hall);
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "space group '%s' is not known, expected one such as P 43 21 2", reader->group);
    }
  if (symmetry == NULL)
    fl_error_prefix_path (error, reader->path);
  return symmetry;
}

static FlModel *
model_from_reader (FlPdbReader *reader, GError **error)
{
  FlSymmetry *symmetry = reader->only_atoms ? NULL : symmetry_of_reader (reader, error);
  if (symmetry == NULL && !reader->only_atoms)
    return NULL;
  FlModel *model = g_new (FlModel, 1);
  *model = (FlModel){ .cell = reader->cell, .symmetry = symmetry, .n_atoms = reader->atoms->len };
  model->atoms = (FlAtom *) (void *) g_array_free (g_steal_pointer (&reader->atoms), FALSE);
  if (model->n_atoms > 0)
    return model;
  fl_model_free (model);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: no atoms, expected ATOM lines", reader->path);
  return NULL;
}

/* Into `reader`, which the caller clears in any case. */
static gboolean
read_file (FlPdbReader *reader, GError **error)
{
  reader->operators = g_ptr_array_new_with_free_func (g_free);
  reader->atoms = g_array_new (FALSE, FALSE, sizeof (FlAtom));
  g_autofree char *text = fl_model_text (reader->path, error);
  if (text == NULL)
    return FALSE;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean good = read_lines (reader, lines, error);
  g_ptr_array_add (reader->operators, NULL);
  return good;
}

static void
clear_reader (FlPdbReader *reader)
{
  g_ptr_array_unref (reader->operators);
  if (reader->atoms != NULL)
    g_array_free (reader->atoms, TRUE);
  g_free (reader->group);
}

static FlModel *
read_model (const char *path, gboolean only_atoms, GError **error)
{
  FlPdbReader reader = { .path = path, .only_atoms = only_atoms };
  FlModel *model = read_file (&reader, error) ? model_from_reader (&reader, error) : NULL;
  clear_reader (&reader);
  return model;
}

FlModel *
fl_pdb_read (const char *path, GError **error)
{
  return read_model (path, FALSE, error);
}

FlModel *
fl_pdb_read_atoms (const char *path, GError **error)
{
  return read_model (path, TRUE, error);
}

gboolean
fl_pdb_read_cell (const char *path, FlCell *cell, FlSymmetry **symmetry, GError **error)
{
  FlPdbReader reader = { .path = path, .only_head = TRUE };
  *symmetry = read_file (&reader, error) ? symmetry_of_reader (&reader, error) : NULL;
  *cell = reader.cell;
  clear_reader (&reader);
  return *symmetry != NULL;
}

void
fl_model_free (FlModel *model)
{
  if (model == NULL)
    return;
  fl_symmetry_free (model->symmetry);
  g_free (model->atoms);
  g_free (model);
}
