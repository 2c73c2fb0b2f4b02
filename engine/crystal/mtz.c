#include "engine/crystal/mtz.h"

#include <ccp4/ccp4_errno.h>
#include <ccp4/cmtzlib.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/asu.h"
#include "engine/crystal/space-group.h"

void
fl_mtz_free (FlMtz *mtz)
{
  if (mtz == NULL)
    return;
  g_free (mtz->title);
  g_free (mtz->group);
  fl_symmetry_free (mtz->symmetry);
  g_free (mtz->columns);
  g_free (mtz->data);
  g_free (mtz);
}

int
fl_mtz_column (const FlMtz *mtz, const char *label)
{
  for (guint i = 0; i < mtz->n_columns; i++)
    if (strcmp (mtz->columns[i].label, label) == 0)
      return (int) i;
  return -1;
}

/* --- making --- */

static FlSymmetry *
copy_symmetry (const FlSymmetry *symmetry)
{
  FlSymmetry *copy = g_new (FlSymmetry, 1);
  *copy = *symmetry;
  copy->ops = g_new (FlSymmetryOperator, symmetry->n);
  memcpy (copy->ops, symmetry->ops, symmetry->n * sizeof *symmetry->ops);
  return copy;
}

FlMtz *
fl_mtz_new (const FlCell *cell, const FlSymmetry *symmetry, double wavelength, guint n)
{
  FlMtz *mtz = g_new0 (FlMtz, 1);
  *mtz = (FlMtz){ .title = g_strdup (""),
                  .group = g_strdup (""),
                  .cell = *cell,
                  .wavelength = wavelength,
                  .n = n,
                  .n_columns = 3 };
  mtz->symmetry = copy_symmetry (symmetry);
  mtz->columns = g_new0 (FlMtzColumn, 3);
  for (int i = 0; i < 3; i++)
    mtz->columns[i] = (FlMtzColumn){ .label = { (char) ('H' + (i == 0 ? 0 : i + 2)) }, .type = 'H' };
  mtz->data = g_new0 (float, MAX ((gsize) n * 3, 1));
  return mtz;
}

guint
fl_mtz_add_column (FlMtz *mtz, const char *label, char type)
{
  guint old = mtz->n_columns, wide = old + 1;
  float *data = g_new (float, MAX ((gsize) mtz->n * wide, 1));
  for (gsize i = 0; i < mtz->n; i++)
    {
      memcpy (data + i * wide, mtz->data + i * old, old * sizeof (float));
      data[i * wide + old] = NAN;
    }
  g_free (mtz->data);
  mtz->data = data;
  mtz->n_columns = wide;
  mtz->columns = g_renew (FlMtzColumn, mtz->columns, wide);
  mtz->columns[old] = (FlMtzColumn){ .type = type };
  g_strlcpy (mtz->columns[old].label, label, FL_MTZ_LABEL);
  return old;
}

static void
put_indices (float *row, FlMiller m)
{
  row[0] = (float) m.h;
  row[1] = (float) m.k;
  row[2] = (float) m.l;
}

FlMtz *
fl_mtz_new_merged (const FlCell *cell, const FlSymmetry *symmetry, double wavelength, guint n,
                   const FlMiller *hkl, const double *intensity, const double *sigma,
                   const guint *multiplicity)
{
  FlMtz *mtz = fl_mtz_new (cell, symmetry, wavelength, n);
  FlAsu asu = fl_asu_new (symmetry);
  fl_mtz_add_column (mtz, "IMEAN", 'J');
  fl_mtz_add_column (mtz, "SIGIMEAN", 'Q');
  if (multiplicity != NULL)
    fl_mtz_add_column (mtz, "N", 'I');
  for (guint i = 0; i < n; i++)
    {
      float *row = mtz->data + (gsize) i * mtz->n_columns;
      put_indices (row, fl_asu_map (&asu, symmetry, hkl[i], NULL));
      row[3] = (float) intensity[i];
      row[4] = (float) sigma[i];
      if (multiplicity != NULL)
        row[5] = (float) multiplicity[i];
    }
  return mtz;
}

FlMtz *
fl_mtz_new_unmerged (const FlCell *cell, const FlSymmetry *symmetry, double wavelength, guint n,
                     const FlMiller *hkl, const guint *batch, const double *intensity, const double *sigma)
{
  FlMtz *mtz = fl_mtz_new (cell, symmetry, wavelength, n);
  FlAsu asu = fl_asu_new (symmetry);
  fl_mtz_add_column (mtz, "M/ISYM", 'Y');
  fl_mtz_add_column (mtz, "BATCH", 'B');
  fl_mtz_add_column (mtz, "I", 'J');
  fl_mtz_add_column (mtz, "SIGI", 'Q');
  for (guint i = 0; i < n; i++)
    {
      float *row = mtz->data + (gsize) i * mtz->n_columns;
      guint isym;
      put_indices (row, fl_asu_map (&asu, symmetry, hkl[i], &isym));
      row[3] = (float) isym;
      row[4] = (float) batch[i];
      row[5] = (float) intensity[i];
      row[6] = (float) sigma[i];
    }
  return mtz;
}

/* --- writing --- */

static gboolean
fail (GError **error, int code, const char *path, const char *what)
{
  g_set_error (error, FL_ERROR, code, "%s: %s", path, what);
  return FALSE;
}

static int
compare_rows (gconstpointer a, gconstpointer b, gpointer columns)
{
  const float *x = a, *y = b;
  const int *by = columns;
  for (int i = 0; i < 5 && by[i] >= 0; i++)
    if (x[by[i]] != y[by[i]])
      return x[by[i]] < y[by[i]] ? -1 : 1;
  return 0;
}

static void
put_symmetry (MTZ *file, const FlSymmetry *symmetry)
{
  static float ops[192][4][4];
  FlSpaceGroup group = { .symbol = "unknown", .centring = 'P' };
  char lattice[2] = "", number[24], point_group[11];
  guint primitive = 0;
  if (symmetry->hall != 0)
    fl_space_group_get (symmetry->hall, &group);
  memset (ops, 0, sizeof ops);
  for (guint n = 0; n < symmetry->n; n++)
    {
      const FlSymmetryOperator *op = &symmetry->ops[n];
      gboolean known = FALSE;
      for (guint m = 0; m < n; m++)
        known = known || memcmp (op->r, symmetry->ops[m].r, sizeof op->r) == 0;
      primitive += !known;
      for (int i = 0; i < 3; i++)
        {
          for (int j = 0; j < 3; j++)
            ops[n][i][j] = (float) op->r[i][j];
          ops[n][i][3] = (float) op->t[i];
        }
      ops[n][3][3] = 1;
    }
  lattice[0] = group.centring;
  char *colon = strchr (group.symbol, ':'); /* CCP4 says H 3 2 and has no origins */
  if (colon != NULL && colon[1] == 'H')
    group.symbol[0] = 'H';
  if (colon != NULL)
    *colon = '\0';
  g_strlcpy (number, group.symbol, MAXSPGNAMELENGTH);
  g_snprintf (point_group, sizeof point_group, "PG%s", group.point_group);
  ccp4_lwsymm (file, (int) symmetry->n, (int) primitive, ops, lattice, (int) group.number, number,
               point_group);
}

/* A header for each number in the BATCH column, in order: cell and wavelength, the rest unknown. */
static void
put_batches (MTZ *file, const FlMtz *mtz, const float *cell, int column, int set)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  MTZBAT **last = &file->batch;
  for (guint i = 0; i < mtz->n; i++)
    g_hash_table_add (seen, GINT_TO_POINTER ((int) mtz->data[(gsize) i * mtz->n_columns + (guint) column]));
  GList *numbers = g_hash_table_get_keys (seen);
  for (GList *item = numbers; item != NULL; item = item->next)
    {
      MTZBAT *batch = MtzMallocBatch ();
      *last = batch;
      last = &batch->next;
      batch->num = GPOINTER_TO_INT (item->data);
      batch->nbsetid = set;
      batch->ncryst = 1;
      batch->ldtype = 2;
      memcpy (batch->cell, cell, sizeof batch->cell);
      batch->alambd = (float) mtz->wavelength;
      batch->umat[0] = batch->umat[4] = batch->umat[8] = 1;
    }
  file->batch = sort_batches (file->batch, (int) g_list_length (numbers));
  file->n_orig_bat = (int) g_list_length (numbers);
  g_list_free (numbers);
}

static MTZ *
build_file (const FlMtz *mtz)
{
  const FlCell *c = &mtz->cell;
  float cell[6] = { (float) c->a,
                    (float) c->b,
                    (float) c->c,
                    (float) fl_degrees (c->alpha),
                    (float) fl_degrees (c->beta),
                    (float) fl_degrees (c->gamma) };
  MTZ *file = MtzMalloc (0, NULL);
  if (file == NULL)
    return NULL;
  file->refs_in_memory = 1;
  file->nref = (int) mtz->n;
  ccp4_lwtitl (file, *mtz->title != '\0' ? mtz->title : "Firstlight", 0);
  put_symmetry (file, mtz->symmetry);
  MTZXTAL *base = MtzAddXtal (file, "HKL_base", "HKL_base", cell), *crystal;
  MTZSET *indices = MtzAddDataset (file, base, "HKL_base", 0), *set;
  crystal = MtzAddXtal (file, "crystal", "project", cell);
  set = MtzAddDataset (file, crystal, "dataset", (float) mtz->wavelength);
  indices->setid = 0;
  base->xtalid = 0;
  set->setid = 1;
  crystal->xtalid = 1;
  for (guint i = 0; i < mtz->n_columns; i++)
    {
      char type[2] = { mtz->columns[i].type, '\0' };
      gboolean is_index = *type == 'H' || *type == 'Y' || *type == 'B';
      MTZCOL *column = MtzAddColumn (file, is_index ? indices : set, mtz->columns[i].label, type);
      if (column == NULL || (column->ref == NULL && mtz->n > 0))
        {
          MtzFree (file);
          return NULL;
        }
      column->source = i + 1;
      for (guint r = 0; r < mtz->n; r++)
        {
          float value = mtz->data[(gsize) r * mtz->n_columns + i];
          column->ref[r] = value;
          if (isnan (value))
            continue;
          column->min = MIN (column->min, value);
          column->max = MAX (column->max, value);
        }
    }
  int batch = fl_mtz_column (mtz, "BATCH");
  if (batch >= 0)
    put_batches (file, mtz, cell, batch, set->setid);
  return file;
}

gboolean
fl_mtz_write (const char *path, FlMtz *mtz, GError **error)
{
  int by[5] = { 0, 1, 2, fl_mtz_column (mtz, "M/ISYM"), fl_mtz_column (mtz, "BATCH") };
  g_qsort_with_data (mtz->data, (int) mtz->n, mtz->n_columns * sizeof (float), compare_rows, by);
  g_autofree char *partial = g_strconcat (path, ".part", NULL);
  FILE *there = fopen (partial, "wb"); /* the library could not say why not */
  if (there == NULL)
    return fail (error, FL_ERROR_FAILED, path, g_strerror (errno));
  fclose (there);
  ccp4_liberr_verbosity (0);
  MTZ *file = build_file (mtz);
  if (file == NULL)
    {
      g_unlink (partial);
      return fail (error, FL_ERROR_FAILED, path, "libccp4 cannot make the file");
    }
  MTZCOL *order[5] = { NULL };
  for (int i = 0; i < 5 && by[i] >= 0; i++)
    order[i] = MtzColLookup (file, mtz->columns[by[i]].label);
  MtzSetSortOrder (file, order);
  gboolean good = MtzPut (file, partial) == 1;
  MtzFree (file);
  g_autoptr (GError) local = NULL;
  g_autoptr (FlMtz) back = good ? fl_mtz_read_header (partial, &local) : NULL;
  if (back == NULL) /* a full disk shows here */
    {
      g_unlink (partial);
      return fail (error, FL_ERROR_FAILED, path, "cannot be written; is the disk full?");
    }
  if (g_rename (partial, path) == 0)
    return TRUE;
  fail (error, FL_ERROR_FAILED, path, g_strerror (errno));
  g_unlink (partial);
  return FALSE;
}
