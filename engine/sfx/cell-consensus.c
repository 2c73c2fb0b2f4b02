/* Candidates of many shots → proposals.
 *
 * Lattices are compared by seven lengths: of the shortest vector in each class of L/2L that is not 0 (Voronoi's vectors;
 * Conway and Sloane 1992). They change continuously with the lattice, which no reduced cell does, and do not depend on the
 * basis. Around the most popular candidate its members are put in one basis, and its medians are the cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sfx/cell-search-private.h"

#define NEAR          0.02  /* relative: of the seven lengths of lattices that are the same */
#define TRUST         0.6   /* how much of a candidate's confidence one shot carries to its cell */
#define LENGTHS_LEAST 0.006 /* relative: by so much axes may differ and be taken for equal */
#define LENGTHS_MOST  0.015
#define ANGLES_LEAST  0.012 /* rad; a detector that is a little misplaced does as much */
#define ANGLES_MOST   0.02
#define LARGEST_INDEX 4 /* of lattices that are related: the rarer one is not proposed */

typedef struct
{
  const FlCellCandidate *candidate;
  guint shot;
  double weight;     /* of its shot's candidates the later ones count less */
  double lengths[7]; /* Å, rising */
  gboolean used;
} Entry;

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Of a reduced basis the shortest vectors of the classes have coefficients of −1, 0 and 1. */
static void
measure (const FlMat3 *star, double lengths[7])
{
  FlMat3 real = fl_lattice_real (star);
  real = fl_search_reduce (&real);
  for (guint class = 1; class < 8; class ++)
    {
      double least = INFINITY;
      for (guint signs = 0; signs < 4; signs++)
        {
          int coefficient[3] = { class & 1, (class >> 1 & 1) * (signs & 1 ? -1 : 1),
                                 (class >> 2) * (signs & 2 ? -1 : 1) };
          FlVec3 v = { 0, 0, 0 };
          for (guint i = 0; i < 3; i++)
            v = fl_vec3_add (
                v, fl_vec3_scale (fl_vec3 (real.m[i][0], real.m[i][1], real.m[i][2]), coefficient[i]));
          least = MIN (least, fl_vec3_norm (v));
        }
      lengths[class - 1] = least;
    }
  qsort (lengths, 7, sizeof *lengths, compare_doubles);
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *p = a, *q = b;
  int order = 0;
  for (guint i = 0; i < 7 && order == 0; i++)
    order = compare_doubles (&p->lengths[i], &q->lengths[i]);
  for (guint i = 0; i < 9 && order == 0; i++)
    order = compare_doubles (&p->candidate->star.m[0][0] + i, &q->candidate->star.m[0][0] + i);
  return order;
}

static gboolean
near (const double a[7], const double b[7])
{
  for (guint i = 0; i < 7; i++)
    if (fabs (a[i] - b[i]) > NEAR * a[i])
      return FALSE;
  return TRUE;
}

/* The weightiest candidate of each shot that is near `seed`: best[shot], where all are G_MAXUINT before. Entries are sorted by
 * their shortest length. Returns the sum of their weights. */
static double
gather (const GArray *entries, guint seed, guint *best)
{
  const Entry *all = (const Entry *) entries->data, *middle = &all[seed];
  double sum = 0;
  guint first = seed;
  while (first > 0 && all[first - 1].lengths[0] > middle->lengths[0] * (1 - NEAR))
    first--;
  for (guint i = first; i < entries->len && all[i].lengths[0] < middle->lengths[0] * (1 + NEAR); i++)
    if (!all[i].used && near (middle->lengths, all[i].lengths))
      {
        guint *mine = &best[all[i].shot];
        double before = *mine == G_MAXUINT ? -1 : all[*mine].weight;
        if (all[i].weight > before)
          {
            sum += all[i].weight - MAX (before, 0);
            *mine = i;
          }
      }
  return sum;
}

static void
forget (const GArray *entries, guint seed, guint *best)
{
  const Entry *all = (const Entry *) entries->data;
  for (guint i = seed; i < entries->len && all[i].lengths[0] < all[seed].lengths[0] * (1 + NEAR); i++)
    best[all[i].shot] = G_MAXUINT;
  for (guint i = seed; i-- > 0 && all[i].lengths[0] > all[seed].lengths[0] * (1 - NEAR);)
    best[all[i].shot] = G_MAXUINT;
}

static void
cell_values (const FlCell *cell, double values[6])
{
  memcpy (values, (double[6]){ cell->a, cell->b, cell->c, cell->alpha, cell->beta, cell->gamma },
          6 * sizeof *values);
}

/* The members in `known`'s setting: medians and standard deviations of their cells. Returns how many fit. */
static guint
average (const GArray *entries, const guint *members, guint n_shots, const FlKnownCell *known, FlCell *cell,
         double spread[6])
{
  g_autofree double *values = g_new (double, 6 * (gsize) n_shots);
  double middle[6];
  guint n = 0;
  for (guint shot = 0; shot < n_shots; shot++)
    {
      FlMat3 setting;
      double own[6];
      if (members[shot] == G_MAXUINT
          || !fl_lattice_match (&g_array_index (entries, Entry, members[shot]).candidate->star, known,
                                2 * NEAR, 2 * NEAR, &setting))
        continue;
      FlCell member = fl_lattice_cell (&setting);
      cell_values (&member, own);
      for (guint i = 0; i < 6; i++)
        values[i * n_shots + n] = own[i];
      n++;
    }
  if (n == 0)
    return 0;
  for (guint i = 0; i < 6; i++)
    {
      double *column = values + i * n_shots, sum = 0;
      qsort (column, n, sizeof *column, compare_doubles);
      middle[i] = 0.5 * (column[(n - 1) / 2] + column[n / 2]);
      for (guint k = 0; k < n; k++)
        sum += (column[k] - middle[i]) * (column[k] - middle[i]);
      spread[i] = sqrt (sum / n);
    }
  *cell = (FlCell){ middle[0], middle[1], middle[2], middle[3], middle[4], middle[5] };
  return n;
}

/* The cell of a cluster: first in the seed's own basis, then in the conventional setting of what that gives. */
static gboolean
make_proposal (const GArray *entries, guint seed, const guint *members, guint n_shots,
               FlCellProposal *proposal)
{
  const FlMat3 *star = &g_array_index (entries, Entry, seed).candidate->star;
  FlMat3 reduced = fl_lattice_niggli (star), conventional;
  FlKnownCell known = { .cell = fl_lattice_cell (&reduced), .type = FL_LATTICE_TRICLINIC, .centring = 'P' };
  FlCell cell;
  double spread[6];
  guint n = average (entries, members, n_shots, &known, &cell, spread);
  if (n == 0)
    return FALSE;
  double lengths = 0, angles = 0, values[6];
  cell_values (&cell, values);
  for (guint i = 0; i < 3; i++)
    {
      lengths = MAX (lengths, 4 * spread[i] / values[i] / sqrt (n));
      angles = MAX (angles, 4 * spread[3 + i] / sqrt (n));
    }
  FlMat3 mean = fl_cell_reciprocal (&cell);
  if (!fl_lattice_conventional (&mean, CLAMP (lengths, LENGTHS_LEAST, LENGTHS_MOST),
                                CLAMP (angles, ANGLES_LEAST, ANGLES_MOST), &conventional, &known.type,
                                &known.centring))
    return FALSE;
  known.cell = fl_lattice_cell (&conventional);
  n = average (entries, members, n_shots, &known, &cell, proposal->spread);
  if (n == 0)
    return FALSE;
  mean = fl_cell_reciprocal (&cell);
  mean = fl_lattice_constrain (&mean, known.type);
  known.cell = fl_lattice_cell (&mean);
  proposal->cell = known;
  proposal->members = n;
  return TRUE;
}

/* Is one of the two lattices, but for tolerance, a sublattice of the other? Seen by volume and by the shortest vectors of the
 * larger cell, which the smaller one has, too. */
static gboolean
related (const FlKnownCell *a, const FlKnownCell *b)
{
  double lengths[2][7];
  FlMat3 star_a = fl_cell_reciprocal (&a->cell), star_b = fl_cell_reciprocal (&b->cell);
  star_a = fl_lattice_primitive (&star_a, a->centring);
  star_b = fl_lattice_primitive (&star_b, b->centring);
  FlMat3 small = fl_lattice_real (&star_a), large = fl_lattice_real (&star_b);
  if (fabs (fl_mat3_determinant (&small)) > fabs (fl_mat3_determinant (&large)))
    {
      FlMat3 swap = small;
      small = large;
      large = swap;
    }
  FlMat3 star_large = fl_lattice_star (&large);
  measure (&star_large, lengths[0]);
  double ratio = fabs (fl_mat3_determinant (&large) / fl_mat3_determinant (&small)),
         whole = nearbyint (ratio);
  if (whole < 2 || whole > LARGEST_INDEX || fabs (ratio / whole - 1) > 3 * NEAR)
    return FALSE;
  small = fl_search_reduce (&small);
  /* Every sublattice of that index, as rows of small integers. */
  for (int d0 = 1; d0 <= whole; d0++)
    for (int d1 = 1; d0 * d1 <= whole; d1++)
      {
        int d2 = (int) whole / (d0 * d1);
        if (d0 * d1 * d2 != (int) whole)
          continue;
        for (int x = 0; x < d0; x++)
          for (int y = 0; y < d0; y++)
            for (int z = 0; z < d1; z++)
              {
                FlMat3 form = { { { d0, 0, 0 }, { x, d1, 0 }, { y, z, d2 } } };
                FlMat3 sub = fl_mat3_multiply (&form, &small);
                sub = fl_lattice_star (&sub);
                measure (&sub, lengths[1]);
                if (near (lengths[0], lengths[1]))
                  return TRUE;
              }
      }
  return FALSE;
}

static GArray *
make_entries (const FlCellCandidate *candidates, const guint *first, guint n_shots)
{
  GArray *entries = g_array_new (FALSE, TRUE, sizeof (Entry));
  for (guint shot = 0; shot < n_shots; shot++)
    for (guint i = first[shot]; i < first[shot + 1]; i++)
      {
        Entry entry = { .candidate = &candidates[i],
                        .shot = shot,
                        .weight = candidates[i].confidence / (1 + i - first[shot]) };
        measure (&candidates[i].star, entry.lengths);
        g_array_append_val (entries, entry);
      }
  g_array_sort (entries, compare_entries);
  return entries;
}

/* Of the candidates left, the one that the most weight gathers about; G_MAXUINT: none is left. */
static guint
most_popular (const GArray *entries, guint *best)
{
  guint seed = G_MAXUINT;
  double most = 0;
  for (guint i = 0; i < entries->len; i++)
    {
      if (g_array_index (entries, Entry, i).used)
        continue;
      double sum = gather (entries, i, best);
      forget (entries, i, best);
      if (seed == G_MAXUINT || sum > most)
        {
          most = sum;
          seed = i;
        }
    }
  return seed;
}

/* Every shot speaks for one cell: what else it had goes, too. Returns the confidence of the cluster. */
static double
use_up (GArray *entries, const guint *members)
{
  double doubt = 1;
  for (guint i = 0; i < entries->len; i++)
    {
      Entry *entry = &g_array_index (entries, Entry, i);
      guint member = members[entry->shot];
      if (member == i)
        doubt *= 1 - TRUST * entry->weight;
      if (member != G_MAXUINT)
        entry->used = TRUE;
    }
  return 1 - doubt;
}

static int
compare_proposals (gconstpointer a, gconstpointer b)
{
  const FlCellProposal *p = a, *q = b;
  if (p->confidence != q->confidence)
    return p->confidence > q->confidence ? -1 : 1;
  return p->members > q->members ? -1 : p->members < q->members;
}

GArray *
fl_cell_consensus (const FlCellCandidate *candidates, const guint *first, guint n_shots, guint most)
{
  GArray *proposals = g_array_new (FALSE, TRUE, sizeof (FlCellProposal));
  g_autoptr (GArray) entries = make_entries (candidates, first, n_shots);
  g_autofree guint *members = g_new (guint, MAX (n_shots, 1));
  guint shots = 0, seed;
  for (guint i = 0; i < n_shots; i++)
    {
      shots += first[i + 1] > first[i];
      members[i] = G_MAXUINT;
    }
  while (proposals->len < most && (seed = most_popular (entries, members)) != G_MAXUINT)
    {
      FlCellProposal proposal = { .shots = shots };
      gather (entries, seed, members);
      gboolean made = make_proposal (entries, seed, members, n_shots, &proposal);
      g_array_index (entries, Entry, seed).used = TRUE;
      proposal.confidence = use_up (entries, members);
      forget (entries, seed, members);
      for (guint i = 0; i < proposals->len && made; i++)
        made = !related (&g_array_index (proposals, FlCellProposal, i).cell, &proposal.cell);
      if (made)
        g_array_append_val (proposals, proposal);
    }
  g_array_sort (proposals, compare_proposals);
  return proposals;
}
