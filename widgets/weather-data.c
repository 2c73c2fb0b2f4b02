#include "widgets/weather-data.h"

#include <string.h>

static void
chunk_unref (gpointer chunk)
{
  if (g_atomic_ref_count_dec (&((FlwChunk *) chunk)->ref_count))
    g_free (chunk);
}

static void
slice_clear (gpointer slice)
{
  chunk_unref (((FlwSlice *) slice)->chunk);
}

static void
row_clear (gpointer pointer)
{
  FlwWeatherDataRow *row = pointer;

  g_ptr_array_unref (row->chunks);
  g_free (row->host);
  g_free (row->label);
}

static GArray *
slices_new (void)
{
  GArray *slices = g_array_new (FALSE, FALSE, sizeof (FlwSlice));
  g_array_set_clear_func (slices, slice_clear);
  return slices;
}

static void
slices_add (GArray *slices, FlwChunk *chunk, guint from)
{
  FlwSlice slice = { chunk, from, chunk->n };

  g_atomic_ref_count_inc (&chunk->ref_count);
  g_array_append_val (slices, slice);
}

FlwWeatherData *
flw_weather_data_new (void)
{
  FlwWeatherData *data = g_new0 (FlwWeatherData, 1);

  data->rows = g_array_new (FALSE, TRUE, sizeof (FlwWeatherDataRow));
  g_array_set_clear_func (data->rows, row_clear);
  data->fresh = g_ptr_array_new ();
  data->first = G_MAXINT64;
  data->last = G_MININT64;
  return data;
}

void
flw_weather_data_free (FlwWeatherData *data)
{
  g_array_unref (data->rows);
  g_ptr_array_unref (data->fresh);
  g_free (data);
}

void
flw_weather_data_clear (FlwWeatherData *data)
{
  g_ptr_array_set_size (data->fresh, 0);
  g_array_set_size (data->rows, 0);
  data->n_events = 0;
  memset (data->counts, 0, sizeof data->counts);
  data->first = G_MAXINT64;
  data->last = G_MININT64;
}

static void
grow_rows (FlwWeatherData *data, guint n)
{
  while (data->rows->len < n)
    {
      FlwWeatherDataRow row = { g_ptr_array_new_with_free_func (chunk_unref), NULL, NULL };
      g_array_append_val (data->rows, row);
    }
}

void
flw_weather_data_set_rows (FlwWeatherData *data, guint n, const FlwWeatherRow *rows)
{
  grow_rows (data, n);
  for (guint i = 0; i < n; i++)
    {
      FlwWeatherDataRow *row = &g_array_index (data->rows, FlwWeatherDataRow, i);
      g_free (row->host);
      g_free (row->label);
      row->host = g_strdup (rows[i].host);
      row->label = g_strdup (rows[i].label);
    }
}

static FlwChunk *
open_chunk (FlwWeatherData *data, guint row)
{
  GPtrArray *chunks = g_array_index (data->rows, FlwWeatherDataRow, row).chunks;
  FlwChunk *chunk = chunks->len > 0 ? g_ptr_array_index (chunks, chunks->len - 1) : NULL;

  if (chunk == NULL || chunk->n == FLW_CHUNK)
    {
      chunk = g_new (FlwChunk, 1); /* entries are written before they are counted */
      g_atomic_ref_count_init (&chunk->ref_count);
      chunk->row = row;
      chunk->n = chunk->fresh_from = 0;
      chunk->fresh = FALSE;
      chunk->first = G_MAXINT64;
      chunk->last = G_MININT64;
      g_ptr_array_add (chunks, chunk);
    }
  return chunk;
}

void
flw_weather_data_append (FlwWeatherData *data, guint n, const FlwWeatherEvent *events)
{
  for (guint i = 0; i < n; i++)
    {
      const FlwWeatherEvent *event = &events[i];
      guint64 total = 0, sum = 0;
      guint8 klass = MIN (event->klass, FLW_CLASS_FAILED);
      FlwChunk *chunk;
      gint64 end;
      guint at;

      grow_rows (data, event->row + 1);
      chunk = open_chunk (data, event->row);
      at = chunk->n;
      for (guint s = 0; s < FLW_WEATHER_STAGES; s++)
        total += event->duration[s];
      total = MIN (total, G_MAXUINT32);
      for (guint s = 0; s + 1 < FLW_WEATHER_STAGES; s++)
        {
          sum += event->duration[s];
          chunk->part[at][s] = total > 0 ? (guint8) MIN (sum * 255 / total, 255) : 0;
        }
      chunk->start[at] = event->start;
      chunk->id[at] = event->id;
      chunk->duration[at] = (guint32) total;
      chunk->klass[at] = klass;
      end = event->start + (gint64) total * 1000;
      chunk->first = MIN (chunk->first, event->start);
      chunk->last = MAX (chunk->last, end);
      data->first = MIN (data->first, event->start);
      data->last = MAX (data->last, end);
      data->counts[klass]++;
      chunk->n++;
      if (!chunk->fresh)
        {
          chunk->fresh = TRUE;
          chunk->fresh_from = at;
          g_ptr_array_add (data->fresh, chunk);
        }
    }
  data->n_events += n;
}

GArray *
flw_weather_data_slices (FlwWeatherData *data, guint first_row, guint end_row, gint64 from, gint64 to)
{
  GArray *slices = slices_new ();

  for (guint r = first_row; r < MIN (end_row, data->rows->len); r++)
    {
      GPtrArray *chunks = g_array_index (data->rows, FlwWeatherDataRow, r).chunks;
      for (guint i = 0; i < chunks->len; i++)
        {
          FlwChunk *chunk = g_ptr_array_index (chunks, i);
          if (chunk->first < to && chunk->last >= from)
            slices_add (slices, chunk, 0);
        }
    }
  return slices;
}

GArray *
flw_weather_data_take_fresh (FlwWeatherData *data)
{
  GArray *slices = slices_new ();

  for (guint i = 0; i < data->fresh->len; i++)
    {
      FlwChunk *chunk = g_ptr_array_index (data->fresh, i);
      slices_add (slices, chunk, chunk->fresh_from);
      chunk->fresh = FALSE;
    }
  g_ptr_array_set_size (data->fresh, 0);
  return slices;
}

void
flw_weather_data_count (FlwWeatherData *data, guint first_row, guint end_row, gint64 from, gint64 to,
                        guint64 counts[FLW_CLASS_LAST], FlwWeatherHit *hit)
{
  memset (counts, 0, FLW_CLASS_LAST * sizeof *counts);
  if (hit != NULL)
    hit->chunk = NULL;
  for (guint r = first_row; r < MIN (end_row, data->rows->len); r++)
    {
      GPtrArray *chunks = g_array_index (data->rows, FlwWeatherDataRow, r).chunks;
      for (guint i = 0; i < chunks->len; i++)
        {
          const FlwChunk *chunk = g_ptr_array_index (chunks, i);
          if (chunk->first >= to || chunk->last < from)
            continue;
          for (guint k = 0; k < chunk->n; k++)
            {
              gint64 start = chunk->start[k], end = start + (gint64) chunk->duration[k] * 1000;
              guint8 klass = chunk->klass[k];

              /* An event without duration is at its start. */
              if (start >= to || (end <= from && start < from))
                continue;
              counts[klass]++;
              if (hit != NULL
                  && (hit->chunk == NULL || klass > hit->chunk->klass[hit->entry]
                      || (klass == hit->chunk->klass[hit->entry]
                          && chunk->duration[k] > hit->chunk->duration[hit->entry])))
                *hit = (FlwWeatherHit){ chunk, k };
            }
        }
    }
}
