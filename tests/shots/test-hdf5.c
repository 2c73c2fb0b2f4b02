/* HDF5 seen through geometries: every storage layout gives the pixels that were written; events, energies, camera lengths
 * and masks as the geometry says; the pairs that CrystFEL's own tests use. */

#include <glib/gstdio.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/shots/source.h"
#include "tests/shots/data.h"

/* --- writing --- */

static char *
temporary (const char *end)
{
  static guint n;
  g_autofree char *name =
      g_strdup_printf ("firstlight-hdf5-%d-%u%s", (int) g_get_monotonic_time (), n++, end);
  return g_build_filename (g_get_tmp_dir (), name, NULL);
}

typedef struct
{
  const char *name;
  hsize_t chunk[4]; /* 0: contiguous */
  int deflate, shuffle;
} Storage;

static void
write_dataset (hid_t file, const char *path, hid_t file_type, hid_t memory_type, int rank,
               const hsize_t *dims, const Storage *storage, const void *values)
{
  hid_t space = H5Screate_simple (rank, dims, NULL), create = H5Pcreate (H5P_DATASET_CREATE);
  hid_t links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (links, 1);
  if (storage != NULL && storage->chunk[0] > 0)
    {
      H5Pset_chunk (create, rank, storage->chunk);
      if (storage->shuffle)
        H5Pset_shuffle (create);
      if (storage->deflate)
        H5Pset_deflate (create, 4);
    }
  hid_t dataset = H5Dcreate2 (file, path, file_type, space, links, create, H5P_DEFAULT);
  g_assert_cmpint (dataset, >=, 0);
  if (values != NULL)
    g_assert_cmpint (H5Dwrite (dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), >=, 0);
  H5Dclose (dataset);
  H5Pclose (links);
  H5Pclose (create);
  H5Sclose (space);
}

static void
write_numbers (hid_t file, const char *path, gsize n, const double *values)
{
  hsize_t dims = n;
  write_dataset (file, path, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, n == 1 ? 0 : 1, &dims, NULL, values);
}

static hid_t
create (const char *path)
{
  return H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* --- reading --- */

static FlSource *
open_with (const char *path, const char *geometry, gboolean list_only, GError **error)
{
  g_autofree char *geom = NULL;
  FlSourceOptions options = { .list_only = list_only };
  if (geometry != NULL)
    {
      geom = temporary (".geom");
      g_assert_true (g_file_set_contents (geom, geometry, -1, NULL));
      options.geometry = geom;
    }
  FlSource *source = fl_source_open (path, &options, error);
  if (geom != NULL)
    g_unlink (geom);
  return source;
}

/* 5 frames, 3 modules of 20 × 14 pixels; the geometry takes two of them, one cut into two panels. */
#define N_FRAMES  5
#define N_MODULES 3
#define N_SS      20
#define N_FS      14
#define GEOMETRY                                                                                             \
  "clen = 0.1\nres = 1000\nadu_per_photon = 1\nphoton_energy = 9000\ndata = /d/data\ndim0 = %\ndim2 = "      \
  "ss\ndim3 = fs\n"                                                                                          \
  "fs = x\nss = y\ncorner_x = 0\ncorner_y = 0\n"                                                             \
  "a/dim1 = 0\na/min_fs = 3\na/max_fs = 12\na/min_ss = 2\na/max_ss = 9\n"                                    \
  "b/dim1 = 0\nb/min_fs = 3\nb/max_fs = 13\nb/min_ss = 10\nb/max_ss = 19\n"                                  \
  "c/dim1 = 2\nc/min_fs = 0\nc/max_fs = 13\nc/min_ss = 0\nc/max_ss = 19\n"

static double
value_of (guint frame, guint module, guint ss, guint fs)
{
  guint32 key[4] = { frame, module, ss, fs };
  return (double) (fl_hash64 (key, sizeof key, 0) % 100);
}

static void
check_frames (FlSource *source, FlPixelType type, const char *what)
{
  static const guint first[3][3] = { { 0, 2, 3 }, { 0, 10, 3 }, { 2, 0, 0 } };
  g_auto (FlShot) shot = { 0 };
  g_autoptr (GError) error = NULL;
  FlDetector *detector = fl_source_detector (source);
  g_assert_cmpuint (fl_source_n_frames (source), ==, N_FRAMES);
  g_assert_cmpuint (detector->n_panels, ==, 3);
  for (guint k = 0; k < 2 * N_FRAMES; k++)
    {
      guint frame = (k * 3) % N_FRAMES; /* not in order, some twice */
      g_assert_true (fl_source_read (source, frame, &shot, &error));
      g_assert_no_error (error);
      g_assert_cmpint (shot.type, ==, type);
      for (guint p = 0; p < 3; p++)
        for (guint ss = 0; ss < detector->panels[p].n_ss; ss++)
          for (guint fs = 0; fs < detector->panels[p].n_fs; fs++)
            {
              gsize at = detector->panels[p].offset + ss * detector->panels[p].stride + fs;
              double expected = value_of (frame, first[p][0], first[p][1] + ss, first[p][2] + fs);
              if (fl_shot_value (&shot, at) != expected)
                g_error ("%s: frame %u panel %u ss %u fs %u is %g, expected %g", what, frame, p, ss, fs,
                         fl_shot_value (&shot, at), expected);
              g_assert_cmpuint (detector->mask[at], ==, 0);
            }
    }
}

static void
test_storage (void)
{
  static const Storage storages[] = { { "contiguous", { 0 }, 0, 0 },
                                      { "one chunk a frame", { 1, N_MODULES, N_SS, N_FS }, 0, 0 },
                                      { "one chunk a module, deflate", { 1, 1, N_SS, N_FS }, 1, 0 },
                                      { "one chunk a panel, shuffle and deflate", { 1, 1, 10, N_FS }, 1, 1 },
                                      { "chunks across the panels' edges", { 1, 2, 7, 5 }, 1, 1 },
                                      { "chunks of three frames", { 3, 1, N_SS, N_FS }, 1, 1 },
                                      { "shuffle alone", { 1, 1, 6, 4 }, 0, 1 } };
  const struct
  {
    hid_t file_type;
    FlPixelType type;
  } types[] = { { H5T_STD_U8LE, FL_PIXEL_U8 },    { H5T_STD_U16LE, FL_PIXEL_U16 },
                { H5T_STD_U16BE, FL_PIXEL_U16 },  { H5T_STD_I16LE, FL_PIXEL_I16 },
                { H5T_STD_I32LE, FL_PIXEL_I32 },  { H5T_STD_U32LE, FL_PIXEL_U32 },
                { H5T_STD_I64LE, FL_PIXEL_F64 },  { H5T_IEEE_F32LE, FL_PIXEL_F32 },
                { H5T_IEEE_F32BE, FL_PIXEL_F32 }, { H5T_IEEE_F64LE, FL_PIXEL_F64 } };
  static const hsize_t dims[4] = { N_FRAMES, N_MODULES, N_SS, N_FS };
  g_autofree double *values = g_new (double, N_FRAMES *N_MODULES *N_SS *N_FS);
  for (guint i = 0; i < N_FRAMES * N_MODULES * N_SS * N_FS; i++)
    values[i] =
        value_of (i / (N_MODULES * N_SS * N_FS), i / (N_SS * N_FS) % N_MODULES, i / N_FS % N_SS, i % N_FS);
  for (gsize s = 0; s < G_N_ELEMENTS (storages); s++)
    for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
      {
        g_autofree char *path = temporary (".h5");
        g_autoptr (GError) error = NULL;
        hid_t file = create (path);
        write_dataset (file, "/d/data", types[t].file_type, H5T_NATIVE_DOUBLE, 4, dims, &storages[s], values);
        H5Fclose (file);
        g_autoptr (FlSource) source = open_with (path, GEOMETRY, FALSE, &error);
        g_assert_no_error (error);
        g_autofree char *what = g_strdup_printf ("%s, type %zu", storages[s].name, t);
        check_frames (source, types[t].type, what);
        g_unlink (path);
      }
}

/* 8 x 10 counts, packed by others' libraries. */
static const guint8 bitshuffle_zstd[] = {
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x56, 0x28,
  0xb5, 0x2f, 0xfd, 0x20, 0xa0, 0x6d, 0x02, 0x00, 0x14, 0x04, 0xaa, 0xaa, 0x66, 0x19, 0xa6, 0x79, 0x96,
  0x61, 0x9a, 0x65, 0x98, 0xe6, 0xe1, 0x78, 0x9e, 0xe7, 0x71, 0x18, 0x86, 0xe3, 0x79, 0x9e, 0xb5, 0x52,
  0x2b, 0xb5, 0x5a, 0xad, 0xd4, 0x4a, 0xad, 0xd4, 0xc6, 0xe3, 0xf3, 0xd9, 0x6c, 0x36, 0x1b, 0x8f, 0xcf,
  0x67, 0x07, 0x83, 0xc3, 0xe1, 0x70, 0x38, 0x1c, 0x0c, 0x0e, 0x87, 0xf8, 0x7c, 0x3c, 0x1e, 0x8f, 0xc7,
  0xe3, 0xf3, 0xf1, 0x78, 0x00, 0xff, 0x00, 0x04, 0x10, 0x00, 0x82, 0x44, 0xdf, 0x2e, 0x90, 0xc0, 0x02
};
static const guint8 zstd[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0xa0, 0xa5, 0x02, 0x00, 0x42, 0x86, 0x12,
                               0x18, 0xf0, 0x9a, 0x9b, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x84,
                               0x5b, 0xd8, 0xa4, 0x16, 0x33, 0x2c, 0x0e, 0x8b, 0xc3, 0xe2, 0x54, 0x7a,
                               0x01, 0x3b, 0x2d, 0x1f, 0x11, 0x03, 0xb5, 0x53, 0xcf, 0x4b, 0xc8, 0x44,
                               0xc1, 0x2d, 0xf5, 0x13, 0x33, 0x52, 0x71, 0x90, 0x5b, 0x05, 0xcd, 0x94,
                               0x5c, 0x24, 0xec, 0x5a, 0x43, 0x35, 0x27, 0x19, 0x0b, 0xbd, 0x57, 0xd1,
                               0x4d, 0xca, 0x46, 0xc3, 0x2f, 0x76, 0x94, 0xb3, 0xd2, 0xf1, 0x10, 0x30,
                               0x2b, 0x05, 0x01, 0x00, 0x64, 0x4e, 0x29, 0x44, 0x01 };
static const guint8 lzf[] = { 0x1f, 0x2c, 0x01, 0x33, 0x01, 0x3a, 0x01, 0x41, 0x01, 0x48, 0x01, 0x4f, 0x01,
                              0x56, 0x01, 0x5d, 0x01, 0x32, 0x01, 0x39, 0x01, 0x40, 0x01, 0x47, 0x01, 0x4e,
                              0x01, 0x55, 0x01, 0x5c, 0x01, 0x31, 0x01, 0x1f, 0x38, 0x01, 0x3f, 0x01, 0x46,
                              0x01, 0x4d, 0x01, 0x54, 0x01, 0x5b, 0x01, 0x30, 0x01, 0x37, 0x01, 0x3e, 0x01,
                              0x45, 0x01, 0x4c, 0x01, 0x53, 0x01, 0x5a, 0x01, 0x2f, 0x01, 0x36, 0x01, 0x3d,
                              0x01, 0x1f, 0x44, 0x01, 0x4b, 0x01, 0x52, 0x01, 0x59, 0x01, 0x2e, 0x01, 0x35,
                              0x01, 0x3c, 0x01, 0x43, 0x01, 0x4a, 0x01, 0x51, 0x01, 0x58, 0x01, 0x2d, 0x01,
                              0x34, 0x01, 0x3b, 0x01, 0x42, 0x01, 0x49, 0x01, 0x04, 0x50, 0x01, 0x57, 0x01,
                              0x2c, 0xe0, 0x30, 0x63, 0x01, 0x2f, 0x01 };

static void
write_packed (const char *path, int filter, guint n, const unsigned *values, const guint8 *bytes,
              gsize length)
{
  static const hsize_t dims[2] = { 8, 10 }, zero[2] = { 0, 0 };
  hid_t file = create (path), space = H5Screate_simple (2, dims, NULL), list = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_chunk (list, 2, dims);
  H5Pset_filter (list, filter, H5Z_FLAG_OPTIONAL, n, values);
  hid_t dataset = H5Dcreate2 (file, "/data", H5T_STD_U16LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  g_assert_cmpint (H5Dwrite_chunk (dataset, H5P_DEFAULT, 0, zero, length, bytes), >=, 0);
  H5Dclose (dataset);
  H5Pclose (list);
  H5Sclose (space);
  H5Fclose (file);
}

static void
test_packings (void)
{
  static const struct
  {
    int filter;
    guint n;
    unsigned values[5];
    const guint8 *bytes;
    gsize length;
  } kinds[] = { { 32000, 3, { 4, 261, 160 }, lzf, sizeof lzf },
#ifdef FL_HAVE_ZSTD
                { 32008, 5, { 0, 4, 2, 0, 3 }, bitshuffle_zstd, sizeof bitshuffle_zstd },
                { 32015, 1, { 3 }, zstd, sizeof zstd }
#endif
  };
  g_autofree char *path = temporary (".h5");
  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (int cut = 0; cut < 2; cut++)
      {
        g_autoptr (GError) error = NULL;
        g_auto (FlShot) shot = { 0 };
        write_packed (path, kinds[k].filter, kinds[k].n, kinds[k].values, kinds[k].bytes,
                      kinds[k].length - (gsize) cut);
        g_autoptr (FlSource) source = open_with (path, NULL, FALSE, &error);
        g_assert_no_error (error);
        g_assert_cmpint (fl_source_read (source, 0, &shot, &error), ==, cut == 0);
        g_assert_true (cut == 0 || strstr (error->message, "damaged") != NULL);
        for (guint i = 0; cut == 0 && i < 80; i++)
          g_assert_cmpfloat (fl_shot_value (&shot, i), ==, i * 7 % 50 + 300);
      }
  (void) bitshuffle_zstd, (void) zstd;
  g_unlink (path);
}

/* Chunks that were never written hold the fill value. */
static void
test_fill (void)
{
  static const hsize_t dims[3] = { 4, 6, 5 }, chunk[3] = { 1, 3, 5 };
  g_autofree char *path = temporary (".h5");
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  hid_t file = create (path), space = H5Screate_simple (3, dims, NULL), list = H5Pcreate (H5P_DATASET_CREATE);
  guint16 fill = 77;
  H5Pset_chunk (list, 3, chunk);
  H5Pset_deflate (list, 1);
  H5Pset_fill_value (list, H5T_NATIVE_UINT16, &fill);
  hid_t dataset = H5Dcreate2 (file, "/data", H5T_STD_U16LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Dclose (dataset);
  H5Pclose (list);
  H5Sclose (space);
  H5Fclose (file);
  g_autoptr (FlSource) source = open_with (path, NULL, FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (fl_source_read (source, 3, &shot, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < 30; i++)
    g_assert_cmpfloat (fl_shot_value (&shot, i), ==, 77);
  g_unlink (path);
}

/* Two datasets, one a panel, frames found through %, energies by frame, camera length from the file. */
#define TWO                                                                                                  \
  "photon_energy = /%/energy keV\nclen = /%/z\ndetector_shift_x = /%/x m\nres = 1000\nadu_per_eV = 0.001\n"  \
  "dim0 = %\ndim1 = ss\ndim2 = fs\nfs = x\nss = y\ncorner_x = 0\ncorner_y = 0\nmin_fs = 0\nmax_fs = "        \
  "3\nmin_ss = 0\n"                                                                                          \
  "max_ss = 1\na/data = /%/a\nb/data = /%/b\nb/coffset = 0.001\n"

static void
test_events (void)
{
  static const hsize_t dims[3] = { 2, 2, 4 };
  static const char *const runs[] = { "r1", "r2", "zz" };
  static const char *const names[] = { "r1//0", "r1//1", "r2//0", "r2//1", "zz//0", "zz//1" };
  g_autofree char *path = temporary (".h5");
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  hid_t file = create (path);
  for (int r = 0; r < 3; r++)
    for (int p = 0; p < 2; p++)
      {
        g_autofree char *data = g_strdup_printf ("/%s/%c", runs[r], 'a' + p);
        guint16 values[16];
        for (int i = 0; i < 16; i++)
          values[i] = (guint16) (1000 * r + 100 * p + i);
        write_dataset (file, data, H5T_STD_U16LE, H5T_NATIVE_UINT16, 3, dims, NULL, values);
      }
  for (int r = 0; r < 3; r++)
    {
      g_autofree char *energy = g_strdup_printf ("/%s/energy", runs[r]),
                      *z = g_strdup_printf ("/%s/z", runs[r]);
      g_autofree char *x = g_strdup_printf ("/%s/x", runs[r]);
      write_numbers (file, energy, 2, (double[]){ 9 + r, 9.5 + r });
      write_numbers (file, z, 1, (double[]){ 100 + r });
      write_numbers (file, x, 2, (double[]){ 0.001, 0.002 });
    }
  H5Fclose (file);
  g_autoptr (FlSource) source = open_with (path, TWO, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_source_n_frames (source), ==, 6);
  const FlDetector *detector = fl_source_detector (source);
  g_assert_cmpfloat (detector->wavelength, ==, 0);
  g_assert_cmpfloat_with_epsilon (detector->panels[0].origin.z, 100, 1e-9);
  g_assert_cmpfloat_with_epsilon (detector->panels[1].origin.z, 101, 1e-9);
  g_assert_cmpfloat_with_epsilon (detector->panels[0].counts_per_ev, 0.001, 1e-12);
  for (guint i = 0; i < 6; i++)
    {
      guint frame = 5 - i, run = frame / 2;
      g_autofree char *event = fl_source_event (source, frame);
      g_assert_cmpstr (event, ==, names[frame]);
      g_assert_true (fl_source_read (source, frame, &shot, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (shot.event, ==, names[frame]);
      g_assert_cmpfloat_with_epsilon (shot.energy, 9000 + 1000 * run + 500 * (frame % 2), 1e-6);
      g_assert_cmpfloat_with_epsilon (shot.shift.z, run, 1e-9);
      g_assert_cmpfloat_with_epsilon (shot.shift.x, 1 + frame % 2, 1e-9);
      for (guint p = 0; p < 2; p++)
        for (guint k = 0; k < 8; k++)
          g_assert_cmpfloat (fl_shot_value (&shot, detector->panels[p].offset + k), ==,
                             1000 * run + 100 * p + 8 * (frame % 2) + k);
    }
  g_assert_cmpuint (shot.id, ==, fl_shot_id (path, 0));
  g_assert_false (fl_source_read (source, 6, &shot, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_MISSING);
  g_unlink (path);
}

/* Good and bad bits, a mask for all frames and one for each. */
static void
test_masks (void)
{
  static const char geometry[] = "clen = 0.1\nres = 1000\nadu_per_photon = 1\nphoton_energy = 9000\ndata = "
                                 "/d\ndim0 = %\ndim1 = ss\ndim2 = fs\n"
                                 "mask0_data = /still\nmask0_goodbits = 0x1\nmask0_badbits = 0x4\nmask1_data "
                                 "= /moving\nmask1_badbits = 0xff\n"
                                 "a/min_fs = 0\na/max_fs = 3\na/min_ss = 1\na/max_ss = 2\na/fs = x\na/ss = "
                                 "y\na/corner_x = 0\na/corner_y = 0\n";
  static const hsize_t dims[3] = { 2, 3, 5 };
  static const guint16 still[15] = { 9, 9, 9, 9, 9, 1, 3, 5, 0, 9, 1, 1, 1, 1, 9 };
  guint8 moving[30] = { 0 };
  g_autofree char *path = temporary (".h5");
  g_autoptr (GError) error = NULL;
  g_auto (FlShot) shot = { 0 };
  moving[15 + 10] = 2; /* frame 1, ss 2, fs 0 */
  hid_t file = create (path);
  write_dataset (file, "/d", H5T_STD_U16LE, H5T_NATIVE_UINT16, 3, dims, NULL, NULL);
  write_dataset (file, "/still", H5T_STD_U16LE, H5T_NATIVE_UINT16, 2, dims + 1, NULL, still);
  write_dataset (file, "/moving", H5T_STD_U8LE, H5T_NATIVE_UINT8, 3, dims, NULL, moving);
  H5Fclose (file);
  g_autoptr (FlSource) source = open_with (path, geometry, FALSE, &error);
  g_assert_no_error (error);
  static const guint8 expected[8] = { 0, 0, 1, 1, 0, 0, 0, 0 };
  g_assert_cmpmem (fl_source_detector (source)->mask, 8, expected, 8);
  g_assert_true (fl_source_read (source, 1, &shot, &error));
  g_assert_no_error (error);
  static const guint8 second[8] = { 0, 0, 1, 1, 1, 0, 0, 0 };
  g_assert_cmpmem (shot.mask, 8, second, 8);
  g_assert_true (fl_source_read (source, 0, &shot, &error));
  g_assert_cmpmem (shot.mask, 8, expected, 8);
  /* The user's own mask on top. */
  g_autofree char *mask_path = temporary (".h5"), *option = g_strconcat (mask_path, ":/m/own", NULL);
  g_autofree char *geom = temporary (".geom");
  guint8 own[15] = { 0 };
  own[5] = 1;
  file = create (mask_path);
  write_dataset (file, "/m/own", H5T_STD_U8LE, H5T_NATIVE_UINT8, 2, dims + 1, NULL, own);
  H5Fclose (file);
  g_assert_true (g_file_set_contents (geom, geometry, -1, NULL));
  g_autoptr (FlSource) masked =
      fl_source_open (path, &(FlSourceOptions){ .geometry = geom, .mask = option }, &error);
  g_assert_no_error (error);
  static const guint8 third[8] = { 1, 0, 1, 1, 0, 0, 0, 0 };
  g_assert_cmpmem (fl_source_detector (masked)->mask, 8, third, 8);
  g_unlink (geom);
  g_unlink (mask_path);
  g_unlink (path);
}

static void
test_errors (void)
{
  static const hsize_t dims[3] = { 2, 3, 5 };
  static const struct
  {
    const char *line, *message;
  } cases[] = { { "data = /nothing\n", ": no dataset /nothing, expected pixels there" },
                { "data = /text\n", ": /text holds no numbers, expected pixels" },
                { "data = /flat\n", ": /flat has 2 dimensions, but the geometry describes 3 (dim0 … dim2)" },
                { "max_fs = 5\n", ": dimension 2 of /d has 5 elements, but the geometry needs 6" },
                { "photon_energy = /none\n", ": no dataset /none, expected numbers there" },
                { "photon_energy = /three\n", ": /three has 3 values, expected 1 or 2 (frames)" },
                { "mask0_data = /none\n", ": no dataset /none, expected a mask or map there" },
                { "mask0_data = /three\n",
                  ": /three has 1 dimensions, expected 3 as the data, or those without the frame's" },
                { "data = /%/none\n", ": no dataset matches /%/none, expected at least one" } };
  g_autofree char *path = temporary (".h5");
  hid_t file = create (path), text = H5Tcopy (H5T_C_S1);
  H5Tset_size (text, 4);
  write_dataset (file, "/d", H5T_STD_U16LE, H5T_NATIVE_UINT16, 3, dims, NULL, NULL);
  write_dataset (file, "/text", text, text, 3, dims, NULL, NULL);
  write_dataset (file, "/flat", H5T_STD_U16LE, H5T_NATIVE_UINT16, 2, dims, NULL, NULL);
  write_numbers (file, "/three", 3, (double[]){ 1, 2, 3 });
  H5Tclose (text);
  H5Fclose (file);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *geometry = g_strdup_printf (
          "clen = 0.1\nres = 1000\nadu_per_photon = 1\ndata = /d\ndim0 = %%\ndim1 = ss\ndim2 = fs\nmax_fs = "
          "4\n%s"
          "a/min_fs = 0\na/min_ss = 0\na/max_ss = 2\na/fs = x\na/ss = y\na/corner_x = 0\na/corner_y = 0\n",
          cases[i].line);
      g_autofree char *expected = g_strconcat (path, cases[i].message, NULL);
      g_assert_null (open_with (path, geometry, FALSE, &error));
      g_assert_nonnull (error);
      g_assert_cmpstr (error->message, ==, expected);
    }
  g_unlink (path);
}

/* --- CrystFEL's pairs --- */

static void
test_enumeration (void)
{
  static const struct
  {
    const char *name;
    guint n;
    const char *first, *last;
  } cases[] = { { "ev_enum1", 4, "ev_1/dataABCset//", "ev_5/dataNOPset//" },
                { "ev_enum2", 200, "a//0", "b//99" },
                { "ev_enum3", 1, "", "" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *base = g_strconcat ("crystfel/tests/", cases[i].name, NULL);
      g_autofree char *h5 = g_strconcat (base, ".h5", NULL), *geom = g_strconcat (base, ".geom", NULL);
      g_autofree char *path = test_data (h5), *geometry = test_data (geom);
      g_autoptr (GError) error = NULL;
      if (path == NULL || geometry == NULL)
        return;
      FlSourceOptions options = { .geometry = geometry, .list_only = TRUE };
      g_autoptr (FlSource) source = fl_source_open (path, &options, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (fl_source_n_frames (source), ==, cases[i].n);
      g_autofree char *first = fl_source_event (source, 0), *last = fl_source_event (source, cases[i].n - 1);
      g_assert_cmpstr (first, ==, cases[i].first);
      g_assert_cmpstr (last, ==, cases[i].last);
      g_assert_null (fl_source_event (source, cases[i].n));
    }
}

static void
test_wavelengths (void)
{
  /* Å; the pairs' expected values: 1 Å from the file, 9 keV, 300 kV electrons, and 1.125 Å by value. */
  static const double expected[12] = { 1,       1.37760,   1.37760, 0.0196875, 0.0196875, 1.37760,
                                       1.37760, 0.0196875, 1.37760, 1.37760,   1.125,     1.125 };
  g_autofree char *path = test_data ("crystfel/tests/wavelength_geom.h5");
  if (path == NULL)
    return;
  for (int i = 0; i < 12; i++)
    {
      g_autofree char *name = g_strdup_printf ("crystfel/tests/wavelength_geom%d.geom", i + 1);
      g_autofree char *geometry = test_data (name);
      g_autoptr (GError) error = NULL;
      g_auto (FlShot) shot = { 0 };
      g_assert_nonnull (geometry);
      g_autoptr (FlSource) source = fl_source_open (path, &(FlSourceOptions){ .geometry = geometry }, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (fl_source_detector (source)->wavelength, expected[i],
                                      2e-5 * expected[i]);
      g_assert_true (fl_source_read (source, 0, &shot, &error));
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (shot.energy, 12398.41984 / expected[i], 0.3 / expected[i]);
    }
}

/* --- lists --- */

static void
test_lists (void)
{
  g_autofree char *list = temporary (".lst"), *folder = g_path_get_dirname (list);
  g_autofree char *b = g_build_filename (folder, "b c.h5", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (list, "/x/a.h5\n\n  b c.h5\r\na.cxi //12\n", -1, NULL));
  g_autoptr (GArray) items = fl_source_expand (list, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (items->len, ==, 3);
  const FlSourceItem *item = &g_array_index (items, FlSourceItem, 0);
  g_assert_cmpstr (item[0].path, ==, "/x/a.h5");
  g_assert_cmpint (item[0].frame, ==, -1);
  g_assert_cmpstr (item[1].path, ==, b);
  g_assert_true (g_str_has_suffix (item[2].path, "/a.cxi"));
  g_assert_cmpint (item[2].frame, ==, 12);
  g_assert_true (g_file_set_contents (list, "a.h5 run3//7\n", -1, NULL));
  g_assert_null (fl_source_expand (list, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED);
  g_unlink (list);
  g_autoptr (GArray) one = fl_source_expand ("some.cbf", NULL);
  g_assert_cmpuint (one->len, ==, 1);
}

int
main (int argc, char **argv)
{
  /* A plug-in would put its own numbers before ours into what test_packings writes. */
  g_setenv ("HDF5_PLUGIN_PATH", "/nowhere", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hdf5/storage", test_storage);
  g_test_add_func ("/hdf5/packings", test_packings);
  g_test_add_func ("/hdf5/fill", test_fill);
  g_test_add_func ("/hdf5/events", test_events);
  g_test_add_func ("/hdf5/masks", test_masks);
  g_test_add_func ("/hdf5/errors", test_errors);
  g_test_add_func ("/hdf5/crystfel-enumeration", test_enumeration);
  g_test_add_func ("/hdf5/crystfel-wavelengths", test_wavelengths);
  g_test_add_func ("/hdf5/lists", test_lists);
  return g_test_run ();
}
