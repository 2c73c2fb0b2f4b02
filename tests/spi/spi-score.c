/* spi-score: what `reconstruct` has made against what was simulated. For tests and studies; one line of JSON.
 *
 *   spi-score --model A.pdb [--model B.pdb] --density a.mrc [--density b.mrc] [--autocorrelation a.mrc [--like b.mrc]] [--resolution 24]
 *             [--diameter 160] [--low 0.002] [--truth truth.h5 --orientations orientations.h5 --group D7 --spacing 5]
 *
 * Densities are laid upon the dry model's (up to --resolution Å; rotation, shift, hand), autocorrelations upon its own
 * (rotation): the model that fits best is named. FSC thresholds in Å. Orientations: degrees, each estimated conformation in a
 * gauge of its own, over patterns of one particle each. --like: an autocorrelation of the same grid, that the others are laid
 * upon as well. */
#include <hdf5.h>
#include <math.h>
#include <string.h>

#include "engine/crystal/ccp4-map.h"
#include "engine/spi/alignment.h"
#include "engine/spi/fsc.h"
#include "tests/spi/model-truth.h"
#include "tests/spi/orientation-score.h"

#define MOST_CONFORMATIONS 6

static char **models, **densities, **autocorrelations, *like_path, *truth_path, *orientations_path,
    *group_name = (char *) "C1";
static double resolution, diameter, s_low, spacing = 5;

static const GOptionEntry options[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME_ARRAY, &models, "atoms", "PDB" },
  { "density", 'd', 0, G_OPTION_ARG_FILENAME_ARRAY, &densities, "density", "MRC" },
  { "autocorrelation", 'a', 0, G_OPTION_ARG_FILENAME_ARRAY, &autocorrelations, "autocorrelation", "MRC" },
  { "like", 'L', 0, G_OPTION_ARG_FILENAME, &like_path, "autocorrelation to compare with", "MRC" },
  { "resolution", 'r', 0, G_OPTION_ARG_DOUBLE, &resolution, "of the patterns' edge", "Å" },
  { "diameter", 'D', 0, G_OPTION_ARG_DOUBLE, &diameter, "of the particle", "Å" },
  { "low", 'l', 0, G_OPTION_ARG_DOUBLE, &s_low, "|s| that compare from", "1/Å" },
  { "truth", 't', 0, G_OPTION_ARG_FILENAME, &truth_path, "of simulate-spi", "HDF5" },
  { "orientations", 'o', 0, G_OPTION_ARG_FILENAME, &orientations_path, "of reconstruct", "HDF5" },
  { "group", 'g', 0, G_OPTION_ARG_STRING, &group_name, "of the particle", "D7" },
  { "spacing", 's', 0, G_OPTION_ARG_DOUBLE, &spacing, "of the grid of orientations", "DEGREES" },
  { 0 }
};

G_NORETURN static void
fail (const char *path, const char *what)
{
  g_printerr ("%s: %s\n", path, what);
  exit (2);
}

static FlVolume *
read_volume (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlMap) map = fl_map_read (path, &error);
  if (map == NULL)
    fail (path, error->message);
  if (map->n[0] != map->n[1] || map->n[0] != map->n[2] || map->n[0] % 2 == 0)
    fail (path, "not M³ voxels with M odd");
  FlVolume *volume = fl_volume_new ((guint) map->n[0], map->cell.a / map->sampling[0]);
  memcpy (volume->data, map->data, fl_volume_points (volume) * sizeof *volume->data);
  return volume;
}

/* --- maps --- */

typedef struct
{
  FlFscCrossing half, seventh; /* FSC 0.5 and 0.143 */
  double correlation, mean;    /* where they were aligned; mean FSC to the edge */
  gboolean hand;
} MapScore;

static FlAlignmentRange
range_of (double voxel, const FlModel *model)
{
  double edge = resolution > 0 ? fmin (1 / resolution, 1 / (2 * voxel)) : 1 / (2 * voxel);
  return (FlAlignmentRange){ s_low, edge, diameter > 0 ? diameter : model_truth_diameter (model) };
}

static MapScore
score_map (const FlVolume *volume, const FlModel *model, gboolean autocorrelation)
{
  FlAlignmentRange range = range_of (volume->voxel, model);
  g_autoptr (FlVolume) truth =
      autocorrelation ? model_truth_autocorrelation (model, volume->m, volume->voxel, 0, range.s_high, 0, 0)
                      : model_truth_density (model, volume->m, volume->voxel, range.s_high);
  g_autoptr (FlVolume) moved = fl_volume_new (volume->m, volume->voxel);
  g_autoptr (GError) error = NULL;
  FlAlignment found;
  g_autoptr (FlResampler) resampler = fl_resampler_new (volume, &error);
  if (resampler == NULL
      || !(autocorrelation ? fl_align_autocorrelations : fl_align_densities) (truth, volume, &range, &found,
                                                                              &error))
    fail ("alignment", error->message);
  fl_resampler_move (resampler, &found.motion, moved);
  g_autoptr (FlFsc) fsc =
      fl_fsc_new (truth, moved, autocorrelation ? FL_FSC_INTENSITY : FL_FSC_DENSITY, range.diameter, &error);
  if (fsc == NULL)
    fail ("FSC", error->message);
  MapScore score = { .correlation = found.correlation, .hand = found.motion.hand };
  fsc->n = MIN (fsc->n, (guint) (range.s_high / fsc->step + 0.5) + 1);
  score.half = fl_fsc_crossing (fsc, 0.5, s_low);
  score.seventh = fl_fsc_crossing (fsc, 0.143, s_low);
  guint first = MAX ((guint) ceil (s_low / fsc->step), 1);
  for (guint i = first; i < fsc->n; i++)
    score.mean += fsc->value[i] / (fsc->n - first);
  return score;
}

static void
print_maps (GString *out, char **paths, FlModel **molecules, gboolean autocorrelation)
{
  for (guint i = 0; paths != NULL && paths[i] != NULL; i++)
    {
      g_autoptr (FlVolume) volume = read_volume (paths[i]);
      MapScore best = { .mean = -2 };
      guint at = 0;
      for (guint k = 0; models[k] != NULL; k++)
        {
          MapScore score = score_map (volume, molecules[k], autocorrelation);
          if (score.mean > best.mean)
            {
              best = score;
              at = k;
            }
        }
      g_string_append_printf (
          out,
          "%s{\"map\": \"%s\", \"model\": \"%s\", \"fsc_0.5\": %.3f, \"crossed_0.5\": %s, "
          "\"fsc_0.143\": %.3f, \"crossed_0.143\": %s, \"mean_fsc\": %.4f, "
          "\"correlation\": %.4f, \"mirrored\": %s}",
          out->str[out->len - 1] == '[' ? "" : ", ", paths[i], models[at], 1 / best.half.s,
          best.half.crossed ? "true" : "false", 1 / best.seventh.s, best.seventh.crossed ? "true" : "false",
          best.mean, best.correlation, best.hand ? "true" : "false");
    }
}

/* Correlations with the one that they are to be like. */
static void
print_likeness (GString *out, const FlModel *model)
{
  g_autoptr (FlVolume) like = read_volume (like_path);
  FlAlignmentRange range = range_of (like->voxel, model);
  g_string_append (out, ", \"likeness\": [");
  for (guint i = 0; autocorrelations != NULL && autocorrelations[i] != NULL; i++)
    {
      g_autoptr (FlVolume) volume = read_volume (autocorrelations[i]);
      g_autoptr (GError) error = NULL;
      FlAlignment found;
      if (volume->m != like->m || fabs (volume->voxel / like->voxel - 1) > 1e-5)
        fail (autocorrelations[i], "not of the grid that it is compared on");
      volume->voxel = like->voxel; /* rounded in the file */
      if (!fl_align_autocorrelations (like, volume, &range, &found, &error))
        fail ("alignment", error->message);
      g_string_append_printf (out, "%s%.5f", i > 0 ? ", " : "", found.correlation);
    }
  g_string_append (out, "]");
}

/* --- orientations --- */

/* A data set as doubles; `n` of them, or as many as there are. */
static double *
read_doubles (hid_t file, const char *path, const char *name, gsize *n)
{
  hid_t set = H5Dopen2 (file, name, H5P_DEFAULT), space = set >= 0 ? H5Dget_space (set) : -1;
  hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints (space) : -1;
  if (count < 0)
    fail (path, name);
  double *values = g_new (double, count + 1);
  if (H5Dread (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    fail (path, name);
  H5Sclose (space);
  H5Dclose (set);
  *n = (gsize) count;
  return values;
}

typedef struct
{
  guint n;
  FlQuat *truth, *estimate;
  guint *true_class, *class;
} Pairs;

static FlQuat
quat_at (const double *values, gsize i)
{
  return (FlQuat){ values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3] };
}

static Pairs
read_pairs (void)
{
  gsize n_true, n, n_kind, n_class, n_label, n_row;
  hid_t file = H5Fopen (truth_path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0)
    fail (truth_path, "cannot be opened");
  g_autofree double *truth = read_doubles (file, truth_path, "orientations", &n_true),
                    *kind = read_doubles (file, truth_path, "n_particles", &n_kind),
                    *class = read_doubles (file, truth_path, "conformation", &n_class);
  H5Fclose (file);
  file = H5Fopen (orientations_path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0)
    fail (orientations_path, "cannot be opened");
  g_autofree double *estimate = read_doubles (file, orientations_path, "orientations", &n),
                    *label = read_doubles (file, orientations_path, "conformation", &n_label),
                    *row = read_doubles (file, orientations_path, "row", &n_row);
  H5Fclose (file);
  n /= 4;
  if (n_kind != n_true / 4 || n_class != n_kind || n_label != n || n_row != n)
    fail (orientations_path, "columns of different lengths");
  Pairs pairs = { 0, g_new (FlQuat, n), g_new (FlQuat, n), g_new (guint, n), g_new (guint, n) };
  for (gsize i = 0; i < n; i++)
    {
      gsize k = (gsize) row[i];
      if (k >= n_kind)
        fail (orientations_path, "a row that the truth does not have");
      if (kind[k] != 1)
        continue;
      pairs.truth[pairs.n] = quat_at (truth, k);
      pairs.estimate[pairs.n] = quat_at (estimate, i);
      pairs.true_class[pairs.n] = (guint) CLAMP (class[k], 0, MOST_CONFORMATIONS - 1);
      pairs.class[pairs.n++] = (guint) CLAMP (label[i], 0, MOST_CONFORMATIONS - 1);
    }
  return pairs;
}

/* The most patterns that can be right: `used` labels have been given to classes below `class`. */
static guint
best_permutation (guint counts[MOST_CONFORMATIONS][MOST_CONFORMATIONS], guint class, guint used)
{
  guint best = 0;
  for (guint label = 0; label < MOST_CONFORMATIONS && class < MOST_CONFORMATIONS; label++)
    if ((used >> label & 1) == 0)
      best = MAX (best, counts[class][label] + best_permutation (counts, class + 1, used | 1u << label));
  return best;
}

static void
print_orientations (GString *out, const FlModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlPointGroup) group = fl_point_group_new (group_name, &error);
  if (group == NULL)
    fail ("--group", error->message);
  double voxel = resolution > 0 ? 0.48 * resolution : 5, correlation = 1;
  FlAlignmentRange range = range_of (voxel, model);
  FlQuat frame = { 1, 0, 0, 0 };
  g_autoptr (FlVolume) a = model_truth_autocorrelation (model, (guint) (2.3 * range.diameter / voxel) | 1,
                                                        voxel, 0, range.s_high, 0, 0);
  if (group->n > 1 && !fl_point_group_find (group, a, &range, &frame, &correlation, &error))
    fail ("--group", error->message);
  Pairs pairs = read_pairs ();
  guint counts[MOST_CONFORMATIONS][MOST_CONFORMATIONS] = { 0 };
  double total = 0, direct = 0, within = 0, partner = 0;
  for (guint label = 0; label < MOST_CONFORMATIONS; label++)
    {
      guint n = 0;
      g_autofree FlQuat *truth = g_new (FlQuat, pairs.n + 1), *estimate = g_new (FlQuat, pairs.n + 1);
      for (guint i = 0; i < pairs.n; i++)
        if (pairs.class[i] == label)
          {
            truth[n] = pairs.truth[i];
            estimate[n++] = pairs.estimate[i];
            counts[pairs.true_class[i]][label]++;
          }
      if (n == 0)
        continue;
      OrientationScore score = orientation_score (group, frame, truth, estimate, n, spacing * G_PI / 180);
      double share = (double) n / pairs.n, degrees = 180 / G_PI;
      total += share * score.median * degrees;
      direct += share * score.median_direct * degrees;
      within += share * score.within;
      partner += share * score.partner;
    }
  g_string_append_printf (out,
                          ", \"patterns\": %u, \"group\": \"%s\", \"group_correlation\": %.3f, "
                          "\"orientation_median\": %.3f, \"orientation_median_direct\": %.3f, "
                          "\"within_spacing\": %.4f, \"beam_partner\": %.4f, \"classification\": %.4f",
                          pairs.n, group_name, correlation, total, direct, within, partner,
                          best_permutation (counts, 0, 0) / (double) MAX (pairs.n, 1));
  g_free (pairs.truth);
  g_free (pairs.estimate);
  g_free (pairs.true_class);
  g_free (pairs.class);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fail ("spi-score", error->message);
  if (models == NULL || (truth_path == NULL) != (orientations_path == NULL))
    fail ("spi-score", "expected --model, and --truth with --orientations");
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
  guint n = g_strv_length (models);
  FlModel **molecules = g_new0 (FlModel *, n);
  for (guint k = 0; k < n; k++)
    if ((molecules[k] = model_truth_read (models[k])) == NULL)
      return 2;
  g_autoptr (GString) out = g_string_new ("{\"densities\": [");
  print_maps (out, densities, molecules, FALSE);
  g_string_append (out, "], \"autocorrelations\": [");
  print_maps (out, autocorrelations, molecules, TRUE);
  g_string_append (out, "]");
  if (like_path != NULL)
    print_likeness (out, molecules[0]);
  if (truth_path != NULL)
    print_orientations (out, molecules[0]);
  g_print ("%s}\n", out->str);
  for (guint k = 0; k < n; k++)
    fl_model_free (molecules[k]);
  g_free (molecules);
  return 0;
}
