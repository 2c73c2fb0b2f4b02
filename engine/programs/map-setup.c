/* From a model's and data's files to structure factors and amplitudes on one scale. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/mmcif.h"
#include "engine/programs/map-job.h"

#define CELL_LENGTH      0.05 /* relative: how far a model's cell may be from the data's */
#define CELL_ANGLE       (3 * G_PI / 180)
#define AMBIGUITY_LENGTH 0.02
#define AMBIGUITY_ANGLE  (2 * G_PI / 180)
#define FEWEST           50   /* reflections */
#define MASK_D_MIN       1.8  /* Å: beyond, solvent scatters next to nothing */
#define MOST_CYCLES      20   /* of rigid bodies */
#define SURE             0.02 /* how much better another setting must agree */
#define AGREES           0.3  /* mean cosine from which phases are of the same crystal */

void
fl_map_job_clear (FlMapJob *job)
{
  char **texts[] = { &job->out,        &job->model_path,    &job->data_path,
                     &job->minus_path, &job->setting.words, &job->other_setting.words };
  FlMap **maps[] = { &job->best, &job->residual, &job->change };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  for (guint i = 0; i < G_N_ELEMENTS (maps); i++)
    g_clear_pointer (maps[i], fl_map_free);
  g_clear_pointer (&job->params, fl_params_free);
  g_clear_pointer (&job->reflections, fl_reflections_free);
  g_clear_pointer (&job->other, fl_reflections_free);
  g_clear_pointer (&job->coefficients, fl_coefficients_free);
  g_clear_pointer (&job->difference, fl_difference_free);
  g_clear_pointer (&job->list, fl_structure_factors_free);
  g_clear_pointer (&job->model, fl_model_free);
  g_clear_pointer (&job->phases, fl_observations_free);
  g_clear_pointer (&job->data, fl_observations_free);
  g_clear_pointer (&job->minus, fl_observations_free);
  g_clear_pointer (&job->peaks, g_array_unref);
  g_clear_pointer (&job->change_peaks, g_array_unref);
  g_clear_pointer (&job->body, g_free);
  g_clear_pointer (&job->calc, g_free);
  g_clear_pointer (&job->mask, g_free);
  g_clear_pointer (&job->f_model, g_free);
}

/* --- files --- */

static gboolean
is_mtz (const char *path)
{
  char head[4] = "";
  FILE *file = fopen (path, "rb");
  gsize got = file != NULL ? fread (head, 1, sizeof head, file) : 0;
  if (file != NULL)
    fclose (file);
  return got == sizeof head && memcmp (head, "MTZ ", 4) == 0;
}

static gboolean
read_files (FlMapJob *job, GError **error)
{
  const char *columns = fl_params_text (job->params, "map.columns");
  if (is_mtz (job->model_path))
    job->phases = fl_observations_read (job->model_path, NULL, error);
  else
    job->model = fl_model_read (job->model_path, error);
  if (job->model == NULL && job->phases == NULL)
    return FALSE;
  job->symmetry = job->model != NULL ? job->model->symmetry : job->phases->symmetry;
  job->data = fl_observations_read (job->data_path, columns, error);
  if (job->data != NULL && job->minus_path != NULL)
    job->minus = fl_observations_read (job->minus_path, columns, error);
  return job->data != NULL && (job->minus_path == NULL || job->minus != NULL);
}

/* --- cell and symmetry --- */

static gboolean
is_near (const FlCell *a, const FlCell *b)
{
  const double lengths[3] = { a->a / b->a, a->b / b->b, a->c / b->c };
  const double angles[3] = { a->alpha - b->alpha, a->beta - b->beta, a->gamma - b->gamma };
  for (int i = 0; i < 3; i++)
    if (!(fabs (lengths[i] - 1) <= CELL_LENGTH) || !(fabs (angles[i]) <= CELL_ANGLE))
      return FALSE;
  return TRUE;
}

static char *
words_of_cell (const FlCell *c)
{
  return g_strdup_printf ("%.2f %.2f %.2f Å %.1f %.1f %.1f°", c->a, c->b, c->c, fl_degrees (c->alpha),
                          fl_degrees (c->beta), fl_degrees (c->gamma));
}

static gboolean
check_cell (const FlMapJob *job, const FlObservations *data, const char *path, GError **error)
{
  const FlCell *own = job->model != NULL ? &job->model->cell : &job->phases->cell;
  if (!data->has_cell || is_near (own, &data->cell))
    return TRUE;
  g_autofree char *a = words_of_cell (&data->cell), *b = words_of_cell (own);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: its cell %s is not the model's %s, expected one within 5 %% and 3°", path, a, b);
  return FALSE;
}

/* Is every rotation of `symmetry`, up to the centre, one of `of`? */
static gboolean
is_part (const FlSymmetry *symmetry, const FlSymmetry *of)
{
  for (guint i = 0; i < symmetry->n; i++)
    {
      gboolean found = FALSE;
      for (guint j = 0; j < of->n && !found; j++)
        for (int sign = -1; sign <= 1 && !found; sign += 2)
          {
            found = TRUE;
            for (int k = 0; k < 9; k++)
              found = found && symmetry->ops[i].r[k / 3][k % 3] == sign * of->ops[j].r[k / 3][k % 3];
          }
      if (!found)
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_symmetry (const FlMapJob *job, const FlObservations *data, const char *path, GError **error)
{
  if (data->symmetry == NULL || is_part (data->symmetry, job->symmetry))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: is merged in a higher symmetry than the model has, expected data merged in the model's",
               path);
  return FALSE;
}

/* What the data reach, within the limits that were asked for. */
static gboolean
find_resolution (FlMapJob *job, GError **error)
{
  FlMat3 metric = fl_cell_reciprocal_metric (&job->cell);
  double asked = fl_params_real (job->params, "map.d_min"), most = 0, least = INFINITY;
  double limit = asked > 0 ? 1 / (asked * asked) : INFINITY;
  guint n = 0;
  for (guint i = 0; i < job->data->n; i++)
    {
      const FlObserved *o = &job->data->all[i];
      double d2 = fl_inverse_d_squared (&metric, o->hkl.h, o->hkl.k, o->hkl.l);
      if (!isfinite (o->value) || d2 > limit || d2 == 0)
        continue;
      most = MAX (most, d2);
      least = MIN (least, d2);
      n++;
    }
  if (n < FEWEST)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: has %u measured reflections in this resolution range, expected %d or more",
                   job->data_path, n, FEWEST);
      return FALSE;
    }
  job->d_min = 1 / sqrt (most) * (1 - 1e-9);
  job->d_max = 1 / sqrt (least);
  double points = fl_cell_volume (&job->cell) / pow (job->d_min, 3);
  if (points < 0x1p25)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: a cell of %.3g Å³ to %.2f Å is too much, expected a coarser map.d_min", job->data_path,
               fl_cell_volume (&job->cell), job->d_min);
  return FALSE;
}

/* --- structure factors --- */

static void
compute_factors (FlMapJob *job)
{
  g_clear_pointer (&job->list, fl_structure_factors_free);
  if (job->model == NULL)
    {
      FlModel empty = { .cell = job->cell, .symmetry = (FlSymmetry *) job->symmetry };
      job->list = fl_structure_factors_new_by (&empty, job->d_min, (FlSolvent){ 0, 0 }, FL_SUMMATION_DIRECT);
      return;
    }
  job->list = fl_structure_factors_new (job->model, job->d_min, (FlSolvent){ 0, 0 });
  if (fl_params_bool (job->params, "map.solvent"))
    {
      g_free (job->mask);
      job->mask = fl_structure_factors_solvent (job->list, job->model, MAX (job->d_min, MASK_D_MIN));
    }
}

/* Of the list, for the reflections that are not absent. */
static void
take_factors (FlMapJob *job)
{
  g_free (job->calc);
  if (job->model == NULL)
    {
      g_autoptr (FlReflections) own =
          fl_reflections_new (job->list, &job->cell, job->symmetry, job->phases, NULL, FALSE, 0, 0);
      job->calc = g_steal_pointer (&own->phased);
      return;
    }
  job->calc = fl_reflections_factors (job->reflections, job->list, job->list->f);
  if (job->mask == NULL)
    return;
  double complex *mask = fl_reflections_factors (job->reflections, job->list, job->mask);
  g_free (job->mask);
  job->mask = mask;
}

/* --- setting --- */

static FlReflections *
reflections_in (const FlMapJob *job, const FlObservations *data, const FlReindexing *setting)
{
  return fl_reflections_new (job->list, &job->cell, job->symmetry, data, setting,
                             fl_params_bool (job->params, "map.french_wilson"), job->d_min,
                             fl_params_real (job->params, "map.d_max"));
}

/* As the data are indexed, or as one of the other ways in which their lattice can be, if that is clearly better. */
static FlReflections *
choose_setting (FlMapJob *job, const FlObservations *data, FlMapSetting *setting)
{
  FlReflections *best = reflections_in (job, data, NULL);
  guint n = 0;
  job->reflections = job->reflections != NULL ? job->reflections : best; /* what the factors are listed by */
  if (job->calc == NULL)
    take_factors (job);
  setting->words = g_strdup ("h,k,l");
  setting->agreement = setting->as_it_is = fl_origin_agreement (best, job->calc);
  if (!fl_params_bool (job->params, "map.setting"))
    return best;
  g_autofree FlReindexing *others =
      fl_reindexing_ambiguities (&job->cell, job->symmetry, AMBIGUITY_LENGTH, AMBIGUITY_ANGLE, &n);
  setting->tried = n;
  gboolean first = best == job->reflections;
  for (guint i = 0; i < n; i++)
    {
      FlReflections *other = reflections_in (job, data, &others[i]);
      double agreement = fl_origin_agreement (other, job->calc);
      if (agreement > setting->agreement + SURE)
        {
          FlReflections *worse = best;
          best = other;
          other = worse;
          setting->agreement = agreement;
          g_free (setting->words);
          setting->words = fl_reindexing_words (&others[i]);
        }
      fl_reflections_free (other);
      if (first)
        job->reflections = best;
    }
  return best;
}

gboolean
fl_map_job_set_up (FlMapJob *job, GError **error)
{
  if (!read_files (job, error) || !check_cell (job, job->data, job->data_path, error)
      || !check_symmetry (job, job->data, job->data_path, error))
    return FALSE;
  if (job->minus != NULL
      && (!check_cell (job, job->minus, job->minus_path, error)
          || !check_symmetry (job, job->minus, job->minus_path, error)))
    return FALSE;
  job->cell = job->data->has_cell  ? job->data->cell
              : job->model != NULL ? job->model->cell
                                   : job->phases->cell;
  if (!find_resolution (job, error))
    return FALSE;
  if (job->model != NULL)
    {
      gboolean chains = fl_params_choice (job->params, "map.rigid_body") == 2;
      job->body = fl_rigid_body_chains (job->model, chains, &job->n_bodies);
      fl_rigid_body_fit_cell (job->model, job->body, job->n_bodies, &job->cell);
    }
  compute_factors (job);
  choose_setting (job, job->data, &job->setting);
  if (job->minus != NULL)
    job->other = choose_setting (job, job->minus, &job->other_setting);
  return TRUE;
}

/* --- fit --- */

/* From the amplitudes as they were measured to the model's electrons. */
static void
fit_scale (FlMapJob *job)
{
  FlModelScaleOptions options = { fl_params_bool (job->params, "map.anisotropic"), job->mask != NULL };
  FlModelScale back = { .ln_k = -job->scale.ln_k };
  for (int i = 0; i < 6; i++)
    back.b[i] = -job->scale.b[i];
  fl_model_scale_apply (&back, job->reflections);
  job->scale = fl_model_scale_fit (job->reflections, job->calc, job->mask, options);
  fl_model_scale_apply (&job->scale, job->reflections);
}

static double complex *
solvent_alone (const FlMapJob *job)
{
  if (job->mask == NULL)
    return NULL;
  g_autofree double complex *nothing = g_new0 (double complex, MAX (job->reflections->n, 1));
  return fl_model_scale_total (&job->scale, job->reflections, nothing, job->mask);
}

static void
move_bodies (FlMapJob *job)
{
  g_autofree double complex *solvent = solvent_alone (job);
  double d_min = MAX (fl_params_real (job->params, "map.rigid_body_d_min"), job->d_min);
  job->rigid = fl_rigid_body_refine (job->model, job->body, job->n_bodies, job->reflections, solvent, d_min,
                                     MOST_CYCLES);
  compute_factors (job);
  take_factors (job);
  fit_scale (job);
}

/* F(h) exp(2πi h·s) */
static void
shift_phases (FlMapJob *job, double complex *f)
{
  const double *s = job->origin.shift;
  for (guint i = 0; i < job->reflections->n && f != NULL; i++)
    {
      FlMiller m = job->reflections->all[i].hkl;
      f[i] *= cexp (2 * FL_PI * I * (m.h * s[0] + m.k * s[1] + m.l * s[2]));
    }
}

static void
choose_origin (FlMapJob *job)
{
  double complex *total = fl_model_scale_total (&job->scale, job->reflections, job->calc, job->mask);
  job->origin = fl_origin_find (job->reflections, total);
  g_free (total);
  const double *s = job->origin.shift;
  job->origin_chosen = job->origin.agreement > AGREES;
  if (!job->origin_chosen || job->model == NULL || (s[0] == 0 && s[1] == 0 && s[2] == 0))
    return;
  FlMat3 basis = fl_cell_basis (&job->cell), to_real = fl_mat3_transpose (&basis);
  FlVec3 step = fl_mat3_apply (&to_real, fl_vec3 (s[0], s[1], s[2]));
  for (guint a = 0; a < job->model->n_atoms; a++)
    job->model->atoms[a].position = fl_vec3_add (job->model->atoms[a].position, step);
  shift_phases (job, job->calc);
  shift_phases (job, job->mask);
}

void
fl_map_job_fit (FlMapJob *job)
{
  fit_scale (job);
  job->r_unmoved = job->scale.r_work;
  if (job->model != NULL && fl_params_choice (job->params, "map.rigid_body") != 0)
    move_bodies (job);
  if (job->reflections->phased != NULL && job->model != NULL && fl_params_bool (job->params, "map.origin"))
    choose_origin (job);
  job->f_model = fl_model_scale_total (&job->scale, job->reflections, job->calc, job->mask);
  if (job->other != NULL)
    job->other_scale = fl_difference_scale (job->other, job->reflections);
}
