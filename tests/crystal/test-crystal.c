/* Cells, lists, models and Wilson's statistics against closed forms; damaged files against patience. */

#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/fourier.h"
#include "engine/crystal/hkl-file.h"
#include "engine/crystal/structure-factors.h"
#include "engine/crystal/wilson.h"

static void
test_cell (void)
{
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 31.8, 54.5, 71.3, 67.7, 77.9, 88.4 }, &cell, NULL));
  FlMat3 direct = fl_cell_basis (&cell), reciprocal = fl_cell_reciprocal (&cell),
         t = fl_mat3_transpose (&reciprocal);
  FlMat3 one = fl_mat3_multiply (&direct, &t), metric = fl_cell_reciprocal_metric (&cell);
  for (int i = 0; i < 9; i++)
    g_assert_cmpfloat (fabs (one.m[i / 3][i % 3] - (i % 4 == 0)), <, 1e-12);
  g_assert_cmpfloat (fabs (fl_mat3_determinant (&direct) / fl_cell_volume (&cell) - 1), <, 1e-12);
  const double (*b)[3] = reciprocal.m;
  FlVec3 q = fl_vec3 (2 * b[0][0] - b[1][0] + 3 * b[2][0], 2 * b[0][1] - b[1][1] + 3 * b[2][1],
                      2 * b[0][2] - b[1][2] + 3 * b[2][2]);
  g_assert_cmpfloat (fabs (fl_vec3_dot (q, q) - fl_inverse_d_squared (&metric, 2, -1, 3)), <, 1e-12);
  g_assert_false (fl_cell_from_degrees ((double[]){ 10, 10, 10, 60, 60, 130 }, &cell, NULL));
}

/* Acentric I/ε has mean Σ and second moment 2, centric 3; equivalents agree; absences are zero. */
static void
test_wilson (void)
{
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &cell, NULL));
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol ("P 43 21 2", NULL);
  g_autoptr (FlIntensities) intensities = fl_intensities_new (&cell, 1.5, NULL);
  fl_wilson_fill (intensities, symmetry, 20, 11);
  FlMat3 metric = fl_cell_reciprocal_metric (&cell);
  double sum[2] = { 0 }, square[2] = { 0 };
  guint n[2] = { 0 };
  const int *m = intensities->limits;
  for (int h = -m[0]; h <= m[0]; h++)
    for (int k = -m[1]; k <= m[1]; k++)
      for (int l = -m[2]; l <= m[2]; l++)
        {
          double d2 = fl_inverse_d_squared (&metric, h, k, l),
                 value = (double) fl_intensities_get (intensities, h, k, l);
          FlReflectionClass c = fl_symmetry_classify (symmetry, (FlMiller){ h, k, l });
          FlMiller r = c.representative;
          g_assert_cmpfloat (value, ==, (double) fl_intensities_get (intensities, r.h, r.k, r.l));
          if (d2 == 0 || d2 > 1 / (1.5 * 1.5) || c.absent)
            {
              g_assert_cmpfloat (value, ==, 0);
              continue;
            }
          if (r.h != h || r.k != k || r.l != l)
            continue;
          double z = value / (c.epsilon * fl_wilson_level (fl_cell_volume (&cell), d2, 20));
          sum[c.centric] += z;
          square[c.centric] += z * z;
          n[c.centric]++;
        }
  for (int centric = 0; centric < 2; centric++)
    {
      double moment = centric ? 3 : 2, sigma = sqrt ((centric ? 96.0 : 20.0) / n[centric]);
      g_test_message ("%u %s: mean %.3f, second moment %.3f", n[centric], centric ? "centric" : "acentric",
                      sum[centric] / n[centric], square[centric] / n[centric]);
      g_assert_cmpuint (n[centric], >, 1000);
      g_assert_cmpfloat (fabs (sum[centric] / n[centric] - 1), <, 4 * sqrt ((moment - 1) / n[centric]));
      g_assert_cmpfloat (fabs (square[centric] / n[centric] - moment), <, 4 * sigma);
    }
}

/* Every radix and their products against the sum written out; several lines at once. */
static void
test_fourier (void)
{
  FlRandom random = fl_random (31);
  const gsize batch = 3;
  for (int n = 1; n <= 120; n++)
    {
      if (fl_fourier_size (n) != n)
        continue;
      g_autofree double complex *in = g_new (double complex, (gsize) n *batch),
                                *copy = g_new (double complex, (gsize) n *batch),
                                *work = g_new (double complex, (gsize) n *batch);
      for (gsize i = 0; i < (gsize) n * batch; i++)
        copy[i] = in[i] = fl_random_normal (&random) + I * fl_random_normal (&random);
      double complex *out = fl_fourier_transform (in, work, n, batch);
      g_assert_true (out == in || out == work);
      for (int h = 0; h < n; h++)
        for (gsize b = 0; b < batch; b++)
          {
            double complex sum = 0;
            for (int x = 0; x < n; x++)
              sum += copy[(gsize) x * batch + b] * cexp (2 * FL_PI * I * (h * x % n) / n);
            g_assert_cmpfloat (cabs (sum - out[(gsize) h * batch + b]), <, 1e-12 * n);
          }
    }
  g_assert_cmpint (fl_fourier_size (7), ==, 8);
  g_assert_cmpint (fl_fourier_size (121), ==, 125);
}

/* A wave along (2, −1, 3) has one coefficient, and its Friedel mate's. */
static void
test_fourier_of_wave (void)
{
  const int n[3] = { 12, 10, 15 }, limits[3] = { 4, 3, 5 };
  g_autofree float *map = g_new (float, 12 * 10 * 15);
  for (int x = 0; x < 12; x++)
    for (int y = 0; y < 10; y++)
      for (int z = 0; z < 15; z++)
        map[(x * 10 + y) * 15 + z] =
            (float) (2 + 6 * cos (2 * FL_PI * (2.0 * x / 12 - 1.0 * y / 10 + 3.0 * z / 15) + 0.7));
  g_autofree double complex *f = fl_fourier_coefficients (map, n, limits);
  for (int h = -4; h <= 4; h++)
    for (int k = -3; k <= 3; k++)
      for (int l = 0; l <= 5; l++)
        {
          double complex expected = h == 0 && k == 0 && l == 0     ? 2
                                    : h == -2 && k == 1 && l == -3 ? 3 * cexp (0.7 * I)
                                    : h == 2 && k == -1 && l == 3  ? 3 * cexp (-0.7 * I)
                                                                   : 0;
          g_assert_cmpfloat (cabs (f[((h + 4) * 7 + k + 3) * 6 + l] - expected), <, 1e-6);
        }
}

static char *
write_temporary (const char *text, gsize length)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("firstlight-crystal-XXXXXX", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, length), ==,
                   (gssize) length); /* g_file_set_contents() waits for the disk */
  g_close (fd, NULL);
  return path;
}

static FlIntensities *
small_sphere (void)
{
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 30, 30, 20, 90, 90, 90 }, &cell, NULL));
  return fl_intensities_new (&cell, 4, NULL);
}

static const char list_text[] = "CrystFEL reflection list version 2.0\nSymmetry: 4/mmm\n"
                                "   h    k    l          I    phase   sigma(I)   nmeas\n"
                                "   3    1    2      12.50        -       0.50       3\n"
                                "   2    2    0      -4.00        -       0.50       1\n"
                                "  99    0    0      77.00        -       0.50       1\n"
                                "End of reflections\nanything\n";

static void
test_list (void)
{
  g_autofree char *path = write_temporary (list_text, strlen (list_text));
  g_autoptr (FlIntensities) intensities = small_sphere ();
  g_autoptr (GError) error = NULL;
  fl_hkl_file_read (path, intensities, &error);
  g_assert_no_error (error);
  /* 4/mmm: signs, and h with k. */
  g_assert_cmpfloat ((double) fl_intensities_get (intensities, 3, 1, 2), ==, 12.5);
  g_assert_cmpfloat ((double) fl_intensities_get (intensities, -1, 3, -2), ==, 12.5);
  g_assert_cmpfloat ((double) fl_intensities_get (intensities, 1, -3, 2), ==, 12.5);
  g_assert_cmpfloat ((double) fl_intensities_get (intensities, 3, 2, 1), ==, 0);
  g_assert_cmpfloat ((double) fl_intensities_get (intensities, 2, 2, 0), ==, 0);
  /* As rows it is as it was. */
  g_autoptr (FlSymmetry) symmetry = NULL;
  g_autoptr (GArray) rows = fl_hkl_file_rows (path, &symmetry, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 3);
  g_assert_cmpuint (symmetry->n, ==, 8);
  const FlHklRow *row = &g_array_index (rows, FlHklRow, 1);
  g_assert_true (row->hkl.h == 2 && row->hkl.k == 2 && row->hkl.l == 0 && row->n_measured == 1);
  g_assert_cmpfloat (row->intensity, ==, -4);
  g_assert_cmpfloat (row->sigma, ==, 0.5);
  g_unlink (path);
}

/* Every setting's list comes back with the same classes. */
static void
test_list_written (void)
{
  static const struct
  {
    const char *group, *laue;
  } cases[] = { { "P 1 21 1", "2/m_uab" }, { "P 1 1 2", "2/m" },     { "P 43 21 2", "4/mmm" },
                { "P 21 3", "m-3" },       { "P 31 1 2", "-31m_H" }, { "R 3 2:H", "-3m1_H" },
                { "R 3 2:R", "-3m_R" },    { "P 63", "6/m" },        { "C 2 2 21", "mmm" },
                { "F m -3 m", "m-3m" },    { "P 1", "-1" },          { "P n a 21", "mmm" } };
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 30, 30, 30, 90, 90, 90 }, &cell, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FlHklRow row = { { 3, 1, 2 }, 12.25, 0.5, 7 };
      g_autofree char *path = write_temporary ("", 0), *text = NULL;
      g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol (cases[i].group, NULL);
      g_autoptr (FlIntensities) read = fl_intensities_new (&cell, 4, NULL),
                                expected = fl_intensities_new (&cell, 4, NULL);
      g_autoptr (GError) error = NULL;
      g_assert_true (fl_hkl_file_write (path, symmetry, &row, 1, &error));
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_autofree char *line = g_strdup_printf ("\nSymmetry: %s\n", cases[i].laue);
      g_assert_nonnull (strstr (text, line));
      g_assert_nonnull (strstr (text, "\n   3    1    2      12.25        -       0.50       7\n"));
      fl_hkl_file_read (path, read, &error);
      g_assert_no_error (error);
      fl_intensities_set_class (expected, symmetry, row.hkl, 12.25f);
      for (int n = 0; n < 4096; n++)
        {
          int h = n / 256 - 8, k = n / 16 % 16 - 8, l = n % 16 - 8;
          g_assert_cmpfloat ((double) fl_intensities_get (read, h, k, l), ==,
                             (double) fl_intensities_get (expected, h, k, l));
        }
      g_unlink (path);
    }
}

typedef gboolean (*ReadFunc) (const char *path, GError **error);

static gboolean
read_list (const char *path, GError **error)
{
  g_autoptr (FlIntensities) intensities = small_sphere ();
  return fl_hkl_file_read (path, intensities, error);
}

static gboolean
read_model (const char *path, GError **error)
{
  g_autoptr (FlModel) model = fl_pdb_read (path, error);
  return model != NULL;
}

/* Cut short and with bytes changed, a file is read or refused in one line that begins with its name. */
static void
batter (const char *text, ReadFunc read)
{
  FlRandom random = fl_random (3);
  gsize length = strlen (text);
  for (int i = 0; i < 400; i++)
    {
      g_autofree char *bytes = g_strdup (text);
      gsize n = i % 2 == 0 ? fl_random_u64 (&random) % length : length;
      for (int j = 0; i % 2 == 1 && j < 3; j++)
        bytes[fl_random_u64 (&random) % length] = (char) fl_random_u64 (&random);
      g_autofree char *path = write_temporary (bytes, n);
      g_autoptr (GError) error = NULL;
      if (!read (path, &error))
        {
          g_assert_nonnull (error);
          g_assert_true (g_str_has_prefix (error->message, path));
          g_assert_null (strchr (error->message, '\n'));
        }
      g_unlink (path);
    }
}

static const char model_text[] =
    "CRYST1   79.100   79.100   37.900  90.00  90.00  90.00 P 43 21 2     8          \n"
    "REMARK 290       1555   X,Y,Z                                                   \n"
    "REMARK 290       2555   -X,-Y,Z+1/2                                             \n"
    "ATOM      1  N   LYS A   1       3.225  10.299  10.432  1.00  5.28           N  \n"
    "ATOM      2  CA  LYS A   1       2.420  10.441   9.213  0.50  7.90              \n"
    "HETATM    3 ZN    ZN A   2       1.000   2.000   3.000  1.00 10.00          ZN  \n"
    "ENDMDL\n"
    "ATOM      1  N   LYS A   1       9.000   9.000   9.000  1.00  5.28           N  \n";

static void
test_battered_files (void)
{
  batter (list_text, read_list);
  batter (model_text, read_model);
}

/* Three atoms under two operators, written out. */
static void
test_model (void)
{
  g_autofree char *path = write_temporary (model_text, strlen (model_text));
  g_autoptr (GError) error = NULL;
  g_autoptr (FlModel) model = fl_pdb_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (model->n_atoms, ==, 3);
  g_assert_cmpuint (model->symmetry->n, ==, 2);
  g_assert_true (model->atoms[1].factor == fl_form_factor ("C"));
  g_assert_true (model->atoms[2].factor == fl_form_factor ("Zn"));
  g_assert_cmpfloat (model->atoms[1].occupancy, ==, 0.5);
  g_autoptr (FlStructureFactors) factors = fl_structure_factors_new (model, 4, (FlSolvent){ 0, 0 });
  g_assert_cmpuint (factors->n, >, 100);
  for (guint i = 0; i < factors->n; i++)
    {
      FlMiller m = factors->hkl[i];
      double complex f = 0;
      double s2 = (m.h * m.h / (79.1 * 79.1) + m.k * m.k / (79.1 * 79.1) + m.l * m.l / (37.9 * 37.9)) / 4;
      for (guint a = 0; a < 3; a++)
        {
          const FlAtom *atom = &model->atoms[a];
          double x = atom->position.x / 79.1, y = atom->position.y / 79.1, z = atom->position.z / 37.9;
          double weight = atom->occupancy * fl_form_factor_at (atom->factor, s2) * exp (-atom->b * s2);
          f += weight
               * (cexp (2 * FL_PI * I * (m.h * x + m.k * y + m.l * z))
                  + cexp (2 * FL_PI * I * (-m.h * x - m.k * y + m.l * (z + 0.5))));
        }
      g_assert_cmpfloat (cabs (f - factors->f[i]), <, 1e-9);
    }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crystal/cell", test_cell);
  g_test_add_func ("/crystal/wilson", test_wilson);
  g_test_add_func ("/crystal/fourier", test_fourier);
  g_test_add_func ("/crystal/fourier-of-wave", test_fourier_of_wave);
  g_test_add_func ("/crystal/list", test_list);
  g_test_add_func ("/crystal/list-written", test_list_written);
  g_test_add_func ("/crystal/model", test_model);
  g_test_add_func ("/crystal/battered-files", test_battered_files);
  return g_test_run ();
}
