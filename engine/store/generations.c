#include "engine/store/generations.h"

static const FlKind kinds[] = { FL_KIND_GENERATION, FL_KIND_OCCUPANCY, FL_KIND_CURVE, FL_KIND_COVERAGE };

/* One of an attempt's, as far as it has come. */
typedef struct
{
  FlGeneration *generation;
  gboolean whole;  /* its row is there: it can be listed */
  gboolean listed; /* others hold it: it is copied before it changes */
} Entry;

struct FlGenerations
{
  gint64 job;
  gint64 cursors[G_N_ELEMENTS (kinds)];
  GHashTable *first;   /* attempt -> its first generation */
  GHashTable *entries; /* number -> Entry */
  gboolean changed;    /* by what came before a read that failed, too */
};

/* --- one --- */

static void
generation_clear (gpointer data)
{
  FlGeneration *generation = data;
  g_array_unref (generation->occupancies);
  g_array_unref (generation->curves);
  g_array_unref (generation->coverage);
}

FlGeneration *
fl_generation_ref (FlGeneration *generation)
{
  return g_atomic_rc_box_acquire (generation);
}

void
fl_generation_unref (FlGeneration *generation)
{
  g_atomic_rc_box_release_full (generation, generation_clear);
}

static FlGeneration *
generation_new (gint64 attempt, guint32 number)
{
  FlGeneration *generation = g_atomic_rc_box_new0 (FlGeneration);
  *generation = (FlGeneration){ .attempt = attempt,
                                .row.number = number,
                                .occupancies = g_array_new (FALSE, FALSE, sizeof (FlOccupancyRow)),
                                .curves = g_array_new (FALSE, FALSE, sizeof (FlCurveRow)),
                                .coverage = g_array_new (FALSE, FALSE, sizeof (FlCoverageRow)) };
  return generation;
}

static FlGeneration *
generation_copy (const FlGeneration *from)
{
  FlGeneration *generation = g_atomic_rc_box_new0 (FlGeneration);
  *generation = (FlGeneration){ .attempt = from->attempt,
                                .row = from->row,
                                .occupancies = g_array_copy (from->occupancies),
                                .curves = g_array_copy (from->curves),
                                .coverage = g_array_copy (from->coverage) };
  return generation;
}

char *
fl_generation_volume (const FlGeneration *generation, guint conformation)
{
  for (guint i = 0; i < generation->occupancies->len; i++)
    {
      const FlOccupancyRow *row = &g_array_index (generation->occupancies, FlOccupancyRow, i);
      if (row->conformation == conformation && row->volume != 0)
        return g_strdup_printf ("volumes/g%04u-c%u.mrc", row->generation, conformation);
    }
  return NULL;
}

/* --- the reader --- */

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  fl_generation_unref (entry->generation);
  g_free (entry);
}

FlGenerations *
fl_generations_new (gint64 job)
{
  FlGenerations *generations = g_new0 (FlGenerations, 1);
  generations->job = job;
  generations->first = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  generations->entries = g_hash_table_new_full (NULL, NULL, NULL, entry_free);
  return generations;
}

void
fl_generations_free (FlGenerations *generations)
{
  if (generations == NULL)
    return;
  g_hash_table_unref (generations->first);
  g_hash_table_unref (generations->entries);
  g_free (generations);
}

/* A later attempt has begun at that number or before. */
static gboolean
is_past (const FlGenerations *generations, gint64 attempt, guint32 number)
{
  GHashTableIter iter;
  gpointer other, first;
  g_hash_table_iter_init (&iter, generations->first);
  while (g_hash_table_iter_next (&iter, &other, &first))
    if (*(gint64 *) other > attempt && GPOINTER_TO_UINT (first) <= number)
      return TRUE;
  return FALSE;
}

static gboolean
is_entry_past (gpointer key, gpointer value, gpointer data)
{
  const Entry *entry = value;
  return is_past (data, entry->generation->attempt, GPOINTER_TO_UINT (key));
}

static void
note_first (FlGenerations *generations, gint64 attempt, guint32 number)
{
  gpointer first;
  if (g_hash_table_lookup_extended (generations->first, &attempt, NULL, &first)
      && GPOINTER_TO_UINT (first) <= number)
    return;
  g_hash_table_insert (generations->first, g_memdup2 (&attempt, sizeof attempt), GUINT_TO_POINTER (number));
  g_hash_table_foreach_remove (generations->entries, is_entry_past, generations);
}

/* To be written to; NULL: what a later attempt has has taken its place. */
static Entry *
entry_of (FlGenerations *generations, gint64 attempt, guint32 number)
{
  note_first (generations, attempt, number);
  if (is_past (generations, attempt, number))
    return NULL;
  Entry *entry = g_hash_table_lookup (generations->entries, GUINT_TO_POINTER (number));
  if (entry == NULL)
    {
      entry = g_new0 (Entry, 1);
      entry->generation = generation_new (attempt, number);
      g_hash_table_insert (generations->entries, GUINT_TO_POINTER (number), entry);
    }
  else if (entry->listed)
    {
      FlGeneration *copy = generation_copy (entry->generation);
      fl_generation_unref (entry->generation);
      entry->generation = copy;
      entry->listed = FALSE;
    }
  return entry;
}

static void
take_row (FlGenerations *generations, gint64 attempt, const FlBatch *batch, guint i)
{
  union
  {
    FlGenerationRow whole;
    FlOccupancyRow occupancy;
    FlCurveRow curve;
    FlCoverageRow coverage;
    guint32 number; /* the first member of each */
  } row;
  fl_batch_row (batch, i, &row);
  Entry *entry = entry_of (generations, attempt, row.number);
  if (entry == NULL)
    return;
  switch (fl_batch_kind (batch))
    {
    case FL_KIND_GENERATION:
      entry->generation->row = row.whole;
      entry->whole = TRUE;
      break;
    case FL_KIND_OCCUPANCY:
      g_array_append_val (entry->generation->occupancies, row.occupancy);
      break;
    case FL_KIND_CURVE:
      g_array_append_val (entry->generation->curves, row.curve);
      break;
    default:
      g_array_append_val (entry->generation->coverage, row.coverage);
    }
}

gboolean
fl_generations_update (FlGenerations *generations, FlStore *store, gboolean *changed, GError **error)
{
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autoptr (GPtrArray) slices =
          fl_store_slices (store, (int) kinds[k], generations->job, generations->cursors[k], 0, error);
      if (slices == NULL)
        return FALSE;
      for (guint s = 0; s < slices->len; s++)
        {
          const FlSlice *slice = slices->pdata[s];
          g_autoptr (FlBatch) batch = fl_batch_decode (g_bytes_get_data (slice->packed, NULL),
                                                       g_bytes_get_size (slice->packed), NULL);
          for (guint i = 0; batch != NULL && i < fl_batch_rows (batch); i++)
            take_row (generations, slice->attempt, batch, i);
          generations->cursors[k] = slice->row;
        }
      generations->changed |= slices->len > 0;
    }
  if (changed != NULL)
    *changed = generations->changed;
  generations->changed = FALSE;
  return TRUE;
}

/* --- the list --- */

static int
by_number (gconstpointer a, gconstpointer b)
{
  const FlGeneration *x = *(FlGeneration *const *) a, *y = *(FlGeneration *const *) b;
  return (x->row.number > y->row.number) - (x->row.number < y->row.number);
}

static int
by_conformation (gconstpointer a, gconstpointer b)
{
  return (int) ((const FlOccupancyRow *) a)->conformation - (int) ((const FlOccupancyRow *) b)->conformation;
}

static int
by_curve (gconstpointer a, gconstpointer b)
{
  const FlCurveRow *x = a, *y = b;
  if (x->conformation != y->conformation)
    return (int) x->conformation - (int) y->conformation;
  if (x->curve != y->curve)
    return (int) x->curve - (int) y->curve;
  return (x->s > y->s) - (x->s < y->s);
}

GPtrArray *
fl_generations_list (FlGenerations *generations)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_generation_unref);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, generations->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Entry *entry = value;
      if (!entry->whole)
        continue;
      if (!entry->listed)
        {
          g_array_sort (entry->generation->occupancies, by_conformation);
          g_array_sort (entry->generation->curves, by_curve);
          entry->listed = TRUE;
        }
      g_ptr_array_add (list, fl_generation_ref (entry->generation));
    }
  g_ptr_array_sort (list, by_number);
  return list;
}
