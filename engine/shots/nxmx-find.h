/* nxmx-find.h: where a NeXus file keeps its beam, detectors, modules and images (private to the room).
 *
 * By class where groups have one, by the usual names where they have none (masters of the first Eiger). Images are the
 * signal of the NXdata, or `data`, or Dectris' numbered data sets; with several detectors each may have its own.
 * Thread: HDF5's. */
#pragma once

#include "engine/shots/hdf5-util.h"

typedef struct
{
  char *group;    /* NXdetector */
  char **modules; /* paths of its NXdetector_module, without those that hold others; NULL-terminated */
  char *data;     /* dataset of its images; data_% for numbered ones */
  guint rank;
  hsize_t dims[H5S_MAX_RANK]; /* of the first of the data sets */
  FlPixelType type;
} FlNxmxDetector;

typedef struct
{
  char *entry;
  char *beam;        /* NXbeam with a wavelength; NULL: none */
  gboolean is_nxmx;  /* says so */
  gboolean numbered; /* images are in numbered data sets */
  GArray *detectors; /* of FlNxmxDetector; of those without images only when no detector has any */
  GPtrArray *notes;  /* of char * */
} FlNxmxParts;

void fl_nxmx_parts_clear (FlNxmxParts *parts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlNxmxParts, fl_nxmx_parts_clear)

/* FALSE: the file has no entry of NeXus or Dectris' kind, or (*error set) its images are in a file that is not there.
 * TRUE with no detector whose `data` is set: metadata without frames. */
gboolean fl_nxmx_find (hid_t file, const char *file_path, FlNxmxParts *parts, GError **error);

/* Rank, shape and pixel type of a dataset of images; FALSE: `path` is none. */
gboolean fl_h5_image_shape (hid_t file, const char *path, guint *rank, hsize_t dims[H5S_MAX_RANK],
                            FlPixelType *type);
