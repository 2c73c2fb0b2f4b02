/* phasing.h: from an autocorrelation to the density: the phases of √I by iterated projections.
 *
 * Starts are random densities; each goes through RAAR (Luke, Inverse Problems 21, 37, 2005) with positivity, its support
 * redrawn from its own blurred density again and again (Marchesini et al., Phys. Rev. B 68, 140101, 2003), then error
 * reduction (Fienup 1982). Amplitudes are free below s_low (the beam stop) and beyond s_edge. How tight the support may
 * become differs from start to start: the tightness that still fits and whose starts agree best is taken. Hand and
 * translation are fixed before starts are averaged; those unlike the best one, or of larger Fourier error, are left
 * out. The same bits for the same seed, however starts are dealt to ranks: two at a time are one piece of work, as the
 * real and imaginary parts of one transform. Thread: one. */
#pragma once

#include "engine/spi/volume.h"

typedef struct
{
  double diameter; /* Å: no density farther apart than this, to 15 % */
  double s_low;    /* Å⁻¹; 0: nothing is missing but the total */
  double s_edge;   /* Å⁻¹; 0: 1 / (2 voxel) */
  guint starts;
  guint iterations; /* of a start */
  guint64 seed;
  struct FlkDevice *device; /* where starts are worked on, which outlives it; NULL: the CPU */
} FlPhasingOptions;

#define FL_PHASING_OPTIONS                                                                                   \
  {                                                                                                          \
    .starts = 16, .iterations = 600, .seed = 1                                                               \
  }

typedef struct FlPhasing FlPhasing;

/* `autocorrelation` is used only here. FL_ERROR_INPUT: nothing of the transform is positive. */
FlPhasing *fl_phasing_new (const FlVolume *autocorrelation, const FlPhasingOptions *options, GError **error);
void fl_phasing_free (FlPhasing *phasing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPhasing, fl_phasing_free)

/* One start's result; zeroes to begin with. */
typedef struct
{
  FlVolume *density; /* owned; of the autocorrelation's m and voxel, centred, up to s_edge */
  double error;      /* Σ||F| − √I| / Σ√I of the density inside its support */
  double filled;     /* support's volume, of the ball of the diameter */
} FlPhasingStart;

/* Starts 2 pair and 2 pair + 1. FALSE: the device has failed, or has no memory left; nothing is in `starts`. */
gboolean fl_phasing_run (FlPhasing *phasing, guint pair, FlPhasingStart starts[2], GError **error);
void fl_phasing_start_clear (FlPhasingStart *start);

typedef struct
{
  FlVolume *density; /* mean of those kept, up to s_edge */
  FlVolume *support; /* 1 and 0 */
  guint n_starts, n_kept;
  double *errors;     /* [n_starts] */
  guint8 *kept;       /* [n_starts] */
  guint n_shells;     /* of the curve */
  double step;        /* Å⁻¹: shell i about i step */
  double *prtf;       /* [n_shells] |Σ F / |F|| / n_kept */
  double prtf_s;      /* Å⁻¹: first fall below 1/e, else s_edge */
  gboolean prtf_fell; /* it did */
} FlPhased;

/* Of n starts, in order; they are not changed. */
FlPhased *fl_phasing_average (FlPhasing *phasing, guint n, const FlPhasingStart *starts);
/* All of it here. */
FlPhased *fl_phase (const FlVolume *autocorrelation, const FlPhasingOptions *options, GError **error);
void fl_phased_free (FlPhased *phased);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPhased, fl_phased_free)
