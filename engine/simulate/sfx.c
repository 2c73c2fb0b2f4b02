#include "engine/simulate/sfx.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/hkl-file.h"
#include "engine/crystal/structure-factors.h"
#include "engine/crystal/wilson.h"
#include "engine/simulate/background.h"
#include "engine/simulate/ice.h"
#include "engine/simulate/noise.h"

/* Jitters are cut at this many standard deviations, so that no shot is absurd. */
#define MOST_SIGMA 3.0

struct FlSfxSimulator
{
  FlDetectorLayout *layout;
  FlIntensities *intensities;
  FlBackground *background;
  FlMat3 reciprocal; /* of the cell, crystal frame */
  double volume;
  FlSpectrum spectrum;
  FlPolarisation polarisation;
  guint64 seed;
  double energy, energy_jitter, pulse_photons, beam_size, fluence_jitter, position_jitter;
  double hit_fraction, double_fraction, background_jitter, ice;
  FlCrystalShape shape;
  double crystal_size, crystal_size_spread, domain_size, mosaic_spread; /* Å, rad */
  double cell_spread;
  guint16 *photons; /* [n_pixels] of the shot being drawn */
  guint8 *pixels;
};

static double
jitter (FlRandom *random)
{
  return CLAMP (fl_random_normal (random), -MOST_SIGMA, MOST_SIGMA);
}

/* --- making --- */

/* The finest d (Å) that a pixel of the detector sees. */
static double
detector_resolution (const FlDetectorLayout *layout, double wavelength)
{
  double finest = INFINITY;
  for (guint p = 0; p < layout->detector->n_panels; p++)
    {
      const FlPanel *panel = &layout->detector->panels[p];
      for (int corner = 0; corner < 4; corner++)
        finest = MIN (finest, fl_resolution (fl_panel_position (panel, corner % 2 * (double) panel->n_fs,
                                                                corner / 2 * (double) panel->n_ss),
                                             wavelength));
    }
  return finest;
}

static FlIntensities *
intensities_of_model (const FlParams *params, double d_min, GError **error)
{
  g_autoptr (FlModel) model = fl_pdb_read (fl_params_text (params, "simulate.model"), error);
  g_autoptr (FlIntensities) intensities =
      model != NULL ? fl_intensities_new (&model->cell, d_min, error) : NULL;
  if (intensities == NULL)
    return NULL;
  FlSolvent solvent = { fl_params_real (params, "simulate.solvent_density"),
                        fl_params_real (params, "simulate.solvent_b") };
  g_autoptr (FlStructureFactors) factors = fl_structure_factors_new (model, d_min, solvent);
  fl_structure_factors_fill (factors, model, intensities);
  return g_steal_pointer (&intensities);
}

/* The cell is given in words: amplitudes come from a list, or by Wilson's statistics. */
static FlIntensities *
intensities_of_cell (const FlParams *params, double d_min, guint64 seed, GError **error)
{
  double values[6];
  FlCell cell;
  const char *list = fl_params_text (params, "simulate.intensities");
  if (!fl_params_reals (params, "simulate.cell", values))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "simulate.cell is empty, expected a, b, c, alpha, beta, gamma");
      return NULL;
    }
  if (!fl_cell_from_degrees (values, &cell, error))
    return NULL;
  g_autoptr (FlIntensities) intensities = fl_intensities_new (&cell, d_min, error);
  if (intensities == NULL)
    return NULL;
  if (*list != '\0')
    return fl_hkl_file_read (list, intensities, error) ? g_steal_pointer (&intensities) : NULL;
  g_autoptr (FlSymmetry) symmetry =
      fl_symmetry_from_symbol (fl_params_text (params, "simulate.space_group"), error);
  if (symmetry == NULL)
    return NULL;
  fl_wilson_fill (intensities, symmetry, fl_params_real (params, "simulate.b_factor"), seed);
  return g_steal_pointer (&intensities);
}

static gboolean
read_crystals (FlSfxSimulator *s, const FlParams *params, GError **error)
{
  s->shape = (FlCrystalShape) fl_params_choice (params, "simulate.shape");
  s->crystal_size = 1e4 * fl_params_real (params, "simulate.crystal_size");
  s->crystal_size_spread = fl_params_real (params, "simulate.crystal_size_spread");
  s->domain_size = 1e4 * fl_params_real (params, "simulate.domain_size");
  s->mosaic_spread = fl_radians (fl_params_real (params, "simulate.mosaic_spread"));
  s->cell_spread = fl_params_real (params, "simulate.cell_spread");
  if (s->shape != FL_SHAPE_LATTICE)
    return TRUE;
  if (s->mosaic_spread != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "simulate.mosaic_spread = %g cannot go with simulate.shape = lattice (one perfect block), "
                   "expected 0",
                   fl_params_real (params, "simulate.mosaic_spread"));
      return FALSE;
    }
  if (s->crystal_size > 5e4)
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          "simulate.crystal_size = %g µm is too large for simulate.shape = lattice (one perfect block), "
          "expected 5 or less",
          s->crystal_size * 1e-4);
      return FALSE;
    }
  return TRUE;
}

FlSfxSimulator *
fl_sfx_simulator_new (const FlParams *params, GError **error)
{
  g_autoptr (FlSfxSimulator) s = g_new0 (FlSfxSimulator, 1);
  s->seed = (guint64) fl_params_int (params, "simulate.seed");
  s->energy = fl_params_real (params, "simulate.photon_energy");
  s->energy_jitter = fl_params_real (params, "simulate.energy_jitter");
  s->pulse_photons = fl_params_real (params, "simulate.pulse_photons");
  s->beam_size = fl_params_real (params, "simulate.beam_size");
  s->fluence_jitter = fl_params_real (params, "simulate.fluence_jitter");
  s->position_jitter = fl_params_real (params, "simulate.position_jitter");
  s->hit_fraction = fl_params_real (params, "simulate.hit_fraction");
  s->double_fraction = fl_params_real (params, "simulate.double_fraction");
  s->ice = fl_params_real (params, "simulate.ice");
  s->background_jitter = fl_params_real (params, "simulate.background_jitter");
  s->polarisation = (FlPolarisation) fl_params_choice (params, "simulate.polarisation");
  guint samples = (guint) fl_params_int (params, "simulate.spectrum_samples");
  double bandwidth = fl_params_real (params, "simulate.bandwidth");
  s->spectrum =
      (fl_params_choice (params, "simulate.spectrum") == 0 ? fl_spectrum_gaussian
                                                           : fl_spectrum_tophat) (bandwidth, samples);
  if (!read_crystals (s, params, error))
    return NULL;

  s->layout = fl_detector_layout_new (params, error);
  if (s->layout == NULL)
    return NULL;
  double wavelength = fl_wavelength_from_energy (s->energy),
         d_min = fl_params_real (params, "simulate.resolution");
  if (d_min == 0)
    d_min = detector_resolution (s->layout, wavelength);
  s->intensities = *fl_params_text (params, "simulate.model") != '\0'
                       ? intensities_of_model (params, d_min, error)
                       : intensities_of_cell (params, d_min, s->seed, error);
  if (s->intensities == NULL)
    return NULL;
  s->reciprocal = fl_cell_reciprocal (&s->intensities->cell);
  s->volume = fl_cell_volume (&s->intensities->cell);
  s->background = fl_background_new (s->layout, wavelength, fl_params_real (params, "simulate.background"),
                                     s->polarisation, s->seed);
  gsize n = s->layout->detector->n_pixels;
  s->photons = g_new (guint16, n);
  s->pixels = g_malloc (n * fl_pixel_size (s->layout->type));
  return g_steal_pointer (&s);
}

void
fl_sfx_simulator_free (FlSfxSimulator *s)
{
  if (s == NULL)
    return;
  g_clear_pointer (&s->layout, fl_detector_layout_free);
  fl_intensities_free (s->intensities);
  fl_background_free (s->background);
  g_free (s->photons);
  g_free (s->pixels);
  g_free (s);
}

const FlDetectorLayout *
fl_sfx_simulator_layout (const FlSfxSimulator *s)
{
  return s->layout;
}

const FlIntensities *
fl_sfx_simulator_intensities (const FlSfxSimulator *s)
{
  return s->intensities;
}

/* --- a shot --- */

FlQuat
fl_random_orientation (FlRandom *random)
{
  double u = fl_random_unit (random), v = 2 * FL_PI * fl_random_unit (random),
         w = 2 * FL_PI * fl_random_unit (random);
  double a = sqrt (1 - u), b = sqrt (u);
  return (FlQuat){ b * cos (w), a * sin (v), a * cos (v), b * sin (w) };
}

static FlMat3
rotate_rows (const FlMat3 *rows, FlQuat orientation)
{
  FlMat3 rotation = fl_mat3_from_quat (orientation), back = fl_mat3_transpose (&rotation);
  return fl_mat3_multiply (rows, &back);
}

static FlRandom
shot_random (const FlSfxSimulator *s, const char *what, guint run, guint number)
{
  guint32 id[2] = { run, number };
  return fl_random (fl_hash64 (id, sizeof id, fl_hash64 (what, strlen (what), s->seed)));
}

/* No two crystals are alike: lengths that symmetry makes equal stay so. */
static FlMat3
draw_cell (const FlSfxSimulator *s, FlRandom *random)
{
  const double lengths[3] = { s->intensities->cell.a, s->intensities->cell.b, s->intensities->cell.c };
  FlMat3 rows = s->reciprocal;
  double factors[3];
  for (int i = 0; i < 3; i++)
    {
      factors[i] = exp (-s->cell_spread * jitter (random));
      for (int k = 0; k < i; k++)
        if (fabs (lengths[i] / lengths[k] - 1) < 1e-6)
          factors[i] = factors[k];
      for (int x = 0; x < 3; x++)
        rows.m[i][x] *= factors[i];
    }
  return rows;
}

/* Photons per Å² that a crystal at `position` (mm) sees of a round Gaussian focus. */
static double
fluence_at (const FlSfxSimulator *s, double pulse_photons, FlVec3 position)
{
  double sigma = 1e4 * s->beam_size / (2 * sqrt (2 * log (2))); /* Å */
  double x = 1e7 * position.x / sigma, y = 1e7 * position.y / sigma;
  return pulse_photons / (2 * FL_PI * sigma * sigma) * exp (-0.5 * (x * x + y * y));
}

static void
draw_crystal (const FlSfxSimulator *s, double pulse_photons, const FlMat3 *cell, FlRandom *random,
              FlCrystal *crystal)
{
  *crystal = (FlCrystal){ .shape = s->shape,
                          .orientation = fl_random_orientation (random),
                          .mosaic = s->mosaic_spread };
  crystal->a_star = rotate_rows (cell, crystal->orientation);
  double x = jitter (random), y = jitter (random), z = jitter (random);
  crystal->position = fl_vec3_scale (fl_vec3 (x, y, z), 1e-3 * s->position_jitter);
  crystal->fluence = fluence_at (s, pulse_photons, crystal->position);
  double size = s->crystal_size * exp (s->crystal_size_spread * jitter (random));
  crystal->domain = MIN (s->domain_size, size);
  crystal->n_cells = size * size * size / s->volume;
  if (s->shape == FL_SHAPE_GAUSSIAN)
    return;
  const double lengths[3] = { s->intensities->cell.a, s->intensities->cell.b, s->intensities->cell.c };
  crystal->n_cells = 1;
  for (int i = 0; i < 3; i++)
    {
      double edge = s->crystal_size * exp (s->crystal_size_spread * jitter (random));
      crystal->cells[i] = MAX (1, (int) (edge / lengths[i]));
      crystal->n_cells *= crystal->cells[i];
    }
}

typedef struct
{
  const FlDetectorLayout *layout;
  guint16 *photons;
  FlRandom random;
  guint64 drawn;
} FlSampling;

/* Sums of Poisson variates are Poisson, so each spot is drawn by itself onto the background. */
static void
sample_patch (const FlPatch *patch, gpointer data)
{
  FlSampling *sampling = data;
  const FlPanel *panel = &sampling->layout->detector->panels[patch->panel];
  for (int y = 0; y < patch->height; y++)
    {
      const float *mean = patch->mean + y * patch->width;
      gsize row = panel->offset + (gsize) (patch->ss0 + y) * panel->stride + (gsize) patch->fs0;
      for (int x = 0; x < patch->width; x++)
        {
          guint32 n = fl_random_poisson (&sampling->random, MIN ((double) mean[x], 1e6));
          guint8 state = sampling->layout->state[row + (gsize) x];
          if (n == 0 || (state != FL_PIXEL_GOOD && state != FL_PIXEL_HOT))
            continue;
          guint16 *pixel = &sampling->photons[row + (gsize) x];
          *pixel = (guint16) MIN (*pixel + n, G_MAXUINT16);
          sampling->drawn += n;
        }
    }
}

/* Photons to counts: gain, noise, saturation. */
static void
read_out_signed (const FlSfxSimulator *s, FlRandom *random)
{
  const FlDetectorLayout *layout = s->layout;
  gint16 *out = (gint16 *) (void *) s->pixels;
  FlRandom r = *random;
  double gain = layout->gain, noise = layout->readout_noise, most = layout->saturation;
  for (gsize i = 0; i < layout->detector->n_pixels; i++)
    {
      double value = gain * s->photons[i] + (noise > 0 ? noise * fl_random_normal_fast (&r) : 0);
      out[i] = (gint16) lrint (CLAMP (value, -32768, most));
    }
  *random = r;
}

static void
read_out_counting (const FlSfxSimulator *s, FlRandom *random)
{
  const FlDetectorLayout *layout = s->layout;
  guint16 *out = (guint16 *) (void *) s->pixels;
  FlRandom r = *random;
  double gain = layout->gain, noise = layout->readout_noise, most = layout->saturation;
  if (gain == 1 && noise == 0)
    for (gsize i = 0; i < layout->detector->n_pixels; i++)
      out[i] = MIN (s->photons[i], (guint16) most);
  else
    for (gsize i = 0; i < layout->detector->n_pixels; i++)
      {
        double value = gain * s->photons[i] + (noise > 0 ? noise * fl_random_normal_fast (&r) : 0);
        out[i] = (guint16) lrint (CLAMP (value, 0, most));
      }
  *random = r;
}

static void
set_pixel (const FlSfxSimulator *s, gsize i, double value)
{
  if (s->layout->type == FL_PIXEL_I16)
    ((gint16 *) (void *) s->pixels)[i] = (gint16) MIN (value, s->layout->saturation);
  else
    ((guint16 *) (void *) s->pixels)[i] = (guint16) MIN (value, G_MAXUINT16);
}

static void
apply_flaws (const FlSfxSimulator *s, FlRandom *random)
{
  const guint8 *state = s->layout->state;
  for (gsize i = 0; i < s->layout->detector->n_pixels; i++)
    switch (state[i])
      {
      case FL_PIXEL_DEAD:
        set_pixel (s, i, 0);
        break;
      case FL_PIXEL_HOT:
        set_pixel (s, i, s->layout->saturation * (0.2 + 0.8 * fl_random_unit (random)));
        break;
      case FL_PIXEL_GAP:
        set_pixel (s, i, G_MAXUINT16);
        break;
      default:
        break;
      }
}

void
fl_sfx_simulator_draw (FlSfxSimulator *s, guint run, guint number, FlSfxShot *shot)
{
  FlRandom scene = shot_random (s, "scene", run, number), noise = shot_random (s, "noise", run, number),
           cells = shot_random (s, "cell", run, number);
  *shot = (FlSfxShot){ .run = run, .number = number, .pixels = s->pixels };
  shot->energy = s->energy * (1 + s->energy_jitter * jitter (&scene));
  shot->background = exp (s->background_jitter * jitter (&scene));
  double pulse_photons = s->pulse_photons * exp (s->fluence_jitter * jitter (&scene));
  if (fl_random_unit (&scene) < s->hit_fraction)
    shot->n_crystals = fl_random_unit (&scene) < s->double_fraction ? 2 : 1;

  fl_background_draw (s->background, shot->background, &noise, s->photons);
  FlBraggModel model = { .detector = s->layout->detector,
                         .intensities = s->intensities,
                         .spectrum = s->spectrum,
                         .polarisation = s->polarisation,
                         .wavelength = fl_wavelength_from_energy (shot->energy) };
  for (guint i = 0; i < shot->n_crystals; i++)
    {
      FlSampling sampling = { .layout = s->layout,
                              .photons = s->photons,
                              .random = fl_random (fl_random_u64 (&noise)) };
      FlMat3 cell = draw_cell (s, &cells);
      draw_crystal (s, pulse_photons, &cell, &scene, &shot->crystals[i]);
      fl_bragg_spots (&model, &shot->crystals[i], sample_patch, &sampling);
      shot->photons[i] = (double) sampling.drawn;
    }
  if (s->ice > 0)
    {
      FlRandom ice = shot_random (s, "ice", run, number);
      FlSampling sampling = { .layout = s->layout,
                              .photons = s->photons,
                              .random = fl_random (fl_random_u64 (&ice)) };
      fl_ice_spots (s->layout->detector, model.wavelength, s->ice, &ice, sample_patch, &sampling);
    }
  (s->layout->type == FL_PIXEL_I16 ? read_out_signed : read_out_counting) (s, &noise);
  apply_flaws (s, &noise);
}
