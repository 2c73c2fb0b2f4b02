/* What AGIPD has beside its pixels: the values that tell the gain, and the memory cell of each frame. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/source-hdf5.h"

/* The slab one further in the last dimension that the geometry fixes; FALSE: it fixes none. */
static gboolean
beside (const FlGeomSlab *slab, FlGeomSlab *other)
{
  *other = *slab;
  for (guint d = slab->n_dims; d-- > 0;)
    if (slab->dims[d] >= 0 && slab->count[d] == 1)
      {
        other->low[d]++;
        return TRUE;
      }
  return FALSE;
}

static gboolean
read_slab (FlH5Source *self, const FlGeomSlab *slab, const char *dataset, const FlH5Event *event,
           guint32 frame, guint16 *gain, GError **error)
{
  FlGeomSlab other = *slab;
  FlH5Companion values = { 0 };
  if (*dataset == '\0' && !beside (slab, &other))
    return fl_h5_fail (error, FL_ERROR_MISSING, self->source.path,
                       "%s fixes no dimension for the gains beside the pixels, expected detector.gain_data",
                       self->geom->path);
  g_autofree char *path = fl_h5_fill_path (*dataset != '\0' ? dataset : slab->data, event);
  gboolean ok =
      fl_h5_companion_read (self->file, self->source.path, path, &other, NULL, frame, FALSE, &values, error);
  for (gsize i = 0; ok && i < slab->n_pixels; i++)
    gain[slab->offset + i] = (guint16) MIN (fl_h5_companion_bits (&values, i), G_MAXUINT16);
  g_free (values.values);
  return ok;
}

gboolean
fl_h5_cell (FlSource *source, guint32 number, const FlCellNames *names, guint16 *gain, guint *cell,
            GError **error)
{
  FlH5Source *self = (FlH5Source *) source;
  const FlH5Event *event = NULL;
  for (guint i = 0; i < self->events->len; i++)
    if (g_array_index (self->events, FlH5Event, i).first_frame <= number)
      event = &g_array_index (self->events, FlH5Event, i);
  guint32 frame = number - event->first_frame;
  for (guint i = 0; i < self->layout->slabs->len; i++)
    if (!read_slab (self, &g_array_index (self->layout->slabs, FlGeomSlab, i), names->gain, event, frame,
                    gain, error))
      return FALSE;
  *cell = frame % names->cells;
  if (*names->cell == '\0')
    return TRUE;
  const FlGeomValue value = { .path = (char *) names->cell, .factor = 1, .set = TRUE };
  double told;
  if (!fl_h5_value (self, &value, event, frame, 0, &told, error))
    return FALSE;
  if (!(told >= 0 && told < G_MAXUINT16))
    return fl_h5_fail (error, FL_ERROR_INPUT, source->path,
                       "%s: memory cell %g of frame %u, expected 0 or more", names->cell, told, number);
  *cell = (guint) told;
  return TRUE;
}
