#include "engine/simulate/spi-particle.h"

#include <math.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/density.h"

#define WIDTH        6 /* of the kernel, grid points */
#define BETA         (2.3 * WIDTH)
#define OVERSAMPLING 2.0
#define MARGIN       4.0  /* Å around the atoms' centres */
#define LEAST_SIDE   60.0 /* Å: the kernel's transform hardly changes across an atom */
#define FINEST       9.0  /* Å: density.h's radii are for this or finer */
#define MOST_POINTS  1e9
#define QUADRATURE   200
#define SHAPE_STEPS  4096
#define KERNEL_STEPS 1024 /* of its table, a grid point: linear to 10⁻⁷ */

struct FlSpiParticle
{
  double side, size, s_most, electrons;
  int limit; /* h, k of −limit … limit; l of −WIDTH … limit: the other half is the complex conjugate */
  gsize row, plane;   /* points a row of l, a plane of k and l */
  float complex *f;   /* divided by `shape` */
  float *shape;       /* [SHAPE_STEPS + 2] mean form factor, relative, at |s|² = i / shape_steps */
  double shape_steps; /* Å² */
  float kernel[WIDTH * KERNEL_STEPS + 2]; /* from −WIDTH/2 */
};

static inline double
kernel (double x)
{
  double t = 1 - x * x * (4.0 / (WIDTH * WIDTH));
  return t > 0 ? exp (BETA * (sqrt (t) - 1)) : 0;
}

/* ∫ kernel(x) cos 2πξx dx, by the midpoint rule: the ends are flat to 10⁻⁶. */
static double
kernel_transform (double xi)
{
  double sum = 0, step = 0.5 * WIDTH / QUADRATURE;
  for (int i = 0; i < QUADRATURE; i++)
    sum += kernel ((i + 0.5) * step) * cos (2 * FL_PI * xi * (i + 0.5) * step);
  return 2 * step * sum;
}

/* The kernel would see the fall-off of atoms with |s|, were it not taken out first and put back afterwards. */
static void
find_shape (FlSpiParticle *p, const GArray *atoms)
{
  double corner = 3.0 * p->limit * p->limit / (p->side * p->side);
  g_autoptr (GPtrArray) factors = g_ptr_array_new ();
  g_autoptr (GArray) numbers = g_array_new (FALSE, TRUE, sizeof (double));
  g_autofree double *sum = g_new0 (double, SHAPE_STEPS + 2);
  p->shape = g_new (float, SHAPE_STEPS + 2);
  p->shape_steps = SHAPE_STEPS / corner;
  for (guint i = 0; i < atoms->len; i++)
    {
      const FlAtom *atom = &g_array_index (atoms, FlAtom, i);
      guint kind = 0;
      while (kind < factors->len && factors->pdata[kind] != atom->factor)
        kind++;
      if (kind == factors->len)
        {
          g_ptr_array_add (factors, (gpointer) atom->factor);
          g_array_set_size (numbers, factors->len);
        }
      g_array_index (numbers, double, kind) += atom->occupancy;
    }
  for (guint kind = 0; kind < factors->len; kind++)
    for (guint i = 0; i < SHAPE_STEPS + 2; i++)
      sum[i] += g_array_index (numbers, double, kind)
                * fl_form_factor_at (factors->pdata[kind], i / p->shape_steps / 4);
  p->electrons = sum[0];
  for (guint i = 0; i < SHAPE_STEPS + 2; i++)
    p->shape[i] = (float) (sum[i] / sum[0]);
}

static inline float
shape_at (const FlSpiParticle *p, double s2)
{
  double at = s2 * p->shape_steps;
  guint i = (guint) at;
  float part = (float) (at - i);
  return p->shape[i] + part * (p->shape[i + 1] - p->shape[i]);
}

/* Copies the atoms about the middle of their box. Returns the longest side of the box. */
static double
centre_atoms (const FlModel *model, FlAtom *atoms)
{
  FlVec3 low = model->atoms[0].position, high = low;
  for (guint i = 1; i < model->n_atoms; i++)
    {
      FlVec3 r = model->atoms[i].position;
      low = fl_vec3 (MIN (low.x, r.x), MIN (low.y, r.y), MIN (low.z, r.z));
      high = fl_vec3 (MAX (high.x, r.x), MAX (high.y, r.y), MAX (high.z, r.z));
    }
  FlVec3 middle = fl_vec3_scale (fl_vec3_add (low, high), 0.5), size = fl_vec3_sub (high, low);
  for (guint i = 0; i < model->n_atoms; i++)
    {
      atoms[i] = model->atoms[i];
      atoms[i].position = fl_vec3_sub (atoms[i].position, middle);
      atoms[i].b = 0;
    }
  return MAX (MAX (size.x, size.y), size.z);
}

static void
weight_atoms (FlSpiParticle *p, FlAtom *atoms, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      FlVec3 r = fl_vec3_scale (atoms[i].position, 1 / p->side);
      atoms[i].occupancy /= kernel_transform (r.x) * kernel_transform (r.y) * kernel_transform (r.z);
    }
}

/* [2 limit + 1]² [limit + 1] as density.h gives it, with a margin of negative l. */
static void
store_half (FlSpiParticle *p, const double complex *half)
{
  int n = 2 * p->limit + 1;
  double step2 = 1 / (p->side * p->side);
  for (int h = 0; h < n; h++)
    for (int k = 0; k < n; k++)
      for (int l = -WIDTH; l <= p->limit; l++)
        {
          gboolean other = l < 0;
          int hh = other ? n - 1 - h : h, kk = other ? n - 1 - k : k;
          FlVec3 at = fl_vec3 (h - p->limit, k - p->limit, l);
          double complex f =
              half[((gsize) hh * (gsize) n + (gsize) kk) * (gsize) (p->limit + 1) + (gsize) ABS (l)];
          p->f[(gsize) h * p->plane + (gsize) k * p->row + (gsize) (l + WIDTH)] =
              (float complex) ((other ? conj (f) : f) / shape_at (p, step2 * fl_vec3_dot (at, at)));
        }
}

FlSpiParticle *
fl_spi_particle_new (const FlModel *model, FlHydration hydration, double s_most, GError **error)
{
  g_autoptr (GArray) atoms = g_array_new (FALSE, FALSE, sizeof (FlAtom));
  g_autoptr (FlSpiParticle) p = g_new0 (FlSpiParticle, 1);
  g_array_set_size (atoms, model->n_atoms);
  p->size = centre_atoms (model, (FlAtom *) (void *) atoms->data) + 2 * (MARGIN + hydration.thickness);
  p->side = MAX (OVERSAMPLING * p->size, LEAST_SIDE);
  p->s_most = s_most;
  for (int i = 0; i < WIDTH * KERNEL_STEPS + 2; i++)
    p->kernel[i] = (float) kernel ((double) i / KERNEL_STEPS - 0.5 * WIDTH);
  p->limit = (int) ceil (s_most * p->side) + WIDTH / 2 + 1;
  p->row = (gsize) (p->limit + 1 + WIDTH);
  p->plane = (gsize) (2 * p->limit + 1) * p->row;
  double points = pow (2.0 * p->limit + 1, 2) * (double) p->row;
  if (points > MOST_POINTS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "a particle of %.0f Å to %.2f Å needs a grid of %.2g points, expected at most %.0e",
                   p->size, 1 / s_most, points, MOST_POINTS);
      return NULL;
    }
  FlFormFactor water;
  if (hydration.thickness > 0)
    fl_spi_hydration_add (hydration, &water, atoms);
  find_shape (p, atoms);
  weight_atoms (p, (FlAtom *) (void *) atoms->data, atoms->len);
  FlModel box = { .cell = { p->side, p->side, p->side, FL_PI / 2, FL_PI / 2, FL_PI / 2 },
                  .n_atoms = atoms->len,
                  .atoms = (FlAtom *) (void *) atoms->data };
  const int limits[3] = { p->limit, p->limit, p->limit };
  double corner = sqrt (3) * p->limit / p->side;
  g_autofree double complex *half = fl_density_transform (&box, limits, MIN (1 / corner, FINEST));
  p->f = g_new (float complex, (gsize) (2 * p->limit + 1) * p->plane);
  store_half (p, half);
  return g_steal_pointer (&p);
}

void
fl_spi_particle_free (FlSpiParticle *p)
{
  if (p == NULL)
    return;
  g_free (p->f);
  g_free (p->shape);
  g_free (p);
}

double
fl_spi_particle_electrons (const FlSpiParticle *p)
{
  return p->electrons;
}

/* The first of the kernel's points about u, and its values there, linear between the table's. */
static inline int
kernel_row (const FlSpiParticle *p, double u, float values[WIDTH])
{
  int first = (int) ceil (u - 0.5 * WIDTH);
  float at = (float) (u - first + 0.5 * WIDTH) * KERNEL_STEPS;
  int from = (int) at;
  float part = at - (float) from;
  for (int i = 0; i < WIDTH; i++, from -= KERNEL_STEPS)
    values[i] = p->kernel[from] + part * (p->kernel[from + 1] - p->kernel[from]);
  return first;
}

static float complex
gather (const FlSpiParticle *p, FlVec3 u)
{
  float x[WIDTH], y[WIDTH], z[WIDTH], re = 0, im = 0;
  int h = kernel_row (p, u.x, x) + p->limit, k = kernel_row (p, u.y, y) + p->limit,
      l = kernel_row (p, u.z, z) + WIDTH;
  for (int i = 0; i < WIDTH; i++)
    for (int j = 0; j < WIDTH; j++)
      {
        const float *f = (const float *) (const void *) (p->f + (gsize) (h + i) * p->plane
                                                         + (gsize) (k + j) * p->row + (gsize) l);
        float weight = x[i] * y[j];
        for (int m = 0; m < WIDTH; m++)
          {
            re += weight * z[m] * f[2 * m];
            im += weight * z[m] * f[2 * m + 1];
          }
      }
  return re + im * I;
}

void
fl_spi_particle_amplitudes (const FlSpiParticle *p, const FlMat3 *rotation, const FlVec3 *s, gsize n,
                            float complex *f)
{
  FlMat3 back = fl_mat3_transpose (rotation);
  for (gsize i = 0; i < n; i++)
    {
      double s2 = fl_vec3_dot (s[i], s[i]);
      FlVec3 u = fl_vec3_scale (fl_mat3_apply (&back, s[i]), p->side);
      if (s2 > p->s_most * p->s_most)
        f[i] = 0;
      else
        f[i] = shape_at (p, s2) * (u.z < 0 ? conjf (gather (p, fl_vec3_scale (u, -1))) : gather (p, u));
    }
}
