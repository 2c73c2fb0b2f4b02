/* messages-maps.h: densities and models that are asked of a serve child, as messages.h has images and logs: plain structs and
 * their serialised forms. Answers are immutable and shared by reference count (any thread). */
#pragma once

#include "engine/view/messages.h"

#define FL_VIEW_MAX_VOXELS (60u << 20) /* of a map in one reply */
#define FL_VIEW_MAX_ATOMS  (2u << 20)

typedef struct
{
  const char *path;        /* CCP4 or MRC */
  guint32 most;            /* voxels that are wanted; 0: FL_VIEW_MAX_VOXELS */
  FlViewEncoding encoding; /* the client sets it */
} FlViewMapRequest;

/* A grid in space; its values along the first index (the crystal's a) fastest. */
typedef struct
{
  guint32 n[3];        /* points */
  guint32 thinned;     /* each is the mean of so many of the file's along every axis; 1: it is the file's */
  double step[3][3];   /* Å from a point to the next along that axis, as x y z */
  double corner[3];    /* Å: of the first point */
  double cell[6];      /* Å, degrees */
  gboolean periodic;   /* the point after the last along an axis is the first */
  double mean, sigma;  /* of the file, or of the crystal where the file is a brick of it */
  double min, max;     /* of the file */
  guint32 n_operators; /* of the crystal, the identity first; 0: not told. What comes has none */
  gint32 (*operators)[12]; /* owned: point p has the value of point m·p + t, in points: m by rows, t */
  float *values;           /* [n[2]][n[1]][n[0]] */
} FlViewMap;

typedef struct
{
  double place[3]; /* Å */
  char element[8], name[8], residue[8], chain[8];
  gint32 number;
  char insertion, alternative; /* '\0': none */
} FlViewAtom;

typedef struct
{
  guint32 n_atoms;
  FlViewAtom *atoms;
} FlViewModel;

static inline gsize
fl_view_map_points (const FlViewMap *map)
{
  return (gsize) map->n[0] * map->n[1] * map->n[2];
}

/* With room for the values. */
FlViewMap *fl_view_map_new (const guint32 n[3]);
FlViewModel *fl_view_model_new (guint32 n_atoms);
void fl_view_map_free (FlViewMap *map);
void fl_view_model_free (FlViewModel *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewMap, fl_view_map_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewModel, fl_view_model_free)

GVariant *fl_view_map_request_encode (const FlViewMapRequest *request);
GVariant *fl_view_model_request_encode (const char *path);
gboolean fl_view_map_request_decode (GVariant *body, FlViewMapRequest *request, GError **error);
const char *fl_view_model_request_decode (GVariant *body);

/* FL_VIEW_RAW: as they are. FL_VIEW_COMPACT: a byte a point, asinh of the sigmas from the mean, so that a level is known to
 * 0.02–0.1 σ where one is drawn; the differences along a row, which deflate well; of points that the operators
 * make of one another, the first alone. */
GVariant *fl_view_map_encode (const FlViewMap *map, FlViewEncoding encoding);
GVariant *fl_view_model_encode (const FlViewModel *model);
/* FL_ERROR_INPUT when sizes or frame are not those of a grid. */
FlViewMap *fl_view_map_decode (GVariant *body, GError **error);
FlViewModel *fl_view_model_decode (GVariant *body, GError **error);
