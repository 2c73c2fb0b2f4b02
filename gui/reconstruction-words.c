#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/reconstruction-words.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "gui/job-words.h"
#include "gui/text.h"

/* Whether it waits for anything makes no difference here. */
static const char *
state_name (const FlJob *job)
{
  return flg_shown_state_name (flg_job_shown_state (job, 0));
}

static void
append_half_sets (GString *text, const FlGenerationRow *row, const FlGenerationRow *told)
{
  if (!told)
    {
      g_string_append (text, _ (" · resolution not told yet"));
      return;
    }
  g_string_append_printf (text, _ (" · half sets to %.1f Å"), (double) told->half_resolution);
  if (isfinite (told->half_low) && isfinite (told->half_high))
    g_string_append_printf (text, " (%.1f–%.1f)", (double) fminf (told->half_low, told->half_high),
                            (double) fmaxf (told->half_low, told->half_high));
  else if (!isfinite (told->half_low))
    g_string_append (text, _ (", the edge of the data"));
  if (isfinite (told->prtf_resolution))
    g_string_append_printf (text, _ (" · PRTF to %.1f Å"), (double) told->prtf_resolution);
  if (told != row)
    g_string_append_printf (text, _ (" in generation %u"), told->number);
}

char *
flg_generation_words (const FlGenerationRow *row, const FlGenerationRow *told, guint64 now)
{
  g_autofree char *age = flg_format_span (now > row->time ? now - row->time : 0),
                  *patterns = flg_format_count (row->patterns), *held = flg_format_count (row->held_back),
                  *orientations = flg_format_count (row->orientations);
  GString *text = g_string_new (NULL);
  g_string_printf (text, _ ("generation %u, stage %u, %s ago"), row->number, row->stage + 1u, age);
  append_half_sets (text, row, told);
  g_string_append_printf (text, _ (" · %s patterns, %s held back · %s orientations"), patterns, held,
                          orientations);
  return g_string_free (text, FALSE);
}

char *
flg_reconstruction_end_words (const FlJob *job)
{
  if (!job || job->state == FL_JOB_DONE || !fl_job_state_is_final (job->state))
    return g_strdup ("");
  g_autofree char *reason = flg_text_bounded (job->reason, 200);
  return g_strdup_printf (" · %s%s%s", state_name (job), *reason ? ": " : "", reason);
}

static gboolean
is_reconstruct (FlgExperiment *experiment, gint64 task)
{
  FlgRecord *record = flg_record_model_find (flg_experiment_table (experiment, FL_TABLE_TASK), task);
  return record && strcmp (flg_record_task (record)->type, "reconstruct") == 0;
}

static const FlJob *
newest_job (FlgExperiment *experiment, gint64 dataset)
{
  FlgRecordModel *jobs = flg_experiment_table (experiment, FL_TABLE_JOB);
  const FlJob *newest = NULL;
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      const FlJob *job = flg_record_job (flg_record_model_at (jobs, i));
      if (job->dataset == dataset && is_reconstruct (experiment, job->task))
        newest = job;
    }
  return newest;
}

static gboolean
has_step (FlgExperiment *experiment, gint64 dataset)
{
  FlgRecordModel *steps = flg_experiment_table (experiment, FL_TABLE_DATASET_TASK);
  for (guint i = 0; i < flg_record_model_count (steps); i++)
    {
      const FlDatasetTask *step = flg_record_dataset_task (flg_record_model_at (steps, i));
      if (step->dataset == dataset && is_reconstruct (experiment, step->task))
        return TRUE;
    }
  return FALSE;
}

char *
flg_reconstruction_missing (FlgExperiment *experiment, gint64 dataset)
{
  if (flg_record_model_count (flg_experiment_table (experiment, FL_TABLE_DATASET)) == 0)
    return g_strdup (_ ("There is no dataset yet: the Datasets page makes one of tags and tasks."));
  const FlJob *job = newest_job (experiment, dataset);
  if (job && (fl_job_state_is_final (job->state) && job->state != FL_JOB_DONE))
    {
      g_autofree char *reason = flg_text_bounded (job->reason, 200);
      return g_strdup_printf (_ ("The reconstruction is %s%s%s"), state_name (job), *reason ? ": " : ".",
                              reason);
    }
  if (job && job->state == FL_JOB_DONE)
    return g_strdup (_ ("The reconstruction is done, but no generation of it has reached the store."));
  if (job)
    return g_strdup_printf (
        _ ("The reconstruction is %s: its first generation is shown as soon as it is there."),
        state_name (job));
  if (has_step (experiment, dataset))
    return g_strdup (_ ("The first version with hits is reconstructed."));
  return g_strdup (_ ("On the Datasets page, add a task of type “hits”, which finds the patterns of single "
                      "particles, and one of type “reconstruct” behind it."));
}
