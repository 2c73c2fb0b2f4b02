/* density-private.h: the inside of FlwDensityView, shared by density-view.c (state), density-picture.c (pictures),
 * density-navigate.c (input) and density-overlay.c (what lies over the picture). */
#pragma once

#include "widgets/chrome.h"
#include "widgets/density-cast.h"
#include "widgets/density-gl.h"
#include "widgets/density-view.h"
#include "widgets/render-loop.h"

#define FLW_DENSITY_FOOT 28   /* px: the readout line below the picture */
#define FLW_DENSITY_BALL 20.0 /* Å: how much of a crystal is shown at first */

typedef enum
{
  FLW_DENSITY_COARSE, /* while something moves */
  FLW_DENSITY_FULL,   /* a ray a pixel */
  FLW_DENSITY_SMOOTH  /* four rays a pixel */
} FlwDensityQuality;

typedef struct
{
  FlwDensityVolume *volume, *rival;
  char *name, *rival_name;
  gboolean difference, hidden, levelled; /* levelled: it has a level of its own */
  double level;                          /* σ, or the unit's while absolute */
} FlwDensityShown;

struct _FlwDensityView
{
  GtkWidget parent_instance;
  FlwDensityShown maps[FLW_DENSITY_MAPS];
  FlwDensityModel *model;
  GArray *peaks; /* FlwDensityPeak */
  char *peak_unit;
  FlwDensityCamera camera;
  gboolean placed;
  FlwDensityStyle style;
  FlwDensitySlice slice;
  double split;
  gboolean sticks, labels, absolute;
  int atom, peak; /* selected; −1: none */
  double hover_x, hover_y;

  FlwDensityRenderer wanted;
  GtkWidget *gl;          /* the GtkGLArea; NULL: the CPU draws */
  FlwDensityGl *renderer; /* of that area, in its context; NULL: not yet */
  gboolean drawn;         /* by the GPU, as it is now */
  guint still;            /* timer: nothing moved for a while; 0: none */
  char *why;              /* which draws */
  FlwDensityCaster *caster;
  FlwRenderLoop loop;
  FlwDensityQuality quality; /* of the next picture */
  gint *cancel;              /* of the picture that is being made, if it takes long; or NULL */
  double cost;               /* ns a ray, smoothed */
  double frame_time;         /* ms */
  GskRenderNode *picture;    /* in the box */
  GskRenderNode *overlay;
};

FlwBox flw_density_box (FlwDensityView *view);
/* What is to be drawn; `dots`: picture pixels a logical pixel. References are the view's. */
void flw_density_scene (FlwDensityView *view, double dots, FlwDensityScene *scene);
/* Something in the picture changed: coarse at once, then finer. */
void flw_density_redraw (FlwDensityView *view);
void flw_density_overlay_changed (FlwDensityView *view);
void flw_density_camera_changed (FlwDensityView *view);

extern const FlwRenderFuncs flw_density_render_funcs; /* density-picture.c */
/* At realization: the GPU's area or none; and back. */
void flw_density_choose_renderer (FlwDensityView *view);
void flw_density_drop_renderer (FlwDensityView *view);

/* density-navigate.c */
void flw_density_attach (FlwDensityView *view);
void flw_density_class_keys (GtkWidgetClass *klass);
void flw_density_place_all (FlwDensityView *view); /* all of the map in sight, or the ball around the model */

/* density-overlay.c */
void flw_density_draw_overlay (FlwDensityView *view, GtkSnapshot *snapshot);
char *flw_density_readout (FlwDensityView *view);
/* "2mFo−DFc 1.50 σ = 0.57 e/Å³" */
char *flw_density_level_text (FlwDensityView *view, guint map);
/* What is nearest to a point of the screen, within 12 px and in view; −1: nothing. */
int flw_density_atom_at (FlwDensityView *view, double x, double y);
int flw_density_peak_at (FlwDensityView *view, double x, double y);
