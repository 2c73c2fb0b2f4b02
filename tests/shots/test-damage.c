/* Files that are cut off or have changed bytes: never a crash, always either pixels or one line that names the file. */

#include <glib/gstdio.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/source.h"
#include "tests/shots/data.h"

/* HDF5 loses memory of its own on damaged files; the address sanitizer is told not to count that. */
const char *__lsan_default_suppressions (void);
const char *
__lsan_default_suppressions (void)
{
  return "leak:libhdf5\n";
}

typedef struct
{
  char *bytes;
  gsize length;
  char *geometry; /* NULL: none */
  char *copy;     /* where damaged versions are written */
} Sample;

static void
sample_clear (Sample *sample)
{
  g_unlink (sample->copy);
  g_free (sample->bytes);
  g_free (sample->geometry);
  g_free (sample->copy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sample, sample_clear)

static gboolean
sample_load (Sample *sample, const char *path, const char *geometry)
{
  *sample = (Sample){ .geometry = g_strdup (geometry) };
  /* In memory where that is: thousands of copies are written. */
  const char *folder = g_access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir ();
  sample->copy = g_build_filename (folder, "firstlight-damage-XXXXXX", NULL);
  g_close (g_mkstemp (sample->copy), NULL);
  return g_file_get_contents (path, &sample->bytes, &sample->length, NULL);
}

/* Not g_file_set_contents(), which waits for the disk each time. */
static void
write_copy (const char *path, const char *bytes, gsize length)
{
  FILE *file = fopen (path, "wb");
  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (bytes, 1, length, file), ==, length);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* Opens and reads the first and last frame of `length` bytes; TRUE when all went well. */
static gboolean
try_bytes (const Sample *sample, const char *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  write_copy (sample->copy, bytes, length);
  g_autoptr (FlSource) source =
      fl_source_open (sample->copy, &(FlSourceOptions){ .geometry = sample->geometry }, &error);
  gboolean ok = source != NULL;
  if (ok && fl_source_n_frames (source) > 0)
    ok = fl_source_read (source, 0, &shot, &error)
         && fl_source_read (source, fl_source_n_frames (source) - 1, &shot, &error);
  if (ok)
    {
      /* What was read can be looked at, to the last pixel and mask byte. */
      volatile double sum = 0;
      const FlDetector *detector = fl_source_detector (source);
      for (gsize i = 0; i < detector->n_pixels && shot.pixels != NULL; i++)
        sum = sum + (detector->mask[i] ? 0 : fl_shot_value (&shot, i));
      for (guint i = 0; i < detector->n_panels; i++)
        {
          const FlPanel *panel = &detector->panels[i];
          g_assert_cmpuint (panel->offset + (panel->n_ss - 1) * panel->stride + panel->n_fs, <=,
                            detector->n_pixels);
        }
      g_assert_no_error (error);
      return TRUE;
    }
  g_assert_nonnull (error);
  g_assert_true (error->domain == FL_ERROR);
  g_assert_cmpint (fl_error_exit_status (error), ==, 2);
  g_assert_null (strchr (error->message, '\n'));
  g_assert_true (g_str_has_prefix (error->message, sample->copy)
                 || (sample->geometry != NULL && g_str_has_prefix (error->message, sample->geometry)));
  g_assert_cmpuint (strlen (error->message), >, strlen (sample->copy) + 10);
  return FALSE;
}

/* Cut anywhere, it must be noticed. */
static void
cut (const Sample *sample, guint n, FlRandom *random)
{
  g_assert_true (try_bytes (sample, sample->bytes, sample->length));
  for (guint i = 0; i < n; i++)
    g_assert_false (try_bytes (sample, sample->bytes,
                               (gsize) (fl_random_unit (random) * (double) (sample->length - 100))));
}

/* Some bytes changed, in a window of the file. Returns in how many of the n copies it was noticed. */
static guint
change (const Sample *sample, guint n, gsize from, gsize to, FlRandom *random)
{
  guint noticed = 0;
  g_autofree char *bytes = g_malloc (sample->length);
  for (guint i = 0; i < n; i++)
    {
      memcpy (bytes, sample->bytes, sample->length);
      for (guint k = 1 + (guint) (fl_random_u64 (random) % 4); k > 0; k--)
        {
          gsize at = from + (gsize) (fl_random_unit (random) * (double) (to - from));
          guint64 r = fl_random_u64 (random);
          bytes[at] = (char) (r & 256 ? r : (guint8) bytes[at] ^ (1u << (r & 7)));
        }
      noticed += !try_bytes (sample, bytes, sample->length);
    }
  return noticed;
}

static void
test_cspad (void)
{
  g_autofree char *path = test_data ("stills/cspad_thermolysin/idx-20130301060858401.cbf");
  g_auto (Sample) sample = { 0 };
  FlRandom random = fl_random (1);
  if (path == NULL)
    return;
  g_assert_true (sample_load (&sample, path, NULL));
  cut (&sample, 20, &random);
  const char *mark = g_strstr_len (sample.bytes, (gssize) sample.length, "--CIF-BINARY");
  gsize header = (gsize) (mark - sample.bytes);
  change (&sample, 100, 0, header, &random);
  /* Inside the first section's bytes every change is told by its MD5. */
  g_assert_cmpuint (change (&sample, 20, header + 2000, header + 400000, &random), ==, 20);
}

/* A small full imgCIF file without MD5, made from the real header's tables by hand: two panels in one array. */
static const char small_cbf[] =
    "###CBF: VERSION "
    "1.5\ndata_small\nloop_\n_array_structure_list.array_id\n_array_structure_list.array_section_id\n"
    "_array_structure_list.index\n_array_structure_list.dimension\n_array_structure_list.precedence\n"
    "_array_structure_list.direction\n_array_structure_list.axis_set_id\n"
    "A . 1 8 1 increasing .\nA . 2 3 2 increasing .\nA P0 1 4 1 increasing X0\nA P0 2 3 2 increasing Y0\n"
    "A P1 1 4 1 increasing X1\nA P1 2 3 2 increasing Y1\n"
    "loop_\n_array_structure_list_section.array_id\n_array_structure_list_section.id\n"
    "_array_structure_list_section.index\n_array_structure_list_section.start\n_array_structure_list_section."
    "end\n"
    "A P0 1 1 4\nA P0 2 1 3\nA P1 1 5 8\nA P1 2 1 3\n"
    "loop_\n_array_structure_list_axis.axis_set_id\n_array_structure_list_axis.axis_id\n"
    "_array_structure_list_axis.displacement\n_array_structure_list_axis.displacement_increment\n"
    "X0 X0 0 0.1\nY0 Y0 0 0.1\nX1 X1 0 0.1\nY1 Y1 0 0.1\n"
    "loop_\n_axis.id\n_axis.type\n_axis.depends_on\n_axis.vector[1]\n_axis.vector[2]\n_axis.vector[3]\n"
    "_axis.offset[1]\n_axis.offset[2]\n_axis.offset[3]\n"
    "Z translation . 0 0 1 . . .\nR rotation Z 0 0 1 . . .\nY0 translation R 0 -1 0 1 2 0\nX0 translation Y0 "
    "1 0 0 . . .\n"
    "Y1 translation R 0 -1 0 5 2 0\nX1 translation Y1 1 0 0 . . .\n"
    "loop_\n_diffrn_scan_axis.axis_id\n_diffrn_scan_axis.angle_start\n_diffrn_scan_axis.displacement_start\n"
    "Z 0 -100\nR 30 0\n_diffrn_radiation_wavelength.wavelength 1.3\n"
    "loop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.data\nA "
    "1\n;\n--CIF-BINARY-FORMAT-SECTION--\n"
    "Content-Type: application/octet-stream;\n     "
    "conversions=\"x-CBF_BYTE_OFFSET\"\nContent-Transfer-Encoding: BINARY\n"
    "X-Binary-Size: 24\nX-Binary-Element-Type: \"signed 32-bit integer\"\nX-Binary-Element-Byte-Order: "
    "LITTLE_ENDIAN\n"
    "X-Binary-Number-of-Elements: 24\nX-Binary-Size-Fastest-Dimension: 8\nX-Binary-Size-Second-Dimension: "
    "3\n\n"
    "\x0c\x1a\x04\xd5"
    "abcdefghijklmnopqrstuvwx\n--CIF-BINARY-FORMAT-SECTION----\n;\n";

static void
test_small_cbf (void)
{
  g_auto (Sample) sample = { 0 };
  FlRandom random = fl_random (2);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-small-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_close (g_mkstemp (path), NULL);
  g_assert_true (g_file_set_contents (path, small_cbf, sizeof small_cbf - 1, NULL));
  g_assert_true (sample_load (&sample, path, NULL));
  /* Where its second panel is, by hand: (5, 2) turned by 30° about z, seen from the other side. */
  g_autoptr (FlSource) source = fl_source_open (path, NULL, &error);
  g_assert_no_error (error);
  const FlPanel *panel = &fl_source_detector (source)->panels[1];
  g_assert_cmpfloat_with_epsilon (panel->origin.x, -(5 * sqrt (0.75) - 2 * 0.5), 1e-9);
  g_assert_cmpfloat_with_epsilon (panel->origin.y, 5 * 0.5 + 2 * sqrt (0.75), 1e-9);
  g_assert_cmpfloat_with_epsilon (panel->origin.z, 100, 1e-9);
  g_assert_cmpuint (panel->offset, ==, 4);
  g_assert_cmpuint (panel->stride, ==, 8);
  cut (&sample, 500, &random);
  change (&sample, 4000, 0, sample.length, &random);
  g_unlink (path);
}

/* Frames in gzipped, shuffled chunks. */
static void
test_hdf5 (void)
{
  static const hsize_t dims[3] = { 6, 40, 30 }, chunk[3] = { 1, 20, 30 };
  static const char geometry_text[] = "clen = 0.1\nres = 1000\nadu_per_photon = 1\nphoton_energy = /e\ndata "
                                      "= /entry/data\ndim0 = %\ndim1 = ss\ndim2 = fs\n"
                                      "a/min_fs = 0\na/max_fs = 29\na/min_ss = 0\na/max_ss = 39\na/fs = "
                                      "x\na/ss = y\na/corner_x = 0\na/corner_y = 0\n";
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "firstlight-h5-XXXXXX", NULL);
  g_autofree char *geometry = g_build_filename (g_get_tmp_dir (), "firstlight-geom-XXXXXX", NULL);
  g_autofree guint16 *values = g_new (guint16, 6 * 40 * 30);
  g_auto (Sample) sample = { 0 };
  FlRandom random = fl_random (3);
  double energies[6] = { 9000, 9001, 9002, 9003, 9004, 9005 };
  g_close (g_mkstemp (path), NULL);
  g_close (g_mkstemp (geometry), NULL);
  g_assert_true (g_file_set_contents (geometry, geometry_text, -1, NULL));
  for (guint i = 0; i < 6 * 40 * 30; i++)
    values[i] = (guint16) fl_random_poisson (&random, 20);
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t group = H5Gcreate2 (file, "/entry", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Screate_simple (3, dims, NULL), list = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_chunk (list, 3, chunk);
  H5Pset_shuffle (list);
  H5Pset_deflate (list, 6);
  hid_t dataset = H5Dcreate2 (group, "data", H5T_STD_U16LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Dwrite (dataset, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose (dataset);
  H5Sclose (space);
  space = H5Screate_simple (1, dims, NULL);
  dataset = H5Dcreate2 (file, "/e", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite (dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, energies);
  H5Dclose (dataset);
  H5Sclose (space);
  H5Pclose (list);
  H5Gclose (group);
  H5Fclose (file);
  g_assert_true (sample_load (&sample, path, geometry));
  cut (&sample, 100, &random);
  change (&sample, 1500, 0, sample.length, &random);
  g_unlink (path);
  g_unlink (geometry);
}

/* Bitshuffle and LZ4, and files that describe themselves. */
static void
test_real_hdf5 (void)
{
  static const char *const names[] = {
    "dectris_h5/dataset_artificial_small_001/test_data_000001.h5",
    "dectris_h5/datasets_eiger1/eiger1_testmode10_2datafiles_4images_bslz4_data_000001.h5",
    "cxi/typical_raw.cxi"
  };
  static const guint n[] = { 500, 60, 200 };
  FlRandom random = fl_random (4);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = test_data (names[i]);
      g_auto (Sample) sample = { 0 };
      if (path == NULL)
        return;
      g_assert_true (sample_load (&sample, path, NULL));
      cut (&sample, n[i] / 4, &random);
      change (&sample, n[i], 0, sample.length, &random);
    }
}

static void
test_not_shots (void)
{
  g_auto (Sample) sample = { 0 };
  g_assert_true (sample_load (&sample, "/dev/null", NULL));
  g_assert_false (try_bytes (&sample, "", 0));
  g_assert_false (try_bytes (&sample, "###CBF: VERSION 1.5\n", 20));
  g_assert_false (try_bytes (&sample, "\x89HDF\r\n\x1a\n", 8));
  g_assert_false (try_bytes (&sample, "\x1f\x8b\x08\x00garbage", 11));
  g_assert_false (try_bytes (&sample, "nothing of the kind, but text", 29));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/damage/cspad", test_cspad);
  g_test_add_func ("/damage/small-cbf", test_small_cbf);
  g_test_add_func ("/damage/hdf5", test_hdf5);
  g_test_add_func ("/damage/real-hdf5", test_real_hdf5);
  g_test_add_func ("/damage/not-shots", test_not_shots);
  return g_test_run ();
}
