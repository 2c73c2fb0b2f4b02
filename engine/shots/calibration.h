/* calibration.h: raw pixels of integrating detectors to photons (or keV), with the bad ones told.
 *
 *   value = (adu - pedestal[g] - offset[g]) / gain[g]     g: the gain that the pixel was in, chosen by the detector's kind
 *
 *   jungfrau   3 gains by the top two bits: 00, 01, 11 (10 is bad); 14-bit ADU
 *   epix10k    7 ranges FH FM FL AHL-H AML-M AHL-L AML-L by the pixel's configuration and bit 14; 14-bit ADU
 *   agipd      3 gains by two thresholds of a second value; constants of every memory cell
 *   cspad      one gain; any type of pixel
 *   plain      one gain; any type of pixel
 *
 * Constants lie in a folder or an HDF5 file; calibration-constants.h lists the layouts. Then, where asked for, the common
 * mode is taken away: of each ASIC, and of its banks, rows or columns, the median of what is unmasked and low, where that
 * is told by enough pixels. Bad, in the detector's mask or the shot's: what the constants' status says, edges, the
 * ASICs' inner edges, pixels that are too noisy or too quiet, gains without constants. The detector's saturation becomes
 * the end of the lowest gain's range, pixel by pixel (2 % below it, since energies of shots differ a little).
 *
 * fl_source_open() and fl_source_read() call this when FlSourceOptions.calibration is given; nobody else needs to.
 * Errors: one line, `file: what is wrong, what was expected`. Thread: that of the source; constants are shared between
 * sources of a process and immutable. */
#pragma once

#include "engine/base/params.h"
#include "engine/shots/source.h"

typedef enum
{
  FL_DETECTOR_AUTO, /* what the constants tell */
  FL_DETECTOR_JUNGFRAU,
  FL_DETECTOR_EPIX10K,
  FL_DETECTOR_AGIPD,
  FL_DETECTOR_CSPAD,
  FL_DETECTOR_PLAIN
} FlDetectorKind;

typedef enum
{
  FL_COMMON_MODE_NONE,
  FL_COMMON_MODE_ASIC,
  FL_COMMON_MODE_BANKS,   /* 8 to an ASIC, side by side */
  FL_COMMON_MODE_ROWS,    /* of an ASIC */
  FL_COMMON_MODE_COLUMNS, /* of an ASIC */
  FL_COMMON_MODE_ROWS_COLUMNS
} FlCommonMode;

#define FL_GAIN_STAGES 7

/* Strings and `params` belong to the caller, who keeps them for as long as the options are used. */
struct FlCalibrationOptions
{
  const char *constants; /* folder or file; NULL: pixels stay raw */
  FlDetectorKind kind;
  const char *source;   /* which detector of a folder of several, a part of its name; "": the only one */
  gint64 run;           /* whose constants; -1: the newest */
  gboolean kev;         /* values in keV, else photons */
  double photon_energy; /* eV; 0: that of the shot */
  double gain[FL_GAIN_STAGES]; /* where the constants have none; ADU a keV, or a photon */
  guint n_gain;
  gboolean gain_per_photon; /* the unit of `gain` and of the constants' gains */
  guint epix_mode; /* 0: the constants tell it of each pixel; else 1 + 0 … 4: FH FM FL AHL AML everywhere */
  FlCommonMode common_mode;
  double common_limit;                /* ADU of the highest gain: pixels of more signal do not count */
  guint common_pixels;                /* as few tell a median */
  guint mask_edges, mask_inner_edges; /* px */
  double noise_low, noise_high;       /* times the median RMS of the first gain; 0: no limit */
  const char *gain_data;              /* AGIPD: dataset of the second values; "": beside the data */
  const char *cell_data; /* AGIPD: dataset of the cells' numbers; "": frames count through them */
};

/* From the detector.* parameters; `params` must outlive them. FALSE: detector.gain is no list of numbers. */
gboolean fl_calibration_options (const FlParams *params, FlCalibrationOptions *options, GError **error);

typedef struct FlCalibration FlCalibration;

/* Reads (or shares) constants and makes them the detector's: its mask, gain, saturation and trusted range are those of
 * calibrated values from now on. `detector` is not shared with others yet. `path`: the source's, for messages; `energy`:
 * eV, of its first shot, 0 = not known. */
FlCalibration *fl_calibration_open (const FlCalibrationOptions *options, FlDetector *detector,
                                    const char *path, double energy, GError **error);
void fl_calibration_close (FlCalibration *calibration);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlCalibration, fl_calibration_close)

/* What AGIPD has beside the raw pixels. */
typedef struct
{
  const guint16 *gain; /* n_pixels */
  guint cell;          /* its number, as the constants count */
} FlCellData;

/* Where these are in a file, "" as in FlCalibrationOptions; the calibration's. */
typedef struct
{
  const char *gain, *cell;
  guint cells;
} FlCellNames;

/* FALSE: this kind needs no FlCellData. */
gboolean fl_calibration_needs_cell (const FlCalibration *calibration, FlCellNames *names);

/* Turns the shot's raw pixels into FL_PIXEL_F32. shot->mask is the whole mask afterwards: the detector's, the shot's own, what
 * is bad by its raw value, gains without constants. Adds to shot->t_decode. `cell`: NULL but for AGIPD. */
gboolean fl_calibration_apply (FlCalibration *calibration, FlShot *shot, const FlCellData *cell,
                               GError **error);

/* "key: value" lines for `inspect`. */
char *fl_calibration_describe (const FlCalibration *calibration);
