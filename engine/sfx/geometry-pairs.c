#include <stdlib.h>

#include "engine/sfx/geometry-private.h"

#define LEAST_SIGMA 0.02 /* px */
#define EDGE        3.0  /* px: spots nearer to a panel's edge may be cut, and then lie too far inside */
#define LEAST_WIDTH 1e-6 /* 1/Å */

static void
count_team (const FlGeometryTeam *team, guint64 *values, guint n)
{
  if (team != NULL)
    team->count (team->data, values, n);
}

void
fl_geometry_team_count (const FlGeometryOptions *options, guint64 *values, guint n)
{
  count_team (options->team, values, n);
}

void
fl_geometry_team_sum (const FlGeometryOptions *options, double *values, guint n)
{
  if (options->team != NULL)
    options->team->sum (options->team->data, values, n);
}

double
fl_geometry_median (const FlGeometryTeam *team, const double *values, guint n, double low, double high)
{
  guint64 all = n;
  count_team (team, &all, 1);
  for (guint i = 0; all > 0 && i < 50; i++)
    {
      double middle = 0.5 * (low + high);
      guint64 below = 0;
      for (guint k = 0; k < n; k++)
        below += values[k] <= middle;
      count_team (team, &below, 1);
      *(2 * below > all ? &high : &low) = middle;
    }
  return all > 0 ? high : 0;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Sorts; 0 of nothing. */
static double
median (double *values, guint n)
{
  if (n == 0)
    return 0;
  qsort (values, n, sizeof *values, compare_doubles);
  return values[n / 2];
}

gboolean
fl_geometry_predict (const FlGeometryEnsemble *e, const FlPanelFrame *frames, guint lattice,
                     const FlRefinementModel *model, const FlGeometryPair *pair, FlSpotModel *at)
{
  return fl_refinement_model_spot (model, &frames[pair->panel], e->lattices[lattice].wavelength,
                                   fl_vec3 (pair->h, pair->k, pair->l), at);
}

static gboolean
is_cut (const FlPanel *panel, const FlSpotRow *spot)
{
  double fs = (double) spot->fs, ss = (double) spot->ss;
  return fs < EDGE || ss < EDGE || fs > panel->n_fs - EDGE || ss > panel->n_ss - EDGE;
}

/* The reflection next to a spot; FALSE: none, or too far. */
static gboolean
pair_spot (const FlGeometryEnsemble *e, guint lattice, const FlMat3 *real, const FlSpotRow *spot,
           FlGeometryPair *pair)
{
  const FlGeometryCrystal *crystal = &e->crystals[lattice];
  FlShotGeometry geometry = { e->detector, NULL, crystal->model.shift, e->lattices[lattice].wavelength };
  if (spot->panel >= e->detector->n_panels || is_cut (&e->detector->panels[spot->panel], spot))
    return FALSE;
  FlVec3 hkl =
      fl_mat3_apply (real, fl_shot_geometry_q (&geometry, spot->panel, (double) spot->fs, (double) spot->ss));
  if (!(fabs (hkl.x) < 30000 && fabs (hkl.y) < 30000 && fabs (hkl.z) < 30000))
    return FALSE;
  *pair = (FlGeometryPair){ .lattice = lattice,
                            .panel = spot->panel,
                            .h = (gint16) rint (hkl.x),
                            .k = (gint16) rint (hkl.y),
                            .l = (gint16) rint (hkl.z),
                            .fs = spot->fs,
                            .ss = spot->ss };
  FlSpotModel at;
  if ((pair->h == 0 && pair->k == 0 && pair->l == 0)
      || fl_centring_absent (e->known->centring, pair->h, pair->k, pair->l)
      || !fl_geometry_predict (e, e->frames, lattice, &crystal->model, pair, &at))
    return FALSE;
  pair->dfs = (float) ((double) spot->fs - at.fs);
  pair->dss = (float) ((double) spot->ss - at.ss);
  pair->excitation = (float) at.excitation;
  return hypot ((double) pair->dfs, (double) pair->dss) <= e->cut
         && (!(crystal->width > 0) || fabs (at.excitation) <= FL_GEOMETRY_CUT * crystal->width);
}

static guint64
key_of (const FlGeometryPair *pair)
{
  return (guint64) (guint16) pair->h << 32 | (guint64) (guint16) pair->k << 16 | (guint16) pair->l;
}

/* Of two spots at one lattice point the nearer to the prediction counts. */
static void
keep_one_each (GArray *pairs)
{
  g_autoptr (GHashTable) best = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint n = 0;
  FlGeometryPair *all = (FlGeometryPair *) (void *) pairs->data;
  for (guint i = 0; i < pairs->len; i++)
    {
      guint64 key = key_of (&all[i]);
      gpointer place;
      if (!g_hash_table_lookup_extended (best, &key, NULL, &place))
        {
          guint64 *own = g_new (guint64, 1);
          *own = key;
          g_hash_table_insert (best, own, GUINT_TO_POINTER (n));
          all[n++] = all[i];
          continue;
        }
      FlGeometryPair *other = &all[GPOINTER_TO_UINT (place)];
      if (hypot ((double) all[i].dfs, (double) all[i].dss) < hypot ((double) other->dfs, (double) other->dss))
        *other = all[i];
    }
  g_array_set_size (pairs, n);
}

static void
pair_lattice (const FlGeometryEnsemble *e, guint lattice)
{
  FlGeometryCrystal *crystal = &e->crystals[lattice];
  const FlGeometryLattice *from = &e->lattices[lattice];
  FlMat3 real = fl_lattice_real (&crystal->model.star);
  g_array_set_size (crystal->pairs, 0);
  for (guint i = 0; i < from->n_spots; i++)
    {
      FlGeometryPair pair;
      if (pair_spot (e, lattice, &real, &from->spots[i], &pair))
        g_array_append_val (crystal->pairs, pair);
    }
  keep_one_each (crystal->pairs);
  crystal->used = crystal->pairs->len >= MAX (e->options->min_spots, crystal->model.n + 1);
}

static guint64
set_widths (FlGeometryEnsemble *e)
{
  g_autoptr (GArray) distances = g_array_new (FALSE, FALSE, sizeof (double));
  guint64 used = 0;
  for (guint i = 0; i < e->n; i++)
    {
      FlGeometryCrystal *crystal = &e->crystals[i];
      const FlGeometryPair *pairs = (const FlGeometryPair *) (void *) crystal->pairs->data;
      g_autofree double *off = g_new (double, crystal->pairs->len + 1);
      for (guint k = 0; crystal->used && k < crystal->pairs->len; k++)
        {
          double distance = hypot ((double) pairs[k].dfs, (double) pairs[k].dss);
          g_array_append_val (distances, distance);
          off[k] = fabs ((double) pairs[k].excitation);
        }
      if (!crystal->used)
        continue;
      used++;
      crystal->width = MAX (1.4826 * median (off, crystal->pairs->len), LEAST_WIDTH);
    }
  double middle = fl_geometry_median (e->options->team, (const double *) (void *) distances->data,
                                      distances->len, 0, e->options->max_offset);
  e->sigma = MAX (middle / 1.17741, LEAST_SIGMA);
  fl_geometry_team_count (e->options, &used, 1);
  return used;
}

guint64
fl_geometry_pair (FlGeometryEnsemble *e)
{
  for (guint i = 0; i < e->n; i++)
    pair_lattice (e, i);
  return set_widths (e);
}
