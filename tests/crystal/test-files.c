/* mmCIF and MTZ: what a file says comes back; a damaged file is read or refused in one line that begins with its name. */

#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/known-cell.h"
#include "engine/crystal/mmcif.h"
#include "engine/crystal/mtz.h"

static char *
write_temporary (const char *bytes, gsize length)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("firstlight-crystal-XXXXXX", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, bytes, length), ==,
                   (gssize) length); /* g_file_set_contents() waits for the disk */
  g_close (fd, NULL);
  return path;
}

static const char cif_text[] =
    "# made by hand\n\ndata_1ABC\nloop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n"
    "_atom_site.label_atom_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n_atom_site."
    "occupancy\n"
    "_atom_site.B_iso_or_equiv\n_atom_site.pdbx_PDB_model_num\n"
    "ATOM 1 N N 3.225 10.299 10.432 1.00 5.28 1\n"
    "ATOM 2 C \"C1'\" 2.420 10.441 9.213(4) 0.50 7.90 1\n"
    "HETATM 3 ZN 'Z N' 1 2\n 3 ? . 1 # over two lines\n"
    "ATOM 4 N N 9 9 9 1 1 2\n#\n"
    "_struct.title\n;A title of two lines\n_cell.length_a 999\n;\n"
    "_cell.entry_id 1ABC\n_cell.length_a 79.100(3)\n_cell.length_b   79.1\n_CELL.LENGTH_C "
    "37.9\n_cell.angle_alpha 90\n"
    "_cell.angle_beta 90\n_cell.angle_gamma 90.00\n_symmetry.space_group_name_H-M 'P 43 21 2'\n"
    "_symmetry.Int_Tables_number ?\n_citation.author 'O'Neill; D.'\n_x.y a ;b\n"
    "data_other\n_cell.length_a 1\n";

static void
test_mmcif (void)
{
  g_autofree char *path = write_temporary (cif_text, strlen (cif_text));
  g_autoptr (GError) error = NULL;
  /* "a ;b" is one value too many: the semicolon does not stand at a line's start. */
  g_assert_null (fl_mmcif_read (path, &error));
  g_assert_nonnull (strstr (error->message, ";b"));
  g_clear_error (&error);
  g_autofree char *good = g_strdup (cif_text);
  memcpy (strstr (good, "a ;b"), "a   ", 4);
  g_assert_true (g_file_set_contents (path, good, -1, NULL));
  g_autoptr (FlModel) model = fl_model_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (model->n_atoms, ==, 3);
  g_assert_cmpuint (model->symmetry->n, ==, 8);
  g_assert_cmpfloat (fabs (model->cell.a - 79.1) + fabs (model->cell.c - 37.9), <, 1e-9);
  g_assert_true (model->atoms[1].factor == fl_form_factor ("C"));
  g_assert_cmpfloat (fabs (model->atoms[1].position.z - 9.213), <, 1e-12);
  g_assert_cmpfloat (model->atoms[1].occupancy, ==, 0.5);
  g_assert_true (model->atoms[2].factor == fl_form_factor ("Zn"));
  g_assert_cmpfloat (model->atoms[2].occupancy, ==, 1);
  g_assert_cmpfloat (model->atoms[2].b, ==, 0);
  FlKnownCell known;
  g_assert_true (fl_known_cell_from_file (path, &known, &error));
  g_assert_cmpuint (known.space_group, ==, 96);
  /* What is wrong may be a text of many lines; its message is one. */
  g_assert_true (g_file_set_contents (path, "data_x\n_cell.length_a\n;5\n2\n;\n", -1, NULL));
  g_assert_null (fl_model_read (path, &error));
  g_assert_nonnull (strstr (error->message, "'5 2', expected a number"));
  g_unlink (path);
}

/* The operators say more than the symbol. */
static void
test_mmcif_operators (void)
{
  static const char text[] =
      "data_x\n_cell.length_a 50\n_cell.length_b 60\n_cell.length_c 70\n_cell.angle_alpha 90\n"
      "_cell.angle_beta 100\n_cell.angle_gamma 90\n_space_group.name_H-M_alt 'Q 9'\nloop_\n"
      "_space_group_symop.id\n_space_group_symop.operation_xyz\n1 x,y,z\n2 '-x, y+1/2, -z'\n"
      "_atom_site.type_symbol C\n";
  g_autofree char *path = write_temporary (text, strlen (text));
  g_autoptr (GError) error = NULL;
  FlCell cell;
  g_autoptr (FlSymmetry) symmetry = NULL;
  fl_mmcif_read_cell (path, &cell, &symmetry, &error);
  g_assert_no_error (error);
  FlSpaceGroup group;
  fl_space_group_get (symmetry->hall, &group);
  g_assert_cmpstr (group.symbol, ==, "P 1 21 1");
  g_assert_null (fl_model_read (path, &error));
  g_assert_nonnull (strstr (error->message, "no atoms"));
  g_unlink (path);
}

/* A small file, and what is in it. */
static char *
small_mtz (gsize *length)
{
  FlCell cell;
  static const FlMiller hkl[4] = { { 1, 2, 3 }, { -5, 2, 0 }, { 4, 4, -4 }, { 0, 0, 7 } };
  static const double value[4] = { 10, -2.5, 1e5, 0.125 }, sigma[4] = { 1, 2, 3, 4 };
  static const guint batch[4] = { 2, 1, 7, 2 };
  g_assert_true (fl_cell_from_degrees ((double[]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &cell, NULL));
  g_autoptr (FlSymmetry) symmetry = fl_symmetry_from_symbol ("P 43 21 2", NULL);
  g_autoptr (FlMtz) mtz = fl_mtz_new_unmerged (&cell, symmetry, 1.3, 4, hkl, batch, value, sigma);
  g_autofree char *path = write_temporary ("", 0);
  g_autoptr (GError) error = NULL;
  fl_mtz_write (path, mtz, &error);
  g_assert_no_error (error);
  g_autoptr (FlMtz) head = fl_mtz_read_header (path, &error);
  g_assert_no_error (error);
  g_assert_null (head->data);
  g_assert_cmpuint (head->n, ==, 4);
  g_assert_cmpuint (head->n_batches, ==, 3);
  g_assert_cmpuint (head->space_group, ==, 96);
  g_assert_cmpfloat (fabs (head->wavelength - 1.3), <, 1e-6);
  g_autoptr (FlMtz) back = fl_mtz_read (path, &error);
  g_assert_no_error (error);
  int intensity = fl_mtz_column (back, "I"), isym = fl_mtz_column (back, "M/ISYM"), n = 0;
  g_assert_cmpint (intensity, ==, 5);
  g_assert_cmpint (isym, ==, 3);
  for (guint i = 0; i < 4; i++)
    for (guint j = 0; j < 4; j++)
      n += back->data[i * back->n_columns + 5] == (float) value[j]
           && back->data[i * back->n_columns + 4] == batch[j];
  g_assert_cmpint (n, ==, 4);
  FlKnownCell known;
  g_assert_true (fl_known_cell_from_file (path, &known, &error));
  g_assert_cmpuint (known.space_group, ==, 96);
  char *bytes;
  g_assert_true (g_file_get_contents (path, &bytes, length, NULL));
  g_unlink (path);
  return bytes;
}

typedef gboolean (*ReadFunc) (const char *path, GError **error);

static gboolean
read_mtz (const char *path, GError **error)
{
  g_autoptr (FlMtz) mtz = fl_mtz_read (path, error);
  return mtz != NULL;
}

static gboolean
read_mmcif (const char *path, GError **error)
{
  g_autoptr (FlModel) model = fl_mmcif_read (path, error);
  return model != NULL;
}

/* Cut short; with bytes changed (anywhere, and for every second one to something likely); with a stretch repeated. */
static void
batter (const char *bytes, gsize length, gsize from, guint rounds, ReadFunc read)
{
  FlRandom random = fl_random (3);
  guint refused = 0;
  for (guint i = 0; i < rounds; i++)
    {
      g_autofree char *changed = g_malloc (length);
      memcpy (changed, bytes, length);
      gsize n = i % 3 == 0 ? fl_random_u64 (&random) % length : length;
      for (guint j = 0; i % 3 != 0 && j < 1 + i % 4; j++)
        {
          gsize at = from + fl_random_u64 (&random) % (length - from);
          changed[at] =
              i % 2 ? (char) fl_random_u64 (&random) : "0123456789 -.ABCxyz'\""[fl_random_u64 (&random) % 21];
        }
      if (i % 7 == 1)
        {
          gsize a = fl_random_u64 (&random) % length, b = fl_random_u64 (&random) % length,
                size = fl_random_u64 (&random) % MIN (200, length - MAX (a, b));
          memmove (changed + a, changed + b, size);
        }
      g_autofree char *path = write_temporary (changed, n);
      g_autoptr (GError) error = NULL;
      if (!read (path, &error))
        {
          refused++;
          g_assert_nonnull (error);
          g_assert_true (g_str_has_prefix (error->message, path));
          g_assert_null (strchr (error->message, '\n'));
        }
      g_unlink (path);
    }
  g_test_message ("%u of %u refused", refused, rounds);
  g_assert_cmpuint (refused, >, rounds / 5);
}

static void
test_mtz (void)
{
  gsize length;
  g_autofree char *bytes = small_mtz (&length);
  batter (bytes, length, 0, 500, read_mtz);
  batter (bytes, length, length > 6000 ? 200 : 100, 2000, read_mtz); /* the header, most of it */
}

/* CCP4's programs list the batches again for each time that they opened the file. */
static void
test_mtz_batches_again (void)
{
  enum
  {
    RECORD = 80
  };
  gsize length;
  g_autofree char *bytes = small_mtz (&length);
  g_autoptr (GString) file = g_string_new_len (bytes, (gssize) length);
  gsize at = length - 2 * RECORD;
  while (memcmp (bytes + at, "BATCH ", 6) != 0 || memcmp (bytes + at + RECORD, "END ", 4) != 0)
    g_assert_cmpuint (at--, >, 0);
  g_autofree char *record = g_strndup (bytes + at, RECORD);
  for (guint times = 2; times <= 4; times++)
    {
      g_string_insert_len (file, (gssize) at, record, RECORD);
      if (times == 4)
        memset (file->str + at + strlen ("BATCH"), ' ', 7); /* the first of three */
      g_autofree char *path = write_temporary (file->str, file->len);
      g_autoptr (GError) error = NULL;
      g_autoptr (FlMtz) mtz = fl_mtz_read (path, &error);
      if (times < 4)
        g_assert_no_error (error);
      g_assert_true ((mtz != NULL) == (times < 4));
      g_assert_true (mtz == NULL || mtz->n_batches == 3);
      g_assert_true (mtz != NULL || strstr (error->message, "3 batches") != NULL);
      g_unlink (path);
    }
}

static void
test_battered_mmcif (void)
{
  g_autofree char *good = g_strdup (cif_text);
  memcpy (strstr (good, "a ;b"), "a   ", 4);
  batter (good, strlen (good), 0, 2000, read_mmcif);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/files/mmcif", test_mmcif);
  g_test_add_func ("/files/mmcif-operators", test_mmcif_operators);
  g_test_add_func ("/files/battered-mmcif", test_battered_mmcif);
  g_test_add_func ("/files/mtz", test_mtz);
  g_test_add_func ("/files/mtz-batches-again", test_mtz_batches_again);
  return g_test_run ();
}
