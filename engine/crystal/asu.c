#include "engine/crystal/asu.h"

#include <string.h>

#include "engine/crystal/space-group.h"

static const char *const laue_names[] = { "-1",   "2/m",  "mmm", "4/m",   "4/mmm", "-3",
                                          "-31m", "-3m1", "6/m", "6/mmm", "m-3",   "m-3m" };

/* The two-fold along a + b, or the mirror across it, makes -3m1 of a trigonal group; the one along a - b makes -31m. */
static gboolean
has_twofold_along_sum (const FlSymmetry *symmetry)
{
  static const int swap[3][3] = { { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, -1 } },
                   mirror[3][3] = { { 0, -1, 0 }, { -1, 0, 0 }, { 0, 0, 1 } };
  for (guint i = 0; i < symmetry->n; i++)
    if (memcmp (symmetry->ops[i].r, swap, sizeof swap) == 0
        || memcmp (symmetry->ops[i].r, mirror, sizeof mirror) == 0)
      return TRUE;
  return FALSE;
}

FlAsu
fl_asu_new (const FlSymmetry *symmetry)
{
  FlSpaceGroup group;
  if (symmetry->hall == 0)
    return (FlAsu){ -1 };
  fl_space_group_get (symmetry->hall, &group);
  if (group.type == FL_LATTICE_RHOMBOHEDRAL || (group.unique_axis != '\0' && group.unique_axis != 'b'))
    return (FlAsu){ -1 };
  const char *name = group.laue;
  if (strcmp (name, "-3m") == 0)
    name = has_twofold_along_sum (symmetry) ? "-3m1" : "-31m";
  for (gsize i = 0; i < G_N_ELEMENTS (laue_names); i++)
    if (strcmp (name, laue_names[i]) == 0)
      return (FlAsu){ (int) i };
  return (FlAsu){ -1 };
}

/* CCP4's rules. */
gboolean
fl_asu_contains (const FlAsu *asu, const FlSymmetry *symmetry, FlMiller m)
{
  int h = m.h, k = m.k, l = m.l;
  switch (asu->laue)
    {
    case 0:
      return l > 0 || (l == 0 && (h > 0 || (h == 0 && k >= 0)));
    case 1:
      return k >= 0 && (l > 0 || (l == 0 && h >= 0));
    case 2:
      return h >= 0 && k >= 0 && l >= 0;
    case 3:
    case 8:
      return l >= 0 && ((h >= 0 && k > 0) || (h == 0 && k == 0));
    case 4:
    case 9:
      return h >= k && k >= 0 && l >= 0;
    case 5:
      return (h >= 0 && k > 0) || (h == 0 && k == 0 && l >= 0);
    case 6:
      return h >= k && k >= 0 && (k > 0 || l >= 0);
    case 7:
      return h >= k && k >= 0 && (h > k || l >= 0);
    case 10:
      return h >= 0 && ((l >= h && k > h) || (l == h && k == h));
    case 11:
      return k >= l && l >= h && h >= 0;
    default:
      {
        FlMiller r = fl_symmetry_classify (symmetry, m).representative;
        return r.h == h && r.k == k && r.l == l;
      }
    }
}

FlMiller
fl_asu_map (const FlAsu *asu, const FlSymmetry *symmetry, FlMiller m, guint *isym)
{
  FlMiller found = m;
  guint which = 0;
  for (guint i = 0; i < 2 * symmetry->n && which == 0; i++)
    {
      FlMiller e = fl_miller_transform (m, &symmetry->ops[i / 2]);
      if (i % 2 == 1)
        e = (FlMiller){ -e.h, -e.k, -e.l };
      if (!fl_asu_contains (asu, symmetry, e))
        continue;
      found = e;
      which = i + 1;
    }
  if (isym != NULL)
    *isym = which;
  return found;
}
