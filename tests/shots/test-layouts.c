/* Detectors of the sources as their HDF5 files lay them out, each through its geometry: every panel's pixels are where the
 * geometry's text puts them. In made files a pixel's value is its place in the stored frame. */

#include <glib/gstdio.h>
#include <hdf5.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geometry.h"
#include "engine/shots/source.h"
#include "tests/shots/data.h"

static char *
temporary (const char *ending)
{
  static guint n;
  g_autofree char *name =
      g_strdup_printf ("firstlight-layout-%" G_GINT64_FORMAT "-%u%s", g_get_monotonic_time (), n++, ending);
  return g_build_filename (g_get_tmp_dir (), name, NULL);
}

/* rank dimensions; the value of pixel i is first + i. */
static void
write_frame (hid_t file, const char *path, int rank, const hsize_t *dims, guint32 first)
{
  hsize_t n = 1;
  for (int i = 0; i < rank; i++)
    n *= dims[i];
  g_autofree guint32 *values = g_new (guint32, n);
  for (hsize_t i = 0; i < n; i++)
    values[i] = first + (guint32) i;
  hid_t space = H5Screate_simple (rank, dims, NULL), links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (links, 1);
  hid_t dataset = H5Dcreate2 (file, path, H5T_STD_U32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (H5Dwrite (dataset, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), >=, 0);
  H5Dclose (dataset);
  H5Pclose (links);
  H5Sclose (space);
}

static void
write_number (hid_t file, const char *path, double value)
{
  hsize_t one = 1;
  hid_t space = H5Screate_simple (1, &one, NULL), links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (links, 1);
  hid_t dataset = H5Dcreate2 (file, path, H5T_IEEE_F64LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint (H5Dwrite (dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value), >=, 0);
  H5Dclose (dataset);
  H5Pclose (links);
  H5Sclose (space);
}

/* The number that the geometry's text gives a panel; 0: it gives none. */
static guint
panel_key (const char *text, const char *panel, const char *key)
{
  g_autofree char *what = g_strdup_printf ("\n%s/%s =", panel, key);
  const char *at = strstr (text, what);
  return at != NULL ? (guint) g_ascii_strtoull (at + strlen (what), NULL, 10) : 0;
}

/* Every panel of every frame against the text: `fixed` is the key of the dimension that numbers modules of height × width
 * (NULL: there is none); frame f's first pixel has the value first[f]. */
typedef struct
{
  const char *fixed;
  guint height, width;
  const guint32 *first;
  const char *const *events;
  guint n_frames;
} Expected;

static void
check (const char *path, const char *geometry, const char *text, const Expected *expected)
{
  FlSourceOptions options = { .geometry = geometry };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, &options, &error);
  g_auto (FlShot) shot = { 0 };
  g_assert_no_error (error);
  g_assert_cmpuint (fl_source_n_frames (source), ==, expected->n_frames);
  const FlDetector *detector = fl_source_detector (source);
  for (guint32 f = 0; f < expected->n_frames; f++)
    {
      g_assert_true (fl_source_read (source, f, &shot, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (shot.event, ==, expected->events[f]);
      for (guint i = 0; i < detector->n_panels; i++)
        {
          const FlPanel *panel = &detector->panels[i];
          guint min_fs = panel_key (text, panel->name, "min_fs"),
                min_ss = panel_key (text, panel->name, "min_ss");
          guint module = expected->fixed != NULL ? panel_key (text, panel->name, expected->fixed) : 0;
          g_assert_cmpuint (panel->n_fs, ==, panel_key (text, panel->name, "max_fs") - min_fs + 1);
          g_assert_cmpuint (panel->n_ss, ==, panel_key (text, panel->name, "max_ss") - min_ss + 1);
          for (guint ss = 0; ss < panel->n_ss; ss++)
            for (guint fs = 0; fs < panel->n_fs; fs++)
              {
                guint at = (module * expected->height + min_ss + ss) * expected->width + min_fs + fs;
                if (fl_shot_value (&shot, panel->offset + ss * panel->stride + fs) != expected->first[f] + at)
                  g_error ("panel %s, pixel %u %u of frame %u is not that of the file", panel->name, fs, ss,
                           f);
              }
        }
    }
}

/* --- the real geometries, with files of the shapes that they are for --- */

typedef struct
{
  const char *name, *data;
  int rank; /* of the dataset, frames included */
  hsize_t dims[4];
  const char *fixed;
  guint panels;
} Layout;

static const Layout layouts[] = {
  { "agipd_mar18_v11", "/entry_1/data_1/data", 4, { 2, 16, 512, 128 }, "dim1", 128 },
  { "cspad-cxib2313-v9", "/data/data", 2, { 1480, 1552 }, NULL, 64 },
  { "cxi_jungfrau4M", "/entry_1/data_1/data", 3, { 2, 1480, 1552 }, NULL, 64 },
  { "mfx_epix10k2M", "/entry_1/data_1/data", 3, { 2, 5632, 384 }, NULL, 64 },
};

static void
test_real (gconstpointer data)
{
  static const char *const many[] = { "//0", "//1" }, *const one[] = { "" };
  const Layout *layout = data;
  g_autofree char *relative = g_strdup_printf ("geom/%s.geom", layout->name);
  g_autofree char *real = test_data (relative), *text = NULL;
  if (real == NULL)
    return;
  g_assert_true (g_file_get_contents (real, &text, NULL, NULL));
  gboolean frames = layout->rank > 2;
  /* Two of them leave the camera length to whoever knows it. */
  gboolean has_clen = strstr (text, "\nclen") != NULL;
  g_autofree char *whole = g_strconcat (has_clen ? "" : "clen = 0.1\nphoton_energy = 9000\n", text, NULL);
  g_autofree char *path = temporary (".h5"), *geometry = temporary (".geom");
  g_assert_true (g_file_set_contents (geometry, whole, -1, NULL));
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_frame (file, layout->data, layout->rank, layout->dims, 0);
  guint32 pixels = (guint32) (layout->dims[layout->rank - 1] * layout->dims[layout->rank - 2]);
  if (layout->fixed != NULL)
    {
      pixels *= 16;
      hsize_t dims[4] = { 2, 16, 512, 128 };
      write_frame (file, "/entry_1/data_1/mask", 4, dims, 0);
    }
  write_number (file, "/LCLS/detector_encoder", -400);
  H5Fclose (file);
  const guint32 first[] = { 0, pixels };
  Expected expected = { layout->fixed,
                        (guint) layout->dims[layout->rank - 2],
                        (guint) layout->dims[layout->rank - 1],
                        first,
                        frames ? many : one,
                        frames ? 2 : 1 };
  check (path, geometry, text, &expected);
  g_unlink (path);
  g_unlink (geometry);
}

/* --- layouts whose geometry is made here --- */

static void
check_made (const char *path, GString *text, const Expected *expected)
{
  g_autofree char *geometry = temporary (".geom");
  g_assert_true (g_file_set_contents (geometry, text->str, -1, NULL));
  check (path, geometry, text->str, expected);
  g_unlink (geometry);
  g_unlink (path);
  g_string_free (text, TRUE);
}

static void
add_panel (GString *text, const char *name, guint min_fs, guint min_ss, guint n_fs, guint n_ss,
           const char *more)
{
  g_string_append_printf (
      text,
      "\n%s/min_fs = %u\n%s/max_fs = %u\n%s/min_ss = %u\n%s/max_ss = %u\n%s/corner_x = %u\n"
      "%s/corner_y = %u\n%s/fs = x\n%s/ss = y\n%s",
      name, min_fs, name, min_fs + n_fs - 1, name, min_ss, name, min_ss + n_ss - 1, name, min_fs, name,
      min_ss, name, name, more);
}

/* What SACLA's dispatcher writes: an image of eight CCDs a tag, each with its photon energy. */
static void
test_mpccd (void)
{
  static const char *const events[] = { "tag-1001//", "tag-1003//", "tag-1005//" };
  static const guint32 first[] = { 1001, 1003, 1005 };
  const hsize_t dims[2] = { 8192, 512 };
  g_autofree char *path = temporary (".h5");
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *data = g_strdup_printf ("/tag-%u/data", first[i]);
      g_autofree char *energy = g_strdup_printf ("/tag-%u/photon_energy_ev", first[i]);
      write_frame (file, data, 2, dims, first[i]);
      write_number (file, energy, 7000 + i);
    }
  write_number (file, "/metadata/run_info", 1);
  H5Fclose (file);
  GString *text =
      g_string_new ("clen = 0.05\nres = 20000\nadu_per_photon = 10\nphoton_energy = /%/photon_energy_ev\n"
                    "data = /%/data\ndim0 = ss\ndim1 = fs\n");
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *name = g_strdup_printf ("q%u", i + 1);
      add_panel (text, name, 0, 1024 * i, 512, 1024, "");
    }
  Expected expected = { NULL, 8192, 512, first, events, 3 };
  check_made (path, text, &expected);
}

/* What SACLA's own tool writes: a dataset a CCD and tag, CCDs beside each other. */
static void
test_mpccd_raw (void)
{
  static const char *const events[] = { "1234/77//", "1234/78//" };
  static const guint32 first[] = { 0, 1 << 24 };
  const hsize_t dims[2] = { 1024, 512 };
  g_autofree char *path = temporary (".h5");
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  GString *text = g_string_new ("clen = 0.05\nres = 20000\nphoton_energy = 7000\ndim0 = ss\ndim1 = fs\n"
                                "data = /run_%/detector_2d_1/tag_%/detector_data\n");
  for (guint k = 1; k <= 8; k++)
    {
      for (guint tag = 77; tag <= 78; tag++)
        {
          g_autofree char *data = g_strdup_printf ("/run_1234/detector_2d_%u/tag_%u/detector_data", k, tag);
          write_frame (file, data, 2, dims, first[tag - 77] + (k - 1) * 1024 * 512);
        }
      g_autofree char *name = g_strdup_printf ("d%u", k);
      g_autofree char *more =
          g_strdup_printf ("%s/data = /run_%%/detector_2d_%u/tag_%%/detector_data\n", name, k);
      add_panel (text, name, 0, 0, 512, 1024, more);
    }
  write_number (file, "/run_1234/event_info/run_number", 1234);
  H5Fclose (file);
  g_autofree char *geometry = temporary (".geom");
  g_assert_true (g_file_set_contents (geometry, text->str, -1, NULL));
  /* For check() alone, which knows one dataset. */
  for (guint k = 1; k <= 8; k++)
    g_string_append_printf (text, "\nd%u/module = %u\n", k, k - 1);
  Expected expected = { "module", 1024, 512, first, events, 2 };
  check (path, geometry, text->str, &expected);
  g_unlink (geometry);
  g_unlink (path);
  g_string_free (text, TRUE);
}

/* CSPAD's sections as they are read out: 32 of 185 × 388, each two panels. */
static void
test_cspad_sections (void)
{
  static const char *const events[] = { "//0", "//1" };
  static const guint32 first[] = { 0, 32 * 185 * 388 };
  const hsize_t dims[4] = { 2, 32, 185, 388 };
  g_autofree char *path = temporary (".h5");
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_frame (file, "/data/sections", 4, dims, 0);
  H5Fclose (file);
  GString *text =
      g_string_new ("clen = 0.1\nres = 9097.52\nphoton_energy = 9000\ndata = /data/sections\ndim0 = %\n"
                    "dim2 = ss\ndim3 = fs\n");
  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *name = g_strdup_printf ("q%ua%u", i / 16, i % 16);
      g_autofree char *more = g_strdup_printf ("%s/dim1 = %u\n", name, i / 2);
      add_panel (text, name, i % 2 * 194, 0, 194, 185, more);
    }
  Expected expected = { "dim1", 185, 388, first, events, 2 };
  check_made (path, text, &expected);
}

/* AGIPD as Cheetah stacks it, and cells of its modules with gains behind the data. */
static void
test_agipd (void)
{
  static const char *const events[] = { "//0", "//1", "//2" };
  static const guint32 first[] = { 0, 8192 * 128, 2 * 8192 * 128 };
  const hsize_t dims[3] = { 2, 8192, 128 };
  g_autofree char *path = temporary (".h5");
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_frame (file, "/entry_1/data_1/data", 3, dims, 0);
  H5Fclose (file);
  GString *text =
      g_string_new ("clen = 0.12\nres = 5000\nphoton_energy = 9300\ndata = /entry_1/data_1/data\ndim0 = %\n"
                    "dim1 = ss\ndim2 = fs\n");
  for (guint i = 0; i < 128; i++)
    {
      g_autofree char *name = g_strdup_printf ("p%ua%u", i / 8, i % 8);
      add_panel (text, name, 0, 64 * i, 128, 64, "");
    }
  Expected stacked = { NULL, 8192, 128, first, events, 2 };
  check_made (path, text, &stacked);

  static const guint32 cells[] = { 0, 2 * 512 * 128, 4 * 512 * 128 };
  const hsize_t module[4] = { 3, 2, 512, 128 };
  g_autofree char *raw = temporary (".h5");
  file = H5Fcreate (raw, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_frame (file, "/INSTRUMENT/SPB_DET_AGIPD1M-1/DET/3CH0:xtdf/image/data", 4, module, 0);
  H5Fclose (file);
  text = g_string_new ("clen = 0.12\nres = 5000\nphoton_energy = 9300\n"
                       "data = /INSTRUMENT/SPB_DET_AGIPD1M-1/DET/3CH0:xtdf/image/data\ndim0 = %\ndim1 = 0\n"
                       "dim2 = ss\ndim3 = fs\n");
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *name = g_strdup_printf ("p3a%u", i);
      add_panel (text, name, 0, 64 * i, 128, 64, "");
    }
  Expected one = { NULL, 512, 128, cells, events, 3 };
  check_made (raw, text, &one);
}

/* A master whose data files stayed behind has no data that anything could lie beside. */
static void
test_metadata_alone (void)
{
  g_autofree char *path = temporary (".h5");
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  static const char *const names[] = { "x_pixel_size", "y_pixel_size", "detector_distance", "beam_center_x",
                                       "beam_center_y" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = g_strconcat ("/entry/instrument/detector/", names[i], NULL);
      write_number (file, name, i < 3 ? 1e-4 : 5);
    }
  H5Fclose (file);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlGeom) geom = fl_geometry_read (path, NULL, &error);
  g_assert_true ((geom != NULL) == (error == NULL));
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (layouts); i++)
    {
      g_autofree char *path = g_strconcat ("/layouts/", layouts[i].name, NULL);
      g_test_add_data_func (path, &layouts[i], test_real);
    }
  g_test_add_func ("/layouts/mpccd", test_mpccd);
  g_test_add_func ("/layouts/mpccd-raw", test_mpccd_raw);
  g_test_add_func ("/layouts/cspad-sections", test_cspad_sections);
  g_test_add_func ("/layouts/agipd", test_agipd);
  g_test_add_func ("/layouts/metadata-alone", test_metadata_alone);
  return g_test_run ();
}
