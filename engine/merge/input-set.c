/* The set itself: where observations lie, the order of lattices, their numbers. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/merge/input.h"

#define DEFAULT_MEMORY (1ull << 30)

/* Observations grow in `array`, or, past `memory`, in a file without a name that is mapped whole. */
typedef struct
{
  char *dir;
  guint64 memory; /* bytes */
  int file;       /* −1: none */
  guint64 room;   /* observations that there is room for */
  GArray *orders; /* Order, beside the set's lattices until they are sorted */
} Spool;

/* What a lattice is sorted by. */
typedef struct
{
  guint64 key, ordinal;
} Order;

FlMergeSet *
fl_merge_set_new (FlParallel *parallel, const FlMergeInputOptions *options)
{
  Spool *spool = g_new0 (Spool, 1);
  spool->dir = g_strdup (options->spool_dir);
  spool->memory = options->memory > 0 ? options->memory : DEFAULT_MEMORY;
  spool->file = -1;
  spool->orders = g_array_new (FALSE, FALSE, sizeof (Order));
  FlMergeSet *set = g_new0 (FlMergeSet, 1);
  set->parallel = parallel;
  set->lattices = g_array_new (FALSE, FALSE, sizeof (FlMergeLattice));
  set->spool = spool;
  return set;
}

static void
free_observations (FlMergeSet *set)
{
  Spool *spool = set->spool;
  if (spool->file < 0)
    g_free (set->observations);
  else if (set->observations != NULL)
    munmap (set->observations, spool->room * sizeof (FlObservation));
  set->observations = NULL;
}

void
fl_merge_set_free (FlMergeSet *set)
{
  if (set == NULL)
    return;
  Spool *spool = set->spool;
  free_observations (set);
  if (spool->file >= 0)
    close (spool->file);
  g_free (spool->dir);
  g_array_unref (spool->orders);
  g_free (spool);
  g_array_unref (set->lattices);
  g_free (set);
}

static gboolean
fail (const Spool *spool, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: observations cannot be kept there: %s", spool->dir,
               g_strerror (errno));
  return FALSE;
}

/* The file has no name, so that nothing is left of it when the program dies. */
static gboolean
open_file (Spool *spool, GError **error)
{
  g_autofree char *path = g_build_filename (spool->dir, "observations-XXXXXX", NULL);
  spool->file = mkstemp (path);
  if (spool->file < 0)
    return fail (spool, error);
  unlink (path);
  return TRUE;
}

/* Blocks are truly there, or a full disk would end the program where it writes (SIGBUS). */
static gboolean
grow_file (FlMergeSet *set, guint64 room, GError **error)
{
  Spool *spool = set->spool;
  gboolean first = spool->file < 0;
  if (first && !open_file (spool, error))
    return FALSE;
  gsize size = room * sizeof (FlObservation);
  int status = posix_fallocate (spool->file, 0, (off_t) size);
  void *map = MAP_FAILED;
  errno = status;
  if (status == 0)
    map = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, spool->file, 0);
  if (map == MAP_FAILED)
    {
      int why = errno;
      if (first) /* the observations are still in memory */
        {
          close (spool->file);
          spool->file = -1;
        }
      errno = why;
      return fail (spool, error);
    }
  if (first)
    {
      if (set->n_observations > 0)
        memcpy (map, set->observations, set->n_observations * sizeof (FlObservation));
      g_free (set->observations);
    }
  else
    munmap (set->observations, spool->room * sizeof (FlObservation));
  set->observations = map;
  spool->room = room;
  return TRUE;
}

static gboolean
make_room (FlMergeSet *set, guint64 n, GError **error)
{
  Spool *spool = set->spool;
  guint64 need = set->n_observations + n;
  if (need <= spool->room)
    return TRUE;
  guint64 room = MAX (need + need / 2, 4096);
  if (spool->file >= 0 || (spool->dir != NULL && need * sizeof (FlObservation) > spool->memory))
    return grow_file (set, room, error);
  set->observations = g_realloc_n (set->observations, room, sizeof (FlObservation));
  spool->room = room;
  return TRUE;
}

gboolean
fl_merge_set_append (FlMergeSet *set, const FlMergeLattice *lattice, guint64 ordinal,
                     const FlObservation *observations, guint32 n, GError **error)
{
  Spool *spool = set->spool;
  if (!make_room (set, n, error))
    return FALSE;
  FlMergeLattice added = *lattice;
  added.first = set->n_observations;
  added.n = n;
  if (n > 0)
    memcpy (set->observations + added.first, observations, n * sizeof *observations);
  set->n_observations += n;
  g_array_append_val (set->lattices, added);
  Order order = { lattice->key, ordinal };
  g_array_append_val (spool->orders, order);
  return TRUE;
}

static int
compare_orders (const void *a, const void *b)
{
  const Order *x = a, *y = b;
  if (x->key != y->key)
    return x->key < y->key ? -1 : 1;
  return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* Every rank's orders, on every rank, sorted. */
static GArray *
all_orders (FlMergeSet *set)
{
  Spool *spool = set->spool;
  guint ranks = fl_parallel_ranks (set->parallel), rank = fl_parallel_rank (set->parallel);
  g_autofree guint64 *counts = g_new0 (guint64, ranks);
  counts[rank] = spool->orders->len;
  fl_parallel_sum_u64 (set->parallel, counts, ranks);
  guint64 before = 0;
  set->n_lattices = 0;
  for (guint i = 0; i < ranks; i++)
    {
      before += i < rank ? counts[i] : 0;
      set->n_lattices += counts[i];
    }
  GArray *all = g_array_sized_new (FALSE, TRUE, sizeof (Order), (guint) set->n_lattices);
  g_array_set_size (all, (guint) set->n_lattices);
  if (spool->orders->len > 0)
    memcpy (all->data + before * sizeof (Order), spool->orders->data, spool->orders->len * sizeof (Order));
  fl_parallel_sum_u64 (set->parallel, (guint64 *) (void *) all->data, 2 * all->len);
  if (all->len > 1)
    qsort (all->data, all->len, sizeof (Order), compare_orders);
  return all;
}

static int
compare_numbers (const void *a, const void *b)
{
  const FlMergeLattice *x = a, *y = b;
  return x->number < y->number ? -1 : x->number > y->number;
}

void
fl_merge_set_finish (FlMergeSet *set)
{
  Spool *spool = set->spool;
  g_autoptr (GArray) all = all_orders (set);
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const Order *order = &g_array_index (spool->orders, Order, i);
      const char *found = bsearch (order, all->data, all->len, sizeof (Order), compare_orders);
      fl_merge_set_lattice (set, i)->number = (guint32) ((gsize) (found - all->data) / sizeof (Order));
    }
  set->n_twice = 0;
  for (guint i = 1; i < all->len; i++)
    set->n_twice += g_array_index (all, Order, i).key == g_array_index (all, Order, i - 1).key;
  g_array_set_size (spool->orders, 0);
  if (set->lattices->len > 1)
    qsort (set->lattices->data, set->lattices->len, sizeof (FlMergeLattice), compare_numbers);
}

guint32
fl_merge_find (const FlUniqueList *list, const FlReindexing *settings, guint setting, FlMiller hkl,
               gboolean *minus)
{
  if (setting > 0)
    {
      const FlReindexing *s = &settings[setting - 1];
      int v[3];
      for (int i = 0; i < 3; i++)
        {
          int sum = hkl.h * s->r[0][i] + hkl.k * s->r[1][i] + hkl.l * s->r[2][i];
          if (sum % s->divisor != 0)
            return FL_UNIQUE_NONE;
          v[i] = sum / s->divisor;
        }
      hkl = (FlMiller){ v[0], v[1], v[2] };
    }
  return fl_unique_list_find (list, hkl, minus);
}

void
fl_merge_set_index (FlMergeSet *set, const FlUniqueList *list, const FlReindexing *settings)
{
  for (guint i = 0; i < set->lattices->len; i++)
    {
      const FlMergeLattice *lattice = fl_merge_set_lattice (set, i);
      for (guint64 o = lattice->first; o < lattice->first + lattice->n; o++)
        {
          FlObservation *at = &set->observations[o];
          gboolean minus = FALSE;
          at->unique =
              fl_merge_find (list, settings, lattice->setting, (FlMiller){ at->h, at->k, at->l }, &minus);
          at->flags = (guint16) ((at->flags & ~FL_OBSERVATION_MINUS) | (minus ? FL_OBSERVATION_MINUS : 0));
        }
    }
}
