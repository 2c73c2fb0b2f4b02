/* pyramid.c: events of the weather plot, kept exactly and counted per time bucket at factor-2 levels. */
#include "kernels/pyramid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/pyramid-private.h"

enum
{
  FIRST_SHIFT = 20, /* 1 ms */
  BATCH = 1 << 24,  /* events sorted by row together */
  AHEAD = 24        /* events */
};

static void *
enlarge (void *memory, size_t n, size_t size)
{
  void *larger = n > SIZE_MAX / size ? NULL : realloc (memory, n * size);
  if (!larger)
    {
      fprintf (stderr, "weather plot: cannot allocate %zu × %zu bytes\n", n, size);
      abort ();
    }
  return larger;
}

FlkPyramid *
flk_pyramid_new (void)
{
  FlkPyramid *pyramid = enlarge (NULL, 1, sizeof *pyramid);
  memset (pyramid, 0, sizeof *pyramid);
  pyramid->shift = FIRST_SHIFT;
  return pyramid;
}

static void
row_drop_levels (Row *row)
{
  for (int l = 0; l < LEVELS; l++)
    free (row->levels[l].buckets);
  memset (row->levels, 0, sizeof row->levels);
}

void
flk_pyramid_free (FlkPyramid *pyramid)
{
  if (!pyramid)
    return;
  for (uint32_t i = 0; i < pyramid->n_rows; i++)
    {
      row_drop_levels (&pyramid->rows[i]);
      free (pyramid->rows[i].keys);
      free (pyramid->rows[i].ids);
    }
  free (pyramid->rows);
  free (pyramid);
}

static void
pyramid_need_rows (FlkPyramid *pyramid, uint32_t n)
{
  if (n > pyramid->allocated)
    {
      uint32_t allocated = n < 64 ? 64 : n + n / 2;
      pyramid->rows = enlarge (pyramid->rows, allocated, sizeof *pyramid->rows);
      pyramid->allocated = allocated;
    }
  if (n > pyramid->n_rows)
    {
      memset (pyramid->rows + pyramid->n_rows, 0, (n - pyramid->n_rows) * sizeof *pyramid->rows);
      pyramid->n_rows = n;
    }
}

static Bucket *
level_bucket (Level *level, uint64_t index)
{
  if (index >= level->n)
    {
      uint32_t n = (uint32_t) index + 1;
      n = n < 16 ? 16 : n + n / 2;
      level->buckets = enlarge (level->buckets, n, sizeof *level->buckets);
      memset (level->buckets + level->n, 0, (n - level->n) * sizeof *level->buckets);
      level->n = n;
    }
  return &level->buckets[index];
}

static void
row_count (const FlkPyramid *pyramid, Row *row, uint64_t time, uint32_t klass)
{
  uint64_t bucket = time >> pyramid->shift;
  for (int l = 0; l < LEVELS; l++)
    {
      uint16_t *count = &(*level_bucket (&row->levels[l], (bucket >> l) - (pyramid->first >> l)))[klass];
      *count = (uint16_t) (*count + (*count < UINT16_MAX));
    }
}

/* Counts of `finer` in pairs, added to `coarser`; `first` is the number of finer's first bucket. */
static void
level_pair (const Level *finer, Level *coarser, uint64_t first)
{
  for (uint32_t b = 0; b < finer->n; b++)
    for (int k = 0; k < FLK_PYRAMID_CLASSES; k++)
      if (finer->buckets[b][k])
        {
          uint16_t *count = &(*level_bucket (coarser, ((first + b) >> 1) - (first >> 1)))[k];
          uint32_t sum = (uint32_t) *count + finer->buckets[b][k];
          *count = (uint16_t) (sum < UINT16_MAX ? sum : UINT16_MAX);
        }
}

/* Buckets twice as wide: level 1 becomes level 0, and so on; the last is made of the one before. Memory stays with its
 * level: what grew so far will grow so far again. */
static void
pyramid_coarsen (FlkPyramid *pyramid)
{
  for (uint32_t i = 0; i < pyramid->n_rows; i++)
    {
      Row *row = &pyramid->rows[i];
      if (row->n == 0)
        continue;
      for (int l = 0; l + 1 < LEVELS; l++)
        {
          Level *level = &row->levels[l], *next = &row->levels[l + 1];
          level_bucket (level, next->n - 1);
          memcpy (level->buckets, next->buckets, next->n * sizeof (Bucket));
          memset (level->buckets + next->n, 0, (level->n - next->n) * sizeof (Bucket));
        }
      Level *last = &row->levels[LEVELS - 1];
      memset (last->buckets, 0, last->n * sizeof (Bucket));
      level_pair (&row->levels[LEVELS - 2], last, pyramid->first >> (LEVELS - 1));
    }
  pyramid->shift++;
  pyramid->first >>= 1;
}

static void
pyramid_recount (FlkPyramid *pyramid)
{
  for (uint32_t i = 0; i < pyramid->n_rows; i++)
    {
      Row *row = &pyramid->rows[i];
      row_drop_levels (row);
      for (size_t j = 0; j < row->n; j++)
        row_count (pyramid, row, key_time (pyramid, row->keys[j]), key_class (row->keys[j]));
    }
}

/* Makes the levels reach over [oldest, newest]. */
static void
pyramid_cover (FlkPyramid *pyramid, uint64_t oldest, uint64_t newest)
{
  bool earlier = pyramid->size > 0 && oldest >> pyramid->shift < pyramid->first;
  if (pyramid->size == 0)
    {
      pyramid->origin = pyramid->oldest = oldest;
      pyramid->newest = newest;
      pyramid->first = oldest >> pyramid->shift;
    }
  pyramid->oldest = oldest < pyramid->oldest ? oldest : pyramid->oldest;
  pyramid->newest = newest > pyramid->newest ? newest : pyramid->newest;
  if (earlier)
    {
      /* Some room before it, or the next one that is a little earlier would cost as much. */
      uint64_t room = (pyramid->newest - pyramid->oldest) / 8;
      uint64_t begin = pyramid->oldest > room ? pyramid->oldest - room : 0;
      while ((pyramid->newest >> pyramid->shift) - (begin >> pyramid->shift) >= BUCKETS)
        pyramid->shift++;
      pyramid->first = begin >> pyramid->shift;
      pyramid_recount (pyramid);
    }
  while ((pyramid->newest >> pyramid->shift) - pyramid->first >= BUCKETS)
    pyramid_coarsen (pyramid);
}

typedef struct
{
  uint64_t key, id;
} Entry;

static int
entry_compare (const void *a, const void *b)
{
  uint64_t x = ((const Entry *) a)->key, y = ((const Entry *) b)->key;
  return (x > y) - (x < y);
}

/* Merges the unsorted tail into the sorted rest. */
static void
row_sort (Row *row)
{
  size_t n_tail = row->n - row->sorted;
  Entry *tail = enlarge (NULL, n_tail, sizeof *tail);
  for (size_t i = 0; i < n_tail; i++)
    tail[i] = (Entry){ row->keys[row->sorted + i], row->ids[row->sorted + i] };
  qsort (tail, n_tail, sizeof *tail, entry_compare);
  size_t from = row->sorted, to = row->n;
  while (n_tail > 0)
    {
      bool old = from > 0 && row->keys[from - 1] > tail[n_tail - 1].key;
      row->keys[--to] = old ? row->keys[from - 1] : tail[n_tail - 1].key;
      row->ids[to] = old ? row->ids[from - 1] : tail[n_tail - 1].id;
      if (old)
        from--;
      else
        n_tail--;
    }
  free (tail);
  row->sorted = row->n;
}

static void
row_append (const FlkPyramid *pyramid, Row *row, const FlkEvent *event)
{
  uint32_t klass = event->klass < FLK_PYRAMID_CLASSES ? event->klass : FLK_PYRAMID_CLASSES - 1;
  uint64_t key = (event->time - pyramid->origin + ((uint64_t) 1 << 60)) << 3 | klass;
  if (row->n == row->allocated)
    {
      size_t allocated = row->n < 64 ? 64 : row->n + row->n / 2;
      row->keys = enlarge (row->keys, allocated, sizeof *row->keys);
      row->ids = enlarge (row->ids, allocated, sizeof *row->ids);
      row->allocated = allocated;
    }
  if (row->sorted == row->n && (row->n == 0 || row->keys[row->n - 1] <= key))
    row->sorted++;
  row->keys[row->n] = key;
  row->ids[row->n] = event->id;
  row->n++;
  row_count (pyramid, row, event->time, klass);
}

/* The events' indices, row by row, in their order: each row's memory is then visited once a batch. */
static uint32_t *
order_by_row (const FlkEvent *events, uint32_t n, uint32_t n_rows)
{
  uint32_t *order = enlarge (NULL, n, sizeof *order), *next = enlarge (NULL, n_rows, sizeof *next),
           before = 0;
  memset (next, 0, n_rows * sizeof *next);
  for (uint32_t i = 0; i < n; i++)
    next[events[i].row]++;
  for (uint32_t r = 0; r < n_rows; r++)
    {
      uint32_t here = next[r];
      next[r] = before;
      before += here;
    }
  for (uint32_t i = 0; i < n; i++)
    order[next[events[i].row]++] = i;
  free (next);
  return order;
}

/* Asks for the memory that an event of `row` will touch: a thousand rows' ends do not stay in the cache. */
static void
row_prefetch (const FlkPyramid *pyramid, const Row *row, uint64_t time)
{
  if (row->n == 0)
    return;
  uint64_t bucket = time >> pyramid->shift;
  __builtin_prefetch (&row->keys[row->n], 1);
  __builtin_prefetch (&row->ids[row->n], 1);
  for (int l = 0; l < LEVELS; l++)
    {
      uint64_t index = (bucket >> l) - (pyramid->first >> l);
      if (index < row->levels[l].n)
        __builtin_prefetch (&row->levels[l].buckets[index], 1);
    }
}

static void
append_batch (FlkPyramid *pyramid, const FlkEvent *events, uint32_t n)
{
  uint32_t *order = order_by_row (events, n, pyramid->n_rows);
  for (uint32_t i = 0; i < n; i++)
    {
      const FlkEvent *event = &events[order[i]];
      if (i + 2 * AHEAD < n)
        __builtin_prefetch (&pyramid->rows[events[order[i + 2 * AHEAD]].row]);
      if (i + AHEAD < n && events[order[i + AHEAD]].row != events[order[i + AHEAD - 1]].row)
        row_prefetch (pyramid, &pyramid->rows[events[order[i + AHEAD]].row], events[order[i + AHEAD]].time);
      Row *row = &pyramid->rows[event->row];
      row_append (pyramid, row, event);
      bool last_of_row = i + 1 == n || events[order[i + 1]].row != event->row;
      if (last_of_row && row->sorted != row->n)
        row_sort (row);
    }
  pyramid->size += n;
  free (order);
}

bool
flk_pyramid_append (FlkPyramid *pyramid, const FlkEvent *events, size_t n)
{
  if (n == 0)
    return true;
  uint64_t oldest = UINT64_MAX, newest = 0;
  uint32_t last_row = 0;
  for (size_t i = 0; i < n; i++)
    {
      oldest = events[i].time < oldest ? events[i].time : oldest;
      newest = events[i].time > newest ? events[i].time : newest;
      last_row = events[i].row > last_row ? events[i].row : last_row;
    }
  if (last_row >= FLK_PYRAMID_ROWS_MAX)
    return false;
  pyramid_need_rows (pyramid, last_row + 1);
  pyramid_cover (pyramid, oldest, newest);
  for (size_t i = 0; i < n; i += BATCH)
    append_batch (pyramid, events + i, (uint32_t) (n - i < BATCH ? n - i : BATCH));
  return true;
}

uint32_t
flk_pyramid_rows (const FlkPyramid *pyramid)
{
  return pyramid->n_rows;
}

uint64_t
flk_pyramid_size (const FlkPyramid *pyramid)
{
  return pyramid->size;
}

bool
flk_pyramid_span (const FlkPyramid *pyramid, uint64_t *first, uint64_t *last)
{
  *first = pyramid->oldest;
  *last = pyramid->newest;
  return pyramid->size > 0;
}

size_t
flk_pyramid_memory (const FlkPyramid *pyramid)
{
  size_t size = sizeof *pyramid + pyramid->allocated * sizeof *pyramid->rows;
  for (uint32_t i = 0; i < pyramid->n_rows; i++)
    {
      size += pyramid->rows[i].allocated * 2 * sizeof (uint64_t);
      for (int l = 0; l < LEVELS; l++)
        size += pyramid->rows[i].levels[l].n * sizeof (Bucket);
    }
  return size;
}

size_t
flk_row_find (const FlkPyramid *pyramid, const Row *row, uint64_t time)
{
  size_t low = 0, high = row->n;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;
      if (key_time (pyramid, row->keys[middle]) < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
flk_pyramid_count (const FlkPyramid *pyramid, uint64_t t0, uint64_t t1, uint32_t row0, uint32_t row1,
                   uint64_t counts[FLK_PYRAMID_CLASSES])
{
  memset (counts, 0, FLK_PYRAMID_CLASSES * sizeof *counts);
  for (uint32_t r = row0; r < row1 && r < pyramid->n_rows; r++)
    {
      const Row *row = &pyramid->rows[r];
      size_t end = flk_row_find (pyramid, row, t1);
      for (size_t i = flk_row_find (pyramid, row, t0); i < end; i++)
        counts[key_class (row->keys[i])]++;
    }
}

size_t
flk_pyramid_list (const FlkPyramid *pyramid, uint64_t t0, uint64_t t1, uint32_t row0, uint32_t row1,
                  FlkEvent *events, size_t capacity)
{
  size_t n = 0;
  for (uint32_t r = row0; r < row1 && r < pyramid->n_rows; r++)
    {
      const Row *row = &pyramid->rows[r];
      size_t end = flk_row_find (pyramid, row, t1);
      for (size_t i = flk_row_find (pyramid, row, t0); i < end; i++, n++)
        if (n < capacity)
          events[n] =
              (FlkEvent){ r, key_class (row->keys[i]), key_time (pyramid, row->keys[i]), row->ids[i] };
    }
  return n;
}

bool
flk_pyramid_last (const FlkPyramid *pyramid, uint32_t row_number, FlkEvent *event)
{
  if (row_number >= pyramid->n_rows || pyramid->rows[row_number].n == 0)
    return false;
  const Row *row = &pyramid->rows[row_number];
  uint64_t key = row->keys[row->n - 1];
  *event = (FlkEvent){ row_number, key_class (key), key_time (pyramid, key), row->ids[row->n - 1] };
  return true;
}
