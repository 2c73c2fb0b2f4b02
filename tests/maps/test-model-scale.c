/* Scale, tensor, solvent and rigid bodies against what was put into simulated data. */
#include "engine/maps/rigid-body.h"
#include "tests/maps/simulated.h"

static const double cell[6] = { 40, 40, 50, 90, 90, 90 };

static void
test_tensors (void)
{
  static const struct
  {
    const char *group;
    guint n;
  } cases[] = { { "P 1", 6 },  { "P 1 21 1", 4 }, { "P 21 21 21", 3 }, { "P 43 21 2", 2 },
                { "P 31", 2 }, { "P 6", 2 },      { "P 21 3", 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      double tensors[6][6];
      FlCell c;
      g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (cases[i].group, NULL);
      gboolean hexagonal = i == 4 || i == 5;
      const double values[6] = { 40, 40, i == 6 ? 40 : 50, 90, 90, hexagonal ? 120 : 90 };
      g_assert_true (fl_cell_from_degrees (values, &c, NULL));
      g_assert_cmpuint (fl_model_scale_tensors (&c, symmetry, tensors), ==, cases[i].n);
    }
}

static void
test_scale (void)
{
  g_autoptr (FlModel) model = simulated_model (cell, "P 43 21 2", 300, 3);
  g_autoptr (FlObservations) data = simulated_data (model, 1.8, (FlSolvent){ 0.33, 55 }, 3.5, 12, 0, 20);
  for (guint i = 0; i < data->n; i++) /* 7 Å² more along c */
    data->all[i].value *= exp (-2 * 7 * pow (data->all[i].hkl.l / cell[2], 2) / 4);
  g_auto (Simulated) s = simulated_compare (model, data, 1.8);
  FlModelScale scale =
      fl_model_scale_fit (s.reflections, s.calc, s.mask, (FlModelScaleOptions){ TRUE, TRUE });
  g_test_message ("k %.4f, B %.3f %.3f %.3f, k_sol %.4f, B_sol %.2f, R %.6f", exp (scale.ln_k), scale.b[0],
                  scale.b[1], scale.b[2], scale.k_sol, scale.b_sol, scale.r_work);
  g_assert_cmpfloat (fabs (exp (scale.ln_k) - 3.5), <, 0.01);
  g_assert_cmpfloat (fabs (scale.b[0] - 12) + fabs (scale.b[2] - 19), <, 0.05);
  g_assert_cmpfloat (fabs (scale.k_sol - 0.33), <, 0.005);
  g_assert_cmpfloat (fabs (scale.b_sol - 55), <, 1);
  g_assert_cmpfloat (scale.r_work, <, 1e-3);
  g_assert_cmpfloat (scale.r_free, <, 1e-3);
  g_assert_cmpuint (scale.n_free, >, 100);
}

static void
test_rigid_body (void)
{
  static const char *const groups[] = { "P 43 21 2", "P 21 21 21", "P 1 21 1" };
  for (guint g = 0; g < G_N_ELEMENTS (groups); g++)
    {
      guint n;
      g_autoptr (FlModel) model = simulated_model (cell, groups[g], 300, 3 + g),
                          moved = simulated_copy (model);
      g_autoptr (FlObservations) data = simulated_data (model, 2.5, (FlSolvent){ 0, 0 }, 1, 0, 0, 0);
      g_autofree guint *body = fl_rigid_body_chains (moved, FALSE, &n);
      double angle = 2 * G_PI / 180, worst = 0;
      for (guint a = 0; a < moved->n_atoms; a++)
        {
          FlVec3 *p = &moved->atoms[a].position, q = *p;
          *p = fl_vec3 (cos (angle) * q.x - sin (angle) * q.y + 0.5,
                        sin (angle) * q.x + cos (angle) * q.y - 0.2, q.z + 0.3);
        }
      g_auto (Simulated) s = simulated_compare (moved, data, 2.5);
      FlRigidBody r = fl_rigid_body_refine (moved, body, n, s.reflections, NULL, 3.5, 30);
      for (guint a = 0; a < moved->n_atoms; a++)
        {
          FlVec3 d = fl_vec3_sub (moved->atoms[a].position, model->atoms[a].position);
          if (g == 2)
            d.y = 0; /* the origin floats along b */
          worst = MAX (worst, fl_vec3_norm (d));
        }
      g_test_message ("%s: R %.4f to %.4f, %.4f rad, %.3f Å, worst atom %.4f Å", groups[g], r.r_before,
                      r.r_after, r.rotation, r.translation, worst);
      g_assert_cmpfloat (worst, <, 0.01);
      g_assert_cmpfloat (r.r_after, <, 0.01);
      g_assert_cmpfloat (fabs (r.rotation - angle), <, 0.002);
    }
}

/* Two bodies that moved apart; a chain of one atom goes with the nearer. */
static void
test_chains (void)
{
  guint n;
  g_autoptr (FlModel) model = simulated_model (cell, "P 21 21 21", 301, 5);
  for (guint a = 150; a < 300; a++)
    fl_atom_label_set (model->atoms[a].label.chain, "B");
  fl_atom_label_set (model->atoms[300].label.chain, "W");
  g_autoptr (FlModel) moved = simulated_copy (model);
  g_autoptr (FlObservations) data = simulated_data (model, 2.5, (FlSolvent){ 0, 0 }, 1, 0, 0, 0);
  g_autofree guint *body = fl_rigid_body_chains (moved, TRUE, &n);
  g_assert_cmpuint (n, ==, 2);
  for (guint a = 0; a < moved->n_atoms; a++)
    moved->atoms[a].position.x += body[a] == 0 ? 0.3 : -0.3;
  g_auto (Simulated) s = simulated_compare (moved, data, 2.5);
  fl_rigid_body_refine (moved, body, n, s.reflections, NULL, 3, 30);
  for (guint a = 0; a < moved->n_atoms; a++)
    g_assert_cmpfloat (fl_vec3_norm (fl_vec3_sub (moved->atoms[a].position, model->atoms[a].position)), <,
                       0.02);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/maps/tensors", test_tensors);
  g_test_add_func ("/maps/scale", test_scale);
  g_test_add_func ("/maps/rigid-body", test_rigid_body);
  g_test_add_func ("/maps/chains", test_chains);
  return g_test_run ();
}
