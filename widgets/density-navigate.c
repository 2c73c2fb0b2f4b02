/* Moving about in a density view: pointer, wheel and keys. Keys activate widget actions "density.NAME" and "plot.NAME". */
#include <math.h>
#include <string.h>

#include "widgets/density-private.h"
#include "widgets/plot-nav.h"

#define CLICK_SLOP  4.0  /* px that a click may wander */
#define TURN        0.01 /* rad a px */
#define LEVEL_STEP  0.1  /* σ a click of the wheel */
#define SLAB_STEP   1.25
#define MIN_SPAN    2.0  /* Å */
#define GRIP        7.0  /* px from the divider at which it is taken hold of */
#define WALKED_SLAB 7.0  /* Å before and behind it */
#define WALKED_SPAN 24.0 /* Å: how much is seen around what is walked to, at most */

typedef enum
{
  DRAG_TURN,
  DRAG_PAN,
  DRAG_ZOOM,
  DRAG_SPLIT
} Drag;

typedef struct
{
  Drag what;
  double x, y; /* of the last motion */
  gboolean moved;
} DragState;

static double
scale (FlwDensityView *view)
{
  FlwBox box = flw_density_box (view);
  return flw_density_camera_scale (&view->camera, box.width, box.height);
}

static void
turn (FlwDensityView *view, double right, double up)
{
  flw_density_camera_turn (&view->camera, right, up, 0);
  flw_density_camera_changed (view);
}

static void
pan (FlwDensityView *view, double dx, double dy)
{
  flw_density_camera_pan (&view->camera, dx * scale (view), -dy * scale (view));
  flw_density_camera_changed (view);
}

static void
zoom (FlwDensityView *view, double factor)
{
  double most = 4 * fmax (view->camera.radius, MIN_SPAN);

  view->camera.span = CLAMP (view->camera.span / factor, MIN_SPAN, most);
  flw_density_camera_changed (view);
}

static void
change_level (FlwDensityView *view, guint map, double steps)
{
  const FlwDensityVolume *volume = view->maps[map].volume;
  double step = LEVEL_STEP;

  if (volume == NULL)
    return;
  if (view->absolute)
    step *= flw_density_volume_grid (volume)->sigma;
  flw_density_view_set_level (view, map, view->maps[map].level + steps * step);
}

/* --- from where --- */

void
flw_density_place_all (FlwDensityView *view)
{
  const FlwDensityVolume *volume = view->maps[0].volume != NULL ? view->maps[0].volume : view->maps[1].volume;
  double centre[3], radius;

  if (volume == NULL)
    return;
  flw_density_volume_bounds (volume, centre, &radius);
  if (flw_density_volume_grid (volume)->periodic)
    radius = fmin (radius, FLW_DENSITY_BALL);
  if (view->model != NULL && flw_density_volume_grid (volume)->periodic)
    {
      int atom = flw_density_model_nearest (view->model, centre, INFINITY);
      guint n;
      const FlwDensityAtom *atoms = flw_density_model_atoms (view->model, &n);
      if (atom >= 0)
        memcpy (centre, atoms[atom].place, sizeof centre);
    }
  flw_density_camera_init (&view->camera, centre, radius);
  if (!flw_density_volume_grid (volume)->periodic) /* a particle does not reach into the corners */
    view->camera.span = 1.35 * radius;
  view->placed = TRUE;
  flw_density_camera_changed (view);
}

const FlwDensityCamera *
flw_density_view_get_camera (FlwDensityView *view)
{
  return &view->camera;
}

void
flw_density_view_set_camera (FlwDensityView *view, const FlwDensityCamera *camera)
{
  view->camera = *camera;
  view->placed = TRUE;
  flw_density_camera_changed (view);
}

void
flw_density_view_centre (FlwDensityView *view, const double place[3])
{
  memcpy (view->camera.centre, place, sizeof view->camera.centre);
  view->placed = TRUE;
  flw_density_camera_changed (view);
}

void
flw_density_view_show_atom (FlwDensityView *view, guint atom)
{
  guint n = 0;
  const FlwDensityAtom *atoms = view->model != NULL ? flw_density_model_atoms (view->model, &n) : NULL;

  if (atom >= n)
    return;
  view->atom = (int) atom;
  view->peak = -1;
  flw_density_view_centre (view, atoms[atom].place);
  g_signal_emit_by_name (view, "atom-selected", atom);
}

void
flw_density_view_show_peak (FlwDensityView *view, guint peak)
{
  if (peak >= view->peaks->len)
    return;
  view->peak = (int) peak;
  view->atom = -1;
  flw_density_view_centre (view, g_array_index (view->peaks, FlwDensityPeak, peak).place);
  g_signal_emit_by_name (view, "peak-selected", peak);
}

/* --- the pointer --- */

static gboolean
on_scroll (GtkEventControllerScroll *controller, double dx, double dy, FlwDensityView *view)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));
  double steps = fabs (dy) >= fabs (dx) ? -dy : -dx; /* X turns the wheel sideways while Shift is held */

  if (state & GDK_CONTROL_MASK)
    zoom (view, pow (1.15, steps));
  else
    change_level (view, state & GDK_SHIFT_MASK ? 1 : 0, steps);
  return TRUE;
}

static gboolean
has_rival (FlwDensityView *view)
{
  return view->maps[0].rival != NULL || view->maps[1].rival != NULL;
}

static void
on_drag_begin (GtkGestureDrag *gesture, double x, double y, FlwDensityView *view)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  guint button = gtk_gesture_single_get_current_button (GTK_GESTURE_SINGLE (gesture));
  DragState *drag = g_object_get_data (G_OBJECT (gesture), "drag");

  gtk_widget_grab_focus (GTK_WIDGET (view));
  if (button == GDK_BUTTON_PRIMARY && has_rival (view)
      && fabs (x - view->split * flw_density_box (view).width) < GRIP)
    drag->what = DRAG_SPLIT;
  else if (button == GDK_BUTTON_SECONDARY)
    drag->what = DRAG_ZOOM;
  else
    drag->what = button == GDK_BUTTON_MIDDLE || (state & GDK_SHIFT_MASK) != 0 ? DRAG_PAN : DRAG_TURN;
  drag->x = x;
  drag->y = y;
  drag->moved = FALSE;
}

static void
on_drag_update (GtkGestureDrag *gesture, double dx, double dy, FlwDensityView *view)
{
  DragState *drag = g_object_get_data (G_OBJECT (gesture), "drag");
  double x, y;

  gtk_gesture_drag_get_start_point (gesture, &x, &y);
  if (!drag->moved && hypot (dx, dy) < CLICK_SLOP)
    return;
  drag->moved = TRUE;
  dx += x - drag->x;
  dy += y - drag->y;
  drag->x += dx;
  drag->y += dy;
  if (drag->what == DRAG_TURN)
    turn (view, TURN * dx, -TURN * dy);
  else if (drag->what == DRAG_PAN)
    pan (view, dx, dy);
  else if (drag->what == DRAG_SPLIT)
    g_object_set (view, "split", CLAMP (drag->x / flw_density_box (view).width, 0, 1), NULL);
  else
    zoom (view, exp (-0.008 * dy));
}

static void
select_at (FlwDensityView *view, double x, double y)
{
  int peak = flw_density_peak_at (view, x, y), atom = peak < 0 ? flw_density_atom_at (view, x, y) : -1;

  view->peak = peak;
  view->atom = atom;
  flw_density_overlay_changed (view);
  if (peak >= 0)
    g_signal_emit_by_name (view, "peak-selected", (guint) peak);
  if (atom >= 0)
    g_signal_emit_by_name (view, "atom-selected", (guint) atom);
}

static void
centre_selected (FlwDensityView *view)
{
  if (view->peak >= 0)
    flw_density_view_show_peak (view, (guint) view->peak);
  else if (view->atom >= 0)
    flw_density_view_show_atom (view, (guint) view->atom);
}

static void
on_click (GtkGestureClick *gesture, int n, double x, double y, FlwDensityView *view)
{
  (void) gesture;
  select_at (view, x, y);
  if (n == 2)
    centre_selected (view);
}

static void
hover (FlwDensityView *view, double x, double y)
{
  view->hover_x = x;
  view->hover_y = y;
  g_object_notify (G_OBJECT (view), "readout");
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

static void
on_motion (GtkEventControllerMotion *controller, double x, double y, FlwDensityView *view)
{
  (void) controller;
  hover (view, x, y);
}

static void
on_leave (GtkEventControllerMotion *controller, FlwDensityView *view)
{
  (void) controller;
  hover (view, NAN, NAN);
}

void
flw_density_attach (FlwDensityView *view)
{
  GtkWidget *widget = GTK_WIDGET (view);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkGesture *drag = gtk_gesture_drag_new (), *click = gtk_gesture_click_new ();

  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (drag), 0); /* any */
  g_object_set_data_full (G_OBJECT (drag), "drag", g_new0 (DragState, 1), g_free);
  g_signal_connect (motion, "motion", G_CALLBACK (on_motion), view);
  g_signal_connect (motion, "leave", G_CALLBACK (on_leave), view);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), view);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_drag_begin), view);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_drag_update), view);
  g_signal_connect (click, "released", G_CALLBACK (on_click), view);
  gtk_widget_add_controller (widget, motion);
  gtk_widget_add_controller (widget, scroll);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));
}

/* --- keys --- */

/* The part of a walk that both share: near enough to be seen. */
static void
come_near (FlwDensityView *view)
{
  if (view->camera.span <= WALKED_SPAN)
    return;
  view->camera.span = WALKED_SPAN;
  view->camera.front = fmin (view->camera.front, WALKED_SLAB);
  view->camera.back = fmin (view->camera.back, WALKED_SLAB);
}

static void
walk_residues (FlwDensityView *view, int by)
{
  guint n;
  const FlwDensityResidue *residues;
  int atom, at;

  if (view->model == NULL)
    return;
  residues = flw_density_model_residues (view->model, &n);
  atom =
      view->atom >= 0 ? view->atom : flw_density_model_nearest (view->model, view->camera.centre, INFINITY);
  if (n == 0 || atom < 0)
    return;
  at = (int) flw_density_model_residue_of (view->model, (guint) atom);
  if (view->atom >= 0) /* else the nearest one comes first */
    at = (at + by + (int) n) % (int) n;
  come_near (view);
  flw_density_view_show_atom (view, residues[at].centre);
}

static void
walk_peaks (FlwDensityView *view, int by)
{
  int n = (int) view->peaks->len;

  if (n == 0)
    return;
  come_near (view);
  flw_density_view_show_peak (view,
                              (guint) (view->peak < 0 ? (by > 0 ? 0 : n - 1) : (view->peak + by + n) % n));
}

static void
change_slab (FlwDensityView *view, double factor)
{
  view->camera.front =
      CLAMP (MIN (view->camera.front, view->camera.radius) * factor, 0.5, view->camera.radius);
  view->camera.back = CLAMP (MIN (view->camera.back, view->camera.radius) * factor, 0.5, view->camera.radius);
  flw_density_camera_changed (view);
}

static void
flip (FlwDensityView *view, const char *property)
{
  gboolean on;

  g_object_get (view, property, &on, NULL);
  g_object_set (view, property, !on, NULL);
}

static void
move_split (FlwDensityView *view, double by)
{
  g_object_set (view, "split", CLAMP (view->split + by, 0, 1), NULL);
}

static gboolean
act_moving (FlwDensityView *view, const char *name)
{
  FlwBox box = flw_density_box (view);
  double step = 0.1 * fmin (box.width, box.height);

  if (g_str_equal (name, "left") || g_str_equal (name, "right"))
    turn (view, g_str_equal (name, "left") ? -0.15 : 0.15, 0);
  else if (g_str_equal (name, "up") || g_str_equal (name, "down"))
    turn (view, 0, g_str_equal (name, "up") ? 0.15 : -0.15);
  else if (g_str_equal (name, "cursor-left") || g_str_equal (name, "cursor-right"))
    pan (view, g_str_equal (name, "cursor-left") ? -step : step, 0);
  else if (g_str_equal (name, "cursor-up") || g_str_equal (name, "cursor-down"))
    pan (view, 0, g_str_equal (name, "cursor-up") ? -step : step);
  else if (g_str_equal (name, "zoom-in") || g_str_equal (name, "zoom-out"))
    zoom (view, g_str_equal (name, "zoom-in") ? 1.25 : 0.8);
  else if (g_str_equal (name, "fit") || g_str_equal (name, "first"))
    flw_density_place_all (view);
  else
    return FALSE;
  return TRUE;
}

static void
act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  const char *name = strchr (action, '.') + 1;

  (void) parameter;
  if (act_moving (view, name))
    return;
  if (g_str_equal (name, "level-up") || g_str_equal (name, "level-down"))
    change_level (view, 0, g_str_equal (name, "level-up") ? 1 : -1);
  else if (g_str_equal (name, "other-level-up") || g_str_equal (name, "other-level-down"))
    change_level (view, 1, g_str_equal (name, "other-level-up") ? 1 : -1);
  else if (g_str_equal (name, "style"))
    g_object_set (view, "style", (int) (view->style + 1) % (FLW_DENSITY_SOLID + 1), NULL);
  else if (g_str_equal (name, "slice"))
    g_object_set (view, "slice", (int) (view->slice + 1) % FLW_DENSITY_SLICE_LAST, NULL);
  else if (g_str_equal (name, "sticks") || g_str_equal (name, "labels") || g_str_equal (name, "absolute"))
    flip (view, name);
  else if (g_str_equal (name, "difference"))
    flw_density_view_set_visible_map (view, 1, view->maps[1].hidden);
  else if (g_str_equal (name, "slab-thinner") || g_str_equal (name, "slab-thicker"))
    change_slab (view, g_str_equal (name, "slab-thinner") ? 1 / SLAB_STEP : SLAB_STEP);
  else if (g_str_equal (name, "residue-next") || g_str_equal (name, "residue-previous"))
    walk_residues (view, g_str_equal (name, "residue-next") ? 1 : -1);
  else if (g_str_equal (name, "peak-next") || g_str_equal (name, "peak-previous"))
    walk_peaks (view, g_str_equal (name, "peak-next") ? 1 : -1);
  else if (g_str_equal (name, "centre") || g_str_equal (name, "activate"))
    centre_selected (view);
  else if (g_str_equal (name, "split-left") || g_str_equal (name, "split-right"))
    move_split (view, g_str_equal (name, "split-left") ? -0.05 : 0.05);
  else if (g_str_equal (name, "cancel"))
    {
      view->atom = view->peak = -1;
      flw_density_overlay_changed (view);
    }
}

void
flw_density_class_keys (GtkWidgetClass *klass)
{
  static const struct
  {
    const char *action;
    guint key;
    GdkModifierType state;
  } keys[] = {
    { "density.level-up", GDK_KEY_Page_Up, 0 },
    { "density.level-down", GDK_KEY_Page_Down, 0 },
    { "density.other-level-up", GDK_KEY_Page_Up, GDK_SHIFT_MASK },
    { "density.other-level-down", GDK_KEY_Page_Down, GDK_SHIFT_MASK },
    { "density.style", GDK_KEY_m, 0 },
    { "density.slice", GDK_KEY_s, 0 },
    { "density.sticks", GDK_KEY_l, 0 },
    { "density.labels", GDK_KEY_b, 0 },
    { "density.absolute", GDK_KEY_u, 0 },
    { "density.difference", GDK_KEY_d, 0 },
    { "density.slab-thinner", GDK_KEY_bracketleft, 0 },
    { "density.slab-thicker", GDK_KEY_bracketright, 0 },
    { "density.residue-next", GDK_KEY_space, 0 },
    { "density.residue-previous", GDK_KEY_BackSpace, 0 },
    { "density.peak-next", GDK_KEY_n, 0 },
    { "density.peak-previous", GDK_KEY_p, 0 },
    { "density.centre", GDK_KEY_c, 0 },
    { "density.split-left", GDK_KEY_comma, 0 },
    { "density.split-right", GDK_KEY_period, 0 },
  };

  flw_nav_class_init (klass, act);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    flw_nav_class_add_key (klass, keys[i].action, keys[i].key, keys[i].state, act);
}
