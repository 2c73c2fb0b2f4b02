#include "engine/sfx/geometry-sums.h"

#include <string.h>

#define AXES   FL_GEOMETRY_AXES
#define MOST   FL_REFINEMENT_MOST
#define HELD   1e-7 /* rad, mm: as good as not at all */
#define N_HELD (1 + FL_GEOMETRY_WINDOW_AXES)

/* Does any parameter move a panel along or about this axis? Turns of what is above a panel shift it, too. */
static gboolean
is_used (const FlGeometryLevels *levels, guint axis)
{
  double motion[AXES];
  if (levels->n == 0)
    return TRUE;
  for (guint i = 0; i < levels->n; i++)
    for (guint panel = 0; panel < levels->n_panels; panel++)
      if (fl_geometry_levels_motion (levels, i, panel, motion) && (motion[axis] < 0 || motion[axis] > 0))
        return TRUE;
  return FALSE;
}

FlGeometrySums *
fl_geometry_sums_new (const FlGeometryLevels *levels)
{
  FlGeometrySums *sums = g_new0 (FlGeometrySums, 1);
  sums->n_panels = levels->n_panels;
  sums->n_windows = levels->n_windows;
  for (guint axis = 0; axis < AXES; axis++)
    if (is_used (levels, axis))
      sums->axes[sums->n_axes++] = axis;
  sums->size = sums->n_axes * sums->n_panels + FL_GEOMETRY_WINDOW_AXES * sums->n_windows;
  sums->matrix = g_new0 (double, (gsize) sums->size * sums->size);
  sums->right = g_new0 (double, sums->size);
  sums->column = g_new (guint, sums->size);
  sums->of_panel = g_new (guint, sums->n_panels);
  sums->own = g_new (double, (gsize) sums->size * sums->size);
  sums->own_right = g_new (double, sums->size);
  sums->cross = g_new (double, (gsize) sums->size *MOST);
  return sums;
}

void
fl_geometry_sums_free (FlGeometrySums *sums)
{
  g_free (sums->matrix);
  g_free (sums->right);
  g_free (sums->column);
  g_free (sums->of_panel);
  g_free (sums->own);
  g_free (sums->own_right);
  g_free (sums->cross);
  g_free (sums);
}

void
fl_geometry_sums_clear (FlGeometrySums *sums)
{
  memset (sums->matrix, 0, (gsize) sums->size * sums->size * sizeof (double));
  memset (sums->right, 0, sums->size * sizeof (double));
}

/* Cholesky's factor in place, lower triangle of n × n. */
static gboolean
factor (double *a, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      double *row = a + (gsize) i * n;
      for (guint j = 0; j <= i; j++)
        {
          const double *above = a + (gsize) j * n;
          double sum = row[j];
          for (guint k = 0; k < j; k++)
            sum -= row[k] * above[k];
          if (j == i && !(sum > 0))
            return FALSE;
          row[j] = j == i ? sqrt (sum) : sum / above[j];
        }
    }
  return TRUE;
}

static void
forward (const double *l, guint n, double *x)
{
  for (guint i = 0; i < n; i++)
    {
      for (guint k = 0; k < i; k++)
        x[i] -= l[(gsize) i * n + k] * x[k];
      x[i] /= l[(gsize) i * n + i];
    }
}

static void
backward (const double *l, guint n, double *x)
{
  for (guint i = n; i-- > 0;)
    {
      for (guint k = i + 1; k < n; k++)
        x[i] -= l[(gsize) k * n + i] * x[k];
      x[i] /= l[(gsize) i * n + i];
    }
}

/* The lattice's own block and right side, spots that lie on moved panels included. */
static void
lattice_block (const FlGeometryBlock *b, guint n_panels, const double *motion, double *block, double *right)
{
  guint n = b->n;
  memset (block, 0, n * n * sizeof *block);
  memcpy (right, b->pull, n * sizeof *right);
  for (guint r = 0; r < b->n_rows; r++)
    for (guint c = 0; c < 3; c++)
      {
        const FlGeometryRow *row = &b->rows[r];
        const double *g = row->of_lattice[c];
        double residual = row->residual[c];
        for (guint k = 0; motion != NULL && c < 2 && k < AXES; k++)
          residual -= row->of_panel[c][k] * motion[AXES * row->panel + k];
        for (guint k = 0; motion != NULL && c < 2 && b->window != G_MAXUINT && k < FL_GEOMETRY_WINDOW_AXES;
             k++)
          residual -= row->of_panel[c][k] * motion[AXES * n_panels + FL_GEOMETRY_WINDOW_AXES * b->window + k];
        for (guint i = 0; i < n; i++)
          {
            double weighted = row->weight[c] * g[i];
            right[i] += weighted * residual;
            for (guint j = 0; j <= i; j++)
              block[i * n + j] += weighted * g[j];
          }
      }
  for (guint i = 0; i < n; i++)
    block[i * n + i] = (block[i * n + i] + b->prior[i]) * (1 + b->damping);
}

gboolean
fl_geometry_lattice_step (const FlGeometryBlock *b, guint n_panels, const double *motion, double *step)
{
  double block[MOST * MOST];
  lattice_block (b, n_panels, motion, block, step);
  if (!factor (block, b->n))
    return FALSE;
  forward (block, b->n, step);
  backward (block, b->n, step);
  return TRUE;
}

/* Of one lattice: the columns of the sums that its spots touch, rising, and what they say about these alone (lower triangle)
 * and (cross, n rows) about these and the lattice together. Memory is the sums'. */
typedef struct
{
  guint n_columns;
  guint *column, *of_panel; /* of_panel: where a panel's columns begin here */
  double *own, *right, *cross;
} Touched;

static Touched
touch (const FlGeometrySums *sums, const FlGeometryBlock *b)
{
  Touched t = { 0, sums->column, sums->of_panel, sums->own, sums->own_right, sums->cross };
  memset (t.of_panel, 0xff, sums->n_panels * sizeof *t.of_panel);
  for (guint r = 0; r < b->n_rows; r++)
    t.of_panel[b->rows[r].panel] = 0;
  for (guint panel = 0; panel < sums->n_panels; panel++)
    if (t.of_panel[panel] == 0)
      {
        t.of_panel[panel] = t.n_columns;
        for (guint k = 0; k < sums->n_axes; k++)
          t.column[t.n_columns++] = sums->n_axes * panel + k;
      }
  for (guint k = 0; b->window != G_MAXUINT && k < FL_GEOMETRY_WINDOW_AXES; k++)
    t.column[t.n_columns++] = sums->n_axes * sums->n_panels + FL_GEOMETRY_WINDOW_AXES * b->window + k;
  memset (t.own, 0, (gsize) t.n_columns * t.n_columns * sizeof *t.own);
  memset (t.right, 0, t.n_columns * sizeof *t.right);
  memset (t.cross, 0, (gsize) t.n_columns * b->n * sizeof *t.cross);
  return t;
}

static void
add_rows (const FlGeometrySums *sums, const FlGeometryBlock *b, Touched *t)
{
  guint n_window = b->window != G_MAXUINT ? FL_GEOMETRY_WINDOW_AXES : 0, n = sums->n_axes + n_window;
  for (guint r = 0; r < b->n_rows; r++)
    for (guint c = 0; c < 2; c++)
      {
        const FlGeometryRow *row = &b->rows[r];
        double gradient[AXES + FL_GEOMETRY_WINDOW_AXES];
        guint at[AXES + FL_GEOMETRY_WINDOW_AXES];
        for (guint k = 0; k < n; k++)
          {
            gboolean window = k >= sums->n_axes;
            gradient[k] = row->of_panel[c][window ? k - sums->n_axes : sums->axes[k]];
            at[k] = window ? t->n_columns - n + k : t->of_panel[row->panel] + k;
          }
        for (guint i = 0; i < n; i++)
          {
            double weighted = row->weight[c] * gradient[i];
            t->right[at[i]] += weighted * row->residual[c];
            for (guint j = 0; j <= i; j++)
              t->own[(gsize) at[i] * t->n_columns + at[j]] += weighted * gradient[j];
            for (guint j = 0; j < b->n; j++)
              t->cross[(gsize) j * t->n_columns + at[i]] += weighted * row->of_lattice[c][j];
          }
      }
}

/* cross becomes L⁻¹ cross, L the factor of the lattice's block. */
static void
forward_rows (const double *l, guint n, double *cross, guint width)
{
  for (guint i = 0; i < n; i++)
    {
      double *row = cross + (gsize) i * width, scale = 1 / l[i * n + i];
      for (guint k = 0; k < i; k++)
        for (guint c = 0; c < width; c++)
          row[c] -= l[i * n + k] * cross[(gsize) k * width + c];
      for (guint c = 0; c < width; c++)
        row[c] *= scale;
    }
}

/* line[0 … n) less the products of row i of `cross` with its others: three parameters of the lattice a pass, which is what this
 * program spends its time on. */
static void
eliminate (double *restrict line, guint n, const double *restrict cross, guint width, guint n_own, guint i)
{
  guint k = 0;
  for (; k + 3 <= n_own; k += 3)
    {
      const double *a = cross + (gsize) k * width, *b = a + width, *c = b + width;
      double x = a[i], y = b[i], z = c[i];
      for (guint j = 0; j < n; j++)
        line[j] -= x * a[j] + y * b[j] + z * c[j];
    }
  for (; k < n_own; k++)
    {
      const double *a = cross + (gsize) k * width;
      double x = a[i];
      for (guint j = 0; j < n; j++)
        line[j] -= x * a[j];
    }
}

gboolean
fl_geometry_sums_add (FlGeometrySums *sums, const FlGeometryBlock *b)
{
  double block[MOST * MOST], right[MOST];
  lattice_block (b, sums->n_panels, NULL, block, right);
  if (!factor (block, b->n))
    return FALSE;
  forward (block, b->n, right);
  Touched t = touch (sums, b);
  guint width = t.n_columns;
  add_rows (sums, b, &t);
  forward_rows (block, b->n, t.cross, width);
  for (guint i = 0; i < width; i++)
    {
      double *own = t.own + (gsize) i * width, *line = sums->matrix + (gsize) t.column[i] * sums->size;
      for (guint k = 0; k < b->n; k++)
        t.right[i] -= t.cross[(gsize) k * width + i] * right[k];
      eliminate (own, i + 1, t.cross, width, b->n, i);
      sums->right[t.column[i]] += t.right[i];
      for (guint j = 0; j <= i; j++)
        line[t.column[j]] += own[j];
    }
  return TRUE;
}

/* --- levels --- */

/* What a parameter does to the sums' columns: at most 6 a panel. */
typedef struct
{
  guint n;
  guint *column;
  double *factor;
} Projection;

static void
projections_free (Projection *p, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_free (p[i].column);
      g_free (p[i].factor);
    }
  g_free (p);
}

static void
add_column (Projection *p, guint column, double factor)
{
  if (factor < 0 || factor > 0)
    {
      p->column[p->n] = column;
      p->factor[p->n++] = factor;
    }
}

static Projection *
projections_new (const FlGeometrySums *sums, const FlGeometryLevels *levels)
{
  Projection *all = g_new0 (Projection, levels->n + 1);
  for (guint i = 0; i < levels->n; i++)
    {
      const FlGeometryParameter *parameter = &levels->parameters[i];
      guint most = parameter->level == FL_GEOMETRY_PANELS || parameter->level == FL_GEOMETRY_WINDOWS
                       ? 1
                       : levels->n_panels;
      double motion[AXES];
      all[i].column = g_new (guint, most * AXES);
      all[i].factor = g_new (double, most *AXES);
      if (parameter->level == FL_GEOMETRY_WINDOWS)
        add_column (
            &all[i],
            sums->n_axes * sums->n_panels + FL_GEOMETRY_WINDOW_AXES * parameter->member + parameter->axis, 1);
      for (guint panel = 0; panel < levels->n_panels; panel++)
        if (fl_geometry_levels_motion (levels, i, panel, motion))
          for (guint k = 0; k < sums->n_axes; k++)
            add_column (&all[i], sums->n_axes * panel + k, motion[sums->axes[k]]);
    }
  return all;
}

static double
project (const Projection *p, const double *v)
{
  double sum = 0;
  for (guint i = 0; i < p->n; i++)
    sum += p->factor[i] * v[p->column[i]];
  return sum;
}

/* The whole column of the symmetric sums times what parameter p does. */
static void
project_column (const FlGeometrySums *sums, const Projection *p, double *column)
{
  memset (column, 0, sums->size * sizeof *column);
  for (guint i = 0; i < p->n; i++)
    {
      gsize c = p->column[i], size = sums->size;
      for (gsize row = 0; row < size; row++)
        column[row] +=
            p->factor[i] * (row >= c ? sums->matrix[row * size + c] : sums->matrix[c * size + row]);
    }
}

/* What sums that may not change add to the matrix. */
static double
of_held (const double *held, guint n, guint i, guint j)
{
  double sum = 0;
  for (guint h = 0; held != NULL && h < N_HELD; h++)
    sum += held[(gsize) h * n + i] * held[(gsize) h * n + j] / (HELD * HELD);
  return sum;
}

/* The factor of the levels' normal matrix (n × n); NULL: not positive definite. `held` (NULL: nothing): N_HELD sums of the
 * parameters that may not change. */
static double *
levels_factor (const FlGeometrySums *sums, const FlGeometryLevels *levels, const Projection *p,
               double damping, const double *held)
{
  guint n = levels->n;
  g_autofree double *matrix = g_new0 (double, (gsize) n *n + 1), *column = g_new (double, sums->size);
  for (guint i = 0; i < n; i++)
    {
      double sigma = levels->parameters[i].sigma;
      project_column (sums, &p[i], column);
      for (guint j = i; j < n; j++)
        matrix[(gsize) j * n + i] = project (&p[j], column) + of_held (held, n, i, j);
      matrix[(gsize) i * n + i] = matrix[(gsize) i * n + i] * (1 + damping) + 1 / (sigma * sigma);
    }
  return factor (matrix, n) ? g_steal_pointer (&matrix) : NULL;
}

gboolean
fl_geometry_sums_solve (const FlGeometrySums *sums, const FlGeometryLevels *levels, const double *gone,
                        double damping, double *step, double *motion)
{
  guint n = levels->n;
  Projection *p = projections_new (sums, levels);
  g_autofree double *l = levels_factor (sums, levels, p, damping, NULL);
  for (guint i = 0; l != NULL && i < n; i++)
    {
      double sigma = levels->parameters[i].sigma;
      step[i] = project (&p[i], sums->right) - gone[i] / (sigma * sigma);
    }
  guint before = AXES * sums->n_panels;
  memset (motion, 0, (before + FL_GEOMETRY_WINDOW_AXES * sums->n_windows) * sizeof *motion);
  if (l != NULL)
    {
      forward (l, n, step);
      backward (l, n, step);
    }
  for (guint i = 0; l != NULL && i < n; i++)
    for (guint c = 0; c < p[i].n; c++)
      {
        guint column = p[i].column[c], panel = column / sums->n_axes;
        guint at = panel < sums->n_panels ? AXES * panel + sums->axes[column % sums->n_axes]
                                          : before + column - sums->n_axes * sums->n_panels;
        motion[at] += p[i].factor[c] * step[i];
      }
  projections_free (p, n);
  return l != NULL;
}

/* rad/mm and 1: what of a panel's shift and turn is a turn of all about the beam through their middle. */
static double *
whole_turn (const FlGeometryLevels *levels)
{
  double *weights = g_new0 (double, AXES * levels->n_panels), square = 0;
  for (guint i = 0; i < levels->n_panels; i++)
    {
      FlVec3 arm = fl_vec3_sub (levels->panel_centre[i], levels->whole_centre);
      weights[AXES * i] = -arm.y;
      weights[AXES * i + 1] = arm.x;
      square += arm.x * arm.x + arm.y * arm.y;
    }
  for (guint i = 0; i < AXES * levels->n_panels; i++)
    weights[i] /= MAX (square, 1e-6);
  return weights;
}

/* What a sum over the panels' motions has of each parameter. */
static void
of_parameters (const FlGeometryLevels *levels, const double *weights, double *v)
{
  double motion[AXES];
  for (guint k = 0; k < levels->n; k++)
    {
      v[k] = 0;
      for (guint panel = 0; panel < levels->n_panels; panel++)
        if (fl_geometry_levels_motion (levels, k, panel, motion))
          for (guint axis = 0; axis < AXES; axis++)
            v[k] += weights[AXES * panel + axis] * motion[axis];
    }
}

/* √(vᵀ N⁻¹ v), N = L Lᵀ; v is used up. */
static double
deviation (const double *l, guint n, double *v)
{
  double square = 0;
  forward (l, n, v);
  for (guint k = 0; k < n; k++)
    square += v[k] * v[k];
  return sqrt (square);
}

gboolean
fl_geometry_sums_errors (const FlGeometrySums *sums, const FlGeometryLevels *levels, const double *weights,
                         guint n, double *sigma, double *parameter_sigma)
{
  guint n_own = levels->n;
  Projection *p = projections_new (sums, levels);
  g_autofree double *held = g_new0 (double, (gsize) N_HELD *n_own + 1), *turn = whole_turn (levels),
                    *v = g_new (double, n_own + 1);
  of_parameters (levels, turn, held);
  /* What all windows share is the whole's. */
  for (guint i = 0; i < n_own; i++)
    if (levels->parameters[i].level == FL_GEOMETRY_WINDOWS)
      held[(gsize) (1 + levels->parameters[i].axis) * n_own + i] = 1.0 / levels->n_windows;
  g_autofree double *l = levels_factor (sums, levels, p, 0, held);
  projections_free (p, n_own);
  for (guint i = 0; l != NULL && i < n; i++)
    {
      of_parameters (levels, weights + (gsize) i * AXES * levels->n_panels, v);
      sigma[i] = deviation (l, n_own, v);
    }
  for (guint i = 0; l != NULL && i < n_own; i++)
    {
      for (guint k = 0; k < n_own; k++)
        v[k] = k == i;
      parameter_sigma[i] = deviation (l, n_own, v);
    }
  return l != NULL;
}
