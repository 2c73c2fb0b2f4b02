/* merge.h: from lattices to a list of intensities: the records that this room's files share.
 *
 * A merge goes, on every rank alike:
 *
 *   input        lattices and observations of jobs, streams, DIALS' files → FlMergeSet             input.h
 *   filter       lattices that do not belong are rejected, each with a reason                      filter.h
 *   unique       the list of reflections that there are, to d_min                                  unique.h
 *   ambiguity    the setting that each lattice is taken in                                         ambiguity.h
 *   cycles:      scale, partiality, orientation of each lattice against a reference                cycles.h, scaling.h
 *                group → the next reference                                                        group.h, merging.h
 *   error model  how wrong observations really are                                                 error-model.h
 *   merging      intensities, halves, Bijvoet mates                                                merging.h
 *   statistics   shells, twinning, Wilson plot, trend                                              statistics.h, trend.h
 *
 * Lattices are dealt to ranks; each unique reflection is wholly on one rank after grouping. Nothing depends on the number of
 * ranks or on the order of inputs: lattices have a number in the order of their keys, a reflection's contributions are summed in
 * that order, what is summed over ranks is summed in fixed point or gathered and summed in order. No call is made by some ranks
 * only ("collective"). Thread: one a rank. */
#pragma once

#include "engine/base/batch.h"
#include "engine/crystal/cell.h"
#include "engine/crystal/symmetry.h"
#include "engine/parallel/parallel.h"

/* Why a lattice is not in the result; words: fl_merge_reason_words(). Numbers are for ever: they are kept in state files. */
typedef enum
{
  FL_MERGE_ACCEPTED = 0,
  FL_MERGE_NO_REFLECTIONS,  /* none was integrated */
  FL_MERGE_FEW_REFLECTIONS, /* fewer than merge.min_reflections */
  FL_MERGE_OTHER_SYMMETRY,  /* another centring or lattice type than the merge's */
  FL_MERGE_CELL,            /* unit cell outside the tolerance or the cluster */
  FL_MERGE_RESOLUTION,      /* does not reach merge.lattice_d_min */
  FL_MERGE_CONFIDENCE,      /* below merge.min_confidence */
  FL_MERGE_FEW_COMMON,      /* fewer than 3 reflections in common with the reference */
  FL_MERGE_CORRELATION,     /* correlation with the reference below merge.min_cc */
  FL_MERGE_SCALE,           /* scale or B out of range */
  FL_MERGE_DIVERGED,        /* its post-refinement went nowhere */
  FL_MERGE_REASON_LAST
} FlMergeReason;

const char *fl_merge_reason_words (FlMergeReason reason); /* "another unit cell" */

typedef enum
{
  FL_OBSERVATION_MINUS = 1 << 0,  /* the representative's Friedel mate (never of a centric one) */
  FL_OBSERVATION_STRONG = 1 << 1, /* a strong spot lies there */
  FL_OBSERVATION_SATURATED = 1 << 2,
  FL_OBSERVATION_OVERLAP = 1 << 3
} FlObservationFlag;

#define FL_UNIQUE_NONE G_MAXUINT32 /* absent, or outside the resolution range */

/* One integrated reflection of a lattice; 24 bytes. */
typedef struct
{
  guint32 unique;         /* number in the unique list, in the setting of the lattice's `setting` */
  gint16 h, k, l;         /* as the lattice was indexed */
  guint16 flags;          /* FlObservationFlag */
  float intensity, sigma; /* counts, free of polarisation */
  float excitation;       /* 1/Å, |s0 + q| − 1/λ as predicted */
} FlObservation;

/* One lattice and what is known of it. */
typedef struct
{
  guint64 shot;
  guint64 key;    /* hash of shot and number: its order, its half (key & 1), its place in nested subsets */
  guint32 number; /* its place among all lattices of all ranks by key, from 0 */
  guint16 within; /* FlLatticeRow.number */
  guint8 centring;
  guint8 reason; /* FlMergeReason */
  guint16 space_group;
  guint8 setting;                                       /* 0: as indexed; i: by reindexing operator i − 1 */
  guint32 input;                                        /* which of the inputs it came from */
  float energy;                                         /* eV */
  float cell[6];                                        /* Å and rad */
  float a_star[9];                                      /* 1/Å: rows a*, b*, c*, as indexed */
  float confidence, resolution, domain_size, mosaicity; /* FlLatticeRow */
  guint64 first;                                        /* its observations in the set's, */
  guint32 n;                                            /* so many */
  /* fitted */
  float scale;              /* G: observed = G e^(−B/2d²) p I */
  float b;                  /* Å² */
  float width, width_slope; /* 1/Å and rad: half-width of the partiality at q is width + width_slope/2d */
  float rotation[3];        /* rad, small turn of the lattice about x, y, z of the laboratory */
  float correlation;        /* with the reference, after all that; NaN: not known */
  guint32 common;           /* reflections that it shares with the reference */
} FlMergeLattice;

/* What one rank holds. Observations may lie in a mapped file (bounded memory). */
typedef struct
{
  FlParallel *parallel;
  GArray *lattices; /* FlMergeLattice of this rank, by key */
  FlObservation *observations;
  guint64 n_observations;
  guint64 n_lattices; /* of all ranks; */
  guint64 n_twice;    /* of them those whose shot and number another has, too: the same, from two inputs */
  double width, width_slope; /* that lattices start from and are drawn to (FlMergeLattice); 0: nowhere */
  gpointer spool;            /* input.c's own */
} FlMergeSet;

/* The current best intensities, the same on every rank. */
typedef struct
{
  guint n;                  /* of the unique list */
  float *intensity, *sigma; /* NaN where there is none */
  float *weight;            /* Σ of the contributions' weights; NaN where there is none, or from outside */
  guint32 *count;           /* observations behind it; 1 of a reference from outside */
} FlMergeReference;

FlMergeReference *fl_merge_reference_new (guint n);
void fl_merge_reference_free (FlMergeReference *reference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMergeReference, fl_merge_reference_free)

/* One observation on the common scale, as it comes to the rank that merges its reflection; 24 bytes. */
typedef struct
{
  guint32 lattice; /* FlMergeLattice.number */
  guint8 half;     /* 0 or 1 */
  guint8 minus;    /* a Friedel mate */
  guint16
      share; /* of 65535: how much it counts, less than all where next to nothing was seen (partiality.h) */
  float intensity, sigma; /* full: I/(G e^(−B/2d²) p), its standard deviation by counting */
  float weight;           /* G e^(−B/2d²) p × share: what of the full intensity was there to be counted */
  float correlation;      /* of its lattice */
} FlContribution;
