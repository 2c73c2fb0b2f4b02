#include "widgets/density-model.h"

#include <math.h>
#include <string.h>

struct _FlwDensityModel
{
  gatomicrefcount ref_count;
  GArray *atoms, *bonds, *residues; /* FlwDensityAtom, guint[2], FlwDensityResidue */
};

static const struct
{
  const char *element;
  guint32 rgb;
  double radius; /* Å, covalent (Cordero et al. 2008, Dalton Trans. 2832) */
} elements[] = {
  { "C", 0xe8cf7a, 0.76 },  { "N", 0x7c93ff, 0.71 },  { "O", 0xff6157, 0.66 },  { "S", 0xc7d43c, 1.05 },
  { "P", 0xff9f40, 1.07 },  { "H", 0xd8dce2, 0.31 },  { "D", 0xd8dce2, 0.31 },  { "SE", 0xffb040, 1.20 },
  { "FE", 0xd98a5a, 1.32 }, { "MG", 0x8fd18f, 1.41 }, { "CA", 0x8fd18f, 1.76 }, { "ZN", 0xa9a6d8, 1.22 },
  { "MN", 0xb08fd8, 1.39 }, { "CL", 0x6fd86f, 1.02 }, { "NA", 0xb58ff0, 1.66 }, { "CU", 0xd98a5a, 1.32 },
};

static int
find_element (const char *element)
{
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    if (g_ascii_strcasecmp (element, elements[i].element) == 0)
      return (int) i;
  return -1;
}

guint32
flw_density_element_colour (const char *element)
{
  int i = find_element (element);
  return i >= 0 ? elements[i].rgb : 0xd090c0;
}

static double
radius_of (const FlwDensityAtom *atom)
{
  int i = find_element (atom->element);
  return i >= 0 ? elements[i].radius : 1.3;
}

static gboolean
is_hydrogen (const FlwDensityAtom *atom)
{
  return g_ascii_strcasecmp (atom->element, "H") == 0 || g_ascii_strcasecmp (atom->element, "D") == 0;
}

static double
distance2 (const double a[3], const double b[3])
{
  double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

/* --- bonds by distance: atoms in boxes, 27 boxes looked at for each --- */

#define BOX 2.6 /* Å: longer than any bond looked for */

static gint64
box_key (const double place[3], int dx, int dy, int dz)
{
  gint64 x = (gint64) floor (place[0] / BOX) + dx, y = (gint64) floor (place[1] / BOX) + dy,
         z = (gint64) floor (place[2] / BOX) + dz;
  return ((x & 0x1fffff) << 42) | ((y & 0x1fffff) << 21) | (z & 0x1fffff);
}

/* Links box → its last atom; `next` from an atom to the one before it in its box, −1 ends. */
static GHashTable *
sort_into_boxes (const FlwDensityAtom *atoms, guint n, int *next, gint64 *keys)
{
  GHashTable *boxes = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < n; i++)
    {
      gpointer last;
      keys[i] = box_key (atoms[i].place, 0, 0, 0);
      next[i] = g_hash_table_lookup_extended (boxes, &keys[i], NULL, &last) ? GPOINTER_TO_INT (last) : -1;
      g_hash_table_insert (boxes, &keys[i], GINT_TO_POINTER ((int) i));
    }
  return boxes;
}

static void
bind_atom (FlwDensityModel *model, GHashTable *boxes, const int *next, guint i)
{
  const FlwDensityAtom *atoms = (const FlwDensityAtom *) model->atoms->data, *atom = &atoms[i];
  double nearest = INFINITY;
  guint partner = 0;

  for (int box = 0; box < 27; box++)
    {
      gint64 key = box_key (atom->place, box % 3 - 1, box / 3 % 3 - 1, box / 9 - 1);
      gpointer last;
      if (!g_hash_table_lookup_extended (boxes, &key, NULL, &last))
        continue;
      for (int j = GPOINTER_TO_INT (last); j >= 0; j = next[j])
        {
          double d2 = distance2 (atom->place, atoms[j].place),
                 reach = radius_of (atom) + radius_of (&atoms[j]) + 0.4;
          if ((guint) j == i || d2 > reach * reach || d2 < 0.16)
            continue;
          if (is_hydrogen (atom))
            {
              if (d2 < nearest && !is_hydrogen (&atoms[j]))
                {
                  nearest = d2;
                  partner = (guint) j;
                }
            }
          else if ((guint) j < i && !is_hydrogen (&atoms[j]))
            g_array_append_vals (model->bonds, (guint[2]){ (guint) j, i }, 1);
        }
    }
  if (isfinite (nearest))
    g_array_append_vals (model->bonds, (guint[2]){ partner, i }, 1);
}

static void
find_bonds (FlwDensityModel *model)
{
  guint n = model->atoms->len;
  g_autofree int *next = g_new (int, n + 1);
  g_autofree gint64 *keys = g_new (gint64, n + 1);
  g_autoptr (GHashTable) boxes = sort_into_boxes ((const FlwDensityAtom *) model->atoms->data, n, next, keys);

  for (guint i = 0; i < n; i++)
    bind_atom (model, boxes, next, i);
}

/* --- residues --- */

static gboolean
same_residue (const FlwDensityAtom *a, const FlwDensityAtom *b)
{
  return a->number == b->number && a->insertion == b->insertion
         && strncmp (a->chain, b->chain, sizeof a->chain) == 0
         && strncmp (a->residue, b->residue, sizeof a->residue) == 0;
}

static void
find_residues (FlwDensityModel *model)
{
  const FlwDensityAtom *atoms = (const FlwDensityAtom *) model->atoms->data;

  for (guint i = 0; i < model->atoms->len; i++)
    {
      FlwDensityResidue *last = model->residues->len > 0 ? &g_array_index (model->residues, FlwDensityResidue,
                                                                           model->residues->len - 1)
                                                         : NULL;
      gboolean stands =
          (g_str_equal (atoms[i].name, "CA") && g_ascii_strcasecmp (atoms[i].element, "CA") != 0)
          || g_str_equal (atoms[i].name, "P");
      if (last == NULL || !same_residue (&atoms[i - 1], &atoms[i]))
        g_array_append_val (model->residues, ((FlwDensityResidue){ i, 1, i }));
      else
        {
          last->n++;
          if (stands)
            last->centre = i;
        }
    }
}

static void
copy_text (char *text, gsize size)
{
  char *valid;

  text[size - 1] = 0;
  g_strstrip (text);
  valid = g_utf8_make_valid (text, -1);
  g_strlcpy (text, g_utf8_validate (text, -1, NULL) ? text : valid, size);
  g_free (valid);
}

FlwDensityModel *
flw_density_model_new (guint n_atoms, const FlwDensityAtom *atoms, guint n_bonds, const guint (*bonds)[2])
{
  FlwDensityModel *model = g_new0 (FlwDensityModel, 1);
  g_autofree int *kept = g_new (int, n_atoms + 1); /* its new number; −1: left out */

  g_atomic_ref_count_init (&model->ref_count);
  model->atoms = g_array_sized_new (FALSE, FALSE, sizeof (FlwDensityAtom), n_atoms);
  model->bonds = g_array_new (FALSE, FALSE, sizeof (guint[2]));
  model->residues = g_array_new (FALSE, FALSE, sizeof (FlwDensityResidue));
  for (guint i = 0; i < n_atoms; i++)
    {
      FlwDensityAtom atom = atoms[i];
      kept[i] = -1;
      if (!isfinite (atom.place[0]) || !isfinite (atom.place[1]) || !isfinite (atom.place[2]))
        continue;
      kept[i] = (int) model->atoms->len;
      copy_text (atom.element, sizeof atom.element);
      copy_text (atom.name, sizeof atom.name);
      copy_text (atom.chain, sizeof atom.chain);
      copy_text (atom.residue, sizeof atom.residue);
      g_array_append_val (model->atoms, atom);
    }
  if (bonds == NULL)
    find_bonds (model);
  else
    for (guint i = 0; i < n_bonds; i++)
      if (bonds[i][0] < n_atoms && bonds[i][1] < n_atoms && kept[bonds[i][0]] >= 0 && kept[bonds[i][1]] >= 0)
        g_array_append_vals (model->bonds, (guint[2]){ (guint) kept[bonds[i][0]], (guint) kept[bonds[i][1]] },
                             1);
  find_residues (model);
  return model;
}

FlwDensityModel *
flw_density_model_ref (FlwDensityModel *model)
{
  g_atomic_ref_count_inc (&model->ref_count);
  return model;
}

void
flw_density_model_unref (FlwDensityModel *model)
{
  if (!g_atomic_ref_count_dec (&model->ref_count))
    return;
  g_array_unref (model->atoms);
  g_array_unref (model->bonds);
  g_array_unref (model->residues);
  g_free (model);
}

const FlwDensityAtom *
flw_density_model_atoms (const FlwDensityModel *model, guint *n)
{
  *n = model->atoms->len;
  return (const FlwDensityAtom *) model->atoms->data;
}

const guint (*flw_density_model_bonds (const FlwDensityModel *model, guint *n))[2]
{
  *n = model->bonds->len;
  return (const guint (*)[2]) (const void *) model->bonds->data;
}

const FlwDensityResidue *
flw_density_model_residues (const FlwDensityModel *model, guint *n)
{
  *n = model->residues->len;
  return (const FlwDensityResidue *) model->residues->data;
}

char *
flw_density_atom_text (const FlwDensityAtom *atom, gboolean with_name)
{
  g_autofree char *name = with_name ? g_strconcat (" ", atom->name, NULL) : NULL;
  char insertion[2] = { atom->insertion > ' ' ? atom->insertion : 0, 0 };
  return g_strdup_printf ("%s%s%d%s %s%s", atom->chain, *atom->chain ? " " : "", atom->number, insertion,
                          atom->residue, name != NULL ? name : "");
}

int
flw_density_model_nearest (const FlwDensityModel *model, const double place[3], double reach)
{
  double nearest = reach * reach;
  int found = -1;

  for (guint i = 0; i < model->atoms->len; i++)
    {
      double d2 = distance2 (g_array_index (model->atoms, FlwDensityAtom, i).place, place);
      if (d2 <= nearest)
        {
          nearest = d2;
          found = (int) i;
        }
    }
  return found;
}

guint
flw_density_model_residue_of (const FlwDensityModel *model, guint atom)
{
  guint low = 0, high = model->residues->len; /* the last one that begins at or before the atom */

  while (high - low > 1)
    {
      guint middle = (low + high) / 2;
      if (g_array_index (model->residues, FlwDensityResidue, middle).first <= atom)
        low = middle;
      else
        high = middle;
    }
  return low;
}
