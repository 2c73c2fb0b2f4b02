/* The conventional basis of a lattice: two-fold axes by Le Page (J. Appl. Cryst. 15, 255, 1982), the groups that they
 * make, and for each group the basis of the International Tables; the largest group whose constraints the metric obeys. */

#include <stdlib.h>
#include <string.h>

#include "engine/crystal/lattice-private.h"

#define REACH        2
#define MAX_TWOFOLDS 13 /* a cubic lattice has nine */

typedef struct
{
  FlIntMat3 r;   /* on columns of components along the reduced basis */
  int axis[3];   /* direct lattice vector */
  int normal[3]; /* reciprocal lattice vector, in the same direction but for the error */
  double error;  /* rad: the angle between both */
} FlTwofold;

typedef struct
{
  FlMat3 real; /* reduced */
  guint n_twofolds;
  FlTwofold twofolds[MAX_TWOFOLDS];
  double length_tolerance, angle_tolerance;
} FlSearch;

typedef struct
{
  FlLatticeType type;
  char centring;
  FlIntMat3 axes; /* rows a, b, c in terms of the reduced basis */
} FlSetting;

/* --- two-folds --- */

static void
keep_twofold (FlSearch *search, const FlTwofold *twofold)
{
  guint at = search->n_twofolds;
  if (at == MAX_TWOFOLDS)
    {
      if (twofold->error >= search->twofolds[--at].error)
        return;
    }
  else
    search->n_twofolds++;
  for (; at > 0 && search->twofolds[at - 1].error > twofold->error; at--)
    search->twofolds[at] = search->twofolds[at - 1];
  search->twofolds[at] = *twofold;
}

/* Components from −REACH to REACH without common divisor; one of each pair ±v. */
static guint
list_directions (int directions[][3])
{
  guint n = 0;
  for (int i = -REACH; i <= REACH; i++)
    for (int j = -REACH; j <= REACH; j++)
      for (int k = -REACH; k <= REACH; k++)
        if ((i > 0 || (i == 0 && (j > 0 || (j == 0 && k > 0)))) && !(i % 2 == 0 && j % 2 == 0 && k % 2 == 0))
          {
            directions[n][0] = i;
            directions[n][1] = j;
            directions[n++][2] = k;
          }
  return n;
}

static FlVec3
direction (const FlMat3 *basis, const int n[3])
{
  return fl_vec3 (n[0] * basis->m[0][0] + n[1] * basis->m[1][0] + n[2] * basis->m[2][0],
                  n[0] * basis->m[0][1] + n[1] * basis->m[1][1] + n[2] * basis->m[2][1],
                  n[0] * basis->m[0][2] + n[1] * basis->m[1][2] + n[2] * basis->m[2][2]);
}

/* A two-fold turns u onto itself and the plane of `normal` onto itself: R = 2 u nᵀ/(u·n) − 1, whole numbers when u·n is 1
 * or 2. */
static void
find_twofolds (FlSearch *search)
{
  int directions[(2 * REACH + 1) * (2 * REACH + 1) * (2 * REACH + 1)][3];
  guint n = list_directions (directions);
  FlMat3 star = fl_lattice_star (&search->real);
  double limit = 1.5 * (search->length_tolerance + search->angle_tolerance) + 1e-6;
  for (guint i = 0; i < n; i++)
    {
      const int *u = directions[i];
      FlVec3 axis = direction (&search->real, u);
      for (guint j = 0; j < n; j++)
        {
          const int *v = directions[j];
          int product = u[0] * v[0] + u[1] * v[1] + u[2] * v[2], sign = product < 0 ? -1 : 1;
          if (product == 0 || abs (product) > 2)
            continue;
          FlTwofold t = { .error = fl_lattice_angle (axis, fl_vec3_scale (direction (&star, v), sign)) };
          if (t.error > limit)
            continue;
          for (int a = 0; a < 3; a++)
            {
              t.axis[a] = u[a];
              t.normal[a] = sign * v[a];
              for (int b = 0; b < 3; b++)
                t.r.m[a][b] = 2 * u[a] * sign * v[b] / abs (product) - (a == b);
            }
          keep_twofold (search, &t);
        }
    }
}

/* --- groups --- */

static FlIntMat3
times (const FlIntMat3 *a, const FlIntMat3 *b)
{
  FlIntMat3 c;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      c.m[i][j] = a->m[i][0] * b->m[0][j] + a->m[i][1] * b->m[1][j] + a->m[i][2] * b->m[2][j];
  return c;
}

static int
trace (const FlIntMat3 *a)
{
  return a->m[0][0] + a->m[1][1] + a->m[2][2];
}

/* Adds a rotation and all products. FALSE when they make no finite group of rotations. */
static gboolean
extend (FlLatticeRotations *group, const FlIntMat3 *r)
{
  for (guint i = 0; i < group->n; i++)
    if (memcmp (&group->r[i], r, sizeof *r) == 0)
      return TRUE;
  if (group->n == FL_LATTICE_MOST_ROTATIONS || trace (r) < -1 || trace (r) > 2)
    return FALSE;
  group->r[group->n++] = *r;
  for (guint i = 0; i < group->n; i++)
    {
      FlIntMat3 left = times (&group->r[i], r), right = times (r, &group->r[i]);
      if (!extend (group, &left) || !extend (group, &right))
        return FALSE;
    }
  return TRUE;
}

/* 2, 3, 4 or 6 of a rotation other than the identity. */
static int
fold (const FlIntMat3 *r)
{
  static const int folds[4] = { 2, 3, 4, 6 };
  return folds[trace (r) + 1];
}

/* The shortest lattice vector along a rotation's axis: the sum of its powers throws everything else away. */
static void
axis_of (const FlIntMat3 *r, int axis[3])
{
  FlIntMat3 sum = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } }, power = sum;
  for (int n = 1; n < fold (r); n++)
    {
      power = times (&power, r);
      for (int i = 0; i < 9; i++)
        sum.m[i / 3][i % 3] += power.m[i / 3][i % 3];
    }
  int column = 0;
  while (column < 2 && sum.m[0][column] == 0 && sum.m[1][column] == 0 && sum.m[2][column] == 0)
    column++;
  int x = abs (sum.m[0][column]), y;
  for (int i = 1; i < 3; i++)
    for (y = abs (sum.m[i][column]); y != 0;)
      {
        int rest = x % y;
        x = y;
        y = rest;
      }
  for (int i = 0; i < 3; i++)
    axis[i] = sum.m[i][column] / MAX (x, 1);
}

/* The first rotation of that fold; NULL when there is none. */
static const FlIntMat3 *
find_fold (const FlLatticeRotations *group, int n)
{
  for (guint i = 1; i < group->n; i++)
    if (fold (&group->r[i]) == n)
      return &group->r[i];
  return NULL;
}

static void
apply (const FlIntMat3 *r, const int v[3], int result[3])
{
  for (int i = 0; i < 3; i++)
    result[i] = r->m[i][0] * v[0] + r->m[i][1] * v[1] + r->m[i][2] * v[2];
}

/* --- settings --- */

static double
square_length (const FlSearch *search, const int v[3])
{
  FlVec3 d = direction (&search->real, v);
  return fl_vec3_dot (d, d);
}

static void
swap_axes (FlIntMat3 *axes, int i, int j)
{
  for (int k = 0; k < 3; k++)
    {
      int n = axes->m[i][k];
      axes->m[i][k] = axes->m[j][k];
      axes->m[j][k] = n;
    }
}

static void
reverse_axis (FlIntMat3 *axes, int i)
{
  for (int k = 0; k < 3; k++)
    axes->m[i][k] *= -1;
}

/* Is (u a + v b + w c) / divisor a lattice vector? */
static gboolean
has_point (const FlIntMat3 *axes, int u, int v, int w, int divisor)
{
  for (int k = 0; k < 3; k++)
    if ((u * axes->m[0][k] + v * axes->m[1][k] + w * axes->m[2][k]) % divisor != 0)
      return FALSE;
  return TRUE;
}

/* From the number of lattice points in the cell and where they lie; 0 when there is no such centring. */
static char
find_centring (const FlIntMat3 *axes)
{
  switch (abs (fl_int_mat3_determinant (axes)))
    {
    case 1:
      return 'P';
    case 2:
      return has_point (axes, 1, 1, 1, 2)   ? 'I'
             : has_point (axes, 1, 1, 0, 2) ? 'C'
             : has_point (axes, 1, 0, 1, 2) ? 'B'
             : has_point (axes, 0, 1, 1, 2) ? 'A'
                                            : '\0';
    case 3:
      return has_point (axes, 2, 1, 1, 3) || has_point (axes, 1, 2, 1, 3) ? 'R' : '\0';
    case 4:
      return has_point (axes, 1, 1, 0, 2) && has_point (axes, 0, 1, 1, 2) ? 'F' : '\0';
    default:
      return '\0';
    }
}

static void
sort_axes (const FlSearch *search, FlIntMat3 *axes, int n)
{
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && square_length (search, axes->m[j]) < square_length (search, axes->m[j - 1]); j--)
      swap_axes (axes, j, j - 1);
}

/* Three axes at right angles: the four-folds of a cubic lattice, the two-folds of an orthorhombic one. */
static guint
three_axes (const FlLatticeRotations *group, int order, FlIntMat3 *axes)
{
  guint n = 0;
  for (guint i = 1; i < group->n; i++)
    {
      int axis[3];
      gboolean known = FALSE;
      if (fold (&group->r[i]) != order)
        continue;
      axis_of (&group->r[i], axis);
      for (guint j = 0; j < n; j++)
        {
          int sign = axis[0] * axes->m[j][0] + axis[1] * axes->m[j][1] + axis[2] * axes->m[j][2] < 0 ? -1 : 1;
          known |= axis[0] == sign * axes->m[j][0] && axis[1] == sign * axes->m[j][1]
                   && axis[2] == sign * axes->m[j][2];
        }
      if (!known && n < 3)
        memcpy (axes->m[n++], axis, sizeof axis);
    }
  return n;
}

/* c along the main axis, a the shortest two-fold at right angles to it, b by the main rotation. */
static gboolean
main_axis (const FlSearch *search, const FlLatticeRotations *group, int order, FlIntMat3 *axes)
{
  const FlIntMat3 *main = find_fold (group, order);
  double shortest = INFINITY;
  if (main == NULL)
    return FALSE;
  axis_of (main, axes->m[2]);
  for (guint i = 1; i < group->n; i++)
    {
      int axis[3], turned[3];
      axis_of (&group->r[i], axis);
      apply (&group->r[i], axes->m[2], turned);
      if (fold (&group->r[i]) != 2 || turned[0] != -axes->m[2][0] || turned[1] != -axes->m[2][1]
          || turned[2] != -axes->m[2][2] || !(square_length (search, axis) < shortest))
        continue;
      shortest = square_length (search, axis);
      memcpy (axes->m[0], axis, sizeof axis);
    }
  FlIntMat3 rotation = order == 6 ? times (main, main) : *main;
  apply (&rotation, axes->m[0], axes->m[1]);
  return isfinite (shortest);
}

/* b along the two-fold, a and c the shortest of the plane across; C-centred where centred. */
static gboolean
monoclinic_axes (const FlSearch *search, const FlLatticeRotations *group, FlIntMat3 *axes)
{
  int directions[(2 * REACH + 1) * (2 * REACH + 1) * (2 * REACH + 1)][3], plane[64][3];
  guint n = list_directions (directions), n_plane = 0;
  axis_of (&group->r[1], axes->m[1]);
  for (guint i = 0; i < n; i++)
    {
      int turned[3];
      apply (&group->r[1], directions[i], turned);
      if (turned[0] == -directions[i][0] && turned[1] == -directions[i][1] && turned[2] == -directions[i][2])
        memcpy (plane[n_plane++], directions[i], sizeof plane[0]);
    }
  for (int chosen = 0; chosen < 2; chosen++)
    {
      int to = 2 * chosen;
      double shortest = INFINITY;
      for (guint i = 0; i < n_plane; i++)
        {
          double square = square_length (search, plane[i]);
          if (!(square < shortest) || (chosen == 1 && memcmp (plane[i], axes->m[0], sizeof plane[i]) == 0))
            continue;
          shortest = square;
          memcpy (axes->m[to], plane[i], sizeof plane[i]);
        }
      if (!isfinite (shortest))
        return FALSE;
    }
  FlVec3 a = direction (&search->real, axes->m[0]), c = direction (&search->real, axes->m[2]);
  if (fl_vec3_dot (a, c) > 0)
    reverse_axis (axes, 2);
  char centring = find_centring (axes);
  if (centring == 'A')
    swap_axes (axes, 0, 2);
  if (centring == 'I') /* a + c is the shorter diagonal, as a·c ≤ 0; with it (a + b)/2 is the point */
    {
      swap_axes (axes, 0, 2);
      for (int k = 0; k < 3; k++)
        axes->m[0][k] += axes->m[2][k];
    }
  a = direction (&search->real, axes->m[0]);
  c = direction (&search->real, axes->m[2]);
  if (fl_vec3_dot (a, c) > 0)
    reverse_axis (axes, 2);
  return TRUE;
}

/* An orthorhombic lattice centred on one face has that face across c. */
static void
order_orthorhombic (const FlSearch *search, FlIntMat3 *axes)
{
  sort_axes (search, axes, 3);
  char centring = find_centring (axes);
  if (centring == 'A')
    swap_axes (axes, 0, 2);
  else if (centring == 'B')
    swap_axes (axes, 1, 2);
  if (centring == 'A' || centring == 'B')
    sort_axes (search, axes, 2);
}

/* FALSE when the group is not that of a lattice. */
static gboolean
setting_of_group (const FlSearch *search, const FlLatticeRotations *group, FlSetting *setting)
{
  *setting = (FlSetting){ .axes = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } } };
  FlIntMat3 *axes = &setting->axes;
  gboolean done = FALSE;
  switch (group->n)
    {
    case 1:
      setting->type = FL_LATTICE_TRICLINIC;
      done = TRUE;
      break;
    case 2:
      setting->type = FL_LATTICE_MONOCLINIC;
      done = monoclinic_axes (search, group, axes);
      break;
    case 4:
      setting->type = FL_LATTICE_ORTHORHOMBIC;
      done = three_axes (group, 2, axes) == 3;
      if (done)
        order_orthorhombic (search, axes);
      break;
    case 6:
    case 12:
      setting->type = FL_LATTICE_HEXAGONAL;
      done = main_axis (search, group, group->n == 6 ? 3 : 6, axes);
      break;
    case 8:
      setting->type = FL_LATTICE_TETRAGONAL;
      done = main_axis (search, group, 4, axes);
      break;
    case FL_LATTICE_MOST_ROTATIONS:
      setting->type = FL_LATTICE_CUBIC;
      done = three_axes (group, 4, axes) == 3;
      break;
    }
  if (!done)
    return FALSE;
  if (fl_int_mat3_determinant (axes) < 0)
    for (int i = 0; i < 3; i++)
      reverse_axis (axes, i);
  setting->centring = find_centring (axes);
  if (setting->centring == 'R' && !has_point (axes, 2, 1, 1, 3)) /* reverse → obverse */
    {
      reverse_axis (axes, 0);
      reverse_axis (axes, 1);
    }
  return setting->centring != '\0' && (setting->centring == 'R') == (group->n == 6);
}

/* How far the cell is from what its type demands, in tolerances; the largest counts. */
static double
disagreement (const FlSearch *search, const FlSetting *setting)
{
  FlMat3 real = fl_lattice_combine (&setting->axes, &search->real);
  FlCell c = fl_lattice_cell_of_real (&real);
  double right = acos (0), worst = 0;
  double ab = fabs (c.a - c.b) / MAX (c.a, c.b), bc = fabs (c.b - c.c) / MAX (c.b, c.c),
         ac = fabs (c.a - c.c) / MAX (c.a, c.c);
  double lengths = setting->type == FL_LATTICE_CUBIC ? MAX (MAX (ab, bc), ac)
                   : setting->type == FL_LATTICE_TETRAGONAL || setting->type == FL_LATTICE_HEXAGONAL ? ab
                                                                                                     : 0;
  if (setting->type != FL_LATTICE_TRICLINIC)
    worst = MAX (fabs (c.alpha - right),
                 fabs (c.gamma - (setting->type == FL_LATTICE_HEXAGONAL ? right * 4 / 3 : right)));
  if (setting->type > FL_LATTICE_MONOCLINIC)
    worst = MAX (worst, fabs (c.beta - right));
  return MAX (lengths / (search->length_tolerance + 1e-9), worst / (search->angle_tolerance + 1e-9));
}

typedef struct
{
  FlSetting setting;
  FlLatticeRotations group;
  double error;
} FlBestGroup;

/* The group that some of the two-folds make (`which`: their numbers), if it is better than what there is. */
static void
try_group (const FlSearch *search, const guint *which, guint n, FlBestGroup *best)
{
  FlLatticeRotations group = { .n = 1, .r = { { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } } } };
  FlSetting setting;
  for (guint i = 0; i < n; i++)
    if (!extend (&group, &search->twofolds[which[i]].r))
      return;
  if (group.n < best->group.n || !setting_of_group (search, &group, &setting))
    return;
  double error = disagreement (search, &setting);
  if (error > 1 || (group.n == best->group.n && error >= best->error))
    return;
  *best = (FlBestGroup){ setting, group, error };
}

static gboolean
find_best_group (FlSearch *search, FlBestGroup *best)
{
  best->group.n = 0;
  if (!fl_niggli_reduce (&search->real, NULL))
    return FALSE;
  if (fl_mat3_determinant (&search->real) < 0)
    for (int i = 0; i < 9; i++)
      search->real.m[i / 3][i % 3] *= -1;
  find_twofolds (search);
  try_group (search, NULL, 0, best);
  /* Three two-folds make any of the seven groups. */
  guint n = search->n_twofolds;
  for (guint i = 0; i < n; i++)
    for (guint j = i; j < n; j++)
      for (guint k = j; k < n; k++)
        if (i < j || j == k)
          try_group (search, (guint[]){ i, j, k }, 3, best);
  return TRUE;
}

gboolean
fl_lattice_conventional (const FlMat3 *star, double length_tolerance, double angle_tolerance,
                         FlMat3 *conventional, FlLatticeType *type, char *centring)
{
  FlSearch search = { .real = fl_lattice_real (star),
                      .length_tolerance = length_tolerance,
                      .angle_tolerance = angle_tolerance };
  FlBestGroup best;
  if (!find_best_group (&search, &best))
    return FALSE;
  FlMat3 real = fl_lattice_combine (&best.setting.axes, &search.real);
  *conventional = fl_lattice_star (&real);
  *type = best.setting.type;
  *centring = best.setting.centring;
  return TRUE;
}

gboolean
fl_lattice_rotations (FlMat3 *real, double length_tolerance, double angle_tolerance,
                      FlLatticeRotations *rotations)
{
  FlSearch search = { .real = *real,
                      .length_tolerance = length_tolerance,
                      .angle_tolerance = angle_tolerance };
  FlBestGroup best;
  if (!find_best_group (&search, &best))
    return FALSE;
  *real = search.real;
  *rotations = best.group;
  return TRUE;
}
