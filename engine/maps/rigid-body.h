/* rigid-body.h: a model's place and orientation refined against amplitudes.
 *
 * Each body has three rotations about its centroid and three translations. |F_calc + solvent| is fitted to the amplitudes (in electrons)
 * between two resolutions by damped Gauss–Newton steps with exact derivatives: of each body's transform, and of the transforms of
 * its density times x, y and z. The solvent stays. Thread: any. */
#pragma once

#include "engine/crystal/pdb.h"
#include "engine/maps/reflections.h"

typedef struct
{
  double rotation, translation; /* rad, Å: the largest of all bodies */
  double r_before, r_after;     /* between the resolutions */
  guint bodies, cycles;
} FlRigidBody;

/* Body numbers of the atoms, from 0: of each chain (waters and other chains of few atoms go with the nearest), or 0 for all. Free with
 * g_free. */
guint *fl_rigid_body_chains (const FlModel *model, gboolean chains, guint *n);

/* Moves the atoms of `model`. `solvent` [n] (NULL: none) is added to F_calc. */
FlRigidBody fl_rigid_body_refine (FlModel *model, const guint *body, guint n_bodies,
                                  const FlReflections *reflections, const double complex *solvent,
                                  double d_min, guint most_cycles);

/* A model made for another cell of the same form: each body keeps its shape and the fractional place of its centroid. The model's cell
 * becomes `cell`. */
void fl_rigid_body_fit_cell (FlModel *model, const guint *body, guint n_bodies, const FlCell *cell);
