/* pixels.h: how kernels are told where a shot's pixels are. Plain data, read by the host and by every back end.
 *
 * A shot's pixels are one array in the file's native type; panels are rectangles in it: pixel (fs, ss) of a panel lies
 * at `offset + ss * stride + fs`. A pixel is good when its mask byte is 0, its raw value v is a number with
 * trusted_min < v < trusted_max, and its calibrated value is a number; its value is (v - pedestal) * factor.
 * Values are float inside kernels: whole numbers up to 2^24 are exact. */
#pragma once

#include <stdint.h>

/* What a kernel and the host both call. */
#if defined __CUDACC__
#define FLK_ANYWHERE __host__ __device__
#elif defined __HIP__
#define FLK_ANYWHERE __attribute__ ((host, device))
#else
#define FLK_ANYWHERE
#endif

/* The numbers are those of FlPixelType (engine/shots/source.h). */
typedef enum
{
  FLK_PIXEL_U8,
  FLK_PIXEL_U16,
  FLK_PIXEL_U32,
  FLK_PIXEL_I8,
  FLK_PIXEL_I16,
  FLK_PIXEL_I32,
  FLK_PIXEL_F32,
  FLK_PIXEL_F64
} FlkPixelType;

/* What kernels read of a shot. Pointers are device pointers (flk_stage()). */
typedef struct
{
  const void *data;      /* n_pixels of `type` */
  const uint8_t *mask;   /* n_pixels, 0 good; NULL: all good */
  const float *pedestal; /* n_pixels, subtracted; NULL: `pedestal_all` is */
  const float *factor;   /* n_pixels, multiplied; NULL: `factor_all` is (1 for uncalibrated data, not 0) */
  float pedestal_all, factor_all;
  int32_t type; /* FlkPixelType */
} FlkPixels;

typedef struct
{
  uint64_t offset, stride; /* pixels */
  uint32_t n_fs, n_ss;
  double trusted_min, trusted_max; /* raw values, not inside; -INFINITY and INFINITY where not known */
  uint32_t first_tile, tiles_fs;   /* filled by flk_panels_tile() */
} FlkPanel;

/* Panels are dealt to teams in tiles. Columns: what one team's shared memory holds. Rows: as many as a CPU likes
 * (fewer halo rows), few on a GPU (more teams). Results do not depend on it. */
enum
{
  FLK_TILE_FS = 256,
  FLK_TILE_SS_GPU = 32,
  FLK_TILE_SS_CPU = 512
};

/* Fills first_tile and tiles_fs of every panel; returns the number of tiles, which is the number of teams to launch.
 * `tile_ss`: FLK_TILE_SS_CPU where flk_device_is_host() holds, else FLK_TILE_SS_GPU. */
static inline uint32_t
flk_panels_tile (FlkPanel *panels, uint32_t n_panels, uint32_t tile_ss)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < n_panels; i++)
    {
      panels[i].first_tile = n;
      panels[i].tiles_fs = (panels[i].n_fs + FLK_TILE_FS - 1) / FLK_TILE_FS;
      n += panels[i].tiles_fs * ((panels[i].n_ss + tile_ss - 1) / tile_ss);
    }
  return n;
}
