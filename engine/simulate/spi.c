#include "engine/simulate/spi.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/mmcif.h"
#include "engine/simulate/sfx.h"
#include "engine/simulate/spi-private.h"

#define MEAN_ORIENTATIONS 100
#define MEAN_PIXELS       20000 /* enough for the mean number of photons */
#define MOST_SIGMA        3.0
#define MARGIN            1e-6

/* --- making --- */

static gboolean
wrong (GError **error, const char *text)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s", text);
  return FALSE;
}

static gboolean
read_numbers (FlSpiSimulator *s, const FlParams *params, GError **error)
{
  s->seed = (guint64) fl_params_int (params, "simulate_spi.seed");
  s->energy = fl_params_real (params, "simulate_spi.photon_energy");
  s->energy_jitter = fl_params_real (params, "simulate_spi.energy_jitter");
  s->polarisation = (FlPolarisation) fl_params_choice (params, "simulate_spi.polarisation");
  s->fluence = (FlFluence) fl_params_choice (params, "simulate_spi.fluence");
  s->fluence_spread = fl_params_real (params, "simulate_spi.fluence_spread");
  s->readout = (FlReadout) fl_params_choice (params, "simulate_spi.readout");
  s->centre_jitter = fl_params_real (params, "simulate_spi.centre_jitter");
  s->background = fl_params_real (params, "simulate_spi.background");
  s->background_slope = fl_params_real (params, "simulate_spi.background_slope");
  s->background_jitter = fl_params_real (params, "simulate_spi.background_jitter");
  s->blanks = fl_params_real (params, "simulate_spi.blank_fraction");
  s->several = fl_params_real (params, "simulate_spi.several_fraction");
  s->droplets = fl_params_real (params, "simulate_spi.droplet_fraction");
  s->droplet_size = fl_params_real (params, "simulate_spi.droplet_size");
  s->water = fl_params_real (params, "simulate_spi.hydration_density");
  s->position_jitter = 1e4 * fl_params_real (params, "simulate_spi.position_jitter");
  s->beam_sigma = 1e4 * fl_params_real (params, "simulate_spi.beam_size") / (2 * sqrt (2 * log (2)));
  double bandwidth = fl_params_real (params, "simulate_spi.bandwidth");
  s->spectrum = fl_spectrum_gaussian (
      bandwidth, bandwidth > 0 ? (guint) fl_params_int (params, "simulate_spi.spectrum_samples") : 1);
  FlRandom random = fl_random (fl_hash64 ("slope", 5, s->seed));
  double angle = 2 * FL_PI * fl_random_unit (&random);
  s->slope[0] = cos (angle);
  s->slope[1] = sin (angle);
  return s->blanks + s->several + s->droplets <= 1 + 1e-9
         || wrong (error,
                   "simulate_spi.blank_fraction, several_fraction and droplet_fraction together are above 1, "
                   "expected less");
}

static void
list_pixels (FlSpiSimulator *s)
{
  const FlDetectorLayout *layout = s->layout;
  gsize n = layout->detector->n_pixels;
  s->good = g_new (guint32, n);
  s->panel = g_new (guint8, n);
  s->place = g_new (FlVec3, n);
  for (guint p = 0; p < layout->detector->n_panels; p++)
    {
      const FlPanel *panel = &layout->detector->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize i = panel->offset + ss * panel->stride + fs;
            if (layout->state[i] != FL_PIXEL_GOOD)
              continue;
            s->good[s->n_good] = (guint32) i;
            s->panel[s->n_good] = (guint8) p;
            s->place[s->n_good++] = fl_panel_position (panel, fs + 0.5, ss + 0.5);
          }
    }
  s->s = g_new (FlVec3, s->n_good);
  s->factor = g_new (double, s->n_good);
  s->mean = g_new0 (float, s->n_good);
  for (guint a = 0; a < FL_SPI_PARTICLES; a++)
    s->f[a] = g_new (float complex, s->n_good);
  s->photons = g_new0 (guint32, n);
  s->pixels = g_malloc0 (n * fl_pixel_size (layout->type));
}

/* The largest |s| (Å⁻¹) that a good pixel can have, jitters and all. */
static double
most_s (const FlSpiSimulator *s, double shift, double energy)
{
  double sine = 0;
  for (gsize i = 0; i < s->n_good; i++)
    {
      FlVec3 r = s->place[i];
      sine = MAX (sine, sin (atan2 (hypot (r.x, r.y) + shift, r.z) / 2));
    }
  return 2 * sine * energy / FL_EV_ANGSTROM;
}

static gboolean
read_models (FlSpiSimulator *s, const FlParams *params, GError **error)
{
  g_auto (GStrv) paths = g_strsplit (fl_params_text (params, "simulate_spi.model"), ",", -1);
  FlHydration hydration = { fl_params_real (params, "simulate_spi.hydration"), s->water };
  double shift = MOST_SIGMA * M_SQRT2 * s->centre_jitter * s->layout->detector->panels[0].pixel_size,
         widest = 1;
  for (guint i = 0; i < s->spectrum.n; i++)
    widest = MAX (widest, s->spectrum.energy[i]);
  double corner = most_s (s, shift, s->energy * (1 + MOST_SIGMA * s->energy_jitter) * widest) * (1 + MARGIN);
  guint n = g_strv_length (paths);
  if (n == 0)
    return wrong (error, "simulate_spi.model is empty, expected a PDB or mmCIF file");
  s->models = g_new0 (FlSpiParticle *, n);
  for (; s->n_models < n; s->n_models++)
    {
      g_autoptr (FlModel) model = fl_model_read_atoms (g_strstrip (paths[s->n_models]), error);
      if (model == NULL)
        return FALSE;
      s->models[s->n_models] = fl_spi_particle_new (model, hydration, corner, error);
      if (s->models[s->n_models] == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_weights (FlSpiSimulator *s, const FlParams *params, GError **error)
{
  const char *text = fl_params_text (params, "simulate_spi.weights");
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  double sum = 0;
  s->weights = g_new (double, s->n_models);
  if (*text != '\0' && g_strv_length (words) != s->n_models)
    return wrong (error,
                  "simulate_spi.weights has another number of values than simulate_spi.model has files");
  for (guint i = 0; i < s->n_models; i++)
    {
      char *end = NULL;
      s->weights[i] = *text != '\0' ? g_ascii_strtod (words[i], &end) : 1;
      if (!(s->weights[i] >= 0 && s->weights[i] < 1e9)
          || (end != NULL && (end == words[i] || *g_strchug (end) != '\0')))
        return wrong (error, "simulate_spi.weights is not a list of numbers, expected such as 0.8,0.2");
      sum += s->weights[i];
    }
  if (sum <= 0)
    return wrong (error, "simulate_spi.weights are all 0, expected at least one above");
  for (guint i = 0; i < s->n_models; i++)
    s->weights[i] /= sum;
  return TRUE;
}

/* Mean over orientations and models of Σ factor · |F|² over good pixels. */
static double
mean_scattering (FlSpiSimulator *s)
{
  gsize step = s->n_good / MEAN_PIXELS + 1, n = 0;
  double k = s->energy / FL_EV_ANGSTROM, sum = 0;
  FlRandom random = fl_random (fl_hash64 ("mean", 4, s->seed));
  for (gsize i = 0; i < s->n_good; i += step, n++)
    {
      const FlPanel *panel = &s->layout->detector->panels[s->panel[i]];
      FlVec3 u = fl_vec3_unit (s->place[i]);
      s->factor[n] = fl_spi_pixel_factor (s->place[i], fl_vec3_cross (panel->fs, panel->ss), s->polarisation);
      s->s[n] = fl_vec3_scale (fl_vec3_sub (u, fl_vec3 (0, 0, 1)), k);
    }
  for (guint o = 0; o < MEAN_ORIENTATIONS; o++)
    {
      FlMat3 rotation = fl_mat3_from_quat (fl_random_orientation (&random));
      for (guint m = 0; m < s->n_models; m++)
        {
          fl_spi_particle_amplitudes (s->models[m], &rotation, s->s, n, s->f[0]);
          for (gsize i = 0; i < n; i++)
            sum += s->weights[m] * s->factor[i] * (double) (s->f[0][i] * conjf (s->f[0][i]));
        }
    }
  return sum / MEAN_ORIENTATIONS * (double) s->n_good / (double) n;
}

FlSpiSimulator *
fl_spi_simulator_new (const FlParams *params, GError **error)
{
  g_autoptr (FlSpiSimulator) s = g_new0 (FlSpiSimulator, 1);
  s->layout = fl_spi_layout_new (params, error);
  if (s->layout == NULL || !read_numbers (s, params, error))
    return NULL;
  list_pixels (s);
  if (!read_models (s, params, error) || !read_weights (s, params, error))
    return NULL;
  double photons = fl_params_real (params, "simulate_spi.photons");
  if (photons > 0)
    s->norm = photons / mean_scattering (s);
  else
    s->norm = fl_params_real (params, "simulate_spi.pulse_photons")
              / (2 * FL_PI * s->beam_sigma * s->beam_sigma) * FL_ELECTRON_RADIUS * FL_ELECTRON_RADIUS;
  return g_steal_pointer (&s);
}

void
fl_spi_simulator_free (FlSpiSimulator *s)
{
  if (s == NULL)
    return;
  for (guint i = 0; i < s->n_models; i++)
    fl_spi_particle_free (s->models[i]);
  for (guint a = 0; a < FL_SPI_PARTICLES; a++)
    g_free (s->f[a]);
  g_clear_pointer (&s->layout, fl_detector_layout_free);
  g_free (s->models);
  g_free (s->weights);
  g_free (s->good);
  g_free (s->panel);
  g_free (s->place);
  g_free (s->s);
  g_free (s->factor);
  g_free (s->mean);
  g_free (s->photons);
  g_free (s->pixels);
  g_free (s);
}

const FlDetectorLayout *
fl_spi_simulator_layout (const FlSpiSimulator *s)
{
  return s->layout;
}

guint
fl_spi_simulator_models (const FlSpiSimulator *s)
{
  return s->n_models;
}

double
fl_spi_simulator_wavelength (const FlSpiSimulator *s)
{
  return fl_wavelength_from_energy (s->energy);
}

FlPolarisation
fl_spi_simulator_polarisation (const FlSpiSimulator *s)
{
  return s->polarisation;
}

double
fl_spi_simulator_fluence (const FlSpiSimulator *s)
{
  return s->norm / (FL_ELECTRON_RADIUS * FL_ELECTRON_RADIUS) * 1e8;
}

double
fl_spi_simulator_corner (const FlSpiSimulator *s)
{
  return most_s (s, 0, s->energy);
}

/* --- a shot --- */

static FlRandom
begin (FlSpiSimulator *s, guint number, FlSpiShot *shot)
{
  guint32 id = number;
  FlRandom random = fl_random (fl_hash64 (&id, sizeof id, fl_hash64 ("particle", 8, s->seed)));
  FlSpiPulse pulse;
  *shot = (FlSpiShot){ .number = number };
  fl_spi_describe (s, &random, shot, &pulse);
  fl_spi_expect (s, &pulse, shot);
  return random;
}

void
fl_spi_simulator_expect (FlSpiSimulator *s, guint number, FlSpiShot *shot, float *expected)
{
  begin (s, number, shot);
  memset (expected, 0, s->layout->detector->n_pixels * sizeof *expected);
  for (gsize i = 0; i < s->n_good; i++)
    expected[s->good[i]] = s->mean[i];
}

void
fl_spi_simulator_draw (FlSpiSimulator *s, guint number, FlSpiShot *shot)
{
  FlRandom random = begin (s, number, shot);
  for (gsize i = 0; i < s->n_good; i++)
    {
      guint32 photons = fl_random_poisson (&random, MIN ((double) s->mean[i], 1e9));
      s->photons[s->good[i]] = photons;
      shot->total += photons;
    }
  fl_spi_read_out (s, shot, &random);
  shot->photons = s->photons;
  shot->pixels = s->pixels;
}
