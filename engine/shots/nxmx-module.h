/* nxmx-module.h: a module of a NeXus detector: which pixels of the array are its, and where they are (private to
 * nxmx-*.c). Thread: HDF5's. */
#pragma once

#include "engine/shots/nxmx-geometry.h"

/* A module as a panel: a rectangle of the detector's array, and its place. */
typedef struct
{
  char *name;
  guint64 from[3], n[3]; /* in the array's last dimensions; n_dims of them */
  guint n_dims;
  gboolean with_frames; /* the array's first dimension is not among them */
  gboolean channels; /* its second one is not either: thresholds of a counter, of which the first is read */
  FlVec3 origin, fs, ss; /* mm */
  double gain;
  char *masks[FL_GEOM_MASKS]; /* datasets */
} FlNxmxModule;

typedef struct
{
  hid_t file;
  const char *path; /* of the file, for messages */
  const FlNxmxParts *parts;
  FlH5Self *self;
  GString *text;   /* of the geometry */
  GPtrArray *data; /* of all panels so far; owned by parts */
  GArray *all;     /* of FlNxmxModule */
  GPtrArray *notes;
} FlNxmxBuild;

typedef struct
{
  double pixel_x, pixel_y, distance; /* mm */
  double centre_x, centre_y;         /* px */
} FlNxmxFacts;

void fl_nxmx_module_clear (gpointer module);

/* `group`'s pixels, and their place if it is told (*placed): by its chain, or where it is `alone`, the only one of the
 * only detector, by beam centre and distance. FALSE: *error says what cannot be understood. */
gboolean fl_nxmx_module_place (FlNxmxBuild *b, const FlNxmxDetector *d, const char *group, gboolean alone,
                               FlNxmxModule *module, gboolean *placed, GError **error);

/* NAN: not told. */
FlNxmxFacts fl_nxmx_facts (hid_t file, const char *detector);

/* --- numbers of a group --- */

char *fl_nxmx_below (const char *group, const char *name);
double fl_nxmx_number (hid_t file, const char *group, const char *name); /* NAN: there is none */
/* The first of these names, NULL at the end, that has a number. */
double fl_nxmx_first_number (hid_t file, const char *group, gboolean lengths, const char *const *names);
