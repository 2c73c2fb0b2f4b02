/* protocol.h: the framed requests that `firstlight-control serve` answers, and how a frame is read and written.
 *
 * Both ways a frame is: u32 magic "FLV1", u32 bytes of the body, u32 request id, u16 operation, u8 status, u8 flags; then
 * the body, a serialised GVariant (little-endian) of the type given below for that operation. Requests and replies go
 * over a pipe or a channel; replies may come in any order; the newest image request of one `slot` overtakes older ones,
 * which are answered CANCELLED. Whatever comes from outside is checked (size, normal form, ranges) before it is used.
 * The serve child never writes anything else to its standard output.
 *
 * A reply of more than FL_VIEW_CHUNK bytes comes in several frames of the same id: all but the last have the flag MORE,
 * and their bodies joined are the reply's. Frames of other replies may come between them, so that a heartbeat or the end
 * of a log waits for one chunk of a picture, not for the picture; a frame CANCELLED ends a reply of which a part has
 * been sent. A request with the flag FAR says that bytes are dear: the reply's body may then be DEFLATED as a whole (u32
 * bytes of it, then a zlib stream), and a picture in 32-bit floats is best asked for as FL_VIEW_COMPACT.
 *
 * THE ASSEMBLED IMAGE. The panels projected along the beam, in pixels of the first panel: x to the right is laboratory
 * x, y grows downwards as drawn and is minus laboratory y, the beam is at (0, 0). Laboratory x, y (up), z (along the
 * beam) are right-handed, so this is the detector seen from behind, looking against the beam, as CrystFEL draws it.
 * Images, spots and panel outlines all use these coordinates. An image pixel at column i, row j of a raster of
 * width × height that shows the rectangle x0..x1, y0..y1 covers x0 + i (x1 − x0) / width … x0 + (i + 1) (x1 − x0) /
 * width, and likewise in y. Its value is the mean (or maximum) of the good detector pixels whose centres it covers;
 * where it covers none, the detector pixel under its centre: −INFINITY when that is bad, NaN when there is none. A ring of resolution d has the radius camera_length tan (2 asin (λ / 2d)) / pixel_size. */
#pragma once

#include <glib.h>

#define FL_VIEW_MAGIC       0x31564c46u
#define FL_VIEW_HEADER      16
#define FL_VIEW_VERSION     5
#define FL_VIEW_CHUNK       (64u << 10)  /* most bytes of a body in one frame of a reply */
#define FL_VIEW_MAX_REQUEST (64u << 10)  /* body of a request, bytes */
#define FL_VIEW_MAX_REPLY   (256u << 20) /* body of a reply */
#define FL_VIEW_MAX_LOG     (4u << 20)   /* bytes of a log in one reply */
#define FL_VIEW_MAX_PIXELS  (36u << 20)  /* width × height of a raster: an 8K screen */
#define FL_VIEW_MAX_LINE    1024u        /* bytes of a line of a log that is found */

/* A picture that nobody waits for: answered when there is nothing else to do. */
#define FL_VIEW_SLOT_AHEAD 0xffffffffu

typedef enum
{
  FL_VIEW_HELLO = 1,    /* request (u): version; reply (us): version, program. Also the heartbeat */
  FL_VIEW_IMAGE = 2,    /* FlViewImageRequest → FlViewImage */
  FL_VIEW_SPOTS = 3,    /* FlViewSpotsRequest → FlViewSpots */
  FL_VIEW_SOURCE = 4,   /* FlViewSourceRequest → FlViewSource */
  FL_VIEW_LOG = 5,      /* FlViewLogRequest → FlViewLog */
  FL_VIEW_CANCEL = 6,   /* request (u): id to forget, which is answered CANCELLED; itself not answered */
  FL_VIEW_INFLIGHT = 7, /* (s): an attempt's folder → FlViewInflight */
  FL_VIEW_LATTICES = 8, /* FlViewSpotsRequest → FlViewLattices: as journalled */
  FL_VIEW_TRY = 9,      /* FlViewTryRequest → FlViewTried: this trial on this image, now */
  FL_VIEW_FIND = 10,    /* FlViewFindRequest → FlViewFound: the next line of a log that matches */
  FL_VIEW_FEED = 11,    /* FlViewFeedRequest → bytes (engine/store/feed.h): what has changed in a store */
  FL_VIEW_MAP = 12,     /* FlViewMapRequest → FlViewMap (messages-maps.h): a density */
  FL_VIEW_MODEL = 13,   /* (s): a PDB or mmCIF file → FlViewModel */
  FL_VIEW_MASK = 14, /* FlViewMaskRequest → FlViewMask (messages-mask.h): what rules of a mask would mask */
  FL_VIEW_OPERATION_LAST
} FlViewOperation;

typedef enum
{
  FL_VIEW_OK = 0,
  FL_VIEW_ERROR = 1,    /* body (is): FlError code, one line */
  FL_VIEW_CANCELLED = 2 /* no body */
} FlViewStatus;

typedef enum
{
  FL_VIEW_MORE = 1 << 0,     /* reply: its next part follows in a frame of its own */
  FL_VIEW_DEFLATED = 1 << 1, /* reply */
  FL_VIEW_FAR = 1 << 2       /* request */
} FlViewFlags;

/* Requests. */
#define FL_VIEW_HELLO_REQUEST "(u)"
/* slot, path, geometry, mask, calibration, frame, x0, y0, x1, y1, reduce, width, height, encoding */
#define FL_VIEW_IMAGE_REQUEST "(ussssudddduuuy)"
/* job folder, path, geometry, mask, calibration, frame */
#define FL_VIEW_SPOTS_REQUEST "(sssssu)"
/* path, geometry, mask, calibration */
#define FL_VIEW_SOURCE_REQUEST "(ssss)"
/* path, offset (< 0: from the end), most bytes */
#define FL_VIEW_LOG_REQUEST      "(sxu)"
#define FL_VIEW_CANCEL_REQUEST   "(u)"
#define FL_VIEW_INFLIGHT_REQUEST "(s)"
#define FL_VIEW_LATTICES_REQUEST FL_VIEW_SPOTS_REQUEST
/* path, geometry, mask, calibration, frame, trial text */
#define FL_VIEW_TRY_REQUEST "(ssssus)"
/* path, text to look for ("": whatever looks like an error), offset where to begin */
#define FL_VIEW_FIND_REQUEST "(sst)"
/* store, where the reader is (empty: nowhere yet), about the most bytes wanted */
#define FL_VIEW_FEED_REQUEST "(sayu)"
/* path, most voxels (0: FL_VIEW_MAX_VOXELS), encoding */
#define FL_VIEW_MAP_REQUEST   "(suy)"
#define FL_VIEW_MODEL_REQUEST "(s)"
/* path, geometry, mask, calibration, files of the run, keep its rules, rules, whether the file is wanted, x0, y0, x1, y1, width, height */
#define FL_VIEW_MASK_REQUEST "(ssssasbsb(dddd)uu)"

/* Replies. */
#define FL_VIEW_HELLO_REPLY "(us)"
/* shot id, event, frames; energy eV, wavelength Å, camera length mm, pixel size mm, saturation; x0, y0, x1, y1 shown;
 * x0, y0, x1, y1 of the whole; width, height, six percentiles; raster (bits of f32, row by row) or, compact, empty and the
 * bytes of engine/view/raster-codec.h; stamp of the files, still growing */
#define FL_VIEW_IMAGE_REPLY "(tsuddddd(dddd)(dddd)uuadauaytb)"
/* outcome, spots, resolution Å, message; x, y, panel, fs, ss, intensity, d Å of each spot; stamp, growing */
#define FL_VIEW_SPOTS_REPLY "(yudsa(ddudddd)tb)"
/* frames, format, description, pixel size mm, x0, y0, x1, y1 of the whole; panels: name, corner x y, fs step x y, ss
 * step x y, n_fs, n_ss */
#define FL_VIEW_SOURCE_REPLY "(ussd(dddd)a(sdddddduu))"
/* offset of the first byte, size of the file, bytes */
#define FL_VIEW_LOG_REPLY "(ttay)"
/* rank, stage, crashed by signal, source, frame, shot id, since ns UTC */
#define FL_VIEW_INFLIGHT_REPLY "a(uuuuutt)"
/* lattices: a, b, c Å, α, β, γ rad, centring, space group, spots, reflections integrated, confidence, r.m.s.d. px, domain
 * size Å, mosaicity rad, resolution Å; reflections: lattice, h, k, l, x, y, panel, fs, ss, I, σ (< 0: not integrated), d Å,
 * flags; stamp, growing */
#define FL_VIEW_LATTICES_REPLY "(a(ddddddyuuuddddd)a(unnnddudddddu)tb)"
/* milliseconds; spots; lattices */
#define FL_VIEW_TRY_REPLY "(u" FL_VIEW_SPOTS_REPLY FL_VIEW_LATTICES_REPLY ")"
/* found, offset of its line, offset of the match, number of the line from 1, the line; size of the file, searched to */
#define FL_VIEW_FIND_REPLY "(btttstt)"
#define FL_VIEW_FEED_REPLY "(ay)"
/* points along a, b, c, thinned; steps x y z along a, b, c, corner x y z, cell; periodic; mean, sigma, min, max; encoding, operators of the crystal (those that the values have been folded by), values */
#define FL_VIEW_MAP_REPLY "(uuuuadbddddyaiay)"
/* atoms: x, y, z in 0.001 Å, element, name, residue, chain, number, insertion code, alternative */
#define FL_VIEW_MODEL_REPLY "(a(iiissssiyy))"
/* shots measured, of, failed; rules; pixels that each changes; panels: name, pixels, bad, masked; pixels, bad, base, masked;
 * width, height, shares masked; the file */
#define FL_VIEW_MASK_REPLY  "(uuusaua(sttt)ttttuuayay)"
#define FL_VIEW_ERROR_REPLY "(is)"

typedef struct
{
  guint32 id;
  FlViewOperation operation;
  FlViewStatus status;
  FlViewFlags flags;
  guint32 length; /* bytes of the body */
} FlViewFrame;

/* Decodes FL_VIEW_HEADER bytes. FL_ERROR_INPUT when they are not a frame's beginning, or its body is longer than
 * `most`. */
gboolean fl_view_frame_decode (const guint8 *header, guint32 most, FlViewFrame *frame, GError **error);

/* Blocking, for a thread of its own: reads one whole frame from `fd`. On success *body (NULL when there is none) is
 * the caller's. FALSE without error at the end of the input (between frames). */
gboolean fl_view_frame_read (int fd, guint32 most, FlViewFrame *frame, GBytes **body, GError **error);
/* Blocking: writes one frame with `length` (may be 0) bytes of body. */
gboolean fl_view_frame_write (int fd, const FlViewFrame *frame, gconstpointer body, GError **error);
/* A whole frame in memory; `body` may be NULL and is sunk. */
GBytes *fl_view_frame_bytes (guint32 id, FlViewOperation operation, FlViewFlags flags, GVariant *body);
/* A body's bytes as they are sent; `body` is sunk. */
GBytes *fl_view_body_bytes (GVariant *body);

/* The body as a GVariant of `type` (a reference); FL_ERROR_INPUT when the bytes are not one. A body as large as a picture
 * is not walked through: GVariant reads it safely, with zeros for what is damaged, and the decoders check sizes. */
GVariant *fl_view_body_parse (GBytes *body, const char *type, GError **error);
