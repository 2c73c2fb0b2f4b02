/* stream2.h: messages of DECTRIS' detectors, version 2 of their stream (CBOR, RFC 8949, with typed arrays, RFC 8746, and
 * DECTRIS' tag of packed bytes), as captured, one a file (private to the room).
 *
 * A start message tells of the detector, image messages hold one image for each channel, an end message ends the series. What
 * is not known is passed over. Thread: any; a message points into the caller's bytes. */
#pragma once

#include <glib.h>

#include "engine/shots/source.h"

typedef enum
{
  FL_STREAM2_NONE,
  FL_STREAM2_START,
  FL_STREAM2_IMAGE,
  FL_STREAM2_END
} FlStream2Kind;

/* An array of two dimensions, packed or not. */
typedef struct
{
  const guint8 *bytes; /* NULL: there is none */
  gsize length;
  guint n_ss, n_fs;
  FlPixelType type;
  const char *packing; /* "bslz4", "lz4"; NULL: none */
} FlStream2Array;

typedef struct
{
  FlStream2Kind kind;
  guint64 series, image;
  double beam_fs, beam_ss;   /* px; NAN = not said, as below */
  double pixel_fs, pixel_ss; /* m */
  double distance;           /* m */
  double energy, wavelength; /* eV, Å */
  double saturation;         /* counts */
  double start;              /* s after the series' date */
  char description[96], serial[64], date[48], channel[64];
  FlStream2Array data, mask, flatfield; /* of the first channel */
  guint n_channels;
} FlStream2;

/* What the first bytes of a message say that it is. */
FlStream2Kind fl_stream2_kind (const guint8 *head, gsize length);

/* FALSE: *wrong says why; g_free. */
gboolean fl_stream2_parse (FlStream2 *message, const guint8 *bytes, gsize length, char **wrong);

/* n_ss × n_fs elements of the array's type into `out`. NULL, or what is wrong. */
const char *fl_stream2_unpack (const FlStream2Array *array, void *out);
