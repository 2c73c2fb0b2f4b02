/* pyramid.h: the weather plot's store: 10^7 events (row, time, class), drawn without drawing points.
 *
 * A row is a rank; a class is an outcome, its number its severity (FlOutcome: 0 miss … 4 set aside). Events of each row
 * are kept sorted by time (16 bytes each, exact), and counted per (row, time bucket, class) at factor-2 levels. A raster
 * is made from the level that fits the view, or exactly from the events when few are visible. Each raster pixel holds
 * the most severe class present ("rare beats frequent") and how many events fell in it.
 *
 * Out of memory ends the program, as GLib does.
 * Thread: none of this locks. One thread at a time: hand the pyramid to one worker (rasters of 10^7 events take
 * milliseconds), or guard it; append of 10^4 events takes well under 1 ms, counting and listing microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum
{
  FLK_PYRAMID_CLASSES = 5,
  FLK_PYRAMID_ROWS_MAX = 1 << 20,
  FLK_PYRAMID_NONE = 0xff /* class of a raster pixel without events */
};

typedef struct
{
  uint32_t row;
  uint32_t klass; /* < FLK_PYRAMID_CLASSES; higher numbers are counted as the last */
  uint64_t time;  /* ns */
  uint64_t id;    /* the caller's: shot id, or an index */
} FlkEvent;

typedef struct FlkPyramid FlkPyramid;

FlkPyramid *flk_pyramid_new (void);
void flk_pyramid_free (FlkPyramid *pyramid);

/* Any order, any rows (new rows appear as needed). Events in time order per row are cheapest. False: a row number of
 * FLK_PYRAMID_ROWS_MAX or more; nothing was added. Times may differ by up to 36 years. */
bool flk_pyramid_append (FlkPyramid *pyramid, const FlkEvent *events, size_t n);

uint32_t flk_pyramid_rows (const FlkPyramid *pyramid);
uint64_t flk_pyramid_size (const FlkPyramid *pyramid);
/* Times of the first and the last event; false when empty. */
bool flk_pyramid_span (const FlkPyramid *pyramid, uint64_t *first, uint64_t *last);
/* Bytes that it takes. */
size_t flk_pyramid_memory (const FlkPyramid *pyramid);

/* What is looked at: times [t0, t1), rows [row0, row1), on width × height pixels; pixel (0, 0) is (t0, row0). Rows may
 * be fewer or more than pixels: a row takes several pixels, or a pixel several rows. */
typedef struct
{
  uint64_t t0, t1;
  uint32_t row0, row1;
  uint32_t width, height;
} FlkView;

/* Exact counts of a class in times [t0, t1), rows [row0, row1): the hover. */
void flk_pyramid_count (const FlkPyramid *pyramid, uint64_t t0, uint64_t t1, uint32_t row0, uint32_t row1,
                        uint64_t counts[FLK_PYRAMID_CLASSES]);
/* Its events, by row, then time: the click. Returns how many there are, of which the first `capacity` are written. */
size_t flk_pyramid_list (const FlkPyramid *pyramid, uint64_t t0, uint64_t t1, uint32_t row0, uint32_t row1,
                         FlkEvent *events, size_t capacity);
/* The last event of a row: false when it has none. */
bool flk_pyramid_last (const FlkPyramid *pyramid, uint32_t row, FlkEvent *event);

typedef enum
{
  FLK_RASTER_AUTO,  /* exact when that is cheap */
  FLK_RASTER_LEVEL, /* from the counts */
  FLK_RASTER_EXACT  /* from the events */
} FlkRasterPath;

/* Fills class and count of width × height pixels, rows of `width`. A pixel's count is of all classes. From a level, an
 * event can lie one pixel off, and counts are those of its buckets (of at most 65535 events each), scaled to the pixel's
 * width: right on the average, for brightness. Returns the largest count. */
uint32_t flk_pyramid_raster (const FlkPyramid *pyramid, const FlkView *view, FlkRasterPath path,
                             uint8_t *klass, uint32_t *count);

/* Brightness of a count: 256 steps. Make it once for a whole view, so that its tiles agree. */
typedef struct
{
  uint32_t max;
  uint32_t edges[256]; /* brightness i is for counts > edges[i - 1] and <= edges[i] */
} FlkBrightness;

void flk_brightness_log (FlkBrightness *brightness, uint32_t max);
/* Histogram-equalised over the pixels that have events. */
void flk_brightness_equalised (FlkBrightness *brightness, const uint32_t *count, size_t n);

/* To ARGB32 premultiplied: the class's colour (opaque ARGB32) times brightness (never below a third, so that a single
 * failed shot is seen), transparent where there is no event. */
void flk_pyramid_shade (const uint8_t *klass, const uint32_t *count, size_t n,
                        const FlkBrightness *brightness, const uint32_t colours[FLK_PYRAMID_CLASSES],
                        uint32_t *out);
