#include "gui/cell-words.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

const char *
flg_lattice_type_word (guint type)
{
  const char *const words[] = { _ ("triclinic"),    _ ("monoclinic"), _ ("orthorhombic"), _ ("tetragonal"),
                                _ ("rhombohedral"), _ ("hexagonal"),  _ ("cubic") };
  return type < G_N_ELEMENTS (words) ? words[type] : _ ("unknown");
}

char *
flg_cell_format (const double cell[6])
{
  return g_strdup_printf ("%.2f %.2f %.2f Å  %.2f %.2f %.2f°", cell[0], cell[1], cell[2], cell[3], cell[4],
                          cell[5]);
}

static gboolean
agree (const double a[6], const double b[6], double relative, double degrees)
{
  for (guint p = 0; p < 6; p++)
    if (p < 3 ? fabs (a[p] / b[p] - 1) > relative : fabs (a[p] - b[p]) > degrees)
      return FALSE;
  return TRUE;
}

gboolean
flg_cell_is_near (const double a[6], const double b[6])
{
  return agree (a, b, 0.015, 1.5);
}

void
flg_cell_idealise (double cell[6], guint type)
{
  double ab = (cell[0] + cell[1]) / 2, abc = (cell[0] + cell[1] + cell[2]) / 3;
  double angle = (cell[3] + cell[4] + cell[5]) / 3;
  if (type == FLG_TRICLINIC)
    return;
  if (type == FLG_TETRAGONAL || type == FLG_HEXAGONAL)
    cell[0] = cell[1] = ab;
  if (type == FLG_CUBIC || type == FLG_RHOMBOHEDRAL)
    cell[0] = cell[1] = cell[2] = abc;
  cell[3] = cell[5] = 90;
  if (type != FLG_MONOCLINIC)
    cell[4] = 90;
  if (type == FLG_HEXAGONAL)
    cell[5] = 120;
  if (type == FLG_RHOMBOHEDRAL)
    cell[3] = cell[4] = cell[5] = angle;
}

guint
flg_cell_type (const double cell[6])
{
  static const guint falling[] = { FLG_CUBIC,        FLG_HEXAGONAL,    FLG_TETRAGONAL,
                                   FLG_RHOMBOHEDRAL, FLG_ORTHORHOMBIC, FLG_MONOCLINIC };
  for (guint i = 0; i < G_N_ELEMENTS (falling); i++)
    {
      double ideal[6] = { cell[0], cell[1], cell[2], cell[3], cell[4], cell[5] };
      flg_cell_idealise (ideal, falling[i]);
      if (agree (cell, ideal, 0.002, 0.2))
        return falling[i];
    }
  return FLG_TRICLINIC;
}

char *
flg_cell_parameter (const double cell[6])
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint p = 0; p < 6; p++)
    {
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      g_ascii_formatd (number, sizeof number, "%.3f", cell[p]);
      while (g_str_has_suffix (number, "0"))
        number[strlen (number) - 1] = '\0';
      if (g_str_has_suffix (number, "."))
        number[strlen (number) - 1] = '\0';
      g_string_append_printf (text, "%s%s", p ? ", " : "", number);
    }
  return g_strdup (text->str);
}

char *
flg_cell_group (guint type, char centring, guint space_group)
{
  static const char *const least[FLG_N_LATTICE_TYPES] = { "1", "2", "222", "4", "3", "3", "23" };
  if (space_group)
    return g_strdup_printf ("%u", space_group);
  if (centring == 'P' || centring == 0 || type >= FLG_N_LATTICE_TYPES)
    return g_strdup ("");
  return g_strdup_printf ("%c%s", centring, least[type]);
}
