#include "engine/shots/source-hdf5.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

typedef struct
{
  gsize n;
  double v[];
} Numbers;

char *
fl_h5_fill_path (const char *path, const FlH5Event *event)
{
  GString *filled = g_string_new ("");
  char **part = event->parts;
  for (const char *s = path; *s != '\0'; s++)
    if (*s == '%' && part != NULL && *part != NULL)
      g_string_append (filled, *part++);
    else
      g_string_append_c (filled, *s);
  return g_string_free (filled, FALSE);
}

/* Read once and kept: a run's energies are asked for frame by frame. */
static const Numbers *
numbers_at (FlH5Source *self, const char *path, GError **error)
{
  Numbers *numbers = g_hash_table_lookup (self->values, path);
  if (numbers != NULL)
    return numbers;
  gsize n;
  g_autofree double *values =
      fl_h5_read_numbers (self->file, self->source.path, path, (gsize) 1 << 28, &n, error);
  if (values == NULL)
    return NULL;
  numbers = g_malloc (sizeof *numbers + n * sizeof (double));
  numbers->n = n;
  memcpy (numbers->v, values, n * sizeof (double));
  g_hash_table_insert (self->values, g_strdup (path), numbers);
  return numbers;
}

void
fl_h5_values_keep (FlH5Source *self)
{
  if (self->told.beam == NULL)
    return;
  Numbers *numbers = g_malloc (sizeof *numbers + self->told.n_wavelengths * sizeof (double));
  numbers->n = self->told.n_wavelengths;
  memcpy (numbers->v, self->told.wavelengths, numbers->n * sizeof (double));
  g_hash_table_insert (self->values, g_strdup (self->told.beam), numbers);
}

gboolean
fl_h5_value (FlH5Source *self, const FlGeomValue *value, const FlH5Event *event, guint32 frame,
             double otherwise, double *result, GError **error)
{
  *result = value->set ? value->value : otherwise;
  if (value->path == NULL)
    return TRUE;
  g_autofree char *path = fl_h5_fill_path (value->path, event);
  const Numbers *numbers = numbers_at (self, path, error);
  if (numbers == NULL)
    return FALSE;
  /* One value for each index of the first frame dimension does as well. */
  guint32 outer = self->frame_dims > 0 ? event->extents[0] : 0;
  if (numbers->n == 1)
    *result = numbers->v[0];
  else if (numbers->n == event->n_frames)
    *result = numbers->v[frame];
  else if (numbers->n == outer && outer > 0)
    *result = numbers->v[frame / (event->n_frames / outer)];
  /* A master's values go through all its data sets; it may have been told of more frames than were taken. */
  else if (self->self && numbers->n >= self->source.n_frames)
    *result = numbers->v[event->first_frame + frame];
  else
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: %s has %" G_GSIZE_FORMAT " values, expected 1 or %u (frames)", self->source.path,
                   path, numbers->n, event->n_frames);
      return FALSE;
    }
  *result *= value->factor;
  return TRUE;
}

/* De Broglie wavelength (Å) of an electron behind a voltage, relativistic; CODATA 2018 constants. */
static double
electron_wavelength (double voltage)
{
  return 12.264259661 / sqrt (voltage * (1 + 9.784755e-7 * voltage));
}

static const FlGeomValue lcls_energy = { .path = (char *) "/LCLS/photon_energy_eV",
                                         .factor = 1,
                                         .set = TRUE };

gboolean
fl_h5_energy (FlH5Source *self, const FlH5Event *event, guint32 frame, double *energy, GError **error)
{
  const FlGeom *geom = self->geom;
  double v = 0;
  if (geom->beam_kind != FL_GEOM_BEAM_NONE)
    {
      if (!fl_h5_value (self, &geom->beam, event, frame, 0, &v, error))
        return FALSE;
    }
  else if (fl_h5_exists (self->file, lcls_energy.path)
           && !fl_h5_value (self, &lcls_energy, event, frame, 0, &v, error))
    return FALSE;
  if (!(v > 0 && isfinite (v)))
    *energy = 0;
  else if (geom->beam_kind == FL_GEOM_WAVELENGTH)
    *energy = fl_energy_from_wavelength (v);
  else if (geom->beam_kind == FL_GEOM_ELECTRON_VOLTAGE)
    *energy = fl_energy_from_wavelength (electron_wavelength (v));
  else
    *energy = v;
  return TRUE;
}

gboolean
fl_h5_energy_is_constant (FlH5Source *self)
{
  const FlGeom *geom = self->geom;
  if (geom->beam_kind != FL_GEOM_BEAM_NONE && geom->beam.path == NULL)
    return TRUE;
  const char *path = geom->beam_kind != FL_GEOM_BEAM_NONE ? geom->beam.path : lcls_energy.path;
  const Numbers *numbers = g_hash_table_lookup (self->values, path);
  return numbers != NULL && numbers->n == 1;
}

/* NXmx: seconds after an absolute time, ISO 8601. */
static guint64
nexus_time (FlH5Source *self, guint32 frame)
{
  const Numbers *after = self->told.times != NULL ? numbers_at (self, self->told.times, NULL) : NULL;
  if (after == NULL || frame >= after->n || !(after->v[frame] >= 0 && after->v[frame] < 1e9))
    return 0;
  return self->told.start + (guint64) llround (after->v[frame] * 1e9);
}

guint64
fl_h5_time (FlH5Source *self, guint32 frame)
{
  static const char *const paths[] = { "/LCLS/machineTime", "/LCLS/machineTimeNanoSeconds" };
  guint64 t[2] = { 0 };
  if (self->told.times != NULL)
    return nexus_time (self, frame);
  for (int i = 0; i < 2; i++)
    {
      const Numbers *numbers = fl_h5_exists (self->file, paths[i]) ? numbers_at (self, paths[i], NULL) : NULL;
      if (numbers == NULL || frame >= numbers->n || !(numbers->v[frame] > 0 && numbers->v[frame] < 1e10))
        continue;
      t[i] = (guint64) numbers->v[frame];
    }
  return t[0] == 0 ? 0 : t[0] * FL_NS_PER_S + t[1];
}
