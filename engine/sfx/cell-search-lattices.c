/* Lattices from vectors. A triple is first judged by the spots that all three vectors put near whole numbers; the best
 * are refined and judged by likelihood.
 *
 * A spot of the lattice lies about one of its points, Gaussian across and along the spot's normal; any other spot lies
 * anywhere. Per volume of reciprocal space the lattice has V points (V: of the cell, Å³), so the likelihood ratio of a spot is
 * 1 − w + w g(Δq) / V, w the share of spots that belong. A supercell pays ln 2 for every spot that it explains no better, a
 * subcell loses every second spot: no other rule about sizes is needed. w and the two deviations are found by expectation
 * maximisation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sfx/cell-search-private.h"

#define MOST_TRIPLES    48     /* refined */
#define MOST_EXPLORED   8      /* whose sub- and superlattices are looked at */
#define TOLERANCE       0.0025 /* 1/Å: a spot is near a plane of the lattice */
#define TOLERANCE_WHOLE 0.18   /* at most, in steps between planes */
#define LEAST_VOLUME    1000   /* Å³ */
#define ACROSS_LEAST    2e-4   /* 1/Å */
#define ACROSS_MOST     1.2e-3
#define ALONG_LEAST     3e-4
#define ALONG_MOST      4e-3

/* a → a − round(a·b/b²) b over all pairs, and by sums of the two shorter for the longest, until nothing gets shorter. */
FlMat3
fl_search_reduce (const FlMat3 *real)
{
  FlVec3 v[3];
  for (guint i = 0; i < 3; i++)
    v[i] = fl_vec3 (real->m[i][0], real->m[i][1], real->m[i][2]);
  for (guint round = 0; round < 100; round++)
    {
      gboolean shorter = FALSE;
      for (guint i = 0; i < 3; i++)
        for (guint k = 0; k < i; k++)
          if (fl_vec3_dot (v[i], v[i]) < fl_vec3_dot (v[k], v[k]))
            {
              FlVec3 swap = v[i];
              v[i] = v[k];
              v[k] = swap;
            }
      double whole = nearbyint (fl_vec3_dot (v[1], v[0]) / fl_vec3_dot (v[0], v[0]));
      if (whole != 0)
        {
          v[1] = fl_vec3_sub (v[1], fl_vec3_scale (v[0], whole));
          continue;
        }
      /* The longest against the plane of the others: the nearest of the points round the foot. */
      FlVec3 best = v[2];
      double aa = fl_vec3_dot (v[0], v[0]), ab = fl_vec3_dot (v[0], v[1]), bb = fl_vec3_dot (v[1], v[1]);
      double ac = fl_vec3_dot (v[0], v[2]), bc = fl_vec3_dot (v[1], v[2]), det = aa * bb - ab * ab;
      double x = nearbyint ((ac * bb - bc * ab) / det), y = nearbyint ((bc * aa - ac * ab) / det);
      for (int i = -1; i <= 1; i++)
        for (int k = -1; k <= 1; k++)
          {
            FlVec3 w =
                fl_vec3_sub (v[2], fl_vec3_add (fl_vec3_scale (v[0], x + i), fl_vec3_scale (v[1], y + k)));
            if (fl_vec3_dot (w, w) < fl_vec3_dot (best, best) * (1 - 1e-9))
              {
                best = w;
                shorter = TRUE;
              }
          }
      v[2] = best;
      if (!shorter)
        break;
    }
  if (fl_vec3_dot (fl_vec3_cross (v[0], v[1]), v[2]) < 0)
    v[2] = fl_vec3_scale (v[2], -1);
  return (FlMat3){ { { v[0].x, v[0].y, v[0].z }, { v[1].x, v[1].y, v[1].z }, { v[2].x, v[2].y, v[2].z } } };
}

static FlMat3
inverse_transposed (const FlMat3 *a)
{
  FlMat3 inverse = fl_mat3_inverse (a);
  return fl_mat3_transpose (&inverse);
}

/* What one look at all spots sums up. */
typedef struct
{
  double gain, share, across2, along2; /* share: Σ of the spots' probabilities to belong */
  guint n_explained;
  double normal[9][9], right[9]; /* least squares for the rows of star: index 3 k + component */
} Sums;

static void
add_equations (Sums *sums, FlVec3 h, FlVec3 q, FlVec3 n, double weight, double across2, double along2)
{
  double index[3] = { h.x, h.y, h.z }, u[3] = { n.x, n.y, n.z }, at[3] = { q.x, q.y, q.z }, m[3][3], mq[3];
  for (guint i = 0; i < 3; i++)
    {
      mq[i] = 0;
      for (guint k = 0; k < 3; k++)
        {
          m[i][k] = weight * ((i == k) / across2 + u[i] * u[k] * (1 / along2 - 1 / across2));
          mq[i] += m[i][k] * at[k];
        }
    }
  for (guint a = 0; a < 3; a++)
    for (guint i = 0; i < 3; i++)
      {
        sums->right[3 * a + i] += index[a] * mq[i];
        for (guint b = 0; b <= a; b++)
          for (guint k = 0; k < 3; k++)
            sums->normal[3 * a + i][3 * b + k] += index[a] * index[b] * m[i][k];
      }
}

static void
look (const FlSearchSpots *spots, const FlSearchLattice *lattice, gboolean equations, Sums *sums)
{
  memset (sums, 0, equations ? sizeof *sums : offsetof (Sums, normal));
  FlMat3 real = inverse_transposed (&lattice->star), back = fl_mat3_transpose (&lattice->star);
  double volume = fabs (fl_mat3_determinant (&real));
  double across2 = lattice->across * lattice->across, along2 = lattice->along * lattice->along;
  double height = lattice->share / (pow (2 * G_PI, 1.5) * across2 * lattice->along * volume);
  double rest = 1 - lattice->share;
  for (guint j = 0; j < spots->n; j++)
    {
      FlVec3 h = fl_mat3_apply (&real, spots->q[j]);
      h = fl_vec3 (nearbyint (h.x), nearbyint (h.y), nearbyint (h.z));
      FlVec3 delta = fl_vec3_sub (spots->q[j], fl_mat3_apply (&back, h));
      double along = fl_vec3_dot (delta, spots->normal[j]), off2 = fl_vec3_dot (delta, delta) - along * along;
      double inside = height * exp (-0.5 * (off2 / across2 + along * along / along2));
      double belongs = inside / (inside + rest);
      sums->gain += log (inside + rest);
      sums->share += belongs;
      sums->across2 += belongs * off2;
      sums->along2 += belongs * along * along;
      sums->n_explained += belongs > 0.5;
      if (equations && belongs > 1e-3)
        add_equations (sums, h, spots->q[j], spots->normal[j], belongs, across2, along2);
    }
}

/* Cholesky; FALSE when the spots do not fix all nine numbers. */
static gboolean
solve (double a[9][9], double b[9])
{
  double trace = 0;
  for (guint i = 0; i < 9; i++)
    trace += a[i][i];
  for (guint i = 0; i < 9; i++)
    {
      for (guint k = 0; k <= i; k++)
        {
          double sum = a[i][k];
          for (guint m = 0; m < k; m++)
            sum -= a[i][m] * a[k][m];
          if (i == k && !(sum > 1e-9 * trace))
            return FALSE;
          a[i][k] = i == k ? sqrt (sum) : sum / a[k][k];
        }
      for (guint m = 0; m < i; m++)
        b[i] -= a[i][m] * b[m];
      b[i] /= a[i][i];
    }
  for (guint i = 9; i-- > 0;)
    {
      for (guint m = i + 1; m < 9; m++)
        b[i] -= a[m][i] * b[m];
      b[i] /= a[i][i];
    }
  return TRUE;
}

static void
take_widths (const FlSearchSpots *spots, const Sums *sums, FlSearchLattice *lattice)
{
  double n = spots->n, share = MAX (sums->share, 1e-6);
  lattice->share = CLAMP (sums->share / n, 0.02, 0.98);
  if (spots->on_sphere)
    {
      lattice->across = CLAMP (sqrt (sums->across2 / (2 * share)), ACROSS_LEAST, ACROSS_MOST);
      lattice->along = CLAMP (sqrt (sums->along2 / share), ALONG_LEAST, ALONG_MOST);
    }
  else
    lattice->across = lattice->along =
        CLAMP (sqrt ((sums->across2 + sums->along2) / (3 * share)), ACROSS_LEAST, ACROSS_MOST);
}

static void
take_gain (const Sums *sums, FlSearchLattice *lattice)
{
  lattice->gain = sums->gain;
  lattice->n_explained = sums->n_explained;
}

/* Expectation maximisation, in turn with least squares. FALSE when the lattice falls apart. */
static gboolean
refine (const FlSearchSpots *spots, guint rounds, FlSearchLattice *lattice)
{
  Sums sums;
  for (guint round = 0; round < rounds; round++)
    {
      look (spots, lattice, TRUE, &sums);
      if (!solve (sums.normal, sums.right))
        return FALSE;
      FlMat3 star;
      memcpy (star.m, sums.right, sizeof star.m);
      double volume = 1 / fabs (fl_mat3_determinant (&star));
      if (!(volume > LEAST_VOLUME && volume < 1e9))
        return FALSE;
      lattice->star = star;
      take_widths (spots, &sums, lattice);
    }
  look (spots, lattice, FALSE, &sums);
  take_gain (&sums, lattice);
  return TRUE;
}

static void
begin (const FlSearchSpots *spots, FlSearchLattice *lattice)
{
  lattice->share = 0.5;
  lattice->across = 0.8e-3;
  lattice->along = spots->on_sphere ? 2e-3 : lattice->across;
}

/* Do two lattices, about the same, have the same points? */
static gboolean
same (const FlMat3 *star, const FlMat3 *other)
{
  FlMat3 real = inverse_transposed (star), turned = fl_mat3_transpose (other);
  FlMat3 change = fl_mat3_multiply (&real, &turned);
  for (guint i = 0; i < 3; i++)
    for (guint k = 0; k < 3; k++)
      if (fabs (change.m[i][k] - nearbyint (change.m[i][k])) > 0.1)
        return FALSE;
  double determinant = fabs (fl_mat3_determinant (&change));
  return determinant > 0.7 && determinant < 1.4;
}

/* Hermite's normal forms of index 2 and 3: every sublattice of that index, once. */
static guint
sublattices (FlMat3 forms[20])
{
  guint n = 0;
  for (int index = 2; index <= 3; index++)
    for (guint place = 0; place < 3; place++)
      for (int x = 0; x < (place < 2 ? index : 1); x++)
        for (int y = 0; y < (place < 1 ? index : 1); y++)
          {
            FlMat3 form = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
            form.m[place][place] = index;
            if (place < 2)
              form.m[2][place] = x;
            if (place < 1)
              form.m[1][place] = y;
            forms[n++] = form;
          }
  return n;
}

/* Goes to the sub- or superlattice that explains the spots better, as long as there is one. */
static void
explore (const FlSearchSpots *spots, FlSearchLattice *lattice)
{
  FlMat3 forms[20];
  guint n_forms = sublattices (forms);
  for (guint step = 0; step < 6; step++)
    {
      FlSearchLattice best = *lattice;
      for (guint i = 0; i < 2 * n_forms; i++)
        {
          FlSearchLattice other = *lattice;
          FlMat3 real = inverse_transposed (&lattice->star);
          if (i < n_forms)
            real = fl_mat3_multiply (&forms[i], &real);
          else
            other.star = fl_mat3_multiply (&forms[i - n_forms], &other.star);
          if (i < n_forms)
            other.star = inverse_transposed (&real);
          FlMat3 reduced = inverse_transposed (&other.star);
          reduced = fl_search_reduce (&reduced);
          other.star = inverse_transposed (&reduced);
          double longest = fl_vec3_norm (fl_vec3 (reduced.m[2][0], reduced.m[2][1], reduced.m[2][2]));
          if (longest > 1.05 * spots->max_cell || fl_mat3_determinant (&reduced) < LEAST_VOLUME)
            continue;
          Sums sums;
          look (spots, &other, FALSE, &sums);
          take_widths (spots, &sums, &other);
          look (spots, &other, FALSE, &sums);
          take_gain (&sums, &other);
          if (other.gain > best.gain + 2)
            best = other;
        }
      if (!(best.gain > lattice->gain))
        return;
      if (!refine (spots, 3, &best))
        return;
      *lattice = best;
    }
}

typedef struct
{
  double score;
  guint16 a, b, c;
} Triple;

static int
compare_triples (gconstpointer a, gconstpointer b)
{
  const Triple *p = a, *q = b;
  if (p->score != q->score)
    return p->score > q->score ? -1 : 1;
  int by_a = p->a - q->a, by_b = p->b - q->b;
  return by_a != 0 ? by_a : by_b != 0 ? by_b : p->c - q->c;
}

/* Which spots each vector puts near a whole number, as bits, and how many a vector like it would by chance. */
typedef struct
{
  guint words;
  guint64 *bits; /* [vector][word] */
  double *chance;
} Planes;

static Planes
planes_of (const FlSearchSpots *spots, const FlSearchVector *vectors, guint n)
{
  Planes planes = { .words = (spots->n + 63) / 64 };
  planes.bits = g_new0 (guint64, n * planes.words);
  planes.chance = g_new (double, n);
  for (guint i = 0; i < n; i++)
    {
      double reach = MIN (TOLERANCE * fl_vec3_norm (vectors[i].v), TOLERANCE_WHOLE);
      planes.chance[i] = 2 * reach;
      for (guint j = 0; j < spots->n; j++)
        {
          double x = fl_vec3_dot (spots->q[j], vectors[i].v);
          if (fabs (x - nearbyint (x)) < reach)
            planes.bits[i * planes.words + j / 64] |= (guint64) 1 << (j % 64);
        }
    }
  return planes;
}

/* How much likelier `seen` of n spots are, if that is the lattice's share, than by chance (nats). */
static double
surprise (double seen, double n, double chance)
{
  if (seen <= n * chance)
    return 0;
  double rest = n - seen;
  return seen * log (seen / (n * chance)) + (rest > 0 ? rest * log (rest / (n * (1 - chance))) : 0);
}

static GArray *
judge_triples (const FlSearchSpots *spots, const FlSearchVector *vectors, guint n)
{
  GArray *triples = g_array_new (FALSE, FALSE, sizeof (Triple));
  Planes planes = planes_of (spots, vectors, n);
  g_autofree guint64 *pair = g_new (guint64, planes.words);
  for (guint a = 0; a < n; a++)
    for (guint b = a + 1; b < n; b++)
      {
        FlVec3 u = vectors[a].v, v = vectors[b].v, plane = fl_vec3_cross (u, v);
        double area = fl_vec3_norm (plane);
        if (area < 0.2 * fl_vec3_norm (u) * fl_vec3_norm (v))
          continue;
        for (guint w = 0; w < planes.words; w++)
          pair[w] = planes.bits[a * planes.words + w] & planes.bits[b * planes.words + w];
        for (guint c = b + 1; c < n; c++)
          {
            double volume = fabs (fl_vec3_dot (plane, vectors[c].v));
            if (volume < LEAST_VOLUME || volume < 0.1 * area * fl_vec3_norm (vectors[c].v))
              continue;
            guint seen = 0;
            for (guint w = 0; w < planes.words; w++)
              seen += (guint) __builtin_popcountll (pair[w] & planes.bits[c * planes.words + w]);
            double chance = planes.chance[a] * planes.chance[b] * planes.chance[c];
            Triple triple = { surprise (seen, spots->n, chance), (guint16) a, (guint16) b, (guint16) c };
            if (seen >= 5 && triple.score > 5)
              g_array_append_val (triples, triple);
          }
      }
  g_free (planes.bits);
  g_free (planes.chance);
  g_array_sort (triples, compare_triples);
  return triples;
}

static int
compare_lattices (gconstpointer a, gconstpointer b)
{
  const FlSearchLattice *p = a, *q = b;
  return p->gain > q->gain ? -1 : p->gain < q->gain;
}

/* Sorts, and leaves out what is there already. */
static guint
settle (FlSearchLattice *lattices, guint n)
{
  qsort (lattices, n, sizeof *lattices, compare_lattices);
  guint kept = 0;
  for (guint i = 0; i < n; i++)
    {
      gboolean new = TRUE;
      for (guint k = 0; k < kept && new; k++)
        new = !same (&lattices[i].star, &lattices[k].star);
      if (new)
        lattices[kept++] = lattices[i];
    }
  return kept;
}

static FlMat3
basis_of (const FlSearchVector *vectors, const Triple *triple)
{
  FlVec3 a = vectors[triple->a].v, b = vectors[triple->b].v, c = vectors[triple->c].v;
  FlMat3 real = { { { a.x, a.y, a.z }, { b.x, b.y, b.z }, { c.x, c.y, c.z } } };
  return fl_search_reduce (&real);
}

guint
fl_search_lattices (const FlSearchSpots *spots, const FlSearchVector *vectors, guint n_vectors,
                    FlSearchLattice *lattices, guint most)
{
  g_autoptr (GArray) triples = judge_triples (spots, vectors, n_vectors);
  FlSearchLattice found[MOST_TRIPLES];
  FlMat3 tried[MOST_TRIPLES];
  guint n = 0, n_tried = 0;
  for (guint i = 0; i < triples->len && n_tried < MOST_TRIPLES; i++)
    {
      FlMat3 real = basis_of (vectors, &g_array_index (triples, Triple, i));
      FlSearchLattice lattice = { .star = inverse_transposed (&real) };
      gboolean new = fl_mat3_determinant (&real) > LEAST_VOLUME;
      for (guint k = 0; k < n_tried && new; k++)
        new = !same (&lattice.star, &tried[k]);
      if (!new)
        continue;
      tried[n_tried++] = lattice.star;
      begin (spots, &lattice);
      if (refine (spots, 6, &lattice))
        found[n++] = lattice;
    }
  n = settle (found, n);
  for (guint i = 0; i < MIN (n, MOST_EXPLORED); i++)
    {
      explore (spots, &found[i]);
      refine (spots, 4, &found[i]);
    }
  n = MIN (settle (found, MIN (n, MOST_EXPLORED)), most);
  memcpy (lattices, found, n * sizeof *lattices);
  return n;
}
