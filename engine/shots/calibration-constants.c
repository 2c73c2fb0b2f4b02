#include "engine/shots/calibration-constants.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/constants-files.h"

#define ADU_MAX   16383 /* of detectors that switch their gain */
#define MAX_CELLS 1024
#define CHEETAH_FS                                                                                           \
  1552 /* CSPAD as Cheetah lays it out: 4 quadrants beside each other, 8 sensors below each other */
#define CSPAD_FS     388
#define CSPAD_SS     185
#define CSPAD_PIXELS (32 * CSPAD_SS * CSPAD_FS)

/* What tables are made of. */
typedef struct
{
  const FlCalibrationOptions *options;
  const FlDetector *detector;
  FlConstantFiles files;
  FlConstants *made;
  guint stages;
} Making;

static guint
stages_of (FlDetectorKind kind)
{
  return kind == FL_DETECTOR_EPIX10K ? 7 : kind == FL_DETECTOR_JUNGFRAU || kind == FL_DETECTOR_AGIPD ? 3 : 1;
}

/* Those below the pivot (or as large, where `same`) to the front; how far they reach. Nothing to mispredict. */
static gsize
partition (float *values, gsize low, gsize high, float pivot, gboolean same)
{
  gsize to = low;
  for (gsize i = low; i < high; i++)
    {
      float value = values[i];
      values[i] = values[to];
      values[to] = value;
      to += same ? value <= pivot : value < pivot;
    }
  return to;
}

static float
middle_of (float a, float b, float c)
{
  return MAX (MIN (a, b), MIN (MAX (a, b), c));
}

/* Hoare's selection (1961). [low, high) always holds the middle one; what stands before it is not larger. */
float
fl_median (float *values, gsize n)
{
  gsize middle = n / 2, low = 0, high = n;
  while (high - low > 1)
    {
      float pivot = middle_of (values[low], values[low + (high - low) / 2], values[high - 1]);
      gsize below = partition (values, low, high, pivot, FALSE);
      if (middle < below)
        {
          high = below;
          continue;
        }
      low = partition (values, below, high, pivot, TRUE);
      if (middle < low)
        break; /* among those equal to the pivot */
    }
  if (n == 0 || n % 2 == 1)
    return n == 0 ? 0 : values[middle];
  float below = values[0];
  for (gsize i = 1; i < middle; i++)
    below = MAX (below, values[i]);
  return 0.5f * (below + values[middle]);
}

/* --- sizes --- */

static gboolean
wrong_size (const FlNdarray *array, gsize expected, guint stages, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: has %" G_GSIZE_FORMAT " numbers, expected %u gains of %" G_GSIZE_FORMAT
               " pixels as the detector has",
               array->path, array->n, stages, expected);
  return FALSE;
}

/* psana's order of a CSPAD to Cheetah's. */
static void
lay_out_cspad (const FlDetector *detector, FlNdarray *array)
{
  if (array->n != CSPAD_PIXELS || detector->n_pixels != CSPAD_PIXELS
      || detector->panels[0].stride != CHEETAH_FS || array->dims[array->n_dims - 1] != CSPAD_FS)
    return;
  float *laid = g_new (float, array->n);
  for (gsize sensor = 0; sensor < 32; sensor++)
    for (gsize ss = 0; ss < CSPAD_SS; ss++)
      memcpy (laid + (sensor % 8 * CSPAD_SS + ss) * CHEETAH_FS + sensor / 8 * CSPAD_FS,
              array->values + (sensor * CSPAD_SS + ss) * CSPAD_FS, CSPAD_FS * sizeof (float));
  g_free (array->values);
  array->values = laid;
}

/* The kind that the pedestals' size tells. */
static FlDetectorKind
guess_kind (const FlConstantFiles *files, gsize n)
{
  gsize gains = files->arrays[FL_CONSTANT_PEDESTAL].n / n;
  if (files->arrays[FL_CONSTANT_THRESHOLD].values != NULL)
    return FL_DETECTOR_AGIPD;
  return gains == 3 || gains == 4 ? FL_DETECTOR_JUNGFRAU
         : gains == 7             ? FL_DETECTOR_EPIX10K
                                  : FL_DETECTOR_PLAIN;
}

/* Each array is as long as the detector needs it. */
static gboolean
check_sizes (Making *m, GError **error)
{
  gsize n = m->detector->n_pixels;
  const FlNdarray *pedestal = &m->files.arrays[FL_CONSTANT_PEDESTAL];
  guint cells = 1;
  if (m->made->kind == FL_DETECTOR_AGIPD)
    {
      if (m->files.arrays[FL_CONSTANT_THRESHOLD].values == NULL)
        {
          g_set_error (
              error, FL_ERROR, FL_ERROR_MISSING,
              "%s: has no thresholds between the gains, expected pixel_threshold or DigitalGainLevel",
              pedestal->path);
          return FALSE;
        }
      cells = (guint) CLAMP (pedestal->n / (3 * n), 1, MAX_CELLS);
    }
  m->made->n_cells = cells;
  for (guint k = 0; k < FL_CONSTANT_KINDS; k++)
    {
      const FlNdarray *array = &m->files.arrays[k];
      gsize all = n * cells, stages = k == FL_CONSTANT_THRESHOLD ? 2
                                      : k == FL_CONSTANT_CONFIG  ? 1
                                                                 : m->stages;
      gboolean alike = k == FL_CONSTANT_STATUS || k == FL_CONSTANT_OFFSET || k == FL_CONSTANT_RMS;
      if (array->values == NULL || array->n == all * stages || (alike && array->n == n)
          || (k == FL_CONSTANT_GAIN && array->n == stages)
          || (k == FL_CONSTANT_THRESHOLD && array->n == all * 3)
          || (m->made->kind == FL_DETECTOR_JUNGFRAU && array->n == 4 * n))
        continue;
      return wrong_size (array, all, (guint) stages, error);
    }
  return TRUE;
}

/* --- tables --- */

/* The values of a stage in a cell; one set for all where the array is that short; NULL: there is no such array. */
static const float *
values_of (const Making *m, FlConstantKind kind, guint stage, guint cell)
{
  const FlNdarray *array = &m->files.arrays[kind];
  gsize n = m->detector->n_pixels;
  if (array->values == NULL || array->n < n)
    return NULL;
  return array->n == n ? array->values : array->values + ((gsize) stage * m->made->n_cells + cell) * n;
}

/* ADU a unit of a stage where it is one number; 0: none is told. */
static double
gain_of_stage (const Making *m, guint stage)
{
  static const double epix[] = { 16.4, 5.466, 0.164, 16.4, 5.466, 0.164, 0.164 };
  const FlNdarray *array = &m->files.arrays[FL_CONSTANT_GAIN];
  if (m->options->n_gain > 0)
    return m->options->gain[stage];
  if (array->values != NULL && array->n == m->stages)
    return (double) array->values[stage];
  return m->made->kind == FL_DETECTOR_EPIX10K && array->values == NULL && !m->options->gain_per_photon
             ? epix[stage]
             : 0;
}

/* Writes one stage of one cell: to every pixel, or to those where chosen[i] == pick. */
static void
fill (const Making *m, guint stage, guint cell, const guint8 *chosen, guint8 pick, float *pedestal,
      float *factor)
{
  const float *zero = values_of (m, FL_CONSTANT_PEDESTAL, stage, cell),
              *offset = values_of (m, FL_CONSTANT_OFFSET, stage, cell),
              *status = values_of (m, FL_CONSTANT_STATUS, stage, cell),
              *gain = values_of (m, FL_CONSTANT_GAIN, stage, cell);
  double one = gain_of_stage (m, stage);
  gboolean rails = m->made->kind != FL_DETECTOR_PLAIN && m->made->kind != FL_DETECTOR_CSPAD;
  if (m->options->n_gain > 0)
    gain = NULL;
  for (gsize i = 0; i < m->made->n_pixels; i++)
    {
      if (chosen != NULL && chosen[i] != pick)
        continue;
      double g = gain != NULL ? (double) gain[i] : one;
      /* A pedestal at the end of the range was never measured. */
      gboolean bad = !isfinite (zero[i]) || (rails && (zero[i] <= 0 || zero[i] >= ADU_MAX)) || !isfinite (g)
                     || g == 0 || (status != NULL && status[i] != 0);
      pedestal[i] = bad ? NAN : zero[i] + (offset != NULL ? offset[i] : 0);
      factor[i] = bad ? NAN : (float) (1 / g);
    }
}

static void
new_slot (FlConstants *made, guint slot)
{
  gsize n = made->n_pixels * made->n_cells;
  made->pedestal[slot] = g_new (float, n);
  made->factor[slot] = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    made->pedestal[slot][i] = made->factor[slot][i] = NAN;
  made->last_slot = MAX (made->last_slot, slot);
}

static void
fill_slots (const Making *m, const guint *slots, guint n_slots)
{
  FlConstants *made = m->made;
  for (guint stage = 0; stage < n_slots; stage++)
    {
      new_slot (made, slots[stage]);
      for (guint cell = 0; cell < made->n_cells; cell++)
        fill (m, stage, cell, NULL, 0, made->pedestal[slots[stage]] + cell * made->n_pixels,
              made->factor[slots[stage]] + cell * made->n_pixels);
    }
}

/* The range of an ePix10k's pixel: bits 2 and 3 of its configuration, its ASIC's trbit as bit 4, the datum's bit 14 as bit
 * 5. 7: no such configuration. */
static guint8
epix_range (guint word)
{
  if ((word & 28) == 28)
    return 0;
  if ((word & 28) == 12)
    return 1;
  if ((word & 12) == 8)
    return 2;
  switch (word & 60)
    {
    case 16:
      return 3;
    case 0:
      return 4;
    case 48:
      return 5;
    case 32:
      return 6;
    default:
      return 7;
    }
}

static gboolean
fill_epix (const Making *m, GError **error)
{
  static const guint8 words[] = { 28, 12, 8, 16, 0 }; /* FH FM FL AHL AML */
  const float *config = m->files.arrays[FL_CONSTANT_CONFIG].values;
  gsize n = m->made->n_pixels;
  guint mode = m->options->epix_mode;
  g_autofree guint8 *range = g_new (guint8, n);
  if (mode == 0 && config == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: does not tell the pixels' configuration, expected pixel_config or detector.epix_mode",
                   m->files.arrays[FL_CONSTANT_PEDESTAL].path);
      return FALSE;
    }
  for (guint slot = 0; slot < 2; slot++)
    {
      new_slot (m->made, slot);
      for (gsize i = 0; i < n; i++)
        {
          guint word = mode > 0                              ? words[mode - 1]
                       : config[i] >= 0 && config[i] < 65536 ? (guint) config[i]
                                                             : 4;
          range[i] = epix_range ((word & 28) | slot << 5);
        }
      for (guint8 stage = 0; stage < 7; stage++)
        fill (m, stage, 0, range, stage, m->made->pedestal[slot], m->made->factor[slot]);
    }
  return TRUE;
}

static void
fill_thresholds (const Making *m)
{
  const FlNdarray *array = &m->files.arrays[FL_CONSTANT_THRESHOLD];
  gsize all = m->made->n_pixels * m->made->n_cells;
  for (guint i = 0; i < 2; i++)
    {
      /* Of three, the first is where the highest gain begins. */
      gsize from = array->n == 3 * all ? i + 1 : i;
      m->made->threshold[i] = g_new (float, all);
      memcpy (m->made->threshold[i], array->values + from * all, all * sizeof (float));
    }
}

/* Gains that the geometry tells, where nobody else does. */
static gboolean
gains_of_panels (Making *m, GError **error)
{
  FlConstants *made = m->made;
  if (m->options->n_gain > 0 || m->files.arrays[FL_CONSTANT_GAIN].values != NULL
      || made->kind == FL_DETECTOR_EPIX10K)
    return TRUE;
  if (m->stages > 1)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: no gains beside the pedestals, expected pixel_gain (or gains) or detector.gain",
                   m->options->constants);
      return FALSE;
    }
  FlNdarray *array = &m->files.arrays[FL_CONSTANT_GAIN];
  array->n = made->n_pixels;
  array->values = g_new0 (float, made->n_pixels);
  made->per_photon = !(m->detector->panels[0].counts_per_ev > 0);
  for (guint p = 0; p < m->detector->n_panels; p++)
    {
      const FlPanel *panel = &m->detector->panels[p];
      float gain = (float) (made->per_photon ? panel->gain : 1000 * panel->counts_per_ev);
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          array->values[panel->offset + ss * panel->stride + fs] = gain;
    }
  return TRUE;
}

/* --- bad pixels --- */

/* Too noisy or too quiet in the highest gain: bad in all. */
static void
mask_noise (const Making *m)
{
  const float *rms = values_of (m, FL_CONSTANT_RMS, 0, 0);
  FlConstants *made = m->made;
  gsize n = 0;
  double low = m->options->noise_low, high = m->options->noise_high;
  if (rms == NULL || (low <= 0 && high <= 0))
    return;
  g_autofree float *sorted = g_new (float, made->n_pixels);
  for (gsize i = 0; i < made->n_pixels; i++)
    if (!made->bad[i] && isfinite (rms[i]))
      sorted[n++] = rms[i];
  double median = (double) fl_median (sorted, n);
  for (gsize i = 0; i < made->n_pixels; i++)
    if (!((double) rms[i] >= low * median) || (high > 0 && !((double) rms[i] <= high * median)))
      made->bad[i] = 1;
}

static void
note_bad (const Making *m)
{
  FlConstants *made = m->made;
  gsize n = 0;
  made->bad = g_new (guint8, made->n_pixels);
  g_autofree float *factors = g_new (float, made->n_pixels);
  for (gsize i = 0; i < made->n_pixels; i++)
    {
      made->bad[i] = 1;
      for (guint cell = 0; cell < made->n_cells; cell++)
        made->bad[i] = made->bad[i] && isnan (made->pedestal[0][cell * made->n_pixels + i]);
      if (!isnan (made->factor[0][i]))
        factors[n++] = fabsf (made->factor[0][i]);
    }
  made->unit_per_adu = (double) fl_median (factors, n);
  mask_noise (m);
}

/* --- one for all --- */

static FlConstants *kept;
static GMutex lock;

static gint64
time_of (const char *path)
{
  struct stat about;
  return stat (path, &about) == 0 ? (gint64) about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec : -1;
}

static void
note_path (FlConstants *constants, const char *path)
{
  gint64 when = time_of (path);
  g_ptr_array_add (constants->paths, g_strdup (path));
  g_array_append_val (constants->times, when);
}

static gboolean
is_current (const FlConstants *constants)
{
  for (guint i = 0; i < constants->paths->len; i++)
    if (time_of (constants->paths->pdata[i]) != g_array_index (constants->times, gint64, i))
      return FALSE;
  return TRUE;
}

void
fl_constants_unref (FlConstants *constants)
{
  if (constants == NULL || !g_atomic_int_dec_and_test (&constants->ref_count))
    return;
  for (guint i = 0; i < FL_GAIN_SLOTS; i++)
    {
      g_free (constants->pedestal[i]);
      g_free (constants->factor[i]);
    }
  g_free (constants->threshold[0]);
  g_free (constants->threshold[1]);
  g_free (constants->bad);
  g_free (constants->key);
  g_ptr_array_unref (constants->paths);
  g_array_unref (constants->times);
  g_free (constants);
}

static gboolean
make_tables (Making *m, GError **error)
{
  static const guint plain[] = { 0 }, jungfrau[] = { 0, 1, 3 }, agipd[] = { 0, 1, 2 };
  FlConstants *made = m->made;
  made->per_photon = m->options->gain_per_photon;
  for (guint k = 0; k < FL_CONSTANT_KINDS; k++)
    lay_out_cspad (m->detector, &m->files.arrays[k]);
  if (!check_sizes (m, error) || !gains_of_panels (m, error))
    return FALSE;
  if (m->options->n_gain > 0 && m->options->n_gain != m->stages)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "detector.gain has %u numbers, expected %u for %s",
                   m->options->n_gain, m->stages, fl_detector_kind_name (made->kind));
      return FALSE;
    }
  if (made->kind == FL_DETECTOR_EPIX10K)
    {
      if (!fill_epix (m, error))
        return FALSE;
    }
  else
    fill_slots (m,
                made->kind == FL_DETECTOR_JUNGFRAU ? jungfrau
                : made->kind == FL_DETECTOR_AGIPD  ? agipd
                                                   : plain,
                m->stages);
  if (made->kind == FL_DETECTOR_AGIPD)
    fill_thresholds (m);
  note_bad (m);
  return TRUE;
}

static FlConstants *
make_constants (const FlCalibrationOptions *options, const FlDetector *detector, GError **error)
{
  g_autoptr (FlConstants) made = g_new0 (FlConstants, 1);
  Making m = { .options = options, .detector = detector, .made = made };
  made->ref_count = 1;
  made->n_pixels = detector->n_pixels;
  made->paths = g_ptr_array_new_with_free_func (g_free);
  made->times = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint stages = options->kind != FL_DETECTOR_AUTO ? stages_of (options->kind) : 3;
  gboolean ok = fl_constant_files_read (options, detector->n_pixels, stages, &m.files, error);
  if (ok)
    {
      made->kind = options->kind != FL_DETECTOR_AUTO  ? options->kind
                   : m.files.kind != FL_DETECTOR_AUTO ? m.files.kind
                                                      : guess_kind (&m.files, detector->n_pixels);
      m.stages = stages_of (made->kind);
      ok = make_tables (&m, error);
    }
  for (guint k = 0; ok && k < FL_CONSTANT_KINDS; k++)
    if (m.files.arrays[k].path != NULL)
      note_path (made, m.files.arrays[k].path);
  note_path (made, options->constants);
  fl_constant_files_clear (&m.files);
  return ok ? g_steal_pointer (&made) : NULL;
}

/* All that tables depend on. */
static char *
make_key (const FlCalibrationOptions *o, const FlDetector *detector)
{
  guint64 panels = 0;
  GString *key = g_string_new (o->constants);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      double values[] = {
        p->gain, p->counts_per_ev, (double) p->offset, p->n_fs, p->n_ss, (double) p->stride
      };
      panels = fl_hash64 (values, sizeof values, panels);
    }
  g_string_append_printf (
      key, "\n%d %s %" G_GINT64_FORMAT " %d %u %.17g %.17g %" G_GSIZE_FORMAT " %" G_GUINT64_FORMAT, o->kind,
      o->source, o->run, o->gain_per_photon, o->epix_mode, o->noise_low, o->noise_high, detector->n_pixels,
      panels);
  for (guint i = 0; i < o->n_gain; i++)
    g_string_append_printf (key, " %.17g", o->gain[i]);
  return g_string_free (key, FALSE);
}

FlConstants *
fl_constants_get (const FlCalibrationOptions *options, const FlDetector *detector, GError **error)
{
  g_autofree char *key = make_key (options, detector);
  g_mutex_lock (&lock);
  if (kept == NULL || strcmp (kept->key, key) != 0 || !is_current (kept))
    {
      g_clear_pointer (&kept, fl_constants_unref);
      kept = make_constants (options, detector, error);
      if (kept != NULL)
        kept->key = g_steal_pointer (&key);
    }
  FlConstants *constants = kept;
  if (constants != NULL)
    g_atomic_int_inc (&constants->ref_count);
  g_mutex_unlock (&lock);
  return constants;
}
