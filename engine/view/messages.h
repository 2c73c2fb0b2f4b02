/* messages.h: what is asked of a serve child and what it answers, as plain structs, and their serialised forms
 * (protocol.h has the coordinates). Answers are immutable and shared by reference count (any thread); requests borrow
 * their strings. `geometry`, `mask` "" or NULL = none. */
#pragma once

#include <glib.h>

#include "engine/base/batch.h"
#include "engine/base/inflight.h"
#include "engine/view/protocol.h"

typedef struct
{
  double x0, y0, x1, y1; /* px of the assembled image, y downwards */
} FlViewRect;

gboolean fl_view_rect_is_whole (const FlViewRect *rect); /* all 0 */

/* What a screen pixel shows of the detector pixels that fall into it. */
typedef enum
{
  FL_VIEW_MEAN,
  FL_VIEW_MAXIMUM,
  FL_VIEW_NEAREST,
  FL_VIEW_REDUCE_LAST
} FlViewReduce;

/* How the raster comes. */
typedef enum
{
  FL_VIEW_RAW,     /* 32-bit floats */
  FL_VIEW_COMPACT, /* within an eighth of the noise (raster-codec.h): for thin links */
  FL_VIEW_ENCODING_LAST
} FlViewEncoding;

/* --- requests --- */

typedef struct
{
  const char *path, *geometry, *mask;
  const char *
      calibration; /* detector.* settings of raw pixels, as trial text; "" or NULL: they are taken as they are */
} FlViewSourceRequest;

typedef struct
{
  guint32 slot; /* of the asker: a newer request with the same slot overtakes */
  FlViewSourceRequest source;
  guint32 frame;
  FlViewRect rect; /* all 0: the whole detector, fitted into the raster with square pixels, centred */
  FlViewReduce reduce;
  guint32 width, height;   /* of the raster; FL_VIEW_MAX_PIXELS at most */
  FlViewEncoding encoding; /* the client sets it */
} FlViewImageRequest;

typedef struct
{
  const char *job_dir;
  FlViewSourceRequest source; /* tells where the panels are, and with `frame` which shot it is */
  guint32 frame;
} FlViewSpotsRequest;

typedef struct
{
  const char *path;
  gint64 offset;  /* < 0: so many bytes before the end */
  guint32 length; /* most bytes wanted; FL_VIEW_MAX_LOG at most are given */
} FlViewLogRequest;

typedef struct
{
  FlViewSourceRequest source;
  guint32 frame;
  const char *params; /* trial text (engine/base/params.h) */
} FlViewTryRequest;

typedef struct
{
  const char *path;
  const char
      *pattern;   /* plain text, any case; "" or NULL: the next line that looks like an error (log-find.h) */
  guint64 offset; /* the match begins here or behind it: 0 for the first, the last match + 1 for the next */
} FlViewFindRequest;

typedef struct
{
  const char *store;      /* folder or file */
  gconstpointer position; /* of the reader (engine/store/mirror.h); NULL: nowhere yet */
  gsize position_length;
  guint32 most; /* bytes of the answer, about */
} FlViewFeedRequest;

/* --- answers --- */

/* What an answer was made from. Two answers about the same thing of which one has another stamp: the older is no longer
 * true. */
typedef struct
{
  guint64 stamp;    /* hash of the files' size and time of change; 0 = not told */
  gboolean growing; /* changed less than a minute ago: may change again */
} FlViewOrigin;

typedef struct
{
  FlViewOrigin origin;
  guint64 shot;              /* id */
  char *event;               /* the frame's name in the file, "" when it has none */
  guint32 frames;            /* of the file */
  double energy, wavelength; /* eV, Å; 0 = not known */
  double camera_length,
      pixel_size;    /* mm; of the panels on average (0 = the file does not say where its pixels are:
                                       no rings), and of the first */
  double saturation; /* counts; INFINITY = not known */
  FlViewRect rect;   /* what the raster shows */
  FlViewRect whole;  /* bounds of all panels */
  guint32 width, height;
  double
      percentiles[6]; /* 0, 1, 50, 99, 99.9, 100 % of the good pixels of the whole shot; NaN when it has none.
                            The inner four within 0.8 % of the value, exact for counts up to 256 */
  const float *raster; /* width × height, row by row; NaN: no panel there; −INFINITY: bad */
  GVariant *body;      /* private: what `raster` may point into */
  double photon,
      pixels; /* server only, for FL_VIEW_COMPACT: counts a photon; detector pixels of which a raster pixel is
                            the mean, 0: each shows one */
} FlViewImage;

typedef struct
{
  double x, y; /* assembled */
  guint32 panel;
  double fs, ss;    /* px from the panel's corner */
  double intensity; /* counts */
  double d;         /* Å */
} FlViewSpot;

typedef struct
{
  FlOutcome outcome;
  guint32 n_spots;
  double resolution; /* Å, 0 = none */
  char *message;     /* why the shot failed; "" */
  FlViewSpot *spots; /* n_spots */
  FlViewOrigin origin;
} FlViewSpots;

typedef struct
{
  double cell[6]; /* Å and rad */
  char centring;
  guint32 space_group;   /* 0 = not known */
  guint32 n_spots;       /* that it explains */
  guint32 n_reflections; /* integrated */
  double confidence;     /* 0–1 */
  double rmsd;           /* px */
  double domain_size;    /* Å */
  double mosaicity;      /* rad */
  double resolution;     /* Å, 0 = not measured */
} FlViewLattice;

typedef struct
{
  guint32 lattice; /* which of the shot's */
  gint16 h, k, l;
  double x, y; /* assembled, where it is predicted */
  guint32 panel;
  double fs, ss;
  double intensity, sigma; /* counts; sigma < 0: not integrated */
  double d;                /* Å */
  guint32 flags;           /* FlReflectionFlag */
} FlViewReflection;

typedef struct
{
  guint32 n_lattices, n_reflections;
  FlViewLattice *lattices;
  FlViewReflection *reflections;
  FlViewOrigin origin;
} FlViewLattices;

typedef struct
{
  guint32 milliseconds; /* that it took, reading the shot included */
  FlViewSpots *spots;
  FlViewLattices *lattices;
} FlViewTried;

typedef struct
{
  char *name;
  double x, y;       /* outer corner of its first pixel */
  double fs_x, fs_y; /* step to the next pixel */
  double ss_x, ss_y;
  guint32 n_fs, n_ss; /* px */
} FlViewPanel;

typedef struct
{
  guint32 frames;
  char *format, *description; /* description: "key: value" lines */
  double pixel_size;          /* mm */
  FlViewRect whole;
  guint32 n_panels;
  FlViewPanel *panels;
} FlViewSource;

typedef struct
{
  guint64 offset; /* of the first byte */
  guint64 size;   /* of the file now */
  GBytes *bytes;  /* not necessarily UTF-8 */
} FlViewLog;

typedef struct
{
  gboolean found;
  guint64 offset; /* of the line's first byte */
  guint64 match;  /* offset of the match */
  guint64 line;   /* its number, the file's first is 1 */
  char *text;     /* the line: FL_VIEW_MAX_LINE bytes at most, UTF-8, nothing in it that moves a cursor; "" */
  guint64 size;   /* of the file now */
  guint64
      searched; /* bytes from the file's beginning: when nothing was found, go on here once it has grown */
} FlViewFound;

typedef struct
{
  guint32 n_entries;
  FlInflightEntry *entries; /* pid is not sent: 0 */
} FlViewInflight;

/* Zeroed, with one reference; the maker fills it in with allocated members. fl_view_image_new() also allocates the
 * raster (width × height floats, writable through *raster until the image is shared). */
FlViewImage *fl_view_image_new (guint32 width, guint32 height, float **raster);
FlViewSpots *fl_view_spots_new (guint32 n_spots);
FlViewSource *fl_view_source_new (guint32 n_panels);
FlViewLog *fl_view_log_new (void);
FlViewInflight *fl_view_inflight_new (guint32 n_entries);
FlViewLattices *fl_view_lattices_new (guint32 n_lattices, guint32 n_reflections);
FlViewTried *fl_view_tried_new (void);
FlViewFound *fl_view_found_new (void);

FlViewImage *fl_view_image_ref (FlViewImage *image);
FlViewSpots *fl_view_spots_ref (FlViewSpots *spots);
FlViewSource *fl_view_source_ref (FlViewSource *source);
FlViewLog *fl_view_log_ref (FlViewLog *log);
FlViewInflight *fl_view_inflight_ref (FlViewInflight *inflight);
FlViewLattices *fl_view_lattices_ref (FlViewLattices *lattices);
FlViewTried *fl_view_tried_ref (FlViewTried *tried);
FlViewFound *fl_view_found_ref (FlViewFound *found);

void fl_view_image_unref (FlViewImage *image);
void fl_view_spots_unref (FlViewSpots *spots);
void fl_view_source_unref (FlViewSource *source);
void fl_view_log_unref (FlViewLog *log);
void fl_view_inflight_unref (FlViewInflight *inflight);
void fl_view_lattices_unref (FlViewLattices *lattices);
void fl_view_tried_unref (FlViewTried *tried);
void fl_view_found_unref (FlViewFound *found);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewImage, fl_view_image_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewSpots, fl_view_spots_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewSource, fl_view_source_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewLog, fl_view_log_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewInflight, fl_view_inflight_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewLattices, fl_view_lattices_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewTried, fl_view_tried_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewFound, fl_view_found_unref)

/* --- serialised forms: floating GVariants out; in, FL_ERROR_INPUT when a value is out of range --- */

GVariant *fl_view_image_request_encode (const FlViewImageRequest *request);
GVariant *fl_view_spots_request_encode (const FlViewSpotsRequest *request);
GVariant *fl_view_source_request_encode (const FlViewSourceRequest *request);
GVariant *fl_view_log_request_encode (const FlViewLogRequest *request);
GVariant *fl_view_inflight_request_encode (const char *dir);
GVariant *fl_view_try_request_encode (const FlViewTryRequest *request); /* of lattices: as of spots */
GVariant *fl_view_find_request_encode (const FlViewFindRequest *request);
GVariant *fl_view_feed_request_encode (const FlViewFeedRequest *request);

/* The strings point into `body`. */
gboolean fl_view_image_request_decode (GVariant *body, FlViewImageRequest *request, GError **error);
void fl_view_spots_request_decode (GVariant *body, FlViewSpotsRequest *request);
void fl_view_source_request_decode (GVariant *body, FlViewSourceRequest *request);
void fl_view_log_request_decode (GVariant *body, FlViewLogRequest *request);
const char *fl_view_inflight_request_decode (GVariant *body);
void fl_view_try_request_decode (GVariant *body, FlViewTryRequest *request);
void fl_view_find_request_decode (GVariant *body, FlViewFindRequest *request);
void fl_view_feed_request_decode (GVariant *body, FlViewFeedRequest *request);

GVariant *fl_view_image_encode (FlViewImage *image, FlViewEncoding encoding);
GVariant *fl_view_spots_encode (const FlViewSpots *spots);
GVariant *fl_view_source_encode (const FlViewSource *source);
GVariant *fl_view_log_encode (const FlViewLog *log);
GVariant *fl_view_inflight_encode (const FlViewInflight *inflight);
GVariant *fl_view_lattices_encode (const FlViewLattices *lattices);
GVariant *fl_view_tried_encode (const FlViewTried *tried);
GVariant *fl_view_found_encode (const FlViewFound *found);
GVariant *fl_view_feed_encode (GBytes *batch);

FlViewImage *fl_view_image_decode (GVariant *body, GError **error);
FlViewSpots *fl_view_spots_decode (GVariant *body, GError **error);
FlViewSource *fl_view_source_decode (GVariant *body);
FlViewLog *fl_view_log_decode (GVariant *body);
FlViewInflight *fl_view_inflight_decode (GVariant *body);
FlViewLattices *fl_view_lattices_decode (GVariant *body, GError **error);
FlViewTried *fl_view_tried_decode (GVariant *body, GError **error);
FlViewFound *fl_view_found_decode (GVariant *body);
GBytes *fl_view_feed_decode (GVariant *body);
