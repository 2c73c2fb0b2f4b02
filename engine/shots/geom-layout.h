/* geom-layout.h: which part of which datasets a geometry's panels need, and where it lies in a shot's pixel array
 * (private to the room).
 *
 * Panels that are cut from one dataset share a slab: the smallest box of it that holds them all, read in one piece. */
#pragma once

#include "engine/shots/detector.h"
#include "engine/shots/geom.h"

typedef struct
{
  char *data; /* path, with % */
  guint n_dims;
  int dims[FL_GEOM_DIMS];    /* FL_GEOM_DIM_FRAME, _SS, _FS or 0: fixed indices */
  guint64 low[FL_GEOM_DIMS]; /* first index and number of indices in each dimension; 0, 1 for the frame's */
  guint64 count[FL_GEOM_DIMS];
  gsize stride[FL_GEOM_DIMS]; /* px between neighbours in the shot's array */
  gsize offset, n_pixels;     /* in the shot's array */
} FlGeomSlab;

typedef struct
{
  GArray *slabs; /* of FlGeomSlab */
  gsize n_pixels;
  guint n_panels;    /* no_index left out */
  guint *panel_slab; /* n_panels */
  guint *geom_panel; /* n_panels: index in FlGeom.panels */
  gsize *panel_offset;
} FlGeomLayout;

FlGeomLayout *fl_geom_layout_new (const FlGeom *geom, GError **error);
void fl_geom_layout_free (FlGeomLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGeomLayout, fl_geom_layout_free)

/* The detector at a camera length (mm) and photon energy (eV; 0 = not known), with what the geometry itself says about
 * bad pixels: gaps, bad regions, edges. Mask files are the reader's. */
FlDetector *fl_geom_detector (const FlGeom *geom, const FlGeomLayout *layout, double clen, double energy);
