/* map-job.h: what the files of `map` share: one map from its model and data to its files. */
#pragma once

#include "engine/base/params.h"
#include "engine/crystal/ccp4-map.h"
#include "engine/maps/coefficients.h"
#include "engine/maps/difference.h"
#include "engine/maps/model-scale.h"
#include "engine/maps/origin.h"
#include "engine/maps/peaks.h"
#include "engine/maps/rigid-body.h"

/* How one set of data is indexed. */
typedef struct
{
  char *words;      /* "k,h,-l"; "h,k,l" as it is */
  double agreement; /* with the model, fl_origin_agreement() */
  double as_it_is;
  guint tried;
} FlMapSetting;

typedef struct
{
  FlParams *params;
  char *out, *model_path, *data_path, *minus_path; /* minus_path: NULL without */
  FlModel *model;                                  /* NULL: phases come from an MTZ file */
  FlObservations *phases;                          /* that file */
  FlObservations *data, *minus;
  FlCell cell;                /* of the data, where they have one */
  const FlSymmetry *symmetry; /* the model's */
  double d_min, d_max;        /* Å, of what was measured */

  FlStructureFactors *list;
  guint *body;
  guint n_bodies;
  double complex *calc, *mask, *f_model; /* [reflections->n]; mask NULL without solvent */
  FlReflections *reflections, *other;    /* in electrons after the fit */
  FlMapSetting setting, other_setting;
  FlModelScale scale;       /* of the data */
  FlModelScale other_scale; /* of the other to the data */
  double r_unmoved;         /* before rigid bodies and origin */
  FlRigidBody rigid;
  FlOriginChoice origin;
  gboolean origin_chosen;
  FlSigmaA sigma_a;
  FlCoefficients *coefficients;
  FlDifference *difference;
  FlMap *best, *residual, *change; /* 2mFo − DFc, mFo − DFc, Fo − Fo */
  GArray *peaks, *change_peaks;    /* FlPeak */
} FlMapJob;

/* Reads the files and makes them agree: cell, symmetry, setting, resolution. */
gboolean fl_map_job_set_up (FlMapJob *job, GError **error);
/* Amplitudes in electrons, the model where it belongs, its structure factors. */
void fl_map_job_fit (FlMapJob *job);
/* 2mfo-dfc.ccp4, mfo-dfc.ccp4, fo-fo.ccp4, model.cif (as it lies in them), map.mtz, map.json. */
gboolean fl_map_job_write (const FlMapJob *job, GError **error);
void fl_map_job_clear (FlMapJob *job);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlMapJob, fl_map_job_clear)
