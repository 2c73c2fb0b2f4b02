#include "engine/control/archive-compare.h"

#include <math.h>
#include <string.h>

#include "engine/base/batch.h"
#include "engine/base/units.h"
#include "engine/store/stats.h"

#define MOST_LATTICES 100000u /* of a trial, that medians are taken over */
#define SLICES        256u    /* read at a time */

static const struct
{
  const char *name, *unit;
  int digits;
} numbers[FL_RESULT_LAST] = {
  [FL_RESULT_RUNS] = { "runs", "", 0 },
  [FL_RESULT_SHOTS] = { "shots", "", 0 },
  [FL_RESULT_HITS] = { "hits", "", 0 },
  [FL_RESULT_INDEXED] = { "indexed", "", 0 },
  [FL_RESULT_LATTICES] = { "lattices", "", 0 },
  [FL_RESULT_PATTERNS] = { "patterns", "", 0 },
  [FL_RESULT_A] = { "a", "Å", 2 },
  [FL_RESULT_B] = { "b", "Å", 2 },
  [FL_RESULT_C] = { "c", "Å", 2 },
  [FL_RESULT_ALPHA] = { "alpha", "°", 2 },
  [FL_RESULT_BETA] = { "beta", "°", 2 },
  [FL_RESULT_GAMMA] = { "gamma", "°", 2 },
  [FL_RESULT_RESOLUTION] = { "resolution", "Å", 2 },
  [FL_RESULT_CC_HALF] = { "cc_half", "", 4 },
  [FL_RESULT_R_SPLIT] = { "r_split", "", 4 },
  [FL_RESULT_COMPLETENESS] = { "completeness", "%", 1 },
  [FL_RESULT_MULTIPLICITY] = { "multiplicity", "", 2 },
};

const char *
fl_result_number_name (FlResultNumber number)
{
  return numbers[number].name;
}

const char *
fl_result_number_unit (FlResultNumber number)
{
  return numbers[number].unit;
}

char *
fl_result_number_text (FlResultNumber number, double value)
{
  if (isnan (value))
    return g_strdup ("–");
  double shown = number == FL_RESULT_COMPLETENESS ? 100 * value : value;
  return g_strdup_printf ("%.*f", numbers[number].digits, shown);
}

static void
result_free (gpointer data)
{
  FlResult *result = data;
  g_free (result->name);
  g_free (result->of);
  g_free (result);
}

static FlResult *
result_new (char *name, char *of)
{
  FlResult *result = g_new0 (FlResult, 1);
  result->name = name;
  result->of = of;
  for (guint i = 0; i < FL_RESULT_LAST; i++)
    result->values[i] = NAN;
  return result;
}

/* --- reading --- */

typedef struct
{
  gint64 trial;
  guint64 lattices;
  GArray *of[7]; /* float: cell, resolution */
} Lattices;

static void
lattices_free (gpointer data)
{
  Lattices *lattices = data;
  for (guint i = 0; i < G_N_ELEMENTS (lattices->of); i++)
    g_array_unref (lattices->of[i]);
  g_free (lattices);
}

/* What a version has come to. */
typedef struct
{
  FlKind kind; /* FL_KIND_MERGE or FL_KIND_GENERATION */
  union
  {
    FlMergeRow merge; /* texts not to be read */
    FlGenerationRow generation;
  } row;
} FlDone;

typedef struct
{
  FlStore *store;
  FlStats *stats;
  GPtrArray *jobs, *trials, *datasets, *versions, *inputs;
  GHashTable *job_by_id;   /* id -> FlJob of `jobs` */
  GHashTable *lattices;    /* trial's id -> Lattices */
  GHashTable *merges;      /* version's id -> FlDone */
  GHashTable *merge_tries; /* version's id -> attempt that the row is of */
  GPtrArray *results;
} Reader;

static void
reader_clear (Reader *reader)
{
  GPtrArray *lists[] = { reader->jobs, reader->trials, reader->datasets, reader->versions, reader->inputs };
  GHashTable *tables[] = { reader->job_by_id, reader->lattices, reader->merges, reader->merge_tries };
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_clear_pointer (&lists[i], g_ptr_array_unref);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    g_clear_pointer (&tables[i], g_hash_table_unref);
  fl_stats_free (reader->stats);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static void
take_lattices (Reader *reader, const FlBatch *batch, gint64 trial)
{
  Lattices *all = g_hash_table_lookup (reader->lattices, &trial);
  if (all == NULL)
    {
      all = g_new0 (Lattices, 1);
      all->trial = trial;
      for (guint i = 0; i < G_N_ELEMENTS (all->of); i++)
        all->of[i] = g_array_new (FALSE, FALSE, sizeof (float));
      g_hash_table_insert (reader->lattices, &all->trial, all);
    }
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    {
      FlLatticeRow row;
      fl_batch_row (batch, i, &row);
      if (all->lattices++ >= MOST_LATTICES)
        continue;
      for (guint k = 0; k < 6; k++)
        g_array_append_val (all->of[k], row.cell[k]);
      if (row.resolution > 0)
        g_array_append_val (all->of[6], row.resolution);
    }
}

/* The newest row of the newest attempt that has one: of a merge, or a generation of a reconstruction. */
static void
take_merge (Reader *reader, const FlBatch *batch, FlKind kind, const FlJob *job, gint64 attempt)
{
  gint64 *known = g_hash_table_lookup (reader->merge_tries, &job->version);
  if (fl_batch_rows (batch) == 0 || (known != NULL && *known > attempt))
    return;
  FlDone *done = g_new0 (FlDone, 1);
  done->kind = kind;
  fl_batch_row (batch, fl_batch_rows (batch) - 1, &done->row);
  g_hash_table_insert (reader->merges, g_memdup2 (&job->version, sizeof job->version), done);
  g_hash_table_insert (reader->merge_tries, g_memdup2 (&job->version, sizeof job->version),
                       g_memdup2 (&attempt, sizeof attempt));
}

static gboolean
read_slices (Reader *reader, FlKind kind, GError **error)
{
  for (gint64 after = 0;;)
    {
      g_autoptr (GPtrArray) slices = fl_store_slices (reader->store, (int) kind, 0, after, SLICES, error);
      if (slices == NULL)
        return FALSE;
      for (guint i = 0; i < slices->len; i++)
        {
          const FlSlice *slice = slices->pdata[i];
          const FlJob *job = g_hash_table_lookup (reader->job_by_id, &slice->job);
          g_autoptr (FlBatch) batch = fl_batch_decode (g_bytes_get_data (slice->packed, NULL),
                                                       g_bytes_get_size (slice->packed), NULL);
          after = slice->row;
          if (batch != NULL && job != NULL && kind == FL_KIND_LATTICE)
            take_lattices (reader, batch, job->trial);
          else if (batch != NULL && job != NULL)
            take_merge (reader, batch, kind, job, slice->attempt);
        }
      if (slices->len < SLICES)
        return TRUE;
    }
}

static gboolean
read_all (Reader *reader, GError **error)
{
  const struct
  {
    FlTable table;
    GPtrArray **list;
  } lists[] = { { FL_TABLE_JOB, &reader->jobs },
                { FL_TABLE_TRIAL, &reader->trials },
                { FL_TABLE_DATASET, &reader->datasets },
                { FL_TABLE_DATASET_VERSION, &reader->versions },
                { FL_TABLE_VERSION_JOB, &reader->inputs } };
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      *lists[i].list = fl_store_list (reader->store, lists[i].table, error);
      if (*lists[i].list == NULL)
        return FALSE;
    }
  for (guint i = 0; i < reader->jobs->len; i++)
    {
      FlJob *job = reader->jobs->pdata[i];
      g_hash_table_insert (reader->job_by_id, &job->id, job);
    }
  return fl_stats_update (reader->stats, reader->store, NULL, error)
         && read_slices (reader, FL_KIND_LATTICE, error) && read_slices (reader, FL_KIND_MERGE, error)
         && read_slices (reader, FL_KIND_GENERATION, error);
}

/* --- in numbers --- */

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

static double
median (GArray *values)
{
  if (values->len == 0)
    return NAN;
  g_array_sort (values, compare_floats);
  guint half = values->len / 2;
  double upper = (double) g_array_index (values, float, half);
  return values->len % 2 == 1 ? upper : 0.5 * (upper + (double) g_array_index (values, float, half - 1));
}

static double
in_degrees (double angle)
{
  return angle * (180 / G_PI);
}

static void
add_counts (FlResult *result, const FlJobStats *stats)
{
  result->values[FL_RESULT_SHOTS] += (double) stats->shots;
  result->values[FL_RESULT_HITS] += (double) stats->hits;
  result->values[FL_RESULT_INDEXED] += (double) stats->indexed;
}

static void
begin_counts (FlResult *result, guint runs)
{
  result->values[FL_RESULT_RUNS] = runs;
  result->values[FL_RESULT_SHOTS] = result->values[FL_RESULT_HITS] = result->values[FL_RESULT_INDEXED] = 0;
}

static void
add_trial (Reader *reader, const FlTrial *trial)
{
  g_autoptr (GHashTable) runs = g_hash_table_new (g_int64_hash, g_int64_equal);
  Lattices *lattices = g_hash_table_lookup (reader->lattices, &trial->id);
  FlJobStats stats;
  for (guint i = 0; i < reader->jobs->len; i++)
    {
      FlJob *job = reader->jobs->pdata[i];
      if (job->trial == trial->id && job->run != 0 && fl_stats_job (reader->stats, job->id) != NULL)
        g_hash_table_add (runs, &job->run);
    }
  if (!fl_stats_trial (reader->stats, trial->id, &stats))
    return;
  FlResult *result = result_new (g_strdup_printf ("trial %d %s", trial->number, trial->name), g_strdup (""));
  begin_counts (result, g_hash_table_size (runs));
  add_counts (result, &stats);
  for (guint k = 0; lattices != NULL && k < 6; k++)
    {
      double value = median (lattices->of[k]);
      result->values[FL_RESULT_A + k] = k < 3 ? value : in_degrees (value);
    }
  if (lattices != NULL)
    {
      result->values[FL_RESULT_LATTICES] = (double) lattices->lattices;
      result->values[FL_RESULT_RESOLUTION] = median (lattices->of[6]);
    }
  g_ptr_array_add (reader->results, result);
}

/* The newest version that has come to something; else the newest. NULL: none. */
static const FlDatasetVersion *
version_of (const Reader *reader, const FlDataset *dataset)
{
  const FlDatasetVersion *best = NULL;
  gboolean best_merged = FALSE;
  for (guint i = 0; i < reader->versions->len; i++)
    {
      const FlDatasetVersion *version = reader->versions->pdata[i];
      gboolean merged = g_hash_table_contains (reader->merges, &version->id);
      if (version->dataset == dataset->id
          && (best == NULL || merged > best_merged
              || (merged == best_merged && version->number > best->number)))
        {
          best = version;
          best_merged = merged;
        }
    }
  return best;
}

static void
add_merge (FlResult *result, const FlMergeRow *row)
{
  result->values[FL_RESULT_LATTICES] = (double) row->used;
  for (guint k = 0; k < 6; k++)
    result->values[FL_RESULT_A + k] = k < 3 ? (double) row->cell[k] : in_degrees ((double) row->cell[k]);
  result->values[FL_RESULT_RESOLUTION] = (double) row->d_min;
  result->values[FL_RESULT_CC_HALF] = (double) row->cc_half;
  result->values[FL_RESULT_R_SPLIT] = (double) row->r_split;
  result->values[FL_RESULT_COMPLETENESS] = (double) row->completeness;
  result->values[FL_RESULT_MULTIPLICITY] = (double) row->multiplicity;
}

static void
add_dataset (Reader *reader, const FlDataset *dataset)
{
  const FlDatasetVersion *version = version_of (reader, dataset);
  g_autoptr (GHashTable) runs = g_hash_table_new (g_int64_hash, g_int64_equal);
  if (version == NULL)
    return;
  FlResult *result = result_new (g_strdup_printf ("dataset %s", dataset->name),
                                 g_strdup_printf ("version %d", version->number));
  begin_counts (result, 0);
  for (guint i = 0; i < reader->inputs->len; i++)
    {
      const FlVersionJob *input = reader->inputs->pdata[i];
      FlJob *job =
          input->version == version->id ? g_hash_table_lookup (reader->job_by_id, &input->job) : NULL;
      const FlJobStats *stats = job != NULL ? fl_stats_job (reader->stats, job->id) : NULL;
      if (stats != NULL)
        add_counts (result, stats);
      if (job != NULL && job->run != 0)
        g_hash_table_add (runs, &job->run);
    }
  result->values[FL_RESULT_RUNS] = g_hash_table_size (runs);
  const FlDone *done = g_hash_table_lookup (reader->merges, &version->id);
  if (done != NULL && done->kind == FL_KIND_MERGE)
    add_merge (result, &done->row.merge);
  else if (done != NULL)
    {
      result->values[FL_RESULT_PATTERNS] = done->row.generation.patterns;
      result->values[FL_RESULT_RESOLUTION] = (double) done->row.generation.half_resolution;
    }
  g_ptr_array_add (reader->results, result);
}

static int
by_number (gconstpointer a, gconstpointer b)
{
  return (*(FlTrial *const *) a)->number - (*(FlTrial *const *) b)->number;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FlDataset *const *) a)->name, (*(FlDataset *const *) b)->name);
}

GPtrArray *
fl_results_read (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (result_free);
  g_auto (Reader) reader = {
    .store = store,
    .stats = fl_stats_new (),
    .job_by_id = g_hash_table_new (g_int64_hash, g_int64_equal),
    .lattices = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, lattices_free),
    .merges = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free),
    .merge_tries = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free),
    .results = results,
  };
  if (!read_all (&reader, error))
    return NULL;
  g_ptr_array_sort (reader.trials, by_number);
  g_ptr_array_sort (reader.datasets, by_name);
  for (guint i = 0; i < reader.trials->len; i++)
    add_trial (&reader, reader.trials->pdata[i]);
  for (guint i = 0; i < reader.datasets->len; i++)
    add_dataset (&reader, reader.datasets->pdata[i]);
  return g_steal_pointer (&results);
}

/* --- side by side --- */

static const FlResult *
find (GPtrArray *results, const char *name)
{
  for (guint i = 0; i < results->len; i++)
    if (strcmp (((FlResult *) results->pdata[i])->name, name) == 0)
      return results->pdata[i];
  return NULL;
}

/* What people would read is what counts: two numbers that look the same are the same. */
static gboolean
differ (FlResultNumber number, double a, double b)
{
  g_autofree char *x = fl_result_number_text (number, a), *y = fl_result_number_text (number, b);
  return strcmp (x, y) != 0;
}

static void
add_pair (GArray *pairs, const FlResult *a, const FlResult *b)
{
  FlResultPair pair = { .side = { a, b }, .any = a == NULL || b == NULL };
  for (guint i = 0; i < FL_RESULT_LAST && a != NULL && b != NULL; i++)
    {
      pair.differs[i] = differ ((FlResultNumber) i, a->values[i], b->values[i]);
      pair.any |= pair.differs[i];
    }
  g_array_append_val (pairs, pair);
}

GArray *
fl_results_pair (GPtrArray *a, GPtrArray *b)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (FlResultPair));
  for (guint i = 0; i < a->len; i++)
    add_pair (pairs, a->pdata[i], find (b, ((FlResult *) a->pdata[i])->name));
  for (guint i = 0; i < b->len; i++)
    if (find (a, ((FlResult *) b->pdata[i])->name) == NULL)
      add_pair (pairs, NULL, b->pdata[i]);
  return pairs;
}
