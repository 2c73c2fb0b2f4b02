/* Shots of single molecules: photons, kinds, jitters. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/simulate/spi.h"

static char *folder;

/* A small molecule, as a PDB file without a cell. */
static char *
write_molecule (const char *name, double stretch)
{
  char *path = g_build_filename (folder, name, NULL);
  FlRandom random = fl_random (5);
  g_autoptr (GString) text = g_string_new ("REMARK a molecule\n");
  for (int i = 0; i < 400; i++)
    {
      double x = 40 * fl_random_unit (&random), y = 25 * fl_random_unit (&random),
             z = 25 * fl_random_unit (&random);
      g_string_append_printf (text, "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00  0.00           C\n",
                              i + 1, i + 1, stretch * x, y, z);
    }
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
  return path;
}

/* With "name=value" … NULL on top of a detector of 41 × 41 pixels. */
static FlSpiSimulator *
make_by (char *const *sets, GError **error)
{
  static const char *const base[] = { "pixels=41", "pixel_size=0.9", "camera_length=133.6" };
  g_autofree char *path = write_molecule ("one.pdb", 1);
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *model = g_strconcat ("simulate_spi.model=", path, NULL);
  g_assert_true (fl_params_set_assignment (params, model, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (base); i++)
    {
      g_autofree char *text = g_strconcat ("simulate_spi.", base[i], NULL);
      g_assert_true (fl_params_set_assignment (params, text, NULL));
    }
  for (; *sets != NULL; sets++)
    {
      g_autofree char *text = g_strconcat ("simulate_spi.", *sets, NULL);
      g_autoptr (GError) local = NULL;
      fl_params_set_assignment (params, text, &local);
      g_assert_no_error (local);
    }
  return fl_spi_simulator_new (params, error);
}

static FlSpiSimulator *
make (const char *sets)
{
  g_auto (GStrv) list = g_strsplit (sets, " ", -1);
  g_autoptr (GError) error = NULL;
  FlSpiSimulator *simulator = make_by (list, &error);
  g_assert_no_error (error);
  return simulator;
}

/* The mean asked for, and Poisson about each shot's own. */
static void
test_photons (void)
{
  enum
  {
    SHOTS = 1000
  };
  g_autoptr (FlSpiSimulator) simulator = make ("photons=500");
  double sum = 0, chi2 = 0, expected = 0;
  for (guint i = 0; i < SHOTS; i++)
    {
      FlSpiShot shot;
      fl_spi_simulator_draw (simulator, i, &shot);
      g_assert_cmpint (shot.kind, ==, FL_SPI_SINGLE);
      sum += (double) shot.total;
      expected += shot.expected;
      chi2 += pow ((double) shot.total - shot.expected, 2) / shot.expected;
    }
  g_test_message ("mean %.2f photons, expected %.2f; χ² %.3f a shot", sum / SHOTS, expected / SHOTS,
                  chi2 / SHOTS);
  g_assert_cmpfloat (fabs (expected / SHOTS / 500 - 1), <, 0.05);
  g_assert_cmpfloat (fabs (sum - expected), <, 4 * sqrt (expected));
  g_assert_cmpfloat (fabs (chi2 / SHOTS - 1), <, 4 * sqrt (2.0 / SHOTS));
}

/* Gamma of k = 2: mean 1, variance 1/2; lognormal the same. */
static void
test_fluence (void)
{
  enum
  {
    SHOTS = 4000
  };
  static const char *const kinds[] = { "fluence=gamma pixels=9", "fluence=lognormal pixels=9" };
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autoptr (FlSpiSimulator) simulator = make (kinds[k]);
      double sum = 0, squares = 0;
      for (guint i = 0; i < SHOTS; i++)
        {
          FlSpiShot shot;
          fl_spi_simulator_draw (simulator, i, &shot);
          sum += shot.fluence / SHOTS;
          squares += shot.fluence * shot.fluence / SHOTS;
        }
      g_test_message ("%s: mean %.3f, variance %.3f", kinds[k], sum, squares - sum * sum);
      g_assert_cmpfloat (fabs (sum - 1), <, 0.06);
      g_assert_cmpfloat (fabs (squares - sum * sum - 0.5), <, 0.12);
    }
}

static void
test_kinds (void)
{
  enum
  {
    SHOTS = 3000
  };
  g_autofree char *other = write_molecule ("other.pdb", 1.5);
  g_autofree char *sets = g_strdup_printf ("pixels=9 model=%s/one.pdb,%s weights=3,1 blank_fraction=0.1 "
                                           "several_fraction=0.2 droplet_fraction=0.05 position_jitter=0.05",
                                           folder, other);
  g_autoptr (FlSpiSimulator) simulator = make (sets);
  double kinds[4] = { 0 }, second = 0, molecules = 0;
  for (guint i = 0; i < SHOTS; i++)
    {
      FlSpiShot shot;
      fl_spi_simulator_draw (simulator, i, &shot);
      kinds[shot.kind] += 1.0 / SHOTS;
      g_assert_cmpint (shot.n_particles > 1, ==, shot.kind == FL_SPI_SEVERAL);
      if (shot.kind == FL_SPI_BLANK)
        g_assert_cmpuint (shot.total, ==, 0);
      for (guint p = 0; p < shot.n_particles; p++, molecules++)
        second += shot.particles[p].model;
    }
  g_assert_cmpfloat (fabs (kinds[FL_SPI_BLANK] - 0.1), <, 0.025);
  g_assert_cmpfloat (fabs (kinds[FL_SPI_SEVERAL] - 0.2), <, 0.03);
  g_assert_cmpfloat (fabs (kinds[FL_SPI_DROPLET] - 0.05), <, 0.02);
  g_assert_cmpfloat (fabs (second / molecules - 0.25), <, 0.04);
}

/* Two molecules in one place with one orientation would be four times as bright; far apart they only add. */
static void
test_several_add (void)
{
  g_autoptr (FlSpiSimulator) simulator = make ("several_fraction=1 position_jitter=3 beam_size=1000");
  double sum = 0;
  guint molecules = 0;
  for (guint i = 0; i < 50; i++)
    {
      FlSpiShot shot;
      fl_spi_simulator_draw (simulator, i, &shot);
      sum += shot.expected;
      molecules += shot.n_particles;
    }
  g_test_message ("%.1f photons a molecule", sum / molecules);
  g_assert_cmpfloat (fabs (sum / molecules / 1000 - 1), <, 0.08);
}

/* Bad pixels stay dark, the cross and the stop are there, the background has its mean and its slope. */
static void
test_mask_and_background (void)
{
  g_autoptr (FlSpiSimulator) simulator =
      make ("blank_fraction=1 background=3 background_slope=0.5 gap=3 bad_fraction=0.1");
  const FlDetectorLayout *layout = fl_spi_simulator_layout (simulator);
  gsize n = layout->detector->n_pixels;
  guint good = 0;
  g_autofree float *mean = g_new (float, n);
  g_autofree double *photons = g_new0 (double, n);
  FlSpiShot shot;
  double sum = 0, chi2 = 0, low = 9, high = 0;
  fl_spi_simulator_expect (simulator, 0, &shot, mean);
  for (guint i = 0; i < 400; i++)
    {
      fl_spi_simulator_draw (simulator, i, &shot);
      for (gsize p = 0; p < n; p++)
        photons[p] += shot.photons[p];
    }
  for (gsize p = 0; p < n; p++)
    {
      g_assert_true (layout->detector->mask[p] == 0 || photons[p] == 0);
      if (layout->detector->mask[p])
        continue;
      good++;
      sum += mean[p];
      low = MIN (low, mean[p]);
      high = MAX (high, mean[p]);
      chi2 += pow (photons[p] - 400 * mean[p], 2) / (400 * mean[p]);
    }
  g_test_message ("%u good pixels, mean %.3f, %.2f to %.2f, χ² %.3f", good, sum / good, low, high,
                  chi2 / good);
  g_assert_cmpint (layout->state[20 * 41 + 3], ==, FL_PIXEL_GAP);
  g_assert_cmpfloat (fabs (sum / good - 3), <, 0.05);
  g_assert_cmpfloat (high / low, >, 2.4);
  g_assert_cmpfloat (fabs (chi2 / good - 1), <, 4 * sqrt (2.0 / good));
}

/* Off centre by as much as the truth says: the brightness-weighted middle moves with it. */
static void
test_centre (void)
{
  g_autoptr (FlSpiSimulator) simulator = make ("centre_jitter=2 beam_stop=0 photons=1e6");
  gsize n = fl_spi_simulator_layout (simulator)->detector->n_pixels;
  g_autofree float *mean = g_new (float, n);
  for (guint shots = 0; shots < 20; shots++)
    {
      FlSpiShot shot;
      fl_spi_simulator_expect (simulator, shots, &shot, mean);
      double sum = 0, x = 0, y = 0, most = 0;
      for (gsize p = 0; p < n; p++)
        most = MAX (most, mean[p]);
      for (gsize p = 0; p < n; p++)
        if (mean[p] > 0.3 * most)
          {
            sum += mean[p];
            x += mean[p] * ((double) (p % 41) - 20);
            y += mean[p] * ((double) (p / 41) - 20);
          }
      g_assert_cmpfloat (hypot (x / sum - shot.centre[0], y / sum - shot.centre[1]), <, 0.5);
    }
}

/* A spectrum washes out nothing of the total, and every pulse has its own energy. */
static void
test_spectrum (void)
{
  g_autoptr (FlSpiSimulator) simulator = make ("bandwidth=0.02 energy_jitter=0.001");
  double sum = 0, energy = 0, spread = 0;
  for (guint i = 0; i < 200; i++)
    {
      FlSpiShot shot;
      fl_spi_simulator_draw (simulator, i, &shot);
      sum += shot.expected / 200;
      energy += shot.energy / 200;
      spread += pow (shot.energy / 4600 - 1, 2) / 200;
    }
  g_test_message ("%.1f photons, %.1f eV ± %.2e", sum, energy, sqrt (spread));
  g_assert_cmpfloat (fabs (sum / 1000 - 1), <, 0.05);
  g_assert_cmpfloat (fabs (energy / 4600 - 1), <, 0.002);
  g_assert_cmpfloat (sqrt (spread), >, 0.001);
}

/* Counts stand for photons, whichever range reads them. */
static void
test_readout (void)
{
  static const char *const kinds[] = {
    "readout=counts gain=2 readout_noise=0.5 photons=1e6 beam_stop=0",
    "readout=auto-ranging gain=2 readout_noise=0.5 photons=1e6 beam_stop=0"
  };
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autoptr (FlSpiSimulator) simulator = make (kinds[k]);
      FlSpiShot shot;
      fl_spi_simulator_draw (simulator, 1, &shot);
      const gint16 *counts = (const gint16 *) (const void *) shot.pixels;
      guint bright = 0;
      for (gsize p = 0; p < fl_spi_simulator_layout (simulator)->detector->n_pixels; p++)
        {
          double truth = MIN (2.0 * shot.photons[p], 32767), kev = 4.6 * shot.photons[p];
          double noise = k == 0 || kev < 310 ? 0.5 : kev < 11700 ? 20 : 200;
          bright += kev > 330;
          g_assert_cmpfloat (fabs (counts[p] - truth), <, 1 + 6 * noise + (k == 0 ? 0 : 0.07 * truth));
        }
      g_assert_cmpuint (bright, >, 50);
    }
}

static void
check_refusal (const char *sets, const char *words)
{
  g_auto (GStrv) list = g_strsplit (sets, " ", -1);
  g_autoptr (GError) error = NULL;
  g_assert_null (make_by (list, &error));
  g_assert_nonnull (strstr (error->message, words));
  g_assert_null (strchr (error->message, '\n'));
}

static void
test_refusals (void)
{
  check_refusal ("model=/nowhere.pdb", "cannot be read");
  check_refusal ("weights=1,2", "another number");
  check_refusal ("weights=x", "not a list of numbers");
  check_refusal ("weights=0", "all 0");
  check_refusal ("blank_fraction=0.7 several_fraction=0.7", "above 1");
  check_refusal ("beam_stop=100", "no pixel");
}

/* The same whatever came before. */
static void
test_order (void)
{
  g_autoptr (FlSpiSimulator) simulator = make ("several_fraction=0.5 fluence=gamma");
  FlSpiShot first, again;
  fl_spi_simulator_draw (simulator, 17, &first);
  gsize bytes = 4 * fl_spi_simulator_layout (simulator)->detector->n_pixels;
  g_autofree guint32 *photons = g_malloc (bytes);
  memcpy (photons, first.photons, bytes);
  fl_spi_simulator_draw (simulator, 3, &again);
  g_assert_cmpint (memcmp (photons, again.photons, bytes), !=, 0);
  fl_spi_simulator_draw (simulator, 17, &again);
  g_assert_cmpint (memcmp (photons, again.photons, bytes), ==, 0);
  g_assert_cmpfloat (first.fluence, ==, again.fluence);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("fl-spi-XXXXXX", NULL);
  g_test_add_func ("/simulate/spi/photons", test_photons);
  g_test_add_func ("/simulate/spi/fluence", test_fluence);
  g_test_add_func ("/simulate/spi/kinds", test_kinds);
  g_test_add_func ("/simulate/spi/several-add", test_several_add);
  g_test_add_func ("/simulate/spi/mask-and-background", test_mask_and_background);
  g_test_add_func ("/simulate/spi/centre", test_centre);
  g_test_add_func ("/simulate/spi/spectrum", test_spectrum);
  g_test_add_func ("/simulate/spi/readout", test_readout);
  g_test_add_func ("/simulate/spi/refusals", test_refusals);
  g_test_add_func ("/simulate/spi/order", test_order);
  int status = g_test_run ();
  static const char *const names[] = { "one.pdb", "other.pdb" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_unlink (path);
    }
  g_rmdir (folder);
  g_free (folder);
  return status;
}
