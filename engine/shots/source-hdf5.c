#include "engine/shots/source-hdf5.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/hdf5-virtual.h"
#include "engine/shots/geometry-data.h"

static void
event_clear (gpointer data)
{
  FlH5Event *event = data;
  g_strfreev (event->parts);
  g_free (event->extents);
}

/* --- events --- */

typedef struct
{
  FlH5Source *self;
  char **components; /* of the path, split at '/' */
  GString *path;     /* so far */
  GPtrArray *parts;  /* so far */
} Expansion;

static void expand (Expansion *expansion, guint depth);

typedef struct
{
  Expansion *expansion;
  guint depth;
  char *before;
  const char *after;
} Level;

/* `name` matches "before%after": what % stands for is one more part, and the path goes on below. */
static herr_t
expand_link (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  Level *level = data;
  Expansion *expansion = level->expansion;
  gsize before = strlen (level->before), after = strlen (level->after), length = strlen (name);
  (void) group;
  (void) info;
  if (length <= before + after || !g_str_has_prefix (name, level->before)
      || !g_str_has_suffix (name, level->after))
    return 0;
  gsize so_far = expansion->path->len;
  g_string_append_printf (expansion->path, "/%s", name);
  g_ptr_array_add (expansion->parts, g_strndup (name + before, length - before - after));
  expand (expansion, level->depth + 1);
  g_ptr_array_set_size (expansion->parts, (gint) expansion->parts->len - 1);
  g_string_truncate (expansion->path, so_far);
  return 0;
}

static void
add_event (Expansion *expansion)
{
  FlH5Source *self = expansion->self;
  g_auto (FlHid) object = fl_h5_exists (self->file, expansion->path->str)
                              ? H5Oopen (self->file, expansion->path->str, H5P_DEFAULT)
                              : -1;
  if (object < 0 || H5Iget_type (object) != H5I_DATASET)
    return;
  FlH5Event event = { .parts = g_new0 (char *, expansion->parts->len + 1) };
  for (guint i = 0; i < expansion->parts->len; i++)
    event.parts[i] = g_strdup (expansion->parts->pdata[i]);
  g_array_append_val (self->events, event);
}

static void
expand (Expansion *expansion, guint depth)
{
  const char *component = expansion->components[depth];
  if (component == NULL)
    {
      add_event (expansion);
      return;
    }
  const char *percent = strchr (component, '%');
  gsize so_far = expansion->path->len;
  if (percent == NULL)
    {
      if (*component != '\0')
        g_string_append_printf (expansion->path, "/%s", component);
      expand (expansion, depth + 1);
      g_string_truncate (expansion->path, so_far);
      return;
    }
  const char *here = so_far > 0 ? expansion->path->str : "/";
  g_auto (FlHid) group = so_far == 0 || fl_h5_exists (expansion->self->file, here)
                             ? H5Gopen2 (expansion->self->file, here, H5P_DEFAULT)
                             : -1;
  if (group < 0)
    return;
  g_autofree char *before = g_strndup (component, (gsize) (percent - component));
  Level level = { expansion, depth, before, percent + 1 };
  H5Literate (group, H5_INDEX_NAME, H5_ITER_INC, NULL, expand_link, &level);
}

/* All events of the first slab's path; one without parts when the path has no %. */
static gboolean
enumerate_events (FlH5Source *self, GError **error)
{
  const char *path = g_array_index (self->layout->slabs, FlGeomSlab, 0).data;
  if (strchr (path, '%') == NULL)
    {
      FlH5Event event = { 0 };
      g_array_append_val (self->events, event);
      return TRUE;
    }
  g_auto (GStrv) components = g_strsplit (path, "/", -1);
  g_autoptr (GString) so_far = g_string_new ("");
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  Expansion expansion = { self, components, so_far, parts };
  expand (&expansion, 0);
  H5Eclear2 (H5E_DEFAULT);
  return self->events->len > 0
         || fl_h5_fail (error, FL_ERROR_MISSING, self->source.path,
                        "no dataset matches %s, expected at least one", path);
}

/* Opens the slabs of an event's datasets, unless they are open. */
static gboolean
open_event (FlH5Source *self, guint index, GError **error)
{
  if (self->current == index)
    return TRUE;
  const FlH5Event *event = &g_array_index (self->events, FlH5Event, index);
  g_ptr_array_set_size (self->slabs, 0);
  self->current = G_MAXUINT;
  for (guint i = 0; i < self->layout->slabs->len; i++)
    {
      const FlGeomSlab *layout = &g_array_index (self->layout->slabs, FlGeomSlab, i);
      g_autofree char *path = fl_h5_fill_path (layout->data, event);
      FlH5Slab *slab = fl_h5_slab_open (self->file, self->source.path, path, layout, error);
      if (slab == NULL)
        return FALSE;
      g_ptr_array_add (self->slabs, slab);
      const FlH5Slab *first = self->slabs->pdata[0];
      /* All of a source's shots have the type of its first dataset. */
      if (index == 0 && i == 0)
        self->type = slab->type;
      if (slab->type != self->type)
        fl_h5_slab_deliver (slab, self->type);
      if (slab->n_frames != first->n_frames)
        return fl_h5_fail (error, FL_ERROR_INPUT, self->source.path,
                           "%s has %" G_GUINT64_FORMAT " frames, expected %" G_GUINT64_FORMAT " as in %s",
                           slab->path, slab->n_frames, first->n_frames, first->path);
    }
  self->current = index;
  return TRUE;
}

static gboolean
count_frames (FlH5Source *self, GError **error)
{
  guint64 n = 0;
  for (guint i = 0; i < self->events->len; i++)
    {
      FlH5Event *event = &g_array_index (self->events, FlH5Event, i);
      event->first_frame = (guint32) n;
      event->n_frames = 1;
      if (self->frame_dims > 0 || i == 0)
        {
          if (!open_event (self, i, error))
            return FALSE;
          const FlH5Slab *slab = self->slabs->pdata[0];
          event->n_frames = (guint32) slab->n_frames;
          event->extents = g_new0 (guint32, self->frame_dims + 1);
          for (guint d = 0, k = 0; d < slab->layout->n_dims; d++)
            if (slab->layout->dims[d] == FL_GEOM_DIM_FRAME)
              event->extents[k++] = (guint32) slab->dims[d];
        }
      n += event->n_frames;
      if (n > G_MAXUINT32)
        return fl_h5_fail (error, FL_ERROR_UNSUPPORTED, self->source.path, "more than 2^32 frames");
    }
  self->source.n_frames = (guint32) n;
  return TRUE;
}

/* --- opening --- */

/* The panels lie within the data. */
static gboolean
fits (FlH5Source *self, GError **error)
{
  for (guint i = 0; i < self->slabs->len; i++)
    if (!fl_h5_slab_fits (self->slabs->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* NXmx' limits are inside the trusted range, a panel's are not. */
static void
set_limits (FlH5Source *self)
{
  gboolean real = self->type == FL_PIXEL_F32 || self->type == FL_PIXEL_F64;
  double low = self->told.low, high = self->told.high;
  for (guint i = 0; i < self->source.detector->n_panels; i++)
    {
      FlPanel *panel = &self->source.detector->panels[i];
      if (isfinite (low))
        panel->trusted_min = real ? nextafter (low, -INFINITY) : ceil (low) - 1;
      if (isfinite (high))
        panel->saturation = panel->trusted_max = real ? nextafter (high, INFINITY) : floor (high) + 1;
    }
}

/* The detector with the camera length, shift and energy of the first frame. */
static gboolean
make_detector (FlH5Source *self, const FlSourceOptions *options, gboolean placed, GError **error)
{
  const FlGeom *geom = self->geom;
  const FlH5Event *event = &g_array_index (self->events, FlH5Event, 0);
  double energy = 0, x = 0, y = 0;
  if (self->source.n_frames > 0
      && (!fl_h5_value (self, &geom->clen, event, 0, 0, &self->clen, error)
          || !fl_h5_energy (self, event, 0, &energy, error)))
    return FALSE;
  if (!geom->clen.set)
    return fl_h5_fail (error, FL_ERROR_INPUT, geom->path, "no camera length, expected clen");
  FlDetector *detector = fl_geom_detector (geom, self->layout, self->clen, energy);
  self->source.detector = detector;
  detector->placed = placed;
  if (energy > 0 && fl_h5_energy_is_constant (self))
    detector->wavelength = fl_wavelength_from_energy (energy);
  /* Shifts by value belong to the detector, those from the data to their shot. */
  if (geom->shift_x.path == NULL)
    x = geom->shift_x.value;
  if (geom->shift_y.path == NULL)
    y = geom->shift_y.value;
  for (guint i = 0; i < detector->n_panels; i++)
    detector->panels[i].origin = fl_vec3_add (detector->panels[i].origin, fl_vec3 (x, y, 0));
  if (self->self)
    set_limits (self);
  return options->list_only || fl_h5_masks_read (self, options->mask, error);
}

static gboolean
open_source (FlH5Source *self, const FlSourceOptions *options, GError **error)
{
  gboolean placed = TRUE;
  self->file = fl_h5_open (self->source.path, error);
  if (self->file < 0)
    return FALSE;
  self->self = options->geometry == NULL;
  self->source.format = "HDF5 + CrystFEL geometry";
  if (!self->self)
    self->geom = fl_geometry_for_data (options->geometry, self->file, self->source.path, error);
  else if (fl_h5_self_geometry (self->file, self->source.path, &self->told, error))
    {
      self->geom = g_steal_pointer (&self->told.geom);
      self->source.format = self->told.format;
      placed = self->told.placed;
      fl_h5_values_keep (self);
    }
  if (self->geom == NULL || (self->layout = fl_geom_layout_new (self->geom, error)) == NULL)
    return FALSE;
  const FlGeomSlab *first = &g_array_index (self->layout->slabs, FlGeomSlab, 0);
  for (guint i = 0; i < first->n_dims; i++)
    self->frame_dims += first->dims[i] == FL_GEOM_DIM_FRAME;
  if (!enumerate_events (self, error) || !count_frames (self, error) || !open_event (self, 0, error))
    return FALSE;
  if (!options->list_only && !fits (self, error))
    return FALSE;
  if (!self->self && fl_h5_exists (self->file, "/entry_1/data_1/data"))
    self->source.format = "CXI + CrystFEL geometry";
  return make_detector (self, options, placed, error);
}

static void
free_source (FlSource *source)
{
  FlH5Source *self = (FlH5Source *) source;
  g_ptr_array_unref (self->slabs);
  g_array_unref (self->events);
  g_array_unref (self->frame_masks);
  g_hash_table_unref (self->values);
  fl_geom_layout_free (self->layout);
  fl_geom_free (self->geom);
  fl_h5_self_clear (&self->told);
  if (self->file > 0)
    H5Fclose (self->file);
  g_free (self);
}

/* --- reading --- */

static const FlH5Event *
find_event (FlH5Source *self, guint32 frame, guint *index)
{
  guint low = 0, high = self->events->len;
  while (high - low > 1)
    {
      guint middle = (low + high) / 2;
      if (g_array_index (self->events, FlH5Event, middle).first_frame <= frame)
        low = middle;
      else
        high = middle;
    }
  *index = low;
  return &g_array_index (self->events, FlH5Event, low);
}

/* CrystFEL's name: path parts joined by '/', "//", frame indices joined by '/'; "" where nothing varies. */
static char *
event_name (FlSource *source, guint32 number)
{
  FlH5Source *self = (FlH5Source *) source;
  guint index;
  const FlH5Event *event = find_event (self, number, &index);
  guint32 frame = number - event->first_frame, below = event->n_frames;
  if (event->parts == NULL && self->frame_dims == 0)
    return g_strdup ("");
  GString *name = g_string_new ("");
  for (char **part = event->parts; part != NULL && *part != NULL; part++)
    g_string_append_printf (name, "%s%s", part == event->parts ? "" : "/", *part);
  g_string_append (name, "//");
  for (guint i = 0; i < self->frame_dims; i++)
    {
      below /= MAX (event->extents[i], 1);
      g_string_append_printf (name, "%s%u", i == 0 ? "" : "/", frame / below);
      frame %= below;
    }
  return g_string_free (name, FALSE);
}

static gboolean
read_values (FlH5Source *self, const FlH5Event *event, guint32 frame, FlShot *shot, GError **error)
{
  const FlGeom *geom = self->geom;
  double clen;
  if (!fl_h5_energy (self, event, frame, &shot->energy, error)
      || !fl_h5_value (self, &geom->clen, event, frame, 0, &clen, error)
      || (geom->shift_x.path != NULL
          && !fl_h5_value (self, &geom->shift_x, event, frame, 0, &shot->shift.x, error))
      || (geom->shift_y.path != NULL
          && !fl_h5_value (self, &geom->shift_y, event, frame, 0, &shot->shift.y, error)))
    return FALSE;
  shot->shift.z = clen - self->clen;
  for (guint i = 0; self->told.moves != NULL && i < self->told.moves->len; i++)
    {
      const FlNxmxMove *move = &g_array_index (self->told.moves, FlNxmxMove, i);
      const FlGeomValue value = { .path = move->path, .factor = 1, .set = TRUE };
      double v;
      if (!fl_h5_value (self, &value, event, frame, 0, &v, error))
        return FALSE;
      shot->shift = fl_vec3_add (shot->shift, fl_vec3_scale (move->step, v - move->first));
    }
  shot->time = fl_h5_time (self, frame);
  return TRUE;
}

static gboolean
read_frame (FlSource *source, guint32 number, FlShot *shot, GError **error)
{
  FlH5Source *self = (FlH5Source *) source;
  guint index;
  const FlH5Event *event = find_event (self, number, &index);
  guint32 frame = number - event->first_frame;
  FlDetector *detector = source->detector;
  if (!open_event (self, index, error) || !fits (self, error))
    return FALSE;
  if (!read_values (self, event, frame, shot, error))
    return FALSE;
  fl_shot_reserve (shot, self->type, detector->n_pixels);
  for (guint i = 0; i < self->slabs->len; i++)
    {
      FlH5Slab *slab = self->slabs->pdata[i];
      guint8 *to = (guint8 *) shot->pixels + slab->layout->offset * fl_pixel_size (self->type);
      if (!fl_h5_slab_read (slab, frame, to, &shot->t_decode, error))
        {
          g_autofree char *prefix = g_strdup_printf ("%s: ", source->path);
          if (error != NULL && *error != NULL && g_str_has_prefix ((*error)->message, prefix))
            {
              char *message =
                  g_strdup_printf ("%sframe %u: %s", prefix, number, (*error)->message + strlen (prefix));
              g_free ((*error)->message);
              (*error)->message = message;
            }
          return FALSE;
        }
    }
  if (self->frame_masks->len == 0)
    return TRUE;
  shot->mask = g_malloc (detector->n_pixels);
  memcpy (shot->mask, detector->mask, detector->n_pixels);
  return fl_h5_masks_read_frame (self, event, frame, shot->mask, error);
}

static void
describe_value (GString *text, const char *key, const FlGeomValue *value, const char *unit)
{
  if (value->path != NULL)
    g_string_append_printf (text, "%s: from %s\n", key, value->path);
  else if (value->set)
    g_string_append_printf (text, "%s: %.6g %s\n", key, value->value, unit);
}

static char *
describe (FlSource *source)
{
  static const char *const beam[][2] = {
    { "", "" }, { "photon energy", "eV" }, { "wavelength", "A" }, { "electron voltage", "V" }
  };
  FlH5Source *self = (FlH5Source *) source;
  GString *text = g_string_new ("");
  if (!self->self)
    g_string_append_printf (text, "geometry: %s\n", self->geom->path);
  for (guint i = 0; i < self->slabs->len; i++)
    {
      const FlH5Slab *slab = self->slabs->pdata[i];
      g_string_append_printf (text, "data: %s (", slab->layout->data);
      for (guint d = 0; d < slab->layout->n_dims; d++)
        g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, d > 0 ? " x " : "", (guint64) slab->dims[d]);
      g_string_append_printf (text, "%s)\n",
                              slab->direct            ? ", chunks decoded directly"
                              : slab->virtual != NULL ? ", virtual"
                                                      : "");
      g_autofree char *missing = slab->virtual != NULL ? fl_h5_virtual_missing (slab->virtual) : NULL;
      if (missing != NULL)
        g_string_append_printf (text, "note: frames are in the file %s, which is not there\n", missing);
    }
  describe_value (text, beam[self->geom->beam_kind][0], &self->geom->beam, beam[self->geom->beam_kind][1]);
  if (source->detector->placed && (!self->self || self->geom->clen.value != 0))
    describe_value (text, "camera length", &self->geom->clen, "mm");
  for (guint i = 0; i < self->geom->notes->len; i++)
    g_string_append_printf (text, "note: %s\n", (char *) self->geom->notes->pdata[i]);
  return g_string_free (text, FALSE);
}

FlSource *
fl_source_hdf5_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlSourceOps ops = {
    read_frame, event_name, describe, free_source, fl_h5_data_shape, fl_h5_cell
  };
  FlH5Source *self = g_new0 (FlH5Source, 1);
  self->source.ops = &ops;
  self->source.path = g_strdup (path);
  self->events = g_array_new (FALSE, FALSE, sizeof (FlH5Event));
  g_array_set_clear_func (self->events, event_clear);
  self->slabs = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_h5_slab_close);
  self->frame_masks = g_array_new (FALSE, FALSE, sizeof (guint));
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->current = G_MAXUINT;
  if (open_source (self, options, error))
    return &self->source;
  fl_source_close (&self->source);
  return NULL;
}
