/* model-truth.h: for tests: what a molecule's density and autocorrelation really are. */
#pragma once

#include "engine/crystal/pdb.h"
#include "engine/spi/volume.h"

/* From a file of atoms; NULL with a message when it cannot be read. */
FlModel *model_truth_read (const char *path);
/* Å: twice the largest distance of an atom from the middle of the box of all. */
double model_truth_diameter (const FlModel *model);
/* Of the dry molecule, m³ voxels; frequencies up to s_edge, the others 0. */
FlVolume *model_truth_density (const FlModel *model, guint m, double voxel, double s_edge);
/* Its intensities up to s_edge, times 1 + noise · normal; 0 below s_low. Cut to m³ voxels. */
FlVolume *model_truth_autocorrelation (const FlModel *model, guint m, double voxel, double s_low,
                                       double s_edge, double noise, guint64 seed);
/* Gaussian heaps of carbon atoms within `diameter` Å. */
FlModel *model_truth_random (guint n_atoms, double diameter, guint64 seed);
