#include "engine/shots/skopi.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/hdf5-util.h"

#define MOST_AXES    8
#define MOST_PIXELS  268435456 /* of a frame: more is damage */
#define PER_ANGSTROM 1e-10     /* m⁻¹ */

struct FlSkopi
{
  char *path;
  hid_t file, data;
  int axes;
  hsize_t dims[MOST_AXES]; /* of the frames; the first is their number */
  gsize n_pixels;
  FlVec3 *s;
  double *factor;
  FlQuat *orientations;
  gint32 *conformations;
};

/* Opens the frames and learns their size. */
static gboolean
open_frames (FlSkopi *k, GError **error)
{
  const char *name = fl_h5_exists (k->file, "intensities") ? "intensities" : "photons";
  k->data = fl_h5_exists (k->file, name) ? H5Dopen (k->file, name, H5P_DEFAULT) : -1;
  if (k->data < 0)
    return fl_h5_fail (error, FL_ERROR_MISSING, k->path, "no dataset /intensities or /photons");
  g_auto (FlHid) space = H5Dget_space (k->data);
  g_auto (FlHid) type = H5Dget_type (k->data);
  FlPixelType pixel_type;
  k->axes = H5Sget_simple_extent_ndims (space);
  if (k->axes < 2 || k->axes > MOST_AXES || !fl_h5_pixel_type (type, &pixel_type))
    return fl_h5_fail (error, FL_ERROR_INPUT, k->path, "/%s is no stack of frames of numbers", name);
  H5Sget_simple_extent_dims (space, k->dims, NULL);
  k->n_pixels = 1;
  for (int i = 1; i < k->axes; i++)
    k->n_pixels *= k->dims[i] <= MOST_PIXELS / MAX (k->n_pixels, 1) ? k->dims[i] : 0;
  if (k->n_pixels > 0 && k->dims[0] > 0 && k->dims[0] <= G_MAXINT32)
    return TRUE;
  return fl_h5_fail (error, FL_ERROR_INPUT, k->path, "/%s has no or too many frames or pixels", name);
}

/* `wanted` numbers; NULL when there is no such dataset (then no error), or it has another number of them or what is
   not finite. */
static double *
read_exactly (const FlSkopi *k, const char *name, gsize wanted, GError **error)
{
  gsize n = 0;
  if (!fl_h5_exists (k->file, name))
    return NULL;
  g_autofree double *values = fl_h5_read_numbers (k->file, k->path, name, wanted, &n, error);
  if (values == NULL)
    return NULL;
  gboolean finite = TRUE;
  for (gsize i = 0; i < n; i++)
    finite = finite && isfinite (values[i]);
  if (n == wanted && finite)
    return g_steal_pointer (&values);
  fl_h5_fail (error, FL_ERROR_INPUT, k->path, "/%s has %s, expected %" G_GSIZE_FORMAT " numbers", name,
              finite ? "another size" : "values that are not finite", wanted);
  return NULL;
}

/* TRUE: its three components come first, then the axes of a frame. */
static gboolean
first_axis_is_three (const FlSkopi *k, const char *name)
{
  g_auto (FlHid) set = H5Dopen (k->file, name, H5P_DEFAULT);
  g_auto (FlHid) space = H5Dget_space (set);
  hsize_t dims[MOST_AXES];
  if (H5Sget_simple_extent_ndims (space) != k->axes)
    return FALSE;
  H5Sget_simple_extent_dims (space, dims, NULL);
  return dims[0] == 3 && memcmp (dims + 1, k->dims + 1, (gsize) (k->axes - 1) * sizeof *dims) == 0;
}

static gboolean
read_positions (FlSkopi *k, GError **error)
{
  static const char name[] = "pixel_position_reciprocal";
  g_autoptr (GError) local = NULL;
  gsize n = k->n_pixels;
  g_autofree double *values = read_exactly (k, name, 3 * n, &local);
  if (values == NULL && local == NULL)
    return fl_h5_fail (error, FL_ERROR_MISSING, k->path, "no dataset /%s", name);
  if (values == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  gboolean first = first_axis_is_three (k, name);
  gsize pixel = first ? 1 : 3, axis = first ? n : 1;
  k->s = g_new (FlVec3, n);
  for (gsize i = 0; i < n; i++)
    k->s[i] = fl_vec3_scale (
        fl_vec3 (values[i * pixel], values[i * pixel + axis], values[i * pixel + 2 * axis]), PER_ANGSTROM);
  return TRUE;
}

static gboolean
read_factors (FlSkopi *k, GError **error)
{
  static const char *const names[] = { "polarization", "solid_angle" };
  k->factor = g_new (double, k->n_pixels);
  for (gsize i = 0; i < k->n_pixels; i++)
    k->factor[i] = 1;
  for (guint j = 0; j < G_N_ELEMENTS (names); j++)
    {
      g_autoptr (GError) local = NULL;
      g_autofree double *values = read_exactly (k, names[j], k->n_pixels, &local);
      if (local != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      for (gsize i = 0; values != NULL && i < k->n_pixels; i++)
        k->factor[i] *= values[i];
    }
  return TRUE;
}

static gboolean
read_truth (FlSkopi *k, GError **error)
{
  g_autoptr (GError) local = NULL;
  gsize n = k->dims[0];
  g_autofree double *q = read_exactly (k, "orientations", 4 * n, &local);
  g_autofree double *c = local == NULL ? read_exactly (k, "conformation", n, &local) : NULL;
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  k->orientations = q != NULL ? g_new (FlQuat, n) : NULL;
  k->conformations = c != NULL ? g_new (gint32, n) : NULL;
  for (gsize i = 0; q != NULL && i < n; i++)
    k->orientations[i] = (FlQuat){ q[4 * i], q[4 * i + 1], q[4 * i + 2], q[4 * i + 3] };
  for (gsize i = 0; c != NULL && i < n; i++)
    k->conformations[i] = (gint32) CLAMP (c[i], -1, G_MAXINT32);
  return TRUE;
}

FlSkopi *
fl_skopi_open (const char *path, GError **error)
{
  fl_h5_init ();
  g_autoptr (FlSkopi) k = g_new0 (FlSkopi, 1);
  k->path = g_strdup (path);
  k->data = -1;
  k->file = fl_h5_open (path, error);
  if (k->file < 0 || !open_frames (k, error) || !read_positions (k, error) || !read_factors (k, error)
      || !read_truth (k, error))
    return NULL;
  return g_steal_pointer (&k);
}

void
fl_skopi_close (FlSkopi *k)
{
  if (k == NULL)
    return;
  if (k->data >= 0)
    H5Dclose (k->data);
  if (k->file >= 0)
    H5Fclose (k->file);
  g_free (k->path);
  g_free (k->s);
  g_free (k->factor);
  g_free (k->orientations);
  g_free (k->conformations);
  g_free (k);
}

guint
fl_skopi_n_frames (const FlSkopi *k)
{
  return (guint) k->dims[0];
}

gsize
fl_skopi_n_pixels (const FlSkopi *k)
{
  return k->n_pixels;
}

const FlVec3 *
fl_skopi_s (const FlSkopi *k)
{
  return k->s;
}

const double *
fl_skopi_factor (const FlSkopi *k)
{
  return k->factor;
}

const FlQuat *
fl_skopi_orientations (const FlSkopi *k)
{
  return k->orientations;
}

const gint32 *
fl_skopi_conformations (const FlSkopi *k)
{
  return k->conformations;
}

gboolean
fl_skopi_read (FlSkopi *k, guint first, guint n, float *values, GError **error)
{
  g_return_val_if_fail (first <= k->dims[0] && n <= k->dims[0] - first, FALSE);
  hsize_t start[MOST_AXES] = { first }, count[MOST_AXES];
  memcpy (count, k->dims, sizeof count);
  count[0] = n;
  g_auto (FlHid) memory = H5Screate_simple (k->axes, count, NULL);
  g_auto (FlHid) space = H5Dget_space (k->data);
  if (n == 0)
    return TRUE;
  if (H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) < 0
      || H5Dread (k->data, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values) < 0)
    return fl_h5_fail (error, FL_ERROR_INPUT, k->path, "frames %u to %u cannot be read", first,
                       first + n - 1);
  for (gsize i = 0; i < n * k->n_pixels; i++)
    if (!isfinite (values[i]))
      return fl_h5_fail (error, FL_ERROR_INPUT, k->path, "frame %u has values that are not finite",
                         first + (guint) (i / k->n_pixels));
  return TRUE;
}
