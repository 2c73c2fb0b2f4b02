/* mtz.h: reflections in CCP4's MTZ files: a table of 32-bit floats, a row a reflection, with a cell, a symmetry and a wavelength.
 *
 * Written by libccp4, which keeps global state: fl_mtz_write() belongs to one thread at a time. Thread: any, else. */
#pragma once

#include "engine/crystal/cell.h"
#include "engine/crystal/symmetry.h"

#define FL_MTZ_LABEL 31

typedef struct
{
  char label[FL_MTZ_LABEL]; /* "IMEAN" */
  char type; /* 'H' index, 'J' intensity, 'Q' its sigma, 'F', 'P' phase, 'I' whole number, 'B' batch,
                             * 'Y' M/ISYM, 'R' any real, … */
} FlMtzColumn;

typedef struct
{
  char *title;
  FlCell cell;
  double wavelength;    /* Å, of the last data set that has one; 0: not known */
  guint space_group;    /* 1–230 as the file says; 0: not */
  char *group;          /* its name for it; on writing, our own stands */
  FlSymmetry *symmetry; /* from the file's operators */
  guint n, n_columns, n_batches;
  FlMtzColumn *columns; /* the first three are H, K, L */
  float *data;          /* [n][n_columns]; NaN where missing */
} FlMtz;

FlMtz *fl_mtz_read (const char *path, GError **error);
/* Without the rows: n is what the file holds, data NULL. */
FlMtz *fl_mtz_read_header (const char *path, GError **error);
void fl_mtz_free (FlMtz *mtz);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMtz, fl_mtz_free)

/* The number of the column of that label; −1: none. */
int fl_mtz_column (const FlMtz *mtz, const char *label);

/* n rows of H, K, L, all zero, and columns as fl_mtz_add_column() adds them. */
FlMtz *fl_mtz_new (const FlCell *cell, const FlSymmetry *symmetry, double wavelength, guint n);
/* A column of NaN at the right; its number. */
guint fl_mtz_add_column (FlMtz *mtz, const char *label, char type);

/* Merged intensities H K L IMEAN SIGIMEAN and, if given, their multiplicities as N: brought to CCP4's asymmetric unit. */
FlMtz *fl_mtz_new_merged (const FlCell *cell, const FlSymmetry *symmetry, double wavelength, guint n,
                          const FlMiller *hkl, const double *intensity, const double *sigma,
                          const guint *multiplicity);
/* Unmerged intensities H K L M/ISYM BATCH I SIGI, indices as observed; `batch` is a number from 1 for each lattice. */
FlMtz *fl_mtz_new_unmerged (const FlCell *cell, const FlSymmetry *symmetry, double wavelength, guint n,
                            const FlMiller *hkl, const guint *batch, const double *intensity,
                            const double *sigma);

/* Rows are sorted by H, K, L (M/ISYM, BATCH) first. A file with a BATCH column gets a header for each batch. The file appears
 * whole or not at all. FL_ERROR_FAILED. */
gboolean fl_mtz_write (const char *path, FlMtz *mtz, GError **error);
