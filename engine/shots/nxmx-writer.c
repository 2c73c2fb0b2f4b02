#include "engine/shots/nxmx-writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/hdf5-util.h"
#include "engine/shots/nxmx-write.h"

#define DETECTOR        "/entry/instrument/detector"
#define TRANSFORMATIONS DETECTOR "/transformations"
/* mm. DIALS takes no NXmx without a thickness; with this one its correction of parallax is nothing. */
#define NO_THICKNESS 1e-6

struct FlNxmxWriter
{
  char *path, *partial;
  FlDetector *detector;
  FlPixelType type;
  FlCompression compression;
  char *description, *sample, *material;
  double sensor_thickness;
  FlNxmxFields fields;
  hid_t data;
  gsize height, width;
  gsize *row;        /* of each panel in the data; all begin in column 0 */
  gboolean in_place; /* the data are the shot's array */
  double low, high;  /* the smallest and the largest good value of any panel */
  guint8 *frame, *packed;
  guint8 *bad;              /* n_pixels: bad in this shot */
  GArray *energies, *times; /* of double (eV), guint64 */
  GArray *shifts;           /* of FlVec3 */
};

static gboolean
failed (GError **error, const char *path)
{
  return fl_h5_fail (error, FL_ERROR_FAILED, path, "cannot be written (is the disk full?)");
}

/* --- where panels lie in the data --- */

/* Panels that are as wide as the data: DIALS' reader cuts no others out of a mask. */
static gboolean
shares_one_slab (const FlDetector *detector)
{
  gsize stride = detector->panels[0].stride;
  if (stride == 0 || detector->n_pixels % stride != 0)
    return FALSE;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      if (panel->stride != stride || panel->offset % stride != 0 || panel->n_fs != stride)
        return FALSE;
    }
  return TRUE;
}

static void
lay_out (FlNxmxWriter *w)
{
  const FlDetector *detector = w->detector;
  w->row = g_new0 (gsize, detector->n_panels);
  w->in_place = shares_one_slab (detector);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      w->row[i] = w->in_place ? panel->offset / panel->stride : w->height;
      w->height += panel->n_ss;
      w->width = MAX (w->width, panel->n_fs);
    }
  if (w->in_place)
    {
      w->width = detector->panels[0].stride;
      w->height = detector->n_pixels / w->width;
    }
}

/* Copies what is one `size` bytes a pixel from the shot's order into the data's. */
static void
arrange (const FlNxmxWriter *w, const guint8 *from, gsize size, guint8 *to)
{
  for (guint i = 0; i < w->detector->n_panels; i++)
    {
      const FlPanel *panel = &w->detector->panels[i];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        memcpy (to + (w->row[i] + ss) * w->width * size, from + (panel->offset + ss * panel->stride) * size,
                panel->n_fs * size);
    }
}

/* --- values --- */

static gboolean
is_real (FlPixelType type)
{
  return type == FL_PIXEL_F32 || type == FL_PIXEL_F64;
}

/* What put_bad_value puts is no value to any reader, whether or not there is such a pixel. */
static double
type_limit (FlPixelType type, gboolean upper)
{
  static const double limits[][2] = { { 0, 254 },    { 0, 65534 },      { 0, 4294967294.0 },
                                      { -127, 127 }, { -32767, 32767 }, { -2147483647, 2147483647 } };
  return is_real (type) ? (upper ? INFINITY : -INFINITY) : limits[type][upper];
}

/* The limits of a panel are not inside its range, NXmx' are. */
static void
find_limits (FlNxmxWriter *w)
{
  w->low = INFINITY;
  w->high = -INFINITY;
  for (guint i = 0; i < w->detector->n_panels; i++)
    {
      const FlPanel *panel = &w->detector->panels[i];
      double top = MIN (panel->trusted_max, panel->saturation);
      gboolean real = is_real (w->type);
      w->low = MIN (w->low, real ? nextafter (panel->trusted_min, INFINITY) : floor (panel->trusted_min) + 1);
      w->high = MAX (w->high, real ? nextafter (top, -INFINITY) : ceil (top) - 1);
    }
  w->low = MAX (w->low, type_limit (w->type, FALSE));
  w->high = MIN (w->high, type_limit (w->type, TRUE));
}

static void
put_bad_value (FlPixelType type, guint8 *pixels, gsize i)
{
  switch (type)
    {
    case FL_PIXEL_F32:
      ((float *) pixels)[i] = NAN;
      break;
    case FL_PIXEL_F64:
      ((double *) pixels)[i] = NAN;
      break;
    case FL_PIXEL_U8:
      pixels[i] = G_MAXUINT8;
      break;
    case FL_PIXEL_U16:
      ((guint16 *) pixels)[i] = G_MAXUINT16;
      break;
    case FL_PIXEL_U32:
      ((guint32 *) pixels)[i] = G_MAXUINT32;
      break;
    case FL_PIXEL_I8:
      ((gint8 *) pixels)[i] = G_MININT8;
      break;
    case FL_PIXEL_I16:
      ((gint16 *) pixels)[i] = G_MININT16;
      break;
    case FL_PIXEL_I32:
    default:
      ((gint32 *) pixels)[i] = G_MININT32;
      break;
    }
}

/* --- the file --- */

static void
make_data (FlNxmxWriter *w)
{
  const hsize_t none[3] = { 0, w->height, w->width }, most[3] = { H5S_UNLIMITED, w->height, w->width };
  const hsize_t chunk[3] = { 1, w->height, w->width };
  hid_t space = H5Screate_simple (3, none, most), create = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_chunk (create, 3, chunk);
  H5Pset_obj_track_times (create, 0);
  fl_chunk_set_filter (create, w->compression, fl_pixel_size (w->type));
  w->data = H5Dcreate2 (w->fields.file, "/entry/data/data", fl_h5_memory_type (w->type), space, H5P_DEFAULT,
                        create, H5P_DEFAULT);
  w->fields.failed |= w->data < 0;
  H5Pclose (create);
  H5Sclose (space);
}

static void
write_mask (FlNxmxWriter *w)
{
  const hsize_t dims[2] = { w->height, w->width };
  g_autofree guint8 *mask = g_malloc (w->height * w->width);
  memset (mask, 1, w->height * w->width);
  arrange (w, w->detector->mask, 1, mask);
  hid_t space = H5Screate_simple (2, dims, NULL), create = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_chunk (create, 2, dims);
  H5Pset_obj_track_times (create, 0);
  fl_chunk_set_filter (create, FL_COMPRESSION_DEFLATE, 4);
  hid_t set = H5Dcreate2 (w->fields.file, DETECTOR "/pixel_mask", H5T_STD_U32LE, space, H5P_DEFAULT, create,
                          H5P_DEFAULT);
  w->fields.failed |= set < 0 || H5Dwrite (set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, mask) < 0;
  if (set >= 0)
    H5Dclose (set);
  H5Pclose (create);
  H5Sclose (space);
}

static void
write_direction (FlNxmxFields *f, const char *module, const char *name, FlVec3 step)
{
  g_autofree char *path = g_strdup_printf ("%s/%s_pixel_direction", module, name);
  g_autofree char *depends_on = g_strdup_printf ("%s/module_offset", module);
  FlVec3 unit = fl_vec3_unit (step);
  const double vector[3] = { unit.x, unit.y, unit.z }, size = fl_vec3_norm (step);
  fl_nxmx_axis (f, path, FALSE, 1, &size, "mm", vector, depends_on);
}

/* Names of groups hold no '/', and are not the detector's own. */
static char *
module_path (const FlNxmxWriter *w, guint i)
{
  g_autofree char *name = g_strdelimit (g_strdup (w->detector->panels[i].name), "/", '_');
  g_autofree char *path = g_strdup_printf (DETECTOR "/%s", name);
  if (*name != '\0' && strcmp (name, ".") != 0 && H5Lexists (w->fields.file, path, H5P_DEFAULT) == 0)
    return g_steal_pointer (&path);
  return g_strdup_printf (DETECTOR "/module_%u", i);
}

static void
write_module (FlNxmxWriter *w, guint i, double z, const char *depends_on)
{
  const FlPanel *panel = &w->detector->panels[i];
  FlNxmxFields *f = &w->fields;
  g_autofree char *module = module_path (w, i);
  g_autofree char *origin = g_strconcat (module, "/data_origin", NULL);
  g_autofree char *size = g_strconcat (module, "/data_size", NULL);
  g_autofree char *offset = g_strconcat (module, "/module_offset", NULL);
  const gint64 from[2] = { (gint64) w->row[i], 0 }, n[2] = { panel->n_ss, panel->n_fs };
  FlVec3 place = fl_vec3_sub (panel->origin, fl_vec3 (0, 0, z)), unit = fl_vec3_unit (place);
  double length = fl_vec3_norm (place);
  const double vector[3] = { length > 0 ? unit.x : 1, unit.y, unit.z };
  fl_nxmx_group (f, module, "NXdetector_module");
  fl_nxmx_whole (f, origin, 2, from);
  fl_nxmx_whole (f, size, 2, n);
  fl_nxmx_axis (f, offset, FALSE, 1, &length, "mm", vector, depends_on);
  write_direction (f, module, "fast", panel->fs);
  write_direction (f, module, "slow", panel->ss);
}

static gboolean
all_equal (const GArray *values)
{
  for (guint i = 1; i < values->len; i++)
    if (g_array_index (values, double, i) != g_array_index (values, double, 0))
      return FALSE;
  return TRUE;
}

/* Each axis has one value when the shots do not differ. Gives the name of the one that modules hang on. */
static const char *
write_chain (FlNxmxWriter *w, double z)
{
  static const char *const names[] = { TRANSFORMATIONS "/detector_y", TRANSFORMATIONS "/detector_x",
                                       TRANSFORMATIONS "/detector_z" };
  const char *depends_on = ".";
  fl_nxmx_group (&w->fields, TRANSFORMATIONS, "NXtransformations");
  for (guint axis = 0; axis < 3; axis++)
    {
      const double vector[3] = { axis == 1, axis == 0, axis == 2 };
      double first = axis == 2 ? z : 0;
      g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));
      for (guint i = 0; i < w->shifts->len; i++)
        {
          FlVec3 shift = g_array_index (w->shifts, FlVec3, i);
          double v = axis == 0 ? shift.y : axis == 1 ? shift.x : z + shift.z;
          g_array_append_val (values, v);
        }
      if (values->len == 0)
        g_array_append_val (values, first);
      gboolean one = all_equal (values);
      if (axis < 2 && one && g_array_index (values, double, 0) == 0)
        continue;
      fl_nxmx_axis (&w->fields, names[axis], FALSE, one ? 1 : values->len, (const double *) values->data,
                    "mm", vector, depends_on);
      depends_on = names[axis];
    }
  return depends_on;
}

static void
write_detector (FlNxmxWriter *w)
{
  FlNxmxFields *f = &w->fields;
  const FlPanel *first = &w->detector->panels[0];
  double z = first->origin.z, thickness = w->sensor_thickness > 0 ? w->sensor_thickness : NO_THICKNESS,
         x_size = fl_vec3_norm (first->fs), y_size = fl_vec3_norm (first->ss),
         distance = fabs (fl_vec3_dot (first->origin, fl_vec3_unit (fl_vec3_cross (first->fs, first->ss))));
  g_autofree double *gains = g_new (double, w->detector->n_panels);
  fl_nxmx_text (f, DETECTOR "/description", w->description);
  fl_nxmx_text (f, DETECTOR "/sensor_material", w->material);
  fl_nxmx_reals (f, DETECTOR "/sensor_thickness", 0, &thickness, "mm");
  fl_nxmx_reals (f, DETECTOR "/distance", 0, &distance, "mm");
  fl_nxmx_reals (f, DETECTOR "/x_pixel_size", 0, &x_size, "mm");
  fl_nxmx_reals (f, DETECTOR "/y_pixel_size", 0, &y_size, "mm");
  if (isfinite (w->high))
    fl_nxmx_reals (f, DETECTOR "/saturation_value", 0, &w->high, NULL);
  if (isfinite (w->low))
    fl_nxmx_reals (f, DETECTOR "/underload_value", 0, &w->low, NULL);
  write_mask (w);
  const char *depends_on = write_chain (w, z);
  fl_nxmx_text (f, DETECTOR "/depends_on", depends_on);
  for (guint i = 0; i < w->detector->n_panels; i++)
    {
      write_module (w, i, z, depends_on);
      gains[i] = w->detector->panels[i].gain;
    }
  fl_nxmx_group (f, DETECTOR "/detectorSpecific", "NXcollection");
  fl_nxmx_reals (f, DETECTOR "/detectorSpecific/counts_per_photon", w->detector->n_panels, gains, NULL);
}

static char *
iso_time (guint64 time)
{
  g_autoptr (GDateTime) t = g_date_time_new_from_unix_utc ((gint64) (time / FL_NS_PER_S));
  g_autofree char *seconds = g_date_time_format (t, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf ("%s.%09uZ", seconds, (guint) (time % FL_NS_PER_S));
}

/* Seconds after the first shot, of each, are exact to a nanosecond for a hundred days. */
static void
write_times (FlNxmxWriter *w)
{
  guint64 first = G_MAXUINT64, last = 0;
  for (guint i = 0; i < w->times->len; i++)
    {
      guint64 t = g_array_index (w->times, guint64, i);
      first = MIN (first, t);
      last = MAX (last, t);
    }
  if (last == 0 || first == 0)
    return;
  g_autofree char *start = iso_time (first), *end = iso_time (last);
  g_autofree double *after = g_new (double, w->times->len);
  for (guint i = 0; i < w->times->len; i++)
    after[i] = (double) (g_array_index (w->times, guint64, i) - first) * 1e-9;
  fl_nxmx_text (&w->fields, "/entry/start_time", start);
  fl_nxmx_text (&w->fields, "/entry/end_time", end);
  fl_nxmx_reals (&w->fields, DETECTOR "/start_time", w->times->len, after, "s");
  fl_nxmx_text_attribute (&w->fields, DETECTOR "/start_time", "start", start);
}

static void
write_beam (FlNxmxWriter *w)
{
  g_autoptr (GArray) lambdas = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean known = w->energies->len > 0;
  for (guint i = 0; i < w->energies->len; i++)
    {
      double energy = g_array_index (w->energies, double, i), lambda = fl_wavelength_from_energy (energy);
      known &= energy > 0;
      g_array_append_val (lambdas, lambda);
    }
  if (!known)
    {
      g_array_set_size (lambdas, 0);
      g_array_append_val (lambdas, w->detector->wavelength);
      known = w->detector->wavelength > 0;
    }
  fl_nxmx_group (&w->fields, "/entry/instrument/beam", "NXbeam");
  if (known)
    fl_nxmx_reals (&w->fields, "/entry/instrument/beam/incident_wavelength",
                   all_equal (lambdas) ? 0 : lambdas->len, (const double *) lambdas->data, "angstrom");
}

static void
write_frame_of_file (FlNxmxWriter *w)
{
  FlNxmxFields *f = &w->fields;
  fl_nxmx_text_attribute (f, "/", "NX_class", "NXroot");
  fl_nxmx_text_attribute (f, "/", "default", "entry");
  fl_nxmx_group (f, "/entry", "NXentry");
  fl_nxmx_text_attribute (f, "/entry", "default", "data");
  fl_nxmx_text (f, "/entry/definition", "NXmx");
  fl_nxmx_group (f, "/entry/data", "NXdata");
  fl_nxmx_text_attribute (f, "/entry/data", "signal", "data");
  fl_nxmx_group (f, "/entry/instrument", "NXinstrument");
  fl_nxmx_group (f, DETECTOR, "NXdetector");
  fl_nxmx_group (f, "/entry/sample", "NXsample");
  fl_nxmx_text (f, "/entry/sample/name", w->sample);
  fl_nxmx_text (f, "/entry/sample/depends_on", ".");
  fl_nxmx_group (f, "/entry/source", "NXsource");
  fl_nxmx_text (f, "/entry/source/name", "unknown");
  make_data (w);
}

/* --- the writer --- */

static void
writer_free (FlNxmxWriter *w)
{
  if (w->data >= 0)
    H5Dclose (w->data);
  if (w->fields.file >= 0)
    H5Fclose (w->fields.file);
  fl_detector_unref (w->detector);
  g_array_unref (w->energies);
  g_array_unref (w->times);
  g_array_unref (w->shifts);
  g_free (w->row);
  g_free (w->frame);
  g_free (w->packed);
  g_free (w->bad);
  g_free (w->description);
  g_free (w->sample);
  g_free (w->material);
  g_free (w->path);
  g_free (w->partial);
  g_free (w);
}

FlNxmxWriter *
fl_nxmx_writer_new (const char *path, FlDetector *detector, FlPixelType type, const FlNxmxOptions *options,
                    GError **error)
{
  fl_h5_init ();
  FlNxmxWriter *w = g_new0 (FlNxmxWriter, 1);
  w->path = g_strdup (path);
  w->partial = g_strconcat (path, ".inprogress", NULL);
  w->detector = fl_detector_ref (detector);
  w->type = type;
  w->compression = options->compression;
  w->description = g_strdup (options->detector != NULL ? options->detector : "unknown");
  w->sample = g_strdup (options->sample != NULL ? options->sample : "unknown");
  w->material = g_strdup (options->material != NULL ? options->material : "Si");
  w->sensor_thickness = options->sensor_thickness;
  w->energies = g_array_new (FALSE, FALSE, sizeof (double));
  w->times = g_array_new (FALSE, FALSE, sizeof (guint64));
  w->shifts = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  w->data = -1;
  lay_out (w);
  find_limits (w);
  w->bad = g_malloc (detector->n_pixels);
  w->frame = g_malloc0 (w->height * w->width * fl_pixel_size (type));
  if (w->compression == FL_COMPRESSION_BITSHUFFLE || w->compression == FL_COMPRESSION_LZ4)
    w->packed = g_malloc (fl_chunk_bound (w->compression, w->height * w->width, fl_pixel_size (type)));
  w->fields.file = H5Fcreate (w->partial, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  w->fields.failed = w->fields.file < 0;
  if (!w->fields.failed)
    write_frame_of_file (w);
  if (!w->fields.failed)
    return w;
  failed (error, w->partial);
  fl_nxmx_writer_abandon (w);
  return NULL;
}

/* Bad in this shot alone, or by value: what the file's mask and limits do not say already. */
static gboolean
flag_pixels (FlNxmxWriter *w, const FlShot *shot)
{
  memset (w->bad, 0, shot->n_pixels);
  gboolean any = fl_shot_flag_pixels (shot, w->detector, w->bad), left = FALSE;
  for (gsize i = 0; any && i < shot->n_pixels; i++)
    if (w->bad[i])
      {
        double v = fl_shot_value (shot, i);
        left |= w->bad[i] = !(v < w->low || v > w->high);
      }
  for (gsize i = 0; shot->mask != NULL && i < shot->n_pixels; i++)
    left |= w->bad[i] |= shot->mask[i] && !w->detector->mask[i];
  return left;
}

gboolean
fl_nxmx_writer_append (FlNxmxWriter *w, const FlShot *shot, GError **error)
{
  gsize size = fl_pixel_size (w->type);
  if (shot->type != w->type || shot->n_pixels != w->detector->n_pixels)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: a shot has other pixels than the file, expected one detector for all", w->path);
      return FALSE;
    }
  const guint8 *pixels = shot->pixels;
  gboolean flagged = flag_pixels (w, shot);
  if (flagged)
    {
      guint8 *copy = g_malloc (shot->n_pixels * size);
      memcpy (copy, shot->pixels, shot->n_pixels * size);
      for (gsize i = 0; i < shot->n_pixels; i++)
        if (w->bad[i])
          put_bad_value (w->type, copy, i);
      pixels = copy;
    }
  if (!w->in_place)
    arrange (w, pixels, size, w->frame);
  gboolean ok = fl_chunk_append_frame (w->data, w->compression, fl_h5_memory_type (w->type), w->energies->len,
                                       w->height, w->width, w->in_place ? pixels : w->frame, w->packed);
  if (flagged)
    g_free ((guint8 *) pixels);
  g_array_append_val (w->energies, shot->energy);
  g_array_append_val (w->times, shot->time);
  g_array_append_val (w->shifts, shot->shift);
  return ok || failed (error, w->partial);
}

gboolean
fl_nxmx_writer_finish (FlNxmxWriter *w, GError **error)
{
  write_beam (w);
  write_times (w);
  write_detector (w);
  H5Dclose (w->data);
  gboolean ok = H5Fclose (w->fields.file) >= 0 && !w->fields.failed;
  w->data = w->fields.file = -1;
  if (!ok)
    failed (error, w->partial);
  else if (rename (w->partial, w->path) != 0)
    ok = failed (error, w->path);
  writer_free (w);
  return ok;
}

void
fl_nxmx_writer_abandon (FlNxmxWriter *w)
{
  if (w == NULL)
    return;
  unlink (w->partial);
  writer_free (w);
}
