/* reconstruction-private.h: what reconstruction.c and reconstruction-state.c share. */
#pragma once

#include "engine/spi/matching.h"
#include "engine/spi/point-group.h"
#include "engine/spi/reconstruction.h"
#include "engine/spi/refining.h"

enum
{
  HALVES = 2,
  ALL = 2, /* the group of both halves, once they are joined */
  GROUPS = 3
};

/* How far it is. */
typedef struct
{
  guint32 generation;     /* done */
  guint32 stage;          /* the next one's */
  guint32 in_stage;       /* generations done in it */
  guint32 start;          /* random start, from 0, while there are several */
  guint8 joined, settled; /* settled: on the grid */
  guint8 refined;         /* generations off it */
  double beta;            /* the next one's */
  double likelihood;      /* of the last generation of this stage */
  double best[HALVES];    /* of the starts so far */
} FlProgress;

struct FlReconstruction
{
  FlParallel *parallel;
  FlkDevice *device;
  const FlPatterns *mine;
  guint n_conformations, n_starts;
  guint64 seed;
  double diameter, s_max;  /* Å, Å⁻¹ */
  gboolean diameter_given; /* not found from the patterns */
  double first_beta, sharpen;
  FlPointGroup *symmetry; /* NULL: none */
  FlRadial *radial;
  GArray *plans; /* FlSpiStagePlan */
  FlSpiStage *stage;
  FlMatching *matching;
  gboolean refine;
  FlRefining *refining;
  guint made; /* number of that stage */
  FlMatchGroup groups[GROUPS];
  guint64 n_all, n_held; /* of all ranks */
  double held_back;

  FlProgress progress;
  FlVolume **models[GROUPS]; /* [conformations] each, or NULL */
  FlVolume **chosen[HALVES]; /* the best start's so far */
  FlAssignment *assignments; /* [patterns] */
};

/* Radial mean and stages for this diameter. Collective, before the first generation. */
void fl_reconstruction_plan (FlReconstruction *r, double diameter);

/* A set of models: NULL-safe. */
FlVolume **fl_models_copy (FlVolume *const *models, guint n);
void fl_models_clear (FlVolume ***models, guint n);
