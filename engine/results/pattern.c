#include "engine/results/pattern.h"

#include "engine/base/units.h"
#include "engine/crystal/lattice.h"

static void
place_clear (gpointer place)
{
  g_free (((FlPanelPlace *) place)->name);
}

GArray *
fl_panel_places_new (void)
{
  GArray *places = g_array_new (FALSE, TRUE, sizeof (FlPanelPlace));
  g_array_set_clear_func (places, place_clear);
  return places;
}

FlPattern *
fl_pattern_new (void)
{
  FlPattern *pattern = g_new0 (FlPattern, 1);
  pattern->spots = g_array_new (FALSE, FALSE, sizeof (FlSpotRow));
  pattern->lattices = g_array_new (FALSE, FALSE, sizeof (FlLatticeRow));
  pattern->reflections = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  fl_pattern_clear (pattern);
  return pattern;
}

void
fl_pattern_clear (FlPattern *pattern)
{
  g_free (pattern->file);
  g_free (pattern->event);
  g_array_set_size (pattern->spots, 0);
  g_array_set_size (pattern->lattices, 0);
  g_array_set_size (pattern->reflections, 0);
  *pattern = (FlPattern){ .event = g_strdup (""),
                          .frame = -1,
                          .spots = pattern->spots,
                          .lattices = pattern->lattices,
                          .reflections = pattern->reflections };
}

void
fl_pattern_free (FlPattern *pattern)
{
  if (pattern == NULL)
    return;
  g_free (pattern->file);
  g_free (pattern->event);
  g_array_unref (pattern->spots);
  g_array_unref (pattern->lattices);
  g_array_unref (pattern->reflections);
  g_free (pattern);
}

const FlReflectionRow *
fl_pattern_reflections (const FlPattern *pattern, guint number, guint *n)
{
  const FlReflectionRow *rows = (const FlReflectionRow *) (void *) pattern->reflections->data;
  guint i = 0, first;
  while (i < pattern->reflections->len && rows[i].lattice != number)
    i++;
  first = i;
  while (i < pattern->reflections->len && rows[i].lattice == number)
    i++;
  *n = i - first;
  return *n > 0 ? rows + first : NULL;
}

gboolean
fl_pattern_derive (FlPattern *pattern, FlLatticeRow *lattice, guint first)
{
  FlMat3 star;
  for (int i = 0; i < 9; i++)
    star.m[i / 3][i % 3] = (double) lattice->a_star[i];
  double volume = fl_mat3_determinant (&star);
  if (!isfinite (volume) || fabs (volume) < 1e-12) /* 10¹² Å³ */
    return FALSE;
  FlCell cell = fl_lattice_cell (&star);
  const double values[] = { cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma };
  for (int i = 0; i < 6; i++)
    lattice->cell[i] = (float) values[i];
  FlMat3 columns = fl_mat3_transpose (&star);
  double k = pattern->energy > 0 ? 1 / fl_wavelength_from_energy (pattern->energy) : 0;
  for (guint i = first; i < pattern->reflections->len; i++)
    {
      FlReflectionRow *r = &g_array_index (pattern->reflections, FlReflectionRow, i);
      FlVec3 q = fl_mat3_apply (&columns, fl_vec3 (r->h, r->k, r->l));
      double length = fl_vec3_norm (q);
      r->d = length > 0 ? (float) (1 / length) : 0;
      q.z += k;
      r->excitation = k > 0 ? (float) (fl_vec3_norm (q) - k) : 0;
    }
  return TRUE;
}
