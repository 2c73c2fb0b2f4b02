/* pyramid-private.h: inside of FlkPyramid, for pyramid.c and pyramid-raster.c. */
#pragma once

#include "kernels/pyramid.h"

enum
{
  LEVELS = 7,    /* each of half the buckets of the one before */
  BUCKETS = 4096 /* at level 0, at most; when more are needed level 0 is dropped */
};

typedef uint16_t Bucket[FLK_PYRAMID_CLASSES];

typedef struct
{
  Bucket *buckets; /* bucket i counts times [(first >> l) + i] << (shift + l) … */
  uint32_t n;
} Level;

/* key = (time − origin + 2^60) << 3 | class: sorts by time, then class. */
typedef struct
{
  uint64_t *keys, *ids;
  size_t n, allocated;
  size_t sorted;   /* the first `sorted` are in order; all are, outside of flk_pyramid_append() */
  uint64_t newest; /* time; of the batch while appending */
  Level levels[LEVELS];
} Row;

struct FlkPyramid
{
  Row *rows;
  uint32_t n_rows, allocated;
  uint64_t size;
  uint64_t origin; /* ns, of the keys; set by the first event */
  uint64_t oldest, newest;
  int shift;      /* a bucket of level 0 is 2^shift ns */
  uint64_t first; /* bucket number (time >> shift) where the rows' level 0 begins */
};

static inline uint64_t
key_time (const FlkPyramid *pyramid, uint64_t key)
{
  return (key >> 3) - ((uint64_t) 1 << 60) + pyramid->origin;
}

static inline uint32_t
key_class (uint64_t key)
{
  return (uint32_t) (key & 7);
}

/* Index of the row's first event at `time` or later. */
size_t flk_row_find (const FlkPyramid *pyramid, const Row *row, uint64_t time);
