/* The shots of `hits`: read, judged, journalled. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/hits-job.h"

#define SOURCES_KEPT 8

typedef struct
{
  guint32 number;
  FlPatternSource *source;
} OpenSource;

static void
open_source_free (OpenSource *open)
{
  fl_pattern_source_close (open->source);
  g_free (open);
}

void
fl_hits_close_sources (FlHitsJob *job)
{
  while (!g_queue_is_empty (&job->open))
    open_source_free (g_queue_pop_head (&job->open));
}

guint32
fl_hits_count_frames (const char *path, gconstpointer options, GError **error)
{
  g_autoptr (FlPatternSource) source = fl_pattern_source_open (path, options, error);
  return source != NULL ? fl_pattern_source_n_frames (source) : 0;
}

static const char *
path_of (const FlHitsJob *job, guint32 source)
{
  return ((const FlInput *) job->inputs->pdata[source])->path;
}

static FlPatternSource *
get_source (FlHitsJob *job, guint32 number, GError **error)
{
  for (GList *i = job->open.head; i != NULL; i = i->next)
    if (((OpenSource *) i->data)->number == number)
      {
        g_queue_unlink (&job->open, i);
        g_queue_push_head_link (&job->open, i);
        return ((OpenSource *) i->data)->source;
      }
  g_autoptr (FlPatternSource) source =
      fl_pattern_source_open (path_of (job, number), &job->source_options, error);
  if (source == NULL
      || (job->pixels != NULL
          && !fl_pattern_pixels_agree (fl_pattern_source_pixels (source), path_of (job, number), job->pixels,
                                       job->pixels_of, error)))
    return NULL;
  OpenSource *open = g_new (OpenSource, 1);
  *open = (OpenSource){ number, g_steal_pointer (&source) };
  g_queue_push_head (&job->open, open);
  if (job->open.length > SOURCES_KEPT)
    open_source_free (g_queue_pop_tail (&job->open));
  return open->source;
}

gboolean
fl_hits_open_pixels (FlHitsJob *job, GError **error)
{
  guint rank = fl_parallel_rank (job->parallel), ranks = fl_parallel_ranks (job->parallel),
        n = job->inputs->len;
  guint64 first = n;
  for (guint i = 0; i < n && first == n && job->first; i++)
    if (((const FlInput *) job->inputs->pdata[i])->frames > 0)
      first = i;
  first = fl_parallel_share_u64 (job->parallel, first);
  if (first == n)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "no input has any shots, expected some");
      return FALSE;
    }
  FlPatternSource *source = get_source (job, (guint32) first, error);
  if (source == NULL)
    return FALSE;
  job->pixels_of = g_strdup (path_of (job, (guint32) first));
  job->patterns = fl_patterns_new (fl_pattern_pixels_copy (fl_pattern_source_pixels (source)));
  job->pixels = job->patterns->pixels;
  for (guint i = rank; i < n; i += ranks)
    {
      /* One that cannot be opened has been said so. */
      g_autoptr (GError) why = NULL;
      g_autoptr (FlPatternSource) mine =
          fl_pattern_source_open (path_of (job, i), &job->source_options, &why);
      if (mine != NULL
          && !fl_pattern_pixels_agree (fl_pattern_source_pixels (mine), path_of (job, i), job->pixels,
                                       job->pixels_of, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
fl_hits_read (FlHitsJob *job, FlShotRef ref, guint32 row, FlPatterns *patterns, GError **error)
{
  FlPatternSource *source = get_source (job, ref.source, error);
  if (source == NULL)
    return FALSE;
  if (ref.frame < fl_pattern_source_n_frames (source))
    return fl_pattern_source_read (source, ref.frame, 1, row, patterns, error);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no frame %u, expected fewer than %u",
               path_of (job, ref.source), ref.frame, fl_pattern_source_n_frames (source));
  return FALSE;
}

/* --- journal --- */

gboolean
fl_hits_flush (FlHitsJob *job, gboolean all, GError **error)
{
  FlBatch *batches[] = { job->particles, job->shots };
  guint rows = fl_batch_rows (job->shots);
  if (rows == 0
      || (!all && rows < (guint) fl_params_int (job->params, "engine.batch_rows")
          && fl_tick_ns () - job->since < FL_NS_PER_S))
    return TRUE;
  if (!fl_journal_writer_append (job->journal, batches, G_N_ELEMENTS (batches), error))
    return FALSE;
  fl_batch_clear (job->shots);
  fl_batch_clear (job->particles);
  return TRUE;
}

static gboolean
record (FlHitsJob *job, const FlShotRow *shot, const FlParticleRow *particle, GError **error)
{
  if (fl_batch_rows (job->shots) == 0)
    job->since = fl_tick_ns ();
  fl_batch_append (job->shots, shot);
  if (particle != NULL)
    fl_batch_append (job->particles, particle);
  job->done++;
  job->singles += shot->outcome == FL_OUTCOME_HIT;
  job->failed += shot->outcome == FL_OUTCOME_FAILED;
  if (shot->outcome == FL_OUTCOME_FAILED && job->first_failure == NULL)
    job->first_failure =
        g_strdup_printf ("%s frame %u: %s", path_of (job, shot->source), shot->frame, shot->message);
  return fl_hits_flush (job, FALSE, error);
}

static FlShotRow
new_row (const FlHitsJob *job, FlShotRef ref)
{
  return (FlShotRow){ .id = fl_shot_id (path_of (job, ref.source), ref.frame),
                      .source = ref.source,
                      .frame = ref.frame,
                      .start = fl_now_ns () };
}

static guint32
microseconds_since (guint64 *tick)
{
  guint64 now = fl_tick_ns (), spent = (now - *tick) / 1000;
  *tick = now;
  return (guint32) MIN (spent, G_MAXUINT32);
}

gboolean
fl_hits_process (FlHitsJob *job, FlShotRef ref, GError **error)
{
  g_autoptr (GError) why = NULL;
  FlShotRow row = new_row (job, ref);
  FlParticleRow particle = { .shot = row.id };
  guint64 tick = fl_tick_ns ();
  fl_inflight_begin (job->inflight, row.id, ref.source, ref.frame);
  job->patterns->n = 0;
  row.stage = FL_STAGE_READ;
  gboolean ok = fl_hits_read (job, ref, 0, job->patterns, &why);
  row.duration[0] = microseconds_since (&tick);
  if (ok)
    {
      row.stage = FL_STAGE_FIND;
      fl_inflight_stage (job->inflight, FL_STAGE_FIND);
      row.energy = (float) fl_energy_from_wavelength (job->pixels->wavelength);
      fl_hits_judge (job->hits, job->patterns, 0, &particle);
      row.outcome = particle.class == FL_PARTICLE_SINGLE ? FL_OUTCOME_HIT : FL_OUTCOME_MISS;
      row.duration[1] = microseconds_since (&tick);
    }
  else
    {
      row.outcome = FL_OUTCOME_FAILED;
      row.message = why->message;
    }
  fl_inflight_idle (job->inflight);
  return record (job, &row, ok ? &particle : NULL, error);
}

gboolean
fl_hits_set_aside (FlHitsJob *job, FlShotRef ref, const char *why, GError **error)
{
  FlShotRow row = new_row (job, ref);
  row.outcome = FL_OUTCOME_SET_ASIDE;
  row.message = why;
  return record (job, &row, NULL, error);
}
