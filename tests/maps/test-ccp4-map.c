/* Files of maps: there and back, other orders of axes and bytes, damage; bricks and whole cells. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/ccp4-map.h"

static char *
temporary (void)
{
  char *path = NULL;
  int file = g_file_open_tmp ("map-XXXXXX.ccp4", &path, NULL);
  close (file);
  return path;
}

/* A map of P 43 21 2 that obeys it: a sum over the operators. */
static FlMap *
example (void)
{
  const int sampling[3] = { 24, 24, 16 };
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 30, 30, 20, 90, 90, 90 }, &cell, NULL));
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol ("P 43 21 2", NULL);
  FlMap *map = fl_map_new (&cell, symmetry, sampling, NULL, NULL);
  for (int k = 0; k < 16; k++)
    for (int j = 0; j < 24; j++)
      for (int i = 0; i < 24; i++)
        for (guint o = 0; o < symmetry->n; o++)
          {
            const FlSymmetryOperator *op = &symmetry->ops[o];
            const double x[3] = { i / 24.0, j / 24.0, k / 16.0 };
            double y[3];
            for (int a = 0; a < 3; a++)
              y[a] = op->r[a][0] * x[0] + op->r[a][1] * x[1] + op->r[a][2] * x[2] + op->t[a];
            *fl_map_at (map, i, j, k) += (float) (cos (2 * FL_PI * (y[0] + 2 * y[1])) * cos (2 * FL_PI * y[2])
                                                  + sin (2 * FL_PI * y[0]));
          }
  fl_map_measure (map);
  return map;
}

static void
check_same (const FlMap *a, const FlMap *b, double tolerance)
{
  g_assert_cmpmem (a->n, sizeof a->n, b->n, sizeof b->n);
  g_assert_cmpmem (a->start, sizeof a->start, b->start, sizeof b->start);
  g_assert_cmpmem (a->sampling, sizeof a->sampling, b->sampling, sizeof b->sampling);
  g_assert_cmpfloat (fabs (a->cell.a - b->cell.a) + fabs (a->cell.gamma - b->cell.gamma), <, 1e-5);
  g_assert_cmpuint (a->symmetry->hall, ==, b->symmetry->hall);
  for (gsize i = 0; i < fl_map_points (a); i++)
    g_assert_cmpfloat (fabs ((double) a->data[i] - (double) b->data[i]), <=, tolerance);
  g_assert_cmpfloat (fabs (a->sigma - b->sigma), <, 1e-5 + tolerance);
}

static void
test_round_trip (void)
{
  const int start[3] = { -3, 20, 7 }, n[3] = { 30, 9, 12 };
  g_autoptr (FlMap) whole = example (), brick = fl_map_cut (whole, start, n);
  const FlMap *both[] = { whole, brick };
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = temporary ();
      g_autoptr (GError) error = NULL;
      fl_map_write (path, both[i], "a test", &error);
      g_assert_no_error (error);
      g_autoptr (FlMap) back = fl_map_read (path, &error), head = fl_map_read_header (path, &error);
      g_assert_no_error (error);
      check_same (both[i], back, 0);
      g_assert_null (head->data);
      g_assert_cmpfloat (fabs (head->sigma - both[i]->sigma), <, 1e-5);
      g_unlink (path);
    }
}

static guint32
swapped (guint32 word)
{
  return GUINT32_SWAP_LE_BE (word);
}

/* Sections along b, rows along a, columns along c, as old programs like them, and in the other order of bytes. */
static void
test_axes (void)
{
  g_autoptr (FlMap) map = example ();
  guint32 header[256] = { 0 };
  const int order[3] = { 2, 0, 1 };
  const double cell[6] = { 30, 30, 20, 90, 90, 90 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *path = temporary ();
  for (int i = 0; i < 3; i++)
    {
      header[i] = (guint32) map->n[order[i]];
      header[7 + i] = (guint32) map->sampling[i];
      header[16 + i] = (guint32) order[i] + 1;
    }
  for (int i = 0; i < 6; i++)
    {
      float value = (float) cell[i];
      memcpy (&header[10 + i], &value, 4);
    }
  header[3] = 2;
  header[22] = 96;
  for (int i = 0; i < 256; i++)
    header[i] = swapped (header[i]);
  memcpy (&header[52], "MAP ", 4);
  memcpy (&header[53], "\x11\x11\0\0", 4);
  g_byte_array_append (bytes, (const guint8 *) header, sizeof header);
  for (int j = 0; j < map->n[1]; j++)
    for (int i = 0; i < map->n[0]; i++)
      for (int k = 0; k < map->n[2]; k++)
        {
          guint32 word;
          memcpy (&word, fl_map_at (map, i, j, k), 4);
          word = swapped (word);
          g_byte_array_append (bytes, (const guint8 *) &word, 4);
        }
  g_assert_true (g_file_set_contents (path, (const char *) bytes->data, bytes->len, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (FlMap) back = fl_map_read (path, &error);
  g_assert_no_error (error);
  check_same (map, back, 0);
  g_unlink (path);
}

static void
test_complete (void)
{
  g_autoptr (FlMap) whole = example ();
  const int start[3] = { 0, 0, 0 }, n[3] = { 24, 24, 3 }, few[3] = { 24, 24, 1 };
  g_autoptr (FlMap) brick = fl_map_cut (whole, start, n), thin = fl_map_cut (whole, start, few);
  g_autoptr (GError) error = NULL;
  g_autoptr (FlMap) back = fl_map_complete (brick, &error);
  g_assert_no_error (error);
  check_same (whole, back, 1e-4);
  g_assert_null (fl_map_complete (thin, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
  /* Between points it is linear. */
  const double at[3] = { 5.0 / 24, 30.25 / 24, -3.0 / 16 };
  double expected =
      0.75 * (double) *fl_map_at (whole, 5, 6, 13) + 0.25 * (double) *fl_map_at (whole, 5, 7, 13);
  g_assert_cmpfloat (fabs (fl_map_value (whole, at) - expected), <, 1e-5);
}

/* Cut off or with wrong bytes: a map or one line, never worse. */
static void
test_battered (void)
{
  g_autoptr (FlMap) map = example ();
  g_autofree char *path = temporary (), *whole = NULL;
  gsize length;
  FlRandom r = fl_random (1);
  g_assert_true (fl_map_write (path, map, "", NULL));
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  for (guint trial = 0; trial < 600; trial++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *copy = g_memdup2 (whole, length);
      gsize use = trial % 3 == 0 ? (gsize) (fl_random_unit (&r) * (double) length) : length;
      for (guint i = 0; i < 3 && trial % 3 != 0; i++)
        copy[(gsize) (fl_random_unit (&r) * 1100)] = (char) fl_random_u64 (&r);
      FILE *file = fopen (path, "wb"); /* g_file_set_contents() would wait for the disk */
      g_assert_cmpuint (fwrite (copy, 1, use, file), ==, use);
      fclose (file);
      g_autoptr (FlMap) back = fl_map_read (path, &error);
      g_assert_true ((back != NULL) != (error != NULL));
      if (error != NULL)
        {
          g_assert_true (g_str_has_prefix (error->message, path));
          g_assert_null (strchr (error->message, '\n'));
        }
    }
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/map-files/round-trip", test_round_trip);
  g_test_add_func ("/map-files/axes", test_axes);
  g_test_add_func ("/map-files/complete", test_complete);
  g_test_add_func ("/map-files/battered", test_battered);
  return g_test_run ();
}
