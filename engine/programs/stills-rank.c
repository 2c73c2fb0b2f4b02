#include "engine/programs/stills-rank.h"

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

struct FlStillsRank
{
  const FlParams *params;
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
  FlShot shot;
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
fl_stills_rank_new (const FlParams *params, const FlSourceOptions *options, guint node_rank,
                    const GPtrArray *inputs, FlRecorder *recorder, FlInflight *inflight, GError **error)
{
  char *message = NULL;
  FlSpotFinder *finder = fl_spot_finder_new (params, node_rank, &message, error);
  if (finder == NULL)
    return NULL;
  FlStillsRank *self = g_new0 (FlStillsRank, 1);
  self->finder = finder;
  self->device_message = message;
  self->params = params;
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
  fl_shot_clear (&rank->shot);
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

/* Fills the row; FALSE with the reason why the shot failed. */
static gboolean
read_and_find (FlStillsRank *rank, FlShotRow *row, FlFound *found, GError **error)
{
  guint64 tick = fl_tick_ns ();
  double cpu = cpu_seconds (), now;
  row->stage = FL_STAGE_READ;
  rank->shot.t_decode = 0;
  FlSource *source = get_source (rank, row->source, error);
  gboolean ok = source != NULL && fl_source_read (source, row->frame, &rank->shot, error);
  row->duration[0] = microseconds_since (&tick);
  now = cpu_seconds ();
  rank->counts.cpu.read += now - cpu;
  rank->counts.cpu.decode += 1e-9 * (double) rank->shot.t_decode;
  if (!ok)
    return FALSE;
  row->energy = (float) rank->shot.energy;
  row->stage = FL_STAGE_FIND;
  fl_inflight_stage (rank->inflight, FL_STAGE_FIND);
  cpu = now;
  rank->shot.id = row->id;
  ok = fl_spot_finder_find (rank->finder, &rank->shot, fl_source_detector (source), found, error);
  row->duration[1] = microseconds_since (&tick);
  rank->counts.cpu.find += cpu_seconds () - cpu;
  return ok;
}

static void
enter_stage (FlStage stage, gpointer data)
{
  fl_inflight_stage (((FlStillsRank *) data)->inflight, stage);
}

static FlDetector *
shot_detector (FlStillsRank *rank, guint32 source)
{
  /* It has just been read: it is open. */
  return fl_source_detector (get_source (rank, source, NULL));
}

/* After the spots of a hit. Fills the row; FALSE with the reason why the shot failed. */
static gboolean
find_lattices (FlStillsRank *rank, FlShotRow *row, const FlFound *found, FlLattices *lattices, GError **error)
{
  if (!fl_lattice_finder_find (rank->lattices, &rank->shot, shot_detector (rank, row->source), found,
                               fl_spot_finder_gain (rank->finder), enter_stage, rank, lattices, error))
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

/* FALSE with the reason why the shot failed. */
static gboolean
process (FlStillsRank *rank, FlShotRow *row, FlFound *found, FlLattices *lattices, GError **error)
{
  if (!read_and_find (rank, row, found, error))
    return FALSE;
  row->outcome = found->hit ? FL_OUTCOME_HIT : FL_OUTCOME_MISS;
  row->spots = found->n_spots;
  row->resolution = found->resolution;
  row->solvent = found->solvent;
  return !found->hit || rank->lattices == NULL || find_lattices (rank, row, found, lattices, error);
}

/* What the device did, when it is time for that. */
static gboolean
note_device (FlStillsRank *rank, guint shots, gboolean now, GError **error)
{
  g_autoptr (FlBatch) batch = fl_device_log_take (rank->device_log, shots, now);
  return batch == NULL || fl_recorder_note (rank->recorder, batch, error);
}

gboolean
fl_stills_rank_process (FlStillsRank *rank, FlShotRef ref, GError **error)
{
  g_autoptr (GError) why = NULL;
  FlFound found = { 0 };
  FlLattices lattices = { 0 };
  FlShotRow row = new_row (rank, ref);
  fl_inflight_begin (rank->inflight, row.id, ref.source, ref.frame);
  if (!process (rank, &row, &found, &lattices, &why))
    {
      if (row.stage != FL_STAGE_READ && g_error_matches (why, FL_ERROR, FL_ERROR_FAILED))
        {
          /* The device, not the shot: others would fail too. It stays in flight, in case it is the shot after all. */
          g_propagate_error (error, g_steal_pointer (&why));
          return FALSE;
        }
      row.outcome = FL_OUTCOME_FAILED;
      row.message = why->message;
    }
  else
    fl_evidence_add (rank->evidence, &rank->shot, shot_detector (rank, ref.source), &found);
  fl_inflight_idle (rank->inflight);
  return record (rank, &row, found.spots, &lattices, error)
         && fl_evidence_note (rank->evidence, rank->recorder, FALSE, error)
         && note_device (rank, 1, FALSE, error);
}

gboolean
fl_stills_rank_conclude (FlStillsRank *rank, GError **error)
{
  return fl_evidence_note (rank->evidence, rank->recorder, TRUE, error) && note_device (rank, 0, TRUE, error);
}

/* --- learning --- */

static gboolean
learn_cell (FlStillsRank *rank, FlDetector *detector, const FlFound *found, FlLearnedShot *learned,
            GByteArray *items, GError **error)
{
  FlCellCandidate candidates[FL_LEARN_CANDIDATES];
  if (rank->search == NULL)
    rank->search = fl_cell_search_new (rank->params, fl_spot_finder_stream (rank->finder), error);
  if (rank->search == NULL)
    return FALSE;
  if (!fl_spots_to_q (&rank->shot, detector, found->spots, found->n_spots, rank->q, rank->intensity, NULL))
    return TRUE;
  guint n = fl_cell_search_shot (rank->search, (const FlVec3 *) (void *) rank->q->data,
                                 (const float *) (void *) rank->intensity->data, found->n_spots, candidates,
                                 FL_LEARN_CANDIDATES, error);
  if (n == G_MAXUINT)
    return FALSE;
  learned->n = n;
  g_byte_array_append (items, (const guint8 *) candidates, (guint) (n * sizeof *candidates));
  return TRUE;
}

static gboolean
learn_lattices (FlStillsRank *rank, FlDetector *detector, const FlFound *found, FlLearn what,
                FlLearnedShot *learned, GByteArray *items, GError **error)
{
  FlLattices lattices;
  g_autoptr (GError) why = NULL;
  double gain = fl_spot_finder_gain (rank->finder);
  if (!fl_lattice_finder_find (rank->lattices, &rank->shot, detector, found, gain, NULL, NULL, &lattices,
                               &why))
    {
      if (!g_error_matches (why, FL_ERROR, FL_ERROR_FAILED))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
  if (what == FL_LEARN_MOSAIC)
    {
      learned->n = MIN (lattices.n_lattices, 1);
      g_byte_array_append (items, (const guint8 *) lattices.mosaics,
                           (guint) (learned->n * sizeof *lattices.mosaics));
      return TRUE;
    }
  if (rank->profiles == NULL)
    rank->profiles = fl_lattice_finder_profiles_new (rank->lattices);
  fl_lattice_finder_learn (rank->lattices, &rank->shot, detector, gain, rank->profiles);
  return TRUE;
}

gboolean
fl_stills_rank_learn (FlStillsRank *rank, FlShotRef ref, FlLearn what, GByteArray *out, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GByteArray) items = g_byte_array_new ();
  FlFound found = { 0 };
  FlShotRow row = new_row (rank, ref);
  FlLearnedShot learned = { .shot = row.id, .ref = ref };
  gboolean ok = TRUE;
  fl_inflight_begin (rank->inflight, row.id, ref.source, ref.frame);
  if (read_and_find (rank, &row, &found, &why) && found.hit)
    {
      FlDetector *detector = shot_detector (rank, ref.source);
      learned.hit = 1;
      ok = what == FL_LEARN_CELL ? learn_cell (rank, detector, &found, &learned, items, error)
                                 : learn_lattices (rank, detector, &found, what, &learned, items, error);
    }
  fl_inflight_idle (rank->inflight);
  g_byte_array_append (out, (const guint8 *) &learned, sizeof learned);
  g_byte_array_append (out, items->data, items->len);
  return ok;
}

gboolean
fl_stills_rank_set_aside (FlStillsRank *rank, FlShotRef ref, const char *message, GError **error)
{
  FlShotRow row = new_row (rank, ref);
  row.outcome = FL_OUTCOME_SET_ASIDE;
  row.message = message;
  return record (rank, &row, NULL, &(FlLattices){ 0 }, error);
}
