/* source.h: a source of shots, opened by path, indexed cheaply, read by reference from any rank.
 *
 * A source is one file (HDF5 with a CrystFEL geometry, CXI, NXmx, CBF, SMV, TIFF, EMC), or a list of files given as a text file
 * (`*.lst`: one path a line, optionally followed by a frame name), which becomes several sources. Opening reads headers
 * and counts frames; pixels are read only by fl_source_read(). Errors: one line, `file: what is wrong, what was
 * expected`, FL_ERROR_INPUT / _MISSING / _UNSUPPORTED.
 * Thread: a source belongs to one thread (HDF5 has one lock for all); open one for each thread that reads. */
#pragma once

#include <glib.h>

#include "engine/shots/detector.h"

typedef enum
{
  FL_PIXEL_U8,
  FL_PIXEL_U16,
  FL_PIXEL_U32,
  FL_PIXEL_I8,
  FL_PIXEL_I16,
  FL_PIXEL_I32,
  FL_PIXEL_F32,
  FL_PIXEL_F64
} FlPixelType;

gsize fl_pixel_size (FlPixelType type); /* bytes */

/* One shot. Reused from read to read; the caller owns it, its pixels stay valid until the next read into it. */
typedef struct
{
  guint64 id;    /* fl_shot_id() of file and frame */
  guint32 frame; /* in the file, from 0 */
  char *event;   /* CrystFEL's frame name, "//12"; "" for a file of one shot */
  guint64 time;  /* ns UTC when the shot was taken; 0 = not known */
  double energy; /* eV (for electrons: of a photon of their wavelength); 0 = nobody says */
  FlVec3 shift; /* mm, added to every panel's origin for this shot (camera length, detector shift by value) */
  FlPixelType type;
  gsize n_pixels;
  void *pixels;    /* native type, n_pixels */
  gsize allocated; /* bytes behind pixels */
  guint8 *mask; /* n_pixels, this shot's whole mask (the detector's included); NULL: the detector's holds */
  guint64 t_decode; /* ns CPU spent in decompression and conversion, apart from reading */
} FlShot;

void fl_shot_clear (FlShot *shot); /* frees what it holds */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlShot, fl_shot_clear)

/* One pixel as a number, whatever the type. For single pixels and pictures, not for loops that matter. */
double fl_shot_value (const FlShot *shot, gsize index);

/* Bad by value: sets mask[i] = 1 (n_pixels) where a pixel lies outside its panel's trusted range or among the panel's
 * bad values. FALSE: the detector has no such rule, nothing was looked at. */
gboolean fl_shot_flag_pixels (const FlShot *shot, const FlDetector *detector, guint8 *mask);

typedef struct FlSource FlSource;

typedef struct FlCalibrationOptions FlCalibrationOptions; /* calibration.h */

typedef struct
{
  const char *geometry; /* CrystFEL .geom; NULL: the file describes its own detector */
  const char *mask;     /* FILE or FILE:/dataset; NULL: none */
  gboolean
      list_only; /* count and name frames: masks are not read, and panels that do not fit into the data are an error
                           of the first read instead of opening */
  const FlCalibrationOptions *
      calibration; /* pixels are raw, and read as f32 photons (or keV) with their mask; NULL, or without constants: as
                       they are. Needed until the source is open */
} FlSourceOptions;

/* Begins (unpacked, where it is gzip'd) as a file of one image that is read here: CBF, SMV, TIFF. */
gboolean fl_source_is_image (const char *path);
/* What a file is whose images are not read here, as its first bytes tell ("an EDF image"); NULL: not known either. */
const char *fl_source_foreign (const char *path);

FlSource *fl_source_open (const char *path, const FlSourceOptions *options, GError **error);
void fl_source_close (FlSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSource, fl_source_close)

const char *fl_source_format (
    const FlSource
        *source); /* "CBF", "EMC", "HDF5 + CrystFEL geometry", "CXI", "NXmx", "Dectris data file" */
guint32 fl_source_n_frames (const FlSource *source);
FlDetector *fl_source_detector (FlSource *source);       /* owned by the source */
char *fl_source_event (FlSource *source, guint32 frame); /* its name, as in FlShot.event; g_free */
/* Reads frame `frame` into `shot`. A damaged frame is an error of that frame alone; the source stays usable. */
gboolean fl_source_read (FlSource *source, guint32 frame, FlShot *shot, GError **error);
/* "key: value" lines for `inspect`, after format, frames and detector: whatever else the header tells. */
char *fl_source_describe (FlSource *source);

/* The paths that an argument stands for: itself, or the files of a list (relative to the list's folder, `file //event`
 * lines keep their frame). */
typedef struct
{
  char *path;
  gint64 frame; /* -1: all frames */
} FlSourceItem;

GArray *fl_source_expand (const char *argument, GError **error); /* of FlSourceItem, freed with the array */
