#include "engine/shots/marccd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/shots/flat-panel.h"

/* Bytes from the start of the file. */
enum
{
  AT_WIDTH = 1104,
  AT_HEIGHT = 1108,
  AT_DEPTH = 1112,
  AT_SATURATION = 1128,
  AT_DISTANCE = 1664,
  AT_BEAM = 1668,
  AT_TWO_THETA = 1692,
  AT_START_DISTANCE = 1720,
  AT_PIXEL = 1796,
  AT_BIAS = 1804,
  AT_WAVELENGTH = 1932,
  HEADER_END = 4096
};

typedef struct
{
  const guint8 *bytes;
  gboolean big;
} Header;

static double
number (Header header, guint at)
{
  guint32 v;
  memcpy (&v, header.bytes + at, sizeof v);
  return (double) (gint32) (header.big ? GUINT32_FROM_BE (v) : GUINT32_FROM_LE (v));
}

/* Counts a photon by model, as dxtbx has them (20 % at best): size and pixel tell the model. */
static double
gain (guint edge, double pixel)
{
  if (edge == 3072)
    return 1.5; /* MX225 */
  if (edge == 4096 && fabs (pixel - 0.079346) < 1e-6)
    return 1.3; /* MX325 */
  if (edge == 4096 && fabs (pixel - 0.073242) < 1e-6)
    return 1.5; /* MX300 */
  return 1;
}

/* By definition the centre is in pixels, but some beamlines write mm: then it seems to lie near the corner. */
static void
set_beam (Header header, FlFlatPanel *flat)
{
  double x = 1e-3 * number (header, AT_BEAM), y = 1e-3 * number (header, AT_BEAM + 4);
  gboolean mm = x > 0 && y > 0 && x < 0.25 * flat->n_fs;
  flat->beam_fs = mm ? x : x * flat->pixel_fs;
  flat->beam_ss = mm ? y : y * flat->pixel_ss;
}

FlDetector *
fl_marccd_detector (const guint8 *bytes, gsize length, const FlMarccdFrame *frame, double *bias)
{
  Header header = { bytes, frame->big };
  if (length < HEADER_END || number (header, AT_WIDTH) != frame->n_fs
      || number (header, AT_HEIGHT) != frame->n_ss || number (header, AT_DEPTH) != frame->depth)
    return NULL;
  FlFlatPanel flat = { .n_fs = frame->n_fs,
                       .n_ss = frame->n_ss,
                       .pixel_fs = 1e-6 * number (header, AT_PIXEL),
                       .pixel_ss = 1e-6 * number (header, AT_PIXEL + 4),
                       .distance = 1e-3 * number (header, AT_DISTANCE),
                       .two_theta = 1e-3 * number (header, AT_TWO_THETA) };
  if (flat.distance == 0)
    flat.distance = 1e-3 * number (header, AT_START_DISTANCE);
  if (fabs (flat.two_theta) < 0.01 || fabs (flat.two_theta) > 180) /* −1: nobody set it */
    flat.two_theta = 0;
  set_beam (header, &flat);
  FlDetector *detector = fl_flat_detector (&flat);
  FlPanel *panel = &detector->panels[0];
  *bias = MAX (round (1e-3 * number (header, AT_BIAS)), 0);
  double saturation = number (header, AT_SATURATION), wavelength = 1e-5 * number (header, AT_WAVELENGTH);
  if (saturation <= 0)
    saturation = frame->depth == 2 ? 65535 : INFINITY;
  panel->gain = gain (frame->n_fs, flat.pixel_fs);
  panel->trusted_min = -*bias; /* 0 as it is stored: a dead pixel or none of the detector */
  panel->saturation = panel->trusted_max = saturation - *bias;
  detector->wavelength = wavelength > 0 ? wavelength : 0;
  return detector;
}
