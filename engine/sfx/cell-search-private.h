/* cell-search-private.h: the steps of the search in one shot (private to cell-search*.c). Thread: a search's own. */
#pragma once

#include "engine/sfx/cell-search.h"

/* The spots that a search looks at, by rising |q|. Spots of a still lie on the Ewald sphere, and the lattice points that
 * made them beside it: `normal` is the direction in which a spot says little about its lattice point. */
typedef struct
{
  guint n;
  FlVec3 *q;          /* 1/Å */
  FlVec3 *normal;     /* unit */
  gboolean on_sphere; /* FALSE: lattice points themselves, `normal` means nothing */
  FlVec3 beam;        /* unit; of spots on a sphere */
  double max_cell;    /* Å: longest vector that is looked for */
} FlSearchSpots;

typedef struct
{
  FlVec3 v;     /* Å */
  double score; /* Σ cos (2π q·v) over the spots, in standard deviations of what spots at random give */
} FlSearchVector;

typedef struct
{
  FlMat3 star; /* primitive, reduced */
  /* nats: logarithm of the likelihood against spots at random; and the part of it that convinces, set for lattices that
   * are handed out */
  double gain, sober_gain;
  double across, along; /* 1/Å: standard deviations of spots from points, across and along the normal */
  double share;         /* of spots that belong to the lattice */
  guint n_explained;
} FlSearchLattice;

typedef struct FlVectorSearch FlVectorSearch;

FlVectorSearch *fl_vector_search_new (FlkDevice *device);
void fl_vector_search_free (FlVectorSearch *search);
/* Vectors of the real lattice, the best first, without multiples and sums of others; G_MAXUINT with error. */
guint fl_vector_search_run (FlVectorSearch *search, const FlSearchSpots *spots, FlSearchVector *vectors,
                            guint most, GError **error);

/* Lattices that triples of the vectors span, refined and judged by `spots`, the likeliest first; `chosen` are those that
 * the vectors come from. */
guint fl_search_lattices (const FlSearchSpots *spots, const FlSearchSpots *chosen,
                          const FlSearchVector *vectors, guint n_vectors, FlSearchLattice *lattices,
                          guint most);
/* Sorts, and leaves out what is there already. Returns how many are left. */
guint fl_search_settle (FlSearchLattice *lattices, guint n);
/* The shortest basis: Minkowski's reduction. Right-handed. */
FlMat3 fl_search_reduce (const FlMat3 *real);
