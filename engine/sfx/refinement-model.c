#include "engine/sfx/refinement-model.h"

/* Free entries of a reciprocal metric: the entry that stands for a parameter, and what it adds to the others. */
typedef struct
{
  int row, column;
  double pattern[3][3];
} FreeEntry;

#define DIAGONAL(x, y, z)                                                                                    \
  {                                                                                                          \
    { x, 0, 0 }, { 0, y, 0 }, { 0, 0, z }                                                                    \
  }

static const FreeEntry a_alone = { 0, 0, DIAGONAL (1, 0, 0) }, b_alone = { 1, 1, DIAGONAL (0, 1, 0) },
                       c_alone = { 2, 2, DIAGONAL (0, 0, 1) }, a_and_b = { 0, 0, DIAGONAL (1, 1, 0) },
                       all_three = { 0, 0, DIAGONAL (1, 1, 1) },
                       ab_alone = { 0, 1, { { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 0 } } },
                       ac_alone = { 0, 2, { { 0, 0, 1 }, { 0, 0, 0 }, { 1, 0, 0 } } },
                       bc_alone = { 1, 2, { { 0, 0, 0 }, { 0, 0, 1 }, { 0, 1, 0 } } },
                       all_angles = { 0, 1, { { 0, 1, 1 }, { 1, 0, 1 }, { 1, 1, 0 } } },
                       hexagonal = { 0, 0, { { 1, 0.5, 0 }, { 0.5, 1, 0 }, { 0, 0, 0 } } };

static const FreeEntry *const free_entries[FL_LATTICE_LAST][6] = {
  [FL_LATTICE_TRICLINIC] = { &a_alone, &b_alone, &c_alone, &ab_alone, &ac_alone, &bc_alone },
  [FL_LATTICE_MONOCLINIC] = { &a_alone, &b_alone, &c_alone, &ac_alone },
  [FL_LATTICE_ORTHORHOMBIC] = { &a_alone, &b_alone, &c_alone },
  [FL_LATTICE_TETRAGONAL] = { &a_and_b, &c_alone },
  [FL_LATTICE_RHOMBOHEDRAL] = { &all_three, &all_angles },
  [FL_LATTICE_HEXAGONAL] = { &hexagonal, &c_alone },
  [FL_LATTICE_CUBIC] = { &all_three },
};

static FlMat3
metric_of (const FlMat3 *star)
{
  FlMat3 transposed = fl_mat3_transpose (star);
  return fl_mat3_multiply (star, &transposed);
}

/* One unit of parameter `i`, in 1/Å². */
static double
unit_of (const FlRefinementModel *model, guint i)
{
  const FreeEntry *entry = free_entries[model->type][i];
  return sqrt (model->known.m[entry->row][entry->row] * model->known.m[entry->column][entry->column]);
}

/* ½ Rᵀ dM R: strains `star` so that its metric changes by dM. */
static FlMat3
strain_of (const FlMat3 *star, const FlMat3 *change)
{
  FlMat3 inverse = fl_mat3_inverse (star), real = fl_mat3_transpose (&inverse);
  FlMat3 right = fl_mat3_multiply (change, &real), strain = fl_mat3_multiply (&inverse, &right);
  for (int i = 0; i < 9; i++)
    strain.m[i / 3][i % 3] *= 0.5;
  return strain;
}

/* `star` strained until its metric is `metric`: Newton's steps, each of which squares the error. */
static FlMat3
strain_to (FlMat3 star, const FlMat3 *metric)
{
  for (int turn = 0; turn < 4; turn++)
    {
      FlMat3 change = metric_of (&star);
      for (int i = 0; i < 9; i++)
        change.m[i / 3][i % 3] = metric->m[i / 3][i % 3] - change.m[i / 3][i % 3];
      FlMat3 strain = strain_of (&star, &change);
      for (int i = 0; i < 3; i++)
        strain.m[i][i] += 1;
      star = fl_mat3_multiply (&star, &strain);
    }
  return star;
}

static void
set_strains (FlRefinementModel *model)
{
  for (guint i = 0; i < model->n_cell; i++)
    {
      FlMat3 change;
      for (int j = 0; j < 9; j++)
        change.m[j / 3][j % 3] = unit_of (model, i) * free_entries[model->type][i]->pattern[j / 3][j % 3];
      model->strain[i] = strain_of (&model->star, &change);
    }
}

FlPanelFrame
fl_panel_frame (const FlPanel *panel)
{
  FlVec3 normal = fl_vec3_cross (panel->fs, panel->ss);
  double area = fl_vec3_dot (normal, normal);
  return (FlPanelFrame){ panel->origin, fl_vec3_unit (normal),
                         fl_vec3_scale (fl_vec3_cross (panel->ss, normal), 1 / area),
                         fl_vec3_scale (fl_vec3_cross (normal, panel->fs), 1 / area) };
}

void
fl_refinement_model_begin (FlRefinementModel *model, const FlKnownCell *known, const FlMat3 *star,
                           FlVec3 shift, gboolean beam, gboolean distance)
{
  *model = (FlRefinementModel){ .type = known->type, .beam = beam, .distance = distance, .shift = shift };
  model->known = fl_cell_reciprocal_metric (&known->cell);
  while (model->n_cell < 6 && free_entries[model->type][model->n_cell] != NULL)
    model->n_cell++;
  model->n = 3 + model->n_cell + (beam ? 2 : 0) + (distance ? 1 : 0);
  model->star = fl_lattice_constrain (star, model->type);
  set_strains (model);
}

gboolean
fl_refinement_model_spot (const FlRefinementModel *model, const FlPanelFrame *frame, double wavelength,
                          FlVec3 hkl, FlSpotModel *spot)
{
  const double (*star)[3] = model->star.m;
  FlVec3 q = fl_vec3 (star[0][0] * hkl.x + star[1][0] * hkl.y + star[2][0] * hkl.z,
                      star[0][1] * hkl.x + star[1][1] * hkl.y + star[2][1] * hkl.z,
                      star[0][2] * hkl.x + star[1][2] * hkl.y + star[2][2] * hkl.z);
  FlVec3 s1 = fl_vec3 (q.x, q.y, q.z + 1 / wavelength), origin = fl_vec3_add (frame->origin, model->shift);
  double along = fl_vec3_dot (s1, frame->normal), t = fl_vec3_dot (origin, frame->normal) / along;
  if (!(t > 0) || t == INFINITY)
    return FALSE;
  FlVec3 place = fl_vec3_sub (fl_vec3_scale (s1, t), origin), axes[2] = { frame->per_fs, frame->per_ss };
  double length = fl_vec3_norm (s1);
  spot->q = q;
  spot->fs = fl_vec3_dot (frame->per_fs, place);
  spot->ss = fl_vec3_dot (frame->per_ss, place);
  spot->excitation = length - 1 / wavelength;
  for (int i = 0; i < 2; i++)
    {
      /* The ray's foot moves in the panel by t (dq − s1 (n·dq) / (n·s1)), and by s1 (n·ds) / (n·s1) − ds with the shift. */
      FlVec3 tilted = fl_vec3_scale (frame->normal, fl_vec3_dot (axes[i], s1) / along);
      spot->of_shift[i] = fl_vec3_sub (tilted, axes[i]);
      spot->of_q[i] = fl_vec3_scale (spot->of_shift[i], -t);
    }
  spot->of_q[2] = fl_vec3_scale (s1, 1 / length);
  spot->jacobian = fabs (fl_vec3_dot (spot->of_q[0], fl_vec3_cross (spot->of_q[1], spot->of_q[2])));
  return TRUE;
}

void
fl_refinement_model_gradient (const FlRefinementModel *model, const FlSpotModel *spot,
                              double gradient[3][FL_REFINEMENT_MOST])
{
  FlVec3 strained[6];
  for (guint j = 0; j < model->n_cell; j++)
    strained[j] = fl_mat3_apply (&model->strain[j], spot->q);
  for (int i = 0; i < 3; i++)
    {
      double *g = gradient[i];
      FlVec3 of_q = spot->of_q[i], of_shift = i < 2 ? spot->of_shift[i] : fl_vec3 (0, 0, 0);
      FlVec3 turned = fl_vec3_cross (spot->q, of_q); /* g · (e × q) = e · (q × g) */
      *g++ = turned.x;
      *g++ = turned.y;
      *g++ = turned.z;
      for (guint j = 0; j < model->n_cell; j++)
        *g++ = fl_vec3_dot (of_q, strained[j]);
      if (model->beam)
        {
          *g++ = of_shift.x;
          *g++ = of_shift.y;
        }
      if (model->distance)
        *g++ = of_shift.z;
    }
}

FlRefinementModel
fl_refinement_model_step (const FlRefinementModel *model, const double *delta)
{
  FlRefinementModel next = *model;
  FlMat3 metric = metric_of (&model->star);
  for (guint i = 0; i < model->n_cell; i++)
    for (int j = 0; j < 9; j++)
      metric.m[j / 3][j % 3] +=
          delta[3 + i] * unit_of (model, i) * free_entries[model->type][i]->pattern[j / 3][j % 3];
  next.star = strain_to (model->star, &metric);
  FlVec3 turn = fl_vec3 (delta[0], delta[1], delta[2]);
  FlMat3 rotation = fl_mat3_rotation (fl_vec3_unit (turn), fl_vec3_norm (turn));
  rotation = fl_mat3_transpose (&rotation);
  next.star = fl_mat3_multiply (&next.star, &rotation);
  const double *shift = delta + 3 + model->n_cell;
  if (model->beam)
    {
      next.shift.x += *shift++;
      next.shift.y += *shift++;
    }
  if (model->distance)
    next.shift.z += *shift;
  set_strains (&next);
  return next;
}

void
fl_refinement_model_cell (const FlRefinementModel *model, double *difference)
{
  FlMat3 metric = metric_of (&model->star);
  for (guint i = 0; i < model->n_cell; i++)
    {
      const FreeEntry *entry = free_entries[model->type][i];
      difference[i] = (metric.m[entry->row][entry->column] - model->known.m[entry->row][entry->column])
                      / unit_of (model, i);
    }
}
