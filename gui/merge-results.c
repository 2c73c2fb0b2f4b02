#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/merge-results.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/text.h"

static void
merge_free (gpointer data)
{
  FlgMerge *merge = data;
  const char **texts[] = { &merge->row.ambiguity, &merge->row.error_model, &merge->row.reference,
                           &merge->row.lattice_sum, &merge->row.parent_sum };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free ((char *) *texts[i]);
  g_array_unref (merge->shells);
  g_ptr_array_unref (merge->reasons);
  g_free (merge);
}

/* The rows of a kind from the job's newest attempt that has any. NULL: there are none. */
static FlBatch *
newest_batch (FlStore *store, FlKind kind, gint64 job, GError **error)
{
  g_autoptr (GPtrArray) slices = fl_store_slices (store, (int) kind, job, 0, 0, error);
  FlBatch *found = NULL;
  gint64 attempt = 0;
  for (guint i = 0; slices && i < slices->len; i++)
    {
      const FlSlice *slice = slices->pdata[i];
      g_autoptr (FlBatch) batch =
          fl_batch_decode (g_bytes_get_data (slice->packed, NULL), g_bytes_get_size (slice->packed), NULL);
      if (!batch || slice->attempt < attempt)
        continue;
      if (slice->attempt > attempt)
        g_clear_pointer (&found, fl_batch_free);
      attempt = slice->attempt;
      if (found)
        fl_batch_append_all (found, batch);
      else
        found = g_steal_pointer (&batch);
    }
  return found;
}

static int
by_number (gconstpointer a, gconstpointer b)
{
  return (int) ((const FlShellRow *) a)->number - (int) ((const FlShellRow *) b)->number;
}

static void
take_reasons (FlgMerge *merge, const FlBatch *batch)
{
  for (guint i = 0; batch && i < fl_batch_rows (batch); i++)
    {
      FlRejectionRow row;
      fl_batch_row (batch, i, &row);
      gboolean lattices = row.lattices > 0;
      g_autofree char *count = flg_format_count ((gint64) (lattices ? row.lattices : row.observations));
      g_ptr_array_add (merge->reasons,
                       g_strdup_printf (lattices ? _ ("%s lattices: %s") : _ ("%s observations: %s"), count,
                                        row.reason ? row.reason : ""));
    }
}

/* NULL without error: the job has not merged anything yet. */
static FlgMerge *
read_merge (FlStore *store, const FlJob *job, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlBatch) whole = newest_batch (store, FL_KIND_MERGE, job->id, &failed);
  g_autoptr (FlBatch) shells =
      failed || !whole ? NULL : newest_batch (store, FL_KIND_SHELL, job->id, &failed);
  g_autoptr (FlBatch) reasons =
      failed || !whole ? NULL : newest_batch (store, FL_KIND_REJECTION, job->id, &failed);
  if (failed)
    g_propagate_error (error, g_steal_pointer (&failed));
  if (!whole || !shells || fl_batch_rows (whole) == 0)
    return NULL;
  FlgMerge *merge = g_new0 (FlgMerge, 1);
  merge->job = job->id;
  merge->shells = g_array_new (FALSE, TRUE, sizeof (FlShellRow));
  merge->reasons = g_ptr_array_new_with_free_func (g_free);
  fl_batch_row (whole, fl_batch_rows (whole) - 1, &merge->row);
  const char **texts[] = { &merge->row.ambiguity, &merge->row.error_model, &merge->row.reference,
                           &merge->row.lattice_sum, &merge->row.parent_sum };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    *texts[i] = g_strdup (*texts[i] ? *texts[i] : "");
  for (guint i = 0; i < fl_batch_rows (shells); i++)
    {
      FlShellRow row;
      fl_batch_row (shells, i, &row);
      g_array_append_val (merge->shells, row);
    }
  g_array_sort (merge->shells, by_number);
  take_reasons (merge, reasons);
  return merge;
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  const FlgMerge *x = *(FlgMerge *const *) a, *y = *(FlgMerge *const *) b;
  return x->version != y->version ? y->version - x->version : x->job < y->job ? 1 : -1;
}

gpointer
flg_merges_read (FlStore *store, gpointer data, GError **error)
{
  const FlgMergeQuestion *question = data;
  g_autoptr (GPtrArray) versions = fl_store_list (store, FL_TABLE_DATASET_VERSION, error);
  g_autoptr (GPtrArray) jobs = versions ? fl_store_list (store, FL_TABLE_JOB, error) : NULL;
  g_autoptr (GPtrArray) merges = g_ptr_array_new_with_free_func (merge_free);
  g_autoptr (GError) failed = NULL;
  if (!jobs)
    return NULL;
  for (guint v = versions->len; v > 0 && merges->len < question->most; v--)
    {
      const FlDatasetVersion *version = versions->pdata[v - 1];
      for (guint j = 0; version->dataset == question->dataset && j < jobs->len; j++)
        {
          const FlJob *job = jobs->pdata[j];
          FlgMerge *merge = job->version == version->id ? read_merge (store, job, &failed) : NULL;
          if (failed)
            {
              g_propagate_error (error, g_steal_pointer (&failed));
              return NULL;
            }
          if (!merge)
            continue;
          merge->version = version->number;
          g_ptr_array_add (merges, merge);
        }
    }
  g_ptr_array_sort (merges, newest_first);
  return g_steal_pointer (&merges);
}
