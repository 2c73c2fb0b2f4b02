/* calibration-case.h: constants in a folder that goes with the test, a detector of one panel that is opened with them, and
 * a Jungfrau's closed form. */
#pragma once

#include <glib.h>
#include <hdf5.h>

#include "engine/base/params.h"
#include "engine/shots/calibration.h"

/* --- files of constants; a name is below the folder --- */

char *in_folder (const char *name); /* the path; what lies above it is made */
void write_text (const char *name, guint stages, gsize n, const float *values); /* psana's: `stages` × n */
void write_h5 (const char *name, const char *dataset, guint n_dims, const hsize_t *dims, const float *values);
void write_typed (const char *name, const char *dataset, hid_t type, guint n_dims, const hsize_t *dims,
                  const float *values);

/* --- shots --- */

typedef struct
{
  FlDetector *detector;
  FlCalibration *calibration;
  FlShot shot;
  FlParams *params;
} Case;

void case_clear (Case *c);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

#define SET(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__ (, ) NULL })

/* `settings`: "name=value" of detector.*, up to NULL. */
gboolean try_open (Case *c, guint n_fs, guint n_ss, const char *constants, const char *const *settings,
                   GError **error);
void open_case (Case *c, guint n_fs, guint n_ss, const char *constants, const char *const *settings);

/* Settings that fail, and a part of the line that says so. */
void refuse (guint n_fs, guint n_ss, const char *constants, const char *const *settings, const char *part);

FlDetector *new_detector (guint n_fs, guint n_ss);

/* The shot's pixels, calibrated; the case's, until the next. */
const float *apply (Case *c, FlPixelType type, gconstpointer raw, const FlCellData *cell);

void assert_near (double a, double b); /* within 2e-6 */

/* --- a Jungfrau of N pixels --- */

#define N 16 /* 8 × 2 pixels */

extern const double jungfrau_gain[3];
float jungfrau_pedestal (guint stage, gsize i);
void write_jungfrau (const char *detector);
double jungfrau_kev (guint16 raw, gsize i); /* what a pixel is worth */

/* --- a program of tests, up to one without a path --- */

typedef struct
{
  const char *path;
  GTestFunc func;
} CalibrationTest;

int calibration_run (int argc, char **argv, const CalibrationTest *tests);
