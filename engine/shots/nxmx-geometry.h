/* nxmx-geometry.h: the geometry of a NeXus file or a Dectris master as a FlGeom (private to the room), so that there is
 * one way to read frames. Panels are the modules, placed by their chains (nxmx-chain.h); without chains by Dectris' own
 * orientation and translation, or by beam centre and distance; or not placed. Thread: HDF5's. */
#pragma once

#include "engine/shots/geom.h"
#include "engine/shots/nxmx-chain.h"
#include "engine/shots/nxmx-find.h"

/* What a file tells about itself. */
typedef struct
{
  FlGeom *geom;
  const char *format;
  gboolean placed;
  double low, high;    /* smallest and largest good value; -INFINITY, INFINITY: not told */
  GArray *moves;       /* of FlNxmxMove: the detector's from frame to frame; NULL: none */
  char *beam;          /* name of computed wavelengths, as in geom->beam.path; NULL: none */
  double *wavelengths; /* n of them, one a frame, Å */
  gsize n_wavelengths;
  char *times; /* dataset of seconds after `start` (ns UTC), one a frame; NULL: none */
  guint64 start;
} FlH5Self;

void fl_h5_self_clear (FlH5Self *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlH5Self, fl_h5_self_clear)

/* `parts` has images. FALSE: *error says what cannot be understood. */
gboolean fl_nxmx_geometry (hid_t file, const char *path, const FlNxmxParts *parts, FlH5Self *self,
                           GError **error);

/* Where the photons' energy or wavelength is, into self (private to nxmx-*.c). */
gboolean fl_nxmx_beam (hid_t file, const char *path, const FlNxmxParts *parts, FlH5Self *self,
                       GError **error);
