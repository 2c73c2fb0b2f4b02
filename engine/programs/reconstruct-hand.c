/* Of the two hands of a density, which nothing tells apart, always the same one: the view does not flip from generation to
 * generation, nor from a job to the one that starts from it. */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/crystal/ccp4-map.h"
#include "engine/programs/reconstruct-job.h"
#include "engine/spi/resample.h"
#include "engine/spi/shift.h"

/* Σ ρ xᵃ yᵇ zᶜ over Σ |ρ xᵃ yᵇ zᶜ|, of odd order a + b + c: what mirroring turns to its negative. */
static double
odd_moment (const FlVolume *density, const double centre[3], const guint power[3])
{
  gsize m = density->m;
  g_autofree double *along = g_new (double, 3 * m);
  for (guint axis = 0; axis < 3; axis++)
    for (gsize i = 0; i < m; i++)
      along[axis * m + i] = pow (((double) i - centre[axis]) / (double) m, power[axis]);
  double sum = 0, all = 0;
  for (gsize i = 0; i < fl_volume_points (density); i++)
    {
      double of = (double) density->data[i] * along[i % m] * along[m + i / m % m] * along[2 * m + i / m / m];
      sum += of;
      all += fabs (of);
    }
  return all > 0 ? sum / all : 0;
}

/* The greatest moment decides: a symmetry makes some of them 0, and noise would then. */
static gboolean
is_left (const FlVolume *density)
{
  gsize n = fl_volume_points (density), m = density->m;
  double sum = 0, centre[3] = { 0 }, moment = 0;
  for (gsize i = 0; i < n; i++)
    {
      const double value = (double) density->data[i],
                   x[3] = { (double) (i % m), (double) (i / m % m), (double) (i / m / m) };
      sum += value;
      for (int a = 0; a < 3; a++)
        centre[a] += value * x[a];
    }
  for (int a = 0; a < 3; a++)
    centre[a] /= sum > 0 ? sum : 1;
  for (guint order = 3; order <= 5 && sum > 0; order += 2)
    for (guint a = 0; a <= order; a++)
      for (guint b = 0; a + b <= order; b++)
        {
          double one = odd_moment (density, centre, (guint[]){ a, b, order - a - b });
          moment = fabs (one) > fabs (moment) ? one : moment;
        }
  return moment < 0;
}

static void
mirror (FlVolume *density)
{
  gsize n = fl_volume_points (density);
  for (gsize i = 0; i < n / 2; i++)
    {
      float value = density->data[i];
      density->data[i] = density->data[n - 1 - i];
      density->data[n - 1 - i] = value;
    }
}

/* --- the former job's --- */

static char *
former_path (const FlReconstructJob *job, guint conformation)
{
  return g_strdup_printf ("%s/former-c%u.mrc", job->out, conformation);
}

void
fl_reconstruct_keep_former (const FlReconstructJob *job, const char *former)
{
  guint n = (guint) fl_params_int (job->params, "reconstruct.conformations");
  for (guint c = 0; c < n && job->first; c++)
    {
      g_autofree char *to = former_path (job, c);
      g_autofree char *from = former != NULL ? g_strdup_printf ("%s/density-c%u.mrc", former, c) : NULL;
      g_autofree char *content = NULL;
      gsize length;
      if (from == NULL || !g_file_get_contents (from, &content, &length, NULL)
          || !g_file_set_contents (to, content, (gssize) length, NULL))
        g_unlink (to);
    }
}

/* On the grid of `like`; NULL: there is none. */
static FlVolume *
read_former (const FlReconstructJob *job, guint conformation, const FlVolume *like)
{
  g_autofree char *path = former_path (job, conformation);
  g_autoptr (FlMap) map = g_file_test (path, G_FILE_TEST_EXISTS) ? fl_map_read (path, NULL) : NULL;
  if (map == NULL || map->n[0] % 2 == 0 || map->n[1] != map->n[0] || map->n[2] != map->n[0])
    return NULL;
  g_autoptr (FlVolume) former = fl_volume_new ((guint) map->n[0], map->cell.a / map->sampling[0]);
  memcpy (former->data, map->data, fl_volume_points (former) * sizeof *former->data);
  g_autoptr (FlResampler) resampler = fl_resampler_new (former, NULL);
  if (resampler == NULL)
    return NULL;
  const FlMotion none = { .rotation = { 1, 0, 0, 0 } };
  FlVolume *there = fl_volume_new (like->m, like->voxel);
  fl_resampler_move (resampler, &none, there);
  return there;
}

static void
transform_whitened (FlTransform *t, const FlVolume *density, const FlAlignmentRange *range, float complex *to)
{
  double box = t->n * density->voxel;
  fl_transform_put (t, density, NULL);
  fl_transform_run (t, FALSE);
  fl_shift_whiten (t, range->s_low * box, range->s_high * box);
  memcpy (to, t->grid, fl_transform_points (t) * sizeof *to);
}

gboolean
fl_reconstruct_choose_hand (const FlReconstructJob *job, guint conformation, FlVolume *density,
                            const FlAlignmentRange *range, GError **error)
{
  g_autoptr (FlVolume) former = read_former (job, conformation, density);
  if (former == NULL)
    {
      if (is_left (density))
        mirror (density);
      return TRUE;
    }
  g_autoptr (FlTransform) t = fl_transform_new (density->m, error);
  if (t == NULL)
    return FALSE;
  g_autofree float complex *a = g_new (float complex, fl_transform_points (t)),
                           *b = g_new (float complex, fl_transform_points (t));
  transform_whitened (t, former, range, a);
  transform_whitened (t, density, range, b);
  /* Its orientation is the former's already. */
  if (fl_shift_find (t, a, b).hand)
    mirror (density);
  return TRUE;
}
