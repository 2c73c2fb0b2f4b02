/* The patterns of a reconstruction: which there are, and who has which. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/spi/pattern-file.h"
#include "engine/spi/pattern-source.h"

#define PATTERNS       "patterns.h5" /* in the folder of a `hits` job */
#define LEAST_PATTERNS 50            /* two half sets of fewer tell nothing of each other */

/* A pattern of all. */
typedef struct
{
  guint64 id, lot;       /* drawn by the id: what patterns are dealt by */
  guint32 source, frame; /* in it */
  guint32 row;
} Dealt;

gboolean
fl_reconstruct_agree (FlReconstructJob *job, GError **error)
{
  guint64 n = *error != NULL;
  fl_parallel_sum_u64 (job->parallel, &n, 1);
  if (n == 0)
    return TRUE;
  g_autofree char *mine =
      *error != NULL ? g_strdup_printf ("%d %s", (*error)->code, (*error)->message) : g_strdup ("");
  g_autoptr (GPtrArray) all = fl_parallel_gather (job->parallel, mine, strlen (mine) + 1);
  const char *first = "";
  for (guint i = 0; all != NULL && i < all->len && *first == '\0'; i++)
    first = g_bytes_get_data (all->pdata[i], NULL);
  g_autofree char *text = fl_parallel_share_text (job->parallel, first);
  char *message;
  int code = (int) strtol (text, &message, 10);
  g_clear_error (error);
  g_set_error_literal (error, FL_ERROR, code, message + 1);
  return FALSE;
}

/* --- what there is --- */

static char *
file_of (const char *input, GError **error)
{
  if (!g_file_test (input, G_FILE_TEST_IS_DIR))
    return g_strdup (input);
  g_autofree char *path = g_build_filename (input, PATTERNS, NULL);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
               "%s: holds no " PATTERNS ", expected the folder of a hits job", input);
  return NULL;
}

/* Of our own files shots of one particle alone; of others all. */
static gboolean
list_frames (FlPatternSource *source, guint32 number, GArray *all, GError **error)
{
  const char *path = fl_pattern_source_path (source);
  g_autoptr (FlPatternFile) file = NULL;
  if (fl_pattern_file_is_one (path) && (file = fl_pattern_file_open (path, error)) == NULL)
    return FALSE;
  for (guint32 frame = 0; frame < fl_pattern_source_n_frames (source); frame++)
    {
      guint64 id = fl_pattern_source_id (source, frame);
      Dealt dealt = { id, fl_hash64 (&id, sizeof id, 0), number, frame, all->len };
      if (file == NULL || fl_pattern_file_classes (file)[frame] == FL_PARTICLE_SINGLE)
        g_array_append_val (all, dealt);
    }
  return TRUE;
}

static GPtrArray *
open_sources (FlReconstructJob *job, char **inputs, GArray *all, GError **error)
{
  FlPatternSourceOptions options = fl_pattern_source_options (job->params);
  FlCalibrationOptions calibration;
  if (!fl_calibration_options (job->params, &calibration, error))
    return NULL;
  options.calibration = &calibration;
  g_autoptr (GPtrArray) sources = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_pattern_source_close);
  job->sources = fl_batch_new (FL_KIND_SOURCE);
  for (char **input = inputs; *input != NULL; input++)
    {
      g_autofree char *path = file_of (*input, error);
      FlPatternSource *source = path != NULL ? fl_pattern_source_open (path, &options, error) : NULL;
      if (source == NULL)
        return NULL;
      g_ptr_array_add (sources, source);
      FlPatternSource *first = sources->pdata[0];
      FlSourceRow row = { .source = sources->len - 1,
                          .frames = fl_pattern_source_n_frames (source),
                          .path = fl_pattern_source_path (source) };
      fl_batch_append (job->sources, &row);
      if (!fl_pattern_pixels_agree (fl_pattern_source_pixels (source), path, fl_pattern_source_pixels (first),
                                    fl_pattern_source_path (first), error)
          || !list_frames (source, row.source, all, error))
        return NULL;
    }
  if (all->len > 0)
    return g_steal_pointer (&sources);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s%s: no pattern of a particle, expected some", inputs[0],
               inputs[1] != NULL ? " and the others" : "");
  return NULL;
}

/* --- who has which --- */

static int
by_lot (gconstpointer a, gconstpointer b)
{
  const Dealt *x = a, *y = b;
  return x->lot != y->lot ? (x->lot < y->lot ? -1 : 1) : x->row < y->row ? -1 : x->row > y->row;
}

static int
by_row (gconstpointer a, gconstpointer b)
{
  const Dealt *x = a, *y = b;
  return x->row < y->row ? -1 : x->row > y->row;
}

/* What is this rank's: as many as any other's, but for one. */
static GArray *
deal (const FlReconstructJob *job, GArray *all)
{
  guint ranks = fl_parallel_ranks (job->parallel);
  GArray *mine = g_array_new (FALSE, FALSE, sizeof (Dealt));
  g_array_sort (all, by_lot);
  for (guint i = fl_parallel_rank (job->parallel); i < all->len; i += ranks)
    g_array_append_val (mine, g_array_index (all, Dealt, i));
  g_array_sort (mine, by_row);
  return mine;
}

/* Neighbours in a file are read together. */
static gboolean
read_dealt (FlReconstructJob *job, GPtrArray *sources, const GArray *mine, GError **error)
{
  for (guint i = 0, n; i < mine->len; i += n)
    {
      const Dealt *from = &g_array_index (mine, Dealt, i);
      for (n = 1; i + n < mine->len && from[n].source == from->source && from[n].frame == from->frame + n
                  && from[n].row == from->row + n;
           n++)
        ;
      if (!fl_pattern_source_read (sources->pdata[from->source], from->frame, n, from->row, job->patterns,
                                   error))
        return FALSE;
    }
  return TRUE;
}

/* --- all --- */

/* The mean over all patterns of what their files say. */
static void
mean_background (FlPatternPixels *pixels, const GPtrArray *sources)
{
  double n = 0;
  g_autofree double *sum = g_new0 (double, pixels->n);
  for (guint i = 0; i < sources->len; i++)
    {
      const FlPatternPixels *own = fl_pattern_source_pixels (sources->pdata[i]);
      double frames = fl_pattern_source_n_frames (sources->pdata[i]);
      n += frames;
      for (guint k = 0; own->background != NULL && k < pixels->n; k++)
        sum[k] += frames * (double) own->background[k];
    }
  for (guint i = 0; i < sources->len && pixels->background == NULL; i++)
    if (fl_pattern_source_pixels (sources->pdata[i])->background != NULL)
      pixels->background = g_new (float, pixels->n);
  for (guint k = 0; pixels->background != NULL && k < pixels->n; k++)
    pixels->background[k] = (float) (sum[k] / n);
}

static guint64
sum_of (FlReconstructJob *job)
{
  const FlPatterns *p = job->patterns;
  const FlPatternPixels *pixels = p->pixels;
  guint64 sum = 0;
  for (guint i = 0; i < p->n; i++)
    {
      gsize bytes = (p->start[i + 1] - p->start[i]) * sizeof (guint32);
      guint64 seed = fl_hash64 (&p->row[i], sizeof p->row[i], p->id[i]);
      sum += fl_hash64 (p->pixel + p->start[i], bytes, fl_hash64 (p->count + p->start[i], bytes, seed));
    }
  fl_parallel_sum_u64 (job->parallel, &sum, 1);
  sum = fl_hash64 (pixels->s, pixels->n * sizeof *pixels->s, sum);
  sum = fl_hash64 (pixels->factor, pixels->n * sizeof *pixels->factor, sum);
  sum = fl_hash64 (pixels->mask, pixels->n, sum);
  return pixels->background == NULL
             ? sum
             : fl_hash64 (pixels->background, pixels->n * sizeof *pixels->background, sum);
}

gboolean
fl_reconstruct_read (FlReconstructJob *job, char **inputs, GError **error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Dealt));
  g_autoptr (GPtrArray) sources = open_sources (job, inputs, all, error);
  if (!fl_reconstruct_agree (job, error))
    return FALSE;
  g_autoptr (GArray) mine = deal (job, all);
  job->n_patterns = all->len;
  job->patterns = fl_patterns_new (fl_pattern_pixels_copy (fl_pattern_source_pixels (sources->pdata[0])));
  mean_background (job->patterns->pixels, sources);
  read_dealt (job, sources, mine, error);
  if (!fl_reconstruct_agree (job, error))
    return FALSE;
  guint64 lit = job->patterns->start[job->patterns->n];
  fl_parallel_sum_u64 (job->parallel, &lit, 1);
  if (lit == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s%s: no photon on good pixels, expected some",
                   inputs[0], inputs[1] != NULL ? " and the others" : "");
      return FALSE;
    }
  if (job->n_patterns < LEAST_PATTERNS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s%s: %u patterns of a particle, expected %d at least",
                   inputs[0], inputs[1] != NULL ? " and the others" : "", job->n_patterns, LEAST_PATTERNS);
      return FALSE;
    }
  job->input_sum = sum_of (job);
  return TRUE;
}
