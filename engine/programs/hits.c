/* hits: shots of single particles told apart, on any number of ranks: blank, one particle, several, junk. What it writes is
 * described in hits-job.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/dealt-job.h"
#include "engine/programs/hits-job.h"
#include "engine/programs/programs.h"
#include "engine/results/attempt.h"

#define PROGRESS_EVERY (3 * FL_NS_PER_S)
#define STRIKES        2 /* a shot in flight at so many deaths is set aside */

static gboolean
all_well (FlHitsJob *job, const GError *error, int *status)
{
  return fl_job_all_well (job->parallel, FL_HITS_PROGRAM, error, status);
}

/* --- setting up --- */

static void
list_sources (FlHitsJob *job)
{
  job->sources = fl_batch_new (FL_KIND_SOURCE);
  for (guint i = 0; i < job->inputs->len; i++)
    {
      const FlInput *input = job->inputs->pdata[i];
      FlSourceRow row = {
        .source = i, .frames = fl_input_n (input), .path = input->path, .message = input->message
      };
      fl_batch_append (job->sources, &row);
      if (input->message == NULL)
        continue;
      job->bad_sources++;
      fprintf (stderr, "%s: %s\n", FL_HITS_PROGRAM, input->message);
    }
}

static gboolean
begin_attempt (FlHitsJob *job, GError **error)
{
  const char *out = job->options.out;
  job->attempt = fl_attempt_make (out, (guint) job->options.attempt, error);
  if (job->attempt == 0)
    return FALSE;
  job->attempt_dir = fl_attempt_path (out, job->attempt);
  job->hold = fl_attempt_hold (job->attempt_dir);
  if (!fl_attempt_wait_for_earlier (out, job->attempt, FL_ATTEMPT_PATIENCE, error))
    return FALSE;
  job->history = fl_history_read (out, job->attempt, FALSE, error);
  return job->history != NULL
         && fl_job_params (job->parallel, out, job->attempt_dir, job->history, job->params, error);
}

/* What is to be done: not done yet; struck once: suspect; struck more often: set aside. */
static void
list_shots (FlHitsJob *job)
{
  job->todo = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  job->suspects = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  job->guilty = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  for (guint s = 0; s < job->inputs->len; s++)
    {
      const FlInput *input = job->inputs->pdata[s];
      for (guint32 i = 0; i < fl_input_n (input); i++)
        {
          FlShotRef ref = { s, fl_input_frame (input, i) };
          guint64 id = fl_shot_id (input->path, ref.frame);
          const FlStrikes *strikes = fl_history_strikes (job->history, id);
          if (fl_history_done (job->history, id) != NULL)
            continue;
          g_array_append_val (strikes == NULL            ? job->todo
                              : strikes->count < STRIKES ? job->suspects
                                                         : job->guilty,
                              ref);
        }
    }
}

static gboolean
note_rank (FlHitsJob *job, GError **error)
{
  g_autoptr (FlBatch) ranks = fl_batch_new (FL_KIND_RANK);
  FlRankRow row = { .rank = fl_parallel_rank (job->parallel),
                    .ranks = fl_parallel_ranks (job->parallel),
                    .pid = (guint32) getpid (),
                    .cores = g_get_num_processors (),
                    .host = g_get_host_name (),
                    .device = "cpu" };
  fl_batch_append (ranks, &row);
  if (job->first)
    fprintf (stderr, "attempt %u: %u ranks\n", job->attempt, row.ranks);
  return fl_journal_writer_append (job->journal, &ranks, 1, error)
         && (!job->first || fl_journal_writer_append (job->journal, &job->sources, 1, error));
}

/* Every rank, after the attempt's folder is there. */
static gboolean
open_rank (FlHitsJob *job, GError **error)
{
  FlParallel *parallel = job->parallel;
  if (!job->first)
    job->hold = fl_attempt_hold (job->attempt_dir);
  job->shots = fl_batch_new (FL_KIND_SHOT);
  job->particles = fl_batch_new (FL_KIND_PARTICLE);
  job->journal = fl_journal_writer_open (job->attempt_dir, fl_parallel_rank (parallel), error);
  if (job->journal == NULL)
    return FALSE;
  job->inflight = fl_inflight_open (job->attempt_dir, fl_parallel_node_rank (parallel),
                                    fl_parallel_node_ranks (parallel), fl_parallel_rank (parallel), error);
  if (job->inflight == NULL)
    return FALSE;
  fl_inflight_mark_crashes (job->inflight);
  return note_rank (job, error);
}

static gboolean
set_guilty_aside (FlHitsJob *job, GError **error)
{
  for (guint i = 0; i < job->guilty->len; i++)
    {
      FlShotRef ref = g_array_index (job->guilty, FlShotRef, i);
      const char *path = ((const FlInput *) job->inputs->pdata[ref.source])->path;
      const FlStrikes *strikes = fl_history_strikes (job->history, fl_shot_id (path, ref.frame));
      g_autofree char *why =
          g_strdup_printf ("was in flight when attempts %u and %u died", strikes->first, strikes->last);
      if (!fl_hits_set_aside (job, ref, why, error))
        return FALSE;
      fprintf (stderr, "set aside: %s frame %u\n", path, ref.frame);
    }
  return TRUE;
}

static gboolean
set_up (FlHitsJob *job, int *status)
{
  static const char *const endings[] = { ".cxi", ".emc",
                                         ".h5 .hdf5 .nxs .cbf .img .mccd .tif .tiff .cbf.gz .xtc2 .cbor",
                                         NULL };
  g_autoptr (GError) error = NULL;
  job->params = fl_program_params (&job->options.common, &error);
  if (job->params != NULL)
    fl_calibration_options (job->params, &job->calibration, &error);
  if (!all_well (job, error, status))
    return FALSE;
  job->source_options = fl_pattern_source_options (job->params);
  job->source_options.calibration = &job->calibration;
  const FlInputReader reader = { endings, fl_hits_count_frames, &job->source_options };
  job->inputs = fl_inputs_read (job->parallel, job->options.inputs, &reader, &error);
  if (!all_well (job, error, status))
    return FALSE;
  if (job->first)
    list_sources (job);
  fl_hits_open_pixels (job, &error);
  if (!all_well (job, error, status))
    return FALSE;
  if (job->first)
    begin_attempt (job, &error);
  if (!all_well (job, error, status))
    return FALSE;
  job->attempt = (guint) fl_parallel_share_u64 (job->parallel, job->attempt);
  g_free (job->attempt_dir);
  job->attempt_dir = fl_attempt_path (job->options.out, job->attempt);
  open_rank (job, &error);
  if (!all_well (job, error, status))
    return FALSE;
  if (job->first)
    {
      list_shots (job);
      set_guilty_aside (job, &error);
    }
  return all_well (job, error, status);
}

static gboolean
learn (FlHitsJob *job, int *status)
{
  g_autoptr (GError) error = NULL;
  gboolean stopped = FALSE;
  fl_hits_learn_job (job, &stopped, &error);
  if (!all_well (job, error, status))
    return FALSE;
  if (stopped)
    {
      *status = 75;
      if (job->first)
        fprintf (stderr, "%s: asked to stop while learning; the next attempt begins again\n",
                 FL_HITS_PROGRAM);
    }
  return !stopped;
}

/* --- working --- */

static void
show_progress (FlHitsJob *job, const FlDeal *deal)
{
  guint64 now = fl_tick_ns (), done, hits;
  if (now - job->last_progress < PROGRESS_EVERY)
    return;
  fl_deal_progress (deal, &done, &hits);
  fprintf (stderr, "%" G_GUINT64_FORMAT " of %u shots, %" G_GUINT64_FORMAT " hits, %.1f shots/s\n", done,
           job->todo->len + job->suspects->len, hits,
           (double) (done - job->last_done) / (1e-9 * (double) (now - job->last_progress)));
  job->last_progress = now;
  job->last_done = done;
}

/* A rank that cannot record ends the attempt: the others could not know that it has stopped. */
static void
give_up (FlHitsJob *job, const GError *error)
{
  fprintf (stderr, "%s: rank %u: %s\n", FL_HITS_PROGRAM, fl_parallel_rank (job->parallel), error->message);
  fl_parallel_abort (job->parallel, fl_error_exit_status (error));
}

/* TRUE when all was dealt, FALSE when asked to stop. */
static gboolean
work (FlHitsJob *job)
{
  g_autoptr (GError) error = NULL;
  FlShotRef ref;
  FlDealt dealt;
  FlDeal *deal = fl_deal_new (job->parallel, job->first ? (FlShotRef *) (void *) job->todo->data : NULL,
                              job->first ? job->todo->len : 0,
                              job->first ? (FlShotRef *) (void *) job->suspects->data : NULL,
                              job->first ? job->suspects->len : 0);
  job->last_progress = fl_tick_ns ();
  while ((dealt = fl_deal_next (deal, &ref)) != FL_DEAL_END && dealt != FL_DEAL_STOPPED)
    {
      if (dealt == FL_DEAL_WAIT ? !fl_hits_flush (job, FALSE, &error)
                                : !fl_hits_process (job, ref, &error)
                                      || (dealt == FL_DEAL_SUSPECT && !fl_hits_flush (job, TRUE, &error)))
        give_up (job, error);
      fl_deal_report (deal, job->done, job->singles);
      if (job->first)
        show_progress (job, deal);
    }
  fl_deal_free (deal);
  if (!fl_hits_flush (job, TRUE, &error)
      || !fl_journal_writer_close (g_steal_pointer (&job->journal), &error))
    give_up (job, error);
  return fl_parallel_share_u64 (job->parallel, dealt == FL_DEAL_END) != 0;
}

static void
print_failures (FlHitsJob *job, guint64 failed)
{
  const char *mine = job->first_failure;
  g_autoptr (GPtrArray) all = fl_parallel_gather (job->parallel, mine, mine != NULL ? strlen (mine) : 0);
  const char *line = NULL;
  gsize length = 0;
  for (guint i = 0; all != NULL && i < all->len && length == 0; i++)
    line = g_bytes_get_data (all->pdata[i], &length);
  if (job->first && failed > 0)
    fprintf (stderr, "%" G_GUINT64_FORMAT " shots failed, one of them: %.*s\n", failed, (int) length, line);
}

static int
finish (FlHitsJob *job, gboolean complete)
{
  g_autoptr (GError) error = NULL;
  int status = 0;
  guint64 sums[] = { job->done, job->failed }, counts[FL_PARTICLE_LAST + 1] = { 0 }, all = 0;
  fl_parallel_sum_u64 (job->parallel, sums, G_N_ELEMENTS (sums));
  /* Closed, so that its frames are all there to be read. */
  if (complete)
    fl_hits_write_patterns (job, counts, &error);
  else
    fl_hits_count (job, counts, &error);
  if (!all_well (job, error, &status))
    return status;
  print_failures (job, sums[1]);
  if (job->first && !complete)
    fprintf (stderr,
             "%s: asked to stop: %" G_GUINT64_FORMAT
             " of %u shots done and saved; the next attempt goes on from there\n",
             FL_HITS_PROGRAM, sums[0], job->todo->len + job->suspects->len);
  for (guint c = 0; c <= FL_PARTICLE_LAST; c++)
    all += counts[c];
  if (job->first)
    printf ("%" G_GUINT64_FORMAT " shots, %" G_GUINT64_FORMAT " hits, %" G_GUINT64_FORMAT
            " blank, %" G_GUINT64_FORMAT " several, %" G_GUINT64_FORMAT " junk\n",
            all, counts[FL_PARTICLE_SINGLE], counts[FL_PARTICLE_BLANK], counts[FL_PARTICLE_SEVERAL],
            counts[FL_PARTICLE_JUNK]);
  status = !complete ? 75 : job->bad_sources > 0 ? 2 : 0;
  return (int) fl_parallel_share_u64 (job->parallel, (guint64) status);
}

static void
job_clear (FlHitsJob *job)
{
  fl_hits_close_sources (job);
  g_clear_pointer (&job->hits, fl_hits_free);
  g_clear_pointer (&job->patterns, fl_patterns_free);
  g_clear_pointer (&job->inflight, fl_inflight_close);
  g_clear_pointer (&job->journal, fl_journal_writer_close_quietly);
  g_clear_pointer (&job->shots, fl_batch_free);
  g_clear_pointer (&job->particles, fl_batch_free);
  g_clear_pointer (&job->history, fl_history_free);
  g_clear_pointer (&job->sources, fl_batch_free);
  g_clear_pointer (&job->todo, g_array_unref);
  g_clear_pointer (&job->suspects, g_array_unref);
  g_clear_pointer (&job->guilty, g_array_unref);
  g_clear_pointer (&job->inputs, g_ptr_array_unref);
  g_clear_pointer (&job->params, fl_params_free);
  g_free (job->pixels_of);
  g_free (job->first_failure);
  g_free (job->attempt_dir);
  fl_attempt_options_clear (&job->options);
  if (job->hold >= 0)
    close (job->hold);
}

int
fl_program_hits (int argc, char **argv)
{
  FlHitsJob job = { .hold = -1 };
  g_autoptr (GError) error = NULL;
  int status = 0;
  fl_parallel_catch_signals ();
  job.parallel = fl_parallel_start (&argc, &argv);
  job.first = fl_parallel_rank (job.parallel) == 0;
  g_queue_init (&job.open);
  gboolean go = fl_attempt_options_parse (
      &job.options, NULL,
      "Tells the shots of single particles apart, in files (.emc, CXI, HDF5), lists (*.lst) or folders.\n"
      "The last line of the output reads: N shots, N hits, N blank, N several, N junk",
      FL_HITS_PROGRAM " --out DIR INPUT…", job.first, argc, argv, &error);
  if (all_well (&job, error, &status) && go && set_up (&job, &status) && learn (&job, &status))
    status = finish (&job, work (&job));
  fflush (stdout);
  job_clear (&job);
  fl_parallel_finish (job.parallel);
  return status;
}
