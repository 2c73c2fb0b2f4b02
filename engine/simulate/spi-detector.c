#include "engine/simulate/spi-detector.h"

#include <hdf5.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"

#define COUNTS_MOST 32767
#define MASK_BAD    2

/* One panel about the beam; a cross of missing pixels in its middle. */
static void
lay_out_square (FlDetectorLayout *layout, const FlParams *params)
{
  guint n = (guint) fl_params_int (params, "simulate_spi.pixels");
  double pixel = fl_params_real (params, "simulate_spi.pixel_size"),
         half_gap = fl_params_real (params, "simulate_spi.gap") / 2;
  layout->name = g_strdup ("square");
  layout->width = layout->height = n;
  layout->detector = fl_detector_new (1, (gsize) n * n);
  FlPanel *panel = &layout->detector->panels[0];
  g_free (panel->name);
  panel->name = g_strdup ("p0");
  panel->n_fs = panel->n_ss = n;
  panel->stride = n;
  panel->origin = fl_vec3 (-0.5 * n * pixel, -0.5 * n * pixel, layout->camera_length);
  panel->fs = fl_vec3 (pixel, 0, 0);
  panel->ss = fl_vec3 (0, pixel, 0);
  panel->pixel_size = pixel;
  layout->state = g_new0 (guint8, layout->detector->n_pixels);
  for (gsize i = 0; i < layout->detector->n_pixels; i++)
    if (fabs ((double) (i % n) + 0.5 - 0.5 * n) < half_gap
        || fabs ((double) (i / n) + 0.5 - 0.5 * n) < half_gap)
      layout->state[i] = FL_PIXEL_GAP;
}

static void
mark_bad (FlDetectorLayout *layout, const FlParams *params)
{
  guint64 seed = (guint64) fl_params_int (params, "simulate_spi.seed");
  FlRandom random = fl_random (fl_hash64 ("bad pixels", 10, seed));
  double fraction = fl_params_real (params, "simulate_spi.bad_fraction"),
         stop = fl_params_real (params, "simulate_spi.beam_stop");
  for (guint p = 0; p < layout->detector->n_panels; p++)
    {
      FlPanel *panel = &layout->detector->panels[p];
      panel->gain = layout->gain;
      panel->saturation = layout->saturation;
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            FlVec3 r = fl_panel_position (panel, fs + 0.5, ss + 0.5);
            guint8 *state = &layout->state[panel->offset + ss * panel->stride + fs];
            gboolean dead = fl_random_unit (&random) < fraction;
            if (*state == FL_PIXEL_GOOD && (dead || hypot (r.x, r.y) < stop * panel->pixel_size))
              *state = dead ? FL_PIXEL_DEAD : FL_PIXEL_SHADOW;
          }
    }
}

FlDetectorLayout *
fl_spi_layout_new (const FlParams *params, GError **error)
{
  const char *geometry = fl_params_text (params, "simulate_spi.geometry");
  gboolean photons = fl_params_choice (params, "simulate_spi.readout") == 0;
  g_autoptr (FlDetectorLayout) layout = g_new0 (FlDetectorLayout, 1);
  layout->camera_length = fl_params_real (params, "simulate_spi.camera_length");
  layout->type = photons ? FL_PIXEL_U16 : FL_PIXEL_I16;
  layout->gain = photons ? 1 : fl_params_real (params, "simulate_spi.gain");
  layout->readout_noise = photons ? 0 : fl_params_real (params, "simulate_spi.readout_noise");
  layout->saturation = photons ? G_MAXUINT16 : COUNTS_MOST;
  if (*geometry == '\0')
    lay_out_square (layout, params);
  else if (!fl_detector_layout_read (layout, geometry, layout->camera_length, error))
    return NULL;
  mark_bad (layout, params);
  gsize good = 0;
  for (gsize i = 0; i < layout->detector->n_pixels; i++)
    {
      layout->detector->mask[i] = layout->state[i] != FL_PIXEL_GOOD;
      good += layout->state[i] == FL_PIXEL_GOOD;
    }
  if (good > 0)
    return g_steal_pointer (&layout);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "simulate_spi.beam_stop and simulate_spi.gap leave no pixel, expected less");
  return NULL;
}

double
fl_spi_pixel_factor (FlVec3 place, FlVec3 area, FlPolarisation polarisation)
{
  FlVec3 direction = fl_vec3_unit (place);
  return fl_polarisation_factor (direction, polarisation) * fabs (fl_vec3_dot (direction, area))
         / fl_vec3_dot (place, place);
}

/* --- Dragonfly's detector file --- */

static gboolean
put (hid_t file, const char *name, hid_t type, hsize_t n, const void *values)
{
  hid_t space = n > 0 ? H5Screate_simple (1, &n, NULL) : H5Screate (H5S_SCALAR),
        plist = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_obj_track_times (plist, 0);
  hid_t set = H5Dcreate (file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  gboolean ok = set >= 0 && H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  if (set >= 0)
    H5Dclose (set);
  H5Pclose (plist);
  H5Sclose (space);
  return ok;
}

typedef struct
{
  double *q[3], *corr; /* [n_pixels] */
  guint8 *mask;
} FlColumns;

static void
fill_columns (const FlDetectorLayout *layout, double ewald, FlPolarisation polarisation, FlColumns *to)
{
  memset (to->mask, MASK_BAD, layout->detector->n_pixels);
  for (guint p = 0; p < layout->detector->n_panels; p++)
    {
      const FlPanel *panel = &layout->detector->panels[p];
      FlVec3 area = fl_vec3_cross (panel->fs, panel->ss);
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize i = panel->offset + ss * panel->stride + fs;
            FlVec3 place = fl_panel_position (panel, fs + 0.5, ss + 0.5), u = fl_vec3_unit (place);
            to->q[0][i] = ewald * u.x;
            to->q[1][i] = ewald * u.y;
            to->q[2][i] = ewald * (u.z - 1);
            to->corr[i] = fl_spi_pixel_factor (place, area, polarisation);
            to->mask[i] = layout->detector->mask[i] ? MASK_BAD : 0;
          }
    }
}

gboolean
fl_spi_detector_write (const FlDetectorLayout *layout, double wavelength, FlPolarisation polarisation,
                       const char *path, GError **error)
{
  gsize n = layout->detector->n_pixels;
  double detd = layout->camera_length / layout->detector->panels[0].pixel_size;
  g_autofree double *numbers = g_new0 (double, 4 * n);
  g_autofree guint8 *mask = g_malloc (n);
  FlColumns columns = { { numbers, numbers + n, numbers + 2 * n }, numbers + 3 * n, mask };
  fill_columns (layout, detd, polarisation, &columns);
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = file >= 0 && put (file, "qx", H5T_NATIVE_DOUBLE, n, columns.q[0])
                && put (file, "qy", H5T_NATIVE_DOUBLE, n, columns.q[1])
                && put (file, "qz", H5T_NATIVE_DOUBLE, n, columns.q[2])
                && put (file, "corr", H5T_NATIVE_DOUBLE, n, columns.corr)
                && put (file, "mask", H5T_NATIVE_UINT8, n, mask)
                && put (file, "detd", H5T_NATIVE_DOUBLE, 0, &detd)
                && put (file, "ewald_rad", H5T_NATIVE_DOUBLE, 0, &detd)
                && put (file, "wavelength", H5T_NATIVE_DOUBLE, 0, &wavelength);
  if (file >= 0)
    ok = H5Fclose (file) >= 0 && ok;
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written (is the disk full?)", path);
  return ok;
}
