/* NXmx as a geometry: the reader and the writer of shots, without shots. */

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry-private.h"
#include "engine/shots/nxmx-geometry.h"
#include "engine/shots/nxmx-writer.h"

/* --- read --- */

/* A value that the file keeps elsewhere in it. */
static void
settle_beam (FlGeom *geom, hid_t file, const FlH5Self *self)
{
  double wavelength = 0;
  for (gsize i = 0; i < self->n_wavelengths && !(wavelength > 0 && isfinite (wavelength)); i++)
    wavelength = self->wavelengths[i]; /* a frame may have no spectrum */
  if (self->n_wavelengths > 0) /* its mean is no dataset that a geometry could name */
    {
      g_clear_pointer (&geom->beam.path, g_free);
      geom->beam = (FlGeomValue){ 0 };
      geom->beam_kind = FL_GEOM_BEAM_NONE;
    }
  else if (geom->beam.path != NULL)
    {
      double v = fl_h5_read_number (file, geom->beam.path, NAN) * geom->beam.factor;
      if (v > 0)
        wavelength = geom->beam_kind == FL_GEOM_WAVELENGTH ? v : fl_wavelength_from_energy (v);
    }
  fl_geometry_set_wavelength (geom, wavelength);
}

/* The camera length that the file names, and steps of whole nanometres, as other forms have them. */
static void
settle_places (FlGeom *geom, hid_t file, const FlNxmxParts *parts)
{
  const char *group = g_array_index (parts->detectors, FlNxmxDetector, 0).group;
  g_autofree char *path = g_strconcat (group, "/distance", NULL);
  double distance = fl_h5_read_length (file, path);
  if (geom->clen.path != NULL)
    return;
  g_autofree FlGeometryPlace *places = g_new (FlGeometryPlace, geom->panels->len);
  for (guint i = 0; i < geom->panels->len; i++)
    places[i] = fl_geometry_place (geom, fl_geometry_panel (geom, i));
  if (distance > 0)
    fl_geometry_set_clen (geom, distance);
  for (guint i = 0; i < geom->panels->len; i++)
    fl_geometry_set_place (&g_array_index (geom->panels, FlGeomPanel, i), &places[i],
                           fl_geometry_clen (geom));
}

/* Masks of the file are its own, wherever the geometry goes; limits stand in the file once for all panels, and those of the type
 * are none. */
static void
settle_panels (FlGeom *geom, const FlH5Self *self, const char *path)
{
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *absolute =
      g_path_is_absolute (path) ? g_strdup (path) : g_build_filename (here, path, NULL);
  for (guint i = 0; i < geom->panels->len; i++)
    {
      FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        if (panel->masks[k].data != NULL && panel->masks[k].file == NULL)
          panel->masks[k].file = g_strdup (absolute);
      if (self->high < G_MAXINT32 && !isfinite (panel->max_adu))
        panel->max_adu = self->high;
      if (self->low > G_MININT32 && panel->n_flags < FL_GEOM_FLAGS)
        panel->flags[panel->n_flags++] = (FlGeomFlag){ FL_GEOM_LESS, self->low };
    }
}

static int
compare_dims (const FlGeomPanel *a, const FlGeomPanel *b)
{
  for (guint i = 0; i < FL_GEOM_DIMS; i++)
    if (a->dims[i] != b->dims[i])
      return a->dims[i] < b->dims[i] ? -1 : 1;
  return 0;
}

/* HDF5 has the modules by name, q0a10 before q0a2; here they stand as in the data. */
static int
by_data (gconstpointer a, gconstpointer b)
{
  const FlGeomPanel *x = a, *y = b;
  int data = strcmp (x->data, y->data);
  int fixed = compare_dims (x, y);
  if (data != 0 || fixed != 0)
    return data != 0 ? data : fixed;
  return x->min_ss != y->min_ss ? (x->min_ss > y->min_ss) - (x->min_ss < y->min_ss)
                                : (x->min_fs > y->min_fs) - (x->min_fs < y->min_fs);
}

FlGeom *
fl_geometry_read_nxmx (const char *path, GError **error)
{
  g_auto (FlHid) file = fl_h5_open (path, error);
  g_auto (FlNxmxParts) parts = { 0 };
  g_auto (FlH5Self) self = { .low = -INFINITY, .high = INFINITY };
  g_autoptr (GError) local = NULL;
  if (file < 0)
    return NULL;
  gboolean found =
      fl_nxmx_find (file, path, &parts, &local) && fl_nxmx_geometry (file, path, &parts, &self, &local);
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (!found || !self.placed)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: %s, expected NXmx with a detector and its transformations", path,
                   found ? "does not tell where its pixels are" : "HDF5 without an entry of NeXus");
      return NULL;
    }
  settle_beam (self.geom, file, &self);
  settle_panels (self.geom, &self, path);
  settle_places (self.geom, file, &parts);
  g_array_sort (self.geom->panels, by_data);
  return g_steal_pointer (&self.geom);
}

/* --- written --- */

static void
lose_what_nxmx_lacks (const FlGeom *geom, const FlGeomLayout *layout, GPtrArray *losses)
{
  guint rules = 0, masks = 0, ev = 0, uneven = 0;
  const FlGeomPanel *first = fl_geometry_panel (geom, layout->geom_panel[0]);
  for (guint i = 0; i < geom->panels->len; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (geom, i);
      for (guint k = 0; k < panel->n_flags; k++)
        rules += panel->flags[k].kind == FL_GEOM_EQUAL;
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        masks += panel->masks[k].data != NULL;
      masks += panel->saturation_map != NULL;
      ev += !isnan (panel->adu_per_ev) && isnan (panel->adu_per_photon);
      uneven += panel->max_adu != first->max_adu;
    }
  if (rules > 0)
    fl_geometry_lose (losses, "values of bad pixels (flag_equal)");
  if (masks > 0)
    fl_geometry_lose (losses, "masks and saturation maps of other files (those of rules are in pixel_mask)");
  if (ev > 0)
    fl_geometry_lose (losses, "gain by energy (adu_per_eV)%s",
                      fl_geometry_wavelength (geom) > 0 ? ": it becomes counts per photon of this energy"
                                                        : ", as the photons' energy is not known");
  if (uneven > 0)
    fl_geometry_lose (losses, "saturation that differs from panel to panel");
  if (layout->n_panels < geom->panels->len)
    fl_geometry_lose (losses, "panels with no_index: %u", geom->panels->len - layout->n_panels);
  if (geom->rigid->len + geom->groups->len > 0)
    fl_geometry_lose (losses, "groups of panels");
  if (geom->comments->len > 0)
    fl_geometry_lose (losses, "comments");
}

gboolean
fl_geometry_write_nxmx (const FlGeom *geom, const char *path, GPtrArray *losses, GError **error)
{
  const FlNxmxOptions options = { .compression = FL_COMPRESSION_NONE };
  double wavelength = fl_geometry_wavelength (geom);
  g_autoptr (FlGeomLayout) layout = fl_geom_layout_new (geom, error);
  if (layout == NULL)
    return FALSE;
  g_autoptr (FlDetector) detector = fl_geom_detector (
      geom, layout, fl_geometry_clen (geom), wavelength > 0 ? fl_energy_from_wavelength (wavelength) : 0);
  detector->wavelength = wavelength;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      FlGeometryPlace place = fl_geometry_place (geom, fl_geometry_panel (geom, layout->geom_panel[i]));
      detector->panels[i].origin = place.origin; /* shifted where the geometry says so */
    }
  lose_what_nxmx_lacks (geom, layout, losses);
  FlNxmxWriter *writer = fl_nxmx_writer_new (path, detector, FL_PIXEL_I32, &options, error);
  return writer != NULL && fl_nxmx_writer_finish (writer, error);
}
