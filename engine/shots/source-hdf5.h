/* source-hdf5.h: an HDF5 file seen through a CrystFEL geometry (private to the room). source-hdf5.c opens it and counts
 * frames, hdf5-values.c reads energies and camera lengths, hdf5-mask.c masks; a file without a geometry gets one from
 * what it tells about itself (hdf5-self.c), so that there is one way to read. */
#pragma once

#include "engine/shots/hdf5-slab.h"
#include "engine/shots/nxmx-geometry.h"
#include "engine/shots/source-private.h"

typedef struct
{
  char **parts;        /* what % stands for, in order; NULL-terminated */
  guint32 first_frame; /* of the source */
  guint32 n_frames;
  guint32 *extents; /* of the frame dimensions; NULL when there is none */
} FlH5Event;

typedef struct
{
  FlSource source;
  hid_t file;
  FlGeom *geom;
  FlGeomLayout *layout;
  gboolean self;    /* the geometry was made from the file itself */
  FlH5Self told;    /* then: what else the file told; its geometry is in `geom` */
  GArray *events;   /* of FlH5Event; one with no parts when there is no % */
  guint current;    /* event whose slabs are open; G_MAXUINT = none */
  GPtrArray *slabs; /* of FlH5Slab, as in the layout */
  FlPixelType type;
  guint frame_dims;
  GHashTable *values;  /* path → FlH5Numbers */
  double clen;         /* mm, in the detector's origins */
  GArray *frame_masks; /* guint: mask numbers that differ from frame to frame */
} FlH5Source;

/* `path` with every % replaced by the event's parts, in order. */
char *fl_h5_fill_path (const char *path, const FlH5Event *event);

/* The number that a geometry's value has for a frame of an event; `otherwise` when it is not set. FALSE: *error. */
gboolean fl_h5_value (FlH5Source *self, const FlGeomValue *value, const FlH5Event *event, guint32 frame,
                      double otherwise, double *result, GError **error);
/* Puts what the file told about its beam among the values. */
void fl_h5_values_keep (FlH5Source *self);
/* Photon energy (eV; 0 = not known). */
gboolean fl_h5_energy (FlH5Source *self, const FlH5Event *event, guint32 frame, double *energy,
                       GError **error);
/* TRUE when every frame has the same energy. */
gboolean fl_h5_energy_is_constant (FlH5Source *self);
/* Time of the shot, ns UTC; 0 = not known. */
guint64 fl_h5_time (FlH5Source *self, guint32 frame);

/* hdf5-cells.c: FlSourceOps.cell. */
gboolean fl_h5_cell (FlSource *source, guint32 number, const FlCellNames *names, guint16 *gain, guint *cell,
                     GError **error);

/* Adds the geometry's static masks and saturation maps to the detector, and `option` (FILE or FILE:/dataset); notes in
 * frame_masks those that differ from frame to frame. */
gboolean fl_h5_masks_read (FlH5Source *self, const char *option, GError **error);
/* Adds this frame's masks to `mask`. */
gboolean fl_h5_masks_read_frame (FlH5Source *self, const FlH5Event *event, guint32 frame, guint8 *mask,
                                 GError **error);

/* Of the data without its frame dimensions; FALSE: the panels come from several datasets. */
gboolean fl_h5_data_shape (FlSource *source, FlDataShape *shape);

/* What the file tells about itself: CXI, NXmx, Dectris, or any file with one set of images at a usual place. FALSE:
 * *error says what is missing. */
gboolean fl_h5_self_geometry (hid_t file, const char *path, FlH5Self *self, GError **error);
