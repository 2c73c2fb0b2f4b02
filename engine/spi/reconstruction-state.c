/* reconstruction-state.c: a reconstruction as bytes, and back, on any number of ranks. */
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/parallel/arrays.h"
#include "engine/spi/reconstruction-private.h"

#define MAGIC 0x31495053544c4c46ull /* of this version */

enum
{
  SETS = GROUPS + HALVES /* of models: those in work, and the best starts' */
};

/* Bytes: Head; models, each set's conformations one after the other; Saved of each pattern, by rising row. */
typedef struct
{
  guint64 magic, seed, n_patterns;
  guint32 n_conformations, n_starts;
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
  head->diameter = r->diameter;
  head->s_max = r->s_max;
  head->progress.generation = r->progress.generation;
  head->progress.stage = r->progress.stage;
  head->progress.in_stage = r->progress.in_stage;
  head->progress.start = r->progress.start;
  head->progress.joined = r->progress.joined;
  head->progress.done = r->progress.done;
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
  return size + head->n_patterns * sizeof (Saved);
}

static gboolean
belongs (const FlReconstruction *r, const Head *head)
{
  return head->seed == r->seed && head->n_patterns == r->n_all && head->n_conformations == r->n_conformations
         && head->n_starts == r->n_starts && fabs (head->diameter / r->diameter - 1) < 1e-9
         && fabs (head->s_max / r->s_max - 1) < 1e-9 && head->progress.stage < r->plans->len;
}

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
  g_autoptr (GBytes) all = fl_parallel_share_bytes (r->parallel, bytes);
  gsize length = 0;
  const guint8 *data = all != NULL ? g_bytes_get_data (all, &length) : NULL;
  Head head;
  gboolean whole = length >= sizeof head;
  if (whole)
    {
      memcpy (&head, data, sizeof head);
      whole = head.magic == MAGIC && head.n_conformations <= 1024 && head.n_patterns < G_MAXUINT32
              && size_of (&head) == length;
    }
  double mine = whole && belongs (r, &head)
                && take_patterns (
                    r, (const Saved *) (gconstpointer) (data + length - head.n_patterns * sizeof (Saved)));
  fl_parallel_sum_f64 (r->parallel, &mine, 1);
  if (mine < fl_parallel_ranks (r->parallel))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s",
                   whole ? "the saved reconstruction is of other patterns or parameters, expected those that "
                           "it began with"
                         : "the saved reconstruction is damaged, expected one of this version");
      return FALSE;
    }
  r->progress = head.progress;
  const guint8 *at = data + sizeof head;
  for (guint set = 0; set < SETS; set++)
    {
      fl_models_clear (set_of (r, set), r->n_conformations);
      if (head.m[set] == 0)
        continue;
      FlVolume **models = *set_of (r, set) = g_new0 (FlVolume *, r->n_conformations);
      for (guint c = 0; c < r->n_conformations; c++)
        {
          models[c] = fl_volume_new (head.m[set], head.voxel[set]);
          gsize size = fl_volume_points (models[c]) * sizeof (float);
          memcpy (models[c]->data, at, size);
          at += size;
        }
    }
  return TRUE;
}
