/* source-image.h: what files of one image have in common as sources (private to the room). A kind tells how its header is
 * read and its pixels are unpacked; a CrystFEL geometry that comes with the file replaces the detector of its header. */
#pragma once

#include "engine/shots/image-region.h"
#include "engine/shots/source-private.h"

typedef struct FlImage FlImage;

typedef struct
{
  const char *format;
  /* Reads the header: sets source.detector, rows and header; may add lines to notes and change source.format. */
  gboolean (*open) (FlImage *image, GError **error);
  /* Pixels of the whole image, in its detector's order; type and room of the shot are the kind's to set. */
  gboolean (*read) (FlImage *image, FlShot *shot, GError **error);
  void (*free_header) (gpointer header);
} FlImageKind;

struct FlImage
{
  FlSource source;
  const FlImageKind *kind;
  guint8 *bytes; /* the file, unpacked; FL_IMAGE_PADDING zeros behind */
  gsize length;
  gpointer header;       /* the kind's; NULL until it is read */
  gsize columns;         /* px a row of the stored image; 0: rows of several lengths */
  GString *notes;        /* "key: value" lines for `inspect` */
  FlImageRegion *region; /* of the image that a given geometry shows; NULL: all of it */
};

FlSource *fl_image_open (const FlImageKind *kind, const char *path, const FlSourceOptions *options,
                         GError **error);

/* FL_ERROR_INPUT with the file's path before it, as one line whatever the header put into it; FALSE. */
gboolean fl_image_fail (const FlImage *image, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* One more line for `inspect`, "key: value unit"; the value is the header's own text, made fit for a terminal. */
void fl_image_note (FlImage *image, const char *key, const char *value, const char *unit);

/* Copies n elements of the shot's type that may be stored in the other byte order. */
void fl_image_copy (void *to, const guint8 *from, gsize n, gsize size, gboolean swap);
/* Takes a detector's offset (counts, whole) from all pixels; integers become FL_PIXEL_I32. */
void fl_image_subtract (FlShot *shot, double pedestal);
