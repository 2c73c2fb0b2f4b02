#include "widgets/strip-data.h"

#include <math.h>

static FlwShotBlock *
block_new (guint n_columns)
{
  FlwShotBlock *block = g_new (FlwShotBlock, 1); /* shots and totals are written before they are counted */

  g_atomic_ref_count_init (&block->ref_count);
  for (guint c = 0; c < FLW_STRIP_MAX_COLUMNS; c++)
    block->values[c] = c < n_columns ? g_new (float, FLW_BLOCK) : NULL;
  return block;
}

static void
block_unref (gpointer pointer)
{
  FlwShotBlock *block = pointer;

  if (!g_atomic_ref_count_dec (&block->ref_count))
    return;
  for (guint c = 0; c < FLW_STRIP_MAX_COLUMNS; c++)
    g_free (block->values[c]);
  g_free (block);
}

static void
run_free (gpointer pointer)
{
  FlwRun *run = pointer;

  g_ptr_array_unref (run->blocks);
  g_free (run->label);
  g_free (run);
}

FlwStripData *
flw_strip_data_new (void)
{
  FlwStripData *data = g_new0 (FlwStripData, 1);
  data->runs = g_ptr_array_new_with_free_func (run_free);
  return data;
}

void
flw_strip_data_free (FlwStripData *data)
{
  g_ptr_array_unref (data->runs);
  g_free (data);
}

void
flw_strip_data_clear (FlwStripData *data)
{
  g_ptr_array_set_size (data->runs, 0);
  data->n_shots = 0;
  data->generation++;
}

FlwRun *
flw_strip_data_run (FlwStripData *data, guint run)
{
  return g_ptr_array_index (data->runs, run);
}

guint
flw_strip_data_add_run (FlwStripData *data, const char *label)
{
  FlwRun *run = g_new0 (FlwRun, 1);

  run->label = g_strdup (label);
  run->offset = data->n_shots;
  run->blocks = g_ptr_array_new_with_free_func (block_unref);
  g_ptr_array_add (data->runs, run);
  return data->runs->len - 1;
}

static void
append_shot (FlwStripData *data, FlwRun *run, guint8 klass, const float *const *values, guint i)
{
  guint at = (guint) (run->n % FLW_BLOCK), step = at / FLW_TOTALS;
  FlwShotBlock *block;
  FlwTotals *next;

  if (at == 0)
    {
      FlwShotBlock *last = run->n > 0 ? g_ptr_array_index (run->blocks, run->blocks->len - 1) : NULL;
      block = block_new (data->n_columns);
      if (last != NULL)
        block->totals[0] = last->totals[FLW_BLOCK / FLW_TOTALS];
      else
        memset (&block->totals[0], 0, sizeof block->totals[0]);
      g_ptr_array_add (run->blocks, block);
    }
  block = g_ptr_array_index (run->blocks, run->blocks->len - 1);
  next = &block->totals[step + 1];
  if (at % FLW_TOTALS == 0)
    *next = block->totals[step];
  block->klass[at] = MIN (klass, FLW_CLASS_FAILED);
  next->classes[block->klass[at]]++;
  for (guint c = 0; c < data->n_columns; c++)
    {
      float value = values != NULL && values[c] != NULL ? values[c][i] : NAN;
      block->values[c][at] = value;
      if (isfinite (value))
        {
          next->valued[c]++;
          next->sum[c] += value;
        }
    }
  run->n++;
}

void
flw_strip_data_append (FlwStripData *data, guint run_index, guint n, const guint8 *classes,
                       const float *const *values)
{
  FlwRun *run = flw_strip_data_run (data, run_index);
  gboolean moved = FALSE;

  for (guint i = 0; i < n; i++)
    append_shot (data, run, classes[i], values, i);
  for (guint r = run_index + 1; r < data->runs->len; r++)
    {
      FlwRun *later = flw_strip_data_run (data, r);
      later->offset += n;
      moved |= later->n > 0;
    }
  data->n_shots += n;
  data->generation += moved;
}

int
flw_strip_data_find (FlwStripData *data, double x)
{
  guint low = 0, high = data->runs->len;

  if (x < 0 || x >= (double) data->n_shots)
    return -1;
  while (high - low > 1)
    {
      guint middle = (low + high) / 2;
      if ((double) flw_strip_data_run (data, middle)->offset <= x)
        low = middle;
      else
        high = middle;
    }
  return (int) low;
}

FlwRunView *
flw_strip_data_views (FlwStripData *data, const guint64 *done)
{
  FlwRunView *views = g_new0 (FlwRunView, data->runs->len);

  for (guint r = 0; r < data->runs->len; r++)
    {
      FlwRun *run = flw_strip_data_run (data, r);
      views[r].offset = run->offset;
      views[r].n = run->n;
      views[r].done = done != NULL ? done[r] : 0;
      views[r].n_blocks = run->blocks->len;
      views[r].blocks = g_memdup2 (run->blocks->pdata, run->blocks->len * sizeof (gpointer));
      for (guint b = 0; b < run->blocks->len; b++)
        g_atomic_ref_count_inc (&views[r].blocks[b]->ref_count);
    }
  return views;
}

void
flw_run_views_free (FlwRunView *views, guint n_runs)
{
  for (guint r = 0; r < n_runs; r++)
    {
      for (guint b = 0; b < views[r].n_blocks; b++)
        block_unref (views[r].blocks[b]);
      g_free (views[r].blocks);
    }
  g_free (views);
}

void
flw_run_totals (const FlwRunView *run, guint n_columns, guint64 before, FlwTotals *totals)
{
  guint64 block_index = before / FLW_BLOCK;
  guint at = (guint) (before % FLW_BLOCK);
  const FlwShotBlock *block;

  if (before == 0)
    {
      memset (totals, 0, sizeof *totals);
      return;
    }
  if (at == 0) /* the block that begins here may not exist yet */
    {
      *totals = run->blocks[block_index - 1]->totals[FLW_BLOCK / FLW_TOTALS];
      return;
    }
  block = run->blocks[block_index];
  *totals = block->totals[at / FLW_TOTALS];
  for (guint i = at - at % FLW_TOTALS; i < at; i++)
    {
      totals->classes[block->klass[i]]++;
      for (guint c = 0; c < n_columns; c++)
        if (isfinite (block->values[c][i]))
          {
            totals->valued[c]++;
            totals->sum[c] += block->values[c][i];
          }
    }
}
