/* Spots of ice: on the rings, as many and as strong as asked for, drawn whole. */
#include <math.h>

#include "engine/base/units.h"
#include "engine/simulate/detector-layout.h"
#include "engine/simulate/ice.h"

#define SHOTS 400
#define MEAN  20.0

typedef struct
{
  const FlDetector *detector;
  double wavelength, photons, drawn;
  guint spots;
} Tally;

static void
take (const FlPatch *patch, gpointer data)
{
  static const double rings[] = { 3.90, 3.67, 3.44, 2.67, 2.25, 2.07, 1.95, 1.92, 1.88 };
  Tally *tally = data;
  double d = fl_resolution (fl_panel_position (&tally->detector->panels[patch->panel], patch->fs, patch->ss),
                            tally->wavelength);
  double nearest = INFINITY;
  for (guint i = 0; i < G_N_ELEMENTS (rings); i++)
    nearest = fmin (nearest, fabs (d - rings[i]));
  g_assert_cmpfloat (nearest, <, 1e-6);
  g_assert_cmpint (patch->fs0, >=, 0);
  g_assert_cmpint (patch->fs0 + patch->width, <=, (int) tally->detector->panels[patch->panel].n_fs);
  for (int i = 0; i < patch->width * patch->height; i++)
    tally->drawn += (double) patch->mean[i];
  tally->photons += patch->photons;
  tally->spots++;
}

static void
test_rings (void)
{
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (
      fl_params_set (params, "simulate.camera_length", "50", &error)); /* all rings on the detector */
  g_assert_true (fl_params_set (params, "simulate.detector", "eiger-4m", &error));
  g_autoptr (FlDetectorLayout) layout = fl_detector_layout_new (params, &error);
  g_assert_no_error (error);
  Tally tally = { .detector = layout->detector, .wavelength = fl_wavelength_from_energy (9300) };
  FlRandom random = fl_random (1);
  for (guint i = 0; i < SHOTS; i++)
    fl_ice_spots (layout->detector, tally.wavelength, MEAN, &random, take, &tally);
  double n = SHOTS * MEAN;
  g_assert_cmpfloat (fabs (tally.spots - n), <, 5 * sqrt (n));
  g_assert_cmpfloat (fabs (tally.photons / tally.spots - 150), <, 5 * 150 / sqrt (n));
  g_assert_cmpfloat (fabs (tally.drawn / tally.photons - 1), <, 0.02);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/simulate/ice/rings", test_rings);
  return g_test_run ();
}
