/* Sources of patterns: what they give of files made here, our own file there and back, and refusals. */
#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/emc.h"
#include "engine/spi/pattern-file.h"
#include "engine/spi/pattern-source.h"

#define SIDE       6
#define PIXELS     (SIDE * SIDE)
#define FRAMES     7
#define WAVELENGTH 2.0
#define RADIUS     50.0

static char *folder;
static const FlPatternSourceOptions plain = { NULL, 0, FL_POLARISED_HORIZONTALLY };

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Photons of pixel p in frame d: few, reproducible, some frames empty. */
static guint32
photons (guint d, guint p)
{
  return d == 2 ? 0 : (d * 7 + p * p) % 5 == 0 ? (d + p) % 4 : 0;
}

static guint8
mask_of (guint p)
{
  return p == 14 || p == 21 ? FL_PATTERN_BAD : p == 0 ? FL_PATTERN_MERGED : FL_PATTERN_GOOD;
}

static void
voxel (guint p, double *q)
{
  double x = (double) (p % SIDE) - 2.5, y = (double) (p / SIDE) - 2.5;
  double norm = sqrt (x * x + y * y + RADIUS * RADIUS);
  q[0] = RADIUS * x / norm;
  q[1] = RADIUS * y / norm;
  q[2] = RADIUS * (RADIUS / norm - 1);
}

static void
write_emc (const char *name, guint n_pixels)
{
  g_autofree char *path = in_folder (name);
  g_autoptr (GError) error = NULL;
  FlEmcWriter *writer = fl_emc_writer_new (path, FRAMES, n_pixels, &error);
  for (guint d = 0; d < FRAMES; d++)
    {
      guint32 pixel[PIXELS], count[PIXELS];
      guint n = 0;
      for (guint p = 0; p < PIXELS; p++)
        if (photons (d, p) > 0)
          {
            pixel[n] = p;
            count[n++] = photons (d, p);
          }
      g_assert_true (fl_emc_writer_append (writer, n, pixel, count, &error));
    }
  g_assert_true (fl_emc_writer_finish (writer, &error));
}

static void
write_text_detector (const char *name, guint lines)
{
  g_autofree char *path = in_folder (name);
  GString *text = g_string_new ("");
  g_string_append_printf (text, "%d %g %g\n", PIXELS, RADIUS, RADIUS);
  for (guint p = 0; p < lines; p++)
    {
      double q[3];
      voxel (p, q);
      g_string_append_printf (text, "%.12e %.12e %.12e %g %d\n", q[0], q[1], q[2], 0.5 + p % 2, mask_of (p));
    }
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
  g_string_free (text, TRUE);
}

static void
put (hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims, const void *values)
{
  hid_t space = rank > 0 ? H5Screate_simple (rank, dims, NULL) : H5Screate (H5S_SCALAR);
  hid_t set = H5Dcreate (file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_true (H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose (set);
  H5Sclose (space);
}

static void
write_hdf5_detector (const char *name, gboolean with_wavelength)
{
  static const char *const names[] = { "qx", "qy", "qz", "corr" };
  g_autofree char *path = in_folder (name);
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t n = PIXELS;
  const double radius = RADIUS, wavelength = WAVELENGTH;
  guint8 mask[PIXELS];
  for (guint c = 0; c < 4; c++)
    {
      double values[PIXELS];
      for (guint p = 0; p < PIXELS; p++)
        {
          double q[3];
          voxel (p, q);
          values[p] = c < 3 ? q[c] : 0.5 + p % 2;
          mask[p] = mask_of (p);
        }
      put (file, names[c], H5T_NATIVE_DOUBLE, 1, &n, values);
    }
  put (file, "mask", H5T_NATIVE_UINT8, 1, &n, mask);
  put (file, "ewald_rad", H5T_NATIVE_DOUBLE, 0, NULL, &radius);
  if (with_wavelength)
    put (file, "wavelength", H5T_NATIVE_DOUBLE, 0, NULL, &wavelength);
  H5Fclose (file);
}

static FlPatternSource *
open_well (const char *name, const FlPatternSourceOptions *options)
{
  g_autofree char *path = in_folder (name);
  g_autoptr (GError) error = NULL;
  FlPatternSource *source = fl_pattern_source_open (path, options, &error);
  g_assert_no_error (error);
  return source;
}

static void
refused (const char *name, const FlPatternSourceOptions *options, const char *why)
{
  g_autofree char *path = in_folder (name);
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_pattern_source_open (path, options, &error));
  g_assert_true (error != NULL && error->domain == FL_ERROR && strchr (error->message, '\n') == NULL);
  if (strstr (error->message, why) == NULL)
    g_error ("'%s' says nothing of '%s'", error->message, why);
}

static void
check_pixels (const FlPatternPixels *pixels)
{
  double sum = 0;
  guint good = 0;
  g_assert_cmpuint (pixels->n, ==, PIXELS);
  g_assert_cmpfloat (fabs (pixels->wavelength - WAVELENGTH), <, 1e-9);
  for (guint p = 0; p < PIXELS; p++)
    {
      double q[3];
      voxel (p, q);
      FlVec3 s = pixels->s[p];
      g_assert_cmpfloat (fabs (s.x * RADIUS * WAVELENGTH - q[0]) + fabs (s.z * RADIUS * WAVELENGTH - q[2]), <,
                         1e-9);
      g_assert_cmpuint (pixels->mask[p], ==, mask_of (p));
      if (mask_of (p) == FL_PATTERN_BAD)
        continue;
      sum += (double) pixels->factor[p];
      good++;
      g_assert_cmpfloat (fabs ((double) (pixels->factor[p] / pixels->factor[0]) - (1 + 2 * (p % 2))), <,
                         1e-5);
    }
  g_assert_cmpfloat (fabs (sum / good - 1), <, 1e-5);
}

/* Frames first … of `source`, as photons() has them, those of bad pixels left out. */
static void
check_frames (FlPatternSource *source, guint first, guint n, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlPatterns) patterns =
      fl_patterns_new (fl_pattern_pixels_copy (fl_pattern_source_pixels (source)));
  g_assert_true (fl_pattern_source_read (source, first, n, 100, patterns, &error));
  g_assert_cmpuint (patterns->n, ==, n);
  for (guint i = 0; i < n; i++)
    {
      guint64 at = patterns->start[i];
      g_assert_cmpuint (patterns->id[i], ==, fl_shot_id (file, first + i));
      g_assert_cmpuint (patterns->id[i], ==, fl_pattern_source_id (source, first + i));
      g_assert_cmpuint (patterns->row[i], ==, 100 + i);
      for (guint p = 0; p < PIXELS; p++)
        if (photons (first + i, p) > 0 && mask_of (p) != FL_PATTERN_BAD)
          {
            g_assert_cmpuint (patterns->pixel[at], ==, p);
            g_assert_cmpuint (patterns->count[at++], ==, photons (first + i, p));
          }
      g_assert_cmpuint (at, ==, patterns->start[i + 1]);
    }
}

static void
test_emc (void)
{
  FlPatternSourceOptions options = { NULL, WAVELENGTH, FL_POLARISED_HORIZONTALLY };
  g_autofree char *text = in_folder ("other.dat");
  write_emc ("a.emc", PIXELS);
  refused ("a.emc", &options, "no detector");
  write_text_detector ("other.dat", PIXELS);
  options.detector = text;
  {
    g_autoptr (FlPatternSource) source = open_well ("a.emc", &options);
    g_assert_cmpstr (fl_pattern_source_format (source), ==, "EMC");
    check_pixels (fl_pattern_source_pixels (source));
    check_frames (source, 0, FRAMES, "a.emc");
    check_frames (source, 3, 2, "a.emc");
  }
  options.wavelength = 0;
  refused ("a.emc", &options, "tells no wavelength");
  write_hdf5_detector ("detector.h5", FALSE);
  refused ("a.emc", &plain, "tells no wavelength");
  write_hdf5_detector ("detector.h5", TRUE);
  g_autoptr (FlPatternSource) source = open_well ("a.emc", &plain);
  check_pixels (fl_pattern_source_pixels (source));
  check_frames (source, 0, FRAMES, "a.emc");
  options.wavelength = WAVELENGTH;
  write_text_detector ("other.dat", PIXELS - 1);
  refused ("a.emc", &options, "pixel 35");
  write_emc ("b.emc", PIXELS + 1);
  refused ("b.emc", &plain, "pixels");
  refused ("none.emc", &plain, "no such file");
}

/* skopi's: s on the same sphere, intensities that are no whole numbers keep their mean. */
static void
test_skopi (void)
{
  enum
  {
    MANY = 2000
  };
  g_autofree char *path = in_folder ("skopi.h5");
  g_autofree double *frames = g_new (double, MANY *PIXELS);
  double s[3 * PIXELS];
  for (guint p = 0; p < PIXELS; p++)
    {
      voxel (p, s + 3 * p);
      for (guint c = 0; c < 3; c++)
        s[3 * p + c] *= 1e10 / (RADIUS * WAVELENGTH);
    }
  for (guint d = 0; d < MANY; d++)
    for (guint p = 0; p < PIXELS; p++)
      frames[d * PIXELS + p] = p == 0 ? -3 : p == 1 ? 2 : 0.1 * p;
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put (file, "intensities", H5T_NATIVE_DOUBLE, 4, (hsize_t[]){ MANY, 1, SIDE, SIDE }, frames);
  put (file, "pixel_position_reciprocal", H5T_NATIVE_DOUBLE, 4, (hsize_t[]){ 1, SIDE, SIDE, 3 }, s);
  H5Fclose (file);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlPatternSource) source = open_well ("skopi.h5", &plain);
  const FlPatternPixels *pixels = fl_pattern_source_pixels (source);
  g_assert_cmpfloat (fabs (pixels->wavelength / WAVELENGTH - 1), <, 1e-6);
  g_autoptr (FlPatterns) patterns = fl_patterns_new (fl_pattern_pixels_copy (pixels));
  g_assert_true (fl_pattern_source_read (source, 0, MANY, 0, patterns, &error));
  double sum[PIXELS] = { 0 };
  for (guint64 k = 0; k < patterns->start[MANY]; k++)
    sum[patterns->pixel[k]] += patterns->count[k];
  g_assert_cmpfloat (sum[0], ==, 0);
  g_assert_cmpfloat (sum[1], ==, 2 * MANY);
  for (guint p = 2; p < PIXELS; p++)
    g_assert_cmpfloat (fabs (sum[p] / MANY - 0.1 * p), <, 5 * 0.5 / sqrt (MANY));
}

static void
test_own (void)
{
  g_autoptr (GError) error = NULL;
  write_emc ("a.emc", PIXELS);
  write_hdf5_detector ("detector.h5", TRUE);
  g_autoptr (FlPatternSource) from = open_well ("a.emc", &plain);
  g_autoptr (FlPatterns) patterns =
      fl_patterns_new (fl_pattern_pixels_copy (fl_pattern_source_pixels (from)));
  FlParticleRow rows[FRAMES];
  g_assert_true (fl_pattern_source_read (from, 0, FRAMES, 0, patterns, &error));
  for (guint i = 0; i < FRAMES; i++)
    rows[i] = (FlParticleRow){ .class = i % FL_PARTICLE_LAST, .score = (float) i };
  patterns->pixels->background = g_new0 (float, PIXELS);
  patterns->pixels->background[5] = 0.25f;
  g_autofree char *path = in_folder ("patterns.h5");
  FlPatternWriter *writer = fl_pattern_writer_new (path, patterns->pixels, &error);
  g_assert_no_error (error);
  g_assert_true (fl_pattern_writer_append (writer, patterns, rows, &error));
  g_assert_true (fl_pattern_writer_append (writer, patterns, NULL, &error));
  g_assert_true (fl_pattern_writer_finish (writer, &error));
  g_autoptr (FlPatternFile) file = fl_pattern_file_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_pattern_file_n (file), ==, 2 * FRAMES);
  g_assert_cmpfloat ((double) fl_pattern_file_pixels (file)->background[5], ==, 0.25);
  for (guint i = 0; i < 2 * FRAMES; i++)
    g_assert_cmpuint (fl_pattern_file_classes (file)[i], ==,
                      i < FRAMES ? i % FL_PARTICLE_LAST : FL_PARTICLE_SINGLE);
  g_autoptr (FlPatternSource) source = open_well ("patterns.h5", &plain);
  g_assert_cmpstr (fl_pattern_source_format (source), ==, "patterns");
  g_assert_cmpuint (fl_pattern_source_n_frames (source), ==, 2 * FRAMES);
  check_pixels (fl_pattern_source_pixels (source));
  g_autoptr (FlPatterns) again = fl_patterns_new (fl_pattern_pixels_copy (fl_pattern_source_pixels (source)));
  g_assert_true (fl_pattern_source_read (source, 3, FRAMES, 50, again, &error));
  for (guint i = 0; i < FRAMES; i++)
    {
      guint d = (3 + i) % FRAMES;
      g_assert_cmpuint (again->id[i], ==, fl_shot_id ("a.emc", d));
      g_assert_cmpuint (again->row[i], ==, 50 + i);
      g_assert_cmpuint (again->start[i + 1] - again->start[i], ==,
                        patterns->start[d + 1] - patterns->start[d]);
      g_assert_cmpint (memcmp (again->pixel + again->start[i], patterns->pixel + patterns->start[d],
                               4 * (again->start[i + 1] - again->start[i])),
                       ==, 0);
    }
}

/* Another mask, another place, another number of pixels: said in one line. */
static void
test_agree (void)
{
  g_autoptr (GError) error = NULL;
  write_emc ("a.emc", PIXELS);
  write_hdf5_detector ("detector.h5", TRUE);
  g_autoptr (FlPatternSource) source = open_well ("a.emc", &plain);
  const FlPatternPixels *pixels = fl_pattern_source_pixels (source);
  g_autoptr (FlPatternPixels) other = fl_pattern_pixels_copy (pixels);
  g_assert_true (fl_pattern_pixels_agree (other, "b", pixels, "a", &error));
  other->mask[7] = FL_PATTERN_BAD;
  g_assert_false (fl_pattern_pixels_agree (other, "b", pixels, "a", &error));
  g_assert_cmpstr (error->message, ==, "b: has other bad pixels, expected those of a");
  g_clear_error (&error);
  other->mask[7] = pixels->mask[7];
  other->s[7].x += 1e-4;
  g_assert_false (fl_pattern_pixels_agree (other, "b", pixels, "a", &error));
  g_clear_error (&error);
  g_autoptr (FlPatternPixels) fewer = fl_pattern_pixels_new (3);
  g_assert_false (fl_pattern_pixels_agree (fewer, "b", pixels, "a", &error));
}

/* A file of ours with a bit changed is refused or read, never more. HDF5 asks for absurd memory then, and goes on without:
 * a sanitizer takes that for an error. */
static void
test_damaged (void)
{
  if (g_getenv ("FIRSTLIGHT_SANITIZED") != NULL)
    {
      g_test_skip ("HDF5 by itself, under a sanitizer");
      return;
    }
  test_own ();
  g_autofree char *path = in_folder ("patterns.h5"), *bad = in_folder ("bad.h5");
  g_autofree char *bytes = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (guint i = 0; i < 400; i++)
    {
      FlRandom random = fl_random (i);
      g_autofree char *changed = g_memdup (bytes, (guint) length);
      g_autoptr (GError) error = NULL;
      changed[fl_random_u64 (&random) % length] ^= (char) (1 << fl_random_u64 (&random) % 8);
      g_assert_true (g_file_set_contents (bad, changed, (gssize) (i % 10 == 9 ? length / 2 : length), NULL));
      g_autoptr (FlPatternFile) file = fl_pattern_file_open (bad, &error);
      g_assert_true ((file == NULL) == (error != NULL));
      if (file == NULL || fl_pattern_file_pixels (file)->n != PIXELS)
        continue;
      g_autoptr (FlPatterns) patterns =
          fl_patterns_new (fl_pattern_pixels_copy (fl_pattern_file_pixels (file)));
      gboolean ok = fl_pattern_file_read (file, 0, fl_pattern_file_n (file), 0, patterns, &error);
      g_assert_true (ok == (error == NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("patterns-XXXXXX", NULL);
  g_test_add_func ("/pattern-source/emc", test_emc);
  g_test_add_func ("/pattern-source/skopi", test_skopi);
  g_test_add_func ("/pattern-source/agree", test_agree);
  g_test_add_func ("/pattern-file/own", test_own);
  g_test_add_func ("/pattern-file/damaged", test_damaged);
  int status = g_test_run ();
  static const char *const names[] = { "a.emc",    "b.emc",       "other.dat", "detector.h5",
                                       "skopi.h5", "patterns.h5", "bad.h5" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = in_folder (names[i]);
      g_remove (path);
    }
  g_rmdir (folder);
  g_free (folder);
  return status;
}
