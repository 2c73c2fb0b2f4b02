#include "engine/maps/observations.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/crystal/hkl-file.h"
#include "engine/crystal/mtz.h"

#define MOST_FLAGS 100

/* Columns of an MTZ file; −1: none. */
typedef struct
{
  gboolean intensities;
  int value[2], sigma[2]; /* the second of each: the mate's */
  int free, phased, phase;
} FlColumns;

void
fl_observations_free (FlObservations *observations)
{
  if (observations == NULL)
    return;
  fl_symmetry_free (observations->symmetry);
  g_free (observations->columns);
  g_free (observations->phase_columns);
  g_free (observations->all);
  g_free (observations);
}

static gboolean G_GNUC_PRINTF (3, 4) wrong (const char *path, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", path, what);
  return FALSE;
}

/* --- which columns --- */

/* A column of type `value` with one of type `sigma` behind it, from `from` on. */
static int
pair (const FlMtz *mtz, guint from, char value, char sigma)
{
  for (guint i = from; i + 1 < mtz->n_columns; i++)
    if (mtz->columns[i].type == value && mtz->columns[i + 1].type == sigma)
      return (int) i;
  return -1;
}

static void
take_pairs (FlColumns *columns, int first, int second)
{
  columns->value[0] = first;
  columns->sigma[0] = first >= 0 ? first + 1 : -1;
  columns->value[1] = second;
  columns->sigma[1] = second >= 0 ? second + 1 : -1;
}

static gboolean
choose_columns (const FlMtz *mtz, FlColumns *columns)
{
  static const struct
  {
    char value, sigma;
    gboolean mates, intensities;
  } kinds[] = {
    { 'J', 'Q', FALSE, TRUE }, { 'F', 'Q', FALSE, FALSE }, { 'K', 'M', TRUE, TRUE }, { 'G', 'L', TRUE, FALSE }
  };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      int first = pair (mtz, 3, kinds[i].value, kinds[i].sigma), second = -1;
      if (first < 0)
        continue;
      if (kinds[i].mates)
        second = pair (mtz, (guint) first + 2, kinds[i].value, kinds[i].sigma);
      take_pairs (columns, first, second);
      columns->intensities = kinds[i].intensities;
      return TRUE;
    }
  return FALSE;
}

/* Labels that somebody named: value and sigma, perhaps those of the mate, too. */
static gboolean
name_columns (const FlMtz *mtz, const char *path, const char *text, FlColumns *columns, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (text, " ,\t", -1);
  int numbers[4] = { -1, -1, -1, -1 };
  guint n = 0;
  for (char **word = words; *word != NULL; word++)
    {
      if (**word == '\0')
        continue;
      int column = fl_mtz_column (mtz, *word);
      if (column < 3 || n == 4)
        return wrong (path, error, "has no column '%.40s', expected labels of a value and its sigma", *word);
      numbers[n++] = column;
    }
  if (n != 2 && n != 4)
    return wrong (path, error,
                  "map.columns = %.80s, expected labels of a value and its sigma, or of both mates'", text);
  for (guint i = 0; i < 2; i++)
    {
      columns->value[i] = numbers[2 * i];
      columns->sigma[i] = numbers[2 * i + 1];
    }
  char type = mtz->columns[numbers[0]].type;
  columns->intensities = type == 'J' || type == 'K';
  return TRUE;
}

/* A model's amplitude with its phase behind it. */
static void
find_phases (const FlMtz *mtz, FlColumns *columns)
{
  static const char *const labels[] = { "F-model", "FC", "FMODEL", "F_calc", "FCALC" };
  columns->phased = columns->phase = -1;
  for (guint l = 0; l < G_N_ELEMENTS (labels); l++)
    for (guint i = 3; i + 1 < mtz->n_columns && columns->phased < 0; i++)
      if (strchr ("FG", mtz->columns[i].type) != NULL && mtz->columns[i + 1].type == 'P'
          && g_ascii_strncasecmp (mtz->columns[i].label, labels[l], strlen (labels[l])) == 0)
        {
          columns->phased = (int) i;
          columns->phase = (int) i + 1;
        }
}

static int
find_free (const FlMtz *mtz)
{
  for (guint i = 3; i < mtz->n_columns; i++)
    {
      g_autofree char *label = g_ascii_strdown (mtz->columns[i].label, -1);
      if (mtz->columns[i].type == 'I' && strstr (label, "free") != NULL)
        return (int) i;
    }
  return -1;
}

static gboolean
find_columns (const FlMtz *mtz, const char *path, const char *text, FlColumns *columns, GError **error)
{
  take_pairs (columns, -1, -1);
  find_phases (mtz, columns);
  columns->free = find_free (mtz);
  if (text == NULL)
    return columns->phased >= 0
           || wrong (path, error, "has no amplitudes and phases of a model, expected columns FC and PHIC");
  if (fl_mtz_column (mtz, "BATCH") >= 0)
    return wrong (path, error, "is not merged, expected one row a reflection");
  if (*text != '\0')
    return name_columns (mtz, path, text, columns, error);
  return choose_columns (mtz, columns)
         || wrong (
             path, error,
             "has no intensities or amplitudes with sigmas, expected columns of type J and Q, or F and Q");
}

/* --- rows --- */

/* CCP4 numbers its sets and means 0; others write 0 and 1 and mean 1, or 0: the smaller half of two. */
static float
find_free_value (const FlMtz *mtz, int column)
{
  guint counts[2] = { 0 };
  gboolean more = FALSE;
  for (guint i = 0; i < mtz->n; i++)
    {
      float flag = mtz->data[(gsize) i * mtz->n_columns + (guint) column];
      if (flag == 0 || flag == 1)
        counts[flag == 1]++;
      else if (isfinite (flag))
        more = TRUE;
    }
  return !more && counts[1] < counts[0] ? 1 : 0;
}

/* The mean of both mates, weighted where both have sigmas. */
static void
read_value (const float *row, const FlColumns *columns, FlObserved *observed)
{
  double sums[2] = { 0 };
  observed->value = observed->sigma = NAN;
  for (guint i = 0; i < 2; i++)
    {
      double value = columns->value[i] >= 0 ? (double) row[columns->value[i]] : NAN;
      double sigma = columns->sigma[i] >= 0 ? (double) row[columns->sigma[i]] : NAN;
      if (!isfinite (value) || !isfinite (sigma) || !(sigma > 0))
        continue;
      sums[0] += 1 / (sigma * sigma);
      sums[1] += value / (sigma * sigma);
    }
  if (sums[0] > 0)
    {
      observed->value = sums[1] / sums[0];
      observed->sigma = sqrt (1 / sums[0]);
    }
}

static void
read_rows (const FlMtz *mtz, const FlColumns *columns, FlObservations *observations)
{
  observations->all = g_new0 (FlObserved, MAX (mtz->n, 1));
  for (guint i = 0; i < mtz->n; i++)
    {
      const float *row = mtz->data + (gsize) i * mtz->n_columns;
      if (!(fabsf (row[0]) < 10000 && fabsf (row[1]) < 10000 && fabsf (row[2]) < 10000))
        continue;
      FlObserved *o = &observations->all[observations->n++];
      *o = (FlObserved){ .hkl = { (int) row[0], (int) row[1], (int) row[2] }, .free = -1, .flag = NAN };
      read_value (row, columns, o);
      if (columns->free >= 0 && isfinite (row[columns->free]))
        {
          o->flag = row[columns->free];
          o->free = o->flag == observations->free_value;
        }
      if (columns->phased >= 0 && isfinite (row[columns->phased]) && isfinite (row[columns->phase]))
        o->phased = (double) row[columns->phased] * cexp (I * (double) row[columns->phase] * (G_PI / 180));
    }
}

static FlObservations *
read_mtz (const char *path, const char *text, GError **error)
{
  FlColumns columns = { 0 };
  g_autoptr (FlMtz) mtz = fl_mtz_read (path, error);
  if (mtz == NULL || !find_columns (mtz, path, text, &columns, error))
    return NULL;
  FlObservations *observations = g_new0 (FlObservations, 1);
  g_autoptr (GString) words = g_string_new (NULL);
  for (guint i = 0; i < 2 && columns.value[i] >= 0; i++)
    g_string_append_printf (words, "%s%s %s", i > 0 ? " " : "", mtz->columns[columns.value[i]].label,
                            mtz->columns[columns.sigma[i]].label);
  *observations = (FlObservations){
    .has_cell = TRUE,
    .cell = mtz->cell,
    .wavelength = mtz->wavelength,
    .symmetry = g_steal_pointer (&mtz->symmetry),
    .intensities = columns.intensities,
    .has_free = columns.free >= 0,
    .has_phases = columns.phased >= 0,
    .free_value = columns.free >= 0 ? find_free_value (mtz, columns.free) : 0,
    .columns = g_strdup (words->str),
  };
  if (columns.phased >= 0)
    observations->phase_columns =
        g_strdup_printf ("%s %s", mtz->columns[columns.phased].label, mtz->columns[columns.phase].label);
  read_rows (mtz, &columns, observations);
  return observations;
}

/* --- CrystFEL's --- */

/* What stands for sigma where no row says it, as in lists that were calculated: next to nothing. 0: the rows say it. */
static double
exact_sigma (const GArray *rows)
{
  double sum = 0;
  for (guint i = 0; i < rows->len; i++)
    {
      const FlHklRow *row = &g_array_index (rows, FlHklRow, i);
      if (row->sigma > 0)
        return 0;
      sum += fabs (row->intensity);
    }
  return isfinite (sum) && sum > 0 ? 1e-3 * sum / rows->len : 0;
}

static FlObservations *
read_hkl (const char *path, GError **error)
{
  FlSymmetry *symmetry = NULL;
  g_autoptr (GArray) rows = fl_hkl_file_rows (path, &symmetry, error);
  if (rows == NULL)
    return NULL;
  double exact = exact_sigma (rows);
  FlObservations *observations = g_new0 (FlObservations, 1);
  *observations = (FlObservations){ .symmetry = symmetry,
                                    .intensities = TRUE,
                                    .columns = g_strdup ("I sigma(I)"),
                                    .n = rows->len,
                                    .all = g_new0 (FlObserved, MAX (rows->len, 1)) };
  for (guint i = 0; i < rows->len; i++)
    {
      const FlHklRow *row = &g_array_index (rows, FlHklRow, i);
      double sigma = exact > 0 ? exact : row->sigma;
      gboolean good = isfinite (row->intensity) && sigma > 0;
      observations->all[i] = (FlObserved){ .hkl = row->hkl,
                                           .value = good ? row->intensity : NAN,
                                           .sigma = good ? sigma : NAN,
                                           .free = -1,
                                           .flag = NAN };
    }
  return observations;
}

FlObservations *
fl_observations_read (const char *path, const char *columns, GError **error)
{
  char head[4] = "";
  FILE *file = fopen (path, "rb");
  if (file != NULL)
    {
      gsize got = fread (head, 1, sizeof head, file);
      fclose (file);
      if (got == sizeof head && memcmp (head, "MTZ ", 4) == 0)
        return read_mtz (path, columns, error);
    }
  return read_hkl (path, error);
}
