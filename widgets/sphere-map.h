/* sphere-map.h: how many things point along each direction of space where opposite ones are the same: the upper half of a sphere in
 * Lambert's equal-area projection, seen along z, so that equal areas of the picture are equal solid angles.
 *
 * Every place has the colour of the nearest direction given; directions that nothing points along are hatched. Rings are 30°, 60°
 * and 90° from z. Pointing at a place reads it. Property "summary" (string, read-only). Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  double place[3]; /* unit vector; −place is the same */
  double weight;
} FlwSphereDirection;

#define FLW_TYPE_SPHERE_MAP (flw_sphere_map_get_type ())
G_DECLARE_FINAL_TYPE (FlwSphereMap, flw_sphere_map, FLW, SPHERE_MAP, GtkWidget)

/* `things`: what is counted, for the colour bar and the summary ("patterns"). */
GtkWidget *flw_sphere_map_new (const char *title, const char *things);
/* Copies. A direction with a weight below `least` is empty. n 0: there is nothing to show. */
void flw_sphere_map_set (FlwSphereMap *map, guint n, const FlwSphereDirection *directions, double least);
/* The nearest direction; n of them: there are none. */
guint flw_sphere_nearest (guint n, const FlwSphereDirection *directions, const double place[3]);

G_END_DECLS
