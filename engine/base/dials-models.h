/* dials-models.h: beam and detector of DIALS' experiment lists (.expt; dxtbx, Parkhurst et al. 2014), in our laboratory.
 *
 * dxtbx' panels lie in the frame of the group that holds them, groups in that of theirs, up to the detector's root; its beam may run
 * anywhere. Here all is resolved: z along the beam, y up, mm. Nothing here allocates more than the JSON itself has. Thread: any. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "engine/base/vec.h"

typedef struct
{
  char *name; /* never NULL */
  guint n_fs, n_ss;
  FlVec3 origin, fs, ss;    /* outer corner of the first pixel; steps of a pixel */
  double low, high;         /* counts trusted, both included; ∓INFINITY: not said */
  double gain;              /* counts a photon; 1: not said */
  guint first_fs, first_ss; /* where it lies in the file's image */
  const json_t *mask;       /* of [fs, ss, end fs, end ss]; may be NULL */
} FlDialsPanel;

/* Of all panels below it. */
typedef struct
{
  char *name;
  GArray *panels; /* of guint */
} FlDialsGroup;

/* `n` finite numbers of an array of that length. */
gboolean fl_dials_numbers (const json_t *array, double *values, guint n);
/* Model `name` ("beam", "detector", "crystal" …) of an experiment; NULL: it has none. */
const json_t *fl_dials_model (const json_t *root, const json_t *experiment, const char *name);

/* The rotation from dxtbx' laboratory into ours, in which this beam runs along +z. FALSE: the model is damaged. */
gboolean fl_dials_turn (const json_t *beam, FlMat3 *turn);

/* Panels of a detector (FlDialsPanel; g_array_unref); NULL: the model is damaged. `groups` (of FlDialsGroup, may be NULL) gets
 * those of the hierarchy that hold some panels, but not all, from below. */
GArray *fl_dials_panels (const json_t *detector, const FlMat3 *turn, GArray *groups);
GArray *fl_dials_groups_new (void);
