/* simulated.h: a molecule that never was, and what its crystal would scatter. */
#pragma once

#include <math.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/maps/model-scale.h"

/* A random walk of `n` atoms inside the cell's first half, no two nearer than 1.3 Å: C, N, O, and a sulphur in every ninth place. */
static inline FlModel *
simulated_model (const double cell[6], const char *group, guint n, guint64 seed)
{
  static const char *const symbols[] = { "C", "C", "N", "C", "O", "C", "C", "O", "S" };
  FlModel *model = g_new0 (FlModel, 1);
  FlRandom r = fl_random (seed);
  g_assert_true (fl_cell_from_degrees (cell, &model->cell, NULL));
  model->symmetry = fl_symmetry_from_symbol (group, NULL);
  model->atoms = g_new0 (FlAtom, n);
  FlVec3 centre = fl_vec3 (cell[0] * 0.3, cell[1] * 0.3, cell[2] * 0.3), at = centre;
  while (model->n_atoms < n)
    {
      FlVec3 step = fl_vec3 (fl_random_normal (&r), fl_random_normal (&r), fl_random_normal (&r));
      FlVec3 next = fl_vec3_add (at, fl_vec3_scale (fl_vec3_unit (step), 1.5));
      gboolean good =
          fl_vec3_norm (fl_vec3_sub (next, centre)) < 0.26 * MIN (cell[0], MIN (cell[1], cell[2]));
      for (guint a = 0; a < model->n_atoms && good; a++)
        good = fl_vec3_norm (fl_vec3_sub (next, model->atoms[a].position)) > 1.3;
      if (!good)
        {
          if (fl_random_unit (&r) < 0.2 && model->n_atoms > 0) /* out of the dead end */
            at = model->atoms[(guint) (fl_random_unit (&r) * model->n_atoms)].position;
          continue;
        }
      guint i = model->n_atoms++, kind = i % G_N_ELEMENTS (symbols);
      FlAtom *atom = &model->atoms[i];
      *atom = (FlAtom){ .position = next,
                        .occupancy = 1,
                        .b = 8 + 8 * fl_random_unit (&r),
                        .factor = fl_form_factor (symbols[kind]) };
      fl_atom_label_set (atom->label.name, kind == 8 ? "SG" : symbols[kind]);
      fl_atom_label_set (atom->label.residue, "CYS");
      fl_atom_label_set (atom->label.chain, "A");
      atom->label.number = (int) (i / G_N_ELEMENTS (symbols)) + 1;
      at = next;
    }
  return model;
}

static inline FlModel *
simulated_copy (const FlModel *model)
{
  FlModel *copy = g_new (FlModel, 1);
  *copy = *model;
  copy->symmetry = fl_symmetry_from_hall (model->symmetry->hall);
  copy->atoms = g_new (FlAtom, model->n_atoms);
  memcpy (copy->atoms, model->atoms, model->n_atoms * sizeof *copy->atoms);
  return copy;
}

/* Intensities of the model in solvent (NULL: none), on a scale and with a B factor, with noise of `noise` of the mean of the shell at d_min;
 * 0: exact. Every `free_each`-th reflection is free; 0: none. */
static inline FlObservations *
simulated_data (const FlModel *model, double d_min, FlSolvent solvent, double k, double b, double noise,
                guint free_each)
{
  g_autoptr (FlStructureFactors) f = fl_structure_factors_new (model, d_min, solvent);
  FlMat3 metric = fl_cell_reciprocal_metric (&model->cell);
  FlObservations *data = g_new0 (FlObservations, 1);
  FlRandom r = fl_random (7);
  *data = (FlObservations){ .has_cell = TRUE,
                            .cell = model->cell,
                            .symmetry = fl_symmetry_from_hall (model->symmetry->hall),
                            .intensities = TRUE,
                            .has_free = free_each > 0,
                            .columns = g_strdup ("I SIGI"),
                            .all = g_new0 (FlObserved, f->n) };
  double mean = 0;
  for (guint i = 0; i < f->n; i++)
    mean += k * k * cabs (f->f[i]) * cabs (f->f[i]) / f->n;
  for (guint i = 0; i < f->n; i++)
    {
      double d2 = fl_inverse_d_squared (&metric, f->hkl[i].h, f->hkl[i].k, f->hkl[i].l);
      double size = k * cabs (f->f[i]) * exp (-b * d2 / 4), sigma = MAX (noise, 1e-4) * mean;
      if (fl_symmetry_classify (model->symmetry, f->hkl[i]).absent)
        continue;
      data->all[data->n] =
          (FlObserved){ .hkl = f->hkl[i],
                        .value = size * size + (noise > 0 ? sigma * fl_random_normal (&r) : 0),
                        .sigma = sigma,
                        .free = free_each > 0 ? data->n % free_each == 0 : -1,
                        .flag = NAN };
      data->n++;
    }
  return data;
}

/* What the map program does with them: all reflections of `model`'s crystal, and its structure factors and mask. */
typedef struct
{
  FlReflections *reflections;
  double complex *calc, *mask;
} Simulated;

static inline Simulated
simulated_compare (const FlModel *model, const FlObservations *data, double d_min)
{
  Simulated s;
  g_autoptr (FlStructureFactors) f = fl_structure_factors_new (model, d_min, (FlSolvent){ 0, 0 });
  g_autofree double complex *mask = fl_structure_factors_solvent (f, model, d_min);
  s.reflections = fl_reflections_new (f, &model->cell, model->symmetry, data, NULL, FALSE, d_min, 0);
  s.calc = fl_reflections_factors (s.reflections, f, f->f);
  s.mask = fl_reflections_factors (s.reflections, f, mask);
  return s;
}

static inline void
simulated_clear (Simulated *s)
{
  fl_reflections_free (s->reflections);
  g_free (s->calc);
  g_free (s->mask);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Simulated, simulated_clear)
