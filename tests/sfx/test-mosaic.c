/* Mosaic model: closed forms, made-up excitation errors whose widths are known, crystals with side maxima. */
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/mosaic.h"
#include "engine/simulate/bragg-spots.h"
#include "tests/sfx/sets.h"

#define WAVELENGTH 1.3

static void
test_closed_forms (void)
{
  FlMosaic mosaic = { .domain_size = 2000, .mosaicity = 2e-3, .wavelength = WAVELENGTH };
  g_assert_cmpfloat (fabs (fl_mosaic_half_width (&mosaic, 0) - 5e-4), <, 1e-12);
  g_assert_cmpfloat (fabs (fl_mosaic_half_width (&mosaic, 0.4) - 9e-4), <, 1e-12);
  g_assert_cmpfloat (fabs (fl_mosaic_partiality (&mosaic, 0.4, 0) - 1), <, 1e-12);
  g_assert_cmpfloat (fabs (fl_mosaic_partiality (&mosaic, 0.4, 9e-4) - exp (-1.5)), <, 1e-12);
  g_assert_true (fl_mosaic_partiality (&mosaic, 0.4, 3e-4) == fl_mosaic_partiality (&mosaic, 0.4, -3e-4));
  g_assert_true (fl_mosaic_partiality (&mosaic, 0.4, 1) < 1e-300);
  /* A Gaussian of the variance of a top hat. */
  double sum = 0, square = 0, w = fl_mosaic_half_width (&mosaic, 0.3);
  for (double x = -5; x < 5; x += 1e-3)
    {
      double p = fl_mosaic_partiality (&mosaic, 0.3, x * w);
      sum += p;
      square += p * x * x;
    }
  g_assert_cmpfloat (fabs (square / sum - 1.0 / 3), <, 1e-6);
  /* The beam: a change of k by x moves the excitation error by −λq²/2 x k λ …; here from the definition. */
  FlMosaic beam = { .domain_size = INFINITY, .bandwidth = 1e-3, .wavelength = WAVELENGTH };
  double k = 1 / WAVELENGTH, q = 0.4, sine = q / (2 * k), h = 1e-6;
  FlVec3 on_sphere = fl_vec3 (q * sqrt (1 - sine * sine), 0, -q * sine);
  double moved = fl_vec3_norm (fl_vec3 (on_sphere.x, 0, on_sphere.z + k * (1 + h))) - k * (1 + h);
  g_assert_cmpfloat (fabs (fl_mosaic_half_width (&beam, q) / (sqrt (3) * 1e-3 * fabs (moved) / h) - 1), <,
                     1e-5);
  beam = (FlMosaic){ .domain_size = INFINITY, .divergence = 1e-3, .wavelength = WAVELENGTH };
  moved = fl_vec3_norm (fl_vec3 (on_sphere.x + k * sin (h), 0, on_sphere.z + k * cos (h))) - k;
  g_assert_cmpfloat (fabs (fl_mosaic_half_width (&beam, q) / (sqrt (3) * 0.25e-3 * fabs (moved) / h) - 1), <,
                     1e-5);
  /* Its bound, beyond 90° of 2θ too. */
  beam = (FlMosaic){
    .domain_size = 1e3, .mosaicity = 1e-4, .bandwidth = 1e-4, .divergence = 3e-3, .wavelength = 1
  };
  for (double most = 0.1; most < 2; most += 0.1)
    for (double below = 0; below <= most; below += 0.05)
      g_assert_cmpfloat (fl_mosaic_half_width (&beam, below), <=, fl_mosaic_most (&beam, most));
}

static FlDetector *
make_detector (void)
{
  FlDetector *detector = fl_detector_new (1, 0);
  FlPanel *panel = &detector->panels[0];
  panel->n_fs = panel->n_ss = 1600;
  panel->origin = fl_vec3 (-80, -80, 120);
  panel->fs = fl_vec3 (0.1, 0, 0);
  panel->ss = fl_vec3 (0, 0.1, 0);
  return detector;
}

typedef struct
{
  FlSpotRow spots[300];
  FlPair pairs[300];
  guint n;
} Crystal;

/* The likelihood's top hat with soft edges, over its greatest value. */
static double
soft_top_hat (double x)
{
  return (1 + cosh (10)) / (cosh (10) + cosh (10 * x));
}

/* Spots anywhere on the detector, their excitation errors drawn from P, from the beam's Gaussian on top of it and, a part of
 * `strays`, from anywhere in eight half-widths; intensities as of proteins, which fall with resolution. */
static Crystal
make_crystal (const FlShotGeometry *geometry, const FlMosaic *truth, guint n, double strays, FlRandom *random)
{
  Crystal crystal = { .n = n };
  FlMosaic own = *truth;
  own.bandwidth = own.divergence = 0;
  for (guint i = 0; i < n; i++)
    {
      FlSpotRow *spot = &crystal.spots[i];
      spot->fs = (float) (1600 * fl_random_unit (random));
      spot->ss = (float) (1600 * fl_random_unit (random));
      double q = fl_vec3_norm (fl_shot_geometry_q (geometry, 0, (double) spot->fs, (double) spot->ss)), e;
      spot->intensity = (float) (1000 * exp (-20 * q * q) * -log (1 - fl_random_unit (random)));
      double w = fl_mosaic_half_width (&own, q);
      do
        e = 3 * w * (2 * fl_random_unit (random) - 1);
      while (fl_random_unit (random) > soft_top_hat (e / w));
      e += 0.5 * WAVELENGTH * q * q * truth->bandwidth * fl_random_normal (random);
      if (fl_random_unit (random) < strays)
        e = 8 * w * (2 * fl_random_unit (random) - 1);
      crystal.pairs[i] = (FlPair){ 1, 1, 1, TRUE, (float) e };
    }
  return crystal;
}

enum
{
  CRYSTALS = 60
};

/* One pass without a prior, then two with what the last has found; the medians of the last. */
static FlMosaic
learn (const FlParams *params, const FlShotGeometry *geometry, const FlMosaic *truth, guint n, double strays,
       double *cpu)
{
  FlRandom random = fl_random (n);
  Crystal *crystals = g_new (Crystal, CRYSTALS);
  for (guint i = 0; i < CRYSTALS; i++)
    crystals[i] = make_crystal (geometry, truth, n, strays, &random);
  FlMosaic fits[CRYSTALS], middle;
  for (guint pass = 0; pass < 3; pass++)
    {
      double start = cpu_seconds ();
      for (guint i = 0; i < CRYSTALS; i++)
        fl_mosaic_fit (params, geometry, crystals[i].spots, crystals[i].pairs, n, pass > 0 ? &middle : NULL,
                       &fits[i]);
      *cpu = (cpu_seconds () - start) / CRYSTALS;
      middle = fl_mosaic_middle (fits, CRYSTALS);
    }
  g_free (crystals);
  return middle;
}

static void
test_populations (void)
{
  const struct
  {
    FlMosaic truth;
    double strays;
  } cases[] = {
    { { 2000, 2e-3, 0, 0, WAVELENGTH }, 0 },      { { 1000, 4e-3, 0, 0, WAVELENGTH }, 0.1 },
    { { 4000, 2e-3, 0, 0, WAVELENGTH }, 0.1 },    { { 10000, 3e-3, 0, 0, WAVELENGTH }, 0 },
    { { 3000, 1e-3, 0, 0, WAVELENGTH }, 0 },      { { 3000, 3e-3, 2e-3, 0, WAVELENGTH }, 0 },
    { { 2000, 3e-3, 5e-3, 0, WAVELENGTH }, 0.1 },
  };
  g_autoptr (FlDetector) detector = make_detector ();
  FlShotGeometry geometry = { detector, NULL, { 0, 0, 0 }, WAVELENGTH };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint n = 75; n <= 300; n *= 2)
      {
        const FlMosaic *truth = &cases[i].truth;
        g_autoptr (FlParams) params = fl_params_new ();
        g_autofree char *band = g_strdup_printf ("%.6f", 235.482 * truth->bandwidth);
        g_assert_true (fl_params_set (params, "beam.bandwidth", band, NULL));
        double cpu;
        FlMosaic found = learn (params, &geometry, truth, n, cases[i].strays, &cpu);
        double domain = found.domain_size / truth->domain_size,
               mosaicity = found.mosaicity / truth->mosaicity;
        double width = fl_mosaic_half_width (&found, 0.3) / fl_mosaic_half_width (truth, 0.3);
        g_test_message (
            "case %u, %u spots a crystal: domain size %.2f, mosaicity %.2f, half-width %.3f of the truth; "
            "%.3f ms a crystal",
            i, n, domain, mosaicity, width, 1e3 * cpu);
        g_assert_cmpfloat (fabs (width - 1), <, 0.1);
        if (n >= 150)
          {
            g_assert_cmpfloat (fabs (domain - 1), <, 0.3);
            g_assert_cmpfloat (fabs (mosaicity - 1), <, 0.2);
          }
      }
}

/* What the parameters fix is not fitted; no pairs: the prior. */
static void
test_fixed (void)
{
  g_autoptr (FlDetector) detector = make_detector ();
  FlShotGeometry geometry = { detector, NULL, { 0, 0, 0 }, WAVELENGTH };
  FlMosaic truth = { 2000, 2e-3, 0, 0, WAVELENGTH }, found;
  FlRandom random = fl_random (5);
  Crystal crystal = make_crystal (&geometry, &truth, 100, 0, &random);
  g_autoptr (FlParams) params = fl_params_new ();
  fl_mosaic_fit (params, &geometry, crystal.spots, crystal.pairs, 0, &truth, &found);
  g_assert_cmpfloat (fabs (found.domain_size - 2000), <, 1e-6);
  g_assert_cmpfloat (fabs (found.mosaicity - 2e-3), <, 1e-9);
  g_assert_cmpfloat (fabs (found.bandwidth - 0.002 / 2.35482), <, 1e-8);
  for (guint i = 0; i < crystal.n; i++)
    crystal.pairs[i].used = FALSE;
  fl_mosaic_fit (params, &geometry, crystal.spots, crystal.pairs, crystal.n, NULL, &found);
  g_assert_true (isfinite (found.domain_size) && found.domain_size > 0 && found.mosaicity > 0);
  g_assert_true (fl_params_set (params, "integration.domain_size", "1234", NULL));
  g_assert_true (fl_params_set (params, "integration.mosaicity", "0.1", NULL));
  crystal = make_crystal (&geometry, &truth, 100, 0, &random);
  fl_mosaic_fit (params, &geometry, crystal.spots, crystal.pairs, crystal.n, NULL, &found);
  g_assert_cmpfloat (fabs (found.domain_size - 1234), <, 1e-6);
  g_assert_cmpfloat (fabs (fl_degrees (found.mosaicity) - 0.1), <, 1e-9);
  /* All on the sphere, and nothing to tell intensities by. */
  g_autoptr (FlParams) free_again = fl_params_new ();
  for (guint i = 0; i < crystal.n; i++)
    {
      crystal.pairs[i].excitation = 0;
      crystal.spots[i].intensity = i % 2 ? 0 : -5;
    }
  fl_mosaic_fit (free_again, &geometry, crystal.spots, crystal.pairs, crystal.n, NULL, &found);
  g_assert_true (isfinite (found.domain_size) && found.domain_size > 2000 && found.mosaicity > 0);
}

/* Crystals of 300–600 nm with all their side maxima, at three exposures, from another program: the half-width tells their
 * size and not how bright they are, and what was learned steadies it. */
static void
test_side_maxima (void)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  Set *set = set_open ("crystfel-sim/lyso-agipd1m");
  g_autoptr (FlParams) params = fl_params_new ();
  FlShotGeometry geometry = set_geometry (set);
  const char *const kinds[] = { "weak", "medium", "strong" };
  guint n = set->frames->len;
  g_autofree FlMosaic *fits = g_new (FlMosaic, n);
  g_autofree double *widths = g_new (double, n), *of_kind = g_new (double, n);
  FlMosaic middle;
  for (guint pass = 0; pass < 2; pass++)
    {
      double cpu = 0, kind_middle[3], start;
      for (guint i = 0; i < n; i++)
        {
          const SetFrame *frame = &g_array_index (set->frames, SetFrame, i);
          FlRefined refined = { .star = frame->star };
          g_autofree FlPair *pairs = g_new (FlPair, frame->n_spots);
          g_assert_true (fl_refine (params, &geometry, frame->spots, frame->n_spots, &set->known, &refined,
                                    pairs, NULL));
          start = cpu_seconds ();
          fl_mosaic_fit (params, &geometry, frame->spots, pairs, frame->n_spots, pass > 0 ? &middle : NULL,
                         &fits[i]);
          cpu += cpu_seconds () - start;
          widths[i] = fl_mosaic_half_width (&fits[i], 0.2);
        }
      for (guint k = 0; k < 3; k++)
        {
          guint m = 0;
          for (guint i = 0; i < n; i++)
            if (g_strcmp0 (g_array_index (set->frames, SetFrame, i).kind, kinds[k]) == 0)
              of_kind[m++] = widths[i];
          kind_middle[k] = median (of_kind, m);
        }
      middle = fl_mosaic_middle (fits, n);
      double low = percentile (widths, n, 0.05), high = percentile (widths, n, 0.95);
      g_test_message (
          "%s: half-width at 5 A: 5 %% %.2e, median %.2e, 95 %% %.2e 1/A; weak %.2e, medium %.2e, strong "
          "%.2e; domain size %.0f A, mosaicity %.4f deg; %.3f ms a crystal",
          pass == 0 ? "alone" : "with what was learned", low, median (widths, n), high, kind_middle[0],
          kind_middle[1], kind_middle[2], middle.domain_size, fl_degrees (middle.mosaicity), 1e3 * cpu / n);
      g_assert_cmpfloat (high / low, <, pass == 0 ? 3.3 : 2.8);
      g_assert_cmpfloat (kind_middle[2] / kind_middle[0], <, 1.6);
      g_assert_cmpfloat (middle.domain_size, >, 3000);
      g_assert_cmpfloat (middle.domain_size, <, 6500);
    }
  set_free (set);
}

typedef struct
{
  GArray *spots; /* of FlSpotRow */
  double least;  /* photons of a spot that is seen */
  FlRandom random;
  const FlIntensities *intensities;
  FlMat3 star;
  GArray *all; /* of Recorded, the faint ones too */
} Seen;

typedef struct
{
  double q, excitation, photons, squared; /* 1/Å; |F|² */
} Recorded;

static void
see (const FlPatch *patch, gpointer data)
{
  Seen *seen = data;
  FlMat3 transposed = fl_mat3_transpose (&seen->star);
  FlVec3 q = fl_mat3_apply (&transposed, fl_vec3 (patch->h, patch->k, patch->l));
  Recorded recorded = { fl_vec3_norm (q), 0, patch->photons,
                        (double) fl_intensities_get (seen->intensities, patch->h, patch->k, patch->l) };
  recorded.excitation = fl_vec3_norm (fl_vec3 (q.x, q.y, q.z + 1 / WAVELENGTH)) - 1 / WAVELENGTH;
  g_array_append_val (seen->all, recorded);
  if (patch->photons < seen->least)
    return;
  FlSpotRow spot = { .panel = (guint16) patch->panel, .intensity = (float) patch->photons };
  double fs = 0, ss = 0, sigma = 1 / sqrt (patch->photons);
  for (int i = 0; i < patch->width * patch->height; i++)
    {
      fs += (double) patch->mean[i] * (patch->fs0 + i % patch->width + 0.5) / patch->photons;
      ss += (double) patch->mean[i] * (patch->ss0 + i / patch->width + 0.5) / patch->photons;
    }
  spot.fs = (float) (fs + sigma * fl_random_normal (&seen->random));
  spot.ss = (float) (ss + sigma * fl_random_normal (&seen->random));
  spot.var_fs = spot.var_ss = (float) (sigma * sigma);
  g_array_append_val (seen->spots, spot);
}

enum
{
  BINS = 6 /* of a quarter of the half-width */
};

/* Sums of photons, of partiality · |F|² and of |F|², by excitation error. */
static void
add_recorded (const GArray *all, const FlMosaic *fit, double sums[BINS][3])
{
  for (guint i = 0; i < all->len; i++)
    {
      const Recorded *r = &g_array_index (all, Recorded, i);
      guint bin = (guint) (4 * fabs (r->excitation) / fl_mosaic_half_width (fit, r->q));
      if (bin >= BINS || r->q < 0.15)
        continue;
      sums[bin][0] += r->photons;
      sums[bin][1] += fl_mosaic_partiality (fit, r->q, r->excitation) * r->squared;
      sums[bin][2] += r->squared;
    }
}

/* Our simulator's Gaussian crystals, refined first: the half-width is that of the top hat of the same variance, at all
 * exposures, and the partiality is what was recorded of |F|². */
static void
test_simulated (void)
{
  const struct
  {
    double domain, mosaic, fluence; /* Å; rad, standard deviation */
  } cases[] = { { 1500, 0, 1 },      { 1500, 0, 8 },       { 800, 3e-4, 2 },
                { 4000, 1.2e-3, 2 }, { 4000, 1.2e-3, 16 }, { 2000, 6e-4, 4 } };
  FlKnownCell known = { .type = FL_LATTICE_TETRAGONAL, .centring = 'P' };
  g_assert_true (fl_cell_from_degrees ((double[6]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &known.cell, NULL));
  g_autoptr (FlIntensities) intensities = fl_intensities_new (&known.cell, 2, NULL);
  FlRandom random = fl_random (9);
  const int *m = intensities->limits;
  FlMat3 metric = fl_cell_reciprocal_metric (&known.cell);
  for (int h = -m[0]; h <= m[0]; h++)
    for (int k = -m[1]; k <= m[1]; k++)
      for (int l = -m[2]; l <= m[2]; l++)
        *fl_intensities_at (intensities, h, k, l) =
            (float) (-2e5 * log (1 - fl_random_unit (&random))
                     * exp (-10 * fl_inverse_d_squared (&metric, h, k, l)));
  g_autoptr (FlDetector) detector = make_detector ();
  detector->panels[0].pixel_size = 0.1;
  FlShotGeometry geometry = { detector, NULL, { 0, 0, 0 }, WAVELENGTH };
  FlBraggModel model = { .detector = detector, .intensities = intensities, .wavelength = WAVELENGTH };
  model.spectrum = fl_spectrum_gaussian (0.002, 1);
  model.polarisation = FL_POLARISATION_NONE;
  g_autoptr (FlParams) params = fl_params_new ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FlMosaic fits[CRYSTALS];
      double n_spots = 0, recorded[BINS][3] = { 0 };
      for (guint j = 0; j < CRYSTALS; j++)
        {
          FlMat3 star = fl_cell_reciprocal (&known.cell);
          FlVec3 axis =
              fl_vec3 (fl_random_normal (&random), fl_random_normal (&random), fl_random_normal (&random));
          FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (axis), 6 * fl_random_unit (&random));
          FlCrystal crystal = { .shape = FL_SHAPE_GAUSSIAN,
                                .domain = cases[i].domain,
                                .mosaic = cases[i].mosaic };
          crystal.a_star = fl_mat3_multiply (&star, &rotation);
          crystal.n_cells = 1e6;
          crystal.fluence = 1e4 * cases[i].fluence;
          Seen seen = {
            g_array_new (FALSE, FALSE, sizeof (FlSpotRow)), 40, random, intensities, crystal.a_star,
            g_array_new (FALSE, FALSE, sizeof (Recorded))
          };
          fl_bragg_spots (&model, &crystal, see, &seen);
          const FlSpotRow *spots = (const FlSpotRow *) (void *) seen.spots->data;
          FlRefined refined = { .star = crystal.a_star };
          g_autofree FlPair *pairs = g_new (FlPair, seen.spots->len + 1);
          g_assert_true (
              fl_refine (params, &geometry, spots, seen.spots->len, &known, &refined, pairs, NULL));
          fl_mosaic_fit (params, &geometry, spots, pairs, seen.spots->len, NULL, &fits[j]);
          n_spots += refined.n_pairs / (double) CRYSTALS;
          random = seen.random;
          add_recorded (seen.all, &fits[j], recorded);
          g_array_free (seen.all, TRUE);
          g_array_free (seen.spots, TRUE);
        }
      double off[2];
      for (guint k = 0; k < 2; k++)
        {
          double q = k == 0 ? 0.2 : 0.4, sine = q * WAVELENGTH / 2, values[CRYSTALS];
          double size = 0.398942 / cases[i].domain, turn = q * cases[i].mosaic, band = q * 0.002 / 2.35482;
          double variance = size * size + turn * turn * (1 - sine * sine) + band * band * sine * sine;
          for (guint j = 0; j < CRYSTALS; j++)
            values[j] = fl_mosaic_half_width (&fits[j], q) / sqrt (3 * variance);
          off[k] = median (values, CRYSTALS);
        }
      g_test_message (
          "domain size %.0f A, mosaicity %.4f deg, fluence %.0f: %.0f pairs; half-width at 5 A %.2f, at "
          "2.5 A %.2f of the truth",
          cases[i].domain, fl_degrees (cases[i].mosaic), cases[i].fluence, n_spots, off[0], off[1]);
      double whole = recorded[0][0] / recorded[0][1]; /* photons of |F|² = 1 at a partiality of 1 */
      for (guint bin = 0; bin < BINS; bin++)
        {
          double part = recorded[bin][0] / recorded[bin][2] / whole,
                 partiality = recorded[bin][1] / recorded[bin][2];
          g_test_message ("  at %.2f to %.2f half-widths: recorded %.3f, partiality %.3f", 0.25 * bin,
                          0.25 * (bin + 1), part, partiality);
          g_assert_cmpfloat (fabs (part - partiality), <, 0.06);
        }
      g_assert_cmpfloat (fabs (off[0] - 1), <, 0.2);
      g_assert_cmpfloat (fabs (off[1] - 1), <, 0.2);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mosaic/closed-forms", test_closed_forms);
  g_test_add_func ("/mosaic/populations", test_populations);
  g_test_add_func ("/mosaic/fixed", test_fixed);
  g_test_add_func ("/mosaic/simulated", test_simulated);
  g_test_add_func ("/mosaic/side-maxima", test_side_maxima);
  return g_test_run ();
}
