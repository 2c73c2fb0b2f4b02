/* error-model.h: how wrong observations really are: standard deviations by counting, corrected by how equivalent observations
 * differ.
 *
 *   ev11  σ'² = sfac² (σ² + sb² ⟨I⟩ + sadd² ⟨I⟩²)                    Evans 2011, Brewster et al. 2019
 *   mm24  σ'² = sfac² (σ² + s² ⟨I⟩²), s² = a0² e^(−a1 CC) + a2²      Mittan-Moreau et al. 2024; CC: the lattice's correlation
 *
 * ⟨I⟩ is the mean of a reflection's observations (0 when negative), weighted by how much of it each has seen: that of what was hardly
 * seen, divided by its small part, is nothing but noise. The fit does not depend on the number of ranks. */
#pragma once

#include "engine/merge/merge.h"
#include "engine/merge/unique.h"

typedef enum
{
  FL_ERROR_MODEL_NONE,
  FL_ERROR_MODEL_EV11,
  FL_ERROR_MODEL_MM24
} FlErrorModelKind;

typedef struct
{
  FlErrorModelKind kind;
  double sfac;
  double sadd[3]; /* ev11: sadd[0]; mm24: a0, a1, a2 */
  double sb;
} FlErrorModel;

const char *fl_error_model_name (FlErrorModelKind kind); /* "none", "ev11", "mm24" */
/* The kind of that name; none for any other. */
FlErrorModelKind fl_error_model_kind (const char *name);
/* σ' of an observation with standard deviation `sigma` of a reflection with mean `mean`. A `correlation` that is NaN counts as 0. */
double fl_error_model_sigma (const FlErrorModel *model, double sigma, double mean, double correlation);
/* Collective. Fits what `kind` has. Too few reflections with several observations (fewer than 100): kind none. */
FlErrorModel fl_error_model_fit (FlErrorModelKind kind, const FlMergeSet *set, const FlUniqueList *list,
                                 gsize memory);
