#include "engine/shots/inspect-shots.h"

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry-private.h"
#include "engine/shots/hdf5-util.h"
#include "engine/shots/xtc2.h"

/* --- geometries --- */

static void
say_value (GString *text, const char *key, const FlGeomValue *value, const char *unit)
{
  if (value->path != NULL)
    g_string_append_printf (text, "%s: from %s\n", key, value->path);
  else if (value->set)
    g_string_append_printf (text, "%s: %.6g %s\n", key, value->value, unit);
  else
    g_string_append_printf (text, "%s: not given\n", key);
}

/* Where the corners of panels lie, and what resolution they and the place nearest to the beam have. */
static void
say_extent (GString *text, const FlDetector *detector)
{
  FlVec3 low = { INFINITY, INFINITY, INFINITY }, high = { -INFINITY, -INFINITY, -INFINITY };
  double least = INFINITY, most = 0;
  guint panel;
  double fs, ss;
  for (guint i = 0; i < detector->n_panels; i++)
    for (int k = 0; k < 4; k++)
      {
        const FlPanel *p = &detector->panels[i];
        FlVec3 v = fl_panel_position (p, k & 1 ? p->n_fs : 0, k & 2 ? p->n_ss : 0);
        low = fl_vec3 (fmin (low.x, v.x), fmin (low.y, v.y), fmin (low.z, v.z));
        high = fl_vec3 (fmax (high.x, v.x), fmax (high.y, v.y), fmax (high.z, v.z));
        least = fmin (least, fl_two_theta (v));
        most = fmax (most, fl_two_theta (v));
      }
  if (fl_detector_intersect (detector, fl_vec3 (0, 0, 1), &panel, &fs, &ss))
    least = 0;
  g_string_append_printf (text, "extent: x %.6g to %.6g mm, y %.6g to %.6g mm, z %.6g to %.6g mm\n", low.x,
                          high.x, low.y, high.y, low.z, high.z);
  if (!(low.z > 0))
    return;
  g_string_append_printf (text, "angle: %.4g to %.4g deg\n", fl_degrees (least), fl_degrees (most));
  if (detector->wavelength > 0)
    {
      if (least > 0)
        g_string_append_printf (text, "resolution: %.4g to ", detector->wavelength / (2 * sin (least / 2)));
      else
        g_string_append (text, "resolution: beam to ");
      g_string_append_printf (text, "%.4g A\n", detector->wavelength / (2 * sin (most / 2)));
    }
}

FlDetector *
fl_inspect_geometry (const char *path, const char **form, char **text, GError **error)
{
  static const char *const forms[FL_GEOMETRY_FORMS] = { "CrystFEL geometry", "imgCIF geometry",
                                                        "psana geometry", "NXmx geometry",
                                                        "geometry of a DIALS experiment list" };
  FlGeometryForm kind;
  static const char *const beam[][2] = {
    { "photon energy", "eV" }, { "photon energy", "eV" }, { "wavelength", "A" }, { "electron voltage", "V" }
  };
  g_autoptr (FlGeom) geom = fl_geometry_read (path, &kind, error);
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  if (layout == NULL)
    return NULL;
  GString *lines = g_string_new ("");
  for (guint i = 0; i < layout->slabs->len; i++)
    {
      const FlGeomSlab *slab = &g_array_index (layout->slabs, FlGeomSlab, i);
      g_string_append_printf (lines, "data: %s (", slab->data);
      for (guint d = 0; d < slab->n_dims; d++)
        if (slab->dims[d] == FL_GEOM_DIM_FRAME)
          g_string_append_printf (lines, "%s%%", d > 0 ? " x " : "");
        else
          g_string_append_printf (lines, "%s%" G_GUINT64_FORMAT, d > 0 ? " x " : "",
                                  slab->low[d] + slab->count[d]);
      g_string_append (lines, ")\n");
    }
  say_value (lines, beam[geom->beam_kind][0], &geom->beam, beam[geom->beam_kind][1]);
  say_value (lines, "camera length", &geom->clen, "mm");
  for (guint i = 0; i < FL_GEOM_MASKS; i++)
    {
      const FlGeomMask *mask = &g_array_index (geom->panels, FlGeomPanel, layout->geom_panel[0]).masks[i];
      if (mask->data != NULL)
        g_string_append_printf (lines, "mask %u: %s%s%s\n", i, mask->data, mask->file != NULL ? " of " : "",
                                mask->file != NULL ? mask->file : "");
    }
  g_string_append_printf (lines, "bad regions: %u\ngroups: %u\n", geom->bad->len,
                          geom->groups->len + geom->rigid->len);
  for (guint i = 0; i < geom->notes->len; i++)
    g_string_append_printf (lines, "note: %s\n", (char *) geom->notes->pdata[i]);
  double energy = geom->beam_kind == FL_GEOM_PHOTON_ENERGY && geom->beam.path == NULL ? geom->beam.value : 0;
  FlDetector *detector =
      fl_geom_detector (geom, layout, geom->clen.path == NULL ? geom->clen.value : 0, energy);
  detector->wavelength = fl_geometry_wavelength (geom);
  say_extent (lines, detector);
  *form = forms[kind];
  *text = g_string_free (lines, FALSE);
  return detector;
}

/* --- HDF5 --- */

/* Enough to see what a file is. */
#define MAX_LISTED 200

typedef struct
{
  GString *text;
  guint n;
} Listing;

static herr_t
list_dataset (hid_t root, const char *name, const H5O_info_t *info, void *data)
{
  Listing *listing = data;
  hsize_t dims[H5S_MAX_RANK];
  if (info->type != H5O_TYPE_DATASET || ++listing->n > MAX_LISTED)
    return 0;
  g_auto (FlHid) dataset = H5Dopen2 (root, name, H5P_DEFAULT);
  g_auto (FlHid) space = dataset < 0 ? -1 : H5Dget_space (dataset);
  int rank = space < 0 ? -1 : H5Sget_simple_extent_dims (space, dims, NULL);
  g_string_append_printf (listing->text, "dataset: /%s (", name);
  for (int i = 0; i < rank; i++)
    g_string_append_printf (listing->text, "%s%" G_GUINT64_FORMAT, i > 0 ? " x " : "", (guint64) dims[i]);
  g_string_append (listing->text, rank < 0 ? "unreadable)\n" : rank == 0 ? "scalar)\n" : ")\n");
  return 0;
}

char *
fl_inspect_hdf5 (const char *path, GError **error)
{
  g_auto (FlHid) file = fl_h5_open (path, error);
  if (file < 0)
    return NULL;
  g_autofree char *definition = fl_h5_read_text (file, "/entry/definition");
  gboolean nxmx = g_strcmp0 (definition, "NXmx") == 0;
  g_autoptr (GString) text =
      g_string_new (nxmx ? "format: NXmx metadata without frames\n" : "format: HDF5 of unknown layout\n");
  Listing listing = { text, 0 };
  if (H5Ovisit2 (file, H5_INDEX_NAME, H5_ITER_INC, list_dataset, &listing, H5O_INFO_BASIC) < 0)
    {
      fl_h5_fail (error, FL_ERROR_INPUT, path, "its groups cannot be walked through");
      return NULL;
    }
  if (listing.n > MAX_LISTED)
    g_string_append_printf (text, "and %u more\n", listing.n - MAX_LISTED);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* --- LCLS-II --- */

gboolean
fl_inspect_is_xtc2 (const guint8 *head, gsize length)
{
  return fl_xtc2_is (head, length);
}

static void
tell_records (const FlXtc2 *file, GString *text)
{
  for (guint c = 1; c <= fl_xtc2_n_configures (file); c++)
    {
      const GPtrArray *table = fl_xtc2_names (file, c);
      for (guint i = 0; i < table->len; i++)
        {
          const FlXtc2Names *names = table->pdata[i];
          g_string_append_printf (text, "record: %s %s %u.%u.%u, segment %u, %u fields\n", names->detector,
                                  names->algorithm, names->version >> 16 & 0xff, names->version >> 8 & 0xff,
                                  names->version & 0xff, names->segment, names->n_fields);
        }
    }
}

char *
fl_inspect_xtc2 (const char *path, gboolean *whole, GError **error)
{
  guint counts[16] = { 0 }, damaged = 0;
  GStatBuf about = { 0 };
  g_autoptr (FlXtc2) file = fl_xtc2_open (path, error);
  if (file == NULL)
    return NULL;
  for (guint i = 0; i < fl_xtc2_n_datagrams (file); i++)
    {
      counts[fl_xtc2_datagram (file, i)->service]++;
      damaged += fl_xtc2_datagram (file, i)->damage != 0;
    }
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    if (counts[i] > 0)
      g_string_append_printf (text, "%s: %u\n", fl_xtc2_service_name (i), counts[i]);
  if (damaged > 0)
    g_string_append_printf (text, "with damage flags: %u\n", damaged);
  tell_records (file, text);
  const FlXtc2Datagram *last = fl_xtc2_datagram (file, fl_xtc2_n_datagrams (file) - 1);
  *whole = g_stat (path, &about) == 0 && (guint64) about.st_size == last->offset + last->size;
  return g_string_free (text, FALSE);
}
