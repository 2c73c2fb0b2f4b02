/* fourier.h: Fourier coefficients of a map over one cell, and the map of coefficients.
 *
 * Self-sorting mixed-radix transforms (Stockham; Temperton, J. Comput. Phys. 52, 1, 1983) in double precision, axis by axis,
 * only as far as indices are wanted. Thread: any. */
#pragma once

#include <complex.h>
#include <glib.h>

/* The smallest product of 2, 3 and 5 that is not below. */
int fl_fourier_size (int at_least);

/* [2 limits[0] + 1][2 limits[1] + 1][limits[2] + 1] (l ≥ 0): the mean over the grid of map · exp(2πi h·x). `map` is
 * [n[0]][n[1]][n[2]]; sizes as fl_fourier_size() gives them, limits below half of them. Free with g_free. */
double complex *fl_fourier_coefficients (const float *map, const int n[3], const int limits[3]);

/* The other way: map[n[2]][n[1]][n[0]], x fastest, = Σ_h F(h) exp(−2πi h·x) of a real map, whose F(−h) = F(h)*. `half` is
 * [2 limits[2] + 1][2 limits[1] + 1][limits[0] + 1], h from 0; F(0kl) and F(0−k−l) both stand there. Limits below half of
 * the sizes. */
void fl_fourier_synthesis (const double complex *half, const int limits[3], const int n[3], float *map);

/* in[n][batch] → out[n][batch], Σ_x in[x] exp(2πi h x/n). `in` is overwritten; the result lies in `in` or in `work` (of the same
 * size): the return value says where. */
double complex *fl_fourier_transform (double complex *in, double complex *work, int n, gsize batch);
