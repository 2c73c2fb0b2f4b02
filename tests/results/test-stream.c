/* CrystFEL's streams: what is written reads back, real ones give the counts that their makers give, and damage is
 * stepped over. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/lattice.h"
#include "engine/results/stream.h"

static const char geometry[] = "; two panels of one array\nphoton_energy = 9000 eV\nclen = 0.1\nres = 10000\n"
                               "max_fs = 99\nmin_fs = 0\n"
                               "one/min_ss = 0\none/max_ss = 199\none/corner_x = 0\n"
                               "broken/min_ss = 900\nbroken/no_index = 1\nbad_spot/min_fs = 3\ntwo/min_ss = "
                               "200 ; the other\ntwo/max_ss = 399\n";

static char *
temporary_path (void)
{
  g_autofree char *dir = g_dir_make_tmp ("firstlight-stream-XXXXXX", NULL);
  return g_build_filename (dir, "test.stream", NULL);
}

static void
remove_with_folder (const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  g_remove (path);
  g_rmdir (dir);
}

static double
uniform (FlRandom *random, double low, double high)
{
  return low + (high - low) * fl_random_unit (random);
}

static void
add_lattice (FlPattern *pattern, FlRandom *random)
{
  FlLatticeRow lattice = { .number = (guint16) pattern->lattices->len, .centring = 'I', .space_group = 96 };
  guint first = pattern->reflections->len;
  for (guint i = 0; i < 9; i++)
    lattice.a_star[i] = (float) uniform (random, -0.02, 0.02);
  lattice.shift[0] = 0.25f;
  lattice.shift[1] = -0.125f;
  lattice.resolution = 2.5f;
  lattice.domain_size = 2000;
  for (guint i = 0; i < 50; i++)
    {
      FlReflectionRow r = { .lattice = lattice.number,
                            .h = (gint16) (fl_random_u64 (random) % 199) - 99,
                            .k = (gint16) i,
                            .l = (gint16) (fl_random_u64 (random) % 9) - 4,
                            .panel = (guint16) (i % 2),
                            .fs = (float) uniform (random, 0, 100),
                            .ss = (float) uniform (random, 0, 200),
                            .intensity = (float) uniform (random, -10, 1000),
                            .sigma = i == 7 ? -1 : (float) uniform (random, 0, 30),
                            .background = 3.25f,
                            .peak = 77 };
      g_array_append_val (pattern->reflections, r);
    }
  g_assert_true (fl_pattern_derive (pattern, &lattice, first));
  g_array_append_val (pattern->lattices, lattice);
}

static void
make_pattern (FlPattern *pattern, guint frame)
{
  FlRandom random = fl_random (frame);
  fl_pattern_clear (pattern);
  pattern->file = g_strdup ("folder/run 7.h5");
  g_free (pattern->event);
  pattern->event = g_strdup_printf ("//%u", frame);
  pattern->frame = frame;
  pattern->energy = 9123.456789;
  pattern->hit = frame % 2 == 1;
  pattern->resolution = 2.125;
  for (guint i = 0; i < 20; i++)
    {
      FlSpotRow spot = { .panel = (guint16) (i % 2),
                         .fs = (float) uniform (&random, 0, 100),
                         .ss = (float) uniform (&random, 0, 200),
                         .intensity = (float) uniform (&random, 0, 1e5),
                         .d = (float) uniform (&random, 1, 20) };
      g_array_append_val (pattern->spots, spot);
    }
  for (guint i = 0; pattern->hit && i <= frame % 3; i++)
    add_lattice (pattern, &random);
}

static void
write_stream (const char *path, guint n)
{
  GError *error = NULL;
  g_autoptr (GArray) panels = fl_stream_panels (geometry);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  FlStreamWriter *writer = fl_stream_writer_open (path, geometry, panels, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    {
      make_pattern (pattern, i);
      fl_stream_writer_add (writer, pattern);
    }
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (fl_stream_writer_close (writer, TRUE, &error));
  g_assert_no_error (error);
}

static void
check_lattice (const FlPattern *made, const FlPattern *read, guint number)
{
  const FlLatticeRow *a = &g_array_index (made->lattices, FlLatticeRow, number);
  const FlLatticeRow *b = &g_array_index (read->lattices, FlLatticeRow, number);
  guint n_a, n_b, k = 0;
  const FlReflectionRow *x = fl_pattern_reflections (made, number, &n_a);
  const FlReflectionRow *y = fl_pattern_reflections (read, number, &n_b);
  for (guint i = 0; i < 9; i++)
    g_assert_cmpfloat_with_epsilon ((double) a->a_star[i], (double) b->a_star[i], 6e-9);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon ((double) a->cell[i], (double) b->cell[i], 1e-4 * (double) a->cell[i]);
  g_assert_cmpuint (b->centring, ==, 'I');
  g_assert_cmpfloat_with_epsilon ((double) b->resolution, 2.5, 1e-5);
  g_assert_true (b->shift[0] == 0.25f && (b->shift[1] == -0.125f || b->shift[1] == -0.124f));
  g_assert_cmpuint (n_a, ==, 50);
  g_assert_cmpuint (n_b, ==, 49);
  g_assert_cmpuint (b->reflections, ==, 49);
  for (guint i = 0; i < n_a; i++)
    if (x[i].sigma >= 0)
      {
        const FlReflectionRow *r = &y[k++];
        g_assert_true (x[i].h == r->h && x[i].k == r->k && x[i].l == r->l && x[i].panel == r->panel);
        g_assert_cmpfloat_with_epsilon ((double) x[i].intensity, (double) r->intensity, 0.0051);
        g_assert_cmpfloat_with_epsilon ((double) x[i].sigma, (double) r->sigma, 0.0051);
        g_assert_cmpfloat_with_epsilon ((double) x[i].fs, (double) r->fs, 0.051);
        g_assert_cmpfloat_with_epsilon ((double) x[i].ss, (double) r->ss, 0.051);
        g_assert_cmpfloat_with_epsilon ((double) x[i].d, (double) r->d, 1e-5 * (double) x[i].d);
        g_assert_true (r->background == 3.25f && r->peak == 77);
      }
}

static void
test_round_trip (void)
{
  g_autofree char *path = temporary_path ();
  write_stream (path, 12);
  g_autoptr (FlPattern) made = fl_pattern_new (), read = fl_pattern_new ();
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, NULL);
  g_assert_cmpstr (fl_stream_reader_geometry (reader), ==, geometry);
  g_assert_cmpuint (fl_stream_reader_panels (reader)->len, ==, 2);
  const FlPanelPlace *two = &g_array_index (fl_stream_reader_panels (reader), FlPanelPlace, 1);
  g_assert_true (strcmp (two->name, "two") == 0 && two->min_ss == 200 && two->n_ss == 200
                 && two->n_fs == 100);
  for (guint i = 0; i < 12; i++)
    {
      make_pattern (made, i);
      g_assert_true (fl_stream_reader_next (reader, read));
      g_assert_cmpstr (read->file, ==, made->file);
      g_assert_cmpstr (read->event, ==, made->event);
      g_assert_cmpint (read->frame, ==, i);
      g_assert_cmpfloat_with_epsilon (read->energy, made->energy, 1e-6);
      g_assert_cmpint (read->hit, ==, made->hit);
      g_assert_cmpfloat_with_epsilon (read->resolution, 2.125, 1e-5);
      g_assert_cmpuint (read->spots->len, ==, 20);
      for (guint k = 0; k < 20; k++)
        {
          const FlSpotRow *a = &g_array_index (made->spots, FlSpotRow, k);
          const FlSpotRow *b = &g_array_index (read->spots, FlSpotRow, k);
          g_assert_cmpuint (a->panel, ==, b->panel);
          g_assert_cmpfloat_with_epsilon ((double) a->fs, (double) b->fs, 0.0051);
          g_assert_cmpfloat_with_epsilon ((double) a->ss, (double) b->ss, 0.0051);
          g_assert_cmpfloat_with_epsilon ((double) a->intensity, (double) b->intensity, 0.01);
          g_assert_cmpfloat_with_epsilon (10 / (double) a->d, 10 / (double) b->d, 0.0051);
        }
      g_assert_cmpuint (read->lattices->len, ==, made->lattices->len);
      for (guint k = 0; k < made->lattices->len; k++)
        check_lattice (made, read, k);
    }
  g_assert_false (fl_stream_reader_next (reader, read));
  g_assert_cmpuint (fl_stream_reader_damaged (reader), ==, 0);
  remove_with_folder (path);
}

/* Cut at every byte of a small one, and mutated: whole chunks before a cut are still read, nothing crashes. */
static void
test_damage (void)
{
  g_autofree char *path = temporary_path ();
  g_autofree char *bytes = NULL;
  gsize length;
  write_stream (path, 4);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  for (gsize cut = 0; cut < length; cut += 37)
    {
      guint n = 0, whole = 0;
      g_assert_true (g_file_set_contents (path, bytes, (gssize) cut, NULL));
      for (const char *p = bytes; (p = g_strstr_len (p, bytes + cut - p, "----- End chunk -----")) != NULL;
           p++)
        whole++;
      g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, NULL);
      while (reader != NULL && fl_stream_reader_next (reader, pattern))
        n++;
      g_assert_cmpuint (n, ==, whole);
    }
  for (guint seed = 0; seed < 300; seed++)
    {
      FlRandom random = fl_random (seed);
      g_autofree char *bad = g_malloc (length);
      guint n = 0;
      memcpy (bad, bytes, length);
      for (guint k = 0; k < 30; k++)
        bad[fl_random_u64 (&random) % length] = (char) fl_random_u64 (&random);
      g_assert_true (g_file_set_contents (path, bad, (gssize) length, NULL));
      g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, NULL);
      while (reader != NULL && fl_stream_reader_next (reader, pattern))
        {
          n++;
          for (guint k = 0; k < pattern->reflections->len; k++)
            g_assert_cmpuint (g_array_index (pattern->reflections, FlReflectionRow, k).lattice, <,
                              pattern->lattices->len);
        }
      g_assert_cmpuint (n, <=, 4);
    }
  remove_with_folder (path);
}

static void
test_errors (void)
{
  g_autofree char *path = temporary_path ();
  GError *error = NULL;
  g_assert_null (fl_stream_reader_open (path, &error));
  g_assert_true (g_str_has_prefix (error->message, path));
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "CrystFEL reflection list version 2.0\n", -1, NULL));
  g_assert_null (fl_stream_reader_open (path, &error));
  g_assert_nonnull (strstr (error->message, "is not a stream"));
  g_clear_error (&error);
  remove_with_folder (path);
}

/* Streams without panel columns, and with the words of the first versions. */
static void
test_older (void)
{
  g_autofree char *path = temporary_path ();
  g_autofree char *text = g_strconcat (
      "CrystFEL stream format 2.1\nCommand line: indexamajig\n----- Begin geometry file -----\n", geometry,
      "----- End geometry file -----\n----- Begin chunk -----\nImage filename: a.h5\nindexed_by = dirax\n"
      "photon_energy_eV = 9000.0\nhdf5/x = 3\nnum_peaks = 1\nPeaks from peak search\n"
      "  fs/px   ss/px  (1/d)/nm^-1   Intensity\n 10.50 210.50 2.00 30.00\nEnd of peak list\n--- Begin "
      "crystal\n"
      "Cell parameters 10 10 10 nm, 90 90 90 deg\nastar = +0.1 +0.0 +0.0 nm^-1\nbstar = +0.0 +0.1 +0.0 "
      "nm^-1\n"
      "cstar = +0.0 +0.0 +0.1 nm^-1\nlattice_type = hexagonal\ncentering = H\n"
      "Reflections measured after indexing\n   h   k   l    I    sigma(I)   peak background  fs/px  ss/px\n"
      "   1   2   2   12.50   3.00   9.00   1.00   20.0   30.0\n   1   2  x   12.50   3.00   9.00   1.00   "
      "20.0   30.0\n"
      "End of reflections\n--- End crystal\n----- End chunk -----\n",
      NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, NULL);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  g_assert_true (fl_stream_reader_next (reader, pattern));
  const FlSpotRow *spot = &g_array_index (pattern->spots, FlSpotRow, 0);
  g_assert_true (spot->panel == 1 && spot->ss == 10.5f && spot->d == 5);
  g_assert_cmpint (pattern->frame, ==, -1);
  const FlLatticeRow *lattice = &g_array_index (pattern->lattices, FlLatticeRow, 0);
  g_assert_cmpuint (lattice->centring, ==, 'R');
  g_assert_cmpfloat_with_epsilon ((double) lattice->cell[1], 100, 1e-4);
  g_assert_cmpfloat_with_epsilon ((double) lattice->cell[5], FL_PI / 2, 1e-6);
  g_assert_cmpuint (pattern->reflections->len, ==, 1);
  const FlReflectionRow *r = &g_array_index (pattern->reflections, FlReflectionRow, 0);
  g_assert_cmpfloat_with_epsilon ((double) r->d, 100 / 3.0, 1e-4);
  /* |s0 + q| − 1/λ of q = (0.01, 0.02, 0.02) by hand */
  double k = 9000 / FL_EV_ANGSTROM;
  g_assert_cmpfloat_with_epsilon ((double) r->excitation, sqrt (0.0005 + (k + 0.02) * (k + 0.02)) - k, 1e-7);
  g_assert_cmpuint (fl_stream_reader_damaged (reader), ==, 1);
  remove_with_folder (path);
}

typedef struct
{
  guint chunks, lattices, reflections, spots, hits;
  double mean[6];
} Counts;

static Counts
count (const char *path)
{
  GError *error = NULL;
  Counts c = { 0 };
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  for (; fl_stream_reader_next (reader, pattern); c.chunks++)
    {
      c.hits += pattern->hit;
      c.spots += pattern->spots->len;
      c.reflections += pattern->reflections->len;
      for (guint i = 0; i < pattern->lattices->len; i++, c.lattices++)
        for (guint k = 0; k < 6; k++)
          c.mean[k] += (double) g_array_index (pattern->lattices, FlLatticeRow, i).cell[k];
    }
  for (guint k = 0; k < 6; k++)
    c.mean[k] /= c.lattices;
  g_assert_cmpuint (fl_stream_reader_damaged (reader), ==, 0);
  return c;
}

/* Numbers of truth/crystfel_streams.txt, taken by another reader from the lines "Cell parameters". */
static void
test_real (void)
{
  const char *data = g_getenv ("FIRSTLIGHT_TEST_DATA");
  g_autofree char *path = g_build_filename (data != NULL ? data : "", "crystfel", "test.stream", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("no test data");
      return;
    }
  const double mean[] = { 61.526, 122.686, 168.82, 89.9635, 90.0856, 90.3343 };
  Counts c = count (path);
  g_assert_cmpuint (c.chunks, ==, 70);
  g_assert_cmpuint (c.lattices, ==, 32);
  g_assert_cmpuint (c.reflections, ==, 7966);
  g_assert_cmpuint (c.hits, ==, 70);
  for (guint k = 0; k < 6; k++)
    g_assert_cmpfloat_with_epsilon (k < 3 ? c.mean[k] : fl_degrees (c.mean[k]), mean[k], 0.002);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stream/round-trip", test_round_trip);
  g_test_add_func ("/stream/damage", test_damage);
  g_test_add_func ("/stream/errors", test_errors);
  g_test_add_func ("/stream/older", test_older);
  g_test_add_func ("/stream/real", test_real);
  return g_test_run ();
}
