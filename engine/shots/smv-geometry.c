#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/shots/flat-panel.h"
#include "engine/shots/smv.h"

/* --- counts --- */

/* Counts a photon of ADSC's CCDs, as dxtbx has them (data sheets and experience, 20 % at best). */
static double
adsc_gain (const FlSmv *smv)
{
  static const struct
  {
    guint edge;
    double pixel, gain; /* mm */
  } models[] = { { 2304, 0.0816, 1.25 }, { 4096, 0.0512, 2.4 }, { 2048, 0.1024, 2.4 }, { 6144, 0.0512, 2.4 },
                 { 3072, 0.1024, 2.4 },  { 4168, 0.0648, 2.8 }, { 2084, 0.1296, 2.8 } };
  double given = fl_smv_number (smv, "GAIN", 0), pixel = fl_smv_number (smv, "PIXEL_SIZE", 0);
  if (given > 0)
    return given;
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++)
    if (smv->n_fs == models[i].edge && smv->n_ss == models[i].edge && fabs (pixel - models[i].pixel) < 1e-6)
      return models[i].gain;
  return 1;
}

/* Of values from which the pedestal is taken. CCDs read 0 where a pixel is dead, counting detectors where no photon came. */
static void
set_trust (const FlSmv *smv, FlPanel *panel, double lowest)
{
  double highest = smv->type == FL_PIXEL_U16 && smv->ratio == 1 ? 65535 : INFINITY;
  highest = fl_smv_number (smv, "SATURATED_VALUE", fl_smv_number (smv, "CCD_IMAGE_SATURATION", highest));
  panel->trusted_min = lowest - smv->pedestal;
  if (highest > 0)
    panel->saturation = panel->trusted_max = highest - smv->pedestal;
}

/* --- d*TREK --- */

/* A value of the first detector: its name stands before the key. */
static gboolean
of_detector (const FlSmv *smv, const char *key, double *values, guint n)
{
  const char *names = fl_smv_text (smv, "DETECTOR_NAMES");
  g_autofree char *name = g_strndup (names != NULL ? names : "", names != NULL ? strcspn (names, " \t") : 0);
  g_autofree char *whole = g_strconcat (name, key, NULL);
  return fl_smv_numbers (smv, whole, values, n) == n;
}

/* Carries the panel along the detector's axes: their values move it in mm or turn it in degrees, the last one first. */
static gboolean
follow_axes (const FlSmv *smv, FlVec3 *origin, FlVec3 *fs, FlVec3 *ss)
{
  double count = 0, values[8], vectors[24];
  if (!of_detector (smv, "GONIO_NUM_VALUES", &count, 1) || !(count >= 1 && count <= 8))
    return FALSE;
  guint n = (guint) count;
  const char *names = fl_smv_text (smv, "DETECTOR_NAMES");
  g_autofree char *name = g_strndup (names, strcspn (names, " \t"));
  g_autofree char *key = g_strconcat (name, "GONIO_UNITS", NULL);
  g_auto (GStrv) units =
      g_strsplit_set (fl_smv_text (smv, key) != NULL ? fl_smv_text (smv, key) : "", " \t", -1);
  if (!of_detector (smv, "GONIO_VALUES", values, n) || !of_detector (smv, "GONIO_VECTORS", vectors, 3 * n)
      || g_strv_length (units) < n)
    return FALSE;
  for (guint i = n; i-- > 0;)
    {
      FlVec3 axis = fl_vec3 (vectors[3 * i], vectors[3 * i + 1], vectors[3 * i + 2]);
      if (strcmp (units[i], "mm") == 0)
        *origin = fl_vec3_add (*origin, fl_vec3_scale (axis, values[i]));
      else if (strcmp (units[i], "deg") == 0 && fl_vec3_norm (axis) > 0)
        {
          FlMat3 turn = fl_mat3_rotation (fl_vec3_unit (axis), fl_radians (values[i]));
          *origin = fl_mat3_apply (&turn, *origin);
          *fs = fl_mat3_apply (&turn, *fs);
          *ss = fl_mat3_apply (&turn, *ss);
        }
      else
        return FALSE;
    }
  return TRUE;
}

/* Half a turn about y leads from d*TREK's frame (z to the source) to ours. */
static FlVec3
to_our_frame (FlVec3 v)
{
  return fl_vec3 (-v.x, v.y, -v.z);
}

static gboolean
place_dtrek (const FlSmv *smv, FlPanel *panel)
{
  double v[6], info[4], mix[4] = { 1, 0, 0, 1 }, source[3] = { 0, 0, 1 };
  fl_smv_numbers (smv, "SOURCE_VECTORS", source, 3);
  if (!of_detector (smv, "DETECTOR_VECTORS", v, 6) || !of_detector (smv, "SPATIAL_DISTORTION_INFO", info, 4)
      || source[0] != 0 || source[1] != 0 || !(source[2] > 0) || !(info[2] > 0) || !(info[3] > 0))
    return FALSE;
  if (fl_smv_text (smv, "NOIR1_CREATED") != NULL)
    of_detector (smv, "SPATIAL_BEAM_POSITION", info, 2);
  of_detector (smv, "SPATIAL_DISTORTION_VECTORS", mix, 4);
  FlVec3 x = fl_vec3 (v[0], v[1], v[2]), y = fl_vec3 (v[3], v[4], v[5]);
  FlVec3 fs = fl_vec3_add (fl_vec3_scale (x, mix[0]), fl_vec3_scale (y, mix[1]));
  FlVec3 ss = fl_vec3_add (fl_vec3_scale (x, mix[2]), fl_vec3_scale (y, mix[3]));
  FlVec3 origin = fl_vec3_scale (
      fl_vec3_add (fl_vec3_scale (fs, info[0] * info[2]), fl_vec3_scale (ss, info[1] * info[3])), -1);
  if (!follow_axes (smv, &origin, &fs, &ss) || !(fl_vec3_norm (fl_vec3_cross (fs, ss)) > 1e-6))
    return FALSE;
  panel->pixel_size = info[2];
  panel->fs = to_our_frame (fl_vec3_scale (fs, info[2]));
  panel->ss = to_our_frame (fl_vec3_scale (ss, info[3]));
  panel->origin = to_our_frame (origin);
  return TRUE;
}

/* --- ADSC and those like it --- */

/* At APS' ID19: pixels, the other way round, under a name that begins with the detector's. */
static gboolean
spatial_centre (const FlSmv *smv, double *x, double *y)
{
  double pixel = fl_smv_number (smv, "PIXEL_SIZE", NAN), at[2];
  GHashTableIter values;
  gpointer key;
  g_hash_table_iter_init (&values, smv->values);
  while (g_hash_table_iter_next (&values, &key, NULL))
    if (g_str_has_suffix (key, "_SPATIAL_BEAM_POSITION") && fl_smv_numbers (smv, key, at, 2) == 2)
      {
        *y = at[1] * pixel;
        *x = (smv->n_ss - at[0]) * pixel;
        return TRUE;
      }
  return FALSE;
}

/* Which keys hold the right centre is known by the serial number. */
static void
beam_centre (const FlSmv *smv, double *x, double *y)
{
  static const struct
  {
    int serial;
    const char *x, *y;
  } denzo[] = { { 445, "DENZO_XBEAM", "DENZO_YBEAM" },
                { 905, "DENZO_XBEAM", "DENZO_YBEAM" },
                { 905, "DENZO_BEAM_CENTER_X", "DENZO_BEAM_CENTER_Y" },
                { 907, "DENZO_X_BEAM", "DENZO_Y_BEAM" },
                { 926, "DENZO_X_BEAM", "DENZO_Y_BEAM" } };
  int serial = (int) CLAMP (fl_smv_number (smv, "DETECTOR_SN", 0), 0, 1e6);
  *x = fl_smv_number (smv, "BEAM_CENTER_X", NAN);
  *y = fl_smv_number (smv, "BEAM_CENTER_Y", NAN);
  if ((serial == 458 || serial == 914) && spatial_centre (smv, x, y))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (denzo); i++)
    if (denzo[i].serial == serial && fl_smv_text (smv, denzo[i].x) != NULL)
      {
        *x = fl_smv_number (smv, denzo[i].x, NAN);
        *y = fl_smv_number (smv, denzo[i].y, NAN);
        return;
      }
}

static FlDetector *
adsc_detector (const FlSmv *smv)
{
  double x, y;
  FlFlatPanel flat = { .n_fs = smv->n_fs,
                       .n_ss = smv->n_ss,
                       .distance = fl_smv_number (smv, "DISTANCE", NAN),
                       .two_theta = fl_smv_number (smv, "TWOTHETA", 0) };
  flat.pixel_fs = flat.pixel_ss = fl_smv_number (smv, "PIXEL_SIZE", NAN);
  beam_centre (smv, &x, &y);
  flat.beam_fs = y;
  flat.beam_ss = x;
  if (g_strcmp0 (fl_smv_text (smv, "BEAMLINE"), "fake") == 0)
    {
      flat.beam_fs = x + flat.pixel_fs;
      flat.beam_ss = flat.pixel_ss * smv->n_ss - y + flat.pixel_ss;
    }
  /* Stockholm's electron microscopes: pixels, X along the fast direction. */
  const char *beamline = fl_smv_text (smv, "BEAMLINE");
  if (beamline != NULL && g_ascii_strcasecmp (beamline, "TimePix_SU") == 0)
    {
      flat.beam_fs = x * flat.pixel_fs;
      flat.beam_ss = y * flat.pixel_ss;
    }
  FlDetector *detector = fl_flat_detector (&flat);
  detector->panels[0].gain = adsc_gain (smv);
  set_trust (smv, &detector->panels[0], -1);
  return detector;
}

/* --- all --- */

/* d*TREK's SOURCE_WAVELENGTH is a count and the wavelengths. */
static double
wavelength (const FlSmv *smv)
{
  double source[2] = { 0, 0 };
  fl_smv_numbers (smv, "SOURCE_WAVELENGTH", source, 2);
  double v = fl_smv_number (smv, "SCAN_WAVELENGTH", fl_smv_number (smv, "WAVELENGTH", source[1]));
  return v > 0 ? v : 0;
}

FlDetector *
fl_smv_detector (const FlSmv *smv)
{
  FlDetector *detector = adsc_detector (smv);
  FlPanel *panel = &detector->panels[0];
  /* A header may have both kinds of keys: d*TREK's date tells whose it is. */
  gboolean dtrek = fl_smv_text (smv, "DETECTOR_NAMES") != NULL
                   && (!detector->placed || fl_smv_text (smv, "DTREK_DATE_TIME") != NULL);
  if (dtrek && place_dtrek (smv, panel))
    {
      gboolean counting = smv->type == FL_PIXEL_I32 || smv->type == FL_PIXEL_U32;
      detector->placed = TRUE;
      panel->gain = fl_smv_number (smv, "GAIN", 1);
      set_trust (smv, panel, counting ? -1 : 0);
    }
  detector->wavelength = wavelength (smv);
  return detector;
}
