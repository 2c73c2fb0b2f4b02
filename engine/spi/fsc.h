/* fsc.h: Fourier shell correlation of two volumes, and the resolution where it falls below a threshold.
 *
 * FSC(s) = Re Σ F1 F2* / √(Σ|F1|² Σ|F2|²) over shells of one Fourier voxel (Harauz and van Heel, Optik 73, 146, 1986). Its
 * uncertainty is Fisher's: artanh of the correlation of n independent complex numbers has variance 1 / 2n; a volume of which
 * the particle fills a part has that part of its Fourier voxels independent. Thread: any. */
#pragma once

#include "engine/spi/volume.h"

typedef struct
{
  guint n;     /* shells, 0 is the origin alone */
  double step; /* Å⁻¹: shell i holds |s| from (i − ½) step to (i + ½) step, up to 1 / (2 voxel) */
  double *value;
  double *power[2];    /* [n] √ of the mean |F|² of either */
  double *independent; /* [n] complex numbers of a shell that are independent */
} FlFsc;

typedef enum
{
  FL_FSC_DENSITY,
  FL_FSC_INTENSITY /* of autocorrelations: their transforms without their radial means */
} FlFscKind;

/* Both of the same m and voxel. `diameter`: of the particle (Å); 0: the whole box. */
FlFsc *fl_fsc_new (const FlVolume *a, const FlVolume *b, FlFscKind kind, double diameter, GError **error);
void fl_fsc_free (FlFsc *fsc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlFsc, fl_fsc_free)

/* Å⁻¹. 90 %: where the bounds of the curve cross. */
typedef struct
{
  double s, low, high;
  gboolean crossed; /* FALSE: nowhere, and s is the last shell's */
} FlFscCrossing;

/* Where it first falls below `threshold` at or after s_least (Å⁻¹: a beam stop's edge), linear within that step; later
 * returns above it do not count. */
FlFscCrossing fl_fsc_crossing (const FlFsc *fsc, double threshold, double s_least);
