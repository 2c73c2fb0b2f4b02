/* nufft-grid.h: the fine grid of the non-uniform transform and the way between it and the modes. */
#pragma once

#include "kernels/fft.h"
#include "kernels/nufft-window.h"

enum
{
  NUFFT_GRID_BEYOND = 16 /* readable numbers behind the grid, all 0 */
};

typedef struct
{
  FlkDevice *device;
  FlkPrecision precision;
  bool real;    /* modes and grid are real numbers */
  bool shifted; /* cell 0 is x = −½, else x = 0 */
  uint32_t modes[3], n[3];
  void *grid; /* [n[2]][n[1]][n[0]] */
  void *work; /* complex: the grid itself, or with real numbers [modes[2]][n[1]][n[0]] beside it */
  FlkFftLine lines[3];
  FlkBuffer factor[3], memory, beside;
} NufftGrid;

/* Sizes alone: n from `modes`; false: `message` (one line) says why. */
bool nufft_grid_size (NufftGrid *grid, const NufftWindow *window, double upsampling, char *message,
                      size_t message_size);
/* Tables and memory, after nufft_grid_size() and with device, precision, real and shifted set. False: flk_error(). */
bool nufft_grid_plan (NufftGrid *grid, const NufftWindow *window);
void nufft_grid_clear (NufftGrid *grid);
/* Device memory; `inverse`: exp (+2πi k·x). The grid is lost on the way to the modes. */
bool nufft_grid_from_modes (NufftGrid *grid, const void *modes, bool inverse);
bool nufft_grid_to_modes (NufftGrid *grid, void *modes, bool inverse);
size_t nufft_grid_bytes (const NufftGrid *grid);
