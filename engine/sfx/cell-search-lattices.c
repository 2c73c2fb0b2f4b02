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
#define RING_STEPS      97
#define LEAST_AXIS      10   /* Å */
#define LEAST_VOLUME    2000 /* Å³ */
#define MORE            1.3  /* times as many spots: a larger cell is believed */
#define CROWDED         0.5  /* of the way from even to all on a sublattice: the smaller cell is believed */
#define LOSS            0.75 /* of the gain, that a smaller cell must keep */
#define CHANCE          4.0  /* standard deviations above even that it must be, too */
#define ACROSS_LEAST    2e-4 /* 1/Å */
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

/* What one look at all spots sums up; `indices` (may be NULL): of the spots that are explained. */
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
look (const FlSearchSpots *spots, const FlSearchLattice *lattice, gboolean equations, FlVec3 *indices,
      Sums *sums)
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
      if (belongs > 0.5)
        {
          if (indices != NULL)
            indices[sums->n_explained] = h;
          sums->n_explained++;
        }
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
      look (spots, lattice, TRUE, NULL, &sums);
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
  look (spots, lattice, FALSE, NULL, &sums);
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

/* Hermite's normal forms of index 2, 3 and 5: every sublattice of that index, once. The unit matrix but for column `place`. */
typedef struct
{
  int index;
  guint place;
  int below[3]; /* of that column */
} Form;

#define N_FORMS       51
#define N_FORMS_SMALL 20 /* of index 2 and 3, the first */

static void
make_forms (Form forms[N_FORMS])
{
  guint n = 0;
  for (int index = 2; index <= 5; index += index - 1)
    for (guint place = 0; place < 3; place++)
      for (int x = 0; x < (place < 2 ? index : 1); x++)
        for (int y = 0; y < (place < 1 ? index : 1); y++)
          {
            Form form = { index, place, { 0, 0, 0 } };
            if (place < 2)
              form.below[2] = x;
            if (place < 1)
              form.below[1] = y;
            forms[n++] = form;
          }
}

static FlMat3
apply_form (const Form *form, const FlMat3 *rows)
{
  FlMat3 matrix = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
  matrix.m[form->place][form->place] = form->index;
  for (guint i = form->place + 1; i < 3; i++)
    matrix.m[i][form->place] = form->below[i];
  return fl_mat3_multiply (&matrix, rows);
}

static gboolean
possible (const FlSearchSpots *spots, const FlMat3 *real)
{
  return fl_mat3_determinant (real) > LEAST_VOLUME
         && fl_vec3_norm (fl_vec3 (real->m[0][0], real->m[0][1], real->m[0][2])) > LEAST_AXIS
         && fl_vec3_norm (fl_vec3 (real->m[2][0], real->m[2][1], real->m[2][2])) < 1.05 * spots->max_cell;
}

/* How many of the indices lie on the sublattice of reciprocal points. */
static guint
count_on (const Form *form, const FlVec3 *indices, guint n)
{
  guint on = 0;
  for (guint j = 0; j < n; j++)
    {
      double h[3] = { indices[j].x, indices[j].y, indices[j].z }, sum = h[form->place];
      for (guint i = form->place + 1; i < 3; i++)
        sum -= form->below[i] * h[i];
      on += (long) sum % form->index == 0;
    }
  return on;
}

/* To a smaller cell (a sublattice of reciprocal points) that explains nearly as many spots, if there is one. */
static gboolean
make_smaller (const FlSearchSpots *spots, const Form forms[N_FORMS], FlSearchLattice *lattice)
{
  Sums sums;
  g_autofree FlVec3 *indices = g_new (FlVec3, spots->n);
  look (spots, lattice, FALSE, indices, &sums);
  double most = 0;
  guint best = 0;
  for (guint i = 0; i < N_FORMS; i++)
    {
      /* Above even, in units of what is believed: 1 and more. */
      double n = sums.n_explained, even = n / forms[i].index,
             deviation = sqrt (even * (1 - 1.0 / forms[i].index));
      double on = (count_on (&forms[i], indices, sums.n_explained) - even)
                  / MAX (CROWDED * (n - even), CHANCE * deviation);
      if (on > most)
        {
          most = on;
          best = i;
        }
    }
  if (most < 1)
    return FALSE;
  FlSearchLattice other = *lattice;
  other.star = apply_form (&forms[best], &lattice->star);
  FlMat3 real = inverse_transposed (&other.star);
  real = fl_search_reduce (&real);
  other.star = inverse_transposed (&real);
  if (!possible (spots, &real) || !refine (spots, 4, &other) || other.gain < LOSS * lattice->gain)
    return FALSE;
  *lattice = other;
  return TRUE;
}

/* To a larger cell that explains many more. */
static gboolean
make_larger (const FlSearchSpots *spots, const Form forms[N_FORMS], FlSearchLattice *lattice)
{
  FlSearchLattice best = *lattice;
  if (MORE * lattice->n_explained > spots->n)
    return FALSE;
  for (guint i = 0; i < N_FORMS_SMALL; i++)
    {
      Sums sums;
      FlSearchLattice other = *lattice;
      FlMat3 real = inverse_transposed (&lattice->star);
      real = apply_form (&forms[i], &real);
      real = fl_search_reduce (&real);
      other.star = inverse_transposed (&real);
      if (!possible (spots, &real))
        continue;
      look (spots, &other, FALSE, NULL, &sums);
      take_widths (spots, &sums, &other);
      look (spots, &other, FALSE, NULL, &sums);
      take_gain (&sums, &other);
      if (other.gain > best.gain && other.n_explained > MORE * lattice->n_explained)
        best = other;
    }
  if (best.gain == lattice->gain || !refine (spots, 4, &best))
    return FALSE;
  *lattice = best;
  return TRUE;
}

/* Side maxima of small crystals crowd about lattice points and let a larger cell explain a few of them; it has to explain
 * many more, and a smaller one that explains nearly as many is preferred. */
static void
explore (const FlSearchSpots *spots, FlSearchLattice *lattice)
{
  Form forms[N_FORMS];
  make_forms (forms);
  for (guint step = 0; step < 4 && make_larger (spots, forms, lattice); step++)
    ;
  for (guint step = 0; step < 8 && make_smaller (spots, forms, lattice); step++)
    ;
}

/* Of a lattice point that several spots lie about, the best one counts: what is left of `gains`, summed. */
static double
sum_of_points (const FlVec3 *indices, const double *gains, guint n)
{
  double sum = 0;
  for (guint j = 0; j < n; j++)
    {
      gboolean best = TRUE;
      for (guint k = 0; k < n && best && gains[j] > 0; k++)
        best = k == j || gains[k] < gains[j] || (gains[k] == gains[j] && k > j)
               || indices[k].x != indices[j].x || indices[k].y != indices[j].y
               || indices[k].z != indices[j].z;
      sum += best ? gains[j] : 0;
    }
  return sum;
}

/* The gain that convinces: of each spot against the mean over its own ring about the beam, and once a lattice point.
 * Powder rings gain much by planes across the beam, and clusters of spots by many about one point, but nothing here. */
static double
sober_gain (const FlSearchSpots *spots, const FlSearchLattice *lattice)
{
  FlMat3 real = inverse_transposed (&lattice->star), back = fl_mat3_transpose (&lattice->star);
  double across2 = lattice->across * lattice->across, along2 = lattice->along * lattice->along;
  double height =
      lattice->share / (pow (2 * G_PI, 1.5) * across2 * lattice->along * fabs (fl_mat3_determinant (&real)));
  guint steps = spots->on_sphere ? RING_STEPS : 1;
  FlMat3 turn = fl_mat3_rotation (spots->beam, 2 * G_PI / steps);
  g_autofree FlVec3 *indices = g_new (FlVec3, spots->n);
  g_autofree double *gains = g_new (double, spots->n);
  for (guint j = 0; j < spots->n; j++)
    {
      FlVec3 q = spots->q[j], normal = spots->normal[j];
      double sum = 0, here = 0;
      for (guint step = 0; step < steps; step++)
        {
          FlVec3 h = fl_mat3_apply (&real, q);
          h = fl_vec3 (nearbyint (h.x), nearbyint (h.y), nearbyint (h.z));
          FlVec3 delta = fl_vec3_sub (q, fl_mat3_apply (&back, h));
          double along = fl_vec3_dot (delta, normal), off2 = fl_vec3_dot (delta, delta) - along * along;
          double size = 0.5 * (off2 / across2 + along * along / along2);
          if (size < 20)
            sum += exp (-size);
          if (step == 0)
            {
              indices[j] = h;
              here = sum;
            }
          q = fl_mat3_apply (&turn, q);
          normal = fl_mat3_apply (&turn, normal);
        }
      double mean = spots->on_sphere ? height * sum / steps : lattice->share;
      gains[j] = log (1 - lattice->share + height * here) - log (1 - lattice->share + mean);
    }
  return sum_of_points (indices, gains, spots->n);
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

guint
fl_search_settle (FlSearchLattice *lattices, guint n)
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
fl_search_lattices (const FlSearchSpots *spots, const FlSearchSpots *chosen, const FlSearchVector *vectors,
                    guint n_vectors, FlSearchLattice *lattices, guint most)
{
  g_autoptr (GArray) triples = judge_triples (chosen, vectors, n_vectors);
  FlSearchLattice found[MOST_TRIPLES];
  FlMat3 tried[MOST_TRIPLES];
  guint n = 0, n_tried = 0;
  for (guint i = 0; i < triples->len && n_tried < MOST_TRIPLES; i++)
    {
      FlMat3 real = basis_of (vectors, &g_array_index (triples, Triple, i));
      FlSearchLattice lattice = { .star = inverse_transposed (&real) };
      gboolean new = possible (spots, &real);
      for (guint k = 0; k < n_tried && new; k++)
        new = !same (&lattice.star, &tried[k]);
      if (!new)
        continue;
      tried[n_tried++] = lattice.star;
      begin (spots, &lattice);
      if (refine (spots, 6, &lattice))
        found[n++] = lattice;
    }
  n = fl_search_settle (found, n);
  for (guint i = 0; i < MIN (n, MOST_EXPLORED); i++)
    {
      explore (spots, &found[i]);
      refine (spots, 4, &found[i]);
      found[i].sober_gain = sober_gain (spots, &found[i]);
    }
  n = MIN (fl_search_settle (found, MIN (n, MOST_EXPLORED)), most);
  memcpy (lattices, found, n * sizeof *lattices);
  return n;
}
