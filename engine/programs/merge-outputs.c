/* The files of a merge. None of them, but the journal, says when or on how many ranks it was made: they can be compared. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/journal.h"
#include "engine/base/units.h"
#include "engine/crystal/asu.h"
#include "engine/crystal/hkl-file.h"
#include "engine/crystal/mtz.h"
#include "engine/programs/json-text.h"
#include "engine/programs/merge-job.h"

/* Numbers of the reflections that are written. */
static GArray *
written (const FlMergeJob *job)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < job->result->n; i++)
    if (job->result->all[i].n > 0 && isfinite (job->result->all[i].intensity))
      g_array_append_val (numbers, i);
  return numbers;
}

static gboolean
write_hkl (const FlMergeJob *job, const GArray *numbers, const char *path, GError **error)
{
  g_autofree FlHklRow *rows = g_new0 (FlHklRow, numbers->len + 1);
  for (guint i = 0; i < numbers->len; i++)
    {
      guint number = g_array_index (numbers, guint, i);
      const FlMerged *m = &job->result->all[number];
      rows[i] = (FlHklRow){ fl_unique_list_at (job->list, number)->hkl, (double) m->intensity,
                            (double) m->sigma, m->n };
    }
  return fl_hkl_file_write (path, job->symmetry, rows, numbers->len, error);
}

/* --- MTZ --- */

/* CCP4's numbers: 0 is the free set. By content, so that a reflection keeps its flag whatever else is merged. */
static float
free_flag (FlMiller hkl, guint sets)
{
  const gint32 content[] = { hkl.h, hkl.k, hkl.l };
  return (float) (fl_hash64 (content, sizeof content, 0x46726565) % sets);
}

/* I(+) is the mate that the file's index names, which may be the representative's other one. */
static void
fill_mates (const FlMergeJob *job, FlMtz *mtz, const GArray *numbers, guint first)
{
  FlAsu asu = fl_asu_new (job->symmetry);
  for (guint i = 0; i < numbers->len; i++)
    {
      guint number = g_array_index (numbers, guint, i), isym;
      const FlUnique *unique = fl_unique_list_at (job->list, number);
      float *row = mtz->data + (gsize) i * mtz->n_columns + first;
      fl_asu_map (&asu, job->symmetry, unique->hkl, &isym);
      for (guint mate = 0; mate < 2; mate++)
        {
          guint from = unique->centric ? 0 : mate ^ (isym % 2 == 0);
          const FlMerged *m = &job->result->mate[from][number];
          row[2 * mate] = m->n > 0 ? m->intensity : NAN;
          row[2 * mate + 1] = m->n > 0 ? m->sigma : NAN;
        }
    }
}

static gboolean
write_mtz (const FlMergeJob *job, const GArray *numbers, const char *path, GError **error)
{
  guint n = numbers->len;
  g_autofree FlMiller *hkl = g_new (FlMiller, n + 1);
  g_autofree double *values = g_new (double, 2 * (gsize) n + 1);
  g_autofree guint *counts = g_new (guint, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const FlMerged *m = &job->result->all[g_array_index (numbers, guint, i)];
      hkl[i] = fl_unique_list_at (job->list, g_array_index (numbers, guint, i))->hkl;
      values[i] = (double) m->intensity;
      values[n + i] = (double) m->sigma;
      counts[i] = m->n;
    }
  double wavelength = job->row.energy > 0 ? FL_EV_ANGSTROM / (double) job->row.energy : 0;
  g_autoptr (FlMtz) mtz =
      fl_mtz_new_merged (&job->cell, job->symmetry, wavelength, n, hkl, values, values + n, counts);
  if (job->result->mate[0] != NULL)
    {
      guint first = fl_mtz_add_column (mtz, "I(+)", 'K');
      fl_mtz_add_column (mtz, "SIGI(+)", 'M');
      fl_mtz_add_column (mtz, "I(-)", 'K');
      fl_mtz_add_column (mtz, "SIGI(-)", 'M');
      fill_mates (job, mtz, numbers, first);
    }
  double fraction = fl_params_real (job->params, "merge.free_fraction");
  if (fraction > 0)
    {
      guint column = fl_mtz_add_column (mtz, "FreeR_flag", 'I');
      for (guint i = 0; i < n; i++)
        mtz->data[(gsize) i * mtz->n_columns + column] = free_flag (hkl[i], (guint) lrint (1 / fraction));
    }
  return fl_mtz_write (path, mtz, error);
}

/* --- records --- */

static void
fill_row (FlMergeJob *job, guint64 started)
{
  FlMergeRow *row = &job->row;
  row->time = fl_now_ns ();
  row->seconds = (float) (1e-9 * (double) (fl_tick_ns () - started));
  row->lattices = job->set->n_lattices;
  row->used = job->counts[FL_MERGE_ACCEPTED];
  row->reindexed = (guint32) job->reindexed;
  row->ambiguity = job->ambiguity;
  row->space_group = (guint16) job->group.number;
  row->anomalous = job->result->mate[0] != NULL;
  row->reference = fl_params_text (job->params, "merge.reference");
  row->lattice_sum = job->lattice_sum;
  row->parent_sum = job->parent_sum;
  row->cycles = job->cycles;
}

static FlBatch *
batch_of (FlKind kind, const GArray *rows)
{
  FlBatch *batch = fl_batch_new (kind);
  for (guint i = 0; i < rows->len; i++)
    fl_batch_append (batch, rows->data + (gsize) i * fl_schema (kind)->row_size);
  return batch;
}

static FlBatch *
rejections (const FlMergeJob *job)
{
  FlBatch *batch = fl_batch_new (FL_KIND_REJECTION);
  for (guint i = FL_MERGE_ACCEPTED + 1; i < FL_MERGE_REASON_LAST; i++)
    {
      FlRejectionRow row = { .reason = fl_merge_reason_words (i), .lattices = job->counts[i] };
      if (row.lattices > 0)
        fl_batch_append (batch, &row);
    }
  FlRejectionRow outliers = { .reason = "far from the median of its reflection",
                              .observations = job->result->outliers };
  if (outliers.observations > 0)
    fl_batch_append (batch, &outliers);
  return batch;
}

/* --- JSON --- */

static gboolean
write_json (const FlMergeJob *job, FlBatch *const batches[3], const char *path, GError **error)
{
  static const char *const times[] = { "time", "seconds", NULL };
  g_autoptr (GString) out = g_string_new ("{\n  \"program\": \"firstlight-engine merge " FL_VERSION "\"");
  fl_json_parameters (out, job->params, "merge.");
  g_string_append (out, ",\n  \"merge\": ");
  fl_json_row (out, FL_KIND_MERGE, &job->row, times);
  fl_json_batch (out, "shells", batches[0], NULL);
  fl_json_batch (out, "rejections", batches[1], NULL);
  fl_json_batch (out, "trend", batches[2], NULL);
  g_string_append (out, "\n}\n");
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

/* --- all --- */

static gboolean
write_journal (const FlMergeJob *job, FlBatch *const batches[3], GError **error)
{
  g_autoptr (FlBatch) merge = fl_batch_new (FL_KIND_MERGE);
  g_autoptr (FlJournalWriter) journal = fl_journal_writer_open (job->attempt_dir, 0, error);
  fl_batch_append (merge, &job->row);
  FlBatch *const all[] = { merge, batches[0], batches[1], batches[2] };
  return journal != NULL && fl_journal_writer_append (journal, all, G_N_ELEMENTS (all), error)
         && fl_journal_writer_close (g_steal_pointer (&journal), error);
}

gboolean
fl_merge_job_write (FlMergeJob *job, guint64 started, GError **error)
{
  g_autofree char *mtz = g_build_filename (job->out, "merged.mtz", NULL);
  g_autofree char *hkl = g_build_filename (job->out, "merged.hkl", NULL);
  g_autofree char *json = g_build_filename (job->out, "merge.json", NULL);
  g_autofree char *state = g_build_filename (job->out, "merge.state", NULL);
  g_autoptr (GArray) numbers = written (job);
  fill_row (job, started);
  g_autoptr (FlBatch) shells = batch_of (FL_KIND_SHELL, job->shells);
  g_autoptr (FlBatch) trend = batch_of (FL_KIND_TREND, job->trend);
  g_autoptr (FlBatch) rejected = rejections (job);
  FlBatch *const batches[] = { shells, rejected, trend };
  return write_mtz (job, numbers, mtz, error) && write_hkl (job, numbers, hkl, error)
         && write_json (job, batches, json, error) && fl_merge_state_write (job->state, state, error)
         && write_journal (job, batches, error);
}
