/* observations.h: merged intensities or amplitudes as a file holds them. Thread: any. */
#pragma once

#include <complex.h>

#include "engine/crystal/cell.h"
#include "engine/crystal/symmetry.h"

typedef struct
{
  FlMiller hkl;          /* as the file has it */
  double value, sigma;   /* intensity or amplitude; NaN: none. Mates are averaged. */
  gint8 free;            /* 1: of the free set; −1: not said */
  float flag;            /* the file's own free flag; NaN: none */
  double complex phased; /* a model's F in the file; 0: none */
} FlObserved;

typedef struct
{
  gboolean has_cell;
  FlCell cell;
  double wavelength;    /* Å; 0: not known */
  FlSymmetry *symmetry; /* owned */
  gboolean intensities; /* else amplitudes */
  gboolean has_free, has_phases;
  float free_value;    /* the flag that means free */
  char *columns;       /* which were read: "IMEAN SIGIMEAN" */
  char *phase_columns; /* "F-model(+) PHIF-model(+)"; NULL: none */
  guint n;
  FlObserved *all;
} FlObservations;

/* An MTZ file or CrystFEL's `.hkl`. `columns`: labels of value and sigma, or of those of both mates ("I(+) SIGI(+) I(-) SIGI(-)");
 * "" takes the mean intensities, else the mean amplitudes, else the mates' intensities, else their amplitudes, whichever comes
 * first. An `.hkl` without any sigma is taken for exact. Files with a model's amplitudes alone (`FC PHIC`) have NaN values when `columns` is NULL. Errors are one line. */
FlObservations *fl_observations_read (const char *path, const char *columns, GError **error);
void fl_observations_free (FlObservations *observations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlObservations, fl_observations_free)
