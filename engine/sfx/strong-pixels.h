/* strong-pixels.h: raw pixels on the device -> which of them are strong; one entry an algorithm of `spots.algorithm`.
 *
 * A new algorithm NAME:
 *  1. its name among the choices of spots.algorithm (resources/parameters/spots.params), its parameters after them;
 *  2. strong-NAME.c with `const FlStrongAlgorithm fl_strong_NAME` (declared below), in meson.build;
 *  3. a line in the table of strong-pixels.c.
 * spot-finding.c does the rest: spots are connected strong pixels (kernels/spots.h), and the rules spots.min_size,
 * max_size and max_separation judge them, unless the algorithm judges by itself.
 *
 * Thread: that of the device. Functions return FALSE when the device failed; flk_error() tells why. */
#pragma once

#include "engine/base/params.h"
#include "engine/sfx/layout.h"
#include "kernels/device.h"
#include "kernels/pixels.h"
#include "kernels/spots.h"

/* What an algorithm is given of a shot. Pointers inside `pixels` and `strong` are device pointers. */
typedef struct
{
  FlkDevice *device;
  const FlLayout
      *layout;      /* panels, tiles, gain, and the detector itself; `version` tells when any of it changed */
  FlkPixels pixels; /* as read from the file, with this shot's mask */
  gsize n_pixels;
  guint8 *
      strong; /* out, n_pixels: 1 strong, 0 not. Every pixel of every panel is written; others are 0 already */
} FlStrongShot;

typedef struct
{
  const char *name; /* the choice */
  /* The algorithm's rules and buffers, from the parameters. */
  gpointer (*make) (const FlParams *params);
  void (*destroy) (gpointer state, FlkDevice *device);
  /* Launches what it can without waiting. */
  gboolean (*find) (gpointer state, const FlStrongShot *shot);
  /* The rest, by what find() has asked to be fetched (flk_fetch_later()), which is there now; NULL: there is none. */
  gboolean (*go_on) (gpointer state, const FlStrongShot *shot);
  /* Fills `connected` and `min_pixels` of how spots are made; NULL: by the general rules. */
  void (*connect) (gconstpointer state, FlkSpotsArgs *spots);
  /* After kernel "spots", with its arguments: measures spots in its own way and sets n_pixels to 0 where one is none;
   * the general rules then do not judge. NULL: they do. */
  gboolean (*judge) (gpointer state, const FlStrongShot *shot, const FlkSpotsArgs *spots);
} FlStrongAlgorithm;

extern const FlStrongAlgorithm fl_strong_adaptive, fl_strong_dispersion, fl_strong_dispersion_extended,
    fl_strong_peakfinder8, fl_strong_radial_profile;

typedef struct FlStrongPixels FlStrongPixels;

/* By the parameters of the stage "spots". */
FlStrongPixels *fl_strong_pixels_new (const FlParams *params);
void fl_strong_pixels_free (FlStrongPixels *strong, FlkDevice *device);

/* `shot->strong` is set to a mask that stays valid until the next shot. It is filled when fl_strong_pixels_go_on() was called
 * too, where fl_strong_pixels_waits(): after flk_sync(). */
gboolean fl_strong_pixels_find (FlStrongPixels *strong, FlStrongShot *shot);
gboolean fl_strong_pixels_waits (const FlStrongPixels *strong);
gboolean fl_strong_pixels_go_on (FlStrongPixels *strong, const FlStrongShot *shot);
void fl_strong_pixels_connect (const FlStrongPixels *strong, FlkSpotsArgs *spots);
gboolean fl_strong_pixels_judge (FlStrongPixels *strong, const FlStrongShot *shot, const FlkSpotsArgs *spots);
/* Whether the algorithm judges spots by itself. */
gboolean fl_strong_pixels_judges (const FlStrongPixels *strong);
