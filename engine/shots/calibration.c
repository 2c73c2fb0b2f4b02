#include "engine/shots/calibration.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/calibration-constants.h"
#include "engine/shots/common-mode.h"
#include "engine/shots/constants-files.h"
#include "engine/shots/source-private.h"
#include "kernels/calibrate.h"
#include "kernels/device.h"
#include "kernels/gain-modes.h"

#define ADU_BITS     0x3fffu /* of 14-bit detectors */
#define NEARLY_THERE 0.98    /* of the full scale */

struct FlCalibration
{
  FlConstants *constants;
  const FlDetector *detector; /* the source's */
  FlDetector *raw_rules;      /* panels with what is bad by its raw value; NULL: nothing is */
  char *path, *gain_data, *cell_data;
  gboolean kev;
  double photon_energy; /* eV; 0: the shot's */
  double energy;        /* eV, of the first shot */
  FlCommonModeRule common;
  double common_limit; /* ADU */
  FlkDevice *device;
  FlkPanel all; /* every pixel, for kernel calibrate */
  float *values, *scratch;
  gsize values_allocated;
  guint8 *mask, *switched;
};

/* --- options --- */

/* "513, -17.97, -1.43" */
static gboolean
read_gains (const char *text, FlCalibrationOptions *options, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  for (char **word = words; *word != NULL; word++)
    {
      char *end;
      double value = g_ascii_strtod (g_strstrip (*word), &end);
      if (end == *word || *end != '\0' || !isfinite (value) || value == 0
          || options->n_gain == FL_GAIN_STAGES)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "detector.gain '%s' is wrong, expected 1, 3 or 7 numbers between commas", text);
          return FALSE;
        }
      options->gain[options->n_gain++] = value;
    }
  return TRUE;
}

gboolean
fl_calibration_options (const FlParams *params, FlCalibrationOptions *options, GError **error)
{
  const char *constants = fl_params_text (params, "detector.calibration");
  *options = (FlCalibrationOptions){
    .constants = *constants != '\0' ? constants : NULL,
    .kind = (FlDetectorKind) fl_params_choice (params, "detector.kind"),
    .source = fl_params_text (params, "detector.source"),
    .run = fl_params_int (params, "detector.run"),
    .kev = fl_params_choice (params, "detector.unit") == 1,
    .photon_energy = fl_params_real (params, "detector.photon_energy"),
    .gain_per_photon = fl_params_choice (params, "detector.gain_unit") == 1,
    .epix_mode = fl_params_choice (params, "detector.epix_mode"),
    .common_mode = (FlCommonMode) fl_params_choice (params, "detector.common_mode"),
    .common_limit = fl_params_real (params, "detector.common_mode_limit"),
    .common_pixels = (guint) fl_params_int (params, "detector.common_mode_pixels"),
    .mask_edges = (guint) fl_params_int (params, "detector.mask_edges"),
    .mask_inner_edges = (guint) fl_params_int (params, "detector.mask_inner_edges"),
    .noise_low = fl_params_real (params, "detector.noise_low"),
    .noise_high = fl_params_real (params, "detector.noise_high"),
    .gain_data = fl_params_text (params, "detector.gain_data"),
    .cell_data = fl_params_text (params, "detector.cell_data"),
  };
  return read_gains (fl_params_text (params, "detector.gain"), options, error);
}

/* --- the detector as calibrated shots have it --- */

static void
set_asic (FlCommonModeRule *rule, FlDetectorKind kind)
{
  static const guint sizes[][2] = {
    [FL_DETECTOR_AUTO] = { 0, 0 },        [FL_DETECTOR_JUNGFRAU] = { 256, 256 },
    [FL_DETECTOR_EPIX10K] = { 192, 176 }, [FL_DETECTOR_AGIPD] = { 64, 64 },
    [FL_DETECTOR_CSPAD] = { 194, 185 },   [FL_DETECTOR_PLAIN] = { 0, 0 }
  };
  rule->asic_fs = sizes[kind][0];
  rule->asic_ss = sizes[kind][1];
}

static void
mask_edges (const FlCalibrationOptions *options, const FlCommonModeRule *rule, FlDetector *detector)
{
  for (guint p = 0; p < detector->n_panels; p++)
    {
      const FlPanel *panel = &detector->panels[p];
      guint asic_fs, asic_ss, e = options->mask_edges, inner = options->mask_inner_edges;
      fl_common_mode_asic (rule, panel, &asic_fs, &asic_ss);
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            guint x = fs % asic_fs, y = ss % asic_ss;
            gboolean edge = fs < e || ss < e || fs + e >= panel->n_fs || ss + e >= panel->n_ss,
                     inside = (x < inner && fs >= asic_fs) || (y < inner && ss >= asic_ss)
                              || (x + inner >= asic_fs && fs + asic_fs < panel->n_fs + x)
                              || (y + inner >= asic_ss && ss + asic_ss < panel->n_ss + y);
            if (edge || inside)
              detector->mask[panel->offset + ss * panel->stride + fs] = 1;
          }
    }
}

/* The end of the lowest gain's range; where nobody knows it, INFINITY. */
static void
set_saturation (const FlCalibration *self, FlDetector *detector, double scale)
{
  const FlConstants *c = self->constants;
  const float *pedestal = c->pedestal[c->last_slot], *factor = c->factor[c->last_slot];
  float *old = detector->saturation;
  detector->saturation = g_new (float, c->n_pixels);
  for (gsize i = 0; i < c->n_pixels; i++)
    detector->saturation[i] = INFINITY;
  for (guint p = 0; p < detector->n_panels; p++)
    {
      FlPanel *panel = &detector->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (gsize i = panel->offset + ss * panel->stride, end = i + panel->n_fs; i < end; i++)
          {
            double raw = c->kind != FL_DETECTOR_PLAIN ? (factor[i] < 0 ? 0 : (double) ADU_BITS)
                         : old != NULL                ? (double) old[i]
                                                      : panel->saturation;
            double limit = NEARLY_THERE * (raw - (double) pedestal[i]) * (double) factor[i] * scale;
            if (limit > 0)
              detector->saturation[i] = (float) limit;
          }
      panel->saturation = INFINITY;
    }
  g_free (old);
}

/* What is bad by its raw value stays so: the rules move from the panels to a copy. */
static void
move_rules (FlCalibration *self, FlDetector *detector)
{
  gboolean any = FALSE;
  FlDetector *rules = fl_detector_new (detector->n_panels, 0);
  for (guint p = 0; p < detector->n_panels; p++)
    {
      FlPanel *from = &detector->panels[p], *to = &rules->panels[p];
      any |= from->trusted_min > -INFINITY || from->trusted_max < INFINITY || from->n_bad_values > 0;
      *to = (FlPanel){ .n_fs = from->n_fs,
                       .n_ss = from->n_ss,
                       .offset = from->offset,
                       .stride = from->stride,
                       .trusted_min = from->trusted_min,
                       .trusted_max = from->trusted_max,
                       .n_bad_values = from->n_bad_values,
                       .bad_values = from->bad_values,
                       .name = to->name };
      from->trusted_min = -INFINITY;
      from->trusted_max = INFINITY;
      from->n_bad_values = 0;
      from->bad_values = NULL;
    }
  if (any)
    self->raw_rules = rules;
  else
    fl_detector_unref (rules);
}

/* What turns a factor's unit into the shot's; FALSE: the photon energy is needed and not known. */
static gboolean
find_scale (const FlCalibration *self, double shot_energy, double *scale, GError **error)
{
  double energy = self->photon_energy > 0 ? self->photon_energy
                  : shot_energy > 0       ? shot_energy
                                          : self->energy;
  *scale = 1;
  if (self->kev == !self->constants->per_photon)
    return TRUE;
  if (!(energy > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: tells no photon energy, expected detector.photon_energy (or %s)", self->path,
                   self->kev ? "detector.unit = photons" : "detector.unit = kev");
      return FALSE;
    }
  *scale = self->kev ? 0.001 * energy : 1000 / energy;
  return TRUE;
}

static gboolean
adopt (FlCalibration *self, const FlCalibrationOptions *options, FlDetector *detector, GError **error)
{
  double scale;
  if (!find_scale (self, 0, &scale, error))
    return FALSE;
  move_rules (self, detector);
  set_saturation (self, detector, scale);
  mask_edges (options, &self->common, detector);
  for (gsize i = 0; i < detector->n_pixels; i++)
    detector->mask[i] |= self->constants->bad[i];
  for (guint p = 0; p < detector->n_panels; p++)
    {
      FlPanel *panel = &detector->panels[p];
      panel->counts_per_ev = self->kev ? 1e-3 : 0;
      panel->gain = self->kev && self->energy > 0 ? 1e-3 * self->energy : 1;
    }
  self->detector = detector;
  return TRUE;
}

FlCalibration *
fl_calibration_open (const FlCalibrationOptions *options, FlDetector *detector, const char *path,
                     double energy, GError **error)
{
  char why[512] = "";
  g_autoptr (FlCalibration) self = g_new0 (FlCalibration, 1);
  self->path = g_strdup (path);
  self->gain_data = g_strdup (options->gain_data);
  self->cell_data = g_strdup (options->cell_data);
  self->kev = options->kev;
  self->photon_energy = options->photon_energy;
  self->energy = options->photon_energy > 0 ? options->photon_energy : energy;
  self->constants = fl_constants_get (options, detector, error);
  if (self->constants == NULL)
    return NULL;
  self->device = flk_device_open ("cpu", 0, 1, why, sizeof why);
  if (self->device == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "calibration: %s", why);
      return NULL;
    }
  self->common.mode = options->common_mode;
  self->common.pixels = options->common_pixels;
  self->common_limit = options->common_limit;
  set_asic (&self->common, self->constants->kind);
  self->all = (FlkPanel){ .stride = detector->n_pixels,
                          .n_fs = (uint32_t) detector->n_pixels,
                          .n_ss = 1,
                          .trusted_min = -INFINITY,
                          .trusted_max = INFINITY };
  return adopt (self, options, detector, error) ? g_steal_pointer (&self) : NULL;
}

void
fl_calibration_close (FlCalibration *calibration)
{
  if (calibration == NULL)
    return;
  flk_device_close (calibration->device);
  fl_constants_unref (calibration->constants);
  fl_detector_unref (calibration->raw_rules);
  g_free (calibration->path);
  g_free (calibration->gain_data);
  g_free (calibration->cell_data);
  g_free (calibration->values);
  g_free (calibration->scratch);
  g_free (calibration->mask);
  g_free (calibration->switched);
  g_free (calibration);
}

gboolean
fl_calibration_needs_cell (const FlCalibration *calibration, FlCellNames *names)
{
  *names = (FlCellNames){ calibration->gain_data, calibration->cell_data, calibration->constants->n_cells };
  return calibration->constants->kind == FL_DETECTOR_AGIPD;
}

char *
fl_calibration_describe (const FlCalibration *calibration)
{
  const FlConstants *c = calibration->constants;
  gsize bad = 0;
  for (gsize i = 0; i < c->n_pixels; i++)
    bad += c->bad[i];
  return g_strdup_printf ("calibration: %s, %s, %" G_GSIZE_FORMAT " pixels without constants\n",
                          fl_detector_kind_name (c->kind), calibration->kev ? "keV" : "photons", bad);
}

/* --- shots --- */

/* The mask before calibration: the shot's or the detector's, and what is bad by its raw value. */
static const guint8 *
raw_mask (FlCalibration *self, const FlShot *shot)
{
  const guint8 *mask = shot->mask != NULL ? shot->mask : self->detector->mask;
  gsize n = shot->n_pixels;
  if (self->raw_rules == NULL && shot->mask == NULL)
    return mask;
  if (self->mask == NULL)
    self->mask = g_new (guint8, n);
  /* A shot's own mask was made before the constants' was known. */
  for (gsize i = 0; i < n; i++)
    self->mask[i] = mask[i] | self->detector->mask[i];
  if (self->raw_rules != NULL)
    fl_shot_flag_pixels (shot, self->raw_rules, self->mask);
  return self->mask;
}

static gboolean
run_gain_modes (FlCalibration *self, const FlShot *shot, const FlCellData *cell, const guint8 *mask,
                float scale, guint8 *bad)
{
  const FlConstants *c = self->constants;
  gsize at = cell != NULL ? cell->cell * c->n_pixels : 0;
  FlkGainModesArgs args = { .raw = shot->pixels,
                            .gain = cell != NULL ? cell->gain : NULL,
                            .mask = mask,
                            .n = c->n_pixels,
                            .scale = scale,
                            .value_bits = ADU_BITS,
                            .values = self->values,
                            .bad = bad };
  for (guint s = 0; s < FLK_GAIN_SLOTS; s++)
    if (c->pedestal[s] != NULL)
      {
        args.pedestal[s] = c->pedestal[s] + at;
        args.factor[s] = c->factor[s] + at;
      }
  for (guint i = 0; cell != NULL && i < 2; i++)
    args.threshold[i] = c->threshold[i] + at;
  return flk_launch (self->device, "gain_modes", flk_gain_modes_teams (c->n_pixels), 0, &args, sizeof args)
         && flk_sync (self->device);
}

static gboolean
run_one_gain (FlCalibration *self, const FlShot *shot, const guint8 *mask, float scale, guint8 *bad)
{
  const FlConstants *c = self->constants;
  FlkCalibrateArgs args = { .pixels = { .data = shot->pixels,
                                        .mask = mask,
                                        .pedestal = c->pedestal[0],
                                        .factor = c->factor[0],
                                        .type = (int32_t) shot->type },
                            .panels = &self->all,
                            .n_panels = 1,
                            .tile_ss = flk_device_tile_ss (self->device),
                            .counts = self->values,
                            .bad = bad };
  uint32_t teams = flk_panels_tile (&self->all, 1, args.tile_ss);
  if (!flk_launch (self->device, "calibrate", teams, 0, &args, sizeof args) || !flk_sync (self->device))
    return FALSE;
  for (gsize i = 0; scale != 1 && i < c->n_pixels; i++)
    self->values[i] *= scale;
  return TRUE;
}

static gboolean
is_switching (FlDetectorKind kind)
{
  return kind == FL_DETECTOR_JUNGFRAU || kind == FL_DETECTOR_EPIX10K || kind == FL_DETECTOR_AGIPD;
}

static gboolean
is_usable (const FlCalibration *self, const FlShot *shot, const FlCellData *cell, GError **error)
{
  static const char *const types[] = { "u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64" };
  const FlConstants *c = self->constants;
  if (is_switching (c->kind) && shot->type != FL_PIXEL_U16 && shot->type != FL_PIXEL_I16)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: pixels are %s, expected the raw u16 of a %s, which detector.calibration is for",
                 self->path, types[shot->type], fl_detector_kind_name (c->kind));
  else if (c->kind == FL_DETECTOR_AGIPD && cell == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                 "%s: has no gain values beside its pixels, expected detector.gain_data to name them",
                 self->path);
  else if (cell != NULL && cell->cell >= c->n_cells)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: memory cell %u, expected one below %u of the constants", self->path, cell->cell,
                 c->n_cells);
  else
    return TRUE;
  return FALSE;
}

/* Pixels that are not in the highest gain keep their values. */
static const guint8 *
note_switched (FlCalibration *self, const FlShot *shot, const FlCellData *cell)
{
  const FlConstants *c = self->constants;
  const guint16 *raw = shot->pixels;
  if (!is_switching (c->kind))
    return NULL;
  if (self->switched == NULL)
    self->switched = g_new (guint8, c->n_pixels);
  const float *threshold = cell != NULL ? c->threshold[0] + cell->cell * c->n_pixels : NULL;
  for (gsize i = 0; i < c->n_pixels; i++)
    self->switched[i] = threshold != NULL ? (float) cell->gain[i] > threshold[i] : raw[i] >> 14 != 0;
  return self->switched;
}

static void
subtract_common_mode (FlCalibration *self, const FlShot *shot, const FlCellData *cell, float scale,
                      const guint8 *bad)
{
  if (self->common.mode == FL_COMMON_MODE_NONE)
    return;
  if (self->scratch == NULL)
    self->scratch = g_new (float, self->constants->n_pixels);
  self->common.limit = (float) (self->common_limit * self->constants->unit_per_adu) * scale;
  fl_common_mode (self->detector, &self->common, bad, note_switched (self, shot, cell), self->values,
                  self->scratch);
}

gboolean
fl_calibration_apply (FlCalibration *calibration, FlShot *shot, const FlCellData *cell, GError **error)
{
  FlCalibration *self = calibration;
  guint64 began = fl_shots_cpu_ns ();
  gsize n = self->constants->n_pixels;
  double scale;
  if (!is_usable (self, shot, cell, error) || !find_scale (self, shot->energy, &scale, error))
    return FALSE;
  if (self->values_allocated < n * sizeof (float))
    {
      g_free (self->values);
      self->values_allocated = n * sizeof (float);
      self->values = g_malloc (self->values_allocated);
    }
  g_autofree guint8 *bad = g_malloc (n);
  const guint8 *mask = raw_mask (self, shot);
  if (is_switching (self->constants->kind) ? !run_gain_modes (self, shot, cell, mask, (float) scale, bad)
                                           : !run_one_gain (self, shot, mask, (float) scale, bad))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s", flk_error (self->device));
      return FALSE;
    }
  subtract_common_mode (self, shot, cell, (float) scale, bad);
  /* The shot's buffer and ours change places. */
  void *raw = shot->pixels;
  gsize raw_allocated = shot->allocated;
  shot->pixels = self->values;
  shot->allocated = self->values_allocated;
  self->values = raw;
  self->values_allocated = raw_allocated;
  shot->type = FL_PIXEL_F32;
  g_free (shot->mask);
  shot->mask = g_steal_pointer (&bad);
  shot->t_decode += fl_shots_cpu_ns () - began;
  return TRUE;
}
