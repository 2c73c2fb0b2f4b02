/* reconstruction-state.c: a reconstruction as bytes, and back, on any number of ranks. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/parallel/arrays.h"
#include "engine/spi/reconstruction-private.h"

#define MAGIC 0x33495053544c4c46ull /* of this version */

#define MOST_SPECKLES 1000 /* of a sound state */

enum
{
  SETS = GROUPS + HALVES /* of models: those in work, and the best starts' */
};

/* Bytes: Head; models, each set's conformations one after the other; up to a multiple of 8; Saved of each pattern, by rising row. */
typedef struct
{
  guint64 magic, seed, n_patterns;
  guint32 n_conformations, n_starts;
  guint64 symmetry;
  double diameter, s_max;
  FlProgress progress;
  guint32 m[SETS]; /* points a side, 0: there is none */
  double voxel[SETS];
} Head;

typedef struct
{
  guint64 id;
  FlAssignment assignment;
  guint32 row;
} Saved;

static FlVolume ***
set_of (FlReconstruction *r, guint set)
{
  return set < GROUPS ? &r->models[set] : &r->chosen[set - GROUPS];
}

static guint64
symmetry_of (const FlReconstruction *r)
{
  const FlPointGroup *group = r->symmetry;
  return group != NULL ? fl_hash64 (group->rotations, group->n * sizeof *group->rotations, group->n) : 0;
}

static int
by_row (const void *a, const void *b)
{
  guint32 x = ((const Saved *) a)->row, y = ((const Saved *) b)->row;
  return x < y ? -1 : x > y;
}

static GByteArray *
own_patterns (const FlReconstruction *r)
{
  GByteArray *bytes = g_byte_array_new ();
  for (guint i = 0; i < r->mine->n; i++)
    {
      Saved saved;
      memset (&saved, 0, sizeof saved); /* padding, too: the same state is the same bytes */
      saved.id = r->mine->id[i];
      saved.assignment.orientation = r->assignments[i].orientation;
      saved.assignment.conformation = r->assignments[i].conformation;
      saved.assignment.confidence = r->assignments[i].confidence;
      saved.assignment.scale = r->assignments[i].scale;
      saved.assignment.half = r->assignments[i].half;
      saved.assignment.held_back = r->assignments[i].held_back;
      saved.row = r->mine->row[i];
      g_byte_array_append (bytes, (const guint8 *) &saved, sizeof saved);
    }
  return bytes;
}

static void
fill_head (FlReconstruction *r, Head *head)
{
  memset (head, 0, sizeof *head);
  head->magic = MAGIC;
  head->seed = r->seed;
  head->n_patterns = r->n_all;
  head->n_conformations = r->n_conformations;
  head->n_starts = r->n_starts;
  head->symmetry = symmetry_of (r);
  head->diameter = r->diameter;
  head->s_max = r->s_max;
  head->progress.generation = r->progress.generation;
  head->progress.stage = r->progress.stage;
  head->progress.in_stage = r->progress.in_stage;
  head->progress.start = r->progress.start;
  head->progress.joined = r->progress.joined;
  head->progress.settled = r->progress.settled;
  head->progress.refined = r->progress.refined;
  head->progress.beta = r->progress.beta;
  head->progress.likelihood = r->progress.likelihood;
  memcpy (head->progress.best, r->progress.best, sizeof head->progress.best);
  for (guint set = 0; set < SETS; set++)
    {
      FlVolume **models = *set_of (r, set);
      head->m[set] = models != NULL ? models[0]->m : 0;
      head->voxel[set] = models != NULL ? models[0]->voxel : 0;
    }
}

/* Where patterns may stand after so many bytes. */
static gsize
aligned (gsize size)
{
  return (size + 7) / 8 * 8;
}

GBytes *
fl_reconstruction_save (FlReconstruction *r)
{
  g_autoptr (GByteArray) own = own_patterns (r);
  g_autoptr (GPtrArray) all = fl_parallel_gather (r->parallel, own->data, own->len);
  if (all == NULL)
    return NULL;
  Head head;
  GByteArray *bytes = g_byte_array_new ();
  fill_head (r, &head);
  g_byte_array_append (bytes, (const guint8 *) &head, sizeof head);
  for (guint set = 0; set < SETS; set++)
    for (guint c = 0; c < r->n_conformations && *set_of (r, set) != NULL; c++)
      {
        const FlVolume *model = (*set_of (r, set))[c];
        g_byte_array_append (bytes, (const guint8 *) model->data,
                             (guint) (fl_volume_points (model) * sizeof *model->data));
      }
  static const guint8 none[8];
  g_byte_array_append (bytes, none, (guint) (aligned (bytes->len) - bytes->len));
  guint patterns_at = bytes->len;
  for (guint rank = 0; rank < all->len; rank++)
    {
      gsize length;
      const guint8 *part = g_bytes_get_data (g_ptr_array_index (all, rank), &length);
      if (length > 0)
        g_byte_array_append (bytes, part, (guint) length);
    }
  qsort (bytes->data + patterns_at, (bytes->len - patterns_at) / sizeof (Saved), sizeof (Saved), by_row);
  return g_byte_array_free_to_bytes (bytes);
}

/* Bytes that a state of this head has; 0: more than there can be. */
static gsize
size_of (const Head *head)
{
  gsize size = sizeof *head;
  for (guint set = 0; set < SETS; set++)
    {
      if (head->m[set] > 1024)
        return 0;
      size += (gsize) head->n_conformations * head->m[set] * head->m[set] * head->m[set] * sizeof (float);
    }
  return aligned (size) + head->n_patterns * sizeof (Saved);
}

/* The bytes of a state, and its head; NULL: damaged. Collective; they stay as long as `bytes`. */
static const guint8 *
open_state (FlReconstruction *r, GBytes *mine, GBytes **bytes, Head *head)
{
  gsize length = 0;
  *bytes = fl_parallel_share_bytes (r->parallel, mine);
  const guint8 *data = *bytes != NULL ? g_bytes_get_data (*bytes, &length) : NULL;
  if (length < sizeof *head)
    return NULL;
  memcpy (head, data, sizeof *head);
  return head->magic == MAGIC && head->n_conformations <= 1024 && head->n_patterns < G_MAXUINT32
                 && size_of (head) == length
             ? data
             : NULL;
}

static const Saved *
saved_of (const Head *head, const guint8 *data)
{
  return (const Saved *) (gconstpointer) (data + size_of (head) - head->n_patterns * sizeof (Saved));
}

static gboolean
is_near (double a, double b)
{
  return fabs (a / b - 1) < 1e-9;
}

/* What stands against a state's going on here; NULL: nothing. */
static const char *
what_differs (const FlReconstruction *r, const Head *head)
{
  if (head->seed != r->seed)
    return "seed";
  if (head->n_conformations != r->n_conformations)
    return "number of conformations";
  if (head->symmetry != symmetry_of (r))
    return "symmetry";
  if (!is_near (head->s_max, r->s_max))
    return "resolution";
  double speckles = head->diameter * r->s_max;
  if (!is_near (head->diameter, r->diameter)
      && (r->diameter_given || !(speckles >= 2 && speckles <= MOST_SPECKLES)))
    return "diameter";
  g_autoptr (GArray) plans = fl_stage_plans (head->diameter, r->s_max);
  return head->progress.stage < plans->len ? NULL : "stages";
}

static void
take_models (FlReconstruction *r, const Head *head, const guint8 *data, guint n)
{
  const guint8 *at = data + sizeof *head;
  if (!is_near (head->diameter, r->diameter))
    fl_reconstruction_plan (r, head->diameter);
  for (guint set = 0; set < SETS; set++)
    {
      fl_models_clear (set_of (r, set), r->n_conformations);
      gsize size = (gsize) head->m[set] * head->m[set] * head->m[set] * sizeof (float);
      if (size > 0 && set < n)
        {
          FlVolume **models = *set_of (r, set) = g_new0 (FlVolume *, r->n_conformations);
          for (guint c = 0; c < r->n_conformations; c++)
            {
              models[c] = fl_volume_new (head->m[set], head->voxel[set]);
              memcpy (models[c]->data, at + c * size, size);
            }
        }
      at += r->n_conformations * size;
    }
}

/* --- the same patterns --- */

static gboolean
take_patterns (FlReconstruction *r, const Saved *saved)
{
  for (guint i = 0; i < r->mine->n; i++)
    {
      Saved key = { .row = r->mine->row[i] };
      const Saved *found = bsearch (&key, saved, r->n_all, sizeof *saved, by_row);
      if (found == NULL || found->id != r->mine->id[i])
        return FALSE;
      r->assignments[i] = found->assignment;
    }
  return TRUE;
}

gboolean
fl_reconstruction_restore (FlReconstruction *r, GBytes *bytes, GError **error)
{
  Head head;
  g_autoptr (GBytes) all = NULL;
  const guint8 *data = open_state (r, bytes, &all, &head);
  double mine = data != NULL && head.n_patterns == r->n_all && head.n_starts == r->n_starts
                && what_differs (r, &head) == NULL && take_patterns (r, saved_of (&head, data));
  fl_parallel_sum_f64 (r->parallel, &mine, 1);
  if (mine < fl_parallel_ranks (r->parallel))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s",
                   data != NULL ? "the saved reconstruction is of other patterns or parameters, expected "
                                  "those that it began with"
                                : "the saved reconstruction is damaged, expected one of this version");
      return FALSE;
    }
  r->progress = head.progress;
  take_models (r, &head, data, SETS);
  return TRUE;
}

/* --- more patterns --- */

static int
by_id (const void *a, const void *b)
{
  guint64 x = ((const Saved *) a)->id, y = ((const Saved *) b)->id;
  return x < y ? -1 : x > y;
}

/* Halves and who is held back stay as they are drawn. */
static void
take_known (FlReconstruction *r, const Head *head, const guint8 *data)
{
  gsize size = head->n_patterns * sizeof (Saved);
  g_autofree Saved *saved = g_malloc (size + 1);
  memcpy (saved, saved_of (head, data), size);
  qsort (saved, head->n_patterns, sizeof *saved, by_id);
  for (guint i = 0; i < r->mine->n; i++)
    {
      const Saved key = { .id = r->mine->id[i] },
                  *found = bsearch (&key, saved, head->n_patterns, sizeof *saved, by_id);
      FlAssignment *assignment = &r->assignments[i];
      if (found == NULL || found->assignment.half != assignment->half)
        continue;
      assignment->orientation = found->assignment.orientation;
      assignment->conformation = found->assignment.conformation;
      assignment->confidence = found->assignment.confidence;
      assignment->scale = found->assignment.scale;
    }
}

gboolean
fl_reconstruction_start_from (FlReconstruction *r, GBytes *former, GError **error)
{
  Head head;
  g_autoptr (GBytes) all = NULL;
  const guint8 *data = open_state (r, former, &all, &head);
  const char *other = data != NULL ? what_differs (r, &head) : NULL;
  if (data == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "the earlier reconstruction is damaged, expected one of this version");
  else if (other != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the earlier reconstruction was of another %s", other);
  else if (head.progress.start < head.n_starts || head.m[0] == 0 || head.m[1] == 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "the earlier reconstruction did not come as far as to choose among its starts");
  else
    {
      take_known (r, &head, data);
      take_models (r, &head, data, HALVES);
      r->progress = (FlProgress){ .stage = head.progress.stage,
                                  .start = r->n_starts,
                                  .beta = 1,
                                  .likelihood = -INFINITY,
                                  .best = { -INFINITY, -INFINITY } };
      return TRUE;
    }
  return FALSE;
}
