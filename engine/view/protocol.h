/* protocol.h: the framed requests that `firstlight-control serve` answers.
 *
 * Both ways a frame is: u32 magic "FLV1", u32 bytes of the body, u32 request id, u16 operation, u16 status; then the
 * body, a serialised GVariant (little-endian, normal form) of the type given below for that operation. Requests and
 * replies go over a pipe or a channel; replies may come in any order; the newest image request of one `slot`
 * overtakes older ones, which are answered CANCELLED. Bodies from outside are checked (type, normal form, size) before
 * use. The serve child never writes anything else to its standard output. */
#pragma once

#include <glib.h>

#define FL_VIEW_MAGIC 0x31564c46u
#define FL_VIEW_HEADER 16
#define FL_VIEW_MAX_BODY (512u << 20)
#define FL_VIEW_VERSION 1

typedef enum
{
  FL_VIEW_HELLO = 1,  /* request (u version); reply (us): version, program */
  FL_VIEW_IMAGE = 2,  /* request: FL_VIEW_IMAGE_REQUEST; reply: FL_VIEW_IMAGE_REPLY */
  FL_VIEW_SPOTS = 3,  /* request (st): job folder, shot id; reply FL_VIEW_SPOTS_REPLY */
  FL_VIEW_SOURCE = 4, /* request (sss): path, geometry, mask; reply (ussa(sddddddddd)): frames, format, description,
                         panels (name, corner x y, fs x y, ss x y – px of the assembled image –, n_fs, n_ss, unused 0) */
  FL_VIEW_LOG = 5,    /* request (sxu): path, offset (< 0: from the end), most bytes; reply (xxay): offset, size, bytes */
  FL_VIEW_CANCEL = 6, /* request (u): id to forget; no reply */
  FL_VIEW_INFLIGHT = 7 /* request (s): attempt's folder; reply a(uutuuut): rank, stage, shot, source, frame, crashed, since */
} FlViewOperation;

typedef enum
{
  FL_VIEW_OK = 0,
  FL_VIEW_ERROR = 1,    /* body (is): FlError code, one line */
  FL_VIEW_CANCELLED = 2 /* no body */
} FlViewStatus;

/* The assembled image: the panels' projection along the beam, in units of the first panel's pixel, x to the right and y
 * down as drawn (laboratory x and −y), the beam at (0, 0). A request asks for the rectangle x0..x1, y0..y1 of it on a
 * raster of width × height.
 *   slot     of the asker: a newer request with the same slot overtakes
 *   reduce   0 mean, 1 maximum, 2 nearest (what falls into one screen pixel) */
#define FL_VIEW_IMAGE_REQUEST "(usssuddddquuq)" /* slot, path, geometry, mask, frame, x0, y0, x1, y1, reduce, width, height, flags */

/* Raster: f32, row by row; NaN where there is no panel; −INFINITY where the pixel is bad.
 * percentiles: 0, 1, 50, 99, 99.9, 100 % of the good pixels of the whole shot. */
#define FL_VIEW_IMAGE_REPLY "(tsddddduuad@ay)" /* shot id, event, energy eV, camera length mm, pixel mm, wavelength Å, saturation, width, height, percentiles, raster */

/* x, y: assembled; then panel, fs, ss, intensity, d Å. First: outcome, spots, resolution, message of the shot's row. */
#define FL_VIEW_SPOTS_REPLY "(yudsa(ddudddd))"
