#include "engine/shots/geometry-data.h"

#include <string.h>

#include "engine/base/error.h"

/* Where stacks of segments are: as the geometry says (NULL), CXI and Cheetah, NeXus, DESY, plain. */
static const char *const places[] = { NULL,
                                      "/entry_1/data_1/data",
                                      "/entry/data/data",
                                      "/entry_1/instrument_1/detector_1/data",
                                      "/entry/instrument/detector/data",
                                      "/data/data",
                                      "/data" };

typedef struct
{
  guint64 rows, cols; /* of the stack */
} Stack;

static Stack
stack_of (const FlGeom *geom)
{
  Stack stack = { 0, 0 };
  for (guint i = 0; i < geom->panels->len; i++)
    {
      const FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      stack.rows = MAX (stack.rows, (guint64) panel->max_ss + 1);
      stack.cols = MAX (stack.cols, (guint64) panel->max_fs + 1);
    }
  return stack;
}

/* No panel goes over the end of a segment of so many rows. */
static gboolean
can_be_cut (const FlGeom *geom, guint64 rows)
{
  for (guint i = 0; i < geom->panels->len; i++)
    {
      const FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      if ((guint64) panel->min_ss / rows != (guint64) panel->max_ss / rows)
        return FALSE;
    }
  return TRUE;
}

/* Dimensions from the last: cols, rows of a segment or of all, segments where they are apart, frames. */
static void
take_shape (FlGeom *geom, const char *data, guint rank, guint64 segment_rows)
{
  for (guint i = 0; i < geom->panels->len; i++)
    {
      FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      guint d = 0, inner = segment_rows > 0 ? 3 : 2;
      g_free (panel->data);
      panel->data = g_strdup (data);
      while (d + inner < rank)
        panel->dims[d++] = FL_GEOM_DIM_FRAME;
      if (segment_rows > 0)
        {
          int segment = panel->min_ss / (int) segment_rows;
          panel->dims[d++] = segment;
          panel->min_ss -= segment * (int) segment_rows;
          panel->max_ss -= segment * (int) segment_rows;
        }
      panel->dims[d++] = FL_GEOM_DIM_SS;
      panel->dims[d++] = FL_GEOM_DIM_FS;
      panel->n_dims = d;
    }
}

/* TRUE: the images at `data` have the geometry's shape, which it takes over. */
static gboolean
take_data (FlGeom *geom, hid_t file, const char *data, const Stack *stack)
{
  hsize_t dims[H5S_MAX_RANK];
  g_auto (FlHid) object = fl_h5_exists (file, data) ? H5Oopen (file, data, H5P_DEFAULT) : -1;
  if (object < 0 || H5Iget_type (object) != H5I_DATASET)
    return FALSE;
  g_auto (FlHid) space = H5Dget_space (object);
  int rank = H5Sget_simple_extent_ndims (space);
  if (rank < 2 || rank > 4 || H5Sget_simple_extent_dims (space, dims, NULL) != rank
      || dims[rank - 1] != stack->cols)
    return FALSE;
  guint64 rows = dims[rank - 2];
  if (rank <= 3 && rows == stack->rows)
    take_shape (geom, data, (guint) rank, 0);
  else if (rank >= 3 && rows > 0 && rows < stack->rows && rows * dims[rank - 3] == stack->rows
           && can_be_cut (geom, rows))
    take_shape (geom, data, (guint) rank, rows);
  else
    return FALSE;
  return TRUE;
}

/* The energy that LCLS' files keep with their images. */
static void
take_energy (FlGeom *geom, hid_t file)
{
  static const char path[] = "/LCLS/photon_energy_eV";
  if (geom->beam.set || !fl_h5_exists (file, path))
    return;
  geom->beam_kind = FL_GEOM_PHOTON_ENERGY;
  geom->beam = (FlGeomValue){ .path = g_strdup (path), .factor = 1, .set = TRUE };
}

FlGeom *
fl_geometry_for_data (const char *geometry, hid_t file, const char *file_path, GError **error)
{
  FlGeometryForm form;
  g_autoptr (FlGeom) geom = fl_geometry_read (geometry, &form, error);
  if (geom == NULL || form == FL_GEOMETRY_CRYSTFEL)
    return g_steal_pointer (&geom);
  const Stack stack = stack_of (geom);
  g_autofree char *own = g_strdup (g_array_index (geom->panels, FlGeomPanel, 0).data);
  take_energy (geom, file);
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (take_data (geom, file, places[i] != NULL ? places[i] : own, &stack))
      return g_steal_pointer (&geom);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: no images of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
               " px in a stack, expected them for %s (a .geom can say where they are)",
               file_path, stack.cols, stack.rows, geometry);
  return NULL;
}
