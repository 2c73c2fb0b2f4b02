#include "engine/merge/input.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/results/dials.h"
#include "engine/results/spots.h"
#include "engine/results/stream.h"

#define SHOTS_AT_A_TIME 250
#define BLOCK           32 /* frames that one rank reads together */

typedef struct
{
  FlMergeSet *set;
  guint32 input;   /* its number */
  guint64 ordinal; /* of the lattice in the input */
  GArray *observations;
} Input;

/* The rank that a block of content goes to. */
static gboolean
is_mine (const Input *in, guint64 source, guint64 frame)
{
  const guint64 block[] = { source, frame / BLOCK };
  FlParallel *parallel = in->set->parallel;
  return fl_hash64 (block, sizeof block, in->input) % fl_parallel_ranks (parallel)
         == fl_parallel_rank (parallel);
}

static FlObservation
observation_of (const FlReflectionRow *r)
{
  guint flags = ((r->flags & FL_REFLECTION_STRONG) != 0 ? FL_OBSERVATION_STRONG : 0)
                | ((r->flags & FL_REFLECTION_SATURATED) != 0 ? FL_OBSERVATION_SATURATED : 0)
                | ((r->flags & FL_REFLECTION_OVERLAP) != 0 ? FL_OBSERVATION_OVERLAP : 0);
  return (FlObservation){ .unique = FL_UNIQUE_NONE,
                          .h = r->h,
                          .k = r->k,
                          .l = r->l,
                          .flags = (guint16) flags,
                          .intensity = r->intensity,
                          .sigma = r->sigma,
                          .excitation = r->excitation };
}

static gboolean
add_lattice (Input *in, guint64 shot, double energy, const FlLatticeRow *row, GError **error)
{
  const guint64 identity[] = { shot, row->number };
  if (fl_parallel_stop_asked ())
    {
      g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                   "asked to stop while inputs are read; the next attempt begins again");
      return FALSE;
    }
  FlMergeLattice lattice = { .shot = shot,
                             .key = fl_hash64 (identity, sizeof identity, 0),
                             .within = row->number,
                             .centring = row->centring,
                             .reason =
                                 in->observations->len > 0 ? FL_MERGE_ACCEPTED : FL_MERGE_NO_REFLECTIONS,
                             .space_group = row->space_group,
                             .input = in->input,
                             .energy = (float) energy,
                             .confidence = row->confidence,
                             .resolution = row->resolution,
                             .domain_size = row->domain_size,
                             .mosaicity = row->mosaicity,
                             .scale = 1,
                             .correlation = NAN };
  memcpy (lattice.cell, row->cell, sizeof lattice.cell);
  memcpy (lattice.a_star, row->a_star, sizeof lattice.a_star);
  return fl_merge_set_append (in->set, &lattice, ((guint64) in->input << 40) + in->ordinal++,
                              (const FlObservation *) (void *) in->observations->data, in->observations->len,
                              error);
}

static gboolean
is_integrated (const FlReflectionRow *r)
{
  return r->sigma >= 0 && isfinite (r->intensity) && isfinite (r->sigma);
}

/* --- jobs --- */

/* Lattices from *at on that are of this shot, with their reflections from *from on. */
static gboolean
add_shot (Input *in, const FlShotSet *set, const FlShotRow *shot, guint at[FL_PART_LAST], GError **error)
{
  guint first, n, first_reflection, n_reflections;
  if (shot->lattices == 0)
    return TRUE;
  const FlBatch *reflections = set->parts[FL_PART_REFLECTIONS];
  fl_part_find (set->parts[FL_PART_LATTICES], shot->id, at[FL_PART_LATTICES], &first, &n);
  fl_part_find (reflections, shot->id, at[FL_PART_REFLECTIONS], &first_reflection, &n_reflections);
  if (n > 0)
    at[FL_PART_LATTICES] = first + n;
  if (n_reflections > 0)
    at[FL_PART_REFLECTIONS] = first_reflection + n_reflections;
  guint r = first_reflection;
  for (guint i = first; i < first + n; i++)
    {
      FlLatticeRow lattice;
      fl_batch_row (set->parts[FL_PART_LATTICES], i, &lattice);
      g_array_set_size (in->observations, 0);
      for (; r < first_reflection + n_reflections; r++)
        {
          FlReflectionRow row;
          fl_batch_row (reflections, r, &row);
          if (row.lattice != lattice.number)
            break;
          FlObservation observation = observation_of (&row);
          if (is_integrated (&row))
            g_array_append_val (in->observations, observation);
        }
      if (!add_lattice (in, shot->id, (double) shot->energy, &lattice, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_job (Input *in, const char *dir, GError **error)
{
  g_autoptr (FlBatch) sources = fl_results_sources (dir, error);
  if (sources == NULL)
    return FALSE;
  g_autoptr (GArray) list = fl_results_list (dir);
  guint mine = 0;
  for (guint i = 0; i < list->len; i++)
    {
      FlResultsShot shot = g_array_index (list, FlResultsShot, i);
      if (is_mine (in, shot.source, shot.frame))
        g_array_index (list, FlResultsShot, mine++) = shot;
    }
  for (guint i = 0; i < mine; i += SHOTS_AT_A_TIME)
    {
      guint at[FL_PART_LAST] = { 0 };
      g_autoptr (FlShotSet) set = fl_results_load (dir, &g_array_index (list, FlResultsShot, i),
                                                   MIN (SHOTS_AT_A_TIME, mine - i), error);
      if (set == NULL)
        return FALSE;
      for (guint k = 0; k < fl_batch_rows (set->shots); k++)
        {
          FlShotRow shot;
          fl_batch_row (set->shots, k, &shot);
          if (!add_shot (in, set, &shot, at, error))
            return FALSE;
        }
    }
  return TRUE;
}

/* --- other programs' files --- */

static gboolean
add_pattern (Input *in, const FlPattern *pattern, guint64 place, GError **error)
{
  /* A frame without a number is told from others of its file by its event, or by its place. */
  guint64 event[] = { fl_hash64 (pattern->event, strlen (pattern->event), 0),
                      *pattern->event == '\0' ? place : 0 };
  guint32 frame =
      pattern->frame >= 0 ? (guint32) pattern->frame : (guint32) fl_hash64 (event, sizeof event, 0);
  guint64 shot = fl_shot_id (pattern->file, frame);
  for (guint i = 0; i < pattern->lattices->len; i++)
    {
      const FlLatticeRow *lattice = &g_array_index (pattern->lattices, FlLatticeRow, i);
      guint n;
      const FlReflectionRow *rows = fl_pattern_reflections (pattern, lattice->number, &n);
      g_array_set_size (in->observations, 0);
      for (guint r = 0; r < n; r++)
        {
          FlObservation observation = observation_of (&rows[r]);
          if (is_integrated (&rows[r]))
            g_array_append_val (in->observations, observation);
        }
      in->ordinal = (place << 12) + i;
      if (!add_lattice (in, shot, pattern->energy, lattice, error))
        return FALSE;
    }
  return TRUE;
}

/* Text cannot be read from the middle: every rank reads it, and keeps its share. */
static gboolean
read_stream (Input *in, const char *path, GError **error)
{
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, error);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  if (reader == NULL)
    return FALSE;
  for (guint64 place = 0; fl_stream_reader_next (reader, pattern); place++)
    if (is_mine (in, 0, place) && !add_pattern (in, pattern, place, error))
      return FALSE;
  return TRUE;
}

/* One rank reads a whole pair of files. */
static gboolean
read_dials (Input *in, const char *path, GError **error)
{
  if (in->input % fl_parallel_ranks (in->set->parallel) != fl_parallel_rank (in->set->parallel))
    return TRUE;
  g_autofree char *refl = fl_dials_refl_path (path);
  g_autoptr (FlDialsFile) file = fl_dials_read (path, refl, error);
  for (guint i = 0; file != NULL && i < file->patterns->len; i++)
    if (!add_pattern (in, g_ptr_array_index (file->patterns, i), i, error))
      return FALSE;
  return file != NULL;
}

/* --- */

static gboolean
read_all (FlMergeSet *set, const char *const *inputs, GError **error)
{
  g_autoptr (GArray) observations = g_array_new (FALSE, FALSE, sizeof (FlObservation));
  gboolean ok = TRUE;
  for (guint i = 0; ok && inputs[i] != NULL; i++)
    {
      Input in = { .set = set, .input = i, .observations = observations };
      if (g_str_has_suffix (inputs[i], ".stream"))
        ok = read_stream (&in, inputs[i], error);
      else if (g_str_has_suffix (inputs[i], ".expt"))
        ok = read_dials (&in, inputs[i], error);
      else
        ok = read_job (&in, inputs[i], error);
    }
  return ok;
}

/* Code and words of the first rank's error that has one, on all ranks. */
static gboolean
share_error (FlParallel *parallel, GError *mine, GError **error)
{
  g_autofree char *text = mine != NULL ? g_strdup_printf ("%d %s", mine->code, mine->message) : g_strdup ("");
  g_autoptr (GPtrArray) all = fl_parallel_gather (parallel, text, strlen (text) + 1);
  const char *first = "";
  for (guint i = 0; all != NULL && i < all->len && *first == '\0'; i++)
    first = g_bytes_get_data (g_ptr_array_index (all, i), NULL);
  g_autofree char *shared = fl_parallel_share_text (parallel, first);
  if (*shared == '\0')
    return TRUE;
  char *message;
  int code = (int) g_ascii_strtoll (shared, &message, 10);
  g_set_error_literal (error, FL_ERROR, code, message + 1);
  return FALSE;
}

FlMergeSet *
fl_merge_input_read (FlParallel *parallel, const char *const *inputs, const FlMergeInputOptions *options,
                     GError **error)
{
  g_autoptr (FlMergeSet) set = fl_merge_set_new (parallel, options);
  g_autoptr (GError) mine = NULL;
  read_all (set, inputs, &mine);
  if (!share_error (parallel, mine, error))
    return NULL;
  fl_merge_set_finish (set);
  return g_steal_pointer (&set);
}
