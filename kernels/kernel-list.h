/* kernel-list.h: every kernel's name, once. A new kernel is a line here, NAME.c, NAME.h and a line in meson.build. */
/* Columns and macros that it would tear apart. */
/* clang-format off */
#pragma once

#define FLK_KERNELS(X)                                                                                                \
  X (calibrate)                                                                                                       \
  X (gain_modes)                                                                                                      \
  X (dispersion)                                                                                                      \
  X (dispersion_halo)                                                                                                 \
  X (dispersion_erode)                                                                                                \
  X (dispersion_extended)                                                                                             \
  X (adaptive_blocks)                                                                                                 \
  X (adaptive_spots)                                                                                                  \
  X (spots)                                                                                                           \
  X (fft_f32)                                                                                                         \
  X (fft_f64)                                                                                                         \
  X (nufft_c32_gather)                                                                                                \
  X (nufft_c32_spread)                                                                                                \
  X (nufft_c64_gather)                                                                                                \
  X (nufft_c64_spread)                                                                                                \
  X (nufft_r32_gather)                                                                                                \
  X (nufft_r32_spread)                                                                                                \
  X (nufft_r64_gather)                                                                                                \
  X (nufft_r64_spread)                                                                                                \
  X (orient_sparse)                                                                                                   \
  X (orient_dense)                                                                                                    \
  X (slices_gather)                                                                                                   \
  X (slices_total)                                                                                                    \
  X (slices_spread)                                                                                                   \
  X (means)                                                                                                           \
  X (toeplitz_multiply)                                                                                               \
  X (phasing_amplitudes)                                                                                              \
  X (phasing_update)                                                                                                  \
  X (phasing_blur)                                                                                                    \
  X (support_count)                                                                                                   \
  X (support_draw)                                                                                                    \
  X (volume_turn)                                                                                                     \
  X (shell_sums)                                                                                                      \
  X (project_fft)                                                                                                     \
  X (index_directions)                                                                                                \
  X (index_rotations)                                                                                                 \
  X (index_vectors)                                                                                                   \
  X (radial)                                                                                                          \
  X (ring_sums)                                                                                                       \
  X (ring_limits)                                                                                                     \
  X (ring_outliers)                                                                                                   \
  X (ring_strong)                                                                                                     \
  X (ring_split)                                                                                                      \
  X (ring_peaks)                                                                                                      \
  X (profile_values)                                                                                                  \
  X (profile_limits)                                                                                                  \
  X (profile_strong)                                                                                                  \
  X (colour)                                                                                                          \
  X (words)
