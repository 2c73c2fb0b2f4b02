/* ccp4-map.h: a density on a regular grid, and CCP4's and MRC's files of it (`.ccp4`, `.map`, `.mrc`; Cheng et al., MRC2014,
 * J. Struct. Biol. 192, 146, 2015).
 *
 * The grid divides the cell's edges into `sampling` parts; the map holds a brick of it: point (i, j, k) lies at fractional
 * ((start[0] + i) / sampling[0], …). A map of a whole cell has n = sampling and repeats without end. Thread: any; a map belongs
 * to one thread while it changes. */
#pragma once

#include "engine/crystal/cell.h"
#include "engine/crystal/symmetry.h"

typedef struct
{
  FlCell cell;
  FlSymmetry *symmetry; /* owned; P 1 where the file names none */
  int sampling[3];      /* points along a, b, c of the cell */
  int start[3];         /* of the first point held */
  int n[3];             /* points held */
  double origin[3]; /* Å: MRC's words 50–52, added by programs of electron microscopy; 0 in crystals' maps */
  float *data;      /* [n[2]][n[1]][n[0]]: along a fastest; e/Å³ in maps of ours; finite */
  double mean, sigma; /* of data; sigma is the root mean square deviation from the mean */
  double min, max, skewness;
} FlMap;

/* Zeroes. `start` NULL: the whole cell, and `n` is the sampling. Symmetry NULL: P 1. It is copied. */
FlMap *fl_map_new (const FlCell *cell, const FlSymmetry *symmetry, const int sampling[3], const int start[3],
                   const int n[3]);
void fl_map_free (FlMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMap, fl_map_free)

/* mean, sigma, min, max and skewness from the data. Done by whatever makes a map here; call it after a change. */
void fl_map_measure (FlMap *map);

static inline gsize
fl_map_points (const FlMap *map)
{
  return (gsize) map->n[0] * (gsize) map->n[1] * (gsize) map->n[2];
}

/* i, j, k count from the first point held. */
static inline float *
fl_map_at (const FlMap *map, int i, int j, int k)
{
  return &map->data[((gsize) k * (gsize) map->n[1] + (gsize) j) * (gsize) map->n[0] + (gsize) i];
}

/* Linear between the eight neighbours; the map is of a whole cell. */
double fl_map_value (const FlMap *map, const double fractional[3]);
/* A brick of a map of a whole cell, over its borders where need be. */
FlMap *fl_map_cut (const FlMap *whole, const int start[3], const int n[3]);
/* The whole cell from a brick, by symmetry and repetition. FL_ERROR_INPUT when the brick holds less than an asymmetric unit or the
 * grid does not obey the symmetry. */
FlMap *fl_map_complete (const FlMap *brick, GError **error);
/* Does a symmetry take the grid's points to the grid's points? */
gboolean fl_map_grid_obeys (const FlSymmetry *symmetry, const int sampling[3]);

/* Modes 0, 1, 2 and 6, both byte orders, any order of axes. Points that are not finite become the mean. Errors are one line. */
FlMap *fl_map_read (const char *path, GError **error);
/* All but the data, which is NULL; statistics as the file says. */
FlMap *fl_map_read_header (const char *path, GError **error);
/* Mode 2, little-endian, axes a, b, c, with symmetry records. `title` is the first label. The file appears whole or not at all. */
gboolean fl_map_write (const char *path, const FlMap *map, const char *title, GError **error);
