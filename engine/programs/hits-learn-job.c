/* Before and after the shots of `hits`: what they are judged by; the file of those that show one particle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/programs/hits-job.h"
#include "engine/results/attempt.h"
#include "engine/spi/pattern-file.h"

#define LEARNED "learned.hits"
#define ROUND                                                                                                \
  1024 /* patterns of all ranks, before rank 0 has them: not by their number, so that the file is the same */

/* A shot that is wanted, and its place among all. */
typedef struct
{
  guint64 id;
  FlShotRef ref;
  guint32 row;
} Wanted;

/* --- bytes between ranks --- */

/* Rank 0's bytes for all. */
static GBytes *
share_bytes (FlParallel *parallel, const void *data, gsize length)
{
  g_autofree char *text = fl_parallel_rank (parallel) == 0 ? g_base64_encode (data, length) : NULL;
  g_autofree char *shared = fl_parallel_share_text (parallel, text);
  gsize n;
  guchar *bytes = g_base64_decode (shared, &n);
  return g_bytes_new_take (bytes, n);
}

static void
pack (const FlPatterns *patterns, guint i, GByteArray *bytes)
{
  guint32 lit = (guint32) (patterns->start[i + 1] - patterns->start[i]);
  g_byte_array_append (bytes, (const guint8 *) &patterns->id[i], sizeof *patterns->id);
  g_byte_array_append (bytes, (const guint8 *) &patterns->row[i], sizeof *patterns->row);
  g_byte_array_append (bytes, (const guint8 *) &lit, sizeof lit);
  if (lit == 0)
    return;
  g_byte_array_append (bytes, (const guint8 *) (patterns->pixel + patterns->start[i]), 4 * lit);
  g_byte_array_append (bytes, (const guint8 *) (patterns->count + patterns->start[i]), 4 * lit);
}

static void
unpack (GBytes *bytes, FlPatterns *to)
{
  gsize length;
  const guint8 *at = g_bytes_get_data (bytes, &length), *end = at + length;
  while (at < end)
    {
      guint64 id;
      guint32 row, lit;
      memcpy (&id, at, sizeof id);
      memcpy (&row, at + 8, sizeof row);
      memcpy (&lit, at + 12, sizeof lit);
      at += 16;
      g_autofree guint32 *both = g_memdup (at, 8 * lit);
      fl_patterns_add (to, id, row, lit, both, both + lit);
      at += 8 * lit;
    }
}

/* Reads this rank's part of `wanted` and gives all of them, in their order, to rank 0 (appended to `to`). With `forgive`
 * those that cannot be read are left out. */
static gboolean
collect (FlHitsJob *job, const Wanted *wanted, guint n, gboolean forgive, FlPatterns *to, GError **error)
{
  guint64 rank = fl_parallel_rank (job->parallel), ranks = fl_parallel_ranks (job->parallel);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gboolean ok = TRUE;
  for (guint i = (guint) (n * rank / ranks); i < (guint) (n * (rank + 1) / ranks) && ok; i++)
    {
      g_autoptr (GError) why = NULL;
      job->patterns->n = 0;
      if (fl_hits_read (job, wanted[i].ref, wanted[i].row, job->patterns, &why))
        pack (job->patterns, 0, bytes);
      else if (!forgive)
        {
          ok = FALSE;
          g_propagate_error (error, g_steal_pointer (&why));
        }
    }
  g_autoptr (GPtrArray) all = fl_parallel_gather (job->parallel, bytes->data, bytes->len);
  for (guint r = 0; all != NULL && r < all->len; r++)
    unpack (all->pdata[r], to);
  return ok;
}

static gboolean
nobody_failed (const FlHitsJob *job, gboolean ok)
{
  guint64 failures = !ok;
  fl_parallel_sum_u64 (job->parallel, &failures, 1);
  return failures == 0;
}

/* --- learning --- */

static guint64
lot (guint64 id)
{
  return fl_hash64 (&id, sizeof id, 0x6c6561726eull);
}

static int
by_lot (const void *a, const void *b)
{
  guint64 x = lot (((const Wanted *) a)->id), y = lot (((const Wanted *) b)->id);
  return (x > y) - (x < y);
}

/* Rank 0: every frame of every input, in order. */
static GArray *
list_all (const FlHitsJob *job)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Wanted));
  for (guint s = 0; s < job->inputs->len; s++)
    {
      const FlInput *input = job->inputs->pdata[s];
      for (guint32 i = 0; i < fl_input_n (input); i++)
        {
          guint32 frame = fl_input_frame (input, i);
          Wanted wanted = { fl_shot_id (input->path, frame), { s, frame }, all->len };
          g_array_append_val (all, wanted);
        }
    }
  return all;
}

/* The shots whose lots are the smallest: the same ones whatever the order of inputs and the number of ranks. */
static GBytes *
draw_sample (const FlHitsJob *job)
{
  if (!job->first)
    return share_bytes (job->parallel, NULL, 0);
  g_autoptr (GArray) all = list_all (job);
  guint n = MIN (all->len, (guint) fl_params_int (job->params, "hits.learning_shots"));
  g_array_sort (all, by_lot);
  return share_bytes (job->parallel, all->data, n * sizeof (Wanted));
}

static gboolean
learn (FlHitsJob *job, GBytes **learned, gboolean *stopped, GError **error)
{
  gsize length;
  g_autoptr (GBytes) sample = draw_sample (job);
  const Wanted *wanted = g_bytes_get_data (sample, &length);
  guint n = (guint) (length / sizeof *wanted);
  g_autoptr (FlPatterns) patterns = fl_patterns_new (fl_pattern_pixels_copy (job->pixels));
  for (guint done = 0; done < n; done += ROUND)
    {
      guint64 asked = fl_parallel_stop_asked ();
      fl_parallel_sum_u64 (job->parallel, &asked, 1);
      *stopped = asked > 0;
      if (*stopped)
        return TRUE;
      collect (job, wanted + done, MIN (ROUND, n - done), TRUE, patterns, NULL);
    }
  if (!job->first)
    return TRUE;
  g_autoptr (FlHits) hits = fl_hits_learn (patterns, job->params);
  *learned = fl_hits_save (hits);
  g_autofree char *path = g_build_filename (job->options.out, LEARNED, NULL);
  g_autofree char *told = fl_hits_describe (hits);
  fprintf (stderr, "learned from %u shots: %s\n", patterns->n, told);
  return g_file_set_contents (path, g_bytes_get_data (*learned, NULL), (gssize) g_bytes_get_size (*learned),
                              error);
}

/* Rank 0: what an earlier attempt learned; NULL: nothing that results rest on. */
static GBytes *
read_learned (const FlHitsJob *job, GError **error)
{
  g_autofree char *path = g_build_filename (job->options.out, LEARNED, NULL);
  char *data;
  gsize length;
  if (g_hash_table_size (job->history->done) == 0 || !g_file_get_contents (path, &data, &length, error))
    return NULL;
  return g_bytes_new_take (data, length);
}

gboolean
fl_hits_learn_job (FlHitsJob *job, gboolean *stopped, GError **error)
{
  g_autoptr (GBytes) learned = job->first ? read_learned (job, error) : NULL;
  if (!nobody_failed (job, *error == NULL))
    return FALSE;
  gboolean known = fl_parallel_share_u64 (job->parallel, learned != NULL) != 0;
  gboolean ok = known || learn (job, &learned, stopped, error);
  if (!nobody_failed (job, ok) || *stopped)
    return ok;
  g_autoptr (GBytes) all =
      share_bytes (job->parallel, learned != NULL ? g_bytes_get_data (learned, NULL) : NULL,
                   learned != NULL ? g_bytes_get_size (learned) : 0);
  job->hits = fl_hits_restore (all, job->pixels, job->params, error);
  return job->hits != NULL;
}

/* --- the file of patterns --- */

/* A shot as the latest attempt that has it left it. */
typedef struct
{
  guint64 id;
  FlParticleRow particle;
  gboolean judged;
} Known;

static Known *
known_of (GHashTable *all, guint64 id)
{
  Known *known = g_hash_table_lookup (all, &id);
  if (known != NULL)
    return known;
  known = g_new0 (Known, 1);
  known->id = id;
  g_hash_table_insert (all, &known->id, known);
  return known;
}

static gboolean
read_journal (const char *path, GHashTable *all, GError **error)
{
  g_autoptr (FlJournalReader) reader = fl_journal_reader_open (path, 0, error);
  FlFrame frame;
  GError *why = NULL;
  while (reader != NULL && fl_journal_reader_next (reader, &frame, &why))
    {
      if (frame.kind != FL_KIND_PARTICLE && frame.kind != FL_KIND_SHOT)
        continue;
      g_autoptr (FlBatch) batch = fl_batch_decode (frame.payload, frame.payload_length, NULL);
      for (guint i = 0; batch != NULL && i < fl_batch_rows (batch); i++)
        {
          FlParticleRow particle;
          FlShotRow shot;
          fl_batch_row (batch, i, frame.kind == FL_KIND_PARTICLE ? (void *) &particle : (void *) &shot);
          if (frame.kind == FL_KIND_SHOT)
            {
              Known *known = known_of (all, shot.id);
              known->judged = shot.outcome == FL_OUTCOME_HIT || shot.outcome == FL_OUTCOME_MISS;
            }
          else
            known_of (all, particle.shot)->particle = particle;
        }
    }
  if (why != NULL)
    g_propagate_error (error, why);
  return reader != NULL && why == NULL;
}

/* Rank 0: the journals of all attempts, the first one's first. */
static GHashTable *
read_journals (const FlHitsJob *job, guint64 *counts, GError **error)
{
  g_autoptr (GHashTable) all = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  g_autoptr (GArray) attempts = fl_attempt_list (job->options.out);
  for (guint a = 0; a < attempts->len; a++)
    {
      g_autofree char *dir = fl_attempt_path (job->options.out, g_array_index (attempts, guint, a));
      g_autoptr (GPtrArray) paths = fl_journal_list (dir);
      for (guint i = 0; i < paths->len; i++)
        if (!read_journal (paths->pdata[i], all, error))
          return NULL;
    }
  GHashTableIter iter;
  gpointer value;
  memset (counts, 0, (FL_PARTICLE_LAST + 1) * sizeof *counts);
  g_hash_table_iter_init (&iter, all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Known *known = value;
      counts[known->judged ? MIN (known->particle.class, FL_PARTICLE_LAST) : FL_PARTICLE_LAST]++;
    }
  return g_steal_pointer (&all);
}

gboolean
fl_hits_count (FlHitsJob *job, guint64 *counts, GError **error)
{
  g_autoptr (GHashTable) all = job->first ? read_journals (job, counts, error) : NULL;
  return nobody_failed (job, !job->first || all != NULL);
}

static GBytes *
list_singles (const FlHitsJob *job, GHashTable *known)
{
  if (!job->first)
    return share_bytes (job->parallel, NULL, 0);
  g_autoptr (GArray) all = list_all (job), singles = g_array_new (FALSE, FALSE, sizeof (Wanted));
  for (guint i = 0; i < all->len; i++)
    {
      Wanted wanted = g_array_index (all, Wanted, i);
      const Known *of = g_hash_table_lookup (known, &wanted.id);
      if (of != NULL && of->judged && of->particle.class == FL_PARTICLE_SINGLE)
        g_array_append_val (singles, wanted);
    }
  return share_bytes (job->parallel, singles->data, singles->len * sizeof (Wanted));
}

static gboolean
write_round (FlHitsJob *job, const Wanted *wanted, guint n, GHashTable *known, FlPatternWriter *writer,
             GError **error)
{
  g_autoptr (FlPatterns) patterns = fl_patterns_new (fl_pattern_pixels_copy (job->pixels));
  gboolean ok = collect (job, wanted, n, FALSE, patterns, error);
  if (!nobody_failed (job, ok))
    return FALSE;
  if (!job->first)
    return TRUE;
  g_autofree FlParticleRow *rows = g_new0 (FlParticleRow, patterns->n);
  for (guint i = 0; i < patterns->n; i++)
    rows[i] = known_of (known, wanted[i].id)->particle;
  return fl_pattern_writer_append (writer, patterns, rows, error);
}

gboolean
fl_hits_write_patterns (FlHitsJob *job, guint64 *counts, GError **error)
{
  g_autoptr (GHashTable) known = job->first ? read_journals (job, counts, error) : NULL;
  if (!nobody_failed (job, !job->first || known != NULL))
    return FALSE;
  gsize length;
  g_autoptr (GBytes) list = list_singles (job, known);
  const Wanted *wanted = g_bytes_get_data (list, &length);
  guint n = (guint) (length / sizeof *wanted);
  g_autofree char *path = g_build_filename (job->options.out, "patterns.h5", NULL);
  g_autoptr (FlPatternPixels) pixels = fl_pattern_pixels_copy (job->pixels);
  g_clear_pointer (&pixels->background, g_free);
  pixels->background = g_memdup (fl_hits_background (job->hits), (guint) (pixels->n * sizeof (float)));
  FlPatternWriter *writer = job->first ? fl_pattern_writer_new (path, pixels, error) : NULL;
  gboolean ok = nobody_failed (job, !job->first || writer != NULL);
  for (guint done = 0; done < n && ok; done += ROUND)
    ok = nobody_failed (job, write_round (job, wanted + done, MIN (ROUND, n - done), known, writer, error));
  if (ok && job->first)
    return fl_pattern_writer_finish (writer, error);
  fl_pattern_writer_abandon (writer);
  return ok;
}
