/* geometry-job.h: what the files of `refine-geometry` share: one refinement from its inputs to its result. */
#pragma once

#include "engine/base/params.h"
#include "engine/parallel/parallel.h"
#include "engine/sfx/geometry-file.h"
#include "engine/sfx/geometry-refinement.h"

/* Lattices that share a shift. */
typedef struct
{
  guint input;
  guint64 first, last; /* shots of the input, from 0; last is G_MAXUINT64 for all */
  guint64 lattices;
} FlGeometryWindow;

/* What panels' spots miss their predictions by, as integers, so that sums do not depend on their order. */
typedef struct
{
  guint n_panels;
  guint *first;           /* n_panels + 1: a panel's first bin */
  guint *n_fs;            /* n_panels: bins along fs; the others follow along ss */
  struct FlResidual *bin; /* as many as first[n_panels] */
} FlResidualMap;

typedef struct FlResidual
{
  guint64 n;
  guint64 x, y;               /* of signed numbers: Σ to the laboratory's x and y, 2⁻²⁰ px */
  guint64 radial, transverse; /* Σ of squares, from the beam and across, 2⁻²⁰ px² */
} FlResidual;

/* Means and r.m.s. (px) of one or many of them. */
typedef struct
{
  guint64 n;
  double x, y, radial, transverse;
} FlResidualMean;

typedef struct
{
  FlParallel *parallel;
  gboolean first; /* rank 0 */
  FlParams *params;
  char **inputs;
  char *out, *attempt_dir;
  guint attempt;

  char *path, *text;    /* of the geometry */
  FlDetector *detector; /* as it was */
  FlDetector *start;    /* where an attempt that was asked to stop had come to; or NULL */
  FlGeometryGroups groups;
  FlKnownCell known;
  gboolean cell_told; /* by the parameters; else the lattices' median */
  GArray *lattices;   /* of FlGeometryLattice; of this rank */
  GPtrArray *spots;   /* FlSpotRow *, theirs */
  GArray *windows;    /* of FlGeometryWindow; of all ranks */
  guint64 n_lattices; /* of all ranks, as read */
  guint64 n_strange;  /* of these, with another cell */

  FlGeometryResult result;
  FlResidualMap before, after;
} FlGeometryJob;

/* Any rank's error becomes everybody's; TRUE when there is none. Collective, as all of these. */
gboolean fl_geometry_job_agree (FlGeometryJob *job, GError **error);
/* Geometry, lattices and windows out of job->inputs, and the cell. */
gboolean fl_geometry_job_read (FlGeometryJob *job, const FlGeometryTeam *team, GError **error);

FlResidualMap fl_residual_map (const FlGeometryJob *job, const FlDetector *detector, const GArray *pairs);
void fl_residual_map_clear (FlResidualMap *map);
FlResidualMean fl_residual_mean (const FlResidual *bins, guint n);
/* Of all panels of a group (G_MAXUINT: of all groups). */
FlResidualMean fl_residual_group (const FlGeometryJob *job, const FlResidualMap *map, guint group);

/* refined.geom, geometry.json, residuals.json, residuals.svg and the table on standard output; rank 0 alone. */
gboolean fl_geometry_job_write (FlGeometryJob *job, GError **error);
gboolean fl_geometry_job_write_maps (const FlGeometryJob *job, GError **error);
