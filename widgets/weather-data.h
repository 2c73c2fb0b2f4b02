/* weather-data.h: the events behind a weather plot. Not for pages.
 *
 * Events lie in chunks of FLW_CHUNK a row, in the order in which they came; a chunk knows the time that it
 * spans, so that late events need no sorting. The main thread alone appends. A worker reads through slices:
 * references to chunks with the range of entries that existed when the slice was taken; those never change
 * again, so nothing is locked. */
#pragma once

#include "widgets/weather-plot.h"

#define FLW_CHUNK 512

typedef struct
{
  gatomicrefcount ref_count;
  guint row;
  guint n;          /* main thread only, as are the next two */
  guint fresh_from; /* first entry not yet handed out by take_fresh() */
  gboolean fresh;
  gint64 first, last; /* earliest start, latest end, ns; main thread only */
  gint64 start[FLW_CHUNK];
  guint64 id[FLW_CHUNK];
  guint32 duration[FLW_CHUNK];                    /* µs */
  guint8 part[FLW_CHUNK][FLW_WEATHER_STAGES - 1]; /* where stages 1–4 end, in 255ths of the duration */
  guint8 klass[FLW_CHUNK];
} FlwChunk;

typedef struct
{
  FlwChunk *chunk;
  guint from, to;
} FlwSlice;

typedef struct
{
  GPtrArray *chunks;
  char *host, *label;
} FlwWeatherDataRow;

typedef struct
{
  GArray *rows;     /* FlwWeatherDataRow */
  GPtrArray *fresh; /* FlwChunk, not owned: those with entries not yet taken */
  guint64 n_events;
  guint64 counts[FLW_CLASS_LAST];
  gint64 first, last; /* of all events; first > last: none */
} FlwWeatherData;

/* One event as a query gives it. */
typedef struct
{
  const FlwChunk *chunk; /* NULL: none */
  guint entry;
} FlwWeatherHit;

FlwWeatherData *flw_weather_data_new (void);
void flw_weather_data_free (FlwWeatherData *data);
void flw_weather_data_clear (FlwWeatherData *data);
void flw_weather_data_set_rows (FlwWeatherData *data, guint n, const FlwWeatherRow *rows);
void flw_weather_data_append (FlwWeatherData *data, guint n, const FlwWeatherEvent *events);
/* Slices of rows [first_row, end_row) that may overlap [from, to) ns. GArray of FlwSlice; owns references. */
GArray *flw_weather_data_slices (FlwWeatherData *data, guint first_row, guint end_row, gint64 from,
                                 gint64 to);
/* What came since the last time. */
GArray *flw_weather_data_take_fresh (FlwWeatherData *data);
/* Counts events that overlap [from, to) in rows [first_row, end_row). `hit` (may be NULL): of the highest
 * class among them, the longest. */
void flw_weather_data_count (FlwWeatherData *data, guint first_row, guint end_row, gint64 from, gint64 to,
                             guint64 counts[FLW_CLASS_LAST], FlwWeatherHit *hit);
/* Where stage `stage` (0–4) of an entry begins, ns; stage 5: its end. */
static inline gint64
flw_chunk_stage_start (const FlwChunk *chunk, guint entry, guint stage)
{
  gint64 duration = (gint64) chunk->duration[entry] * 1000;

  if (stage == 0)
    return chunk->start[entry];
  if (stage >= FLW_WEATHER_STAGES)
    return chunk->start[entry] + duration;
  return chunk->start[entry] + duration * chunk->part[entry][stage - 1] / 255;
}
