#include "engine/programs/stills-rank.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/device-log.h"
#include "engine/programs/stills-evidence.h"
#include "engine/programs/stills-inputs.h"
#include "engine/sfx/spot-finding.h"

#define SOURCES_KEPT 4 /* open at a time */

typedef struct
{
  guint32 number;
  FlSource *source;
} OpenSource;

/* One that is being worked on. */
typedef struct
{
  FlShot shot;
  FlShotRow row;
  FlDetector *detector; /* NULL: the shot could not be read */
  FlFound found;
  FlLattices lattices;
  GError *why; /* it failed */
} Frame;

struct FlStillsRank
{
  const FlParams *params;
  FlParallel *parallel;
  const GPtrArray *inputs;
  FlSourceOptions options;
  FlRecorder *recorder;
  FlInflight *inflight;
  FlSpotFinder *finder;
  FlLatticeFinder *lattices; /* NULL: spots only */
  FlCellSearch *search;      /* while the cell is being learned */
  GArray *q, *intensity;     /* for the search */
  FlProfiles *profiles;      /* being learned */
  FlEvidence *evidence;
  FlDeviceLog *device_log;
  char *device_message;
  GQueue open; /* OpenSource, last used first */
  Frame frames[2];
  Frame *flying; /* the one that the device has: read and begun, or failed already; NULL: none */
  FlRankCounts counts;
};

static void
open_source_free (gpointer data)
{
  OpenSource *open = data;
  fl_source_close (open->source);
  g_free (open);
}

FlStillsRank *
fl_stills_rank_new (const FlParams *params, const FlSourceOptions *options, FlParallel *parallel,
                    const GPtrArray *inputs, FlRecorder *recorder, FlInflight *inflight, GError **error)
{
  char *message = NULL;
  guint node_rank = fl_parallel_node_rank (parallel);
  FlSpotFinder *finder = fl_spot_finder_new (params, node_rank, &message, error);
  if (finder == NULL)
    return NULL;
  flk_device_share (fl_spot_finder_stream (finder), node_rank, fl_parallel_node_ranks (parallel));
  FlStillsRank *self = g_new0 (FlStillsRank, 1);
  self->finder = finder;
  self->device_message = message;
  self->params = params;
  self->parallel = parallel;
  self->inputs = inputs;
  self->q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  self->intensity = g_array_new (FALSE, FALSE, sizeof (float));
  self->options = *options;
  self->recorder = recorder;
  self->inflight = inflight;
  self->evidence = fl_evidence_new ();
  self->device_log = fl_device_log_new (fl_spot_finder_stream (finder));
  g_queue_init (&self->open);
  return self;
}

static void
frame_clear (Frame *frame)
{
  fl_shot_clear (&frame->shot);
  g_clear_pointer (&frame->detector, fl_detector_unref);
  g_clear_error (&frame->why);
}

void
fl_stills_rank_free (FlStillsRank *rank)
{
  g_queue_foreach (&rank->open, (GFunc) (void (*) (void)) open_source_free, NULL);
  g_queue_clear (&rank->open);
  /* Before the finder, whose device they use. */
  fl_lattice_finder_free (rank->lattices);
  fl_profiles_free (rank->profiles);
  fl_cell_search_free (rank->search);
  fl_spot_finder_free (rank->finder);
  g_array_unref (rank->q);
  g_array_unref (rank->intensity);
  frame_clear (&rank->frames[0]);
  frame_clear (&rank->frames[1]);
  fl_evidence_free (rank->evidence);
  fl_device_log_free (rank->device_log);
  g_free (rank->device_message);
  g_free (rank->counts.first_failure);
  g_free (rank);
}

const char *
fl_stills_rank_device (const FlStillsRank *rank, const char **message)
{
  *message = rank->device_message;
  return fl_spot_finder_device (rank->finder);
}

gboolean
fl_stills_rank_expect (FlStillsRank *rank, const FlKnownCell *known, const FlMosaic *prior,
                       const FlProfiles *profiles, FlUntil until, GError **error)
{
  g_clear_pointer (&rank->lattices, fl_lattice_finder_free);
  rank->lattices =
      fl_lattice_finder_new (rank->params, known, prior, until, fl_spot_finder_stream (rank->finder), error);
  if (rank->lattices != NULL && profiles != NULL)
    fl_lattice_finder_set_profiles (rank->lattices, profiles);
  return rank->lattices != NULL;
}

FlProfiles *
fl_stills_rank_take_profiles (FlStillsRank *rank)
{
  return rank->profiles != NULL ? g_steal_pointer (&rank->profiles)
                                : fl_lattice_finder_profiles_new (rank->lattices);
}

FlRankCounts *
fl_stills_rank_counts (FlStillsRank *rank)
{
  return &rank->counts;
}

static double
cpu_seconds (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static FlSource *
get_source (FlStillsRank *rank, guint32 number, GError **error)
{
  for (GList *i = rank->open.head; i != NULL; i = i->next)
    if (((OpenSource *) i->data)->number == number)
      {
        g_queue_unlink (&rank->open, i);
        g_queue_push_head_link (&rank->open, i);
        return ((OpenSource *) i->data)->source;
      }
  FlSource *source = fl_source_open (((FlInput *) rank->inputs->pdata[number])->path, &rank->options, error);
  if (source == NULL)
    return NULL;
  OpenSource *open = g_new (OpenSource, 1);
  *open = (OpenSource){ number, source };
  g_queue_push_head (&rank->open, open);
  if (rank->open.length > SOURCES_KEPT)
    open_source_free (g_queue_pop_tail (&rank->open));
  return source;
}

static gboolean
record (FlStillsRank *rank, const FlShotRow *row, const FlSpotRow *spots, const FlLattices *lattices,
        GError **error)
{
  double before = cpu_seconds ();
  FlShotParts parts = { .spots = spots,
                        .lattices = lattices->lattices,
                        .reflections = lattices->reflections,
                        .n_reflections = lattices->n_reflections };
  gboolean ok = fl_recorder_add (rank->recorder, row, &parts, error);
  FlRankCounts *counts = &rank->counts;
  counts->cpu.write += cpu_seconds () - before;
  counts->shots++;
  counts->hits += row->outcome == FL_OUTCOME_HIT || row->outcome == FL_OUTCOME_INDEXED;
  counts->indexed += row->outcome == FL_OUTCOME_INDEXED;
  counts->lattices += row->lattices;
  counts->set_aside += row->outcome == FL_OUTCOME_SET_ASIDE;
  counts->failed += row->outcome == FL_OUTCOME_FAILED;
  if (row->outcome == FL_OUTCOME_FAILED && counts->first_failure == NULL)
    {
      const FlInput *input = rank->inputs->pdata[row->source];
      const char *path = g_str_has_prefix (row->message, input->path) ? "" : input->path;
      counts->first_failure =
          g_strdup_printf ("%s%sframe %u: %s", path, *path != '\0' ? " " : "", row->frame, row->message);
    }
  return ok;
}

static FlShotRow
new_row (const FlStillsRank *rank, FlShotRef ref)
{
  const FlInput *input = rank->inputs->pdata[ref.source];
  return (FlShotRow){
    .id = fl_shot_id (input->path, ref.frame), .source = ref.source, .frame = ref.frame, .start = fl_now_ns ()
  };
}

static guint32
microseconds_since (guint64 *tick)
{
  guint64 now = fl_tick_ns (), spent = (now - *tick) / 1000;
  *tick = now;
  return (guint32) MIN (spent, G_MAXUINT32);
}

/* What the device did, when it is time for that. */
static gboolean
note_device (FlStillsRank *rank, guint shots, gboolean now, GError **error)
{
  g_autoptr (FlBatch) batch = fl_device_log_take (rank->device_log, shots, now);
  return batch == NULL || fl_recorder_note (rank->recorder, batch, error);
}

/* --- a device that is full --- */

/* A GPU that any device may stand for (engine.device = auto) has no memory left for this rank: from now on it works on the CPU.
 * FALSE: it was something else. */
static gboolean
fall_back (FlStillsRank *rank, GError **why)
{
  FlkDevice *gpu = fl_spot_finder_stream (rank->finder);
  char opened[512];
  if (!g_error_matches (*why, FL_ERROR, FL_ERROR_FAILED) || !flk_device_is_full (gpu)
      || flk_device_is_host (gpu) || strcmp (fl_params_text (rank->params, "engine.device"), "auto") != 0)
    return FALSE;
  FlkDevice *cpu = flk_device_open ("cpu", 0, 1, opened, sizeof opened);
  if (cpu == NULL || !note_device (rank, 0, TRUE, NULL)
      || (rank->lattices != NULL && !fl_lattice_finder_change_device (rank->lattices, cpu, NULL)))
    {
      flk_device_close (cpu);
      return FALSE;
    }
  fprintf (stderr, "firstlight-engine stills: rank %u: %s; it goes on with %s\n",
           fl_parallel_rank (rank->parallel), (*why)->message, opened);
  g_clear_error (why);
  g_clear_pointer (&rank->search, fl_cell_search_free);
  flk_device_close (fl_spot_finder_change_device (rank->finder, rank->params, cpu));
  fl_device_log_free (rank->device_log);
  rank->device_log = fl_device_log_new (cpu);
  return TRUE;
}

/* --- the steps of a shot --- */

/* Adds to the row and to the rank's sums what a part of the spots' stage took of the host. */
static void
count_find (FlStillsRank *rank, Frame *frame, guint64 tick, double cpu)
{
  guint64 spent = frame->row.duration[1] + (guint64) microseconds_since (&tick);
  frame->row.duration[1] = (guint32) MIN (spent, G_MAXUINT32);
  rank->counts.cpu.find += cpu_seconds () - cpu;
}

static gboolean
read_frame (FlStillsRank *rank, Frame *frame, FlShotRef ref)
{
  guint64 tick = fl_tick_ns ();
  double cpu = cpu_seconds ();
  FlShotRow *row = &frame->row;
  *row = new_row (rank, ref);
  row->stage = FL_STAGE_READ;
  g_clear_pointer (&frame->detector, fl_detector_unref);
  g_clear_error (&frame->why);
  frame->found = (FlFound){ 0 };
  frame->lattices = (FlLattices){ 0 };
  frame->shot.t_decode = 0;
  fl_inflight_begin (rank->inflight, row->id, ref.source, ref.frame);
  FlSource *source = get_source (rank, ref.source, &frame->why);
  gboolean ok = source != NULL && fl_source_read (source, ref.frame, &frame->shot, &frame->why);
  row->duration[0] = microseconds_since (&tick);
  rank->counts.cpu.read += cpu_seconds () - cpu;
  rank->counts.cpu.decode += 1e-9 * (double) frame->shot.t_decode;
  if (!ok)
    return FALSE;
  row->energy = (float) frame->shot.energy;
  row->stage = FL_STAGE_FIND;
  frame->shot.id = row->id;
  frame->detector = fl_detector_ref (fl_source_detector (source));
  return TRUE;
}

/* The device has it, until end_frame(). */
static gboolean
begin_frame (FlStillsRank *rank, Frame *frame)
{
  guint64 tick = fl_tick_ns ();
  double cpu = cpu_seconds ();
  gboolean ok;
  fl_inflight_begin (rank->inflight, frame->row.id, frame->row.source, frame->row.frame);
  fl_inflight_stage (rank->inflight, FL_STAGE_FIND);
  do
    ok = fl_spot_finder_begin (rank->finder, &frame->shot, frame->detector, &frame->why);
  while (!ok && fall_back (rank, &frame->why));
  count_find (rank, frame, tick, cpu);
  return ok;
}

static gboolean
push_frame (FlStillsRank *rank, Frame *frame)
{
  guint64 tick = fl_tick_ns ();
  double cpu = cpu_seconds ();
  gboolean ok = fl_spot_finder_push (rank->finder, &frame->why);
  count_find (rank, frame, tick, cpu);
  return ok;
}

static gboolean
end_frame (FlStillsRank *rank, Frame *frame)
{
  guint64 tick = fl_tick_ns ();
  double cpu = cpu_seconds ();
  fl_inflight_begin (rank->inflight, frame->row.id, frame->row.source, frame->row.frame);
  fl_inflight_stage (rank->inflight, FL_STAGE_FIND);
  gboolean ok = fl_spot_finder_end (rank->finder, &frame->found, &frame->why);
  count_find (rank, frame, tick, cpu);
  return ok;
}

static void
enter_stage (FlStage stage, gpointer data)
{
  fl_inflight_stage (((FlStillsRank *) data)->inflight, stage);
}

/* After the spots of a hit. */
static gboolean
find_lattices (FlStillsRank *rank, Frame *frame)
{
  FlShotRow *row = &frame->row;
  FlLattices *lattices = &frame->lattices;
  if (!fl_lattice_finder_find (rank->lattices, &frame->shot, frame->detector, &frame->found,
                               fl_spot_finder_gain (rank->finder), enter_stage, rank, lattices, &frame->why))
    {
      row->stage = FL_STAGE_INDEX;
      return FALSE;
    }
  for (int i = 0; i < 3; i++)
    row->duration[2 + i] = (guint32) MIN (lattices->duration[i] / 1000, G_MAXUINT32);
  rank->counts.cpu.index += 1e-9 * (double) lattices->duration[0];
  rank->counts.cpu.refine += 1e-9 * (double) lattices->duration[1];
  rank->counts.cpu.integrate += 1e-9 * (double) lattices->duration[2];
  row->lattices = (guint16) lattices->n_lattices;
  row->stage = lattices->n_lattices == 0     ? FL_STAGE_INDEX
               : lattices->n_reflections > 0 ? FL_STAGE_INTEGRATE
                                             : FL_STAGE_REFINE;
  row->outcome = lattices->n_lattices > 0 ? FL_OUTCOME_INDEXED : FL_OUTCOME_HIT;
  return TRUE;
}

static gboolean
conclude_frame (FlStillsRank *rank, Frame *frame)
{
  FlShotRow *row = &frame->row;
  if (!end_frame (rank, frame))
    return FALSE;
  row->outcome = frame->found.hit ? FL_OUTCOME_HIT : FL_OUTCOME_MISS;
  row->spots = frame->found.n_spots;
  row->resolution = frame->found.resolution;
  row->solvent = frame->found.solvent;
  return !frame->found.hit || rank->lattices == NULL || find_lattices (rank, frame);
}

/* --- shots, one read while the device has another --- */

/* All that the device is needed for. FALSE: the device failed. */
static gboolean
settle (FlStillsRank *rank, Frame *frame, GError **error)
{
  gboolean ok = frame->why == NULL && conclude_frame (rank, frame);
  while (!ok && frame->row.stage != FL_STAGE_READ && fall_back (rank, &frame->why))
    ok = begin_frame (rank, frame) && conclude_frame (rank, frame);
  if (ok)
    return TRUE;
  if (frame->row.stage != FL_STAGE_READ && g_error_matches (frame->why, FL_ERROR, FL_ERROR_FAILED))
    {
      /* The device, not the shot: others would fail too. It stays in flight, in case it is the shot after all. */
      g_propagate_error (error, g_steal_pointer (&frame->why));
      return FALSE;
    }
  frame->row.outcome = FL_OUTCOME_FAILED;
  frame->row.message = frame->why->message;
  return TRUE;
}

static gboolean
keep (FlStillsRank *rank, Frame *frame, GError **error)
{
  if (frame->why == NULL)
    fl_evidence_add (rank->evidence, &frame->shot, frame->detector, &frame->found);
  return record (rank, &frame->row, frame->found.spots, &frame->lattices, error)
         && fl_evidence_note (rank->evidence, rank->recorder, FALSE, error)
         && note_device (rank, 1, FALSE, error);
}

gboolean
fl_stills_rank_settle (FlStillsRank *rank, GError **error)
{
  Frame *frame = g_steal_pointer (&rank->flying);
  if (frame == NULL)
    return TRUE;
  if (!settle (rank, frame, error))
    return FALSE;
  fl_inflight_idle (rank->inflight);
  return keep (rank, frame, error);
}

/* Of three shots at a time one is read, one is on the device, one is recorded. The device has one alone, so that its failures
 * have one cause: the one before is settled when this one has been read, and recorded when the device has this one. */
gboolean
fl_stills_rank_process (FlStillsRank *rank, FlShotRef ref, GError **error)
{
  Frame *before = rank->flying, *frame = &rank->frames[before == &rank->frames[0]];
  gboolean ready = read_frame (rank, frame, ref);
  if (before != NULL && !settle (rank, before, error))
    return FALSE;
  rank->flying = frame;
  fl_inflight_idle (rank->inflight);
  if (ready)
    ready = begin_frame (rank, frame);
  if (before != NULL && !keep (rank, before, error))
    return FALSE;
  if (ready)
    push_frame (rank, frame);
  return !flk_device_is_host (fl_spot_finder_stream (rank->finder)) || fl_stills_rank_settle (rank, error);
}

gboolean
fl_stills_rank_conclude (FlStillsRank *rank, GError **error)
{
  return fl_evidence_note (rank->evidence, rank->recorder, TRUE, error) && note_device (rank, 0, TRUE, error);
}

/* --- learning --- */

static gboolean
learn_cell (FlStillsRank *rank, Frame *frame, FlLearnedShot *learned, GByteArray *items)
{
  FlCellCandidate candidates[FL_LEARN_CANDIDATES];
  const FlFound *found = &frame->found;
  if (rank->search == NULL)
    rank->search = fl_cell_search_new (rank->params, fl_spot_finder_stream (rank->finder), &frame->why);
  if (rank->search == NULL)
    return FALSE;
  if (!fl_spots_to_q (&frame->shot, frame->detector, found->spots, found->n_spots, rank->q, rank->intensity,
                      NULL))
    return TRUE;
  guint n = fl_cell_search_shot (rank->search, (const FlVec3 *) (void *) rank->q->data,
                                 (const float *) (void *) rank->intensity->data, found->n_spots, candidates,
                                 FL_LEARN_CANDIDATES, &frame->why);
  if (n == G_MAXUINT)
    return FALSE;
  learned->n = n;
  g_byte_array_append (items, (const guint8 *) candidates, (guint) (n * sizeof *candidates));
  return TRUE;
}

static gboolean
learn_lattices (FlStillsRank *rank, Frame *frame, FlLearn what, FlLearnedShot *learned, GByteArray *items)
{
  FlLattices *lattices = &frame->lattices;
  double gain = fl_spot_finder_gain (rank->finder);
  if (!fl_lattice_finder_find (rank->lattices, &frame->shot, frame->detector, &frame->found, gain, NULL, NULL,
                               lattices, &frame->why))
    return FALSE;
  if (what == FL_LEARN_MOSAIC)
    {
      learned->n = MIN (lattices->n_lattices, 1);
      g_byte_array_append (items, (const guint8 *) lattices->mosaics,
                           (guint) (learned->n * sizeof *lattices->mosaics));
      return TRUE;
    }
  if (rank->profiles == NULL)
    rank->profiles = fl_lattice_finder_profiles_new (rank->lattices);
  fl_lattice_finder_learn (rank->lattices, &frame->shot, frame->detector, gain, rank->profiles);
  return TRUE;
}

static gboolean
learn_from (FlStillsRank *rank, Frame *frame, FlLearn what, FlLearnedShot *learned, GByteArray *items)
{
  if (!begin_frame (rank, frame) || !end_frame (rank, frame))
    return FALSE;
  learned->hit = frame->found.hit != 0;
  return !frame->found.hit
         || (what == FL_LEARN_CELL ? learn_cell (rank, frame, learned, items)
                                   : learn_lattices (rank, frame, what, learned, items));
}

gboolean
fl_stills_rank_learn (FlStillsRank *rank, FlShotRef ref, FlLearn what, GByteArray *out, GError **error)
{
  g_autoptr (GByteArray) items = g_byte_array_new ();
  Frame *frame = &rank->frames[0];
  gboolean ready = read_frame (rank, frame, ref);
  FlLearnedShot learned = { .shot = frame->row.id, .ref = ref };
  while (ready && !learn_from (rank, frame, what, &learned, items) && fall_back (rank, &frame->why))
    continue;
  if (ready && g_error_matches (frame->why, FL_ERROR, FL_ERROR_FAILED))
    {
      /* The device: others would fail too. */
      g_propagate_error (error, g_steal_pointer (&frame->why));
      return FALSE;
    }
  fl_inflight_idle (rank->inflight);
  g_byte_array_append (out, (const guint8 *) &learned, sizeof learned);
  g_byte_array_append (out, items->data, items->len);
  return TRUE;
}

gboolean
fl_stills_rank_set_aside (FlStillsRank *rank, FlShotRef ref, const char *message, GError **error)
{
  FlShotRow row = new_row (rank, ref);
  row.outcome = FL_OUTCOME_SET_ASIDE;
  row.message = message;
  return record (rank, &row, NULL, &(FlLattices){ 0 }, error);
}
