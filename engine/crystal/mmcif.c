#include "engine/crystal/mmcif.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/crystal/model-text.h"
#include "engine/crystal/space-group.h"

#define MOST_TAGS 1000 /* of a loop; atom_site has about thirty */

typedef enum
{
  TOKEN_END,
  TOKEN_TAG,   /* _category.item */
  TOKEN_LOOP,  /* loop_ */
  TOKEN_DATA,  /* data_…, save_… */
  TOKEN_VALUE, /* quoted or not */
  TOKEN_NONE,  /* a value that is unknown (?) or does not apply (.) */
  TOKEN_BAD    /* a quote or text block without its end */
} FlTokenKind;

/* The columns of an atom_site loop that count. */
typedef enum
{
  ATOM_SYMBOL,
  ATOM_X,
  ATOM_Y,
  ATOM_Z,
  ATOM_OCCUPANCY,
  ATOM_B,
  ATOM_MODEL,
  ATOM_NAME,
  ATOM_ALTERNATIVE,
  ATOM_RESIDUE, /* the authors' label, then the file's own; so the next two */
  ATOM_CHAIN = ATOM_RESIDUE + 2,
  ATOM_SEQUENCE = ATOM_CHAIN + 2,
  ATOM_INSERTION = ATOM_SEQUENCE + 2,
  ATOM_LAST
} FlAtomItem;

typedef struct
{
  const char *path;
  char *at, *after_line; /* the latter: where a line begins whose end was cut off with a token */
  guint line;
  gboolean only_head, only_atoms;
  FlTokenKind kind;
  const char *text;     /* of the token */
  double cell[6];       /* Å, ° */
  guint cell_given;     /* a bit each */
  char *group, *number; /* symbol, number; NULL until found */
  char *model;          /* the first one's number */
  GPtrArray *operators; /* char * */
  GArray *atoms;        /* FlAtom */
} FlCifReader;

static gboolean G_GNUC_PRINTF (4, 5)
    wrong (const FlCifReader *reader, int code, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  /* A value may be many lines. */
  g_set_error (error, FL_ERROR, code, "%s:%u: %s", reader->path, reader->line,
               g_strdelimit (what, "\r\n", ' '));
  return FALSE;
}

/* --- tokens --- */

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static void
skip_blanks (FlCifReader *reader)
{
  for (; *reader->at != '\0'; reader->at++)
    {
      if (*reader->at == '#')
        while (reader->at[1] != '\0' && reader->at[1] != '\n')
          reader->at++;
      else if (!is_blank (*reader->at))
        return;
      reader->line += *reader->at == '\n';
    }
}

/* Ends the token at `end` and goes on behind it. */
static void
cut (FlCifReader *reader, char *end)
{
  reader->at = *end != '\0' ? end + 1 : end;
  reader->line += *end == '\n';
  reader->after_line = *end == '\n' ? reader->at : NULL;
  *end = '\0';
}

/* A block of lines from a ; at a line's start to the next one; `at` is its text. */
static FlTokenKind
read_block (FlCifReader *reader)
{
  char *end = strstr (reader->at, "\n;");
  if (end == NULL)
    return TOKEN_BAD;
  for (char *p = reader->at; p <= end; p++)
    reader->line += *p == '\n';
  *end = '\0';
  reader->at = end + 2;
  return TOKEN_VALUE;
}

static FlTokenKind
read_quoted (FlCifReader *reader, char quote)
{
  char *end = reader->at;
  while (*end != '\0' && *end != '\n' && !(*end == quote && is_blank (end[1])))
    end++;
  if (*end != quote)
    return TOKEN_BAD;
  *end = '\0';
  reader->at = end + 1;
  return TOKEN_VALUE;
}

static void
next_token (FlCifReader *reader, const char *start)
{
  skip_blanks (reader);
  char *begin = reader->at, first = *begin;
  gboolean quoted = first == '\'' || first == '"';
  gboolean block = first == ';' && (begin == start || begin[-1] == '\n' || begin == reader->after_line);
  reader->text = begin + (quoted || block);
  if (first == '\0')
    reader->kind = TOKEN_END;
  else if (quoted || block)
    {
      reader->at++;
      reader->kind = block ? read_block (reader) : read_quoted (reader, first);
    }
  else
    {
      char *end = begin;
      while (!is_blank (*end))
        end++;
      cut (reader, end);
      reader->kind =
          first == '_'                               ? TOKEN_TAG
          : g_ascii_strcasecmp (begin, "loop_") == 0 ? TOKEN_LOOP
          : g_ascii_strncasecmp (begin, "data_", 5) == 0 || g_ascii_strncasecmp (begin, "save_", 5) == 0
              ? TOKEN_DATA
          : strcmp (begin, "?") == 0 || strcmp (begin, ".") == 0 ? TOKEN_NONE
                                                                 : TOKEN_VALUE;
    }
}

/* --- items --- */

/* A number, perhaps with its uncertainty: 79.10(2). */
static gboolean
parse_number (const char *text, double *value)
{
  char *end;
  *value = g_ascii_strtod (text, &end);
  return end != text && (*end == '\0' || *end == '(') && isfinite (*value);
}

static gboolean
set_item (FlCifReader *reader, const char *tag, const char *value, GError **error)
{
  static const char *const cell[6] = { "_cell.length_a",    "_cell.length_b",   "_cell.length_c",
                                       "_cell.angle_alpha", "_cell.angle_beta", "_cell.angle_gamma" };
  char **to = g_ascii_strcasecmp (tag, "_symmetry.space_group_name_H-M") == 0
                      || g_ascii_strcasecmp (tag, "_space_group.name_H-M_alt") == 0
                  ? &reader->group
              : g_ascii_strcasecmp (tag, "_symmetry.Int_Tables_number") == 0
                      || g_ascii_strcasecmp (tag, "_space_group.IT_number") == 0
                  ? &reader->number
                  : NULL;
  if (to != NULL)
    {
      g_free (*to);
      *to = g_strdup (value);
    }
  else if (g_ascii_strcasecmp (tag, "_space_group_symop.operation_xyz") == 0
           || g_ascii_strcasecmp (tag, "_symmetry_equiv.pos_as_xyz") == 0)
    g_ptr_array_add (reader->operators, g_strdup (value));
  for (guint i = 0; i < 6; i++)
    if (g_ascii_strcasecmp (tag, cell[i]) == 0)
      {
        if (!parse_number (value, &reader->cell[i]))
          return wrong (reader, FL_ERROR_INPUT, error, "%s is '%.20s', expected a number", tag, value);
        reader->cell_given |= 1u << i;
      }
  return TRUE;
}

static const char *
either (const char *const *row, int item)
{
  return row[item] != NULL ? row[item] : row[item + 1];
}

static void
read_label (const char *const *row, FlAtomLabel *label)
{
  const char *sequence = either (row, ATOM_SEQUENCE), *insertion = row[ATOM_INSERTION],
             *alternative = row[ATOM_ALTERNATIVE];
  fl_atom_label_set (label->name, row[ATOM_NAME]);
  fl_atom_label_set (label->residue, either (row, ATOM_RESIDUE));
  fl_atom_label_set (label->chain, either (row, ATOM_CHAIN));
  label->number = sequence != NULL ? (int) g_ascii_strtoll (sequence, NULL, 10) : 0;
  label->insertion = insertion != NULL && g_ascii_isgraph (*insertion) ? *insertion : '\0';
  label->alternative = alternative != NULL && g_ascii_isgraph (*alternative) ? *alternative : '\0';
}

/* `row`: the items' values; NULL where the file gives none. */
static gboolean
add_atom (FlCifReader *reader, const char *const *row, GError **error)
{
  FlAtom atom = { .occupancy = 1 };
  double *numbers[] = { &atom.position.x, &atom.position.y, &atom.position.z, &atom.occupancy, &atom.b };
  const char *model = row[ATOM_MODEL] != NULL ? row[ATOM_MODEL] : "";
  if (reader->model == NULL)
    reader->model = g_strdup (model);
  if (strcmp (model, reader->model) != 0)
    return TRUE;
  for (int i = 0; i < 5; i++)
    {
      const char *text = row[ATOM_X + i];
      if (text == NULL ? i < 3 : !parse_number (text, numbers[i]))
        return wrong (reader, FL_ERROR_INPUT, error,
                      "an atom's place, occupancy or B is '%.20s', expected a number",
                      text != NULL ? text : "?");
    }
  atom.factor = row[ATOM_SYMBOL] != NULL ? fl_form_factor (row[ATOM_SYMBOL]) : NULL;
  if (atom.factor == NULL)
    return wrong (reader, FL_ERROR_UNSUPPORTED, error,
                  "no scattering factor for '%.20s', expected an element of proteins",
                  row[ATOM_SYMBOL] != NULL ? row[ATOM_SYMBOL] : "?");
  read_label (row, &atom.label);
  g_array_append_val (reader->atoms, atom);
  return TRUE;
}

static int
atom_item (const char *tag)
{
  static const char *const tags[ATOM_LAST] = { "_atom_site.type_symbol",
                                               "_atom_site.Cartn_x",
                                               "_atom_site.Cartn_y",
                                               "_atom_site.Cartn_z",
                                               "_atom_site.occupancy",
                                               "_atom_site.B_iso_or_equiv",
                                               "_atom_site.pdbx_PDB_model_num",
                                               "_atom_site.label_atom_id",
                                               "_atom_site.label_alt_id",
                                               "_atom_site.auth_comp_id",
                                               "_atom_site.label_comp_id",
                                               "_atom_site.auth_asym_id",
                                               "_atom_site.label_asym_id",
                                               "_atom_site.auth_seq_id",
                                               "_atom_site.label_seq_id",
                                               "_atom_site.pdbx_PDB_ins_code" };
  for (int i = 0; i < ATOM_LAST; i++)
    if (g_ascii_strcasecmp (tag, tags[i]) == 0)
      return i;
  return ATOM_LAST;
}

/* The values of a loop, row by row. The token behind the last tag is there; the one behind the last value is left there. */
static gboolean
read_rows (FlCifReader *reader, const char *start, const GPtrArray *tags, GError **error)
{
  const char *row[ATOM_LAST + 1] = { NULL };
  gboolean atoms = g_ascii_strncasecmp (g_ptr_array_index (tags, 0), "_atom_site.", 11) == 0;
  g_autofree int *items = g_new (int, tags->len);
  guint column = 0;
  for (guint i = 0; i < tags->len; i++)
    items[i] = atom_item (g_ptr_array_index (tags, i));
  for (; reader->kind == TOKEN_VALUE || reader->kind == TOKEN_NONE; next_token (reader, start))
    {
      const char *value = reader->kind == TOKEN_VALUE ? reader->text : NULL;
      if (!atoms && value != NULL && !set_item (reader, g_ptr_array_index (tags, column), value, error))
        return FALSE;
      if (atoms)
        row[items[column]] = value;
      if (++column < tags->len)
        continue;
      column = 0;
      if (atoms && !reader->only_head && !add_atom (reader, row, error))
        return FALSE;
    }
  return column == 0
         || wrong (reader, FL_ERROR_INPUT, error, "a row of %u values ends after %u", tags->len, column);
}

static gboolean
read_loop (FlCifReader *reader, const char *start, GError **error)
{
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();
  for (next_token (reader, start); reader->kind == TOKEN_TAG && tags->len < MOST_TAGS;
       next_token (reader, start))
    g_ptr_array_add (tags, (gpointer) reader->text);
  if (tags->len == 0 || reader->kind == TOKEN_TAG)
    return wrong (reader, FL_ERROR_INPUT, error, "a loop without or with too many columns");
  return read_rows (reader, start, tags, error);
}

static gboolean
read_block_items (FlCifReader *reader, char *text, GError **error)
{
  reader->at = text;
  next_token (reader, text);
  if (reader->kind != TOKEN_DATA)
    return wrong (reader, FL_ERROR_INPUT, error, "not an mmCIF file, expected data_ and a name");
  next_token (reader, text);
  while (reader->kind != TOKEN_END && reader->kind != TOKEN_DATA)
    {
      if (reader->kind == TOKEN_LOOP)
        {
          if (!read_loop (reader, text, error))
            return FALSE;
          continue;
        }
      if (reader->kind != TOKEN_TAG)
        return wrong (reader, FL_ERROR_INPUT, error,
                      "'%.20s' stands alone, expected _category.item and a value",
                      reader->kind == TOKEN_BAD ? "an open quote" : reader->text);
      const char *tag = reader->text;
      next_token (reader, text);
      if (reader->kind != TOKEN_VALUE && reader->kind != TOKEN_NONE)
        return wrong (reader, FL_ERROR_INPUT, error, "%.60s has no value", tag);
      if (reader->kind == TOKEN_VALUE && !set_item (reader, tag, reader->text, error))
        return FALSE;
      next_token (reader, text);
    }
  return TRUE;
}

/* --- the model --- */

static gboolean
finish (FlCifReader *reader, FlCell *cell, FlSymmetry **symmetry, GError **error)
{
  g_autoptr (GError) local = NULL;
  const char *name = reader->group != NULL ? reader->group : reader->number;
  guint hall = 0;
  if (reader->cell_given != 63)
    return wrong (reader, FL_ERROR_INPUT, error, "not a crystal's file, expected the six items of _cell");
  if (!fl_cell_from_degrees (reader->cell, cell, &local))
    return wrong (reader, FL_ERROR_INPUT, error, "%s", local->message);
  if (reader->operators->len > 0)
    {
      g_ptr_array_add (reader->operators, NULL);
      *symmetry = fl_symmetry_from_words ((const char *const *) reader->operators->pdata, &local);
    }
  else if (name != NULL && (hall = fl_space_group_find (name, cell)) != 0)
    *symmetry = fl_symmetry_from_hall (hall);
  else
    return wrong (reader, FL_ERROR_UNSUPPORTED, error,
                  "space group '%.20s' is not known, expected one such as P 43 21 2",
                  name != NULL ? name : "?");
  return *symmetry != NULL || wrong (reader, FL_ERROR_INPUT, error, "%s", local->message);
}

static gboolean
read_file (FlCifReader *reader, FlCell *cell, FlSymmetry **symmetry, GError **error)
{
  *symmetry = NULL;
  g_autofree char *text = fl_model_text (reader->path, error);
  if (text == NULL)
    return FALSE;
  reader->line = 1;
  reader->operators = g_ptr_array_new_with_free_func (g_free);
  reader->atoms = g_array_new (FALSE, FALSE, sizeof (FlAtom));
  gboolean good = read_block_items (reader, text, error)
                  && (reader->only_atoms || finish (reader, cell, symmetry, error));
  g_ptr_array_unref (reader->operators);
  g_free (reader->group);
  g_free (reader->number);
  g_free (reader->model);
  return good;
}

static FlModel *
read_model (const char *path, gboolean only_atoms, GError **error)
{
  FlCifReader reader = { .path = path, .only_atoms = only_atoms };
  FlCell cell = { 0 };
  FlSymmetry *symmetry;
  FlModel *model = NULL;
  if (read_file (&reader, &cell, &symmetry, error))
    {
      model = g_new (FlModel, 1);
      *model = (FlModel){ .cell = cell, .symmetry = symmetry, .n_atoms = reader.atoms->len };
      model->atoms = (FlAtom *) (void *) g_array_free (g_steal_pointer (&reader.atoms), FALSE);
      if (model->n_atoms == 0)
        {
          g_clear_pointer (&model, fl_model_free);
          wrong (&reader, FL_ERROR_INPUT, error, "no atoms, expected _atom_site");
        }
    }
  if (reader.atoms != NULL)
    g_array_free (reader.atoms, TRUE);
  return model;
}

FlModel *
fl_mmcif_read (const char *path, GError **error)
{
  return read_model (path, FALSE, error);
}

gboolean
fl_mmcif_read_cell (const char *path, FlCell *cell, FlSymmetry **symmetry, GError **error)
{
  FlCifReader reader = { .path = path, .only_head = TRUE };
  gboolean good = read_file (&reader, cell, symmetry, error);
  if (reader.atoms != NULL)
    g_array_free (reader.atoms, TRUE);
  return good;
}

gboolean
fl_mmcif_recognise (const char *head)
{
  while (*head == '#' || g_ascii_isspace (*head))
    head += *head == '#' ? strcspn (head, "\n") : 1;
  return g_ascii_strncasecmp (head, "data_", 5) == 0;
}

static gboolean
is_mmcif (const char *path)
{
  char head[1024];
  fl_model_text_head (path, head, sizeof head);
  return fl_mmcif_recognise (head);
}

FlModel *
fl_model_read (const char *path, GError **error)
{
  return is_mmcif (path) ? fl_mmcif_read (path, error) : fl_pdb_read (path, error);
}

FlModel *
fl_model_read_atoms (const char *path, GError **error)
{
  return is_mmcif (path) ? read_model (path, TRUE, error) : fl_pdb_read_atoms (path, error);
}
