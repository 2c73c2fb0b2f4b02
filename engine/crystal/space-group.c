#include "engine/crystal/space-group.h"

#include <spglib.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

/* --- symbols --- */

/* Lower case, without spaces and underscores. */
static void
squeeze (const char *symbol, gsize length, char *result, gsize size)
{
  gsize n = 0;
  for (gsize i = 0; i < length && n + 1 < size; i++)
    if (symbol[i] != '_' && !g_ascii_isspace (symbol[i]))
      result[n++] = g_ascii_tolower (symbol[i]);
  result[n] = '\0';
}

/* "P 1 21 1" without its ones is P21; "" when the symbol has no axis b alone. */
static void
short_monoclinic (const char *form, gsize length, char *result, gsize size)
{
  g_autofree char *text = g_strndup (form, length);
  g_auto (GStrv) words = g_strsplit (g_strstrip (text), " ", -1);
  *result = '\0';
  if (g_strv_length (words) == 4 && strcmp (words[1], "1") == 0 && strcmp (words[3], "1") == 0
      && strcmp (words[2], "1") != 0)
    {
      g_autofree char *joined = g_strconcat (words[0], words[2], NULL);
      squeeze (joined, strlen (joined), result, size);
    }
}

/* `glide`: an e in the tables is an a, b or c in symbols from before 1992 (Cmce was Cmca). */
static gboolean
same_symbol (const char *asked, const char *listed, gboolean glide)
{
  for (; *asked != '\0' && *listed != '\0'; asked++, listed++)
    if (*asked != *listed && !(glide && *listed == 'e' && *asked >= 'a' && *asked <= 'c'))
      return FALSE;
  return *asked == *listed;
}

/* spglib lists "C 2 = B 1 1 2 = B 2" for a setting. */
static gboolean
is_called (const SpglibSpacegroupType *type, const char *asked, gboolean glide)
{
  char form[40];
  squeeze (type->international_full, strlen (type->international_full), form, sizeof form);
  if (same_symbol (asked, form, glide))
    return TRUE;
  for (const char *start = type->international; start != NULL;)
    {
      const char *end = strstr (start, " = ");
      gsize length = end != NULL ? (gsize) (end - start) : strlen (start);
      squeeze (start, length, form, sizeof form);
      if (same_symbol (asked, form, glide))
        return TRUE;
      short_monoclinic (start, length, form, sizeof form);
      if (*form != '\0' && same_symbol (asked, form, glide))
        return TRUE;
      start = end != NULL ? end + 3 : NULL;
    }
  return FALSE;
}

static gboolean
is_rhombohedral (const FlCell *c)
{
  return fabs (c->a / c->b - 1) < 0.01 && fabs (c->a / c->c - 1) < 0.01 && fabs (c->alpha - c->beta) < 0.02
         && fabs (c->alpha - c->gamma) < 0.02;
}

/* Does the choice of axes or origin suit what is asked for ("h", "2", "b1", or nothing)? */
static gboolean
suits (const SpglibSpacegroupType *type, const char *choice, const FlCell *cell)
{
  char listed[8];
  squeeze (type->choice, strlen (type->choice), listed, sizeof listed);
  if (*choice != '\0')
    return strcmp (listed, choice) == 0 || ((*choice == '1' || *choice == '2') && *listed == *choice);
  if (strcmp (listed, "h") == 0 || strcmp (listed, "r") == 0)
    return (*listed == 'r') == (cell != NULL && is_rhombohedral (cell));
  return *listed != '1';
}

guint
fl_space_group_find (const char *symbol, const FlCell *cell)
{
  char asked[40], choice[8] = "";
  const char *colon = strchr (symbol, ':');
  squeeze (symbol, colon != NULL ? (gsize) (colon - symbol) : strlen (symbol), asked, sizeof asked);
  if (colon != NULL)
    squeeze (colon + 1, strlen (colon + 1), choice, sizeof choice);
  if (*asked == 'h' && *choice == '\0')
    {
      *asked = 'r';
      strcpy (choice, "h");
    }
  char *end;
  long number = strtol (asked, &end, 10);
  gboolean is_number = end != asked && *end == '\0';
  for (int glide = 0; glide < 2; glide++)
    for (int hall = 1; hall <= FL_SPACE_GROUP_SETTINGS; hall++)
      {
        SpglibSpacegroupType type = spg_get_spacegroup_type (hall);
        if (suits (&type, choice, cell)
            && (is_number ? type.number == number : is_called (&type, asked, glide)))
          return (guint) hall;
      }
  return 0;
}

/* --- what a setting is --- */

static const char *
laue_class (const char *point_group)
{
  static const char *const classes[][5] = { { "-1", "1" },
                                            { "2/m", "2", "m" },
                                            { "mmm", "222", "mm2" },
                                            { "4/m", "4", "-4" },
                                            { "4/mmm", "422", "4mm", "-42m", "-4m2" },
                                            { "-3", "3" },
                                            { "-3m", "32", "3m" },
                                            { "6/m", "6", "-6" },
                                            { "6/mmm", "622", "6mm", "-6m2", "-62m" },
                                            { "m-3", "23" },
                                            { "m-3m", "432", "-43m" } };
  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (classes[i]) && classes[i][j] != NULL; j++)
      if (strcmp (point_group, classes[i][j]) == 0)
        return classes[i][0];
  return "";
}

static FlLatticeType
lattice_type (guint number, const char *choice)
{
  return number < 3                  ? FL_LATTICE_TRICLINIC
         : number < 16               ? FL_LATTICE_MONOCLINIC
         : number < 75               ? FL_LATTICE_ORTHORHOMBIC
         : number < 143              ? FL_LATTICE_TETRAGONAL
         : number > 194              ? FL_LATTICE_CUBIC
         : strcmp (choice, "R") == 0 ? FL_LATTICE_RHOMBOHEDRAL
                                     : FL_LATTICE_HEXAGONAL;
}

/* "C 2 = B 1 1 2 = B 2" → "B 1 1 2", of those the one with most words. */
static void
write_symbol (const SpglibSpacegroupType *type, FlSpaceGroup *group)
{
  g_auto (GStrv) forms = g_strsplit (type->international, " = ", -1);
  const char *longest = forms[0];
  for (char **form = forms; *form != NULL; form++)
    if (strlen (*form) > strlen (longest))
      longest = *form;
  g_auto (GStrv) parts = g_strsplit (longest, "_", -1);
  g_autofree char *plain = g_strjoinv ("", parts);
  const char *choice = type->choice;
  gboolean tell = *choice == '1' || *choice == '2' || strcmp (choice, "H") == 0 || strcmp (choice, "R") == 0;
  g_snprintf (group->symbol, sizeof group->symbol, tell ? "%s:%c" : "%s", g_strstrip (plain), *choice);
}

void
fl_space_group_get (guint hall, FlSpaceGroup *group)
{
  SpglibSpacegroupType type = spg_get_spacegroup_type ((int) hall);
  *group = (FlSpaceGroup){ .hall = hall, .number = (guint) type.number };
  write_symbol (&type, group);
  g_strlcpy (group->hall_symbol, type.hall_symbol, sizeof group->hall_symbol);
  g_strlcpy (group->point_group, type.pointgroup_international, sizeof group->point_group);
  g_strlcpy (group->laue, laue_class (group->point_group), sizeof group->laue);
  group->type = lattice_type (group->number, type.choice);
  group->centring = group->type == FL_LATTICE_RHOMBOHEDRAL ? 'P' : *group->symbol;
  if (group->type == FL_LATTICE_MONOCLINIC)
    group->unique_axis = type.choice[*type.choice == '-'];
}

/* --- operators --- */

static FlSymmetryOperator
operator_of_table (const int r[3][3], const double t[3])
{
  FlSymmetryOperator op;
  memcpy (op.r, r, sizeof op.r);
  for (int i = 0; i < 3; i++)
    op.t[i] = (double) (((lrint (t[i] * 12) % 12) + 12) % 12) / 12;
  return op;
}

FlSymmetry *
fl_symmetry_from_hall (guint hall)
{
  int r[FL_SYMMETRY_MOST][3][3];
  double t[FL_SYMMETRY_MOST][3];
  FlSymmetry *symmetry = g_new (FlSymmetry, 1);
  symmetry->n = (guint) spg_get_symmetry_from_database (r, t, (int) hall);
  symmetry->ops = g_new (FlSymmetryOperator, symmetry->n);
  symmetry->hall = hall;
  for (guint i = 0; i < symmetry->n; i++)
    symmetry->ops[i] = operator_of_table (r[i], t[i]);
  return symmetry;
}

FlSymmetry *
fl_symmetry_from_symbol (const char *symbol, GError **error)
{
  guint hall = fl_space_group_find (symbol, NULL);
  if (hall != 0)
    return fl_symmetry_from_hall (hall);
  g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
               "space group '%s' is not known, expected a symbol such as P43212 or P 21 21 21", symbol);
  return NULL;
}

static gboolean
same_operators (const FlSymmetry *symmetry, const int (*r)[3][3], const double (*t)[3])
{
  for (guint i = 0; i < symmetry->n; i++)
    {
      gboolean found = FALSE;
      for (guint j = 0; j < symmetry->n && !found; j++)
        {
          FlSymmetryOperator op = operator_of_table (r[i], t[i]);
          found = memcmp (op.r, symmetry->ops[j].r, sizeof op.r) == 0;
          for (int k = 0; k < 3; k++)
            found = found && fabs (op.t[k] - symmetry->ops[j].t[k]) < 1e-6;
        }
      if (!found)
        return FALSE;
    }
  return TRUE;
}

guint
fl_space_group_of_operators (const FlSymmetry *symmetry)
{
  int r[FL_SYMMETRY_MOST][3][3];
  double t[FL_SYMMETRY_MOST][3];
  for (int hall = 1; hall <= FL_SPACE_GROUP_SETTINGS; hall++)
    if (spg_get_symmetry_from_database (r, t, hall) == (int) symmetry->n
        && same_operators (symmetry, (const int (*)[3][3]) r, (const double (*)[3]) t))
      return (guint) hall;
  return 0;
}
