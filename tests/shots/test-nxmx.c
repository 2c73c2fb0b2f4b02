/* NXmx written by us and read again: every type of pixel and every packing, panels of all kinds, what differs from shot
 * to shot. Other programs read the same files in oracle-nxmx.py and tests/sfx/test-dials-nxmx.py. */

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/shots/hdf5-util.h"
#include "engine/shots/nxmx-writer.h"

#define N_SHOTS 4

static char *
temporary (void)
{
  static guint n;
  g_autofree char *name = g_strdup_printf ("firstlight-nxmx-%d-%u.h5", (int) g_get_monotonic_time (), n++);
  return g_build_filename (g_get_tmp_dir (), name, NULL);
}

/* Three tilted panels. `full`: as wide as the shot's rows, so that they stay where they are; else side by side. */
static FlDetector *
make_detector (gboolean full)
{
  FlDetector *detector = fl_detector_new (3, 3 * 16 * 20);
  detector->placed = TRUE;
  for (guint i = 0; i < 3; i++)
    {
      FlPanel *panel = &detector->panels[i];
      FlMat3 turn = fl_mat3_rotation (fl_vec3_unit (fl_vec3 (1, i, 2)), 0.3 + i);
      g_free (panel->name);
      panel->name = g_strdup_printf ("q%u/a", i);
      panel->n_fs = 20;
      panel->n_ss = 16;
      panel->stride = full ? 20 : 60;
      panel->offset = full ? i * 320 : i * 20;
      panel->origin = fl_vec3 (-3.1 + 5 * i, 2.7, 80.123456789 + i);
      panel->fs = fl_vec3_scale (fl_mat3_apply (&turn, fl_vec3 (1, 0, 0)), 0.075);
      panel->ss = fl_vec3_scale (fl_mat3_apply (&turn, fl_vec3 (0, 1, 0)), 0.1);
      panel->pixel_size = 0.075;
      panel->gain = 1 + i;
      panel->trusted_min = -10;
      panel->trusted_max = 100 + i;
    }
  for (guint i = 0; i < detector->n_pixels; i += 7)
    detector->mask[i] = 1;
  return detector;
}

static void
put_value (FlPixelType type, void *pixels, gsize i, double v)
{
  switch (type)
    {
    case FL_PIXEL_U8:
      ((guint8 *) pixels)[i] = (guint8) v;
      break;
    case FL_PIXEL_I8:
      ((gint8 *) pixels)[i] = (gint8) v;
      break;
    case FL_PIXEL_U16:
      ((guint16 *) pixels)[i] = (guint16) v;
      break;
    case FL_PIXEL_I16:
      ((gint16 *) pixels)[i] = (gint16) v;
      break;
    case FL_PIXEL_U32:
      ((guint32 *) pixels)[i] = (guint32) v;
      break;
    case FL_PIXEL_I32:
      ((gint32 *) pixels)[i] = (gint32) v;
      break;
    case FL_PIXEL_F32:
      ((float *) pixels)[i] = (float) v;
      break;
    case FL_PIXEL_F64:
    default:
      ((double *) pixels)[i] = v;
      break;
    }
}

static double
value_of (guint shot, gsize i)
{
  guint64 key[2] = { shot, i };
  return (double) (fl_hash64 (key, sizeof key, 0) % 90);
}

static void
fill_shot (FlShot *shot, FlPixelType type, gsize n, guint number)
{
  shot->type = type;
  shot->n_pixels = n;
  shot->pixels = g_malloc (n * fl_pixel_size (type));
  for (gsize i = 0; i < n; i++)
    put_value (type, shot->pixels, i, value_of (number, i));
  shot->energy = 9000 + number * 1.5;
  shot->time = 1767225600123456789ull + number * 8333333ull;
  shot->shift = fl_vec3 (0.1 * number, -0.2 * number, 0.05 * number);
}

static FlSource *
write_shots (FlDetector *detector, FlPixelType type, FlCompression compression, guint n_shots, char **path)
{
  g_autoptr (GError) error = NULL;
  const FlNxmxOptions options = { .compression = compression, .material = "CdTe", .sensor_thickness = 0.75 };
  *path = temporary ();
  FlNxmxWriter *writer = fl_nxmx_writer_new (*path, detector, type, &options, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n_shots; i++)
    {
      g_auto (FlShot) shot = { 0 };
      fill_shot (&shot, type, detector->n_pixels, i);
      /* Bad by its own panel's limit, not by that of all; and bad in this shot alone. */
      put_value (type, shot.pixels, 3, 100);
      if (i == 1)
        {
          shot.mask = g_malloc (detector->n_pixels);
          memcpy (shot.mask, detector->mask, detector->n_pixels);
          shot.mask[5] = 1;
        }
      g_assert_true (fl_nxmx_writer_append (writer, &shot, &error));
    }
  g_assert_true (fl_nxmx_writer_finish (writer, &error));
  g_assert_no_error (error);
  FlSource *source = fl_source_open (*path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (fl_source_format (source), ==, "NXmx");
  return source;
}

static void
assert_vector (FlVec3 a, FlVec3 b)
{
  g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (a, b)), <, 1e-12 * (1 + fl_vec3_norm (a)) * 100);
}

/* The n-th pixel of our panels, counted panel by panel. */
static gsize
pixel_at (const FlDetector *detector, gsize n)
{
  const FlPanel *panel = &detector->panels[n / 320];
  return panel->offset + n % 320 / 20 * panel->stride + n % 20;
}

static void
check_shots (FlSource *source, const FlDetector *detector, FlPixelType type)
{
  const FlDetector *read = fl_source_detector (source);
  g_autoptr (GError) error = NULL;
  g_assert_cmpuint (fl_source_n_frames (source), ==, N_SHOTS);
  for (guint s = 0; s < N_SHOTS; s++)
    {
      g_auto (FlShot) shot = { 0 };
      g_autofree guint8 *bad = g_malloc0 (read->n_pixels);
      g_assert_true (fl_source_read (source, s, &shot, &error));
      g_assert_no_error (error);
      g_assert_cmpint (shot.type, ==, type);
      g_assert_cmpfloat (fabs (shot.energy - (9000 + s * 1.5)), <, 1e-9 * 9000);
      assert_vector (shot.shift, fl_vec3 (0.1 * s, -0.2 * s, 0.05 * s));
      g_assert_cmpuint (shot.time, ==, 1767225600123456789ull + s * 8333333ull);
      fl_shot_flag_pixels (&shot, read, bad);
      for (gsize n = 0; n < 960; n++)
        {
          gsize ours = pixel_at (detector, n), theirs = pixel_at (read, n);
          gboolean flagged = ours == 3 || (ours == 5 && s == 1);
          double v = fl_shot_value (&shot, theirs);
          g_assert_cmpint (read->mask[theirs], ==, detector->mask[ours]);
          g_assert_cmpint (flagged, ==, bad[theirs] || isnan (v));
          g_assert_true (flagged || v == value_of (s, ours));
        }
    }
}

static void
test_types (void)
{
  for (int full = 0; full < 2; full++)
    {
      g_autoptr (FlDetector) detector = make_detector (full);
      for (int type = FL_PIXEL_U8; type <= FL_PIXEL_F64; type++)
        for (int packing = FL_COMPRESSION_NONE; packing <= FL_COMPRESSION_LZ4; packing++)
          {
            g_autofree char *path = NULL;
            g_autoptr (FlSource) source =
                write_shots (detector, (FlPixelType) type, (FlCompression) packing, N_SHOTS, &path);
            check_shots (source, detector, (FlPixelType) type);
            g_unlink (path);
          }
    }
}

static void
test_places (void)
{
  g_autoptr (FlDetector) detector = make_detector (FALSE);
  g_autofree char *path = NULL;
  g_autoptr (FlSource) source =
      write_shots (detector, FL_PIXEL_I32, FL_COMPRESSION_BITSHUFFLE, N_SHOTS, &path);
  const FlDetector *read = fl_source_detector (source);
  g_assert_true (read->placed);
  g_assert_cmpuint (read->n_panels, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      const FlPanel *a = &detector->panels[i], *b = &read->panels[i];
      g_assert_cmpuint (b->n_fs, ==, a->n_fs);
      g_assert_cmpuint (b->n_ss, ==, a->n_ss);
      g_assert_cmpfloat (b->gain, ==, a->gain);
      g_assert_cmpint (b->name[1], ==, '0' + (int) i);
      assert_vector (b->origin, a->origin);
      assert_vector (b->fs, a->fs);
      assert_vector (b->ss, a->ss);
    }
  g_unlink (path);
}

/* The limits that are in the file are the ones that we read from it: what marks a pixel without a value is beyond them. */
static void
test_limits (void)
{
  g_autoptr (FlDetector) detector = make_detector (TRUE);
  for (guint i = 0; i < 3; i++)
    {
      detector->panels[i].trusted_min = -INFINITY;
      detector->panels[i].trusted_max = INFINITY;
    }
  for (int type = FL_PIXEL_U8; type <= FL_PIXEL_I32; type++)
    {
      g_autofree char *path = NULL;
      g_autoptr (FlSource) source = write_shots (detector, (FlPixelType) type, FL_COMPRESSION_NONE, 1, &path);
      const FlPanel panel = fl_source_detector (source)->panels[0];
      g_clear_pointer (&source, fl_source_close);
      hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
      g_assert_cmpfloat (fl_h5_read_number (file, "/entry/instrument/detector/underload_value", NAN), ==,
                         panel.trusted_min + 1);
      g_assert_cmpfloat (fl_h5_read_number (file, "/entry/instrument/detector/saturation_value", NAN), ==,
                         MIN (panel.trusted_max, panel.saturation) - 1);
      H5Fclose (file);
      g_unlink (path);
    }
}

/* A file without shots is a geometry and has no frames. */
static void
test_empty (void)
{
  g_autoptr (FlDetector) detector = make_detector (TRUE);
  g_autofree char *path = NULL;
  g_autoptr (FlSource) source = write_shots (detector, FL_PIXEL_U16, FL_COMPRESSION_NONE, 0, &path);
  g_assert_cmpuint (fl_source_n_frames (source), ==, 0);
  g_unlink (path);
}

static void
test_full_disk (void)
{
  g_autoptr (FlDetector) detector = make_detector (TRUE);
  g_autoptr (GError) error = NULL;
  const FlNxmxOptions options = { FL_COMPRESSION_NONE };
  g_assert_null (fl_nxmx_writer_new ("/nowhere/at/all.h5", detector, FL_PIXEL_U16, &options, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_FAILED);
  g_assert_null (strchr (error->message, '\n'));
}

/* Cut anywhere or with bytes changed, the file is read or refused in one line. HDF5 asks for absurd memory then, and goes on
 * without: a sanitizer takes that for an error. */
static void
test_damage (void)
{
  if (g_getenv ("FIRSTLIGHT_SANITIZED") != NULL)
    {
      g_test_skip ("HDF5 by itself, under a sanitizer");
      return;
    }
  g_autoptr (FlDetector) detector = make_detector (FALSE);
  g_autofree char *path = NULL, *whole = NULL;
  gsize length;
  g_autoptr (FlSource) source =
      write_shots (detector, FL_PIXEL_U16, FL_COMPRESSION_BITSHUFFLE, N_SHOTS, &path);
  g_clear_pointer (&source, fl_source_close);
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  for (guint i = 0; i < 120; i++)
    {
      guint64 draw = fl_hash64 (&i, sizeof i, 1);
      g_autofree char *copy = g_malloc (length);
      memcpy (copy, whole, length);
      gsize kept = i < 20 ? draw % length : length;
      for (guint k = 0; k < 4 && i >= 20; k++)
        copy[fl_hash64 (&draw, sizeof draw, k) % length] ^= (char) (1 << k);
      g_assert_true (g_file_set_contents (path, copy, (gssize) kept, NULL));
      g_autoptr (GError) error = NULL;
      g_autoptr (FlSource) damaged = fl_source_open (path, NULL, &error);
      for (guint32 s = 0; damaged != NULL && error == NULL && s < fl_source_n_frames (damaged) && s < N_SHOTS;
           s++)
        {
          g_auto (FlShot) shot = { 0 };
          fl_source_read (damaged, s, &shot, &error);
        }
      if (error != NULL)
        g_assert_null (strchr (error->message, '\n'));
    }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  /* As where HDF5 has no plug-ins; the oracles, in Python, run with them. */
  g_setenv ("HDF5_PLUGIN_PATH", "/nowhere", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nxmx/types", test_types);
  g_test_add_func ("/nxmx/places", test_places);
  g_test_add_func ("/nxmx/limits", test_limits);
  g_test_add_func ("/nxmx/empty", test_empty);
  g_test_add_func ("/nxmx/full-disk", test_full_disk);
  g_test_add_func ("/nxmx/damage", test_damage);
  return g_test_run ();
}
