#include "engine/shots/mask-file.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/hdf5-util.h"
#include "engine/shots/mask-rules.h"
#include "engine/shots/source-private.h"

#define GROUP "/entry/instrument/detector"
#define MASK  GROUP "/pixel_mask"
#define BASE  GROUP "/base_mask"
#define RULES "rules"

/* Rows of the shot's array, when its panels agree on one length; else one row. */
static FlDataShape
shape_of (FlSource *source)
{
  FlDataShape shape = { 0 };
  const FlDetector *d = source->detector;
  if (source->ops->shape != NULL && source->ops->shape (source, &shape))
    return shape;
  gsize row = d->panels[0].stride;
  for (guint i = 1; i < d->n_panels && row > 0; i++)
    row = d->panels[i].stride == row ? row : 0;
  if (row == 0 || d->n_pixels % row != 0)
    return (FlDataShape){ .n_dims = 1, .dims = { d->n_pixels }, .count = { d->n_pixels }, .stride = { 1 } };
  return (FlDataShape){
    .n_dims = 2, .dims = { d->n_pixels / row, row }, .count = { d->n_pixels / row, row }, .stride = { row, 1 }
  };
}

/* The array as it lies in the file: the shot's pixels in their box, zeros round it. */
static guint8 *
lay_out (const FlDataShape *shape, const guint8 *mask, gsize *n)
{
  gsize boxed = 1;
  *n = 1;
  for (guint d = 0; d < shape->n_dims; d++)
    {
      *n *= shape->dims[d];
      boxed *= shape->count[d];
    }
  guint8 *out = g_new0 (guint8, *n);
  for (gsize k = 0; k < boxed; k++)
    {
      gsize left = k, from = shape->offset, to = 0, step = 1;
      for (guint d = shape->n_dims; d-- > 0; step *= shape->dims[d])
        {
          gsize i = left % shape->count[d];
          left /= shape->count[d];
          from += i * shape->stride[d];
          to += (shape->low[d] + i) * step;
        }
      out[to] = mask[from] != 0;
    }
  return out;
}

/* What is written is what a reader would get by the same path: times of writing are left out. */
static hid_t
create_file (void)
{
  g_auto (FlHid) access = H5Pcreate (H5P_FILE_ACCESS);
  fl_h5_init ();
  H5Pset_fapl_core (access, 1 << 20, FALSE);
  H5Pset_fclose_degree (access, H5F_CLOSE_STRONG);
  return H5Fcreate ("mask.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
}

static gboolean
put_text (hid_t object, const char *name, const char *text)
{
  g_auto (FlHid) space = H5Screate (H5S_SCALAR);
  g_auto (FlHid) type = H5Tcopy (H5T_C_S1);
  H5Tset_size (type, strlen (text) + 1);
  H5Tset_cset (type, H5T_CSET_UTF8);
  g_auto (FlHid) attribute = H5Acreate2 (object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  return attribute >= 0 && H5Awrite (attribute, type, text) >= 0;
}

static hid_t
open_group (hid_t file, const char *path, const char *class)
{
  g_auto (FlHid) how = H5Pcreate (H5P_GROUP_CREATE);
  H5Pset_obj_track_times (how, FALSE);
  hid_t group = H5Gcreate2 (file, path, H5P_DEFAULT, how, H5P_DEFAULT);
  if (group >= 0)
    put_text (group, "NX_class", class);
  return group;
}

static gboolean
put_mask (hid_t file, const char *path, const FlDataShape *shape, const guint8 *mask, const char *rules)
{
  gsize n;
  hsize_t dims[G_N_ELEMENTS (shape->dims)], chunk[G_N_ELEMENTS (shape->dims)];
  g_autofree guint8 *values = lay_out (shape, mask, &n);
  for (guint d = 0; d < shape->n_dims; d++)
    {
      dims[d] = shape->dims[d];
      chunk[d] = d + 2 < shape->n_dims ? 1 : MIN (dims[d], shape->n_dims == 1 ? 1 << 20 : 1024);
    }
  g_auto (FlHid) space = H5Screate_simple ((int) shape->n_dims, dims, NULL);
  g_auto (FlHid) how = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_obj_track_times (how, FALSE);
  H5Pset_chunk (how, (int) shape->n_dims, chunk);
  H5Pset_deflate (how, 4);
  g_auto (FlHid) dataset = H5Dcreate2 (file, path, H5T_STD_U8LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
  return dataset >= 0 && H5Dwrite (dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0
         && (rules == NULL || put_text (dataset, RULES, rules));
}

static GBytes *
image_of (hid_t file)
{
  if (H5Fflush (file, H5F_SCOPE_GLOBAL) < 0)
    return NULL;
  ssize_t n = H5Fget_file_image (file, NULL, 0);
  if (n <= 0)
    return NULL;
  guint8 *bytes = g_malloc ((gsize) n);
  if (H5Fget_file_image (file, bytes, (gsize) n) == n)
    return g_bytes_new_take (bytes, (gsize) n);
  g_free (bytes);
  return NULL;
}

GBytes *
fl_mask_file_make (FlSource *source, const guint8 *mask, const guint8 *base, const char *rules,
                   GError **error)
{
  FlDataShape shape = shape_of (source);
  gboolean based = base != NULL && memchr (base, 1, source->detector->n_pixels) != NULL;
  g_auto (FlHid) file = create_file ();
  g_auto (FlHid) entry = file >= 0 ? open_group (file, "/entry", "NXentry") : -1;
  g_auto (FlHid) instrument = entry >= 0 ? open_group (file, "/entry/instrument", "NXinstrument") : -1;
  g_auto (FlHid) detector = instrument >= 0 ? open_group (file, GROUP, "NXdetector") : -1;
  GBytes *image = NULL;
  if (detector >= 0 && put_mask (file, MASK, &shape, mask, rules)
      && (!based || put_mask (file, BASE, &shape, base, NULL)))
    image = image_of (file);
  if (image == NULL)
    fl_h5_fail (error, FL_ERROR_FAILED, source->path, "its mask cannot be made into a file");
  return image;
}

char *
fl_mask_file_rules (const char *option, char **base)
{
  const char *colon = strstr (option, ":/");
  g_autofree char *path = colon != NULL ? g_strndup (option, (gsize) (colon - option)) : g_strdup (option);
  *base = NULL;
  g_auto (FlHid) file = fl_h5_open (path, NULL);
  if (file < 0 || !fl_h5_exists (file, MASK) || (colon != NULL && !g_str_equal (colon + 1, MASK)))
    return NULL;
  g_auto (FlHid) dataset = H5Oopen (file, MASK, H5P_DEFAULT);
  g_auto (FlHid) attribute =
      dataset > 0 && H5Aexists (dataset, RULES) > 0 ? H5Aopen (dataset, RULES, H5P_DEFAULT) : -1;
  g_auto (FlHid) type = attribute > 0 ? H5Aget_type (attribute) : -1;
  gsize size =
      type > 0 && H5Tget_class (type) == H5T_STRING && !H5Tis_variable_str (type) ? H5Tget_size (type) : 0;
  if (size == 0 || size > FL_MASK_MAX_TEXT + 1)
    return NULL;
  g_autofree char *text = g_malloc0 (size + 1);
  if (H5Aread (attribute, type, text) < 0)
    return NULL;
  if (fl_h5_exists (file, BASE))
    *base = g_strconcat (path, ":" BASE, NULL);
  return g_utf8_make_valid (text, -1);
}
