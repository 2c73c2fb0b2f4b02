/* darks.h: pedestals, noise and bad pixels from shots without beam, of every pixel in every gain.
 *
 * Sums are whole numbers, so that they do not depend on order or on who added what. Against outliers (stray photons,
 * cosmic rays) shots are gone through several times: after each pass but the last, limits of `clip` standard deviations
 * about each pixel's mean are set for the next. Status: a sum of FlDarkStatus of each pixel and gain, 0 = good.
 * Raw values of detectors of one gain, which may be real numbers, are summed in steps of 1/16. Thread: one. */
#pragma once

#include "engine/shots/calibration.h"
#include "engine/shots/ndarray.h"

typedef enum
{
  FL_DARK_UNSEEN = 1,   /* fewer shots in this gain than asked for */
  FL_DARK_NOISY = 2,    /* RMS too far above the gain's median */
  FL_DARK_QUIET = 4,    /* RMS too far below it */
  FL_DARK_AT_END = 8,   /* the pedestal lies at the end of the range */
  FL_DARK_UNSTEADY = 16 /* more than a tenth of the shots were outliers */
} FlDarkStatus;

typedef struct
{
  double clip;                  /* standard deviations */
  guint min_shots;              /* in a gain */
  double noise_low, noise_high; /* times the median RMS of the gain */
} FlDarkRules;

typedef struct
{
  FlDetectorKind kind;
  guint n_stages;
  gsize n_pixels;
  /* To be added over ranks before _clip() and _finish(): shots, sum, sum of squares and outliers of [stage][pixel]. */
  guint64 *sums;
  gsize n_sums;
  float *low, *high;                /* [stage][pixel]; NULL in the first pass */
  guint8 stage_of[4];               /* of the top two bits of a raw value; 255: none */
  guint64 measured[FL_GAIN_STAGES]; /* pixels that were seen often enough; after _finish() */
  guint64 bad[FL_GAIN_STAGES];      /* of these, bad ones */
} FlDarks;

/* `epix_mode` as in FlCalibrationOptions; ePix10k's needs one. */
FlDarks *fl_darks_new (FlDetectorKind kind, guint epix_mode, gsize n_pixels, GError **error);
void fl_darks_free (FlDarks *darks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDarks, fl_darks_free)

/* A raw shot; `path` for messages. */
gboolean fl_darks_add (FlDarks *darks, const FlShot *shot, const char *path, GError **error);
/* The limits of the next pass, from these sums, which begin again. */
void fl_darks_clip (FlDarks *darks, const FlDarkRules *rules);

/* What was measured, [stage][pixel]; NAN and FL_DARK_UNSEEN where nothing was. */
typedef struct
{
  FlNdarray pedestal, rms, status;
} FlDarkArrays;

void fl_dark_arrays_clear (FlDarkArrays *arrays);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlDarkArrays, fl_dark_arrays_clear)

void fl_darks_finish (FlDarks *darks, const FlDarkRules *rules, FlDarkArrays *arrays);

/* Writes constants as fl_calibration_open() reads them: an HDF5 file (`out` ends in .h5), or psana's folder with files
 * RUN-end.data. Where `out` is there already, what it has of gains that `darks` has not seen is kept, and what else it
 * holds (its pixel_gain …): so gains measured one after another end up together. */
gboolean fl_darks_write (const FlDarks *darks, FlDarkArrays *arrays, const char *out, gint64 run,
                         GError **error);
