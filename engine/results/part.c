#include "engine/results/part.h"

const FlPartInfo fl_parts[FL_PART_LAST] = {
  { FL_KIND_SPOT, "spots", "shots/first_spot", "shots/n_spots" },
  { FL_KIND_LATTICE, "lattices", "shots/first_lattice", "shots/n_lattices" },
  { FL_KIND_REFLECTION, "reflections", "shots/first_reflection", "shots/n_reflections" },
};

FlShotSet *
fl_shot_set_new (void)
{
  FlShotSet *set = g_new0 (FlShotSet, 1);
  set->shots = fl_batch_new (FL_KIND_SHOT);
  for (guint p = 0; p < FL_PART_LAST; p++)
    set->parts[p] = fl_batch_new (fl_parts[p].kind);
  return set;
}

void
fl_shot_set_free (FlShotSet *set)
{
  if (set == NULL)
    return;
  fl_batch_free (set->shots);
  for (guint p = 0; p < FL_PART_LAST; p++)
    fl_batch_free (set->parts[p]);
  g_free (set);
}

void
fl_shot_set_clear (FlShotSet *set)
{
  fl_batch_clear (set->shots);
  for (guint p = 0; p < FL_PART_LAST; p++)
    fl_batch_clear (set->parts[p]);
}

void
fl_shot_set_append_all (FlShotSet *set, const FlShotSet *from)
{
  fl_batch_append_all (set->shots, from->shots);
  for (guint p = 0; p < FL_PART_LAST; p++)
    fl_batch_append_all (set->parts[p], from->parts[p]);
}

guint
fl_shot_set_longest (const FlShotSet *set)
{
  guint longest = 0;
  for (guint p = 0; p < FL_PART_LAST; p++)
    longest = MAX (longest, fl_batch_rows (set->parts[p]));
  return longest;
}

void
fl_part_find (const FlBatch *rows, guint64 shot, guint from, guint *first, guint *n)
{
  const guint64 *shots = fl_batch_column (rows, "shot");
  guint all = fl_batch_rows (rows), i = from;
  while (i < all && shots[i] != shot)
    i++;
  *first = i;
  while (i < all && shots[i] == shot)
    i++;
  *n = i - *first;
}

void
fl_part_copy (FlBatch *to, const FlBatch *from, guint first, guint n)
{
  g_autofree void *row = g_malloc (fl_schema (fl_batch_kind (from))->row_size);
  for (guint i = first; i < first + n; i++)
    {
      fl_batch_row (from, i, row);
      fl_batch_append (to, row);
    }
}
