#include "engine/shots/sacla.h"

#include <math.h>
#include <string.h>

#include "engine/base/units.h"

#define SENSORS   8
#define SENSOR_FS 512
#define SENSOR_SS 1024
#define GAIN      10 /* counts a photon: the pipeline scales to it unless it says otherwise */

/* Of the first shot; NULL: none. */
static char *
find_data (hid_t file)
{
  g_auto (GStrv) names = fl_h5_children (file, "/", NULL);
  for (char **name = names; *name != NULL; name++)
    if (g_str_has_prefix (*name, "tag-"))
      return g_strdup_printf ("/%s/data", *name);
  return NULL;
}

static gboolean
read_sensors (hid_t file, const char *name, double values[SENSORS])
{
  gsize n = 0;
  g_autofree double *numbers = fl_h5_read_numbers (file, "", name, SENSORS, &n, NULL);
  if (numbers == NULL || n != SENSORS)
    return FALSE;
  memcpy (values, numbers, SENSORS * sizeof *values);
  for (guint i = 0; i < SENSORS; i++)
    if (!isfinite (values[i]))
      return FALSE;
  return TRUE;
}

/* "key = value" that keeps all of the number. */
static void
add_number (GString *text, guint sensor, const char *key, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (text, "q%u/%s = %s\n", sensor, key, g_ascii_dtostr (buffer, sizeof buffer, value));
}

static void
add_rectangle (GString *text, guint sensor, guint first_ss, guint n_ss, guint n_fs)
{
  g_string_append_printf (text, "q%u/min_fs = 0\nq%u/max_fs = %u\nq%u/min_ss = %u\nq%u/max_ss = %u\n", sensor,
                          sensor, n_fs - 1, sensor, first_ss, sensor, first_ss + n_ss - 1);
}

static void
add_direction (GString *text, guint sensor, const char *which, double x, double y)
{
  char a[G_ASCII_DTOSTR_BUF_SIZE], b[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (text, "q%u/%s = %sx %sy\n", sensor, which,
                          g_ascii_formatd (a, sizeof a, "%+.15f", x),
                          g_ascii_formatd (b, sizeof b, "%+.15f", y));
}

/* Positions are in µm with x the other way round; "angle_in_rad" is in degrees. */
static gboolean
add_sensors (hid_t file, GString *text, double distance, double pixel)
{
  double x[SENSORS], y[SENSORS], z[SENSORS], angle[SENSORS];
  if (!(distance > 0) || !(pixel > 0) || !read_sensors (file, "/metadata/posx_in_um", x)
      || !read_sensors (file, "/metadata/posy_in_um", y) || !read_sensors (file, "/metadata/posz_in_um", z)
      || !read_sensors (file, "/metadata/angle_in_rad", angle))
    return FALSE;
  for (guint i = 0; i < SENSORS; i++)
    {
      double c = cos (fl_radians (angle[i])), s = sin (fl_radians (angle[i]));
      add_rectangle (text, i + 1, i * SENSOR_SS, SENSOR_SS, SENSOR_FS);
      add_direction (text, i + 1, "fs", c, s);
      add_direction (text, i + 1, "ss", -s, c);
      add_number (text, i + 1, "corner_x", -x[i] / pixel);
      add_number (text, i + 1, "corner_y", y[i] / pixel);
      add_number (text, i + 1, "coffset", (distance * 1e3 + z[i]) * 1e-6);
      add_number (text, i + 1, "res", 1e6 / pixel);
    }
  return TRUE;
}

gboolean
fl_sacla_geometry (hid_t file, const char *path, FlH5Self *self, GError **error)
{
  guint rank, mask_rank;
  hsize_t dims[H5S_MAX_RANK], mask_dims[H5S_MAX_RANK];
  FlPixelType type, mask_type;
  g_autofree char *data = find_data (file);
  if (data == NULL || !fl_h5_image_shape (file, data, &rank, dims, &type) || rank != 2)
    return FALSE;
  char gain[G_ASCII_DTOSTR_BUF_SIZE];
  double told = fl_h5_read_number (file, "/metadata/adu_per_photon", GAIN);
  double pixel = fl_h5_read_number (file, "/metadata/pixelsizex_in_um", 50);
  double distance = fl_h5_read_number (file, "/metadata/distance_in_mm", NAN);
  gboolean mpccd = dims[0] == SENSORS * SENSOR_SS && dims[1] == SENSOR_FS;
  g_autoptr (GString) text = g_string_new ("data = /tag-%/data\ndim0 = ss\ndim1 = fs\nclen = 0\n"
                                           "photon_energy = /tag-%/photon_energy_ev eV\n");
  g_string_append_printf (text, "adu_per_photon = %s\n",
                          g_ascii_dtostr (gain, sizeof gain, mpccd && told > 0 ? told : 1));
  if (fl_h5_image_shape (file, "/metadata/pixelmask", &mask_rank, mask_dims, &mask_type) && mask_rank == 2
      && mask_dims[0] == dims[0] && mask_dims[1] == dims[1])
    g_string_append (text, "mask0_data = /metadata/pixelmask\nmask0_badbits = 0xffffffff\n");
  self->format = mpccd ? "MPCCD of SACLA" : "SACLA";
  self->placed = mpccd && add_sensors (file, text, distance, pixel);
  if (!self->placed)
    {
      add_rectangle (text, 1, 0, (guint) dims[0], (guint) dims[1]);
      g_string_append (text, "q1/fs = x\nq1/ss = y\nq1/corner_x = 0\nq1/corner_y = 0\nq1/res = 1\n");
    }
  if (type == FL_PIXEL_U16)
    self->high = 65534;
  self->geom = fl_geom_parse (path, text->str, text->len, error);
  return self->geom != NULL;
}
