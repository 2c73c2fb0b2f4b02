#include "engine/shots/pal.h"

#include <math.h>

#define EDGE 225.0 /* mm of the detector, however its pixels are binned */

/* The one run; NULL: none. */
static char *
find_run (hid_t file)
{
  g_auto (GStrv) names = fl_h5_children (file, "/", NULL);
  gboolean run = names[0] != NULL && names[1] == NULL && names[0][0] == 'R' && g_ascii_isdigit (names[0][1]);
  return run ? g_strdup (names[0]) : NULL;
}

static void
add_number (GString *text, const char *key, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (text, "%s = %s\n", key, g_ascii_dtostr (buffer, sizeof buffer, value));
}

gboolean
fl_pal_geometry (hid_t file, const char *path, FlH5Self *self, GError **error)
{
  guint rank;
  hsize_t dims[H5S_MAX_RANK];
  FlPixelType type;
  g_autofree char *run = find_run (file);
  g_autofree char *data = run != NULL ? g_strdup_printf ("/%s/scan_dat/raymx_data", run) : NULL;
  if (data == NULL || !fl_h5_image_shape (file, data, &rank, dims, &type) || rank != 3)
    return FALSE;
  g_autofree char *distance_path = g_strdup_printf ("/%s/header/detector_0_distance", run);
  double distance = fl_h5_read_number (file, distance_path, NAN), pixel = EDGE / (double) dims[2];
  g_autoptr (GString) text = g_string_new ("adu_per_photon = 1\ndim0 = %\ndim1 = ss\ndim2 = fs\n");
  g_string_append_printf (text, "data = %s\nwavelength = /%s/scan_dat/photon_wavelength A\n", data, run);
  g_string_append_printf (text, "p0/min_fs = 0\np0/max_fs = %u\np0/min_ss = 0\np0/max_ss = %u\n",
                          (guint) dims[2] - 1, (guint) dims[1] - 1);
  self->format = "Rayonix of PAL-XFEL";
  self->placed = distance > 0 && isfinite (distance);
  add_number (text, "clen", self->placed ? distance * 1e-3 : 0);
  add_number (text, "p0/res", self->placed ? 1e3 / pixel : 1);
  g_string_append (text, self->placed ? "p0/fs = -x\np0/ss = -y\n" : "p0/fs = x\np0/ss = y\n");
  add_number (text, "p0/corner_x", self->placed ? 0.5 * (double) dims[2] : 0);
  add_number (text, "p0/corner_y", self->placed ? 0.5 * (double) dims[1] : 0);
  if (type == FL_PIXEL_U16)
    self->high = 65534;
  self->geom = fl_geom_parse (path, text->str, text->len, error);
  if (self->geom != NULL && self->placed)
    g_ptr_array_add (self->geom->notes,
                     g_strdup ("the file does not tell the beam's centre: taken to be the middle"));
  return self->geom != NULL;
}
