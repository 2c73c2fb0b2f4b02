/* density-view.h: electron density around a place, in three dimensions: isosurfaces of up to two maps, slices, a model.
 *
 * The view knows no file: it is given volumes (density-volume.h), a model (density-model.h) and peaks. The first map is
 * drawn in blue at one level; a second one, where it is a difference, in green at +level and red at −level. Either may have a
 * rival (the other half map, the version before), which is shown right of a divider that is dragged or set by "split".
 * Pictures are made on the GPU where a real one draws on this display, else by rays cast on the CPU in a worker: coarse
 * while something moves, then in full. What draws is said in the corner.
 *
 * Mouse: drag turns, middle drag or Shift + drag pans, right drag zooms; wheel changes the level of the first map, Shift +
 * wheel of the second, Ctrl + wheel zooms; a click selects an atom or peak, a double click centres on it. Keys: arrows
 * turn, Shift + arrows pan, + − zoom, F shows all; Page Up, Page Down change the level (Shift: of the second map); M mesh,
 * glass, solid; L lines or sticks; B labels; S slices; D hides and shows the second map; [ ] a thinner or thicker slab;
 * Space and Backspace go along the residues, N and P along the peaks; C or Return centre on what is selected; , .
 * move the divider; U levels in σ or in the map's unit.
 *
 * Properties: "summary", "readout", "renderer" (strings, read-only), "style" (FlwDensityStyle), "slice" (FlwDensitySlice),
 * "split" (0–1), "sticks", "labels", "absolute" (boolean). Signals: "level-changed" (guint map), "camera-changed" (), "picture-changed" (),
 * "atom-selected" (guint), "peak-selected" (guint). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/density-scene.h"

G_BEGIN_DECLS

#define FLW_TYPE_DENSITY_VIEW (flw_density_view_get_type ())
G_DECLARE_FINAL_TYPE (FlwDensityView, flw_density_view, FLW, DENSITY_VIEW, GtkWidget)

typedef enum
{
  FLW_DENSITY_AUTOMATIC, /* the GPU if a real one draws here */
  FLW_DENSITY_CPU,
  FLW_DENSITY_GL /* whatever draws, e.g. for tests */
} FlwDensityRenderer;

GtkWidget *flw_density_view_new (void);
/* Before the view is first shown. */
void flw_density_view_set_renderer (FlwDensityView *view, FlwDensityRenderer renderer);

/* Map 0 or 1; NULL: none. The reference is the caller's. `difference`: shown at ± its level. The first map that is set
 * places the camera; later ones keep it, and keep the level. A map's first level is 1.5 σ, of a difference 3 σ, of a grid that
 * does not repeat what 4 % of it is above. */
void flw_density_view_set_map (FlwDensityView *view, guint map, FlwDensityVolume *volume, const char *name,
                               gboolean difference);
/* What is shown right of the divider instead; NULL: no divider for this map. */
void flw_density_view_set_rival (FlwDensityView *view, guint map, FlwDensityVolume *volume, const char *name);
FlwDensityVolume *flw_density_view_get_map (FlwDensityView *view, guint map); /* transfer none; or NULL */
const char *flw_density_view_get_map_name (FlwDensityView *view, guint map);
/* In σ, or while "absolute" in the map's unit. */
void flw_density_view_set_level (FlwDensityView *view, guint map, double level);
double flw_density_view_get_level (FlwDensityView *view, guint map);
void flw_density_view_set_visible_map (FlwDensityView *view, guint map, gboolean visible);

/* NULL: none. The reference is the caller's. */
void flw_density_view_set_model (FlwDensityView *view, FlwDensityModel *model);
/* Copies. `unit` follows the values, e.g. "σ". */
void flw_density_view_set_peaks (FlwDensityView *view, guint n, const FlwDensityPeak *peaks,
                                 const char *unit);

const FlwDensityCamera *flw_density_view_get_camera (FlwDensityView *view);
void flw_density_view_set_camera (FlwDensityView *view, const FlwDensityCamera *camera);
void flw_density_view_centre (FlwDensityView *view, const double place[3]);
/* Selects and centres. Out of range: nothing. */
void flw_density_view_show_atom (FlwDensityView *view, guint atom);
void flw_density_view_show_peak (FlwDensityView *view, guint peak);

/* The picture is final: nothing is being drawn or waited for. */
gboolean flw_density_view_get_settled (FlwDensityView *view);
/* ms that the last picture took: of the worker, or of the GPU. */
double flw_density_view_get_frame_time (FlwDensityView *view);

G_END_DECLS
