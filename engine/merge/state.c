#include "engine/merge/state.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"

#define MAGIC "FLMERGE3"

static int
by_key (gconstpointer a, gconstpointer b)
{
  const FlMergeStateLattice *x = a, *y = b;
  return (x->key > y->key) - (x->key < y->key);
}

static FlMergeState *
state_new (void)
{
  FlMergeState *state = g_new0 (FlMergeState, 1);
  memcpy (state->header.magic, MAGIC, sizeof state->header.magic);
  state->lattices = g_array_new (FALSE, TRUE, sizeof (FlMergeStateLattice));
  state->reflections = g_array_new (FALSE, TRUE, sizeof (FlMergeStateReflection));
  return state;
}

void
fl_merge_state_free (FlMergeState *state)
{
  g_array_unref (state->lattices);
  g_array_unref (state->reflections);
  g_free (state);
}

static guint64
sum_of (const GArray *lattices)
{
  guint64 sum = 0;
  for (guint i = 0; i < lattices->len; i++)
    sum = fl_hash64 (&g_array_index (lattices, FlMergeStateLattice, i).key, sizeof (guint64), sum);
  return sum;
}

FlMergeState *
fl_merge_state_of (const FlMergeSet *set)
{
  FlMergeState *state = state_new ();
  g_autoptr (GArray) own = g_array_new (FALSE, TRUE, sizeof (FlMergeStateLattice));
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *l = &g_array_index (set->lattices, FlMergeLattice, i);
      FlMergeStateLattice row = { .key = l->key,
                                  .common = l->common,
                                  .reason = l->reason,
                                  .setting = l->setting,
                                  .scale = l->scale,
                                  .b = l->b,
                                  .width = l->width,
                                  .width_slope = l->width_slope,
                                  .correlation = l->correlation };
      memcpy (row.rotation, l->rotation, sizeof row.rotation);
      g_array_append_val (own, row);
    }
  g_autoptr (GPtrArray) all =
      fl_parallel_gather (set->parallel, own->data, own->len * sizeof (FlMergeStateLattice));
  for (guint i = 0; all != NULL && i < all->len; i++)
    {
      gsize length;
      const void *rows = g_bytes_get_data (all->pdata[i], &length);
      g_array_append_vals (state->lattices, rows, (guint) (length / sizeof (FlMergeStateLattice)));
    }
  g_array_sort (state->lattices, by_key);
  state->header.lattice_sum = fl_parallel_share_u64 (set->parallel, sum_of (state->lattices));
  return state;
}

void
fl_merge_state_keep (FlMergeState *state, const FlUniqueList *list, const FlMergeReference *reference)
{
  g_array_set_size (state->reflections, 0);
  for (guint i = 0; i < reference->n; i++)
    {
      FlMiller m = fl_unique_list_at (list, i)->hkl;
      FlMergeStateReflection row = {
        m.h, m.k, m.l, reference->count[i], reference->intensity[i], reference->sigma[i], reference->weight[i]
      };
      if (!isnan (row.intensity))
        g_array_append_val (state->reflections, row);
    }
}

/* --- the file --- */

/* Of the header behind `check`, and the rows. */
static guint64
check_of (const FlMergeStateHeader *header, const void *lattices, const void *reflections)
{
  const gsize from = G_STRUCT_OFFSET (FlMergeStateHeader, n_lattices);
  guint64 sum = fl_hash64 ((const guint8 *) header + from, sizeof *header - from, 0);
  sum = fl_hash64 (lattices, header->n_lattices * sizeof (FlMergeStateLattice), sum);
  return fl_hash64 (reflections, header->n_reflections * sizeof (FlMergeStateReflection), sum);
}

gboolean
fl_merge_state_write (FlMergeState *state, const char *path, GError **error)
{
  FlMergeStateHeader *header = &state->header;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  header->n_lattices = state->lattices->len;
  header->n_reflections = state->reflections->len;
  header->check = check_of (header, state->lattices->data, state->reflections->data);
  g_byte_array_append (bytes, (const guint8 *) header, sizeof *header);
  g_byte_array_append (bytes, (const guint8 *) state->lattices->data,
                       state->lattices->len * (guint) sizeof (FlMergeStateLattice));
  g_byte_array_append (bytes, (const guint8 *) state->reflections->data,
                       state->reflections->len * (guint) sizeof (FlMergeStateReflection));
  GError *why = NULL;
  if (g_file_set_contents (path, (const char *) bytes->data, bytes->len, &why))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path, why->message);
  g_error_free (why);
  return FALSE;
}

static gboolean
is_whole (const char *bytes, gsize length)
{
  FlMergeStateHeader header;
  if (length < sizeof header)
    return FALSE;
  memcpy (&header, bytes, sizeof header);
  gsize rest = length - sizeof header;
  if (memcmp (header.magic, MAGIC, sizeof header.magic) != 0
      || header.n_lattices > rest / sizeof (FlMergeStateLattice)
      || header.n_reflections > rest / sizeof (FlMergeStateReflection)
      || header.n_lattices * sizeof (FlMergeStateLattice)
                 + header.n_reflections * sizeof (FlMergeStateReflection)
             != rest)
    return FALSE;
  const char *lattices = bytes + sizeof header;
  return check_of (&header, lattices, lattices + header.n_lattices * sizeof (FlMergeStateLattice))
         == header.check;
}

FlMergeState *
fl_merge_state_read (const char *path, GError **error)
{
  g_autofree char *bytes = NULL;
  gsize length;
  if (!g_file_get_contents (path, &bytes, &length, NULL))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read, expected the state of a merge",
                   path);
      return NULL;
    }
  if (!is_whole (bytes, length))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is damaged, expected the state of a merge", path);
      return NULL;
    }
  FlMergeState *state = state_new ();
  memcpy (&state->header, bytes, sizeof state->header);
  const char *lattices = bytes + sizeof state->header;
  g_array_append_vals (state->lattices, lattices, (guint) state->header.n_lattices);
  g_array_append_vals (state->reflections, lattices + state->header.n_lattices * sizeof (FlMergeStateLattice),
                       (guint) state->header.n_reflections);
  return state;
}

/* --- starting from one --- */

static const FlMergeStateLattice *
find (const FlMergeState *state, guint64 key)
{
  guint low = 0, high = state->lattices->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const FlMergeStateLattice *row = &g_array_index (state->lattices, FlMergeStateLattice, middle);
      if (row->key == key)
        return row;
      if (row->key < key)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

guint64
fl_merge_state_apply (const FlMergeState *state, FlMergeSet *set)
{
  guint64 known = 0;
  for (guint i = 0; i < set->lattices->len; i++)
    {
      FlMergeLattice *l = &g_array_index (set->lattices, FlMergeLattice, i);
      const FlMergeStateLattice *row = find (state, l->key);
      if (row == NULL)
        continue;
      known++;
      l->common = row->common;
      l->setting = row->setting;
      l->scale = row->scale;
      l->b = row->b;
      l->width = row->width;
      l->width_slope = row->width_slope;
      l->correlation = row->correlation;
      memcpy (l->rotation, row->rotation, sizeof l->rotation);
      if (l->reason == FL_MERGE_ACCEPTED && row->reason >= FL_MERGE_FEW_COMMON)
        l->reason = row->reason;
    }
  return known;
}

FlMergeReference *
fl_merge_state_reference (const FlMergeState *state, const FlUniqueList *list)
{
  FlMergeReference *reference = fl_merge_reference_new (fl_unique_list_n (list));
  guint known = 0;
  for (guint i = 0; i < state->reflections->len; i++)
    {
      const FlMergeStateReflection *row = &g_array_index (state->reflections, FlMergeStateReflection, i);
      guint32 number = fl_unique_list_find (list, (FlMiller){ row->h, row->k, row->l }, NULL);
      if (number == FL_UNIQUE_NONE)
        continue;
      reference->intensity[number] = row->intensity;
      reference->sigma[number] = row->sigma;
      reference->weight[number] = row->weight;
      reference->count[number] = row->count;
      known++;
    }
  if (known > 0)
    return reference;
  fl_merge_reference_free (reference);
  return NULL;
}
