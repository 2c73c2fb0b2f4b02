/* stills: shots of serial crystallography, from raw files to spots, lattices and reflections, on any number of ranks.
 * What it writes is described in engine/results/spots.h and engine/base/journal.h. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/attempt-options.h"
#include "engine/programs/dealt-job.h"
#include "engine/programs/programs.h"
#include "engine/programs/stills-inputs.h"
#include "engine/programs/stills-learning.h"
#include "engine/programs/stills-rank.h"
#include "engine/results/attempt.h"
#include "engine/results/history.h"
#include "engine/results/master.h"
#include "engine/shots/calibration.h"

#define PROGRAM        "firstlight-engine stills"
#define PROGRESS_EVERY (3 * FL_NS_PER_S)
#define STRIKES        2 /* a shot in flight at so many deaths is set aside */

typedef struct
{
  FlAttemptOptions common;
  char *stages;
  double fraction; /* of the shots, chosen by their ids */
  gboolean timing, retry_set_aside;
  gboolean index; /* as far as `until`; else spots only */
  FlUntil until;
} Options;

typedef struct
{
  FlParallel *parallel;
  gboolean first; /* rank 0 */
  Options options;
  FlParams *params;
  FlSourceOptions source_options;
  FlCalibrationOptions calibration;
  GPtrArray *inputs; /* FlInput */
  guint attempt;
  char *attempt_dir;
  int hold;
  FlRecorder *recorder;
  FlInflight *inflight;
  FlStillsRank *rank;
  FlLearned learned;

  /* rank 0 */
  FlHistory *history;
  FlBatch *sources;
  GArray *shots, *suspects, *guilty; /* FlShotRef; guilty are to be set aside now */
  GPtrArray *set_aside;              /* lines, earlier attempts' too */
  guint bad_sources;
  guint64 started, last_progress, last_shots;
} Stills;

static void
options_clear (Options *options)
{
  fl_attempt_options_clear (&options->common);
  g_free (options->stages);
}

static gboolean
parse_stages (Options *options, GError **error)
{
  const char *stages = options->stages != NULL ? options->stages : "all";
  options->index = strcmp (stages, "spots") != 0;
  options->until = strcmp (stages, "all") == 0 ? FL_UNTIL_INTEGRATED : FL_UNTIL_INDEXED;
  if (!options->index || strcmp (stages, "index") == 0 || strcmp (stages, "all") == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--stages '%s' is wrong, expected spots, index or all",
               stages);
  return FALSE;
}

/* FALSE with error; or without one, when only help was asked for. */
static gboolean
options_parse (Options *options, gboolean speak, int argc, char **argv, GError **error)
{
  const GOptionEntry own[] = {
    { "stages", 0, 0, G_OPTION_ARG_STRING, &options->stages, "How far to go: spots, index or all (default)",
      "STAGES" },
    { "fraction", 0, 0, G_OPTION_ARG_DOUBLE, &options->fraction,
      "Take so many of the shots only (0 to 1, default 1); a later attempt with more goes on", "F" },
    { "retry-set-aside", 0, 0, G_OPTION_ARG_NONE, &options->retry_set_aside,
      "Try again the shots that were set aside", NULL },
    { "timing", 0, 0, G_OPTION_ARG_NONE, &options->timing, "Print the CPU seconds of each step", NULL },
    { NULL }
  };
  if (!fl_attempt_options_parse (
          &options->common, own,
          "Finds spots, lattices and reflections in the shots of files, lists (*.lst) or folders.\n"
          "The last line of the output reads: N shots, N hits, N indexed, N lattices",
          PROGRAM " --stages all --out DIR INPUT…", speak, argc, argv, error))
    return FALSE;
  if (options->fraction > 0 && options->fraction <= 1)
    return parse_stages (options, error);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--fraction %g is wrong, expected more than 0 and at most 1",
               options->fraction);
  return FALSE;
}

/* --- setting up --- */

/* Chosen by content: the same shots whatever the order, the number of ranks and the files that came later; those of a
 * smaller fraction are among those of a larger one. */
static gboolean
is_chosen (double fraction, guint64 shot)
{
  FlRandom draw = fl_random (shot ^ 0x6672616374696f6eull);
  return fraction >= 1 || fl_random_unit (&draw) < fraction;
}

/* Rank 0: the attempt's folder and what earlier attempts did. */
static gboolean
begin_attempt (Stills *stills, GError **error)
{
  Options *options = &stills->options;
  stills->attempt = fl_attempt_make (options->common.out, (guint) options->common.attempt, error);
  if (stills->attempt == 0)
    return FALSE;
  stills->attempt_dir = fl_attempt_path (options->common.out, stills->attempt);
  stills->hold = fl_attempt_hold (stills->attempt_dir);
  if (!fl_attempt_wait_for_earlier (options->common.out, stills->attempt, FL_ATTEMPT_PATIENCE, error))
    return FALSE;
  stills->history = fl_history_read (options->common.out, stills->attempt, options->retry_set_aside, error);
  return stills->history != NULL
         && fl_job_params (stills->parallel, options->common.out, stills->attempt_dir, stills->history,
                           stills->params, error);
}

static gboolean
note_rank (Stills *stills, GError **error)
{
  const char *message;
  FlParallel *parallel = stills->parallel;
  g_autoptr (FlBatch) ranks = fl_batch_new (FL_KIND_RANK);
  FlRankRow row = { .rank = fl_parallel_rank (parallel),
                    .ranks = fl_parallel_ranks (parallel),
                    .pid = (guint32) getpid (),
                    .cores = g_get_num_processors (),
                    .host = g_get_host_name (),
                    .device = fl_stills_rank_device (stills->rank, &message) };
  fl_batch_append (ranks, &row);
  if (stills->first)
    fprintf (stderr, "attempt %u: %u ranks, %s\n", stills->attempt, row.ranks, message);
  return fl_recorder_note (stills->recorder, ranks, error)
         && (!stills->first || fl_recorder_note (stills->recorder, stills->sources, error));
}

static void
list_sources (Stills *stills)
{
  stills->sources = fl_batch_new (FL_KIND_SOURCE);
  for (guint i = 0; i < stills->inputs->len; i++)
    {
      const FlInput *input = stills->inputs->pdata[i];
      FlSourceRow row = {
        .source = i, .frames = fl_input_n (input), .path = input->path, .message = input->message
      };
      fl_batch_append (stills->sources, &row);
      if (input->message == NULL)
        continue;
      stills->bad_sources++;
      fprintf (stderr, "%s: %s\n", PROGRAM, input->message);
    }
}

static char *
set_aside_line (const FlInput *input, guint32 frame)
{
  return g_strdup_printf ("set aside: %s frame %u", input->path, frame);
}

/* What is to be done: not done yet; struck once: suspect; struck more often: set aside. */
static void
list_shots (Stills *stills)
{
  stills->shots = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  stills->suspects = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  stills->guilty = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  stills->set_aside = g_ptr_array_new_with_free_func (g_free);
  for (guint s = 0; s < stills->inputs->len; s++)
    {
      const FlInput *input = stills->inputs->pdata[s];
      for (guint32 i = 0; i < fl_input_n (input); i++)
        {
          FlShotRef ref = { s, fl_input_frame (input, i) };
          guint64 id = fl_shot_id (input->path, ref.frame);
          const FlDone *done = fl_history_done (stills->history, id);
          const FlStrikes *strikes = fl_history_strikes (stills->history, id);
          if (done != NULL && done->outcome == FL_OUTCOME_SET_ASIDE)
            g_ptr_array_add (stills->set_aside, set_aside_line (input, ref.frame));
          if (done != NULL || !is_chosen (stills->options.fraction, id))
            continue;
          if (strikes == NULL)
            g_array_append_val (stills->shots, ref);
          else
            g_array_append_val (strikes->count < STRIKES ? stills->suspects : stills->guilty, ref);
        }
    }
}

static gboolean
set_guilty_aside (Stills *stills, GError **error)
{
  for (guint i = 0; i < stills->guilty->len; i++)
    {
      FlShotRef ref = g_array_index (stills->guilty, FlShotRef, i);
      const FlInput *input = stills->inputs->pdata[ref.source];
      const FlStrikes *strikes = fl_history_strikes (stills->history, fl_shot_id (input->path, ref.frame));
      g_autofree char *why =
          g_strdup_printf ("was in flight when attempts %u and %u died", strikes->first, strikes->last);
      if (!fl_stills_rank_set_aside (stills->rank, ref, why, error))
        return FALSE;
      g_ptr_array_add (stills->set_aside, set_aside_line (input, ref.frame));
    }
  return TRUE;
}

/* Every rank, after the attempt's folder is there. */
static gboolean
open_rank (Stills *stills, GError **error)
{
  FlParallel *parallel = stills->parallel;
  if (!stills->first)
    stills->hold = fl_attempt_hold (stills->attempt_dir);
  stills->recorder = fl_recorder_open (stills->attempt_dir, stills->attempt, fl_parallel_rank (parallel),
                                       (guint) fl_params_int (stills->params, "engine.batch_rows"),
                                       (guint) fl_params_int (stills->params, "engine.segment_shots"), error);
  if (stills->recorder == NULL)
    return FALSE;
  stills->inflight = fl_inflight_open (stills->attempt_dir, fl_parallel_node_rank (parallel),
                                       fl_parallel_node_ranks (parallel), fl_parallel_rank (parallel), error);
  if (stills->inflight == NULL)
    return FALSE;
  fl_inflight_mark_crashes (stills->inflight);
  stills->rank = fl_stills_rank_new (stills->params, &stills->source_options, parallel, stills->inputs,
                                     stills->recorder, stills->inflight, error);
  return stills->rank != NULL && note_rank (stills, error);
}

static guint32
count_frames (const char *path, gconstpointer options, GError **error)
{
  g_autoptr (FlSource) source = fl_source_open (path, options, error);
  return source != NULL ? fl_source_n_frames (source) : 0;
}

static gboolean
set_up (Stills *stills, int *status)
{
  static const char *const endings[] = { ".cbf .cxi .h5 .hdf5 .nxs .img .mccd .tif .tiff .cbf.gz .xtc2 .cbor",
                                         NULL };
  g_autoptr (GError) error = NULL;
  stills->params = fl_program_params (&stills->options.common.common, &error);
  if (stills->params != NULL)
    fl_calibration_options (stills->params, &stills->calibration, &error);
  if (!fl_job_all_well (stills->parallel, PROGRAM, error, status))
    return FALSE;
  const char *geometry = fl_params_text (stills->params, "detector.geometry");
  const char *mask = fl_params_text (stills->params, "detector.mask");
  stills->source_options.geometry = *geometry != '\0' ? geometry : NULL;
  stills->source_options.mask = *mask != '\0' ? mask : NULL;
  stills->source_options.calibration = &stills->calibration;
  const FlInputReader reader = { endings, count_frames, &stills->source_options };
  stills->inputs = fl_inputs_read (stills->parallel, stills->options.common.inputs, &reader, &error);
  if (!fl_job_all_well (stills->parallel, PROGRAM, error, status))
    return FALSE;
  if (stills->first)
    {
      list_sources (stills);
      begin_attempt (stills, &error);
    }
  if (!fl_job_all_well (stills->parallel, PROGRAM, error, status))
    return FALSE;
  stills->attempt = (guint) fl_parallel_share_u64 (stills->parallel, stills->attempt);
  g_free (stills->attempt_dir);
  stills->attempt_dir = fl_attempt_path (stills->options.common.out, stills->attempt);
  open_rank (stills, &error);
  if (!fl_job_all_well (stills->parallel, PROGRAM, error, status))
    return FALSE;
  if (stills->first)
    {
      list_shots (stills);
      set_guilty_aside (stills, &error);
    }
  return fl_job_all_well (stills->parallel, PROGRAM, error, status);
}

/* Every rank, before the shots: what they are indexed with. Like fl_job_all_well(): FALSE ends the attempt. */
static gboolean
learn (Stills *stills, int *status)
{
  g_autoptr (GError) error = NULL;
  gboolean stopped = FALSE;
  if (!stills->options.index)
    return TRUE;
  fl_stills_learn (stills->parallel, stills->rank, stills->params, stills->inputs, stills->shots,
                   stills->suspects, stills->options.common.out, stills->attempt, stills->options.until,
                   &stills->learned, &stopped, &error);
  if (error == NULL && stills->first && !stopped)
    fl_recorder_note (stills->recorder, stills->learned.cells, &error);
  if (!fl_job_all_well (stills->parallel, PROGRAM, error, status))
    return FALSE;
  if (stopped)
    {
      *status = 75;
      if (stills->first)
        fprintf (stderr, "%s: asked to stop while learning; the next attempt begins again\n", PROGRAM);
    }
  return !stopped;
}

/* --- working --- */

static void
show_progress (Stills *stills, const FlDeal *deal)
{
  guint64 now = fl_tick_ns (), shots, hits;
  if (now - stills->last_progress < PROGRESS_EVERY)
    return;
  fl_deal_progress (deal, &shots, &hits);
  double rate = (double) (shots - stills->last_shots) / (1e-9 * (double) (now - stills->last_progress));
  guint all = stills->shots->len + stills->suspects->len + stills->guilty->len;
  fprintf (stderr, "%" G_GUINT64_FORMAT " of %u shots, %" G_GUINT64_FORMAT " hits (%.1f %%), %.1f shots/s\n",
           shots, all, hits, shots > 0 ? 100.0 * (double) hits / (double) shots : 0, rate);
  stills->last_progress = now;
  stills->last_shots = shots;
}

/* A rank that cannot record ends the attempt: the others could not know that it has stopped. */
static void
give_up (Stills *stills, const GError *error)
{
  fprintf (stderr, "%s: rank %u: %s\n", PROGRAM, fl_parallel_rank (stills->parallel), error->message);
  fl_parallel_abort (stills->parallel, fl_error_exit_status (error));
}

static gboolean
take (Stills *stills, FlDealt dealt, FlShotRef ref, GError **error)
{
  FlStillsRank *rank = stills->rank;
  if (dealt == FL_DEAL_SHOT)
    return fl_stills_rank_process (rank, ref, error);
  if (!fl_stills_rank_settle (rank, error))
    return FALSE;
  if (dealt == FL_DEAL_SUSPECT)
    return fl_stills_rank_process (rank, ref, error) && fl_stills_rank_settle (rank, error)
           && fl_recorder_flush (stills->recorder, error);
  return dealt != FL_DEAL_WAIT || fl_recorder_tick (stills->recorder, error);
}

/* TRUE when all was dealt, FALSE when asked to stop. */
static gboolean
work (Stills *stills)
{
  g_autoptr (GError) error = NULL;
  FlShotRef ref;
  FlDealt dealt;
  FlDeal *deal =
      fl_deal_new (stills->parallel, stills->first ? (FlShotRef *) (void *) stills->shots->data : NULL,
                   stills->first ? stills->shots->len : 0,
                   stills->first ? (FlShotRef *) (void *) stills->suspects->data : NULL,
                   stills->first ? stills->suspects->len : 0);
  stills->last_progress = fl_tick_ns ();
  do
    {
      if (!fl_deal_holds (deal) && !fl_stills_rank_settle (stills->rank, &error))
        give_up (stills, error);
      dealt = fl_deal_next (deal, &ref);
      if (!take (stills, dealt, ref, &error))
        give_up (stills, error);
      const FlRankCounts *counts = fl_stills_rank_counts (stills->rank);
      fl_deal_report (deal, counts->shots, counts->hits);
      if (stills->first)
        show_progress (stills, deal);
    }
  while (dealt != FL_DEAL_END && dealt != FL_DEAL_STOPPED);
  fl_deal_free (deal);
  if (!fl_stills_rank_conclude (stills->rank, &error)
      || !fl_recorder_close (g_steal_pointer (&stills->recorder), &error))
    give_up (stills, error);
  return fl_parallel_share_u64 (stills->parallel, dealt == FL_DEAL_END) != 0;
}

/* --- telling --- */

static void
print_timing (Stills *stills, guint64 shots)
{
  FlRankTimes cpu = fl_stills_rank_counts (stills->rank)->cpu;
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  double sums[] = { cpu.read,   cpu.decode,    cpu.find,  cpu.index,
                    cpu.refine, cpu.integrate, cpu.write, (double) t.tv_sec + 1e-9 * (double) t.tv_nsec };
  fl_parallel_sum_f64 (stills->parallel, sums, G_N_ELEMENTS (sums));
  if (stills->first)
    fprintf (stderr,
             "cpu seconds: read %.4f (decode %.4f) find %.4f index %.4f refine %.4f integrate %.4f write "
             "%.4f total %.4f "
             "for %" G_GUINT64_FORMAT " shots, %.3f s elapsed\n",
             sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], shots,
             1e-9 * (double) (fl_tick_ns () - stills->started));
}

static void
print_failures (Stills *stills, guint64 failed)
{
  const char *mine = fl_stills_rank_counts (stills->rank)->first_failure;
  g_autoptr (GPtrArray) all = fl_parallel_gather (stills->parallel, mine, mine != NULL ? strlen (mine) : 0);
  const char *line = NULL;
  gsize length = 0;
  for (guint i = 0; all != NULL && i < all->len && length == 0; i++)
    line = g_bytes_get_data (all->pdata[i], &length);
  if (stills->first && failed > 0)
    fprintf (stderr, "%" G_GUINT64_FORMAT " shots failed, one of them: %.*s\n", failed, (int) length, line);
}

/* The line that others rely on: over the whole job, each shot once. */
static void
print_totals (Stills *stills, guint64 shots, guint64 hits, guint64 indexed, guint64 lattices)
{
  GHashTableIter iter;
  gpointer id, value;
  g_hash_table_iter_init (&iter, stills->history->done);
  while (g_hash_table_iter_next (&iter, &id, &value))
    {
      const FlDone *done = fl_history_done (stills->history, *(const guint64 *) id);
      shots++;
      hits += done->outcome == FL_OUTCOME_HIT || done->outcome == FL_OUTCOME_INDEXED;
      indexed += done->outcome == FL_OUTCOME_INDEXED;
      lattices += done->lattices;
    }
  for (guint i = 0; i < stills->set_aside->len; i++)
    fprintf (stderr, "%s\n", (const char *) stills->set_aside->pdata[i]);
  printf ("%" G_GUINT64_FORMAT " shots, %" G_GUINT64_FORMAT " hits, %" G_GUINT64_FORMAT
          " indexed, %" G_GUINT64_FORMAT " lattices\n",
          shots, hits, indexed, lattices);
}

/* Rank 0, when all is done. */
static gboolean
join (Stills *stills, GError **error)
{
  guint segment = (guint) fl_params_int (stills->params, "engine.segment_shots");
  return fl_master_seal_leftovers (stills->options.common.out, stills->attempt, segment, error)
         && fl_master_write (stills->options.common.out, stills->attempt, stills->sources, error);
}

static int
finish (Stills *stills, gboolean complete)
{
  g_autoptr (GError) error = NULL;
  int status = 0;
  const FlRankCounts *counts = fl_stills_rank_counts (stills->rank);
  guint64 sums[] = { counts->shots, counts->hits, counts->failed, counts->indexed, counts->lattices };
  fl_parallel_sum_u64 (stills->parallel, sums, G_N_ELEMENTS (sums));
  if (stills->first && complete)
    join (stills, &error);
  if (!fl_job_all_well (stills->parallel, PROGRAM, error, &status))
    return status;
  print_failures (stills, sums[2]);
  if (stills->options.timing)
    print_timing (stills, sums[0]);
  if (stills->first && !complete)
    fprintf (stderr,
             "%s: asked to stop: %" G_GUINT64_FORMAT " of %u shots done and saved; the next attempt goes on "
             "from there\n",
             PROGRAM, sums[0], stills->shots->len + stills->suspects->len + stills->guilty->len);
  if (stills->first)
    print_totals (stills, sums[0], sums[1], sums[3], sums[4]);
  status = !complete ? 75 : stills->bad_sources > 0 ? 2 : 0;
  return (int) fl_parallel_share_u64 (stills->parallel, (guint64) status);
}

static void
stills_clear (Stills *stills)
{
  g_clear_pointer (&stills->rank, fl_stills_rank_free);
  fl_learned_clear (&stills->learned);
  g_clear_pointer (&stills->inflight, fl_inflight_close);
  if (stills->recorder != NULL)
    fl_recorder_close (stills->recorder, NULL);
  g_clear_pointer (&stills->history, fl_history_free);
  g_clear_pointer (&stills->sources, fl_batch_free);
  g_clear_pointer (&stills->shots, g_array_unref);
  g_clear_pointer (&stills->suspects, g_array_unref);
  g_clear_pointer (&stills->guilty, g_array_unref);
  g_clear_pointer (&stills->set_aside, g_ptr_array_unref);
  g_clear_pointer (&stills->inputs, g_ptr_array_unref);
  g_clear_pointer (&stills->params, fl_params_free);
  g_free (stills->attempt_dir);
  options_clear (&stills->options);
  if (stills->hold >= 0)
    close (stills->hold);
}

int
fl_program_stills (int argc, char **argv)
{
  Stills stills = { .hold = -1, .started = fl_tick_ns (), .options.fraction = 1 };
  g_autoptr (GError) error = NULL;
  int status = 0;
  fl_parallel_catch_signals ();
  stills.parallel = fl_parallel_start (&argc, &argv);
  stills.first = fl_parallel_rank (stills.parallel) == 0;
  gboolean go = options_parse (&stills.options, stills.first, argc, argv, &error);
  if (fl_job_all_well (stills.parallel, PROGRAM, error, &status) && go && set_up (&stills, &status)
      && learn (&stills, &status))
    status = finish (&stills, work (&stills));
  fflush (stdout);
  stills_clear (&stills);
  fl_parallel_finish (stills.parallel);
  return status;
}
